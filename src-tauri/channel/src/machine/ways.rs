//! Which carrier the next dial is by: the first that the channel has, unless it is known not to get through from here (F1).

use std::time::Duration;

use crate::{Carrier, Cause, Detail, Stage, Timing};

/// Failures in a row from which another carrier is tried. Too low: a server that restarts is heard by a lesser carrier; too high:
/// where none but that gets through, nothing is heard for long.
const FAILED: u32 = 3;

/// See the module.
#[derive(Debug)]
pub(super) struct Ways {
    /// In the order of what is preferred; at least one.
    carriers: Vec<Carrier>,
    at: usize,
    /// In a row, by the one that is in use.
    failed: u32,
    /// In a row, by all of them.
    in_vain: usize,
    /// Since when another than the first is in use.
    since: Duration,
}

impl Ways {
    pub(super) fn new(first: Carrier, others: &[Carrier]) -> Self {
        let carriers = std::iter::once(first).chain(others.iter().copied()).collect();
        Self { carriers, at: 0, failed: 0, in_vain: 0, since: Duration::ZERO }
    }

    pub(super) fn carrier(&self) -> Carrier {
        self.carriers.get(self.at).copied().unwrap_or_default()
    }

    /// A dial begins. What didn't get through is looked at again after a while.
    pub(super) fn dialling(&mut self, now: Duration, timing: &Timing) {
        if self.at > 0 && now.saturating_sub(self.since) >= timing.carrier_again {
            self.first();
        }
    }

    /// A dial, or a link that never stood, failed: whether that may be the carrier's, and not all have been tried for good.
    pub(super) fn failed(&mut self, cause: &Cause, now: Duration) -> bool {
        if self.carriers.len() < 2 || !may_be_the_carrier(cause) {
            return false;
        }
        self.failed += 1;
        self.in_vain += 1;
        let untried = self.in_vain <= self.carriers.len() * FAILED as usize;
        if self.failed >= FAILED {
            (self.at, self.failed, self.since) = ((self.at + 1) % self.carriers.len(), 0, now);
        }
        untried
    }

    /// A link by it stands.
    pub(super) fn stood(&mut self) {
        (self.failed, self.in_vain) = (0, 0);
    }

    /// The network is another one: what got through there says nothing of this one.
    pub(super) fn moved(&mut self) {
        self.first();
    }

    fn first(&mut self) {
        (self.at, self.failed, self.in_vain) = (0, 0, 0);
    }
}

/// Whether something on the way may have no room for this carrier: what drops `Upgrade`, answers in the server's place, hangs up, or
/// holds back what comes.
fn may_be_the_carrier(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::NotAWebSocket { .. }
            | Cause::NoGoodAnswer { .. }
            | Cause::Status { status: 200 | 400 | 405 | 426 | 501 | 505 }
            | Cause::Answered { status: 400 | 405 | 406 | 501 }
            | Cause::Lost { detail: Detail::HungUp }
            | Cause::WrongAddress { status: None }
            | Cause::TimedOut { stage: Stage::Upgrade | Stage::Answer | Stage::Subscribe }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked() -> Cause {
        Cause::Status { status: 400 }
    }

    fn ways() -> Ways {
        Ways::new(Carrier::WebSocket, &[Carrier::EventStream, Carrier::Lines])
    }

    fn after(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_third_failure_in_a_row_leads_to_the_next_and_round() {
        let mut ways = ways();
        let mut seen = Vec::new();
        for second in 0..9 {
            ways.dialling(after(second), &Timing::default());
            seen.push(ways.carrier());
            assert!(ways.failed(&blocked(), after(second)));
        }
        let three = [Carrier::WebSocket, Carrier::EventStream, Carrier::Lines].map(|carrier| [carrier; 3]);
        assert_eq!(seen, three.concat());
        assert_eq!(ways.carrier(), Carrier::WebSocket);
        assert!(!ways.failed(&blocked(), after(9)), "all were tried: whatever it is, it is none of theirs");
    }

    #[test]
    fn what_is_no_fault_of_the_carriers_leads_nowhere() {
        let mut ways = ways();
        for cause in [
            Cause::SignInRefused { status: 401 },
            Cause::Status { status: 502 },
            Cause::Unreachable { detail: Detail::Refused },
            Cause::TimedOut { stage: Stage::Tcp },
        ] {
            for _ in 0..9 {
                assert!(!ways.failed(&cause, after(0)));
            }
        }
        ways.failed(&blocked(), after(0));
        ways.failed(&blocked(), after(0));
        ways.stood();
        ways.failed(&blocked(), after(0));
        assert_eq!(ways.carrier(), Carrier::WebSocket, "not in a row");
        let mut alone = Ways::new(Carrier::WebSocket, &[]);
        for _ in 0..9 {
            assert!(!alone.failed(&blocked(), after(0)));
        }
    }

    #[test]
    fn the_first_is_tried_again_after_a_day_and_on_another_network() {
        let blocked_at = |time: Duration| {
            let mut ways = ways();
            for _ in 0..3 {
                ways.failed(&blocked(), time);
            }
            ways.stood();
            ways
        };
        let (timing, day) = (Timing::default(), after(24 * 3600));
        let mut ways = blocked_at(after(10));
        ways.dialling(day, &timing);
        assert_eq!(ways.carrier(), Carrier::EventStream);
        ways.dialling(day + after(10), &timing);
        assert_eq!(ways.carrier(), Carrier::WebSocket);
        let mut ways = blocked_at(after(10));
        ways.moved();
        assert_eq!(ways.carrier(), Carrier::WebSocket);
    }
}
