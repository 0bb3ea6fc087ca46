//! Why messages can't be kept in a folder, for whoever started the server.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

/// The version of the tables.
pub(super) const VERSION: i64 = 1;

/// Why messages can't be kept in a folder.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another server has it.
    #[error("{} is in use by another tidings-server: stop that one, or name another folder (--data)", .0.display())]
    InUse(PathBuf),
    /// The folder can't be made or written.
    #[error("messages can't be kept in {}: {source}; name another folder (--data), or none (--data none)", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A newer server wrote it.
    #[error("{} was written by a newer tidings-server (tables {found}, this one knows {VERSION}): run that one, or name another folder (--data)", .file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// The version of its tables.
        found: i64,
    },
    /// Not a file of ours, or what is left of one.
    #[error("{} is damaged or no file of tidings-server ({why}): put a backup in its place, or move it away to begin with no messages", .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// It may be opened another time.
    #[error("{} can't be opened: {why}", .file.display())]
    Unavailable {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// The system gives no thread.
    #[error("no thread to keep messages with: {0}")]
    Thread(io::Error),
}

impl DataError {
    pub(super) fn of(file: &Path, error: &rusqlite::Error) -> Self {
        let (file, why) = (file.to_owned(), error.to_string());
        let damaged = matches!(
            error.sqlite_error_code(),
            None | Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
        );
        if damaged { Self::Damaged { file, why } } else { Self::Unavailable { file, why } }
    }
}
