//! Wherever a secret is given, no page of the window shows it: neither what a person sees, nor what the page was told
//! and keeps, nor what the window leaves behind. Only the field that one is typed into holds it until it is saved.

use std::fs;

use anyhow::{Context, ensure};
use serde_json::json;
use tidings_server::{EventKind, Options, Request};
use tidings_tests::binary;
use tidings_tests::desktop::Desktop;
use tidings_tests::scene::channel;
use tidings_tests::told::{self, GIVEN, PLANTED, Told};
use tidings_tests::window::{Desk, Page, USER};

/// The channels of the settings file, and the one that is added on the page. An id is the name in lower case.
const CHANNELS: [&str; 10] =
    ["Orders", "Far", "File", "Env", "Command", "Complaint", "Basic", "Cookie", "Session", "Keyring"];

const URL: &str = "[data-key=url] input";
const SECRET: &str = "[data-key=secret] input";

/// What is asked of the agent as the page asks it, and answered as it answers the page.
const ASKED: &str = "
    const { invoke } = window.__TAURI__.core;
    const ask = (name, what) => invoke(name, what).catch((error) => error);
    const answers = ['settings', 'diagnostics'].map((name) => ask(name));
    answers.push(ask('history', { query: { limit: 100, unread: false, before: null, search: null, channel: null, since: null } }));
    for (const name of CHANNELS) {
      const channel = name.toLowerCase();
      answers.push(ask('health', { channel }));
      answers.push(ask('preview', { sample: { channel, values: {}, text: null } }));
    }
    return Promise.all(answers).then(JSON.stringify)";

/// All that the page holds now, but for the controls that are typed into just now.
async fn look(page: &Page, told: &mut Told, place: &str, typed: &str) -> anyhow::Result<()> {
    let typed = if typed.is_empty() { ":not(*)" } else { typed };
    let all = format!(
        "return JSON.stringify({{ html: document.documentElement.outerHTML, text: document.body.innerText, \
         values: [...document.querySelectorAll('input, textarea, select')].filter((one) => !one.matches('{typed}')) \
           .map((one) => one.value), \
         title: document.title, href: location.href, local: {{ ...localStorage }}, session: {{ ...sessionStorage }} }})"
    );
    told.add(format!("the page at {place}"), page.script(&all).await?.as_str().context("no text")?);
    Ok(())
}

/// Goes to a page and waits until it shows what it is there for; all that can be opened is.
async fn visit(page: &Page, place: &str, there: &str) -> anyhow::Result<()> {
    page.go(place).await?;
    page.is(&format!("location.hash === '{place}' && {there}")).await?;
    page.script("for (const one of document.querySelectorAll('details')) one.open = true").await.map(drop)
}

/// Goes to a channel's editor, or to the one of a new channel.
async fn edit(page: &Page, place: &str, title: &str) -> anyhow::Result<()> {
    let there = format!(
        "document.querySelector('main h1')?.textContent === '{title}' && \
         document.querySelector('main form .preview-result')?.childElementCount > 0"
    );
    visit(page, place, &there).await
}

/// Tries the channel in the editor, to the end.
async fn test(page: &Page) -> anyhow::Result<()> {
    page.click("Test connection").await?;
    page.is("['true', 'false'].includes(document.querySelector('.verdict').dataset.ok)").await
}

/// Types what may not be typed there, and looks at how that is told.
async fn refused(
    page: &Page,
    told: &mut Told,
    key: &str,
    wrong: &[(&str, &str)],
    button: &str,
) -> anyhow::Result<()> {
    for (field, text) in wrong {
        page.fill(field, text).await?;
    }
    let all = wrong.iter().map(|(field, _)| *field).collect::<Vec<_>>().join(", ");
    let problem = format!("document.querySelector('[data-key={key}] .problem:not([hidden])')");
    for button in ["Test connection", button] {
        page.click(button).await?;
        page.is(&problem).await.with_context(|| format!("{wrong:?}: {button}"))?;
        look(page, told, &format!("{key} after {button}"), &all).await?;
    }
    for (field, _) in wrong {
        page.fill(field, "").await?;
    }
    Ok(())
}

/// Everything that can be mistyped in an editor.
async fn refused_all(page: &Page, told: &mut Told, url: &str, button: &str) -> anyhow::Result<()> {
    for wrong in [
        format!("wss://a.example/?access_token={PLANTED}-query"),
        format!("wss://me:{PLANTED}-user@a.example/"),
        format!("me:{PLANTED}-user@a.example/"),
    ] {
        refused(page, told, "url", &[(URL, &wrong)], button).await?;
    }
    page.fill(URL, url).await?;
    let proxy = format!("http://me:{PLANTED}-proxy@127.0.0.1:9");
    refused(page, told, "proxy", &[("[data-key=proxy] input", &proxy)], button).await?;
    page.click("Add a header").await?;
    let (name, value) =
        ("[data-key=headers] label:nth-of-type(1) input", "[data-key=headers] label:nth-of-type(2) input");
    let bearer = format!("Bearer {PLANTED}-header");
    let plain = format!("{PLANTED}-header");
    for wrong in [("X-Api-Key", plain.as_str()), ("X-Client", &bearer)] {
        refused(page, told, "headers", &[(name, wrong.0), (value, wrong.1)], button).await?;
    }
    Ok(())
}

