//! Each step in words, with a mend for each failure. Holds no secret.

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use tidings_api::Step;
use tidings_channel::{Cause, Config, Credential, Examined, Examining, Stage};
use tidings_settings::credential::Credentials;
use tidings_state::cause;
use tidings_state::mend::{self, Spoken};
use tidings_words::Words;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::greeting::Greeting;
use crate::told::Told;

/// A certificate that ends sooner is worth a word, in days.
const SOON: i64 = 14;

pub(crate) fn good(name: &str, took: Option<Duration>, detail: impl Into<String>) -> Step {
    Step { step: name.to_owned(), ok: Some(true), ms: took.map(millis), detail: detail.into(), mend: None }
}

pub(crate) fn bad(
    name: &str,
    took: Option<Duration>,
    detail: impl Into<String>,
    mend: impl Into<String>,
) -> Step {
    let mend = Some(mend.into());
    Step { step: name.to_owned(), ok: Some(false), ms: took.map(millis), detail: detail.into(), mend }
}

/// The server speaks something else than plain messages.
pub(crate) fn greeted(greeting: Greeting, words: Words) -> Step {
    let step = bad("dialect", None, greeting.told(words), greeting.mend(words));
    // Its messages can be read all the same.
    if greeting == Greeting::Ntfy { noted(step) } else { step }
}

/// The server is another one than the channel is set up for; `keys` would be right.
pub(crate) fn another(name: &str, keys: &str, words: Words) -> Step {
    bad("dialect", None, words.dialect_unspoken(&name), words.mend_dialect(&keys))
}

/// A sign-in was refused, and no secret was sent.
pub(crate) fn without_secret(step: Step, words: Words) -> Step {
    Step { mend: Some(words.mend_no_secret()), ..step }
}

pub(crate) fn failed(name: &str, took: Duration, cause: &Cause, config: &Config, words: Words) -> Step {
    bad(name, Some(took), cause::told(cause, words), mend(cause, config, words))
}

/// The same, where another sign-in may be what helps.
pub(crate) fn refused(name: &str, took: Duration, cause: &Cause, config: &Config, told: &Told) -> Step {
    let step = failed(name, took, cause, config, told.words);
    let by_signing_in = told.signs_in && mend::is_of_a_sign_in(cause);
    if by_signing_in { Step { mend: Some(told.words.mend_session()), ..step } } else { step }
}

/// What a broker made of the subscription. `left_out`: the topics that it refused, though it took others.
pub(crate) fn subscribed(took: Option<Duration>, left_out: &str, words: Words) -> Step {
    if left_out.is_empty() {
        return good("subscription", took, words.doctor_subscribed());
    }
    noted(bad("subscription", took, words.doctor_subscribed_but(&left_out), words.mend_broker_not_allowed()))
}

/// A broker refused us, and was told of nobody.
pub(crate) fn without_broker_secret(step: Step, words: Words) -> Step {
    Step { mend: Some(words.mend_broker_no_secret()), ..step }
}

/// A broker refused us, and may have wanted to hear the channel's own client id.
pub(crate) fn by_another_client_id(step: Step, words: Words) -> Step {
    let mend = step.mend.unwrap_or_default();
    Step { mend: Some(words.mend_broker_random_id(&mend)), ..step }
}

/// Neither good nor bad, so the exit code doesn't hang on it.
pub(crate) fn noted(step: Step) -> Step {
    Step { ok: None, ..step }
}

fn about(what: &str, step: Step, words: Words) -> Step {
    Step { detail: words.doctor_about(&step.detail, &what), ..step }
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// A step as people read it.
pub fn line(step: &Step, words: Words) -> String {
    let mark = match step.ok {
        Some(true) => '✓',
        Some(false) => '✗',
        None => '·',
    };
    let name = match step.step.as_str() {
        "name" => words.doctor_step_name(),
        "proxy" => words.doctor_step_proxy(),
        "address" => words.doctor_step_address(),
        "tcp" => words.doctor_step_tcp(),
        "tls" => words.doctor_step_tls(),
        "secret" => words.doctor_step_secret(),
        "upgrade" => words.doctor_step_upgrade(),
        "sign-in" => words.doctor_step_sign_in(),
        "subscription" => words.doctor_step_subscription(),
        "ping" => words.doctor_step_ping(),
        "carrier" => words.doctor_step_carrier(),
        "dialect" => words.doctor_step_dialect(),
        "idle" => words.doctor_step_idle(),
        "clock" => words.doctor_step_clock(),
        // Of an agent of another version.
        other => other.to_owned(),
    };
    let line = match step.ms {
        Some(ms) => words.doctor_line_timed(&step.detail, &mark, &format_args!("{ms:.0}"), &name),
        None => words.doctor_line(&step.detail, &mark, &name),
    };
    let mend = step.mend.as_deref().map(|mend| format!("\n    {mend}")).unwrap_or_default();
    line + &mend
}

/// How far the clocks of this machine and of the server are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Skew {
    by: Duration,
    /// Whether this machine's is the later one.
    fast: bool,
}

