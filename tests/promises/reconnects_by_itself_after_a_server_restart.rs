use jiff::Timestamp;
use tidings_server::{GOING_AWAY, SERVICE_RESTART};
use tidings_tests::app::zone;
use tidings_tests::scene::Scene;
use tidings_tests::wait::SOON;

#[tokio::test]
async fn a_server_that_goes_away_and_comes_back_is_found_again() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.server.stop(GOING_AWAY).await;
    let item = scene.tray.wait_for_label("Reconnecting at ").await?;
    assert_eq!(item.icon, "tidings_working");
    assert!(item.shows("Reconnect now") && item.shows("Disconnect"), "{:?}", item.labels());

    scene.server.start_again().await?;
    scene.connected().await?;
    assert_eq!(scene.tray.item().await?.icon, "tidings_connected");
    scene.marker("and messages go on").await?;
    assert_eq!(scene.popups.titles(), ["and messages go on"], "no popup told of the flap");
    assert_eq!(scene.app.status().await?.channels[0].links_opened, 2);
    Ok(())
}

#[tokio::test]
async fn a_link_that_is_cut_without_a_word_comes_back() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.server.drop_links(tidings_tests::scene::USER);
    // Stopped before the agent may dial again, which is a second after its first dial at the earliest: so the
    // tray has something to show for as long as it takes.
    scene.server.stop(1006).await;
    let item = scene.tray.wait_for_label("Reconnecting at ").await?;
    assert_eq!(item.icon, "tidings_working");
    scene.server.start_again().await?;
    scene.connected().await
}

#[tokio::test]
async fn an_announced_restart_is_waited_for_until_the_time_that_every_view_tells() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.server.stop(SERVICE_RESTART).await;
    scene.server.start_again().await?;
    let stopped = Timestamp::now();

    let item = scene.tray.wait_for_label("Reconnecting at ").await?;
    let label = item.label("Reconnecting at ")?;
    assert!(label.ends_with(": server restarting (1012)"), "{label}");
    let channel = &scene.app.status().await?.channels[0];
    let retry_at = channel.retry_at.expect("a time for the next dial");
    let wait = retry_at.duration_since(stopped).as_secs_f64();
    assert!((4.0..=31.0).contains(&wait), "5 to 30 s, but not {wait}");
    let clock = retry_at.to_zoned(zone()).strftime("%H:%M:%S").to_string();
    assert!(label.contains(&clock), "{label} is not {clock}");
    assert_eq!(channel.cause.as_deref(), Some("server restarting (1012)"));
    assert!(item.tooltip.contains(&clock), "{}", item.tooltip);

    // The drawn time stands: half a minute is too long for a test, so the user is impatient.
    let again = scene.app.status().await?.channels[0].retry_at;
    assert_eq!(again, Some(retry_at));
    scene.tray.click(&["Reconnect now"]).await?;
    scene.connected().await?;
    let early = Timestamp::now() < retry_at;
    assert!(early || wait < SOON.as_secs_f64(), "`Reconnect now` did not wait");
    Ok(())
}
