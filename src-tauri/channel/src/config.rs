//! A channel's settings: typed so that they can't hold nonsense. The numbers that are not settings are
//! in [`Timing`].

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use url::{Host, Url};

use crate::{ClientCert, Memory, ProxyUrl, Timing};

/// All that one channel needs to know, beside what each dial asks of its [`Owner`](crate::Owner).
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to connect.
    pub url: ChannelUrl,
    /// The application's heartbeat (H1).
    pub heartbeat: Heartbeat,
    /// Proof of life (L1).
    pub liveness: Liveness,
    /// Delays after failures (B1).
    pub backoff: Backoff,
    /// Close codes that mean *replaced*; 4500 by default.
    pub quiet_close_codes: BTreeSet<u16>,
    /// Take over again by itself; `None`: never (R1).
    pub take_back_after: Option<TakeBack>,
    /// Further certificate authorities, PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// Shown to a server that asks who we are.
    pub client_cert: Option<ClientCert>,
    /// The proxy to go through; see [`ProxyUrl::from_env`] for the environment's.
    pub proxy: Option<ProxyUrl>,
    /// What is known of the place already; a channel that takes the place of another one gets that one's.
    pub memory: Memory,
    /// The numbers that are not settings.
    pub timing: Timing,
}

impl Config {
    /// A channel with the default settings.
    pub fn new(url: ChannelUrl) -> Self {
        Self {
            url,
            heartbeat: Heartbeat::default(),
            liveness: Liveness::default(),
            backoff: Backoff::default(),
            quiet_close_codes: BTreeSet::from([crate::verdict::REPLACED]),
            take_back_after: None,
            ca_pem: None,
            client_cert: None,
            proxy: None,
            memory: Memory::default(),
            timing: Timing::default(),
        }
    }
}

/// Where a channel connects: a `ws` or `wss` URL without user name and fragment, encrypted or loopback
/// unless plaintext was allowed (D6). `Display` and `Debug` hide the values of the query.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ChannelUrl(Url);

/// Why a text is no channel URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelUrlError {
    /// Not a URL at all.
    #[error("not a URL: write one such as wss://example.org/ws/user-channel")]
    Syntax(#[from] url::ParseError),
    /// Another scheme.
    #[error("the scheme {0:?} can't carry a channel: use wss:// (or ws:// on this machine)")]
    Scheme(String),
    /// No host.
    #[error("the URL names no host: write one such as wss://example.org/ws/user-channel")]
    NoHost,
    /// Port 0 can't be connected to.
    #[error("port 0 can't be connected to: name the server's port, or leave it out")]
    Port,
    /// A user name or password in it.
    #[error("the URL holds a user name or password: take it out, and set `auth = \"basic\"` and `username`")]
    Userinfo,
    /// A `#…` in it.
    #[error("the URL has a fragment (`#…`), which no server sees: take it out")]
    Fragment,
    /// Plaintext to another machine.
    #[error(
        "{host} would be reached without encryption: use wss://, or set `allow_plaintext = true` for this channel"
    )]
    Plaintext {
        /// The host.
        host: String,
    },
}

impl ChannelUrl {
    /// Reads a URL. `http` and `https` are taken for `ws` and `wss`.
    ///
    /// # Errors
    /// Says what is wrong with the text and how to mend it.
    pub fn parse(text: &str, allow_plaintext: bool) -> Result<Self, ChannelUrlError> {
        let mut url = Url::parse(text.trim())?;
        let scheme = match url.scheme() {
            "ws" | "http" => "ws",
            "wss" | "https" => "wss",
            other => return Err(ChannelUrlError::Scheme(other.to_owned())),
        };
        // Between special schemes this can't fail.
        if url.set_scheme(scheme).is_err() {
            return Err(ChannelUrlError::Scheme(url.scheme().to_owned()));
        }
        let Some(host) = url.host() else { return Err(ChannelUrlError::NoHost) };
        if url.port() == Some(0) {
            return Err(ChannelUrlError::Port);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ChannelUrlError::Userinfo);
        }
        if url.fragment().is_some() {
            return Err(ChannelUrlError::Fragment);
        }
        if scheme == "ws" && !allow_plaintext && !is_loopback(&host) {
            return Err(ChannelUrlError::Plaintext { host: host.to_string() });
        }
        Ok(Self(url))
    }

    /// The URL with its query's values, which may be secret: for the dial, not for showing.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The host as written, IPv6 addresses in brackets.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether the host is this machine, by its name or address.
    pub fn is_loopback(&self) -> bool {
        self.0.host().is_some_and(|host| is_loopback(&host))
    }

    /// Whether the link is encrypted.
    pub fn is_tls(&self) -> bool {
        self.0.scheme() == "wss"
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        // Not `*.localhost`: some resolvers ask the network for those.
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|a| a.is_loopback())
        }
    }
}

