//! What goes in and what comes out: a frame that arrives, a popup, what happens in between.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::about::About;
use crate::message::{Message, RowId, Urgency};
use crate::notice::Notice;
use crate::profile::ChannelProfile;

/// The content of one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A text frame.
    Text(String),
    /// A binary frame.
    Binary(Vec<u8>),
    /// A text frame that is no UTF-8.
    Garbled(Vec<u8>),
}

impl Payload {
    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) | Self::Garbled(bytes) => bytes.len(),
        }
    }
}

/// Tells the server that a message is stored.
#[derive(Clone)]
pub struct Receipt(Arc<dyn Fn() + Send + Sync>);

impl Receipt {
    /// Given by calling this, on the writer's thread: it must not block.
    pub fn new(give: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(give))
    }

    /// What it is for is stored, or nothing of it has to be.
    pub fn give(self) {
        (self.0)();
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

/// One frame as it came in.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The channel it came by.
    pub channel: Arc<ChannelProfile>,
    /// What it held.
    pub payload: Payload,
    /// What is told beside it.
    pub about: About,
    /// When it came; the order of the inbox is the order of arrival, whatever this says.
    pub received_at: Timestamp,
    /// Seems to be part of what the server sends again after a reconnect. Only that may be a repetition: a message
    /// whose id and whole content are stored already. One summary tells of the rest of it.
    pub catch_up: bool,
    /// Given once it is in the file.
    pub receipt: Option<Receipt>,
}

/// What of a channel came in and is no message, since the inbox was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// Messages that the server sent again after a reconnect, and that were stored already.
    pub repeated: u64,
    /// Protocol noise: what the channel ignores.
    pub ignored: u64,
}

/// Shows messages to the user. Called on the writer thread, after the commit.
///
/// Each popup must be answered once, when it is known what became of it: by
/// [`Inbox::shown`](crate::Inbox::shown) or [`Inbox::not_shown`](crate::Inbox::not_shown) with its rows. Until then they count as on their way and are not sent again.
pub trait Notifier: Send + 'static {
    /// Hands the popup on. Must not block: nothing else is stored meanwhile.
    fn show(&mut self, popup: Popup);

    /// Takes the popups of these rows off the screen, where there are any: they are deleted, replaced or read elsewhere.
    fn withdraw(&mut self, rows: Vec<RowId>) {
        let _ = rows;
    }
}

/// What is to be shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Popup {
    /// One message.
    Message(Arc<Message>),
    /// Several messages in one popup.
    Summary {
        /// All of them, oldest first.
        rows: Vec<RowId>,
        /// How many it tells of.
        count: u64,
        /// The newest of them.
        newest: Arc<Message>,
        /// How many of each channel, by channel id; most first.
        channels: Vec<(String, u64)>,
        /// They are beyond the popups that may go out at once. Takes the place of the last such popup and
        /// counts those of that as well, while `rows` are the new ones.
        more: bool,
    },
}

impl Popup {
    /// Whether it is of the kind that goes through quiet times.
    #[must_use]
    pub fn is_critical(&self) -> bool {
        match self {
            Self::Message(message) | Self::Summary { newest: message, .. } => {
                message.urgency == Urgency::Critical
            }
        }
    }

    /// The rows to answer with.
    #[must_use]
    pub fn rows(&self) -> Vec<RowId> {
        match self {
            Self::Message(message) => vec![message.row],
            Self::Summary { rows, .. } => rows.clone(),
        }
    }
}

/// What happens in the inbox, for whoever looks on (the window, `tidings tail`).
#[derive(Debug, Clone)]
pub enum Event {
    /// A message was taken in: committed, or waiting in memory while the file can't be written.
    Stored(Arc<Message>),
    /// These are no longer there: deleted, or replaced by a later version.
    Gone(Vec<RowId>),
    /// These were read elsewhere.
    Read(Vec<RowId>),
    /// The inbox has something to say.
    Notice(Notice),
}

/// How many messages are unread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unread {
    /// Over all channels.
    pub total: u64,
    /// By channel id; channels without unread messages are absent.
    pub by_channel: BTreeMap<String, u64>,
}

impl Unread {
    /// These are no longer there.
    pub(crate) fn subtract(&mut self, gone: &BTreeMap<String, u64>) {
        for (channel, count) in gone {
            if let Some(unread) = self.by_channel.get_mut(channel) {
                *unread = unread.saturating_sub(*count);
            }
        }
        self.by_channel.retain(|_, unread| *unread > 0);
        self.total = self.by_channel.values().sum();
    }
}
