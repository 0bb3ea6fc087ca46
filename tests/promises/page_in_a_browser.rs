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
const TITLES: &str = "[...document.querySelectorAll('.message .title')].map(title => title.textContent)";

/// At most so many messages are in the document.
const ROWS: usize = 120;

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
    let mut page = page("states#channels", WINDOW).await;
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
        ["Mute", "Connected since 11:48 (can't be checked)", "#shape-connected", "Disconnect"],
    ]);
    assert_eq!(rows, expected);
    page.sees(
        "commands for all",
        "document.querySelector('#all-commands').innerText.includes('Disconnect all')",
    )
    .await
    .expect("shown");
    no_complaints(page).await;
}

#[test]
fn the_pages_shapes_are_the_trays() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("ui/index.html")).expect("the page");
    for name in ["connected", "working", "off", "replaced", "attention"] {
        let icon = root.join(format!("icons/tray/hicolor/scalable/status/tidings_{name}.svg"));
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
    // So high that all of it is laid out.
    let mut page = page("hostile", (360, 6000)).await;
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
        ("channel", ".channel-name"),
    ] {
        let text = page.ask(&format!("document.querySelector({}).textContent", json!(selector))).await;
        assert_eq!(text.expect("text"), json!(markup), "{what}");
    }
    let foreign =
        page.ask("document.querySelectorAll('main img, main script, main iframe, main a:not([href^=\"#\"])').length").await;
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
    page.press("Show all messages").await.expect("a press");
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
async fn tidings_can_be_quit_from_the_settings_by_keyboard() {
    for place in ["day#settings", "none#settings"] {
        let mut page = page(place, WINDOW).await;
        let quit =
            "[...document.querySelectorAll('main button')].find(button => button.textContent === 'Quit')";
        page.sees(
            "a button with its words",
            &format!("{quit}?.closest('section').innerText.includes('Ends Tidings')"),
        )
        .await
        .expect("shown");
        page.ask(&format!("{quit}.focus()")).await.expect("the focus");
        page.key("Enter").await.expect("a key");
        page.sees("its end", "document.querySelector('.banner')?.textContent.includes('is not running')")
            .await
            .expect("told");
        no_complaints(page).await;
    }
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
    let commands =
        "[...document.querySelectorAll('.channel button')].filter(button => button.checkVisibility()).length";
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
        ("none", "Address of your channel"),
        ("quiet", "No messages yet"),
        ("notice", "did you mean “token_command”?"),
        ("notice#settings", "The settings file has a mistake in it"),
        ("notice#channels/orders", "Mend /home/ann/.config/tidings/config.toml in an editor"),
    ] {
        let mut page = page(scenario, NARROW).await;
        page.sees(told, &format!("document.body.innerText.includes({})", json!(told))).await.expect("told");
        assert_eq!(page.ask(FITS).await.expect("a width"), true, "{scenario}");
        no_complaints(page).await;
    }
}

#[tokio::test]
async fn the_message_of_a_clicked_popup_is_opened_and_in_view() {
    for scenario in ["raise", "raise_elsewhere"] {
        message_3_is_raised(scenario).await;
    }
}

