//! What a message would look like, and what a dialogue would say, by settings that are being edited.

use jiff::Timestamp;
use tidings_api::{ErrorCode, Meaning, Preview, Refusal, Rehearsal, Reply, Turn, Values};
use tidings_dialect::{self as dialect, Given, Posted, Until};
use tidings_inbox::{About, Payload, Published, Query, Raw};
use tidings_settings::{ChannelSettings, Kind};
use tidings_state::message::{message_report, rich};
use tidings_words::Text;

use super::Answers;

/// The keys of a channel that say what a message looks like, and which frames are messages.
const PREVIEWED: [&str; 11] = [
    "id",
    "name",
    "show",
    "format",
    "ignore",
    "ignore_when",
    "mapping",
    "rule",
    "kind",
    "preset",
    "dialogue",
];

/// Stands for the secret in what a dialogue would say. The real one is not even fetched.
const SECRET: &str = "***";

/// Stands for the address where only the look of messages is asked for (RFC 6761, section 6.4).
const NOWHERE: &str = "wss://preview.invalid/";

impl Answers {
    pub(super) async fn preview(
        &self,
        channel: Option<String>,
        mut values: Values,
        sample: Option<String>,
    ) -> Result<Reply, Refusal> {
        let (auth, username) = (values.remove("auth"), values.remove("username"));
        let topics = values.remove("topics");
        // Whatever else is being edited may be wrong meanwhile.
        values.retain(|key, _| PREVIEWED.contains(&key.as_str()));
        values.insert("url".to_owned(), NOWHERE.into());
        if matches!(values.get("kind").and_then(|kind| kind.as_str()), Some("ntfy" | "mqtt")) {
            values.insert("topics".to_owned(), vec!["preview"].into());
        }
        let signs_in = auth != Some("none".into());
        if !signs_in {
            values.insert("auth".to_owned(), "none".into());
        }
        let settings = self.file.channel(channel.as_deref(), values, self.words())?;
        let newest = Query { channel: Some(channel.clone().unwrap_or_default()), ..Query::newest(1) };
        if let Kind::Dialogue(dialogue) = &settings.kind {
            let given = Given {
                secret: signs_in.then(|| SECRET.to_owned()),
                username: username
                    .filter(|_| auth == Some("basic".into()))
                    .and_then(|name| name.as_str().map(str::to_owned)),
                last: match channel {
                    Some(_) => self.inbox.find(newest).await.pop().and_then(|last| last.id),
                    None => None,
                },
                ..Given::default()
            };
            let turns = dialect::rehearse(dialogue, given, &sample.unwrap_or_default());
            let turns = turns.into_iter().map(|turn| self.turn(&settings, turn)).collect();
            return Ok(Reply::Rehearsal(Rehearsal { turns }));
        }
        let last = self.inbox.find(newest).await.pop();
        let topic = last.as_ref().and_then(|last| last.topic.clone());
        let payload = match (sample, last.map(|last| last.raw)) {
            (Some(text), _) | (None, Some(Raw::Text(text))) => Payload::Text(text),
            (None, Some(Raw::Binary(bytes))) => Payload::Binary(bytes),
            (None, None) => return Err(self.refusal(ErrorCode::NoSample, &Text::refused_no_sample())),
        };
        // A broker tells the topic beside the message: that of the last one, or one that is to be heard.
        let about = match settings.kind {
            Kind::Mqtt(_) => About {
                topic: topic.or_else(|| topics.as_ref().and_then(first_filter)),
                published: Some(Published::default()),
                ..About::default()
            },
            Kind::Recipe | Kind::Ntfy { .. } | Kind::Gotify | Kind::Dialogue(_) | Kind::Sse => {
                About::default()
            }
        };
        match self.previewed(&settings, payload, about) {
            Some(preview) => Ok(Reply::Preview(preview)),
            None => Err(self.refusal(ErrorCode::NoSample, &Text::refused_not_a_message())),
        }
    }

    /// How a message would look; `None`: it is none.
    fn previewed(&self, settings: &ChannelSettings, payload: Payload, about: About) -> Option<Preview> {
        let sample = match &payload {
            Payload::Text(text) => text.clone(),
            Payload::Binary(bytes) | Payload::Garbled(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => self.words().preview_bytes(bytes.len()),
            },
        };
        let mut profile = settings.profile();
        let now = Timestamp::now();
        let ignored =
            tidings_inbox::decode_beside(&profile, payload.clone(), about.clone(), now).messages.is_empty();
        if ignored {
            // What it would look like if it were none.
            (profile.ignore, profile.ignore_when) = (Vec::new(), None);
        }
        let decoded = tidings_inbox::decode_beside(&profile, payload, about, now);
        let mut message = decoded.messages.into_iter().next()?;
        let popup = tidings_inbox::pops_up(&profile, &mut message) && !ignored;
        let rich = rich(&message);
        let message = message_report(&message, profile.name, self.words());
        Some(Preview { message, rich, popup, ignored, sample })
    }

    fn turn(&self, settings: &ChannelSettings, turn: dialect::Turn) -> Turn {
        let dialect::Turn { heard, reply, ends } = turn;
        let mut means = Vec::new();
        let mut refused = None;
        for step in reply.steps {
            means.push(match step {
                dialect::Step::Waits(Until::SignedIn) => Meaning::SignIn,
                dialect::Step::Waits(Until::Subscribed) => Meaning::Subscribe,
                dialect::Step::Stands => Meaning::Connected,
                dialect::Step::CaughtUp | dialect::Step::CaughtUpWith(_) => Meaning::CaughtUp,
                dialect::Step::Replaced => Meaning::Replaced,
                dialect::Step::Refused(why) => {
                    refused = Some(why);
                    Meaning::Refused
                }
                dialect::Step::Foreign => {
                    let Kind::Dialogue(dialogue) = &settings.kind else { continue };
                    refused = Some(self.words().cause_foreign(&dialogue.name));
                    Meaning::Refused
                }
                // No dialogue says so.
                dialect::Step::Plain => Meaning::Refused,
            });
        }
        let messages: Vec<Preview> = reply
            .messages
            .into_iter()
            .filter_map(|text| self.previewed(settings, Payload::Text(text), About::default()))
            .collect();
        let posted = reply.post.map(|Posted { url, form }| {
            let fields: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("POST {url}\n{}", fields.join("\n"))
        });
        let said: Vec<String> = reply.say.into_iter().chain(posted).collect();
        if means.is_empty() && messages.is_empty() && said.is_empty() && reply.unsaid == 0 {
            means.push(if ends { Meaning::Ended } else { Meaning::Noise });
        }
        // What ends a frame in some protocols is no letter to be read.
        let readable = |text: String| text.trim_end_matches(['\0', '\u{1e}']).to_owned();
        let said = said.into_iter().map(readable).collect();
        Turn { heard: heard.map(readable), said, unsaid: reply.unsaid, messages, means, refused }
    }
}

/// The first topic that is to be heard, as the settings say it.
fn first_filter(topics: &serde_json::Value) -> Option<String> {
    let first = topics.get(0)?;
    first.get("filter").unwrap_or(first).as_str().map(str::to_owned)
}
