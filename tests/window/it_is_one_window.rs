use tidings_tests::binary;
use tidings_tests::window::Desk;

#[tokio::test]
async fn two_requests_to_open_give_one_window() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    desk.tray.click("Open Tidings").await?;
    desk.tray.click("Open Tidings").await?;
    let first = desk.wait_for_windows(1).await?;
    // By a second start of the app, and by a window that is started by itself.
    let mut again = desk.desktop.spawn("second-start", &desk.desktop.command(binary::tidings()?))?;
    let window = binary::tidings()?.with_file_name("tidings-window");
    let mut second = desk.desktop.spawn("second-window", &desk.desktop.command(window))?;
    for process in [&mut again, &mut second] {
        tidings_tests::wait::eventually("the second's end", || process.ended().ok().flatten()).await?;
    }
    assert_eq!(desk.windows().await, first);
    assert_eq!(desk.server.upgrades(), 1);
    Ok(())
}
