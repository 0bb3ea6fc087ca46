use anyhow::Context;
use tidings_tests::window::{Desk, Page};

async fn press(page: &Page, key: &str) -> anyhow::Result<()> {
    let pressed =
        "new KeyboardEvent('keydown', { ctrlKey: true, bubbles: true, cancelable: true, key: KEY })";
    let pressed = pressed.replace("KEY", &format!("{key:?}"));
    page.script(&format!("document.body.dispatchEvent({pressed})")).await.map(drop)
}

/// What fits into the window, in the page's own pixels.
async fn width(page: &Page) -> anyhow::Result<f64> {
    page.script("return innerWidth").await?.as_f64().context("a width")
}

/// Waits until the window's width is about so much of `usual`.
async fn zoomed(page: &Page, usual: f64, factor: f64) -> anyhow::Result<()> {
    page.is(&format!("Math.abs(innerWidth * {factor} / {usual} - 1) < 0.02")).await
}

#[tokio::test]
async fn the_keyboard_zooms_the_page_as_in_a_browser_and_the_next_window_is_as_large() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    let page = desk.open_page().await?;
    page.shows("Connected since").await?;
    let usual = width(&page).await?;
    for key in ["+", "="] {
        press(&page, key).await?;
    }
    zoomed(&page, usual, 1.25).await?;
    press(&page, "-").await?;
    zoomed(&page, usual, 1.1).await?;
    press(&page, "0").await?;
    zoomed(&page, usual, 1.0).await?;

    // What a window finds that is opened after one was left so.
    page.script("localStorage.setItem('zoom', '2')").await?;
    page.reload().await?;
    zoomed(&page, usual, 2.0).await?;
    page.shows("Connected since").await?;
    let overflow = page.script("return document.documentElement.scrollWidth - innerWidth").await?;
    assert!(overflow.as_f64().is_some_and(|pixels| pixels <= 0.0), "nothing is cut off: {overflow}");
    page.close().await
}
