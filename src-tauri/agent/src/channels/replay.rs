//! Telling what a server sends again after a reconnect from what is new.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use tidings_channel::{Frame, State};

/// Which frames are what a server sends again: the protocol doesn't tell them from news, but they come
/// first on a link, at once and without a pause.
pub(super) struct Replay {
    /// The last dial asked for what was missed.
    asked: Arc<AtomicBool>,
    generation: u64,
    /// When the last one came; `None` once it is over.
    last: Option<SystemTime>,
    opened: SystemTime,
}

/// A server sends what was missed without pauses as long as this. Too low: a slow one's is told one by one,
/// too high: what is new is told late.
const REPLAY_GAP: Duration = Duration::from_millis(250);

/// It has sent it all by then. Too low: as above; too high: a busy channel pops up late after a reconnect.
const REPLAY_END: Duration = Duration::from_secs(5);

impl Replay {
    pub(super) fn of(asked: Arc<AtomicBool>) -> Self {
        Self { asked, generation: 0, last: None, opened: SystemTime::UNIX_EPOCH }
    }

    pub(super) fn has(&mut self, frame: &Frame, state: &State) -> bool {
        let now = frame.received_at;
        if frame.generation != self.generation {
            self.generation = frame.generation;
            self.opened = match state {
                State::Connected { since } => *since,
                State::Disconnected { .. }
                | State::Connecting { .. }
                | State::Waiting { .. }
                | State::Replaced { .. }
                | State::NeedsUser { .. } => now,
            };
            self.last = Some(self.opened);
        }
        let since = |time| now.duration_since(time).unwrap_or_default();
        let has = self.asked.load(Ordering::Relaxed)
            && self.last.is_some_and(|last| since(last) < REPLAY_GAP)
            && since(self.opened) < REPLAY_END;
        self.last = has.then_some(now);
        has
    }
}
