//! `cargo xtask demo`: Tidings at work. Without a display it plays its story in a private headless desktop,
//! checks on the bus that each step is seen, and saves a screenshot of each. On a desktop it shows the app
//! there and leaves it running.

mod arguments;
mod live;
mod story;

use std::path::PathBuf;

use anyhow::{anyhow, ensure};

use crate::arguments::{ARGUMENTS, Arguments};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let typed: Vec<String> = std::env::args().skip(1).collect();
    let Arguments { headless, out } = Arguments::of(&typed).map_err(|why| anyhow!("{why}\n\n{ARGUMENTS}"))?;
    let displays = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if headless || !displays { story::play(&out).await } else { live::show().await }
}

/// The agent's binary, beside this one.
fn agent() -> anyhow::Result<PathBuf> {
    let agent = std::env::current_exe()?.with_file_name("tidings");
    ensure!(agent.exists(), "no {}: run `cargo xtask demo`, which builds it", agent.display());
    Ok(agent)
}

/// The demo's settings file.
fn settings(url: &str) -> String {
    format!(
        "# The demo's settings: one channel of the embedded server.\n[[channel]]\nname = \"Demo\"\nurl = \"{url}\"\n"
    )
}

#[expect(clippy::print_stdout, reason = "telling what is seen is what a demo is for")]
fn say(line: &str) {
    println!("{line}");
}
