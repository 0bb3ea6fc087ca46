//! A server that gives links and, by the same port, pictures: as a test says, well or badly. It writes down what it is asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::ensure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::SinkExt as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{broadcast, watch};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::live;
use crate::wait::eventually;

/// A picture of 24 by 16 pixels, as a PNG.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAIAAACDRijCAAAClUlEQVR42hXSERuGMBiF4XEyicfJJB4nk3icTOKHk0k8TibxOJnE42TS7/j63h9wX+c65xVC0Al6gRIMglFgBJNgFjjBIlgFCDbBLoiCQ3AKsuAS3IIqeASvQAhJJ+klSjJIRomRTJJZ4iSLZJUg2SS7JEoOySnJkktyS6rkkbzygxSdolcoxaAYFUYxKWaFUyyKVYFiU+yKqDgUpyIrLsWtqIpH8aoP0nSaXqM0g2bUGM2kmTVOs2hWDZpNs2ui5tCcmqy5NLemah7Nqz/I0Bl6gzIMhtFgDJNhNjjDYlgNGDbDboiGw3AasuEy3IZqeAyv+SBLZ+ktyjJYRouxTJbZ4iyLZbVg2Sy7JVoOy2nJlstyW6rlsbz2gxydo3cox+AYHcYxOWaHcyyO1YFjc+yO6DgcpyM7LsftqI7H8boP8nSe3qM8g2f0GM/kmT3Os3hWD57Ns3ui5/Ccnuy5PLeneh7P6z8IOuj/yzDA+C+ECeZ/DhZY+d8GO0Q44IQMF9xQ4YH3ezUR6AJ9QAWGwBgwgSkwB1xgCawBAltgD8TAETgDOXAF7kANPIE3fFCki/QRFRkiY8REpsgccZElssZ/ki2yR2LkiJyRHLkid6RGnsgbPyjRJfqESgyJMWESU2JOuMSSWBMktsSeiIkjcSZy4krciZp4Em/6oEyX6TMqM2TGjMlMmTnjMktmzf9KtsyeiZkjc2Zy5srcmZp5Mm/+oEJX6AuqMBTGgilMhbngCkthLVDYCnshFo7CWciFq3AXauEpvOWDKl2lr6jKUBkrpjJV5oqrLJW1/rfZKnslVo7KWcmVq3JXauWpvPWDGl2jb6jG0BgbpjE15oZrLI21QWNr7I3YOBpnIzeuxt2ojafxNn6Q3Alfj1hY1gAAAABJRU5ErkJggg==";

/// The picture of 24 by 16 pixels.
#[must_use]
pub fn picture() -> Vec<u8> {
    BASE64.decode(PICTURE).unwrap_or_default()
}

/// All of it is of this colour: red, green, blue.
pub const RED: [u8; 3] = [230, 20, 30];

/// A picture of 128 by 128 pixels that are all [`RED`].
const RED_PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAIAAAACACAIAAABMXPacAAAAyUlEQVR42u3RMQ0AAAgEsRfBjH9l6EAGDE1OwTVTrcNiAQAAAgBAAAAIAAABACAAAAQAgAAAEAAAAgBAAAAIAAABACAAAAQAgAAAEAAAAgBAAAAIAAABACAAAAQAgAAAEAAAAgBAAAAIAAABACAAAAQAgAAAAOACAAACAEAAAAgAAAEAIAAABACAAAAQAAACAEAAAAgAAAEAIAAABACAAAAQAAACAEAAAAgAAAEAIAAABACAAAAQAAACAEAAAAgAAAEAIAAABOBDC6ETBBviOOOzAAAAAElFTkSuQmCC";

/// The picture that is all [`RED`].
#[must_use]
pub fn red_picture() -> Vec<u8> {
    BASE64.decode(RED_PICTURE).unwrap_or_default()
}

/// A picture of 7000 by 7000 black pixels, which a PNG says in 6 KB: whoever reads it is at it for a while.
#[must_use]
pub fn large_picture() -> Vec<u8> {
    include_bytes!("large.png").to_vec()
}

