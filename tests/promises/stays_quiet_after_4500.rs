use std::time::Duration;

use jiff::Timestamp;
use tidings_api::StateName;
use tidings_server::EventKind;
use tidings_tests::app::{Start, zone};
use tidings_tests::scene::{Scene, USER};

/// 20 times `backoff.cap`, which is 500 ms here.
const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_replaced_channel_stays_quiet_until_the_user_takes_over() -> anyhow::Result<()> {
    let scene = Scene::with("heartbeat = { interval = \"2s\", proxy_timeout = \"3s\" }\n").await?;
    let before = Timestamp::now();
    let _other = scene.server.other_tab(USER).await?;
    let item = scene.tray.wait_for_label("Replaced by another tab or device since ").await?;
    let clock = |time: Timestamp| time.to_zoned(zone()).strftime("%H:%M").to_string();
    let label = item.label("Replaced ")?;
    let times = [clock(before), clock(Timestamp::now())];
    assert!(times.iter().any(|time| label.ends_with(time.as_str())), "{label}: not since {times:?}");
    assert_eq!(item.icon, "tidings_replaced");
    let commands: Vec<&str> = item.choices().into_iter().take(2).collect();
    assert_eq!(commands, ["Take over here", "Pause notifications"]);

    scene.server.seen(0, |kind| matches!(kind, EventKind::Closed { .. })).await?;
    let mark = scene.server.mark();
    let late = scene.server.wait_after(mark, LONG, |_| true).await;
    assert!(late.is_err(), "no dial, no heartbeat, nothing: {late:?}");
    assert_eq!((scene.server.upgrades(), scene.server.links(USER)), (2, 1));
    assert!(scene.popups.popups().is_empty(), "{:?}", scene.popups.titles());

    scene.tray.click(&["Take over here"]).await?;
    scene.connected().await?;
    scene.server.seen(mark, |kind| matches!(kind, EventKind::Replaced { .. })).await?;
    scene.marker("messages come here again").await?;
    Ok(())
}

#[tokio::test]
async fn a_replaced_channel_stays_so_over_a_start_in_the_background_and_not_by_hand() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    let _other = scene.server.other_tab(USER).await?;
    let label = "Replaced by another tab or device since ";
    let first = scene.tray.wait_for_label(label).await?;
    let since = scene.app.status().await?.channels[0].since;

    scene.app.restart(Start::Background).await?;
    let again = scene.tray.wait_for_label(label).await?;
    assert_eq!(again.label(label)?, first.label(label)?);
    assert_eq!(again.icon, "tidings_replaced");

    // A crash, too.
    scene.app.kill().await?;
    scene.app.start(Start::Background).await?;
    scene.tray.wait_for_label(label).await?;
    let channel = &scene.app.status().await?.channels[0];
    assert_eq!((channel.state, channel.links_opened), (StateName::Replaced, 0));
    assert_eq!(channel.since.as_millisecond(), since.as_millisecond());
    assert_eq!(scene.server.upgrades(), 2, "the agent's first and the other tab's");

    scene.app.restart(Start::ByHand).await?;
    scene.connected().await?;
    assert_eq!(scene.server.upgrades(), 3);
    Ok(())
}
