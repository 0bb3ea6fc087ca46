//! What the system and the libraries say, as messages of ours: their words are English in every language, and nobody's who
//! isn't a programmer: `relative URL without a base`, `(os error 2)`. Those words are for the log alone. The catalogue takes a reason as a
//! message and in no other form, so nothing comes by this place.

use std::io::{self, ErrorKind};
use std::ops::Range;

use tidings_words::{Text, Words};
use url::ParseError;
use zbus::fdo;

/// What the system said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemError {
    /// What kind of error it is.
    pub kind: ErrorKind,
    number: Option<i32>,
}

impl From<&io::Error> for SystemError {
    fn from(error: &io::Error) -> Self {
        Self { kind: error.kind(), number: error.raw_os_error() }
    }
}

impl SystemError {
    /// Of this kind and number, as the system told somebody else.
    pub fn new(kind: ErrorKind, number: Option<i32>) -> Self {
        Self { kind, number }
    }

    /// As a message.
    pub fn text(self) -> Text {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are not ours, and grow")]
        match self.kind {
            ErrorKind::NotFound => Text::system_not_found(),
            ErrorKind::PermissionDenied => Text::system_forbidden(),
            ErrorKind::IsADirectory => Text::system_folder(),
            ErrorKind::NotADirectory => Text::system_no_folder(),
            ErrorKind::AlreadyExists => Text::system_exists(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Text::system_full(),
            ErrorKind::FileTooLarge => Text::system_too_large(),
            ErrorKind::ReadOnlyFilesystem => Text::system_read_only(),
            ErrorKind::OutOfMemory => Text::system_memory(),
            ErrorKind::ArgumentListTooLong | ErrorKind::InvalidFilename => Text::system_too_long(),
            ErrorKind::TooManyLinks => Text::system_links(),
            ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy => Text::system_busy(),
            ErrorKind::InvalidData => Text::system_odd(),
            ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => {
                Text::socket_ended()
            }
            ErrorKind::TimedOut | ErrorKind::StaleNetworkFileHandle => Text::system_no_answer(),
            _ => match self.number {
                // Of a kind that Rust has no stable name for.
                Some(LOOP) => Text::system_links(),
                Some(FILES | FILES_OF_ALL) => Text::system_files(),
                Some(DISK) => Text::system_disk(),
                Some(NO_PROGRAM) => Text::system_no_program(),
                Some(number) => Text::system_error(&number),
                None => Text::system_unknown(),
            },
        }
    }
}

/// Why a command ends without what it was asked for, in the language that it has by then.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failed(
    /// Why.
    pub Text,
);

/// What is left: the system's words in ours, behind what was done.
pub fn of_any(error: &anyhow::Error, words: Words) -> String {
    let told = error.chain().map(|error| match error.downcast_ref::<io::Error>() {
        Some(system) => of_io(system).said(words),
        None => error.to_string(),
    });
    told.collect::<Vec<_>>().join(": ")
}

/// `ELOOP`: links that lead to each other, or too many of them.
const LOOP: i32 = 40;
/// `EMFILE` and `ENFILE`: too many open files, of this process and of the machine.
const FILES: i32 = 24;
const FILES_OF_ALL: i32 = 23;
/// `EIO`.
const DISK: i32 = 5;
/// `ENOEXEC`: of another machine, or no program at all.
const NO_PROGRAM: i32 = 8;

/// What the system says.
pub fn of_io(error: &io::Error) -> Text {
    SystemError::from(error).text()
}

