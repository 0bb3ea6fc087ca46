//! What `tidings doctor` asks of the agent that holds a channel.

use serde::{Deserialize, Serialize};

/// What to examine, and how far ([`Request::Examine`](crate::Request::Examine)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examine {
    /// Id, name or whole address of a channel that Tidings holds.
    pub channel: String,
    /// Try the upgrade even where this channel is off or replaced, so that another instance of the same user may be
    /// replaced. One that is on is let go of, tried and taken back without it.
    pub upgrade: bool,
    /// Then measure how long a link survives in silence, at most so many milliseconds.
    pub idle_ms: Option<u64>,
}
