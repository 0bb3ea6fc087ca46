//! How long to wait before the next dial (B1, B2, B5). Drawn once per wait; the [`Machine`](crate::machine)
//! stores what was drawn.

use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;

use crate::end::verdict::Verdict;
use crate::{Backoff, Timing};

/// A drawn wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delay {
    pub(crate) length: Duration,
    /// Whether a wake or a new route may shorten it (B6): not a floor, a `Retry-After` or a brake.
    pub(crate) shortenable: bool,
}

/// The random source and the state that delays depend on.
#[derive(Debug)]
pub(crate) struct Delays {
    backoff: Backoff,
    rng: SmallRng,
    /// B5: how many links in a row the peer has ended suspiciously soon.
    level: u32,
}

impl Delays {
    pub(crate) fn new(backoff: Backoff, rng: SmallRng) -> Self {
        Self { backoff, rng, level: 0 }
    }

    /// Counts an ended link for the brake (B5), or as many as it stands for where the peer ended it. `delay_before` is how
    /// long was waited before its dial.
    pub(crate) fn count_link(
        &mut self,
        by_peer: Option<u32>,
        up: Duration,
        delay_before: Duration,
        timing: &Timing,
    ) {
        let soon = timing.brake_link.max(delay_before.saturating_mul(timing.brake_factor));
        self.level = match by_peer {
            Some(ended) if up < soon => self.level.saturating_add(ended),
            Some(_) | None => 0,
        };
    }

    /// Whether the last links were as they should be.
    pub(crate) fn is_at_ease(&self) -> bool {
        self.level == 0
    }

    /// Whether the next delay after a link is the brake's.
    pub(crate) fn is_braked(&self, timing: &Timing) -> bool {
        self.level >= timing.brake_level
    }

    /// The wait that `verdict` asks for. `n` counts the dials since the last stable link, from 0; `link_ended`
    /// is false for a dial that never became a link, which kicks nobody and so needs no brake.
    pub(crate) fn draw(&mut self, verdict: Verdict, n: u32, link_ended: bool, timing: &Timing) -> Delay {
        let (length, shortenable) = match verdict {
            Verdict::Ordinary | Verdict::SignIn | Verdict::Refresh => {
                (self.ordinary(self.backoff.first(), n, timing), true)
            }
            Verdict::Unanswered(before) => {
                let (first, cap) = (self.backoff.first(), self.backoff.cap());
                let least = grown(first, before.saturating_sub(1), cap / 2);
                (self.between(least, grown(first, before, cap)), true)
            }
            Verdict::Local => (self.local(n, timing), true),
            Verdict::GoingAway => {
                (self.ordinary(self.backoff.first().max(timing.first_going_away), n, timing), true)
            }
            Verdict::Restart => (self.between(timing.restart_from, timing.restart_to), false),
            Verdict::Floor(floor) | Verdict::FloorAndRefresh(floor) => {
                (self.between(floor, floor.saturating_add(floor / 2)), false)
            }
            Verdict::WrongAddress => {
                let first = timing.wrong_address_first;
                let most = grown(first, n, timing.wrong_address_cap).max(first);
                (self.between(first, most), false)
            }
            Verdict::RetryAfter(after) => (self.between(after, after + after / 4), false),
            Verdict::NeedsUser | Verdict::Quiet => {
                (self.between(timing.needs_user_from, timing.needs_user_to), false)
            }
        };
        if link_ended && self.is_braked(timing) {
            let brake = grown(timing.brake_first, self.level - timing.brake_level, timing.brake_cap);
            let brake = self.between(brake, brake + brake / 2);
            return Delay { length: length.max(brake), shortenable: false };
        }
        Delay { length, shortenable }
    }

    /// An ordinary delay after a local cause.
    pub(crate) fn local(&mut self, n: u32, timing: &Timing) -> Duration {
        self.ordinary(timing.first_local, n, timing)
    }

    fn ordinary(&mut self, first: Duration, n: u32, timing: &Timing) -> Duration {
        let cap = self.backoff.cap();
        let most = grown(first, n, cap);
        // After a long outage nobody gains by a short wait, and a server that is back meets fewer at once.
        let least =
            if most == cap { cap.checked_div(timing.cap_part).unwrap_or_default() } else { Duration::ZERO };
        self.between(least, most).max(timing.least_delay)
    }

