use serde_json::json;
use tidings_tests::app::App;
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::wait::eventually;

#[tokio::test]
async fn a_message_pops_up_exactly_once_with_its_title_and_body() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.server.push_json(USER, &json!({ "title": "Order 17", "body": "Two lamps,\nthree chairs" }));
    scene.marker("that is all").await?;

    let popups = scene.popups.wait_for(2).await?;
    assert_eq!(scene.popups.titles(), ["Order 17", "that is all"]);
    let popup = &popups[0];
    assert_eq!(popup.body, "Two lamps,\nthree chairs");
    assert_eq!(popup.app_name, "Tidings");
    assert_eq!(popup.text_hint("desktop-entry"), Some("tidings"));
    assert_eq!((popup.replaces, popup.timeout), (0, -1));
    assert!(std::fs::metadata(&popup.icon)?.is_file(), "the icon {} is a file", popup.icon);

    let stored = scene.app.wait_for_inbox("two shown messages", |stored| {
        stored.len() == 2 && stored.iter().all(|message| message.state == "shown")
    });
    assert_eq!(stored.await?[0].title, "Order 17");
    scene
        .tray
        .wait_for("the dot for unread messages", |item| item.icon == "tidings_connected_unread")
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_plain_text_is_told_under_the_name_of_its_channel() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.server.push(USER, "你好，世界");
    let popup = scene.popups.wait_for_title("Orders").await?;
    assert_eq!(popup.body, "你好，世界");
    Ok(())
}

#[tokio::test]
async fn protocol_noise_is_no_message() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    for noise in ["HeartBeat", "ping", "pong", ""] {
        scene.server.push(USER, noise);
    }
    scene.marker("a message").await?;
    assert_eq!(scene.popups.titles(), ["a message"]);
    assert_eq!(scene.app.inbox()?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_id_that_comes_again_on_a_link_is_news_each_time() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    for _ in 0..3 {
        scene.server.push(USER, r#"{"id": "front-door", "title": "Doorbell"}"#);
    }
    scene.server.push(USER, r#"{"id": "front-door", "title": "Door opened"}"#);
    scene.marker("that is all").await?;
    let told = ["Doorbell", "Doorbell", "Doorbell", "Door opened", "that is all"];
    assert_eq!(scene.popups.titles(), told);
    assert_eq!(scene.app.inbox()?.len(), told.len());
    Ok(())
}

#[tokio::test]
async fn urgency_follows_priority() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    for priority in 1..=5 {
        scene.server.push_json(USER, &json!({ "title": "x", "priority": priority }));
    }
    let popups = scene.popups.wait_for(5).await?;
    let urgencies: Vec<_> = popups.iter().filter_map(|popup| popup.urgency()).collect();
    assert_eq!(urgencies, [0, 0, 1, 1, 2]);
    Ok(())
}

#[tokio::test]
async fn markup_is_told_as_text_whatever_the_service_reads() -> anyhow::Result<()> {
    for (able, body) in [
        (ABLE, "&lt;a href=\"file:///\"&gt;x&lt;/a&gt; &amp;amp; y"),
        (&["body", "actions"][..], "<a href=\"file:///\">x</a> &amp; y"),
    ] {
        let server = Place::start().await?;
        let settings = channel("Orders", &server.url(USER));
        let scene = Scene::around(server, able, |bus| App::with_settings(settings).bus(bus)).await?;
        scene.connected().await?;
        let text = r#"<a href="file:///">x</a> &amp; y"#;
        scene.server.push_json(USER, &json!({ "title": "<b>bold</b>", "body": text }));
        let popup = scene.popups.wait_for_title("<b>bold</b>").await?;
        assert_eq!(popup.body, body);
    }
    Ok(())
}

#[tokio::test]
async fn text_that_plays_tricks_is_told_plain_and_no_longer_than_a_popup_is() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let tricks = "\u{202e}evil\u{2066}\n\r\n\t\u{7}\u{1b}[31m\u{0}".to_owned();
    let long = tricks.clone() + &"long ".repeat(20_000);
    scene.server.push_json(USER, &json!({ "title": long, "body": long, "id": "long" }));
    scene.server.push(USER, long.clone());
    let popups = scene.popups.wait_for(2).await?;
    scene.server.push_json(USER, &json!({ "title": "\u{202e}\u{2066}", "body": "of nothing but tricks" }));
    let nameless = scene.popups.wait_for(3).await?.pop().expect("the third");
    assert_eq!(nameless.summary, "Orders", "a title that nobody sees is none");
    assert!(popups[0].summary.starts_with("evil"), "{:?}", popups[0].summary);
    for popup in &popups {
        let trick = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!popup.summary.contains(|c: char| trick(c) || c.is_control()), "{:?}", popup.summary);
        let nasty = |c: char| trick(c) || (c.is_control() && c != '\n' && c != '\t');
        assert!(!popup.body.contains(nasty), "{:?}", popup.body);
        assert!(popup.summary.chars().count() <= 80 && popup.body.chars().count() <= 250);
        assert!(popup.body.ends_with('…'), "{:?}", popup.body);
    }
    let stored = scene.app.wait_for_inbox("all", |stored| stored.len() == 3).await?;
    assert!(stored[0].title.len() > 100_000 && stored[1].body.len() > 100_000, "the inbox has all of it");
    Ok(())
}

