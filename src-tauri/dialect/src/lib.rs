//! What is said to a server once a link is open, and what its frames mean: a message, an answer to give, noise, proof that the
//! subscription stands, a refusal, a take-over. Pure: a [`Talk`] is asked, and answers with what to do.
//!
//! ```text
//! Dialect ──talk()──> Talk (one per link)
//!                       open() ──> Reply: what to say first, and how far the link is then
//!                       hear(frame) ──> Reply: at most one answer, messages, a step
//!                       answered(body) ──> Reply: what a form that was asked for over HTTP brought
//!                       closed(code, reason) ──> what the end means, where the dialect knows
//! ```
//!
//! Nothing here knows sockets, clocks or messages' content. Each frame is answered at most once, and what a frame holds can't
//! make a talk panic or run for long.

mod dialogue;
mod framing;
mod ntfy;
mod rehearsal;
mod reply;
pub mod v1;

pub use dialogue::{Beat, Dialogue, Post, Rule, Then};
pub use framing::Framing;
pub use rehearsal::{Turn, rehearse};
pub use reply::{CaughtUp, Envelope, Given, Kept, Offered, Posted, Reply, Step, Until};

use std::sync::Arc;

/// How a server is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Dialect {
    /// Every frame is a message, and nothing is said but the heartbeat. Also Gotify's.
    #[default]
    Plain,
    /// ntfy's: the subscription stands once the server says so.
    Ntfy,
    /// The settings', or a preset's.
    Dialogue(Arc<Dialogue>),
    /// `tidings.v1`, in place of [`Plain`](Self::Plain) where both ends agreed upon it.
    V1,
}

impl Dialect {
    /// Begins the talk of one link.
    #[must_use]
    pub fn talk(&self, given: Given) -> Talk {
        Talk(match self {
            Self::Plain => Kind::Plain,
            Self::Ntfy => Kind::Ntfy { stands: false },
            Self::Dialogue(dialogue) => {
                Kind::Dialogue(Box::new(dialogue::Talk::new(dialogue.clone(), given)))
            }
            Self::V1 => Kind::V1(Box::default()),
        })
    }

    /// The subprotocol that is asked for in the upgrade.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        match self {
            Self::Plain | Self::Ntfy => None,
            Self::Dialogue(dialogue) => dialogue.subprotocol.as_deref(),
            Self::V1 => Some(v1::SUBPROTOCOL),
        }
    }

    /// Where the server says why it refused an upgrade at this path with a status that doesn't.
    #[must_use]
    pub fn reason_path(&self, path: &str, status: u16) -> Option<String> {
        match self {
            Self::Ntfy => ntfy::reason_path(path, status),
            Self::Plain | Self::Dialogue(_) | Self::V1 => None,
        }
    }

    /// Which of its limits is reached, by the server's own number for it, as the answer at that path says.
    #[must_use]
    pub fn limit(&self, said: &[u8]) -> Option<u16> {
        match self {
            Self::Ntfy => ntfy::limit(said),
            Self::Plain | Self::Dialogue(_) | Self::V1 => None,
        }
    }

    /// Whether it says when all that was missed has been sent.
    #[must_use]
    pub fn tells_when_caught_up(&self) -> bool {
        match self {
            Self::Plain | Self::Ntfy => false,
            Self::Dialogue(dialogue) => dialogue.on.iter().any(|rule| rule.then.caught_up),
            Self::V1 => true,
        }
    }

    /// Whether what was missed may come first on any link, unasked.
    #[must_use]
    pub fn has_backlog(&self) -> bool {
        match self {
            Self::Plain | Self::Ntfy | Self::V1 => false,
            Self::Dialogue(dialogue) => dialogue.backlog,
        }
    }

    /// Its name, where an error has to say what the server doesn't speak.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Plain => "",
            Self::Ntfy => "ntfy",
            Self::Dialogue(dialogue) => &dialogue.name,
            Self::V1 => v1::SUBPROTOCOL,
        }
    }
}

/// The talk over one link.
#[derive(Debug)]
pub struct Talk(Kind);

#[derive(Debug)]
enum Kind {
    Plain,
    Ntfy { stands: bool },
    Dialogue(Box<dialogue::Talk>),
    V1(Box<v1::Talk>),
}

impl Talk {
    /// The link is open.
    pub fn open(&mut self) -> Reply {
        match &mut self.0 {
            Kind::Plain => Reply::step(Step::Stands),
            Kind::Ntfy { .. } => Reply::step(Step::Waits(Until::Subscribed)),
            Kind::Dialogue(talk) => talk.open(),
            Kind::V1(talk) => talk.open(),
        }
    }

    /// A text frame came. `None`: it is a message as it stands, and nothing else.
    pub fn hear(&mut self, text: &str) -> Option<Reply> {
        match &mut self.0 {
            Kind::Plain => None,
            Kind::Ntfy { stands } => ntfy::hear(text, stands),
            Kind::Dialogue(talk) => talk.hear(text),
            Kind::V1(talk) => talk.hear(text),
        }
    }

    /// A binary frame came. `None`: it is a message as it stands.
    pub fn hear_binary(&mut self, bytes: &[u8]) -> Option<Reply> {
        match &mut self.0 {
            Kind::Plain => None,
            Kind::Ntfy { .. } => Some(Reply::default()),
            Kind::Dialogue(talk) => talk.hear_binary(bytes),
            Kind::V1(talk) => talk.hear_binary(),
        }
    }

    /// What a [`Reply`] asked for over HTTP has this answer.
    pub fn answered(&mut self, body: &str) -> Reply {
        match &mut self.0 {
            Kind::Plain | Kind::Ntfy { .. } | Kind::V1(_) => Reply::default(),
            Kind::Dialogue(talk) => talk.answered(body),
        }
    }

    /// The text of the heartbeat that is due; `text` is the settings'. `None`: none can be made.
    pub fn beat(&mut self, text: &str) -> Option<String> {
        match &mut self.0 {
            Kind::Plain | Kind::Ntfy { .. } | Kind::V1(_) => Some(text.to_owned()),
            Kind::Dialogue(talk) => talk.beat(),
        }
    }

    /// What is kept for the talks of later links.
    #[must_use]
    pub fn kept(&self) -> Kept {
        match &self.0 {
            Kind::Plain | Kind::Ntfy { .. } | Kind::V1(_) => Kept::new(),
            Kind::Dialogue(talk) => talk.kept().clone(),
        }
    }

    /// The message of this [number](Envelope::number) is stored, and so are all before it: what is to be said now.
    pub fn stored(&mut self, number: u64) -> Option<String> {
        match &mut self.0 {
            Kind::Plain | Kind::Ntfy { .. } | Kind::Dialogue(_) => None,
            Kind::V1(talk) => talk.stored(number),
        }
    }

    /// The user has read the messages of these ids: what is to be said.
    #[must_use]
    pub fn read(&self, ids: &[String]) -> Vec<String> {
        match &self.0 {
            Kind::Plain | Kind::Ntfy { .. } | Kind::Dialogue(_) => Vec::new(),
            Kind::V1(talk) => talk.read(ids),
        }
    }

    /// What a close frame means, where the dialect says so: [`Step::Refused`] or [`Step::Replaced`].
    pub fn closed(&mut self, code: u16, reason: &str) -> Option<Step> {
        match &mut self.0 {
            Kind::Plain | Kind::Ntfy { .. } | Kind::V1(_) => None,
            Kind::Dialogue(talk) => talk.closed(code, reason),
        }
    }
}
