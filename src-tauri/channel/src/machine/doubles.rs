//! Messages that come over both links of a renewal (N1).

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::Payload;

/// Most messages of two links that are compared. Too low: in a flood some are told twice; too high: a flood costs time.
const MOST_COMPARED: usize = 1000;

/// What came on one of two links and may come on the other: a server that sends to each of its links sends the same to both.
#[derive(Debug, Default)]
pub(super) struct Doubles(VecDeque<Heard>);

#[derive(Debug)]
struct Heard {
    at: Duration,
    generation: u64,
    /// A hash of the message.
    message: u64,
}

impl Doubles {
    /// Whether it came over another link; each that did counts for one.
    pub(super) fn has(
        &mut self,
        generation: u64,
        payload: &Payload,
        now: Duration,
        window: Duration,
    ) -> bool {
        self.forget(now, window);
        let mut hasher = DefaultHasher::new();
        payload.hash(&mut hasher);
        let message = hasher.finish();
        let same = |heard: &Heard| heard.message == message && heard.generation != generation;
        if let Some(at) = self.0.iter().position(same) {
            self.0.remove(at);
            return true;
        }
        if self.0.len() == MOST_COMPARED {
            self.0.pop_front();
        }
        self.0.push_back(Heard { at: now, generation, message });
        false
    }

    /// Whether nothing is left that may come again.
    pub(super) fn are_over(&mut self, now: Duration, window: Duration) -> bool {
        self.forget(now, window);
        self.0.is_empty()
    }

    fn forget(&mut self, now: Duration, window: Duration) {
        while self.0.front().is_some_and(|heard| now.saturating_sub(heard.at) >= window) {
            self.0.pop_front();
        }
    }
}
