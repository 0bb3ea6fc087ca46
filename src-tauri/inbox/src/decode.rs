//! From a frame to its messages, by the channel's own mapping and the default one.
//!
//! What stands around a text and is nothing to read (a byte order mark, a NUL, the separator of records) is passed over. A
//! text that is a JSON object is read field by field: where the channel's mapping names a source, from
//! there; where that finds nothing usable, and everywhere else, by the usual names, [`TITLE`] and the like; the first name that
//! holds something usable wins, and of a key given twice the last. Several objects, one behind the other or in a list, are as
//! many messages. Everything else is a message whose body
//! is the text itself. Whatever a field turns out to hold, the message is kept: a field that makes no sense
//! is as good as absent, and the raw text stays beside it.
//!
//! Only the outermost object is taken apart. Its values stay text until one is wanted, so numbers keep
//! their digits (an id of 20 digits is not rounded into its neighbour) and no depth of nesting costs stack.

mod gotify;
mod ntfy;

use std::collections::BTreeMap;
use std::str::FromStr as _;

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use crate::event::Payload;
use crate::mapping::{BODY, Field, Sample, TITLE};
use crate::message::{Action, Does, Format, Message, Priority, Raw, RowId, Sound, Urgency};
use crate::noise::is_keep_alive;
use crate::policy::is_ignored;
use crate::profile::{ChannelProfile, Reads};
use crate::recall::Recall;
use crate::text::{bare, is_blank, link, readable};

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

/// A number below this is no time but a duration, where one makes sense: as a time it would be before September 2001.
const DURATIONS_END: f64 = 1e9;

/// A time below this is in seconds (until the year 5138), from this on in milliseconds (from 1973).
const SECONDS_END: f64 = 1e11;

/// … below this in milliseconds, from this on in microseconds.
const MILLISECONDS_END: f64 = 1e14;

/// … below this in microseconds, from this on in nanoseconds.
const MICROSECONDS_END: f64 = 1e17;

/// Messages of one frame. Of more it is kept whole: so many popups and rows come from no honest server.
const MOST_PARTS: usize = 1_000;

/// What is in a frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded {
    /// In the order in which they stand there.
    pub messages: Vec<Message>,
    /// What is said of messages that came before.
    pub recalls: Vec<Recall>,
    /// What there was beside them that the channel ignores.
    pub ignored: u64,
}

/// Decodes one frame.
///
/// Never panics, whatever the frame holds, and keeps it untouched in [`Message::raw`]; of several messages each has its
/// own part. A number as `priority` is taken as 1 to 5 and clamped to that, and those of other names by the scales
/// that they usually have.
#[must_use]
pub fn decode(profile: &ChannelProfile, payload: Payload, received_at: Timestamp) -> Decoded {
    let reading = Reading { profile, received_at: whole_millisecond(received_at) };
    let said = match profile.reads {
        Reads::Usual => return reading.usual(payload),
        Reads::Ntfy => payload.read().and_then(|text| ntfy::read(&reading, &text)),
        Reads::Gotify => payload.read().and_then(|text| gotify::read(&reading, &text)),
    };
    match said {
        Some(Said::Message(message)) => match reading.heeded(*message) {
            Some(message) => Decoded { messages: vec![message], ..Decoded::default() },
            None => Decoded { ignored: 1, ..Decoded::default() },
        },
        Some(Said::Recall(recall)) => Decoded { recalls: vec![recall], ..Decoded::default() },
        None => Decoded { ignored: 1, ..Decoded::default() },
    }
}

/// What an object of a known server says.
enum Said {
    Message(Box<Message>),
    Recall(Recall),
}

impl Payload {
    /// The text that it is.
    fn read(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Garbled(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Self::Binary(bytes) => readable(&bytes).map(str::to_owned),
        }
    }
}

/// The objects of a text that is several of them, and nothing else.
fn parts(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = if text.starts_with('[') {
        serde_json::from_str::<Vec<&RawValue>>(text).ok()?.into_iter().map(RawValue::get).collect()
    } else {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
            parts.push(values.next()?.ok()?.get());
            if parts.len() > MOST_PARTS {
                return None;
            }
            rest = bare(&rest[values.byte_offset()..]);
            // What is one alone is read with all that stands around it.
            if rest.is_empty() && parts.len() == 1 {
                return None;
            }
        }
        parts
    };
    let are_objects = parts.iter().all(|part| part.starts_with('{'));
    (are_objects && (1..=MOST_PARTS).contains(&parts.len())).then_some(parts)
}

/// What messages of one frame have in common.
struct Reading<'a> {
    profile: &'a ChannelProfile,
    received_at: Timestamp,
}

