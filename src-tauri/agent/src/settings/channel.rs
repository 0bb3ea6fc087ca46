//! The `[[channel]]` part of the settings file: where each value is checked, beyond its type.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidings_channel::{Backoff, ChannelUrl, ChannelUrlError, ConfigError, Heartbeat, Liveness, TakeBack};
use tidings_inbox::{ChannelProfile, Field, Mapping, Rule, Show, Sound, Source, SourceError, Then, Urgency};
use url::Url;

use super::error::SettingsError;
use super::table::{Entry, SECRET_MEND, Table, looks_secret};
use super::{ChannelSettings, ClientCert};
use crate::credential::{Auth, CredentialSource};

/// Longest channel id, in characters.
const LONGEST_ID: usize = 64;

/// The three ways to name a secret.
const TOKEN_KEYS: [&str; 3] = ["token_command", "token_file", "token_env"];

/// Every key of a channel.
pub(super) const CHANNEL_KEYS: [&str; 25] = [
    "id",
    "name",
    "url",
    "enabled",
    "allow_plaintext",
    "token_command",
    "token_file",
    "token_env",
    "auth",
    "show",
    "username",
    "headers",
    "proxy",
    "ca_file",
    "client_cert",
    "client_key",
    "resume",
    "quiet_close_codes",
    "take_back_after",
    "ignore",
    "heartbeat",
    "liveness",
    "backoff",
    "mapping",
    "rule",
];

/// All channels, and what must not be the same in two of them.
pub(super) fn channels(entry: Entry<'_>, file: &Path) -> Result<Vec<ChannelSettings>, SettingsError> {
    let mut channels: Vec<ChannelSettings> = Vec::new();
    for entry in entry.list()? {
        let table = entry.table("[[channel]]", &CHANNEL_KEYS)?;
        let new = channel(&table, file)?;
        if channels.iter().any(|old| old.id == new.id) {
            let message = format!("a second channel with the id `{}`", new.id);
            return Err(match table.entry("id").or(table.entry("name")) {
                Some(entry) => entry.error(message, "give each channel an `id` of its own"),
                None => table.error(message, "give each channel an `id` of its own").about("name"),
            });
        }
        // R3: the two would replace each other for ever.
        let same = |old: &&ChannelSettings| {
            old.url == new.url && old.credential == new.credential && old.auth == new.auth
        };
        if let (Some(old), Some(url)) = (channels.iter().find(same), table.entry("url")) {
            return Err(url.error(
                format!("the same URL and credential as channel `{}`: they would replace each other", old.id),
                "remove one of the two, or give each a token_command, token_file or token_env of its own",
            ));
        }
        channels.push(new);
    }
    Ok(channels)
}

