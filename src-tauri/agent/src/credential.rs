//! A channel's secret: where it comes from, and where it goes in the upgrade request.
//!
//! The settings say only where a secret is; [`Credentials`] fetches it when a dial first needs it and keeps it
//! until the server refuses it (D5). No error, log line or `Debug` output holds the secret.

use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tidings_channel::{Credential, DialRefusal};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::settings::short;

/// How long a token command may take (D5). Too low: a password manager that asks is cut off; too high: a
/// command that hangs keeps its channel from saying so.
pub const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// Largest secret taken, in bytes.
const LARGEST: usize = 64 * 1024;

/// How much of a command's complaint is kept, in characters.
const COMPLAINT: usize = 300;

/// How long output of an ended command is waited for: something that it left running may hold the pipe open.
const AFTER_EXIT: Duration = Duration::from_millis(200);

/// Where a channel's secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// Nowhere: the channel needs none.
    None,
    /// `token_env`: this environment variable.
    Env(String),
    /// `token_file`: this file, trimmed.
    File(PathBuf),
    /// `token_command`: the first line that this shell command writes, trimmed.
    Command(String),
    /// The OS keyring. Not supported yet: as [`None`](Self::None).
    Keyring,
}

/// `auth`: where the secret goes in the upgrade request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Nowhere.
    None,
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`, the secret being the password.
    Basic {
        /// User name; no colon, no control character.
        username: String,
    },
    /// A header of this name.
    Header {
        /// Header name.
        name: String,
    },
    /// A query parameter of this name.
    Query {
        /// Parameter name.
        name: String,
    },
    /// A cookie of this name.
    Cookie {
        /// Cookie name.
        name: String,
    },
}

impl Auth {
    fn with(&self, secret: String) -> Option<Credential> {
        Some(match self.clone() {
            Self::None => return None,
            Self::Bearer => Credential::Bearer(secret),
            Self::Basic { username } => Credential::Basic { username, password: secret },
            Self::Header { name } => Credential::Header { name, value: secret },
            Self::Query { name } => Credential::Query { name, value: secret },
            Self::Cookie { name } => Credential::Cookie { name, value: secret },
        })
    }
}

/// Why a secret could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The variable is not set, or empty.
    #[error("token_env: the variable {0} is not set or empty; set it where Tidings is started")]
    Env(String),
    /// The file can't be read.
    #[error(
        "token_file: can't read {file}: {why}; correct its path or its permissions",
        file = short(.file).display()
    )]
    File {
        /// The file.
        file: PathBuf,
        /// The system's words.
        why: String,
    },
    /// The command could not be started or waited for.
    #[error("token_command can't be run: {0}; see that `sh` and the system are in order")]
    Start(String),
    /// The command took too long and was killed.
    #[error("token_command took longer than {limit:?} and was killed; run it by hand to see what it waits for")]
    TimedOut {
        /// How long it may take.
        limit: Duration,
    },
    /// The command said that it failed.
    #[error("token_command failed ({status}){said}; run it by hand to see why", said = told(.complaint))]
    Failed {
        /// Its exit code or signal.
        status: String,
        /// The start of what it wrote to its standard error.
        complaint: String,
    },
    /// There is a source, but no secret in it.
    #[error("{0} gave an empty secret; see that it holds one")]
    Empty(&'static str),
    /// There is too much in the source.
    #[error("{0} gave more than 64 KiB; it must give the secret alone")]
    TooLarge(&'static str),
    /// Not text, or with control characters, which no request can carry.
    #[error("{0} gave what can't be a secret: several lines, control characters or no UTF-8; it must give one line of text")]
    Unusable(&'static str),
}

fn told(complaint: &str) -> String {
    if complaint.is_empty() { String::new() } else { format!(": {complaint}") }
}

impl From<CredentialError> for DialRefusal {
    fn from(error: CredentialError) -> Self {
        Self { message: error.to_string() }
    }
}

/// Fetches a channel's credential, and keeps it.
pub struct Credentials {
    source: CredentialSource,
    auth: Auth,
    command_limit: Duration,
    kept: Option<Credential>,
}

impl Credentials {
    /// Nothing is fetched yet.
    pub fn new(source: CredentialSource, auth: Auth) -> Self {
        Self { source, auth, command_limit: COMMAND_LIMIT, kept: None }
    }

    /// Another limit than [`COMMAND_LIMIT`].
    #[must_use]
    pub fn with_command_limit(self, command_limit: Duration) -> Self {
        Self { command_limit, ..self }
    }

    /// The credential; `None` where the channel has none. Fetched at the first call, and again when `refresh` says
    /// that the last one was refused. After an error the next call tries again.
    ///
    /// # Errors
    /// What is wrong with the source, and how to mend it.
    pub async fn fetch(&mut self, refresh: bool) -> Result<Option<Credential>, CredentialError> {
        if refresh {
            self.kept = None;
        }
        if self.kept.is_none() && self.auth != Auth::None {
            let secret = match &self.source {
                CredentialSource::None | CredentialSource::Keyring => None,
                CredentialSource::Env(name) => Some(from_env(name)?),
                CredentialSource::File(file) => Some(from_file(file)?),
                CredentialSource::Command(command) => Some(from_command(command, self.command_limit).await?),
            };
            self.kept = secret.and_then(|secret| self.auth.with(secret));
        }
        Ok(self.kept.clone())
    }
}

fn from_env(name: &str) -> Result<String, CredentialError> {
    let value = std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| CredentialError::Env(name.to_owned()))?;
    usable("token_env", value.as_encoded_bytes())
}

fn from_file(file: &Path) -> Result<String, CredentialError> {
    let failed = |why: &dyn ToString| CredentialError::File { file: file.to_owned(), why: why.to_string() };
    let metadata = std::fs::metadata(file).map_err(|error| failed(&error))?;
    // Opening a pipe would wait for its writer.
    if !metadata.is_file() {
        return Err(failed(&"it is not a file"));
    }
    warn_if_shared(file, &metadata);
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|opened| io::Read::read_to_end(&mut io::Read::take(opened, LARGEST as u64 + 1), &mut bytes))
        .map_err(|error| failed(&error))?;
    usable("token_file", &bytes)
}

#[cfg(unix)]
fn warn_if_shared(file: &Path, metadata: &std::fs::Metadata) {
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o044 != 0 {
        let file = short(file);
        tracing::warn!("token_file: other users may read {0}; run chmod 600 {0}", file.display());
    }
}

#[cfg(not(unix))]
fn warn_if_shared(_: &Path, _: &std::fs::Metadata) {}

/// The secret in what a source gave.
fn usable(source: &'static str, bytes: &[u8]) -> Result<String, CredentialError> {
    if bytes.len() > LARGEST {
        return Err(CredentialError::TooLarge(source));
    }
    match str::from_utf8(bytes).map(str::trim) {
        Ok("") => Err(CredentialError::Empty(source)),
        Ok(secret) if !secret.contains(char::is_control) => Ok(secret.to_owned()),
        Ok(_) | Err(_) => Err(CredentialError::Unusable(source)),
    }
}

/// Runs a command by the shell, without a terminal and in a process group of its own.
async fn from_command(command: &str, limit: Duration) -> Result<String, CredentialError> {
    let ended = timeout(limit, run(command)).await.map_err(|_| CredentialError::TimedOut { limit })?;
    let Ended { status, output, complaint } = ended.map_err(|error| CredentialError::Start(error.to_string()))?;
    if !status.success() {
        let complaint = String::from_utf8_lossy(&complaint);
        let complaint = complaint.split_whitespace().collect::<Vec<_>>().join(" ");
        return Err(CredentialError::Failed {
            status: status.to_string(),
            complaint: complaint.chars().filter(|c| !c.is_control()).take(COMPLAINT).collect(),
        });
    }
    usable("token_command", output.split(|byte| *byte == b'\n').next().unwrap_or_default())
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
