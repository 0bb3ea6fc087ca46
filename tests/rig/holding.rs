//! A proxy that hands an answer on only once it is whole, as scanners for viruses do, and knows of no upgrade. A double: nginx hands each piece
//! of an answer on as it comes, however much it may buffer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::live;

/// The proxy; it ends when dropped.
#[derive(Debug)]
pub struct Holding {
    addr: SocketAddr,
    _listening: live::Listening,
}

impl Holding {
    /// One in front of that server.
    pub async fn start(server: SocketAddr) -> anyhow::Result<Self> {
        let (addr, listening) =
            live::listen(&Arc::new(Mutex::new(())), move |stream, _| hand_on(stream, server)).await?;
        Ok(Self { addr, _listening: listening })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// One request and its answer; then the connection ends.
async fn hand_on(mut client: TcpStream, server: SocketAddr) -> anyhow::Result<()> {
    let head = live::head(&client).await?;
    if head.to_ascii_lowercase().contains("upgrade: websocket") {
        return live::answer(client, &head, "400 Bad Request", "", b"").await;
    }
    let end = head.find("\r\n\r\n").unwrap_or_default();
    let length: usize = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or_default();
    let mut request = vec![0; end + 4 + length];
    client.read_exact(&mut request).await?;
    let lines = head[..end].lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let head = lines.collect::<Vec<_>>().join("\r\n") + "\r\nConnection: close\r\n\r\n";
    let mut upstream = TcpStream::connect(server).await?;
    upstream.write_all(&[head.as_bytes(), &request[end + 4..]].concat()).await?;
    let mut whole = Vec::new();
    let mut gone = [0];
    tokio::select! {
        read = upstream.read_to_end(&mut whole) => read.map(drop)?,
        _ = client.read(&mut gone) => return Ok(()),
    }
    client.write_all(&whole).await?;
    Ok(client.shutdown().await?)
}
