use std::time::{Duration, Instant};

use tidings_server::{Event, EventKind};
use tidings_tests::scene::{SLACK, Scene, USER};
use tokio::time::sleep_until;

const INTERVAL: Duration = Duration::from_secs(2);

/// On a busy machine a beat may be seen so much later than it came, and the next one at once. (To the millisecond its time
/// is tested by an invented clock.)
const EARLY: Duration = Duration::from_millis(800);

fn is_text(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Text(_))
}

async fn on_time(scene: &Scene, mark: u64, since: Instant) -> anyhow::Result<Event> {
    let beat = scene.server.seen(mark, is_text).await?;
    assert_eq!(beat.kind, EventKind::Text("HeartBeat".to_owned()), "byte for byte");
    let after = beat.at.duration_since(since);
    assert!(after + EARLY >= INTERVAL, "the heartbeat came early, after {after:?}");
    assert!(after <= INTERVAL + SLACK, "the heartbeat came late, after {after:?}");
    Ok(beat)
}

#[tokio::test]
async fn heartbeats_come_on_time_from_the_open_or_the_last_message_and_end_with_their_link()
-> anyhow::Result<()> {
    // Pings go out after one silent second, so that a Pong comes in between any two heartbeats.
    let scene = Scene::with(
        "heartbeat = { interval = \"2s\", proxy_timeout = \"3s\" }\n\
         liveness = { ping_after = \"1s\", deadline = \"5s\" }\n",
    )
    .await?;
    let opened = scene.server.opened(1).await?;

    let first = on_time(&scene, 0, opened.at).await?;
    let pings = scene.server.all(|kind| matches!(kind, EventKind::Ping(_)));
    let answered = pings.iter().any(|ping| ping.at > opened.at + INTERVAL / 4 && ping.at < first.at);
    assert!(answered, "a Pong came before the first heartbeat and did not put it off: {pings:?}");
    let second = on_time(&scene, first.number + 1, first.at).await?;

    // A message half way puts the next one off by half: the time between is what is promised.
    sleep_until((second.at + INTERVAL / 2).into()).await;
    let pushed = Instant::now();
    scene.server.push(USER, "a message");
    on_time(&scene, second.number + 1, pushed).await?;

    // The old link's timer is gone with it: the new one's is all there is.
    scene.server.drop_links(USER);
    let opened = scene.server.opened(2).await?;
    let beat = on_time(&scene, opened.number, opened.at).await?;
    on_time(&scene, beat.number + 1, beat.at).await?;

    scene.connected().await?;
    scene.tray.click(&["Disconnect"]).await?;
    let closed = scene.server.seen(0, |kind| matches!(kind, EventKind::Closed { .. })).await?;
    let late = scene.server.wait_after(closed.number + 1, INTERVAL + SLACK, |_| true).await;
    assert!(late.is_err(), "something came after the close: {late:?}");
    Ok(())
}
