//! Many channels in one process, as a library's user would have them, and nothing else:
//! `tidings-links ws://127.0.0.1:PORT/…?user= COUNT [ntfy | sse | mqtt | PRESET]`.

use std::path::Path;

use anyhow::Context;
use futures_util::future::join_all;
use tidings_channel::{Channel, Config, DialParams, Start};
use tidings_settings::{ChannelSettings, parse};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let url = args.next().context("no URL")?;
    let count: u32 = args.next().context("no count")?.parse()?;
    let spoken = args.next();
    let mut channels = Vec::new();
    for user in 0..count {
        let own = if spoken.as_deref() == Some("mqtt") { String::new() } else { user.to_string() };
        let mut config = Config::new(format!("{url}{own}").parse()?);
        if let Some(spoken) = &spoken {
            // Each channel reads its own, as in the agent.
            let own = settings(spoken)?.config()?;
            (config.carrier, config.dialect, config.heartbeat) = (own.carrier, own.dialect, own.heartbeat);
            config.mqtt = own.mqtt;
        }
        channels.push(Channel::spawn(config, Start::Connect, DialParams::default()));
    }
    join_all(channels.iter_mut().map(async |(_, frames)| while frames.recv().await.is_some() {})).await;
    Ok(())
}

/// Those of a channel that speaks this.
fn settings(spoken: &str) -> anyhow::Result<ChannelSettings> {
    let keys = match spoken {
        "ntfy" => "kind = \"ntfy\"\ntopics = [\"alerts\"]".to_owned(),
        "sse" => "kind = \"sse\"".to_owned(),
        "mqtt" => "kind = \"mqtt\"\ntopics = [{ filter = \"news\", qos = 0 }]".to_owned(),
        preset => format!("kind = \"dialogue\"\npreset = \"{preset}\""),
    };
    let scheme = match spoken {
        "mqtt" => "mqtts",
        "ntfy" | "sse" => "https",
        _ => "wss",
    };
    let text = format!("[[channel]]\nurl = \"{scheme}://server.example\"\n{keys}\n");
    parse(text.as_bytes(), Path::new("bench.toml"))?.channels.pop().context("a channel")
}
