//! `cargo xtask demo`: Tidings at work. Without a display it plays its story in a private headless desktop,
//! checks on the bus that each step is seen, and saves a screenshot of each. On a desktop it shows the app
//! there and leaves it running.

mod live;
mod story;

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};

const HELP: &str = "\
cargo xtask demo [--headless] [--out FOLDER]

Shows Tidings at work with an embedded server: on your desktop, where there is one; else in a private one of its
own, with a screenshot of each step.

  --headless     in a private desktop though there is a display
  --out FOLDER   where the screenshots go (target/demo)";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut headless = ["DISPLAY", "WAYLAND_DISPLAY"].iter().all(|name| std::env::var_os(name).is_none());
    let mut out = PathBuf::from("target/demo");
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--headless" => headless = true,
            "--out" => out = args.next().context("--out wants a folder")?.into(),
            "--help" | "-h" => {
                say(HELP);
                return Ok(());
            }
            _ => bail!("{arg:?} is not understood\n\n{HELP}"),
        }
    }
    if headless { story::play(&out).await } else { live::show().await }
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
