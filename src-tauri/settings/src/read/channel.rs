//! The `[[channel]]` part of the settings file: where each value is checked, beyond its type.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tidings_channel::{Backoff, ChannelUrl, Heartbeat, Liveness, TakeBack};
use tidings_ground::redact::{is_credential, looks_secret};
use tidings_inbox::{
    ChannelProfile, Condition, Field, Format, Mapping, Rule, Show, Sound, Source, SourceError, Then, Urgency,
};
use tidings_words::Text;
use url::Url;

use super::address::{channel_url, web_url};
use super::kind::{carriers, kind};
use super::numbers::{heartbeat_every, is_token, refused};
use super::oauth::oauth;
use super::session::session;
use super::table::{Entry, Table};
use crate::error::SettingsError;
use crate::reason;
use crate::secret::credential::{Auth, CredentialSource};
use crate::settings::{ChannelSettings, ClientCert, Images, Kind, Send};

/// Longest channel id, in characters.
const LONGEST_ID: usize = 64;

/// The three ways to name a secret.
const TOKEN_KEYS: [&str; 3] = ["token_command", "token_file", "token_env"];
/// … and one that is for sending alone.
const SEND_TOKEN_KEYS: [&str; 3] = ["send_token_command", "send_token_file", "send_token_env"];

/// Every key of a channel.
pub(crate) const CHANNEL_KEYS: [&str; 46] = [
    "id",
    "name",
    "kind",
    "url",
    "carrier",
    "topics",
    "client_id",
    "session_expiry",
    "preset",
    "dialogue",
    "enabled",
    "allow_plaintext",
    "token_command",
    "token_file",
    "token_env",
    "auth",
    "sign_in",
    "keep_session",
    "keep_session_url",
    "sign_out",
    "oauth",
    "show",
    "format",
    "images",
    "app_icons",
    "username",
    "headers",
    "proxy",
    "ca_file",
    "client_cert",
    "client_key",
    "send_url",
    "send_token_command",
    "send_token_file",
    "send_token_env",
    "send_app",
    "resume",
    "quiet_close_codes",
    "take_back_after",
    "ignore",
    "ignore_when",
    "heartbeat",
    "liveness",
    "backoff",
    "mapping",
    "rule",
];

/// All channels, and what must not be the same in two of them.
pub(crate) fn channels(entry: Entry<'_>, file: &Path) -> Result<Vec<ChannelSettings>, SettingsError> {
    let mut channels: Vec<ChannelSettings> = Vec::new();
    for entry in entry.list()? {
        let table = entry.table("[[channel]]", &CHANNEL_KEYS)?;
        let new = channel(&table, file)?;
        if channels.iter().any(|old| old.id == new.id) {
            let message = Text::settings_second_id(&new.id);
            return Err(match table.entry("id").or(table.entry("name")) {
                Some(entry) => entry.error(message, Text::settings_mend_own_id()),
                None => table.error(message, Text::settings_mend_own_id()).about("name"),
            });
        }
        // R3: the two would replace each other for ever. To ntfy and Gotify a second link is just that.
        let same = |old: &&ChannelSettings| {
            matches!(new.kind, Kind::Recipe | Kind::Dialogue(_))
                && old.kind == new.kind
                && old.url == new.url
                && old.credential == new.credential
                && old.auth == new.auth
        };
        if let (Some(old), Some(url)) = (channels.iter().find(same), table.entry("url")) {
            return Err(url.error(Text::settings_same_user(&old.id), Text::settings_mend_same_user()));
        }
        // To a broker it is the client id by which one replaces the other; one of its own each has by default.
        let client_id = |channel: &ChannelSettings| match &channel.kind {
            Kind::Mqtt(asked) => asked.client_id.clone(),
            Kind::Recipe | Kind::Ntfy { .. } | Kind::Gotify | Kind::Dialogue(_) | Kind::Sse => None,
        };
        if let (Some(id), Some(at)) = (client_id(&new), table.entry("client_id"))
            && let Some(old) =
                channels.iter().find(|old| old.url == new.url && client_id(old).as_ref() == Some(&id))
        {
            return Err(at.error(Text::settings_same_client(&old.id), Text::settings_mend_same_client()));
        }
        channels.push(new);
    }
    Ok(channels)
}

