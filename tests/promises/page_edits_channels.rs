//! The editor of a channel, in a plain browser: what is typed is saved as it was meant or told of at its field, is
//! never lost to somebody else's edit, and a secret goes in and never comes out.

use serde_json::json;
use tidings_tests::browser::Page;

const WINDOW: (u32, u32) = (960, 640);

async fn page(scenario: &str) -> Page {
    Page::open(scenario, WINDOW).await.expect("the page opens")
}

/// The control of this key.
fn control(key: &str) -> String {
    format!("document.querySelector('[data-key=\"{key}\"] :is(input, select, textarea)')")
}

/// Puts this text in place of what stands in a control.
async fn fill(page: &mut Page, key: &str, text: &str) {
    let control = control(key);
    page.sees(key, &control).await.expect("a control");
    page.ask(&format!(
        "(control => {{ for (let box = control.closest('details'); box; box = box.parentElement.closest('details'))
            box.open = true; control.focus(); control.select() }})({control})"
    ))
    .await
    .expect("the focus");
    page.write(text).await.expect("typed");
    page.ask(&format!("void {control}.dispatchEvent(new Event('change', {{ bubbles: true }}))"))
        .await
        .expect("changed");
}

/// The error that stands at a field.
async fn told(page: &mut Page, key: &str, text: &str) {
    let problem = format!("document.querySelector('[data-key=\"{key}\"] .problem')");
    page.sees(
        text,
        &format!("{problem}.checkVisibility() && {problem}.textContent.includes({})", json!(text)),
    )
    .await
    .expect("told at its field");
    let marked =
        format!("{}.ariaInvalid === 'true' || {0}.closest('[aria-invalid=true]') !== null", control(key));
    page.sees("the mark for screen readers", &marked).await.expect("marked");
}

#[tokio::test]
async fn errors_stand_at_their_field_also_in_the_advanced_part() {
    let mut page = page("several#channels/orders").await;
    for (key, text, error) in [
        ("url", "ws://shop.example/ws", "unencrypted"),
        ("heartbeat.interval", "80s", "two thirds"),
        ("liveness.deadline", "soon", "not a duration"),
        ("mapping.title", "subject", "neither a JSON Pointer nor a template"),
    ] {
        fill(&mut page, key, text).await;
        page.press("Save").await.expect("a press");
        told(&mut page, key, error).await;
        page.sees("the focus", &format!("document.activeElement === {}", control(key))).await.expect("there");
        page.press("Discard changes").await.expect("a press");
    }
}

/// Chooses this value of a key.
async fn choose(page: &mut Page, key: &str, value: &str) {
    let control = control(key);
    page.sees(key, &control).await.expect("a control");
    page.ask(&format!(
        "(control => {{ control.value = {}; for (const kind of ['input', 'change'])
            control.dispatchEvent(new Event(kind, {{ bubbles: true }})) }})({control})",
        json!(value)
    ))
    .await
    .expect("chosen");
}

fn is_seen(key: &str) -> String {
    format!("document.querySelector('[data-key=\"{key}\"]')?.checkVisibility() === true")
}

