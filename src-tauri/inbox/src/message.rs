//! A message as the rest of Tidings sees it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

/// A message's place in the inbox; higher came later. Never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowId(pub i64);

impl RowId {
    /// Of a message that is in no inbox.
    pub const UNSTORED: Self = Self(0);
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How much a message matters: 1 (least) to 5 (most), 3 is normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Priority(u8);

impl Priority {
    /// 1.
    pub const LOWEST: Self = Self(1);
    /// 2.
    pub const LOW: Self = Self(2);
    /// 3, also of messages that say nothing.
    pub const NORMAL: Self = Self(3);
    /// 4.
    pub const HIGH: Self = Self(4);
    /// 5.
    pub const URGENT: Self = Self(5);

    /// The nearest priority.
    #[must_use]
    pub fn clamped(level: i64) -> Self {
        match level {
            ..=1 => Self::LOWEST,
            2 => Self::LOW,
            3 => Self::NORMAL,
            4 => Self::HIGH,
            5.. => Self::URGENT,
        }
    }

    /// 1 to 5.
    #[must_use]
    pub fn level(self) -> u8 {
        self.0
    }
}

/// How loudly a popup asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// May be passed over.
    Low,
    /// As most are.
    Normal,
    /// Stays until it is answered, and goes through quiet times unless told not to.
    Critical,
}

impl From<Priority> for Urgency {
    fn from(priority: Priority) -> Self {
        match priority.level() {
            ..=2 => Self::Low,
            3 | 4 => Self::Normal,
            5.. => Self::Critical,
        }
    }
}

/// What is heard with a popup.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sound {
    /// What the desktop chooses.
    #[default]
    Usual,
    /// Nothing.
    Off,
    /// This name of the sound theme.
    Named(String),
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// As it is read.
    #[default]
    Plain,
    /// Markdown. It is kept as it was sent, and read as such by who shows it.
    Markdown,
}

impl Format {
    /// What a media type says of it (RFC 9110, section 8.3), in whatever case and with whatever parameters.
    #[must_use]
    pub fn of_media_type(media_type: &str) -> Self {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("text/markdown") || essence.eq_ignore_ascii_case("text/x-markdown") {
            Self::Markdown
        } else {
            Self::Plain
        }
    }
}

/// A button that a message asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// What stands on it: one line, never empty.
    pub label: String,
    /// What it does.
    pub does: Does,
}

impl Action {
    /// The link that it opens.
    #[must_use]
    pub fn opens(&self) -> Option<&Url> {
        match &self.does {
            Does::Open(url) => Some(url),
            Does::Copy(_) | Does::Send(_) => None,
        }
    }
}

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Does {
    /// Opens this: `http`, `https` or `mailto`.
    Open(Url),
    /// Puts this into the clipboard.
    Copy(String),
    /// Sends this, once the user has agreed.
    Send(HttpRequest),
}

/// What a button sends. All of it but method and host may be a secret of the sender's, and is shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct HttpRequest {
    /// In capitals.
    pub method: String,
    /// `http` or `https`.
    #[serde(skip)]
    pub url: Url,
    /// In no order that counts.
    #[serde(skip)]
    pub headers: Vec<(String, String)>,
    /// Empty where there is none.
    #[serde(skip)]
    pub body: String,
    /// Once it is sent, the message is done with.
    pub clear: bool,
}

impl HttpRequest {
    /// To whom it goes: the host, and the port where it is not the usual one.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.method, self.host())
    }
}

/// A file that goes with a message. It stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// One line, never empty.
    pub name: String,
    /// Its media type, one line.
    pub kind: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Until when it can be had; to the millisecond.
    pub expires: Option<Timestamp>,
    /// Where it can be had: `http` or `https`.
    pub url: Url,
}

/// What arrived, untouched.
#[derive(Clone, PartialEq, Eq)]
pub enum Raw {
    /// The text of a text frame; serialised as it is.
    Text(String),
    /// The bytes of a binary frame; serialised as `{"base64": …}`.
    Binary(Vec<u8>),
}

