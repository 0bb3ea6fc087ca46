//! What a talk is given, and what it answers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

/// Values of frames by the names under which the dialogue keeps them.
pub type Kept = BTreeMap<String, String>;

/// What a dial brought for the talk. Its `Debug` shows no values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The token or password.
    pub secret: Option<String>,
    /// The user's name, where there is one.
    pub username: Option<String>,
    /// The id of the last message.
    pub last: Option<String>,
    /// What earlier links' talks kept.
    pub kept: Kept,
    /// What the upgrade said of `tidings.v1`.
    pub v1: Offered,
}

/// What an upgrade said of `tidings.v1`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Offered {
    /// Nothing.
    #[default]
    Unheard,
    /// The server speaks it, and it wasn't offered.
    Announced,
    /// It was offered, and taken.
    Taken,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given(***)")
    }
}

/// How far a link is that is open and not of use yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The server has yet to take the sign-in.
    SignedIn,
    /// The server has yet to take the subscription.
    Subscribed,
}

/// What follows from a frame, beside answers and messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The link isn't of use yet.
    Waits(Until),
    /// The subscription stands.
    Stands,
    /// The server refuses; what it says for people, which is untrusted.
    Refused(String),
    /// Another instance has taken over.
    Replaced,
    /// All that was missed has been sent.
    CaughtUp,
    /// How much of it that was.
    CaughtUpWith(CaughtUp),
    /// The server agreed to a subprotocol that it doesn't speak: each frame is a message.
    Plain,
    /// It isn't this dialect that the server speaks.
    Foreign,
}

/// How much of what was missed has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaughtUp {
    /// All of it.
    All,
    /// Not all: the server hasn't kept it.
    Gap {
        /// What is missing was sent after this, as far as the server says.
        from: Option<SystemTime>,
        /// … and before this.
        until: Option<SystemTime>,
    },
}

/// A message with what its server knows it by.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Never given twice.
    pub id: Option<String>,
    /// What [`Talk::stored`](crate::Talk::stored) is told, where the server wants to know.
    pub number: Option<u64>,
    /// The message.
    pub text: String,
}

/// What to do.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// To be sent, in this order. At most one but at the open.
    pub say: Vec<String>,
    /// To be asked over HTTP.
    pub post: Option<Posted>,
    /// Messages.
    pub messages: Vec<String>,
    /// A message by its envelope.
    pub envelope: Option<Envelope>,
    /// Ids of messages that were read on another device, or as this one said.
    pub read: Vec<String>,
    /// The frame is a message as it stands, once the steps are done.
    pub as_it_stands: bool,
    /// What follows.
    pub steps: Vec<Step>,
    /// What is to be kept for the talks of later links.
    pub keep: Kept,
    /// Texts that could not be made, as a name in them isn't known here, and aren't said.
    pub unsaid: usize,
}

/// A form to be sent. Its `Debug` shows no values.
#[derive(Clone, PartialEq, Eq)]
pub struct Posted {
    /// Where to, as the settings say it: no word of the server's is in it.
    pub url: String,
    /// Names and values.
    pub form: Vec<(String, String)>,
}

impl fmt::Debug for Posted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Posted({} fields)", self.form.len())
    }
}

/// Shows no text: one may hold a secret, the others are people's mail.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("say", &self.say.len())
            .field("messages", &(self.messages.len() + usize::from(self.envelope.is_some())))
            .field("steps", &self.steps)
            .finish()
    }
}

impl Reply {
    pub(crate) fn step(step: Step) -> Self {
        Self { steps: vec![step], ..Self::default() }
    }
}
