//! `cargo tauri dev`: both processes come up; a change of the page, of the agent and of the window each shows;
//! nothing is left behind however it ends.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, kill_process};
use tidings_tests::desktop::{Process, Signal};
use tidings_tests::tray_item::TrayItem;
use tokio::time::{Instant, sleep};

use crate::{BUILD, LOOK, Place, SOON, nobody_left, process, say};

/// What the page is painted with to see that it changed: its colour, and how many pixels are many.
const PAINT: ([u8; 3], usize) = ([0, 255, 0], 50_000);
/// How often an edit is saved again until it shows. Longer than a reload takes.
const SAVE_AGAIN: Duration = Duration::from_secs(5);

/// A way to end it.
type End = fn(&Process) -> anyhow::Result<()>;

/// The processes of one start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    agent: u32,
    window: u32,
}

pub(crate) async fn check(place: &Place) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut dev = start(place, "tauri-dev")?;
    let first = up(place, &mut dev, None, BUILD).await?;
    let bus = place.desktop.bus().connect().await?;
    let tray = TrayItem::registered(&bus, "tidings", SOON).await?;
    tray.until("a link to the server that came up with it", SOON, |shown| {
        shown.status_line().starts_with("Connected since ")
    })
    .await?;
    say(&format!("dev: tray connected and window open after {:.1?}", started.elapsed()));

    let changed = Instant::now();
    let page = place.file("ui/index.html");
    let text = fs::read_to_string(&page)?;
    fs::write(&page, text.replacen("<body", "<body style=\"background: #00ff00 !important\"", 1))?;
    let style = place.file("ui/style.css");
    let text = fs::read_to_string(&style)? + "\n* { background: #00ff00 !important; }\n";
    fs::write(&style, text)?;
    painted(place, &style).await?;
    ensure!(pair()? == Some(first), "a change of the page is no reason to start anything anew");
    say(&format!("dev: a change of the page showed after {:.1?}", changed.elapsed()));

    let changed = Instant::now();
    place.edit("src-tauri/agent/src/tray/view.rs", "command(\"Quit\"", "command(\"Quit the new one\"")?;
    let second = up(place, &mut dev, Some(first), SOON).await?;
    let tray = TrayItem::registered(&bus, "tidings", SOON).await?;
    tray.until("the changed menu", SOON, |shown| shown.find("Quit the new one").is_some()).await?;
    say(&format!("dev: a change of the agent ran after {:.1?}", changed.elapsed()));

    let changed = Instant::now();
    let window = place.file("src-tauri/window/main.rs");
    fs::write(&window, fs::read_to_string(&window)? + "// Changed.\n")?;
    up(place, &mut dev, Some(second), SOON).await?;
    say(&format!("dev: a change of the window ran after {:.1?}", changed.elapsed()));

    to_tools(&dev, Signal::INT)?;
    nobody_left().await.context("after SIGINT to the tools alone")?;
    drop(dev);
    let ends: [(&str, End); 4] = [
        ("SIGINT to all, as Ctrl-C does it", |dev| dev.signal(Signal::INT)),
        ("SIGTERM to the tools alone", |dev| to_tools(dev, Signal::TERM)),
        ("SIGKILL to the tools alone", |dev| to_tools(dev, Signal::KILL)),
        ("SIGKILL to the agent", |_| {
            let agent = process("tidings")?.context("no agent")?;
            Ok(kill_process(Pid::from_raw(i32::try_from(agent)?).context("no process id")?, Signal::KILL)?)
        }),
    ];
    for (index, (what, end)) in ends.into_iter().enumerate() {
        let mut dev = start(place, &format!("tauri-dev-{index}"))?;
        up(place, &mut dev, None, SOON).await?;
        end(&dev)?;
        nobody_left().await.with_context(|| format!("after {what}"))?;
    }
    say("dev: nothing is left behind after any of 5 ways to end it");
    Ok(())
}

fn to_tools(dev: &Process, signal: Signal) -> anyhow::Result<()> {
    let tools = Pid::from_raw(i32::try_from(dev.id())?).context("no process id")?;
    Ok(kill_process(tools, signal)?)
}

fn start(place: &Place, name: &str) -> anyhow::Result<Process> {
    place.desktop.spawn(name, &place.tauri(&["dev"])?)
}

fn pair() -> anyhow::Result<Option<Pair>> {
    let (Some(agent), Some(window)) = (process("tidings")?, process("tidings-window")?) else {
        return Ok(None);
    };
    Ok(Some(Pair { agent, window }))
}

/// Waits until agent and window run, neither of them one of `before`, and the window is to be seen.
async fn up(
    place: &Place,
    dev: &mut Process,
    before: Option<Pair>,
    within: Duration,
) -> anyhow::Result<Pair> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(now) = pair()?
            && before.is_none_or(|before| before.agent != now.agent && before.window != now.window)
            && place.window_shows().await
        {
            return Ok(now);
        }
        if let Some(status) = dev.ended()? {
            bail!("`tauri dev` ended ({status}):\n{}", dev.log_tail());
        }
        ensure!(
            Instant::now() < deadline,
            "agent and window did not come up within {within:?}:\n{}",
            dev.log_tail()
        );
        sleep(LOOK).await;
    }
}

/// Waits until the screen shows much of the paint. A page that was still loading at the edit listens for the next
/// one only, so the file is saved again now and then.
async fn painted(place: &Place, edited: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + SOON;
    let mut saved = Instant::now();
    loop {
        if saved.elapsed() > SAVE_AGAIN {
            fs::write(edited, fs::read_to_string(edited)? + "\n")?;
            saved = Instant::now();
        }
        let pixels = place.desktop.pixels()?;
        let painted = pixels.chunks_exact(3).filter(|pixel| *pixel == PAINT.0).count();
        if painted > PAINT.1 {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the changed page does not show: {painted} pixels of it");
        sleep(LOOK).await;
    }
}
