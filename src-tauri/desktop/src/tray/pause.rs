//! The tray's choices of a pause.

use jiff::{SignedDuration, Timestamp, Zoned};

/// The tray's choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PauseFor {
    Minutes(u16),
    UntilMorning,
    UntilResumed,
}

impl PauseFor {
    /// When a pause that begins `now` ends; the far end of time means: until resumed.
    pub(crate) fn end(self, now: &Zoned) -> Timestamp {
        match self {
            Self::Minutes(minutes) => now.timestamp() + SignedDuration::from_mins(minutes.into()),
            Self::UntilMorning => {
                let tomorrow = now.tomorrow().map(|tomorrow| tomorrow.date().at(8, 0, 0, 0));
                tomorrow
                    .and_then(|morning| morning.to_zoned(now.time_zone().clone()))
                    .map_or(Timestamp::MAX, |morning| morning.timestamp())
            }
            Self::UntilResumed => Timestamp::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trays_morning_is_tomorrows() {
        let now: Zoned = "2026-03-01T14:02:31+09:00[+09:00]".parse().unwrap();
        let end = PauseFor::UntilMorning.end(&now).to_zoned(now.time_zone().clone());
        assert_eq!(end.strftime("%d %H:%M").to_string(), "02 08:00");
    }
}
