//! What is spoken with a channel's server: `kind`, and what belongs to one kind alone.

use std::sync::Arc;

use tidings_channel::{Carrier, ChannelUrl};
use tidings_words::Text;

use super::dialogue::dialogue;
use super::mqtt::mqtt;
use super::table::{Entry, Table};
use crate::error::SettingsError;
use crate::settings::Kind;

/// Topics of one channel. Their names go into one address, and servers take some KiB for that.
const MOST_TOPICS: usize = 50;
/// Longest name of a topic (ntfy 2.29).
const LONGEST_TOPIC: usize = 64;
/// What ntfy's own pages are called, so that no topic is (ntfy 2.29).
const RESERVED_TOPICS: [&str; 9] =
    ["docs", "static", "file", "app", "metrics", "account", "settings", "signup", "login"];
/// Keys of a channel that belong to these kinds alone.
const KEYS_OF_KIND: [(&str, &[&str]); 8] = [
    ("carrier", &["recipe", "dialogue"]),
    ("topics", &["ntfy", "mqtt"]),
    ("app_icons", &["gotify"]),
    ("send_app", &["gotify"]),
    ("preset", &["dialogue"]),
    ("dialogue", &["dialogue"]),
    ("client_id", &["mqtt"]),
    ("session_expiry", &["mqtt"]),
];
/// Keys of a channel that mean nothing to these kinds: they read, keep alive and send in their own way, or not at all.
const USELESS: [(&str, &[&str]); 10] = [
    ("resume", &["ntfy", "gotify", "dialogue", "sse", "mqtt"]),
    ("heartbeat", &["sse", "mqtt"]),
    ("liveness", &["sse"]),
    ("quiet_close_codes", &["sse", "mqtt"]),
    ("take_back_after", &["sse"]),
    ("mapping", &["ntfy", "gotify"]),
    ("send_url", &["ntfy", "gotify", "mqtt"]),
    ("send_token_command", &["mqtt"]),
    ("send_token_file", &["mqtt"]),
    ("send_token_env", &["mqtt"]),
];
/// Keys of a channel that mean nothing where no HTTP is spoken.
const OF_HTTP: [&str; 2] = ["headers", "images"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Recipe,
    Ntfy,
    Gotify,
    Dialogue,
    Sse,
    Mqtt,
}

const WORDS: [(&str, Word); 6] = [
    ("recipe", Word::Recipe),
    ("ntfy", Word::Ntfy),
    ("gotify", Word::Gotify),
    ("dialogue", Word::Dialogue),
    ("sse", Word::Sse),
    ("mqtt", Word::Mqtt),
];

/// The channel's kind and its address, which a preset may complete.
pub(super) fn kind(
    table: &Table<'_>,
    url: ChannelUrl,
    allow_plaintext: bool,
) -> Result<(Kind, ChannelUrl), SettingsError> {
    let word = table.or("kind", Word::Recipe, |entry| entry.choice(&WORDS))?;
    let name = WORDS.iter().find(|(_, known)| *known == word).map_or("", |(name, _)| name);
    let at_url = |message, mend| match table.entry("url") {
        Some(entry) => entry.error(message, mend),
        None => table.error(message, mend),
    };
    if url.is_mqtt() && word != Word::Mqtt {
        let (message, set) = (Text::settings_url_mqtt(), "kind = \"mqtt\"");
        return Err(match table.entry("kind") {
            Some(entry) => entry.error(message, Text::settings_mend_write(&set)),
            None => at_url(message, Text::settings_mend_add(&set)),
        });
    }
    for (key, kinds) in KEYS_OF_KIND {
        if let Some(entry) = table.entry(key).filter(|_| !kinds.contains(&name)) {
            let set = kinds.iter().map(|kind| format!("kind = \"{kind}\"")).collect::<Vec<_>>().join(" / ");
            let message = Text::settings_key_of_kind(&key, &kinds.join(" / "));
            return Err(entry.error(message, Text::settings_mend_kind(&set)));
        }
    }
    for (key, kinds) in USELESS {
        if let Some(entry) = table.entry(key).filter(|_| kinds.contains(&name)) {
            return Err(entry.error(Text::settings_key_useless(&key, &name), Text::settings_mend_remove()));
        }
    }
    if let Some(entry) = OF_HTTP.iter().filter(|_| url.is_mqtt()).find_map(|key| table.entry(key)) {
        return Err(entry.error(Text::settings_key_of_http(&entry.key), Text::settings_mend_remove()));
    }
    Ok(match word {
        Word::Recipe => (Kind::Recipe, url),
        Word::Sse => (Kind::Sse, url),
        Word::Mqtt => (Kind::Mqtt(Box::new(mqtt(table)?)), url),
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
            let (dialogue, path) = dialogue(table, allow_plaintext)?;
            let url = match path {
                Some(path) if url.as_url().path() == "/" && url.as_url().query().is_none() => url.at(&path),
                Some(_) | None => url,
            };
            (Kind::Dialogue(Arc::new(dialogue)), url)
        }
    })
}

/// What may carry the link's words, in the order in which it is tried (F1).
pub(super) fn carriers(table: &Table<'_>, kind: &Kind) -> Result<Vec<Carrier>, SettingsError> {
    use Carrier::{EventStream, Lines, Mqtt, SockJs, SockJsPolling, SockJsStreaming, WebSocket};
    match kind {
        Kind::Recipe | Kind::Dialogue(_) => {}
        Kind::Ntfy { .. } => return Ok(vec![WebSocket, EventStream, Lines]),
        Kind::Gotify => return Ok(vec![WebSocket]),
        Kind::Sse => return Ok(vec![EventStream]),
        Kind::Mqtt(_) => return Ok(vec![Mqtt]),
    }
    let said = table.maybe("carrier", |entry| {
        entry.choice(&[
            ("auto", None),
            ("websocket", Some([WebSocket].as_slice())),
            ("sockjs", Some(&[SockJs, SockJsStreaming, SockJsPolling])),
            ("sockjs-streaming", Some(&[SockJsStreaming, SockJsPolling])),
            ("sockjs-polling", Some(&[SockJsPolling])),
        ])
    })?;
    if let Some(Some(carriers)) = said {
        return Ok(carriers.to_vec());
    }
    // The servers of other presets speak no SockJS: to ask them for it would cost a dial.
    if table.maybe("preset", Entry::text)?.is_some_and(|preset| preset != "stomp") {
        return Ok(vec![WebSocket]);
    }
    let address = table.maybe("url", Entry::word)?.unwrap_or_default();
    Ok(Carrier::of_address(address))
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

#[cfg(test)]
mod tests;
