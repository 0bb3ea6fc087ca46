//! Pictures of the window's pages for the documentation, over the second host: `cargo xtask screenshots`.

use std::fs;
use std::path::Path;

use anyhow::Context;
use tidings_tests::browser::Page;

/// One picture: what it is called, and how the page gets there.
struct Picture {
    name: &'static str,
    scenario: &'static str,
    place: &'static str,
    /// What is done there, once it is to be seen: a selector of what is pressed …
    press: &'static str,
    /// … and what is typed before, by selectors: in English, and in Chinese.
    typed: &'static [(&'static str, &'static str, &'static str)],
    /// What is to be seen then.
    seen: &'static str,
    /// What is to stand at the top; empty: the page's top.
    top: &'static str,
}

const PICTURE: Picture =
    Picture { name: "", scenario: "shop", place: "", press: "h1", typed: &[], seen: "h1", top: "" };

const PICTURES: [Picture; 11] = [
    Picture { name: "inbox", press: ".message:nth-child(2) .title", seen: ".details", ..PICTURE },
    Picture { name: "first-run", scenario: "none", seen: ".welcome", ..PICTURE },
    Picture { name: "channels", place: "channels", seen: ".channel", ..PICTURE },
    Picture {
        name: "editor",
        place: "channels/orders",
        press: ".trial-section button",
        seen: ".verdict[data-ok=true]",
        ..PICTURE
    },
    Picture { name: "health", place: "health/orders", seen: "tbody", ..PICTURE },
    Picture { name: "settings", place: "settings", seen: ".days", ..PICTURE },
    Picture {
        name: "add-ntfy",
        place: "add",
        typed: &[("[data-key=url] input", "https://ntfy.example/alerts", "https://ntfy.example/alerts")],
        press: ".discovery button",
        seen: ".discovered [data-found=true]",
        ..PICTURE
    },
    Picture { name: "markdown", scenario: "markdown", press: ".message .title", seen: ".details", ..PICTURE },
    Picture { name: "attachment", scenario: "pushed", press: ".message .title", seen: ".details", ..PICTURE },
    Picture {
        name: "dialogue",
        scenario: "spoken",
        place: "channels/app",
        typed: &[(".preview-section textarea", FRAMES, FRAMES)],
        seen: ".turns li:nth-child(4)",
        top: ".preview-section",
        ..PICTURE
    },
    Picture {
        name: "send",
        scenario: "sending",
        place: "send/alerts",
        typed: &[
            ("[data-key=title] input", "Backup", "备份"),
            ("[data-key=text] textarea", "The nightly backup is done.", "夜间备份已完成。"),
        ],
        press: "[data-key=title] label",
        seen: ".send",
        ..PICTURE
    },
];

/// What a server of a dialogue may send.
const FRAMES: &str = r#"{"type":"ready"}
{"type":"ping"}
{"type":"event","payload":{"title":"Order 1043","body":"It waits for you.","priority":4}}"#;

/// When they are taken, so that they tell one story: what the scenario `shop` tells is of this morning.
const TIME: &str = "2026-11-23T11:55:00Z";

/// How each is shown: what follows its name, the parameters, width and height.
const LOOKS: [(&str, &str, (u32, u32)); 4] = [
    ("", "&theme=light", (1100, 760)),
    ("-dark", "&theme=dark", (1100, 760)),
    ("-narrow", "&theme=light", (380, 760)),
    ("-chinese", "&theme=light&language=zh-CN", (1100, 760)),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/img");
    let mut page = Page::open(PICTURE.scenario, LOOKS[0].2).await?;
    page.set_clock(TIME).await?;
    for Picture { name, scenario, place, press, typed, seen, top } in PICTURES {
        for (look, parameters, size) in LOOKS {
            page.resize(size).await?;
            page.visit(&format!("{scenario}{parameters}#{place}")).await?;
            for (control, english, chinese) in typed {
                let text = if parameters.contains("zh-CN") { chinese } else { english };
                let control = format!("document.querySelector('{control}')");
                page.sees(text, &control).await?;
                page.ask(&format!("void {control}.focus()")).await?;
                page.write(text).await?;
            }
            page.sees(press, &format!("document.querySelector('{press}')")).await?;
            page.ask(&format!("void document.querySelector('{press}').click()")).await?;
            page.sees(seen, &format!("document.querySelector('{seen}')")).await?;
            if !top.is_empty() {
                page.ask(&format!("void document.querySelector('{top}').scrollIntoView()")).await?;
            }
            page.ask(
                "Promise.all([document.fonts.ready, ...document.getAnimations().map(one => one.finished)])",
            )
            .await?;
            let file = folder.join(format!("{name}{look}.png"));
            let picture = page.screenshot().await?;
            fs::write(&file, picture).with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    Ok(())
}
