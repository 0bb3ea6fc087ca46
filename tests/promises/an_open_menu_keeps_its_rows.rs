//! Most tray hosts never resize a menu that is open: what comes and goes in it would leave a blank strip, cut the text, and
//! move rows under the pointer.

use std::fs;

use serde_json::json;
use tidings_server::GOING_AWAY;
use tidings_tests::scene::{Scene, USER};

#[tokio::test]
async fn whatever_happens_to_links_messages_and_settings() -> anyhow::Result<()> {
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
    keeps(&scene, "disconnected", "Disconnected").await?;
    let good = fs::read(scene.app.settings_file())?;
    scene.app.write_settings("colour = 7\n")?;
    keeps(&scene, "a mistake in the settings", "~/.config/tidings/config.toml:1:1: unknown key").await?;
    scene.app.remove_window()?;
    scene.tray.click(&["Open Tidings"]).await?;
    let item = scene.tray.wait_for("two notices", |item| item.told().contains("(and 1 more)")).await?;
    assert_eq!(item.rows(), open, "two notices: {:?}", item.labels());
    scene.app.write_settings(good)?;
    keeps(&scene, "the settings are mended", "the window is not installed").await
}

#[tokio::test]
async fn what_is_under_the_pointer_stays_the_message_that_it_was() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let listed = async |of: [usize; 5]| {
        let titles = of.map(|number| if number == 0 { "–".to_owned() } else { format!("no {number}") });
        let what = format!("{titles:?} in Recent");
        scene.tray.wait_for(&what, |item| item.labels_in("Recent") == titles).await
    };
    scene.marker("no 1").await?;
    scene.marker("no 2").await?;
    listed([2, 1, 0, 0, 0]).await?;
    scene.tray.open().await?;
    scene.marker("no 3").await?;
    listed([2, 1, 3, 0, 0]).await?;
    scene.marker("no 4").await?;
    scene.marker("no 5").await?;
    let item = scene.tray.wait_for("five messages", |item| !item.told().contains('–')).await?;
    assert_eq!(item.labels_in("Recent")[..3], ["no 2", "no 1", "no 3"]);
    scene.marker("no 6").await?;
    scene.app.wait_for_status("all", |status| status.unread == 6).await?;
    assert_eq!(scene.tray.item().await?.labels_in("Recent"), item.labels_in("Recent"));
    // Opened again it lists the newest first.
    scene.tray.open().await?;
    listed([6, 5, 4, 3, 2]).await.map(drop)
}
