//! A moment as people are told it.

use jiff::{Timestamp, Zoned};
use tidings_words::Words;

/// The system's time as a timestamp; a clock beyond the calendar (year 9999) reads as its end.
pub fn timestamp(time: std::time::SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::MAX)
}

/// A time of day; with its date when that is not today's.
#[must_use]
pub fn clock(time: Timestamp, now: &Zoned, seconds: bool, words: Words) -> String {
    let local = time.to_zoned(now.time_zone().clone());
    let time = if seconds { local.strftime("%H:%M:%S") } else { local.strftime("%H:%M") };
    if local.date() == now.date() {
        time.to_string()
    } else {
        format!("{} {time}", local.strftime(&words.date_format()))
    }
}
