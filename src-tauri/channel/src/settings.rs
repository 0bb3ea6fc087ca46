//! A channel's settings that are numbers: typed so that they can't hold nonsense.

use std::time::Duration;

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
    steady: bool,
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
        Ok(Self { text, interval, proxy_timeout, steady: false })
    }

    /// A beat whose text the dialect says, sent every `interval`, whatever comes in.
    ///
    /// Interval too low: needless wake-ups and traffic; too high: the server, or a proxy, ends the link.
    ///
    /// # Errors
    /// A time below 50 ms or above a week.
    pub fn steady(interval: Duration) -> Result<Self, ConfigError> {
        in_range("beat.interval", interval)?;
        let proxy_timeout = interval.saturating_mul(3) / 2;
        Ok(Self { text: String::from("beat"), interval, proxy_timeout, steady: true })
    }

    /// None is sent, and links are not known to be cut for it.
    pub fn off() -> Self {
        Self { text: String::new(), ..Self::default() }
    }

    /// Whether what comes in doesn't put it off.
    pub(crate) fn is_steady(&self) -> bool {
        self.steady
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
            steady: false,
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

    /// The same, with pings at least this often, also where they are off.
    pub(crate) fn within(self, often: Duration) -> Self {
        let ping_after = if self.ping_after.is_zero() { often } else { self.ping_after.min(often) };
        Self { ping_after, ..self }
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
