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
mod reading;
mod value;

use jiff::Timestamp;
use serde_json::value::RawValue;
use url::Url;

use crate::about::About;
use crate::event::Payload;
use crate::mapping::{BODY, Field, Sample, TITLE};
use crate::message::{Message, Priority, Raw};
use crate::noise::is_keep_alive;
use crate::policy::is_ignored;
use crate::profile::{ChannelProfile, Reads};
use crate::recall::{Recall, marked};
use crate::text::{bare, is_blank, link, readable};
use reading::{Reading, Said};
use value::{ID_LIMIT, Json, Object, filled, hush, lines, one_line, whole_millisecond};

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
    decode_beside(profile, payload, About::default(), received_at)
}

/// The same with what was told beside the frame. Of several messages the last has its id: all of them are there then.
#[must_use]
pub fn decode_beside(
    profile: &ChannelProfile,
    payload: Payload,
    about: About,
    received_at: Timestamp,
) -> Decoded {
    let reading = Reading { profile, about: &about, received_at: whole_millisecond(received_at) };
    let said = match profile.reads {
        Reads::Usual => return reading.usual(payload).beside(about),
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

impl Decoded {
    fn beside(mut self, about: About) -> Self {
        let About { id, is_marked, topic: _, published } = about;
        for message in &mut self.messages {
            if let Some(published) = &published {
                message.delivery = published.number;
                message.expires = message.expires.or(published.expires);
                message.unread &= !published.retained;
            }
        }
        let id = id.filter(|id| (1..=ID_LIMIT).contains(&id.len()));
        if let Some(last) = self.messages.last_mut() {
            if is_marked {
                last.series = id.as_deref().map(marked);
            }
            if let Some(id) = id {
                let own = last.id.replace(id);
                last.own_id = own.filter(|own| is_marked && last.id.as_ref() != Some(own));
            }
        }
        self
    }
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
            // What is beside it may be mapped, too.
            None if self.about.published.is_some() && !self.profile.mapping.is_empty() => {
                self.read(&mut message, text, Object::default())
            }
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
        let is_object = !object.0.is_empty();
        let sample = Sample::beside(bare(text), self.about);
        let reader = Reader { profile: self.profile, sample, object };
        let title = reader.first(Field::Title, TITLE, |value| filled(one_line(&value.text()?)));
        let body = reader.first(Field::Body, BODY, |value| filled(lines(&value.text()?)));
        let said = |field, names| reader.first(field, names, |value| value.text()).is_some();
        let whole = body.is_none()
            && (!is_object
                || title.is_none() && (more || !(said(Field::Title, TITLE) || said(Field::Body, BODY))));
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

impl Object<'_> {
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
}
