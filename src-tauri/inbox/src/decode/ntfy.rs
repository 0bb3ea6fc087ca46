//! ntfy's events, as its WebSocket has them (`/<topics>/ws`; servers to 2.29).
//!
//! One object a frame. `message` is a message, or a later version of an earlier one where its `sequence_id` is that one's;
//! `message_delete` and `message_clear` are about those of a `sequence_id`. All else (`open`, `keepalive`, `poll_request`, what
//! is no event at all) is ignored. `expires` is how long the *server* keeps a message: it says nothing of how long it matters, and
//! is left where it is.

use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::value::RawValue;
use url::Url;

use super::reading::{Reading, Said};
use super::value::{ACTIONS_LIMIT, ID_LIMIT, Json, Object, filled, hush, lines, one_line};
use crate::message::{Action, Attachment, Does, HttpRequest, Message, Priority, Raw};
use crate::recall::{Recall, Recalled};
use crate::text::{bare, is_blank, link, readable};

/// Tags of a message, and files; nobody reads more.
const TAGS_LIMIT: usize = 16;
const FILES_LIMIT: usize = 8;

/// Letters of a request's method; the longest that is registered (`UPDATEREDIRECTREF`) has 17.
const METHOD_LIMIT: usize = 20;

/// What stands in the raw text for what a button sends.
const LEFT_OUT: &str = "\"…\"";

/// What this frame says; `None`: nothing.
pub(super) fn read(reading: &Reading<'_>, text: &str) -> Option<Said> {
    let object = Object::parse(bare(text))?;
    let event = object.first(&["event"], Json::scalar)?;
    let what = match event.as_str() {
        "message" => return Some(Said::Message(Box::new(message(reading, text, &object)))),
        "message_delete" => Recalled::Deleted,
        "message_clear" => Recalled::Read,
        _ => return None,
    };
    Some(Said::Recall(Recall {
        channel: reading.profile.id.clone(),
        series: series(&object)?,
        what,
        id: word(&object, "id"),
        at: object.first(&["time"], Json::time).unwrap_or(reading.received_at),
    }))
}

fn message(reading: &Reading<'_>, text: &str, object: &Object<'_>) -> Message {
    let (actions, secrets) = actions(text, object);
    let mut message = reading.blank(Raw::Text(without(text, secrets)));
    message.id = word(object, "id");
    message.topic = object.line("topic");
    message.series = message.id.as_ref().and_then(|_| series(object));
    let body = object.first(&["message"], Json::text).unwrap_or_default();
    if object.first(&["encoding"], Json::scalar).as_deref() == Some("base64") {
        let bytes = BASE64.decode(bare(&body)).ok();
        match bytes.as_deref().map(readable) {
            Some(Some(text)) => message.body = lines(text),
            Some(None) => message.opaque = true,
            None => message.body = lines(&body),
        }
    } else {
        message.body = lines(&body);
    }
    let title = object.first(&["title"], |value| filled(one_line(&value.text()?)));
    let titled = title.is_some();
    if let Some(title) = title {
        message.title = title;
    } else if let Some(topic) = message.topic.as_ref().filter(|_| reading.profile.several_topics) {
        message.title = format!("{} · {topic}", message.title);
    }
    let mut emoji = String::new();
    for tag in object.first(&["tags"], words).unwrap_or_default() {
        match emoji_of(&tag) {
            Some(known) => emoji = emoji + known + " ",
            None => message.tags.push(tag),
        }
    }
    message.title.insert_str(0, &emoji);
    message.priority =
        object.first(&["priority"], |value| value.priority("priority")).unwrap_or(Priority::NORMAL);
    message.urgency = message.priority.into();
    message.url = object.first(&["click"], |value| link(&value.scalar()?));
    message.format = reading.format(object.line("content_type").as_deref());
    message.icon = object.line("icon");
    message.sent_at = object.first(&["time"], Json::time);
    message.actions = actions;
    message.attachments = attachments(object);
    let says_something = titled
        || !is_blank(&message.body)
        || message.opaque
        || message.url.is_some()
        || !message.actions.is_empty()
        || !message.attachments.is_empty();
    if !says_something {
        hush(&mut message);
    }
    message
}

/// The emoji that a tag stands for.
fn emoji_of(tag: &str) -> Option<&'static str> {
    /// A name and its emoji per line, sorted. The crate's own table is 0.7 MiB, much of which each process would write to.
    const TABLE: &str = include_str!(concat!(env!("OUT_DIR"), "/emoji.txt"));
    static BY_NAME: LazyLock<Vec<(&str, &str)>> =
        LazyLock::new(|| TABLE.lines().filter_map(|line| line.split_once(' ')).collect());
    let at = BY_NAME.binary_search_by_key(&tag, |(name, _)| name).ok()?;
    Some(BY_NAME[at].1)
}

/// What this message's versions have in common, within its channel: the same id may be in use in two topics.
fn series(object: &Object<'_>) -> Option<String> {
    let id = word(object, "sequence_id").or_else(|| word(object, "id"))?;
    Some(match object.line("topic") {
        Some(topic) => format!("{topic}/{id}"),
        None => id,
    })
}

