//! `cargo xtask demo`: Tidings at work. Without a display it plays its story in a private headless desktop,
//! checks on the bus that each step is seen, and saves a screenshot of each. On a desktop it shows the app
//! there and leaves it running.

mod arguments;
mod live;
mod parts;
mod story;

use anyhow::anyhow;

use crate::arguments::{ARGUMENTS, Arguments};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let typed: Vec<String> = std::env::args().skip(1).collect();
    let Arguments { headless, out } = Arguments::of(&typed).map_err(|why| anyhow!("{why}\n\n{ARGUMENTS}"))?;
    let displays = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if headless || !displays { story::play(&out).await } else { live::show().await }
}
