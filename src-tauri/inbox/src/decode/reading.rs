//! What messages of one frame have in common, and one that says nothing yet.

use jiff::Timestamp;

use super::value::{filled, one_line};
use crate::about::About;
use crate::message::{Format, Message, Priority, Raw, RowId, Sound, Urgency};
use crate::profile::ChannelProfile;
use crate::recall::Recall;

/// What an object of a known server says.
pub(super) enum Said {
    Message(Box<Message>),
    Recall(Recall),
}

/// What messages of one frame have in common.
pub(super) struct Reading<'a> {
    pub(super) profile: &'a ChannelProfile,
    /// What was told beside the frame.
    pub(super) about: &'a About,
    pub(super) received_at: Timestamp,
}

impl Reading<'_> {
    /// A message that says nothing yet.
    pub(super) fn blank(&self, raw: Raw) -> Message {
        Message {
            row: RowId::UNSTORED,
            channel: self.profile.id.clone(),
            id: None,
            series: None,
            own_id: None,
            delivery: None,
            topic: self.about.topic.as_deref().and_then(|topic| filled(one_line(topic))),
            app: None,
            // What a broker sends says mostly nothing of what it is about, but for its topic.
            title: match (&self.about.topic, &self.about.published) {
                (Some(topic), Some(_)) => one_line(topic),
                _ => one_line(&self.profile.name),
            },
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

    /// How a body of this media type is written; as the channel says, where there is none.
    pub(super) fn format(&self, media_type: Option<&str>) -> Format {
        media_type.map_or(self.profile.format, Format::of_media_type)
    }
}