#[tokio::test]
async fn wherever_it_was_given_and_whatever_was_looked_at() -> anyhow::Result<()> {
    let mut desktop = Desktop::start().await?;
    for (name, value) in told::environment() {
        desktop.set(name, &value);
    }
    desktop.set("TIDINGS_LOG", "trace");
    let desk = Desk::start_in(desktop, Options::default(), |_| String::new(), true).await?;
    let home = desk.desktop.home();
    let page = desk.open_page().await?;
    let mut told = Told::default();

    // Before there is a channel.
    for wrong in
        [format!("wss://me:{PLANTED}-user@a.example/"), format!("wss://a.example/?token={PLANTED}-query")]
    {
        page.fill("#first-url", &wrong).await?;
        page.click("Connect").await?;
        page.is("!document.getElementById('first-problem').hidden").await?;
        look(&page, &mut told, "the welcome", "#first-url").await?;
    }

    let secrets = tempfile::tempdir()?;
    let settings = channel("Orders", &desk.server.url(USER)) + &told::channels(&desk.server, secrets.path())?;
    fs::write(home.join(".config/tidings/config.toml"), &settings)?;
    // It stays: what is connected is shown only while nothing is worse.
    page.shows("Complaint").await?;

    // A new channel with its secret, and then another secret.
    edit(&page, "#add", "Add a channel").await?;
    page.fill("[data-key=name] input", "Keyring").await?;
    refused_all(&page, &mut told, &desk.server.url("keyring"), "Add").await?;
    page.fill(SECRET, &format!("{PLANTED}-keyring")).await?;
    test(&page).await?;
    look(&page, &mut told, "#add", SECRET).await?;
    page.click("Add").await?;
    page.is("location.hash === '#channels'").await?;
    edit(&page, "#channels/keyring", "Keyring").await?;
    refused_all(&page, &mut told, &desk.server.url("keyring"), "Save").await?;
    page.fill(SECRET, &format!("{PLANTED}-another")).await?;
    page.click("Save").await?;
    page.is(&format!("document.querySelector('{SECRET}').value === ''")).await?;

    // Each of them is in use.
    for name in ["file", "env", "command", "cookie", "keyring", "another"] {
        let secret = format!("{PLANTED}-{name}");
        let holds = |request: &Request| {
            request.query.contains(&secret)
                || request.headers.iter().any(|(_, value)| value.contains(&secret))
        };
        let sent = |kind: &EventKind| matches!(kind, EventKind::Requested(request) if holds(request));
        desk.server.seen(0, sent).await.with_context(|| format!("never sent: {name}"))?;
    }

    // Every page.
    desk.server.push_json(USER, &json!({ "title": "Order 17" }));
    visit(&page, "#inbox", "true").await?;
    page.click("Order 17").await?;
    look(&page, &mut told, "#inbox", "").await?;
    let all_tried = format!(
        "document.querySelectorAll('main li.channel').length === {} && \
         document.querySelector('main li.channel[data-state=connecting]') === null",
        CHANNELS.len()
    );
    visit(&page, "#channels", &all_tried).await?;
    look(&page, &mut told, "#channels", "").await?;
    for name in CHANNELS {
        let id = name.to_lowercase();
        let place = format!("#channels/{id}");
        edit(&page, &place, name).await?;
        test(&page).await?;
        look(&page, &mut told, &place, "").await?;
        let place = format!("#health/{id}");
        let there = "document.querySelector('.chip[aria-current]')?.textContent === ";
        let there = format!("{there}'{name}' && document.querySelector('main section') !== null");
        visit(&page, &place, &there).await?;
        look(&page, &mut told, &place, "").await?;
    }
    visit(&page, "#settings", "document.querySelector('main section') !== null").await?;
    look(&page, &mut told, "#settings", "").await?;

    // What the page was told, and what it hands on.
    let answers = page.script(&ASKED.replace("CHANNELS", &json!(CHANNELS).to_string())).await?;
    let answers = answers.as_str().context("no answers")?;
    ensure!(answers.contains("has_secret") && answers.contains("STATUS"), "{answers}");
    told.add("the agent's answers", answers);
    visit(&page, "#health", "true").await?;
    page.click("Copy diagnostics").await?;
    page.is("[...document.querySelectorAll('button')].some((one) => one.textContent === 'Copied')").await?;
    let copied = page.clipboard().await?;
    ensure!(copied.contains("END OF THE LOG"), "{copied}");
    told.add("the clipboard", copied);

    // What lies about.
    ensure!(!desk.processes("tidings-window")?.is_empty(), "no window to look at");
    told.add_processes(&home, &GIVEN)?;
    let archive = home.join("diagnostics.tar.gz");
    let mut pack = desk.desktop.command(binary::tidings()?);
    ensure!(pack.arg("diagnostics").arg(&archive).output()?.status.success());
    told.add_archive(&archive)?;
    // The home, and what its programs wrote to their terminals.
    told.add_files(home.parent().context("no folder")?)?;
    told.holds_none()?;
    page.close().await
}