/// What a path answers.
#[derive(Debug, Clone)]
pub enum Page {
    /// 200, with these bytes.
    Bytes(Vec<u8>),
    /// 200 for whoever brings this header line (in lower case), 401 for others.
    For(&'static str, Vec<u8>),
    /// A redirect there.
    Elsewhere(String),
    /// 200, and a body that doesn't end.
    Endless,
    /// Nothing for as long as the client waits, unless bytes are put there meanwhile.
    Silent,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// With its query.
    pub path: String,
    /// The whole head, in lower case.
    pub head: String,
}

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct Album {
    addr: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _listening: live::Listening,
}

#[derive(Debug)]
struct Shared {
    pages: BTreeMap<String, Page>,
    asked: Vec<Asked>,
    /// What each link is told first.
    greeting: Option<String>,
    live: broadcast::Sender<Option<String>>,
    /// Requests that get nothing, by path.
    kept_waiting: Vec<String>,
    /// Rung when a page is put.
    put: watch::Sender<()>,
}

/// A request that gets nothing, for as long as it does.
struct KeptWaiting(Arc<Mutex<Shared>>, String);

impl Drop for KeptWaiting {
    fn drop(&mut self) {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = shared.kept_waiting.iter().position(|path| *path == self.1) {
            shared.kept_waiting.swap_remove(at);
        }
    }
}

impl Album {
    /// Listens on a loopback port; `greeting` is the first frame of each link.
    pub async fn start(greeting: Option<&str>) -> anyhow::Result<Self> {
        let shared = Arc::new(Mutex::new(Shared {
            pages: BTreeMap::new(),
            asked: Vec::new(),
            greeting: greeting.map(str::to_owned),
            live: broadcast::channel(1024).0,
            kept_waiting: Vec::new(),
            put: watch::Sender::new(()),
        }));
        let (addr, listening) = live::listen(&shared, serve).await?;
        Ok(Self { addr, shared, _listening: listening })
    }

    /// `http://127.0.0.1:PORT` and this path.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// From now on this path answers so.
    pub fn put(&self, path: &str, page: Page) {
        let mut shared = self.shared();
        shared.pages.insert(path.to_owned(), page);
        shared.put.send_replace(());
    }

    /// Whether somebody asked for this path, got nothing, and waits yet.
    #[must_use]
    pub fn keeps_waiting(&self, path: &str) -> bool {
        self.shared().kept_waiting.iter().any(|waiting| waiting == path)
    }

    /// Every link gets this frame.
    pub fn send(&self, frame: &str) {
        let _ = self.shared().live.send(Some(frame.to_owned()));
    }

    /// What was asked that is no link.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.shared().asked.clone()
    }

    /// Waits until there is a link.
    pub async fn is_listened_to(&self) -> anyhow::Result<()> {
        eventually("a link", || (self.shared().live.receiver_count() > 0).then_some(())).await
    }

    /// Waits until this path was asked for.
    pub async fn is_asked(&self, path: &str) -> anyhow::Result<Asked> {
        eventually(path, || self.asked().into_iter().find(|asked| asked.path == path)).await
    }

    /// Fails unless this was asked for and nothing else, in whatever order.
    pub fn was_asked_only(&self, paths: &[&str]) -> anyhow::Result<()> {
        let mut asked: Vec<String> = self.asked().into_iter().map(|asked| asked.path).collect();
        asked.sort();
        ensure!(asked == paths, "{asked:?} instead of {paths:?}");
        Ok(())
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) -> anyhow::Result<()> {
    let lock = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    let head = live::head(&stream).await?;
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    if head.to_lowercase().contains("\r\nupgrade: websocket") {
        let mut link = accept_async(stream).await?;
        let (greeting, published) = {
            let shared = lock();
            (shared.greeting.clone(), shared.live.subscribe())
        };
        if let Some(greeting) = greeting {
            link.send(Message::text(greeting)).await?;
        }
        return live::stream(link, published).await;
    }
    let lower = head.to_lowercase();
    let place = path.split('?').next().unwrap_or_default();
    let page = {
        let mut shared = lock();
        shared.asked.push(Asked { path: path.clone(), head: lower.clone() });
        shared.pages.get(place).cloned()
    };
    if matches!(page, Some(Page::Silent)) {
        let mut put = {
            let mut shared = lock();
            shared.kept_waiting.push(path.clone());
            shared.put.subscribe()
        };
        let _waits = KeptWaiting(shared.clone(), path.clone());
        stream.read_exact(&mut vec![0; head.len()]).await?;
        loop {
            tokio::select! {
                // The client hangs up.
                _ = stream.read_u8() => return Ok(()),
                put = put.changed() => put?,
            }
            let now = lock().pages.get(place).cloned();
            if let Some(Page::Bytes(bytes)) = now {
                return live::respond(stream, "200 OK", "", &bytes).await;
            }
        }
    }
    let (status, headers, body) = match page {
        None | Some(Page::Silent) => ("404 Not Found", String::new(), Vec::new()),
        Some(Page::Bytes(bytes)) => ("200 OK", String::new(), bytes),
        Some(Page::For(line, bytes)) if lower.contains(line) => ("200 OK", String::new(), bytes),
        Some(Page::For(..)) => ("401 Unauthorized", String::new(), Vec::new()),
        Some(Page::Elsewhere(place)) => ("302 Found", format!("Location: {place}\r\n"), Vec::new()),
        Some(Page::Endless) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await?;
            loop {
                stream.write_all(&[0; 64 * 1024]).await?;
            }
        }
    };
    live::answer(stream, &head, status, &headers, &body).await
}
