use serde_json::json;
use tidings_tests::scene::{Scene, USER};
use tidings_tests::wait::eventually;

#[tokio::test]
async fn a_click_on_the_icon_or_in_its_menu_opens_one_window() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.tray.activate().await?;
    eventually("the window", || scene.app.opened_windows().first().cloned()).await?;
    // While one is open there is no second: it is shown.
    scene.tray.click(&["Open Tidings"]).await?;
    scene.tray.activate().await?;
    scene.marker("that is all").await?;
    assert_eq!(scene.app.opened_windows(), ["|"]);
    Ok(())
}

#[tokio::test]
async fn an_agent_without_a_window_says_so_and_goes_on() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.app.remove_window()?;
    scene.tray.click(&["Open Tidings"]).await?;
    let item = scene.tray.wait_for_label("the window is not installed").await?;
    assert_eq!(item.icon, "tidings_attention");
    scene.server.push_json(USER, &json!({ "title": "messages go on" }));
    scene.popups.wait_for_title("messages go on").await?;
    Ok(())
}

#[tokio::test]
async fn a_machine_without_webkit_is_told_so_in_words() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    // So ends a program whose libraries are missing.
    scene.app.break_window(127)?;
    scene.tray.click(&["Open Tidings"]).await?;
    let item = scene.tray.wait_for_label("the window needs WebKitGTK 4.1").await?;
    assert_eq!(item.icon, "tidings_attention");
    Ok(())
}
