//! Leaves out what may be secret of text that a user is going to send to somebody. What Tidings itself writes holds no
//! secret; this is for the rest: words of servers and of libraries, and settings that somebody else's eyes were not
//! meant for.

use toml::{Table, Value};

/// What stands in a secret's place.
const HIDDEN: &str = "***";

/// Names of settings that say where a secret is.
const PLACES: [&str; 3] = ["token_command", "token_file", "token_env"];

/// Settings whose text tells nothing that isn't anybody's business.
const OPEN: [&str; 33] = [
    "language",
    "theme",
    "refill",
    "down_after",
    "days",
    "from",
    "to",
    "id",
    "name",
    "auth",
    "header",
    "query",
    "cookie",
    "show",
    "resume",
    "token_file",
    "token_env",
    "ca_file",
    "client_cert",
    "client_key",
    "interval",
    "proxy_timeout",
    "ping_after",
    "deadline",
    "first",
    "cap",
    "take_back_after",
    "then",
    "urgency",
    "sound",
    "ignore",
    "text",
    "enabled",
];

/// The text without the queries and passwords of its URLs, and without what is named like a secret.
pub fn text(text: &str) -> String {
    text.split_inclusive('\n').map(line).collect()
}

fn line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    // The next word is a secret; all that follow are.
    let (mut hide, mut hide_all) = (false, false);
    for part in line.split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        let space = &part[word.len()..];
        if word.is_empty() {
            out += space;
            continue;
        }
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
        let scheme = matches!(bare.as_str(), "bearer" | "basic");
        if hide_all || (hide && !scheme) || is_credential(word.trim_matches(|c: char| !c.is_alphanumeric())) {
            out += HIDDEN;
            hide = false;
        } else if let Some(at) = value_of_secret(word) {
            let (name, value) = word.split_at(at);
            out += name;
            // `"token": "…"`: the quotes alone are no value.
            hide = value.trim_matches(['"', '\'']).is_empty();
            // A header of several: `Cookie: a=…; b=…`.
            hide_all = hide && name.to_ascii_lowercase().ends_with("cookie:");
            out += if hide { value } else { HIDDEN };
        } else if let Some(url) = url(word) {
            out += &url;
        } else {
            out += word;
            hide = hide || scheme;
        }
        out += space;
    }
    out
}

/// Where the value of something that is named like a secret begins, if that is before a URL. All that follows it counts
/// as the value.
fn value_of_secret(word: &str) -> Option<usize> {
    let before_url = &word[..word.find("://").unwrap_or(word.len())];
    let mut separators = before_url.match_indices(['=', ':']).map(|(at, _)| at);
    let at = separators
        .find(|at| word[..*at].rsplit([',', ';', '{', '[', '(', '&']).next().is_some_and(is_secret))?;
    Some(at + 1)
}

fn is_secret(name: &str) -> bool {
    let name = name.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
    !PLACES.contains(&name.as_str()) && looks_secret(&name)
}

/// The word's URL without user, password, values of the query, and fragment; `None` if there is none in it.
fn url(word: &str) -> Option<String> {
    let (scheme, rest) = word.split_once("://")?;
    let end = rest.find(['"', '\'', '>', ')', '`']).unwrap_or(rest.len());
    let (url, after) = rest.split_at(end);
    let after = line(after);
    let (url, fragment) = url.split_once('#').map_or((url, ""), |(url, _)| (url, "#***"));
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    let host = host.rsplit_once('@').map_or(host.to_owned(), |(_, host)| format!("{HIDDEN}@{host}"));
    let pairs = query.map(|query| {
        // A part without `=` may itself be a token.
        let pair = |pair: &str| {
            pair.split_once('=').map_or(HIDDEN.to_owned(), |(name, _)| format!("{name}={HIDDEN}"))
        };
        format!("?{}", query.split('&').map(pair).collect::<Vec<_>>().join("&"))
    });
    Some(format!("{scheme}://{host}{path}{}{fragment}{after}", pairs.unwrap_or_default()))
}

/// The settings' text without comments and without all that may be secret or private.
pub fn settings(text: &str) -> Result<String, toml::de::Error> {
    let table: Table = text.parse()?;
    Ok(Value::Table(hidden_in(table)).to_string())
}

fn hidden_in(table: Table) -> Table {
    table.into_iter().map(|(key, value)| (key.clone(), hidden(&key, value))).collect()
}

