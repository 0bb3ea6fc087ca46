//! Why the inbox's file can't be had: what the system and SQLite say, as facts of ours. Who shows them says them in the
//! user's language; their own words are for the log.

use std::fmt;
use std::io::{self, ErrorKind};

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

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

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
