//! What the link's dialect makes of what is heard: messages, answers, and how far the link is. It is shown as connected once the
//! subscription stands (T1), and answers no more often than a server may ask (T2).

use tidings_dialect::{Step, Until};

use super::conversation::Conversation;
use super::{Machine, Phase};
use crate::machine::facts::{Now, Output, Said};
use crate::{Cause, Frame, Payload, Stage};

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
        self.kept.extend(reply.keep);
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
        let (generation, received_at) = (self.generation, now.wall);
        let Conversation { replay, goes_on, .. } = *conversation;
        self.outputs.push_back(Output::Deliver(Frame { generation, payload, received_at, replay, goes_on }));
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
