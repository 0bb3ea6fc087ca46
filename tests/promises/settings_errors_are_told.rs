use std::fs;

use tidings_tests::app::App;
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};

/// What is wrong, the file's content, and what the message must say: place and mend.
fn wrong() -> Vec<(&'static str, Vec<u8>, [&'static str; 2])> {
    let good = channel("Orders", "ws://127.0.0.1:9/ws/user-channel");
    let second = "[[channel]]\nid = \"orders\"\nurl = \"ws://127.0.0.1:9/other\"\n";
    let twin = "[[channel]]\nname = \"Twin\"\nurl = \"ws://127.0.0.1:9/ws/user-channel\"\n";
    let mut bytes = good.clone().into_bytes();
    bytes.extend(b"show = \"\xff\xfe\"\n");
    vec![
        ("a key with a typo", format!("{good}shwo = \"full\"\n").into(), ["config.toml:5:1: ", "`show`"]),
        ("no TOML", format!("{good}show = full\n").into(), ["config.toml:5:8: ", "quotes"]),
        ("no URL", "[[channel]]\nurl = \"shop example\"\n".into(), ["config.toml:2:7: ", "ws"]),
        (
            "a plaintext address elsewhere",
            "[[channel]]\nurl = \"ws://shop.example/ws\"\n".into(),
            ["config.toml:2:7: ", "allow_plaintext"],
        ),
        ("the same id twice", format!("{good}{second}").into(), ["config.toml:6:", "orders"]),
        ("the same user twice", format!("{good}{twin}").into(), ["config.toml:7:7: ", "replace each other"]),
        ("bytes that are no UTF-8", bytes, ["config.toml:5:9: ", "save it as UTF-8"]),
    ]
}

#[tokio::test]
async fn each_error_is_told_in_the_log_and_the_tray_with_its_place_and_mend() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let scene = Scene::around(server, ABLE, |bus| App::without_settings().bus(bus)).await?;
    scene.tray.wait_for_label("No channel in the settings file yet").await?;
    for (what, content, words) in wrong() {
        scene.app.write_settings(content)?;
        let told = |text: &str| words.iter().all(|word| text.contains(word));
        let item = scene.tray.wait_for(what, |item| told(&item.told())).await?;
        assert_eq!(item.icon, "tidings_attention", "{what}");
        assert!(told(&item.tooltip.replace('\n', " ").replace("&#39;", "'")), "{what}: {}", item.tooltip);
        assert!(scene.app.log().lines().any(told), "{what} is not in the log");
        assert!(scene.app.status().await?.notices.iter().any(|notice| told(notice)), "{what}");

        let listen = scene.app.run(&["listen", "--json"]).await?;
        assert_eq!((listen.code, listen.stdout.as_str()), (Some(2), ""), "{what}: {listen:?}");
        assert!(told(&listen.stderr), "{what}: {listen:?}");
    }

    // Mending the file heals it, without a restart.
    scene.app.write_settings(channel("Orders", &scene.server.url(USER)))?;
    scene.connected().await?;
    let item = scene.tray.wait_for("no error", |item| item.icon == "tidings_connected").await?;
    assert!(!item.told().contains("config.toml"), "{}", item.told());
    Ok(())
}

#[tokio::test]
async fn a_wrong_file_at_the_start_keeps_no_agent_from_running() -> anyhow::Result<()> {
    for (what, content, words) in wrong().into_iter().take(2) {
        let server = Place::start().await?;
        let settings = String::from_utf8(content)?;
        let scene = Scene::around(server, ABLE, |bus| App::with_settings(settings).bus(bus)).await?;
        let told = |text: &str| words.iter().all(|word| text.contains(word));
        scene.tray.wait_for(what, |item| told(&item.told())).await?;
        assert!(scene.app.log().lines().any(told), "{what}");
        scene.app.write_settings(channel("Orders", &scene.server.url(USER)))?;
        scene.connected().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_folder_in_the_files_place_is_told() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    fs::remove_file(scene.app.settings_file())?;
    fs::create_dir(scene.app.settings_file())?;
    scene.tray.wait_for("the error", |item| item.told().contains("not a file")).await?;
    let listen = scene.app.run(&["listen"]).await?;
    assert_eq!(listen.code, Some(2), "{listen:?}");
    scene.marker("the channel goes on").await
}

#[tokio::test]
async fn an_edit_redials_only_what_it_must() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    // Broken: the last good settings stay in force.
    scene.app.write_settings("[[channel]]\nurl = 7\n")?;
    scene.tray.wait_for("the error", |item| item.icon == "tidings_attention").await?;
    scene.tray.wait_for_label("Connected since ").await?;
    scene.marker("the channel goes on").await?;

    // Another name, and how much a popup tells: taken up on the same link.
    let url = scene.server.url(USER);
    scene.app.write_settings(
        channel("Purchases", &url).replace("name", "id = \"orders\"\nname") + "show = \"nothing\"\n",
    )?;
    scene.tray.wait_for("the new name", |item| item.tooltip.starts_with("Purchases: Connected")).await?;
    scene.server.push(USER, "secret");
    assert_eq!(scene.popups.wait_for_title("Purchases").await?.body, "New message");
    assert_eq!(scene.server.upgrades(), 1, "no redial for a name");

    // Another address: one redial, to there.
    let bob = scene.server.url("bob");
    scene.app.write_settings(channel("Purchases", &bob).replace("name", "id = \"orders\"\nname"))?;
    scene.server.opened(2).await?;
    assert_eq!((scene.server.links(USER), scene.server.links("bob")), (0, 1));
    scene.connected().await?;
    assert_eq!(scene.server.upgrades(), 2);

    // No file any more: no channel.
    fs::remove_file(scene.app.settings_file())?;
    scene.tray.wait_for_label("No channel in the settings file yet").await?;
    assert_eq!(scene.server.links("bob"), 0);
    Ok(())
}
