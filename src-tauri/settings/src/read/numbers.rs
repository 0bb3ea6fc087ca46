//! What channels and dialogues have in common: the connection's numbers, and names that requests carry.

use std::time::Duration;

use tidings_channel::{ConfigError, Heartbeat};
use tidings_words::Text;

use super::table::Table;
use crate::error::SettingsError;

/// A token of RFC 9110, section 5.6.2: what names of headers and cookies are made of.
pub(super) fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// The beat of a dialogue.
pub(super) fn heartbeat_every(table: &Table<'_>, interval: Duration) -> Result<Heartbeat, SettingsError> {
    Heartbeat::steady(interval).map_err(|error| refused(table, &error))
}

/// A duration as people write it in the file: "90s" rather than "1m 30s".
pub(super) fn written(time: Duration) -> String {
    match (time.as_secs(), time.subsec_nanos()) {
        (secs @ 0..=600, 0) => format!("{secs}s"),
        (_, _) => humantime::format_duration(time).to_string().replace(' ', ""),
    }
}

/// What the connection says of its numbers, at the place where they stand.
pub(super) fn refused(table: &Table<'_>, error: &ConfigError) -> SettingsError {
    let (keys, message, mend) = match *error {
        ConfigError::HeartbeatTooRare { interval, proxy_timeout, longest } => (
            ["interval", "proxy_timeout"],
            Text::settings_heartbeat_rare(&written(interval), &written(proxy_timeout)),
            Text::settings_mend_or_less(&format_args!("interval = \"{}\"", written(longest))),
        ),
        ConfigError::TooShort { setting, value, least } => {
            let key = setting.rsplit('.').next().unwrap_or(setting);
            let message = Text::settings_short(&key, &written(value));
            ([key; 2], message, Text::settings_mend_or_more(&format_args!("\"{}\"", written(least))))
        }
        ConfigError::TooLong { setting, value, most } => {
            let key = setting.rsplit('.').next().unwrap_or(setting);
            let message = Text::settings_long(&key, &written(value));
            ([key; 2], message, Text::settings_mend_or_less(&format_args!("\"{}\"", written(most))))
        }
        ConfigError::HeartbeatTooLong { bytes } => {
            (["text"; 2], Text::settings_heartbeat_long(&bytes), Text::settings_mend_shorten())
        }
        ConfigError::CapBelowFirst { first, cap } => (
            ["cap", "first"],
            Text::settings_cap(&written(cap), &written(first)),
            Text::settings_mend_or_more(&format_args!("cap = \"{}\"", written(first))),
        ),
    };
    match keys.into_iter().find_map(|key| table.entry(key)) {
        Some(entry) => entry.error(message, mend),
        None => table.error(message, mend),
    }
}
