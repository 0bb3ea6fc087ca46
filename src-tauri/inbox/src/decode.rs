//! From a frame to a message, by the default mapping.

use jiff::Timestamp;

use crate::message::{Message, Priority, Raw, RowId};
use crate::{ChannelProfile, Payload};

/// Decodes one frame; `None` if it is a text that the channel ignores.
#[must_use]
pub fn decode(profile: &ChannelProfile, payload: Payload, received_at: Timestamp) -> Option<Message> {
    let (body, raw) = match payload {
        Payload::Text(text) if profile.ignore.contains(&text) => return None,
        Payload::Text(text) => (text.clone(), Raw::Text(text)),
        Payload::Binary(bytes) => (format!("Binary message, {} bytes", bytes.len()), Raw::Binary(bytes)),
    };
    Some(Message {
        row: RowId::UNSTORED,
        channel: profile.id.clone(),
        id: None,
        title: profile.name.clone(),
        body,
        priority: Priority::NORMAL,
        url: None,
        icon: None,
        image: None,
        tag: None,
        actions: Vec::new(),
        silent: false,
        sent_at: None,
        expires: None,
        received_at,
        raw,
        unread: true,
    })
}
