//! What is spoken with a channel's server: `kind`, and what belongs to one kind alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tidings_channel::ChannelUrl;
use tidings_dialect::{Beat, Dialogue, Framing, Rule, Then};
use tidings_template::{Condition, Pointer, SyntaxError, Template, Value};
use tidings_words::Text;
use toml::de::DeTable;

use super::numbers::{heartbeat_every, is_token};
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
                Some(path) if url.as_url().path() == "/" && url.as_url().query().is_none() => url.at(&path),
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
            return Err(topic.error(Text::settings_topic(), Text::settings_mend_topic(LONGEST_TOPIC)));
        }
        if topics.iter().any(|known| known == name) {
            return Err(topic.error(Text::settings_topic_twice(&name), Text::settings_mend_remove()));
        }
        topics.push(name.to_owned());
    }
    if topics.is_empty() || topics.len() > MOST_TOPICS {
        let mend = Text::settings_mend_topics_count(MOST_TOPICS);
        return Err(entry.error(Text::settings_topics_count(topics.len()), mend));
    }
    Ok(topics)
}

/// What a table of a dialogue says, as far as it says it.
#[derive(Clone, Default)]
struct Told {
    subprotocol: Option<String>,
    framing: Option<Framing>,
    greet: Option<Vec<Template>>,
    on: Arc<[Rule]>,
    beat: Option<Beat>,
    set: BTreeMap<String, String>,
}

/// A preset's own.
#[derive(Clone, Default)]
struct Preset {
    told: Told,
    path: Option<Template>,
    /// Names that the user has to give, each with an example.
    needs: BTreeMap<String, String>,
}

const DIALOGUE_KEYS: [&str; 6] = ["subprotocol", "framing", "greet", "on", "beat", "set"];

/// The dialogue of the channel, and the path that a preset has for it. What the channel says itself comes before its preset.
fn dialogue(table: &Table<'_>) -> Result<(Dialogue, Option<String>), SettingsError> {
    let at = table.maybe("preset", |entry| {
        let word = entry.word()?;
        let known = PRESETS.iter().position(|(name, _)| *name == word);
        known.ok_or_else(|| entry.unknown_word(word, PRESETS.iter().map(|(name, _)| *name)))
    })?;
    let name = at.map(|at| PRESETS[at]);
    let Preset { told: preset, path, needs } = at.map(|at| preset(at).clone()).unwrap_or_default();
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
            if !preset.set.contains_key(key) && !needs.contains_key(key) && !own.uses(key) {
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
        .about(format!("dialogue.set.{missing}")));
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
        // What is compiled of a preset is shared.
        on: if own.on.is_empty() { preset.on } else { own.on.iter().chain(&*preset.on).cloned().collect() },
        beat: own.beat.or(preset.beat),
        set,
    };
    Ok((dialogue, path))
}

impl Told {
    /// Something here that asks for this name.
    fn uses(&self, name: &str) -> bool {
        let texts = self.greet.iter().flatten().chain(self.beat.iter().map(|beat| &beat.text));
        let answers = self.on.iter().filter_map(|rule| rule.then.say.as_ref());
        let mut conditions = self.on.iter().map(|rule| &rule.when);
        texts.chain(answers).any(|text| text.uses(name)) || conditions.any(|when| when.uses(name))
    }
}

/// Each preset, once it is asked for: channels share what is compiled of it, which is more than a link takes.
static READ: [OnceLock<Preset>; PRESETS.len()] = [const { OnceLock::new() }; PRESETS.len()];

/// A preset by its place among them; the tests read each.
fn preset(at: usize) -> &'static Preset {
    READ[at].get_or_init(|| {
        read_preset(PRESETS[at].1).unwrap_or_else(|error| {
            tracing::error!(%error, preset = PRESETS[at].0, "a preset can't be read");
            Preset::default()
        })
    })
}

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
            .maybe("greet", |entry| each(entry, "dialogue.greet", |text| template(text, Template::spoken)))?,
        on: table.or("on", Vec::new(), |entry| each(entry, "dialogue.on", rule))?.into(),
        beat: table.maybe("beat", beat)?,
        set: table.or("set", BTreeMap::new(), set)?,
    })
}

