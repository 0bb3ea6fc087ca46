use anyhow::ensure;
use serde_json::json;
use tidings_server::Options;
use tidings_tests::album::{self, Album, RED, picture, red_picture};
use tidings_tests::window::{Desk, SOON};
use tokio::time::{Instant, sleep};

/// Between two looks at the screen.
const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

/// How many pixels of the screen are of the picture's colour.
fn red(desk: &Desk) -> anyhow::Result<usize> {
    let near = |pixel: &[u8]| pixel.iter().zip(RED).all(|(is, wanted)| is.abs_diff(wanted) <= 2);
    Ok(desk.desktop.pixels()?.chunks_exact(3).filter(|pixel| near(pixel)).count())
}

#[tokio::test]
async fn of_a_message_in_the_inbox_once_and_its_icon_in_the_row() -> anyhow::Result<()> {
    let server = Album::start(None).await?;
    server.put("/door.png", album::Page::Bytes(red_picture()));
    server.put("/icon.png", album::Page::Bytes(picture()));
    let url = server.at("/ws").replacen("http", "ws", 1);
    // Its popup shows none: what is red on the screen is in the window.
    let settings = format!(
        "[[channel]]\nname = \"Doors\"\nurl = \"{url}\"\nimages = \"own-server\"\nshow = \"title\"\n"
    );
    let desk = Desk::start_with(Options::default(), |_| settings.clone(), false).await?;
    desk.shows("Connected since ").await?;
    let page = desk.open_page().await?;
    page.shows("Connected since").await?;
    let message = json!({ "title": "The door", "body": "look", "icon": "/icon.png", "image": "/door.png" });
    server.send(&message.to_string());
    page.shows("The door").await?;
    let seen = |what: &str| {
        let images =
            format!("[...document.querySelectorAll('{what}')].filter(image => image.checkVisibility())");
        format!("({images}).map(image => `${{image.naturalWidth}}x${{image.naturalHeight}}`).join()")
    };
    page.is(&format!("{} === '24x16'", seen("li.message .sender img"))).await?;
    ensure!(red(&desk)? == 0, "the picture is to be seen before the message is opened");

    page.click("The door").await?;
    page.is(&format!("{} === '128x128'", seen("li.message img.picture"))).await?;
    let deadline = Instant::now() + SOON;
    while red(&desk)? < 128 * 128 / 2 {
        ensure!(Instant::now() < deadline, "the picture is not on the screen: {} pixels", red(&desk)?);
        sleep(LOOK).await;
    }
    ensure!(red(&desk)? <= 128 * 128, "it is there more than once: {} pixels", red(&desk)?);
    ensure!(server.asked().len() == 2, "{:?}", server.asked());

    // A page that comes later finds what is here.
    page.reload().await?;
    page.is(&format!("{} === '24x16'", seen("li.message .sender img"))).await?;
    ensure!(server.asked().len() == 2, "{:?}", server.asked());
    page.close().await
}
