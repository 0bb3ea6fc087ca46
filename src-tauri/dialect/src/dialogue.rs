//! A dialogue of the settings, or of a preset: what is said at the open, rules for what is heard, and a beat.
//!
//! The first rule whose condition holds says what a frame is. What no rule takes is a message as it stands, so that
//! nothing is lost; a last rule of `when = "true"` and `ignore = true` drops it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tidings_template::{Condition, Pointer, Template, Value, json};

use crate::framing::Framing;
use crate::reply::{Given, Kept, Posted, Reply, Step, Until};

/// Longest text that is told of a refusal, characters.
const LONGEST_REFUSAL: usize = 300;
/// Longest value that is kept of a frame, bytes. Too short: a server's session can't be gone on with; too long: a hostile one's values
/// stay in memory.
const LONGEST_KEPT: usize = 1024;
/// Messages of one frame. A list of more is one message: so many come from no honest server.
const MOST_MESSAGES: usize = 1_000;

/// A dialogue as the settings say it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dialogue {
    /// What it is called, for people: a preset's name, or empty.
    pub name: String,
    /// Asked for in the upgrade.
    pub subprotocol: Option<String>,
    /// How texts are packed.
    pub framing: Framing,
    /// Said after the open, in this order.
    pub greet: Vec<Template>,
    /// What frames and close frames mean; the first that holds counts.
    pub on: Arc<[Rule]>,
    /// Said every so often, whatever comes in.
    pub beat: Option<Beat>,
    /// The server keeps what comes while nobody listens, and sends it right after the subscription.
    pub backlog: bool,
    /// Names that its texts and conditions know, with their values.
    pub set: BTreeMap<String, String>,
}

/// What is said every so often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// The text.
    pub text: Template,
    /// How often. Too low: needless traffic and wake-ups; too high: the server ends the link.
    pub interval: Duration,
}

/// What a frame means for which this is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Over `json`, `raw` and the dialogue's own names; one that asks for `close` or `reason` is about close frames alone, and one that
    /// asks for `answer` about what a [`Post`] brought.
    pub when: Condition,
    /// What follows.
    pub then: Then,
}

/// What follows from a rule; nothing at all: the frame is noise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Then {
    /// The answer.
    pub say: Option<Template>,
    /// What is asked over HTTP.
    pub post: Option<Post>,
    /// It counts but once a link, as all do that ask over HTTP.
    pub once: bool,
    /// The sign-in was taken.
    pub signed_in: bool,
    /// The subscription stands.
    pub connected: bool,
    /// Where the message stands, or a list of messages.
    pub message: Option<Pointer>,
    /// The server refuses; what is told of it.
    pub refused: Option<Template>,
    /// Another instance has taken over.
    pub replaced: bool,
    /// All that was missed has been sent.
    pub caught_up: bool,
    /// What is kept of the frame for texts and conditions from then on, those of later links too: names and templates. What makes an
    /// empty text keeps nothing.
    pub keep: Vec<(String, Template)>,
}

/// A form that is sent over HTTP, by the channel's way and with its sign-in; the answer is heard by rules over `answer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Where to. It knows the settings' own names alone: a server could have the secret sent elsewhere.
    pub url: Template,
    /// Names and texts.
    pub form: Vec<(String, Template)>,
}

impl Post {
    /// Where to, with these values of the settings.
    #[must_use]
    pub fn url(&self, set: &BTreeMap<String, String>) -> Option<String> {
        let set = set.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str())));
        self.url.render(&Value::from_pairs(set)).ok().filter(|url| !url.is_empty())
    }
}

impl Then {
    /// The texts that are sent.
    pub fn texts(&self) -> impl Iterator<Item = &Template> {
        let form = self.post.iter().flat_map(|post| post.form.iter().map(|(_, text)| text));
        self.say.iter().chain(form)
    }
}

impl Dialogue {
    /// Whether one of its texts holds this name.
    #[must_use]
    pub fn says(&self, name: &str) -> bool {
        let answers = self.on.iter().flat_map(|rule| rule.then.texts());
        let beat = self.beat.iter().map(|beat| &beat.text);
        self.greet.iter().chain(answers).chain(beat).any(|text| text.uses(name))
    }

    /// What the server has yet to say at the open before the link is of use.
    fn until(&self) -> Option<Until> {
        let some = |is: fn(&Then) -> bool| self.on.iter().any(|rule| is(&rule.then));
        match (some(|then| then.connected), some(|then| then.signed_in)) {
            (false, _) => None,
            (true, true) => Some(Until::SignedIn),
            (true, false) => Some(Until::Subscribed),
        }
    }
}