fn channel(table: &Table<'_>, file: &Path) -> Result<ChannelSettings, SettingsError> {
    let allow_plaintext = table.or("allow_plaintext", false, Entry::truth)?;
    let url = table
        .entry("url")
        .ok_or_else(|| table.error(Text::settings_no_url(), Text::settings_mend_url()).about("url"))
        .and_then(|entry| channel_url(entry, allow_plaintext))?;
    let (kind, url) = kind(table, url, allow_plaintext)?;
    let name = table.maybe("name", Entry::word)?.map_or_else(|| url.host().to_owned(), str::to_owned);
    let auth = auth(table, &kind, &url)?;
    let session = session(table, &auth, &url, allow_plaintext)?.map(Box::new);
    let default_heartbeat = heartbeat_of(table, &kind)?;
    // What 4500 means in other protocols is their own.
    let quiet_codes = if kind == Kind::Recipe { BTreeSet::from([4500]) } else { BTreeSet::new() };
    Ok(ChannelSettings {
        id: channel_id(table, &name)?,
        name,
        carriers: carriers(table, &kind)?,
        kind,
        url,
        enabled: table.or("enabled", true, Entry::truth)?,
        credential: credential_source(table, &auth, file, allow_plaintext)?,
        auth,
        session,
        show: table.or("show", Show::default(), |entry| {
            entry.choice(&[("full", Show::Full), ("title", Show::Title), ("nothing", Show::Nothing)])
        })?,
        format: table.or("format", Format::default(), |entry| {
            entry.choice(&[("plain", Format::Plain), ("markdown", Format::Markdown)])
        })?,
        images: table.or("images", Images::default(), |entry| {
            entry.choice(&[("never", Images::Never), ("own-server", Images::OwnServer)])
        })?,
        app_icons: table.or("app_icons", true, Entry::truth)?,
        headers: table.or("headers", Vec::new(), headers)?,
        proxy: table.maybe("proxy", proxy)?,
        ca_file: table.maybe("ca_file", |entry| path(entry, file))?,
        client_cert: client_cert(table, file)?,
        send: Send {
            url: table.maybe("send_url", |entry| web_url(entry, allow_plaintext))?,
            credential: named_source(table, SEND_TOKEN_KEYS, file)?.map(|(_, source)| source),
            app: table.maybe("send_app", |entry| entry.number(1..=u32::MAX))?,
        },
        resume: table.maybe("resume", |entry| entry.word().map(str::to_owned))?,
        quiet_close_codes: table.or("quiet_close_codes", quiet_codes, |entry| {
            entry.list()?.map(|code| code.number(1000..=4999)).collect()
        })?,
        take_back_after: table.or("take_back_after", None, |entry| match entry.text()? {
            "never" => Ok(None),
            word if !word.contains(|c: char| c.is_ascii_digit()) => {
                Err(entry.unknown_word(word, std::iter::once("never")))
            }
            _ => {
                TakeBack::after(entry.positive_duration()?).map(Some).map_err(|error| refused(table, &error))
            }
        })?,
        ignore: table.or("ignore", ChannelProfile::DEFAULT_IGNORE.map(str::to_owned).to_vec(), |entry| {
            entry.list()?.map(|text| text.text().map(str::to_owned)).collect()
        })?,
        ignore_when: table.maybe("ignore_when", ignore_when)?,
        heartbeat: table.or("heartbeat", default_heartbeat, heartbeat)?,
        liveness: table.or("liveness", Liveness::default(), liveness)?,
        backoff: table.or("backoff", Backoff::default(), backoff)?,
        mapping: table.or("mapping", Mapping::new(), mapping)?,
        rules: table.or("rule", Vec::new(), |entry| entry.list()?.map(rule).collect())?,
    })
}

