//! What is spoken with a channel's server: `kind`, and what belongs to one kind alone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tidings_channel::ChannelUrl;
use tidings_dialect::{Beat, Dialogue, Framing, Rule, Then};
use tidings_template::{Condition, Pointer, SyntaxError, Template, Value};
use tidings_words::Text;
use toml::de::DeTable;

use super::table::{Document, Entry, Table};
use crate::error::SettingsError;
use crate::reason;
use crate::settings::Kind;

/// Topics of one channel. Their names go into one address, and servers take some KiB for that.
const MOST_TOPICS: usize = 50;
/// Longest name of a topic (ntfy 2.29).
const LONGEST_TOPIC: usize = 64;
/// What ntfy's own pages are called, so that no topic is (ntfy 2.29).
const RESERVED_TOPICS: [&str; 9] =
    ["docs", "static", "file", "app", "metrics", "account", "settings", "signup", "login"];
/// Names that a dialogue's texts and conditions know already.
const OWN_NAMES: [&str; 8] = ["json", "raw", "close", "reason", "secret", "username", "last", "n"];

/// The dialogues that come with Tidings, each with its name: TOML in the keys of `[channel.dialogue]`, and `path`, `needs`.
pub(crate) const PRESETS: [(&str, &str); 10] = [
    ("action-cable", include_str!("../../presets/action-cable.toml")),
    ("centrifugo", include_str!("../../presets/centrifugo.toml")),
    ("graphql-transport-ws", include_str!("../../presets/graphql-transport-ws.toml")),
    ("home-assistant", include_str!("../../presets/home-assistant.toml")),
    ("mattermost", include_str!("../../presets/mattermost.toml")),
    ("phoenix", include_str!("../../presets/phoenix.toml")),
    ("pusher", include_str!("../../presets/pusher.toml")),
    ("signalr", include_str!("../../presets/signalr.toml")),
    ("socket.io", include_str!("../../presets/socket.io.toml")),
    ("stomp", include_str!("../../presets/stomp.toml")),
];

/// Keys of a channel that belong to one kind alone.
const KEYS_OF_KIND: [(&str, &str); 3] =
    [("topics", "ntfy"), ("preset", "dialogue"), ("dialogue", "dialogue")];
/// Keys of a channel that mean nothing to these kinds: they read and keep alive in their own way.
const USELESS: [(&str, &[&str]); 2] =
    [("resume", &["ntfy", "gotify", "dialogue"]), ("mapping", &["ntfy", "gotify"])];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Recipe,
    Ntfy,
    Gotify,
    Dialogue,
}

const WORDS: [(&str, Word); 4] =
    [("recipe", Word::Recipe), ("ntfy", Word::Ntfy), ("gotify", Word::Gotify), ("dialogue", Word::Dialogue)];

/// The channel's kind and its address, which a preset may complete.
pub(super) fn kind(table: &Table<'_>, url: ChannelUrl) -> Result<(Kind, ChannelUrl), SettingsError> {
    let word = table.or("kind", Word::Recipe, |entry| entry.choice(&WORDS))?;
    let name = WORDS.iter().find(|(_, known)| *known == word).map_or("", |(name, _)| name);
    for (key, kind) in KEYS_OF_KIND {
        if let Some(entry) = table.entry(key).filter(|_| name != kind) {
            let mend = Text::settings_mend_kind(&format_args!("kind = \"{kind}\""));
            return Err(entry.error(Text::settings_key_of_kind(&key, &kind), mend));
        }
    }
    for (key, kinds) in USELESS {
        if let Some(entry) = table.entry(key).filter(|_| kinds.contains(&name)) {
            return Err(entry.error(Text::settings_key_useless(&key, &name), Text::settings_mend_remove()));
        }
    }
    let at_url = |message, mend| match table.entry("url") {
        Some(entry) => entry.error(message, mend),
        None => table.error(message, mend),
    };
    Ok(match word {
        Word::Recipe => (Kind::Recipe, url),
        Word::Ntfy => {
            let path = url.as_url().path().trim_matches('/');
            if !path.is_empty() || url.as_url().query().is_some() {
                let first = path.split('/').next().unwrap_or_default();
                let topic = if is_topic(first) { first } else { "alerts" };
                return Err(at_url(
                    Text::settings_ntfy_url(),
                    Text::settings_mend_topics(&format_args!("topics = [\"{topic}\"]")),
                ));
            }
            let Some(entry) = table.entry("topics") else {
                let mend = Text::settings_mend_add(&"topics = [\"…\"]");
                return Err(table.error(Text::settings_no_topics(), mend).about("topics"));
            };
            (Kind::Ntfy { topics: topics(entry)? }, url)
        }
        Word::Gotify => {
            if url.as_url().query().is_some() {
                return Err(at_url(Text::settings_base_query(), Text::settings_mend_remove_query()));
            }
            (Kind::Gotify, url)
        }
        Word::Dialogue => {
            let (dialogue, path) = dialogue(table)?;
            let url = match path {
                Some(path) if url.as_url().path() == "/" && url.as_url().query().is_none() => {
                    url.at(&path).unwrap_or(url)
                }
                Some(_) | None => url,
            };
            (Kind::Dialogue(Arc::new(dialogue)), url)
        }
    })
}

