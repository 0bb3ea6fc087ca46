//! What can be asked of the agent, and what it answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::report::{ChannelReport, StatusReport, StoredMessage};

/// One request. A connection may carry any number of them, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// The state of everything. Answered by [`Reply::Status`].
    Status,
    /// Do something with one channel, or with every channel that it makes sense for. Answered by [`Reply::Done`].
    Act {
        /// What.
        action: Action,
        /// Id or name; `None`: every channel.
        channel: Option<String>,
    },
    /// A channel's secret in the keyring was set or removed: a link by the old one is dialled anew. Answered by
    /// [`Reply::Done`].
    CredentialChanged {
        /// Id.
        channel: String,
    },
    /// Show the window (a second start asks this). Answered by [`Reply::Done`].
    Raise {
        /// The desktop's permission to take the focus (XDG activation), where it hands one over.
        activation_token: Option<String>,
    },
    /// Turn this connection into a stream of [`Event`]s. Answered by [`Reply::Event`] for ever.
    Subscribe {
        /// The subscriber is the window: it is told to raise itself, and there is only one of it.
        #[serde(default)]
        window: bool,
    },
    /// Stored messages, newest first. Answered by [`Reply::History`].
    History {
        /// Only those stored before this row.
        before: Option<i64>,
        /// At most so many; the agent has a limit of its own.
        limit: u16,
    },
    /// Open a stored message's link, if it has one, and count it as read. Answered by [`Reply::Done`].
    OpenLink {
        /// The message's row.
        message: i64,
    },
    /// Hold popups back. Answered by [`Reply::Done`].
    Pause {
        /// Until then; the far end of time means until resumed, `None` resumes.
        until: Option<Timestamp>,
    },
    /// Count stored messages as read. Answered by [`Reply::Done`].
    MarkRead {
        /// Their rows; one that is not there is passed over.
        messages: Vec<i64>,
    },
    /// What a report of trouble should hold, with nothing secret in it. Answered by [`Reply::Diagnostics`].
    Diagnostics,
}

/// What can be done with a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Connect and stay connected.
    Connect,
    /// Disconnect and stay disconnected, also over restarts.
    Disconnect,
    /// While waiting: dial now.
    ReconnectNow,
    /// While replaced: connect here again, which replaces the other instance.
    TakeOver,
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Taken up by these channels (names). The new state shows in the status.
    Done {
        /// Names of the channels concerned.
        channels: Vec<String>,
    },
    /// The state of everything.
    Status(StatusReport),
    /// One event of a subscription.
    Event(Event),
    /// Stored messages, newest first.
    History {
        /// Fewer than asked for when there are no more, or when they are too long for one answer.
        messages: Vec<StoredMessage>,
    },
    /// For people to read and to send on.
    Diagnostics {
        /// Plain text.
        text: String,
    },
    /// Not done.
    Refused(Refusal),
}

/// Why a request was not done. Callers branch on `code`, people read `message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[error("{message}")]
pub struct Refusal {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what, where and how to mend.
    pub message: String,
}

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request's line is no JSON of the expected form, or too long.
    BadRequest,
    /// The peer speaks another version of the protocol.
    OtherVersion,
    /// No channel of that id or name.
    UnknownChannel,
    /// No message of that row, or none with a link.
    UnknownMessage,
    /// There is a window already; it was asked to show.
    WindowOpen,
    /// Too many connections at once.
    Busy,
    /// The agent is ending.
    Ending,
}

/// What happens, as it happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Everything: the first event of a stream, and again whenever something but a channel's state changed
    /// or the reader was too slow to be told each change.
    Snapshot(StatusReport),
    /// A channel came into another state, or its next try or cause changed.
    State(ChannelReport),
    /// A message was stored.
    Message(StoredMessage),
    /// The window should come to the front. Told to the window alone.
    Raise {
        /// The desktop's permission to take the focus (XDG activation), where it handed one over.
        activation_token: Option<String>,
        /// The row of the message to show.
        #[cfg_attr(test, ts(type = "number | null"))]
        message: Option<i64>,
    },
}
