//! A moment as people are told it.

use jiff::{Timestamp, Zoned};
use tidings_words::Words;

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
