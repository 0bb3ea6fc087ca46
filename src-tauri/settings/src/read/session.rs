//! What belongs to a session that a sign-in on a web page begins: `sign_in`, `keep_session` and such.

use std::time::Duration;

use tidings_channel::ChannelUrl;
use tidings_words::Text;
use url::Url;

use super::address::web_url;
use super::table::{Entry, Table};
use crate::error::SettingsError;
use crate::secret::source::Auth;
use crate::settings::Session;

/// The keys of it.
const KEYS: [&str; 4] = ["sign_in", "keep_session", "keep_session_url", "sign_out"];

/// How often a page may be asked for at most. Too low: a site is asked without end; too high: the shortest sessions that there are
/// (a minute) can't be kept.
const LEAST: Duration = Duration::from_secs(10);

/// … and at least: what is rarer keeps no session that anybody has seen.
const MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// The session's settings, where `auth` asks for them.
pub(super) fn session(
    table: &Table<'_>,
    auth: &Auth,
    url: &ChannelUrl,
    allow_plaintext: bool,
) -> Result<Option<Session>, SettingsError> {
    if *auth != Auth::Session {
        return match KEYS.iter().find_map(|key| table.entry(key)) {
            Some(entry) => {
                let mend = Text::settings_mend_kind(&"auth = \"session\"");
                Err(entry.error(Text::settings_key_of_session(&entry.key), mend))
            }
            None => Ok(None),
        };
    }
    let root = url.at("/");
    let sign_in = match table.entry("sign_in") {
        Some(entry) => web_page(entry, allow_plaintext)?,
        None => root.web(),
    };
    let own = |entry: Entry<'_>| {
        let page = web_url(entry, allow_plaintext)?;
        if page.as_url().origin() != url.as_url().origin() {
            let mend = Text::settings_mend_write_as(&format_args!("\"{}…\"", root.web()));
            return Err(entry.error(Text::settings_session_site(&entry.key), mend));
        }
        Ok(page)
    };
    let start = ChannelUrl::parse(sign_in.as_str(), true).ok();
    let start = start.filter(|start| start.as_url().origin() == url.as_url().origin());
    Ok(Some(Session {
        keep: table.or("keep_session", None, |entry| match entry.text()? {
            "off" => Ok(None),
            word if !word.contains(|c: char| c.is_ascii_digit()) => {
                Err(entry.unknown_word(word, std::iter::once("off")))
            }
            _ => match entry.positive_duration()? {
                keep if keep < LEAST => {
                    Err(entry.error(Text::settings_keep_session(), Text::settings_mend_or_more(&"\"10s\"")))
                }
                keep if keep > MOST => {
                    Err(entry.error(Text::settings_keep_session(), Text::settings_mend_or_less(&"\"24h\"")))
                }
                keep => Ok(Some(keep)),
            },
        })?,
        keep_url: table.maybe("keep_session_url", own)?.or(start).unwrap_or(root.clone()),
        sign_out: table.maybe("sign_out", own)?,
        sign_in,
    }))
}

/// A page that may be any site's: a sign-in often begins, or is, elsewhere.
fn web_page(entry: Entry<'_>, allow_plaintext: bool) -> Result<Url, SettingsError> {
    let text = entry.word()?;
    if text.starts_with("ws:") || text.starts_with("wss:") {
        let mend = Text::settings_mend_write_as(&"\"https://…\"");
        return Err(entry.error(Text::settings_sign_in(), mend));
    }
    web_url(entry, allow_plaintext).map(|url| url.web())
}
