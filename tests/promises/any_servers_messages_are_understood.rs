use serde_json::json;
use tidings_api::StatusReport;
use tidings_tests::app::App;
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};

/// As good as no flood control.
const ALL: &str = "[notifications]\nburst = 1000\n";

async fn scene(before: &str, keys: &str) -> anyhow::Result<Scene> {
    let server = Place::start().await?;
    let settings = format!("{before}{ALL}{}{keys}", channel("Orders", &server.url(USER)));
    let scene = Scene::around(server, ABLE, |bus| App::with_settings(settings).bus(bus).background()).await?;
    scene.server.opened(1).await?;
    Ok(scene)
}

#[tokio::test]
async fn an_end_that_is_no_time_hides_no_message() -> anyhow::Result<()> {
    let scene = scene("", "").await?;
    let ends = [json!(0), json!(-1), json!(3600), json!("1h"), json!("never"), json!(null), json!(1_000_000)];
    for (number, expires) in ends.iter().enumerate() {
        let sent = json!({ "title": number.to_string(), "time": 0, "expires": expires });
        scene.server.push_json(USER, &sent);
    }
    scene.server.push_json(USER, &json!({ "title": "over", "expires": 1_600_000_000 }));
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["0", "1", "2", "3", "4", "5", "6", "after"]);
    Ok(())
}

#[tokio::test]
async fn a_loggers_numbers_are_not_taken_for_alarms() -> anyhow::Result<()> {
    let scene = scene("", "").await?;
    for (title, name, number) in [
        ("syslog: debug", "severity", 7),
        ("syslog: emergency", "severity", 0),
        ("pino: info", "level", 30),
        ("pino: fatal", "level", 60),
        ("one to five", "priority", 5),
    ] {
        scene.server.push_json(USER, &json!({ "title": title, name: number }));
    }
    scene.marker("after").await?;
    let urgencies: Vec<_> = scene.popups.popups().iter().map(|popup| popup.urgency()).collect();
    assert_eq!(urgencies, [0, 2, 1, 2, 2, 1].map(Some));
    Ok(())
}

#[tokio::test]
async fn keep_alives_are_no_messages_and_are_counted() -> anyhow::Result<()> {
    let scene = scene("", "ignore_when = \"json.kind == 'tick'\"\n").await?;
    let noise = [
        r#"{"type":"ping","ts":1700000000}"#,
        r#"{"event":"HeartBeat","seq":7}"#,
        "\"ping\"",
        "{}",
        "PING\n",
        " ",
    ];
    for text in noise {
        scene.server.push(USER, text);
    }
    scene.server.push(USER, r#"{"kind":"tick","text":"17"}"#);
    scene.server.push(USER, r#"{"type":"ping","text":"Wake up!"}"#);
    scene.marker("after").await?;
    let bodies: Vec<_> = scene.popups.popups().iter().map(|popup| popup.body.clone()).collect();
    assert_eq!(bodies, ["Wake up!", ""]);
    assert_eq!(scene.app.inbox()?.len(), 2);
    let counted =
        |status: &StatusReport| status.channels[0].dropped.is_some_and(|dropped| dropped.ignored == 7);
    scene.app.wait_for_status("told what was ignored", counted).await?;
    Ok(())
}

#[tokio::test]
async fn several_messages_of_one_frame_are_several_and_what_stands_around_them_is_passed_over()
-> anyhow::Result<()> {
    let scene = scene("", "").await?;
    scene.server.push(USER, "{\"title\": \"1\"}\n{\"title\": \"2\"}\n");
    scene.server.push(USER, "{\"title\": \"3\"}\0");
    scene.server.push(USER, "{\"title\": \"4\"}\u{1e}{\"title\": \"5\"}\u{1e}");
    scene.server.push(USER, r#"[{"title": "6"}, {"title": "7"}]"#);
    scene.server.push_binary(USER, br#"{"title": "8"}"#.to_vec());
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["1", "2", "3", "4", "5", "6", "7", "8", "after"]);
    Ok(())
}

#[tokio::test]
async fn a_message_that_shows_nothing_is_stored_and_calls_nobody() -> anyhow::Result<()> {
    let scene = scene("", "").await?;
    scene.server.push(USER, r#"{"id": 7, "title": " ", "body": ""}"#);
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["after"]);
    assert_eq!(scene.app.inbox()?.len(), 2);
    scene.app.wait_for_status("one unread", |status| status.unread == 1).await?;
    Ok(())
}

#[tokio::test]
async fn bytes_are_told_of_in_the_users_language() -> anyhow::Result<()> {
    for (language, told) in [("en", "Binary message, 33 bytes"), ("zh-CN", "二进制消息，33 字节")] {
        let scene = scene(&format!("language = \"{language}\"\n"), "").await?;
        scene.server.push_binary(USER, vec![0xff; 33]);
        scene.marker("after").await?;
        assert_eq!(scene.popups.popups()[0].body, told);
    }
    Ok(())
}
