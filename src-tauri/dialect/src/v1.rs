//! `tidings.v1`, as docs/protocol.md specifies it: messages in envelopes with ids, acknowledgements, the end of what was missed, and
//! what was read elsewhere.
//!
//! It was agreed upon in the upgrade, but some servers agree to anything. So the first frame tells: where that isn't the hello, the
//! link is one of the plain recipe, and nothing of it is lost.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::reply::{CaughtUp, Envelope, Reply, Step, Until};

/// What is agreed upon in the upgrade.
pub const SUBPROTOCOL: &str = "tidings.v1";

/// Longest id, bytes: as much as a message's id may have anywhere. Too low: honest ids are passed over; too high: a hostile server's
/// fill the memory while their messages wait to be stored.
pub const MOST_ID: usize = 512;

/// Ids of one `read`, said or heard. Too few: a frame for each of many; too many: frames that servers refuse.
pub const MOST_READ: usize = 500;

/// The same in bytes of ids: with quotes and escapes it stays below the 64 KiB that a server has to take, and that wait to be written.
const MOST_READ_BYTES: usize = 8 * 1024;

/// Messages that are acknowledged at once while more of them wait to be stored. Too few: a burst is answered message by message; too
/// many: a server keeps for long what is stored already.
const ACKNOWLEDGED_AT_ONCE: u64 = 64;

/// The talk of one link.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    agreed: Agreed,
    /// Number of the newest message of this link.
    newest: u64,
    /// Number of the last one that was acknowledged.
    acknowledged: u64,
    /// Those in between, with their ids.
    owed: VecDeque<(u64, String)>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Agreed {
    /// The first frame is yet to come.
    #[default]
    Perhaps,
    Yes,
    /// The server agreed to something that it doesn't know.
    No,
}

/// What an end of the link says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Says<'a> {
    Ack { id: &'a str },
    Read { ids: &'a [String] },
}

impl Talk {
    pub(crate) fn open(&mut self) -> Reply {
        Reply::step(Step::Waits(Until::Subscribed))
    }

    /// `None`: the frame is a message as it stands.
    pub(crate) fn hear(&mut self, text: &str) -> Option<Reply> {
        let said = Said::parse(text);
        match self.agreed {
            Agreed::No => None,
            Agreed::Perhaps => match said {
                Some(said) if said.is("hello") && said.text("protocol").as_deref() == Some(SUBPROTOCOL) => {
                    self.agreed = Agreed::Yes;
                    Some(Reply::step(Step::Stands))
                }
                Some(_) | None => Some(Reply { messages: vec![text.to_owned()], ..self.plain() }),
            },
            Agreed::Yes => Some(said.map(|said| self.heard(&said)).unwrap_or_default()),
        }
    }

    /// Nothing of this protocol is binary.
    pub(crate) fn hear_binary(&mut self) -> Option<Reply> {
        match self.agreed {
            Agreed::No => None,
            // It comes once more, to be heard as what it is.
            Agreed::Perhaps => Some(Reply { as_it_stands: true, ..self.plain() }),
            Agreed::Yes => Some(Reply::default()),
        }
    }

    /// It isn't spoken here.
    fn plain(&mut self) -> Reply {
        self.agreed = Agreed::No;
        Reply { steps: vec![Step::Plain, Step::Stands], ..Reply::default() }
    }

    fn heard(&mut self, said: &Said<'_>) -> Reply {
        match said.kind.as_ref() {
            "message" => self.message(said).unwrap_or_default(),
            "caught-up" => {
                let state = match said.is_true("complete") {
                    true => CaughtUp::All,
                    false => CaughtUp::Gap { from: said.time("from"), until: said.time("until") },
                };
                Reply { steps: vec![Step::CaughtUpWith(state), Step::CaughtUp], ..Reply::default() }
            }
            "read" => {
                let ids: Vec<String> = said.member("ids").unwrap_or_default();
                let ids = ids.into_iter().filter(|id| is_id(id)).take(MOST_READ).collect();
                Reply { read: ids, ..Reply::default() }
            }
            _ => Reply::default(),
        }
    }

    fn message(&mut self, said: &Said<'_>) -> Option<Reply> {
        let data = said.members.get("data")?.get();
        let text = match data.starts_with('"') {
            true => serde_json::from_str(data).ok()?,
            false => data.to_owned(),
        };
        let id = said.id();
        let number = id.as_ref().map(|id| {
            self.newest += 1;
            self.owed.push_back((self.newest, id.clone()));
            self.newest
        });
        Some(Reply { envelope: Some(Envelope { id, number, text }), ..Reply::default() })
    }

    /// The message of this number is stored, and so are all before it: what is to be said now. While more of them wait, it can.
    pub(crate) fn stored(&mut self, number: u64) -> Option<String> {
        if number < self.newest && number < self.acknowledged.saturating_add(ACKNOWLEDGED_AT_ONCE) {
            return None;
        }
        let mut last = None;
        while self.owed.front().is_some_and(|(owed, _)| *owed <= number) {
            last = self.owed.pop_front();
        }
        let (number, id) = last?;
        self.acknowledged = number;
        said(&Says::Ack { id: &id })
    }

    /// The user has read these: what is to be said, where the server wants to know.
    pub(crate) fn read(&self, ids: &[String]) -> Vec<String> {
        if self.agreed != Agreed::Yes {
            return Vec::new();
        }
        let mut frames = Vec::new();
        let mut rest = ids;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |id: &&String| {
                bytes += id.len();
                bytes <= MOST_READ_BYTES
            };
            let many = rest.iter().take(MOST_READ).take_while(fits).count().max(1);
            let (ids, more) = rest.split_at(many);
            frames.extend(said(&Says::Read { ids }));
            rest = more;
        }
        frames
    }
}