fn channel_id(table: &Table<'_>, name: &str) -> Result<String, SettingsError> {
    let Some(entry) = table.entry("id") else {
        let id = slug(name);
        return match (id.is_empty(), table.entry("name")) {
            (false, _) => Ok(id),
            (true, Some(name)) => {
                Err(name.error(Text::settings_no_id_by_name(), Text::settings_mend_add_id()))
            }
            (true, None) => {
                Err(table.error(Text::settings_no_id_by_host(), Text::settings_mend_add_id()).about("id"))
            }
        };
    };
    let id = entry.word()?;
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !id.chars().all(allowed) || id.chars().count() > LONGEST_ID {
        let mend = Text::settings_mend_id(&LONGEST_ID);
        return Err(entry.error(Text::settings_id(), mend));
    }
    Ok(id.to_owned())
}

/// The id of a channel that names none itself, where one can be made.
pub(crate) fn default_id(name: Option<&str>, url: Option<&str>) -> Option<String> {
    let id = match name {
        Some(name) => slug(name),
        None => slug(ChannelUrl::parse(url?, true).ok()?.host()),
    };
    Some(id).filter(|id| !id.is_empty())
}

fn slug(name: &str) -> String {
    let mut id = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || c == '.' || c == '_' {
            id.push(c);
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    let id: String = id.chars().take(LONGEST_ID).collect();
    id.trim_end_matches('-').to_owned()
}

fn auth(table: &Table<'_>, kind: &Kind, url: &ChannelUrl) -> Result<Auth, SettingsError> {
    let Some(entry) = table.entry("auth") else { return Ok(kind.usual_auth()) };
    if url.is_mqtt() && (entry.is_table() || entry.text()? == "session") {
        let mend = Text::settings_mend_one_of(&"none, bearer, basic");
        return Err(entry.error(Text::settings_mqtt_auth(), mend));
    }
    if entry.is_table() {
        return auth_by_name(entry);
    }
    let says = matches!(kind, Kind::Dialogue(dialogue) if dialogue.says("secret"));
    let words = [
        ("none", Way::None),
        ("bearer", Way::Bearer),
        ("basic", Way::Basic),
        ("session", Way::Session),
        ("dialogue", Way::Said),
    ];
    match entry.choice(&words)? {
        Way::None if says => Err(entry.error(Text::settings_secret_said(), Text::settings_mend_said())),
        Way::None => Ok(Auth::None),
        Way::Bearer => Ok(Auth::Bearer),
        // ntfy and Gotify have no web app that signs in so.
        Way::Session if !matches!(kind, Kind::Recipe | Kind::Dialogue(_) | Kind::Sse | Kind::Mqtt(_)) => {
            let mend = Text::settings_mend_kind(&"kind = \"recipe\"");
            Err(entry.error(Text::settings_session_kind(), mend))
        }
        Way::Session if says => Err(entry.error(Text::settings_session_said(), Text::settings_mend_said())),
        Way::Session => Ok(Auth::Session),
        Way::Said if says => Ok(Auth::Said),
        Way::Said => {
            Err(entry.error(Text::settings_secret_unsaid(), Text::settings_mend_unsaid(&"{{ secret }}")))
        }
        Way::Basic => match table.maybe("username", |name| name.word().map(|text| (name, text)))? {
            // In MQTT the two stand apart, and RabbitMQ's users are called `vhost:name` there.
            Some((at, name))
                if name.contains(|c: char| c.is_control() || c == ':' && !matches!(kind, Kind::Mqtt(_))) =>
            {
                Err(at.error(Text::settings_username(), Text::settings_mend_username()))
            }
            Some((_, username)) => Ok(Auth::Basic { username: username.to_owned() }),
            None => {
                Err(entry.error(Text::settings_no_username(), Text::settings_mend_add(&"username = \"…\"")))
            }
        },
    }
}

/// The `auth` words.
#[derive(Clone, Copy)]
enum Way {
    None,
    Bearer,
    Basic,
    /// Cookies of a sign-in on a web page.
    Session,
    /// In the dialogue's own texts.
    Said,
}

/// `auth` as a table of one key, such as `{ header = "X-Key" }`.
fn auth_by_name(entry: Entry<'_>) -> Result<Auth, SettingsError> {
    let table = entry.table("auth", &["header", "query", "cookie"])?;
    let named = |key: &'static str| table.maybe(key, |name| name.word().map(|text| (name, text)));
    let token = |(entry, name): (Entry<'_>, &str)| match is_token(name) {
        true => Ok(name.to_owned()),
        false => Err(entry.error(Text::settings_auth_name(&entry.key), Text::settings_mend_auth_name())),
    };
    match (named("header")?, named("query")?, named("cookie")?) {
        (Some(header), None, None) => Ok(Auth::Header { name: token(header)? }),
        (None, Some((_, query)), None) => Ok(Auth::Query { name: query.to_owned() }),
        (None, None, Some(cookie)) => Ok(Auth::Cookie { name: token(cookie)? }),
        _ => Err(table.error(Text::settings_auth_names(), Text::settings_mend_auth_names())),
    }
}

fn credential_source(
    table: &Table<'_>,
    auth: &Auth,
    file: &Path,
    allow_plaintext: bool,
) -> Result<CredentialSource, SettingsError> {
    let named = named_source(table, TOKEN_KEYS, file)?;
    let provider = table.entry("oauth");
    if let (Some((named, _)), Some(provider)) = (&named, provider) {
        return Err(
            provider.error(Text::settings_beside(&named.key, &"oauth"), Text::settings_mend_keep_one())
        );
    }
    let provider = provider.map(|entry| {
        oauth(entry, allow_plaintext).map(|provider| (entry, CredentialSource::Provider(Box::new(provider))))
    });
    let Some((entry, source)) = provider.transpose()?.or(named) else {
        return Ok(if *auth == Auth::None { CredentialSource::None } else { CredentialSource::Keyring });
    };
    if *auth == Auth::None {
        let mend = Text::settings_mend_auth_none(&entry.key);
        return Err(entry.error(Text::settings_auth_none(&entry.key), mend));
    }
    Ok(source)
}

/// Where a secret is, by the one of these keys that is there: a command's, a file's, a variable's.
fn named_source<'a>(
    table: &'a Table<'_>,
    [command, in_file, variable]: [&'a str; 3],
    file: &Path,
) -> Result<Option<(Entry<'a>, CredentialSource)>, SettingsError> {
    let mut given =
        [command, in_file, variable].iter().filter_map(|key| table.entry(key)).collect::<Vec<_>>();
    given.sort_by_key(|entry| entry.span().start);
    let entry = match given.as_slice() {
        [] => return Ok(None),
        [one] => *one,
        [first, second, ..] => {
            return Err(
                second.error(Text::settings_beside(&first.key, &second.key), Text::settings_mend_keep_one())
            );
        }
    };
    let source = if entry.key == command {
        CredentialSource::Command(entry.word()?.to_owned())
    } else if entry.key == in_file {
        CredentialSource::File(path(entry, file)?)
    } else {
        match entry.word()? {
            name if name.contains(['=', '\0']) => {
                return Err(entry.error(Text::settings_token_env(), Text::settings_mend_token_env()));
            }
            name => CredentialSource::Env(name.to_owned()),
        }
    };
    Ok(Some((entry, source)))
}

fn headers(entry: Entry<'_>) -> Result<Vec<(String, String)>, SettingsError> {
    const OURS: [&str; 5] = ["host", "connection", "upgrade", "content-length", "transfer-encoding"];
    let mut headers = Vec::new();
    for (name, at, value) in entry.pairs()? {
        let lower = name.to_lowercase();
        if !is_token(name) {
            return Err(value.error_at(at, Text::settings_header_name(), Text::settings_mend_header_name()));
        }
        if looks_secret(name) {
            let mend = Text::settings_mend_secret_header();
            return Err(value.error_at(at, Text::settings_header_secret(&name), mend));
        }
        if OURS.contains(&lower.as_str()) || lower.starts_with("sec-websocket") {
            return Err(value.error_at(at, Text::settings_header_ours(&name), Text::settings_mend_remove()));
        }
        let text = value.text()?;
        if is_credential(text) {
            return Err(
                value.error(Text::settings_header_credential(&name), Text::settings_mend_secret_header())
            );
        }
        if !text.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)) {
            return Err(value.error(Text::settings_header_text(), Text::settings_mend_header_text()));
        }
        headers.push((name.to_owned(), text.to_owned()));
    }
    Ok(headers)
}

