//! The agent's end of the local socket: owner only, bounded, versioned.

use std::future::Future;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use directories::ProjectDirs;
use tokio::io::{AsyncWrite, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};

use crate::wire::{self, MAX_REQUEST, ReadError};
use crate::{ErrorCode, Event, Examine, Refusal, Reply, Request, Secret, Step, Values};

/// Connections at once. Too low: scripts in parallel are refused; too high: a runaway script costs memory.
const MAX_CONNECTIONS: usize = 32;
/// A peer that doesn't take a line within this time is let go. Too low: a stopped debugger loses its stream.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// A peer that has not asked anything within this time of connecting is let go. Too low: a stopped debugger is cut off;
/// too high: forgotten connections keep everybody out. Who has asked may think for as long as it likes.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// Longest path of a Unix socket that every system takes (Linux 107, others 103). A longer one is gone another way.
const MAX_PATH: usize = 103;

/// The folder where the user's agent lives: its lock, its state and the socket `agent.sock`. `None` where the
/// system doesn't tell the user's home.
#[must_use]
pub fn state_folder() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "tidings")?;
    // macOS and Windows have no folder of state; there it is with the data.
    Some(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned())
}

/// The socket's place in [`state_folder`].
#[must_use]
pub fn path_in(state_folder: &Path) -> PathBuf {
    state_folder.join("agent.sock")
}

/// Who answers requests.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Answers everything but [`Request::Subscribe`], [`Request::Test`] and [`Request::Examine`].
    fn handle(&self, request: Request) -> impl Future<Output = Reply> + Send;

    /// Starts a stream that begins with a snapshot and ends when the agent does.
    ///
    /// # Errors
    /// When the window subscribes and there is one already.
    fn subscribe(&self, window: bool) -> Result<mpsc::Receiver<Event>, Refusal>;

    /// Starts a trial; its steps come as they are done. It is broken off when the receiver is dropped.
    ///
    /// # Errors
    /// When the values make no channel.
    fn test(
        &self,
        channel: Option<String>,
        values: Values,
        secret: Option<Secret>,
    ) -> impl Future<Output = Result<mpsc::Receiver<Step>, Refusal>> + Send;

    /// Starts an examination, as [`test`](Self::test) a trial.
    ///
    /// # Errors
    /// When no such channel is held.
    fn examine(&self, what: Examine) -> impl Future<Output = Result<mpsc::Receiver<Step>, Refusal>> + Send;
}

/// A way to a socket that its address has room for: its path, or where that is longer the one through its opened
/// folder.
pub(crate) struct Address {
    path: PathBuf,
    /// The path leads through it.
    _folder: Option<std::fs::File>,
}

