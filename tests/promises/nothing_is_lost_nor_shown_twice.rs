use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use tidings_server::{Options, Server};
use tidings_tests::app::{App, Start, Stored};
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};
use tokio::time::{Instant, sleep};

/// How long the last messages may take, however many they are.
const SETTLE: Duration = Duration::from_secs(60);

/// As good as no flood control.
const ALL: &str = "[notifications]\nburst = 1000\nrefill = \"1ms\"\n";

/// A stream of messages, and kills during it.
struct Stream {
    messages: u32,
    kills: u32,
    settings: &'static str,
    seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
struct Tally {
    /// Numbers with a popup of their own.
    shown: usize,
    /// Numbers that a summary counted.
    summarised: usize,
    /// Numbers that were shown twice because the agent was killed between the popup and its note of that.
    twice: usize,
}

impl Stream {
    async fn run(&self) -> anyhow::Result<Tally> {
        let options = Options { backlog: usize::MAX, backlog_bytes: usize::MAX, ..Options::default() };
        let server = Place(Server::start(options).await?);
        let settings =
            format!("{}{}resume = \"since\"\n", self.settings, channel("Orders", &server.url(USER)));
        let mut scene =
            Scene::around(server, ABLE, |bus| App::with_settings(settings).bus(bus).background()).await?;
        scene.connected().await?;
        let mut random = Random(self.seed);
        let mut next = 0..self.messages;
        // From the first one on there is an id to ask for what came since.
        push(&scene, next.next());
        scene.app.wait_for_inbox("the first message", |stored| stored.len() == 1).await?;

        let mut in_flight: BTreeMap<u32, usize> = BTreeMap::new();
        for kill in 1..=self.kills {
            let until = self.messages * kill / (self.kills + 1);
            while next.start < until {
                for _ in 0..random.below(40) {
                    push(&scene, next.next());
                }
                sleep(Duration::from_millis(random.below(8).into())).await;
            }
            // At any moment: of the start, the dial, the replay, the stream or the calm after it.
            sleep(Duration::from_millis(random.below(400).into())).await;
            scene.app.kill().await?;
            for pending in scene.app.inbox()?.iter().filter(|stored| stored.state == "pending") {
                *in_flight.entry(pending.title.parse()?).or_default() += 1;
            }
            scene.app.start(Start::Background).await?;
            if random.below(2) == 0 {
                // What comes now is news: the replay is over.
                scene.connected().await?;
                sleep(Duration::from_millis(300)).await;
            }
        }
        for number in next {
            push(&scene, Some(number));
        }
        let stored = self.settled(&scene).await?;
        let numbers: Vec<u32> = stored.iter().map(|stored| stored.title.parse()).collect::<Result<_, _>>()?;
        ensure!(numbers.iter().copied().eq(0..self.messages), "each number once, in order: {numbers:?}");
        tally(&scene, &stored, &in_flight)
    }

    async fn settled(&self, scene: &Scene) -> anyhow::Result<Vec<Stored>> {
        let deadline = Instant::now() + SETTLE;
        loop {
            let stored = scene.app.inbox()?;
            let settled = stored.iter().filter(|stored| stored.state != "pending").count();
            if settled >= self.messages as usize {
                return Ok(stored);
            }
            ensure!(
                Instant::now() < deadline,
                "{settled} of {} settled, {} stored",
                self.messages,
                stored.len()
            );
            sleep(Duration::from_millis(100)).await;
        }
    }
}

fn push(scene: &Scene, number: Option<u32>) {
    if let Some(number) = number {
        scene.server.push_json(USER, &json!({ "title": number.to_string() }));
    }
}

fn tally(scene: &Scene, stored: &[Stored], in_flight: &BTreeMap<u32, usize>) -> anyhow::Result<Tally> {
    let mut popups: BTreeMap<u32, usize> = BTreeMap::new();
    for title in scene.popups.titles() {
        if let Ok(number) = title.parse() {
            *popups.entry(number).or_default() += 1;
        }
    }
    let mut tally = Tally { shown: popups.len(), ..Tally::default() };
    for message in stored {
        let number: u32 = message.title.parse()?;
        let times = popups.get(&number).copied().unwrap_or(0);
        let summarised = message.state == "summarised";
        tally.summarised += usize::from(summarised);
        ensure!(times > 0 || summarised, "{number} was neither shown nor counted");
        let again = times + usize::from(summarised) - 1;
        tally.twice += again;
        let excused = in_flight.get(&number).copied().unwrap_or(0);
        ensure!(
            again <= excused,
            "{number} was told {again} times again, and was in flight at {excused} kills"
        );
    }
    Ok(tally)
}

/// Xorshift: the same moments for the same seed, as far as the machine lets them be.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(end)).unwrap_or(0)
    }
}

