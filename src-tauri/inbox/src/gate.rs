//! When a popup goes out: at once, or held back.
//!
//! What is held back is simply pending in the file. The gate knows until when, and what kind of popup it
//! becomes then; the writer asks it for a [`deadline`](Gate::deadline) and sleeps no longer. There is one
//! only while something is held back. Held back is what comes at a quiet time or during a pause, what is
//! more than the [`Bucket`] lets through, and what a server sends again after a reconnect.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Zoned;

use crate::Policy;
use crate::flood::Bucket;
use crate::message::Urgency;

/// A server that sent nothing for this long has sent all that was missed. Too low: a slow one is summed up
/// in parts. Too high: the summary is late.
const SETTLED: Duration = Duration::from_millis(500);

/// Longest time that messages are taken for missed ones. Too low: as above. Too high: a busy channel is
/// silent for that long after a reconnect.
const LONGEST_CATCH_UP: Duration = Duration::from_secs(10);

/// A moment, by the clocks that never jump and by the one on the wall.
#[derive(Debug, Clone)]
pub(crate) struct Now {
    /// Stands still while the machine sleeps.
    pub(crate) steady: Instant,
    /// Goes on meanwhile.
    pub(crate) boot: Duration,
    pub(crate) wall: Zoned,
}

impl Now {
    pub(crate) fn read() -> Self {
        Self { steady: Instant::now(), boot: boot(), wall: Zoned::now() }
    }
}

/// Since the machine's start, or since any time where nobody says.
fn boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// What may go out of all that is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Release {
    /// Only what breaks a quiet time.
    pub(crate) only_critical: bool,
    /// It is more than could go out one by one.
    pub(crate) more: bool,
}

/// Who holds popups back, other than the hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The user, for a while.
    Pause,
    /// The notification service, which was told not to disturb.
    Service,
}

#[derive(Debug)]
pub(crate) struct Gate {
    policy: Policy,
    /// By the user, and by the notification service.
    paused: bool,
    inhibited: bool,
    bucket: Bucket,
    /// What the bucket held back may go out then.
    more_at: Option<Instant>,
    /// What the last popup of that kind counts, by channel.
    counted: BTreeMap<String, u64>,
    catch_up: Option<CatchUp>,
    /// Something waits for the end of a quiet time.
    quiet_holds: bool,
}

#[derive(Debug, Clone, Copy)]
struct CatchUp {
    began: Instant,
    latest: Instant,
}

impl CatchUp {
    fn ends(self) -> Instant {
        (self.latest + SETTLED).min(self.began + LONGEST_CATCH_UP)
    }
}

