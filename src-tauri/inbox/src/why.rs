//! Why the inbox's file can't be had, and what is wrong in what the user wrote: what the system, SQLite and the template
//! engine say, as facts of ours. Who shows them says them in the user's language; their own words are for the log.

use std::fmt;
use std::io::{self, ErrorKind};

use minijinja::ErrorKind as Kind;
use rusqlite::ErrorCode;

/// Why the inbox's file, or its writer, can't be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// What the system says.
    System {
        /// Of which kind that is.
        kind: ErrorKind,
        /// Its number, where it has one.
        number: Option<i32>,
    },
    /// Another version wrote it.
    Newer {
        /// Its format.
        found: i64,
        /// The newest that this version knows.
        known: usize,
    },
    /// Its content is broken.
    Damaged,
    /// It is another kind of file.
    Foreign,
    /// Another program holds it.
    Busy,
    /// The disk fails.
    Disk,
    /// Its folder can't be made.
    Folder(Box<Why>),
    /// It may be read and not written.
    Forbidden(Box<Why>),
    /// It is damaged, and can't be set aside.
    Stuck(Box<Why>),
}

impl From<&io::Error> for Why {
    fn from(error: &io::Error) -> Self {
        Self::System { kind: error.kind(), number: error.raw_os_error() }
    }
}

impl From<&rusqlite::Error> for Why {
    fn from(error: &rusqlite::Error) -> Self {
        let system = |kind| Self::System { kind, number: None };
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Busy,
            Some(ErrorCode::OutOfMemory) => system(ErrorKind::OutOfMemory),
            Some(ErrorCode::DiskFull) => system(ErrorKind::StorageFull),
            Some(ErrorCode::ReadOnly) => system(ErrorKind::ReadOnlyFilesystem),
            Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => system(ErrorKind::PermissionDenied),
            Some(ErrorCode::SystemIoFailure) => Self::Disk,
            Some(ErrorCode::NotADatabase) => Self::Foreign,
            Some(_) | None => Self::Damaged,
        }
    }
}

/// For the log.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { kind, number: Some(number) } => write!(f, "{kind}, system error {number}"),
            Self::System { kind, number: None } => write!(f, "{kind}"),
            Self::Newer { found, known } => {
                write!(f, "it was written by a newer Tidings (format {found}; this one knows {known})")
            }
            Self::Damaged => f.write_str("it is damaged"),
            Self::Foreign => f.write_str("it is no inbox"),
            Self::Busy => f.write_str("another program holds it"),
            Self::Disk => f.write_str("the disk fails to read or write"),
            Self::Folder(why) => write!(f, "its folder can't be made ({why})"),
            Self::Forbidden(why) => write!(f, "it may not be written ({why})"),
            Self::Stuck(why) => write!(f, "it is damaged and can't be set aside ({why})"),
        }
    }
}

/// What is wrong in a template or an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    /// Something is begun and not ended.
    Unfinished,
    /// This piece of the text can't stand there; `None`: a long one, or one that may be a secret.
    Unexpected(Option<String>),
    /// A filter, test, function or statement that there isn't.
    Unknown,
    /// Anything else.
    Other,
}

/// How the engine says that the text ends too soon.
const UNFINISHED: [&str; 4] = [
    "unexpected end of input",
    "unexpected end of string",
    "unexpected end of comment",
    "unexpected end of raw block",
];

/// Longest piece of the user's text that is told again, in characters: operators, brackets and short names.
const LONGEST_PIECE: usize = 16;

impl Mistake {
    /// What the template engine says of `text`.
    pub(crate) fn of(error: &minijinja::Error, text: &str) -> Self {
        let piece = || {
            let piece = text.get(error.range()?)?.trim();
            let told = |c: char| c.is_alphabetic() || "_+-*/%<>=!|~.,:;()[]{}&^@#$?\\".contains(c);
            (!piece.is_empty() && piece.chars().count() <= LONGEST_PIECE && piece.chars().all(told))
                .then(|| piece.to_owned())
        };
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others are about what a template does")]
        match error.kind() {
            Kind::UnknownFilter | Kind::UnknownTest | Kind::UnknownFunction | Kind::UnknownMethod => {
                Self::Unknown
            }
            Kind::SyntaxError => match error.detail() {
                Some(detail) if UNFINISHED.iter().any(|end| detail.starts_with(end)) => Self::Unfinished,
                Some(detail) if detail.starts_with("unknown ") => Self::Unknown,
                Some(detail) if detail.starts_with("unexpected ") => Self::Unexpected(piece()),
                Some(_) | None => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// For the log.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfinished => f.write_str("something is begun and not ended"),
            Self::Unexpected(Some(piece)) => write!(f, "{piece} can't stand here"),
            Self::Unexpected(None) => f.write_str("this can't stand here"),
            Self::Unknown => f.write_str("nothing of this name is known here"),
            Self::Other => f.write_str("it can't be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;
    use crate::{Condition, Source, SourceError};

    #[test]
    fn a_mistake_is_told_by_its_kind_and_never_by_the_engines_words() {
        let unexpected = |piece: &str| Mistake::Unexpected(Some(piece.to_owned()));
        for (text, expected) in [
            ("title and not +", unexpected("+")),
            ("priority >= 4 und", unexpected("und")),
            ("priority >=", Mistake::Unfinished),
            ("(title", Mistake::Unfinished),
            ("title == 'open", Mistake::Unfinished),
            ("title ) body", unexpected(")")),
            // A secret gone astray isn't told again.
            ("title 'hunter2'", Mistake::Unexpected(None)),
            ("title 4711", Mistake::Unexpected(None)),
        ] {
            assert_eq!(Condition::parse(text).expect_err(text).mistake, expected, "{text}");
        }
        for (text, expected) in [
            ("{{ title ", Mistake::Unfinished),
            ("{% if title %}x", Mistake::Unfinished),
            ("{% fro a in b %}", Mistake::Unknown),
            ("{{ }}", unexpected("}}")),
        ] {
            let Err(SourceError::Template(error)) = Source::parse(text) else { panic!("{text}") };
            assert_eq!(error.mistake, expected, "{text}");
        }
    }

    #[test]
    fn sqlites_words_are_told_nowhere() {
        for code in 1..30 {
            let words = "library words";
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(words.to_owned()));
            let told = Why::from(&error).to_string();
            assert!(!told.contains(words) && !error.to_string().contains(&told), "{code}: {told}");
        }
        let full = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None);
        assert_eq!(Why::from(&full), Why::System { kind: ErrorKind::StorageFull, number: None });
        let foreign = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_NOTADB), None);
        assert_eq!(Why::from(&foreign), Why::Foreign);
    }
}
