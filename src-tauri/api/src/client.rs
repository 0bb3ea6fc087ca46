//! The other end of the socket: what the command line and the window use.

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::unix::AsyncFd;
use tokio::io::{BufReader, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::socket::Address;
use crate::wire::{self, MAX_REPLY, ReadError};
use crate::{Event, Refusal, Reply, Request};

/// How long the running Tidings may take for an answer. Too low: a busy one is taken for one that is stuck; too high:
/// whoever asks one that is stuck waits for nothing.
pub const ANSWER: Duration = Duration::from_secs(10);

/// How long an agent may take to answer, and then to close its links and to end. Too low: one on a slow disk is said to be
/// stuck; too high: who ends one that is stuck waits for nothing.
const END: Duration = Duration::from_secs(10);

/// Ends the agent that serves the socket, and waits until its process has ended.
///
/// # Errors
/// [`ClientError::NotRunning`] where nobody listens, [`ClientError::Silent`] where it doesn't end.
pub async fn quit(socket: &Path) -> Result<(), ClientError> {
    let mut client = Client::connect(socket).await?;
    // Held from before it ends: its number may be another's afterwards. None where the kernel is too old for it, or the
    // agent lives in another container: the end of the connection has to do then.
    let agent = client.agent_pid().and_then(Pid::from_raw);
    let agent = agent.and_then(|pid| pidfd_open(pid, PidfdFlags::NONBLOCK).ok());
    let ended = async {
        match client.ask(&Request::Quit).await {
            // It may be gone before its answer is out.
            Ok(_) | Err(ClientError::Broken(_)) => {}
            Err(error) => return Err(error),
        }
        match agent {
            Some(agent) => watched(agent)?.readable().await.map(drop),
            None => {
                // Nothing more is said on it.
                let _ = client.reply().await;
                Ok(())
            }
        }
        .map_err(ClientError::Broken)
    };
    tokio::time::timeout(END, ended).await.unwrap_or(Err(ClientError::Silent))
}

fn watched(process: OwnedFd) -> Result<AsyncFd<OwnedFd>, ClientError> {
    #[expect(
        deprecated,
        reason = "its successor is unsafe because other types may close the descriptor early; this type can't"
    )]
    AsyncFd::with_interest(process, Interest::READABLE).map_err(ClientError::Broken)
}

/// A connection to the running agent.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

/// Why the agent could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("Tidings is not running")]
    NotRunning,
    /// The agent runs, and does not answer.
    #[error("the running Tidings does not answer")]
    Silent,
    /// The agent closed the connection, or it broke.
    #[error("the connection to the running Tidings broke")]
    Broken(std::io::Error),
    /// The agent is of another version.
    #[error("the running Tidings is of another version ({0}); quit it and start it again")]
    OtherVersion(String),
    /// The agent said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The agent's answer was not to the question.
    #[error("the running Tidings gave an answer that was not understood")]
    Malformed(String),
}

impl From<ReadError> for ClientError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::Broken(error),
            ReadError::OtherVersion { version, .. } => Self::OtherVersion(version),
            ReadError::TooLong(_) | ReadError::Malformed(_) => Self::Malformed(error.to_string()),
        }
    }
}

impl Client {
    /// Connects to the agent whose socket is at `path`.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] where nobody listens, [`ClientError::Silent`] where nobody is let in any more.
    pub async fn connect(path: &Path) -> Result<Self, ClientError> {
        let connecting = async { UnixStream::connect(Address::of(path)?.path()).await };
        let stream = connecting.await.map_err(|error| {
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::ConnectionRefused
            ) {
                ClientError::NotRunning
            } else if error.kind() == ErrorKind::WouldBlock {
                // As many wait to be let in as the system allows.
                ClientError::Silent
            } else {
                ClientError::Broken(error)
            }
        })?;
        let (reader, writer) = stream.into_split();
        Ok(Self { reader: BufReader::new(reader), writer })
    }

    /// Asks once and waits for the answer.
    ///
    /// # Errors
    /// When the agent refuses, is gone or speaks another version.
    pub async fn ask(&mut self, request: &Request) -> Result<Reply, ClientError> {
        // An agent that refuses the connection at once may have closed it before our line is written:
        // its words are worth more than the broken pipe.
        let sent = wire::write(&mut self.writer, request).await;
        match (self.reply().await, sent) {
            (Err(ClientError::Broken(_)), Err(error)) => Err(ClientError::Broken(error)),
            (answer, _) => answer,
        }
    }

    /// Asks, and waits no longer than anybody would for what is answered at once. What hangs on others takes as long as it takes:
    /// whether anybody answers at all is known sooner.
    ///
    /// # Errors
    /// As [`Self::ask`]; [`ClientError::Silent`] where no answer comes within [`ANSWER`].
    pub async fn ask_in_time(&mut self, request: &Request) -> Result<Reply, ClientError> {
        if request.hangs_on_others() {
            let answered = tokio::time::timeout(ANSWER, self.ask(&Request::Status)).await;
            answered.unwrap_or(Err(ClientError::Silent))?;
            return self.ask(request).await;
        }
        tokio::time::timeout(ANSWER, self.ask(request)).await.unwrap_or(Err(ClientError::Silent))
    }

    /// Waits for the next event of a subscription ([`Request::Subscribe`] was asked before).
    ///
    /// # Errors
    /// When the agent is gone or speaks another version.
    pub async fn event(&mut self) -> Result<Event, ClientError> {
        match self.reply().await? {
            Reply::Event(event) => Ok(event),
            other @ (Reply::Done { .. }
            | Reply::Status(_)
            | Reply::History { .. }
            | Reply::Diagnostics { .. }
            | Reply::Settings(_)
            | Reply::Step(_)
            | Reply::Preview(_)
            | Reply::Rehearsal(_)
            | Reply::Discovered(_)
            | Reply::Health(_)
            | Reply::SignInPage(_)
            | Reply::TypeCode(_)
            | Reply::SignedIn { .. }
            | Reply::Picture { .. }
            | Reply::Refused(_)) => Err(ClientError::Malformed(format!("{other:?}"))),
        }
    }

    /// Waits for the next answer of a trial or an examination ([`Request::Test`] or [`Request::Examine`] was asked
    /// before): a step, or the end.
    ///
    /// # Errors
    /// When the agent is gone or speaks another version.
    pub async fn step(&mut self) -> Result<Reply, ClientError> {
        self.reply().await
    }

    /// The agent's process, where the system tells.
    #[must_use]
    pub fn agent_pid(&self) -> Option<i32> {
        self.writer.as_ref().peer_cred().ok()?.pid()
    }

    async fn reply(&mut self) -> Result<Reply, ClientError> {
        match wire::read(&mut self.reader, MAX_REPLY).await? {
            Some(Reply::Refused(refusal)) => Err(refusal.into()),
            Some(reply) => Ok(reply),
            None => Err(ClientError::Broken(ErrorKind::UnexpectedEof.into())),
        }
    }
}
