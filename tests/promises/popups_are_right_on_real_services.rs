use std::future::Future;

use serde_json::json;
use tidings_tests::album::{Album, Page, RED, red_picture};
use tidings_tests::desktop::SCREEN;
use tidings_tests::real::named;
use tidings_tests::real_popups::{OnScreen, RealPopups};

/// Those that a Debian stable has and that differ most: in what a click does, in who starts them, in how they read labels.
const SERVICES: [&str; 3] = ["dunst", "mate-notification-daemon", "xfce4-notifyd"];

async fn on_each<F>(check: impl Fn(RealPopups) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    for name in SERVICES {
        check(RealPopups::on(named(name)?).await?).await.map_err(|error| error.context(name))?;
    }
    Ok(())
}

#[tokio::test]
async fn what_a_message_says_is_read_as_it_was_written() -> anyhow::Result<()> {
    on_each(async |desk| {
        let popup =
            desk.pops_up(&json!({ "title": "Tea & toast", "body": "Don't forget: it's Ann's turn" })).await?;
        let read = popup.text().await?;
        for words in ["Tea & toast", "Don't forget: it's Ann's turn"] {
            assert!(read.contains(words), "{words:?} expected, and what is read is {read:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_picture_of_a_message_is_seen() -> anyhow::Result<()> {
    let server = Album::start(None).await?;
    server.put("/red.png", Page::Bytes(red_picture()));
    let settings = format!(
        "[[channel]]\nname = \"Door\"\nurl = \"{}\"\nauth = \"none\"\nimages = \"own-server\"\n",
        server.at("/ws").replacen("http", "ws", 1)
    );
    on_each(async |desk| {
        desk.app.write_settings(&settings)?;
        desk.app
            .wait_for_status("connected to the other", |status| {
                let channel = &status.channels[0];
                channel.name == "Door" && channel.state.as_str() == "connected"
            })
            .await?;
        server.is_listened_to().await?;
        let send = |title: &str, image: &str| {
            server.send(&json!({ "title": title, "body": "look", "image": image }).to_string());
        };
        let with = desk.pops_up_by("With", || send("With", "/red.png")).await?;
        let red = |popup: &OnScreen| popup.screen.part(popup.area).pixels_like(RED);
        // The smallest that was seen is 32 by 32.
        assert!(red(&with) >= 30 * 30, "{} red pixels", red(&with));
        let without = desk.pops_up_by("Without", || send("Without", "/none.png")).await?;
        assert_eq!(red(&without), 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_click_opens_the_link_before_and_after_a_restart_of_the_service() -> anyhow::Result<()> {
    on_each(async |mut desk| {
        desk.click("Now").await?;
        desk.stage.restart().await?;
        desk.click("Again").await?;
        assert_eq!(desk.app.opened_links(), ["https://example.org/0", "https://example.org/1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tag_takes_the_place_of_its_predecessor() -> anyhow::Result<()> {
    on_each(async |desk| {
        let one = desk.pops_up(&json!({ "title": "Build 40", "body": "is finished" })).await?;
        let running = json!({ "title": "Build 41", "tag": "build", "body": "is running" });
        let finished = json!({ "title": "Build 42", "tag": "build", "body": "is finished" });
        let (first, second) = desk.tagged(&running, &finished).await?;
        let read = second.text().await?;
        assert!(read.contains("finished") && !read.contains("running"), "{read:?}");
        assert_eq!(second.replaces, first);
        assert_eq!(second.area.height, one.area.height, "there is one popup");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_first_popup_of_a_service_that_the_bus_starts_is_clicked_and_replaced_as_any()
-> anyhow::Result<()> {
    for name in SERVICES {
        let desk = RealPopups::started_by_the_bus(named(name)?).await?;
        desk.click("First").await.map_err(|error| error.context(name))?;

        let desk = RealPopups::started_by_the_bus(named(name)?).await?;
        let running = json!({ "title": "Build 1", "tag": "build" });
        let finished = json!({ "title": "Build 2", "tag": "build" });
        let (first, second) = desk.tagged(&running, &finished).await?;
        assert_eq!(second.replaces, first, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn the_label_of_a_button_is_read_as_it_was_written() -> anyhow::Result<()> {
    // dunst has no buttons.
    for name in ["mate-notification-daemon", "xfce4-notifyd"] {
        let desk = RealPopups::on(named(name)?).await?;
        let actions = json!([{ "label": "Accept & close", "url": "https://example.org/accept" }]);
        let popup =
            desk.pops_up(&json!({ "title": "Ann calls", "body": "again", "actions": actions })).await?;
        let read = popup.text().await?;
        assert!(read.contains("Accept") && read.contains("close"), "{name}: {read:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_log_of_many_lines_leaves_most_of_the_screen_and_the_button_on_it() -> anyhow::Result<()> {
    let lines: Vec<String> = (1..140).map(|number| format!("line {number}")).collect();
    on_each(async |desk| {
        let popup = desk.pops_up(&json!({ "title": "A log", "body": lines.join("\n") })).await?;
        let height = usize::try_from(popup.area.height)?;
        assert!(height < SCREEN.1 / 2, "{height} pixels of {}", SCREEN.1);
        Ok(())
    })
    .await
}
