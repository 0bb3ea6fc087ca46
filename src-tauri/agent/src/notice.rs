//! What the user should know and mend, kept as what it is: the log tells it in English, tray and window in the language
//! that they have by then.

use std::path::PathBuf;

use tidings_words::Words;

use crate::browser::LinkError;
use crate::reason::{SystemError, of_inbox};
use crate::settings::{CaFileError, SettingsError, short};
use crate::window::WindowError;

/// One notice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Notice {
    /// The settings file is wrong.
    Settings(SettingsError),
    /// Something that the settings name can't be used.
    File(CaFileError),
    Inbox(tidings_inbox::Notice),
    /// Which channels are off can't be written, for the system's reason.
    NotRemembered {
        file: PathBuf,
        why: SystemError,
    },
    Window(WindowError),
    Link(LinkError),
    /// Something panicked, and this is the report.
    Crashed {
        report: PathBuf,
        /// In this run: what did so is missing from now on.
        now: bool,
    },
}

/// Where a notice comes from: the newest of each is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Settings,
    Inbox,
    Remembered,
    Window,
    Link,
    Crash,
}

impl Notice {
    /// Whether something is wrong with Tidings until the user mends it.
    pub(crate) fn asks_for_attention(&self) -> bool {
        !matches!(self, Self::Crashed { now: false, .. } | Self::Link(_))
    }

    pub(crate) fn source(&self) -> Source {
        match self {
            Self::Settings(_) | Self::File(_) => Source::Settings,
            Self::Inbox(_) => Source::Inbox,
            Self::NotRemembered { .. } => Source::Remembered,
            Self::Window(_) => Source::Window,
            Self::Link(_) => Source::Link,
            Self::Crashed { .. } => Source::Crash,
        }
    }

    pub(crate) fn told(&self, words: Words) -> String {
        match self {
            Self::Settings(error) => error.told(words),
            Self::File(error) => error.told(words),
            Self::Inbox(notice) => told_of_inbox(notice, words),
            Self::NotRemembered { file, why } => {
                words.notice_not_remembered(&short(file).display(), &why.text())
            }
            Self::Window(error) => error.told(words),
            Self::Link(error) => error.told(words),
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
        let (file, why) = (
            PathBuf::from("/home/ann/inbox.db"),
            tidings_inbox::Why::Stuck(Box::new(tidings_inbox::Why::Disk)),
        );
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