fn channel(table: &Table<'_>, file: &Path) -> Result<ChannelSettings, SettingsError> {
    let allow_plaintext = table.or("allow_plaintext", false, Entry::truth)?;
    let url = table
        .entry("url")
        .ok_or_else(|| table.error("a channel without `url`", "add url = \"wss://…\"").about("url"))
        .and_then(|entry| channel_url(entry, allow_plaintext))?;
    let name = table.maybe("name", Entry::word)?.map_or_else(|| url.host().to_owned(), str::to_owned);
    let auth = auth(table)?;
    Ok(ChannelSettings {
        id: channel_id(table, &name)?,
        name,
        url,
        enabled: table.or("enabled", true, Entry::truth)?,
        credential: credential_source(table, &auth, file)?,
        auth,
        show: table.or("show", Show::default(), |entry| {
            entry.choice(&[("full", Show::Full), ("title", Show::Title), ("nothing", Show::Nothing)])
        })?,
        headers: table.or("headers", Vec::new(), headers)?,
        proxy: table.maybe("proxy", proxy)?,
        ca_file: table.maybe("ca_file", |entry| path(entry, file))?,
        client_cert: client_cert(table, file)?,
        resume: table.maybe("resume", |entry| entry.word().map(str::to_owned))?,
        quiet_close_codes: table.or("quiet_close_codes", BTreeSet::from([4500]), |entry| {
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
        heartbeat: table.or("heartbeat", Heartbeat::default(), heartbeat)?,
        liveness: table.or("liveness", Liveness::default(), liveness)?,
        backoff: table.or("backoff", Backoff::default(), backoff)?,
        mapping: table.or("mapping", Mapping::new(), mapping)?,
        rules: table.or("rule", Vec::new(), |entry| entry.list()?.map(rule).collect())?,
    })
}

fn channel_url(entry: Entry<'_>, allow_plaintext: bool) -> Result<ChannelUrl, SettingsError> {
    let example = "write it as \"wss://host/path\"";
    let url = ChannelUrl::parse(entry.word()?, allow_plaintext).map_err(|error| match error {
        ChannelUrlError::Syntax(url::ParseError::RelativeUrlWithoutBase) => {
            entry.error("`url` does not begin with a scheme", example)
        }
        ChannelUrlError::Syntax(why) => entry.error(format!("`url` is not a URL: {why}"), example),
        ChannelUrlError::Scheme(_) => entry.error("`url` is not a WebSocket address", example),
        ChannelUrlError::NoHost => entry.error("`url` has no host", example),
        ChannelUrlError::Port => {
            entry.error("`url` has port 0, which can't be connected to", "write the server's port, or none")
        }
        ChannelUrlError::Userinfo => entry.error("`url` holds a user name or password", SECRET_MEND),
        ChannelUrlError::Fragment => {
            entry.error("`url` has a fragment, which no server ever sees", "remove it from the # on")
        }
        ChannelUrlError::Plaintext { host } => entry.error(
            format!("`url` would send everything unencrypted to {host}"),
            "write wss://, or add allow_plaintext = true to this channel",
        ),
    })?;
    if url.as_url().query_pairs().any(|(name, value)| looks_secret(&name) && !value.is_empty()) {
        let mend = format!("{SECRET_MEND}, and the parameter with auth = {{ query = \"…\" }}");
        return Err(entry.error("`url` seems to hold a secret in its query", mend));
    }
    Ok(url)
}

fn channel_id(table: &Table<'_>, name: &str) -> Result<String, SettingsError> {
    let Some(entry) = table.entry("id") else {
        let id = slug(name);
        return match (id.is_empty(), table.entry("name")) {
            (false, _) => Ok(id),
            (true, Some(name)) => {
                Err(name.error("no id can be made from this name", "add an `id` to this channel"))
            }
            (true, None) => Err(table
                .error("no id can be made from this host", "add an `id` to this channel")
                .about("id")),
        };
    };
    let id = entry.word()?;
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !id.chars().all(allowed) || id.chars().count() > LONGEST_ID {
        let mend = format!("use at most {LONGEST_ID} letters, digits, `-`, `_` and `.`");
        return Err(entry.error("`id` has other characters or is too long", mend));
    }
    Ok(id.to_owned())
}

/// The id of a channel that names none itself, where one can be made.
pub(super) fn default_id(name: Option<&str>, url: Option<&str>) -> Option<String> {
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

fn auth(table: &Table<'_>) -> Result<Auth, SettingsError> {
    let Some(entry) = table.entry("auth") else { return Ok(Auth::Bearer) };
    if entry.is_table() {
        return auth_by_name(entry);
    }
    match entry.choice(&[("none", Kind::None), ("bearer", Kind::Bearer), ("basic", Kind::Basic)])? {
        Kind::None => Ok(Auth::None),
        Kind::Bearer => Ok(Auth::Bearer),
        Kind::Basic => match table.maybe("username", |name| name.word().map(|text| (name, text)))? {
            Some((at, name)) if name.contains(|c: char| c == ':' || c.is_control()) => Err(at.error(
                "`username` holds a colon or a control character, which Basic can't carry",
                "correct it, or choose another `auth`",
            )),
            Some((_, username)) => Ok(Auth::Basic { username: username.to_owned() }),
            None => Err(entry.error(
                "`auth` is basic, but there is no `username`",
                "add username = \"…\" to this channel",
            )),
        },
    }
}

/// The `auth` words.
#[derive(Clone, Copy)]
enum Kind {
    None,
    Bearer,
    Basic,
}

/// `auth` as a table of one key, such as `{ header = "X-Key" }`.
fn auth_by_name(entry: Entry<'_>) -> Result<Auth, SettingsError> {
    let table = entry.table("auth", &["header", "query", "cookie"])?;
    let named = |key: &'static str| table.maybe(key, |name| name.word().map(|text| (name, text)));
    let token = |(entry, name): (Entry<'_>, &str)| match is_token(name) {
        true => Ok(name.to_owned()),
        false => Err(entry.error(
            format!("`{}` is not a name that HTTP knows", entry.key),
            "use letters, digits and `-`; the secret itself stands elsewhere",
        )),
    };
    match (named("header")?, named("query")?, named("cookie")?) {
        (Some(header), None, None) => Ok(Auth::Header { name: token(header)? }),
        (None, Some((_, query)), None) => Ok(Auth::Query { name: query.to_owned() }),
        (None, None, Some(cookie)) => Ok(Auth::Cookie { name: token(cookie)? }),
        _ => Err(table.error("`auth` must have one name", "write one of header, query and cookie")),
    }
}

/// A token of RFC 9110, section 5.6.2: what names of headers and cookies are made of.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn credential_source(table: &Table<'_>, auth: &Auth, file: &Path) -> Result<CredentialSource, SettingsError> {
    let mut given = TOKEN_KEYS.iter().filter_map(|key| table.entry(key)).collect::<Vec<_>>();
    given.sort_by_key(|entry| entry.span().start);
    let source = match given.as_slice() {
        [] if *auth == Auth::None => return Ok(CredentialSource::None),
        [] => return Ok(CredentialSource::Keyring),
        [one] => *one,
        [first, second, ..] => {
            return Err(
                second.error(format!("`{}` beside `{}`", second.key, first.key), "keep one of the two")
            );
        }
    };
    if *auth == Auth::None {
        let mend = format!("remove `{}`, or choose another `auth`", source.key);
        return Err(source.error(format!("`auth` is none, so `{}` is of no use", source.key), mend));
    }
    match source.key {
        "token_command" => source.word().map(|command| CredentialSource::Command(command.to_owned())),
        "token_file" => path(source, file).map(CredentialSource::File),
        _ => match source.word()? {
            name if name.contains(['=', '\0']) => Err(source
                .error("`token_env` is not the name of a variable", "write its name without `$` and value")),
            name => Ok(CredentialSource::Env(name.to_owned())),
        },
    }
}

fn headers(entry: Entry<'_>) -> Result<Vec<(String, String)>, SettingsError> {
    const OURS: [&str; 5] = ["host", "connection", "upgrade", "content-length", "transfer-encoding"];
    let mut headers = Vec::new();
    for (name, at, value) in entry.pairs()? {
        let lower = name.to_lowercase();
        if !is_token(name) {
            return Err(value.error_at(
                at,
                "this is not the name of a header",
                "use letters, digits and `-`",
            ));
        }
        if looks_secret(name) {
            let mend = format!("{SECRET_MEND}, and the header with `auth`");
            return Err(value.error_at(at, format!("the header `{name}` usually holds a secret"), mend));
        }
        if OURS.contains(&lower.as_str()) || lower.starts_with("sec-websocket") {
            return Err(value.error_at(at, format!("`{name}` is set by the connection itself"), "remove it"));
        }
        let text = value.text()?;
        if !text.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)) {
            return Err(value.error("this can't be sent in a header", "use printable ASCII on one line"));
        }
        headers.push((name.to_owned(), text.to_owned()));
    }
    Ok(headers)
}

