//! A TOML document as [`parse`](super::parse) walks it: typed look-ups whose errors know key, line and column.

use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::time::Duration;

use tidings_ground::redact::looks_secret;
use tidings_words::Text;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Position, SettingsError, nearest};

/// Longest duration taken. Far beyond use, and far from overflowing a clock.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The file being read: what errors need.
#[derive(Clone, Copy)]
pub(crate) struct Document<'a> {
    pub(crate) file: &'a Path,
    pub(crate) text: &'a str,
}

impl Document<'_> {
    pub(crate) fn error(&self, at: usize, message: Text, mend: Text) -> SettingsError {
        SettingsError {
            file: self.file.to_owned(),
            position: Some(Position::of(self.text, at)),
            key: None,
            message,
            mend,
        }
    }
}

/// By which keys of the file errors call a table's entries.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// The top of the file or a channel: each by its own.
    Top,
    /// A table of one of them, such as `heartbeat`: `heartbeat.interval`.
    Within(&'a str),
    /// Something that is given as a whole, such as `auth` or `rule`.
    Part(&'a str),
}

impl<'a> Place<'a> {
    /// By how errors call the table.
    fn of(table: &'a str) -> Self {
        let own = table.trim_matches(['[', ']']);
        let own = own.strip_prefix("channel").unwrap_or(own).trim_start_matches('.');
        match (own, table.starts_with('[') && !table.starts_with("[[")) {
            ("", _) => Self::Top,
            (own, true) => Self::Within(own),
            (own, false) => Self::Part(own),
        }
    }

    fn table(self) -> Option<String> {
        match self {
            Self::Top => None,
            Self::Within(own) | Self::Part(own) => Some(own.to_owned()),
        }
    }

    fn entry(self, key: &str) -> String {
        match self {
            Self::Top => key.to_owned(),
            Self::Within(own) => format!("{own}.{key}"),
            Self::Part(own) => own.to_owned(),
        }
    }
}

/// A table whose keys have been checked against the known ones.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    document: Document<'a>,
    table: &'a DeTable<'a>,
    /// Where an error about the table as a whole points.
    at: usize,
    place: Place<'a>,
}

impl<'a> Table<'a> {
    /// `name` is how errors call the table, such as `[inbox]`; the top level is "".
    pub(crate) fn new(
        document: Document<'a>,
        table: &'a DeTable<'a>,
        at: usize,
        name: &'a str,
        known: &[&str],
    ) -> Result<Self, SettingsError> {
        let placed = Place::of(name);
        let stranger = table
            .keys()
            .filter(|key| !known.contains(&key.get_ref().as_ref()))
            .min_by_key(|key| key.span().start);
        let Some(key) = stranger else {
            return Ok(Self { document, table, at, place: placed });
        };
        let word = key.get_ref();
        let near = nearest(word, known.iter().copied());
        let error = |message, mend| document.error(key.span().start, message, mend).about(placed.entry(word));
        if near.is_none() && looks_secret(word) {
            let message = match name {
                "" => Text::settings_secret_key_at_top(word),
                table => Text::settings_secret_key(word, &table),
            };
            return Err(error(message, Text::settings_mend_secret()));
        }
        let mend = match near {
            Some(near) => Text::settings_mend_near(&near),
            None => Text::settings_mend_known(&known.join(", ")),
        };
        let shown: String = word.chars().take(64).flat_map(char::escape_debug).collect();
        let message = match name {
            "" => Text::settings_unknown_key_at_top(&shown),
            table => Text::settings_unknown_key(&shown, &table),
        };
        Err(error(message, mend))
    }

