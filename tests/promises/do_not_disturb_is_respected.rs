use serde_json::json;
use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::wait::eventually;

const SAID: &str = "says whether it may disturb";

#[tokio::test]
async fn a_service_told_not_to_disturb_gets_critical_ones_alone_and_then_one_summary() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.popups.inhibit(true).await?;
    eventually("its word", || scene.app.log().contains(SAID).then_some(())).await?;
    for title in ["one", "two", "three"] {
        scene.server.push_json(USER, &json!({ "title": title }));
    }
    scene.server.push_json(USER, &json!({ "title": "fire", "priority": 5 }));
    scene.popups.wait_for_title("fire").await?;
    assert_eq!(scene.popups.titles(), ["fire"]);

    scene.popups.inhibit(false).await?;
    scene.popups.wait_for_title("3 messages from Orders").await?;
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["fire", "3 messages from Orders", "after"]);
    Ok(())
}

#[tokio::test]
async fn a_service_that_was_told_so_before_is_asked_at_the_first_popup() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.popups.die().await?;
    scene.popups.inhibit_silently(true);
    scene.popups.come_back().await?;
    scene.server.push_json(USER, &json!({ "title": "one" }));
    eventually("its word", || scene.app.log().contains(SAID).then_some(())).await?;
    scene.server.push_json(USER, &json!({ "title": "fire", "priority": 5 }));
    scene.popups.wait_for_title("fire").await?;
    assert_eq!(scene.popups.titles(), ["fire"]);

    // Another service, which disturbs as it likes.
    scene.popups.die().await?;
    scene.popups.inhibit_silently(false);
    scene.popups.come_back().await?;
    scene.popups.wait_for_title("one").await?;
    Ok(())
}

#[tokio::test]
async fn what_was_said_in_a_session_that_is_over_holds_nothing_back_in_the_next() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER));
    let mut app = App::with_settings(settings).background().start().await?;
    server.opened(1).await?;
    for (over, session) in ["first", "second"].into_iter().enumerate() {
        let bus = PrivateBus::start()?;
        let popups = NotificationService::start(&bus, ABLE).await?;
        app.set_bus(Some(&bus));
        app.run(&["--background"]).await?;
        server.push_json(USER, &json!({ "title": session }));
        popups.wait_for_title(session).await?;
        popups.inhibit(true).await?;
        let said = |what: &str, count| (app.log().matches(what).count() == count).then_some(());
        // Of the first also that it may, once it is over.
        eventually("its word", || said(SAID, 2 * over + 1)).await?;
        // One that ends politely tells first that the service leaves.
        bus.kill()?;
        eventually("its end", || said("session is over", over + 1)).await?;
        app.set_bus(None);
    }
    Ok(())
}
