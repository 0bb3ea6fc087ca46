//! From a frame to a message, by the channel's own mapping and the default one.
//!
//! A text that is a JSON object is read field by field: where the channel's mapping names a source, from
//! there; where that finds nothing usable, and everywhere else, by the usual names, [`TITLE`] and the like; the first name that
//! holds something usable wins, and of a key given twice the last. Everything else is a message whose body
//! is the text itself. Whatever a field turns out to hold, the message is kept: a field that makes no sense
//! is as good as absent, and the raw text stays beside it.
//!
//! Only the outermost object is taken apart. Its values stay text until one is wanted, so numbers keep
//! their digits (an id of 20 digits is not rounded into its neighbour) and no depth of nesting costs stack.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use crate::mapping::{Field, Sample};
use crate::message::{Action, Message, Priority, Raw, RowId, Sound, Urgency};
use crate::{ChannelProfile, Payload};

const TITLE: &[&str] = &["title", "subject", "summary"];
const BODY: &[&str] = &["body", "message", "text", "content"];
const ID: &[&str] = &["id"];
const TIME: &[&str] = &["time", "timestamp", "date"];
const PRIORITY: &[&str] = &["priority", "level", "severity", "urgency"];
const URL: &[&str] = &["url", "link", "click"];
const ICON: &[&str] = &["icon"];
const IMAGE: &[&str] = &["image"];
const TAG: &[&str] = &["tag", "group", "key"];
const ACTIONS: &[&str] = &["actions"];
const SILENT: &[&str] = &["silent"];
const EXPIRES: &[&str] = &["expires"];

/// Bytes of an id. It has to fit into the query of a reconnect, and servers take some KiB for all of that;
/// what is longer is no id.
const ID_LIMIT: usize = 512;

/// Buttons of a message. No desktop shows more than a few.
const ACTIONS_LIMIT: usize = 8;

/// A time below this is in seconds (until the year 5138), from this on in milliseconds (from 1973).
const SECONDS_END: f64 = 1e11;

/// Decodes one frame; `None` if it is a text that the channel ignores.
///
/// Never panics, whatever the frame holds, and keeps it untouched in [`Message::raw`]. Numbers as priority
/// are taken as 1 to 5 and clamped to that: a server with a scale of its own (0 to 10, syslog's) needs a
/// mapping of its own.
#[must_use]
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods alone are for one lifetime each, not for any"
)]
pub fn decode(profile: &ChannelProfile, payload: Payload, received_at: Timestamp) -> Option<Message> {
    let message = |raw| Message {
        row: RowId::UNSTORED,
        channel: profile.id.clone(),
        id: None,
        title: one_line(&profile.name),
        body: String::new(),
        priority: Priority::NORMAL,
        url: None,
        icon: None,
        image: None,
        tag: None,
        actions: Vec::new(),
        silent: false,
        urgency: Urgency::Normal,
        sound: Sound::Usual,
        sent_at: None,
        expires: None,
        received_at: whole_millisecond(received_at),
        raw,
        unread: true,
    };
    let text = match payload {
        Payload::Text(text) => text,
        Payload::Binary(bytes) => {
            let body = format!("Binary message, {} bytes", bytes.len());
            return Some(Message { body, ..message(Raw::Binary(bytes)) });
        }
    };
    if profile.ignore.contains(&text) {
        return None;
    }
    // Servers on Windows are known to send a byte order mark.
    let json = text.trim_start_matches('\u{feff}').trim();
    let Some(object) = Object::parse(json) else {
        return Some(Message { body: lines(&text), ..message(Raw::Text(text)) });
    };
    let reader = Reader { profile, sample: Sample::new(json), object };
    let mut decoded = message(Raw::Text(String::new()));
    if let Some(title) = reader.first(Field::Title, TITLE, |value| filled(one_line(&value.text()?))) {
        decoded.title = title;
    }
    if let Some(body) = reader.first(Field::Body, BODY, |value| filled(lines(&value.text()?))) {
        decoded.body = body;
    } else if reader
        .first(Field::Title, TITLE, |value| value.text())
        .or_else(|| reader.first(Field::Body, BODY, |value| value.text()))
        .is_none()
    {
        // An object of someone's own making: better all of it than nothing.
        decoded.body = lines(&text);
    }
    let word = |value: Json<'_>| filled(one_line(&value.scalar()?));
    decoded.id =
        reader.first(Field::Id, ID, |value| value.scalar().filter(|id| (1..=ID_LIMIT).contains(&id.len())));
    decoded.priority =
        reader.first(Field::Priority, PRIORITY, |value| value.priority()).unwrap_or(Priority::NORMAL);
    decoded.urgency = decoded.priority.into();
    decoded.url = reader.first(Field::Url, URL, |value| link(&value.scalar()?));
    decoded.icon = reader.first(Field::Icon, ICON, word);
    decoded.image = reader.first(Field::Image, IMAGE, word);
    decoded.tag = reader.first(Field::Tag, TAG, word);
    decoded.actions = reader.first(Field::Actions, ACTIONS, |value| value.actions()).unwrap_or_default();
    decoded.silent = reader.first(Field::Silent, SILENT, |value| value.flag()).unwrap_or(false);
    decoded.sent_at = reader.first(Field::Time, TIME, |value| value.time());
    decoded.expires = reader.first(Field::Expires, EXPIRES, |value| value.time());
    drop(reader);
    decoded.raw = Raw::Text(text);
    Some(decoded)
}

