//! Where things are on this machine.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use tidings_api::socket;

/// The user's folders, by the platform's rules (on Linux the XDG base directories).
#[derive(Debug, Clone)]
pub struct Paths {
    /// The settings file.
    pub settings: PathBuf,
    /// The inbox's database.
    pub inbox: PathBuf,
    /// Lock, socket, remembered state and logs: one agent lives here at a time.
    pub state: PathBuf,
}

/// The machine doesn't say where the user's folders are.
#[derive(Debug, thiserror::Error)]
#[error("your home folder is not known: set HOME")]
pub struct NoHome;

impl Paths {
    /// Those of the user of this process.
    ///
    /// # Errors
    /// Where the environment names no home folder.
    pub fn of_user() -> Result<Self, NoHome> {
        let dirs = ProjectDirs::from("", "", "tidings").ok_or(NoHome)?;
        Ok(Self {
            settings: dirs.config_dir().join("config.toml"),
            inbox: dirs.data_dir().join("inbox.db"),
            state: socket::state_folder().ok_or(NoHome)?,
        })
    }

    /// The pictures of messages, beside the inbox.
    pub fn pictures(&self) -> PathBuf {
        self.inbox.with_file_name("pictures")
    }

    /// Who holds it is the agent.
    pub fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// Where the agent answers.
    pub fn socket(&self) -> PathBuf {
        socket::path_in(&self.state)
    }

    /// What leads to the bus of the session that an agent joined later.
    pub fn bus(&self) -> PathBuf {
        self.state.join("bus")
    }

    /// What outlives the agent beside the inbox.
    pub fn remembered(&self) -> PathBuf {
        self.state.join("remembered.json")
    }

    /// The agent's log.
    pub fn log(&self) -> PathBuf {
        self.state.join("logs").join("tidings.log")
    }

    /// What panics left.
    pub fn crashes(&self) -> PathBuf {
        self.state.join("crashes")
    }

    /// Icons unpacked for the tray host, which reads them from disk.
    pub fn icons(&self) -> PathBuf {
        self.state.join("icons")
    }
}

/// Creates a folder that only its owner can look into.
///
/// # Errors
/// As the system says.
pub fn create_private(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// `~` for the home folder, as people write it.
pub fn short(file: &Path) -> PathBuf {
    std::env::home_dir()
        .filter(|home| home.parent().is_some())
        .and_then(|home| file.strip_prefix(home).ok())
        .map_or_else(|| file.to_owned(), |rest| Path::new("~").join(rest))
}
