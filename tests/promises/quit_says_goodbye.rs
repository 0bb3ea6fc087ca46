use serde_json::json;
use tidings_server::EventKind;
use tidings_tests::desktop::Signal;
use tidings_tests::scene::{Scene, USER};

/// Ends the agent by `end`, and looks at what it leaves behind.
async fn ends_well(end: impl AsyncFnOnce(&mut Scene) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    for number in 1..=4 {
        scene.server.push_json(USER, &json!({ "title": format!("message {number}") }));
    }
    scene.popups.wait_for(4).await?;
    assert!(scene.app.socket().exists());

    end(&mut scene).await?;
    scene.app.ended_well().await?;
    let goodbye = EventKind::Closed { code: Some(1000), reason: String::new() };
    scene.server.seen(0, |kind| *kind == goodbye).await?;
    assert_eq!(scene.server.links(USER), 0);
    assert!(!scene.app.socket().exists(), "the socket's file is gone");
    let states: Vec<_> = scene.app.inbox()?.into_iter().map(|message| message.state).collect();
    assert_eq!(states, ["shown"; 4]);
    Ok(())
}

#[tokio::test]
async fn quit_in_the_menu_ends_the_agent_well() -> anyhow::Result<()> {
    ends_well(async |scene| {
        scene.tray.click(&["Quit"]).await?;
        scene.tray.wait_until_empty().await
    })
    .await
}

#[tokio::test]
async fn sigterm_ends_the_agent_well() -> anyhow::Result<()> {
    ends_well(async |scene| scene.app.signal(Signal::TERM)).await
}

#[tokio::test]
async fn sigint_ends_the_agent_well() -> anyhow::Result<()> {
    ends_well(async |scene| scene.app.signal(Signal::INT)).await
}

#[tokio::test]
async fn sighup_ends_the_agent_well() -> anyhow::Result<()> {
    ends_well(async |scene| scene.app.signal(Signal::HUP)).await
}

#[tokio::test]
async fn the_end_of_the_session_bus_ends_the_agent_well() -> anyhow::Result<()> {
    ends_well(async |scene| {
        drop(scene.bus.take());
        Ok(())
    })
    .await
}
