//! `tidings-server` as a program of its own, with a folder of messages: killed, started again, and pushed to meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures_util::StreamExt;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::connect_async;

use crate::binary;
use crate::desktop::{Process, Signal};
use crate::peer::own_address;
use crate::reader::{Channel, Reader};
use crate::wait::{LOOK, SOON, eventually};

/// More than any test sends: what is to be seen is what a kill costs, not what the limits do.
const ENOUGH: &str = "100000000";

/// A server that ends on drop.
#[derive(Debug)]
pub struct Node {
    addr: SocketAddr,
    words: Vec<String>,
    starts: u32,
    process: Option<Process>,
    folder: TempDir,
}

impl Node {
    /// Starts one that keeps everything, with these options more.
    pub async fn start(options: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tidings-node-").tempdir()?;
        let words = options.iter().map(|word| (*word).to_owned()).collect();
        let mut node = Self { addr: own_address()?, words, starts: 0, process: None, folder };
        node.start_again().await?;
        Ok(node)
    }

    /// Starts it once more, at the same address and with what it kept.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "it runs already");
        self.starts += 1;
        let mut command = Command::new(binary::server()?);
        command.args(["--listen", &self.addr.to_string(), "--log", "warn"]);
        command.args(["--backlog", ENOUGH, "--keep-bytes", ENOUGH, "--data"]).arg(self.data());
        command.args(&self.words).env_remove("TIDINGS_LOG");
        let name = format!("tidings-server-{}", self.starts);
        let mut process = Process::spawn(&name, &command, self.folder.path())?;
        let deadline = Instant::now() + SOON;
        while TcpStream::connect(self.addr).await.is_err() {
            if process.ended()?.is_some() || Instant::now() > deadline {
                bail!("the server does not listen on {}\n{}", self.addr, process.log_tail());
            }
            sleep(LOOK).await;
        }
        self.process = Some(process);
        Ok(())
    }

    /// Where its messages are.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        self.process.as_ref().map(Process::log_tail).unwrap_or_default()
    }

    /// Ends it as a service manager does.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.end(Signal::TERM).await
    }

    /// Ends it as a crash does.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.end(Signal::KILL).await
    }

    async fn end(&mut self, signal: Signal) -> anyhow::Result<()> {
        let mut process = self.process.take().context("the server does not run")?;
        process.signal(signal)?;
        eventually("the server's end", || process.ended().transpose()).await??;
        Ok(())
    }
}

/// Pushes over one connection, one after the other.
#[derive(Debug)]
pub struct Pusher {
    stream: TcpStream,
    addr: SocketAddr,
    /// A header with its line's end, or nothing.
    credential: String,
}

impl Pusher {
    /// Connects.
    pub async fn connect(addr: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, addr, credential: String::new() })
    }

    /// The same with a push token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.credential = format!("authorization: Bearer {token}\r\n");
        self
    }

    /// Sends a JSON object, or another text; returns status and body of the answer.
    pub async fn push(&mut self, user: &str, text: &str) -> anyhow::Result<(u16, String)> {
        let kind = if text.starts_with('{') { "application/json" } else { "text/plain" };
        let request = format!(
            "POST /push/{user} HTTP/1.1\r\nhost: {}\r\n{}content-type: {kind}\r\ncontent-length: {}\r\n\r\n{text}",
            self.addr,
            self.credential,
            text.len()
        );
        timeout(SOON, async {
            self.stream.write_all(request.as_bytes()).await?;
            self.answer().await
        })
        .await
        .context("no answer")?
    }

    async fn answer(&mut self) -> anyhow::Result<(u16, String)> {
        let mut answer = Vec::new();
        loop {
            ensure!(self.stream.read_buf(&mut answer).await? > 0, "the server ended the connection");
            let text = str::from_utf8(&answer).context("an answer that is no text")?;
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.context("an answer without its length")? {
                let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
                return Ok((status.context("no status")?, body.to_owned()));
            }
        }
    }
}

/// A stream of pushes to one user over many connections, and kills of the server meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Kills {
    /// How often the server is killed.
    pub kills: u32,
    /// How many pushes are answered between two kills, at least.
    pub between: usize,
    /// How many push at once.
    pub pushers: u32,
}

/// What came of it.
#[derive(Debug)]
pub struct Tally {
    /// Pushes that were answered with 200.
    pub answered: usize,
    /// How many a second, of the time in which the server ran.
    pub a_second: f64,
    /// Pushes whose answer a kill cut off: they may be kept or not.
    pub unanswered: usize,
    /// Of those that were answered, those that did not arrive at a reader.
    pub lost: BTreeSet<String>,
    /// Those that arrived at one more than once.
    pub twice: BTreeSet<String>,
}

