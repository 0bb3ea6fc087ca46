//! A WebSocket client and an HTTP client, small enough to see everything.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tidings_server::{Event, EventKind, Options, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderValue, Request},
    },
};

/// Far more than anything here takes: only a failure waits for it.
pub(crate) const SOON: Duration = Duration::from_secs(5);

pub(crate) async fn server() -> Server {
    Server::start(Options::default()).await.expect("a free port")
}

pub(crate) struct Client(pub(crate) WebSocketStream<TcpStream>);

/// How a link ended for its client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Close(Option<u16>, String),
    NoCloseFrame,
    Reset,
}

impl Client {
    pub(crate) async fn connect(server: &Server, query: &str) -> Self {
        Self::request(server, query, &[]).await.expect("an open channel")
    }

    pub(crate) async fn request(
        server: &Server,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        Self::connect_to(server.addr(), query, headers).await
    }

    pub(crate) async fn connect_to(
        addr: SocketAddr,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (*name, value.parse().expect("a header value"))).collect();
        Self::dial(addr, query, &headers).await
    }

    /// With headers of any bytes, and more than one of a name.
    pub(crate) async fn request_with(
        server: &Server,
        query: &str,
        headers: &[(&'static str, HeaderValue)],
    ) -> Result<Self, Error> {
        Self::dial(server.addr(), query, headers).await
    }

    async fn dial(
        addr: SocketAddr,
        query: &str,
        headers: &[(&'static str, HeaderValue)],
    ) -> Result<Self, Error> {
        let url = format!("ws://{addr}/ws/user-channel{query}");
        let mut request: Request<()> = url.into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().append(*name, value.clone());
        }
        let stream = TcpStream::connect(addr).await?;
        Ok(Self(client_async(request, stream).await?.0))
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.0.send(message).await.expect("an open link");
    }

    pub(crate) async fn next(&mut self) -> Result<Message, Error> {
        timeout(SOON, self.0.next()).await.expect("something in time").unwrap_or(Err(Error::ConnectionClosed))
    }

    /// A text, however long it takes.
    pub(crate) async fn text_some_time(&mut self) -> String {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => text.as_str().to_owned(),
            other => panic!("expected a text, got {other:?}"),
        }
    }

    pub(crate) async fn text(&mut self) -> String {
        match self.next().await {
            Ok(Message::Text(text)) => text.as_str().to_owned(),
            other => panic!("expected a text, got {other:?}"),
        }
    }

    /// Waits, however long it takes, until there is something to read. It is left there.
    pub(crate) async fn has_something(&self) {
        // Whether it is `readable` may be an old truth.
        self.0.get_ref().peek(&mut [0]).await.expect("a socket");
    }

    /// Reads to the end and tells what it was.
    pub(crate) async fn ended(&mut self) -> Ended {
        loop {
            match self.next().await {
                Ok(Message::Close(frame)) => {
                    // Reading on sends the answer.
                    let _ = self.next().await;
                    let code = frame.as_ref().map(|frame| frame.code.into());
                    return Ended::Close(
                        code,
                        frame.map_or_else(String::new, |frame| frame.reason.to_string()),
                    );
                }
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                    return Ended::Reset;
                }
                Err(_) => return Ended::NoCloseFrame,
            }
        }
    }
}

pub(crate) fn status(answer: Result<Client, Error>) -> u16 {
    match answer {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("no HTTP answer: {error}"),
    }
}

/// Status and body of `POST /push/USER`.
pub(crate) async fn post(addr: SocketAddr, user: &str, headers: &str, body: &[u8]) -> (u16, String) {
    ask(addr, "POST", &format!("/push/{user}"), headers, body).await
}

/// Status and body of any request.
pub(crate) async fn ask(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> (u16, String) {
    ask_within(SOON, addr, method, path, headers, body).await
}

/// The same, where the answer may take longer.
pub(crate) async fn ask_within(
    within: Duration,
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).await.expect("a listening server");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("a request");
    // A server that refuses it needn't hear it to the end, and may reset what comes behind its answer.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = timeout(within, stream.read_to_end(&mut answer)).await.expect("an answer in time");
    let answer = String::from_utf8(answer).expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}

pub(crate) async fn seen(server: &Server, wanted: impl Fn(&EventKind) -> bool) -> Event {
    match server.wait_for(SOON, |event| wanted(&event.kind)).await {
        Ok(event) => event,
        Err(error) => panic!("{error}"),
    }
}

pub(crate) async fn nothing_runs(server: &Server) {
    let running = async {
        while server.running() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, running).await.expect("every link's end");
}