impl Reading<'_> {
    /// Anybody's frame.
    fn usual(&self, payload: Payload) -> Decoded {
        let (text, raw) = match payload {
            Payload::Text(text) => (text, None),
            Payload::Garbled(bytes) => (String::from_utf8_lossy(&bytes).into_owned(), Some(bytes)),
            Payload::Binary(bytes) => match readable(&bytes) {
                Some(text) => (text.to_owned(), Some(bytes)),
                None => {
                    let message = Message { opaque: true, ..self.blank(Raw::Binary(bytes)) };
                    return Decoded { messages: vec![message], ..Decoded::default() };
                }
            },
        };
        let mut decoded = Decoded::default();
        let mut take = |message: Option<Message>| match message {
            Some(message) => decoded.messages.push(message),
            None => decoded.ignored += 1,
        };
        let parts = if self.profile.ignore.contains(&text) { None } else { parts(bare(&text)) };
        match parts {
            Some(parts) => {
                for part in parts {
                    take(self.message(part, || Raw::Text(part.to_owned())));
                }
            }
            None => take(self.message(&text, || raw.map_or_else(|| Raw::Text(text.clone()), Raw::Binary))),
        }
        decoded
    }

    /// A message that says nothing yet.
    fn blank(&self, raw: Raw) -> Message {
        Message {
            row: RowId::UNSTORED,
            channel: self.profile.id.clone(),
            id: None,
            series: None,
            topic: None,
            app: None,
            title: one_line(&self.profile.name),
            body: String::new(),
            format: Format::Plain,
            opaque: false,
            priority: Priority::NORMAL,
            url: None,
            icon: None,
            image: None,
            tag: None,
            actions: Vec::new(),
            tags: Vec::new(),
            attachments: Vec::new(),
            silent: false,
            urgency: Urgency::Normal,
            sound: Sound::Usual,
            sent_at: None,
            expires: None,
            received_at: self.received_at,
            raw,
            unread: true,
        }
    }

    /// The message that this text is; `None` if the channel ignores it.
    fn message(&self, text: &str, raw: impl FnOnce() -> Raw) -> Option<Message> {
        let ignore = &self.profile.ignore;
        let noise = ignore.iter().any(|ignored| ignored == text)
            || (is_blank(text) && ignore.iter().any(String::is_empty))
            || (!ignore.is_empty() && is_keep_alive(bare(text)));
        if noise {
            return None;
        }
        let mut message = self.blank(raw());
        let says_something = match Object::parse(bare(text)) {
            Some(object) => self.read(&mut message, text, object),
            None => {
                message.body = lines(text.trim_matches(['\0', '\u{feff}', '\u{1e}']));
                message.format = self.profile.format;
                !is_blank(&message.body)
            }
        };
        if !says_something && let Some(url) = &message.url {
            message.body = url.to_string();
        }
        let nothing = !says_something && message.url.is_none() && message.actions.is_empty();
        if nothing {
            hush(&mut message);
        }
        self.heeded(message)
    }

    /// How a body of this media type is written; as the channel says, where there is none.
    fn format(&self, media_type: Option<&str>) -> Format {
        media_type.map_or(self.profile.format, Format::of_media_type)
    }

    /// The message, unless the channel ignores it.
    fn heeded(&self, message: Message) -> Option<Message> {
        (!is_ignored(self.profile, &message)).then_some(message)
    }

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the methods alone are for one lifetime each, not for any"
    )]
    /// Reads an object; whether it has a title or a body.
    fn read(&self, message: &mut Message, text: &str, object: Object<'_>) -> bool {
        let more = object.says_more();
        // Graylog's levels are syslog's, and its messages are known by this member.
        let syslog = object.0.contains_key("short_message");
        let reader = Reader { profile: self.profile, sample: Sample::new(bare(text)), object };
        let title = reader.first(Field::Title, TITLE, |value| filled(one_line(&value.text()?)));
        let body = reader.first(Field::Body, BODY, |value| filled(lines(&value.text()?)));
        let said = |field, names| reader.first(field, names, |value| value.text()).is_some();
        let whole = title.is_none()
            && body.is_none()
            && (more || !(said(Field::Title, TITLE) || said(Field::Body, BODY)));
        let says_something = whole || title.is_some() || body.is_some();
        if whole {
            // An object of someone's own making: better all of it than nothing.
            message.body = lines(text);
        }
        if let Some(title) = title {
            message.title = title;
        }
        if let Some(body) = body {
            message.body = body;
            message.format = self.profile.format;
        }
        let word = |value: Json<'_>| filled(one_line(&value.scalar()?));
        message.id = reader
            .first(Field::Id, ID, |value| value.scalar().filter(|id| (1..=ID_LIMIT).contains(&id.len())));
        message.priority = reader
            .first_of(Field::Priority, PRIORITY, |name, value| {
                value.priority(if syslog && name == "level" { "severity" } else { name })
            })
            .unwrap_or(Priority::NORMAL);
        message.urgency = message.priority.into();
        message.url = reader.first(Field::Url, URL, |value| link(&value.scalar()?));
        message.icon = reader.first(Field::Icon, ICON, word);
        message.image = reader.first(Field::Image, IMAGE, word);
        message.tag = reader.first(Field::Tag, TAG, word);
        message.actions = reader.first(Field::Actions, ACTIONS, |value| value.actions()).unwrap_or_default();
        message.silent = reader.first(Field::Silent, SILENT, |value| value.flag()).unwrap_or(false);
        message.sent_at = reader.first(Field::Time, TIME, |value| value.time());
        message.expires = reader
            .first(Field::Expires, EXPIRES, |value| value.end(self.received_at))
            // What is over before it is sent is a slip.
            .filter(|expires| message.sent_at.is_none_or(|sent| *expires > sent));
        says_something
    }
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
        self.first_of(field, names, |_, value| read(value))
    }

    /// The same, by the name under which it stands.
    fn first_of<T>(
        &self,
        field: Field,
        names: &[&str],
        read: impl Fn(&str, Json<'_>) -> Option<T>,
    ) -> Option<T> {
        let source = self.profile.mapping.get(&field);
        let own = source.and_then(|source| {
            let json = self.sample.find(field, source, &self.profile.id)?;
            read(source.name(), Json(&json))
        });
        own.or_else(|| {
            let named = names.iter().filter_map(|name| Some((*name, self.object.0.get(*name)?)));
            named.into_iter().find_map(|(name, value)| read(name, Json(value.get())))
        })
    }
}