/// The talk of one link.
#[derive(Debug)]
pub(crate) struct Talk {
    dialogue: Arc<Dialogue>,
    given: Given,
    /// The number in the last text that asked for one.
    counter: u64,
    /// Rules that count but once, and did.
    spent: BTreeSet<usize>,
    /// Texts of the reply that is being made which could not be.
    unsaid: usize,
    /// The subscription stands, as far as that is ever said.
    stands: bool,
}

impl Talk {
    pub(crate) fn new(dialogue: Arc<Dialogue>, given: Given) -> Self {
        let stands = dialogue.until().is_none();
        Self { dialogue, given, counter: 0, spent: BTreeSet::new(), unsaid: 0, stands }
    }

    pub(crate) fn open(&mut self) -> Reply {
        let dialogue = Arc::clone(&self.dialogue);
        let say = dialogue.greet.iter().filter_map(|text| self.text(text, &[]));
        let say = say.map(|text| dialogue.framing.pack(text)).collect();
        let step = dialogue.until().map_or(Step::Stands, Step::Waits);
        Reply { say, steps: vec![step], unsaid: std::mem::take(&mut self.unsaid), ..Reply::default() }
    }

    pub(crate) fn beat(&mut self) -> Option<String> {
        let dialogue = Arc::clone(&self.dialogue);
        let beat = dialogue.beat.as_ref()?;
        self.text(&beat.text, &[]).map(|text| dialogue.framing.pack(text))
    }

    /// `None`: the frame is a message as it stands.
    pub(crate) fn hear(&mut self, frame: &str) -> Option<Reply> {
        let dialogue = Arc::clone(&self.dialogue);
        let mut reply = Reply::default();
        let units = dialogue.framing.open(frame);
        let alone = units.len() == 1;
        for unit in units {
            let known = [("json", json(&unit.json).unwrap_or_default()), ("raw", Value::from(frame))];
            let is_meant = |rule: &Rule| !is_about_close(rule) && !is_about_answer(rule);
            if !self.follow(is_meant, &unit.json, &known, &mut reply) {
                // A preset knows all that its servers say before it, and another one's greeting would be a message with each dial.
                if !self.stands && !dialogue.name.is_empty() {
                    reply.steps.push(Step::Foreign);
                    continue;
                }
                if alone && dialogue.framing == Framing::Text {
                    return None;
                }
                reply.messages.push(unit.json);
            }
        }
        reply.unsaid = std::mem::take(&mut self.unsaid);
        Some(reply)
    }

    /// What was asked over HTTP has this answer.
    pub(crate) fn answered(&mut self, body: &str) -> Reply {
        let mut reply = Reply::default();
        let known = [("answer", json(body).unwrap_or_else(|| Value::from(body)))];
        self.follow(is_about_answer, body, &known, &mut reply);
        reply.unsaid = std::mem::take(&mut self.unsaid);
        reply
    }

    /// Adds what follows from the first of these rules that holds of what was heard; whether one does.
    fn follow(
        &mut self,
        is_meant: impl Fn(&Rule) -> bool,
        heard: &str,
        known: &[(&str, Value)],
        reply: &mut Reply,
    ) -> bool {
        let dialogue = Arc::clone(&self.dialogue);
        let facts = self.facts(known);
        let rules = dialogue.on.iter().enumerate();
        let taken = rules
            .filter(|(at, rule)| is_meant(rule) && !self.spent.contains(at))
            .find(|(_, rule)| holds(&rule.when, &facts));
        let Some((at, Rule { then, .. })) = taken else { return false };
        if then.once || then.post.is_some() {
            self.spent.insert(at);
        }
        for (name, template) in &then.keep {
            let value = template.render(&facts).unwrap_or_default();
            if (1..=LONGEST_KEPT).contains(&value.len()) {
                self.given.kept.insert(name.clone(), value.clone());
                reply.keep.insert(name.clone(), value);
            }
        }
        if let Some(pointer) = &then.message {
            messages(heard, pointer, &mut reply.messages);
        }
        if let Some(say) = &then.say
            && reply.say.is_empty()
        {
            reply.say.extend(self.text(say, known).map(|text| dialogue.framing.pack(text)));
        }
        if let Some(post) = &then.post
            && reply.post.is_none()
        {
            reply.post = self.posted(post, known);
        }
        if then.signed_in {
            reply.steps.push(Step::Waits(Until::Subscribed));
        }
        if then.connected {
            self.stands = true;
            reply.steps.push(Step::Stands);
        }
        if then.caught_up {
            reply.steps.push(Step::CaughtUp);
        }
        reply.steps.extend(self.end(then, known));
        true
    }

