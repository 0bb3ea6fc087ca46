//! Prints what a channel says of itself and every frame that comes, until Ctrl-C.
//!
//! ```sh
//! cargo run -p tidings-channel --example watch -- wss://example.org/ws/user-channel
//! ```
//!
//! `TOKEN` in the environment is sent as a bearer token; `HTTPS_PROXY` and its kin are heeded.

use tidings_channel::{Channel, ChannelUrl, Credential, Payload, ProxyUrl};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "printing is what it is for")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable = |name: &str| std::env::var(name).ok();
    let url = std::env::args().nth(1).ok_or("which URL? give it as the argument")?;
    // A tool to look with: here plaintext is the caller's business.
    let url = ChannelUrl::parse(&url, true)?;
    let proxy = ProxyUrl::from_env(&url, variable)?;
    let mut to = Channel::to(url).proxy(proxy);
    if let Some(token) = variable("TOKEN") {
        to = to.credential(Credential::Bearer(token));
    }

    let (channel, mut frames) = to.spawn();
    let mut status = channel.status();
    println!("{}", *status.borrow_and_update());
    loop {
        tokio::select! {
            changed = status.changed() => {
                changed?;
                println!("{}", *status.borrow_and_update());
            }
            frame = frames.recv() => match frame.map(|frame| frame.payload) {
                Some(Payload::Text(text)) => println!("> {text}"),
                Some(Payload::Binary(bytes) | Payload::Garbled(bytes)) => println!("> {} bytes", bytes.len()),
                // Only where the configuration asks for it.
                Some(Payload::Read(_)) => {}
                Some(Payload::TooBig { bytes } | Payload::Broken { bytes }) => {
                    println!("> {bytes} bytes that can't be had");
                }
                None => return Ok(()),
            },
            pressed = tokio::signal::ctrl_c() => {
                pressed?;
                channel.shut_down().await;
                return Ok(());
            }
        }
    }
}
