//! What clients did, in order. Tests wait on it; since it is kept from the start, they can't come too late.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::metrics::Metrics;

/// One thing that happened on one link.
#[derive(Debug, Clone)]
pub struct Event {
    /// Position in the log, from 0, without gaps.
    pub number: u64,
    /// When it was seen.
    pub at: Instant,
    /// The link's number, from 1. An upgrade request that was refused has a number of its own.
    pub link: u64,
    /// The user, or an empty text where a refused request named none.
    pub user: String,
    /// What happened.
    pub kind: EventKind,
}

/// What happened on a link. A link's life is `Requested`, `Opened`, frames, then exactly one of `Closed` and
/// `Gone`; a refused request's is `Requested`, `Refused`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// An upgrade was asked for.
    Requested(Request),
    /// … and answered with something else than 101.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// … and done: the WebSocket is up.
    Opened,
    /// A text frame came in.
    Text(String),
    /// A binary frame came in.
    Binary(Vec<u8>),
    /// A ping came in.
    Ping(Vec<u8>),
    /// A pong came in.
    Pong(Vec<u8>),
    /// A newer link of the same user took this one's place; `Closing` with 4500 follows.
    Replaced {
        /// The newer link; 0: it is on another node.
        by: u64,
    },
    /// The server sends a close frame (`None`: one without a code).
    Closing {
        /// The code sent.
        code: Option<u16>,
        /// The reason sent.
        reason: String,
    },
    /// The client's close frame came in: its own, or its answer to ours.
    Closed {
        /// The code received, if the frame had one.
        code: Option<u16>,
        /// The reason received.
        reason: String,
    },
    /// The link ended without a close frame from the client.
    Gone {
        /// Why, in words.
        why: String,
    },
}

/// The head of an upgrade request. Its `Debug` shows neither header values nor the query: both carry secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The path, without the query.
    pub path: String,
    /// The query without its `?`, or an empty text.
    pub query: String,
    /// Names (lower case) and values, in the order received.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// The first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Request").field("path", &self.path).field("headers", &names).finish_non_exhaustive()
    }
}

/// What was waited for did not come in time.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the server did not see it within {waited:?}; it saw {seen} events, the last of them:{tail}")]
pub struct NotSeen {
    waited: Duration,
    seen: u64,
    tail: String,
}

/// The newest events, up to a limit.
pub(crate) struct EventLog {
    /// Counted where it is recorded, so that no way to an event misses it.
    pub(crate) metrics: Metrics,
    limit: usize,
    kept: Mutex<VecDeque<Event>>,
    /// How many were ever recorded; those who wait watch it.
    count: watch::Sender<u64>,
}

impl EventLog {
    pub(crate) fn new(limit: usize) -> Self {
        Self { metrics: Metrics::default(), limit, kept: Mutex::default(), count: watch::Sender::new(0) }
    }

    pub(crate) fn record(&self, link: u64, user: &str, kind: EventKind) {
        tracing::debug!(link, user, ?kind);
        self.take_count(&kind);
        let mut kept = self.kept();
        let number = *self.count.borrow();
        if self.limit > 0 {
            if kept.len() == self.limit {
                kept.pop_front();
            }
            kept.push_back(Event { number, at: Instant::now(), link, user: user.to_owned(), kind });
        }
        // Under the lock, so that numbers and order agree.
        self.count.send_replace(number + 1);
    }

    fn take_count(&self, kind: &EventKind) {
        match kind {
            EventKind::Opened => self.metrics.opened(),
            EventKind::Replaced { .. } => self.metrics.replaced(),
            EventKind::Refused { status } => self.metrics.refused(*status),
            EventKind::Requested(_)
            | EventKind::Text(_)
            | EventKind::Binary(_)
            | EventKind::Ping(_)
            | EventKind::Pong(_)
            | EventKind::Closing { .. }
            | EventKind::Closed { .. }
            | EventKind::Gone { .. } => {}
        }
    }

    pub(crate) fn count(&self) -> u64 {
        *self.count.borrow()
    }

    pub(crate) fn from(&self, number: u64) -> Vec<Event> {
        self.kept().iter().filter(|event| event.number >= number).cloned().collect()
    }

    pub(crate) async fn wait(
        &self,
        mut from: u64,
        within: Duration,
        mut wanted: impl FnMut(&Event) -> bool,
    ) -> Result<Event, NotSeen> {
        let mut count = self.count.subscribe();
        let deadline = tokio::time::Instant::now() + within;
        loop {
            count.mark_unchanged();
            for event in self.from(from) {
                from = event.number + 1;
                if wanted(&event) {
                    return Ok(event);
                }
            }
            if tokio::time::timeout_at(deadline, count.changed()).await.is_err() {
                return Err(self.not_seen(within));
            }
        }
    }

    fn not_seen(&self, waited: Duration) -> NotSeen {
        let seen = self.count();
        let tail = self.from(seen.saturating_sub(20)).iter().fold(String::new(), |tail, event| {
            format!("{tail}\n  {} link {} {:?} {:.200?}", event.number, event.link, event.user, event.kind)
        });
        NotSeen { waited, seen, tail }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
