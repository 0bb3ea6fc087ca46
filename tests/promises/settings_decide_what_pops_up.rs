use std::time::Duration;

use jiff::civil::Time;
use serde_json::json;
use tidings_tests::app::{App, zone};
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};
use zbus::zvariant::Value;

#[tokio::test]
async fn a_channels_mapping_and_rules_say_what_is_shown_and_how() -> anyhow::Result<()> {
    let scene = Scene::with(
        r#"
        [channel.mapping]
        title = "/payload/subject"
        body = "{{ payload.who }}: {{ payload.text }}"
        [[channel.rule]]
        when = "priority >= 4"
        then = "notify"
        urgency = "critical"
        sound = "message-new-instant"
        [[channel.rule]]
        when = "'noise' in title"
        then = "store"
        [[channel.rule]]
        when = "json.payload.who == 'bob'"
        then = "silent"
        urgency = "low"
        "#,
    )
    .await?;
    let push = |subject: &str, who: &str, priority: u8| {
        let payload = json!({ "subject": subject, "who": who, "text": "hi" });
        scene.server.push_json(USER, &json!({ "payload": payload, "priority": priority, "silent": true }));
        scene.server.push_json(USER, &json!({ "payload": payload, "priority": priority }));
    };
    push("noise", "ann", 3);
    push("calm", "bob", 3);
    push("noise on fire", "ann", 4);
    scene.marker("that is all").await?;
    let shown: Vec<_> = scene
        .popups
        .popups()
        .iter()
        .map(|popup| {
            let silent = popup.hints.get("suppress-sound").is_some_and(|hint| **hint == Value::Bool(true));
            let sound = popup.text_hint("sound-name").map(str::to_owned);
            (popup.summary.clone(), popup.body.clone(), popup.urgency(), sound, silent)
        })
        .collect();
    let popup = |title: &str, body: &str, urgency, sound: Option<&str>, silent| {
        (title.to_owned(), body.to_owned(), Some(urgency), sound.map(str::to_owned), silent)
    };
    let calm = popup("calm", "bob: hi", 0, None, true);
    let fire = popup("noise on fire", "ann: hi", 2, Some("message-new-instant"), false);
    assert_eq!(shown, [calm.clone(), calm, fire.clone(), fire, popup("that is all", "", 1, None, false)]);
    assert_eq!(scene.app.inbox()?.len(), 7, "the inbox has all of them");
    Ok(())
}

#[tokio::test]
async fn quiet_hours_hold_all_but_the_critical_back_until_they_end() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let channel = channel("Orders", &server.url(USER));
    let now = jiff::Timestamp::now().to_zoned(zone()).time();
    let hour = |time: Time| time.strftime("%H:%M").to_string();
    let (from, to) = (now.wrapping_sub(HOUR), now.wrapping_add(HOUR));
    let quiet = format!(
        "[notifications]\nquiet_hours = [{{ days = \"mon-sun\", from = \"{}\", to = \"{}\" }}]\n{channel}",
        hour(from),
        hour(to)
    );
    let scene = Scene::around(server, ABLE, |bus| App::with_settings(quiet).bus(bus)).await?;
    scene.connected().await?;
    for title in ["one", "two"] {
        scene.server.push_json(USER, &json!({ "title": title }));
    }
    scene.app.wait_for_inbox("both", |stored| stored.len() == 2).await?;
    scene.server.push_json(USER, &json!({ "title": "on fire", "priority": 5 }));
    scene.popups.wait_for_title("on fire").await?;
    assert_eq!(scene.popups.titles(), ["on fire"]);
    // As good as the end of the hours.
    scene.app.write_settings(&channel)?;
    scene.popups.wait_for_title("2 messages from Orders").await?;
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["on fire", "2 messages from Orders", "after"]);
    Ok(())
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn no_more_is_kept_than_the_settings_say() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = format!("[inbox]\nkeep_messages = 3\n{}", channel("Orders", &server.url(USER)));
    let scene = Scene::around(server, ABLE, |bus| App::with_settings(settings).bus(bus)).await?;
    scene.connected().await?;
    for number in 0..8 {
        scene.server.push_json(USER, &json!({ "title": number.to_string(), "silent": true }));
    }
    let newest = ["5", "6", "7"];
    scene
        .app
        .wait_for_inbox("the newest", |stored| stored.iter().map(|message| message.title.as_str()).eq(newest))
        .await?;
    assert_eq!(scene.app.status().await?.unread, 3);
    Ok(())
}
