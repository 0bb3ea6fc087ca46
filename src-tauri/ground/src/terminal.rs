//! What commands write: answers to stdout and nothing else there, words to the person to stderr.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use tidings_words::Words;

use crate::{exit, reason};

/// An answer to programs, as it is.
pub fn print(text: &str) -> Result<(), Unwritten> {
    Ok(writeln!(io::stdout(), "{text}")?)
}

/// An answer to people: the names and texts of others in it command no terminal.
pub fn tell(text: &str) -> Result<(), Unwritten> {
    print(&plain(text))
}

/// Why an answer was not written.
#[derive(Debug, thiserror::Error)]
#[error("the answer can't be written")]
pub struct Unwritten(#[from] io::Error);

impl Unwritten {
    /// A reader that is gone (`| head`) wants no more: that ends a command without a word, as it does any filter.
    pub fn end(&self, words: Words) -> ExitCode {
        if self.0.kind() == ErrorKind::BrokenPipe {
            return ExitCode::SUCCESS;
        }
        ended(exit::FAILED, &words.cli_answer(&reason::of_io(&self.0)))
    }
}

/// A word to the person who typed the command.
pub fn say(text: &str) {
    // There is nowhere else to say that it failed.
    let _ = writeln!(io::stderr(), "{}", plain(text));
}

/// Says why a command ends with this exit code.
pub fn ended(code: u8, why: &str) -> ExitCode {
    say(&format!("tidings: {why}"));
    ExitCode::from(code)
}

/// Says what is wrong with the arguments or the settings.
pub fn usage(why: &str) -> ExitCode {
    ended(exit::USAGE, why)
}

/// Without what a terminal obeys but line breaks and tabs.
pub fn plain(text: &str) -> String {
    crate::text::shown(text, usize::MAX, true)
}