impl Raw {
    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// Its size alone: the content is other people's mail and has no place in a log.
impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
        }
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Binary(bytes) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &BASE64.encode(bytes))?;
                map.end()
            }
        }
    }
}

/// One item received, decoded. Everything in it comes from outside: plain text, never markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Its place in the inbox, [`RowId::UNSTORED`] if it is in none.
    pub row: RowId,
    /// The channel's id.
    pub channel: String,
    /// The server's name for it, exactly as sent; at most 512 bytes.
    pub id: Option<String>,
    /// What a later version of it, and its deletion, are told by. Where there is one, the server gives no id twice: an equal
    /// id is a repetition, and a later message of the same series takes its place.
    pub series: Option<String>,
    /// The sender's own id, where it is part of what was missed and its server has given it another: it may have come before, over
    /// the plain recipe, which knows no other. Not read from the file.
    #[serde(skip)]
    pub own_id: Option<String>,
    /// The number of its delivery, until its server has proven to know that it is stored (MQTT). Not read from the file.
    pub delivery: Option<u16>,
    /// What the server says it is about, where the channel has topics; one line.
    pub topic: Option<String>,
    /// The program it is of, by its server's number for it.
    pub app: Option<String>,
    /// One line without control characters; the channel's name if the message names no title.
    pub title: String,
    /// No control characters but line feed and tab; may be empty, may be as long as a frame.
    pub body: String,
    /// How the body is written. (The title is always plain.)
    pub format: Format,
    /// A binary frame that is no text: there is nothing to read in it, and who shows it says so. (The body is empty.)
    pub opaque: bool,
    /// How much it matters.
    pub priority: Priority,
    /// What a click opens: `http`, `https` or `mailto`. Any other link stays in `raw` alone.
    pub url: Option<Url>,
    /// A name or an address, as text; never fetched.
    pub icon: Option<String>,
    /// An address, as text; never fetched.
    pub image: Option<String>,
    /// A newer message of the same tag replaces the popup of the older one.
    pub tag: Option<String>,
    /// At most 8.
    pub actions: Vec<Action>,
    /// Words that it was given beside its text, each one line; at most 16.
    pub tags: Vec<String>,
    /// Files that go with it; at most 8.
    pub attachments: Vec<Attachment>,
    /// Stored without a popup, unless a rule says otherwise.
    pub silent: bool,
    /// By its priority, unless a rule says otherwise.
    pub urgency: Urgency,
    /// As a rule says.
    pub sound: Sound,
    /// The server's own time, for display; to the millisecond.
    pub sent_at: Option<Timestamp>,
    /// When it stops mattering; to the millisecond.
    pub expires: Option<Timestamp>,
    /// When it came in; to the millisecond.
    pub received_at: Timestamp,
    /// What arrived, untouched.
    pub raw: Raw,
    /// Nobody has looked at it yet.
    pub unread: bool,
}

impl Message {
    /// What its popup takes the place of: that of the last message of the same tag, or the earlier version's.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        self.tag.as_deref().or(self.series.as_deref())
    }

    /// Whether it may be a later version of another, rather than the first of its series.
    #[must_use]
    pub fn is_update(&self) -> bool {
        let (Some(series), Some(id)) = (&self.series, &self.id) else { return false };
        !series.strip_suffix(id.as_str()).is_some_and(|topic| topic.is_empty() || topic.ends_with('/'))
    }

    /// Bytes of what can't be read, where that is so.
    #[must_use]
    pub fn unreadable(&self) -> Option<usize> {
        #[derive(Deserialize)]
        struct Encoded {
            message: String,
        }
        match &self.raw {
            _ if !self.opaque => None,
            Raw::Binary(bytes) => Some(bytes.len()),
            // ntfy's bytes come as base64 in its object.
            Raw::Text(text) => serde_json::from_str::<Encoded>(text)
                .ok()
                .and_then(|encoded| BASE64.decode(encoded.message).ok())
                .map(|bytes| bytes.len()),
        }
    }

    /// By its server's clock, or by ours where it says nothing.
    pub(crate) fn sent(&self) -> Timestamp {
        self.sent_at.unwrap_or(self.received_at)
    }
}
