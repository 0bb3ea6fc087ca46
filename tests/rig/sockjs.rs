//! A double of a server of SockJS (sockjs-protocol 0.3.3), as Spring and sockjs-node behave: `/info`, a framed WebSocket, streams and polls,
//! sessions that are kept for a while without a listener. What it doesn't have: JSONP, EventSource, the plain WebSocket.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::live;

/// Where its sessions are.
const PREFIX: &str = "/sockjs/user";
/// How much a stream brings before it has to be asked for again, bytes. The protocol's is 128 KiB.
const STREAM: usize = 4 * 1024;
/// How often it breaks the silence.
const BEAT: Duration = Duration::from_secs(25);

/// What is answered to a text that a client says.
pub type Answers = fn(&str) -> Vec<String>;

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct SockJs {
    addr: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _listening: live::Listening,
}

#[derive(Debug)]
struct Shared {
    /// By folder.
    sessions: HashMap<String, watch::Sender<Session>>,
    answers: Answers,
    /// Nothing gets through that asks for an upgrade.
    blocks: bool,
    /// Each request: what was asked below the prefix or a session.
    asked: Vec<String>,
    /// What clients said.
    heard: Vec<String>,
}

#[derive(Debug, Default)]
struct Session {
    open: bool,
    queue: Vec<String>,
    close: Option<(u16, String)>,
    /// Which listener has it; the last.
    listener: u64,
}

impl SockJs {
    /// Listens on a loopback port.
    pub async fn start() -> anyhow::Result<Self> {
        Self::answering(|_| Vec::new()).await
    }

    /// The same; each text of a client is answered so.
    pub async fn answering(answers: Answers) -> anyhow::Result<Self> {
        let shared = Arc::new(Mutex::new(Shared {
            sessions: HashMap::new(),
            answers,
            blocks: false,
            asked: Vec::new(),
            heard: Vec::new(),
        }));
        let (addr, listening) = live::listen(&shared, serve).await?;
        Ok(Self { addr, shared, _listening: listening })
    }

    /// Its prefix, for a page.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{PREFIX}", self.addr)
    }

    /// The address of the plain WebSocket below, which is blocked as all are.
    #[must_use]
    pub fn websocket_url(&self) -> String {
        format!("ws://{}{PREFIX}/websocket", self.addr)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on whatever asks for an upgrade is answered with 400, as by a proxy that knows of none; or no longer.
    pub fn block_websockets(&self, blocks: bool) {
        self.shared().blocks = blocks;
    }

    /// Sends a text to every session.
    pub fn publish(&self, text: &str) {
        for session in self.shared().sessions.values() {
            session.send_modify(|session| session.queue.push(text.to_owned()));
        }
    }

    /// Closes every session.
    pub fn close(&self, code: u16, reason: &str) {
        for session in self.shared().sessions.values() {
            session.send_modify(|session| session.close = Some((code, reason.to_owned())));
        }
    }

    /// Forgets every session, as a server does that is started anew.
    pub fn forget(&self) {
        self.shared().sessions.clear();
    }

    /// How many sessions there are, or were since it forgot them.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared().sessions.len()
    }

    /// How often this was asked for.
    #[must_use]
    pub fn asked(&self, what: &str) -> usize {
        self.shared().asked.iter().filter(|asked| *asked == what).count()
    }

    /// What clients said.
    #[must_use]
    pub fn heard(&self) -> Vec<String> {
        self.shared().heard.clone()
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn session(&mut self, folder: &str) -> watch::Sender<Session> {
        self.sessions.entry(folder.to_owned()).or_insert_with(|| watch::channel(Session::default()).0).clone()
    }

    /// A client says these.
    fn say(&mut self, folder: &str, texts: Vec<String>) -> bool {
        let Some(session) = self.sessions.get(folder) else { return false };
        for text in texts {
            let answers = (self.answers)(&text);
            self.heard.push(text);
            session.send_modify(|session| session.queue.extend(answers));
        }
        true
    }
}

