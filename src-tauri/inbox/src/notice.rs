//! What the user should know of the inbox. Displayed in English, for the log; whoever shows it says it in the user's
//! language.

use std::fmt;
use std::path::PathBuf;

use crate::why::Why;

/// Messages that wait in memory while the file can't be written; beyond it the oldest are given up.
pub(crate) const WAITING: usize = 1_000;

/// Something the user should know of the inbox: what, where and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// There is no writer: messages are neither stored nor shown.
    Off {
        /// What kept its thread from starting.
        why: Why,
    },
    /// The file was damaged, and a new one was started.
    SetAside {
        /// The inbox.
        file: PathBuf,
        /// What is wrong with it.
        why: Why,
        /// Its new name.
        aside: PathBuf,
    },
    /// The file is a newer version's. It is left alone, and messages stay in memory.
    Newer {
        /// The inbox.
        file: PathBuf,
        /// Which version's.
        why: Why,
    },
    /// The file can't be opened for now; messages wait in memory.
    Unavailable {
        /// The inbox.
        file: PathBuf,
        /// Why not.
        why: Why,
    },
    /// The file can't be written for now; messages wait in memory.
    NotWritten {
        /// The inbox.
        file: PathBuf,
        /// Why not.
        why: Why,
    },
    /// So many wait that the oldest are given up.
    GivenUp {
        /// The inbox.
        file: PathBuf,
    },
    /// What waited is written.
    Written {
        /// The inbox.
        file: PathBuf,
        /// How many messages.
        written: usize,
    },
}

impl Notice {
    /// How many messages wait in memory at most.
    pub const KEPT: usize = WAITING;
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let room = "Make room on the disk or mend its permissions.";
        match self {
            Self::Off { why } => write!(
                f,
                "The inbox is off: its thread could not be started ({why}). Messages are neither stored nor shown. \
                 Raise the limit of processes of this user and restart Tidings."
            ),
            Self::SetAside { file, why, aside } => write!(
                f,
                "The inbox {} could not be read ({why}). It was set aside as {} and a new one was started. The \
                 earlier messages are in that file; `sqlite3 FILE .recover` saves what can be saved.",
                file.display(),
                aside.display()
            ),
            Self::Newer { file, why } => write!(
                f,
                "The inbox {} can't be opened: {why}. Messages are shown, but only the last {WAITING} are kept, in \
                 memory. It is left alone. Install the newer version again, or move the file away.",
                file.display()
            ),
            Self::Unavailable { file, why } => write!(
                f,
                "The inbox {} can't be opened: {why}. Messages are shown, but only the last {WAITING} are kept, in \
                 memory. It is tried again by itself. Check that the folder is there and writable and that the disk \
                 has room.",
                file.display()
            ),
            Self::NotWritten { file, why } => write!(
                f,
                "The inbox {} can't be written: {why}. Messages are shown, and up to {WAITING} wait in memory to be \
                 written later. {room}",
                file.display()
            ),
            Self::GivenUp { file } => write!(
                f,
                "The inbox {} has not been writable for so long that the oldest of the waiting messages are given \
                 up; they were shown, but will not be in the inbox. {room}",
                file.display()
            ),
            Self::Written { file, written } => write!(
                f,
                "The inbox {} can be written again; the {written} messages that waited are in it.",
                file.display()
            ),
        }
    }
}