    fn between(&mut self, from: Duration, to: Duration) -> Duration {
        if from < to { self.rng.random_range(from..=to) } else { from }
    }
}

/// `first` doubled `n` times, at most `cap`.
pub(crate) fn grown(first: Duration, n: u32, cap: Duration) -> Duration {
    first.saturating_mul(2u32.saturating_pow(n)).min(cap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn delays(seed: u64) -> Delays {
        Delays::new(Backoff::default(), SmallRng::seed_from_u64(seed))
    }

    /// Least and greatest of many draws.
    fn range(verdict: Verdict, n: u32) -> (f64, f64) {
        let drawn = (0..2000).map(|seed| delays(seed).draw(verdict, n, true, &Timing::default()));
        drawn
            .map(|delay| delay.length.as_secs_f64())
            .fold((f64::MAX, 0.0), |(least, most), s| (s.min(least), s.max(most)))
    }

    #[test]
    fn each_delay_fills_its_range_and_no_more() {
        let secs = Duration::from_secs;
        for (verdict, n, from, to) in [
            (Verdict::Ordinary, 0, 0.25, 3.0),
            (Verdict::Ordinary, 1, 0.25, 6.0),
            (Verdict::Ordinary, 4, 0.25, 48.0),
            (Verdict::Ordinary, 5, 10.0, 60.0),
            (Verdict::Ordinary, u32::MAX, 10.0, 60.0),
            (Verdict::Unanswered(1), 0, 3.0, 6.0),
            (Verdict::Unanswered(2), 0, 6.0, 12.0),
            (Verdict::Unanswered(99), 0, 30.0, 60.0),
            (Verdict::Local, 0, 0.25, 0.5),
            (Verdict::GoingAway, 0, 0.25, 10.0),
            (Verdict::GoingAway, 9, 10.0, 60.0),
            (Verdict::Restart, 7, 5.0, 30.0),
            (Verdict::Floor(secs(30)), 7, 30.0, 45.0),
            (Verdict::WrongAddress, 0, 30.0, 30.0),
            (Verdict::WrongAddress, 2, 30.0, 120.0),
            (Verdict::WrongAddress, 99, 30.0, 600.0),
            (Verdict::RetryAfter(secs(100)), 7, 100.0, 125.0),
            (Verdict::NeedsUser, 0, 900.0, 1320.0),
        ] {
            let (least, most) = range(verdict, n);
            let slack = (to - from) * 0.02;
            assert!(least >= from && least <= from + slack + 0.001, "{verdict:?} {n}: least {least}");
            assert!(most <= to && most >= to - slack, "{verdict:?} {n}: most {most}");
        }
    }

    #[test]
    fn the_brake_works_from_the_third_short_link_and_grows_to_its_cap() {
        let timing = Timing::default();
        let mut delays = delays(1);
        let short = |delays: &mut Delays| {
            delays.count_link(Some(1), Duration::from_secs(2), Duration::ZERO, &timing);
            delays.draw(Verdict::Ordinary, 0, true, &timing)
        };
        assert!(short(&mut delays).shortenable);
        assert!(short(&mut delays).shortenable);
        for from in [60, 120, 240, 480, 900, 900] {
            let delay = short(&mut delays);
            let from = Duration::from_secs(from);
            assert!(delay.length >= from && delay.length <= from * 3 / 2, "{delay:?}, from {from:?}");
            assert!(!delay.shortenable);
        }
        delays.count_link(None, Duration::from_secs(2), Duration::ZERO, &timing);
        assert!(delays.draw(Verdict::Ordinary, 0, true, &timing).length <= Duration::from_secs(3));
    }

    #[test]
    fn a_link_is_short_by_the_delay_before_it() {
        let timing = Timing::default();
        let mut delays = delays(1);
        for (up, delay_before, level) in [(29, 0, 1), (30, 0, 0), (239, 60, 1), (240, 60, 0)] {
            delays.level = 0;
            delays.count_link(Some(1), Duration::from_secs(up), Duration::from_secs(delay_before), &timing);
            assert_eq!(delays.level, level, "up {up} s after {delay_before} s");
        }
    }
}