/// The next frame of a session, for this listener; `None`: another one has it.
async fn frame(
    session: &mut watch::Receiver<Session>,
    sender: &watch::Sender<Session>,
    listener: u64,
) -> Option<String> {
    loop {
        let mut next = None;
        sender.send_if_modified(|session| {
            if session.listener != listener {
                next = Some(None);
            } else if !session.open {
                session.open = true;
                next = Some(Some("o".to_owned()));
            } else if !session.queue.is_empty() {
                let texts = std::mem::take(&mut session.queue);
                next = Some(Some(format!("a{}", serde_json::to_string(&texts).unwrap_or_default())));
            } else if let Some((code, reason)) = &session.close {
                next = Some(Some(format!("c{}", serde_json::json!([code, reason]))));
            }
            false
        });
        if let Some(next) = next {
            return next;
        }
        if tokio::time::timeout(BEAT, session.changed()).await.is_err() {
            return Some("h".to_owned());
        }
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) -> anyhow::Result<()> {
    let head = live::head(&stream).await?;
    let path = head.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
    let upgrades = head.to_ascii_lowercase().contains("upgrade: websocket");
    let below = path.strip_prefix(PREFIX).unwrap_or_default().trim_start_matches('/').to_owned();
    let (folder, what) = below.rsplit_once('/').unwrap_or(("", &below));
    let blocks = {
        let mut shared = lock(&shared);
        shared.asked.push(what.to_owned());
        shared.blocks
    };
    if upgrades && !blocks && what == "websocket" && !folder.is_empty() {
        return framed(stream, folder, &shared).await;
    }
    let length: usize = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or_default();
    stream.read_exact(&mut vec![0; head.find("\r\n\r\n").unwrap_or_default() + 4]).await?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    match what {
        "info" if folder.is_empty() => {
            let info = br#"{"entropy":1,"origins":["*:*"],"cookie_needed":true,"websocket":true}"#;
            live::respond(stream, "200 OK", "Content-Type: application/json\r\n", info).await
        }
        "xhr" => {
            let frame = listen(folder, &shared, None).await;
            live::respond(stream, "200 OK", "", format!("{frame}\n").as_bytes()).await
        }
        "xhr_streaming" => listen_on(stream, folder, &shared).await,
        "xhr_send" => {
            let said = lock(&shared).say(folder, serde_json::from_slice(&body)?);
            let status = if said { "204 No Content" } else { "404 Not Found" };
            live::respond(stream, status, "", b"").await
        }
        _ if upgrades => live::respond(stream, "400 Bad Request", "", b"").await,
        _ => live::respond(stream, "404 Not Found", "", b"").await,
    }
}

/// Takes a session, and waits for its next frame.
async fn listen(folder: &str, shared: &Mutex<Shared>, listener: Option<u64>) -> String {
    let sender = lock(shared).session(folder);
    let mut session = sender.subscribe();
    let listener = listener.unwrap_or_else(|| take(&sender));
    let another = || "c[2010,\"Another connection still open\"]".to_owned();
    frame(&mut session, &sender, listener).await.unwrap_or_else(another)
}

/// Another listener has the session from now on.
fn take(session: &watch::Sender<Session>) -> u64 {
    session.send_modify(|session| session.listener += 1);
    session.borrow().listener
}

async fn listen_on(mut stream: TcpStream, folder: &str, shared: &Mutex<Shared>) -> anyhow::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/javascript\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("{head}{}\n", "h".repeat(2048)).as_bytes()).await?;
    let sender = lock(shared).session(folder);
    let listener = take(&sender);
    let mut sent = 0;
    while sent < STREAM {
        let frame = listen(folder, shared, Some(listener)).await;
        stream.write_all(format!("{frame}\n").as_bytes()).await?;
        sent += frame.len();
        if frame.starts_with('c') {
            break;
        }
    }
    Ok(stream.shutdown().await?)
}

async fn framed(stream: TcpStream, folder: &str, shared: &Mutex<Shared>) -> anyhow::Result<()> {
    let mut link = accept_async(stream).await?;
    let sender = lock(shared).session(folder);
    let mut session = sender.subscribe();
    let listener = take(&sender);
    loop {
        tokio::select! {
            next = frame(&mut session, &sender, listener) => {
                let Some(frame) = next else { return Ok(()) };
                let over = frame.starts_with('c');
                link.send(Message::text(frame)).await?;
                if over {
                    // As sockjs-node does, whatever the frame said.
                    return Ok(link.close(Some(CloseFrame { code: 1000.into(), reason: "Normal closure".into() })).await?);
                }
            }
            heard = link.next() => match heard {
                Some(Ok(Message::Text(text))) => {
                    let texts = serde_json::from_str(&text)?;
                    lock(shared).say(folder, texts);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
        }
    }
}