/// Clocks that are further apart are worth a word. Too low: a step for each slow answer; too high: tokens and their
/// limits are refused (they allow for a minute or five), and nobody is told why.
const APART: Duration = Duration::from_secs(5 * 60);

impl Skew {
    fn between(ours: SystemTime, theirs: SystemTime) -> Option<Self> {
        let (by, fast) = match ours.duration_since(theirs) {
            Ok(by) => (by, true),
            Err(slow) => (slow.duration(), false),
        };
        (by > APART).then_some(Self { by, fast })
    }

    fn step(self, words: Words) -> Step {
        let minutes = self.by.as_secs() / 60;
        let by = match minutes {
            0..120 => words.doctor_minutes(minutes),
            120..2880 => words.doctor_hours(minutes / 60),
            _ => words.doctor_days(minutes / 1440),
        };
        let which = if self.fast { "fast" } else { "slow" };
        noted(bad("clock", None, words.doctor_clock(&by, &which), words.mend_clock()))
    }
}

/// A sign-in was refused by a server whose clock is another one than ours: that alone may be why.
pub(super) fn with_another_clock(step: Step, words: Words) -> Step {
    let mend = step.mend.unwrap_or_default();
    Step { mend: Some(words.mend_clock_first(&mend)), ..step }
}

/// A step in words; for an address also whether it answers: one that does is enough.
pub(crate) fn examined(
    examined: Examined,
    config: &Config,
    now: Timestamp,
    words: Words,
) -> Option<(Step, Option<bool>)> {
    let Examined { step, took, failure } = examined;
    let step = match step {
        Examining::Address(address) => {
            // Who answers TCP was reached; what is wrong with it is told here, or by the steps that follow.
            let worked =
                !matches!(failure, Some(Cause::Unreachable { .. } | Cause::TimedOut { stage: Stage::Tcp }));
            let step = match failure {
                None => good("address", Some(took), address.to_string()),
                Some(cause) => {
                    let step = noted(failed("address", took, &cause, config, words));
                    Step { mend: None, ..about(&address.to_string(), step, words) }
                }
            };
            return Some((step, Some(worked)));
        }
        Examining::Lookup { host, addresses } => match failure {
            Some(cause) => about(&host, failed("name", took, &cause, config, words), words),
            None => {
                let addresses: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
                let detail = match addresses.as_slice() {
                    [only] if host.trim_matches(['[', ']']) == only => words.doctor_no_lookup(&host),
                    _ => words.doctor_looked_up(&addresses.join(", "), &host),
                };
                good("name", Some(took), detail)
            }
        },
        Examining::Proxy { proxy } => match failure {
            Some(cause) => about(&proxy, failed("proxy", took, &cause, config, words), words),
            None => good("proxy", Some(took), words.doctor_through_proxy(&proxy)),
        },
        Examining::Tls { version, certificate } => match failure {
            Some(cause) => failed("tls", took, &cause, config, words),
            None => tls(version.as_deref(), certificate.as_deref(), took, now, words),
        },
        Examining::Clock { theirs, ours } => {
            return Skew::between(ours, theirs).map(|skew| (skew.step(words), None));
        }
        // A step that the channel's crate learns one day says so there.
        _ => return None,
    };
    Some((step, None))
}

fn tls(
    version: Option<&str>,
    certificate: Option<&[u8]>,
    took: Duration,
    now: Timestamp,
    words: Words,
) -> Step {
    let version = version.unwrap_or("TLS").replace("TLSv1_", "TLS 1.");
    let read = certificate.and_then(|der| X509Certificate::from_der(der).ok());
    let Some((_, certificate)) = read else { return good("tls", Some(took), version) };
    let name = |name: &x509_parser::x509::X509Name<'_>| {
        let first =
            name.iter_organization().chain(name.iter_common_name()).find_map(|part| part.as_str().ok());
        first.map_or_else(
            || words.doctor_certificate_nobody(),
            |first| tidings_ground::text::shown(first, 80, true),
        )
    };
    let days = (certificate.validity().not_after.timestamp() - now.as_second()) / 86_400;
    let detail = words.doctor_certificate(days, &name(certificate.issuer()), &version);
    match days < SOON {
        true => Step { mend: Some(words.mend_certificate_soon()), ..good("tls", Some(took), detail) },
        false => good("tls", Some(took), detail),
    }
}

/// No address worked.
pub(crate) fn unreachable(words: Words) -> Step {
    bad("tcp", None, words.doctor_no_address(), words.mend_unreachable())
}

/// The end of an examination that isn't to disturb anybody.
pub(crate) fn stopped(words: Words) -> Step {
    noted(bad("upgrade", None, words.doctor_stopped(), words.mend_stopped()))
}

/// Of a broker no more is known than its address.
pub(crate) fn unknown_broker(words: Words) -> Step {
    noted(bad("sign-in", None, words.doctor_broker_unknown(), words.mend_broker_unknown()))
}

/// The agent holds the channel, and doesn't let go of it.
pub(crate) fn not_lent(words: Words) -> Step {
    bad("upgrade", None, words.doctor_not_lent(), words.mend_not_lent())
}

