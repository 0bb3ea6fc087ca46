use serde_json::json;
use tidings_tests::scene::{Scene, USER};
use tidings_tests::wait::eventually;

const SAID: &str = "says whether it may disturb";

#[tokio::test]
async fn a_service_told_not_to_disturb_gets_critical_ones_alone_and_then_one_summary() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.popups.inhibit(true).await?;
    eventually("its word", || scene.app.log().contains(SAID).then_some(())).await?;
    for title in ["one", "two", "three"] {
        scene.server.push_json(USER, &json!({ "title": title }));
    }
    scene.server.push_json(USER, &json!({ "title": "fire", "priority": 5 }));
    scene.popups.wait_for_title("fire").await?;
    assert_eq!(scene.popups.titles(), ["fire"]);

    scene.popups.inhibit(false).await?;
    scene.popups.wait_for_title("3 messages from Orders").await?;
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["fire", "3 messages from Orders", "after"]);
    Ok(())
}

#[tokio::test]
async fn a_service_that_was_told_so_before_is_asked_at_the_first_popup() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.popups.die().await?;
    scene.popups.inhibit_silently(true);
    scene.popups.come_back().await?;
    scene.server.push_json(USER, &json!({ "title": "one" }));
    eventually("its word", || scene.app.log().contains(SAID).then_some(())).await?;
    scene.server.push_json(USER, &json!({ "title": "fire", "priority": 5 }));
    scene.popups.wait_for_title("fire").await?;
    assert_eq!(scene.popups.titles(), ["fire"]);

    // Another service, which disturbs as it likes.
    scene.popups.die().await?;
    scene.popups.inhibit_silently(false);
    scene.popups.come_back().await?;
    scene.popups.wait_for_title("one").await?;
    Ok(())
}
