//! Where things are on this machine.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use tidings_api::socket;

/// The user's folders, by the platform's rules (on Linux the XDG base directories).
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// The settings file.
    pub(crate) settings: PathBuf,
    /// The inbox's database.
    pub(crate) inbox: PathBuf,
    /// Lock, socket, remembered state and logs: one agent lives here at a time.
    pub(crate) state: PathBuf,
}

/// The machine doesn't say where the user's folders are.
#[derive(Debug, thiserror::Error)]
#[error("your home folder is not known: set HOME")]
pub(crate) struct NoHome;

impl Paths {
    pub(crate) fn of_user() -> Result<Self, NoHome> {
        let dirs = ProjectDirs::from("", "", "tidings").ok_or(NoHome)?;
        Ok(Self {
            settings: dirs.config_dir().join("config.toml"),
            inbox: dirs.data_dir().join("inbox.db"),
            state: socket::state_folder().ok_or(NoHome)?,
        })
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        socket::path_in(&self.state)
    }

    /// What leads to the bus of the session that an agent joined later.
    pub(crate) fn bus(&self) -> PathBuf {
        self.state.join("bus")
    }

    pub(crate) fn remembered(&self) -> PathBuf {
        self.state.join("remembered.json")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.state.join("logs").join("tidings.log")
    }

    /// What panics left.
    pub(crate) fn crashes(&self) -> PathBuf {
        self.state.join("crashes")
    }

    /// Icons unpacked for the tray host, which reads them from disk.
    pub(crate) fn icons(&self) -> PathBuf {
        self.state.join("icons")
    }
}

/// Creates a folder that only its owner can look into.
///
/// # Errors
/// As the system says.
pub(crate) fn create_private(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
