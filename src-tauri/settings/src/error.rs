//! What is wrong in the settings file: where, in words, and how to mend it.

use std::fmt;
use std::path::PathBuf;

use tidings_ground::paths::short;
use tidings_words::{Text, Words};

/// A place in the settings file, both from 1. Columns count characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

impl Position {
    /// The place of the byte `at`; a place beyond the end or inside a character counts as the last before it.
    pub(crate) fn of(text: &str, at: usize) -> Self {
        let before = (0..=at.min(text.len())).rev().find_map(|end| text.get(..end)).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// The first thing wrong in a settings file. Never holds a secret: values are quoted only where they are
/// close to a word that the file may hold.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct SettingsError {
    /// The settings file.
    pub file: PathBuf,
    /// Where; `None` when the file could not be read at all.
    pub position: Option<Position>,
    /// The key that it is about, in its channel or at the top of the file, such as `heartbeat.interval`.
    pub key: Option<String>,
    /// What is wrong.
    pub message: Text,
    /// How to mend it.
    pub mend: Text,
}

impl SettingsError {
    pub(crate) fn about(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }
}

impl SettingsError {
    /// Where, what, and how to mend it.
    pub fn text(&self) -> Text {
        let mut place = short(&self.file).display().to_string();
        if let Some(Position { line, column }) = self.position {
            place += &format!(":{line}:{column}");
        }
        Text::settings_error(&self.mend, &self.message, &place)
    }

    /// The same, in these words.
    pub fn told(&self, words: Words) -> String {
        self.text().said(words)
    }

    /// What, and how to mend it, where the place is not in question.
    pub(crate) fn told_alone(&self, words: Words) -> String {
        words.settings_error_alone(&self.mend, &self.message)
    }
}

/// For the log.
impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Words::default()))
    }
}

/// The known word that `word` most likely was meant to be, if any is close.
pub(crate) fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    // Distances are quadratic in the length, and nothing long is close to a key.
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase().replace('-', "_");
    known
        .into_iter()
        .map(|near| (strsim::damerau_levenshtein(&word, near), near))
        .filter(|(distance, near)| *distance <= near.chars().count().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, near)| near)
}
