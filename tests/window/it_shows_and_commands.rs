use serde_json::json;
use tidings_tests::window::{Desk, SOON, USER};

#[tokio::test]
async fn a_message_pushed_at_the_server_appears_on_the_page() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    desk.server.push_json(USER, &json!({"title": "before it opened", "body": "from the inbox"}));
    let page = desk.open_page().await?;
    page.shows("before it opened").await?;
    page.shows("from the inbox").await?;
    desk.server.push_json(USER, &json!({"title": "while it is open", "body": "live"}));
    page.shows("while it is open").await?;
    page.close().await
}

#[tokio::test]
async fn a_click_on_disconnect_in_the_page_changes_the_tray_and_connect_changes_it_back() -> anyhow::Result<()>
{
    let desk = Desk::start().await?;
    let page = desk.open_page().await?;
    page.shows("Connected since").await?;
    page.click("Disconnect").await?;
    desk.shows("Disconnected").await?;
    page.shows("Disconnected").await?;
    page.click("Connect").await?;
    desk.shows("Connected since ").await?;
    page.shows("Connected since").await?;
    page.close().await
}

#[tokio::test]
async fn replaced_shows_on_the_page_and_taking_over_works_from_there() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    let page = desk.open_page().await?;
    page.shows("Connected since").await?;
    let _other = desk.server.other_tab(USER).await?;
    page.shows("Replaced by another tab or device since").await?;
    page.click("Take over here").await?;
    desk.shows("Connected since ").await?;
    page.close().await
}

#[tokio::test]
async fn a_message_that_is_looked_at_on_the_page_clears_the_dot_in_the_tray() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    desk.server.push_json(USER, &json!({"title": "look at me"}));
    let dot = "tidings_connected_unread";
    desk.tray.until("the dot", SOON, |shown| shown.icon == dot).await?;
    let page = desk.open_page().await?;
    page.shows("look at me").await?;
    page.click("look at me").await?;
    desk.tray.until("no dot", SOON, |shown| shown.icon == "tidings_connected").await?;
    page.close().await
}
