use serde_json::json;
use tidings_server::EventKind;
use tidings_tests::app::App;
use tidings_tests::desktop::Signal;
use tidings_tests::scene::{Place, Scene, USER, channel};

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
async fn the_command_ends_the_agent_well_and_returns_once_it_has_ended() -> anyhow::Result<()> {
    ends_well(async |scene| {
        let folder = scene.app.state();
        let output = scene.app.run(&["quit"]).await?;
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), "", ""));
        let lock = std::fs::File::open(folder.join("lock"))?;
        lock.try_lock().expect("nobody is there any more");
        drop(lock);
        let nobody = scene.app.run(&["quit"]).await?;
        assert_eq!((nobody.code, nobody.stdout.as_str()), (Some(3), ""));
        assert!(nobody.stderr.contains("not running"), "{nobody:?}");
        Ok(())
    })
    .await
}

/// As where the desktop has no tray.
#[tokio::test]
async fn the_command_ends_an_agent_without_a_desktop_and_one_that_is_replaced() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let mut app = App::with_settings(channel("Orders", &server.url(USER))).background().start().await?;
    server.opened(1).await?;
    let _other = server.other_tab(USER).await?;
    server.seen(0, |kind| matches!(kind, EventKind::Replaced { .. })).await?;
    assert_eq!(app.run(&["quit"]).await?.code, Some(0));
    app.ended_well().await
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