fn hidden(key: &str, value: Value) -> Value {
    match value {
        Value::String(text) if OPEN.contains(&key) => Value::String(text),
        Value::String(text) => {
            let shown = if key == "url" || key == "proxy" { url(&text) } else { None };
            Value::String(shown.unwrap_or_else(|| format!("({} characters)", text.chars().count())))
        }
        Value::Array(values) => Value::Array(values.into_iter().map(|value| hidden(key, value)).collect()),
        Value::Table(table) => Value::Table(hidden_in(table)),
        plain @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_)) => plain,
    }
}

/// Whether a key, header or parameter of this name usually holds a secret.
pub fn looks_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace(['-', '_'], "");
    [
        "token",
        "password",
        "passwd",
        "passphrase",
        "secret",
        "apikey",
        "authorization",
        "credential",
        "cookie",
        "jwt",
    ]
    .iter()
    .any(|word| name.contains(word))
        || matches!(name.as_str(), "pass" | "auth" | "bearer" | "sid" | "sessionid")
}

/// Whether a text is a credential by its form: one of HTTP's (RFC 9110, section 11.4), or a JSON Web Token (RFC 7519).
pub fn is_credential(text: &str) -> bool {
    let of_scheme = |scheme: &str, rest: &str| {
        ["bearer", "basic", "digest", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
            // No `Basic subscription`.
            && rest.len() >= 8
            && rest.contains(|c: char| c.is_ascii_digit())
    };
    let jwt = text.starts_with("eyJ") && text.split('.').count() == 3;
    jwt || text.trim().split_once(' ').is_some_and(|(scheme, rest)| of_scheme(scheme, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_named_like_a_secret_and_what_urls_carry_is_left_out() {
        for (told, left) in [
            (
                "dialling wss://a.example/ws?user=me&token=s3cret now",
                "dialling wss://a.example/ws?user=***&token=*** now",
            ),
            ("(https://me:s3cret@a.example/x)", "(https://***@a.example/x)"),
            ("url=\"ws://a/?s3cret#s3cret\" x", "url=\"ws://a/?***#***\" x"),
            ("Authorization: Bearer s3cret", "Authorization: Bearer ***"),
            ("authorization=s3cret, X-Api-Key: s3cret next", "authorization=*** X-Api-Key: *** next"),
            ("password=s3cret\nCookie: sid=s3cret", "password=***\nCookie: ***"),
            ("{\"access_token\": \"s3cret\"}", "{\"access_token\": ***"),
            ("Basic s3cret", "Basic ***"),
            ("Cookie: sid=s3cret; lang=s3cret\nmore", "Cookie: *** ***\nmore"),
            ("{\"id\":1,\"token\":\"s3cret\",\"by\":\"s3cret\"} then", "{\"id\":1,\"token\":*** then"),
            (
                "{\"url\":\"wss://a/?k=s3cret\",\"password\":\"s3cret\"}",
                "{\"url\":\"wss://a/?k=***\",\"password\":***",
            ),
            ("got (eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.s3cret) from it", "got *** from it"),
            ("token_file: can't read ~/t: it is a folder", "token_file: can't read ~/t: it is a folder"),
            ("a token is missing; 12:30:01 all is well", "a token is missing; 12:30:01 all is well"),
        ] {
            assert_eq!(text(told), left);
        }
    }

    #[test]
    fn of_the_settings_only_what_is_harmless_is_told() {
        let settings = settings(
            "# s3cret\n[[channel]]\nname = \"Orders\"\nurl = \"wss://a.example/ws?k=s3cret\"\n\
             token_command = \"echo s3cret\"\nheaders = { X-Client = \"s3cret\" }\nproxy = \"http://me:s3cret@p:1\"\n\
             auth = { header = \"X-Key\" }\n[channel.mapping]\ntitle = \"{{ 's3cret' }}\"\n[inbox]\nkeep_days = 7\n",
        )
        .unwrap();
        assert!(!settings.contains("s3cret"), "{settings}");
        for kept in [
            "Orders",
            "wss://a.example/ws?k=***",
            "(11 characters)",
            "X-Key",
            "http://***@p:1",
            "keep_days = 7",
        ] {
            assert!(settings.contains(kept), "{kept}: {settings}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_redacted(told in "\\PC*[:=?@/\"' \n]{0,3}\\PC*") {
            text(&told);
            let _ = settings(&told);
        }
    }
}
