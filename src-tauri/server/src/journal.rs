//! Where the log goes: to stderr, and where that is systemd's journal, each line with its level in front, as the journal
//! takes it off and keeps it (`journalctl -p warning`).

use std::{
    env,
    fs::File,
    io::{self, Write},
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Copy)]
pub(crate) enum Log {
    Stderr,
    Journal,
}

impl Log {
    /// This process's.
    pub(crate) fn of_this() -> Self {
        if is_journal() { Self::Journal } else { Self::Stderr }
    }
}

/// Whether stderr is what systemd says that the journal reads (systemd.exec(5), `$JOURNAL_STREAM`).
#[cfg(unix)]
fn is_journal() -> bool {
    use std::os::{fd::AsFd as _, unix::fs::MetadataExt as _};
    let Ok(journal) = env::var("JOURNAL_STREAM") else { return false };
    let stderr = io::stderr().as_fd().try_clone_to_owned().and_then(|stderr| File::from(stderr).metadata());
    stderr.is_ok_and(|stderr| journal == format!("{}:{}", stderr.dev(), stderr.ino()))
}

#[cfg(not(unix))]
fn is_journal() -> bool {
    false
}

/// Writes lines of one level.
pub(crate) struct Lines(Option<u8>);

impl Write for Lines {
    /// All of it at once: the formatter hands on whole lines.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.0 {
            None => io::stderr().write_all(line)?,
            Some(priority) => {
                io::stderr().write_all(&[format!("<{priority}>").as_bytes(), line].concat())?;
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Lines;

    fn make_writer(&self) -> Lines {
        Lines(None)
    }

    fn make_writer_for(&self, event: &Metadata<'_>) -> Lines {
        Lines(match self {
            Self::Stderr => None,
            Self::Journal => Some(priority(*event.level())),
        })
    }
}

/// As syslog has them (RFC 5424, 6.2.1).
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}
