//! What can be asked of the agent, and what it answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::discover::Discovery;
use crate::examine::Examine;
use crate::health::HealthReport;
use crate::report::{ChannelReport, Pictures, StatusReport, StoredMessage};
use crate::send::Outgoing;
use crate::session::{Cookie, SessionKept, SignInPage, TypeCode};
use crate::settings::{Edit, Preview, Rehearsal, Secret, SettingsReport, Step, Values};

/// One request. A connection may carry any number of them, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
        /// Show the page that adds a channel, with this address.
        #[serde(default)]
        add: Option<String>,
    },
    /// Be in the desktop session that a second start was made in: speak on its bus where there is none yet, and start
    /// programs on its display. Answered by [`Reply::Done`].
    Join {
        /// The variables that tell of it.
        environment: BTreeMap<String, String>,
    },
    /// End the agent, as **Quit** in the tray's menu does. Answered by [`Reply::Done`], or by the end of the connection.
    Quit,
    /// Turn this connection into a stream of [`Event`]s. Answered by [`Reply::Event`] for ever.
    Subscribe {
        /// The subscriber is the window: it is told to raise itself, and there is only one of it.
        #[serde(default)]
        window: bool,
    },
    /// Stored messages. Answered by [`Reply::History`].
    History(HistoryQuery),
    /// Open a stored message's link, if it has one, and count it as read. Answered by [`Reply::Done`].
    OpenLink {
        /// The message's row.
        message: i64,
        /// Which of the links in its Markdown, counted from 0; `None`: the message's own.
        #[serde(default)]
        link: Option<u32>,
    },
    /// Do what a button of a stored message says: open its link, or send what it sends, to which the user has agreed. (What it
    /// copies, the window copies by itself.) Answered by [`Reply::Done`] once that is done.
    RunAction {
        /// The message's row.
        message: i64,
        /// Which of its buttons, counted from 0.
        action: u32,
    },
    /// Open a file of a stored message in the browser. Answered by [`Reply::Done`].
    OpenFile {
        /// The message's row.
        message: i64,
        /// Which of its files, counted from 0.
        file: u32,
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
    /// Count every stored message as read. Answered by [`Reply::Done`].
    MarkAllRead {
        /// Id: only this channel's.
        channel: Option<String>,
    },
    /// Delete stored messages. Answered by [`Reply::Done`].
    Delete {
        /// Their rows; one that is not there is passed over.
        messages: Vec<i64>,
    },
    /// Find out why a channel doesn't connect. Answered by [`Reply::Step`] for each step, then by [`Reply::Done`]. A link
    /// that is let go of for it is taken back in the end, and when this connection ends before.
    Examine(Examine),
    /// What a report of trouble should hold, with nothing secret in it. Answered by [`Reply::Diagnostics`].
    Diagnostics,
    /// What stands in the settings file. Answered by [`Reply::Settings`].
    Settings,
    /// Change the settings file: all of the edits, or none of them. Answered by [`Reply::Settings`].
    EditSettings {
        /// The revision that the edits were made from. Keys that were changed in the file since then, and differently,
        /// refuse the edits with [`ErrorCode::SettingsChanged`].
        revision: String,
        /// In this order.
        edits: Vec<Edit>,
    },
    /// Keep a channel's secret in the keyring, or remove it. Answered by [`Reply::Done`].
    SetSecret {
        /// Id.
        channel: String,
        /// `None` removes it.
        secret: Option<Secret>,
    },
    /// Show the page on which a channel's user signs in: the web app's own in a view of the window (`auth = "session"`), or the
    /// OAuth provider's in the user's browser. Answered by [`Reply::Done`].
    SignIn {
        /// Id or name.
        channel: String,
        /// The desktop's permission to take the focus (XDG activation), where it hands one over.
        #[serde(default)]
        activation_token: Option<String>,
    },
    /// Begin a sign-in at a channel's OAuth provider by a browser anywhere. Answered by [`Reply::TypeCode`].
    SignInByCode {
        /// Id or name.
        channel: String,
    },
    /// Wait until the user has signed in there. Answered by [`Reply::Done`] with the channel's name.
    SignInEnded {
        /// Id or name.
        channel: String,
    },
    /// Where and how the user signs in to a web app (`auth = "session"`). Answered by [`Reply::SignInPage`].
    SignInPage {
        /// Id.
        channel: String,
    },
    /// The user has signed in there. Of these cookies those are kept that the channel's address gets, in place of all that
    /// there were, and the channel is dialled by them. Answered by [`Reply::SignedIn`].
    SignedIn {
        /// Id.
        channel: String,
        /// All that the page's view has.
        cookies: Vec<Cookie>,
    },
    /// End a channel's sign-in: a session's site is told where the settings say how, cookies or tokens are forgotten, and the link is
    /// closed.
    /// Answered by [`Reply::Done`].
    SignOut {
        /// Id or name.
        channel: String,
    },
    /// Try a channel, step by step: the doctor's examination with the upgrade and the first ping. Answered by
    /// [`Reply::Step`] for each step, then by [`Reply::Done`]. A link that the agent holds by the same settings is not
    /// disturbed: it is what is told of.
    Test {
        /// Id of the channel that is tried, or that `values` are to become; `None`: a new one.
        channel: Option<String>,
        /// As they stand in the editor, saved or not.
        values: Values,
        /// What stands in the editor; `None`: the one in the keyring, or wherever `values` say.
        secret: Option<Secret>,
    },
    /// What a message would look like. Answered by [`Reply::Preview`]; for a channel of `kind = "dialogue"`, whose sample is
    /// the frames of a link, each on a line or set apart by blank lines, by [`Reply::Rehearsal`].
    Preview {
        /// Id of the channel whose last message is the sample when none is given.
        channel: Option<String>,
        /// As they stand in the editor, saved or not.
        values: Values,
        /// A message's text.
        sample: Option<String>,
    },
    /// What is at an address, and which channel would listen there. Nothing is subscribed, and no secret sent. Answered by
    /// [`Reply::Discovered`].
    Discover {
        /// As it was pasted.
        address: String,
        /// As they stand in the editor: those of them count that tell the way, such as `proxy` and `ca_file`.
        values: Values,
    },
    /// Send a message by a channel whose kind can. Answered by [`Reply::Done`] with the channel's name, once the server has it;
    /// refused with [`ErrorCode::CannotSend`] or [`ErrorCode::NotSent`].
    Send(Outgoing),
    /// How a channel did. Answered by [`Reply::Health`].
    Health {
        /// Id.
        channel: String,
    },
    /// A picture that is here for a message. Answered by [`Reply::Picture`].
    Picture {
        /// Its name, as it was told with the message.
        name: String,
    },
    /// Start a server on loopback and a channel to it, for trying Tidings out; both end with the agent or by
    /// [`Request::EndDemo`], and neither stands in the settings file. Answered by [`Reply::Done`] with its name.
    StartDemo,
    /// End what [`Request::StartDemo`] started. Answered by [`Reply::Done`].
    EndDemo,
}

