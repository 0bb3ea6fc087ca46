use std::sync::Arc;

use serde_json::json;
use tidings_api::Request;
use tidings_tests::app::App;
use tidings_tests::notification_service::{ABLE, Click, Manner, Popup};
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::wait::eventually;

const LINK: &str = "https://shop.example/17";

async fn pushed(scene: &Scene, title: &str) -> anyhow::Result<Arc<Popup>> {
    scene.server.push_json(USER, &json!({ "title": title, "url": LINK }));
    scene.popups.wait_for_title(title).await
}

async fn opened(scene: &Scene, links: &[&str]) -> anyhow::Result<()> {
    eventually("the browser", || (scene.app.opened_links().len() >= links.len()).then_some(())).await?;
    assert_eq!(scene.app.opened_links(), links);
    Ok(())
}

#[tokio::test]
async fn where_nothing_opens_links_the_click_is_answered_and_the_message_stays_unread() -> anyhow::Result<()>
{
    let scene = Scene::start().await?;
    for (title, failure) in [("exits", "exit 3"), ("is killed", "kill -9 $$")] {
        scene.app.break_browser(failure)?;
        let shown = scene.popups.popups().len();
        let popup = pushed(&scene, title).await?;
        scene.popups.click(popup.id, "default", None).await?;
        let answer = scene.popups.wait_for(shown + 2).await?.pop().expect("an answer");
        assert_eq!(answer.summary, "Nothing opened");
        assert!(answer.body.contains("shop.example"), "{}", answer.body);
        assert!(answer.body.contains("stays unread"), "{}", answer.body);
        assert!(scene.app.inbox()?.iter().all(|message| message.unread));
        assert!(scene.app.status().await?.notices.iter().any(|notice| notice.contains("shop.example")));

        // The answer leads to the message, in the window that stays from then on.
        scene.popups.click(answer.id, "default", None).await?;
        eventually("the window", || scene.app.opened_windows().first().cloned()).await?;
        assert_eq!(scene.app.opened_windows(), ["--message 1|"]);
    }

    scene.app.mend_browser("xdg-open")?;
    let popup = pushed(&scene, "mended").await?;
    scene.popups.click(popup.id, "default", None).await?;
    opened(&scene, &[LINK]).await?;
    let read = scene.app.wait_for_inbox("the last one read", |stored| stored.iter().any(|one| !one.unread));
    let unread: Vec<_> = read.await?.iter().map(|message| message.unread).collect();
    assert_eq!(unread, [true, true, false]);
    scene.app.wait_for_status("without a notice", |status| status.notices.is_empty()).await?;
    Ok(())
}

#[tokio::test]
async fn a_link_that_the_first_program_refuses_is_opened_by_the_next() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.app.break_browser("exit 4")?;
    scene.app.mend_browser("gio")?;
    let popup = pushed(&scene, "Order 17").await?;
    scene.popups.click(popup.id, "default", None).await?;
    opened(&scene, &[&format!("open {LINK}")]).await?;
    scene.app.wait_for_inbox("it read", |stored| stored.iter().all(|message| !message.unread)).await?;
    Ok(())
}

#[tokio::test]
async fn the_answer_tells_no_more_of_a_link_than_the_popup_of_its_message_may() -> anyhow::Result<()> {
    let scene = Scene::with("show = \"title\"\n").await?;
    scene.app.break_browser("exit 3")?;
    let popup = pushed(&scene, "Diagnosis").await?;
    scene.popups.click(popup.id, "default", None).await?;
    let answer = scene.popups.wait_for_title("Nothing opened").await?;
    assert!(!answer.body.contains("shop.example"), "{}", answer.body);
    Ok(())
}

#[tokio::test]
async fn the_windows_own_links_are_answered_for_too() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.app.break_browser("exit 3")?;
    scene.server.push_json(USER, &json!({ "title": "Write", "url": "mailto:ann@shop.example?body=s3cret" }));
    scene.popups.wait_for_title("Write").await?;
    scene.app.ask(&Request::OpenLink { message: 1, link: None }).await?;
    let answer = scene.popups.wait_for_title("Nothing opened").await?;
    assert!(answer.body.contains("ann@shop.example."), "{}", answer.body);
    assert!(!format!("{answer:?}{}", scene.app.log()).contains("s3cret"));
    assert!(scene.app.inbox()?[0].unread);
    Ok(())
}

#[tokio::test]
async fn a_click_that_should_open_a_window_that_is_not_there_is_answered() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.app.remove_window()?;
    scene.server.push_json(USER, &json!({ "title": "Order 17" }));
    let popup = scene.popups.wait_for_title("Order 17").await?;
    scene.popups.click(popup.id, "default", None).await?;
    let answer = scene.popups.wait_for_title("Nothing opened").await?;
    assert!(answer.body.contains("the window is not installed"), "{}", answer.body);
    assert!(scene.app.inbox()?[0].unread);
    Ok(())
}