#[tokio::test]
async fn without_buttons_and_clicks_popups_still_take_the_place_of_older_ones() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER));
    let scene = Scene::around(server, &["body"], |bus| App::with_settings(settings).bus(bus)).await?;
    scene.connected().await?;
    let action = json!([{ "label": "Track", "url": "https://post.example/" }]);
    for title in ["40 %", "80 %"] {
        scene.server.push_json(USER, &json!({ "title": title, "tag": "upload", "actions": action }));
    }
    let popups = scene.popups.wait_for(2).await?;
    assert!(popups.iter().all(|popup| popup.actions.is_empty()), "{popups:?}");
    assert_eq!(popups[1].replaces, popups[0].id);
    Ok(())
}

#[tokio::test]
async fn a_thousand_popups_waiting_for_a_click_cost_neither_threads_nor_connections() -> anyhow::Result<()> {
    const MANY: usize = 1_000;
    // As good as no flood control.
    let mut scene = Scene::with("[notifications]\nburst = 1000\nrefill = \"1ms\"\n").await?;
    scene.marker("before").await?;
    let process = format!("/proc/{}", scene.app.id()?);
    let count = |what: &str| Ok::<_, std::io::Error>(std::fs::read_dir(format!("{process}/{what}"))?.count());
    let before = (count("task")?, count("fd")?);
    // So few at a time that each is shown by itself.
    for first in (1..=MANY).step_by(50) {
        for number in first..first + 50 {
            let url = format!("https://shop.example/{number}");
            scene.server.push_json(USER, &json!({ "title": number.to_string(), "url": url }));
        }
        scene.popups.wait_for(first + 50).await?;
    }
    let (threads, files) = (count("task")?, count("fd")?);
    assert!(threads <= before.0 + 1 && files <= before.1 + 4, "{before:?}, then {threads} and {files}");
    let oldest = &scene.popups.popups()[1];
    scene.popups.click(oldest.id, "default", None).await?;
    eventually("the browser", || scene.app.opened_links().first().cloned()).await?;
    assert_eq!(scene.app.opened_links(), ["https://shop.example/1"]);
    Ok(())
}

#[tokio::test]
async fn a_private_channel_tells_no_more_than_it_may() -> anyhow::Result<()> {
    let message = json!({
        "title": "Diagnosis", "body": "secret", "actions": [{ "label": "secret", "url": "https://a.example/" }]
    });
    for (show, title, body) in [("title", "Diagnosis", ""), ("nothing", "Orders", "New message")] {
        let scene = Scene::with(&format!("show = {show:?}\nresume = \"since\"\n")).await?;
        scene.server.push_json(USER, &message);
        let popup = scene.popups.wait_for_title(title).await?;
        assert_eq!(popup.body, body);
        assert!(!format!("{popup:?}").contains("secret"), "{popup:?}");
        assert_eq!(scene.app.inbox()?[0].body, "secret", "the inbox has all of it");
        // Nor does a summary, here of what came while the link was down.
        scene.server.drop_links(USER);
        for _ in 0..3 {
            scene.server.push_json(USER, &json!({ "title": title, "body": "secret" }));
        }
        let summary = scene.popups.wait_for_title("3 messages from Orders").await?;
        assert_eq!(summary.body, title);
    }
    Ok(())
}

