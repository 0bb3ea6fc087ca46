//! The window: a process of its own, started on demand, gone when closed.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use tidings_inbox::RowId;
use tokio::process::{Child, Command};

/// Name of the window's executable, beside the agent's own.
const EXECUTABLE: &str = "tidings-window";

#[derive(Debug, Default)]
pub(crate) struct Window {
    child: Option<Child>,
}

/// Why no window opens.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WindowError {
    #[error("the window is not installed: there is no {}; everything else works without it", .0.display())]
    Missing(PathBuf),
    #[error("the window could not be started: {0}")]
    Failed(std::io::Error),
}

impl Window {
    /// Opens the window, at a message where one is named; one that is open stays as it is.
    pub(crate) fn open(
        &mut self,
        activation_token: Option<String>,
        message: Option<RowId>,
    ) -> Result<(), WindowError> {
        if self.child.is_some() {
            return Ok(());
        }
        let executable = std::env::current_exe().map_err(WindowError::Failed)?.with_file_name(EXECUTABLE);
        if !executable.exists() {
            return Err(WindowError::Missing(executable));
        }
        let mut command = Command::new(executable);
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        if let Some(row) = message {
            command.arg("--message").arg(row.to_string());
        }
        if let Some(token) = activation_token {
            // How a toolkit is handed the desktop's permission to take the focus (XDG activation).
            command.env("XDG_ACTIVATION_TOKEN", &token).env("DESKTOP_STARTUP_ID", token);
        }
        self.child = Some(command.spawn().map_err(WindowError::Failed)?);
        Ok(())
    }

    /// Waits for the open window to end; for ever when none is open.
    pub(crate) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        let Some(child) = &mut self.child else { return std::future::pending().await };
        let status = child.wait().await;
        self.child = None;
        status
    }
}
