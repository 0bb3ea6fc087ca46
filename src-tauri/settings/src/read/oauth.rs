//! `[channel.oauth]`: who signs people in, and what we are called there.

use tidings_channel::ChannelUrl;
use tidings_oauth::Provider;
use tidings_words::Text;
use url::Url;

use super::table::Entry;
use crate::error::SettingsError;

const KEYS: [&str; 5] = ["issuer", "client_id", "scopes", "audience", "redirect_port"];

/// Ports that any user may open.
const PORTS: std::ops::RangeInclusive<u16> = 1024..=65535;

/// The channel's provider.
pub(super) fn oauth(entry: Entry<'_>, allow_plaintext: bool) -> Result<Provider, SettingsError> {
    let table = entry.table("[channel.oauth]", &KEYS)?;
    let needed = |key: &'static str, example: &str| {
        let missing = || {
            table
                .error(Text::settings_oauth_needs(&key), Text::settings_mend_add(&example))
                .about(format!("oauth.{key}"))
        };
        table.entry(key).ok_or_else(missing)
    };
    Ok(Provider {
        issuer: issuer(needed("issuer", "issuer = \"https://…\"")?, allow_plaintext)?,
        client_id: needed("client_id", "client_id = \"…\"")?.word()?.to_owned(),
        scopes: table.or("scopes", Vec::new(), scopes)?,
        audience: table.maybe("audience", |entry| entry.word().map(str::to_owned))?,
        redirect_port: table.maybe("redirect_port", |entry| entry.number(PORTS))?,
        allow_plaintext,
    })
}

fn issuer(entry: Entry<'_>, allow_plaintext: bool) -> Result<Url, SettingsError> {
    let word = entry.word()?;
    let url =
        Url::parse(word).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none());
    let refused = || {
        entry.error(Text::settings_oauth_issuer(), Text::settings_mend_write_as(&"\"https://id.example\""))
    };
    let url = url.ok_or_else(refused)?;
    match ChannelUrl::parse(word, allow_plaintext) {
        Ok(_) => Ok(url),
        Err(_) => Err(refused()),
    }
}

/// Each is one token: several in one text would be several scopes.
fn scopes(entry: Entry<'_>) -> Result<Vec<String>, SettingsError> {
    let scope = |entry: Entry<'_>| match entry.word()? {
        word if word.chars().any(|c| !c.is_ascii_graphic() || matches!(c, '"' | '\\')) => Err(entry.error(
            Text::settings_oauth_scope(),
            Text::settings_mend_write_as(&"[\"openid\", \"offline_access\"]"),
        )),
        word => Ok(word.to_owned()),
    };
    entry.list()?.map(scope).collect()
}
