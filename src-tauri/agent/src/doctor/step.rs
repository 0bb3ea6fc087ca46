//! Each step in words, with a mend for each failure. Holds no secret.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tidings_api::Step;
use tidings_channel::{Cause, Config, Credential, Examined, Examining};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::credential::Credentials;

/// A certificate that ends sooner is worth a word, in days.
const SOON: i64 = 14;

pub(super) fn good(name: &str, took: Option<Duration>, detail: impl Into<String>) -> Step {
    Step { step: name.to_owned(), ok: Some(true), ms: took.map(millis), detail: detail.into(), mend: None }
}

pub(super) fn bad(
    name: &str,
    took: Option<Duration>,
    detail: impl Into<String>,
    mend: impl Into<String>,
) -> Step {
    let mend = Some(mend.into());
    Step { step: name.to_owned(), ok: Some(false), ms: took.map(millis), detail: detail.into(), mend }
}

pub(super) fn failed(name: &str, took: Duration, cause: &Cause, config: &Config) -> Step {
    bad(name, Some(took), cause.to_string(), mend(cause, config))
}

/// Neither good nor bad, so the exit code doesn't hang on it.
pub(super) fn noted(step: Step) -> Step {
    Step { ok: None, ..step }
}

fn about(what: &str, step: Step) -> Step {
    Step { detail: format!("{what}: {}", step.detail), ..step }
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// A step as people read it.
pub(super) fn line(step: &Step) -> String {
    let mark = match step.ok {
        Some(true) => '✓',
        Some(false) => '✗',
        None => '·',
    };
    let time = step.ms.map(|ms| format!(" ({ms:.0} ms)")).unwrap_or_default();
    let mend = step.mend.as_deref().map(|mend| format!("\n    {mend}")).unwrap_or_default();
    format!("{mark} {}: {}{time}{mend}", step.step, step.detail)
}

/// A step in words; for an address also whether it works: one that does is enough.
pub(super) fn examined(examined: Examined, config: &Config, now: Timestamp) -> Option<(Step, Option<bool>)> {
    let Examined { step, took, failure } = examined;
    let step = match step {
        Examining::Address(address) => {
            let worked = failure.is_none();
            let step = match failure {
                None => good("address", Some(took), address.to_string()),
                Some(cause) => {
                    let step = noted(failed("address", took, &cause, config));
                    Step { mend: None, ..about(&address.to_string(), step) }
                }
            };
            return Some((step, Some(worked)));
        }
        Examining::Lookup { host, addresses } => match failure {
            Some(cause) => about(&host, failed("name", took, &cause, config)),
            None => {
                let addresses: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
                let detail = match addresses.as_slice() {
                    [only] if host.trim_matches(['[', ']']) == only => format!("{host} needs no lookup"),
                    _ => format!("{host} is {}", addresses.join(", ")),
                };
                good("name", Some(took), detail)
            }
        },
        Examining::Proxy { proxy } => match failure {
            Some(cause) => about(&proxy, failed("proxy", took, &cause, config)),
            None => good("proxy", Some(took), format!("through {proxy}")),
        },
        Examining::Tls { version, certificate } => match failure {
            Some(cause) => failed("tls", took, &cause, config),
            None => tls(version.as_deref(), certificate.as_deref(), took, now),
        },
        // A step that the channel's crate learns one day says so there.
        _ => return None,
    };
    Some((step, None))
}

fn tls(version: Option<&str>, certificate: Option<&[u8]>, took: Duration, now: Timestamp) -> Step {
    let version = version.unwrap_or("TLS").replace("TLSv1_", "TLS 1.");
    let read = certificate.and_then(|der| X509Certificate::from_der(der).ok());
    let Some((_, certificate)) = read else { return good("tls", Some(took), version) };
    let name = |name: &x509_parser::x509::X509Name<'_>| {
        let first =
            name.iter_organization().chain(name.iter_common_name()).find_map(|part| part.as_str().ok());
        crate::text::shown(first.unwrap_or("nobody named"), 80, true)
    };
    let days = (certificate.validity().not_after.timestamp() - now.as_second()) / 86_400;
    let detail = format!("{version}, certificate by {}, {days} days left", name(certificate.issuer()));
    match days < SOON {
        true => {
            Step { mend: Some("have the certificate renewed".to_owned()), ..good("tls", Some(took), detail) }
        }
        false => good("tls", Some(took), detail),
    }
}

/// No address worked.
pub(super) fn unreachable(config: &Config) -> Step {
    let cause = Cause::Unreachable { detail: "no address answers".to_owned() };
    bad("tcp", None, cause.to_string(), mend(&cause, config))
}

/// The end of an examination that isn't to disturb anybody.
pub(super) fn stopped() -> Step {
    let detail = "not tried: it takes the place of another instance of the same user";
    noted(bad("upgrade", None, detail, "--upgrade tries it all the same"))
}

