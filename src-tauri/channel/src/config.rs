//! A channel's settings: typed so that they can't hold nonsense.

use std::collections::BTreeSet;
use std::time::Duration;

use url::Url;

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
    /// Take over again by itself after this long; `None`: never (R1).
    pub take_back_after: Option<Duration>,
    /// Further certificate authorities, PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// The numbers that are not settings.
    pub timing: Timing,
}
