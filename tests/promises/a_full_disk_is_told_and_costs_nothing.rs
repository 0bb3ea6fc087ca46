//! A disk without room for settings, for what is remembered, or for anything at all: it is told, what was written stays,
//! and the agent lives on.

use std::fs;

use anyhow::ensure;
use serde_json::json;
use tidings_api::client::{Client, ClientError};
use tidings_api::{Edit, ErrorCode, Reply, Request, StateName, StatusReport};
use tidings_tests::app::{App, Start};
use tidings_tests::desktop::Signal;
use tidings_tests::disk::{SmallDisk, may_mount};
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::wait::eventually;

/// A desk whose agent runs with one of its folders on a small disk, where this test may make one.
async fn on_a_small_disk(test: &str, folder: &str) -> anyhow::Result<Option<(Scene, SmallDisk)>> {
    if !may_mount(&format!("a_full_disk_is_told_and_costs_nothing::{test}"))? {
        return Ok(None);
    }
    let mut scene = Scene::start().await?;
    let settings = fs::read(scene.app.settings_file())?;
    scene.app.signal(Signal::TERM)?;
    scene.app.ended_well().await?;
    let disk = SmallDisk::mount(&scene.app.home().join(folder))?;
    scene.app.write_settings(settings)?;
    scene.app.start(Start::Background).await?;
    scene.connected().await?;
    Ok(Some((scene, disk)))
}

#[tokio::test]
async fn settings_that_can_t_be_written_are_as_they_were_and_the_window_is_told() -> anyhow::Result<()> {
    let test = "settings_that_can_t_be_written_are_as_they_were_and_the_window_is_told";
    let Some((scene, disk)) = on_a_small_disk(test, ".config/tidings").await? else { return Ok(()) };
    let file = scene.app.settings_file();
    let before = fs::read_to_string(&file)?;
    disk.fill();
    let mut client = Client::connect(&scene.app.socket()).await?;
    let Reply::Settings(report) = client.ask(&Request::Settings).await? else { anyhow::bail!("no settings") };
    let edits = vec![Edit::Set { channel: None, key: "theme".to_owned(), value: json!("dark") }];
    let edit = Request::EditSettings { revision: report.revision, edits };
    let Err(ClientError::Refused(refusal)) = client.ask(&edit).await else { anyhow::bail!("not refused") };
    assert_eq!(refusal.code, ErrorCode::SettingsFile);
    ensure!(refusal.message.contains("config.toml can't be written: the disk is full"), "{refusal:?}");
    assert_eq!(fs::read_to_string(&file)?, before);
    let left: Vec<_> =
        fs::read_dir(file.parent().expect("a folder"))?.map(|one| one.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the file and what takes the room: {left:?}");
    scene.marker("meanwhile").await?;

    disk.make_room()?;
    client.ask(&edit).await?;
    assert_eq!(scene.app.status().await?.theme, "dark");
    Ok(())
}

#[tokio::test]
async fn what_can_t_be_remembered_is_told_and_remembered_once_there_is_room() -> anyhow::Result<()> {
    let test = "what_can_t_be_remembered_is_told_and_remembered_once_there_is_room";
    let Some((mut scene, disk)) = on_a_small_disk(test, ".local/state/tidings").await? else { return Ok(()) };
    disk.fill();
    let output = scene.app.run(&["disconnect"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    let told = |status: &StatusReport| {
        status
            .notices
            .iter()
            .any(|notice| notice.contains("remembered.json") && notice.contains("the disk is full"))
    };
    scene.app.wait_for_status("told", told).await?;
    // More than a log file holds: it goes on without.
    disk.make_room()?;
    scene.app.signal(Signal::TERM)?;
    scene.app.ended_well().await?;
    scene.app.start(Start::Background).await?;
    let status = scene.app.status().await?;
    assert_eq!(status.channels[0].state, StateName::Disconnected);
    ensure!(!told(&status), "{status:?}");
    Ok(())
}

#[tokio::test]
async fn what_was_remembered_before_the_disk_was_full_outlives_a_kill() -> anyhow::Result<()> {
    let test = "what_was_remembered_before_the_disk_was_full_outlives_a_kill";
    let Some((mut scene, disk)) = on_a_small_disk(test, ".local/state/tidings").await? else { return Ok(()) };
    scene.app.run(&["disconnect"]).await?;
    let remembered = || fs::read_to_string(scene.app.state().join("remembered.json")).ok();
    eventually("it is remembered", || remembered().filter(|text| text.contains("disconnected"))).await?;
    disk.fill();
    scene.app.run(&["connect"]).await?;
    scene.connected().await?;
    scene.app.kill().await?;
    scene.app.start(Start::Background).await?;
    assert_eq!(scene.app.status().await?.channels[0].state, StateName::Disconnected);
    Ok(())
}

#[tokio::test]
async fn where_there_is_no_room_for_anything_it_starts_and_shows_messages() -> anyhow::Result<()> {
    if !may_mount(
        "a_full_disk_is_told_and_costs_nothing::where_there_is_no_room_for_anything_it_starts_and_shows_messages",
    )? {
        return Ok(());
    }
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER));
    let mut scene =
        Scene::around(server, ABLE, |bus| App::with_settings(settings).bus(bus).background()).await?;
    scene.app.kill().await?;
    let folder = scene.app.home().join(".local");
    let disk = SmallDisk::mount(&folder)?;
    disk.fill();
    scene.app.start(Start::Background).await?;
    scene.connected().await?;
    scene.marker("all the same").await?;
    scene
        .app
        .wait_for_status("told", |status| status.notices.iter().any(|told| told.contains("inbox.db")))
        .await?;
    disk.make_room()?;
    scene.marker("again").await?;
    scene.app.wait_for_inbox("both", |stored| stored.len() == 2).await?;
    scene.app.signal(Signal::TERM)?;
    scene.app.ended_well().await
}