    fn posted(&mut self, post: &Post, known: &[(&str, Value)]) -> Option<Posted> {
        let url = post.url(&self.dialogue.set)?;
        let mut form = Vec::new();
        for (name, text) in &post.form {
            form.push((name.clone(), self.text(text, known)?));
        }
        Some(Posted { url, form })
    }

    /// What is text is heard as that, for some servers send JSON so; an attachment of Socket.IO is none.
    pub(crate) fn hear_binary(&mut self, bytes: &[u8]) -> Option<Reply> {
        if self.dialogue.framing == Framing::SocketIo {
            return Some(Reply::default());
        }
        std::str::from_utf8(bytes).ok().and_then(|text| self.hear(text))
    }

    pub(crate) fn closed(&mut self, code: u16, reason: &str) -> Option<Step> {
        let dialogue = Arc::clone(&self.dialogue);
        let known = [("close", Value::from(code)), ("reason", Value::from(reason))];
        let facts = self.facts(&known);
        let rule =
            dialogue.on.iter().filter(|rule| is_about_close(rule)).find(|rule| holds(&rule.when, &facts))?;
        self.end(&rule.then, &known)
    }

    /// The end that a rule means, if it means one.
    fn end(&mut self, then: &Then, known: &[(&str, Value)]) -> Option<Step> {
        if then.replaced {
            return Some(Step::Replaced);
        }
        let said = then.refused.as_ref()?.render(&self.facts(known)).unwrap_or_default();
        Some(Step::Refused(said.chars().take(LONGEST_REFUSAL).collect()))
    }

    pub(crate) fn kept(&self) -> &Kept {
        &self.given.kept
    }

    fn facts(&self, known: &[(&str, Value)]) -> Value {
        // What is heard can't take the place of what the settings say, nor the other way round: names are checked there.
        Value::from_pairs(self.names().chain(known.iter().cloned()))
    }

    /// What was kept, and what the settings say.
    fn names(&self) -> impl Iterator<Item = (&str, Value)> {
        let all = self.given.kept.iter().chain(&self.dialogue.set);
        all.map(|(name, value)| (name.as_str(), Value::from(value.as_str())))
    }

    /// What this template says now. Only here a secret is at hand: conditions and what is told of refusals never see it.
    fn text(&mut self, template: &Template, known: &[(&str, Value)]) -> Option<String> {
        if template.uses("n") {
            self.counter += 1;
        }
        let Given { secret, username, last, kept: _, v1: _ } = &self.given;
        let own = [("secret", secret), ("username", username), ("last", last)];
        let own = own.into_iter().filter_map(|(name, value)| Some((name, Value::from(value.as_deref()?))));
        let counter = std::iter::once(("n", Value::from(self.counter)));
        let facts = Value::from_pairs(self.names().chain(known.iter().cloned()).chain(counter).chain(own));
        match template.render(&facts) {
            Ok(text) => Some(text),
            Err(why) => {
                tracing::warn!(%why, "a text of the dialogue can't be made, so it isn't said");
                self.unsaid += 1;
                None
            }
        }
    }
}

fn is_about_close(rule: &Rule) -> bool {
    rule.when.uses("close") || rule.when.uses("reason")
}

fn is_about_answer(rule: &Rule) -> bool {
    rule.when.uses("answer")
}

fn holds(when: &Condition, facts: &Value) -> bool {
    when.holds(facts).unwrap_or_else(|why| {
        tracing::info!(%why, "a rule of the dialogue could not be asked about a frame, so it doesn't match");
        false
    })
}

/// What stands there: each element of a list, the content of a string, anything else as it was written. Nothing there: all of it,
/// so that nothing is lost.
fn messages(text: &str, pointer: &Pointer, out: &mut Vec<String>) {
    let found = pointer.find(text).unwrap_or(text);
    let decoded = |json: &str| match json.starts_with('"') {
        true => serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()),
        false => json.to_owned(),
    };
    match serde_json::from_str::<Vec<&RawValue>>(found) {
        Ok(list) if list.len() <= MOST_MESSAGES => out.extend(list.into_iter().map(|one| decoded(one.get()))),
        Ok(_) | Err(_) => out.push(decoded(found)),
    }
}

#[cfg(test)]
mod tests;
