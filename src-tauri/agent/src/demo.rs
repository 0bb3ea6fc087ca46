//! The demo: a small server on loopback, and a channel to it that stands in no settings file.
//!
//! The server is a process of its own, beside our executable: the agent's memory is as before. It ends with the demo, and
//! with the agent however that ends, since it listens to its stdin's end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tidings_api::{ErrorCode, Refusal};
use tidings_channel::{State, Status};
use tidings_ground::{program, reason};
use tidings_settings::{ChannelSettings, parse};
use tidings_state::snapshot::DEMO;
use tidings_words::Words;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Name of the server's executable, beside the agent's own.
const EXECUTABLE: &str = "tidings-server";

/// Who receives at the server.
const USER: &str = "demo";

/// How long the server may take to start, and to take a push.
const START: Duration = Duration::from_secs(10);

/// A running demo; ends when dropped.
#[derive(Debug)]
pub(crate) struct Demo {
    server: Child,
    address: SocketAddr,
    welcome: Option<JoinHandle<()>>,
}

/// Asks the main loop to show a demo, or to end the one that is shown.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) demo: Option<Demo>,
    /// The names of the channels concerned.
    pub(crate) answer: oneshot::Sender<Vec<String>>,
}

/// Why there is no demo.
#[derive(Debug)]
enum DemoError {
    /// There is no such program.
    Missing(PathBuf),
    /// For the system's reason.
    Failed(std::io::Error),
    /// It did not say where it listens.
    Silent,
}

impl From<std::io::Error> for DemoError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}

impl DemoError {
    fn told(&self, words: Words) -> String {
        match self {
            Self::Missing(file) => words.demo_missing(&file.display()),
            Self::Failed(why) => words.demo_failed(&reason::of_io(why)),
            Self::Silent => words.demo_silent(),
        }
    }
}

impl Demo {
    /// Starts the server.
    pub(crate) async fn start(words: Words) -> Result<Self, Refusal> {
        Self::try_start().await.map_err(|error| Refusal::new(ErrorCode::Demo, error.told(words)))
    }

    async fn try_start() -> Result<Self, DemoError> {
        let executable = program::beside(EXECUTABLE)?;
        if !executable.exists() {
            return Err(DemoError::Missing(executable));
        }
        let mut command = Command::new(executable);
        command.args(["--child", "--listen", "127.0.0.1:0", "--log", "error"]).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut server = command.spawn()?;
        let said = server.stdout.take().ok_or(DemoError::Silent)?;
        let mut line = String::new();
        let mut said = BufReader::new(said).take(100);
        timeout(START, said.read_line(&mut line)).await.map_err(|_| DemoError::Silent)??;
        let address = line.trim().parse().map_err(|_| DemoError::Silent)?;
        Ok(Self { server, address, welcome: None })
    }

    /// Its channel.
    pub(crate) fn channel(&self, words: Words) -> Option<ChannelSettings> {
        let settings = format!(
            "[[channel]]\nname = {:?}\nurl = \"ws://{}/ws/user-channel?user={USER}\"\nauth = \"none\"\n",
            "Demo", self.address
        );
        let settings = parse(settings.as_bytes(), Path::new("demo")).ok()?;
        let channel = settings.channels.into_iter().next()?;
        Some(ChannelSettings { id: DEMO.to_owned(), name: words.demo_name(), ..channel })
    }

    /// Pushes a first message as soon as the channel is connected.
    pub(crate) fn welcome(&mut self, mut status: watch::Receiver<Status>, words: Words) {
        let address = self.address;
        let command = format!("curl -d 'Hello' http://{address}/push/{USER}");
        let message = json!({ "title": words.demo_title(), "body": words.demo_body(&command) }).to_string();
        self.welcome = Some(tokio::spawn(async move {
            let up = status.wait_for(|status| matches!(status.state, State::Connected { .. })).await.is_ok();
            if up && let Err(error) = push(address, &message).await {
                tracing::warn!(%error, "the demo's first message is missing");
            }
        }));
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(welcome) = &self.welcome {
            welcome.abort();
        }
        // It would end by its stdin's end, too.
        if let Err(error) = self.server.start_kill() {
            tracing::debug!(%error, "the demo's server has ended already");
        }
    }
}

async fn push(address: SocketAddr, message: &str) -> std::io::Result<()> {
    let request = format!(
        "POST /push/{USER} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{message}",
        message.len()
    );
    let pushing = async {
        let mut server = TcpStream::connect(address).await?;
        server.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        server.take(4096).read_to_end(&mut answer).await?;
        match answer.starts_with(b"HTTP/1.1 200") {
            true => Ok(()),
            false => Err(std::io::Error::other("the server did not take it")),
        }
    };
    timeout(START, pushing).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}
