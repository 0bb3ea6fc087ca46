//! What the link's dialect makes of what is heard: messages, answers, and how far the link is. It is shown as connected once the
//! subscription stands (T1), and answers no more often than a server may ask (T2).

use std::time::Duration;

use tidings_dialect::{Dialect, Given, Step, Talk, Until};

use super::{Machine, Phase};
use crate::machine::facts::{Now, Output, Said};
use crate::{Cause, Frame, Payload, Stage};

/// The talk over one link, and what is waited for.
#[derive(Debug)]
pub(super) struct Conversation {
    talk: Talk,
    /// What the server has yet to say before the link is of use, and until when.
    waits: Option<(Stage, Duration)>,
    /// Whether what comes now was missed, where the dialect tells.
    replay: Option<bool>,
    answers: Answers,
}

impl Conversation {
    pub(super) fn new(dialect: &Dialect, given: Given) -> Self {
        Self {
            talk: dialect.talk(given),
            waits: None,
            replay: dialect.tells_when_caught_up().then_some(true),
            answers: Answers::default(),
        }
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

    pub(super) fn beat(&mut self, text: &str) -> String {
        self.talk.beat(text)
    }
}

/// T2: answers that may go out at once. Too low: an honest server that asks for many is read slowly; too high: a hostile one
/// makes a client that talks.
const MOST_ANSWERS: u32 = 500;
/// … and how long it takes until one more may: 200 a second.
const ANSWER_EVERY: Duration = Duration::from_millis(5);

/// T2: a bucket of answers. Where it is empty, nothing is read until it has filled by a part, so that nothing is left unanswered.
#[derive(Debug)]
struct Answers {
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
    fn take(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.counted).as_nanos() / ANSWER_EVERY.as_nanos();
        self.left = self.left.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX)).min(MOST_ANSWERS);
        if passed > 0 {
            self.counted = now;
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.paused_until = Some(now + ANSWER_EVERY * (MOST_ANSWERS / 5));
        }
    }
}

fn stage(until: Until) -> Stage {
    match until {
        Until::SignedIn => Stage::SignIn,
        Until::Subscribed => Stage::Subscribe,
    }
}

impl Machine {
    /// T2: whether the driver may read on.
    pub(crate) fn may_read(&self) -> bool {
        !matches!(&self.phase, Phase::Up { conversation, .. } if conversation.is_paused())
    }

    /// The link is open, and what is to be said first goes out.
    pub(super) fn begin(&mut self, now: Now) {
        self.forgot = None;
        let Phase::Up { conversation, .. } = &mut self.phase else { return };
        let reply = conversation.talk.open();
        let limit = now.mono + self.config.timing.subscribe;
        if let Some(Step::Waits(until)) = reply.steps.first() {
            conversation.waits = Some((stage(*until), limit));
        }
        for text in reply.say {
            self.say(text, now);
        }
        for step in reply.steps {
            self.step(step, now);
        }
    }

    /// A frame of the link that is up.
    pub(super) fn hear(&mut self, payload: Payload, now: Now) {
        let Phase::Up { conversation, .. } = &mut self.phase else { return };
        let reply = match &payload {
            Payload::Text(text) => conversation.talk.hear(text),
            Payload::Binary(bytes) => conversation.talk.hear_binary(bytes),
            // Something was to be read and can't be: it is told.
            Payload::Garbled(_) | Payload::TooBig { .. } | Payload::Broken { .. } => None,
        };
        let Some(reply) = reply else { return self.deliver(payload, now) };
        for text in reply.say {
            let Phase::Up { conversation, .. } = &mut self.phase else { return };
            conversation.answers.take(now.mono);
            self.say(text, now);
        }
        for message in reply.messages {
            self.deliver(Payload::Text(message), now);
        }
        for step in reply.steps {
            self.step(step, now);
        }
    }

    fn say(&mut self, text: String, now: Now) {
        let generation = self.generation;
        let Phase::Up { life, .. } = &mut self.phase else { return };
        life.said(now.mono);
        self.outputs.push_back(Output::Say { generation, text: Said(text) });
    }

    fn deliver(&mut self, payload: Payload, now: Now) {
        let Phase::Up { conversation, .. } = &self.phase else { return };
        let (generation, received_at, replay) = (self.generation, now.wall, conversation.replay);
        self.outputs.push_back(Output::Deliver(Frame { generation, payload, received_at, replay }));
    }

    fn step(&mut self, step: Step, now: Now) {
        let limit = now.mono + self.config.timing.subscribe;
        let Phase::Up { conversation, since, .. } = &mut self.phase else { return };
        match step {
            Step::Waits(until) => {
                let stage = stage(until);
                // What stands isn't waited for again, and each is waited for once.
                if conversation.waits.is_some_and(|(at, _)| at != stage) {
                    conversation.waits = Some((stage, limit));
                }
            }
            Step::Stands => {
                if conversation.waits.take().is_some() {
                    *since = now.wall;
                }
                self.forgot.get_or_insert((self.refreshed, self.sign_ins_refused));
                self.refreshed = false;
                self.sign_ins_refused = 0;
            }
            Step::CaughtUp => conversation.replay = conversation.replay.map(|_| false),
            Step::Refused(_) | Step::Replaced | Step::Foreign => self.leave(step, now),
        }
    }

    /// The server has said that it ends here; we close.
    fn leave(&mut self, step: Step, now: Now) {
        let cause = self.meaning(step, now);
        self.close(crate::end::close::NORMAL, now);
        self.count_link(Some(1), now);
        self.conclude(cause, None, true, now);
    }

    fn meaning(&mut self, step: Step, now: Now) -> Cause {
        match step {
            Step::Replaced => Cause::TakenOver,
            Step::Refused(said) => {
                self.remember_refusals(now);
                Cause::Denied { said }
            }
            Step::Foreign | Step::Waits(_) | Step::Stands | Step::CaughtUp => {
                Cause::Foreign { dialect: self.config.dialect.name().to_owned() }
            }
        }
    }

    /// A refusal right after the subscription stood is the answer to it, and it never did: some servers confirm nothing, and
    /// say only what they refuse.
    fn remember_refusals(&mut self, now: Now) {
        let Phase::Up { life, .. } = &self.phase else { return };
        if life.up(now.mono) < self.config.timing.turned_away
            && let Some((refreshed, refused)) = self.forgot.take()
        {
            self.refreshed |= refreshed;
            self.sign_ins_refused = refused;
        }
    }

    /// What the dialect makes of the server's close frame.
    pub(super) fn closed_by(&mut self, code: u16, reason: &str, now: Now) -> Option<Cause> {
        let Phase::Up { conversation, .. } = &mut self.phase else { return None };
        let step = conversation.talk.closed(code, reason)?;
        Some(self.meaning(step, now))
    }
}
