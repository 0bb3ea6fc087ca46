//! Whether NATS keeps messages, and how long it is waited for.

use std::time::Duration;

use tokio::time::Instant;

/// How long an answer may take. Too low: a busy server is asked twice; too high: what was lost with a server that died is
/// asked again late.
pub(super) const ANSWER: Duration = Duration::from_secs(2);
/// The pause between two tries. Too low: a cluster in trouble gets more of it; too high: messages wait.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// Whether the stream can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    /// A server is connected, but the stream has no leader that answers.
    NoLeader,
    /// No server is connected since then.
    Gone(Instant),
}