/// As [`ChannelUrl::parse`] without plaintext to other machines.
impl FromStr for ChannelUrl {
    type Err = ChannelUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text, false)
    }
}

impl fmt::Display for ChannelUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        if self.0.query().is_some() {
            // A part without `=` may itself be a token: it is hidden whole.
            let hidden: Vec<String> = self
                .0
                .query()
                .unwrap_or_default()
                .split('&')
                .map(|pair| pair.split_once('=').map_or("***".to_owned(), |(name, _)| format!("{name}=***")))
                .collect();
            shown.set_query(Some(&hidden.join("&")));
        }
        shown.fmt(f)
    }
}

impl fmt::Debug for ChannelUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelUrl({self})")
    }
}

/// Why a setting was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Heartbeat too rare for the proxy.
    #[error(
        "heartbeat.interval {interval:?} is above two thirds of heartbeat.proxy_timeout {proxy_timeout:?}: the proxy \
         might cut the link; set the interval to {longest:?} or less"
    )]
    HeartbeatTooRare {
        /// The interval asked for.
        interval: Duration,
        /// The proxy's time-out.
        proxy_timeout: Duration,
        /// The longest interval that is accepted.
        longest: Duration,
    },
    /// A time that is too short to work with.
    #[error("{setting} is {value:?}, which is too short: set it to {least:?} or more")]
    TooShort {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        value: Duration,
        /// The least that is accepted.
        least: Duration,
    },
    /// A time that is too long to work with.
    #[error("{setting} is {value:?}, which is too long: set it to {most:?} or less")]
    TooLong {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        value: Duration,
        /// The most that is accepted.
        most: Duration,
    },
    /// A heartbeat's text that no server would like.
    #[error("heartbeat.text has {bytes} bytes: shorten it to {MAX_HEARTBEAT} or fewer")]
    HeartbeatTooLong {
        /// Its length.
        bytes: usize,
    },
    /// The cap is below the first delay.
    #[error("backoff.cap {cap:?} is below backoff.first {first:?}: set it to at least that")]
    CapBelowFirst {
        /// The first delay.
        first: Duration,
        /// The cap.
        cap: Duration,
    },
}

/// Longest heartbeat text, bytes. Servers read little from a client that is not meant to talk.
const MAX_HEARTBEAT: usize = 1024;
/// Shortest time that a setting may be: below it the timers cost more than they tell.
const SHORTEST: Duration = Duration::from_millis(50);
/// Longest time that a setting may be.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

fn in_range(setting: &'static str, value: Duration) -> Result<(), ConfigError> {
    if value < SHORTEST {
        return Err(ConfigError::TooShort { setting, value, least: SHORTEST });
    }
    if value > LONGEST {
        return Err(ConfigError::TooLong { setting, value, most: LONGEST });
    }
    Ok(())
}

/// The application's heartbeat (H1): a text frame that keeps proxies from cutting a silent link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    text: String,
    interval: Duration,
    proxy_timeout: Duration,
}