fn proxy(entry: Entry<'_>) -> Result<Url, SettingsError> {
    let url = Url::parse(entry.word()?).map_err(|error| {
        entry.error(Text::settings_url_wrong(&"proxy", &reason::of_url(error)), Text::settings_mend_proxy())
    })?;
    if !matches!(url.scheme(), "http" | "socks5" | "socks5h") || !url.has_host() {
        return Err(entry.error(Text::settings_proxy(), Text::settings_mend_proxy()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(entry.error(Text::settings_url_user(&"proxy"), Text::settings_mend_proxy_user()));
    }
    Ok(url)
}

fn client_cert(table: &Table<'_>, file: &Path) -> Result<Option<ClientCert>, SettingsError> {
    let chain = table.maybe("client_cert", |entry| path(entry, file))?;
    let key = table.maybe("client_key", |entry| path(entry, file))?;
    match (chain, key, table.entry("client_key")) {
        (None, _, Some(entry)) => {
            Err(entry.error(Text::settings_client_key(), Text::settings_mend_add(&"client_cert = \"…\"")))
        }
        (None, _, None) => Ok(None),
        (Some(chain), key, _) => Ok(Some(ClientCert { key: key.unwrap_or_else(|| chain.clone()), chain })),
    }
}

/// A path: `~/` is the home folder, and what is relative is so to the settings file's folder.
fn path(entry: Entry<'_>, file: &Path) -> Result<PathBuf, SettingsError> {
    let text = entry.word()?;
    if text.contains('\0') {
        return Err(entry.error(Text::settings_path(&entry.key), Text::settings_mend_nul()));
    }
    match text.strip_prefix("~/") {
        Some(rest) => std::env::home_dir()
            .map(|home| home.join(rest))
            .ok_or_else(|| entry.error(Text::settings_no_home(), Text::settings_mend_whole_path())),
        None => Ok(file.parent().unwrap_or(Path::new("")).join(text)),
    }
}

/// Where no `[channel.heartbeat]` says otherwise. ntfy and Gotify read texts away and ping themselves.
fn heartbeat_of(table: &Table<'_>, kind: &Kind) -> Result<Heartbeat, SettingsError> {
    match kind {
        Kind::Recipe => Ok(Heartbeat::default()),
        Kind::Ntfy { .. } | Kind::Gotify | Kind::Sse | Kind::Mqtt(_) => Ok(Heartbeat::off()),
        Kind::Dialogue(dialogue) => match (&dialogue.beat, table.entry("heartbeat")) {
            (_, Some(entry)) => {
                let mend = Text::settings_mend_beat(&"beat = { text = \"…\", interval = \"25s\" }");
                Err(entry.error(Text::settings_key_useless(&"heartbeat", &"dialogue"), mend))
            }
            (Some(beat), None) => heartbeat_every(table, beat.interval),
            (None, None) => Ok(Heartbeat::off()),
        },
    }
}

fn heartbeat(entry: Entry<'_>) -> Result<Heartbeat, SettingsError> {
    let table = entry.table("[channel.heartbeat]", &["text", "interval", "proxy_timeout"])?;
    let default = Heartbeat::default();
    let text = table.or("text", default.text(), Entry::text)?;
    let interval = table.or("interval", default.interval(), Entry::duration)?;
    let proxy_timeout = table.or("proxy_timeout", default.proxy_timeout(), Entry::duration)?;
    Heartbeat::new(text, interval, proxy_timeout).map_err(|error| refused(&table, &error))
}

fn liveness(entry: Entry<'_>) -> Result<Liveness, SettingsError> {
    let table = entry.table("[channel.liveness]", &["ping_after", "deadline"])?;
    let default = Liveness::default();
    let ping_after = table.or("ping_after", default.ping_after(), Entry::duration)?;
    let deadline = table.or("deadline", default.deadline(), Entry::duration)?;
    Liveness::new(ping_after, deadline).map_err(|error| refused(&table, &error))
}

fn backoff(entry: Entry<'_>) -> Result<Backoff, SettingsError> {
    let table = entry.table("[channel.backoff]", &["first", "cap"])?;
    let default = Backoff::default();
    let first = table.maybe("first", Entry::duration)?;
    let cap = table.maybe("cap", Entry::duration)?;
    let (first, cap) = match (first, cap) {
        (Some(first), Some(cap)) => (first, cap),
        (Some(first), None) => (first, default.cap().max(first)),
        (None, Some(cap)) => (default.first().min(cap), cap),
        (None, None) => (default.first(), default.cap()),
    };
    Backoff::new(first, cap).map_err(|error| refused(&table, &error))
}

fn mapping(entry: Entry<'_>) -> Result<Mapping, SettingsError> {
    let table = entry.table("[channel.mapping]", &Field::ALL.map(|(name, _)| name))?;
    let mut mapping = Mapping::new();
    for (name, field) in Field::ALL {
        let Some(entry) = table.entry(name) else { continue };
        let source = Source::parse(entry.text()?).map_err(|error| match error {
            SourceError::Neither => entry.error(
                Text::settings_mapping(&name),
                Text::settings_mend_mapping(&"\"{{ payload.subject }}\""),
            ),
            SourceError::Template(error) => entry.error_within(
                error.at,
                Text::settings_template(&name, &reason::of_mistake(&error.mistake)),
                Text::settings_mend_example(&"\"{{ payload.who }}: {{ payload.text }}\""),
            ),
        })?;
        mapping.insert(field, source);
    }
    Ok(mapping)
}

fn ignore_when(entry: Entry<'_>) -> Result<Condition, SettingsError> {
    Condition::parse(entry.word()?).map_err(|error| {
        entry.error_within(
            error.at,
            Text::settings_ignore_when(&reason::of_mistake(&error.mistake)),
            Text::settings_mend_example(&"\"json.type == 'ping'\""),
        )
    })
}

fn rule(entry: Entry<'_>) -> Result<Rule, SettingsError> {
    let table = entry.table("[[channel.rule]]", &["when", "then", "urgency", "sound"])?;
    let when = table.maybe("when", |entry| entry.word().map(|text| (entry, text)))?;
    let rule = Rule::new(when.map(|(_, text)| text));
    let mut rule = rule.map_err(|error| match when {
        Some((entry, _)) => entry.error_within(
            error.at,
            Text::settings_when(&reason::of_mistake(&error.mistake)),
            Text::settings_mend_example(&"\"priority >= 4 and 'paid' in title\""),
        ),
        None => table
            .error(Text::settings_when(&reason::of_mistake(&error.mistake)), Text::settings_mend_add_when()),
    })?;
    rule.then = table.maybe("then", |entry| {
        entry.choice(&[("notify", Then::Notify), ("silent", Then::Silent), ("store", Then::Store)])
    })?;
    rule.urgency = table.maybe("urgency", |entry| {
        entry.choice(&[("low", Urgency::Low), ("normal", Urgency::Normal), ("critical", Urgency::Critical)])
    })?;
    rule.sound = table.maybe("sound", |entry| {
        Ok(match entry.word()? {
            "none" => Sound::Off,
            name => Sound::Named(name.to_owned()),
        })
    })?;
    Ok(rule)
}
