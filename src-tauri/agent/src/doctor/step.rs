//! One step as it is told: a line for people, or an object for programs. Holds no secret.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use tidings_channel::{Cause, ChannelUrl, Config, Credential, Examined, Examining};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::credential::Credentials;

/// A certificate that ends sooner is worth a word, in days.
const SOON: i64 = 14;

/// A step of the examination.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Step {
    step: &'static str,
    /// `None`: neither good nor bad.
    ok: Option<bool>,
    ms: Option<f64>,
    detail: String,
    mend: Option<String>,
}

impl Step {
    pub(super) fn good(step: &'static str, took: Option<Duration>, detail: impl Into<String>) -> Self {
        Self { step, ok: Some(true), ms: took.map(millis), detail: detail.into(), mend: None }
    }

    pub(super) fn bad(
        step: &'static str,
        took: Option<Duration>,
        detail: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        let mend = Some(mend.into());
        Self { step, ok: Some(false), ms: took.map(millis), detail: detail.into(), mend }
    }

    /// Neither good nor bad, so the exit code doesn't hang on it.
    pub(super) fn noted(self) -> Self {
        Self { ok: None, ..self }
    }

    pub(super) fn failed(step: &'static str, took: Duration, cause: &Cause, config: &Config) -> Self {
        Self::bad(step, Some(took), cause.to_string(), mend(cause, config))
    }

    fn line(&self) -> String {
        let mark = match self.ok {
            Some(true) => '✓',
            Some(false) => '✗',
            None => '·',
        };
        let time = self.ms.map(|ms| format!(" ({ms:.0} ms)")).unwrap_or_default();
        let mend = self.mend.as_deref().map(|mend| format!("\n    {mend}")).unwrap_or_default();
        format!("{mark} {}: {}{time}{mend}", self.step, self.detail)
    }
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// What has been told. With `json` it is one object, told in the end.
pub(super) struct Said {
    url: String,
    json: bool,
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Report<'a> {
    url: &'a str,
    ok: bool,
    steps: &'a [Step],
}

impl Said {
    pub(super) fn new(url: &ChannelUrl, json: bool) -> Self {
        Self { url: url.to_string(), json, steps: Vec::new() }
    }

    pub(super) fn say(&mut self, step: Step) -> io::Result<()> {
        if !self.json {
            writeln!(io::stdout(), "{}", step.line())?;
        }
        self.steps.push(step);
        Ok(())
    }

    pub(super) fn failed(&self) -> bool {
        self.steps.iter().any(|step| step.ok == Some(false))
    }

    pub(super) fn end(&self) -> io::Result<()> {
        if self.json {
            let report = Report { url: &self.url, ok: !self.failed(), steps: &self.steps };
            writeln!(io::stdout(), "{}", serde_json::to_string(&report)?)?;
        }
        Ok(())
    }
}

/// A step in words; for an address also whether it works: one that does is enough.
pub(super) fn examined(examined: Examined, config: &Config, now: Timestamp) -> (Step, Option<bool>) {
    let Examined { step, took, failure } = examined;
    let step = match step {
        Examining::Address(address) => {
            let worked = failure.is_none();
            let step = match failure {
                None => Step::good("address", Some(took), address.to_string()),
                Some(cause) => Step { mend: None, ..Step::failed("address", took, &cause, config).noted() }
                    .about(&address.to_string()),
            };
            return (step, Some(worked));
        }
        Examining::Lookup { host, addresses } => match failure {
            Some(cause) => Step::failed("name", took, &cause, config).about(&host),
            None => {
                let addresses: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
                let detail = match addresses.as_slice() {
                    [only] if host.trim_matches(['[', ']']) == only => format!("{host} needs no lookup"),
                    _ => format!("{host} is {}", addresses.join(", ")),
                };
                Step::good("name", Some(took), detail)
            }
        },
        Examining::Proxy { proxy } => match failure {
            Some(cause) => Step::failed("proxy", took, &cause, config).about(&proxy),
            None => Step::good("proxy", Some(took), format!("through {proxy}")),
        },
        Examining::Tls { version, certificate } => match failure {
            Some(cause) => Step::failed("tls", took, &cause, config),
            None => tls(version.as_deref(), certificate.as_deref(), took, now),
        },
        other => Step::good("other", Some(took), format!("{other:?}")).noted(),
    };
    (step, None)
}

impl Step {
    fn about(self, what: &str) -> Self {
        Self { detail: format!("{what}: {}", self.detail), ..self }
    }
}

fn tls(version: Option<&str>, certificate: Option<&[u8]>, took: Duration, now: Timestamp) -> Step {
    let version = version.unwrap_or("TLS").replace("TLSv1_", "TLS 1.");
    let read = certificate.and_then(|der| X509Certificate::from_der(der).ok());
    let Some((_, certificate)) = read else { return Step::good("tls", Some(took), version) };
    let name = |name: &x509_parser::x509::X509Name<'_>| {
        let first =
            name.iter_organization().chain(name.iter_common_name()).find_map(|part| part.as_str().ok());
        crate::text::shown(first.unwrap_or("nobody named"), 80, true)
    };
    let days = (certificate.validity().not_after.timestamp() - now.as_second()) / 86_400;
    let detail = format!("{version}, certificate by {}, {days} days left", name(certificate.issuer()));
    match days < SOON {
        true => Step {
            mend: Some("have the certificate renewed".to_owned()),
            ..Step::good("tls", Some(took), detail)
        },
        false => Step::good("tls", Some(took), detail),
    }
}