impl Address {
    /// # Errors
    /// When the folder can't be opened, or the system has no such way.
    pub(crate) fn of(socket: &Path) -> std::io::Result<Self> {
        let fits = |path: &Path| path.as_os_str().len() <= MAX_PATH;
        if fits(socket) {
            return Ok(Self { path: socket.to_owned(), _folder: None });
        }
        let opened = Path::new("/proc/self/fd");
        if let (Some(folder), Some(name), true) = (socket.parent(), socket.file_name(), opened.is_dir()) {
            let folder = std::fs::File::open(folder)?;
            let path = opened.join(folder.as_raw_fd().to_string()).join(name);
            if fits(&path) {
                return Ok(Self { path, _folder: Some(folder) });
            }
        }
        let words = format!(
            "{} is longer than the {MAX_PATH} bytes that a socket's path may have; set XDG_STATE_HOME to a shorter folder",
            socket.display()
        );
        Err(std::io::Error::new(std::io::ErrorKind::InvalidFilename, words))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Binds the socket, replacing a stale one; the caller holds the agent's lock, so nobody lives there.
///
/// # Errors
/// When the folder can't be written.
pub fn bind(path: &Path) -> std::io::Result<UnixListener> {
    let address = Address::of(path)?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(address.path())?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves until the future is dropped. `path` is where `listener` was bound.
pub async fn serve(listener: UnixListener, path: &Path, handler: impl Handler) {
    let owner = std::fs::metadata(path).map(|file| file.uid()).ok();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // Held here so that dropping this future ends every connection.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: wait for a connection to end, or a moment.
                    tracing::warn!(%error, "the local socket could not accept a connection");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        match stream.peer_cred() {
            Ok(peer) if Some(peer.uid()) == owner => {}
            peer => {
                tracing::warn!(uid = ?peer.ok().map(|p| p.uid()), "another user's connection was refused");
                continue;
            }
        }
        let handler = handler.clone();
        let place = places.clone().try_acquire_owned();
        connections.spawn(async move {
            let Ok(_place) = place else {
                return refuse_all(stream).await;
            };
            converse(stream, handler).await;
        });
    }
}

async fn refuse_all(mut stream: UnixStream) {
    let message = format!("more than {MAX_CONNECTIONS} connections at once; close some and try again");
    send(&mut stream, &refused(ErrorCode::Busy, message)).await;
}

async fn converse(stream: UnixStream, handler: impl Handler) {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut patience = Some(FIRST_REQUEST);
    loop {
        let request = wire::read(&mut reader, MAX_REQUEST);
        let request = match patience.take() {
            Some(patience) => match tokio::time::timeout(patience, request).await {
                Ok(request) => request,
                Err(_) => return,
            },
            None => request.await,
        };
        let reply = match request {
            Ok(None) | Err(ReadError::Io(_)) => return,
            Ok(Some(Request::Subscribe { window })) => match handler.subscribe(window) {
                Ok(events) => {
                    tell(events, Reply::Event, &mut reader, &mut writer).await;
                    return;
                }
                Err(refusal) => Reply::Refused(refusal),
            },
            Ok(Some(Request::Test { channel, values, secret })) => {
                let steps = handler.test(channel, values, secret).await;
                match tell_steps(steps, &mut reader, &mut writer).await {
                    Some(reply) => reply,
                    None => return,
                }
            }
            Ok(Some(Request::Examine(what))) => {
                let steps = handler.examine(what).await;
                match tell_steps(steps, &mut reader, &mut writer).await {
                    Some(reply) => reply,
                    None => return,
                }
            }
            Ok(Some(request)) => handler.handle(request).await,
            Err(error @ ReadError::OtherVersion { .. }) => {
                refused(ErrorCode::OtherVersion, error.to_string())
            }
            Err(error @ ReadError::Malformed(_)) => refused(ErrorCode::BadRequest, error.to_string()),
            Err(error @ ReadError::TooLong(_)) => {
                // What follows is the rest of that line: no use reading on.
                send(&mut writer, &refused(ErrorCode::BadRequest, error.to_string())).await;
                return;
            }
        };
        if !send(&mut writer, &reply).await {
            return;
        }
    }
}

/// Tells all steps; what ends the answer, or `None` if the peer goes before.
async fn tell_steps(
    steps: Result<mpsc::Receiver<Step>, Refusal>,
    reader: &mut BufReader<OwnedReadHalf>,
    writer: &mut OwnedWriteHalf,
) -> Option<Reply> {
    match steps {
        Ok(steps) => {
            let told = tell(steps, Reply::Step, reader, writer).await;
            told.then_some(Reply::Done { channels: Vec::new() })
        }
        Err(refusal) => Some(Reply::Refused(refusal)),
    }
}

/// Tells all that comes; false if the peer goes before the end.
async fn tell<T>(
    mut told: mpsc::Receiver<T>,
    reply: fn(T) -> Reply,
    reader: &mut BufReader<OwnedReadHalf>,
    writer: &mut OwnedWriteHalf,
) -> bool {
    // Reading on tells when the peer has gone, though nothing more is expected of it.
    let mut end = Box::pin(wire::read::<Request>(reader, MAX_REQUEST));
    loop {
        tokio::select! {
            _ = &mut end => return false,
            next = told.recv() => {
                let Some(next) = next else { return true };
                if !send(writer, &reply(next)).await {
                    return false;
                }
            }
        }
    }
}

fn refused(code: ErrorCode, message: String) -> Reply {
    Reply::Refused(Refusal::new(code, message))
}

/// Whether the line went out in time.
async fn send(to: &mut (impl AsyncWrite + Unpin), reply: &Reply) -> bool {
    matches!(tokio::time::timeout(WRITE_LIMIT, wire::write(to, reply)).await, Ok(Ok(())))
}
