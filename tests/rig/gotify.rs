//! A Gotify server as its documentation and its source (3.0.0) describe it, as far as a client sees one: no package
//! archive has a real one. It streams, pages downwards, ends links without a close frame, and can be set up anew.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{broadcast, watch};
use tokio_tungstenite::accept_async;

use crate::album::picture;
use crate::live;

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct Gotify {
    addr: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _listening: live::Listening,
}

#[derive(Debug)]
struct Shared {
    token: String,
    messages: BTreeMap<u64, Value>,
    last: u64,
    /// Nobody gets a stream.
    away: bool,
    /// What goes to each link; `None` cuts it.
    live: broadcast::Sender<Option<String>>,
    links: usize,
    /// What was asked about applications.
    asked: Vec<String>,
    /// Whether the list of applications is answered.
    lists: watch::Sender<bool>,
}

impl Gotify {
    /// Listens on a loopback port; a client signs in by this token.
    pub async fn start(token: &str) -> anyhow::Result<Self> {
        let shared = Arc::new(Mutex::new(Shared {
            token: token.to_owned(),
            messages: BTreeMap::new(),
            last: 0,
            away: false,
            live: broadcast::channel(1024).0,
            links: 0,
            asked: Vec::new(),
            lists: watch::Sender::new(true),
        }));
        let (addr, listening) = live::listen(&shared, serve).await?;
        Ok(Self { addr, shared, _listening: listening })
    }

    /// Its base.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/push", self.addr)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody publishes by the first application; the message's id.
    pub fn publish(&self, title: &str, priority: i64) -> u64 {
        self.publish_as(1, title, priority)
    }

    /// The same, by the application of this number.
    pub fn publish_as(&self, app: u64, title: &str, priority: i64) -> u64 {
        let mut shared = self.shared();
        shared.last += 1;
        let id = shared.last;
        let date = Timestamp::now();
        let message = json!({ "id": id, "appid": app, "title": title, "message": "news", "priority": priority, "date": date });
        let _ = shared.live.send(Some(message.to_string()));
        shared.messages.insert(id, message);
        id
    }

    /// Somebody deletes it: nobody is told.
    pub fn delete(&self, id: u64) {
        self.shared().messages.remove(&id);
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

    /// An empty database: ids begin at 1.
    pub fn set_up_anew(&self) {
        let mut shared = self.shared();
        shared.messages.clear();
        shared.last = 0;
    }

    /// The client's token is deleted, which cuts its links.
    pub fn delete_token(&self) {
        let mut shared = self.shared();
        shared.token = String::new();
        let _ = shared.live.send(None);
    }

    /// What was asked about applications: the list, and images.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.shared().asked.clone()
    }

    /// From now on the list of applications is answered, or waits until it is.
    pub fn answer_lists(&self, whether: bool) {
        self.shared().lists.send_replace(whether);
    }

    /// Links that were given so far.
    #[must_use]
    pub fn links(&self) -> usize {
        self.shared().links
    }
}

async fn serve(stream: TcpStream, shared: Arc<Mutex<Shared>>) -> anyhow::Result<()> {
    let lock = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    let head = live::head(&stream).await?;
    let line = head.lines().next().unwrap_or_default();
    let token = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("authorization: bearer ").map(str::to_owned));
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let about_apps = ["/push/application", "/push/image/", "/push/static/"];
    if about_apps.iter().any(|start| path.starts_with(start)) {
        lock().asked.push(path.clone());
    }
    if path == "/push/image/backups.png" {
        // Served without a login.
        return live::answer(stream, &head, "200 OK", "", &picture()).await;
    }
    if path == "/push/application" {
        let mut lists = lock().lists.subscribe();
        lists.wait_for(|whether| *whether).await?;
    }
    let (status, body) = {
        let shared = lock();
        match path.split('?').next().unwrap_or_default() {
            "/push/version" => (200, json!({ "version": "2.9.1", "commit": "", "buildDate": "" })),
            _ if shared.token.is_empty() || token.as_deref() != Some(shared.token.as_str()) => {
                (401, unauthorized())
            }
            "/push/stream" if shared.away => (503, json!({})),
            "/push/stream" => (101, json!({})),
            "/push/message" => (200, page(&shared.messages, &path)),
            "/push/application" => (200, applications()),
            _ => (404, json!({ "error": "Not Found" })),
        }
    };
    if status != 101 {
        let (status, body) = (format!("{status} "), body.to_string());
        return live::answer(stream, &head, &status, "Content-Type: application/json\r\n", body.as_bytes())
            .await;
    }
    let link = accept_async(stream).await?;
    let published = {
        let mut shared = lock();
        shared.links += 1;
        shared.live.subscribe()
    };
    live::stream(link, published).await
}

fn unauthorized() -> Value {
    json!({ "error": "Unauthorized", "errorCode": 401, "errorDescription": "you need to provide a valid access token or user credentials to access this api" })
}

/// As `GET /application` lists them.
fn applications() -> Value {
    json!([
        { "id": 1, "name": "Backups", "description": "", "image": "image/backups.png", "internal": false, "defaultPriority": 0 },
        { "id": 2, "name": "Doors", "description": "", "image": "static/defaultapp.png", "internal": false, "defaultPriority": 5 },
    ])
}

/// Ids below `since`, newest first.
fn page(messages: &BTreeMap<u64, Value>, path: &str) -> Value {
    let query = |name: &str| {
        let pairs = path.split(['?', '&']).filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).find_map(|(_, value)| value.parse::<u64>().ok())
    };
    let limit = usize::try_from(query("limit").unwrap_or(100)).unwrap_or(100);
    let below = query("since").filter(|since| *since > 0).unwrap_or(u64::MAX);
    let mut found: Vec<(&u64, &Value)> = messages.range(..below).rev().take(limit + 1).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let since = if more { found.last().map_or(0, |(id, _)| **id) } else { 0 };
    let list: Vec<&Value> = found.iter().map(|(_, message)| *message).collect();
    json!({ "messages": list, "paging": { "size": list.len(), "limit": limit, "since": since } })
}
