//! What goes wrong between a channel and its server, over real sockets on loopback: each file is a place where
//! it does. Times are scaled; no test waits for longer than a second or two.

#[path = "../desk/mod.rs"]
mod desk;
mod dialling;
mod fetching;
mod links;
mod proxies;
mod trust;

use std::time::Duration;

use tidings_channel::{Cause, ChannelUrl, Config, Credential, DialParams, State, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async;

use desk::{Desk, accept, config, dialled, listen, millis};

/// Parameters with a secret in them.
fn signed_in() -> DialParams {
    DialParams::from(Credential::Bearer("s3cret".to_owned()))
}

impl Desk {
    fn new(config: Config) -> Self {
        Self::with(config, signed_in())
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