fn is_topic(name: &str) -> bool {
    (1..=LONGEST_TOPIC).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !RESERVED_TOPICS.contains(&name)
}

fn topics(entry: Entry<'_>) -> Result<Vec<String>, SettingsError> {
    let mut topics: Vec<String> = Vec::new();
    for topic in entry.list()? {
        let name = topic.word()?;
        if !is_topic(name) {
            return Err(topic.error(Text::settings_topic(), Text::settings_mend_topic(&LONGEST_TOPIC)));
        }
        if topics.iter().any(|known| known == name) {
            return Err(topic.error(Text::settings_topic_twice(&name), Text::settings_mend_remove()));
        }
        topics.push(name.to_owned());
    }
    if topics.is_empty() || topics.len() > MOST_TOPICS {
        let mend = Text::settings_mend_topics_count(&MOST_TOPICS);
        return Err(entry.error(Text::settings_topics_count(&topics.len()), mend));
    }
    Ok(topics)
}

/// What a table of a dialogue says, as far as it says it.
#[derive(Default)]
struct Told {
    subprotocol: Option<String>,
    framing: Option<Framing>,
    greet: Option<Vec<Template>>,
    on: Vec<Rule>,
    beat: Option<Beat>,
    set: BTreeMap<String, String>,
}

/// A preset's own.
#[derive(Default)]
struct Preset {
    told: Told,
    path: Option<Template>,
    /// Names that the user has to give, each with an example.
    needs: BTreeMap<String, String>,
}

const DIALOGUE_KEYS: [&str; 6] = ["subprotocol", "framing", "greet", "on", "beat", "set"];

