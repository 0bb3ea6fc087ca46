//! What belongs to channels of kind `mqtt`: `topics`, `client_id`, `session_expiry`.

use std::time::Duration;

use tidings_channel::{Mqtt, Qos, Subscription};
use tidings_words::Text;

use super::numbers::written;
use super::table::{Entry, Table};
use crate::error::SettingsError;

/// Topic filters of one channel. Too low: a house's rooms don't fit; too high: brokers refuse so many in one packet.
const MOST_FILTERS: usize = 100;
/// Longest topic filter, bytes (MQTT 5.0, section 4.7.3).
const LONGEST_FILTER: usize = 65_535;
/// Longest client id, bytes. Too low: a broker's own scheme of names doesn't fit; too high: brokers refuse it at the sign-in.
const LONGEST_CLIENT_ID: usize = 128;
/// For how long a broker keeps what is missed, unless told otherwise: a night, and a day at home.
const USUAL_EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);
/// … and at most. Too low: a holiday's messages are lost; too high: brokers keep queues that nobody will ever fetch.
const LONGEST_EXPIRY: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// … and at least, where it is to keep any: brokers count whole seconds.
const SHORTEST_EXPIRY: Duration = Duration::from_secs(1);
/// What is asked of the broker.
pub(super) fn mqtt(table: &Table<'_>) -> Result<Mqtt, SettingsError> {
    let Some(entry) = table.entry("topics") else {
        let mend = Text::settings_mend_add(&"topics = [\"…\"]");
        return Err(table.error(Text::settings_no_filters(), mend).about("topics"));
    };
    Ok(Mqtt {
        topics: topics(entry)?,
        client_id: table.maybe("client_id", client_id)?,
        session_expiry: table.or("session_expiry", USUAL_EXPIRY, session_expiry)?,
    })
}

fn topics(entry: Entry<'_>) -> Result<Vec<Subscription>, SettingsError> {
    let mut topics: Vec<Subscription> = Vec::new();
    for entry in entry.list()? {
        let (at, new) = subscription(entry)?;
        if topics.iter().any(|known| known.filter == new.filter) {
            return Err(at.error(Text::settings_topic_twice(&new.filter), Text::settings_mend_remove()));
        }
        topics.push(new);
    }
    if topics.is_empty() || topics.len() > MOST_FILTERS {
        let mend = Text::settings_mend_topics_count(MOST_FILTERS);
        return Err(entry.error(Text::settings_topics_count(topics.len()), mend));
    }
    Ok(topics)
}

/// A text, or `{ filter = "…", qos = 1 }`; with the place of the filter.
fn subscription(entry: Entry<'_>) -> Result<(Entry<'_>, Subscription), SettingsError> {
    if !entry.is_table() {
        return Ok((entry, Subscription { filter: filter(entry)?, qos: Qos::default() }));
    }
    let table = entry.table("topics", &["filter", "qos"])?;
    let Some(at) = table.entry("filter") else {
        let mend = Text::settings_mend_write_as(&"{ filter = \"alarm/+\", qos = 1 }");
        return Err(entry.error(Text::settings_no_filter(), mend));
    };
    let qos = table.or("qos", Qos::default(), |entry| {
        Ok(match entry.number(0..=2_u8)? {
            0 => Qos::AtMostOnce,
            1 => Qos::AtLeastOnce,
            _ => Qos::ExactlyOnce,
        })
    })?;
    Ok((at, Subscription { filter: filter(at)?, qos }))
}

/// Why a text is no filter that a broker may be asked for.
#[derive(Debug, PartialEq, Eq)]
enum NoFilter {
    Long,
    Control,
    Hash,
    Plus,
    /// The filter behind what shares it out.
    Shared(String),
}

fn filter(entry: Entry<'_>) -> Result<String, SettingsError> {
    let text = entry.word()?;
    check(text).map_err(|why| match why {
        NoFilter::Long => entry.error(Text::settings_filter_long(), Text::settings_mend_shorten()),
        NoFilter::Control => {
            entry.error(Text::settings_filter_control(), Text::settings_mend_remove_control())
        }
        NoFilter::Hash => {
            entry.error(Text::settings_filter_hash(), Text::settings_mend_example(&"\"home/#\""))
        }
        NoFilter::Plus => {
            entry.error(Text::settings_filter_plus(), Text::settings_mend_example(&"\"home/+/door\""))
        }
        NoFilter::Shared(alone) => {
            let mend = Text::settings_mend_example(&toml::Value::String(alone));
            entry.error(Text::settings_filter_shared(), mend)
        }
    })?;
    Ok(text.to_owned())
}

/// MQTT 5.0, section 4.7. Control characters are allowed there, but brokers may hang up for them (section 1.5.4).
fn check(text: &str) -> Result<(), NoFilter> {
    if text.len() > LONGEST_FILTER {
        return Err(NoFilter::Long);
    }
    if text.chars().any(char::is_control) {
        return Err(NoFilter::Control);
    }
    // By these a broker shares messages out (MQTT 5.0, section 4.8.2; the second is EMQX's): every desktop would get some.
    let alone = match text.split_once('/') {
        Some(("$share", rest)) => Some(rest.split_once('/').map_or("", |(_, alone)| alone)),
        Some(("$queue", alone)) => Some(alone),
        Some(_) | None => None,
    };
    if let Some(alone) = alone {
        return Err(NoFilter::Shared(alone.to_owned()));
    }
    let above = text.strip_suffix("/#").or((text == "#").then_some("")).unwrap_or(text);
    if above.contains('#') {
        return Err(NoFilter::Hash);
    }
    if text.split('/').any(|level| level != "+" && level.contains('+')) {
        return Err(NoFilter::Plus);
    }
    Ok(())
}

fn client_id(entry: Entry<'_>) -> Result<String, SettingsError> {
    let id = entry.word()?;
    if id.len() > LONGEST_CLIENT_ID || id.chars().any(char::is_control) {
        return Err(entry.error(Text::settings_client_id(), Text::settings_mend_client_id(LONGEST_CLIENT_ID)));
    }
    Ok(id.to_owned())
}

fn session_expiry(entry: Entry<'_>) -> Result<Duration, SettingsError> {
    match entry.duration()? {
        Duration::ZERO => Ok(Duration::ZERO),
        short if short < SHORTEST_EXPIRY => Err(entry.error(
            Text::settings_short(&entry.key, &written(short)),
            Text::settings_mend_or_more(&format_args!("\"{}\"", written(SHORTEST_EXPIRY))),
        )),
        long if long > LONGEST_EXPIRY => Err(entry.error(
            Text::settings_long(&entry.key, &written(long)),
            Text::settings_mend_or_less(&format_args!("\"{}\"", written(LONGEST_EXPIRY))),
        )),
        expiry => Ok(expiry),
    }
}

#[cfg(test)]
mod tests;
