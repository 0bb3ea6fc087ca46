//! Bytes to messages, stored in SQLite before they are shown.
//!
//! The agent hands every frame of every channel to [`Inbox::receive`]; one writer thread decodes it,
//! drops what a replay repeats, commits it, and then hands it to the [`Notifier`], as the channel's rules
//! and the [`Policy`] let it. What was committed but not shown (too much at once, a quiet time, a kill, the
//! notification service was away) is pending, and goes out as one summary when it may. `tidings listen`,
//! which stores nothing, calls [`decode`] alone.
//!
//! ```text
//! Arrival ──> queue ──> writer thread: decode ─> repeated? ─> rules ─> commit ─> gate ─> Notifier::show
//!                            │                                            │
//!                            └─ events, unread counts            Inbox::shown / not_shown
//! ```
//!
//! The crate knows neither sockets nor desktops. It never fails its caller: with no usable file, up to
//! 1,000 messages wait in memory and are written when it is back, and a [`Notice`] says so.

mod calendar;
mod database;
mod decode;
mod flood;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
mod gate;
mod history;
mod inbox;
mod journal;
mod mapping;
mod message;
mod noise;
mod notice;
mod policy;
mod quiet;
mod search;
mod template;
mod waiting;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use std::time::Duration;

use jiff::{Timestamp, Zoned};

pub use decode::{Decoded, decode};
pub use history::Query;
pub use inbox::Inbox;
pub use journal::Note;
pub use mapping::{Field, Mapping, Source, SourceError};
pub use message::{Action, Message, Priority, Raw, RowId, Sound, Urgency};
pub use notice::Notice;
pub use policy::{Rule, Then, pops_up};
pub use quiet::{QuietHours, Weekdays};
pub use template::{Condition, SyntaxError};

/// What the inbox needs to know of a channel. Replaced as a whole when the settings change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelProfile {
    /// Unique and lasting; stored with every message.
    pub id: String,
    /// For people: the title of a message that names none.
    pub name: String,
    /// Exact texts that are protocol noise, not messages. The usual keep-alives are known as such too, whatever times and
    /// numbers they carry, unless this is empty.
    pub ignore: Vec<String>,
    /// What this is true of is protocol noise as well.
    pub ignore_when: Option<Condition>,
    /// How much of a message a popup tells. Carried for the [`Notifier`], which looks it up by channel id;
    /// the inbox stores everything either way.
    pub show: Show,
    /// Where fields come from that are not read by the usual names alone.
    pub mapping: Mapping,
    /// How its messages are shown; the first rule that matches counts.
    pub rules: Vec<Rule>,
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
            ignore_when: None,
            show: Show::Full,
            mapping: Mapping::new(),
            rules: Vec::new(),
        }
    }
}

/// What holds for all channels: when popups go out, and what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Popups that may go out at once; at least 1.
    pub burst: u32,
    /// After this long one more may.
    pub refill: Duration,
    /// Times without popups.
    pub quiet_hours: Vec<QuietHours>,
    /// Critical messages pop up at quiet times and during a pause all the same.
    pub critical_breaks_quiet: bool,
    /// Days that a message is kept: those on which the inbox was seen to be open.
    pub keep_days: u32,
    /// Messages that are kept.
    pub keep_messages: u32,
}

impl Policy {
    /// The defaults, but nothing is deleted: for as long as the settings are not known.
    #[must_use]
    pub fn keep_all() -> Self {
        Self { keep_days: u32::MAX, keep_messages: u32::MAX, ..Self::default() }
    }

    /// When the quiet hours that it is now end; `None` if there are none now.
    #[must_use]
    pub fn quiet_until(&self, now: &Zoned) -> Option<Timestamp> {
        quiet::quiet_until(&self.quiet_hours, now)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            burst: 5,
            refill: Duration::from_secs(2),
            quiet_hours: Vec::new(),
            critical_breaks_quiet: true,
            keep_days: 90,
            keep_messages: 100_000,
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
    /// A text frame that is no UTF-8.
    Garbled(Vec<u8>),
}

impl Payload {
    /// Its length in bytes.
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) | Self::Garbled(bytes) => bytes.len(),
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
    /// Seems to be part of what the server sends again after a reconnect. Only that may be a repetition: a message
    /// whose id and whole content are stored already. One summary tells of the rest of it.
    pub catch_up: bool,
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
    fn subtract(&mut self, gone: &BTreeMap<String, u64>) {
        for (channel, count) in gone {
            if let Some(unread) = self.by_channel.get_mut(channel) {
                *unread = unread.saturating_sub(*count);
            }
        }
        self.by_channel.retain(|_, unread| *unread > 0);
        self.total = self.by_channel.values().sum();
    }
}
