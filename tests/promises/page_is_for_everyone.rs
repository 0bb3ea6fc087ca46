//! The window's pages in a plain browser: readable by screen readers, in both themes and languages, at every width,
//! by keyboard alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tidings_tests::browser::Page;
use tidings_tests::skip::skipped;

/// All places of the window, and scenarios in which they look different.
const PLACES: [&str; 25] = [
    "several",
    "one",
    "none",
    "hostile",
    "markdown",
    "pushed",
    "pictures",
    "notice",
    "states#channels",
    "gap#channels",
    "add",
    "several#channels/orders",
    "spoken#channels",
    "spoken#channels/app",
    "spoken#channels/alerts",
    "spoken#channels/shop",
    "spoken#channels/home",
    "sending#channels",
    "sending#send/alerts",
    "sending#send/push",
    "hostile#channels",
    "states#health/desk",
    "spoken#health/shop",
    "several#settings",
    "notice#settings",
];

fn address(place: &str, more: &str) -> String {
    let place = if place == "add" { "several#add" } else { place };
    let (scenario, hash) = place.split_once('#').unwrap_or((place, ""));
    format!("{scenario}{more}#{hash}")
}

/// Everything that opens is open, and what is fetched is there.
const OPENED: &str = "(() => {
    document.querySelectorAll('details').forEach(part => part.open = true);
    document.querySelectorAll('.title').forEach((title, place) => place < 2 && title.ariaExpanded === 'false' && title.click());
    const add = [...document.querySelectorAll('.rows-field > button')];
    add.filter(button => button.previousElementSibling.childElementCount === 0).forEach(button => button.click());
    return document.querySelector('h1, h2') && !document.querySelector('[aria-busy=true]');
})()";

