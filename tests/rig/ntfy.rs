//! An ntfy server as a client sees one (2.27 was looked at): `open` first, then what it keeps from `since` on, then what is new;
//! deletions are kept beside what they delete, links end without a close frame.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::SinkExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::broadcast;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;

use crate::live;

/// The one topic.
pub const TOPIC: &str = "alerts";

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct Ntfy {
    addr: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _listening: live::Listening,
}

#[derive(Debug)]
struct Shared {
    kept: Vec<Value>,
    /// Nobody gets a link.
    away: bool,
    /// What goes to each link; `None` cuts it.
    live: broadcast::Sender<Option<String>>,
}

impl Ntfy {
    /// Listens on a loopback port.
    pub async fn start() -> anyhow::Result<Self> {
        let shared =
            Arc::new(Mutex::new(Shared { kept: Vec::new(), away: false, live: broadcast::channel(1024).0 }));
        let (addr, listening) = live::listen(&shared, serve).await?;
        Ok(Self { addr, shared, _listening: listening })
    }

    /// A channel of it.
    #[must_use]
    pub fn channel(&self) -> String {
        format!(
            "[[channel]]\nid = \"alerts\"\nname = \"Alerts\"\nkind = \"ntfy\"\nurl = \"http://{}\"\ntopics = [\"{TOPIC}\"]\n",
            self.addr
        )
    }

    /// Something is published: `fields` beside the usual ones. A `sequence_id` is that of an earlier message.
    pub fn publish(&self, id: &str, fields: &Value) {
        let mut event = json!({ "id": id, "sequence_id": id, "time": Timestamp::now().as_second(), "event": "message", "topic": TOPIC });
        if let (Some(event), Some(fields)) = (event.as_object_mut(), fields.as_object()) {
            event.extend(fields.clone());
        }
        let mut shared = self.shared();
        let _ = shared.live.send(Some(event.to_string()));
        shared.kept.push(event);
    }

    /// Those of this sequence are deleted (`message_delete`) or read (`message_clear`).
    pub fn recall(&self, event: &str, id: &str, sequence_id: &str) {
        self.publish(id, &json!({ "event": event, "sequence_id": sequence_id }));
    }

    /// Ends every link, and gives none until [`back`](Self::back).
    pub fn go_away(&self) {
        let mut shared = self.shared();
        shared.away = true;
        let _ = shared.live.send(None);
    }

    /// Links are given again.
    pub fn back(&self) {
        self.shared().away = false;
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(stream: TcpStream, shared: Arc<Mutex<Shared>>) -> anyhow::Result<()> {
    let lock = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    let mut since = None;
    #[expect(clippy::result_large_err, reason = "the form of tungstenite's callback")]
    let upgrade = |request: &Request, response: Response| {
        let query = request.uri().query().unwrap_or_default();
        let value = query.split('&').find_map(|pair| pair.strip_prefix("since="));
        since = value.and_then(|since| since.parse::<i64>().ok());
        if lock().away {
            let mut refused = ErrorResponse::new(None);
            *refused.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            return Err(refused);
        }
        Ok(response)
    };
    let mut link = accept_hdr_async(stream, upgrade).await?;
    let (kept, published) = {
        let shared = lock();
        let of_age = |event: &&Value| since.is_some_and(|since| event["time"].as_i64() >= Some(since));
        let kept: Vec<String> = shared.kept.iter().filter(of_age).map(ToString::to_string).collect();
        (kept, shared.live.subscribe())
    };
    let open = json!({ "id": "o", "time": Timestamp::now().as_second(), "event": "open", "topic": TOPIC })
        .to_string();
    for event in std::iter::once(open).chain(kept) {
        link.send(Message::text(event)).await?;
    }
    live::stream(link, published).await
}