#[tokio::test]
async fn a_newer_message_of_the_same_tag_takes_the_popups_place() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.server.push_json(USER, &json!({ "title": "40 %", "tag": "upload" }));
    scene.server.push_json(USER, &json!({ "title": "something else", "tag": "other" }));
    scene.server.push_json(USER, &json!({ "title": "80 %", "tag": "upload" }));
    let popups = scene.popups.wait_for(3).await?;
    assert_eq!((popups[0].replaces, popups[1].replaces), (0, 0));
    assert_eq!(popups[2].replaces, popups[0].id);

    // One that the user closed leaves no place to take.
    scene.popups.click(popups[1].id, "default", None).await?;
    eventually("the window", || scene.app.opened_windows().first().cloned()).await?;
    scene.server.push_json(USER, &json!({ "title": "again", "tag": "other" }));
    assert_eq!(scene.popups.wait_for_title("again").await?.replaces, 0);
    Ok(())
}

#[tokio::test]
async fn a_click_opens_the_messages_link_and_a_button_its_own() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.server.push_json(
        USER,
        &json!({ "title": "Order 17", "url": "https://shop.example/17?a=b&c=d", "actions": [
            { "label": "Track", "url": "https://post.example/17" },
            { "label": "Evil", "url": "javascript:alert(1)" },
            { "label": "Write", "url": "mailto:shop@shop.example" },
        ]}),
    );
    let popup = scene.popups.wait_for_title("Order 17").await?;
    let labels: Vec<_> = popup.actions.iter().map(|(_, label)| label.as_str()).collect();
    assert_eq!(labels, ["Open", "Track", "Write"]);
    assert_eq!(popup.actions[0].0, "default");
    // Buttons first: with the click the popup ends.
    scene.popups.click(popup.id, &popup.actions[2].0, None).await?;
    eventually("the browser", || scene.app.opened_links().first().cloned()).await?;
    assert_eq!(scene.app.opened_links(), ["mailto:shop@shop.example"]);

    scene.server.push_json(USER, &json!({ "title": "Order 18", "url": "https://shop.example/18?a=b&c=d" }));
    let popup = scene.popups.wait_for_title("Order 18").await?;
    scene.popups.click(popup.id, "default", None).await?;
    eventually("the browser", || scene.app.opened_links().get(1).cloned()).await?;
    assert_eq!(scene.app.opened_links()[1], "https://shop.example/18?a=b&c=d");
    assert!(scene.app.opened_windows().is_empty());
    scene.app.wait_for_inbox("both read", |stored| stored.iter().all(|message| !message.unread)).await?;
    scene.tray.wait_for("no dot any more", |item| item.icon == "tidings_connected").await?;
    Ok(())
}

#[tokio::test]
async fn a_link_that_is_no_web_or_mail_address_is_never_opened() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let links = ["javascript:alert(1)", "file:///etc/passwd", "-h", "vbscript:x"];
    for link in links {
        scene.server.push_json(USER, &json!({ "title": link, "url": link }));
        let popup = scene.popups.wait_for_title(link).await?;
        scene.popups.click(popup.id, "default", Some("a-token")).await?;
    }
    // The window opens instead, at the message and with the desktop's leave to take the focus.
    eventually("the window", || scene.app.opened_windows().first().cloned()).await?;
    assert_eq!(scene.app.opened_windows(), ["--message 1|a-token"]);

    // A marker behind the clicks: one that does open something.
    scene.server.push_json(USER, &json!({ "title": "good", "url": "https://a.example/" }));
    let popup = scene.popups.wait_for_title("good").await?;
    scene.popups.click(popup.id, "default", None).await?;
    eventually("the browser", || scene.app.opened_links().first().cloned()).await?;
    assert_eq!(scene.app.opened_links(), ["https://a.example/"]);
    Ok(())
}
