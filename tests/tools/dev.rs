//! `cargo tauri dev`: both processes come up; a change of the page, of the agent and of the window each shows;
//! nothing is left behind however it ends.

use std::fs;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, kill_process};
use tidings_tests::desktop::{Process, Signal};
use tidings_tests::tray_item::TrayItem;
use tokio::time::{Instant, sleep};

use crate::place::{BUILD, LOOK, Place, SOON, nobody_left, process, say};

/// Colours that the page has nowhere else: of the page as it comes up, and as it is edited.
const BEFORE: [u8; 3] = [0, 0, 255];
const EDITED: [u8; 3] = [0, 255, 0];
/// How many pixels of a colour are a page of it.
const MANY: usize = 50_000;

/// A way to end it.
type End = fn(&Process) -> anyhow::Result<()>;

/// The processes of one start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    agent: u32,
    window: u32,
}

pub(crate) async fn check(place: &Place) -> anyhow::Result<()> {
    let style = place.file("ui/base/base.css");
    let text = fs::read_to_string(&style)?;
    fs::write(&style, painted(&text, BEFORE))?;

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

    // Before the page is there, an edit would show without a reload.
    shows(place, BEFORE).await.context("the page as it was")?;
    let changed = Instant::now();
    fs::write(&style, painted(&text, EDITED))?;
    shows(place, EDITED).await.context("the page as it was edited")?;
    ensure!(pair()? == Some(first), "a change of the page is no reason to start anything anew");
    say(&format!("dev: a change of the page showed after {:.1?}", changed.elapsed()));

    let changed = Instant::now();
    let menu = "src-tauri/desktop/src/tray/view.rs";
    place.edit(menu, "words.tray_quit()", "words.tray_quit() + \" the new one\"")?;
    let second = up(place, &mut dev, Some(first), BUILD).await?;
    let tray = TrayItem::registered(&bus, "tidings", SOON).await?;
    tray.until("the changed menu", SOON, |shown| shown.find("Quit the new one").is_some()).await?;
    say(&format!("dev: a change of the agent ran after {:.1?}", changed.elapsed()));

    let changed = Instant::now();
    let window = place.file("src-tauri/window/main.rs");
    fs::write(&window, fs::read_to_string(&window)? + "// Changed.\n")?;
    up(place, &mut dev, Some(second), BUILD).await?;
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
        up(place, &mut dev, None, BUILD).await?;
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

/// A style sheet under which all is of one colour.
fn painted(style: &str, [red, green, blue]: [u8; 3]) -> String {
    format!("{style}\n* {{ background: rgb({red}, {green}, {blue}) !important; }}\n")
}

/// Waits until the screen shows much of a colour.
async fn shows(place: &Place, colour: [u8; 3]) -> anyhow::Result<()> {
    let deadline = Instant::now() + SOON;
    loop {
        let pixels = place.desktop.pixels()?;
        let found = pixels.chunks_exact(3).filter(|pixel| **pixel == colour).count();
        if found > MANY {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "after {SOON:?} {found} pixels of it show");
        sleep(LOOK).await;
    }
}
