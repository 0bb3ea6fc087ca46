use serde_json::{Value, json};
use tidings_server::Options;
use tidings_tests::web::{Page, Web, json as answer};
use tidings_tests::window::Desk;

/// ntfy is a double here.
#[tokio::test]
async fn a_message_that_is_written_in_the_window_goes_to_the_channels_server() -> anyhow::Result<()> {
    let nothing = Page { path: "", status: 404, headers: String::new(), body: String::new() };
    let ntfy = Web::start(vec![answer("/", "{\"id\":\"x\"}")], nothing).await?;
    let settings = |_: &_| {
        let channel = "[[channel]]\nname = \"Alerts\"\nkind = \"ntfy\"\nenabled = false\ntopics = [\"alerts\", \"backup\"]\n";
        format!("{channel}url = \"{}\"\ntoken_command = \"echo s3cret\"\n", ntfy.at(""))
    };
    let desk = Desk::start_with(Options::default(), settings, false).await?;
    let page = desk.open_page().await?;
    page.go("#channels").await?;
    page.shows("Alerts").await?;
    page.script("return document.querySelector('a[href=\"#send/alerts\"]').click()").await?;
    page.shows("Send by Alerts").await?;
    page.fill("[data-key=title] input", "Disk").await?;
    page.fill("[data-key=text] textarea", "is full").await?;
    page.click("Send").await?;
    page.shows("Sent to alerts at ").await?;
    let asked = ntfy.asked();
    assert!(asked[0].headers.contains("authorization: bearer s3cret\r\n"), "{asked:?}");
    let sent: Value = serde_json::from_str(&asked[0].body)?;
    assert_eq!(sent, json!({"topic": "alerts", "title": "Disk", "message": "is full"}));
    page.close().await
}
