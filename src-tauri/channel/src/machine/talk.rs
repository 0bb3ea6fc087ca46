//! What the link's dialect makes of what is heard: messages, answers, and how far the link is. It is shown as connected once the
//! subscription stands (T1), and answers no more often than a server may ask (T2).

use tidings_dialect::{CaughtUp as Told, Envelope, Reply, Step, Until};

use super::conversation::Conversation;
use super::{Machine, Phase, link_of};
use crate::link::tap::MOST_MESSAGE;
use crate::machine::facts::{Now, Output, Said};
use crate::machine::links::{Renewal, Up};
use crate::{About, CaughtUp, Cause, Enveloped, Frame, Payload, Stage};

fn stage(until: Until) -> Stage {
    match until {
        Until::SignedIn => Stage::SignIn,
        Until::Subscribed => Stage::Subscribe,
    }
}

impl Machine {
    /// T2: whether the driver may read on.
    pub(crate) fn may_read(&self, generation: u64) -> bool {
        let paused = |up: &Up| up.generation == generation && up.conversation.is_paused();
        match (&self.phase, self.renewal.as_deref()) {
            (Phase::Up(up), _) if paused(up) => false,
            (_, Some(Renewal::Open(up))) => !paused(up),
            // What leaves answers nothing any more.
            (_, _) => true,
        }
    }

    /// The link is open, and what is to be said first goes out.
    pub(super) fn begin(&mut self, generation: u64, now: Now) {
        let limit = now.mono + self.config.timing.subscribe;
        let Some(Up { conversation, .. }) = self.link(generation) else { return };
        let reply = conversation.talk.open();
        if let Some(Step::Waits(until)) = reply.steps.first() {
            conversation.waits = Some((stage(*until), limit));
        }
        for text in reply.say {
            self.say(generation, text, now);
        }
        for step in reply.steps {
            self.step(generation, step, now);
        }
    }

    /// A frame of a link.
    pub(super) fn hear(&mut self, generation: u64, payload: Payload, about: About, now: Now) {
        let Some(Up { conversation, .. }) = self.link(generation) else { return };
        let reply = match &payload {
            Payload::Text(text) => conversation.talk.hear(text),
            Payload::Binary(bytes) => conversation.talk.hear_binary(bytes),
            // Something was to be read and can't be: it is told.
            Payload::Garbled(_) | Payload::TooBig { .. } | Payload::Broken { .. } | Payload::Read(_) => None,
        };
        let Some(reply) = reply else { return self.deliver(generation, payload, about, now) };
        if reply == Reply::default() {
            self.beaten(generation, now);
        }
        let again = reply.as_it_stands.then_some(payload);
        self.do_as_said(generation, reply, &about, now);
        if let Some(payload) = again {
            self.deliver(generation, payload, about, now);
        }
    }

    /// T6: what the dialect asked for over HTTP. Where there is no answer, the link is of no use.
    pub(super) fn answered(&mut self, generation: u64, answer: Result<String, Cause>, now: Now) {
        let Some(Up { conversation, .. }) = self.link(generation) else { return };
        match answer {
            Ok(body) => {
                let reply = conversation.talk.answered(&body);
                self.do_as_said(generation, reply, &About::default(), now);
            }
            Err(_) if self.leaves(generation) => {}
            Err(_) if generation != self.generation => self.next_lost(generation, true, now),
            Err(cause) => self.part(cause, now),
        }
    }

    fn do_as_said(&mut self, generation: u64, reply: Reply, about: &About, now: Now) {
        let leaves = self.leaves(generation);
        if generation == self.generation {
            self.kept.extend(reply.keep);
        }
        // After our close nothing may be said, and how far the link is concerns nobody.
        for text in reply.say.into_iter().filter(|_| !leaves) {
            let Some(Up { conversation, .. }) = self.link(generation) else { return };
            conversation.answers.take(now.mono);
            self.say(generation, text, now);
        }
        if let Some(post) = reply.post.filter(|_| !leaves) {
            self.outputs.push_back(Output::Post { generation, post });
        }
        // What isn't what it was taken for is so from the first frame on.
        let (first, steps): (Vec<Step>, Vec<Step>) =
            reply.steps.into_iter().partition(|step| *step == Step::Plain);
        for step in first {
            self.step(generation, step, now);
        }
        for message in reply.messages {
            self.deliver(generation, Payload::Text(message), about.clone(), now);
        }
        if let Some(envelope) = reply.envelope {
            self.unpack(generation, envelope, now);
        }
        if !reply.read.is_empty() {
            self.deliver(generation, Payload::Read(reply.read), About::default(), now);
        }
        for step in steps.into_iter().filter(|step| !leaves || *step == Step::CaughtUp) {
            self.step(generation, step, now);
        }
    }