/// The elements of a list whose errors say which it is, such as `dialogue.on[1].when`.
fn each<'a, Element>(
    list: Entry<'a>,
    key: &str,
    read: impl Fn(Entry<'a>) -> Result<Element, SettingsError>,
) -> Result<Vec<Element>, SettingsError> {
    let elements = list.list()?.enumerate();
    let in_element = |at: usize, error: SettingsError| {
        let below = error.key.as_deref().and_then(|told| told.strip_prefix(key)).unwrap_or_default();
        let told = format!("{key}[{at}]{below}");
        error.about(told)
    };
    elements.map(|(at, element)| read(element).map_err(|error| in_element(at, error))).collect()
}

fn subprotocol(entry: Entry<'_>) -> Result<String, SettingsError> {
    let name = entry.text()?;
    // What a preset asks for may be left out.
    if !name.is_empty() && !is_token(name) {
        return Err(entry.error(Text::settings_subprotocol(), Text::settings_mend_example(&"\"v12.stomp\"")));
    }
    Ok(name.to_owned())
}

fn set(entry: Entry<'_>) -> Result<BTreeMap<String, String>, SettingsError> {
    let mut set = BTreeMap::new();
    for (name, at, value) in entry.pairs()? {
        let about = |error: SettingsError| error.about(format!("dialogue.set.{name}"));
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name || OWN_NAMES.contains(&name) {
            let (message, mend) = (Text::settings_set_name(&name), Text::settings_mend_set_name());
            return Err(about(value.error_at(at, message, mend)));
        }
        if tidings_ground::redact::looks_secret(name) {
            let mend = Text::settings_mend_secret_said(&"{{ secret }}");
            return Err(about(value.error_at(at, Text::settings_set_secret(&name), mend)));
        }
        set.insert(name.to_owned(), value.text().map_err(about)?.to_owned());
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
    heartbeat_every(&table, interval_of)?;
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
    let table = entry.table("[[channel.dialogue.on]]", &RULE_KEYS)?.by_its_keys();
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

/// A dialogue that comes with Tidings, for who chooses one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetNames {
    /// What `preset` calls it.
    pub name: &'static str,
    /// Names that `set` has to give, each with an example.
    pub needs: BTreeMap<String, String>,
    /// Names that `set` may give, each with what holds without.
    pub may: BTreeMap<String, String>,
}

/// The dialogues that come with Tidings.
pub fn presets() -> impl Iterator<Item = PresetNames> {
    PRESETS.into_iter().enumerate().map(|(at, (name, _))| {
        let Preset { told, needs, .. } = preset(at).clone();
        PresetNames { name, needs, may: told.set }
    })
}

#[cfg(test)]
mod tests {
    use tidings_api::ChannelKind;
    use tidings_dialect::{Dialect, Given, Step, Until};

    use super::*;
    use crate::credential::Auth;
    use crate::{ChannelSettings, parse};

    fn read(text: &str) -> Result<ChannelSettings, String> {
        let settings = parse(format!("[[channel]]\n{text}").as_bytes(), Path::new("c.toml"));
        settings.map(|settings| settings.channels[0].clone()).map_err(|error| error.to_string())
    }

    fn good(text: &str) -> ChannelSettings {
        read(text).expect("good settings")
    }

    #[test]
    fn an_address_of_ntfy_and_gotify_is_their_servers() {
        let ntfy =
            good("kind = \"ntfy\"\nurl = \"https://ntfy.example\"\ntopics = [\"alerts\", \"back_up-2\"]");
        assert_eq!(ntfy.link_url().to_string(), "wss://ntfy.example/alerts,back_up-2/ws");
        assert_eq!(ntfy.shown_url(), "https://ntfy.example/");
        assert_eq!(ntfy.kind.name(), ChannelKind::Ntfy);
        assert!(ntfy.quiet_close_codes.is_empty() && ntfy.heartbeat.text().is_empty());
        assert_eq!(ntfy.config().expect("readable").dialect, Dialect::Ntfy);
        for base in [
            "https://push.example/gotify",
            "https://push.example/gotify/",
            "wss://push.example/gotify/stream",
        ] {
            let gotify = good(&format!("kind = \"gotify\"\nurl = \"{base}\""));
            assert_eq!(gotify.link_url().to_string(), "wss://push.example/gotify/stream", "{base}");
        }
        assert_eq!(
            good("kind = \"gotify\"\nurl = \"http://localhost:8080\"").shown_url(),
            "http://localhost:8080/"
        );
    }

    #[test]
    fn what_belongs_to_another_kind_is_told_with_its_mend() {
        for (text, about, mend) in [
            ("url = \"wss://a.example\"\ntopics = [\"a\"]", "topics", "kind = \"ntfy\""),
            ("url = \"wss://a.example\"\npreset = \"stomp\"", "preset", "kind = \"dialogue\""),
            ("kind = \"ntfy\"\nurl = \"https://a.example\"", "topics", "topics = "),
            ("kind = \"ntfy\"\nurl = \"https://a.example\"\ntopics = []", "0 topics", "1 to 50"),
            ("kind = \"ntfy\"\nurl = \"https://a.example\"\ntopics = [\"a b\"]", "topic", "letters"),
            (
                "kind = \"ntfy\"\nurl = \"https://a.example\"\ntopics = [\"docs\"]",
                "topic",
                "ntfy's own pages",
            ),
            ("kind = \"ntfy\"\nurl = \"https://a.example\"\ntopics = [\"a\", \"a\"]", "twice", "remove"),
            ("kind = \"ntfy\"\nurl = \"https://a.example/alerts\"", "no path", "topics = [\"alerts\"]"),
            (
                "kind = \"ntfy\"\nurl = \"https://a.example\"\ntopics = [\"a\"]\nresume = \"since\"",
                "resume",
                "remove",
            ),
            ("kind = \"gotify\"\nurl = \"https://a.example/?token=\"", "query", "remove"),
            ("kind = \"ntfi\"\nurl = \"https://a.example\"", "ntfi", "ntfy"),
            ("kind = \"dialogue\"\nurl = \"wss://a.example\"", "preset", "preset = "),
            (
                "kind = \"dialogue\"\nurl = \"wss://a.example\"\npreset = \"socketio\"",
                "socketio",
                "socket.io",
            ),
            (
                "kind = \"dialogue\"\nurl = \"wss://a.example\"\npreset = \"stomp\"",
                "destination",
                "set = { destination",
            ),
            (
                "kind = \"dialogue\"\nurl = \"wss://a.example\"\npreset = \"phoenix\"\ndialogue.set = { topic = \"a\", room = \"b\" }",
                "room",
                "topic",
            ),
        ] {
            let told = read(text).expect_err(text);
            assert!(told.contains(about) && told.contains(mend), "{text}\n{told}");
        }
    }

    #[test]
    fn a_mistake_in_a_dialogue_is_told_at_its_place() {
        let dialogue = |rest: &str| {
            format!("kind = \"dialogue\"\nurl = \"wss://a.example\"\n[channel.dialogue]\n{rest}")
        };
        for (text, place, about, mend) in [
            ("greet = [\"{{ secret \"]", "5:", "greet", "secret|tojson"),
            ("framing = \"jsonl\"", "5:11", "framing", "lines"),
            ("subprotocol = \"a b\"", "5:15", "subprotocol", "v12.stomp"),
            ("beat = { text = \"x\" }", "5:", "interval", "25s"),
            ("beat = { text = \"x\", interval = \"1ms\" }", "5:", "too short", "50ms"),
            ("set = { json = \"x\" }", "5:", "json", "letters"),
            ("set = { token = \"x\" }", "5:", "secret", "{{ secret }}"),
            ("[[channel.dialogue.on]]\nsay = \"x\"", "5:", "when", "when"),
            ("[[channel.dialogue.on]]\nwhen = \"json.type = 1\"\nsay = \"x\"", "6:", "when", "json.type =="),
            ("[[channel.dialogue.on]]\nwhen = \"true\"", "5:", "nothing follows", "ignore = true"),
            (
                "[[channel.dialogue.on]]\nwhen = \"true\"\nignore = true\nsay = \"x\"",
                "5:",
                "ignore",
                "remove",
            ),
            (
                "[[channel.dialogue.on]]\nwhen = \"true\"\nmessage = \"payload\"",
                "7:",
                "JSON Pointer",
                "/payload",
            ),
            ("[[channel.dialogue.on]]\nwhen = \"close == 4000\"\nsay = \"x\"", "5:", "close", "refused"),
            ("[[channel.dialogue.on]]\nwhen = \"true\"\nsya = \"x\"", "7:", "sya", "say"),
        ] {
            let told = read(&dialogue(text)).expect_err(text);
            assert!(told.contains(&format!("c.toml:{place}")), "{text}\n{told}");
            assert!(told.contains(about) && told.contains(mend), "{text}\n{told}");
        }
        let said = "auth = \"none\"\n[channel.dialogue]\ngreet = [\"{{ secret }}\"]";
        let told =
            read(&format!("kind = \"dialogue\"\nurl = \"wss://a.example\"\n{said}")).expect_err("no secret");
        assert!(told.contains("auth"), "{told}");
        let told =
            read(&dialogue("greet = [\"hi\"]\n[channel.heartbeat]\ntext = \"x\"")).expect_err("two beats");
        assert!(told.contains("heartbeat") && told.contains("beat = {"), "{told}");
    }

    #[test]
    fn a_mistake_in_a_dialogue_is_told_by_its_key() {
        let own = "[channel.dialogue]\n";
        for (text, key) in [
            (format!("{own}greet = [\"hi\", \"{{{{ secret \"]"), "dialogue.greet[1]"),
            (format!("{own}greet = [\"hi\", 7]"), "dialogue.greet[1]"),
            (
                format!("{own}on = [{{ when = \"true\", ignore = true }}, {{ when = \"json.type = 1\" }}]"),
                "dialogue.on[1].when",
            ),
            (format!("{own}[[channel.dialogue.on]]\nwhen = \"true\"\nsay = \"{{{{\""), "dialogue.on[0].say"),
            (
                format!("{own}[[channel.dialogue.on]]\nwhen = \"true\"\nrefused = \"{{%\""),
                "dialogue.on[0].refused",
            ),
            (
                format!("{own}[[channel.dialogue.on]]\nwhen = \"true\"\nmessage = \"a\""),
                "dialogue.on[0].message",
            ),
            (format!("{own}[[channel.dialogue.on]]\nwhen = \"true\"\nsya = \"a\""), "dialogue.on[0]"),
            (format!("{own}[[channel.dialogue.on]]\nwhen = \"true\""), "dialogue.on[0]"),
            (format!("{own}[[channel.dialogue.on]]\nsay = \"a\""), "dialogue.on[0]"),
            (format!("{own}beat = {{ text = \"{{{{\", interval = \"25s\" }}"), "dialogue.beat"),
            (format!("{own}framing = \"jsonl\""), "dialogue.framing"),
            (format!("{own}subprotocol = \"a b\""), "dialogue.subprotocol"),
            (format!("{own}set = {{ json = \"x\" }}"), "dialogue.set.json"),
            ("preset = \"stomp\"".to_owned(), "dialogue.set.destination"),
            ("preset = \"stomp\"\ndialogue.set = { destination = 7 }".to_owned(), "dialogue.set.destination"),
            ("preset = \"stmop\"".to_owned(), "preset"),
        ] {
            let file = format!("[[channel]]\nkind = \"dialogue\"\nurl = \"wss://a.example\"\n{text}");
            let error = parse(file.as_bytes(), Path::new("c.toml")).expect_err(&text);
            assert_eq!(error.key.as_deref(), Some(key), "{text}\n{error}");
        }
    }

    #[test]
    fn the_secret_goes_where_the_dialogue_says_it() {
        let says = good(
            "kind = \"dialogue\"\nurl = \"wss://a.example\"\n[channel.dialogue]\ngreet = [\"{{ secret }}\"]",
        );
        assert_eq!(says.auth, Auth::Said);
        let silent =
            good("kind = \"dialogue\"\nurl = \"wss://a.example\"\n[channel.dialogue]\ngreet = [\"hi\"]");
        assert_eq!(silent.auth, Auth::Bearer);
    }

    fn dialogue_of(settings: &ChannelSettings) -> Arc<Dialogue> {
        let Kind::Dialogue(dialogue) = &settings.kind else { panic!("a dialogue") };
        dialogue.clone()
    }

    #[test]
    fn every_preset_can_be_used() {
        for PresetNames { name, needs, .. } in presets() {
            let set: Vec<String> = needs
                .iter()
                .map(|(name, example)| format!("{name} = {}", toml::Value::from(example.as_str())))
                .collect();
            let text = format!(
                "kind = \"dialogue\"\nurl = \"wss://a.example\"\npreset = \"{name}\"\n[channel.dialogue.set]\n{}",
                set.join("\n")
            );
            let settings = good(&text);
            assert!(!settings.link_url().to_string().contains("{{"), "{name}: {}", settings.link_url());
            let dialogue = dialogue_of(&settings);
            assert!(dialogue.on.iter().any(|rule| rule.then.connected), "{name} says when it is connected");
            let given = Given { secret: Some("s".to_owned()), ..Given::default() };
            let mut talk = Dialect::Dialogue(dialogue).talk(given);
            assert!(matches!(talk.open().steps[..], [Step::Waits(_)]), "{name} waits for the server");
        }
        let socket_io = good("kind = \"dialogue\"\nurl = \"wss://a.example\"\npreset = \"socket.io\"");
        assert_eq!(
            socket_io.link_url().as_url().as_str(),
            "wss://a.example/socket.io/?EIO=4&transport=websocket"
        );
        let own = good("kind = \"dialogue\"\nurl = \"wss://a.example/own?x=1\"\npreset = \"socket.io\"");
        assert_eq!(own.link_url().as_url().as_str(), "wss://a.example/own?x=1");
    }

    /// What a preset says to these frames of a server, and what of them are messages.
    fn played(settings: &str, frames: &[&str]) -> (Vec<String>, Vec<String>, Vec<Step>) {
        let dialogue =
            dialogue_of(&good(&format!("kind = \"dialogue\"\nurl = \"wss://a.example\"\n{settings}")));
        let given = Given { secret: Some("s3".to_owned()), ..Given::default() };
        let mut talk = Dialect::Dialogue(dialogue).talk(given);
        let open = talk.open();
        let (mut said, mut messages, mut steps) = (open.say, open.messages, open.steps);
        for frame in frames {
            match talk.hear(frame) {
                Some(reply) => {
                    said.extend(reply.say);
                    messages.extend(reply.messages);
                    steps.extend(reply.steps);
                }
                None => messages.push((*frame).to_owned()),
            }
        }
        (said, messages, steps)
    }

    #[test]
    fn each_preset_speaks_its_protocol() {
        use Step::{Refused, Stands, Waits};
        use Until::{SignedIn, Subscribed};
        let refused = |text: &str| Refused(text.to_owned());
        let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        for (settings, frames, said, messages, steps) in [
            (
                "preset = \"socket.io\"",
                &[
                    r#"0{"sid":"a","pingInterval":25000}"#,
                    r#"40{"sid":"b"}"#,
                    "2",
                    r#"42["news",{"id":1}]"#,
                    r#"427["ack",{"id":2}]"#,
                    r#"42["bare"]"#,
                    r#"44{"message":"no"}"#,
                ][..],
                &[r#"40{"token":"s3"}"#, "3", "437[]"][..],
                &[r#"{"id":1}"#, r#"{"id":2}"#, "bare"][..],
                vec![Waits(Subscribed), Stands, refused("no")],
            ),
            (
                "preset = \"socket.io\"\ndialogue.set = { namespace = \"/shop\" }",
                &[r#"0{"sid":"a"}"#, r#"40/shop,{"sid":"b"}"#, r#"42["other",1]"#, r#"42/shop,["news",2]"#],
                &[r#"40/shop,{"token":"s3"}"#],
                &["2"],
                vec![Waits(Subscribed), Stands],
            ),
            (
                "preset = \"stomp\"\ndialogue.set = { destination = \"/user/queue/a\" }",
                &[
                    "CONNECTED\nversion:1.2\n\n\0",
                    "\n",
                    "MESSAGE\nsubscription:tidings\n\n{\"id\":1}\0",
                    "ERROR\nmessage:no such broker\n\n\0",
                ],
                &[
                    "CONNECT\naccept-version:1.2,1.1,1.0\nhost:/\nheart-beat:0,0\nAuthorization:Bearer s3\n\n\0",
                    "SUBSCRIBE\nid:tidings\ndestination:/user/queue/a\n\n\0",
                ],
                &[r#"{"id":1}"#],
                vec![Waits(SignedIn), Stands, refused("no such broker")],
            ),
            (
                "preset = \"stomp\"\ndialogue.set = { destination = \"/topic/a\" }",
                &[
                    "CONNECTED\nserver:RabbitMQ/4.3.6\nversion:1.2\n\n\0\n",
                    "RECEIPT\nreceipt-id:tidings\n\n\0\n",
                    "MESSAGE\nsubscription:tidings\n\n{\"id\":1}\0\n",
                ],
                &[
                    "CONNECT\naccept-version:1.2,1.1,1.0\nhost:/\nheart-beat:0,0\nAuthorization:Bearer s3\n\n\0",
                    "SUBSCRIBE\nid:tidings\ndestination:/topic/a\nreceipt:tidings\n\n\0",
                ],
                &[r#"{"id":1}"#],
                vec![Waits(SignedIn), Waits(Subscribed), Stands],
            ),
            (
                "preset = \"graphql-transport-ws\"\ndialogue.set = { query = 'subscription { a(b: \"c\") }' }",
                &[
                    r#"{"type":"connection_ack"}"#,
                    r#"{"type":"ping"}"#,
                    r#"{"id":"1","type":"next","payload":{"data":{"a":1}}}"#,
                    r#"{"id":"1","type":"error","payload":[{"message":"no"}]}"#,
                ],
                &[
                    r#"{"type":"connection_init","payload":{"Authorization":"Bearer s3"}}"#,
                    r#"{"id":"1","type":"subscribe","payload":{"query":"subscription { a(b: \"c\") }"}}"#,
                    r#"{"type":"pong"}"#,
                ],
                &[r#"{"a":1}"#],
                vec![Waits(Subscribed), Stands, refused("no")],
            ),
            (
                "preset = \"action-cable\"\ndialogue.set = { channel = \"News\", params = ', \"room\": 7' }",
                &[
                    r#"{"type":"welcome"}"#,
                    r#"{"type":"ping","message":1}"#,
                    r#"{"identifier":"x","type":"confirm_subscription"}"#,
                    r#"{"identifier":"x","message":{"id":1}}"#,
                    r#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#,
                ],
                &[r#"{"command":"subscribe","identifier":"{\"channel\":\"News\", \"room\": 7}"}"#],
                &[r#"{"id":1}"#],
                vec![Waits(SignedIn), Waits(Subscribed), Stands, refused("unauthorized")],
            ),
            (
                "preset = \"pusher\"\ndialogue.set = { key = \"k\", channel = \"news\" }",
                &[
                    r#"{"event":"pusher:connection_established","data":"{}"}"#,
                    r#"{"event":"pusher_internal:subscription_succeeded","channel":"news"}"#,
                    r#"{"event":"pusher:ping"}"#,
                    r#"{"event":"App","channel":"news","data":"{\"id\":1}"}"#,
                    r#"{"event":"pusher:error","data":{"message":"no","code":4001}}"#,
                ],
                &[
                    r#"{"event":"pusher:subscribe","data":{"channel":"news"}}"#,
                    r#"{"event":"pusher:pong","data":{}}"#,
                ],
                &[r#"{"id":1}"#],
                vec![Waits(SignedIn), Waits(Subscribed), Stands, refused("no")],
            ),
            (
                "preset = \"phoenix\"\ndialogue.set = { topic = \"user:1\" }",
                &[
                    r#"["join","join","user:1","phx_reply",{"status":"ok","response":{}}]"#,
                    r#"[null,"1","phoenix","phx_reply",{"status":"ok"}]"#,
                    r#"["join",null,"user:1","news",{"id":1}]"#,
                    r#"["join",null,"user:1","phx_error",{}]"#,
                ],
                &[r#"["join","join","user:1","phx_join",{"token":"s3"}]"#],
                &[r#"{"id":1}"#],
                vec![Waits(Subscribed), Stands, refused("the server ended the subscription")],
            ),
            (
                "preset = \"signalr\"",
                &[
                    "{}\u{1e}",
                    "{\"type\":6}\u{1e}",
                    "{\"type\":1,\"target\":\"news\",\"arguments\":[{\"id\":1},\"b\"]}\u{1e}{\"type\":6}\u{1e}",
                    "{\"type\":7,\"error\":\"no\"}\u{1e}",
                ],
                &["{\"protocol\":\"json\",\"version\":1}\u{1e}"],
                &[r#"{"id":1}"#, "b"],
                vec![Waits(Subscribed), Stands, refused("no")],
            ),
            (
                "preset = \"centrifugo\"\ndialogue.set = { channel = \"news\" }",
                &[
                    r#"{"id":1,"connect":{"client":"x"}}"#,
                    r#"{"id":2,"subscribe":{}}"#,
                    "{}",
                    "{\"push\":{\"channel\":\"news\",\"pub\":{\"data\":{\"id\":1}}}}\n{}",
                    r#"{"id":2,"error":{"code":103,"message":"permission denied"}}"#,
                ],
                &[
                    r#"{"id":1,"connect":{"token":"s3"}}"#,
                    r#"{"id":2,"subscribe":{"channel":"news"}}"#,
                    "{}",
                    "{}",
                ],
                &[r#"{"id":1}"#],
                vec![Waits(SignedIn), Waits(Subscribed), Stands, refused("permission denied")],
            ),
            (
                "preset = \"centrifugo\"",
                &[r#"{"id":1,"connect":{"client":"x"}}"#],
                &[r#"{"id":1,"connect":{"token":"s3"}}"#],
                &[],
                vec![Waits(SignedIn), Stands],
            ),
            (
                "preset = \"mattermost\"",
                &[
                    r#"{"event":"hello","data":{},"seq":0}"#,
                    r#"{"status":"OK","seq_reply":1}"#,
                    r#"{"event":"posted","data":{"post":"{\"id\":\"p\",\"message\":\"hi\"}"}}"#,
                    r#"{"event":"typing"}"#,
                ],
                &[r#"{"seq":1,"action":"authentication_challenge","data":{"token":"s3"}}"#],
                &[r#"{"id":"p","message":"hi"}"#],
                vec![Waits(Subscribed), Stands],
            ),
            (
                "preset = \"home-assistant\"\ndialogue.set = { webhook = \"w\" }",
                &[
                    r#"{"type":"auth_required","ha_version":"2026.11"}"#,
                    r#"{"type":"auth_ok"}"#,
                    r#"{"id":1,"type":"result","success":true}"#,
                    r#"{"id":1,"type":"event","event":{"message":"hi"}}"#,
                    r#"{"type":"auth_invalid","message":"no"}"#,
                ],
                &[
                    r#"{"type":"auth","access_token":"s3"}"#,
                    r#"{"id":1,"type":"mobile_app/push_notification_channel","webhook_id":"w"}"#,
                ],
                &[r#"{"message":"hi"}"#],
                vec![Waits(SignedIn), Waits(Subscribed), Stands, refused("no")],
            ),
        ] {
            let found = played(settings, frames);
            assert_eq!(found.0, text(said), "{settings}");
            assert_eq!(found.1, text(messages), "{settings}");
            assert_eq!(found.2, steps, "{settings}");
        }
    }

    #[test]
    fn a_channels_own_rules_come_before_the_presets() {
        let own = "preset = \"socket.io\"\n[[channel.dialogue.on]]\nwhen = \"json.data[0] == 'typing'\"\nignore = true";
        let (_, messages, _) = played(own, &[r#"42["typing",1]"#, r#"42["news",2]"#]);
        assert_eq!(messages, ["2"]);
    }
}
