use serde_json::json;
use tidings_tests::app::{App, zone};
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::tray_host::Seen;
use tidings_tests::wait::eventually;

async fn three() -> anyhow::Result<Scene> {
    let server = Place::start().await?;
    let settings: String = [("Orders", "ann"), ("Night_shift", "bob"), ("Post", "cy")]
        .map(|(name, user)| channel(name, &server.url(user)))
        .concat();
    let scene = Scene::around(server, ABLE, |bus| App::with_settings(settings).bus(bus)).await?;
    scene.tray.wait_for("three connected channels", |item| states(item, "Connected since ") == 3).await?;
    Ok(scene)
}

/// How many of the channels' lines tell of this state.
fn states(item: &Seen, state: &str) -> usize {
    item.labels().iter().filter(|label| label.contains(&format!(": {state}"))).count()
}

#[tokio::test]
async fn each_channel_has_a_line_with_its_commands_and_all_have_theirs() -> anyhow::Result<()> {
    let scene = three().await?;
    let item = scene.tray.item().await?;
    for name in ["Orders: ", "Night_shift: ", "Post: "] {
        assert_eq!(item.choices_in(name), ["Disconnect"]);
    }
    assert_eq!(item.choices()[3..], ["Disconnect all", "Pause notifications", "Open Tidings", "Quit"]);
    let before = item.rows();

    scene.tray.click(&["Night_shift: ", "Disconnect"]).await?;
    let item = scene.tray.wait_for_label("Night_shift: Disconnected").await?;
    assert_eq!(item.choices_in("Night_shift: "), ["Connect"]);
    assert_eq!((states(&item, "Connected since "), item.icon.as_str()), (2, "tidings_off"));
    assert_eq!(item.rows(), before, "a menu that is open keeps its rows");

    scene.tray.click(&["Disconnect all"]).await?;
    let item = scene.tray.wait_for("all off", |item| states(item, "Disconnected") == 3).await?;
    assert!(!item.choices().contains(&"Disconnect all"));
    scene.tray.click(&["Connect all"]).await?;
    let item = scene.tray.wait_for("all on", |item| states(item, "Connected since ") == 3).await?;
    assert_eq!(item.icon, "tidings_connected");
    assert!(!item.choices().contains(&"Connect all"));
    assert_eq!(item.rows(), before);
    Ok(())
}

#[tokio::test]
async fn the_icon_tells_the_worst_of_all() -> anyhow::Result<()> {
    let scene = three().await?;
    scene.tray.click(&["Post: ", "Disconnect"]).await?;
    scene.tray.wait_for("off", |item| item.icon == "tidings_off").await?;
    let _other = scene.server.other_tab("bob").await?;
    scene.tray.wait_for("replaced", |item| item.icon == "tidings_replaced").await?;
    // To connect all is no take-over.
    scene.tray.click(&["Connect all"]).await?;
    let item = scene.tray.wait_for_label("Post: Connected since ").await?;
    assert!(item.shows("Night_shift: Replaced "), "{:?}", item.labels());
    scene.tray.click(&["Night_shift: ", "Take over here"]).await?;
    scene.tray.wait_for("connected", |item| item.icon == "tidings_connected").await?;
    Ok(())
}

#[tokio::test]
async fn a_pause_holds_all_but_the_urgent_back_and_ends_with_one_summary() -> anyhow::Result<()> {
    let scene = three().await?;
    scene.tray.click(&["Pause notifications", "For 1 hour"]).await?;
    let item = scene.tray.wait_for_label("Notifications paused until ").await?;
    let until = scene.app.status().await?.paused_until.expect("paused");
    let clock = until.to_zoned(zone()).strftime("%H:%M").to_string();
    assert!(item.label("Notifications paused")?.contains(&clock));

    scene.server.push_json("ann", &json!({ "title": "calm" }));
    scene.server.push_json("cy", &json!({ "title": "also calm" }));
    scene.app.wait_for_inbox("two messages", |stored| stored.len() == 2).await?;
    scene.server.push_json("bob", &json!({ "title": "on fire", "priority": 5 }));
    scene.popups.wait_for_title("on fire").await?;
    assert_eq!(scene.popups.titles(), ["on fire"]);

    scene.tray.click(&["Notifications paused", "Resume now"]).await?;
    scene.popups.wait_for_title("2 messages").await?;
    scene.tray.wait_for_label("Pause notifications").await?;
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["on fire", "2 messages", "after"]);
    assert_eq!(scene.app.status().await?.paused_until, None);
    Ok(())
}

#[tokio::test]
async fn a_pause_until_resumed_outlives_the_agent() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.tray.click(&["Pause notifications", "Until resumed"]).await?;
    scene.tray.wait_for_label("Notifications paused").await?;
    scene.app.restart(tidings_tests::app::Start::ByHand).await?;
    scene.connected().await?;
    scene.tray.wait_for_label("Notifications paused").await?;
    scene.server.push_json(USER, &json!({ "title": "calm" }));
    scene.app.wait_for_inbox("a message", |stored| stored.len() == 1).await?;
    scene.tray.click(&["Notifications paused", "Resume now"]).await?;
    scene.popups.wait_for_title("calm").await?;
    assert_eq!(scene.popups.titles(), ["calm"]);
    Ok(())
}

#[tokio::test]
async fn recent_lists_the_last_five_messages_and_opens_them() -> anyhow::Result<()> {
    let scene = three().await?;
    let before = scene.tray.item().await?;
    assert!(!before.choices().contains(&"Recent"), "nothing came yet");
    for number in 1..=6 {
        scene.server.push_json(USER, &json!({ "title": format!("no_{number}"), "silent": true }));
    }
    let item = scene.tray.wait_for("six messages", |item| item.labels_in("Recent").contains(&"no_6")).await?;
    assert_eq!(item.choices_in("Recent"), ["no_6", "no_5", "no_4", "no_3", "no_2"]);
    assert_eq!(item.rows(), before.rows(), "a menu that is open keeps its rows");
    scene.tray.click(&["Recent", "no_4"]).await?;
    let window = eventually("the window", || scene.app.opened_windows().first().cloned()).await?;
    assert_eq!(window, "--message 4|");
    Ok(())
}

#[tokio::test]
async fn the_command_line_pauses_and_resumes_as_the_menu_does() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let before = jiff::Timestamp::now();
    assert_eq!(scene.app.run(&["pause", "1h"]).await?.code, Some(0));
    scene.tray.wait_for_label("Notifications paused until ").await?;
    let until = scene.app.status().await?.paused_until.expect("paused");
    assert!(until.duration_since(before) >= jiff::SignedDuration::from_hours(1));

    let wrong = scene.app.run(&["pause", "soon"]).await?;
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("tidings pause 1h"), "{}", wrong.stderr);

    assert_eq!(scene.app.run(&["resume"]).await?.code, Some(0));
    scene.tray.wait_for_label("Pause notifications").await?;
    assert_eq!(scene.app.status().await?.paused_until, None);
    Ok(())
}
