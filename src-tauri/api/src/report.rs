//! What is told of channels and messages. Field names and words are a contract with scripts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rich::Rich;
use crate::session::SessionReport;

/// `tidings status --json`, and the start of every event stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StatusReport {
    /// Version of the agent.
    pub version: String,
    /// The language in force: `en` or `zh-CN`.
    pub language: String,
    /// The window's theme: `auto`, `light` or `dark`.
    pub theme: String,
    /// Popups are held back until then; `null` when they aren't. The far end of time means: until resumed.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub paused_until: Option<Timestamp>,
    /// Unread messages in all channels.
    #[cfg_attr(test, ts(type = "number"))]
    pub unread: u64,
    /// What the user should know and mend, such as an error in the settings file. Empty when all is well.
    pub notices: Vec<String>,
    /// The channels in the order of the settings file.
    pub channels: Vec<ChannelReport>,
}

/// One channel's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChannelReport {
    /// Stable id, what commands may name the channel by beside its name.
    pub id: String,
    /// Name shown.
    pub name: String,
    /// Address, the values of its query left out.
    pub url: String,
    /// What is spoken with the server.
    #[serde(default)]
    pub kind: ChannelKind,
    /// What carries its messages.
    #[serde(default)]
    pub carrier: CarrierName,
    /// Its topics, where it is of ntfy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<String>>", optional))]
    pub topics: Vec<String>,
    /// Whether messages can be sent by it.
    #[serde(default)]
    pub sends: bool,
    /// What it is doing.
    pub state: StateName,
    /// How far a dial is, or what the server has yet to take; while connecting alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub stage: Option<StageName>,
    /// Since when it is in that state.
    #[cfg_attr(test, ts(type = "string"))]
    pub since: Timestamp,
    /// Dials since the last stable link; 0 when none is needed.
    pub attempt: u32,
    /// When the next dial starts by itself.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub retry_at: Option<Timestamp>,
    /// Why it is not connected, in words.
    pub cause: Option<String>,
    /// The last close frame.
    pub last_close: Option<Close>,
    /// Last measured round trip of a ping, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Whether the server answers pings; `false`: a dead link can't be told from a silent one. `null` until it is known.
    pub answers_pings: Option<bool>,
    /// Topics that this user may not read, as the server says; absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<String>>", optional))]
    pub left_out: Vec<String>,
    /// Silent links are known to be ended by the server or on the way, and this one is kept awake. `null` where none is.
    pub idle_limit: Option<IdleLimit>,
    /// The carrier that is preferred and didn't get through; absent where that is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub instead_of: Option<InsteadOf>,
    /// When the peer was last heard.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub last_inbound: Option<Timestamp>,
    /// Links opened since the agent's start.
    #[cfg_attr(test, ts(type = "number"))]
    pub links_opened: u64,
    /// Unread messages of this channel.
    #[cfg_attr(test, ts(type = "number"))]
    pub unread: u64,
    /// How its sign-in does, at a web app or an OAuth provider; absent where it has its secret in another way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub session: Option<SessionReport>,
    /// Whether all that was missed is here, while connected to a server that tells (`tidings.v1`); absent until it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub caught_up: Option<CaughtUp>,
    /// What came since the agent's start and is no message; absent while there was nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub dropped: Option<Dropped>,
    /// It is the demo's channel, which stands in no settings file.
    pub demo: bool,
}

/// Whether all that was missed is here, as its server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CaughtUp {
    /// All of it is. `false`: some may be missing, or was told to be within the last day.
    pub complete: bool,
    /// What may be missing was sent after this, as far as is known.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub from: Option<Timestamp>,
    /// … and before this.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub until: Option<Timestamp>,
}

/// What of a channel came in and is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Dropped {
    /// Messages that the server sent again after a reconnect, and that were here already.
    #[cfg_attr(test, ts(type = "number"))]
    pub repeated: u64,
    /// Protocol noise: what the channel ignores.
    #[cfg_attr(test, ts(type = "number"))]
    pub ignored: u64,
}

/// How long a silent link lives, and what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct IdleLimit {
    /// A silent link is ended after so many seconds.
    pub after_s: f64,
    /// The silence is broken every so many seconds.
    pub kept_awake_s: f64,
}

/// The content of a close frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Close {
    /// Close code (RFC 6455, section 7.4); 1005 when the frame had none.
    pub code: u16,
    /// Reason given by who closed.
    pub reason: String,
}

/// What is spoken with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Every frame is a message, and nothing is said but the heartbeat.
    #[default]
    Recipe,
    /// ntfy.
    Ntfy,
    /// Gotify.
    Gotify,
    /// As the settings, or a preset, say.
    Dialogue,
    /// Server-sent events: each is a message.
    Sse,
    /// MQTT: what comes to the topics.
    Mqtt,
}

/// What carries a channel's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum CarrierName {
    /// A WebSocket.
    #[default]
    Websocket,
    /// Server-sent events.
    Sse,
    /// Lines of JSON in an answer without an end.
    JsonLines,
    /// MQTT, over TCP or a WebSocket.
    Mqtt,
    /// SockJS over a WebSocket.
    Sockjs,
    /// SockJS over HTTP answers without an end.
    SockjsStreaming,
    /// SockJS over HTTP answers that have a frame each.
    SockjsPolling,
}