/// An id.
fn word(object: &Object<'_>, name: &str) -> Option<String> {
    object.first(&[name], |value| value.scalar().filter(|id| (1..=ID_LIMIT).contains(&id.len())))
}

/// A list of words; those that are none are left out.
fn words(list: Json<'_>) -> Option<Vec<String>> {
    let list: Vec<&RawValue> = serde_json::from_str(list.0).ok()?;
    let word = |item: &RawValue| filled(one_line(&Json(item.get()).scalar()?));
    Some(list.into_iter().filter_map(word).take(TAGS_LIMIT).collect())
}

fn objects(list: Json<'_>) -> Option<Vec<Object<'_>>> {
    let list: Vec<&RawValue> = serde_json::from_str(list.0).ok()?;
    Some(list.into_iter().filter_map(|item| Object::parse(item.get())).collect())
}

/// Newer servers have a list of them, with the first one beside it.
fn attachments(object: &Object<'_>) -> Vec<Attachment> {
    let mut files: Vec<Attachment> =
        object.first(&["attachments"], objects).unwrap_or_default().iter().filter_map(attachment).collect();
    if files.is_empty() {
        files.extend(object.first(&["attachment"], |value| attachment(&Object::parse(value.0)?)));
    }
    files.truncate(FILES_LIMIT);
    files
}

fn attachment(object: &Object<'_>) -> Option<Attachment> {
    let url = object.first(&["url"], |value| web(&value.scalar()?))?;
    let last = || url.path_segments().and_then(|mut parts| filled(one_line(parts.next_back()?)));
    let name = object.line("name").or_else(last);
    Some(Attachment {
        name: name.unwrap_or_else(|| url.host_str().unwrap_or_default().to_owned()),
        kind: object.line("type"),
        size: object.first(&["size"], |value| value.scalar()?.parse().ok()),
        expires: object.first(&["expires"], Json::time),
        url,
    })
}

/// An address of the web.
fn web(text: &str) -> Option<Url> {
    link(text).filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// What a request can be sent to: a name and a password have a header of their own, and a fragment no server sees.
fn sendable(mut url: Url) -> Option<Url> {
    url.set_fragment(None);
    (url.username().is_empty() && url.password().is_none() && url.port() != Some(0)).then_some(url)
}

/// The buttons, and where in the text stands what they send and nobody is to see. `broadcast` is for Android alone.
fn actions(text: &str, object: &Object<'_>) -> (Vec<Action>, Vec<Range<usize>>) {
    let mut secrets = Vec::new();
    let mut actions = Vec::new();
    for item in object.first(&["actions"], objects).unwrap_or_default() {
        let kind = item.first(&["action"], Json::scalar).unwrap_or_default();
        let does = match kind.as_str() {
            "view" => item.first(&["url"], |value| link(&value.scalar()?)).map(Does::Open),
            "copy" => item.first(&["value"], Json::scalar).filter(|value| !value.is_empty()).map(Does::Copy),
            "http" => {
                let parts = ["url", "headers", "body"].into_iter().filter_map(|name| item.0.get(name));
                secrets.extend(parts.map(|part| place(text, part.get())));
                request(&item).map(Does::Send)
            }
            _ => None,
        };
        let Some(does) = does.filter(|_| actions.len() < ACTIONS_LIMIT) else { continue };
        let label = match &does {
            Does::Open(url) => item.label(url),
            Does::Send(request) => item.label(&request.url),
            Does::Copy(value) => {
                item.line("label").or_else(|| filled(one_line(value))).unwrap_or_else(|| kind.clone())
            }
        };
        actions.push(Action { label, does });
    }
    (actions, secrets)
}

fn request(item: &Object<'_>) -> Option<HttpRequest> {
    let method = item.first(&["method"], Json::scalar).filter(|method| !method.is_empty());
    let method = method.map_or_else(|| "POST".to_owned(), |method| method.to_ascii_uppercase());
    let is_method = method.len() <= METHOD_LIMIT && method.bytes().all(|byte| byte.is_ascii_uppercase());
    is_method.then_some(())?;
    let headers = item.first(&["headers"], |value| {
        let headers = Object::parse(value.0)?.0;
        let header = |(name, value): (String, &RawValue)| Some((name, Json(value.get()).scalar()?));
        Some(headers.into_iter().filter_map(header).collect())
    });
    Some(HttpRequest {
        method,
        url: item.first(&["url"], |value| web(&value.scalar()?)).and_then(sendable)?,
        headers: headers.unwrap_or_default(),
        body: item.first(&["body"], Json::text).unwrap_or_default(),
        clear: item.first(&["clear"], Json::flag).unwrap_or(false),
    })
}

/// Where in `text` this part of it stands.
fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    start..start + part.len()
}

/// The text without these parts of it.
fn without(text: &str, mut parts: Vec<Range<usize>>) -> String {
    parts.sort_by_key(|part| part.start);
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for part in parts {
        let Some(before) = text.get(from..part.start) else { continue };
        kept.push_str(before);
        kept.push_str(LEFT_OUT);
        from = part.end;
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}