/// Whom they are for.
const USER: &str = "ann";
/// How long a reader may take for all of it.
const PATIENCE: Duration = Duration::from_secs(300);
/// What comes last.
pub(crate) const LAST: &str = "that is all";

#[derive(Default)]
struct Answered {
    texts: BTreeSet<String>,
    cut_off: usize,
}

impl Kills {
    /// Does it to this server, which has to take many devices: its readers are a real agent and a client of the plain recipe.
    pub async fn run(self, node: &mut Node, unheard: bool) -> anyhow::Result<Tally> {
        let url = format!("ws://{}/ws/user-channel?user={USER}", node.addr());
        let reader = Reader::start(&[Channel { name: USER.to_owned(), url, token: None }], unheard).await?;
        reader.connected().await?;
        let heard = tokio::spawn(hear(node.addr()));
        let answered = Arc::new(Mutex::new(Answered::default()));
        let (count, mut counted) = watch::channel(0_usize);
        let count = Arc::new(count);
        let mut pushers = JoinSet::new();
        for number in 0..self.pushers {
            pushers.spawn(push_on(node.addr(), number, Arc::clone(&answered), Arc::clone(&count)));
        }
        let mut up = Duration::ZERO;
        for _ in 0..self.kills {
            let (since, before) = (Instant::now(), *counted.borrow());
            let many = counted.wait_for(|count| *count >= before + self.between);
            timeout(4 * SOON, many).await.context("pushes are not answered")??;
            up += since.elapsed();
            node.kill().await?;
            node.start_again().await?;
        }
        pushers.shutdown().await;
        let last =
            Pusher::connect(node.addr()).await?.push(USER, &format!(r#"{{"title": "{LAST}"}}"#)).await?;
        ensure!(last.0 == 200, "{last:?}");
        let heard = [heard.await??, reader.titles(LAST, 1, PATIENCE).await?];
        let answered = std::mem::take(&mut *answered.lock().unwrap_or_else(PoisonError::into_inner));
        let (mut lost, mut twice) = (BTreeSet::new(), BTreeSet::new());
        for heard in heard {
            lost.extend(answered.texts.iter().filter(|text| !heard.contains_key(*text)).cloned());
            twice.extend(heard.into_iter().filter(|(_, times)| *times > 1).map(|(text, _)| text));
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let a_second = answered.texts.len() as f64 / up.as_secs_f64();
        let (answered, unanswered) = (answered.texts.len(), answered.cut_off);
        Ok(Tally { answered, a_second, unanswered, lost, twice })
    }
}

/// How often each message came, until the last, to a client that asks for what came after the last that it has as soon as it can:
/// so each kill cuts it off. Unlike an inbox it would see a message that is sent twice.
async fn hear(addr: SocketAddr) -> anyhow::Result<BTreeMap<String, usize>> {
    let (mut heard, mut last) = (BTreeMap::new(), "0".to_owned());
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let url = format!("ws://{addr}/ws/user-channel?user={USER}&since={last}");
        let Ok((mut link, _)) = connect_async(url).await else {
            sleep(LOOK).await;
            continue;
        };
        while let Ok(Some(Ok(frame))) = timeout(SOON, link.next()).await {
            if !frame.is_text() {
                continue;
            }
            let message: Value = serde_json::from_slice(&frame.into_data())?;
            let word = |key: &str| message[key].as_str().map(str::to_owned).context("a message without that");
            last = word("id")?;
            let title = word("title")?;
            if title == LAST {
                return Ok(heard);
            }
            *heard.entry(title).or_default() += 1;
        }
    }
    bail!("the last message did not come")
}

/// Pushes for ever, each message once.
async fn push_on(
    addr: SocketAddr,
    number: u32,
    answered: Arc<Mutex<Answered>>,
    count: Arc<watch::Sender<usize>>,
) -> anyhow::Result<()> {
    let mut connection = None;
    for message in 0_u32.. {
        let pusher = match &mut connection {
            Some(pusher) => pusher,
            None => connection.insert(connected(addr).await),
        };
        let text = format!("{number}.{message}");
        let pushed = pusher.push(USER, &format!(r#"{{"title": "{text}", "body": "{:300}"}}"#, "")).await;
        let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
        match pushed {
            Ok((200, _)) => {
                answered.texts.insert(text);
                drop(answered);
                count.send_modify(|count| *count += 1);
            }
            Ok(_) | Err(_) => {
                answered.cut_off += 1;
                connection = None;
            }
        }
    }
    Ok(())
}

/// A connection, as soon as the server is there.
async fn connected(addr: SocketAddr) -> Pusher {
    loop {
        match Pusher::connect(addr).await {
            Ok(pusher) => return pusher,
            Err(_) => sleep(LOOK).await,
        }
    }
}
