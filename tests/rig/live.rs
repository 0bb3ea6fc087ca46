//! What the servers that stand in for others have in common: they listen, read a request's head, answer, and stream over a link.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::ensure;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Longest head of a request, bytes. Real ones of ours are well below 1 KiB.
const HEAD: usize = 4096;

/// A server's loop; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Listening(AbortHandle);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Listens on a loopback port, and serves each connection by what all of them share.
pub(crate) async fn listen<S, F>(
    shared: &Arc<Mutex<S>>,
    serve: impl Fn(TcpStream, Arc<Mutex<S>>) -> F + Send + 'static,
) -> anyhow::Result<(SocketAddr, Listening)>
where
    S: Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let shared = shared.clone();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let served = serve(stream, shared.clone());
            // A client that hangs up early is the test's.
            tokio::spawn(async move { drop(served.await) });
        }
    });
    Ok((addr, Listening(task.abort_handle())))
}

/// The head of the request, which stays where it is: an upgrade is somebody else's to read.
pub(crate) async fn head(stream: &TcpStream) -> anyhow::Result<String> {
    let mut head = [0; HEAD];
    loop {
        let read = stream.peek(&mut head).await?;
        let text = String::from_utf8_lossy(&head[..read]).into_owned();
        if read == 0 || text.contains("\r\n\r\n") {
            return Ok(text);
        }
        ensure!(read < HEAD, "a head of more than {HEAD} bytes");
        tokio::task::yield_now().await;
    }
}

/// Reads the head that was looked at, and answers; `headers` end in a line break each.
pub(crate) async fn answer(
    mut stream: TcpStream,
    head: &str,
    status: &str,
    headers: &str,
    body: &[u8],
) -> anyhow::Result<()> {
    stream.read_exact(&mut vec![0; head.len()]).await?;
    respond(stream, status, headers, body).await
}

/// Answers where the head was read.
pub(crate) async fn respond(
    mut stream: TcpStream,
    status: &str,
    headers: &str,
    body: &[u8],
) -> anyhow::Result<()> {
    let length = body.len();
    let start =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(&[start.as_bytes(), body].concat()).await?;
    Ok(stream.shutdown().await?)
}

/// Sends what is published, until the client goes or `None` cuts the link: without a close frame, as ntfy and Gotify do.
pub(crate) async fn stream(
    mut link: WebSocketStream<TcpStream>,
    mut live: broadcast::Receiver<Option<String>>,
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            news = live.recv() => match news? {
                Some(text) => link.send(Message::text(text)).await?,
                None => return Ok(()),
            },
            heard = link.next() => match heard {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
        }
    }
}
