use anyhow::Context;
use tidings_api::client::Client;
use tidings_api::{Event, Request};
use tidings_server::EventKind;
use tidings_tests::desktop::Signal;
use tidings_tests::wait::{SOON, eventually};
use tidings_tests::window::{Desk, USER};

/// How often the window is opened and closed.
const TIMES: usize = 20;
/// How much more memory the agent may hold afterwards, in KiB.
const LEFT: u64 = 1024;

#[tokio::test]
async fn opening_and_closing_it_20_times_costs_no_link_no_process_and_no_memory() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    open_and_close(&desk).await?;
    let before = anonymous(desk.agent.id())?;
    for _ in 1..TIMES {
        open_and_close(&desk).await?;
    }
    let after = anonymous(desk.agent.id())?;
    assert!(after <= before + LEFT, "the agent held {before} KiB before and {after} KiB after");
    assert_eq!(desk.server.upgrades(), 1);
    assert_eq!(desk.server.links(USER), 1);
    Ok(())
}

#[tokio::test]
async fn killing_its_processes_leaves_the_link_as_it_was() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    desk.tray.click("Open Tidings").await?;
    desk.wait_for_windows(1).await?;
    for process in desk.processes("WebKit")?.into_iter().chain(desk.processes("tidings-window")?) {
        kill(process)?;
    }
    desk.wait_for_processes("tidings-window", 0).await?;
    desk.wait_for_processes("WebKit", 0).await?;
    desk.server.push(USER, "still there");
    desk.tray
        .until("the message", tidings_tests::window::SOON, |shown| shown.icon == "tidings_connected_unread")
        .await?;
    assert_eq!(desk.server.upgrades(), 1);
    assert!(
        desk.server.all(|kind| matches!(kind, EventKind::Closed { .. } | EventKind::Gone { .. })).is_empty()
    );
    // And it can be opened again.
    desk.tray.click("Open Tidings").await?;
    desk.wait_for_windows(1).await.map(drop)
}

#[tokio::test]
async fn the_end_of_the_display_takes_the_window_alone() -> anyhow::Result<()> {
    let mut desk = Desk::start().await?;
    desk.tray.click("Open Tidings").await?;
    desk.wait_for_windows(1).await?;
    desk.desktop.end_display();
    desk.wait_for_processes("tidings-window", 0).await?;
    desk.wait_for_processes("WebKit", 0).await?;
    let mut agent = Client::connect(&desk.desktop.home().join(".local/state/tidings/agent.sock")).await?;
    agent.ask(&Request::Subscribe { window: false }).await?;
    desk.server.push(USER, "still there");
    let arrived = async {
        while !matches!(agent.event().await?, Event::Message(message) if message.message.body == "still there")
        {
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(SOON, arrived).await??;
    assert_eq!(desk.server.upgrades(), 1);
    desk.agent.signal(Signal::TERM)?;
    let ended = eventually("the agent's end", || desk.agent.ended().ok().flatten()).await?;
    assert!(ended.success(), "{ended}");
    assert!(!desk.desktop.home().join(".local/state/tidings/crashes").exists(), "nothing panicked");
    Ok(())
}

async fn open_and_close(desk: &Desk) -> anyhow::Result<()> {
    desk.tray.click("Open Tidings").await?;
    let windows = desk.wait_for_windows(1).await?;
    desk.desktop.close_window(&windows[0])?;
    desk.wait_for_windows(0).await?;
    desk.wait_for_processes("tidings-window", 0).await?;
    desk.wait_for_processes("WebKit", 0).await
}

/// Memory of its own that a process holds, in KiB.
fn anonymous(id: u32) -> anyhow::Result<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:")).context("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn kill(id: u32) -> anyhow::Result<()> {
    let id =
        i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw).context("a strange process id")?;
    // One that has ended meanwhile is as good.
    let _ = rustix::process::kill_process(id, Signal::KILL);
    Ok(())
}