/// One JSON object, read by a channel's mapping.
struct Reader<'a> {
    profile: &'a ChannelProfile,
    sample: Sample<'a>,
    object: Object<'a>,
}

impl Reader<'_> {
    /// What `read` makes of the field's own source, else of the first of the usual names for which it makes something.
    fn first<T>(&self, field: Field, names: &[&str], read: impl Fn(Json<'_>) -> Option<T>) -> Option<T> {
        let own = self.profile.mapping.get(&field);
        let own = own.and_then(|source| self.sample.find(field, source, &self.profile.id));
        own.and_then(|json| read(Json(&json))).or_else(|| self.object.first(names, read))
    }
}

/// A JSON object, its values unread.
struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// What `read` makes of the first of these names for which it makes something.
    fn first<T>(&self, names: &[&str], read: impl Fn(Json<'a>) -> Option<T>) -> Option<T> {
        names.iter().filter_map(|name| self.0.get(*name)).find_map(|value| read(Json(value.get())))
    }
}

/// One value of an object, as the JSON text that it came as.
#[derive(Clone, Copy)]
struct Json<'a>(&'a str);

impl Json<'_> {
    /// For people: a string's content, a number or a boolean as it was written, anything with parts as
    /// compact JSON. `None` for `null`.
    fn text(self) -> Option<String> {
        if !self.0.starts_with(['{', '[']) {
            return self.scalar();
        }
        // Too deep to parse: as it was written.
        let parsed = serde_json::from_str::<Value>(self.0);
        Some(parsed.map_or_else(|_| self.0.to_owned(), |value| value.to_string()))
    }

    /// As [`text`](Self::text), but nothing that has parts.
    fn scalar(self) -> Option<String> {
        match self.0.as_bytes().first()? {
            b'n' | b'{' | b'[' => None,
            // A string with half a surrogate pair is JSON, but no text: as it was written.
            b'"' => Some(serde_json::from_str(self.0).unwrap_or_else(|_| self.0.to_owned())),
            _ => Some(self.0.to_owned()),
        }
    }

    fn priority(self) -> Option<Priority> {
        let word = self.scalar()?.trim().to_ascii_lowercase().replace(['_', ' '], "-");
        Some(match word.as_str() {
            "min" | "minimum" | "lowest" | "very-low" | "verylow" | "trace" | "verbose" => Priority::LOWEST,
            "low" | "minor" | "debug" => Priority::LOW,
            "normal" | "default" | "medium" | "moderate" | "info" | "information" | "notice" => {
                Priority::NORMAL
            }
            "high" | "warning" | "warn" | "important" | "major" => Priority::HIGH,
            "max" | "maximum" | "highest" | "very-high" | "veryhigh" | "urgent" | "critical" | "crit"
            | "emergency" | "emerg" | "panic" | "alert" | "fatal" | "severe" | "error" | "err" => {
                Priority::URGENT
            }
            number => {
                let number = number.parse::<f64>().ok().filter(|number| !number.is_nan())?;
                #[expect(clippy::cast_possible_truncation, reason = "clamped to 1 to 5 before")]
                Priority::clamped(number.round().clamp(1.0, 5.0) as i64)
            }
        })
    }

    fn flag(self) -> Option<bool> {
        match self.scalar()?.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }
    }

    /// RFC 3339, or Unix seconds or milliseconds as a number or as its text.
    fn time(self) -> Option<Timestamp> {
        let text = self.scalar()?;
        let text = text.trim();
        let Ok(number) = text.parse::<f64>() else {
            return Timestamp::from_str(text).ok().map(whole_millisecond);
        };
        let milliseconds = if number.abs() < SECONDS_END { number * 1000.0 } else { number };
        if !milliseconds.is_finite() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and the ends are no times")]
        Timestamp::from_millisecond(milliseconds.round() as i64).ok()
    }

    /// Those that are whole and link to something that may be opened; the others are in the raw text alone.
    fn actions(self) -> Option<Vec<Action>> {
        let list: Vec<&RawValue> = serde_json::from_str(self.0).ok()?;
        let action = |item: &RawValue| {
            let item = Object::parse(item.get())?;
            let label = item.first(&["label"], |value| filled(one_line(&value.scalar()?)))?;
            let url = item.first(&["url"], |value| link(&value.scalar()?))?;
            Some(Action { label, url })
        };
        Some(list.into_iter().filter_map(action).take(ACTIONS_LIMIT).collect())
    }
}

/// A link that may be opened by a click: nothing that runs a program or reads a file.
pub(crate) fn link(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    matches!(url.scheme(), "http" | "https" | "mailto").then_some(url)
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// One line for display: every control character is a space, none stand at the ends.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

/// Several lines for display: line feeds and tabs stay, other control characters are spaces (the desktop's
/// bus takes no NUL).
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace(|c: char| c.is_control() && c != '\n' && c != '\t', " ")
}

/// What is stored is exact to the millisecond, and what is published equals what is stored.
fn whole_millisecond(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}
