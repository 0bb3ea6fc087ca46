//! A WebSocket in a test's own hands.

use anyhow::{Context, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use tidings_tests::wait::SOON;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// An open one.
pub(crate) struct Wire(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// How a link ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Without a close frame.
    Cut,
    /// With a close frame; an empty one has no code.
    Closed(Option<u16>, String),
}

impl Wire {
    /// Asks for the upgrade, with these headers. The inner error is the status of a refusal.
    pub(crate) async fn ask(
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> anyhow::Result<Result<Self, u16>> {
        let mut request = url.into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
        }
        match timeout(SOON, connect_async(request)).await.context("no answer")? {
            Ok((stream, _)) => Ok(Ok(Self(stream))),
            Err(Error::Http(answer)) => Ok(Err(answer.status().as_u16())),
            Err(other) => Err(other).context(url.to_owned()),
        }
    }

    /// One that must open, with this subprotocol.
    pub(crate) async fn open(url: &str, subprotocol: &str) -> anyhow::Result<Self> {
        let headers = [("sec-websocket-protocol", subprotocol)];
        let asked = Self::ask(url, if subprotocol.is_empty() { &[] } else { &headers }).await?;
        asked.map_err(|status| anyhow!("{url}: refused with {status}"))
    }

    pub(crate) async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        self.0.send(Message::text(text)).await.context("the link takes nothing")
    }

    /// The next text.
    pub(crate) async fn hear(&mut self) -> anyhow::Result<String> {
        loop {
            match timeout(SOON, self.0.next()).await.context("nothing was said")? {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => bail!("no text, but {other:?}"),
            }
        }
    }

    /// The next text that holds this.
    pub(crate) async fn hear_of(&mut self, part: &str) -> anyhow::Result<String> {
        loop {
            let text = self.hear().await.with_context(|| format!("while waiting for {part:?}"))?;
            if text.contains(part) {
                return Ok(text);
            }
        }
    }

    /// The end, whatever comes before.
    pub(crate) async fn end(mut self) -> anyhow::Result<End> {
        loop {
            match timeout(SOON, self.0.next()).await.context("the link goes on")? {
                Some(Ok(Message::Close(frame))) => {
                    let frame = frame.filter(|frame| u16::from(frame.code) != 1005);
                    let reason = frame.as_ref().map(|frame| frame.reason.to_string()).unwrap_or_default();
                    return Ok(End::Closed(frame.map(|frame| frame.code.into()), reason));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(End::Cut),
            }
        }
    }
}
