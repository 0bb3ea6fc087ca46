//! What the settings say: of one channel, and of all.

use std::time::Duration;

use jiff::{Timestamp, Zoned};
use tidings_template::{Condition, SyntaxError};

use crate::mapping::Mapping;
use crate::message::{Format, Sound, Urgency};
use crate::quiet::{self, QuietHours};

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
    /// How much of a message a popup tells. Carried for the [`Notifier`](crate::Notifier), which looks it up by channel id;
    /// the inbox stores everything either way.
    pub show: Show,
    /// How bodies are written that don't say it themselves.
    pub format: Format,
    /// How its frames are read.
    pub reads: Reads,
    /// Its messages are of several topics: one that names no title says of which it is.
    pub several_topics: bool,
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
            format: Format::Plain,
            reads: Reads::Usual,
            several_topics: false,
            mapping: Mapping::new(),
            rules: Vec::new(),
        }
    }
}

/// Whose frames they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reads {
    /// Anybody's: by the channel's mapping and the usual names.
    #[default]
    Usual,
    /// ntfy's: its events, field by field. The mapping and the texts of `ignore` are for the usual ones alone.
    Ntfy,
    /// Gotify's messages, likewise.
    Gotify,
}

/// One rule of a channel; the first that matches a message counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub(crate) when: Option<Condition>,
    /// What becomes of the message; `None`: what it says itself.
    pub then: Option<Then>,
    /// Instead of the one that follows from its priority.
    pub urgency: Option<Urgency>,
    /// Instead of the desktop's choice.
    pub sound: Option<Sound>,
}

/// What a rule does with a message; it is stored in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It pops up, even if it asks not to.
    Notify,
    /// It pops up without a sound.
    Silent,
    /// No popup.
    Store,
}

impl Rule {
    /// A rule that changes nothing yet. `when` is an expression over `title`, `body`, `priority`,
    /// `channel` (its id), `topic`, `tags`, `tag`, `id`, `url`, `silent`, `raw` (the text) and `json` (the same parsed);
    /// without it the rule matches every message.
    ///
    /// # Errors
    /// When the expression has a mistake.
    pub fn new(when: Option<&str>) -> Result<Self, SyntaxError> {
        let when = when.map(Condition::parse).transpose()?;
        Ok(Self { when, then: None, urgency: None, sound: None })
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
