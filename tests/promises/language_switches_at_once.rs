use tidings_tests::app::App;
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::tray_item::MenuEntry;

/// Every entry's id, in order, those of submenus after their own.
fn ids(menu: &[MenuEntry]) -> Vec<i32> {
    menu.iter().flat_map(|entry| [vec![entry.id], ids(&entry.entries)].concat()).collect()
}

#[tokio::test]
async fn the_tray_and_popups_change_their_words_while_the_link_stays() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let settings = channel("Orders", &scene.server.url(USER));
    let english = scene.tray.wait_for_label("Connected since ").await?;
    scene.server.push_json(USER, &serde_json::json!({ "title": "first" }));
    assert_eq!(scene.popups.wait_for_title("first").await?.actions[0].1, "Open");

    scene.app.write_settings(format!("language = \"zh-CN\"\n{settings}"))?;
    let chinese = scene.tray.wait_for_label("已连接（自 ").await?;
    for label in ["断开连接", "暂停通知", "最近消息", "打开 Tidings", "退出"] {
        assert!(chinese.shows(label), "{label}: {:?}", chinese.labels());
    }
    assert_eq!(ids(&chinese.menu)[..], ids(&english.menu)[..]);
    scene.server.push_json(USER, &serde_json::json!({ "title": "second" }));
    assert_eq!(scene.popups.wait_for_title("second").await?.actions[0].1, "打开");
    let status = scene.app.status().await?;
    assert_eq!((status.language.as_str(), status.channels[0].state.as_str()), ("zh-CN", "connected"));

    scene.app.write_settings(settings)?;
    let back = scene.tray.wait_for_label("Connected since ").await?;
    assert_eq!(ids(&back.menu), ids(&english.menu));
    assert_eq!(scene.app.status().await?.language, "en");
    assert_eq!(scene.server.upgrades(), 1);
    Ok(())
}

#[tokio::test]
async fn the_systems_language_counts_unless_the_settings_name_one() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER));
    let in_chinese = |bus: &_| App::with_settings(settings.clone()).bus(bus).locale("zh_CN.UTF-8");
    let scene = Scene::around(server, ABLE, in_chinese).await?;
    scene.tray.wait_for_label("已连接（自 ").await?;
    scene.app.write_settings(format!("language = \"en\"\n{settings}"))?;
    scene.connected().await?;
    scene.app.write_settings(format!("language = \"auto\"\n{settings}"))?;
    scene.tray.wait_for_label("已连接（自 ").await.map(drop)
}

#[tokio::test]
async fn the_command_line_speaks_it_too_but_programs_are_told_the_same() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER));
    let in_chinese = |bus: &_| App::with_settings(settings.clone()).bus(bus).locale("zh_CN.UTF-8");
    let mut scene = Scene::around(server, ABLE, in_chinese).await?;
    scene.tray.wait_for_label("已连接（自 ").await?;
    let status = scene.app.run(&["status"]).await?;
    assert!(status.stdout.starts_with("Orders：已连接（自 "), "{status:?}");
    assert_eq!(scene.app.status().await?.channels[0].state.as_str(), "connected");

    let unknown = scene.app.run(&["connect", "odrers"]).await?;
    assert_eq!(
        (unknown.code, unknown.stderr.as_str()),
        (Some(2), "tidings: 没有名为 \"odrers\" 的频道；现有：orders\n")
    );
    let pause = scene.app.run(&["pause", "soon"]).await?;
    assert!(pause.stderr.contains("不是时长"), "{pause:?}");
    let doctor = scene.app.run(&["doctor"]).await?;
    assert!(doctor.stdout.contains("无需解析"), "{doctor:?}");
    for (args, told) in [
        (&["--help"][..], "保持用户频道的连接，并以通知显示其消息\n\n不带命令时："),
        (&["status", "-h"], "显示运行中的 Tidings 的各频道状态\n\n用法: tidings status [选项]\n\n选项:\n"),
        (&["help", "secret", "set"], "询问频道的密钥"),
    ] {
        let help = scene.app.run(args).await?;
        assert!(help.code == Some(0) && help.stdout.starts_with(told), "{args:?}: {help:?}");
    }
    let incomplete = scene.app.run(&["secret"]).await?;
    assert_eq!((incomplete.code, incomplete.stdout.as_str()), (Some(2), ""));
    assert!(incomplete.stderr.contains("\n用法: tidings secret <COMMAND>\n"), "{incomplete:?}");
    assert!(!incomplete.stderr.contains("Usage"), "{incomplete:?}");
    let log = scene.app.log();
    assert!(log.is_ascii() || !log.contains("已连接"), "the log is English");

    scene.app.write_settings(format!("language = \"en\"\n{settings}"))?;
    scene.connected().await?;
    let status = scene.app.run(&["status"]).await?;
    assert!(status.stdout.starts_with("Orders: connected since "), "{status:?}");
    let help = scene.app.run(&["status", "--help"]).await?;
    assert!(help.stdout.starts_with("Show the state of every channel"), "{help:?}");
    scene.app.kill().await?;
    let nobody = scene.app.run(&["status"]).await?;
    assert_eq!(
        (nobody.code, nobody.stderr.as_str()),
        (Some(3), "tidings: Tidings is not running; start it by `tidings`\n")
    );
    Ok(())
}
