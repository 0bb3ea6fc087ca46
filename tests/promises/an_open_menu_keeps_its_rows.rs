//! Most tray hosts never resize a menu that is open: what comes and goes in it would leave a blank strip, cut the text, and
//! move rows under the pointer.

use serde_json::json;
use tidings_server::GOING_AWAY;
use tidings_tests::scene::{Scene, USER};

#[tokio::test]
async fn whatever_happens_to_the_link_and_the_messages() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    let open = scene.tray.item().await?.rows();
    let keeps = async |scene: &Scene, what: &str, label: &str| -> anyhow::Result<()> {
        let item = scene.tray.wait_for_label(label).await?;
        assert_eq!(item.rows(), open, "{what}: {:?}", item.labels());
        Ok(())
    };
    scene.server.stop(GOING_AWAY).await;
    keeps(&scene, "the link fell", "Reconnecting at ").await?;
    scene.server.start_again().await?;
    keeps(&scene, "it is back", "Connected since ").await?;
    let _other = scene.server.other_tab(USER).await?;
    keeps(&scene, "replaced", "Replaced ").await?;
    scene.tray.click(&["Take over here"]).await?;
    keeps(&scene, "taken over", "Connected since ").await?;
    scene.server.push_json(USER, &json!({ "title": "news" }));
    let item = scene.tray.wait_for("the message", |item| item.choices_in("Recent").contains(&"news")).await?;
    assert_eq!(item.rows(), open);
    scene.tray.click(&["Pause notifications", "For 1 hour"]).await?;
    keeps(&scene, "paused", "Notifications paused until ").await?;
    scene.tray.click(&["Disconnect"]).await?;
    keeps(&scene, "disconnected", "Disconnected").await
}
