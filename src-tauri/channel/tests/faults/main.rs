//! What goes wrong between a channel and its server, over real sockets on loopback: each file is a place where
//! it does. Times are scaled; no test waits for longer than a second or two.

mod dialling;
mod endurance;
mod links;
mod proxies;
mod trust;

use std::time::Duration;

use tidings_channel::{
    Backoff, Cause, Channel, ChannelUrl, Command, Config, Credential, DialParams, Frame, Start, State,
    Status, Timing,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::{WebSocketStream, accept_async};

/// Longest that any test waits for what it promises.
const PATIENCE: Duration = Duration::from_secs(10);

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A listener on loopback and its port.
async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    (listener, port)
}

/// A channel to this port, with times for tests.
fn config(scheme: &str, port: u16) -> Config {
    let url = format!("{scheme}://localhost:{port}/ws/user-channel");
    let timing = Timing {
        dial_gap: Duration::ZERO,
        least_delay: millis(10),
        first_local: millis(20),
        upgrade: millis(400),
        page: millis(400),
        tls: millis(400),
        proxy: millis(400),
        ..Timing::default()
    };
    let backoff = Backoff::new(millis(100), Duration::from_secs(60)).expect("fine");
    Config { timing, backoff, ..Config::new(ChannelUrl::parse(&url, false).expect("a good URL")) }
}

/// Parameters with a secret in them.
fn signed_in() -> DialParams {
    DialParams::from(Credential::Bearer("s3cret".to_owned()))
}

/// The desk's side.
struct Desk {
    channel: Channel,
    frames: mpsc::Receiver<Frame>,
    status: watch::Receiver<Status>,
}

impl Desk {
    fn new(config: Config) -> Self {
        Self::with(config, signed_in())
    }

    fn with(config: Config, params: DialParams) -> Self {
        let (channel, frames) = Channel::spawn(config, Start::Connect, params);
        let status = channel.status();
        Self { channel, frames, status }
    }

    async fn until(&mut self, what: &str, seen: impl FnMut(&Status) -> bool) -> Status {
        match tokio::time::timeout(PATIENCE, self.status.wait_for(seen)).await {
            Ok(status) => status.expect("the channel runs").clone(),
            Err(_) => panic!("never {what}, but {}", *self.channel.status().borrow()),
        }
    }

    async fn connected(&mut self) {
        self.until("connected", |status| matches!(status.state, State::Connected { .. })).await;
    }

    /// The first thing that goes wrong, with the state it leads to.
    async fn trouble(&mut self) -> (Cause, Status) {
        let status = self.until("in trouble", |status| told(status).is_some()).await;
        (told(&status).expect("just seen"), status)
    }

    async fn needs_user(&mut self) -> Cause {
        let status =
            self.until("in need of the user", |status| matches!(status.state, State::NeedsUser { .. })).await;
        told(&status).expect("NeedsUser has a cause")
    }
}

fn told(status: &Status) -> Option<Cause> {
    status.state.cause().filter(|cause| **cause != Cause::Local).cloned()
}

/// A dial, as it arrives.
async fn dialled(listener: &TcpListener) -> TcpStream {
    let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await;
    accepted.expect("a dial in time").expect("accepted").0
}

/// A link, from the server's side.
async fn accept(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    accept_async(dialled(listener).await).await.expect("a good upgrade")
}

/// The head of what the client asks, up to the empty line.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a whole head"));
    }
    String::from_utf8(head).expect("ASCII")
}

/// Takes the next dial and answers its upgrade with this. Returns what was asked.
async fn answer(listener: &TcpListener, answer: &str) -> String {
    let mut stream = dialled(listener).await;
    let asked = head(&mut stream).await;
    stream.write_all(answer.as_bytes()).await.expect("sent");
    // Until the client has read it.
    let _ = stream.read(&mut [0]).await;
    asked
}