async fn message_3_is_raised(scenario: &str) {
    let mut page = page(scenario, WINDOW).await;
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
async fn of_a_burst_the_newest_stand_on_top_and_the_document_stays_small() {
    let mut page = page("burst", WINDOW).await;
    page.sees("the newest", &format!("{TITLES}[0] === 'Message 1000'")).await.expect("on top");
    let titles = page.ask(TITLES).await.expect("titles");
    let titles = titles.as_array().expect("a list");
    let expected = (0..titles.len()).map(|place| json!(format!("Message {}", 1000 - place)));
    assert_eq!(*titles, expected.collect::<Vec<_>>());
    assert!((5..=ROWS).contains(&titles.len()), "{} rows", titles.len());
    no_complaints(page).await;
}

#[tokio::test]
async fn a_hundred_thousand_messages_are_scrolled_through_with_few_of_them_in_the_document() {
    let mut page = page("many", WINDOW).await;
    page.sees("the newest", &format!("{TITLES}[0] === 'Message 100000'")).await.expect("on top");
    // As far down as there is, again and again.
    let lowest = "Number(document.querySelector('.message:last-child .title').textContent.slice(8))";
    let down = format!("scrollTo(0, document.documentElement.scrollHeight) ?? {lowest} <= 99000");
    page.sees("the thousandth message", &down).await.expect("reached");
    let rows = page.ask("document.querySelectorAll('.message').length").await.expect("a count");
    assert!(rows.as_u64().is_some_and(|rows| rows <= ROWS as u64), "{rows} rows");
    // Back at once, over what was let go.
    page.ask("scrollTo(0, 0)").await.expect("scrolled");
    page.sees("the newest again", &format!("{TITLES}[0] === 'Message 100000'")).await.expect("fetched");
    let titles = page.ask(TITLES).await.expect("titles");
    let expected = (0..5).map(|place| json!(format!("Message {}", 100_000 - place)));
    assert_eq!(titles.as_array().expect("a list")[..5], expected.collect::<Vec<_>>());
    // And a search in all of them.
    page.ask("search.focus()").await.expect("a field");
    page.write("Message 94711").await.expect("typed");
    page.sees("the only one", &format!("JSON.stringify({TITLES}.slice(-1)) === '[\"Message 94711\"]'"))
        .await
        .expect("found");
    no_complaints(page).await;
}

#[tokio::test]
async fn a_deleted_message_comes_back_when_the_deletion_is_undone() {
    let mut page = page("one", WINDOW).await;
    page.sees("the messages", &format!("{TITLES}.length === 9")).await.expect("listed");
    page.ask("document.querySelector('.title').focus()").await.expect("a message");
    page.key("Delete").await.expect("a key");
    page.sees("the next one", "document.activeElement.textContent === 'Order 1043 waits for you'")
        .await
        .expect("focused");
    assert_eq!(page.ask(TITLES).await.expect("titles")[0], "Order 1043 waits for you");
    page.press("Undo").await.expect("a press");
    page.sees("it again", &format!("{TITLES}[0] === 'Order 1044 paid'")).await.expect("back");
    // Left alone, it is deleted for good: also in what is loaded afterwards.
    page.ask("document.querySelector('.title').focus()").await.expect("a message");
    page.key("Delete").await.expect("a key");
    page.press("Unread only").await.expect("a press");
    page.sees("the others", &format!("JSON.stringify({TITLES}) === '[\"Order 1043 waits for you\"]'"))
        .await
        .expect("filtered");
    no_complaints(page).await;
}

#[tokio::test]
async fn messages_are_filtered_by_channel_and_by_unread_and_marked_as_read_together() {
    let mut page = page("several", WINDOW).await;
    page.press("Build").await.expect("a press");
    page.sees("its messages", &format!("{TITLES}.length === 4 && {TITLES}[0] === 'Build 318 is green'"))
        .await
        .expect("filtered");
    page.press("All channels").await.expect("a press");
    page.press("Unread only").await.expect("a press");
    page.sees("the unread", &format!("{TITLES}.length === 2")).await.expect("filtered");
    page.press("Mark all as read").await.expect("a press");
    page.sees("no dots", "!document.querySelector('.message[data-unread=true]')").await.expect("read");
    page.sees("no number beside Inbox", "document.querySelector('#nav .count').hidden").await.expect("read");
    no_complaints(page).await;
}

#[tokio::test]
async fn popups_are_paused_and_resumed_from_the_inbox() {
    let mut page = page("one", WINDOW).await;
    page.press("Pause").await.expect("a press");
    page.press("Until I resume").await.expect("a press");
    page.sees("the pause", "document.querySelector('#paused').innerText.includes('until you resume them')")
        .await
        .expect("told");
    page.press("Resume").await.expect("a press");
    page.sees("no pause", "document.querySelector('#paused').hidden").await.expect("resumed");
    no_complaints(page).await;
}

#[tokio::test]
async fn two_hundred_messages_of_a_mebibyte_each_are_listed_though_no_answer_holds_them_all() {
    let mut page = page("huge", WINDOW).await;
    let lowest = "document.querySelector('.message:last-child .title')?.textContent";
    let down = format!("scrollTo(0, document.documentElement.scrollHeight) ?? {lowest} === 'Message 1'");
    page.sees("the oldest", &down).await.expect("reached");
    let laid_out = page.ask("document.querySelector('#message-list').textContent.length").await;
    let laid_out = laid_out.expect("a length").as_u64().expect("characters");
    assert!(laid_out < 200 * 1000, "{laid_out} characters");
    page.ask("scrollTo(0, 0)").await.expect("scrolled");
    page.press("Message 200").await.expect("a press");
    page.sees("a word on the rest", "document.querySelector('.note')?.textContent.includes('100,000')")
        .await
        .expect("told");
    no_complaints(page).await;
}

#[tokio::test]
async fn pictures_come_as_data_also_for_a_message_that_is_there_already() {
    let mut page = page("pictures", WINDOW).await;
    let (first, second) = (titled("Somebody is at the door"), titled("The garage is open"));
    let icon = |of: &str| format!("{of}.querySelector('.sender img:not([hidden])')?.naturalWidth === 96");
    page.sees("the application", &format!("{first}.querySelector('.sender').textContent === 'Doors'"))
        .await
        .expect("told");
    page.sees("its icon", &icon(&first)).await.expect("shown");
    for of in [&first, &second] {
        page.ask(&format!("{of}.querySelector('button.title').click()")).await.expect("a click");
        let picture = format!("{of}.querySelector('img.picture:not([hidden])')");
        page.sees("the picture", &format!("{picture}?.naturalWidth === 640 && {picture}.alt !== ''"))
            .await
            .expect("shown");
    }
    page.sees("an icon that came later", &icon(&second)).await.expect("shown");
    let sources = "[...document.images].every(image => image.src.startsWith('data:image/png;base64,'))";
    page.sees("data alone", sources).await.expect("nothing else");
    no_complaints(page).await;
}

/// The message of this title.
fn titled(title: &str) -> String {
    format!(
        "[...document.querySelectorAll('button.title')].find(one => one.textContent === '{title}')?.closest('li')"
    )
}

#[tokio::test]
async fn what_the_page_was_too_slow_for_is_looked_up_when_the_next_message_comes() {
    let mut page = page("missed", WINDOW).await;
    page.sees("all of them", &format!("{TITLES}.join() === 'Heard,Missed,The garage is open'"))
        .await
        .expect("listed");
    let garage = titled("The garage is open");
    page.sees("its application", &format!("{garage}.querySelector('.sender').textContent === 'Doors'"))
        .await
        .expect("told");
    no_complaints(page).await;
}

#[tokio::test]
async fn what_is_told_while_the_messages_are_on_their_way_is_not_lost() {
    let mut page = page("slow", WINDOW).await;
    let garage = titled("The garage is open");
    page.sees("its application", &format!("{garage}?.querySelector('.sender').textContent === 'Doors'"))
        .await
        .expect("told");
    page.sees("that it was read", &format!("{garage}.dataset.unread === 'false'")).await.expect("told");
    no_complaints(page).await;
}

#[tokio::test]
async fn an_icon_that_is_another_one_now_is_drawn_anew() {
    let mut page = page("repainted", WINDOW).await;
    let icon = |title: &str| format!("{}?.querySelector('.sender img:not([hidden])')", titled(title));
    let (before, now) = (icon("The garage is open"), icon("The door is open"));
    page.sees("the icon as it was", &before).await.expect("drawn");
    page.sees("the other one", &format!("{now} && {now}.src !== {before}.src")).await.expect("drawn anew");
    no_complaints(page).await;
}

#[tokio::test]
async fn a_text_is_as_long_as_one_likes_unless_something_says_how_long() {
    let mut page = page("none", WINDOW).await;
    let longest = |how: &str| {
        format!(
            "import('/forms/fields.js').then(({{ areaField }}) =>
                areaField('text', 'Text', {how}).element.querySelector('textarea').maxLength)"
        )
    };
    assert_eq!(page.ask(&longest("{}")).await.expect("a field"), json!(-1));
    assert_eq!(page.ask(&longest("{ most: 7 }")).await.expect("a field"), json!(7));
    no_complaints(page).await;
}

