//! Whether NATS keeps messages, and how long it is waited for.

use std::time::Duration;

use async_nats::jetstream::stream::ClusterInfo;
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

/// Whether who tells that of a stream's servers can also add to the stream; `None`: it is the only one. A server that has no others
/// left, or is no leader any more, may go on telling for ever.
pub(super) fn keeps(cluster: Option<&ClusterInfo>) -> bool {
    cluster.is_none_or(|cluster| {
        let leads = cluster.leader.as_ref().is_some_and(|leader| !leader.is_empty());
        let others = cluster.replicas.len();
        let with_it = cluster.replicas.iter().filter(|replica| replica.current && !replica.offline).count();
        leads && (1 + with_it) * 2 > 1 + others
    })
}

#[cfg(test)]
mod tests {
    use async_nats::jetstream::stream::PeerInfo;

    use super::*;

    #[test]
    fn a_stream_is_added_to_by_a_leader_with_a_majority() {
        let (with_it, behind) = (PeerInfo { current: true, ..PeerInfo::default() }, PeerInfo::default());
        let gone = PeerInfo { offline: true, ..with_it.clone() };
        for (leader, replicas, keeps_it) in [
            (Some("n0"), vec![], true),
            (Some("n0"), vec![&with_it, &with_it], true),
            (Some("n0"), vec![&with_it, &behind], true),
            (Some("n0"), vec![&with_it], true),
            (Some("n0"), vec![&behind], false),
            (Some("n0"), vec![&behind, &behind], false),
            (Some("n0"), vec![&gone, &behind], false),
            (Some("n0"), vec![&with_it, &behind, &behind, &gone], false),
            (Some(""), vec![&with_it, &with_it], false),
            (None, vec![&with_it, &with_it, &behind], false),
        ] {
            let replicas: Vec<_> = replicas.into_iter().cloned().collect();
            let leader = leader.map(str::to_owned);
            let cluster = ClusterInfo { leader, replicas, ..ClusterInfo::default() };
            assert_eq!(keeps(Some(&cluster)), keeps_it, "{cluster:?}");
        }
        assert!(keeps(None), "a server that is no cluster");
    }
}