fn proxy(entry: Entry<'_>) -> Result<Url, SettingsError> {
    let mend = "write it as \"socks5://host:1080\" or \"http://host:3128\"";
    let url = Url::parse(entry.word()?)
        .map_err(|error| entry.error(format!("`proxy` is not a URL: {error}"), mend))?;
    if !matches!(url.scheme(), "http" | "socks5" | "socks5h") || !url.has_host() {
        return Err(entry.error("`proxy` is not the address of a proxy", mend));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let mend = "remove them here and set the environment variable HTTPS_PROXY or ALL_PROXY instead";
        return Err(entry.error("`proxy` holds a user name or password", mend));
    }
    Ok(url)
}

fn client_cert(table: &Table<'_>, file: &Path) -> Result<Option<ClientCert>, SettingsError> {
    let chain = table.maybe("client_cert", |entry| path(entry, file))?;
    let key = table.maybe("client_key", |entry| path(entry, file))?;
    match (chain, key, table.entry("client_key")) {
        (None, _, Some(entry)) => {
            Err(entry.error("`client_key` without `client_cert`", "add client_cert = \"…\" to this channel"))
        }
        (None, _, None) => Ok(None),
        (Some(chain), key, _) => Ok(Some(ClientCert { key: key.unwrap_or_else(|| chain.clone()), chain })),
    }
}