impl Request {
    /// Whether the answer hangs on others than the agent: a server, a provider, the keyring, or what a person does.
    pub fn hangs_on_others(&self) -> bool {
        match self {
            Self::RunAction { .. }
            | Self::Examine(_)
            | Self::EditSettings { .. }
            | Self::SetSecret { .. }
            | Self::SignIn { .. }
            | Self::SignInByCode { .. }
            | Self::SignInEnded { .. }
            | Self::SignedIn { .. }
            | Self::SignOut { .. }
            | Self::Test { .. }
            | Self::Discover { .. }
            | Self::Send(_)
            | Self::StartDemo => true,
            Self::Status
            | Self::Act { .. }
            | Self::CredentialChanged { .. }
            | Self::Raise { .. }
            | Self::Join { .. }
            | Self::Quit
            | Self::Subscribe { .. }
            | Self::History(_)
            | Self::OpenLink { .. }
            | Self::OpenFile { .. }
            | Self::Pause { .. }
            | Self::MarkRead { .. }
            | Self::MarkAllRead { .. }
            | Self::Delete { .. }
            | Self::Diagnostics
            | Self::Settings
            | Self::SignInPage { .. }
            | Self::Preview { .. }
            | Self::Health { .. }
            | Self::Picture { .. }
            | Self::EndDemo => false,
        }
    }
}