/// What the TOML library says of this part of `text`. It has no kinds, only words: those are looked for, and what is new
/// reads as something general.
pub fn of_toml(words: &str, text: &str, span: Option<Range<usize>>) -> Text {
    // What may stand there instead is no help to those who don't know TOML, and takes some words for others.
    let (what, expected) = words.split_once(", expected").unwrap_or((words, ""));
    let says = |marks: &[&str]| marks.iter().any(|mark| what.contains(mark));
    let piece = span.and_then(|span| text.get(span)).unwrap_or_default().trim();
    if says(&["must be quoted"]) {
        match piece.chars().next() {
            None => Text::toml_no_value(),
            Some(first) if first.is_ascii_digit() || "+-.".contains(first) => Text::toml_number(),
            Some(_) => Text::toml_quotes(),
        }
    } else if says(&["escape", "unicode value"]) {
        Text::toml_escape()
    } else if says(&["carriage return"]) {
        Text::toml_line_end()
    } else if says(&["invalid basic string", "invalid literal string", "invalid multi-line"]) {
        if expected.contains(['"', '\'']) { Text::toml_open_text() } else { Text::toml_control() }
    } else if says(&["unclosed", "array opening", "table open", "inline table opening"]) {
        Text::toml_open_bracket()
    } else if says(&["cannot extend"]) {
        Text::toml_again()
    } else if says(&["unexpected content", "unexpected key or value"]) {
        Text::toml_behind()
    } else if says(&["comma"]) || says(&["assignment"]) && expected.contains(',') {
        Text::toml_comma()
    } else if says(&["missing value", "no value"]) {
        Text::toml_no_value()
    } else if says(&["`=`", "assignment"]) {
        Text::toml_no_equals()
    } else if says(&["key"]) {
        Text::toml_no_key()
    } else if says(&["number", "integer", "radix", "leading zero", "sign", "`_`"]) {
        Text::toml_number()
    } else if says(&["comment character", "printable"]) {
        Text::toml_control()
    } else if says(&["recursion", "recurse"]) {
        Text::toml_deep()
    } else {
        Text::toml_other()
    }
}

/// What the URL library says.
pub fn of_url(error: ParseError) -> Text {
    match error {
        ParseError::EmptyHost => Text::url_empty_host(),
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => Text::url_name(),
        ParseError::InvalidPort => Text::url_port(),
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => Text::url_address(),
        ParseError::RelativeUrlWithoutBase | ParseError::RelativeUrlWithCannotBeABaseBase => {
            Text::url_no_scheme()
        }
        ParseError::Overflow => Text::url_too_long(),
        // What one day is new.
        ParseError::SetHostOnCannotBeABaseUrl | _ => Text::url_other(),
    }
}

/// What the session bus says, or whoever is asked over it.
pub fn of_bus(error: &zbus::Error) -> Text {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the errors are not ours, and grow")]
    match error {
        zbus::Error::Address(_) | zbus::Error::Connection(..) | zbus::Error::Handshake(_) => Text::bus_none(),
        zbus::Error::InputOutput(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => Text::bus_none(),
            _ => Text::bus_broken(),
        },
        zbus::Error::FDO(error) => of_fdo(error),
        zbus::Error::MethodError(name, ..) => {
            let name = name.as_str();
            match name.strip_prefix("org.freedesktop.DBus.Error.").unwrap_or_default() {
                "ServiceUnknown" | "NameHasNoOwner" | "UnknownObject" | "UnknownInterface"
                | "UnknownMethod" => Text::bus_nobody(),
                // One that the bus should start, and that can't be.
                spawn if spawn.starts_with("Spawn.") => Text::bus_nobody(),
                "NoReply" | "Timeout" | "TimedOut" => Text::bus_silent(),
                "Disconnected" => Text::bus_broken(),
                _ => Text::bus_refused(),
            }
        }
        _ => Text::bus_odd(),
    }
}

/// The same, of the bus's own errors.
pub fn of_fdo(error: &fdo::Error) -> Text {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the errors are not ours, and grow")]
    match error {
        fdo::Error::ZBus(error) => of_bus(error),
        fdo::Error::ServiceUnknown(_)
        | fdo::Error::NameHasNoOwner(_)
        | fdo::Error::UnknownObject(_)
        | fdo::Error::UnknownInterface(_)
        | fdo::Error::UnknownMethod(_) => Text::bus_nobody(),
        fdo::Error::NoReply(_) | fdo::Error::Timeout(_) | fdo::Error::TimedOut(_) => Text::bus_silent(),
        fdo::Error::Disconnected(_) => Text::bus_broken(),
        _ => Text::bus_refused(),
    }
}