/// A path: `~/` is the home folder, and what is relative is so to the settings file's folder.
fn path(entry: Entry<'_>, file: &Path) -> Result<PathBuf, SettingsError> {
    let text = entry.word()?;
    if text.contains('\0') {
        return Err(entry.error(format!("`{}` is not a path", entry.key), "remove the NUL character"));
    }
    match text.strip_prefix("~/") {
        Some(rest) => std::env::home_dir()
            .map(|home| home.join(rest))
            .ok_or_else(|| entry.error("there is no home folder to put for `~`", "write the whole path")),
        None => Ok(file.parent().unwrap_or(Path::new("")).join(text)),
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

/// A duration as people write it in the file: "90s" rather than "1m 30s".
fn written(time: Duration) -> String {
    match (time.as_secs(), time.subsec_nanos()) {
        (secs @ 0..=600, 0) => format!("{secs}s"),
        (_, _) => humantime::format_duration(time).to_string().replace(' ', ""),
    }
}

/// What the connection says of its numbers, at the place where they stand.
fn refused(table: &Table<'_>, error: &ConfigError) -> SettingsError {
    let (keys, message, mend) = match *error {
        ConfigError::HeartbeatTooRare { interval, proxy_timeout, longest } => (
            ["interval", "proxy_timeout"],
            format!(
                "`interval` ({}) is above two thirds of `proxy_timeout` ({})",
                written(interval),
                written(proxy_timeout)
            ),
            format!("write interval = \"{}\" or less", written(longest)),
        ),
        ConfigError::TooShort { setting, value, least } => {
            let key = setting.rsplit('.').next().unwrap_or(setting);
            let message = format!("`{key}` ({}) is too short", written(value));
            ([key; 2], message, format!("write \"{}\" or more", written(least)))
        }
        ConfigError::TooLong { setting, value, most } => {
            let key = setting.rsplit('.').next().unwrap_or(setting);
            let message = format!("`{key}` ({}) is too long", written(value));
            ([key; 2], message, format!("write \"{}\" or less", written(most)))
        }
        ConfigError::HeartbeatTooLong { bytes } => {
            (["text"; 2], format!("`text` has {bytes} bytes, which is too long"), "shorten it".to_owned())
        }
        ConfigError::CapBelowFirst { first, cap } => (
            ["cap", "first"],
            format!("`cap` ({}) is below `first` ({})", written(cap), written(first)),
            format!("write cap = \"{}\" or more", written(first)),
        ),
    };
    match keys.into_iter().find_map(|key| table.entry(key)) {
        Some(entry) => entry.error(message, mend),
        None => table.error(message, mend),
    }
}

fn mapping(entry: Entry<'_>) -> Result<Mapping, SettingsError> {
    let table = entry.table("[channel.mapping]", &Field::ALL.map(|(name, _)| name))?;
    let mut mapping = Mapping::new();
    for (name, field) in Field::ALL {
        let Some(entry) = table.entry(name) else { continue };
        let source = Source::parse(entry.text()?).map_err(|error| match error {
            SourceError::Neither => entry.error(
                format!("`{name}` is neither a JSON Pointer nor a template"),
                "write it as \"/payload/subject\" or \"{{ payload.subject }}\"",
            ),
            SourceError::Template(error) => entry.error_within(
                error.at,
                format!("the template for `{name}` has a mistake: {error}"),
                "write for example \"{{ payload.who }}: {{ payload.text }}\"",
            ),
        })?;
        mapping.insert(field, source);
    }
    Ok(mapping)
}

fn rule(entry: Entry<'_>) -> Result<Rule, SettingsError> {
    let table = entry.table("[[channel.rule]]", &["when", "then", "urgency", "sound"])?;
    let when = table.maybe("when", |entry| entry.word().map(|text| (entry, text)))?;
    let rule = Rule::new(when.map(|(_, text)| text));
    let mut rule = rule.map_err(|error| match when {
        Some((entry, _)) => entry.error_within(
            error.at,
            format!("`when` has a mistake: {error}"),
            "write for example \"priority >= 4 and 'paid' in title\"",
        ),
        None => table.error(error.to_string(), "add a `when`"),
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