    pub(crate) fn entry(&self, key: &'a str) -> Option<Entry<'a>> {
        self.table.get(key).map(|value| Entry { document: self.document, key, value, place: self.place })
    }

    /// An error about the table as a whole.
    pub(crate) fn error(&self, message: Text, mend: Text) -> SettingsError {
        SettingsError { key: self.place.table(), ..self.document.error(self.at, message, mend) }
    }

    /// Errors call its entries by their keys, though it is one of a list.
    pub(crate) fn by_its_keys(self) -> Self {
        let place = match self.place {
            Place::Part(own) => Place::Within(own),
            place @ (Place::Top | Place::Within(_)) => place,
        };
        Self { place, ..self }
    }

    /// `read` of the key's value, or the default where there is none.
    pub(crate) fn or<T>(
        &self,
        key: &'a str,
        default: T,
        read: impl FnOnce(Entry<'a>) -> Result<T, SettingsError>,
    ) -> Result<T, SettingsError> {
        self.entry(key).map_or(Ok(default), read)
    }

    /// `read` of the key's value, if it is there.
    pub(crate) fn maybe<T>(
        &self,
        key: &'a str,
        read: impl FnOnce(Entry<'a>) -> Result<T, SettingsError>,
    ) -> Result<Option<T>, SettingsError> {
        self.entry(key).map(read).transpose()
    }
}

/// A value with the key it belongs to; the elements of a list go by the list's key.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    document: Document<'a>,
    pub(crate) key: &'a str,
    value: &'a Spanned<DeValue<'a>>,
    place: Place<'a>,
}

impl<'a> Entry<'a> {
    /// An error that points at the value.
    pub(crate) fn error(&self, message: Text, mend: Text) -> SettingsError {
        self.error_at(self.span().start, message, mend)
    }

    /// An error that points at byte `at` of the value's text; at the whole value where escapes or line
    /// continuations make the file's text another one.
    pub(crate) fn error_within(&self, at: usize, message: Text, mend: Text) -> SettingsError {
        let span = self.span();
        let written = self.document.text.get(span.clone()).unwrap_or_default();
        let begin = match self.value.get_ref() {
            DeValue::String(text) => written.find(text.as_ref()),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        self.error_at(span.start + begin.map_or(0, |begin| begin + at), message, mend)
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    pub(crate) fn is_table(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::Table(_))
    }

    fn wrong_type(&self, wanted: &str, mend: Text) -> SettingsError {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) | DeValue::Float(_) => "number",
            DeValue::Boolean(_) => "truth",
            DeValue::Datetime(_) => "time",
            DeValue::Array(_) => "list",
            DeValue::Table(_) => "table",
        };
        self.error(Text::settings_wrong_type(&found, &self.key, &wanted), mend)
    }

    pub(crate) fn text(self) -> Result<&'a str, SettingsError> {
        let DeValue::String(text) = self.value.get_ref() else {
            return Err(self.wrong_type("text", Text::settings_mend_quotes()));
        };
        Ok(text)
    }

