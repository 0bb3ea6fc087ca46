//! `preset` and `[channel.dialogue]`: what is said to a server that wants a word first, and what its frames mean.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tidings_dialect::{Beat, Dialogue, Framing, Post, Rule, Then};
use tidings_template::{Condition, Pointer, SyntaxError, Template, Value};
use tidings_words::Text;
use toml::de::DeTable;

use super::address::parsed_web;
use super::numbers::{heartbeat_every, is_token};
use super::table::{Document, Entry, Table};
use crate::error::SettingsError;
use crate::reason;

/// Names that a dialogue's texts and conditions know already.
const OWN_NAMES: [&str; 9] = ["json", "raw", "close", "reason", "secret", "username", "last", "n", "answer"];

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

/// What a table of a dialogue says, as far as it says it.
#[derive(Clone, Default)]
struct Told {
    subprotocol: Option<String>,
    framing: Option<Framing>,
    greet: Option<Vec<Template>>,
    on: Arc<[Rule]>,
    beat: Option<Beat>,
    backlog: Option<bool>,
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

const DIALOGUE_KEYS: [&str; 7] = ["subprotocol", "framing", "greet", "on", "beat", "backlog", "set"];

/// The dialogue of the channel, and the path that a preset has for it. What the channel says itself comes before its preset.
pub(super) fn dialogue(
    table: &Table<'_>,
    allow_plaintext: bool,
) -> Result<(Dialogue, Option<String>), SettingsError> {
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
        backlog: own.backlog.or(preset.backlog).unwrap_or_default(),
        set,
    };
    // The channel's own rules come first, and a preset's names its address in `set`.
    for (at, post) in
        dialogue.on.iter().enumerate().filter_map(|(at, rule)| Some((at, rule.then.post.as_ref()?)))
    {
        let Some(url) = post.url(&dialogue.set) else { continue };
        let Err((message, mend)) = parsed_web(&url, allow_plaintext) else { continue };
        let named = dialogue.set.keys().find(|name| post.url.uses(name));
        let about = named
            .map_or_else(|| format!("dialogue.on[{at}].post.url"), |name| format!("dialogue.set.{name}"));
        let error = match place {
            Some(place) => place.error(message, mend),
            None => table.error(message, mend),
        };
        return Err(error.about(about));
    }
    Ok((dialogue, path))
}

impl Told {
    /// Something here that asks for this name.
    fn uses(&self, name: &str) -> bool {
        let rules = || self.on.iter();
        self.says(name)
            || rules().any(|rule| rule.when.uses(name))
            || rules().any(|rule| rule.then.post.as_ref().is_some_and(|post| post.url.uses(name)))
    }

    /// A text of it that holds this name.
    fn says(&self, name: &str) -> bool {
        let texts = self.greet.iter().flatten().chain(self.beat.iter().map(|beat| &beat.text));
        let answers = self.on.iter().flat_map(|rule| rule.then.texts());
        texts.chain(answers).any(|text| text.uses(name))
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
        backlog: table.maybe("backlog", Entry::truth)?,
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
        if !is_name(name) {
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

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !OWN_NAMES.contains(&name)
}

/// What a rule keeps: names and templates.
fn keep(entry: Entry<'_>) -> Result<Vec<(String, Template)>, SettingsError> {
    let read = |(name, at, value): (&str, usize, Entry<'_>)| {
        let about = |error: SettingsError| error.about("dialogue.on.keep");
        if !is_name(name) {
            let (message, mend) = (Text::settings_set_name(&name), Text::settings_mend_set_name());
            return Err(about(value.error_at(at, message, mend)));
        }
        Ok((name.to_owned(), template(value, Template::lenient).map_err(about)?))
    };
    entry.pairs()?.into_iter().map(read).collect()
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

/// What a rule asks over HTTP.
fn post(entry: Entry<'_>) -> Result<Post, SettingsError> {
    let table = entry.table("channel.dialogue.on.post", &["url", "form"])?;
    let (Some(url), Some(form)) = (table.entry("url"), table.entry("form")) else {
        let mend = Text::settings_mend_example(
            &"post = { url = \"https://shop.example/auth\", form = { id = \"{{ json.id }}\" } }",
        );
        return Err(table.error(Text::settings_post(), mend));
    };
    let about_url = |error: SettingsError| error.about("dialogue.on.post.url");
    let address = template(url, Template::parse).map_err(about_url)?;
    if ["json", "raw", "answer", "secret", "username", "last", "n"].into_iter().any(|name| address.uses(name))
    {
        return Err(about_url(url.error(Text::settings_post_url(), Text::settings_mend_post_url())));
    }
    let text = |(name, _, value): (&str, usize, Entry<'_>)| {
        let about = |error: SettingsError| error.about("dialogue.on.post.form");
        Ok((name.to_owned(), template(value, Template::parse).map_err(about)?))
    };
    Ok(Post {
        url: address,
        form: form.pairs()?.into_iter().map(text).collect::<Result<_, SettingsError>>()?,
    })
}

const RULE_KEYS: [&str; 12] = [
    "when",
    "say",
    "post",
    "once",
    "signed_in",
    "connected",
    "message",
    "ignore",
    "refused",
    "replaced",
    "caught_up",
    "keep",
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
        post: table.maybe("post", post)?,
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
        keep: table.or("keep", Vec::new(), keep)?,
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
    /// Its texts say the secret.
    pub says_secret: bool,
}

/// The dialogues that come with Tidings.
pub fn presets() -> impl Iterator<Item = PresetNames> {
    PRESETS.into_iter().enumerate().map(|(at, (name, _))| {
        let Preset { told, needs, .. } = preset(at).clone();
        PresetNames { name, needs, says_secret: told.says("secret"), may: told.set }
    })
}