/// The agent holds the channel, and doesn't let go of it.
pub(super) fn not_lent() -> Step {
    let detail = "not tried: the channel is being examined already, or Tidings is ending";
    bad("upgrade", None, detail, "try again in a minute")
}

/// Fetches a channel's secret and says whether there is one.
pub(super) async fn secret(mut source: Credentials) -> (Step, Option<Credential>) {
    let began = Instant::now();
    match source.fetch(false).await {
        Ok(credential) => {
            let detail = if credential.is_some() { "there is one" } else { "none" };
            (good("secret", Some(began.elapsed()), detail), credential)
        }
        // It says itself what to do.
        Err(error) => {
            let step = bad("secret", Some(began.elapsed()), error.to_string(), "");
            (Step { mend: None, ..step }, None)
        }
    }
}

/// What to do about it.
pub(super) fn mend(cause: &Cause, config: &Config) -> &'static str {
    match cause {
        Cause::Lookup { .. } if config.proxy.is_some() => {
            "check the proxy's name in the settings or in HTTPS_PROXY"
        }
        Cause::Lookup { .. } => "check the host's spelling, the network and its DNS",
        Cause::Unreachable { .. } => "check the port, a firewall on the way, and whether the server runs",
        Cause::TimedOut { .. } => "something on the way swallows packets: check firewall, VPN and proxy",
        Cause::Proxy { .. } => {
            "check the proxy and whether it allows this host and port; NO_PROXY excepts a host"
        }
        Cause::Tls { .. } => "check that this port speaks TLS, and that nothing on the way breaks it",
        Cause::Certificate { .. } => {
            "have the server send a valid certificate and its chain; ca_file trusts a private authority"
        }
        Cause::WrongName { .. } => "check the host's spelling: the certificate is for another name",
        Cause::SignInRefused { status: 407 } => "put user and password into HTTPS_PROXY or ALL_PROXY",
        Cause::SignInRefused { status: 403 } => "the secret is known, but may not: ask who runs the server",
        Cause::SignInRefused { .. } => {
            "renew the secret: `tidings secret set`, or what token_command, token_file or token_env give"
        }
        Cause::WrongAddress { .. } | Cause::NotAWebSocket { .. } => {
            "check the URL's path; a proxy in front must pass `Upgrade` and `Connection` on"
        }
        Cause::Status { status: 429 | 503 } => "the server is busy: wait",
        Cause::Status { status: 500.. } => "ask who runs the server to look into its log",
        Cause::Status { .. } => "check the URL, and what the server wants in `headers`",
        Cause::CaptivePortal => "open any page in a browser and sign in to this network",
        Cause::Closed(_) | Cause::Lost { .. } | Cause::Refused { .. } => {
            "ask who runs the server why it ends the link; a proxy in front may, too"
        }
        Cause::Silent { .. } | Cause::WriteStalled => {
            "the network drops what is sent: check it and its proxies"
        }
        Cause::Owner { .. } => "see what it says",
        Cause::Local => "try again",
    }
}

#[cfg(test)]
mod tests {
    use tidings_channel::ChannelUrl;

    use super::*;

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
        let cause = Cause::Lookup { detail: "no such name".to_owned() };
        let (failed, _) =
            examined(lookup(Some(cause)), &config(), Timestamp::UNIX_EPOCH).expect("a known step");
        assert_eq!(
            line(&failed),
            "✗ name: shop.example: server name not found (no such name) (12 ms)\n    check the host's spelling, \
             the network and its DNS"
        );
        assert_eq!(
            serde_json::to_value(&failed).expect("JSON")["ms"],
            serde_json::json!(12.3),
            "programs are told more"
        );
        let (good, _) = examined(lookup(None), &config(), Timestamp::UNIX_EPOCH).expect("a known step");
        assert!(line(&good).starts_with("✓ name: shop.example is"));
    }

    #[test]
    fn one_dead_address_is_no_failure_but_all_are() {
        let address = "[2001:db8::1]:443".parse().expect("an address");
        let cause = Cause::Unreachable { detail: "no route".to_owned() };
        let dead = Examined { step: Examining::Address(address), took: Duration::ZERO, failure: Some(cause) };
        let (step, worked) = examined(dead, &config(), Timestamp::UNIX_EPOCH).expect("a known step");
        assert_eq!(worked, Some(false));
        assert_eq!(step.ok, None);
        assert_eq!(unreachable(&config()).ok, Some(false));
    }

    #[test]
    fn a_certificate_that_can_t_be_read_is_passed_over() {
        let step = tls(Some("TLSv1_3"), Some(b"x"), Duration::ZERO, Timestamp::UNIX_EPOCH);
        assert_eq!(line(&step), "✓ tls: TLS 1.3 (0 ms)");
    }
}