    /// A message by its envelope. One that is too long is told of and acknowledged, or it would come on each link anew.
    fn unpack(&mut self, generation: u64, Envelope { id, number, text }: Envelope, now: Now) {
        let bytes = text.len() as u64;
        let payload = if bytes > MOST_MESSAGE { Payload::TooBig { bytes } } else { Payload::Text(text) };
        let enveloped = id.is_some().then_some(Enveloped { number });
        self.deliver(generation, payload, About { id, enveloped, ..About::default() }, now);
    }

    pub(super) fn link(&mut self, generation: u64) -> Option<&mut Up> {
        let Self { phase, renewal, .. } = self;
        link_of(phase, renewal, generation)
    }

    fn say(&mut self, generation: u64, text: String, now: Now) {
        let Some(Up { life, .. }) = self.link(generation) else { return };
        life.said(now.mono);
        self.outputs.push_back(Output::Say { generation, text: Said(text) });
    }

    fn deliver(&mut self, generation: u64, payload: Payload, about: About, now: Now) {
        let Some(Up { conversation, life, .. }) = self.link(generation) else { return };
        life.told();
        let Conversation { replay, goes_on, .. } = *conversation;
        if !self.is_double(generation, &payload, now) {
            let received_at = now.wall;
            self.outputs.push_back(Output::Deliver(Frame {
                generation,
                payload,
                about,
                received_at,
                replay,
                goes_on,
            }));
        }
    }

    fn step(&mut self, generation: u64, step: Step, now: Now) {
        let limit = now.mono + self.config.timing.subscribe;
        let Some(Up { conversation, .. }) = self.link(generation) else { return };
        match step {
            Step::Waits(until) => {
                let stage = stage(until);
                // What stands isn't waited for again, and each is waited for once.
                if conversation.waits.is_some_and(|(at, _)| at != stage) {
                    conversation.waits = Some((stage, limit));
                }
            }
            Step::Stands => {
                let since = conversation.waits.take().map(|_| now.wall);
                let since = self.take_place(generation, now).or(since);
                if let Phase::Up(up) = &mut self.phase {
                    up.since = since.unwrap_or(up.since);
                }
                let Self { ways, config, .. } = self;
                config.memory.with(|known| ways.stood(&mut known.carriers));
                self.forgot.get_or_insert((self.refreshed, self.sign_ins_refused));
                self.refreshed = false;
                self.sign_ins_refused = 0;
                if let Some(Up { conversation, .. }) = self.link(generation)
                    && std::mem::take(&mut conversation.may_be_plain)
                {
                    self.config.memory.with(|known| known.offer.is_spoken());
                }
            }
            Step::Plain => {
                conversation.may_be_plain = false;
                conversation.is_plain();
                self.config.memory.with(|known| known.offer.is_unknown());
            }
            Step::CaughtUpWith(Told::All) => self.is_caught_up(generation, CaughtUp::All, now),
            Step::CaughtUpWith(Told::Gap { from, until }) => {
                self.is_caught_up(generation, CaughtUp::Gap { from, until }, now);
            }
            Step::CaughtUp => conversation.replay = conversation.replay.map(|_| false),
            Step::Refused(_) | Step::Replaced | Step::Foreign => self.leave(generation, step, now),
        }
    }

    /// The server has said that it ends here; we close.
    fn leave(&mut self, generation: u64, step: Step, now: Now) {
        if generation != self.generation {
            if step != Step::Replaced {
                return self.next_lost(generation, true, now);
            }
            self.take_place(generation, now);
        }
        let cause = self.meaning(step, now);
        self.part(cause, now);
    }

    /// We close, for this cause.
    fn part(&mut self, cause: Cause, now: Now) {
        self.close(crate::end::close::NORMAL, now);
        // What the next link brings about is held against nobody.
        self.count_link((!self.is_next_asked()).then_some(1), now);
        self.follow(cause, now);
    }

    fn meaning(&mut self, step: Step, now: Now) -> Cause {
        match step {
            Step::Replaced => Cause::TakenOver,
            Step::Refused(said) => {
                self.remember_refusals(now);
                Cause::Denied { said }
            }
            Step::Foreign
            | Step::Waits(_)
            | Step::Stands
            | Step::CaughtUp
            | Step::CaughtUpWith(_)
            | Step::Plain => Cause::Foreign { dialect: self.config.dialect.name().to_owned() },
        }
    }

    /// A refusal right after the subscription stood is the answer to it, and it never did: some servers confirm nothing, and
    /// say only what they refuse.
    fn remember_refusals(&mut self, now: Now) {
        let Phase::Up(up) = &self.phase else { return };
        if up.life.up(now.mono) < self.config.timing.turned_away
            && let Some((refreshed, refused)) = self.forgot.take()
        {
            self.refreshed |= refreshed;
            self.sign_ins_refused = refused;
        }
    }

    /// What the dialect makes of the server's close frame.
    pub(super) fn closed_by(&mut self, code: u16, reason: &str, now: Now) -> Option<Cause> {
        let Phase::Up(up) = &mut self.phase else { return None };
        let step = up.conversation.talk.closed(code, reason)?;
        Some(self.meaning(step, now))
    }
}
