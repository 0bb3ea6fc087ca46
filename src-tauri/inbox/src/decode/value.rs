//! What stands in a JSON object, read as what a field may be: texts, levels, times, buttons. Values stay text until one is wanted.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::message::{Action, Does, Message, Priority};
use crate::text::{is_blank, link};

/// Bytes of an id. It has to fit into the query of a reconnect, and servers take some KiB for all of that;
/// what is longer is no id.
pub(super) const ID_LIMIT: usize = 512;

/// Buttons of a message. No desktop shows more than a few.
pub(super) const ACTIONS_LIMIT: usize = 8;

/// A number below this is no time but a duration, where one makes sense: as a time it would be before September 2001.
pub(super) const DURATIONS_END: f64 = 1e9;

/// A time below this is in seconds (until the year 5138), from this on in milliseconds (from 1973).
pub(super) const SECONDS_END: f64 = 1e11;

/// … below this in milliseconds, from this on in microseconds.
pub(super) const MILLISECONDS_END: f64 = 1e14;

/// … below this in microseconds, from this on in nanoseconds.
pub(super) const MICROSECONDS_END: f64 = 1e17;

/// A JSON object, its values unread.
#[derive(Default)]
pub(super) struct Object<'a>(pub(super) BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// What `read` makes of the first of these names for which it makes something.
    pub(super) fn first<T>(&self, names: &[&str], read: impl Fn(Json<'a>) -> Option<T>) -> Option<T> {
        names.iter().filter_map(|name| self.0.get(*name)).find_map(|value| read(Json(value.get())))
    }
}

/// One value of an object, as the JSON text that it came as.
#[derive(Clone, Copy)]
pub(super) struct Json<'a>(pub(super) &'a str);

impl Json<'_> {
    /// For people: a string's content, a number or a boolean as it was written, anything with parts as
    /// compact JSON. `None` for `null`.
    pub(super) fn text(self) -> Option<String> {
        if !self.0.starts_with(['{', '[']) {
            return self.scalar();
        }
        // Too deep to parse: as it was written.
        let parsed = serde_json::from_str::<Value>(self.0);
        Some(parsed.map_or_else(|_| self.0.to_owned(), |value| value.to_string()))
    }

    /// As [`text`](Self::text), but nothing that has parts.
    pub(super) fn scalar(self) -> Option<String> {
        match self.0.as_bytes().first()? {
            b'n' | b'{' | b'[' => None,
            // A string with half a surrogate pair is JSON, but no text: as it was written.
            b'"' => Some(serde_json::from_str(self.0).unwrap_or_else(|_| self.0.to_owned())),
            _ => Some(self.0.to_owned()),
        }
    }

    /// `name` is where it stands, which tells the scale of a number.
    pub(super) fn priority(self, name: &str) -> Option<Priority> {
        let word = self.scalar()?.trim().to_ascii_lowercase().replace(['_', ' '], "-");
        Some(match word.as_str() {
            "min" | "minimum" | "lowest" | "very-low" | "verylow" | "trace" | "verbose" | "silly"
            | "finest" => Priority::LOWEST,
            "low" | "minor" | "debug" | "dbg" | "fine" | "finer" => Priority::LOW,
            "normal" | "default" | "medium" | "moderate" | "average" | "info" | "information"
            | "informational" | "notice" | "ok" | "success" => Priority::NORMAL,
            "high" | "warning" | "warn" | "important" | "major" => Priority::HIGH,
            "max" | "maximum" | "highest" | "very-high" | "veryhigh" | "urgent" | "critical" | "crit"
            | "emergency" | "emerg" | "panic" | "alert" | "fatal" | "severe" | "disaster" | "error"
            | "err" => Priority::URGENT,
            number => {
                let number = number.parse::<f64>().ok().filter(|number| !number.is_nan())?;
                // Far beyond every scale at both ends.
                #[expect(clippy::cast_possible_truncation, reason = "clamped before")]
                let number = number.round().clamp(-1e6, 1e6) as i64;
                match name {
                    "level" => level(number)?,
                    "severity" => severity(number)?,
                    "urgency" => urgency(number)?,
                    _ => Priority::clamped(number),
                }
            }
        })
    }

    pub(super) fn flag(self) -> Option<bool> {
        match self.scalar()?.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }
    }

    /// RFC 3339 or what mails and HTTP write, or Unix time in seconds, milliseconds, microseconds or nanoseconds as a number
    /// or as its text.
    pub(super) fn time(self) -> Option<Timestamp> {
        let text = self.scalar()?;
        match text.trim().parse::<f64>() {
            Ok(number) => unix(number),
            Err(_) => written(text.trim()),
        }
    }

    /// When something ends that `began`: a time, or how long it lasts in seconds or in words ("1h", "PT1H"). What is neither,
    /// or over as it begins, is no end.
    pub(super) fn end(self, began: Timestamp) -> Option<Timestamp> {
        let text = self.scalar()?;
        let text = text.trim();
        let after = |lasts: SignedDuration| {
            let ends = lasts.is_positive().then(|| began.saturating_add(lasts).ok())?;
            ends.map(whole_millisecond)
        };
        match text.parse::<f64>() {
            Ok(number) if number < DURATIONS_END => after(SignedDuration::try_from_secs_f64(number).ok()?),
            Ok(number) => unix(number),
            Err(_) => written(text).or_else(|| after(text.parse().ok()?)),
        }
    }

    /// Those that are whole and link to something that may be opened; the others are in the raw text alone.
    pub(super) fn actions(self) -> Option<Vec<Action>> {
        let list: Vec<&RawValue> = serde_json::from_str(self.0).ok()?;
        let action = |item: &RawValue| {
            let item = Object::parse(item.get())?;
            let url = item.first(&["url"], |value| link(&value.scalar()?))?;
            let label = item.label(&url);
            Some(Action { label, does: Does::Open(url) })
        };
        Some(list.into_iter().filter_map(action).take(ACTIONS_LIMIT).collect())
    }
}

