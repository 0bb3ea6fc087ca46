//! A server of server-sent events as the standard has it (WHATWG HTML, section 9.2): it keeps what it sent, goes on after the id that it
//! is given, and ends its answers when it likes, as Mercure's hubs do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast;

use crate::live;

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct EventSource {
    addr: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _listening: live::Listening,
}

#[derive(Debug)]
struct Shared {
    /// What was sent, as it stands on the wire; its id is its place, from 1.
    sent: Vec<String>,
    /// What goes to each stream; `None` ends it.
    live: broadcast::Sender<Option<String>>,
    /// What each request is answered by in a stream's place.
    instead: Option<&'static str>,
    /// What each stream begins with.
    greeting: &'static str,
    /// How many of the oldest it has dropped, and says so as Mercure's hubs do: nothing else tells whether it knows an id.
    dropped: Option<usize>,
    /// From after which id each stream was asked for.
    asked: Vec<Option<String>>,
    /// Where it was.
    paths: Vec<String>,
}

impl EventSource {
    /// Listens on a loopback port.
    pub async fn start() -> anyhow::Result<Self> {
        Self::greeting(": hello\n\n").await
    }

    /// The same, with another start of each stream.
    pub async fn greeting(greeting: &'static str) -> anyhow::Result<Self> {
        let shared = Arc::new(Mutex::new(Shared {
            sent: Vec::new(),
            live: broadcast::channel(1024).0,
            instead: None,
            greeting,
            dropped: None,
            asked: Vec::new(),
            paths: Vec::new(),
        }));
        let (addr, listening) = live::listen(&shared, serve).await?;
        Ok(Self { addr, shared, _listening: listening })
    }

    /// Its host and port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where its events are.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/events", self.addr)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends an event of this name.
    pub fn publish(&self, name: &str, data: &str) {
        let mut shared = self.shared();
        let id = shared.sent.len() + 1;
        let event = format!("id: {id}\nevent: {name}\ndata: {data}\n\n");
        let _ = shared.live.send(Some(event.clone()));
        shared.sent.push(event);
    }

    /// Ends every stream as an answer ends that is complete.
    pub fn end(&self) {
        let _ = self.shared().live.send(None);
    }

    /// Drops all that was sent, and tells each stream from where it goes on.
    pub fn forget(&self) {
        let mut shared = self.shared();
        shared.dropped = Some(shared.sent.len());
    }

    /// Answers so from now on, or by streams again.
    pub fn answer(&self, instead: Option<&'static str>) {
        self.shared().instead = instead;
    }

    /// Where each stream was asked for, without its query.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let bare = |path: &String| path.split('?').next().unwrap_or_default().to_owned();
        self.shared().paths.iter().map(bare).collect()
    }

    /// From after which id each stream was asked for.
    #[must_use]
    pub fn asked(&self) -> Vec<Option<String>> {
        self.shared().asked.clone()
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) -> anyhow::Result<()> {
    let head = live::head(&stream).await?;
    let last = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("last-event-id: ").map(str::to_owned));
    let (missed, mut live, instead, told, greeting) = {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.asked.push(last.clone());
        shared.paths.push(head.split(' ').nth(1).unwrap_or_default().to_owned());
        // Whoever has nothing gets what comes.
        let from = last.and_then(|id| id.parse().ok()).unwrap_or(shared.sent.len());
        let goes_on = |dropped| if from < dropped { shared.sent.len() } else { from };
        let goes_on = shared.dropped.map(goes_on);
        let missed = shared.sent.get(goes_on.unwrap_or(from)..).unwrap_or_default().concat();
        let told = goes_on.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        (missed, shared.live.subscribe(), shared.instead, told, shared.greeting)
    };
    if let Some(status) = instead {
        return live::answer(stream, &head, status, "Content-Type: text/plain\r\n", b"").await;
    }
    stream.read_exact(&mut vec![0; head.len()]).await?;
    let start = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n";
    stream.write_all(format!("{start}{told}\r\n{greeting}{missed}").as_bytes()).await?;
    let mut byte = [0];
    loop {
        tokio::select! {
            news = live.recv() => match news? {
                Some(event) => stream.write_all(event.as_bytes()).await?,
                None => return Ok(stream.shutdown().await?),
            },
            // Nothing is ever said to us.
            _ = stream.read(&mut byte) => return Ok(()),
        }
    }
}
