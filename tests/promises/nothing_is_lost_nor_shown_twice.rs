use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use tidings_api::client::Client;
use tidings_api::{Action, Request, StateName, StatusReport};
use tidings_server::{EventKind, Options, Server};
use tidings_tests::app::{App, Start, Stored};
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Logout, Place, Scene, USER, channel};
use tidings_tests::wait::SOON;
use tokio::time::{Instant, sleep};

/// How long the last messages may take, however many they are.
const SETTLE: Duration = Duration::from_secs(60);

/// A pause of the server's that ends a replay (250 ms do). It is what is tried, not a wait for something.
const PAUSE: Duration = Duration::from_millis(300);

/// As good as no flood control.
const ALL: &str = "[notifications]\nburst = 1000\nrefill = \"1ms\"\n";

/// A stream of messages, and ends of the agent during it.
struct Stream {
    messages: u32,
    ends: u32,
    by: End,
    settings: &'static str,
    seed: u64,
}

/// How the agent ends.
#[derive(Clone, Copy)]
enum End {
    Kill,
    /// By the end of the session, from each side in turn.
    Logout,
}

/// What came of it.
#[derive(Debug, Default)]
struct Tally {
    /// Numbers with a popup of their own.
    shown: usize,
    /// Numbers that a summary counted.
    summarised: usize,
    /// Numbers that were shown twice because the agent ended between the popup and its note of that.
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
        // Of the sessions that are over.
        let mut shown = Vec::new();
        for (end, from) in (1..=self.ends).zip(Logout::ALL.into_iter().cycle()) {
            let until = self.messages * end / (self.ends + 1);
            while next.start < until {
                for _ in 0..random.below(40) {
                    push(&scene, next.next());
                }
                sleep(Duration::from_millis(random.below(8).into())).await;
            }
            // At any moment: of the start, the dial, the replay, the stream or the calm after it.
            sleep(Duration::from_millis(random.below(400).into())).await;
            match self.by {
                End::Kill => scene.app.kill().await?,
                End::Logout => {
                    scene.log_out(from)?;
                    scene.app.ended_well().await?;
                    shown.extend(scene.popups.titles());
                    scene.log_in().await?;
                }
            }
            for pending in scene.app.inbox()?.iter().filter(|stored| stored.state == "pending") {
                *in_flight.entry(pending.title.parse()?).or_default() += 1;
            }
            scene.app.start(Start::Background).await?;
            if random.below(2) == 0 {
                // What comes now is news: the replay is over.
                scene.connected().await?;
                sleep(PAUSE).await;
            }
        }
        for number in next {
            push(&scene, Some(number));
        }
        let stored = self.settled(&scene).await?;
        let numbers: Vec<u32> = stored.iter().map(|stored| stored.title.parse()).collect::<Result<_, _>>()?;
        ensure!(numbers.iter().copied().eq(0..self.messages), "each number once, in order: {numbers:?}");
        shown.extend(scene.popups.titles());
        tally(&shown, &stored, &in_flight)
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

fn tally(shown: &[String], stored: &[Stored], in_flight: &BTreeMap<u32, usize>) -> anyhow::Result<Tally> {
    let mut popups: BTreeMap<u32, usize> = BTreeMap::new();
    for title in shown {
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
            "{number} was told {again} times again, and was in flight at {excused} ends"
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
    let stream = Stream { messages: 400, ends: 4, by: End::Kill, settings: ALL, seed: 0x7164_6e67 };
    let tally = stream.run().await?;
    ensure!(tally.shown > 50, "most of them by themselves: {tally:?}");
    Ok(())
}

#[tokio::test]
async fn logouts_in_the_midst_of_messages_lose_nothing_and_tell_nothing_twice() -> anyhow::Result<()> {
    let stream = Stream { messages: 300, ends: 3, by: End::Logout, settings: ALL, seed: 0x6c6f_676f };
    let tally = stream.run().await?;
    ensure!(tally.shown > 50, "most of them by themselves: {tally:?}");
    Ok(())
}

#[tokio::test]
async fn under_flood_control_each_is_shown_or_counted_whatever_is_killed() -> anyhow::Result<()> {
    let settings = "[notifications]\nrefill = \"100ms\"\n";
    let tally = Stream { messages: 400, ends: 3, by: End::Kill, settings, seed: 0x6e65_7773 }.run().await?;
    ensure!(tally.summarised > 200, "most of them counted: {tally:?}");
    Ok(())
}

#[tokio::test]
#[ignore = "takes minutes: 50 kills during 20,000 messages, with and without flood control"]
async fn fifty_kills_during_twenty_thousand_messages() -> anyhow::Result<()> {
    for settings in [ALL, ""] {
        let stream = Stream { messages: 20_000, ends: 50, by: End::Kill, settings, seed: 0x7469_6469 };
        let tally = stream.run().await?;
        {
            eprintln!("{settings:?}: {tally:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn five_thousand_in_a_second_are_five_popups_and_one_that_counts() -> anyhow::Result<()> {
    const MANY: usize = 5_000;
    /// An empty ping of a server.
    const PING: [u8; 2] = [0x89, 0];
    let mut scene = Scene::start().await?;
    let measured = |status: &StatusReport| status.channels[0].rtt_ms.is_some();
    scene.app.wait_for_status("known to answer pings", measured).await?;
    let before = scene.app.memory()?;

    for number in 0..MANY {
        scene.server.push_json(USER, &json!({ "title": number.to_string() }));
    }
    let (mark, pinged) = (scene.server.mark(), Instant::now());
    scene.server.send_raw(USER, &PING).await?;
    scene.server.seen(mark, |kind| matches!(kind, EventKind::Pong(_))).await?;
    let answered = pinged.elapsed();
    // Unoptimised, and beside other tests, the time tells only whether the link stands still.
    let most = if cfg!(debug_assertions) { SOON } else { Duration::from_secs(1) };
    assert!(answered < most, "a ping behind all of them: {answered:?}");

    scene.app.wait_for_inbox("all of them", |stored| stored.len() == MANY).await?;
    let settled = |stored: &[Stored]| stored.iter().all(|stored| stored.state != "pending");
    scene.app.wait_for_inbox("all of them told", settled).await?;
    let popups = scene.popups.popups();
    let places: BTreeSet<u32> = popups.iter().map(|popup| popup.id).collect();
    assert_eq!(places.len(), 6, "{:?}", scene.popups.titles());
    assert_eq!(scene.popups.titles()[..5], ["0", "1", "2", "3", "4"]);
    assert_eq!(popups.last().context("a popup")?.summary, "4995 more from Orders");
    assert_eq!(scene.server.upgrades(), 1);

    let after = scene.app.memory()?;
    {
        eprintln!("ping answered after {answered:?}; memory {before} KiB, then {after} KiB");
    }
    assert!(after <= before + 5 * 1024, "memory {before} KiB, then {after} KiB");
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

/// An `id` is often a door's or an order's.
#[tokio::test]
async fn the_same_id_again_on_one_link_is_news() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let ring = json!({ "id": "front-door", "title": "Doorbell" });
    for _ in 0..3 {
        scene.server.push_json(USER, &ring);
    }
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["Doorbell", "Doorbell", "Doorbell", "after"]);
    assert_eq!(scene.app.inbox()?.len(), 4);
    Ok(())
}

#[tokio::test]
async fn of_a_replay_what_is_stored_is_dropped_and_counted_and_an_update_is_told() -> anyhow::Result<()> {
    let scene = Scene::with("resume = \"since\"\n").await?;
    let order = |state: &str| json!({ "id": "order-1", "title": format!("Order 1: {state}") });
    scene.server.push_json(USER, &order("received"));
    scene.marker("before").await?;
    scene.server.drop_links(USER);
    for state in ["received", "CANCELLED"] {
        scene.server.push_json(USER, &order(state));
    }
    scene.popups.wait_for_title("Order 1: CANCELLED").await?;
    scene.connected().await?;
    let dropped =
        |status: &StatusReport| status.channels[0].dropped.is_some_and(|dropped| dropped.repeated == 1);
    scene.app.wait_for_status("told what was dropped", dropped).await?;
    // After the replay the same text is news.
    sleep(PAUSE).await;
    scene.server.push_json(USER, &order("CANCELLED"));
    scene.marker("after").await?;
    let told = ["Order 1: received", "before", "Order 1: CANCELLED", "Order 1: CANCELLED", "after"];
    assert_eq!(scene.popups.titles(), told);
    Ok(())
}

/// A message that can't be received would else end every link that asks for what was missed.
#[tokio::test]
async fn a_missed_message_too_big_to_be_had_costs_itself_alone_and_is_told_once() -> anyhow::Result<()> {
    let options = Options { backlog_bytes: usize::MAX, ..Options::default() };
    let server = Place(Server::start(options).await?);
    let settings = channel("Orders", &server.url(USER)) + "resume = \"since\"\n";
    let app = App::with_settings(settings).background().start().await?;
    server.opened(1).await?;
    server.push_json(USER, &json!({ "id": 1, "title": "1" }));
    app.wait_for_inbox("the first message", |stored| stored.len() == 1).await?;
    let mut wishes = Client::connect(&app.socket()).await?;
    let mut wish = async |action| wishes.ask(&Request::Act { action, channel: None }).await;

    wish(Action::Disconnect).await?;
    server.seen(0, |kind| matches!(kind, EventKind::Closed { .. })).await?;
    server.push_json(USER, &json!({ "id": 2, "title": "2", "body": "x".repeat(2 << 20) }));
    // The last that was missed: the next link gets it again.
    for again in [2, 3] {
        wish(Action::Connect).await?;
        server.opened(again).await?;
        let told = |stored: &[Stored]| stored.len() == 2 && stored[1].body.contains("too big");
        app.wait_for_inbox("word of it", told).await?;
        wish(Action::Disconnect).await?;
        app.wait_for_status("off", |status| status.channels[0].state == StateName::Disconnected).await?;
    }
    for id in [3, 4] {
        server.push_json(USER, &json!({ "id": id, "title": id.to_string() }));
    }
    wish(Action::Connect).await?;
    let titles = |stored: &[Stored]| stored.iter().map(|one| one.title.clone()).collect::<Vec<_>>();
    app.wait_for_inbox("its neighbours", |stored| titles(stored) == ["1", "Orders", "3", "4"]).await?;
    Ok(())
}

#[tokio::test]
async fn text_that_is_no_utf_8_is_shown_as_far_as_it_can_be_read_and_that_is_told_once() -> anyhow::Result<()>
{
    let scene = Scene::start().await?;
    for title in ["1 caf", "2 th"] {
        let mut text = format!("{{\"title\": \"{title}").into_bytes();
        text.extend(b"\xe9\"}");
        let length = u8::try_from(text.len())?;
        scene.server.send_raw(USER, &[&[0x81, length][..], &text].concat()).await?;
    }
    scene.marker("3").await?;
    assert_eq!(scene.popups.titles(), ["1 caf\u{fffd}", "Orders", "2 th\u{fffd}", "3"]);
    let told = scene.popups.popups();
    assert!(told[1].body.contains("not UTF-8"), "{:?}", told[1]);
    assert_eq!(scene.server.upgrades(), 1);
    Ok(())
}