#[tokio::test]
async fn kills_at_any_moment_lose_nothing_and_tell_nothing_twice() -> anyhow::Result<()> {
    let tally = Stream { messages: 400, kills: 4, settings: ALL, seed: 0x7164_6e67 }.run().await?;
    ensure!(tally.shown > 50, "most of them by themselves: {tally:?}");
    Ok(())
}

#[tokio::test]
async fn under_flood_control_each_is_shown_or_counted_whatever_is_killed() -> anyhow::Result<()> {
    let settings = "[notifications]\nrefill = \"100ms\"\n";
    let tally = Stream { messages: 400, kills: 3, settings, seed: 0x6e65_7773 }.run().await?;
    ensure!(tally.summarised > 200, "most of them counted: {tally:?}");
    Ok(())
}

#[tokio::test]
#[ignore = "takes minutes: 50 kills during 20,000 messages, with and without flood control"]
async fn fifty_kills_during_twenty_thousand_messages() -> anyhow::Result<()> {
    for settings in [ALL, ""] {
        let tally = Stream { messages: 20_000, kills: 50, settings, seed: 0x7469_6469 }.run().await?;
        {
            eprintln!("{settings:?}: {tally:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn five_thousand_in_a_second_are_five_popups_and_one_that_counts() -> anyhow::Result<()> {
    const MANY: usize = 5_000;
    let scene = Scene::start().await?;
    for number in 0..MANY {
        scene.server.push_json(USER, &json!({ "title": number.to_string() }));
    }
    scene.app.wait_for_inbox("all of them", |stored| stored.len() == MANY).await?;
    let settled = |stored: &[Stored]| stored.iter().all(|stored| stored.state != "pending");
    scene.app.wait_for_inbox("all of them told", settled).await?;
    let popups = scene.popups.popups();
    let places: BTreeSet<u32> = popups.iter().map(|popup| popup.id).collect();
    assert_eq!(places.len(), 6, "{:?}", scene.popups.titles());
    assert_eq!(scene.popups.titles()[..5], ["0", "1", "2", "3", "4"]);
    assert_eq!(popups.last().context("a popup")?.summary, "4995 more from Orders");
    assert_eq!(scene.server.upgrades(), 1);
    Ok(())
}

#[tokio::test]
async fn what_came_while_the_link_was_down_is_one_summary() -> anyhow::Result<()> {
    let scene = Scene::with("resume = \"since\"\n").await?;
    scene.marker("before").await?;
    scene.server.drop_links(USER);
    for number in 0..20 {
        scene.server.push_json(USER, &json!({ "title": number.to_string() }));
    }
    scene.popups.wait_for_title("20 messages from Orders").await?;
    scene.connected().await?;
    assert_eq!(scene.popups.titles(), ["before", "20 messages from Orders"]);
    Ok(())
}

/// A small disk of its own, gone in the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where one may not be made.
    fn mount(at: &Path) -> Option<Self> {
        let made = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(at).status();
        made.is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the agent may still have its file open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn on_a_full_disk_messages_are_shown_and_they_are_stored_once_there_is_room() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.app.signal(tidings_tests::desktop::Signal::TERM)?;
    scene.app.ended_well().await?;
    let data = scene.app.home().join(".local/share/tidings");
    let Some(_disk) = SmallDisk::mount(&data) else {
        {
            eprintln!("skipped: a small disk can be mounted by root alone");
        }
        return Ok(());
    };
    scene.app.start(Start::Background).await?;
    scene.connected().await?;
    scene.marker("there is room").await?;
    let ballast = data.join("ballast");
    // As much as there is.
    let _ = std::fs::write(&ballast, vec![0; 2 << 20]);
    let body = "x".repeat(30_000);
    for title in ["one", "two"] {
        scene.server.push_json(USER, &json!({ "title": title, "body": body }));
        scene.popups.wait_for_title(title).await?;
    }
    let told =
        |status: &tidings_api::StatusReport| status.notices.iter().any(|n| n.contains("can't be written"));
    scene.app.wait_for_status("told of the full disk", told).await?;
    assert_eq!(scene.app.inbox()?.len(), 1);
    std::fs::remove_file(&ballast)?;
    scene.marker("again").await?;
    let stored = scene.app.wait_for_inbox("all of them", |stored| stored.len() == 4).await?;
    let titles: Vec<&str> = stored.iter().map(|stored| stored.title.as_str()).collect();
    assert_eq!(titles, ["there is room", "one", "two", "again"]);
    Ok(())
}
