//! The yardstick: a program that keeps one WebSocket, shows a tray icon and pops up messages, and does nothing
//! else. What Tidings costs beyond this is what its trust costs.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use ksni::TrayMethods;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use zbus::zvariant::Value;

struct Icon;

impl ksni::Tray for Icon {
    fn id(&self) -> String {
        "bare".to_owned()
    }

    fn icon_name(&self) -> String {
        "mail-unread".to_owned()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().nth(1).context("usage: tidings-bare ws://127.0.0.1:PORT/…")?;
    let _tray = Icon.assume_sni_available(true).spawn().await?;
    let bus = zbus::Connection::session().await?;
    let host = url.split('/').nth(2).context("the URL has no host")?;
    let (mut link, _) = client_async(&url, TcpStream::connect(host).await?).await?;
    loop {
        match tokio::time::timeout(Duration::from_secs(60), link.next()).await {
            Err(_) => link.send(Message::text("HeartBeat")).await?,
            Ok(Some(Ok(Message::Text(text)))) => {
                let hints: HashMap<&str, Value<'_>> = HashMap::new();
                bus.call_method(
                    Some("org.freedesktop.Notifications"),
                    "/org/freedesktop/Notifications",
                    Some("org.freedesktop.Notifications"),
                    "Notify",
                    &("bare", 0_u32, "", "Message", text.as_str(), Vec::<&str>::new(), hints, -1_i32),
                )
                .await?;
            }
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(error))) => return Err(error.into()),
            Ok(None) => return Ok(()),
        }
    }
}
