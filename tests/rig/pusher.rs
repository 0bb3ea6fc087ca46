//! A server of the Pusher protocol with one private channel, and the web app that signs a subscription of it, as their
//! documentation describes them. Both are at one address here.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::broadcast;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::live;

/// The private channel.
pub const CHANNEL: &str = "private-user.7";

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct Pusher {
    addr: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _listening: live::Listening,
}

#[derive(Debug)]
struct Shared {
    token: String,
    /// What the app answers instead of a signature: status and body.
    broken: Option<(&'static str, &'static str)>,
    /// The forms that it was sent.
    asked: Vec<String>,
    links: u32,
    live: broadcast::Sender<Option<String>>,
}

impl Pusher {
    /// Listens on a loopback port; the app signs for who comes with this token.
    pub async fn start(token: &str) -> anyhow::Result<Self> {
        let live = broadcast::channel(64).0;
        let shared = Shared { token: token.to_owned(), broken: None, asked: Vec::new(), links: 0, live };
        let shared = Arc::new(Mutex::new(shared));
        let (addr, listening) = live::listen(&shared, serve).await?;
        Ok(Self { addr, shared, _listening: listening })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The forms that the app was sent so far.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        lock(&self.shared).asked.clone()
    }

    /// From now on the app answers so.
    pub fn breaks(&self, status: &'static str, body: &'static str) {
        lock(&self.shared).broken = Some((status, body));
    }

    /// The app takes this token from now on, and all links are cut.
    pub fn turn_to(&self, token: &str) {
        let mut shared = lock(&self.shared);
        token.clone_into(&mut shared.token);
        let _ = shared.live.send(None);
    }

    /// Sends an event to who has subscribed.
    pub fn publish(&self, title: &str) {
        let data = json!({ "title": title }).to_string();
        let event = json!({ "event": "Notified", "channel": CHANNEL, "data": data });
        let _ = lock(&self.shared).live.send(Some(event.to_string()));
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) -> anyhow::Result<()> {
    // The form may have come with it.
    let head = live::head(&stream).await?.to_lowercase();
    let head = head.split_inclusive("\r\n\r\n").next().unwrap_or_default();
    if head.starts_with("get ") {
        return talk(stream, &shared).await;
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    stream.read_exact(&mut vec![0; head.len()]).await?;
    let mut form = vec![0; length.context("no length")?];
    stream.read_exact(&mut form).await?;
    let form = String::from_utf8(form)?;
    let (status, body) = {
        let mut shared = lock(&shared);
        shared.asked.push(form.clone());
        match shared.broken {
            Some((status, body)) => (status, body.to_owned()),
            None if head.contains(&format!("authorization: bearer {}\r\n", shared.token)) => {
                ("200 OK", json!({ "auth": signature(&form) }).to_string())
            }
            None => ("403 Forbidden", String::new()),
        }
    };
    live::respond(stream, status, "Content-Type: application/json\r\n", body.as_bytes()).await
}

/// A real one is a keyed hash of the same.
fn signature(form: &str) -> String {
    format!("app-key:{form}")
}

async fn talk(stream: TcpStream, shared: &Mutex<Shared>) -> anyhow::Result<()> {
    let mut link = accept_async(stream).await?;
    let (socket, live) = {
        let mut shared = lock(shared);
        shared.links += 1;
        (format!("17.{}", shared.links), shared.live.subscribe())
    };
    let data = json!({ "activity_timeout": 120, "socket_id": socket }).to_string();
    let established = json!({ "event": "pusher:connection_established", "data": data });
    link.send(Message::text(established.to_string())).await?;
    let said: Value = loop {
        if let Message::Text(text) = link.next().await.context("no word")?? {
            break serde_json::from_str(&text)?;
        }
    };
    let signed = signature(&format!("socket_id={socket}&channel_name={CHANNEL}"));
    let asked = json!({ "event": "pusher:subscribe", "data": { "channel": CHANNEL, "auth": signed } });
    let stands = said == asked;
    let answer = match stands {
        true => {
            json!({ "event": "pusher_internal:subscription_succeeded", "channel": CHANNEL, "data": "{}" })
        }
        false => json!({ "event": "pusher:error", "data": { "code": 4009, "message": "Invalid signature" } }),
    };
    link.send(Message::text(answer.to_string())).await?;
    live::stream(link, live).await
}
