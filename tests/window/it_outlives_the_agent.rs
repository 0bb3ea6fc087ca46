use serde_json::json;
use tidings_tests::desktop::Signal;
use tidings_tests::window::{Desk, USER};

#[tokio::test]
async fn an_agent_that_is_killed_under_the_page_is_missed_and_found_again() -> anyhow::Result<()> {
    let mut desk = Desk::start().await?;
    let page = desk.open_page().await?;
    page.shows("Connected since").await?;
    desk.agent.signal(Signal::KILL)?;
    page.shows("not running").await?;
    desk.start_agent().await?;
    page.until("no word of a missing agent", |text| !text.contains("not running")).await?;
    desk.server.push_json(USER, &json!({"title": "after the restart"}));
    page.shows("after the restart").await?;
    page.close().await
}