/// Fetches a channel's secret and says whether there is one.
pub(crate) async fn secret(mut source: Credentials, words: Words) -> (Step, Option<Credential>) {
    let began = Instant::now();
    match source.fetch(false).await {
        Ok(credential) => {
            let there = credential.is_some();
            let detail = if there { words.doctor_secret_there() } else { words.doctor_secret_none() };
            (good("secret", Some(began.elapsed()), detail), credential)
        }
        // It says itself what to do.
        Err(error) => {
            let step = bad("secret", Some(began.elapsed()), cause::credential(&error, words), "");
            (Step { mend: None, ..step }, None)
        }
    }
}

/// What to do about it.
pub(crate) fn mend(cause: &Cause, config: &Config, words: Words) -> String {
    if matches!(cause, Cause::Lookup { .. }) && config.proxy.is_some() {
        return words.mend_proxy_name();
    }
    mend::told(cause, Spoken::of(config), words)
}

#[cfg(test)]
mod tests {
    use tidings_channel::{ChannelUrl, Detail};

    use super::*;

    const ENGLISH: Words = Words::of(tidings_words::Language::English);

    fn config() -> Config {
        Config::new(ChannelUrl::parse("wss://shop.example/ws?token=s3cret", false).expect("a good URL"))
    }

    #[test]
    fn a_line_has_a_mark_a_time_and_a_mend() {
        let lookup = |failure| Examined {
            step: Examining::Lookup { host: "shop.example".to_owned(), addresses: vec![] },
            took: Duration::from_micros(12_300),
            failure,
        };
        let cause = Cause::Lookup { detail: Detail::NoSuchName };
        let (failed, _) =
            examined(lookup(Some(cause)), &config(), Timestamp::UNIX_EPOCH, ENGLISH).expect("a known step");
        assert_eq!(
            line(&failed, ENGLISH),
            "✗ name: shop.example: server name not found (no such name) (12 ms)\n    check the host's spelling, \
             the network and its DNS"
        );
        assert_eq!(
            serde_json::to_value(&failed).expect("JSON")["ms"],
            serde_json::json!(12.3),
            "programs are told more"
        );
        let (good, _) =
            examined(lookup(None), &config(), Timestamp::UNIX_EPOCH, ENGLISH).expect("a known step");
        assert!(line(&good, ENGLISH).starts_with("✓ name: shop.example is"));
    }

    #[test]
    fn one_dead_address_is_no_failure_but_all_are() {
        let address = "[2001:db8::1]:443".parse().expect("an address");
        let cause = Cause::Unreachable { detail: Detail::HostUnreachable };
        let dead = Examined { step: Examining::Address(address), took: Duration::ZERO, failure: Some(cause) };
        let (step, worked) = examined(dead, &config(), Timestamp::UNIX_EPOCH, ENGLISH).expect("a known step");
        assert_eq!(worked, Some(false));
        assert_eq!(step.ok, None);
        assert_eq!(unreachable(ENGLISH).ok, Some(false));
    }

    #[test]
    fn a_clock_that_is_off_is_told_with_its_way_and_by_how_much_and_one_that_is_right_is_not() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let told = |ours, theirs| {
            let step = Examining::Clock { ours, theirs };
            let clock = Examined { step, took: Duration::ZERO, failure: None };
            examined(clock, &config(), Timestamp::UNIX_EPOCH, ENGLISH).map(|(step, _)| line(&step, ENGLISH))
        };
        let later = |seconds| noon + Duration::from_secs(seconds);
        assert_eq!(told(noon, later(300)), None);
        assert_eq!(told(later(300), noon), None);
        let mend = "set this machine's clock, or let it be set over the network (NTP)";
        for (ours, theirs, words) in [
            (noon, later(360), "6 minutes slow"),
            (later(7260), noon, "2 hours fast"),
            (noon, later(3 * 86_400), "3 days slow"),
        ] {
            let expected = format!("· clock: by the server's clock, this machine's is {words}\n    {mend}");
            assert_eq!(told(ours, theirs), Some(expected));
        }
    }

    #[test]
    fn a_certificate_that_can_t_be_read_is_passed_over() {
        let step = tls(Some("TLSv1_3"), Some(b"x"), Duration::ZERO, Timestamp::UNIX_EPOCH, ENGLISH);
        assert_eq!(line(&step, ENGLISH), "✓ tls: TLS 1.3 (0 ms)");
    }

    #[test]
    fn in_chinese_a_step_is_chinese() {
        let words = Words::of(tidings_words::Language::SimplifiedChinese);
        let cause = Cause::SignInRefused { status: 401 };
        let step = failed("upgrade", Duration::from_millis(12), &cause, &config(), words);
        assert_eq!(
            line(&step, words),
            "✗ 协议升级：登录被拒绝 (401)（12 毫秒）\n    请更新密钥：使用 `tidings secret set`，或更新 token_command、\
             token_file 或 token_env 提供的内容"
        );
        assert_eq!(step.step, "upgrade", "programs are told the same in every language");
    }
}
