//! The main paths of a person who never opens a terminal: from the first run to the first message, and on.

use std::collections::BTreeMap;

use serde_json::json;
use tidings_server::Options;
use tidings_tests::files;
use tidings_tests::window::{Desk, Page, SOON, USER};

const TOKEN: &str = "s3cret-of-ann";

async fn nothing_yet(options: Options, keyring: bool) -> anyhow::Result<(Desk, Page)> {
    let desk = Desk::start_with(options, |_| String::new(), keyring).await?;
    let page = desk.open_page().await?;
    page.shows("Welcome to Tidings").await?;
    Ok((desk, page))
}

#[tokio::test]
async fn an_address_is_all_that_the_first_run_needs() -> anyhow::Result<()> {
    let (desk, page) = nothing_yet(Options::default(), false).await?;
    page.fill("#first-url", &desk.server.url(USER)).await?;
    page.click("Connect").await?;
    desk.shows("Connected since ").await?;
    page.shows("Connected since").await?;
    desk.server.push_json(USER, &json!({"title": "the very first"}));
    page.shows("the very first").await?;
    page.close().await
}

#[tokio::test]
async fn the_demo_brings_a_first_message_without_a_server() -> anyhow::Result<()> {
    let (desk, page) = nothing_yet(Options::default(), false).await?;
    page.click("Try the demo channel").await?;
    desk.shows("Connected since ").await?;
    // Its first message says how to send another.
    page.shows("/push/demo").await?;
    assert!(!desk.desktop.home().join(".config/tidings/config.toml").exists());
    page.close().await
}

#[tokio::test]
async fn a_wrong_address_is_told_at_its_field_and_nothing_is_written() -> anyhow::Result<()> {
    let (desk, page) = nothing_yet(Options::default(), false).await?;
    page.fill("#first-url", "ws://shop.example/ws/user-channel").await?;
    page.click("Connect").await?;
    page.shows("unencrypted").await?;
    assert!(!desk.desktop.home().join(".config/tidings/config.toml").exists());
    page.close().await
}

#[tokio::test]
async fn a_token_goes_into_the_keyring_and_nowhere_else() -> anyhow::Result<()> {
    let tokens = BTreeMap::from([(TOKEN.to_owned(), USER.to_owned())]);
    let (desk, page) = nothing_yet(Options { tokens, ..Options::default() }, true).await?;
    page.go("#add").await?;
    page.fill("[data-key=url] input", &format!("ws://{}/ws/user-channel", desk.server.addr())).await?;
    page.fill("[data-key=secret] input", TOKEN).await?;
    page.click("Add").await?;
    desk.shows("Connected since ").await?;
    page.shows("Connected since").await?;
    // Kept: the server takes nobody without it.
    assert_eq!(desk.server.links(USER), 1);
    let answers = "return Promise.all([window.__TAURI__.core.invoke('settings'), \
                   window.__TAURI__.core.invoke('diagnostics')]).then(JSON.stringify)";
    let answers = page.script(answers).await?.to_string();
    assert!(answers.contains("has_secret") && !answers.contains(TOKEN), "{answers}");
    assert_eq!(files::that_hold(&desk.desktop.home(), TOKEN), [] as [String; 0]);
    page.close().await
}

#[tokio::test]
async fn a_search_finds_one_message_among_others() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    for title in ["a needle", "some hay", "more hay"] {
        desk.server.push_json(USER, &json!({ "title": title }));
    }
    let page = desk.open_page().await?;
    page.shows("more hay").await?;
    page.fill("#search", "needle").await?;
    page.until("the needle alone", |text| text.contains("a needle") && !text.contains("hay")).await?;
    page.close().await
}

#[tokio::test]
async fn marking_all_as_read_clears_the_dot_in_the_tray() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    for title in ["one", "two"] {
        desk.server.push_json(USER, &json!({ "title": title }));
    }
    desk.tray.until("the dot", SOON, |shown| shown.icon == "tidings_connected_unread").await?;
    let page = desk.open_page().await?;
    page.click("Mark all as read").await?;
    desk.tray.until("no dot", SOON, |shown| shown.icon == "tidings_connected").await?;
    page.close().await
}

#[tokio::test]
async fn health_tells_why_a_link_fell() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    let page = desk.open_page().await?;
    page.go("#health").await?;
    page.shows("Still up").await?;
    desk.server.close(USER, 1012, "");
    page.shows("Server restarting (1012)").await?;
    page.close().await
}

#[tokio::test]
async fn another_language_changes_tray_and_window_at_once() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    let page = desk.open_page().await?;
    page.go("#settings").await?;
    page.shows("Start at login").await?;
    let choose = "const select = document.querySelector('[data-key=language] select'); select.value = 'zh-CN'; \
                  select.dispatchEvent(new Event('change', { bubbles: true }))";
    page.script(choose).await?;
    page.shows("登录时启动").await?;
    desk.shows("已连接").await?;
    page.close().await
}
