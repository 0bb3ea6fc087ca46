//! Whether the machine slept: what the boot clock counted and the monotonic one didn't.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Naps shorter than this are no news: no timer and no proxy notices them.
const NAP: Duration = Duration::from_secs(1);

/// What is known of the machine's sleep. Fed with the sum of all sleep since boot, so that tests can invent it.
#[derive(Debug)]
pub(crate) struct Sleep {
    /// Asleep since boot, at the last look.
    asleep: Duration,
    /// logind said that the machine goes to sleep, and no wake has been told since.
    expected: bool,
}

impl Sleep {
    /// Sleep counts from now on.
    pub(crate) fn new(asleep: Duration) -> Self {
        Self { asleep, expected: false }
    }

    /// Looks at the clocks: how long the machine slept since the last look, if it did.
    pub(crate) fn look(&mut self, asleep: Duration) -> Option<Duration> {
        let slept = asleep.saturating_sub(self.asleep);
        if slept < NAP {
            return None;
        }
        self.asleep = asleep;
        self.expected = false;
        Some(slept)
    }

    /// logind says that the machine is about to sleep (`true`) or that it woke. A wake is told once, by
    /// whoever notices it first; where the clocks show no sleep (some have none that goes on), logind's word
    /// is enough for a probe.
    pub(crate) fn logind_says(&mut self, asleep: Duration, about_to_sleep: bool) -> Option<Duration> {
        let slept = self.look(asleep);
        if about_to_sleep {
            self.expected = true;
            return slept;
        }
        let expected = std::mem::take(&mut self.expected);
        slept.or(expected.then_some(Duration::ZERO))
    }
}

/// How long the machine has slept since its boot.
pub(crate) fn asleep() -> Duration {
    // In this order, so that the time between the two looks can't count as sleep.
    let (boot, awake) = (clock(ClockId::Boottime), clock(ClockId::Monotonic));
    boot.saturating_sub(awake)
}

fn clock(id: ClockId) -> Duration {
    // Both count from the boot: never negative.
    Duration::try_from(clock_gettime(id)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_wake_is_told_once_with_the_time_asleep() {
        let mut sleep = Sleep::new(secs(1000));
        assert_eq!(sleep.look(secs(1000)), None);
        assert_eq!(sleep.look(secs(1300)), Some(secs(300)));
        assert_eq!(sleep.look(secs(1300)), None);
    }

    #[test]
    fn naps_add_up_until_they_count() {
        let mut sleep = Sleep::new(Duration::ZERO);
        assert_eq!(sleep.look(Duration::from_millis(600)), None);
        assert_eq!(sleep.look(Duration::from_millis(1200)), Some(Duration::from_millis(1200)));
    }

    #[test]
    fn logind_and_the_clocks_tell_one_wake_whoever_is_first() {
        let mut sleep = Sleep::new(Duration::ZERO);
        assert_eq!(sleep.logind_says(Duration::ZERO, true), None);
        assert_eq!(sleep.look(secs(300)), Some(secs(300)), "the clocks first");
        assert_eq!(sleep.logind_says(secs(300), false), None);

        assert_eq!(sleep.logind_says(secs(300), true), None);
        assert_eq!(sleep.logind_says(secs(360), false), Some(secs(60)), "logind first");
        assert_eq!(sleep.look(secs(360)), None);
    }

    #[test]
    fn where_the_clocks_show_no_sleep_logind_is_believed() {
        let mut sleep = Sleep::new(Duration::ZERO);
        assert_eq!(sleep.logind_says(Duration::ZERO, false), None, "a wake without a sleep");
        sleep.logind_says(Duration::ZERO, true);
        assert_eq!(sleep.logind_says(Duration::ZERO, false), Some(Duration::ZERO));
        assert_eq!(sleep.logind_says(Duration::ZERO, false), None);
    }

    #[test]
    fn the_real_clocks_agree_while_the_machine_is_awake() {
        let before = asleep();
        assert!(asleep().saturating_sub(before) < NAP);
    }
}
