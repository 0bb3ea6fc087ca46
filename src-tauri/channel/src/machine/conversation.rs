//! The talk over one link: what is waited for, and how often it may be answered (T1, T2). Gone with its link.

use std::time::Duration;

use tidings_dialect::{Dialect, Given, Offered, Talk};

use crate::{CaughtUp, Stage};

/// The talk over one link, and what is waited for.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) talk: Talk,
    /// What the server has yet to say before the link is of use, and until when.
    pub(super) waits: Option<(Stage, Duration)>,
    /// Whether what comes now was missed, where the dialect tells.
    pub(super) replay: Option<bool>,
    /// What was missed may come first: the server keeps it, or the talk knows what an earlier one kept.
    pub(super) goes_on: bool,
    /// How much of what was missed is here, where the dialect tells.
    pub(super) caught_up: Option<CaughtUp>,
    /// The server agreed to `tidings.v1`, and hasn't said a word of it.
    pub(super) may_be_plain: bool,
    pub(super) answers: Answers,
}

impl Conversation {
    pub(super) fn new(dialect: &Dialect, given: Given) -> Self {
        let taken = given.v1 == Offered::Taken;
        let dialect = if taken { &Dialect::V1 } else { dialect };
        Self {
            goes_on: dialect.has_backlog() || !given.kept.is_empty(),
            talk: dialect.talk(given),
            waits: None,
            replay: dialect.tells_when_caught_up().then_some(true),
            caught_up: taken.then_some(CaughtUp::Coming),
            may_be_plain: taken,
            answers: Answers::default(),
        }
    }

    /// It is the plain recipe that the server speaks.
    pub(super) fn is_plain(&mut self) {
        (self.replay, self.caught_up) = (None, None);
    }

    /// What is waited for; `None`: the link is of use.
    pub(super) fn waits(&self) -> Option<Stage> {
        self.waits.map(|(stage, _)| stage)
    }

    pub(super) fn limit(&self) -> Option<Duration> {
        self.waits.map(|(_, limit)| limit)
    }

    /// What has been waited for too long.
    pub(super) fn is_over(&self, now: Duration) -> Option<Stage> {
        self.waits.filter(|(_, limit)| *limit <= now).map(|(stage, _)| stage)
    }

    /// T2: nothing is read before this time.
    pub(super) fn resumes_at(&self) -> Option<Duration> {
        self.answers.paused_until
    }

    pub(super) fn is_paused(&self) -> bool {
        self.answers.paused_until.is_some()
    }

    /// Whether a pause has just ended.
    pub(super) fn resume(&mut self, now: Duration) -> bool {
        self.answers.paused_until.take_if(|until| *until <= now).is_some()
    }

    pub(super) fn beat(&mut self, text: &str) -> Option<String> {
        self.talk.beat(text)
    }
}

/// T2: answers that may go out at once. Too low: an honest server that asks for many is read slowly; too high: a hostile one
/// makes a client that talks.
const MOST_ANSWERS: u32 = 500;
/// … and how long it takes until one more may: 200 a second.
const ANSWER_EVERY: Duration = Duration::from_millis(5);
/// Answers that a pause in the reading makes room for. Too few: a wake-up for each answer; too many: the link stutters.
const REFILLED: u32 = 100;

/// T2: a bucket of answers. Where it is empty, nothing is read until it has filled by a part, so that nothing is left unanswered.
#[derive(Debug)]
pub(super) struct Answers {
    left: u32,
    counted: Duration,
    paused_until: Option<Duration>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { left: MOST_ANSWERS, counted: Duration::ZERO, paused_until: None }
    }
}

impl Answers {
    pub(super) fn take(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.counted).as_nanos() / ANSWER_EVERY.as_nanos();
        self.left = self.left.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX)).min(MOST_ANSWERS);
        if passed > 0 {
            self.counted = now;
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.paused_until = Some(now + ANSWER_EVERY * REFILLED);
        }
    }
}
