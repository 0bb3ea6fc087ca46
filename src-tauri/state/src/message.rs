//! Messages between the channel, the inbox and whoever shows them: a frame as the inbox takes it, a message as the contract
//! has it.

use std::sync::Arc;

use crate::clock::timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use tidings_api::{MessageAction, MessageReport, Rich};
use tidings_channel::{Frame, Payload};
use tidings_inbox::{
    About, Action, Arrival, Attachment, ChannelProfile, Does, Format, HttpRequest, Message, Published, Raw,
};
use tidings_words::Words;

/// A frame as the inbox takes it; `None` where nothing of it was had.
pub fn arrival(channel: Arc<ChannelProfile>, frame: Frame) -> Option<Arrival> {
    let payload = match frame.payload {
        Payload::Text(text) => tidings_inbox::Payload::Text(text),
        Payload::Binary(bytes) => tidings_inbox::Payload::Binary(bytes),
        Payload::Garbled(bytes) => tidings_inbox::Payload::Garbled(bytes),
        Payload::TooBig { .. } | Payload::Broken { .. } | Payload::Read(_) => return None,
    };
    let (received_at, generation) = (timestamp(frame.received_at), frame.generation);
    let tidings_channel::About { id, topic, enveloped, published } = frame.about;
    let published = published.map(|published| {
        let tidings_channel::Published { receipt, again, retained, expires_in, .. } = *published;
        Published {
            number: receipt.map(tidings_channel::Delivery::number),
            place: receipt.map(tidings_channel::Delivery::place).unwrap_or_default(),
            again,
            link: generation,
            retained,
            expires: expires_in.and_then(|time| received_at.checked_add(time).ok()),
            content_type: published.content_type,
            response_topic: published.response_topic,
            user: published.user.into_iter().collect(),
        }
    });
    let about = About { id, is_marked: enveloped.is_some(), topic, published };
    Some(Arrival { channel, payload, about, received_at, catch_up: false, receipt: None })
}

/// What a message of ours says of one that can't be read, or not all of it.
pub fn told_instead(payload: &Payload, words: Words) -> Option<String> {
    match payload {
        Payload::Text(_) | Payload::Binary(_) | Payload::Read(_) => None,
        Payload::Garbled(_) => Some(words.message_garbled()),
        Payload::TooBig { bytes } => Some(words.message_too_big(*bytes)),
        Payload::Broken { bytes } => Some(words.message_broken(*bytes)),
    }
}

/// A message of our own about a channel. No mapping or rule of the user's is meant for it.
pub fn own(channel: &ChannelProfile, text: String) -> Arrival {
    Arrival {
        channel: Arc::new(ChannelProfile::new(&channel.id, &channel.name)),
        payload: tidings_inbox::Payload::Text(text),
        about: About::default(),
        received_at: Timestamp::now(),
        catch_up: false,
        receipt: None,
    }
}

/// What there is to read in a message.
pub fn body(message: &Message, words: Words) -> String {
    match message.unreadable() {
        Some(bytes) => words.message_binary(bytes),
        None => message.body.clone(),
    }
}

/// What a message's Markdown says; `None` where its body is shown as it was sent.
pub fn rich(message: &Message) -> Option<Rich> {
    match message.format {
        Format::Plain => None,
        Format::Markdown => tidings_markdown::rich(&message.body),
    }
}

fn action(action: &Action) -> MessageAction {
    let does = match &action.does {
        Does::Open(url) => tidings_api::Does::Open { url: url.to_string() },
        Does::Copy(text) => tidings_api::Does::Copy { text: text.clone() },
        Does::Send(request) => {
            tidings_api::Does::Send { method: request.method.clone(), host: host(request) }
        }
    };
    MessageAction { label: action.label.clone(), does }
}

/// To whom a button sends, as people are told: that it goes there without encryption is said.
pub fn host(request: &HttpRequest) -> String {
    let host = request.host();
    if request.url.scheme() == "http" { format!("http://{host}") } else { host }
}

fn attachment(file: &Attachment) -> tidings_api::Attachment {
    tidings_api::Attachment {
        name: file.name.clone(),
        media_type: file.kind.clone(),
        size: file.size,
        expires: file.expires,
        url: file.url.to_string(),
    }
}

/// A message in the words of the contract.
pub fn message_report(message: &Message, channel: String, words: Words) -> MessageReport {
    MessageReport {
        channel,
        id: message.id.clone(),
        topic: message.topic.clone(),
        // Who knows the channel's applications says it.
        app: None,
        title: message.title.clone(),
        body: body(message, words),
        format: match message.format {
            Format::Plain => tidings_api::Format::Plain,
            Format::Markdown => tidings_api::Format::Markdown,
        },
        priority: message.priority.level(),
        url: message.url.as_ref().map(ToString::to_string),
        actions: message.actions.iter().map(action).collect(),
        attachments: message.attachments.iter().map(attachment).collect(),
        tags: message.tags.clone(),
        received_at: message.received_at,
        raw: match &message.raw {
            Raw::Text(text) => tidings_api::Raw::Text(text.clone()),
            Raw::Binary(bytes) => tidings_api::Raw::Binary { base64: BASE64.encode(bytes) },
        },
    }
}
