//! Many channels in one process, as a library's user would have them, and nothing else:
//! `tidings-links ws://127.0.0.1:PORT/…?user= COUNT`.

use anyhow::Context;
use futures_util::future::join_all;
use tidings_channel::{Channel, Config, DialParams, Start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let url = args.next().context("no URL")?;
    let count: u32 = args.next().context("no count")?.parse()?;
    let mut channels = Vec::new();
    for user in 0..count {
        let config = Config::new(format!("{url}{user}").parse()?);
        channels.push(Channel::spawn(config, Start::Connect, DialParams::default()));
    }
    join_all(channels.iter_mut().map(async |(_, frames)| while frames.recv().await.is_some() {})).await;
    Ok(())
}
