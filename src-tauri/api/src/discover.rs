//! What is at an address that somebody pasted.

use serde::{Deserialize, Serialize};

use crate::Values;

/// What was found at an address ([`Request::Discover`](crate::Request::Discover)). Nothing was subscribed for it, and no secret
/// sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Discovery {
    /// Where it was looked, without what may be a secret.
    pub address: String,
    /// `ntfy`, `gotify`, `tidings-server`, `socket.io`, `sockjs`, `home-assistant`, `mattermost`, `websocket`; `null`: nothing
    /// that can be listened to.
    pub found: Option<String>,
    /// What the server says of its version; untrusted text.
    pub version: Option<String>,
    /// What was found, or why nothing, for people.
    pub detail: String,
    /// What is still to be done, for people.
    pub mend: Option<String>,
    /// A `[[channel]]` of the settings file that would listen there; `null` where there is none.
    #[cfg_attr(test, ts(type = "Record<string, any> | null"))]
    pub channel: Option<Values>,
}
