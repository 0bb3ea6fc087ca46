//! Telling what a server sends again after a reconnect from what is new.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Which frames are what a server sends again: the protocol doesn't tell them from news, but they come
/// first on a link, at once and without a pause. Only the server's pauses count, not those in which we were busy.
pub(super) struct Replay {
    /// The last dial asked for what was missed.
    asked: Arc<AtomicBool>,
    /// The link that it is about.
    generation: u64,
    opened: Instant,
    /// Since when nothing has come; `None` once the replay is over.
    waiting: Option<Instant>,
}

/// A server sends what was missed without pauses as long as this. Too low: a slow one's is told one by one, and what it
/// repeats is told twice; too high: what is new is told late, and what is equal to an older message not at all.
const REPLAY_GAP: Duration = Duration::from_millis(250);

/// It has sent it all by then. Too low: as above; too high: a busy channel pops up late after a reconnect.
const REPLAY_END: Duration = Duration::from_secs(5);

impl Replay {
    pub(super) fn of(asked: Arc<AtomicBool>) -> Self {
        Self { asked, generation: 0, opened: Instant::now(), waiting: None }
    }

    /// This link is open.
    pub(super) fn link(&mut self, generation: u64, now: Instant) {
        if generation > self.generation {
            self.generation = generation;
            self.opened = now;
            self.waiting = Some(now);
        }
    }

    /// Whether the frame of this link, which came now, is part of the replay; `goes_on`: this link is one that asked for it.
    pub(super) fn has(&mut self, generation: u64, goes_on: bool, now: Instant) -> bool {
        self.link(generation, now);
        let runs = self.waiting.is_some_and(|since| now.saturating_duration_since(since) < REPLAY_GAP)
            && now.saturating_duration_since(self.opened) < REPLAY_END;
        if !runs {
            self.waiting = None;
        }
        runs && (goes_on || self.asked.load(Ordering::Relaxed))
    }

    /// The last frame is with the inbox.
    pub(super) fn taken_in(&mut self, now: Instant) {
        self.waiting = self.waiting.map(|_| now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_replay_ends_by_the_servers_first_pause_and_not_by_ours() {
        let asked = Arc::new(AtomicBool::new(true));
        let mut replay = Replay::of(asked);
        let mut now = Instant::now();
        replay.link(1, now);
        for _ in 0..5 {
            now += 200 * MS;
            assert!(replay.has(1, false, now), "without a pause");
            // A disk that hangs.
            now += 500 * MS;
            replay.taken_in(now);
        }
        now += 250 * MS;
        assert!(!replay.has(1, false, now), "after a pause");
        replay.taken_in(now);
        assert!(!replay.has(1, false, now), "and from then on");
        replay.link(2, now);
        assert!(replay.has(2, false, now), "the next link has its own");
        now += REPLAY_END;
        replay.taken_in(now);
        assert!(!replay.has(2, false, now), "a busy channel is not told of in sums for long");
    }

    #[test]
    fn who_asked_for_nothing_gets_news() {
        let mut replay = Replay::of(Arc::default());
        assert!(!replay.has(1, false, Instant::now()));
        assert!(replay.has(2, true, Instant::now()), "a link that goes on with an earlier one asks by that");
    }
}
