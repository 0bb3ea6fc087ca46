//! The window's page in a plain browser, over its second host: it tells every state in words and shape, offers
//! what makes sense, takes whatever text a server sends for text, and works by keyboard.

use std::fs;
use std::path::Path;

use serde_json::json;
use tidings_tests::browser::Page;

/// The window as it opens.
const WINDOW: (u32, u32) = (960, 640);
/// As narrow as it gets.
const NARROW: (u32, u32) = (360, 640);

/// The titles of the listed messages, top to bottom.
const TITLES: &str =
    "[...document.querySelectorAll('.message:not([hidden]) .title')].map(title => title.textContent)";

/// It stays within the window's width: nothing to scroll sideways.
const FITS: &str = "document.documentElement.scrollWidth <= innerWidth";

async fn page(scenario: &str, size: (u32, u32)) -> Page {
    Page::open(scenario, size).await.expect("the page opens")
}

async fn no_complaints(mut page: Page) {
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn each_state_has_its_shape_its_words_and_the_trays_commands() {
    let mut page = page("states", WINDOW).await;
    let rows = page
        .ask(
            "[...document.querySelectorAll('.channel')].map(row => [
                row.querySelector('.channel-name').textContent,
                row.querySelector('.channel-state').textContent,
                row.querySelector('use').getAttribute('href'),
                ...[...row.querySelectorAll('button:not([hidden])')].map(button => button.textContent)])",
        )
        .await
        .expect("rows");
    let expected = json!([
        ["Orders", "Connected since 11:48", "#shape-connected", "Disconnect"],
        ["Build", "Connecting", "#shape-working", "Disconnect"],
        [
            "Desk",
            "Reconnecting at 14:02:31: server restarting (1012)",
            "#shape-working",
            "Reconnect now",
            "Disconnect"
        ],
        ["Billing", "Disconnected", "#shape-off", "Connect"],
        ["Alerts", "Replaced by another tab or device since 14:02", "#shape-replaced", "Take over here"],
        ["Stock", "Sign-in refused (401)", "#shape-attention", "Connect", "Disconnect"],
    ]);
    assert_eq!(rows, expected);
    page.sees("commands for all", "!document.querySelector('#all-commands').hidden").await.expect("shown");
    no_complaints(page).await;
}

#[test]
fn the_pages_shapes_are_the_trays() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("ui/index.html")).expect("the page");
    for name in ["connected", "working", "off", "replaced", "attention"] {
        let icon = root.join(format!("icons/tray/hicolor/scalable/status/tidings-{name}.svg"));
        let icon = fs::read_to_string(icon).expect("the tray's icon");
        let path = icon.split('"').find(|part| part.starts_with('M')).expect("a path");
        let shape =
            page.lines().find(|line| line.contains(&format!("id=\"shape-{name}\""))).expect("a shape");
        assert!(shape.contains(path), "{name}");
    }
}

#[tokio::test]
async fn a_press_does_what_it_says_and_the_focus_stays_in_the_row() {
    let mut page = page("one", WINDOW).await;
    page.ask("document.querySelector('.channel button:not([hidden])').focus()").await.expect("a command");
    let state = "document.querySelector('.channel-state').textContent";
    page.key("Enter").await.expect("a key");
    page.sees("the state", &format!("{state} === 'Disconnected'")).await.expect("disconnected");
    page.sees("the focus", "document.activeElement.textContent === 'Connect'").await.expect("moved on");
    page.sees("the news for screen readers", "announcer.textContent === 'Orders: Disconnected'")
        .await
        .expect("announced");
    page.key("Enter").await.expect("a key");
    page.sees("the state", &format!("{state}.startsWith('Connected since ')")).await.expect("connected");
    no_complaints(page).await;
}

#[tokio::test]
async fn a_refusal_is_told_and_can_be_dismissed() {
    let mut page = page("refuses", WINDOW).await;
    page.press("Disconnect").await.expect("a press");
    page.sees("the reason", "document.querySelector('.banner').textContent.includes('too much to do')")
        .await
        .expect("told");
    page.press("Dismiss").await.expect("a press");
    page.sees("no banner", "!document.querySelector('.banner')").await.expect("dismissed");
}

