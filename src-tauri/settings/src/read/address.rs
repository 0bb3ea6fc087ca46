//! An address in the settings file.

use tidings_channel::{ChannelUrl, ChannelUrlError};
use tidings_ground::redact::looks_secret;
use tidings_words::Text;

use super::table::Entry;
use crate::error::SettingsError;
use crate::reason;

/// What a channel's own address may be; its name stands in what is told.
pub(super) fn channel_url(entry: Entry<'_>, allow_plaintext: bool) -> Result<ChannelUrl, SettingsError> {
    parsed(entry.word()?, allow_plaintext).map_err(|(message, mend)| entry.error(message, mend))
}

/// What the address may be of something that is asked for beside the link.
pub(super) fn web_url(entry: Entry<'_>, allow_plaintext: bool) -> Result<ChannelUrl, SettingsError> {
    parsed_web(entry.word()?, allow_plaintext).map_err(|(message, mend)| entry.error(message, mend))
}

/// The same of an address that stands in no entry of its own; what is wrong with it, and the mend.
pub(super) fn parsed_web(text: &str, allow_plaintext: bool) -> Result<ChannelUrl, (Text, Text)> {
    match parsed(text, allow_plaintext)? {
        // A broker hears no HTTP.
        url if url.is_mqtt() => {
            Err((Text::settings_url_not_web(), Text::settings_mend_write_as(&"\"https://host/path\"")))
        }
        url => Ok(url),
    }
}

fn parsed(text: &str, allow_plaintext: bool) -> Result<ChannelUrl, (Text, Text)> {
    let example = || Text::settings_mend_write_as(&"\"wss://host/path\"");
    let url = ChannelUrl::parse(text, allow_plaintext).map_err(|error| match error {
        ChannelUrlError::Syntax(url::ParseError::RelativeUrlWithoutBase) => {
            (Text::settings_url_no_scheme(), example())
        }
        ChannelUrlError::Syntax(why) => (Text::settings_url_wrong(&"url", &reason::of_url(why)), example()),
        ChannelUrlError::Scheme(_) => (Text::settings_url_not_websocket(), example()),
        ChannelUrlError::NoHost => (Text::settings_url_no_host(), example()),
        ChannelUrlError::Port => (Text::settings_url_port(), Text::settings_mend_port()),
        ChannelUrlError::Userinfo => (Text::settings_url_user(&"url"), Text::settings_mend_secret()),
        ChannelUrlError::MqttPath => (Text::settings_url_mqtt_path(), Text::settings_mend_mqtt_path()),
        ChannelUrlError::Fragment => (Text::settings_url_fragment(), Text::settings_mend_fragment()),
        ChannelUrlError::Plaintext { host, scheme } => {
            (Text::settings_url_plaintext(&host), Text::settings_mend_plaintext(&scheme))
        }
    })?;
    if url.as_url().query_pairs().any(|(name, value)| looks_secret(&name) && !value.is_empty()) {
        let mend = Text::settings_mend_secret_query(&"auth = { query = \"…\" }");
        return Err((Text::settings_url_secret(), mend));
    }
    Ok(url)
}