/// A carrier that didn't get through from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct InsteadOf {
    /// Which.
    pub carrier: CarrierName,
    /// How often it failed in a row; 0: that was before the agent started.
    pub failed: u32,
    /// Why, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub cause: Option<String>,
}

/// How far a channel is that connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// The secret is being read.
    Credential,
    /// Name lookup.
    Lookup,
    /// TCP connect.
    Tcp,
    /// TLS handshake.
    Tls,
    /// WebSocket upgrade.
    Upgrade,
    /// The link is open, and the server has yet to take the sign-in.
    SignIn,
    /// The server has yet to take the subscription.
    Subscribe,
}

/// The six states of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    /// Off, because the user said so.
    Disconnected,
    /// Dialling.
    Connecting,
    /// Up.
    Connected,
    /// Will dial again at `retry_at`.
    Waiting,
    /// Another instance of the same user has the channel.
    Replaced,
    /// Only the user can mend it.
    NeedsUser,
}

impl StateName {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Waiting => "waiting",
            Self::Replaced => "replaced",
            Self::NeedsUser => "needs_user",
        }
    }
}

/// A channel's change of state, as `tidings listen --json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateLine {
    /// Name of the channel.
    pub channel: String,
    /// What it is doing now.
    pub state: StateName,
    /// Since when.
    pub since: Timestamp,
    /// Dials since the last stable link; 0 when none is needed.
    pub attempt: u32,
    /// When the next dial starts by itself.
    pub retry_at: Option<Timestamp>,
    /// Why it is not connected, in words.
    pub cause: Option<String>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessageReport {
    /// Name of the channel.
    pub channel: String,
    /// The server's id for it, if it gave one.
    pub id: Option<String>,
    /// What the server says it is about, where the channel has topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub topic: Option<String>,
    /// The name of the application that it is of, where the server has such and told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub app: Option<String>,
    /// Title; the channel's name where the message has none.
    pub title: String,
    /// Body, as it was sent.
    pub body: String,
    /// How the body is written; absent where it is plain text.
    #[serde(default, skip_serializing_if = "Format::is_plain")]
    #[cfg_attr(test, ts(optional, as = "Option<Format>"))]
    pub format: Format,
    /// 1 (lowest) to 5 (highest), 3 is normal.
    pub priority: u8,
    /// Link that a click opens.
    pub url: Option<String>,
    /// Its buttons; absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<MessageAction>>"))]
    pub actions: Vec<MessageAction>,
    /// Files that go with it; absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Attachment>>"))]
    pub attachments: Vec<Attachment>,
    /// Words that it was given beside its text; absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<String>>"))]
    pub tags: Vec<String>,
    /// When its last byte was read.
    #[cfg_attr(test, ts(type = "string"))]
    pub received_at: Timestamp,
    /// What the server sent, untouched but for what its buttons send, which is nobody's business.
    pub raw: Raw,
}

/// A button of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessageAction {
    /// What stands on it.
    pub label: String,
    /// What it does.
    #[serde(flatten)]
    pub does: Does,
}

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "does", rename_all = "snake_case")]
pub enum Does {
    /// Opens a link.
    Open {
        /// `http`, `https` or `mailto`.
        url: String,
    },
    /// Copies a text.
    Copy {
        /// All of it.
        text: String,
    },
    /// Sends a request of the sender's own making, once the user has agreed.
    Send {
        /// As in HTTP.
        method: String,
        /// To whom; with `http://` before it where it goes there without encryption.
        host: String,
    },
}

/// A file that goes with a message. It stays where it is until the user opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its media type, if it is known.
    pub media_type: Option<String>,
    /// Bytes, if they are known.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub size: Option<u64>,
    /// Until when it can be had, if that is known.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub expires: Option<Timestamp>,
    /// Where: `http` or `https`.
    pub url: String,
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// As it is read.
    #[default]
    Plain,
    /// Markdown.
    Markdown,
}

impl Format {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// One line of `tidings listen --json` and `tidings tail --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// A channel's state changed.
    State(StateLine),
    /// A message came.
    Message(MessageReport),
}

/// A message in the inbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StoredMessage {
    /// Its place; higher came later.
    #[cfg_attr(test, ts(type = "number"))]
    pub row: i64,
    /// Whether nobody has looked at it yet.
    pub unread: bool,
    /// The message itself.
    #[serde(flatten)]
    pub message: MessageReport,
    /// What its Markdown says; absent where the body is shown as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub rich: Option<Rich>,
    /// The pictures that are here for it.
    #[serde(flatten)]
    pub pictures: Pictures,
}

/// The pictures that are here for a message, by the names under which [`Request::Picture`](crate::Request::Picture) has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Pictures {
    /// What it shows; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub picture: Option<String>,
    /// What it is of; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub icon: Option<String>,
}

/// Text as it is, or bytes as `{"base64": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(untagged)]
pub enum Raw {
    /// A Text frame.
    Text(String),
    /// A Binary frame.
    Binary {
        /// The bytes in standard base64 with padding (RFC 4648, section 4).
        base64: String,
    },
}
