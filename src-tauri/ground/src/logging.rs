//! Logs: to stderr, and for the agent to a file that rotates by size, so that it never grows without bound.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate, compression::Compression};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::paths::create_private;

/// The environment variable with the level.
const LEVEL: &str = "TIDINGS_LOG";
/// A log file of this size is put aside. Too low: an evening's trouble is gone by morning.
const FILE_BYTES: usize = 1024 * 1024;
/// So many files are kept beside the current one.
const FILES: usize = 3;

/// Starts logging; `file` is the agent's log file. What is wrong with the file or the level is logged, not fatal.
pub fn start(file: Option<&Path>) {
    let asked = std::env::var(LEVEL).ok();
    // Without a file it is a command whose answers say what goes on.
    let default = if file.is_some() { LevelFilter::INFO } else { LevelFilter::WARN };
    let level = asked.as_deref().map_or(Ok(default), str::parse::<LevelFilter>);
    // The libraries speak of their own plumbing below warn.
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("tidings", *level.as_ref().unwrap_or(&default));
    let stderr = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(io::stderr)
        .with_filter(targets.clone());
    let opened = file.map(open);
    let (to_file, trouble) = match opened {
        Some(Ok(file)) => (
            Some(
                tracing_subscriber::fmt::layer()
                    .with_ansi(false)
                    .with_writer(Mutex::new(file))
                    .with_filter(targets),
            ),
            None,
        ),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    tracing_subscriber::registry().with(stderr).with(to_file).init();
    if let Some(error) = trouble {
        tracing::warn!(%error, file = ?file, "the log file can't be written; logging to stderr only");
    }
    if level.is_err() {
        tracing::warn!(
            "{LEVEL}={} is no level: write error, warn, info, debug or trace",
            asked.unwrap_or_default()
        );
    }
}

/// A log file in its folder, which the library makes again where it is gone and looks through; it panics where it can't.
struct Log {
    folder: PathBuf,
    file: FileRotate<AppendCount>,
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        create_private(&self.folder)?;
        fs::read_dir(&self.folder)?;
        self.file.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn open(path: &Path) -> io::Result<Log> {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    create_private(&folder)?;
    fs::read_dir(&folder)?;
    let mut private = OpenOptions::new();
    private.read(true).create(true).append(true).mode(0o600);
    // The library tells nobody where it can't write.
    private.open(path)?;
    let (kept, limit) = (AppendCount::new(FILES), ContentLimit::BytesSurpassed(FILE_BYTES));
    Ok(Log { folder, file: FileRotate::new(path, kept, limit, Compression::None, Some(private)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_went_is_made_again_and_one_that_can_t_be_is_no_panic() {
        let state = tempfile::tempdir().expect("a folder");
        let logs = state.path().join("logs");
        let mut log = open(&logs.join("tidings.log")).expect("opened");
        let long = vec![b'x'; FILE_BYTES + 1];
        fs::remove_dir_all(&logs).expect("removed");
        for _ in 0..2 {
            log.write_all(&long).expect("written");
        }
        assert!(logs.join("tidings.log").exists());
        fs::remove_dir_all(&logs).expect("removed");
        fs::write(&logs, "in its place").expect("written");
        log.write_all(&long).expect_err("no folder");
    }
}
