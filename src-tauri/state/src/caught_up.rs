//! Whether all that was missed is here: in the words of the contract, and for people.

use jiff::Zoned;
use tidings_api::CaughtUp;
use tidings_channel::Status;
use tidings_words::Words;

use crate::clock::{clock, timestamp};

/// As the contract has it; `None` until the server has told.
#[must_use]
pub fn report(status: &Status) -> Option<CaughtUp> {
    match status.caught_up? {
        tidings_channel::CaughtUp::Coming => None,
        tidings_channel::CaughtUp::All => Some(CaughtUp { complete: true, from: None, until: None }),
        tidings_channel::CaughtUp::Gap { from, until } => {
            Some(CaughtUp { complete: false, from: from.map(timestamp), until: until.map(timestamp) })
        }
    }
}

/// What may be missing; `None` where nothing is.
#[must_use]
pub fn gap(caught_up: &CaughtUp, now: &Zoned, words: Words) -> Option<String> {
    if caught_up.complete {
        return None;
    }
    let clock = |time| clock(time, now, false, words);
    Some(match (caught_up.from.map(clock), caught_up.until.map(clock)) {
        (Some(from), Some(until)) => words.gap_between(&from, &until),
        (Some(from), None) => words.gap_since(&from),
        (None, Some(until)) => words.gap_before(&until),
        (None, None) => words.gap_some(),
    })
}
