//! A TOML document as [`parse`](super::parse) walks it: typed look-ups whose errors know key, line and column.

use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Position, SettingsError, nearest};

/// Longest duration taken. Far beyond use, and far from overflowing a clock.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// What a secret that stands in the file is answered with.
pub(super) const SECRET_MEND: &str =
    "keep it out of the file: name a command, file or variable with token_command, token_file or token_env";

/// The file being read: what errors need.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
}

impl Document<'_> {
    pub(super) fn error(
        &self,
        at: usize,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) -> SettingsError {
        SettingsError {
            file: self.file.to_owned(),
            position: Some(Position::of(self.text, at)),
            key: None,
            message: message.into(),
            mend: mend.into(),
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
pub(super) struct Table<'a> {
    document: Document<'a>,
    table: &'a DeTable<'a>,
    /// Where an error about the table as a whole points.
    at: usize,
    place: Place<'a>,
}

impl<'a> Table<'a> {
    /// `name` is how errors call the table, such as `[inbox]`; the top level is "".
    pub(super) fn new(
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
        let place = if name.is_empty() { "at the top of the file".to_owned() } else { format!("in {name}") };
        let word = key.get_ref();
        let near = nearest(word, known.iter().copied());
        if near.is_none() && looks_secret(word) {
            let message = format!("`{word}` {place} looks like a secret");
            return Err(document.error(key.span().start, message, SECRET_MEND).about(placed.entry(word)));
        }
        let mend = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        let shown: String = word.chars().take(64).flat_map(char::escape_debug).collect();
        let message = format!("unknown key `{shown}` {place}");
        Err(document.error(key.span().start, message, mend).about(placed.entry(word)))
    }

    pub(super) fn entry(&self, key: &'a str) -> Option<Entry<'a>> {
        self.table.get(key).map(|value| Entry { document: self.document, key, value, place: self.place })
    }

    /// An error about the table as a whole.
    pub(super) fn error(&self, message: impl Into<String>, mend: impl Into<String>) -> SettingsError {
        SettingsError { key: self.place.table(), ..self.document.error(self.at, message, mend) }
    }

    /// `read` of the key's value, or the default where there is none.
    pub(super) fn or<T>(
        &self,
        key: &'a str,
        default: T,
        read: impl FnOnce(Entry<'a>) -> Result<T, SettingsError>,
    ) -> Result<T, SettingsError> {
        self.entry(key).map_or(Ok(default), read)
    }

    /// `read` of the key's value, if it is there.
    pub(super) fn maybe<T>(
        &self,
        key: &'a str,
        read: impl FnOnce(Entry<'a>) -> Result<T, SettingsError>,
    ) -> Result<Option<T>, SettingsError> {
        self.entry(key).map(read).transpose()
    }
}

/// A value with the key it belongs to; the elements of a list go by the list's key.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    document: Document<'a>,
    pub(super) key: &'a str,
    value: &'a Spanned<DeValue<'a>>,
    place: Place<'a>,
}

impl<'a> Entry<'a> {
    /// An error that points at the value.
    pub(super) fn error(&self, message: impl Into<String>, mend: impl Into<String>) -> SettingsError {
        self.error_at(self.span().start, message, mend)
    }

    /// An error that points at byte `at` of the value's text; at the whole value where escapes or line
    /// continuations make the file's text another one.
    pub(super) fn error_within(
        &self,
        at: usize,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) -> SettingsError {
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

    pub(super) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::Table(_))
    }

    fn wrong_type(&self, wanted: &str, mend: impl Into<String>) -> SettingsError {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(format!("`{}` must be {wanted}, not {found}", self.key), mend)
    }

    pub(super) fn text(self) -> Result<&'a str, SettingsError> {
        let DeValue::String(text) = self.value.get_ref() else {
            return Err(self.wrong_type("text", "put it in quotes"));
        };
        Ok(text)
    }

    /// Text that is not empty.
    pub(super) fn word(self) -> Result<&'a str, SettingsError> {
        match self.text()? {
            "" => Err(self.error(format!("`{}` is empty", self.key), "fill it in, or remove the line")),
            text => Ok(text),
        }
    }

    pub(super) fn truth(self) -> Result<bool, SettingsError> {
        let DeValue::Boolean(truth) = self.value.get_ref() else {
            return Err(self.wrong_type("true or false", "write true or false, without quotes"));
        };
        Ok(*truth)
    }

    /// A whole number within the range.
    pub(super) fn number<T>(self, range: RangeInclusive<T>) -> Result<T, SettingsError>
    where
        T: TryFrom<i64> + PartialOrd + std::fmt::Display,
    {
        let limits = format!("write a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(digits) = self.value.get_ref() else {
            return Err(self.wrong_type("a whole number", limits));
        };
        i64::from_str_radix(digits.as_str(), digits.radix())
            .ok()
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.error(format!("`{}` is out of range", self.key), limits))
    }

    /// A duration as text with units, such as "1500ms".
    pub(super) fn duration(self) -> Result<Duration, SettingsError> {
        if let DeValue::Integer(digits) = self.value.get_ref() {
            return Err(self.wrong_type("text with a unit", format!("write \"{digits}s\"")));
        }
        let DeValue::String(text) = self.value.get_ref() else {
            return Err(self.wrong_type("text with a unit", "write for example \"60s\""));
        };
        let text = text.trim();
        match humantime::parse_duration(text) {
            Ok(duration) if duration <= LONGEST => Ok(duration),
            Ok(_) => Err(self.error(format!("`{}` is too long", self.key), "write at most \"366d\"")),
            Err(_) if !text.is_empty() && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit()) => {
                Err(self.error(format!("`{}` has no unit", self.key), format!("write \"{text}s\"")))
            }
            Err(_) => Err(self.error(
                format!("`{}` is not a duration", self.key),
                "write for example \"1500ms\", \"60s\", \"5m\" or \"2h\"",
            )),
        }
    }

    /// A duration above zero.
    pub(super) fn positive_duration(self) -> Result<Duration, SettingsError> {
        match self.duration()? {
            Duration::ZERO => {
                Err(self.error(format!("`{}` must be more than zero", self.key), "write for example \"15s\""))
            }
            duration => Ok(duration),
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(self, words: &[(&str, T)]) -> Result<T, SettingsError> {
        let word = self.text()?;
        match words.iter().find(|(known, _)| *known == word) {
            Some((_, meaning)) => Ok(*meaning),
            None => Err(self.unknown_word(word, words.iter().map(|(known, _)| *known))),
        }
    }

    /// Quotes the word only where it is close to a known one: anything else may be a secret gone astray.
    pub(super) fn unknown_word<'w>(
        &self,
        word: &str,
        known: impl Iterator<Item = &'w str> + Clone,
    ) -> SettingsError {
        match nearest(word, known.clone()) {
            Some(near) => self.error(
                format!("unknown word `{word}` for `{}`", self.key),
                format!("did you mean `{near}`?"),
            ),
            None => {
                let known: Vec<_> = known.collect();
                let mend = format!("write one of {}", known.join(", "));
                self.error(format!("unknown word for `{}`", self.key), mend)
            }
        }
    }

    /// The elements of a list.
    pub(super) fn list(self) -> Result<impl Iterator<Item = Entry<'a>>, SettingsError> {
        let DeValue::Array(items) = self.value.get_ref() else {
            return Err(if self.is_table() && matches!(self.key, "channel" | "rule") {
                self.wrong_type("a list of tables", "write its header in double brackets, `[[…]]`")
            } else {
                self.wrong_type("a list", "put it in brackets: [ … ]")
            });
        };
        Ok(items.iter().map(move |value| Entry { value, ..self }))
    }

    /// A table with these keys.
    pub(super) fn table(self, name: &'a str, known: &[&str]) -> Result<Table<'a>, SettingsError> {
        let DeValue::Table(table) = self.value.get_ref() else {
            return Err(self.wrong_type("a table", format!("write its keys under {name}")));
        };
        Table::new(self.document, table, self.span().start, name, known)
    }

    /// The keys, their places and values of a table of any keys, in the file's order.
    pub(super) fn pairs(self) -> Result<Vec<(&'a str, usize, Entry<'a>)>, SettingsError> {
        let DeValue::Table(table) = self.value.get_ref() else {
            return Err(self.wrong_type("a table", "write it as { \"Name\" = \"value\" }"));
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
    pub(super) fn error_at(
        &self,
        at: usize,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) -> SettingsError {
        self.document.error(at, message, mend).about(self.place.entry(self.key))
    }
}

/// Whether a key, header or parameter of this name usually holds a secret.
pub(crate) fn looks_secret(name: &str) -> bool {
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
