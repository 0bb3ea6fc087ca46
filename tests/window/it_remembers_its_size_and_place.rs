use anyhow::Context;
use tidings_tests::window::Desk;

/// The window manager's frame may shift a window by its own width, in pixels.
const FRAME: i32 = 40;

#[tokio::test]
async fn it_opens_where_and_as_large_as_it_was_closed() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    let first = open(&desk).await?;
    desk.desktop.xdotool(&["windowsize", "--sync", &first, "700", "500"]).await?;
    desk.desktop.xdotool(&["windowmove", "--sync", &first, "300", "150"]).await?;
    let left = area(&desk, &first).await?;
    desk.desktop.close_window(&first)?;
    desk.wait_for_windows(0).await?;
    desk.wait_for_processes("tidings-window", 0).await?;

    let second = open(&desk).await?;
    let found = area(&desk, &second).await?;
    assert_eq!(found[2..], left[2..], "its size");
    let near = |side: usize| (found[side] - left[side]).abs() <= FRAME;
    assert!(near(0) && near(1), "left at {left:?}, found at {found:?}");
    Ok(())
}

async fn open(desk: &Desk) -> anyhow::Result<String> {
    desk.tray.click("Open Tidings").await?;
    let mut windows = desk.wait_for_windows(1).await?;
    desk.desktop.wait_for_paint(tidings_tests::window::SOON).await?;
    windows.pop().context("a window")
}

/// Left, top, width, height.
async fn area(desk: &Desk, window: &str) -> anyhow::Result<[i32; 4]> {
    let printed = desk.desktop.xdotool(&["getwindowgeometry", "--shell", window]).await?;
    let number = |name: &str| -> anyhow::Result<i32> {
        let line = printed.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
        Ok(line.trim_start_matches('=').parse()?)
    };
    Ok([number("X")?, number("Y")?, number("WIDTH")?, number("HEIGHT")?])
}
