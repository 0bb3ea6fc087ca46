//! A disk that is full, a file that can't be written, is damaged or another version's: each is told, messages pop
//! up all the same, and what was stored is left as it was.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rusqlite::Connection;
use serde_json::json;
use tidings_tests::app::Start;
use tidings_tests::desktop::Signal;
use tidings_tests::disk::{SmallDisk, may_mount, works};
use tidings_tests::scene::{Scene, USER};
use tidings_tests::skip::skipped;

/// A desk that was left after one message, so that its inbox can be meddled with.
struct Left {
    scene: Scene,
    file: PathBuf,
}

impl Left {
    async fn new() -> anyhow::Result<Self> {
        let scene = Scene::start().await?;
        let file = scene.app.home().join(".local/share/tidings/inbox.db");
        let mut left = Self { scene, file };
        left.scene.marker("earlier").await?;
        left.leave().await?;
        Ok(left)
    }

    async fn leave(&mut self) -> anyhow::Result<()> {
        self.scene.app.signal(Signal::TERM)?;
        self.scene.app.ended_well().await
    }

    fn folder(&self) -> anyhow::Result<&Path> {
        self.file.parent().context("the inbox has no folder")
    }

    /// The agent starts, says this of its inbox, and a message pops up.
    async fn come_back_told(&mut self, notice: &str) -> anyhow::Result<()> {
        self.scene.app.start(Start::Background).await?;
        self.scene.connected().await?;
        self.told(notice).await?;
        self.scene.marker("in trouble").await
    }

    async fn told(&self, notice: &str) -> anyhow::Result<()> {
        let told = |status: &tidings_api::StatusReport| {
            status.notices.iter().any(|told| told.contains(notice) && told.contains("inbox.db"))
        };
        self.scene.app.wait_for_status("told of it", told).await.map(drop)
    }

    async fn stored(&self, expected: &[&str]) -> anyhow::Result<()> {
        let titles = format!("{expected:?}");
        let same = |stored: &[tidings_tests::app::Stored]| {
            stored.iter().map(|message| message.title.as_str()).eq(expected.iter().copied())
        };
        self.scene.app.wait_for_inbox(&titles, same).await.map(drop)
    }
}

/// A file that nobody may write, until the end. The right to write says nothing to root, so there it is taken by the
/// disk; by root alone, and not by every disk.
struct ReadOnly<'a>(&'a Path);

impl<'a> ReadOnly<'a> {
    /// `None` where that can't be.
    fn make(file: &'a Path) -> Option<Self> {
        let made = works("chmod", &["a-w"], file) && (!writable(file) || works("chattr", &["+i"], file));
        if !made {
            skipped("root can't make a file immutable on this disk");
        }
        made.then_some(Self(file))
    }
}

fn writable(file: &Path) -> bool {
    fs::OpenOptions::new().append(true).open(file).is_ok()
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        // Where that was not needed it fails.
        works("chattr", &["-i"], self.0);
        works("chmod", &["u+w"], self.0);
    }
}

#[tokio::test]
async fn on_a_full_disk_messages_are_shown_and_they_are_stored_once_there_is_room() -> anyhow::Result<()> {
    if !may_mount(
        "the_inbox_outlives_its_troubles::on_a_full_disk_messages_are_shown_and_they_are_stored_once_there_is_room",
    )? {
        return Ok(());
    }
    let mut left = Left::new().await?;
    let folder = left.folder()?.to_owned();
    let disk = SmallDisk::mount(&folder)?;
    left.scene.app.start(Start::Background).await?;
    left.scene.connected().await?;
    left.scene.marker("there is room").await?;
    disk.fill();
    let body = "x".repeat(30_000);
    for title in ["one", "two"] {
        left.scene.server.push_json(USER, &json!({ "title": title, "body": body }));
        left.scene.popups.wait_for_title(title).await?;
    }
    left.told("can't be written").await?;
    left.stored(&["there is room"]).await?;
    disk.make_room()?;
    left.scene.marker("again").await?;
    left.stored(&["there is room", "one", "two", "again"]).await
}

#[tokio::test]
async fn on_a_disk_that_is_read_only_messages_wait_until_it_can_be_written() -> anyhow::Result<()> {
    if !may_mount(
        "the_inbox_outlives_its_troubles::on_a_disk_that_is_read_only_messages_wait_until_it_can_be_written",
    )? {
        return Ok(());
    }
    let mut left = Left::new().await?;
    let folder = left.folder()?.to_owned();
    let earlier = fs::read(&left.file)?;
    let _disk = SmallDisk::mount(&folder)?;
    fs::write(&left.file, &earlier)?;
    anyhow::ensure!(works("mount", &["-o", "remount,bind,ro"], &folder), "the disk can't be made read-only");
    left.come_back_told("can't be opened").await?;
    assert!(fs::read(&left.file)? == earlier, "what was stored is as it was");
    anyhow::ensure!(works("mount", &["-o", "remount,bind,rw"], &folder), "the disk can't be made writable");
    left.scene.marker("again").await?;
    left.stored(&["earlier", "in trouble", "again"]).await?;
    left.told("can be written again").await
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_no_damaged_one() -> anyhow::Result<()> {
    let mut left = Left::new().await?;
    let file = left.file.clone();
    let earlier = fs::read(&file)?;
    let Some(read_only) = ReadOnly::make(&file) else { return Ok(()) };
    left.come_back_told("it may not be written").await?;
    assert!(fs::read(&file)? == earlier, "what was stored is as it was");
    drop(read_only);
    left.scene.marker("again").await?;
    left.stored(&["earlier", "in trouble", "again"]).await
}

#[tokio::test]
async fn a_damaged_inbox_is_set_aside_whole_and_a_new_one_begun() -> anyhow::Result<()> {
    let mut left = Left::new().await?;
    let mut damaged = fs::read(&left.file)?;
    damaged.truncate(5_000);
    fs::write(&left.file, &damaged)?;
    left.come_back_told("was set aside as").await?;
    left.stored(&["in trouble"]).await?;
    let aside = fs::read_dir(left.folder()?)?
        .filter_map(|entry| entry.map(|entry| entry.path()).ok())
        .find(|path| path.to_string_lossy().contains(".corrupt-"))
        .context("nothing was set aside")?;
    assert!(fs::read(aside)? == damaged, "nothing of it is lost");
    Ok(())
}

#[tokio::test]
async fn the_inbox_of_a_newer_version_is_left_alone_and_storing_goes_on_once_it_is_away() -> anyhow::Result<()>
{
    let mut left = Left::new().await?;
    Connection::open(&left.file)?.execute_batch("PRAGMA user_version = 1000")?;
    let newer = fs::read(&left.file)?;
    left.come_back_told("written by a newer Tidings").await?;
    assert!(fs::read(&left.file)? == newer, "not a byte of it has changed");
    let away = left.folder()?.join("away.db");
    fs::rename(&left.file, &away)?;
    left.scene.marker("again").await?;
    left.stored(&["in trouble", "again"]).await?;
    assert!(fs::read(&away)? == newer, "not a byte of it has changed");
    Ok(())
}