/// Which stored messages are wanted: newest first, but oldest first with `after` or `after_id`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct HistoryQuery {
    /// Only those stored before this row.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub before: Option<i64>,
    /// Only those stored after this row. (The page has no use for this one and the next.)
    #[cfg_attr(test, ts(skip))]
    pub after: Option<i64>,
    /// Only those stored after the newest one of this id of the server's. Refused with [`ErrorCode::UnknownMessage`]
    /// where there is none.
    #[cfg_attr(test, ts(skip))]
    pub after_id: Option<String>,
    /// At most so many; the agent has a limit of its own.
    pub limit: u16,
    /// Only those that hold all of these words; a blank text is none.
    pub search: Option<String>,
    /// Id: only this channel's.
    pub channel: Option<String>,
    /// Only those that nobody has looked at yet.
    pub unread: bool,
    /// Only those received at or after this time.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub since: Option<Timestamp>,
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
    /// Stored messages, in the order asked for.
    History {
        /// Fewer than asked for when there are no more, or when they are too long for one answer.
        messages: Vec<StoredMessage>,
    },
    /// For people to read and to send on.
    Diagnostics {
        /// Plain text.
        text: String,
    },
    /// What stands in the settings file.
    Settings(SettingsReport),
    /// One step of a trial.
    Step(Step),
    /// What a message would look like.
    Preview(Preview),
    /// What a dialogue makes of a sample.
    Rehearsal(Rehearsal),
    /// What is at an address.
    Discovered(Discovery),
    /// How a channel did.
    Health(HealthReport),
    /// Where and how a channel's user signs in.
    SignInPage(SignInPage),
    /// What the user does in a browser.
    TypeCode(TypeCode),
    /// The sign-in is taken over.
    SignedIn {
        /// Who keeps it.
        kept: SessionKept,
    },
    /// A picture.
    Picture {
        /// A PNG in standard base64 with padding (RFC 4648, section 4), at most 1 MiB of it; `None`: it is not there (any more).
        png: Option<String>,
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
    /// The key of the settings that it is about, such as `url` or `heartbeat.interval`, where there is one.
    #[serde(default)]
    pub key: Option<String>,
}

impl Refusal {
    /// One that is about no key of the settings.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), key: None }
    }
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
    /// What a button of a message was to send, or the user, could not be sent, or was not taken.
    NotSent,
    /// There is a window already; it was asked to show.
    WindowOpen,
    /// The edits would make settings that can't be used; nothing was written.
    InvalidSettings,
    /// Somebody else changed the same keys of the settings file meanwhile; nothing was written.
    SettingsChanged,
    /// The settings file can't be read or written, or has an error in it that has to be mended by hand first.
    SettingsFile,
    /// The keyring is not there, is locked, or refused.
    Keyring,
    /// The channel has no session that one could sign in to or out of, or none of the cookies is the channel's.
    NoSession,
    /// Nobody is signed in: the provider said no, or nobody did what it asks for.
    NotSignedIn,
    /// No sample was given, and the channel has received no message yet.
    NoSample,
    /// The demo's server is not installed, or can't be started.
    Demo,
    /// The channel, or this message, is of a kind that can't be sent.
    CannotSend,
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
    /// Messages are no longer there: deleted, here or by their sender, or replaced by a later version.
    Gone {
        /// Their rows.
        #[cfg_attr(test, ts(type = "Array<number>"))]
        messages: Vec<i64>,
    },
    /// Messages were read elsewhere.
    Read {
        /// Their rows.
        #[cfg_attr(test, ts(type = "Array<number>"))]
        messages: Vec<i64>,
    },
    /// What was fetched for a message is here now.
    Pictures {
        /// The message's row.
        #[cfg_attr(test, ts(type = "number"))]
        message: i64,
        /// The name of the application that it is of, where it is known.
        #[serde(default)]
        app: Option<String>,
        /// All that is here for it.
        #[serde(flatten)]
        pictures: Pictures,
    },
    /// The window should come to the front. Told to the window alone.
    Raise {
        /// The desktop's permission to take the focus (XDG activation), where it handed one over.
        activation_token: Option<String>,
        /// The row of the message to show.
        #[cfg_attr(test, ts(type = "number | null"))]
        message: Option<i64>,
        /// Show the page that adds a channel, with this address. Nothing is asked of its server before the user says so.
        add: Option<String>,
    },
}
