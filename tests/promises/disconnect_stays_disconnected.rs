use tidings_server::EventKind;
use tidings_tests::app::Start;
use tidings_tests::desktop::Signal;
use tidings_tests::scene::{Scene, USER};

#[tokio::test]
async fn a_channel_that_was_disconnected_stays_so_over_every_restart_until_connected() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.tray.click(&["Disconnect"]).await?;
    let item = scene.tray.wait_for_label("Disconnected").await?;
    assert_eq!(item.icon, "tidings_off");
    assert_eq!(item.labels()[1], "Connect");
    let goodbye = EventKind::Closed { code: Some(1000), reason: String::new() };
    scene.server.seen(0, |kind| *kind == goodbye).await?;

    for start in [Start::Background, Start::ByHand] {
        scene.app.restart(start).await?;
        scene.tray.wait_for_label("Disconnected").await?;
    }
    scene.app.kill().await?;
    scene.app.start(Start::ByHand).await?;
    scene.tray.wait_for_label("Disconnected").await?;
    assert_eq!(scene.server.upgrades(), 1);

    scene.tray.click(&["Connect"]).await?;
    scene.connected().await?;
    scene.app.restart(Start::Background).await?;
    scene.connected().await
}

#[tokio::test]
async fn the_command_line_does_what_the_menu_does() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let done = async |args: &[&str]| -> anyhow::Result<()> {
        let output = scene.app.run(args).await?;
        assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{args:?}: {output:?}");
        Ok(())
    };
    // By id, by name, and all.
    done(&["disconnect", "orders"]).await?;
    scene.tray.wait_for_label("Disconnected").await?;
    done(&["connect", "Orders"]).await?;
    scene.connected().await?;
    done(&["disconnect"]).await?;
    scene.tray.wait_for_label("Disconnected").await?;
    done(&["connect"]).await?;
    scene.connected().await?;

    let _other = scene.server.other_tab(USER).await?;
    scene.tray.wait_for_label("Replaced ").await?;
    done(&["takeover", "orders"]).await?;
    scene.connected().await?;
    Ok(())
}

#[tokio::test]
async fn a_command_for_an_unknown_channel_ends_with_2_and_one_to_nobody_with_3() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    for command in ["connect", "disconnect", "takeover"] {
        let output = scene.app.run(&[command, "odrers"]).await?;
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.stderr.contains("odrers") && output.stderr.contains("orders"), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
    assert_eq!(scene.app.run(&["dance"]).await?.code, Some(2));

    scene.app.signal(Signal::TERM)?;
    scene.app.ended_well().await?;
    for args in [&["connect"][..], &["disconnect", "orders"], &["takeover"], &["status", "--json"], &["tail"]]
    {
        let output = scene.app.run(args).await?;
        assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""), "{args:?}: {output:?}");
        assert!(output.stderr.contains("not running"), "{output:?}");
    }
    Ok(())
}
