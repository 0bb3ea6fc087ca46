use serde_json::json;
use tidings_tests::app::App;
use tidings_tests::scene::{Place, Scene, USER, channel};

#[tokio::test]
async fn an_apostrophe_is_one_whatever_entities_the_service_knows() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let body = "Don't forget: it's \"Ann's\" turn & Tom’s";
    scene.server.push_json(USER, &json!({ "title": "It's time", "body": body }));
    let popup = scene.popups.wait_for_title("It's time").await?;
    assert_eq!(popup.body, "Don't forget: it's \"Ann's\" turn &amp; Tom’s");
    Ok(())
}

#[tokio::test]
async fn where_a_body_is_no_markup_nothing_is_escaped() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER));
    let scene = Scene::around(server, &["body"], |bus| App::with_settings(settings).bus(bus)).await?;
    scene.connected().await?;
    let body = "It's <b>1 & 2</b> &amp; \"3\"";
    scene.server.push_json(USER, &json!({ "title": "plain", "body": body }));
    assert_eq!(scene.popups.wait_for_title("plain").await?.body, body);
    Ok(())
}

#[tokio::test]
async fn no_body_fills_the_screen_and_the_inbox_has_all_of_it() -> anyhow::Result<()> {
    let scene = Scene::with("[notifications]\nburst = 1000\n").await?;
    let lines: String = (1..=139).map(|line| format!("line {line}\n")).collect();
    let bodies = [
        lines.clone(),
        lines.replace('\n', "\n\n\n"),
        lines.replace('\n', "\r\n"),
        lines.replace('\n', "\u{2028}"),
        "word ".repeat(1_000),
        "x".repeat(1_000),
        "&<>".repeat(500),
        "新消息".repeat(500),
        format!("e{}", "\u{301}".repeat(9_000)),
    ];
    for (number, body) in bodies.iter().enumerate() {
        let title = number.to_string();
        scene.server.push_json(USER, &json!({ "title": title, "body": body }));
        let popup = scene.popups.wait_for_title(&title).await?;
        let seen = popup.body.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        assert!(seen.lines().count() <= 6 && seen.chars().count() <= 250, "{seen:?}");
        assert!(seen.lines().all(|line| !line.is_empty()), "{seen:?}");
        let longest = seen.split([' ', '\n']).map(|word| word.chars().filter(char::is_ascii).count()).max();
        assert!(longest <= Some(60), "{seen:?}");
        assert!(seen.len() < 1_000, "{seen:?}");
        assert!(!popup.body.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "").contains('&'));
    }
    let seen = scene.popups.wait_for_title("0").await?;
    assert_eq!(seen.body, "line 1\nline 2\nline 3\nline 4\nline 5\nline 6…");
    let seen = scene.popups.wait_for_title("4").await?;
    assert!(seen.body.ends_with("word word…"), "{:?}", seen.body);
    let stored = scene.app.inbox()?;
    assert!(stored[0].body.contains("line 139") && stored[5].body.len() == 1_000);
    Ok(())
}

#[tokio::test]
async fn a_title_is_one_line_of_a_width_that_a_screen_has() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.server.push_json(USER, &json!({ "title": "Order 17\u{2028}is on\nits way" }));
    scene.popups.wait_for_title("Order 17 is on its way").await?;
    scene.server.push_json(USER, &json!({ "title": "x".repeat(120) }));
    scene.popups.wait_for_title(&format!("{}…", "x".repeat(60))).await?;
    scene.server.push_json(USER, &json!({ "title": "新".repeat(120) }));
    scene.popups.wait_for_title(&format!("{}…", "新".repeat(39))).await?;
    Ok(())
}

#[tokio::test]
async fn labels_read_right_as_text_as_markup_and_as_html() -> anyhow::Result<()> {
    let scene = Scene::with("[notifications]\nburst = 1000\n").await?;
    let long = "Follow the parcel on its way to your door";
    for (label, shown) in [
        ("Accept & close", "Accept + close"),
        ("A_b <x>", "A_b ‹x›"),
        ("<h1>Hi</h1><s>you</s>", "‹h1›Hi‹/h1›‹s›you‹/s›"),
        ("<img src=https://a.example/>", "‹img…"),
        ("Fish &amp; chips", "Fish +amp; chips"),
        ("It's \"fine\"", "It's \"fine\""),
        ("接受并关闭", "接受并关闭"),
        (long, "Follow the parcel on…"),
        ("two\nlines", "two lines"),
        ("\u{200B}\u{2060}", "post.example"),
    ] {
        let action = json!([{ "label": label, "url": "https://post.example/17" }]);
        scene.server.push_json(USER, &json!({ "title": "Order 17", "actions": action }));
        let count = scene.popups.popups().len() + 1;
        let popup = scene.popups.wait_for(count).await?.pop().expect("a popup");
        let labels: Vec<_> = popup.actions.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["Open", shown]);
    }
    Ok(())
}

#[tokio::test]
async fn there_are_no_more_buttons_than_a_popup_is_wide() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let action = |number: u8| json!({ "label": format!("{number}"), "url": "https://post.example/" });
    let actions: Vec<_> = (1..=8).map(action).collect();
    scene.server.push_json(USER, &json!({ "title": "Order 17", "actions": actions }));
    let popup = scene.popups.wait_for_title("Order 17").await?;
    let labels: Vec<_> = popup.actions.iter().map(|(_, label)| label.as_str()).collect();
    assert_eq!(labels, ["Open", "1", "2", "3"]);
    Ok(())
}

#[tokio::test]
async fn the_icon_is_no_larger_than_a_popup_has_room_for() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.server.push_json(USER, &json!({ "title": "Order 17" }));
    let icon = &scene.popups.wait_for_title("Order 17").await?.icon;
    // Width and height of a PNG (RFC 2083, IHDR): a drawing without pixels is drawn at its own size by some.
    let picture = std::fs::read(icon)?;
    assert_eq!(&picture[1..4], b"PNG", "{icon}");
    assert_eq!((&picture[16..20], &picture[20..24]), (&64_u32.to_be_bytes()[..], &64_u32.to_be_bytes()[..]));
    Ok(())
}

/// fnott undoes escapes and then reads markup, in the title as well.
#[tokio::test]
async fn a_tag_is_text_where_the_service_undoes_escapes_too() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.popups.die().await?;
    scene.popups.is_called("fnott");
    scene.popups.come_back().await?;
    scene.server.push_json(USER, &json!({ "title": "<b>T</b> &amp;", "body": "<i>x</i> &lt;b> y" }));
    let popup = scene.popups.wait_for(1).await?.pop().expect("a popup");
    scene.server.push_json(USER, &json!({ "title": "long", "body": "word ".repeat(1_000) }));
    let long = scene.popups.wait_for_title("long").await?;
    assert!(long.body.lines().all(|line| line.chars().count() <= 60), "it breaks no lines: {:?}", long.body);
    let unescaped = popup.body.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    for text in [&popup.summary, &unescaped] {
        let tag = |name: &str| text.contains(&format!("<{name}>")) || text.contains(&format!("</{name}>"));
        assert!(!tag("b") && !tag("i") && !text.contains("&amp;") && !text.contains("&lt;"), "{text:?}");
    }
    assert_eq!(popup.summary.replace('\u{2060}', ""), "<b>T</b> &amp;");
    assert_eq!(unescaped.replace('\u{2060}', ""), "<i>x</i> &lt;b> y");
    Ok(())
}
