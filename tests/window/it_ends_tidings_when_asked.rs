use tidings_tests::wait::eventually;
use tidings_tests::window::{Desk, USER};

#[tokio::test]
async fn quit_in_the_settings_ends_the_agent_and_the_window() -> anyhow::Result<()> {
    let mut desk = Desk::start().await?;
    let page = desk.open_page().await?;
    page.shows("Connected since").await?;
    page.go("#settings").await?;
    page.shows("Ends Tidings and this window").await?;
    // The window may be gone before it answers the click.
    let _ = page.click("Quit").await;
    let status = eventually("the agent's end", || desk.agent.ended().transpose()).await??;
    assert_eq!(status.code(), Some(0));
    assert_eq!(desk.server.links(USER), 0);
    desk.wait_for_processes("tidings-window", 0).await
}
