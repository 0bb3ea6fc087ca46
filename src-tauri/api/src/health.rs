//! How a channel did over the last day, for the window's page of health.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::report::StateName;

/// One channel's last 24 hours. Lists are in the order of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HealthReport {
    /// Id of the channel.
    pub channel: String,
    /// What is told begins here …
    #[cfg_attr(test, ts(type = "string"))]
    pub from: Timestamp,
    /// … and ends here, which is now.
    #[cfg_attr(test, ts(type = "string"))]
    pub to: Timestamp,
    /// The states it was in, without gaps but for the times when Tidings did not run.
    pub bands: Vec<Band>,
    /// Round trips of pings, thinned out to what a plot can show.
    pub round_trips: Vec<RoundTrip>,
    /// The last links, opened or not.
    pub links: Vec<LinkReport>,
    /// When the last heartbeat was sent.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub last_heartbeat: Option<Timestamp>,
}

/// A stretch of time in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Band {
    /// From then …
    #[cfg_attr(test, ts(type = "string"))]
    pub from: Timestamp,
    /// … to then.
    #[cfg_attr(test, ts(type = "string"))]
    pub to: Timestamp,
    /// What it was doing.
    pub state: StateName,
    /// Why it was not connected, in words.
    pub cause: Option<String>,
}

/// One measured round trip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoundTrip {
    /// When.
    #[cfg_attr(test, ts(type = "string"))]
    pub at: Timestamp,
    /// How long, in milliseconds.
    pub ms: f64,
}

/// One link, from its opening to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LinkReport {
    /// When it was opened.
    #[cfg_attr(test, ts(type = "string"))]
    pub opened: Timestamp,
    /// When it ended; `null` while it is up.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub ended: Option<Timestamp>,
    /// Why it ended, in words.
    pub cause: Option<String>,
    /// The close code (RFC 6455, section 7.4), where there was a close frame.
    pub code: Option<u16>,
    /// When the next link was opened; `null` where none was yet.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub back: Option<Timestamp>,
}
