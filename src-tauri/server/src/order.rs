//! What a link is told to do.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

/// How long a closing handshake may take, with what has to go out before it.
pub(crate) const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Something to do in the order of the messages: those up to `after` go out first.
pub(crate) enum Command {
    /// Send a close frame and end. 1005: one without a code; 1006: none, as RFC 6455 § 7.4.1 has them.
    Close { code: u16, reason: String, after: u64 },
    /// Write bytes that are no frame of ours.
    Raw { bytes: Arc<[u8]>, done: oneshot::Sender<()>, after: u64 },
}

/// Something to do at once, whatever the link is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// End the stream without a close frame.
    Fin,
    /// Reset it.
    Reset,
    /// Keep it, but read and write nothing any more.
    Stall,
    /// The client doesn't read: end it.
    TooSlow,
}