#[tokio::test]
async fn hostile_text_is_text_and_breaks_no_layout() {
    let mut page = page("hostile", NARROW).await;
    page.sees("all messages", "document.querySelectorAll('.message').length === 6").await.expect("listed");
    page.ask("document.querySelectorAll('.title').forEach(title => title.click())").await.expect("opened");
    page.ask("document.querySelectorAll('summary').forEach(summary => summary.click())")
        .await
        .expect("opened");
    page.sees("the details", "document.querySelectorAll('.details').length === 6").await.expect("open");

    let markup = "<img src=x onerror=\"document.title=1\"><script>document.title=1</script>";
    for (what, selector) in [
        ("title", ".title"),
        ("body", ".body"),
        ("raw text", ".details pre"),
        ("notice", ".banner p"),
        ("channel", "li:nth-child(2) .channel-name"),
    ] {
        let text = page.ask(&format!("document.querySelector({}).textContent", json!(selector))).await;
        assert_eq!(text.expect("text"), json!(markup), "{what}");
    }
    let foreign =
        page.ask("document.querySelectorAll('main img, main script, main iframe, main a').length").await;
    assert_eq!(foreign.expect("a count"), 0);
    assert_eq!(page.ask("document.title").await.expect("a title"), "Tidings");
    assert_eq!(
        page.ask(TITLES).await.expect("titles")[3],
        "gnp.exe abc",
        "nothing turns its direction around"
    );
    assert_eq!(page.ask(FITS).await.expect("a width"), true);
    let longest =
        page.ask("Math.max(...[...document.querySelectorAll('.body')].map(body => body.textContent.length))");
    assert_eq!(longest.await.expect("a length"), 100_000, "cut");
    let tallest =
        "Math.max(...[...document.querySelectorAll('.title, .body, .channel')].map(one => one.offsetHeight))";
    let tallest = page.ask(tallest).await.expect("a height").as_f64().expect("pixels");
    assert!(tallest < 500.0, "{tallest} pixels");
    no_complaints(page).await;
}

#[tokio::test]
async fn search_finds_in_any_script_as_one_types_and_escape_ends_it() {
    let mut page = page("several", NARROW).await;
    let all = page.ask(TITLES).await.expect("titles");
    assert_eq!(all.as_array().map(Vec::len), Some(9));
    for (typed, expected) in [
        ("ORDER 1042", json!(["Order 1042 paid"])),
        ("夜间备份", json!(["备份完成"])),
        ("ليلى", json!(["طلب جديد"])),
        ("desk", json!(["Desk"])),
    ] {
        page.ask("search.focus()").await.expect("a field");
        page.write(typed).await.expect("typed");
        page.sees(typed, &format!("JSON.stringify({TITLES}) === JSON.stringify({expected})"))
            .await
            .expect("found");
        page.key("Escape").await.expect("a key");
        page.sees("all again", &format!("{TITLES}.length === 9 && search.value === ''"))
            .await
            .expect("cleared");
    }
    page.write("nothing has this").await.expect("typed");
    page.sees(
        "what to do",
        "document.querySelector('#messages-empty').innerText.includes('No message found')",
    )
    .await
    .expect("told");
    page.press("Clear search").await.expect("a press");
    page.sees("all again", &format!("{TITLES}.length === 9")).await.expect("cleared");
    assert_eq!(page.ask(FITS).await.expect("a width"), true);
    no_complaints(page).await;
}

#[tokio::test]
async fn messages_are_read_by_keyboard_alone() {
    let mut page = page("one", WINDOW).await;
    page.ask("search.focus()").await.expect("a field");
    for (key, title) in [
        ("ArrowDown", "Order 1044 paid"),
        ("ArrowDown", "Order 1043 waits for you"),
        ("ArrowUp", "Order 1044 paid"),
    ] {
        page.key(key).await.expect("a key");
        page.sees(title, &format!("document.activeElement.textContent === {}", json!(title)))
            .await
            .expect("reached");
    }
    page.key("Enter").await.expect("a key");
    page.sees("the details", "document.querySelector('.details dl').textContent.includes('Received')")
        .await
        .expect("open");
    page.sees("the state for screen readers", "document.activeElement.ariaExpanded === 'true'")
        .await
        .expect("told");
    page.key("Escape").await.expect("a key");
    page.sees("no details", "!document.querySelector('.details')").await.expect("closed");
    no_complaints(page).await;
}

