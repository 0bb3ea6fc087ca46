//! Pictures of the window's pages for the documentation, over the second host: `cargo xtask screenshots`.

use std::fs;
use std::path::Path;

use anyhow::Context;
use tidings_tests::browser::Page;

/// The pages: the picture's name, the scenario and its place, what is pressed there, and what is to be seen then.
const PAGES: [(&str, &str, &str, &str, &str); 6] = [
    ("inbox", "shop", "", ".message:nth-child(2) .title", ".details"),
    ("first-run", "none", "", "h1", ".welcome"),
    ("channels", "shop", "channels", "h1", ".channel"),
    ("editor", "shop", "channels/orders", ".trial-section button", ".verdict[data-ok=true]"),
    ("health", "shop", "health/orders", "h1", "tbody"),
    ("settings", "shop", "settings", "h1", ".days"),
];

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
    let mut page = Page::open("shop", LOOKS[0].2).await?;
    page.set_clock(TIME).await?;
    for (name, scenario, place, press, seen) in PAGES {
        for (look, parameters, size) in LOOKS {
            page.resize(size).await?;
            page.visit(&format!("{scenario}{parameters}#{place}")).await?;
            page.sees(press, &format!("document.querySelector('{press}')")).await?;
            page.ask(&format!("void document.querySelector('{press}').click()")).await?;
            page.sees(seen, &format!("document.querySelector('{seen}')")).await?;
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