#[tokio::test]
async fn markdown_is_drawn_of_elements_whose_links_lead_nowhere_by_themselves() {
    let mut page = page("markdown", WINDOW).await;
    let title =
        "[...document.querySelectorAll('button.title')].find(title => title.textContent === 'Shop 2.4')";
    page.sees("the message", title).await.expect("there");
    let preview = page.ask(&format!("{title}.closest('li').querySelector('.preview').textContent")).await;
    assert!(
        preview
            .expect("a text")
            .as_str()
            .is_some_and(|text| text.starts_with("Release 2.4 is out\nThe new importer"))
    );
    page.ask(&format!("{title}.click()")).await.expect("a click");
    page.sees("the tree", "document.querySelector('.rich')").await.expect("drawn");
    let drawn = page
        .ask(
            "(() => {
                const rich = document.querySelector('.rich');
                const names = new Set([...rich.querySelectorAll('*')].map(element => element.localName));
                const told = [...rich.querySelectorAll('a')].map(link => {
                    link.dispatchEvent(new Event('pointerenter'));
                    return [link.textContent, document.querySelector('.where').textContent, link.hasAttribute('href')];
                });
                return [[...names].sort().join(' '), told, rich.textContent.includes('<b>HTML</b>'), rich.querySelector('ol > li > pre').textContent];
            })()",
        )
        .await
        .expect("a tree");
    let expected = json!([
        "a blockquote code em h3 hr li ol p pre s span strong svg ul use",
        [
            ["the notes", "https://build.example/releases/2.4?from=mail", false],
            ["Response times", "https://build.example/graph.png", false],
        ],
        true,
        "shop migrate --all\nshop check",
    ]);
    assert_eq!(drawn, expected);
    let opens = "(() => {
        let opened = '';
        window.open = address => { opened = address; return null; };
        document.querySelector('.rich a').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
        return opened;
    })()";
    assert_eq!(page.ask(opens).await.expect("a key"), json!("https://build.example/releases/2.4?from=mail"));
    no_complaints(page).await;
}

