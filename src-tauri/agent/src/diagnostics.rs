//! What a report of trouble should hold: facts of the machine, the state of everything, the end of the log.
//! Nothing secret is in it, because nothing secret is in any of those.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::paths::Paths;
use crate::snapshot::Snapshot;

/// How much of the log's end is told.
const LOG_LINES: usize = 200;
/// What the desktop says of itself.
const DESKTOP: [&str; 5] =
    ["XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"];

#[derive(Debug, Clone)]
pub(crate) struct Diagnostics {
    log: PathBuf,
}

impl Diagnostics {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { log: paths.log() }
    }

    pub(crate) fn text(&self, snapshot: &Snapshot) -> String {
        let mut text = format!(
            "Tidings {} on {} {}\n",
            tidings_api::VERSION,
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        for name in DESKTOP {
            let value = std::env::var(name).unwrap_or_else(|_| "not set".to_owned());
            // Writing into a String can't fail.
            let _ = writeln!(text, "{name}: {value}");
        }
        let status = serde_json::to_string_pretty(&snapshot.report()).unwrap_or_default();
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let end = &lines[lines.len().saturating_sub(LOG_LINES)..];
        let _ = write!(text, "\n{status}\n\n{}\n", end.join("\n"));
        text
    }
}
