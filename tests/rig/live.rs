//! What the doubles of push servers do with a link once it is open.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

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
