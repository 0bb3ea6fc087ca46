//! Quiet hours: times of the week without popups. When they are is said here; what they hold back is the
//! [gate](crate::gate)'s.
//!
//! They begin and end at the first moment at which the wall clock shows the time or a later one: where
//! clocks are put forward over it, at the jump; where they are put back over it, at its first pass.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

/// Hours that follow each other for longer than this are looked at again at their end.
const LONGEST_CHAIN: usize = 16;

/// One time without popups, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// The days on which it begins.
    pub days: Weekdays,
    /// Inclusive.
    pub from: Time,
    /// Exclusive; on the next day if it is not later than `from`.
    pub to: Time,
}

/// A set of weekdays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekdays([bool; 7]);

impl Weekdays {
    /// Every day.
    pub const ALL: Self = Self([true; 7]);

    /// Those that are `true`, from Monday on.
    #[must_use]
    pub const fn from_monday(days: [bool; 7]) -> Self {
        Self(days)
    }

    /// Whether `day` is one of them.
    #[must_use]
    pub fn contains(&self, day: Weekday) -> bool {
        usize::try_from(day.to_monday_zero_offset()).is_ok_and(|index| self.0[index])
    }
}

/// When it ceases to be quiet; `None` if it is not quiet `now`.
pub(crate) fn quiet_until(hours: &[QuietHours], now: &Zoned) -> Option<Timestamp> {
    let zone = now.time_zone();
    let mut quiet_until = None;
    let mut at = now.timestamp();
    // One may begin before another ends.
    for _ in 0..LONGEST_CHAIN {
        let end = hours.iter().filter_map(|hours| hours.end(at, zone)).max();
        let Some(end) = end else { break };
        quiet_until = Some(end);
        at = end;
    }
    quiet_until
}

impl QuietHours {
    /// When the time that `at` lies in ends.
    fn end(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = zone.to_datetime(at).date();
        // Clocks that are put back over midnight make yesterday's date come again.
        [today.tomorrow().ok(), Some(today), today.yesterday().ok()].into_iter().flatten().find_map(|day| {
            let (from, to) = self.on(day, zone)?;
            (from <= at && at < to).then_some(to)
        })
    }

    /// The time that begins on this day.
    fn on(&self, day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(day.weekday()) {
            return None;
        }
        let last = if self.to > self.from { day } else { day.tomorrow().ok()? };
        Some((reached(day, self.from, zone)?, reached(last, self.to, zone)?))
    }
}

/// The first moment at which the wall clock shows this time or a later one.
fn reached(day: Date, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    let shown = day.to_datetime(time);
    match zone.to_ambiguous_timestamp(shown).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(shown).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(shown).ok(),
        AmbiguousOffset::Gap { before, .. } => {
            // As if the clock had not been put forward yet: the jump was just before.
            let after_the_jump =
                before.to_timestamp(shown).ok()?.checked_add(SignedDuration::from_nanos(1)).ok()?;
            zone.preceding(after_the_jump).next().map(|jump| jump.timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(minutes: i16) -> Time {
        let part = |n: i16| i8::try_from(n).expect("of a day");
        Time::constant(part(minutes / 60), part(minutes % 60), 0, 0)
    }

    /// Minutes; no divisor of an hour, so that each part of one is met.
    const STEP: usize = 13;

    /// By walking through the year with nothing but the wall clock.
    fn walk(hours: QuietHours, zone: &TimeZone) -> Vec<(Timestamp, bool)> {
        let start = jiff::civil::date(2026, 1, 1).to_zoned(zone.clone()).expect("a time").timestamp();
        let mut latest = zone.to_datetime(start - SignedDuration::from_hours(48));
        let mut ends: Vec<jiff::civil::DateTime> = Vec::new();
        let mut seen = Vec::new();
        let steps = (-2 * 24 * 60..366 * 24 * 60_i64).step_by(STEP);
        // Where clocks are put back or forward each minute counts: the latest time shown may lie between two steps.
        let minutes = steps.flat_map(|minute| {
            let offset = |minute| zone.to_offset(start + SignedDuration::from_mins(minute));
            let steady = offset(minute - STEP as i64) == offset(minute);
            (if steady { minute } else { minute - STEP as i64 + 1 }..=minute)
                .map(move |each| (each, each == minute))
        });
        for (minute, look) in minutes {
            let at = start + SignedDuration::from_mins(minute);
            let shown = zone.to_datetime(at);
            // Each day's begin that the clock reaches or jumps over for the first time.
            let mut day = latest.date();
            while day <= shown.date() {
                let begin = day.to_datetime(hours.from);
                if hours.days.contains(day.weekday()) && latest < begin && begin <= shown {
                    let last = if hours.to > hours.from { day } else { day.tomorrow().expect("a day") };
                    ends.push(last.to_datetime(hours.to));
                }
                day = day.tomorrow().expect("a day");
            }
            latest = latest.max(shown);
            ends.retain(|end| *end > latest);
            if look && minute >= 0 {
                seen.push((at, !ends.is_empty()));
            }
        }
        seen
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

        #[test]
        fn quiet_hours_are_what_the_wall_clock_shows_over_a_year(
            days in any::<[bool; 7]>(),
            from in 0..24 * 60_i16,
            to in 0..24 * 60_i16,
            // Berlin and New York put clocks forward and back at night, Santiago at midnight, Lord Howe by
            // half an hour, Shanghai not at all.
            zone in prop::sample::select(vec![
                "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0", "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
                "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "CST-8",
            ]),
        ) {
            prop_assume!(from != to);
            let hours = QuietHours { days: Weekdays::from_monday(days), from: time(from), to: time(to) };
            let zone = TimeZone::posix(zone).expect("a zone");
            let mut end: Option<Timestamp> = None;
            for (at, quiet) in walk(hours, &zone) {
                // The promised end is the end.
                if let Some(promised) = end.take_if(|end| *end <= at) {
                    prop_assert!(at.duration_since(promised) < SignedDuration::from_mins(STEP as i64), "{promised} {at}");
                    prop_assert!(!quiet || quiet_until(&[hours], &at.to_zoned(zone.clone())).is_some());
                }
                let until = quiet_until(&[hours], &at.to_zoned(zone.clone()));
                prop_assert_eq!(until.is_some(), quiet, "{}", at.to_zoned(zone.clone()));
                if let Some(end) = end {
                    prop_assert_eq!(until, Some(end));
                }
                end = until;
            }
        }
    }

    #[test]
    fn hours_that_follow_each_other_end_together() {
        let hours = |days: &str, from, to| QuietHours {
            days: Weekdays::from_monday([days == "mon", days == "tue", false, false, false, false, false]),
            from: time(from),
            to: time(to),
        };
        let hours = [hours("mon", 22 * 60, 7 * 60), hours("tue", 6 * 60, 12 * 60)];
        let at = |day, hour| jiff::civil::date(2026, 11, day).at(hour, 0, 0, 0).to_zoned(TimeZone::UTC);
        let (now, end) = (at(23, 23).expect("a time"), at(24, 12).expect("a time"));
        assert_eq!(quiet_until(&hours, &now), Some(end.timestamp()));
        assert_eq!(quiet_until(&hours, &end), None);
    }
}