#[tokio::test]
async fn the_kind_decides_what_there_is_to_fill_in() {
    let mut page = page("several#channels/orders").await;
    page.sees("the kind", &is_seen("kind")).await.expect("there");
    let all = ["topics", "preset", "dialogue.set", "dialogue.greet", "dialogue.on", "dialogue.beat"];
    for (kind, preset, seen) in [
        ("recipe", "", &[][..]),
        ("ntfy", "", &["topics"][..]),
        ("gotify", "", &[][..]),
        ("sse", "", &[][..]),
        ("mqtt", "", &["topics"][..]),
        ("dialogue", "", &["preset", "dialogue.set", "dialogue.greet", "dialogue.on", "dialogue.beat"][..]),
        (
            "dialogue",
            "stomp",
            &["preset", "dialogue.set", "dialogue.greet", "dialogue.on", "dialogue.beat"][..],
        ),
    ] {
        choose(&mut page, "kind", kind).await;
        choose(&mut page, "preset", preset).await;
        for key in all {
            let shows = page.ask(&is_seen(key)).await.expect("an answer");
            assert_eq!(shows, seen.contains(&key), "{key} with {kind} {preset}");
        }
    }
    page.ask("(document.querySelectorAll('details').forEach((one) => { one.open = true; }), true)")
        .await
        .expect("open");
    let keys = [
        "heartbeat.text",
        "liveness.ping_after",
        "quiet_close_codes",
        "take_back_after",
        "resume",
        "mapping.title",
        "send_url",
        "client_id",
        "session_expiry",
        "ignore",
    ];
    for (kind, seen) in [
        ("recipe", &[&keys[..7], &["ignore"]].concat()[..]),
        ("gotify", &["liveness.ping_after", "quiet_close_codes", "take_back_after"][..]),
        ("sse", &["mapping.title", "send_url", "ignore"][..]),
        (
            "mqtt",
            &[
                "liveness.ping_after",
                "take_back_after",
                "mapping.title",
                "client_id",
                "session_expiry",
                "ignore",
            ][..],
        ),
    ] {
        choose(&mut page, "kind", kind).await;
        for key in keys {
            let shows = page.ask(&is_seen(key)).await.expect("an answer");
            assert_eq!(shows, seen.contains(&key), "{key} with {kind}");
        }
    }
    choose(&mut page, "kind", "dialogue").await;
    // What a preset needs is told at its place.
    page.press("Save").await.expect("a press");
    told(&mut page, "dialogue.set", "needs `destination`").await;
    // What belongs to another kind goes from the file, and the rest stays.
    choose(&mut page, "kind", "ntfy").await;
    fill(&mut page, "url", "https://ntfy.example").await;
    fill(&mut page, "topics", "alerts\nbackup").await;
    page.press("Save").await.expect("a press");
    page.sees("the news", "document.querySelector('#toast').textContent.includes('Saved')")
        .await
        .expect("saved");
    page.sees("the address", &format!("{}.value === 'https://ntfy.example'", control("url")))
        .await
        .expect("as it was typed");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn a_dialogue_is_previewed_on_frames_and_its_mistakes_stand_at_their_field() {
    let mut page = page("spoken#channels/app").await;
    let sample = "document.querySelector('.preview-section textarea')";
    page.sees("the sample", sample).await.expect("there");
    let frames = "{\"type\":\"ready\"}\n{\"type\":\"ping\"}\n{\"type\":\"typing\"}\n\
                  {\"type\":\"event\",\"payload\":{\"title\":\"Paid\",\"body\":\"17\"}}";
    page.ask(&format!(
        "(area => {{ area.value = {}; area.dispatchEvent(new Event('input', {{ bubbles: true }})) }})({sample})",
        json!(frames)
    ))
    .await
    .expect("typed");
    let turn = |at: u8, text: &str| {
        format!("document.querySelector('.turns li:nth-child({at})')?.textContent.includes({})", json!(text))
    };
    for (at, text) in [
        (1, "Says {\"type\":\"auth\",\"token\":\"***\"}"),
        (1, "Waits for the subscription"),
        (2, "Connected"),
        (3, "Says {\"type\":\"pong\",\"n\":1}"),
        (4, "Noise"),
        (5, "Paid"),
    ] {
        page.sees(text, &turn(at, text)).await.expect("told");
    }
    let when =
        "document.querySelectorAll('[data-key=\"dialogue.on\"] .frame-rule')[1].querySelector('input')";
    page.ask(&format!(
        "(box => {{ box.value = \"json.type = 'ping'\"; box.dispatchEvent(new Event('input', {{ bubbles: true }})) }})({when})"
    ))
    .await
    .expect("typed");
    page.sees(
        "the mend in its row",
        &format!("{when}.closest('.frame-rule').textContent.includes('compares nothing')"),
    )
    .await
    .expect("told");
    page.sees("the mark", &format!("{when}.ariaInvalid === 'true'")).await.expect("marked");
    page.press("Save").await.expect("a press");
    page.sees("the focus", &format!("document.activeElement === {when}")).await.expect("there");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

/// Puts this text into a control of a new rule for frames.
async fn rule(page: &mut Page, label: &str, text: &str) {
    let control = format!(
        "[...document.querySelectorAll('[data-key=\"dialogue.on\"] .rows-row:last-child label')]
            .find(one => one.firstChild.textContent === {})?.querySelector('input, textarea')",
        json!(label)
    );
    page.ask(&format!(
        "(control => {{ control.focus(); control.value = {};
            control.dispatchEvent(new Event('input', {{ bubbles: true }})) }})({control})",
        json!(text)
    ))
    .await
    .expect("typed");
}

