//! A channel at the desk, and what its server sees, over real sockets on loopback.

use std::time::Duration;

use tidings_channel::{Backoff, Channel, ChannelUrl, Config, DialParams, Frame, Start, Status, Timing};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::{WebSocketStream, accept_async};

/// Longest that any test waits for what it promises.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A listener on loopback and its port.
pub(crate) async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    (listener, port)
}

/// A channel to this port, with times for tests.
pub(crate) fn config(scheme: &str, port: u16) -> Config {
    let url = format!("{scheme}://localhost:{port}/ws/user-channel");
    let timing = Timing {
        dial_gap: Duration::ZERO,
        least_delay: millis(10),
        first_local: millis(20),
        upgrade: millis(400),
        upgrade_patience: millis(400),
        page: millis(400),
        tls: millis(400),
        proxy: millis(400),
        ..Timing::default()
    };
    let backoff = Backoff::new(millis(100), Duration::from_secs(60)).expect("fine");
    Config { timing, backoff, ..Config::new(ChannelUrl::parse(&url, false).expect("a good URL")) }
}

/// The desk's side.
pub(crate) struct Desk {
    pub(crate) channel: Channel,
    pub(crate) frames: mpsc::Receiver<Frame>,
    pub(crate) status: watch::Receiver<Status>,
}

impl Desk {
    pub(crate) fn with(config: Config, params: DialParams) -> Self {
        let (channel, frames) = Channel::spawn(config, Start::Connect, params);
        let status = channel.status();
        Self { channel, frames, status }
    }

    pub(crate) async fn until(&mut self, what: &str, seen: impl FnMut(&Status) -> bool) -> Status {
        match tokio::time::timeout(PATIENCE, self.status.wait_for(seen)).await {
            Ok(status) => status.expect("the channel runs").clone(),
            Err(_) => panic!("never {what}, but {}", *self.channel.status().borrow()),
        }
    }
}

/// A dial, as it arrives.
pub(crate) async fn dialled(listener: &TcpListener) -> TcpStream {
    let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await;
    accepted.expect("a dial in time").expect("accepted").0
}

/// A link, from the server's side.
pub(crate) async fn accept(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    accept_async(dialled(listener).await).await.expect("a good upgrade")
}