#[tokio::test]
async fn a_gone_agent_is_told_and_can_be_started() {
    let mut page = page("leaves", WINDOW).await;
    page.sees(
        "the banner",
        "document.querySelector('.banner')?.textContent.includes('back end is not running')",
    )
    .await
    .expect("told");
    let commands = "[...document.querySelectorAll('#channels button')].filter(button => button.checkVisibility()).length";
    assert_eq!(page.ask(commands).await.expect("a count"), 0, "nothing is offered that can't be done");
    assert_eq!(page.ask(TITLES).await.expect("titles").as_array().map(Vec::len), Some(9), "messages stay");
    page.press("Start it").await.expect("a press");
    page.sees("all well", "!document.querySelector('.banner')").await.expect("back");
    page.sees(
        "the state",
        "document.querySelector('.channel-state').textContent === 'Connected since 11:48'",
    )
    .await
    .expect("connected");
    no_complaints(page).await;
}

#[tokio::test]
async fn an_agent_of_another_version_can_be_restarted() {
    let mut page = page("other_version", WINDOW).await;
    page.sees("the banner", "document.querySelector('.banner').textContent.includes('another version')")
        .await
        .expect("told");
    page.press("Restart it").await.expect("a press");
    page.sees("all well", "!document.querySelector('.banner')").await.expect("restarted");
    no_complaints(page).await;
}

#[tokio::test]
async fn where_nothing_is_yet_the_page_tells_what_to_do() {
    for (scenario, told) in [
        ("none", "# ~/.config/tidings/config.toml\n[[channel]]\n"),
        ("quiet", "No messages yet"),
        ("notice", "did you mean “token_command”?"),
    ] {
        let mut page = page(scenario, NARROW).await;
        page.sees(told, &format!("document.body.innerText.includes({})", json!(told))).await.expect("told");
        assert_eq!(page.ask(FITS).await.expect("a width"), true, "{scenario}");
        no_complaints(page).await;
    }
}

#[tokio::test]
async fn the_message_of_a_clicked_popup_is_opened_and_in_view() {
    let mut page = page("raise", WINDOW).await;
    page.sees("the message", "document.querySelector('.message.open')?.textContent.includes('Message 3')")
        .await
        .expect("open");
    page.sees(
        "it in view",
        "(box => box.top >= 0 && box.bottom <= innerHeight)\
         (document.querySelector('.message.open .title').getBoundingClientRect())",
    )
    .await
    .expect("in view");
    page.sees("the focus", "document.activeElement.textContent === 'Message 3'").await.expect("there");
    no_complaints(page).await;
}

#[tokio::test]
async fn of_a_burst_the_newest_two_hundred_are_kept_newest_first() {
    let mut page = page("burst", WINDOW).await;
    page.sees("the newest", &format!("{TITLES}[0] === 'Message 1000'")).await.expect("on top");
    let titles = page.ask(TITLES).await.expect("titles");
    let expected: Vec<String> = (801..=1000).rev().map(|number| format!("Message {number}")).collect();
    assert_eq!(titles, json!(expected));
    no_complaints(page).await;
}

#[tokio::test]
async fn two_hundred_messages_of_a_mebibyte_each_are_listed_though_no_answer_holds_them_all() {
    let mut page = page("huge", WINDOW).await;
    page.sees("all messages", &format!("{TITLES}.length === 200")).await.expect("listed");
    let laid_out = page.ask("document.querySelector('#message-list').textContent.length").await;
    let laid_out = laid_out.expect("a length").as_u64().expect("characters");
    assert!(laid_out < 200 * 1000, "{laid_out} characters");
    page.press("Message 200").await.expect("a press");
    page.sees("a word on the rest", "document.querySelector('.note')?.textContent.includes('100,000')")
        .await
        .expect("told");
    no_complaints(page).await;
}
