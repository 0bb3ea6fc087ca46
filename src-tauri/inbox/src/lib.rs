//! Bytes to messages, stored in SQLite before they are shown.
//!
//! The agent hands every frame of every channel to [`Inbox::receive`]; one writer thread decodes it,
//! drops what it already knows, commits it, and then hands it to the [`Notifier`]. What was committed but
//! never shown (the process was killed, the notification service was away) goes out again as one summary
//! by [`Inbox::show_pending`]. `tidings listen`, which stores nothing, calls [`decode`] alone.
//!
//! ```text
//! Arrival ──> queue ──> writer thread: decode ─> known? ─> commit ─> policy ─> Notifier::show
//!                            │                                            │
//!                            └─ events, unread counts            Inbox::shown / not_shown
//! ```
//!
//! The crate knows neither sockets nor desktops. It never fails its caller: with no usable file, up to
//! 1,000 messages wait in memory and are written when it is back, and a [`Notice`] says so.

mod database;
mod decode;
mod inbox;
mod message;
mod policy;
mod waiting;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

pub use decode::decode;
pub use inbox::Inbox;
pub use message::{Action, Message, Priority, Raw, RowId};

/// What the inbox needs to know of a channel. Replaced as a whole when the settings change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelProfile {
    /// Unique and lasting; stored with every message.
    pub id: String,
    /// For people: the title of a message that names none.
    pub name: String,
    /// Exact texts that are protocol noise, not messages.
    pub ignore: Vec<String>,
    /// The server promises that an id names one message for ever (`resume` is set), so that a known id is
    /// a repetition. Elsewhere an id is often an order number, and its second update is news.
    pub ids_are_unique: bool,
    /// How much of a message a popup tells. Carried for the [`Notifier`], which looks it up by channel id;
    /// the inbox stores everything either way.
    pub show: Show,
}

impl ChannelProfile {
    /// What `ignore` holds unless the settings say otherwise.
    pub const DEFAULT_IGNORE: [&'static str; 4] = ["HeartBeat", "ping", "pong", ""];

    /// A channel with default settings.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            ignore: Self::DEFAULT_IGNORE.map(String::from).to_vec(),
            ids_are_unique: false,
            show: Show::Full,
        }
    }
}

/// How much of a message a popup tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    /// Title and body.
    #[default]
    Full,
    /// The title alone.
    Title,
    /// Only that something came, and on which channel.
    Nothing,
}

/// The content of one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A text frame.
    Text(String),
    /// A binary frame.
    Binary(Vec<u8>),
}

impl Payload {
    /// Its length in bytes.
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// One frame as it came in.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The channel it came by.
    pub channel: Arc<ChannelProfile>,
    /// What it held.
    pub payload: Payload,
    /// When it came; the order of the inbox is the order of arrival, whatever this says.
    pub received_at: Timestamp,
}

/// Shows messages to the user. Called on the writer thread, after the commit.
///
/// Each popup must be answered once, when it is known what became of it: by [`Inbox::shown`] or
/// [`Inbox::not_shown`] with its rows. Until then they count as on their way and are not sent again.
pub trait Notifier: Send + 'static {
    /// Hands the popup on. Must not block: nothing else is stored meanwhile.
    fn show(&mut self, popup: Popup);
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
        /// How many.
        count: u64,
        /// The newest of them.
        newest: Arc<Message>,
        /// How many of each channel, by channel id; most first.
        channels: Vec<(String, u64)>,
    },
}

impl Popup {
    /// The rows to answer with.
    #[must_use]
    pub fn rows(&self) -> Vec<RowId> {
        match self {
            Self::Message(message) => vec![message.row],
            Self::Summary { rows, .. } => rows.clone(),
        }
    }
}

/// Something the user should know of the inbox: what, where and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// For the log and the tray.
    pub message: String,
}

/// What happens in the inbox, for whoever looks on (the window, `tidings tail`).
#[derive(Debug, Clone)]
pub enum Event {
    /// A message was taken in: committed, or waiting in memory while the file can't be written.
    Stored(Arc<Message>),
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