#[cfg(test)]
mod tests {
    use tidings_words::Language;

    use super::*;

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    #[test]
    fn no_word_of_the_system_is_told_in_any_language() {
        let numbers = (1..140).map(io::Error::from_raw_os_error);
        let made = [ErrorKind::Other, ErrorKind::InvalidData].map(|kind| io::Error::new(kind, "SomeLibrary"));
        for error in numbers.chain(made) {
            let told = of_io(&error);
            let english = told.said(Words::of(Language::English));
            let own = error.to_string();
            let own = own.split(" (os error").next().unwrap_or_default();
            assert!(!english.contains("os error") && !english.contains("SomeLibrary"), "{english}");
            assert_ne!(english, own);
            let chinese = told.said(Words::of(Language::SimplifiedChinese));
            assert!(is_chinese(&chinese), "{chinese}");
        }
    }

    #[test]
    fn what_is_no_toml_is_told_by_what_is_wrong() {
        let mut wrong = Vec::new();
        for (text, expected) in [
            ("a = dark", Text::toml_quotes()),
            ("a = \"x", Text::toml_open_text()),
            ("a = 'x", Text::toml_open_text()),
            ("a = \"\"\"x", Text::toml_open_text()),
            ("a = '''x", Text::toml_open_text()),
            ("a = \"\\w\"", Text::toml_escape()),
            ("a = \"C:\\Users\"", Text::toml_escape()),
            ("[a", Text::toml_open_bracket()),
            ("[[a]", Text::toml_open_bracket()),
            ("a = [1", Text::toml_open_bracket()),
            ("a = { b = 1", Text::toml_open_bracket()),
            ("a =", Text::toml_no_value()),
            ("a", Text::toml_no_value()),
            ("a 1", Text::toml_no_value()),
            ("= 1", Text::toml_no_key()),
            ("a = = 1", Text::toml_no_equals()),
            ("a = [1 2]", Text::toml_number()),
            ("a = [1,,2]", Text::toml_comma()),
            ("a = { b = 1 c = 2 }", Text::toml_comma()),
            ("a = 1 b = 2", Text::toml_behind()),
            ("a = 01", Text::toml_number()),
            ("a = 1__0", Text::toml_number()),
            ("a = 0X10", Text::toml_number()),
            ("a = 1\nb\u{7}", Text::toml_no_value()),
            ("# \u{7}", Text::toml_control()),
            ("a = \"\u{7}\"", Text::toml_control()),
            ("a = 1\rb = 2", Text::toml_line_end()),
            ("ä = 1", Text::toml_no_key()),
            ("a = {}\n[a.b]", Text::toml_again()),
            ("a = 1\na.b = 2", Text::toml_again()),
        ] {
            let error = toml::de::DeTable::parse(text).expect_err(text);
            let told = of_toml(error.message(), text, error.span());
            if told != expected {
                wrong.push(format!("{text:?}: {told}, by {} at {:?}", error.message(), error.span()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let deep = format!("a = {}", "[".repeat(500));
        let error = toml::de::DeTable::parse(&deep).expect_err("too deep");
        assert_eq!(of_toml(error.message(), &deep, error.span()), Text::toml_deep(), "{}", error.message());
    }

    #[test]
    fn no_word_of_the_bus_is_told() {
        let failure = |error: zbus::Error| of_bus(&error);
        assert_eq!(failure(zbus::Error::Address("library words".into())), Text::bus_none());
        assert_eq!(failure(zbus::Error::Failure("library words".into())), Text::bus_odd());
        let fdo = |error: fdo::Error| failure(zbus::Error::FDO(Box::new(error)));
        assert_eq!(fdo(fdo::Error::ServiceUnknown("library words".into())), Text::bus_nobody());
        assert_eq!(fdo(fdo::Error::NoReply("library words".into())), Text::bus_silent());
        assert_eq!(fdo(fdo::Error::AccessDenied("library words".into())), Text::bus_refused());
    }
}