impl Heartbeat {
    /// A heartbeat of `text`, sent after `interval` without an incoming Text or Binary frame, through a
    /// proxy that cuts a link after `proxy_timeout` of silence. An empty text turns it off.
    ///
    /// Interval too low: needless wake-ups and traffic; too high: the proxy cuts the link.
    ///
    /// # Errors
    /// An interval above two thirds of `proxy_timeout` (unless the text is empty), a time below 50 ms or
    /// above a week, or a text over 1 KiB.
    pub fn new(
        text: impl Into<String>,
        interval: Duration,
        proxy_timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let text = text.into();
        if text.len() > MAX_HEARTBEAT {
            return Err(ConfigError::HeartbeatTooLong { bytes: text.len() });
        }
        in_range("heartbeat.interval", interval)?;
        in_range("heartbeat.proxy_timeout", proxy_timeout)?;
        let longest = proxy_timeout * 2 / 3;
        if !text.is_empty() && interval > longest {
            return Err(ConfigError::HeartbeatTooRare { interval, proxy_timeout, longest });
        }
        Ok(Self { text, interval, proxy_timeout })
    }

    /// The exact text; empty: no heartbeat.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Time without incoming data after which one goes out.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Silence after which the proxy cuts the link.
    pub fn proxy_timeout(&self) -> Duration {
        self.proxy_timeout
    }

    /// The same, at least this often (L5).
    pub(crate) fn sooner(&self, interval: Duration) -> Self {
        Self { interval: self.interval.min(interval), ..self.clone() }
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            text: "HeartBeat".to_owned(),
            interval: Duration::from_secs(60),
            proxy_timeout: Duration::from_secs(90),
        }
    }
}

/// Take over again by itself this long after another instance did (R1): for people whose other instance is their own
/// browser tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakeBack(Duration);

/// Two instances that both take back would replace each other as often.
const SHORTEST_TAKE_BACK: Duration = Duration::from_secs(60);

impl TakeBack {
    /// Too low: instances that both do so fight over the channel; too high: a closed tab leaves it deaf for long.
    ///
    /// # Errors
    /// A time below a minute or above a week.
    pub fn after(time: Duration) -> Result<Self, ConfigError> {
        let setting = "take_back_after";
        if time < SHORTEST_TAKE_BACK {
            return Err(ConfigError::TooShort { setting, value: time, least: SHORTEST_TAKE_BACK });
        }
        in_range(setting, time)?;
        Ok(Self(time))
    }

    /// How long after.
    pub fn time(self) -> Duration {
        self.0
    }
}

/// Proof of life (L1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    ping_after: Duration,
    deadline: Duration,
}

impl Liveness {
    /// A ping after `ping_after` without inbound bytes, and death after `deadline` more. A `ping_after` of
    /// zero turns pings off.
    ///
    /// `ping_after` too low: traffic and wake-ups; too high: a dead link goes unnoticed. `deadline` too
    /// low: a slow path is taken for dead; too high: deaf for long.
    ///
    /// # Errors
    /// A time (but a zero `ping_after`) below 50 ms or above a week.
    pub fn new(ping_after: Duration, deadline: Duration) -> Result<Self, ConfigError> {
        if !ping_after.is_zero() {
            in_range("liveness.ping_after", ping_after)?;
        }
        in_range("liveness.deadline", deadline)?;
        Ok(Self { ping_after, deadline })
    }

    /// Silence after which a ping goes out; zero: no pings.
    pub fn ping_after(&self) -> Duration {
        self.ping_after
    }

    /// Time for the answer.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The same, with pings at least this often where they are on (L5).
    pub(crate) fn sooner(self, ping_after: Duration) -> Self {
        Self { ping_after: self.ping_after.min(ping_after), ..self }
    }
}

impl Default for Liveness {
    fn default() -> Self {
        Self { ping_after: Duration::from_secs(20), deadline: Duration::from_secs(15) }
    }
}

/// Delays after failures (B1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
}

