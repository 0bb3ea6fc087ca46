//! From the settings file's bytes to [`Settings`]: every key read, every value checked, the first error told.

use std::path::Path;

use tidings_inbox::{QuietHours, Weekdays};
use tidings_words::Text;
use toml::de::DeTable;

use super::channel::channels;
use super::table::{Document, Entry, Table};
use crate::error::{Position, SettingsError};
use crate::reason;
use crate::settings::{InboxSettings, Language, NotificationSettings, Settings, Theme};

/// Reads `text` as the content of `file`; the path is for errors and for what is relative to its folder.
pub fn parse(text: &[u8], file: &Path) -> Result<Settings, SettingsError> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let valid = str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default();
            let valid = valid.strip_prefix('\u{feff}').unwrap_or(valid);
            return Err(SettingsError {
                file: file.to_owned(),
                position: Some(Position::of(valid, valid.len())),
                key: None,
                message: Text::settings_not_utf8(),
                mend: Text::settings_mend_utf8(),
            });
        }
    };
    let document = Document { file, text };
    let root = DeTable::parse(text).map_err(|error| syntax_error(document, &error))?;
    let known = ["language", "theme", "start_at_login", "notifications", "inbox", "channel"];
    let root = Table::new(document, root.get_ref(), 0, "", &known)?;
    Ok(Settings {
        language: root.or("language", Language::default(), |entry| {
            entry.choice(&[
                ("auto", Language::Auto),
                ("en", Language::English),
                ("zh-CN", Language::SimplifiedChinese),
            ])
        })?,
        theme: root.or("theme", Theme::default(), |entry| {
            entry.choice(&[("auto", Theme::Auto), ("light", Theme::Light), ("dark", Theme::Dark)])
        })?,
        start_at_login: root.or("start_at_login", false, Entry::truth)?,
        notifications: root.or("notifications", NotificationSettings::default(), notifications)?,
        inbox: root.or("inbox", InboxSettings::default(), inbox)?,
        channels: root.or("channel", Vec::new(), |entry| channels(entry, file))?,
    })
}

/// The library's excerpt is not told: a line of the file might hold anything.
fn syntax_error(document: Document<'_>, error: &toml::de::Error) -> SettingsError {
    let span = error.span().unwrap_or_default();
    let message = error.message();
    tracing::debug!(message, "the settings are no TOML");
    if message.starts_with("duplicate key") {
        let key = document.text.get(span.clone()).unwrap_or_default();
        let message = Text::settings_twice(&key.trim_matches('"'));
        return document.error(span.start, message, Text::settings_mend_twice());
    }
    document.error(
        span.start,
        Text::settings_not_toml(&reason::of_toml(message, document.text, error.span())),
        Text::settings_mend_toml(),
    )
}

fn notifications(entry: Entry<'_>) -> Result<NotificationSettings, SettingsError> {
    let known = ["burst", "refill", "down_after", "quiet_hours", "critical_breaks_quiet"];
    let table = entry.table("[notifications]", &known)?;
    let default = NotificationSettings::default();
    Ok(NotificationSettings {
        burst: table.or("burst", default.burst, |entry| entry.number(1..=1000))?,
        refill: table.or("refill", default.refill, Entry::positive_duration)?,
        down_after: table.or("down_after", default.down_after, Entry::positive_duration)?,
        quiet_hours: table
            .or("quiet_hours", default.quiet_hours, |entry| entry.list()?.map(quiet_hours).collect())?,
        critical_breaks_quiet: table.or(
            "critical_breaks_quiet",
            default.critical_breaks_quiet,
            Entry::truth,
        )?,
    })
}

fn quiet_hours(entry: Entry<'_>) -> Result<QuietHours, SettingsError> {
    let table = entry.table("notifications.quiet_hours", &["days", "from", "to"])?;
    let example = "{ days = \"mon-fri\", from = \"22:00\", to = \"07:00\" }";
    let time = |key: &'static str| {
        let entry = table.entry(key).ok_or_else(|| {
            table.error(Text::settings_quiet_hours_without(&key), Text::settings_mend_example(&example))
        })?;
        jiff::civil::Time::strptime("%H:%M", entry.text()?).map(|time| (entry, time)).map_err(|_| {
            entry.error(Text::settings_no_time(&key), Text::settings_mend_write_as(&"\"22:00\""))
        })
    };
    let ((_, from), (to_entry, to)) = (time("from")?, time("to")?);
    if from == to {
        return Err(to_entry.error(Text::settings_same_times(), Text::settings_mend_whole_day()));
    }
    Ok(QuietHours { days: table.or("days", Weekdays::ALL, weekdays)?, from, to })
}

/// Days and ranges of days with commas between them; a range may go over the week's end ("sat-mon").
fn weekdays(entry: Entry<'_>) -> Result<Weekdays, SettingsError> {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let day = |name: &str| {
        let name = name.trim();
        NAMES
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name))
            .ok_or_else(|| entry.unknown_word(name, NAMES.iter().copied()))
    };
    let mut days = [false; 7];
    for part in entry.word()?.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        for step in 0..=(last + 7 - first) % 7 {
            days[(first + step) % 7] = true;
        }
    }
    Ok(Weekdays::from_monday(days))
}

fn inbox(entry: Entry<'_>) -> Result<InboxSettings, SettingsError> {
    let table = entry.table("[inbox]", &["keep_days", "keep_messages"])?;
    let default = InboxSettings::default();
    Ok(InboxSettings {
        keep_days: table.or("keep_days", default.keep_days, |entry| entry.number(1..=36_500))?,
        keep_messages: table
            .or("keep_messages", default.keep_messages, |entry| entry.number(1..=10_000_000))?,
    })
}
