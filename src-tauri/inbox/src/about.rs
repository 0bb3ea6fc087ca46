//! What is told beside a frame by what carries it.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// What is told of a frame beside it. Untrusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// What is asked for as what came after it. In place of what the frame itself says.
    pub id: Option<String>,
    /// Its server gives that id to no other message, and tells by it what was read elsewhere ([`Inbox::read_elsewhere`](crate::Inbox::read_elsewhere)).
    pub is_marked: bool,
    /// What it belongs to, unless the frame itself says that.
    pub topic: Option<String>,
    /// What an MQTT broker tells.
    pub published: Option<Published>,
}

/// What an MQTT broker tells of a message. Untrusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// The number of its delivery, which the broker gives to a later message once it knows that this one is stored.
    pub number: Option<u16>,
    /// Which delivery of its link it is, from 1.
    pub place: u64,
    /// The broker doesn't know that it is, if it came before.
    pub again: bool,
    /// The link that it came over; each has another number.
    pub link: u64,
    /// It is what the broker keeps of its topic, and no news: stored in silence, and once.
    pub retained: bool,
    /// When it is of no use any more.
    pub expires: Option<Timestamp>,
    /// What kind of content it is.
    pub content_type: Option<String>,
    /// Where an answer is expected.
    pub response_topic: Option<String>,
    /// What else its sender says of it.
    pub user: BTreeMap<String, String>,
}