/// The dialogue of the channel, and the path that a preset has for it. What the channel says itself comes before its preset.
fn dialogue(table: &Table<'_>) -> Result<(Dialogue, Option<String>), SettingsError> {
    let name = table.maybe("preset", |entry| {
        let word = entry.word()?;
        let known = PRESETS.iter().find(|(name, _)| *name == word);
        known.copied().ok_or_else(|| entry.unknown_word(word, PRESETS.iter().map(|(name, _)| *name)))
    })?;
    let Preset { told: preset, path, needs } = match name {
        Some((_, text)) => read_preset(text)?,
        None => Preset::default(),
    };
    let own = table.maybe("dialogue", |entry| {
        let table = entry.table("[channel.dialogue]", &DIALOGUE_KEYS)?;
        Ok((told(&table)?, table))
    })?;
    let (own, place) = match own {
        Some((own, place)) => (own, Some(place)),
        None => (Told::default(), None),
    };
    if name.is_none() && place.is_none() {
        let mend = Text::settings_mend_add(&"preset = \"…\"");
        return Err(table.error(Text::settings_no_dialogue(), mend).about("preset"));
    }
    if let (Some((preset_name, _)), Some(entry)) = (name, place.and_then(|place| place.entry("set"))) {
        for (key, at, _) in entry.pairs()? {
            if !preset.set.contains_key(key) && !needs.contains_key(key) && own.uses(key).is_none() {
                let known: Vec<&str> = preset.set.keys().chain(needs.keys()).map(String::as_str).collect();
                let mend = match known.is_empty() {
                    true => Text::settings_mend_remove(),
                    false => Text::settings_mend_one_of(&known.join(", ")),
                };
                return Err(entry.error_at(at, Text::settings_set_unknown(&key, &preset_name), mend));
            }
        }
    }
    let mut set = preset.set;
    set.extend(own.set);
    if let Some((missing, example)) =
        needs.iter().find(|(name, _)| set.get(*name).is_none_or(String::is_empty))
    {
        let example = toml::Value::from(example.as_str());
        let mend = Text::settings_mend_example(&format_args!("set = {{ {missing} = {example} }}"));
        let message = Text::settings_set_missing(&missing, &name.map_or("", |(name, _)| name));
        return Err(match place {
            Some(place) => place.error(message, mend),
            None => table.error(message, mend),
        }
        .about("dialogue"));
    }
    let path = path.and_then(|path| {
        let set = set.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str())));
        path.render(&Value::from_pairs(set)).ok()
    });
    let dialogue = Dialogue {
        name: name.map_or_else(String::new, |(name, _)| name.to_owned()),
        subprotocol: own.subprotocol.or(preset.subprotocol).filter(|name| !name.is_empty()),
        framing: own.framing.or(preset.framing).unwrap_or_default(),
        greet: own.greet.or(preset.greet).unwrap_or_default(),
        on: own.on.into_iter().chain(preset.on).collect(),
        beat: own.beat.or(preset.beat),
        set,
    };
    Ok((dialogue, path))
}

impl Told {
    /// Something here that asks for this name.
    fn uses(&self, name: &str) -> Option<()> {
        let texts = self.greet.iter().flatten().chain(self.beat.iter().map(|beat| &beat.text));
        let answers = self.on.iter().filter_map(|rule| rule.then.say.as_ref());
        let mut conditions = self.on.iter().map(|rule| &rule.when);
        (texts.chain(answers).any(|text| text.uses(name)) || conditions.any(|when| when.uses(name)))
            .then_some(())
    }
}

/// A preset that comes with Tidings; the tests read each.
fn read_preset(text: &str) -> Result<Preset, SettingsError> {
    let document = Document { file: Path::new("preset.toml"), text };
    let no_toml = |_| document.error(0, Text::settings_mend_toml(), Text::settings_mend_toml());
    let root = DeTable::parse(text).map_err(no_toml)?;
    let known: Vec<&str> = DIALOGUE_KEYS.into_iter().chain(["path", "needs"]).collect();
    let table = Table::new(document, root.get_ref(), 0, "[channel.dialogue]", &known)?;
    Ok(Preset {
        told: told(&table)?,
        path: table.maybe("path", |entry| template(entry, Template::spoken))?,
        needs: table.or("needs", BTreeMap::new(), set)?,
    })
}

fn told(table: &Table<'_>) -> Result<Told, SettingsError> {
    Ok(Told {
        subprotocol: table.maybe("subprotocol", subprotocol)?,
        framing: table.maybe("framing", |entry| entry.choice(&Framing::ALL))?,
        greet: table
            .maybe("greet", |entry| entry.list()?.map(|text| template(text, Template::spoken)).collect())?,
        on: table.or("on", Vec::new(), |entry| entry.list()?.map(rule).collect())?,
        beat: table.maybe("beat", beat)?,
        set: table.or("set", BTreeMap::new(), set)?,
    })
}

fn subprotocol(entry: Entry<'_>) -> Result<String, SettingsError> {
    let name = entry.text()?;
    // What a preset asks for may be left out.
    if !name.is_empty() && !super::channel::is_token(name) {
        return Err(entry.error(Text::settings_subprotocol(), Text::settings_mend_example(&"\"v12.stomp\"")));
    }
    Ok(name.to_owned())
}

