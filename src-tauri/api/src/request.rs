//! What can be asked of the agent, and what it answers.

use serde::{Deserialize, Serialize};

use crate::report::{MessageReport, StateLine, StatusReport};

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
    /// Show the window (a second start asks this). Answered by [`Reply::Done`].
    Raise {
        /// The desktop's permission to take the focus (XDG activation), where it hands one over.
        activation_token: Option<String>,
    },
    /// Turn this connection into a stream of [`Event`]s. Answered by [`Reply::Event`] for ever.
    Subscribe,
}

/// What can be done with a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Not done.
    Refused(Refusal),
}

/// Why a request was not done. Callers branch on `code`, people read `message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what, where and how to mend.
    pub message: String,
}

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request's line is no JSON of the expected form, or too long.
    BadRequest,
    /// The peer speaks another version of the protocol.
    OtherVersion,
    /// No channel of that id or name.
    UnknownChannel,
    /// Too many connections at once.
    Busy,
    /// The agent is ending.
    Ending,
}

/// What happens, as it happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Everything: the first event of a stream, and again whenever something but a channel's state changed
    /// or the reader was too slow to be told each change.
    Snapshot(StatusReport),
    /// A channel's state changed.
    State(StateLine),
    /// A message was stored.
    Message(MessageReport),
}
