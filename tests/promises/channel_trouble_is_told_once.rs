use anyhow::Context;
use tidings_api::StatusReport;
use tidings_server::Refusal;
use tidings_tests::app::App;
use tidings_tests::desktop::Signal;
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::wait::eventually;

const DOWN_AFTER: &str = "[notifications]\ndown_after = \"300ms\"\n";

/// From now on trouble is told soon: earlier, the start itself would be one.
fn tell_soon(scene: &Scene) -> anyhow::Result<()> {
    let settings = std::fs::read_to_string(scene.app.settings_file())?;
    scene.app.write_settings(settings + DOWN_AFTER)
}

#[tokio::test]
async fn a_channel_that_stays_down_is_told_of_once_and_no_more_once_it_is_back() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    tell_soon(&scene)?;
    scene.server.stop(1001).await;
    let popup = scene.popups.wait_for_title("Orders is not connected").await?;
    assert!(
        popup.body.starts_with("Since ") && popup.body.ends_with("Tidings keeps trying"),
        "{}",
        popup.body
    );
    assert_eq!((popup.urgency(), popup.text_hint("desktop-entry")), (Some(1), Some("tidings")));
    assert!(scene.popups.withdrawn().is_empty());

    scene.server.start_again().await?;
    scene.popups.wait_until("its end", |popups| popups.withdrawn() == [popup.id]).await?;
    scene.marker("that is all").await?;
    assert_eq!(scene.popups.titles(), ["Orders is not connected", "that is all"]);
    Ok(())
}

#[tokio::test]
async fn a_refused_sign_in_is_told_of_until_it_is_accepted_and_a_click_opens_the_window() -> anyhow::Result<()>
{
    let scene = Scene::start().await?;
    scene.server.refuse_upgrades(Some(Refusal::status(401)));
    scene.server.drop_links(USER);
    let popup = scene.popups.wait_for_title("Orders needs you").await?;
    assert!(popup.body.starts_with("Sign-in refused (401)\nRenew the secret"), "{}", popup.body);
    scene.popups.click(popup.id, "default", Some("a-token")).await?;
    eventually("the window", || scene.app.opened_windows().first().cloned()).await?;
    assert_eq!(scene.app.opened_windows(), ["|a-token"]);
    Ok(())
}

#[tokio::test]
async fn what_waiting_does_not_mend_is_told_with_what_to_do() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.server.refuse_upgrades(Some(Refusal::status(404)));
    scene.server.drop_links(USER);
    let refused = |status: &StatusReport| {
        status.channels[0].cause.as_deref().is_some_and(|cause| cause.contains("(404)"))
    };
    scene.app.wait_for_status("(404)", refused).await?;
    tell_soon(&scene)?;
    let popup = scene.popups.wait_for_title("Orders is not connected").await?;
    let (since, mend) = popup.body.split_once('\n').context("a second line")?;
    assert!(since.starts_with("Since ") && since.contains("(404)"), "{}", popup.body);
    assert!(mend.starts_with("Check the URL's path"), "{}", popup.body);
    assert!(!popup.body.contains("keeps trying"), "{}", popup.body);
    Ok(())
}

#[tokio::test]
async fn neither_a_take_over_nor_a_disconnect_is_trouble() -> anyhow::Result<()> {
    let (orders, chat) = (Place::start().await?, Place::start().await?);
    let settings = [channel("Orders", &orders.url(USER)), channel("Chat", &chat.url(USER))];
    let mut scene = Scene::around(orders, ABLE, |bus| App::with_settings(settings.concat()).bus(bus)).await?;
    scene.app.wait_for_status("connected", all_are("connected")).await?;
    tell_soon(&scene)?;
    let _other = scene.server.other_tab(USER).await?;
    scene.app.run(&["disconnect", "chat"]).await?;
    scene.tray.wait_for_label("Orders: Replaced").await?;
    scene.tray.wait_for_label("Chat: Disconnected").await?;

    // A third, which is down, tells when the time is over for all three.
    let gone = Place::start().await?;
    let third = channel("Third", &gone.url(USER));
    gone.stop(1001).await;
    scene.app.write_settings(third + &std::fs::read_to_string(scene.app.settings_file())?)?;
    scene.popups.wait_for_title("Third is not connected").await?;
    assert_eq!(scene.popups.titles(), ["Third is not connected"]);

    // A channel that is no more has no trouble.
    scene.app.write_settings("")?;
    scene.popups.wait_until("its end", |popups| popups.withdrawn().len() == 1).await?;
    scene.app.signal(Signal::TERM)?;
    scene.app.ended_well().await
}

#[tokio::test]
async fn what_is_told_when_the_agent_ends_is_withdrawn() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    tell_soon(&scene)?;
    scene.server.stop(1001).await;
    let popup = scene.popups.wait_for_title("Orders is not connected").await?;
    scene.app.signal(Signal::TERM)?;
    scene.app.ended_well().await?;
    assert_eq!(scene.popups.withdrawn(), [popup.id]);
    Ok(())
}

#[tokio::test]
async fn during_a_pause_trouble_waits_for_its_end() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    tell_soon(&scene)?;
    scene.app.run(&["pause"]).await?;
    scene.server.stop(1001).await;
    scene.tray.wait_for_label("Reconnecting").await?;
    scene.app.run(&["resume"]).await?;
    scene.popups.wait_for_title("Orders is not connected").await?;
    scene.server.start_again().await?;
    scene.popups.wait_until("its end", |popups| popups.withdrawn().len() == 1).await?;
    Ok(())
}

fn all_are(state: &str) -> impl Fn(&StatusReport) -> bool {
    move |status| status.channels.iter().all(|channel| channel.state.as_str() == state)
}
