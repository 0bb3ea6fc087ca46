//! A web server that answers what a test says: a double for servers that no test machine has, and for those that are broken.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::live;

/// One request, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `GET /path?query`.
    pub line: String,
    /// The headers, in lower case, a line each.
    pub headers: String,
    /// What came along.
    pub body: String,
}

/// What a path is answered with.
#[derive(Debug, Clone)]
pub struct Page {
    /// Without a query.
    pub path: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Further headers, each with its line break.
    pub headers: String,
    /// The body.
    pub body: String,
}

/// A page of JSON.
#[must_use]
pub fn json(path: &'static str, body: &str) -> Page {
    let headers = "Content-Type: application/json\r\n".to_owned();
    Page { path, status: 200, headers, body: body.to_owned() }
}

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct Web {
    /// Where it listens.
    pub addr: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    _listening: live::Listening,
}

impl Web {
    /// Answers these paths so, and every other one with the last page.
    pub async fn start(pages: Vec<Page>, otherwise: Page) -> anyhow::Result<Self> {
        Self::that_knows(|_| (pages, otherwise)).await
    }

    /// With pages that tell of where it listens.
    pub async fn that_knows(made: impl FnOnce(SocketAddr) -> (Vec<Page>, Page)) -> anyhow::Result<Self> {
        let asked = Arc::new(Mutex::new(Vec::new()));
        // Nobody knows the address before they are made.
        let pages = Arc::new(OnceLock::new());
        let shared = pages.clone();
        let answered = move |stream, asked: Arc<Mutex<Vec<Asked>>>| {
            let pages = shared.clone();
            async move {
                match pages.get() {
                    Some(pages) => Ok(serve(stream, &asked, pages).await?),
                    None => Ok(()),
                }
            }
        };
        let (addr, listening) = live::listen(&asked, answered).await?;
        pages.get_or_init(|| made(addr));
        Ok(Self { addr, asked, _listening: listening })
    }

    /// `http://127.0.0.1:PORT` and this path.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// What was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(
    stream: TcpStream,
    asked: &Mutex<Vec<Asked>>,
    (pages, otherwise): &(Vec<Page>, Page),
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    // The first byte of TLS, to which plain servers answer so.
    if stream.fill_buf().await?.first() == Some(&22) {
        return stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    }
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut headers = String::new();
    while stream.read_line(&mut headers).await? > 2 {}
    let headers = headers.to_lowercase();
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let path = line.split([' ', '?']).nth(1).unwrap_or_default();
    let page = pages.iter().find(|page| page.path == path).unwrap_or(otherwise);
    let Page { status, headers: more, body: text, .. } = page;
    let length = text.len();
    let answer =
        format!("HTTP/1.1 {status} \r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{text}");
    let request = Asked { line, headers, body: String::from_utf8_lossy(&body).into_owned() };
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
