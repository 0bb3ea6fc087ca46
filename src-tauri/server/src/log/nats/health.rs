//! Whether NATS keeps messages, and how long it is waited for.

use std::time::Duration;

use async_nats::jetstream::stream::Info;
use tokio::time::Instant;

/// How long an answer may take. Too low: a busy server is asked twice; too high: what was lost with a server that died is
/// asked again late.
pub(super) const ANSWER: Duration = Duration::from_secs(2);
/// The pause between two tries. Too low: a cluster in trouble gets more of it; too high: messages wait.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// What is told of [`Health::NoLeader`].
pub(super) const NO_LEADER: &str =
    "NATS keeps nothing at the moment: too few of its servers are there, or they have no leader yet";

/// Whether the stream can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    /// A server is connected, but the stream has no leader that could keep anything.
    NoLeader,
    /// No server is connected since then.
    Gone(Instant),
}

/// Whether who tells that of the stream can also add to it. A server that has no others left, or is no leader any more, may go on
/// telling for ever.
pub(super) fn keeps(info: &Info) -> bool {
    info.cluster.as_ref().is_none_or(|cluster| {
        let leads = cluster.leader.as_ref().is_some_and(|leader| !leader.is_empty());
        let others = cluster.replicas.len();
        let with_it = cluster.replicas.iter().filter(|replica| replica.current && !replica.offline).count();
        leads && (1 + with_it) * 2 > 1 + others
    })
}
