//! The agent's process is stopped (SIGSTOP, a virtual machine, a lid) past its deadlines, and goes on.

use std::time::Duration;

use tidings_api::StateName;
use tidings_server::{Event, EventKind};
use tidings_tests::desktop::Signal;
use tidings_tests::scene::{Scene, USER};
use tidings_tests::wait::SOON;
use tokio::time::sleep;

/// How long the agent waits for the answer to a ping. Time enough to stop it meanwhile.
const DEADLINE: Duration = Duration::from_secs(2);

/// How long it stands still. That is what is done to it, not a wait for something.
const STOPPED: Duration = Duration::from_secs(3);

/// The agent, stopped with a ping under way.
async fn stopped() -> anyhow::Result<Scene> {
    let keys = format!("liveness = {{ ping_after = \"500ms\", deadline = \"{}s\" }}\n", DEADLINE.as_secs());
    let scene = Scene::with(&keys).await?;
    scene.app.wait_for_status("checked", |status| status.channels[0].answers_pings == Some(true)).await?;
    scene.server.answer_pings(false);
    let ping = |event: &Event| matches!(event.kind, EventKind::Ping(_));
    scene.server.wait_after(scene.server.mark(), SOON, ping).await?;
    scene.app.signal(Signal::STOP)?;
    Ok(scene)
}

#[tokio::test]
async fn what_arrived_meanwhile_is_read_and_the_link_lives_on() -> anyhow::Result<()> {
    let scene = stopped().await?;
    for n in 1..=3 {
        scene.server.push(USER, format!("message {n}"));
    }
    sleep(STOPPED).await;
    scene.server.answer_pings(true);
    scene.app.signal(Signal::CONT)?;
    scene.app.wait_for_inbox("whole", |stored| stored.len() == 3).await?;
    scene.marker("the same link goes on").await?;
    assert_eq!(scene.server.upgrades(), 1);
    Ok(())
}

#[tokio::test]
async fn a_take_over_meanwhile_is_believed() -> anyhow::Result<()> {
    let scene = stopped().await?;
    let _other = scene.server.other_tab(USER).await?;
    sleep(STOPPED).await;
    scene.app.signal(Signal::CONT)?;
    scene.app.wait_for_status("replaced", |status| status.channels[0].state == StateName::Replaced).await?;
    assert_eq!(scene.server.upgrades(), 2, "the agent's and the other's");
    Ok(())
}