/// A JSON object, its values unread.
struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// Whether it has a member that none of the fields is read from, and that holds something.
    fn says_more(&self) -> bool {
        let fields = [TITLE, BODY, ID, TIME, PRIORITY, URL, ICON, IMAGE, TAG, ACTIONS, SILENT, EXPIRES];
        let known = |name: &String| fields.iter().any(|names| names.contains(&name.as_str()));
        self.0.iter().any(|(name, value)| {
            !known(name) && Json(value.get()).text().is_some_and(|text| !is_blank(&text))
        })
    }

    /// What can be read under this name, as one line.
    fn line(&self, name: &str) -> Option<String> {
        self.first(&[name], |value| filled(one_line(&value.scalar()?)))
    }

    /// A button's; one that nobody can read says where it leads.
    fn label(&self, url: &Url) -> String {
        self.line("label").unwrap_or_else(|| url.host_str().unwrap_or_else(|| url.path()).to_owned())
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

    /// `name` is where it stands, which tells the scale of a number.
    fn priority(self, name: &str) -> Option<Priority> {
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

    fn flag(self) -> Option<bool> {
        match self.scalar()?.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }
    }

    /// RFC 3339 or what mails and HTTP write, or Unix time in seconds, milliseconds, microseconds or nanoseconds as a number
    /// or as its text.
    fn time(self) -> Option<Timestamp> {
        let text = self.scalar()?;
        match text.trim().parse::<f64>() {
            Ok(number) => unix(number),
            Err(_) => written(text.trim()),
        }
    }

    /// When something ends that `began`: a time, or how long it lasts in seconds or in words ("1h", "PT1H"). What is neither,
    /// or over as it begins, is no end.
    fn end(self, began: Timestamp) -> Option<Timestamp> {
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
    fn actions(self) -> Option<Vec<Action>> {
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
fn level(number: i64) -> Option<Priority> {
    Some(match number {
        7 | 10..=19 => Priority::LOW,
        6 | 20..=39 => Priority::NORMAL,
        4 | 40..=59 => Priority::HIGH,
        60 => Priority::URGENT,
        _ => return None,
    })
}

/// A `severity`: syslog's (RFC 5424, section 6.2.1: 0 is an emergency, 7 is debugging), above it OpenTelemetry's (to 24, fatal).
fn severity(number: i64) -> Option<Priority> {
    Some(match number {
        0..=2 | 21..=24 => Priority::URGENT,
        3 | 4 | 13..=20 => Priority::HIGH,
        5 | 6 | 9..=12 => Priority::NORMAL,
        7 | 8 => Priority::LOW,
        _ => return None,
    })
}

/// An `urgency`: the desktop's (0 to 2) or a priority (1 to 5), where the two agree or the number is of one alone.
fn urgency(number: i64) -> Option<Priority> {
    Some(match number {
        0 => Priority::LOW,
        3 => Priority::NORMAL,
        4 => Priority::HIGH,
        5 => Priority::URGENT,
        _ => return None,
    })
}

/// Unix time, its unit by its size.
fn unix(number: f64) -> Option<Timestamp> {
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
fn written(text: &str) -> Option<Timestamp> {
    let mail = || rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    Timestamp::from_str(text).ok().or_else(mail).map(whole_millisecond)
}

/// There is nothing to read in it: it is kept, and nobody is called for it.
fn hush(message: &mut Message) {
    (message.silent, message.unread) = (true, false);
}

fn filled(text: String) -> Option<String> {
    (!is_blank(&text)).then_some(text)
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