impl Backoff {
    /// Upper ends of the first delay after a remote failure, and of all delays.
    ///
    /// `first` too low: a fleet stampedes; too high: one dropped link stays deaf for long. `cap` too low: a
    /// server that is down is hammered; too high: it is back long before we are.
    ///
    /// # Errors
    /// A time below 50 ms or above a week, or a cap below `first`.
    pub fn new(first: Duration, cap: Duration) -> Result<Self, ConfigError> {
        in_range("backoff.first", first)?;
        in_range("backoff.cap", cap)?;
        if cap < first {
            return Err(ConfigError::CapBelowFirst { first, cap });
        }
        Ok(Self { first, cap })
    }

    /// Upper end of the first delay after a remote failure.
    pub fn first(&self) -> Duration {
        self.first
    }

    /// Upper end of every ordinary delay.
    pub fn cap(&self) -> Duration {
        self.cap
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(3), cap: Duration::from_secs(60) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_web_address_becomes_a_channel_url() {
        let url = ChannelUrl::parse(" https://shop.example/ws/user-channel ", false).expect("a good URL");
        assert_eq!(url.to_string(), "wss://shop.example/ws/user-channel");
        assert!(url.is_tls());
        assert_eq!(url.host(), "shop.example");
    }

    #[test]
    fn plaintext_stays_on_this_machine_unless_allowed() {
        for local in ["ws://localhost/x", "ws://127.0.0.9:80/x", "ws://[::1]/x", "ws://127.1/"] {
            assert!(ChannelUrl::parse(local, false).is_ok(), "{local}");
        }
        for remote in [
            "ws://shop.example/",
            "http://10.0.0.1/",
            "ws://localhost.example/",
            "ws://a.localhost/",
            "ws://[::2]/",
        ] {
            let refused = ChannelUrl::parse(remote, false).expect_err(remote);
            assert!(refused.to_string().contains("allow_plaintext"), "{refused}");
            assert!(ChannelUrl::parse(remote, true).is_ok(), "{remote}");
        }
    }

    #[test]
    fn what_is_no_channel_url_is_refused_with_a_mend() {
        for text in
            ["", "shop.example", "ftp://a/", "wss://", "wss://u:secret@a/", "wss://a/#x", "wss://a:0/"]
        {
            let refused = ChannelUrl::parse(text, true).expect_err(text).to_string();
            assert!(refused.contains(':'), "{text}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn a_shown_url_tells_no_query_value() {
        let url = ChannelUrl::parse("wss://a.example/ws?token=s3cret&s3cret2&x=", false).expect("a good URL");
        for shown in [url.to_string(), format!("{url:?}")] {
            assert!(!shown.contains("s3cret"), "{shown}");
            assert!(shown.contains("token=***"), "{shown}");
        }
        assert!(url.as_url().as_str().contains("s3cret"));
    }

    #[test]
    fn a_heartbeat_too_rare_for_the_proxy_is_refused() {
        assert!(Heartbeat::new("HeartBeat", secs(60), secs(90)).is_ok());
        let refused = Heartbeat::new("HeartBeat", secs(61), secs(90)).expect_err("too rare");
        assert!(refused.to_string().contains("60s or less"), "{refused}");
        assert!(Heartbeat::new("", secs(61), secs(90)).is_ok(), "off, so the interval doesn't matter");
    }

    #[test]
    fn times_that_cannot_work_are_refused() {
        assert!(TakeBack::after(secs(59)).is_err(), "two that do so would fight");
        assert!(TakeBack::after(secs(60)).is_ok());
        assert!(TakeBack::after(Duration::MAX).is_err());
        assert!(Heartbeat::new("x", Duration::ZERO, secs(90)).is_err());
        assert!(Heartbeat::new("x".repeat(2000), secs(60), secs(90)).is_err());
        assert!(Liveness::new(Duration::ZERO, secs(15)).is_ok(), "zero turns pings off");
        assert!(Liveness::new(secs(30), Duration::ZERO).is_err());
        assert!(Liveness::new(Duration::MAX, secs(1)).is_err());
        assert!(Backoff::new(secs(5), secs(4)).is_err());
        assert!(Backoff::new(Duration::ZERO, secs(4)).is_err());
    }
}
