use jiff::Timestamp;
use serde_json::{Value, json};
use tidings_tests::app::App;
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};

async fn status(scene: &Scene) -> anyhow::Result<Value> {
    let output = scene.app.run(&["status", "--json"]).await?;
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(output.stdout.lines().count(), 1, "one line: {output:?}");
    Ok(serde_json::from_str(&output.stdout)?)
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn time(value: &Value) -> Timestamp {
    let text = value.as_str().expect("a time");
    assert!(text.ends_with('Z'), "UTC: {text}");
    text.parse().expect("RFC 3339")
}

#[tokio::test]
async fn status_has_the_keys_and_values_that_scripts_rely_on() -> anyhow::Result<()> {
    let before = Timestamp::now();
    let scene = Scene::start().await?;
    scene.marker("one").await?;
    scene.tray.wait_for("a dot", |item| item.icon == "tidings_connected_unread").await?;
    let told = status(&scene).await?;
    assert_eq!(
        keys(&told),
        sorted(["version", "language", "theme", "paused_until", "unread", "notices", "channels"])
    );
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&told["paused_until"], &told["unread"]), (&Value::Null, &json!(1)));
    assert_eq!((&told["language"], &told["theme"]), (&json!("en"), &json!("auto")));
    assert_eq!(told["notices"], json!([]));

    let channel = &told["channels"][0];
    assert_eq!(
        keys(channel),
        sorted([
            "id",
            "name",
            "url",
            "state",
            "since",
            "attempt",
            "carrier",
            "retry_at",
            "cause",
            "last_close",
            "rtt_ms",
            "sends",
            "answers_pings",
            "idle_limit",
            "kind",
            "last_inbound",
            "links_opened",
            "unread",
            "demo",
        ])
    );
    assert_eq!((&channel["id"], &channel["name"]), (&json!("orders"), &json!("Orders")));
    let url = format!("ws://{}/ws/user-channel?user=***", scene.server.addr());
    assert_eq!(channel["url"], url, "a query may hold a secret");
    assert_eq!((&channel["state"], &channel["attempt"]), (&json!("connected"), &json!(0)));
    assert_eq!((&channel["links_opened"], &channel["unread"]), (&json!(1), &json!(1)));
    for key in ["retry_at", "cause", "last_close", "idle_limit"] {
        assert_eq!(channel[key], Value::Null, "{key}");
    }
    let now = Timestamp::now();
    assert!((before..=now).contains(&time(&channel["since"])));
    assert!((before..=now).contains(&time(&channel["last_inbound"])));
    assert!(channel["rtt_ms"].as_f64().is_some_and(|rtt| rtt > 0.0 && rtt < 10_000.0), "{channel}");
    assert_eq!(channel["answers_pings"], true);
    Ok(())
}

fn sorted<const N: usize>(mut keys: [&str; N]) -> [&str; N] {
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn status_tells_how_the_last_link_ended_and_when_the_next_one_starts() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.server.close(USER, 1013, "try later");
    scene.tray.wait_for_label("Reconnecting at ").await?;
    let channel = &status(&scene).await?["channels"][0];
    assert_eq!(channel["state"], "waiting");
    assert_eq!(channel["last_close"], json!({ "code": 1013, "reason": "try later" }));
    assert_eq!(channel["cause"], "server busy (1013)");
    assert!(time(&channel["retry_at"]) > Timestamp::now());

    let _other = scene.server.other_tab(USER).await?;
    scene.tray.click(&["Reconnect now"]).await?;
    scene.connected().await?;
    let _newer = scene.server.other_tab(USER).await?;
    scene.tray.wait_for_label("Replaced ").await?;
    let channel = &status(&scene).await?["channels"][0];
    assert_eq!((&channel["state"], &channel["last_close"]["code"]), (&json!("replaced"), &json!(4500)));
    assert_eq!(channel["retry_at"], Value::Null);
    assert_eq!(channel["links_opened"], 2);

    scene.tray.click(&["Take over here"]).await?;
    scene.connected().await?;
    scene.tray.click(&["Disconnect"]).await?;
    scene.tray.wait_for_label("Disconnected").await?;
    let output = scene.app.run(&["status"]).await?;
    assert!(output.stdout.starts_with("Orders: disconnected since "), "{output:?}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_answers_no_ping_is_said_to_be_uncheckable() -> anyhow::Result<()> {
    let server = Place::start().await?;
    server.answer_pings(false);
    let settings =
        channel("Orders", &server.url(USER)) + "liveness = { ping_after = \"1s\", deadline = \"500ms\" }\n";
    let scene = Scene::around(server, ABLE, |bus| App::with_settings(settings).bus(bus)).await?;
    scene
        .tray
        .wait_for("a word of it", |item| {
            item.labels().iter().any(|label| label.ends_with("(can't be checked)"))
        })
        .await?;
    let channel = &status(&scene).await?["channels"][0];
    assert_eq!((&channel["answers_pings"], &channel["rtt_ms"]), (&json!(false), &Value::Null), "{channel}");
    Ok(())
}
