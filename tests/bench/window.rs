//! How soon the window is there, with an empty inbox and with a full one, and what of it stays once it is closed.

use std::time::{Duration, Instant};

use anyhow::Context;
use tidings_server::{Options, Server};
use tidings_tests::binary;
use tidings_tests::desktop::{BLOCKS, Desktop, Process};
use tidings_tests::tray_item::TrayItem;
use tidings_tests::window::{Page, program};
use tokio::time::sleep;

use crate::inbox::fill;
use crate::process::Memory;
use crate::progress::say;
use crate::stage::{OURS, opened};
use crate::table::{Row, Times, Unit};

/// The class of the app's window, and how often it is opened.
const WINDOW: &str = "tidings-window";
const OPENINGS: usize = 7;
/// How long anything may take.
const SOON: Duration = Duration::from_secs(20);
/// How long the agent may settle, and all of a window may take to be gone.
const SETTLE: Duration = Duration::from_secs(5);
const GONE: Duration = Duration::from_millis(500);
/// The full inbox.
const MESSAGES: u64 = 100_000;

/// Scrolls by a tenth of a common page at each frame, which is faster than a hand does it, and notes how long each frame
/// took, and how often the middle of the view showed no message.
const SCROLL: &str = "
    const FRAMES = 300, STEP = 100;
    return new Promise((done) => {
        const frames = [];
        let gaps = 0, last = performance.now();
        requestAnimationFrame(function step(now) {
            frames.push(now - last);
            last = now;
            if (!document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest('.message')) gaps += 1;
            if (frames.length > FRAMES) return done({ frames: frames.slice(1), gaps });
            scrollBy({ top: STEP, behavior: 'instant' });
            requestAnimationFrame(step);
        });
    });";

/// What it gives.
#[derive(serde::Deserialize)]
struct Scrolled {
    /// In milliseconds.
    frames: Vec<f64>,
    gaps: u32,
}

/// An agent on a desktop. Dropped in this order.
struct Place {
    agent: Process,
    tray: TrayItem,
    desktop: Desktop,
    server: Server,
}

/// From the click on `Open Tidings` to the painted page.
pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let place = Place::start(0).await?;
    let desktop = &place.desktop;
    let before = Memory::of_tree(place.agent.id())?;
    let mut open = Memory::default();
    let mut times = Times::default();
    let mut first = None;
    for _ in 0..OPENINGS {
        let asked = Instant::now();
        place.tray.click("Open Tidings").await?;
        desktop.wait_for_paint(SOON).await?;
        let painted = asked.elapsed();
        times.add(painted);
        first.get_or_insert(painted);
        desktop.wait_for_windows(WINDOW, 1, SOON).await?;
        open = Memory::of_tree(place.agent.id())?;
        place.close().await?;
    }
    sleep(SETTLE).await;
    let after = Memory::of_tree(place.agent.id())?;
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

/// From the window's appearance to the newest message on it, with many more behind it.
pub(crate) async fn first_page() -> anyhow::Result<Vec<Row>> {
    say("  storing 100,000 messages …");
    let place = Place::start(MESSAGES).await?;
    place.server.push(OURS, BLOCKS);
    sleep(SETTLE).await;
    let (mut times, mut all) = (Times::default(), Times::default());
    for _ in 0..OPENINGS {
        let asked = Instant::now();
        place.tray.click("Open Tidings").await?;
        place.desktop.wait_for_windows(WINDOW, 1, SOON).await?;
        let there = Instant::now();
        place.desktop.wait_for_blocks(SOON).await?;
        times.add(there.elapsed());
        all.add(asked.elapsed());
        place.close().await?;
    }
    let scrolled = place.scroll().await?;
    let mut frames = Times::default();
    for frame in scrolled.frames {
        frames.add(Duration::from_secs_f64(frame / 1e3));
    }
    Ok(vec![
        Row::time("100,000 messages: window there to first page", times.median()).goal(300.0),
        Row::time("100,000 messages: asked for to first page", all.median()),
        Row::time("100,000 messages: scrolling, frame: median", frames.median()),
        Row::time("100,000 messages: scrolling, frame: p99", frames.p99()).goal(50.0),
        Row::new("100,000 messages: scrolling, frames with a gap", Unit::Count, scrolled.gaps.into())
            .goal(0.0),
    ])
}

impl Place {
    async fn start(messages: u64) -> anyhow::Result<Self> {
        let desktop = Desktop::start().await?;
        if messages > 0 {
            fill(&desktop.home().join(".local/share/tidings/inbox.db"), messages).await?;
        }
        let server = Server::start(Options::default()).await?;
        let config = desktop.home().join(".config/tidings");
        std::fs::create_dir_all(&config)?;
        let url = server.url(OURS);
        let settings = format!(
            "theme = \"light\"\n[inbox]\nkeep_messages = 1000000\n[[channel]]\nname = \"Bench\"\nurl = \"{url}\"\n"
        );
        std::fs::write(config.join("config.toml"), settings)?;
        let agent = desktop.spawn("tidings", &desktop.command(binary::tidings()?))?;
        let bus = desktop.bus().connect().await?;
        let tray = TrayItem::registered(&bus, "tidings", SOON).await?;
        opened(&server, OURS, 0).await?;
        sleep(SETTLE).await;
        Ok(Self { agent, tray, desktop, server })
    }

    async fn scroll(&self) -> anyhow::Result<Scrolled> {
        let page = Page::open(&self.desktop, &program()?).await?;
        page.shows("Bench").await?;
        let scrolled = page.script(SCROLL).await?;
        page.close().await?;
        Ok(serde_json::from_value(scrolled)?)
    }

    async fn close(&self) -> anyhow::Result<()> {
        let windows = self.desktop.wait_for_windows(WINDOW, 1, SOON).await?;
        self.desktop.close_window(&windows[0])?;
        self.desktop.wait_for_windows(WINDOW, 0, SOON).await?;
        sleep(GONE).await;
        Ok(())
    }
}