impl Gate {
    pub(crate) fn new(policy: Policy, now: Instant) -> Self {
        let bucket = Bucket::new(policy.burst, policy.refill, now);
        Self {
            policy,
            paused: false,
            inhibited: false,
            bucket,
            more_at: None,
            counted: BTreeMap::new(),
            catch_up: None,
            quiet_holds: false,
        }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn set_policy(&mut self, policy: Policy, now: &Now) {
        if (policy.burst, policy.refill) != (self.policy.burst, self.policy.refill) {
            self.bucket = Bucket::new(policy.burst, policy.refill, now.steady);
            self.more_at = self.more_at.map(|_| now.steady);
        }
        self.policy = policy;
    }

    /// Holds back for this reason, or ceases to; whether what it held back may be asked for now.
    pub(crate) fn hold(&mut self, hold: Hold, held: bool) -> bool {
        let was_held = self.is_held();
        match hold {
            Hold::Pause => self.paused = held,
            Hold::Service => self.inhibited = held,
        }
        was_held && !self.is_held()
    }

    fn is_held(&self) -> bool {
        self.paused || self.inhibited
    }

    /// Whether a popup of this urgency may go out now. If not, it is held back.
    pub(crate) fn admit(&mut self, urgency: Urgency, catch_up: bool, now: &Now) -> bool {
        if self.is_quiet(now) && !self.breaks_quiet(urgency) {
            self.quiet_holds = true;
            return false;
        }
        let steady = now.steady;
        if catch_up {
            let began = self.catch_up.map_or(steady, |catch_up| catch_up.began);
            self.catch_up = Some(CatchUp { began, latest: steady });
            return false;
        }
        if self.more_at.is_none() {
            if self.bucket.is_full(steady) {
                // The last flood is over.
                self.counted.clear();
            }
            if self.bucket.take(steady) {
                return true;
            }
        }
        let next = self.bucket.next(steady);
        self.more_at.get_or_insert(next);
        false
    }

    /// How long until a [`release`](Self::due) may be due; `None`: not before something else happens.
    pub(crate) fn deadline(&self, now: &Now) -> Option<Duration> {
        let more = self.more_at.filter(|_| self.catch_up.is_none());
        let steady = self.catch_up.map(CatchUp::ends).or(more);
        let steady = steady.map(|at| at.saturating_duration_since(now.steady));
        let quiet_ends = if self.quiet_holds && !self.is_held() { self.quiet_left(now) } else { None };
        steady.into_iter().chain(quiet_ends).min()
    }

    /// What may go out because its time has come.
    pub(crate) fn due(&mut self, now: &Now) -> Option<Release> {
        if let Some(catch_up) = self.catch_up {
            return (catch_up.ends() <= now.steady).then(|| self.release(now)).flatten();
        }
        if self.more_at.is_some_and(|at| at <= now.steady) {
            self.bucket.take(now.steady);
            return self.release(now).map(|release| Release { more: true, ..release });
        }
        if self.quiet_holds && !self.is_quiet(now) { self.release(now) } else { None }
    }

    /// What may go out of what is held back, if something asks for it now.
    pub(crate) fn release(&mut self, now: &Now) -> Option<Release> {
        self.more_at = None;
        self.catch_up = None;
        self.quiet_holds = self.is_quiet(now);
        if !self.quiet_holds {
            Some(Release { only_critical: false, more: false })
        } else if self.policy.critical_breaks_quiet {
            Some(Release { only_critical: true, more: false })
        } else {
            None
        }
    }

    /// Adds these to what the popup of more counts.
    pub(crate) fn count_more(&mut self, by_channel: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        for (channel, count) in by_channel {
            *self.counted.entry(channel).or_default() += count;
        }
        self.counted.clone()
    }

    /// Whether there is a popup of more whose count goes on.
    pub(crate) fn is_counting(&self) -> bool {
        !self.counted.is_empty()
    }

    fn breaks_quiet(&self, urgency: Urgency) -> bool {
        self.policy.critical_breaks_quiet && urgency == Urgency::Critical
    }

    fn is_quiet(&self, now: &Now) -> bool {
        self.is_held() || self.policy.quiet_until(&now.wall).is_some()
    }

    /// How long it stays quiet by the hours; zero if it doesn't.
    fn quiet_left(&self, now: &Now) -> Option<Duration> {
        let until = self.policy.quiet_until(&now.wall).unwrap_or(now.wall.timestamp());
        Duration::try_from(until.duration_since(now.wall.timestamp())).ok()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};
    use jiff::tz::TimeZone;

    use super::*;
    use crate::{QuietHours, Weekdays};

    const ALL: Release = Release { only_critical: false, more: false };
    const MORE: Release = Release { only_critical: false, more: true };
    const CRITICAL: Release = Release { only_critical: true, more: false };

    fn noon() -> Now {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        let wall = date(2026, 11, 23).at(12, 0, 0, 0).to_zoned(zone).expect("a time");
        Now { steady: Instant::now(), boot: Duration::ZERO, wall }
    }

    fn after(now: &Now, time: Duration) -> Now {
        let wall = &now.wall + jiff::SignedDuration::try_from(time).expect("short");
        Now { steady: now.steady + time, boot: now.boot + time, wall }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn gate(policy: Policy, now: &Now) -> Gate {
        Gate::new(policy, now.steady)
    }

    fn nights() -> Policy {
        let (from, to) = (time(22, 0, 0, 0), time(7, 0, 0, 0));
        Policy { quiet_hours: vec![QuietHours { days: Weekdays::ALL, from, to }], ..Policy::default() }
    }

    #[test]
    fn five_go_out_and_the_rest_is_counted_once_per_refill() {
        let now = noon();
        let mut gate = gate(Policy::default(), &now);
        let admitted = (0..100).filter(|_| gate.admit(Urgency::Normal, false, &now)).count();
        assert_eq!(admitted, 5);
        assert_eq!(gate.deadline(&now), Some(seconds(2)));
        assert_eq!(gate.due(&now), None);
        let mut at = now.clone();
        for _ in 0..20 {
            at = after(&at, seconds(2));
            assert_eq!(gate.due(&at), Some(MORE));
            assert_eq!(gate.deadline(&at), None, "no timer while nothing is held back");
            assert!(!gate.admit(Urgency::Critical, false, &at), "the token went to the counting popup");
        }
        gate.count_more([("orders".to_owned(), 3)].into());
        assert_eq!(gate.count_more([("orders".to_owned(), 4)].into()), [("orders".to_owned(), 7)].into());
        at = after(&at, seconds(2));
        assert_eq!(gate.due(&at), Some(MORE));
        at = after(&at, seconds(11));
        assert!(gate.admit(Urgency::Normal, false, &at));
        assert!(!gate.is_counting(), "after a calm it counts anew");
    }

    #[test]
    fn what_comes_at_night_waits_for_the_morning() {
        let now = after(&noon(), seconds(11 * 3600));
        let mut gate = gate(nights(), &now);
        assert!(gate.admit(Urgency::Critical, false, &now), "critical breaks quiet");
        assert_eq!(gate.deadline(&now), None);
        assert!(!gate.admit(Urgency::Normal, false, &now));
        assert_eq!(gate.deadline(&now), Some(seconds(8 * 3600)));
        assert_eq!(gate.release(&now), Some(CRITICAL), "an explicit wish changes nothing for the others");
        let morning = after(&now, seconds(8 * 3600));
        assert_eq!(gate.deadline(&morning), Some(Duration::ZERO));
        assert_eq!(gate.due(&morning), Some(ALL));
        assert_eq!((gate.due(&morning), gate.deadline(&morning)), (None, None));
    }

    #[test]
    fn a_night_that_nothing_may_break_is_broken_by_nothing() {
        let now = after(&noon(), seconds(11 * 3600));
        let mut gate = gate(Policy { critical_breaks_quiet: false, ..nights() }, &now);
        assert!(!gate.admit(Urgency::Critical, false, &now));
        assert_eq!(gate.release(&now), None);
        assert!(gate.deadline(&now).is_some(), "and it is not forgotten");
    }

    #[test]
    fn a_pause_holds_back_without_a_timer_even_over_the_end_of_quiet_hours() {
        let now = after(&noon(), seconds(11 * 3600));
        let mut gate = gate(nights(), &now);
        assert!(!gate.hold(Hold::Pause, true));
        assert!(!gate.admit(Urgency::Low, false, &now));
        assert_eq!(gate.deadline(&now), None);
        let morning = after(&now, seconds(8 * 3600));
        assert_eq!(gate.due(&morning), None);
        assert!(gate.hold(Hold::Pause, false));
        assert_eq!(gate.release(&morning), Some(ALL));
    }

    #[test]
    fn what_two_hold_back_waits_for_both() {
        let now = noon();
        let mut gate = gate(Policy::default(), &now);
        assert!(!gate.hold(Hold::Service, true));
        assert!(gate.admit(Urgency::Critical, false, &now), "critical goes through");
        assert!(!gate.admit(Urgency::Normal, false, &now));
        assert!(!gate.hold(Hold::Pause, true));
        assert!(!gate.hold(Hold::Service, false));
        assert_eq!((gate.release(&now), gate.deadline(&now)), (Some(CRITICAL), None));
        assert!(gate.hold(Hold::Pause, false));
        assert_eq!(gate.release(&now), Some(ALL));
    }

    #[test]
    fn what_was_missed_is_one_summary_once_the_server_has_sent_it() {
        let start = noon();
        let mut gate = gate(Policy::default(), &start);
        let mut now = start.clone();
        for _ in 0..20 {
            assert!(!gate.admit(Urgency::Normal, true, &now));
            assert_eq!((gate.due(&now), gate.deadline(&now)), (None, Some(SETTLED)));
            now = after(&now, SETTLED / 2);
        }
        assert!(gate.admit(Urgency::Normal, false, &now), "what is new pops up meanwhile");
        now = after(&now, SETTLED / 2);
        assert_eq!(gate.due(&now), Some(ALL));
        assert_eq!(gate.deadline(&now), None);
        // A channel that never rests.
        let start = now.clone();
        while gate.due(&now).is_none() {
            gate.admit(Urgency::Normal, true, &now);
            now = after(&now, SETTLED / 2);
            assert!(now.steady <= start.steady + LONGEST_CATCH_UP);
        }
    }
}