#[tokio::test]
async fn an_opener_that_never_ends_is_the_browser_itself_and_holds_nothing_up() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.app.break_browser("touch \"$0.started\"; exec sleep 600")?;
    let started = scene.app.home().with_file_name("bin").join("xdg-open.started");
    let popup = pushed(&scene, "hangs").await?;
    scene.popups.click(popup.id, "default", None).await?;
    eventually("the opener", || started.exists().then_some(())).await?;

    scene.app.mend_browser("xdg-open")?;
    let popup = pushed(&scene, "Order 17").await?;
    scene.popups.click(popup.id, "default", None).await?;
    opened(&scene, &[LINK]).await?;
    scene.app.wait_for_inbox("both read", |stored| stored.iter().all(|message| !message.unread)).await?;
    assert!(!scene.popups.titles().contains(&"Nothing opened".to_owned()));
    Ok(())
}

#[tokio::test]
async fn the_desktops_leave_to_take_the_focus_goes_to_the_browser() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER));
    // With that of its own start, which is used up.
    let scene = Scene::around(server, ABLE, |bus| {
        App::with_settings(settings).bus(bus).variable("XDG_ACTIVATION_TOKEN", "stale")
    })
    .await?;
    scene.connected().await?;
    for (title, token) in [("one", Some("a-token")), ("two", None)] {
        let popup = pushed(&scene, title).await?;
        scene.popups.click(popup.id, "default", token).await?;
    }
    opened(&scene, &[LINK, LINK]).await?;
    let mut tokens = scene.app.opened_with();
    tokens.sort();
    assert_eq!(tokens, [" ", "a-token a-token"]);
    Ok(())
}

#[tokio::test]
async fn a_click_counts_though_the_service_tells_of_the_end_first() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let popup = pushed(&scene, "Order 17").await?;
    scene.popups.ends(popup.id).await?;
    // More comes in between: it is no matter of time.
    for title in ["two", "three"] {
        scene.marker(title).await?;
    }
    scene.popups.click_that(Click::EndsFirst, popup.id, "default", Some("a-token")).await?;
    opened(&scene, &[LINK]).await?;
    assert_eq!(scene.app.opened_with(), ["a-token a-token"]);
    Ok(())
}

#[tokio::test]
async fn a_popup_that_the_service_leaves_there_is_closed_and_a_double_click_is_one() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let popup = pushed(&scene, "Order 17").await?;
    for _ in 0..2 {
        scene.popups.click_that(Click::Stays, popup.id, "default", None).await?;
    }
    scene.popups.wait_until("its end", |popups| popups.withdrawn() == [popup.id]).await?;
    scene.server.push_json(USER, &json!({ "title": "marker", "url": "https://a.example/" }));
    let marker = scene.popups.wait_for_title("marker").await?;
    scene.popups.click_that(Click::Stays, marker.id, "default", None).await?;
    eventually("both links", || (scene.app.opened_links().len() >= 2).then_some(())).await?;
    let mut links = scene.app.opened_links();
    links.sort();
    assert_eq!(links, ["https://a.example/", LINK]);
    Ok(())
}

#[tokio::test]
async fn a_click_counts_while_the_service_hangs_over_another_popup() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let popup = pushed(&scene, "Order 17").await?;
    scene.popups.behave(Manner::Hang);
    scene.server.push_json(USER, &json!({ "title": "hangs" }));
    scene.popups.wait_until("a call that hangs", |service| service.unanswered().len() == 1).await?;
    // More than any queue on the way holds.
    for id in 1_000..1_200 {
        scene.popups.ends(id).await?;
    }
    scene.popups.click(popup.id, "default", None).await?;
    opened(&scene, &[LINK]).await?;
    scene.popups.behave(Manner::Show);
    scene.popups.wait_for_title("hangs").await?;
    Ok(())
}

#[tokio::test]
async fn a_click_that_somebody_else_tells_of_opens_nothing() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let popup = pushed(&scene, "Order 17").await?;
    let bus = scene.bus.as_ref().expect("a session").connect().await?;
    let name = "org.freedesktop.Notifications";
    let path = "/org/freedesktop/Notifications";
    bus.emit_signal(None::<&str>, path, name, "ActionInvoked", &(popup.id, "default")).await?;
    scene.server.push_json(USER, &json!({ "title": "marker", "url": "https://a.example/" }));
    let marker = scene.popups.wait_for_title("marker").await?;
    scene.popups.click(marker.id, "default", None).await?;
    opened(&scene, &["https://a.example/"]).await
}