/// A `level`: of loggers, ten apart (pino and bunyan to 60, Python to 50), and below ten only what all scales agree on
/// (syslog counts down from 0, others up): 4 is a warning or more, 6 information, 7 debugging.
pub(super) fn level(number: i64) -> Option<Priority> {
    Some(match number {
        7 | 10..=19 => Priority::LOW,
        6 | 20..=39 => Priority::NORMAL,
        4 | 40..=59 => Priority::HIGH,
        60 => Priority::URGENT,
        _ => return None,
    })
}

/// A `severity`: syslog's (RFC 5424, section 6.2.1: 0 is an emergency, 7 is debugging), above it OpenTelemetry's (to 24, fatal).
pub(super) fn severity(number: i64) -> Option<Priority> {
    Some(match number {
        0..=2 | 21..=24 => Priority::URGENT,
        3 | 4 | 13..=20 => Priority::HIGH,
        5 | 6 | 9..=12 => Priority::NORMAL,
        7 | 8 => Priority::LOW,
        _ => return None,
    })
}

/// An `urgency`: the desktop's (0 to 2) or a priority (1 to 5), where the two agree or the number is of one alone.
pub(super) fn urgency(number: i64) -> Option<Priority> {
    Some(match number {
        0 => Priority::LOW,
        3 => Priority::NORMAL,
        4 => Priority::HIGH,
        5 => Priority::URGENT,
        _ => return None,
    })
}

/// Unix time, its unit by its size.
pub(super) fn unix(number: f64) -> Option<Timestamp> {
    let milliseconds = match number.abs() {
        size if size < SECONDS_END => number * 1e3,
        size if size < MILLISECONDS_END => number,
        size if size < MICROSECONDS_END => number / 1e3,
        size if size.is_finite() => number / 1e6,
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and the ends are no times")]
    Timestamp::from_millisecond(milliseconds.round() as i64).ok()
}

/// A time as people and protocols write it, with its offset.
pub(super) fn written(text: &str) -> Option<Timestamp> {
    let mail = || rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    Timestamp::from_str(text).ok().or_else(mail).map(whole_millisecond)
}

/// There is nothing to read in it: it is kept, and nobody is called for it.
pub(super) fn hush(message: &mut Message) {
    (message.silent, message.unread) = (true, false);
}

pub(super) fn filled(text: String) -> Option<String> {
    (!is_blank(&text)).then_some(text)
}

/// One line for display: every control character is a space, none stand at the ends.
pub(super) fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

/// Several lines for display: line feeds and tabs stay, other control characters are spaces (the desktop's
/// bus takes no NUL).
pub(super) fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace(|c: char| c.is_control() && c != '\n' && c != '\t', " ")
}

/// What is stored is exact to the millisecond, and what is published equals what is stored.
pub(super) fn whole_millisecond(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}
