//! What the window's page and the window say to each other. Most of it is the agent's own words, handed on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Action, ErrorCode, Event, Outgoing, Secret, Values};

/// What the page is told, as it happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(untagged)]
pub enum PageEvent {
    /// Whether the agent is there.
    Link(AgentLink),
    /// What the agent told.
    Agent(Box<Event>),
}

/// The window's connection to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentLink {
    /// The agent is there and a snapshot follows.
    AgentConnected {
        /// Version of the agent.
        version: String,
        /// It is another version than the window's: a restart of the agent mends that.
        other_version: bool,
    },
    /// The agent is gone; the window looks for it until it is back.
    AgentGone {
        /// Why, for people.
        message: String,
    },
}

/// What the page wants done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum PageCommand {
    /// Something with one channel, or with all.
    Channel {
        /// What.
        action: Action,
        /// Its id; `null`: all.
        channel: Option<String>,
    },
    /// Open a message's link in the user's browser.
    OpenLink {
        /// The message's row.
        #[cfg_attr(test, ts(type = "number"))]
        message: i64,
        /// Which of the links in its Markdown, counted from 0; absent: the message's own.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        link: Option<u32>,
    },
    /// Do what a button of a message says, other than copying.
    RunAction {
        /// The message's row.
        #[cfg_attr(test, ts(type = "number"))]
        message: i64,
        /// Which of its buttons, counted from 0.
        action: u32,
    },
    /// Open a file of a message in the user's browser.
    OpenFile {
        /// The message's row.
        #[cfg_attr(test, ts(type = "number"))]
        message: i64,
        /// Which of its files, counted from 0.
        file: u32,
    },
    /// Count messages as read.
    MarkRead {
        /// Their rows.
        #[cfg_attr(test, ts(type = "Array<number>"))]
        messages: Vec<i64>,
    },
    /// Start the agent where none runs; restart it where it is of another version.
    RestartAgent,
    /// End the agent, and the window with it.
    Quit,
    /// Count every message as read.
    MarkAllRead {
        /// Id: only this channel's.
        channel: Option<String>,
    },
    /// Delete messages.
    Delete {
        /// Their rows.
        #[cfg_attr(test, ts(type = "Array<number>"))]
        messages: Vec<i64>,
    },
    /// Hold popups back until then; the far end of time (`9999-12-30T22:00:00.999999999Z`) means until resumed, `null`
    /// resumes.
    Pause {
        /// When they go on by themselves.
        #[cfg_attr(test, ts(type = "string | null"))]
        until: Option<Timestamp>,
    },
    /// Keep a channel's secret in the keyring, or remove it.
    SetSecret {
        /// Id.
        channel: String,
        /// `null` removes it.
        secret: Option<Secret>,
    },
    /// Send a message by a channel.
    Send(Outgoing),
    /// Show the page on which a channel's user signs in.
    SignIn {
        /// Its id.
        channel: String,
    },
    /// End a channel's session.
    SignOut {
        /// Its id.
        channel: String,
    },
    /// Start the demo.
    StartDemo,
    /// End the demo.
    EndDemo,
}

/// A channel that the page wants tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Trial {
    /// Id; `null`: a new one.
    pub channel: Option<String>,
    /// As they stand in the editor.
    #[cfg_attr(test, ts(type = "Record<string, any>"))]
    pub values: Values,
    /// As it stands in the editor; `null`: the one that is kept already, if any.
    pub secret: Option<Secret>,
}

/// A message that the page wants to see before it comes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Sample {
    /// Id of the channel whose last message is the sample when `text` is `null`.
    pub channel: Option<String>,
    /// As they stand in the editor.
    #[cfg_attr(test, ts(type = "Record<string, any>"))]
    pub values: Values,
    /// A message's text.
    pub text: Option<String>,
}

/// An address of which the page wants to know what is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Pasted {
    /// As it was typed or pasted.
    pub address: String,
    /// As they stand in the editor.
    #[cfg_attr(test, ts(type = "Record<string, any>"))]
    pub values: Values,
}

/// Why something was not done. The page branches on `code` and shows `message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[error("{message}")]
pub struct PageError {
    /// For the page.
    pub code: PageErrorCode,
    /// For people.
    pub message: String,
    /// The key of the settings that it is about, where there is one.
    pub key: Option<String>,
}

/// The kinds of failure that the page tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PageErrorCode {
    /// The agent is not there.
    AgentGone,
    /// The agent speaks another protocol.
    OtherVersion,
    /// Something else failed.
    Failed,
    /// The agent said no.
    #[serde(untagged)]
    Refused(ErrorCode),
}
