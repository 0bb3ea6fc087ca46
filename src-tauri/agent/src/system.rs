//! Errors of the operating system in words of ours: its own are English in every language, and end in `(os error 2)`.

use std::io::{self, ErrorKind};

use tidings_words::Words;

/// What the system said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SystemError {
    kind: ErrorKind,
    number: Option<i32>,
}

impl From<&io::Error> for SystemError {
    fn from(error: &io::Error) -> Self {
        Self { kind: error.kind(), number: error.raw_os_error() }
    }
}

impl SystemError {
    pub(crate) fn told(self, words: Words) -> String {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are not ours, and grow")]
        match self.kind {
            ErrorKind::NotFound => words.system_not_found(),
            ErrorKind::PermissionDenied => words.system_forbidden(),
            ErrorKind::IsADirectory => words.system_folder(),
            ErrorKind::NotADirectory => words.system_no_folder(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => words.system_full(),
            ErrorKind::ReadOnlyFilesystem => words.system_read_only(),
            ErrorKind::OutOfMemory => words.system_memory(),
            ErrorKind::ArgumentListTooLong | ErrorKind::InvalidFilename => words.system_too_long(),
            ErrorKind::TimedOut | ErrorKind::StaleNetworkFileHandle => words.system_no_answer(),
            _ => match self.number {
                Some(number) => words.system_error(&number),
                None => words.system_unknown(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use tidings_words::Language;

    use super::*;

    #[test]
    fn no_word_of_the_system_is_told_in_any_language() {
        let numbers = (1..140).map(io::Error::from_raw_os_error);
        let made = [ErrorKind::Other, ErrorKind::InvalidData].map(|kind| io::Error::new(kind, "SomeLibrary"));
        for error in numbers.chain(made) {
            let system = SystemError::from(&error);
            let english = system.told(Words::of(Language::English));
            let own = error.to_string();
            let own = own.split(" (os error").next().unwrap_or_default();
            assert!(!english.contains("os error") && !english.contains("SomeLibrary"), "{english}");
            assert_ne!(english, own);
            let chinese = system.told(Words::of(Language::SimplifiedChinese));
            assert!(chinese.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{chinese}");
        }
    }
}
