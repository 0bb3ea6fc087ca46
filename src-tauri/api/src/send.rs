//! A message to be sent.

use serde::{Deserialize, Serialize};

/// What to send by a channel ([`Request::Send`](crate::Request::Send)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Outgoing {
    /// Id or name of the channel.
    pub channel: String,
    /// The message.
    pub text: String,
    /// Its title.
    pub title: Option<String>,
    /// 1 to 5; `None`: whatever is usual there.
    pub priority: Option<u8>,
    /// ntfy's.
    pub tags: Vec<String>,
    /// ntfy's, where the channel has several.
    pub topic: Option<String>,
}