    /// Text that is not empty.
    pub(crate) fn word(self) -> Result<&'a str, SettingsError> {
        match self.text()? {
            "" => Err(self.error(Text::settings_empty(&self.key), Text::settings_mend_fill())),
            text => Ok(text),
        }
    }

    pub(crate) fn truth(self) -> Result<bool, SettingsError> {
        let DeValue::Boolean(truth) = self.value.get_ref() else {
            return Err(self.wrong_type("truth", Text::settings_mend_truth()));
        };
        Ok(*truth)
    }

    /// A whole number within the range.
    pub(crate) fn number<T>(self, range: RangeInclusive<T>) -> Result<T, SettingsError>
    where
        T: TryFrom<i64> + PartialOrd + std::fmt::Display,
    {
        let limits = Text::settings_mend_range(range.start(), range.end());
        let DeValue::Integer(digits) = self.value.get_ref() else {
            return Err(self.wrong_type("number", limits));
        };
        i64::from_str_radix(digits.as_str(), digits.radix())
            .ok()
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.error(Text::settings_out_of_range(&self.key), limits))
    }

    /// A duration as text with units, such as "1500ms".
    pub(crate) fn duration(self) -> Result<Duration, SettingsError> {
        if let DeValue::Integer(digits) = self.value.get_ref() {
            return Err(
                self.wrong_type("duration", Text::settings_mend_write(&format_args!("\"{digits}s\"")))
            );
        }
        let DeValue::String(text) = self.value.get_ref() else {
            return Err(self.wrong_type("duration", Text::settings_mend_example(&"\"60s\"")));
        };
        let text = text.trim();
        match humantime::parse_duration(text) {
            Ok(duration) if duration <= LONGEST => Ok(duration),
            Ok(_) => Err(self.error(
                Text::settings_duration_too_long(&self.key),
                Text::settings_mend_at_most(&"\"366d\""),
            )),
            Err(_) if !text.is_empty() && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit()) => {
                Err(self.error(
                    Text::settings_no_unit(&self.key),
                    Text::settings_mend_write(&format_args!("\"{text}s\"")),
                ))
            }
            Err(_) => Err(self.error(Text::settings_no_duration(&self.key), Text::settings_mend_durations())),
        }
    }

    /// A duration above zero.
    pub(crate) fn positive_duration(self) -> Result<Duration, SettingsError> {
        match self.duration()? {
            Duration::ZERO => {
                Err(self.error(Text::settings_zero(&self.key), Text::settings_mend_example(&"\"15s\"")))
            }
            duration => Ok(duration),
        }
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(self, words: &[(&str, T)]) -> Result<T, SettingsError> {
        let word = self.text()?;
        match words.iter().find(|(known, _)| *known == word) {
            Some((_, meaning)) => Ok(*meaning),
            None => Err(self.unknown_word(word, words.iter().map(|(known, _)| *known))),
        }
    }

    /// Quotes the word only where it is close to a known one: anything else may be a secret gone astray.
    pub(crate) fn unknown_word<'w>(
        &self,
        word: &str,
        known: impl Iterator<Item = &'w str> + Clone,
    ) -> SettingsError {
        match nearest(word, known.clone()) {
            Some(near) => {
                self.error(Text::settings_unknown_word(&self.key, &word), Text::settings_mend_near(&near))
            }
            None => {
                let known: Vec<_> = known.collect();
                let mend = Text::settings_mend_one_of(&known.join(", "));
                self.error(Text::settings_some_word(&self.key), mend)
            }
        }
    }

    /// The elements of a list.
    pub(crate) fn list(self) -> Result<impl Iterator<Item = Entry<'a>>, SettingsError> {
        let DeValue::Array(items) = self.value.get_ref() else {
            return Err(if self.is_table() && matches!(self.key, "channel" | "rule") {
                self.wrong_type("tables", Text::settings_mend_header())
            } else {
                self.wrong_type("list", Text::settings_mend_brackets())
            });
        };
        Ok(items.iter().map(move |value| Entry { value, ..self }))
    }

    /// A table with these keys.
    pub(crate) fn table(self, name: &'a str, known: &[&str]) -> Result<Table<'a>, SettingsError> {
        let DeValue::Table(table) = self.value.get_ref() else {
            return Err(self.wrong_type("table", Text::settings_mend_keys_under(&name)));
        };
        Table::new(self.document, table, self.span().start, name, known)
    }

    /// The keys, their places and values of a table of any keys, in the file's order.
    pub(crate) fn pairs(self) -> Result<Vec<(&'a str, usize, Entry<'a>)>, SettingsError> {
        let DeValue::Table(table) = self.value.get_ref() else {
            return Err(self.wrong_type("table", Text::settings_mend_write_as(&"{ \"Name\" = \"value\" }")));
        };
        let mut pairs: Vec<_> = table
            .iter()
            .map(|(key, value)| {
                let name = key.get_ref().as_ref();
                (name, key.span().start, Entry { key: name, value, place: Place::Part(self.key), ..self })
            })
            .collect();
        pairs.sort_by_key(|(_, at, _)| *at);
        Ok(pairs)
    }

    /// An error that points at another place than the value.
    pub(crate) fn error_at(&self, at: usize, message: Text, mend: Text) -> SettingsError {
        self.document.error(at, message, mend).about(self.place.entry(self.key))
    }
}