fn said(says: &Says<'_>) -> Option<String> {
    serde_json::to_string(says).ok()
}

fn is_id(id: &str) -> bool {
    (1..=MOST_ID).contains(&id.len())
}

/// One frame's object. What a member holds is looked at when it is wanted: one that makes no sense costs no message.
struct Said<'a> {
    kind: Cow<'a, str>,
    members: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

impl<'a> Said<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let members: BTreeMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(text).ok()?;
        let kind: String = serde_json::from_str(members.get("type")?.get()).ok()?;
        Some(Self { kind: kind.into(), members })
    }

    fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    fn member<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.members.get(name)?.get()).ok()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.member(name)
    }

    fn is_true(&self, name: &str) -> bool {
        self.member(name) == Some(true)
    }

    /// A text, or a number as it was written.
    fn id(&self) -> Option<String> {
        let written = self.members.get("id")?.get();
        let is_number = written.starts_with(|first: char| first.is_ascii_digit() || first == '-');
        let id = if is_number { Some(written.to_owned()) } else { self.text("id") };
        id.filter(|id| is_id(id))
    }

    fn time(&self, name: &str) -> Option<SystemTime> {
        Some(self.text(name)?.parse::<Timestamp>().ok()?.into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const HELLO: &str = r#"{"type":"hello","protocol":"tidings.v1"}"#;

    fn talk() -> Talk {
        let mut talk = Talk::default();
        assert_eq!(talk.open().steps, [Step::Waits(Until::Subscribed)]);
        assert_eq!(talk.hear(HELLO).map(|reply| reply.steps), Some(vec![Step::Stands]));
        talk
    }

    fn hear(talk: &mut Talk, text: &str) -> Reply {
        talk.hear(text).expect("of the protocol")
    }

    fn message(talk: &mut Talk, id: u64) -> Envelope {
        let text = format!(r#"{{"type":"message","id":"{id}","data":"x"}}"#);
        hear(talk, &text).envelope.expect("a message")
    }

    #[test]
    fn data_is_what_the_plain_recipe_would_have_sent() {
        let mut talk = talk();
        for (data, text) in [
            (r#""Tea is ready""#, "Tea is ready"),
            (r#"{"title": "Order 4711",  "n": 1.0}"#, r#"{"title": "Order 4711",  "n": 1.0}"#),
            (r#"[{"a":1},{"b":2}]"#, r#"[{"a":1},{"b":2}]"#),
            ("7", "7"),
            (r#""""#, ""),
            ("null", "null"),
        ] {
            let frame = format!(r#"{{"type":"message","id":"1","more":[{{}}],"data":{data}}}"#);
            let envelope = hear(&mut talk, &frame).envelope.expect("a message");
            assert_eq!(envelope.text, text);
            assert_eq!(envelope.id.as_deref(), Some("1"));
        }
    }

    #[test]
    fn ids_are_texts_or_numbers_and_a_message_without_a_good_one_is_a_message_all_the_same() {
        let mut talk = talk();
        let long = "x".repeat(MOST_ID + 1);
        for (id, expected) in [
            (r#""a""#.to_owned(), Some("a")),
            ("12345678901234567890123".to_owned(), Some("12345678901234567890123")),
            ("{}".to_owned(), None),
            (r#""""#.to_owned(), None),
            (format!("\"{long}\""), None),
        ] {
            let frame = format!(r#"{{"id":{id},"type":"message","data":"x"}}"#);
            let envelope = hear(&mut talk, &frame).envelope.expect("a message");
            assert_eq!(envelope.id.as_deref(), expected, "{id}");
            assert_eq!(envelope.number.is_some(), expected.is_some(), "what has no id can't be acknowledged");
        }
    }

    #[test]
    fn an_acknowledgement_speaks_for_all_before_it_and_waits_while_more_come() {
        let mut talk = talk();
        assert_eq!(message(&mut talk, 10).number, Some(1));
        assert_eq!(talk.stored(1).as_deref(), Some(r#"{"type":"ack","id":"10"}"#));
        for id in 11..=13 {
            message(&mut talk, id);
        }
        assert_eq!([talk.stored(2), talk.stored(3)], [None, None], "the last one says it");
        assert_eq!(talk.stored(4).as_deref(), Some(r#"{"type":"ack","id":"13"}"#));
        assert_eq!(talk.stored(4), None, "once");
        for id in 14..=200 {
            message(&mut talk, id);
        }
        let said: Vec<String> = (5..=191).filter_map(|number| talk.stored(number)).collect();
        let ids = [77, 141, 200].map(|id| format!(r#"{{"type":"ack","id":"{id}"}}"#));
        assert_eq!(said, ids, "one in 64, and the last");
        assert!(talk.owed.is_empty());
    }

    #[test]
    fn the_end_of_what_was_missed_is_told_with_what_is_missing() {
        let mut talk = talk();
        let steps = |reply: Reply| reply.steps;
        assert_eq!(
            steps(hear(&mut talk, r#"{"type":"caught-up","complete":true}"#)),
            [Step::CaughtUpWith(CaughtUp::All), Step::CaughtUp]
        );
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        for (members, from, until) in [
            (
                r#""complete":false,"from":"1970-01-01T00:00:07Z","until":"1970-01-01T01:00:08+01:00""#,
                at(7),
                at(8),
            ),
            (r#""complete":false,"from":"yesterday","until":7"#, None, None),
            (r#""complete":"yes""#, None, None),
            (r#""complete":null"#, None, None),
        ] {
            let gap = CaughtUp::Gap { from, until };
            let told = steps(hear(&mut talk, &format!(r#"{{"type":"caught-up",{members}}}"#)));
            assert_eq!(told, [Step::CaughtUpWith(gap), Step::CaughtUp], "{members}");
        }
    }

    #[test]
    fn read_marks_go_both_ways() {
        let mut talk = talk();
        let long = "x".repeat(MOST_ID + 1);
        let heard = hear(&mut talk, &format!(r#"{{"type":"read","ids":["1","","{long}","2"]}}"#));
        assert_eq!(heard.read, ["1", "2"]);
        assert_eq!(talk.read(&["7".to_owned()]), [r#"{"type":"read","ids":["7"]}"#]);
        let many: Vec<String> = (0..MOST_READ + 1).map(|id| id.to_string()).collect();
        assert_eq!(talk.read(&many).len(), 2);
        let long: Vec<String> = (0..MOST_READ).map(|_| "\u{1}".repeat(MOST_ID)).collect();
        let frames = talk.read(&long);
        assert!(frames.iter().all(|frame| frame.len() < 64 * 1024));
        let ids = |frame: &String| {
            let frame: serde_json::Value = serde_json::from_str(frame).expect("JSON");
            frame["ids"].as_array().expect("a list").len()
        };
        assert_eq!(frames.iter().map(ids).sum::<usize>(), MOST_READ);
        assert!(Talk::default().read(&many).is_empty(), "before the hello nothing is said");
    }

    #[test]
    fn what_it_does_not_know_is_passed_over() {
        let mut talk = talk();
        for frame in [
            r#"{"type":"weather"}"#,
            "{}",
            "[]",
            "7",
            "",
            "HeartBeat",
            r#"{"type":7}"#,
            r#"{"type":"read","ids":7}"#,
        ] {
            assert_eq!(hear(&mut talk, frame), Reply::default(), "{frame}");
        }
        assert_eq!(talk.hear_binary(), Some(Reply::default()));
    }

    /// Servers that take any subprotocol.
    #[test]
    fn whoever_begins_without_the_hello_speaks_the_plain_recipe_and_is_heard() {
        for first in ["Tea is ready", r#"{"type":"message","id":"1","data":"x"}"#, r#"{"type":"hello"}"#] {
            let mut talk = Talk::default();
            let reply = hear(&mut talk, first);
            assert_eq!(reply.steps, [Step::Plain, Step::Stands]);
            assert_eq!(reply.messages, [first]);
            assert_eq!(talk.hear(HELLO), None, "too late: it is a message");
        }
        let mut talk = Talk::default();
        let reply = talk.hear_binary().expect("heard");
        assert!(reply.as_it_stands);
        assert_eq!(talk.hear_binary(), None);
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_breaks_it(frames in proptest::collection::vec(".{0,80}", 0..20)) {
            let mut talk = talk();
            for frame in frames {
                let reply = hear(&mut talk, &frame);
                prop_assert!(reply.say.is_empty(), "nothing is answered but what is stored or read");
            }
        }

        #[test]
        fn each_message_is_acknowledged_in_the_end_and_none_before_it_is_stored(
            stored in proptest::collection::vec(0u64..40, 0..40)
        ) {
            let mut talk = talk();
            let (mut heard, mut done) = (0, 0);
            for more in stored {
                for _ in 0..more {
                    heard += 1;
                    message(&mut talk, heard);
                }
                done = (done + 7).min(heard);
                if let Some(said) = talk.stored(done) {
                    prop_assert_eq!(said, format!(r#"{{"type":"ack","id":"{done}"}}"#));
                }
            }
            talk.stored(heard);
            prop_assert!(talk.owed.is_empty());
        }
    }
}
