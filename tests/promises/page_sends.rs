//! Sending a message from the window, in a plain browser: from the channel's row to the word that it went out, by keyboard too;
//! and nothing that was typed is lost by a server that refuses it.

use serde_json::{Value, json};
use tidings_tests::browser::Page;

async fn page(place: &str) -> Page {
    Page::open(place, (960, 640)).await.expect("the page opens")
}

fn control(key: &str) -> String {
    format!("document.querySelector('[data-key=\"{key}\"] :is(input, select, textarea)')")
}

async fn fill(page: &mut Page, key: &str, text: &str) {
    let control = control(key);
    page.sees(key, &control).await.expect("a control");
    page.ask(&format!("void ({control}.focus(), {control}.select?.())")).await.expect("the focus");
    page.write(text).await.expect("typed");
}

async fn choose(page: &mut Page, key: &str, value: &str) {
    let control = control(key);
    page.sees(key, &control).await.expect("a control");
    page.ask(&format!(
        "void ({control}.value = {}, {control}.dispatchEvent(new Event('input', {{ bubbles: true }})))",
        json!(value)
    ))
    .await
    .expect("chosen");
}

/// What the form says of the sending.
async fn says(page: &mut Page, text: &str) {
    let told = format!("document.querySelector('.verdict').textContent.includes({})", json!(text));
    page.sees(text, &told).await.expect("told");
}

async fn value(page: &mut Page, key: &str) -> Value {
    page.ask(&format!("{}.value", control(key))).await.expect("a value")
}

/// Those of the page's channels that offer to send.
const OFFERING: &str = "[...document.querySelectorAll('.channel')]
    .filter(row => [...row.querySelectorAll('a')].some(link => link.textContent === 'Send' && link.checkVisibility()))
    .map(row => row.querySelector('.channel-name').textContent)";

#[tokio::test]
async fn from_the_row_a_message_goes_to_one_of_several_topics_and_comes_back_as_one() {
    let mut page = page("sending#channels").await;
    page.sees("the rows", "document.querySelectorAll('.channel').length === 3").await.expect("three");
    assert_eq!(page.ask(OFFERING).await.expect("rows"), json!(["Alerts", "Home"]));
    page.ask("void document.querySelector('.channel a[href=\"#send/alerts\"]').click()")
        .await
        .expect("a click");
    page.sees("the name", "document.querySelector('h1').textContent.includes('Alerts')")
        .await
        .expect("there");
    page.sees("the focus", &format!("document.activeElement === {}", control("text"))).await.expect("there");
    choose(&mut page, "topic", "backup").await;
    choose(&mut page, "priority", "5").await;
    fill(&mut page, "title", "Disk").await;
    fill(&mut page, "text", "is full").await;
    page.press("Send").await.expect("a press");
    says(&mut page, "Sent to backup at ").await;
    // Ready for the next one, to the same place.
    assert_eq!([value(&mut page, "title").await, value(&mut page, "text").await], ["", ""]);
    assert_eq!([value(&mut page, "topic").await, value(&mut page, "priority").await], ["backup", "5"]);
    page.ask("void (location.hash = '#inbox')").await.expect("gone on");
    page.sees("the message", "document.querySelector('.message')?.innerText.includes('is full')")
        .await
        .expect("received");
    assert_eq!(page.complaints().await.expect("the browser runs"), &[] as &[String]);
}

#[tokio::test]
async fn by_keyboard_alone_it_goes_by_ctrl_and_enter_and_never_without_a_text() {
    let mut page = page("sending#send/home").await;
    page.sees("the focus", &format!("document.activeElement === {}", control("text"))).await.expect("there");
    page.sees("one topic is no choice", "document.querySelector('[data-key=topic]') === null")
        .await
        .expect("so");
    let send = "void document.activeElement.dispatchEvent(new KeyboardEvent('keydown',
        { key: 'Enter', ctrlKey: true, bubbles: true, cancelable: true }))";
    page.ask(send).await.expect("a key");
    let problem = "document.querySelector('[data-key=text] .problem')";
    page.sees("what is missing", &format!("{problem}.checkVisibility() && {problem}.textContent !== ''"))
        .await
        .expect("told at its field");
    // Enter in the title is no word to send.
    fill(&mut page, "title", "Door").await;
    page.key("Enter").await.expect("a key");
    fill(&mut page, "text", "is open").await;
    page.sees("no problem", &format!("!{problem}.checkVisibility()")).await.expect("gone");
    assert_eq!(value(&mut page, "title").await, "Door");
    page.ask(send).await.expect("a key");
    says(&mut page, "Sent to home at ").await;
    page.sees("the focus", &format!("document.activeElement === {}", control("text"))).await.expect("there");
}

#[tokio::test]
async fn what_a_server_refuses_is_told_and_stays_typed_also_elsewhere_and_in_another_language() {
    let mut page = page("sending#send/alerts").await;
    fill(&mut page, "text", "one").await;
    page.press("Send").await.expect("a press");
    says(&mut page, "Sent to alerts at ").await;
    fill(&mut page, "title", "Second").await;
    fill(&mut page, "text", "two").await;
    page.press("Send").await.expect("a press");
    says(&mut page, "the messages that the server allows a day are used up").await;
    assert_eq!(page.ask("document.querySelector('.verdict').dataset.ok").await.expect("a mark"), "false");
    page.ask("void (location.hash = '#health')").await.expect("gone on");
    page.sees("the other page", "document.querySelector('#main').dataset.page === 'health'")
        .await
        .expect("there");
    page.ask("void (location.hash = '#send/home')").await.expect("another channel");
    page.sees("another channel", "document.querySelector('h1').textContent.includes('Home')")
        .await
        .expect("there");
    assert_eq!([value(&mut page, "title").await, value(&mut page, "text").await], ["", ""]);
    page.ask("void (location.hash = '#send/alerts')").await.expect("back");
    page.sees("the first", "document.querySelector('h1').textContent.includes('Alerts')")
        .await
        .expect("there");
    assert_eq!([value(&mut page, "title").await, value(&mut page, "text").await], ["Second", "two"]);
}

#[tokio::test]
async fn a_channel_that_can_not_send_says_what_is_missing_and_leads_there_in_both_languages() {
    for (language, words) in [("en", "Gotify application"), ("zh-CN", "Gotify 应用")] {
        let mut page = page(&format!("sending&language={language}#send/push")).await;
        page.sees(
            "why",
            &format!("document.querySelector('.empty')?.textContent.includes({})", json!(words)),
        )
        .await
        .expect("told");
        let way = "document.querySelector('.empty a')?.getAttribute('href')";
        assert_eq!(page.ask(way).await.expect("a way"), "#channels/push");
        assert_eq!(page.ask("document.querySelector('form')").await.expect("nothing"), Value::Null);
    }
}
