//! What a report of trouble should hold: facts of the machine, the state of everything, the settings, the last crash, the
//! end of the log. `Copy diagnostics` has it as a text, `tidings diagnostics` packs it with all of the logs. What may be
//! secret in any of it is left out.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tidings_api::StatusReport;
use tidings_ground::paths::Paths;
use tidings_ground::{crash, reason, redact};
use tidings_words::Text;

use crate::session::SessionView;

/// How much of the log's end is told.
const LOG_LINES: usize = 200;
/// Bytes of one file that go into the archive, from its end. Twice what a log file holds.
const LARGEST: usize = 2 << 20;
/// What the desktop says of itself.
const DESKTOP: [&str; 6] = [
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_TYPE",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
    "LANG",
];

/// Gathers it.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    paths: Paths,
}

impl Diagnostics {
    /// Of the agent that lives there.
    pub fn new(paths: &Paths) -> Self {
        Self { paths: paths.clone() }
    }

    /// With the status of the agent, or why there is none, and the session that it is in, or that this is asked in.
    pub fn text(&self, status: Result<&StatusReport, &str>, session: &SessionView) -> String {
        let mut text = format!(
            "Tidings {} on {} {}\n",
            tidings_api::VERSION,
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        // Writing into a String can't fail.
        let _ = writeln!(text, "system: {}", system());
        let _ = writeln!(text, "on a session bus: {}", if session.joined { "yes" } else { "no" });
        for name in DESKTOP {
            let value = session.environment.get(name).cloned();
            let value = value.or_else(|| std::env::var("LANG").ok().filter(|_| name == "LANG"));
            let _ = writeln!(text, "{name}: {}", value.as_deref().unwrap_or("not set"));
        }
        let status = match status {
            Ok(status) => serde_json::to_string_pretty(status).unwrap_or_default(),
            Err(why) => why.to_owned(),
        };
        let _ = write!(text, "\nSTATUS\n{}\n\nSETTINGS\n{}\n", redact::text(&status), self.settings());
        if let Some(report) = crash::reports(&self.paths.crashes()).last() {
            let _ = write!(text, "\nLAST CRASH\n{}\n", redacted(report));
        }
        let log = redacted(&self.paths.log());
        let lines: Vec<&str> = log.lines().collect();
        let end = &lines[lines.len().saturating_sub(LOG_LINES)..];
        let _ = write!(text, "\nEND OF THE LOG\n{}\n", end.join("\n"));
        text
    }

    fn settings(&self) -> String {
        match fs::read_to_string(&self.paths.settings) {
            // Where the file is no TOML, nobody knows what in it is a secret.
            Ok(text) => redact::settings(&text).unwrap_or_else(|error| {
                Text::settings_not_toml(&reason::of_toml(error.message(), &text, error.span())).to_string()
            }),
            Err(error) => Text::settings_unreadable(&reason::of_io(&error)).to_string(),
        }
    }

    /// Names in the archive and contents.
    pub fn contents(&self, text: String) -> Vec<(String, String)> {
        let mut contents = vec![("diagnostics.txt".to_owned(), text)];
        let logs = self.paths.log();
        let logs = logs.parent().map(files_in).unwrap_or_default().into_iter().map(|file| ("logs", file));
        let crashes = crash::reports(&self.paths.crashes()).into_iter().map(|file| ("crashes", file));
        for (folder, file) in logs.chain(crashes) {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            contents.push((format!("{folder}/{name}"), redacted(&file)));
        }
        contents
    }
}

/// The end of a file's text, made fit for other people's eyes.
fn redacted(file: &Path) -> String {
    match fs::read(file) {
        Ok(bytes) => redact::text(&String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LARGEST)..])),
        Err(error) => format!("{}: {}\n", file.display(), reason::of_io(&error)),
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// The distribution's own name, and the kernel's.
fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("unknown");
    let kernel = rustix::system::uname();
    format!(
        "{}, {} {}",
        name.trim_matches('"'),
        kernel.sysname().to_string_lossy(),
        kernel.release().to_string_lossy()
    )
}
