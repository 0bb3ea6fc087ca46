use std::time::Duration;

use tidings_api::StateName;
use tidings_server::EventKind;
use tidings_tests::app::App;
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};

/// Each of the agents would be back within `backoff.cap` (500 ms here), or the second between two dials.
const LONG: Duration = Duration::from_secs(3);

#[tokio::test]
async fn the_newer_one_gets_the_channel_by_one_kick_and_then_there_is_peace() -> anyhow::Result<()> {
    let old = Scene::start().await?;
    let settings = channel("Orders", &old.server.url(USER));
    let server = Place(old.server.0.clone());
    let new = Scene::around(server, ABLE, |bus| App::with_settings(settings).bus(bus)).await?;
    new.connected().await?;
    old.tray.wait_for_label("Replaced ").await?;
    old.server.seen(0, |kind| matches!(kind, EventKind::Closed { .. })).await?;

    let mark = old.server.mark();
    let late = old.server.wait_after(mark, LONG, |event| matches!(event.kind, EventKind::Requested(_))).await;
    assert!(late.is_err(), "{late:?}");
    assert_eq!(old.server.upgrades(), 2);
    old.server.push(USER, "for one of you");
    new.popups.wait_for(1).await?;
    assert!(old.popups.popups().is_empty());
    old.tray.wait_for_label("Replaced ").await?;
    Ok(())
}

#[tokio::test]
async fn two_that_start_at_once_come_to_peace_as_well() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let start = || App::with_settings(channel("Orders", &server.url(USER))).start();
    let (one, other) = tokio::try_join!(start(), start())?;
    server.seen(0, |kind| matches!(kind, EventKind::Replaced { .. })).await?;
    let settled = |status: &tidings_api::StatusReport| {
        matches!(status.channels.first().map(|c| c.state), Some(StateName::Connected | StateName::Replaced))
    };
    server.seen(0, |kind| matches!(kind, EventKind::Closed { .. })).await?;
    let late = server.wait_after(server.mark(), LONG, |event| matches!(event.kind, EventKind::Requested(_)));
    assert!(late.await.is_err());
    let one = one.wait_for_status("settled", settled).await?.channels[0].state;
    let other = other.wait_for_status("settled", settled).await?.channels[0].state;
    assert!(one != other, "both {one:?}");
    assert_eq!((server.upgrades(), server.links(USER)), (2, 1));
    Ok(())
}
