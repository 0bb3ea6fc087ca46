//! A channel over in-memory streams, in paused time, and its server's side: a real WebSocket's.

use std::net::SocketAddr;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::*;
use crate::way::connect::Connected;
use crate::{Channel, ChannelUrl, Detail, DialParams, DialRefusal, Subscribed};

/// The client's end of a stream in memory, counted while it lives.
struct Counted {
    stream: DuplexStream,
    alive: Arc<AtomicUsize>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Connects to the test itself. Fails the test's task if more streams live at once than may (C3, N1).
struct InMemory {
    dialled: mpsc::UnboundedSender<DuplexStream>,
    alive: Arc<AtomicUsize>,
    buffer: usize,
    route: Option<Route>,
    others: bool,
    most: usize,
}

impl Connect for InMemory {
    type Stream = Counted;

    async fn connect(&self, _: &Config, stage: &watch::Sender<Stage>) -> Result<Connected<Counted>, Cause> {
        stage.send_replace(Stage::Tcp);
        let alive = self.alive.fetch_add(1, Ordering::SeqCst);
        assert!(alive < self.most, "too many links at once");
        let (ours, theirs) = tokio::io::duplex(self.buffer);
        let stream = Counted { stream: ours, alive: self.alive.clone() };
        self.dialled.send(theirs).map_err(|_| Cause::Unreachable { detail: Detail::Refused })?;
        Ok(Connected { stream, route: self.route, others: self.others })
    }
}

/// Gives the same parameters each time and notes what was asked.
#[derive(Clone, Default)]
pub(super) struct Giver {
    pub(super) params: DialParams,
    pub(super) asks: Arc<StdMutex<Vec<DialAsk>>>,
    /// How often it was told that messages may be missing.
    pub(super) losses: Arc<AtomicUsize>,
}

impl Owner for Giver {
    async fn dial_params(&mut self, ask: DialAsk) -> Result<DialParams, DialRefusal> {
        self.asks.lock().expect("no panic holds it").push(ask);
        Ok(self.params.clone())
    }

    async fn subscribed(&mut self, subscribed: Subscribed) {
        self.losses.fetch_add(usize::from(subscribed.lost), Ordering::Relaxed);
    }
}

pub(super) type Server = WebSocketStream<DuplexStream>;

/// A channel and the server's side of it.
pub(super) struct Rig {
    pub(super) channel: Channel,
    pub(super) frames: mpsc::Receiver<Frame>,
    pub(super) status: watch::Receiver<Status>,
    pub(super) dialled: mpsc::UnboundedReceiver<DuplexStream>,
    pub(super) alive: Arc<AtomicUsize>,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(config(), Giver::default(), 64 * 1024)
    }

    pub(super) fn with(config: Config, owner: Giver, buffer: usize) -> Self {
        Self::from_address(None, config, owner, buffer)
    }

    /// As if the host had other addresses, or not.
    pub(super) fn beside(others: bool) -> Self {
        Self::at(None, others, 1, config(), Giver::default(), 64 * 1024)
    }

    /// As if the links went out from `local`.
    pub(super) fn from_address(
        local: Option<SocketAddr>,
        config: Config,
        owner: Giver,
        buffer: usize,
    ) -> Self {
        Self::at(local, false, 1, config, owner, buffer)
    }

    /// One that may have two links, while one takes the other's place.
    pub(super) fn renewing(config: Config) -> Self {
        Self::at(None, false, 2, config, Giver::default(), 64 * 1024)
    }

    /// The same, by these parameters.
    pub(super) fn giving(config: Config, owner: Giver) -> Self {
        Self::at(None, false, 2, config, owner, 64 * 1024)
    }

    pub(super) fn at(
        local: Option<SocketAddr>,
        others: bool,
        most: usize,
        config: Config,
        owner: Giver,
        buffer: usize,
    ) -> Self {
        let (dialled, accepted) = mpsc::unbounded_channel();
        let alive = Arc::new(AtomicUsize::new(0));
        let route = local.map(|from| Route { from, to: from });
        let connector = InMemory { dialled, alive: alive.clone(), buffer, route, others, most };
        let (channel, frames) = Channel::spawn_with(config, Start::Connect, |config, start, asked| {
            spawn_with(
                config,
                start,
                owner,
                asked,
                connector,
                Alarm::of_runtime(),
                SmallRng::seed_from_u64(5),
            )
        });
        let status = channel.status();
        Self { channel, frames, status, dialled: accepted, alive }
    }

    pub(super) async fn dialled(&mut self) -> DuplexStream {
        self.dialled.recv().await.expect("the channel runs")
    }

    /// The next link, from the server's side.
    pub(super) async fn accept(&mut self) -> Server {
        let stream = self.dialled().await;
        let server = accept_async(stream).await.expect("a good upgrade");
        self.state("connected").await;
        server
    }

    /// Waits for a state.
    pub(super) async fn state(&mut self, name: &str) -> Status {
        let seen = tokio::time::timeout(
            Duration::from_secs(3600),
            self.status.wait_for(|status| status.state.name() == name),
        );
        seen.await.unwrap_or_else(|_| panic!("never {name}")).expect("the channel runs").clone()
    }
}

pub(super) fn config() -> Config {
    Config::new(ChannelUrl::parse("ws://localhost/ws", false).expect("a good URL"))
}

pub(super) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The next message but pings.
pub(super) async fn next(server: &mut Server) -> Option<Message> {
    loop {
        match server.next().await {
            Some(Ok(Message::Ping(_))) => {}
            Some(Ok(message)) => return Some(message),
            Some(Err(_)) | None => return None,
        }
    }
}

pub(super) fn close(code: u16) -> Message {
    Message::Close(Some(CloseFrame { code: code.into(), reason: "".into() }))
}

pub(super) fn close_code(message: Option<Message>) -> Option<u16> {
    match message {
        Some(Message::Close(Some(frame))) => Some(frame.code.into()),
        Some(
            Message::Close(None)
            | Message::Text(_)
            | Message::Binary(_)
            | Message::Ping(_)
            | Message::Pong(_)
            | Message::Frame(_),
        )
        | None => None,
    }
}
