//! What engines are handed and give back.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    body::Bytes,
    extract::ws::{Message, Utf8Bytes},
};
use serde_json::Value;

/// How a message goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A text frame as it is.
    Text,
    /// A text frame: a JSON object that gets its id as first member.
    Unnamed,
    /// A binary frame.
    Binary,
    /// No message: a list of the numbers (as texts, JSON) of messages that were read. Links by the plain recipe pass over it.
    Read,
}

/// A message that is to be kept.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The id that it brings along.
    pub(crate) own_id: Option<String>,
    pub(crate) form: Form,
    pub(crate) payload: Bytes,
}

/// A message that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Grows by at least one per message, over all users and over restarts.
    pub(crate) seq: u64,
    pub(crate) own_id: Option<Arc<str>>,
    pub(crate) form: Form,
    pub(crate) payload: Bytes,
}

impl Item {
    pub(crate) fn new(seq: u64, draft: Draft) -> Self {
        Self { seq, own_id: draft.own_id.map(Into::into), form: draft.form, payload: draft.payload }
    }

    /// What a client knows it by: its own `id`, or `seq` in digits.
    pub(crate) fn id(&self) -> Cow<'_, str> {
        self.own_id.as_deref().map_or_else(|| self.seq.to_string().into(), Cow::Borrowed)
    }

    /// The frame that goes out.
    pub(crate) fn frame(&self) -> Message {
        let text = match (self.form, str::from_utf8(&self.payload)) {
            (Form::Text, Ok(_)) => Utf8Bytes::try_from(self.payload.clone()).ok(),
            (Form::Unnamed, Ok(text)) => Some(named(self.seq, text).into()),
            // A text that isn't one has been damaged: whoever knows it better gets all there is.
            (Form::Binary | Form::Read, _) | (_, Err(_)) => None,
        };
        text.map_or_else(|| Message::Binary(self.payload.clone()), Message::Text)
    }

    /// What its envelope holds in `tidings.v1`, as JSON: an object as it stands, a text as a string.
    pub(crate) fn data(&self) -> String {
        let text = String::from_utf8_lossy(&self.payload);
        match self.form {
            Form::Unnamed => named(self.seq, &text),
            // Only what was found to be an object has an id of its own.
            Form::Text if self.own_id.is_some() => text.into_owned(),
            Form::Text | Form::Binary | Form::Read => Value::from(text).to_string(),
        }
    }

    /// Bytes of payload, and a guess at what an item costs beside it.
    pub(crate) fn size(&self) -> usize {
        self.payload.len() + self.own_id.as_ref().map_or(0, |id| id.len()) + size_of::<Self>()
    }
}

/// The text of an object with its id as first member; what else it holds stays as it was written.
fn named(seq: u64, text: &str) -> String {
    // An object's text starts with its brace, white space aside.
    let members = text.trim_start().strip_prefix('{').unwrap_or("}");
    let comma = if members.trim_start().starts_with('}') { "" } else { "," };
    format!(r#"{{"id":"{seq}"{comma}{members}"#)
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: String,
    /// The number of links that it goes out on now.
    pub(crate) links: usize,
}

/// Why a message is not kept. It is sent to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotKept {
    /// There is no room, and who pushes can do nothing about it.
    #[error("there is no room to keep the message")]
    Full,
    /// The engine takes nothing that is longer than these so many bytes, with what it adds.
    #[error("NATS takes messages of {0} bytes at most, with what is added to each (its max_payload)")]
    TooLong(usize),
    /// It may be kept another time.
    #[error("messages can't be kept at the moment")]
    Unavailable,
}

/// The log can't be read at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("messages that are kept can't be read at the moment")]
pub(crate) struct NotRead;

/// Where a client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The `seq` of the last message that it needs no more.
    pub(crate) seq: u64,
    /// That of the last one that it says it has; 0: nobody knows.
    pub(crate) from: u64,
    /// Nothing that came after it has been dropped.
    pub(crate) complete: bool,
}

/// Some messages of a user, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    /// There was nothing after these when they were read.
    pub(crate) last: bool,
    /// Nothing between the message asked for and these has been dropped.
    pub(crate) complete: bool,
}

/// How much a page holds at most, and so how much memory a link takes that replays. Too low: each message is a read;
/// too high: ten thousand links that come back at once take all memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) messages: usize,
    /// At least one message is in a page, however big.
    pub(crate) bytes: usize,
}

/// How much of each user's is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
    pub(crate) age: Option<Duration>,
}

impl Keep {
    /// The number of a message that is too old. Numbers are times of arrival, or a little later where many come at once.
    pub(crate) fn too_old(&self) -> u64 {
        let age = self.age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        age.map_or(0, |age| now().saturating_sub(age))
    }
}

/// Milliseconds since 1970: what numbers start at, so that they go on growing where nothing is remembered.
pub(crate) fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    u64::try_from(now).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(form: Form, payload: &'static [u8]) -> Item {
        Item { seq: 7, own_id: None, form, payload: Bytes::from_static(payload) }
    }

    #[test]
    fn an_object_without_an_id_gets_one_and_nothing_else_is_touched() {
        for (text, sent) in [
            (r#" { "a":1.10 }"#, r#"{"id":"7", "a":1.10 }"#),
            ("{}", r#"{"id":"7"}"#),
            ("{ \n }", "{\"id\":\"7\" \n }"),
        ] {
            assert_eq!(item(Form::Unnamed, text.as_bytes()).frame(), Message::text(sent));
            assert_eq!(item(Form::Text, text.as_bytes()).frame(), Message::text(text));
        }
        assert_eq!(item(Form::Binary, &[1, 2]).frame(), Message::binary(vec![1, 2]));
    }

    #[test]
    fn a_text_that_was_damaged_goes_out_as_bytes() {
        for form in [Form::Text, Form::Unnamed] {
            assert_eq!(item(form, b"\xff").frame(), Message::binary(vec![0xff]));
        }
    }
}
