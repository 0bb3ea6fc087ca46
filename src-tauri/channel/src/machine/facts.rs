//! What goes into the [`Machine`](crate::machine::Machine) and what comes out.

use std::fmt;
use std::ops::Add;
use std::time::{Duration, SystemTime};

use tidings_dialect::{Given, Posted};

use crate::{About, Cause, CloseInfo, Command, Detail, DialAsk, Frame, Payload, Signal, Stage};

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// Monotonic, from any zero; stands still while the machine sleeps.
    pub(crate) mono: Duration,
    /// For showing, and for other processes.
    pub(crate) wall: SystemTime,
}

impl Add<Duration> for Now {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self { mono: self.mono + time, wall: self.wall + time }
    }
}

/// A fact for the machine.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Command(Command),
    Signal(Signal),
    /// The deadline has come.
    Time,
    Stage {
        generation: u64,
        stage: Stage,
    },
    DialFailed {
        generation: u64,
        cause: Cause,
        /// The answer's `Retry-After`.
        retry_after: Option<Duration>,
        /// Whether the host has another address to try.
        elsewhere: bool,
    },
    /// A dial was not made, for there is no other credential than the one that was refused.
    Unchanged {
        generation: u64,
    },
    Opened {
        generation: u64,
        /// What the dial brought for the talk.
        given: Given,
        /// What the link can prove its peer's life by.
        proof: Proof,
    },
    /// The address of this machine that the link goes out from is gone (W3).
    AddressGone {
        generation: u64,
    },
    /// What was asked by [`Output::Post`], or why there is no answer.
    Answered {
        generation: u64,
        answer: Result<String, Cause>,
    },
    /// The message of this number of that link is stored, and all before it.
    Stored {
        generation: u64,
        number: u64,
    },
    /// The user has read the messages of these ids.
    Read {
        ids: Vec<String>,
    },
    /// Some bytes came in, of whatever kind.
    Bytes {
        generation: u64,
    },
    /// A sign of life, made to be one.
    Beat {
        generation: u64,
    },
    Frame {
        generation: u64,
        payload: Payload,
        about: About,
    },
    /// How long the server wants the next dial to wait.
    Retry {
        generation: u64,
        wait: Duration,
    },
    Pong {
        generation: u64,
        counter: u64,
    },
    /// Asked by [`is_to_judge`](crate::machine::Machine::is_to_judge): the peer's machine has taken all that was sent.
    Acknowledged {
        generation: u64,
    },
    /// Something waits to be written and can't be, or no longer.
    WriteStuck {
        generation: u64,
        stuck: bool,
    },
    /// The link has ended, for the first and only time.
    Ended {
        generation: u64,
        end: End,
    },
    /// A link that was being closed is gone.
    Gone {
        generation: u64,
    },
    /// Reading is held back because the owner takes no frames, or no longer.
    ReadingHeld(bool),
}

/// What a link can prove its peer's life by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Proof {
    /// A ping that is answered.
    #[default]
    Pings,
    /// The same, and the server wants to hear something this often.
    PingsWithin(Duration),
    /// Bytes that come by themselves, if any.
    Bytes,
    /// The same, where something can be said.
    Beats,
}

/// How a link ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The peer sent a close frame; the driver answers it and then reports [`Input::Gone`].
    Closed(CloseInfo),
    /// The peer said why it ends the link; we hang up, and the driver then reports [`Input::Gone`].
    Told(Cause),
    /// The socket is gone.
    Lost { detail: Detail },
    /// The peer broke a rule; we close with `code`.
    Violation { code: u16, detail: Detail },
}

/// A text of ours. Its `Debug` shows none of it: a dialect may say a secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Said(pub(crate) String);

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Said({} bytes)", self.0.len())
    }
}

/// What the driver has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// Start a dial. Its one end is `DialFailed`, `Opened` or [`Output::Abandon`].
    Dial {
        generation: u64,
        ask: DialAsk,
    },
    /// Drop the dial.
    Abandon {
        generation: u64,
    },
    Heartbeat {
        generation: u64,
        text: Said,
    },
    /// Send a text that the dialect says.
    Say {
        generation: u64,
        text: Said,
    },
    /// Send a form that the dialect asks for, and report [`Input::Answered`].
    Post {
        generation: u64,
        post: Posted,
    },
    Ping {
        generation: u64,
        counter: u64,
    },
    /// Send a close frame and await the peer's; then report [`Input::Gone`].
    Close {
        generation: u64,
        code: u16,
    },
    /// As [`Output::Close`] with 1000, but what the peer sent before it heard of it is still reported (N1).
    Leave {
        generation: u64,
    },
    /// Drop the link.
    Abort {
        generation: u64,
    },
    Deliver(Frame),
    /// Nothing is left to do: end the task.
    Finish,
}
