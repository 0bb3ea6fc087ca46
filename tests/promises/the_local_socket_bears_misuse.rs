//! Programs of the same user that use the socket badly cost the agent little, and nobody else much.

use std::collections::BTreeSet;
use std::fs;

use anyhow::ensure;
use serde_json::json;
use tidings_api::client::{Client, ClientError};
use tidings_api::{Event, Request};
use tidings_tests::scene::{Scene, USER};
use tidings_tests::wait::SOON;
use tokio::net::UnixStream;
use tokio::time::timeout;

#[tokio::test]
async fn hundreds_of_connections_take_few_places_and_leave_no_trace() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    let files = |id: u32| anyhow::Ok(fs::read_dir(format!("/proc/{id}/fd"))?.count());
    let id = scene.app.id()?;
    let before = files(id)?;
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(UnixStream::connect(scene.app.socket()).await?);
    }
    let output = scene.app.run(&["status"]).await?;
    assert_eq!(output.code, Some(1), "{output:?}");
    ensure!(output.stderr.contains("connections at once"), "{output:?}");
    let held = files(id)? - before;
    ensure!(held <= 40, "{held} of 300 connections are held");
    // The links and the popups have theirs.
    scene.marker("meanwhile").await?;

    drop(idle);
    let free = || files(id).ok().filter(|now| *now <= before);
    tidings_tests::wait::eventually("all places free", free).await?;
    assert_eq!(scene.app.status().await?.channels.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_reader_of_events_that_is_slow_misses_some_is_told_so_and_costs_little() -> anyhow::Result<()> {
    const MANY: usize = 2_000;
    const LENGTH: usize = 3_000;
    let mut scene = Scene::start().await?;
    let mut slow = Client::connect(&scene.app.socket()).await?;
    slow.ask(&Request::Subscribe { window: false }).await?;
    let mut quick = Client::connect(&scene.app.socket()).await?;
    quick.ask(&Request::Subscribe { window: false }).await?;
    let before = scene.app.memory()?;
    let body = "x".repeat(LENGTH);
    for number in 0..MANY {
        scene.server.push_json(USER, &json!({ "title": number.to_string(), "body": body }));
    }
    // It reads as they come.
    let told = |client: Client| async move {
        let (mut client, mut rows, mut gaps, mut again) = (client, BTreeSet::new(), 0, false);
        while !rows.contains(&i64::try_from(MANY)?) {
            let event = match client.event().await {
                Ok(event) => event,
                // So slow that it was let go of.
                Err(ClientError::Broken(_)) => return Ok((rows, gaps + 1)),
                Err(error) => return Err(error.into()),
            };
            match event {
                Event::Snapshot(_) => again = true,
                Event::Message(message) => {
                    let follows = rows.last().is_none_or(|last| last + 1 == message.row);
                    ensure!(
                        follows || again,
                        "{} after {:?}, and no word of what is between",
                        message.row,
                        rows.last()
                    );
                    gaps += usize::from(!follows);
                    rows.insert(message.row);
                    again = false;
                }
                Event::State(_)
                | Event::Raise { .. }
                | Event::Gone { .. }
                | Event::Read { .. }
                | Event::Pictures { .. } => {}
            }
        }
        Ok((rows, gaps))
    };
    let (rows, _) = timeout(SOON, told(quick)).await??;
    ensure!(rows.contains(&i64::try_from(MANY)?), "the quick one was let go of: {} messages", rows.len());
    let after = scene.app.memory()?;
    ensure!(after <= before + 8 * 1024, "memory {before} KiB, then {after} KiB");
    {
        eprintln!("memory {before} KiB, then {after} KiB");
    }
    // What waited for the slow one is a fraction; then it is told to look again, and of what comes from then on.
    let (rows, gaps) = timeout(SOON, told(slow)).await??;
    ensure!(rows.len() < MANY / 2 && gaps > 0, "{} messages, {gaps} gaps", rows.len());
    Ok(())
}
