//! A channel's dials and links: the one that it has, and the one beside it while a renewal lasts (N1).

use std::time::{Duration, SystemTime};

use crate::machine::conversation::Conversation;
use crate::machine::facts::Now;
use crate::machine::life::Life;
use crate::{Config, Stage, Timing};

/// A dial that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dial {
    pub(super) generation: u64,
    pub(super) stage: Stage,
    /// Since when it is there.
    pub(super) reached: Duration,
    pub(super) limit: Duration,
    /// When it is remembered that the upgrade waits for its answer (R3).
    pub(super) noted_at: Option<Duration>,
    /// It offers `tidings.v1`.
    pub(super) offers: bool,
}

impl Dial {
    pub(super) fn reach(&mut self, stage: Stage, now: Now, timing: &Timing) {
        self.stage = stage;
        self.reached = now.mono;
        if stage.may_be_late() {
            // The dial has its own, shorter one where there is another address to try.
            self.limit = now.mono + timing.upgrade_patience + timing.page;
            self.noted_at = Some(now.mono + timing.ghost_noted);
        }
    }

    /// What waited for an answer in another network, or while the machine slept, may wait in vain (D1).
    pub(super) fn lose_patience(&mut self, now: Now, timing: &Timing) {
        if self.stage.may_be_late() {
            self.limit = self.limit.min(now.mono + timing.upgrade);
        }
    }

    /// R3: an upgrade that is long in being answered is remembered.
    pub(super) fn note(&mut self, now: Now, config: &Config) {
        if self.noted_at.take_if(|at| *at <= now.mono).is_some() {
            config.memory.with(|known| known.ghosts.wait(now, config.timing.ghost_life));
        }
    }

    pub(super) fn deadline(&self) -> Duration {
        self.noted_at.map_or(self.limit, |at| at.min(self.limit))
    }
}

/// A link that is open.
#[derive(Debug)]
pub(super) struct Up {
    pub(super) generation: u64,
    pub(super) life: Box<Life>,
    /// Since when the channel is connected.
    pub(super) since: SystemTime,
    pub(super) conversation: Conversation,
}

impl Up {
    /// When the patience with its peer is over.
    pub(super) fn verdict_at(&self) -> Option<Duration> {
        self.life.verdict_at().into_iter().chain(self.conversation.limit()).min()
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let talk = self.conversation.limit().into_iter().chain(self.conversation.resumes_at());
        self.life.deadline().into_iter().chain(talk).min()
    }
}

/// A link whose close handshake runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closing {
    pub(super) generation: u64,
    pub(super) until: Duration,
    /// The server may not have taken note of the link yet, unless it answers the close (R3).
    pub(super) unproven: bool,
}

/// The link beside the channel's.
#[derive(Debug)]
pub(super) enum Renewal {
    /// Asked for. It is dialled then, once no older link is left.
    Due { at: Duration },
    /// The next link is dialled while the channel's goes on.
    Dialling(Dial),
    /// It is open, and its subscription doesn't stand yet.
    Open(Up),
    /// The server ended the old link because it has the next one, which has still to say so: until then it is as good as
    /// connected, since this time.
    HandedOver { since: SystemTime, until: Duration },
    /// The next link is the channel's. What the server sent over the old one before it heard our goodbye still comes.
    Leaving { up: Up, closing: Closing },
}

impl Renewal {
    /// Until when the old link may leave.
    pub(super) fn leaving_until(&self) -> Option<Duration> {
        match self {
            Self::Leaving { closing, .. } => Some(closing.until),
            Self::Due { .. } | Self::Dialling(_) | Self::Open(_) | Self::HandedOver { .. } => None,
        }
    }

    /// When the patience with a peer is over.
    pub(super) fn verdict_at(&self) -> Option<Duration> {
        match self {
            Self::Dialling(dial) => Some(dial.limit),
            Self::Open(up) => up.verdict_at(),
            Self::Leaving { closing, .. } => Some(closing.until),
            Self::Due { .. } | Self::HandedOver { .. } => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        match self {
            Self::Due { at } => Some(*at),
            Self::Dialling(dial) => Some(dial.deadline()),
            Self::Open(up) => up.deadline(),
            Self::HandedOver { until, .. } => Some(*until),
            Self::Leaving { closing, .. } => Some(closing.until),
        }
    }
}