#[tokio::test]
async fn a_messages_buttons_and_files_are_there_and_nothing_is_sent_before_one_agrees() {
    let mut page = page("pushed#inbox", WINDOW).await;
    page.sees("the message", "document.querySelector('.message .title') !== null").await.expect("listed");
    page.ask("document.querySelector('.message .title').click()").await.expect("opened");
    let labels = page
        .ask("[...document.querySelectorAll('.actions > button')].map(button => button.innerText.trim())")
        .await
        .expect("buttons");
    assert_eq!(labels, json!(["Look", "Close the door", "Copy the code"]));
    let files = page
        .ask("[...document.querySelectorAll('.files li')].map(line => line.innerText.split(/\\s*\\n\\s*/).join(' '))")
        .await
        .expect("files");
    let first = files[0].as_str().expect("a text");
    assert!(
        first.contains("door.jpg") && first.contains("123 kB · until ") && first.ends_with("· ntfy.example"),
        "{first}"
    );
    assert!(
        files[1].as_str().is_some_and(|file| file.contains("a.txt") && file.contains("shop.example")),
        "{files}"
    );
    page.press("Close the door").await.expect("pressed");
    page.sees(
        "the question",
        "document.querySelector('.asks')?.innerText.includes('Send POST to hooks.example?')",
    )
    .await
    .expect("asked");
    page.sees("the harmless answer has the focus", "document.activeElement.innerText === \"Don't send\"")
        .await
        .expect("focused");
    page.press("Don't send").await.expect("pressed");
    page.sees("the button is back", "document.querySelector('.asks') === null").await.expect("back");
    page.press("Close the door").await.expect("pressed");
    page.press("Send").await.expect("pressed");
    page.sees(
        "that it was sent",
        "document.querySelector('.actions').innerText.includes('Close the door (Sent)')",
    )
    .await
    .expect("told");
    page.sees("it fits", FITS).await.expect("it fits");
    no_complaints(page).await;
}

#[tokio::test]
async fn what_is_deleted_elsewhere_leaves_the_list_and_what_is_read_there_is_read_here() {
    let mut page = page("taken_back#inbox", WINDOW).await;
    page.sees("what is left", &format!("{TITLES}.join() === 'three,one'")).await.expect("gone");
    let unread = "[...document.querySelectorAll('.message')].map(message => message.dataset.unread).join() === 'true,false'";
    page.sees("what was read", unread).await.expect("read");
    no_complaints(page).await;
}