fn set(entry: Entry<'_>) -> Result<BTreeMap<String, String>, SettingsError> {
    let mut set = BTreeMap::new();
    for (name, at, value) in entry.pairs()? {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name || OWN_NAMES.contains(&name) {
            return Err(value.error_at(at, Text::settings_set_name(&name), Text::settings_mend_set_name()));
        }
        if tidings_ground::redact::looks_secret(name) {
            return Err(value.error_at(
                at,
                Text::settings_set_secret(&name),
                Text::settings_mend_secret_said(),
            ));
        }
        set.insert(name.to_owned(), value.text()?.to_owned());
    }
    Ok(set)
}

fn template(
    entry: Entry<'_>,
    parse: fn(&str) -> Result<Template, SyntaxError>,
) -> Result<Template, SettingsError> {
    let key = entry.key;
    parse(entry.text()?).map_err(|error| {
        entry.error_within(
            error.at,
            Text::settings_template(&key, &reason::of_mistake(&error.mistake)),
            Text::settings_mend_example(&"'{\"type\":\"auth\",\"token\":{{ secret|tojson }}}'"),
        )
    })
}

fn beat(entry: Entry<'_>) -> Result<Beat, SettingsError> {
    let table = entry.table("channel.dialogue.beat", &["text", "interval"])?;
    let (Some(text), Some(interval)) = (table.entry("text"), table.entry("interval")) else {
        let mend = Text::settings_mend_example(&"beat = { text = \"ping\", interval = \"25s\" }");
        return Err(table.error(Text::settings_beat(), mend));
    };
    let interval_of = interval.positive_duration()?;
    super::channel::heartbeat_every(&table, interval_of)?;
    Ok(Beat { text: template(text, Template::spoken)?, interval: interval_of })
}

const RULE_KEYS: [&str; 10] = [
    "when",
    "say",
    "once",
    "signed_in",
    "connected",
    "message",
    "ignore",
    "refused",
    "replaced",
    "caught_up",
];

fn rule(entry: Entry<'_>) -> Result<Rule, SettingsError> {
    let table = entry.table("[[channel.dialogue.on]]", &RULE_KEYS)?;
    let example = || Text::settings_mend_example(&"\"json.type == 'ping'\"");
    let Some(when) = table.entry("when") else {
        return Err(table.error(Text::settings_on_without_when(), Text::settings_mend_add_when()));
    };
    let condition = Condition::parse(when.word()?).map_err(|error| {
        when.error_within(error.at, Text::settings_when(&reason::of_mistake(&error.mistake)), example())
    })?;
    let then = Then {
        say: table.maybe("say", |entry| template(entry, Template::spoken))?,
        once: table.or("once", false, Entry::truth)?,
        signed_in: table.or("signed_in", false, Entry::truth)?,
        connected: table.or("connected", false, Entry::truth)?,
        message: table.maybe("message", |entry| {
            let mend = || Text::settings_mend_example(&"\"/payload\"");
            Pointer::parse(entry.text()?)
                .ok_or_else(|| entry.error(Text::settings_pointer(&"message"), mend()))
        })?,
        refused: table.maybe("refused", |entry| template(entry, Template::lenient))?,
        replaced: table.or("replaced", false, Entry::truth)?,
        caught_up: table.or("caught_up", false, Entry::truth)?,
    };
    let ignore = table.or("ignore", false, Entry::truth)?;
    let says_nothing = Then { once: false, ..then.clone() } == Then::default();
    if says_nothing != ignore {
        let message = if ignore { Text::settings_on_ignore() } else { Text::settings_on_nothing() };
        let mend = if ignore { Text::settings_mend_remove_ignore() } else { Text::settings_mend_ignore() };
        return Err(table.error(message, mend));
    }
    let about_close = ["close", "reason"].into_iter().any(|name| condition.uses(name));
    if about_close && (then.refused.is_none() && !then.replaced && !ignore) {
        return Err(table.error(Text::settings_on_close(), Text::settings_mend_on_close()));
    }
    Ok(Rule { when: condition, then })
}

/// The names of the presets, for who chooses one.
pub fn presets() -> impl Iterator<Item = (&'static str, Cow<'static, [(String, String)]>)> {
    PRESETS.into_iter().map(|(name, text)| {
        let needs = read_preset(text).map(|preset| preset.needs.into_iter().collect()).unwrap_or_default();
        (name, Cow::Owned(needs))
    })
}