#[tokio::test]
async fn a_rule_asks_over_http_and_keeps_values_and_is_previewed_and_read_back() {
    let mut page = page("spoken#channels/app").await;
    page.sees("the rules", &is_seen("dialogue.on")).await.expect("there");
    page.press("Add a rule for frames").await.expect("a press");
    let more = "document.querySelector('[data-key=\"dialogue.on\"] .rows-row:last-child details')";
    page.ask(&format!("void {more}.querySelector('summary').click()")).await.expect("opened");
    rule(&mut page, "When", "json.type == 'hello'").await;
    rule(&mut page, "Ask by POST at", "https://app.example/auth").await;
    rule(&mut page, "With these fields, one a line", "socket = {{ json.socket }}\nroom=kitchen").await;
    rule(&mut page, "Keep for later texts, one a line", "session = {{ json.session }}").await;
    page.ask(
        "(area => { area.value = '{\"type\":\"hello\",\"socket\":\"1.2\"}'; area.dispatchEvent(new Event('input', { bubbles: true })) })\
            (document.querySelector('.preview-section textarea'))",
    )
    .await
    .expect("typed");
    let turn = "document.querySelector('.turns li:nth-child(2)')?.textContent";
    let posted = json!("Says POST https://app.example/auth\nsocket=1.2\nroom=kitchen");
    page.sees("what would be asked", &format!("{turn}?.includes({posted})")).await.expect("told");
    page.press("Save").await.expect("a press");
    page.sees("the news", "document.querySelector('#toast').textContent.includes('Saved')")
        .await
        .expect("saved");
    page.ask("void (location.hash = '#channels')").await.expect("gone on");
    page.ask("void (location.hash = '#channels/app')").await.expect("back");
    let written = json!([
        "json.type == 'hello'",
        "",
        "",
        "",
        "https://app.example/auth",
        "socket = {{ json.socket }}\nroom = kitchen",
        "session = {{ json.session }}"
    ]);
    let controls = "[...document.querySelectorAll('[data-key=\"dialogue.on\"] .rows-row:last-child :is(input:not([type=checkbox]), textarea)')]";
    let there =
        format!("JSON.stringify({controls}.map(one => one.value)) === {}", json!(written.to_string()));
    page.sees("all of it", &there).await.expect("in the file");
    page.sees("it open", &format!("{more}.open")).await.expect("so");

    // What the server says must not choose who gets the sign-in.
    page.ask(&format!("void ({more}.open = false)")).await.expect("closed");
    rule(&mut page, "Ask by POST at", "https://{{ json.host }}/auth").await;
    page.press("Save").await.expect("a press");
    let url = format!("{more}.querySelector('input')");
    page.sees("the mend at it", &format!("{url}.ariaInvalid === 'true' && document.activeElement === {url}"))
        .await
        .expect("told");
    page.sees("it in view", &format!("{url}.checkVisibility()")).await.expect("opened");
    rule(&mut page, "Ask by POST at", "").await;
    page.press("Save").await.expect("a press");
    page.sees(
        "that an address is missing",
        &format!("{more}.closest('.rows-row').textContent.includes('needs `url`')"),
    )
    .await
    .expect("told");
    for label in ["With these fields, one a line", "Keep for later texts, one a line"] {
        rule(&mut page, label, "").await;
    }
    rule(&mut page, "Answer", "hello").await;
    page.press("Save").await.expect("a press");
    page.sees("the news", "document.querySelector('.save-bar.idle') !== null").await.expect("saved");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn a_saved_change_takes_effect_and_the_id_stays_with_a_new_name() {
    let mut page = page("several#channels/orders").await;
    fill(&mut page, "name", "Shop").await;
    page.press("Save").await.expect("a press");
    page.sees("the news", "document.querySelector('#toast').textContent.includes('Saved')")
        .await
        .expect("told");
    page.sees("the new name", "document.querySelector('h1').textContent === 'Shop'").await.expect("shown");
    assert_eq!(page.ask("location.hash").await.expect("a place"), "#channels/orders");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn what_was_typed_outlives_another_page_and_somebody_elses_edit() {
    let mut page = page("conflict#channels/orders").await;
    fill(&mut page, "heartbeat.interval", "45s").await;
    page.ask("location.hash = '#inbox'").await.expect("gone");
    page.sees("the inbox", "document.querySelector('#message-list')").await.expect("there");
    page.ask("location.hash = '#channels/orders'").await.expect("back");
    let typed = format!("{}?.value === '45s'", control("heartbeat.interval"));
    page.sees("what was typed", &typed).await.expect("kept");
    page.press("Save").await.expect("a press");
    page.sees("the news", "document.querySelector('.news').textContent.includes('changed meanwhile')")
        .await
        .expect("told");
    page.sees("the other's edit", &format!("{}.value === 'Orders (edited by hand)'", control("name")))
        .await
        .expect("taken up");
    page.sees("what was typed", &typed).await.expect("kept");
    page.press("Save").await.expect("a press");
    page.sees("the news", "document.querySelector('#toast').textContent.includes('Saved')")
        .await
        .expect("saved");
}

#[tokio::test]
async fn a_secret_is_kept_and_never_shown_again() {
    let mut page = page("refused#channels/orders").await;
    fill(&mut page, "secret", "s3cret-token").await;
    page.press("Test connection").await.expect("a press");
    page.sees("the verdict", "document.querySelector('.verdict').dataset.ok === 'true'")
        .await
        .expect("it works");
    page.press("Save").await.expect("a press");
    page.sees("that one is kept", &format!("{}.placeholder === 'One is kept'", control("secret")))
        .await
        .expect("kept");
    let shown = "document.documentElement.outerHTML.includes('s3cret') \
                 || [...document.querySelectorAll('input')].some(input => input.value.includes('s3cret'))";
    assert_eq!(page.ask(shown).await.expect("an answer"), false);
    page.sees("the channel", "document.querySelector('.state-line').textContent.startsWith('Connected')")
        .await
        .expect("connected");
    page.press("Remove it").await.expect("a press");
    page.sees("that none is kept", &format!("{}.placeholder === ''", control("secret")))
        .await
        .expect("removed");
}

#[tokio::test]
async fn without_a_keyring_the_editor_says_what_to_do_instead() {
    let mut page = page("no_keyring#channels/orders").await;
    page.sees("the way out", "document.body.innerText.includes('There is no keyring on this desktop')")
        .await
        .expect("told");
    page.sees("the field", &format!("{}.disabled", control("secret"))).await.expect("of no use");
}

#[tokio::test]
async fn a_trial_tells_each_step_and_the_mend_of_what_failed() {
    let mut page = page("refused#channels/orders").await;
    page.press("Test connection").await.expect("a press");
    page.sees("the verdict", "document.querySelector('.verdict').dataset.ok === 'false'")
        .await
        .expect("it fails");
    let marks = "[...document.querySelectorAll('.trial .mark')].map(mark => mark.ariaLabel)";
    assert_eq!(page.ask(marks).await.expect("marks"), json!(["Good", "Good", "Good", "Failed"]));
    page.sees("the mend", "document.querySelector('.trial .mend').textContent.includes('Enter the token')")
        .await
        .expect("told");
}

#[tokio::test]
async fn a_trial_of_what_can_not_be_dialled_is_told_at_its_field() {
    let mut page = page("several#add").await;
    fill(&mut page, "url", "gopher://shop.example").await;
    page.press("Test connection").await.expect("a press");
    told(&mut page, "url", "not a WebSocket address").await;
}

#[tokio::test]
async fn a_sample_is_previewed_as_one_types() {
    let mut page = page("several#channels/orders").await;
    page.sees(
        "the last message",
        "document.querySelector('.popup-title')?.textContent === 'Order 1044 paid'",
    )
    .await
    .expect("previewed");
    page.ask("document.querySelector('.preview-section textarea').focus()").await.expect("a field");
    page.write("{\"payload\": {\"subject\": \"Hello\", \"who\": \"Ann\"}}").await.expect("typed");
    fill(&mut page, "mapping.title", "/payload/subject").await;
    fill(&mut page, "mapping.body", "{{ payload.who }} says so").await;
    page.sees("the title", "document.querySelector('.popup-title').textContent === 'Hello'")
        .await
        .expect("read");
    page.sees("the text", "document.querySelector('.popup-body').textContent === 'Ann says so'")
        .await
        .expect("read");
    let result = "document.querySelector('.preview-section').textContent";
    fill(&mut page, "ignore_when", "json.payload.who == 'Ann' and json.payload.subject != \"Bye\"").await;
    page.sees("the noise", &format!("{result}.includes('Protocol noise')")).await.expect("ignored");
    fill(&mut page, "ignore_when", "json.payload.who == 'Eve'").await;
    page.sees("the text", "document.querySelector('.popup-body')?.textContent === 'Ann says so'")
        .await
        .expect("read");
    // What the demo can't tell it doesn't show.
    fill(&mut page, "ignore_when", "json.payload.who is startingwith 'A'").await;
    page.sees("a word of that", &format!("{result}.includes('This demo reads comparisons alone')"))
        .await
        .expect("said");
    assert_eq!(page.ask("document.querySelector('.popup-body')").await.expect("asked"), json!(null));
    fill(&mut page, "ignore_when", "").await;
    fill(&mut page, "mapping.title", "subject").await;
    told(&mut page, "mapping.title", "neither a JSON Pointer nor a template").await;
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn a_channel_is_added_and_removed() {
    let mut page = page("several#add").await;
    fill(&mut page, "url", "https://new.example/ws/user-channel").await;
    fill(&mut page, "name", "New one").await;
    // What is no WebSocket's address is looked at first.
    page.press("Add").await.expect("a press");
    page.sees("the scheme", &format!("{}.value.startsWith('wss://')", control("url"))).await.expect("mended");
    page.press("Add").await.expect("a press");
    let names = "[...document.querySelectorAll('.channel-name')].map(name => name.textContent)";
    page.sees("the list", &format!("{names}.at(-1) === 'New one'")).await.expect("added");
    page.ask("location.hash = '#add'").await.expect("gone");
    page.sees("an empty form", &format!("{}?.value === ''", control("url"))).await.expect("begun anew");
    page.ask("location.hash = '#channels/new-one'").await.expect("gone");
    page.press("Remove the channel").await.expect("a press");
    page.sees("the question", "document.querySelector('dialog[open]')").await.expect("asked");
    page.ask("document.querySelector('dialog[open] .danger').click()").await.expect("a press");
    page.sees("the list", &format!("{names}.length === 3 && !{names}.includes('New one')"))
        .await
        .expect("removed");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

const FOUND: &str = "document.querySelector('.discovered').textContent";

#[tokio::test]
async fn a_pasted_address_is_looked_at_and_fills_the_form_in_and_nothing_is_added_by_that() {
    let mut page = page("several#add").await;
    fill(&mut page, "url", "https://ntfy.example/alerts").await;
    page.press("Find out what is there").await.expect("a press");
    page.sees("what it is", &format!("{FOUND}.includes('this is ntfy')")).await.expect("told");
    page.sees("the name", &format!("{}.value === 'alerts'", control("name"))).await.expect("filled in");
    page.sees("the server", &format!("{}.value === 'https://ntfy.example'", control("url")))
        .await
        .expect("filled in");
    page.sees("the kind", &format!("{}.value === 'ntfy'", control("kind"))).await.expect("filled in");
    page.sees("the topics", &format!("{}.checkVisibility() && {0}.value === 'alerts'", control("topics")))
        .await
        .expect("filled in");
    page.sees("the page", "location.hash === '#add'").await.expect("still there");
    // Another address takes the proposal's place.
    fill(&mut page, "url", "https://shop.example/ws/orders").await;
    page.press("Find out what is there").await.expect("a press");
    page.sees("what it is", &format!("{FOUND}.includes('this is a WebSocket')")).await.expect("told");
    page.sees("no name", &format!("{}.value === ''", control("name"))).await.expect("taken away");
    // What is nothing is told, with what to do.
    fill(&mut page, "url", "shop.example").await;
    page.press("Add").await.expect("a press");
    page.sees("the mend", &format!("{FOUND}.includes('begins with wss://')")).await.expect("told");
    fill(&mut page, "url", "gopher://shop.example").await;
    page.press("Find out what is there").await.expect("a press");
    told(&mut page, "url", "not a WebSocket address").await;
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

/// The row of the list of topics, and its two controls.
fn topic(row: u8, control: &str) -> String {
    format!("document.querySelector('[data-key=topics] .rows-row:nth-child({row}) {control}')")
}

#[tokio::test]
async fn a_brokers_address_chooses_the_kind_and_each_topic_has_its_delivery() {
    let mut page = page("several#add").await;
    fill(&mut page, "url", "mqtts://broker.example").await;
    page.sees("the kind", &format!("{}.value === 'mqtt'", control("kind"))).await.expect("chosen");
    page.press("Add").await.expect("a press");
    told(&mut page, "topics", "`topics` is missing").await;
    page.ask(&format!("void {}.focus()", topic(1, "input"))).await.expect("the focus");
    page.write("home#").await.expect("typed");
    page.press("Add").await.expect("a press");
    told(&mut page, "topics", "`#` stands at the end").await;
    page.ask(&format!("void {}.select()", topic(1, "input"))).await.expect("the focus");
    page.write("home/#").await.expect("typed");
    page.press("Add a topic").await.expect("a press");
    page.ask(&format!("void {}.focus()", topic(2, "input"))).await.expect("the focus");
    page.write("alarm/+").await.expect("typed");
    page.ask(&format!(
        "(choice => {{ choice.value = '2'; choice.dispatchEvent(new Event('input', {{ bubbles: true }})) }})({})",
        topic(2, "select")
    ))
    .await
    .expect("chosen");
    // What goes with HTTP is of no use there, and no form of the sign-in that does can be chosen.
    for (key, seen) in [("images", false), ("headers", false), ("topics", true), ("auth", true)] {
        page.ask("document.querySelectorAll('details').forEach(details => { details.open = true })")
            .await
            .expect("open");
        assert_eq!(page.ask(&is_seen(key)).await.expect("an answer"), seen, "{key}");
    }
    let ways = "[...document.querySelectorAll('[data-key=auth] option')].filter(one => !one.hidden).map(one => one.value)";
    assert_eq!(page.ask(ways).await.expect("an answer"), json!(["bearer", "basic", "none"]));
    page.press("Add").await.expect("a press");
    let names = "[...document.querySelectorAll('.channel-name')].map(name => name.textContent)";
    page.sees("the list", &format!("{names}.at(-1) === 'broker.example'")).await.expect("added");
    page.ask("location.hash = '#channels/broker.example'").await.expect("gone");
    let topics =
        "[...document.querySelectorAll('[data-key=topics] :is(input, select)')].map(one => one.value)";
    page.sees("the form", &topic(2, "input")).await.expect("there");
    assert_eq!(page.ask(topics).await.expect("an answer"), json!(["home/#", "1", "alarm/+", "2"]));
    page.sees("nothing to save", "document.querySelector('.save-bar.idle') !== null").await.expect("so");
    // Another kind's topics are names, and the filters come back with theirs.
    choose(&mut page, "kind", "ntfy").await;
    page.sees("the names", &format!("{}.value === 'home/#\\nalarm/+'", control("topics")))
        .await
        .expect("shown");
    choose(&mut page, "kind", "mqtt").await;
    page.sees("the filters", &format!("{}.value === 'alarm/+'", topic(2, "input"))).await.expect("shown");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn the_topics_of_the_file_stay_as_they_are_written() {
    let mut page = page("spoken#channels/home").await;
    page.sees("the form", &topic(2, "input")).await.expect("there");
    fill(&mut page, "client_id", "ann-desk").await;
    page.press("Save").await.expect("a press");
    page.sees("the news", "document.querySelector('#toast').textContent.includes('Saved')")
        .await
        .expect("saved");
    let topics =
        "[...document.querySelectorAll('[data-key=topics] :is(input, select)')].map(one => one.value)";
    assert_eq!(page.ask(topics).await.expect("an answer"), json!(["home/#", "1", "alarm/+", "2"]));
    fill(&mut page, "client_id", "").await;
    page.sees("only that to save", "document.querySelector('.save-bar.idle') === null").await.expect("so");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn a_link_opens_the_page_with_its_address_and_asks_nobody() {
    let mut page = page("several#add/ntfy%3A%2F%2Fntfy.example%2Falerts").await;
    page.sees("the address", &format!("{}?.value === 'ntfy://ntfy.example/alerts'", control("url")))
        .await
        .expect("shown");
    assert_eq!(page.ask(FOUND).await.expect("an answer"), "");
    page.press("Add").await.expect("a press");
    page.sees("what it is", &format!("{FOUND}.includes('this is ntfy')")).await.expect("told");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

/// The example that names every key: what the settings file can say, the window can, too.
#[tokio::test]
async fn every_key_of_a_channel_has_its_control() {
    let keys = "id name url kind topics preset enabled allow_plaintext token_command token_file token_env auth show format username headers \
                proxy ca_file client_cert client_key resume quiet_close_codes take_back_after ignore ignore_when \
                client_id session_expiry heartbeat.text heartbeat.interval heartbeat.proxy_timeout liveness.ping_after liveness.deadline \
                backoff.first backoff.cap mapping.title mapping.body mapping.id mapping.time mapping.priority \
                mapping.url mapping.icon mapping.image mapping.tag mapping.actions mapping.silent \
                mapping.expires rule kind topics preset dialogue.set dialogue.greet dialogue.on dialogue.beat \
                dialogue.subprotocol dialogue.framing dialogue.backlog";
    let mut page = page("several#add").await;
    page.sees("the form", &control("url")).await.expect("there");
    let there = page.ask("[...document.querySelectorAll('[data-key]')].map(field => field.dataset.key)");
    let there = there.await.expect("keys");
    for key in keys.split_whitespace() {
        assert!(there.as_array().expect("a list").contains(&json!(key)), "no control for {key}");
    }
}

#[tokio::test]
async fn a_row_stays_that_is_saved_while_it_is_typed_in() {
    let mut page = page("several#channels/orders").await;
    page.sees("the form", &control("url")).await.expect("there");
    page.ask("document.querySelectorAll('details').forEach(details => { details.open = true })")
        .await
        .expect("open");
    page.press("Add a header").await.expect("a press");
    let inputs = "[...document.querySelectorAll('[data-key=headers] .rows-row input')]";
    for (place, text) in [(0, "X-Room"), (1, "kitchen")] {
        page.ask(&format!("void {inputs}[{place}].focus()")).await.expect("the focus");
        page.write(text).await.expect("typed");
    }
    page.press("Save").await.expect("a press, which leaves the focus where it is");
    let saved = format!(
        "document.querySelector('#toast').textContent.includes('Saved') && {inputs}.map(one => one.value).join() === 'X-Room,kitchen'"
    );
    page.sees("the row", &saved).await.expect("saved and there");
    page.sees("nothing to save", "document.querySelector('.save-bar.idle') !== null").await.expect("so");
}

#[tokio::test]
async fn a_dialogue_of_ones_own_gets_values_by_any_name_and_the_sign_in_is_where_its_texts_put_it() {
    let mut page = page("spoken#channels/app").await;
    let auth = |value: &str| format!("{}?.value === {}", control("auth"), json!(value));
    page.sees("a text says the secret", &auth("dialogue")).await.expect("so");
    page.press("Add a value").await.expect("a press");
    let inputs = "document.querySelectorAll('[data-key=\"dialogue.set\"] .rows-row:last-child input')";
    for (place, text) in [(0, "room"), (1, "kitchen")] {
        page.ask(&format!("void {inputs}[{place}].focus()")).await.expect("the focus");
        page.write(text).await.expect("typed");
    }
    page.press("Save").await.expect("a press");
    page.sees("the news", "document.querySelector('#toast').textContent.includes('Saved')")
        .await
        .expect("saved");
    page.ask("void (location.hash = '#channels')").await.expect("gone on");
    page.ask("void (location.hash = '#channels/app')").await.expect("back");
    page.sees("both", &format!("[...{inputs}].map(one => one.value).join() === 'room,kitchen'"))
        .await
        .expect("in the file");
    // Of a preset's own values none can go, and none of SignalR's texts says a secret: it goes with the request.
    choose(&mut page, "preset", "phoenix").await;
    page.sees("the preset's", &format!("{}?.placeholder === 'user:42'", control("dialogue.set")))
        .await
        .expect("there");
    let removes = "[...document.querySelectorAll('[data-key=\"dialogue.set\"] .rows-row button')].length";
    assert_eq!(page.ask(removes).await.expect("a count"), 1, "the one that was added");
    page.ask("void (location.hash = '#add')").await.expect("gone on");
    choose(&mut page, "kind", "dialogue").await;
    for (preset, value) in [("socket.io", "dialogue"), ("signalr", "bearer"), ("stomp", "dialogue")] {
        choose(&mut page, "preset", preset).await;
        page.sees(preset, &auth(value)).await.expect("as the preset says it");
    }
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn a_provider_is_named_and_taken_away_again_and_asks_for_no_secret() {
    let mut page = page("several#channels/orders").await;
    let source = "document.querySelector('option[value=oauth]')?.closest('select')";
    let choose = |value: &str| {
        format!(
            "(select => {{ select.value = '{value}';
                select.dispatchEvent(new Event('change', {{ bubbles: true }})) }})({source})"
        )
    };
    let keys = ["oauth.issuer", "oauth.client_id", "oauth.scopes", "oauth.audience", "oauth.redirect_port"];
    page.sees("the sign-in", &format!("{source} instanceof HTMLSelectElement")).await.expect("there");
    for key in keys {
        assert_eq!(page.ask(&is_seen(key)).await.expect("an answer"), false, "{key}");
    }
    page.ask(&choose("oauth")).await.expect("chosen");
    for key in keys {
        assert_eq!(page.ask(&is_seen(key)).await.expect("an answer"), true, "{key}");
    }
    assert_eq!(page.ask(&is_seen("secret")).await.expect("an answer"), false, "the provider gives it");
    fill(&mut page, "oauth.issuer", "https://id.example/realms/shop").await;
    page.press("Save").await.expect("a press");
    told(&mut page, "oauth.client_id", "client_id").await;
    fill(&mut page, "oauth.client_id", "tidings").await;
    fill(&mut page, "oauth.scopes", "openid\noffline_access").await;
    page.press("Save").await.expect("a press");
    let saved = "document.querySelector('#toast').textContent.includes('Saved')";
    page.sees("the news", saved).await.expect("saved");
    page.sees("the scopes", &format!("{}.value === 'openid\\noffline_access'", control("oauth.scopes")))
        .await
        .expect("as they were typed");

    page.ask("document.querySelector('#toast').textContent = ''").await.expect("cleared");
    page.ask(&choose("keyring")).await.expect("chosen");
    page.press("Save").await.expect("a press");
    page.sees("the news", saved).await.expect("all of it is gone");
    assert_eq!(page.ask(&is_seen("secret")).await.expect("an answer"), true);
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}