/// The checker, from npm; `cargo xtask test` fetches it with the page's other tools.
fn axe() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/page-tools");
    let file: PathBuf = folder.join("node_modules/axe-core/axe.min.js");
    if !file.is_file() {
        let npm = Command::new("npm")
            .args(["install", "--no-save", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg("axe-core@4.14.1")
            .output();
        // Without npm there is no checker.
        npm.ok()?;
    }
    Some(fs::read_to_string(file).expect("npm brought the checker"))
}

#[tokio::test]
async fn a_checker_of_accessibility_finds_nothing_on_any_page_in_either_theme_and_language() {
    let Some(axe) = axe() else {
        skipped("the checker comes by npm, which is not there");
        return;
    };
    let mut page = Page::open("several", (960, 900)).await.expect("the page opens");
    let mut violations = Vec::new();
    for place in PLACES {
        for (theme, language) in [("light", "en"), ("dark", "en"), ("light", "zh-CN"), ("dark", "zh-CN")] {
            let address = address(place, &format!("&theme={theme}&language={language}"));
            page.visit(&address).await.expect("the page");
            page.sees("the page", OPENED).await.expect("shown");
            page.ask(&format!("void (() => {{ {axe} }})()")).await.expect("the checker");
            // Fading and turning parts have colours of their own.
            page.ask("Promise.all(document.getAnimations().map(one => one.finished.catch(() => {})))")
                .await
                .expect("at rest");
            let found = page
                .ask(
                    "axe.run(document, { resultTypes: ['violations'] }).then(result => result.violations.map(one =>
                        `${one.id}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 200) + ' ' + node.failureSummary).join('; ')}`))",
                )
                .await
                .expect("an answer");
            let found = found.as_array().expect("a list").iter();
            violations.extend(found.map(|one| format!("{address}: {}", one.as_str().unwrap_or_default())));
        }
    }
    assert_eq!(violations, [] as [String; 0]);
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn nothing_has_to_be_scrolled_sideways_at_any_width() {
    let mut page = Page::open("several", (960, 640)).await.expect("the page opens");
    for place in PLACES {
        for language in ["en", "zh-CN"] {
            page.visit(&address(place, &format!("&language={language}"))).await.expect("the page");
            page.sees("the page", OPENED).await.expect("shown");
            // The last is 960 pixels at 200 %.
            for width in [360, 800, 960, 1600, 480] {
                page.resize((width, 640)).await.expect("a size");
                let wide = page
                    .ask(
                        "document.documentElement.scrollWidth <= innerWidth ? null
                            : [...document.querySelectorAll('#column *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1)
                                .map(one => one.outerHTML.slice(0, 150)).slice(-3)",
                    )
                    .await
                    .expect("an answer");
                assert_eq!(wide, json!(null), "{place} ({language}) at {width}");
                // What a frame around it cuts off is as good as not there.
                let cut = page
                    .ask(
                        "[...document.querySelectorAll('#column .card :is(button, input, textarea, select), #column .message button')]
                            .filter(one => one.getBoundingClientRect().right > one.closest('.card, .message').getBoundingClientRect().right)
                            .map(one => one.outerHTML.slice(0, 150))",
                    )
                    .await
                    .expect("an answer");
                assert_eq!(cut, json!([]), "{place} ({language}) at {width}");
            }
        }
    }
}

#[tokio::test]
async fn every_page_is_reached_by_keyboard_and_the_focus_goes_along() {
    let mut page = Page::open("several", (960, 640)).await.expect("the page opens");
    for name in ["Inbox", "Channels", "Health", "Settings"] {
        page.key("Tab").await.expect("a key");
        page.sees(name, &format!("document.activeElement.textContent.startsWith({})", json!(name)))
            .await
            .expect("reached");
    }
    page.key("Enter").await.expect("a key");
    page.sees("the page's title", "document.activeElement === document.querySelector('h1')")
        .await
        .expect("the focus moved there");
    assert_eq!(page.ask("document.querySelector('h1').textContent").await.expect("a title"), "Settings");
    let current = "[...document.querySelectorAll('[aria-current]')].map(link => link.textContent)";
    assert_eq!(page.ask(current).await.expect("links"), json!(["Settings"]));
    page.key("Tab").await.expect("a key");
    page.sees("the first control", "document.activeElement.tagName === 'SELECT'").await.expect("reached");
}

#[tokio::test]
async fn theme_and_language_change_the_page_at_once() {
    let mut page = Page::open("several&theme=light#settings", (960, 640)).await.expect("the page opens");
    let choose = |key: &str, value: &str| {
        format!(
            "(select => {{ select.value = '{value}'; select.dispatchEvent(new Event('change', {{ bubbles: true }})) }})\
             (document.querySelector('[data-key={key}] select'))"
        )
    };
    page.sees("the form", "document.querySelector('[data-key=theme] select')").await.expect("there");
    page.ask(&choose("theme", "dark")).await.expect("chosen");
    page.sees("the dark", "getComputedStyle(document.documentElement).colorScheme === 'dark'")
        .await
        .expect("at once");
    page.ask(&choose("language", "zh-CN")).await.expect("chosen");
    page.sees(
        "Chinese",
        "document.querySelector('h1').textContent === '设置' && document.documentElement.lang === 'zh-CN'",
    )
    .await
    .expect("at once");
    page.sees("the form", "document.querySelector('[data-key=language] select')?.value === 'zh-CN'")
        .await
        .expect("there");
    page.ask(&choose("language", "en")).await.expect("chosen");
    page.sees("English", "document.querySelector('h1').textContent === 'Settings'").await.expect("at once");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn a_setting_that_is_wrong_is_told_at_its_field() {
    let mut page = Page::open("several#settings", (960, 640)).await.expect("the page opens");
    let field = "document.querySelector('[data-key=\"notifications.refill\"]')";
    page.sees("the field", field).await.expect("there");
    page.ask(&format!("{field}.querySelector('input').focus()")).await.expect("the focus");
    page.write("soon").await.expect("typed");
    page.key("Enter").await.expect("a key");
    page.sees(
        "the error",
        &format!("{field}.querySelector('.problem').textContent.includes('not a duration')"),
    )
    .await
    .expect("told");
}

#[tokio::test]
async fn the_first_run_needs_an_address_or_one_press() {
    let mut page = Page::open("none", (960, 640)).await.expect("the page opens");
    page.press("Connect").await.expect("a press");
    page.sees(
        "what is missing",
        "document.querySelector('#first-problem').innerText.includes('Enter an address')",
    )
    .await
    .expect("told");
    page.write("wss://shop.example/ws/user-channel").await.expect("typed");
    page.key("Enter").await.expect("a key");
    let state = "document.querySelector('.channel-state')?.textContent";
    page.sees("the channel", &format!("{state}?.startsWith('Connected since')")).await.expect("connected");

    page.visit("none").await.expect("the page");
    page.press("Try the demo channel").await.expect("a press");
    page.sees(
        "its message",
        "document.querySelector('.message .title')?.textContent === 'Hello from the demo'",
    )
    .await
    .expect("received");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn health_says_by_what_a_channel_is_carried_and_why() {
    const CARRIED: &str = "[...document.querySelectorAll('.figures > div')].find(one => one.firstChild.textContent === 'Carried by')?.innerText";
    for (channel, told) in [
        (
            "shop",
            "SockJS over a stream\nWebSocket didn't get through, 3 times in a row: the server refused the request (400); a proxy may drop `Upgrade`",
        ),
        ("alerts", "WebSocket"),
    ] {
        let mut page =
            Page::open(&format!("spoken#health/{channel}"), (960, 640)).await.expect("the page opens");
        let figure = format!("{CARRIED} === {}", serde_json::Value::from(format!("Carried by\n{told}")));
        page.sees("the figure", &figure).await.expect("told");
        assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
    }
}

#[tokio::test]
async fn health_says_when_and_why_it_fell_and_when_it_was_back() {
    let mut page = Page::open("several#health/orders", (960, 640)).await.expect("the page opens");
    page.sees(
        "the last fall",
        "/^It fell at .+ because the server restarted, and came back in 3 s\\.$/.test(document.querySelector('.fell')?.textContent)",
    )
    .await
    .expect("told");
    page.sees("the table", "document.querySelector('tbody').innerText.includes('back in 3 s')")
        .await
        .expect("told");
    page.sees("the band", "document.querySelectorAll('.band rect').length > 5").await.expect("drawn");
    page.sees("its text", "document.querySelector('.band-lines').textContent.includes('Reconnecting (server restarting (1012))')")
        .await
        .expect("told");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}
