//! How soon the window is there, and what of it stays once it is closed.

use std::time::{Duration, Instant};

use anyhow::Context;
use tidings_server::{Options, Server};
use tidings_tests::binary;
use tidings_tests::desktop::Desktop;
use tidings_tests::tray_item::TrayItem;
use tokio::time::sleep;

use crate::process::Memory;
use crate::stage::{OURS, opened};
use crate::table::{Row, Times, Unit};

/// The class of the app's window, and how often it is opened.
const WINDOW: &str = "tidings-window";
const OPENINGS: usize = 7;
/// How long anything may take.
const SOON: Duration = Duration::from_secs(20);
/// How long the agent may settle.
const SETTLE: Duration = Duration::from_secs(5);

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let desktop = Desktop::start().await?;
    let server = Server::start(Options::default()).await?;
    let config = desktop.home().join(".config/tidings");
    std::fs::create_dir_all(&config)?;
    let url = server.url(OURS);
    std::fs::write(config.join("config.toml"), format!("[[channel]]\nname = \"Bench\"\nurl = \"{url}\"\n"))?;
    let agent = desktop.spawn("tidings", &desktop.command(binary::tidings()?))?;
    let bus = desktop.bus().connect().await?;
    let tray = TrayItem::registered(&bus, "tidings", SOON).await?;
    opened(&server, OURS, 0).await?;
    sleep(SETTLE).await;

    let before = Memory::of_tree(agent.id())?;
    let mut open = Memory::default();
    let mut times = Times::default();
    let mut first = None;
    for _ in 0..OPENINGS {
        let asked = Instant::now();
        tray.click("Open Tidings").await?;
        desktop.wait_for_paint(SOON).await?;
        times.add(asked.elapsed());
        first.get_or_insert(asked.elapsed());
        let windows = desktop.wait_for_windows(WINDOW, 1, SOON).await?;
        open = Memory::of_tree(agent.id())?;
        desktop.close_window(&windows[0])?;
        desktop.wait_for_windows(WINDOW, 0, SOON).await?;
        sleep(Duration::from_millis(500)).await;
    }
    sleep(SETTLE).await;
    let after = Memory::of_tree(agent.id())?;
    Ok(vec![
        Row::time("window, asked for to painted: first", first.context("an opening")?),
        Row::time("window, asked for to painted: median", times.median()).goal(700.0),
        Row::new("window open: PSS of all processes", Unit::Mib, open.pss_mib),
        Row::new(
            "window closed: agent's memory, more",
            Unit::Mib,
            after.anonymous_mib - before.anonymous_mib,
        )
        .goal(1.0),
    ])
}
