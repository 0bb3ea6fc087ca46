use serde_json::json;
use tidings_api::{HistoryQuery, Reply, Request};
use tidings_tests::app::App;
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::wait::eventually;

const MARKDOWN: &str = "format = \"markdown\"\n";
const SOURCE: &str = "# Disk **full** & *hot*\n\n- see [the log](https://shop.example/log?a&b)\n- ![a <b>cat</b>](https://shop.example/cat.png)\n\
                      <script>x</script>";
const TEXT: &str = "Disk full & hot\n\n• see the log (https://shop.example/log?a&b)\n• [a <b>cat</b>] (https://shop.example/cat.png)\n\n\
                    <script>x</script>";

/// A desk with a notification service that can do this.
async fn scene(able: &'static [&'static str]) -> anyhow::Result<Scene> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER)) + MARKDOWN;
    let scene = Scene::around(server, able, |bus| App::with_settings(settings).bus(bus)).await?;
    scene.connected().await?;
    Ok(scene)
}

#[tokio::test]
async fn a_popup_has_the_marks_that_it_can_show_and_all_else_is_text() -> anyhow::Result<()> {
    let scene = scene(ABLE).await?;
    scene.server.push_json(USER, &json!({ "title": "**Order** 17", "body": SOURCE }));
    let body = &scene.popups.wait_for_title("**Order** 17").await?.body;
    assert_eq!(
        body,
        "<b>Disk full &amp; </b><b><i>hot</i></b>\n• see <u>the log</u> (https://shop.example/log?a&amp;b)\n\
         • <u>[a &lt;b&gt;cat&lt;/b&gt;]</u> (https://shop.example/cat.png)\n&lt;script&gt;x&lt;/script&gt;"
    );
    Ok(())
}

#[tokio::test]
async fn where_a_body_is_no_markup_the_popup_has_plain_text() -> anyhow::Result<()> {
    let scene = scene(&["body"]).await?;
    scene.server.push_json(USER, &json!({ "title": "Order 17", "body": SOURCE }));
    assert_eq!(scene.popups.wait_for_title("Order 17").await?.body, TEXT.replace("\n\n", "\n"));
    Ok(())
}

#[tokio::test]
async fn a_body_is_markdown_only_where_the_channel_says_so() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.server.push_json(USER, &json!({ "title": "Order 17", "body": "2 * 3 * 4 _x_" }));
    assert_eq!(scene.popups.wait_for_title("Order 17").await?.body, "2 * 3 * 4 _x_");
    Ok(())
}

#[tokio::test]
async fn a_terminal_has_plain_text_a_program_the_source_and_the_window_a_tree() -> anyhow::Result<()> {
    let scene = scene(ABLE).await?;
    scene.server.push_json(USER, &json!({ "title": "Order 17", "body": SOURCE }));
    scene.marker("after").await?;
    let tail = ["tail", "--no-follow", "--since", "1h"];
    let told = scene.app.command().args(tail).output().await?;
    assert!(String::from_utf8(told.stdout)?.contains(&format!("Order 17\n{TEXT}\n")));
    let told = scene.app.command().args(tail).arg("--json").output().await?;
    let lines = String::from_utf8(told.stdout)?;
    let line: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap_or_default())?;
    assert_eq!((&line["format"], &line["body"]), (&json!("markdown"), &json!(SOURCE)));

    let search = Some("script".to_owned());
    let query = HistoryQuery { limit: 9, search, ..HistoryQuery::default() };
    let Reply::History { messages } = scene.app.ask(&Request::History(query)).await? else {
        anyhow::bail!("no history");
    };
    let rich = messages[0].rich.as_ref().expect("a tree");
    assert_eq!(rich.text, TEXT);
    assert_eq!(rich.links, ["https://shop.example/log?a&b", "https://shop.example/cat.png"]);
    Ok(())
}

#[tokio::test]
async fn the_window_opens_a_link_of_the_message_and_no_other() -> anyhow::Result<()> {
    let scene = scene(ABLE).await?;
    let body = "[a](https://shop.example/a) [run](file:///bin/sh) [b](https://shop.example/b)";
    scene.server.push_json(USER, &json!({ "title": "Order 17", "body": body }));
    scene.popups.wait_for_title("Order 17").await?;
    let open = async |link| scene.app.ask(&Request::OpenLink { message: 1, link }).await;
    for (link, there) in [(None, false), (Some(2), false), (Some(u32::MAX), false), (Some(1), true)] {
        let done = matches!(open(link).await, Ok(Reply::Done { .. }));
        assert_eq!(done, there, "{link:?}");
    }
    eventually("the browser", || (!scene.app.opened_links().is_empty()).then_some(())).await?;
    assert_eq!(scene.app.opened_links(), ["https://shop.example/b"]);
    Ok(())
}