/// No address worked.
pub(super) fn unreachable(config: &Config) -> Step {
    let cause = Cause::Unreachable { detail: "no address answers".to_owned() };
    Step::bad("tcp", None, cause.to_string(), mend(&cause, config))
}

/// The end of an examination without `--upgrade`.
pub(super) fn stopped(held: Option<&str>) -> Step {
    let (detail, mend) = match held {
        Some(name) => (
            format!("not tried: the running Tidings holds {name:?}"),
            "`tidings status` tells its state; --upgrade lets go of it, tries, and gives it back",
        ),
        None => (
            "not tried: it takes the place of another instance of the same user".to_owned(),
            "--upgrade tries it all the same",
        ),
    };
    Step::bad("upgrade", None, detail, mend).noted()
}

/// Fetches a channel's secret and says whether there is one.
pub(super) async fn credential(mut source: Credentials) -> Result<(Step, Option<Credential>), Step> {
    let began = Instant::now();
    match source.fetch(false).await {
        Ok(credential) => {
            let detail = if credential.is_some() { "there is one" } else { "none" };
            Ok((Step::good("secret", Some(began.elapsed()), detail), credential))
        }
        Err(error) => Err(Step::bad("secret", Some(began.elapsed()), error.to_string(), "see above")),
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
        let (failed, _) = examined(lookup(Some(cause)), &config(), Timestamp::UNIX_EPOCH);
        assert_eq!(
            failed.line(),
            "✗ name: shop.example: server name not found (no such name) (12 ms)\n    check the host's spelling, \
             the network and its DNS"
        );
        assert_eq!(
            serde_json::to_value(&failed).expect("JSON")["ms"],
            serde_json::json!(12.3),
            "programs are told more"
        );
        let (good, _) = examined(lookup(None), &config(), Timestamp::UNIX_EPOCH);
        assert!(good.line().starts_with("✓ name: shop.example is"));
    }

    #[test]
    fn one_dead_address_is_no_failure_but_all_are() {
        let address = "[2001:db8::1]:443".parse().expect("an address");
        let cause = Cause::Unreachable { detail: "no route".to_owned() };
        let dead = Examined { step: Examining::Address(address), took: Duration::ZERO, failure: Some(cause) };
        let mut said = Said::new(&config().url, true);
        let (step, worked) = examined(dead, &config(), Timestamp::UNIX_EPOCH);
        assert_eq!(worked, Some(false));
        said.steps.push(step);
        assert!(!said.failed());
        said.steps.push(unreachable(&config()));
        assert!(said.failed());
        assert!(!said.url.contains("s3cret"));
    }

    #[test]
    fn a_certificate_that_can_t_be_read_is_passed_over() {
        let step = tls(Some("TLSv1_3"), Some(b"x"), Duration::ZERO, Timestamp::UNIX_EPOCH);
        assert_eq!(step.line(), "✓ tls: TLS 1.3 (0 ms)");
    }
}
