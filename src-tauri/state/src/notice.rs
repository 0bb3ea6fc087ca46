//! What the user should know and mend, kept as what it is: the log tells it in English, tray and window in the language
//! that they have by then.

use std::path::PathBuf;

use tidings_ground::paths::short;
use tidings_ground::reason::SystemError;
use tidings_inbox::Why;
use tidings_oauth::Failure;
use tidings_settings::{CaFileError, SettingsError};
use tidings_words::{Text, Words};

use crate::cause;
use crate::link::LinkError;

/// One notice.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// The settings file is wrong.
    Settings(SettingsError),
    /// Something that the settings name can't be used.
    File(CaFileError),
    /// The inbox has something to say.
    Inbox(tidings_inbox::Notice),
    /// Which channels are off can't be written, for the system's reason.
    NotRemembered {
        /// Where they would be.
        file: PathBuf,
        /// The system's reason.
        why: SystemError,
    },
    /// No window opens.
    Window(WindowError),
    /// A link did not open.
    Link(LinkError),
    /// Nobody is signed in by the sign-in that was begun.
    SignIn(Failure),
    /// Something panicked, and this is the report.
    Crashed {
        /// Its file.
        report: PathBuf,
        /// In this run: what did so is missing from now on.
        now: bool,
    },
}

/// Where a notice comes from: the newest of each is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The settings file, and what it names.
    Settings,
    /// The inbox.
    Inbox,
    /// The file of what is remembered.
    Remembered,
    /// The window.
    Window,
    /// A link that was clicked.
    Link,
    /// A sign-in at a provider.
    SignIn,
    /// A panic.
    Crash,
}

impl Notice {
    /// Whether something is wrong with Tidings until the user mends it.
    pub fn asks_for_attention(&self) -> bool {
        !matches!(self, Self::Crashed { now: false, .. } | Self::Link(_) | Self::SignIn(_))
    }

    /// Whose place it takes.
    pub fn source(&self) -> Source {
        match self {
            Self::Settings(_) | Self::File(_) => Source::Settings,
            Self::Inbox(_) => Source::Inbox,
            Self::NotRemembered { .. } => Source::Remembered,
            Self::Window(_) => Source::Window,
            Self::Link(_) => Source::Link,
            Self::SignIn(_) => Source::SignIn,
            Self::Crashed { .. } => Source::Crash,
        }
    }

    /// In the user's language.
    pub fn told(&self, words: Words) -> String {
        match self {
            Self::Settings(error) => error.told(words),
            Self::File(error) => error.told(words),
            Self::Inbox(notice) => told_of_inbox(notice, words),
            Self::NotRemembered { file, why } => {
                words.notice_not_remembered(&short(file).display(), &why.text())
            }
            Self::Window(error) => error.told(words),
            Self::Link(error) => error.told(words),
            Self::SignIn(failure) => failure.told(words, |cause| cause::told(cause, words)),
            Self::Crashed { report, .. } => words.notice_crashed(&short(report).display()),
        }
    }
}

fn told_of_inbox(notice: &tidings_inbox::Notice, words: Words) -> String {
    use tidings_inbox::Notice;
    let kept = &Notice::KEPT;
    match notice {
        Notice::Off { why } => words.notice_inbox_off(&of_inbox(why)),
        Notice::SetAside { file, why, aside } => {
            words.notice_inbox_set_aside(&aside.display(), &file.display(), &of_inbox(why))
        }
        Notice::Newer { file, why } => words.notice_inbox_newer(&file.display(), kept, &of_inbox(why)),
        Notice::Unavailable { file, why } => {
            words.notice_inbox_unavailable(&file.display(), kept, &of_inbox(why))
        }
        Notice::NotWritten { file, why } => {
            words.notice_inbox_not_written(&file.display(), kept, &of_inbox(why))
        }
        Notice::GivenUp { file } => words.notice_inbox_given_up(&file.display()),
        Notice::Written { file, written } => words.notice_inbox_written(&file.display(), written),
    }
}

/// Why the inbox's file can't be had.
fn of_inbox(why: &Why) -> Text {
    match why {
        Why::System { kind, number } => SystemError::new(*kind, *number).text(),
        Why::Newer { found, known } => Text::inbox_newer(found, known),
        Why::Damaged => Text::inbox_damaged(),
        Why::Foreign => Text::inbox_foreign(),
        Why::Busy => Text::inbox_busy(),
        Why::Disk => Text::inbox_disk(),
        Why::Folder(why) => Text::inbox_folder(&of_inbox(why)),
        Why::Forbidden(why) => Text::inbox_forbidden(&of_inbox(why)),
        Why::Stuck(why) => Text::inbox_stuck(&of_inbox(why)),
    }
}

/// Why no window opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowError {
    /// There is no such program.
    Missing(PathBuf),
    /// For the system's reason.
    Failed(SystemError),
    /// It ended at once: WebKitGTK is not there.
    NoLibrary,
}

impl WindowError {
    /// What is missing, and how to get it.
    pub fn told(&self, words: Words) -> String {
        match self {
            Self::Missing(file) => words.notice_window_missing(&file.display()),
            Self::Failed(why) => words.notice_window_failed(&why.text()),
            Self::NoLibrary => words.notice_window_library(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_asks_for_attention_in_the_run_in_which_it_happened() {
        let report = PathBuf::from("/home/ann/crash.txt");
        assert!(Notice::Crashed { report: report.clone(), now: true }.asks_for_attention());
        assert!(!Notice::Crashed { report, now: false }.asks_for_attention());
    }

    #[test]
    fn in_english_the_inboxs_notices_are_told_as_in_its_log() {
        use tidings_inbox::Notice;
        let (file, why) = (PathBuf::from("/home/ann/inbox.db"), Why::Stuck(Box::new(Why::Disk)));
        let aside = file.with_extension("corrupt");
        for notice in [
            Notice::Off { why: why.clone() },
            Notice::SetAside { file: file.clone(), why: why.clone(), aside },
            Notice::Newer { file: file.clone(), why: why.clone() },
            Notice::Unavailable { file: file.clone(), why: why.clone() },
            Notice::NotWritten { file: file.clone(), why },
            Notice::GivenUp { file: file.clone() },
            Notice::Written { file, written: 3 },
        ] {
            assert_eq!(told_of_inbox(&notice, Words::default()), notice.to_string());
        }
    }
}
