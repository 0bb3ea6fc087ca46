//! Secrets that a command prints.

use std::future::pending;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tidings_ground::program;
use tidings_ground::reason::SystemError;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::source::CredentialError;
use super::text::LARGEST;

/// How long a token command may take (D5). Too low: a password manager that asks is cut off; too high: a
/// command that hangs keeps its channel from saying so.
pub(super) const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// How much of a command's complaint is kept, in characters.
pub(super) const COMPLAINT: usize = 300;

/// How long output of an ended command is waited for: something that it left running may hold the pipe open.
const AFTER_EXIT: Duration = Duration::from_millis(200);

/// Runs a command by the shell, without a terminal and in a process group of its own; the start of what it prints.
pub(super) async fn from_command(command: &str, limit: Duration) -> Result<Vec<u8>, CredentialError> {
    let ended = timeout(limit, run(command)).await.map_err(|_| CredentialError::TimedOut { limit })?;
    let Ended { status, output, complaint } =
        ended.map_err(|error| CredentialError::Start(SystemError::from(&error)))?;
    if !status.success() {
        let complaint = String::from_utf8_lossy(&complaint);
        let complaint = complaint.split_whitespace().collect::<Vec<_>>().join(" ");
        return Err(CredentialError::Failed {
            status,
            complaint: complaint.chars().filter(|c| !c.is_control()).take(COMPLAINT).collect(),
        });
    }
    Ok(output)
}

struct Ended {
    status: ExitStatus,
    /// The start of what it wrote: enough to see that a first line is too long.
    output: Vec<u8>,
    complaint: Vec<u8>,
}

/// Dropped before its end, it kills the command with all that it started.
async fn run(command: &str) -> io::Result<Ended> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell.kill_on_drop(true);
    program::clean(&mut shell);
    #[cfg(unix)]
    shell.process_group(0);
    let mut child = shell.spawn()?;
    let group = Group::of(&child);
    let (Some(mut stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::Error::other("no pipe to it"));
    };
    let (mut output, mut complaint) = (Vec::new(), Vec::new());
    let status = tokio::select! {
        status = child.wait() => status?,
        never = async {
            tokio::join!(
                keep(&mut stdout, &mut output, LARGEST + 1),
                keep(&mut stderr, &mut complaint, 4 * COMPLAINT),
            );
            pending().await
        } => never,
    };
    group.disarm();
    let rest = async {
        tokio::join!(
            keep(&mut stdout, &mut output, LARGEST + 1),
            keep(&mut stderr, &mut complaint, 4 * COMPLAINT),
        )
    };
    // What the command itself wrote is in the pipes by now, and read before this can be over.
    let _ = timeout(AFTER_EXIT, rest).await;
    Ok(Ended { status, output, complaint })
}

/// Reads all there is, so that the writer never waits, and keeps the first `most` bytes. May be dropped and
/// called again without a loss.
async fn keep(mut from: impl AsyncRead + Unpin, kept: &mut Vec<u8>, most: usize) {
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let room = most.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..length.min(room)]);
    }
}

/// A process group that is killed when this is dropped.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &tokio::process::Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    #[cfg(not(unix))]
    fn of(_: &tokio::process::Child) -> Self {
        Self {}
    }

    /// The leader has ended: its number may soon be another's.
    fn disarm(self) {
        std::mem::forget(self);
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // It may have ended by itself just now.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}
