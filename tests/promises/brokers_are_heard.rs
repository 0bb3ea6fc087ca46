//! A channel of an MQTT broker is as good as one over a WebSocket: what is published while nobody listens waits there, nothing is
//! acknowledged that isn't stored, and whoever takes over is left in peace.

use std::collections::BTreeSet;

use tidings_api::{CarrierName, ChannelKind, StateName, StatusReport};
use tidings_tests::app::{App, Start, Stored};
use tidings_tests::desktop::{PrivateBus, Signal};
use tidings_tests::mosquitto::{Mosquitto, USER};
use tidings_tests::notification_service::{ABLE, NotificationService};

/// An agent with one channel of this broker.
struct Desk {
    app: App,
    popups: NotificationService,
    _bus: PrivateBus,
}

impl Desk {
    async fn at(url: &str, keys: &str) -> anyhow::Result<Self> {
        let bus = PrivateBus::start()?;
        let popups = NotificationService::start(&bus, ABLE).await?;
        let settings = format!(
            "[[channel]]\nid = \"house\"\nname = \"House\"\nkind = \"mqtt\"\nurl = \"{url}\"\n{keys}\n\
             backoff = {{ first = \"100ms\", cap = \"1s\" }}\n"
        );
        let app = App::with_settings(settings).bus(&bus).background().start().await?;
        Ok(Self { app, popups, _bus: bus })
    }

    async fn is(&self, state: StateName) -> anyhow::Result<StatusReport> {
        let so = |status: &StatusReport| status.channels.iter().any(|channel| channel.state == state);
        self.app.wait_for_status("the state", so).await
    }

    async fn stop(&mut self) -> anyhow::Result<()> {
        self.app.signal(Signal::TERM)?;
        self.app.ended_well().await
    }
}

const NEWS: &str = "topics = [\"news/#\"]";

#[tokio::test]
async fn a_message_becomes_one_popup_over_tcp_and_over_a_websocket() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    for url in [broker.url(), broker.websocket_url()] {
        let desk = Desk::at(&url, NEWS).await?;
        let status = desk.is(StateName::Connected).await?;
        let channel = &status.channels[0];
        assert_eq!((channel.kind, channel.carrier), (ChannelKind::Mqtt, CarrierName::Mqtt));
        broker.publish("news/door", "open")?;
        desk.popups.wait_for_title("news/door").await?;
        broker.publish("news/mail", r#"{"title":"Post","body":"a letter"}"#)?;
        desk.popups.wait_for_title("Post").await?;
        let stored = desk.app.wait_for_inbox("both", |stored| stored.len() == 2).await?;
        assert_eq!(
            stored.iter().map(|message| message.body.as_str()).collect::<Vec<_>>(),
            ["open", "a letter"]
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_night_away_is_one_summary_and_every_message() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let mut desk = Desk::at(&broker.url(), NEWS).await?;
    desk.is(StateName::Connected).await?;
    desk.stop().await?;
    let lines: Vec<String> = (0..500).map(|number| format!(r#"{{"title":"n{number}"}}"#)).collect();
    broker.send("news/night", &lines.join("\n"), &["-q", "1"])?;
    desk.app.start(Start::Background).await?;
    let told = |stored: &[Stored]| stored.len() == 500 && stored.iter().all(|one| one.state != "pending");
    let stored = desk.app.wait_for_inbox("the night", told).await?;
    let mut titles: Vec<&str> = stored.iter().map(|message| message.title.as_str()).collect();
    titles.sort_unstable();
    titles.dedup();
    assert_eq!(titles.len(), 500, "each once");
    broker.publish("news/day", r#"{"title":"morning"}"#)?;
    desk.popups.wait_for_title("morning").await?;
    assert_eq!(desk.popups.titles(), ["500 messages from House", "morning"]);
    Ok(())
}

#[tokio::test]
async fn a_broker_that_forgot_is_told_of_once_and_one_that_remembers_is_not() -> anyhow::Result<()> {
    for (mut broker, told) in [(Mosquitto::start().await?, 1), (Mosquitto::that_remembers().await?, 0)] {
        let desk = Desk::at(&broker.url(), NEWS).await?;
        desk.is(StateName::Connected).await?;
        broker.stop().await?;
        desk.is(StateName::Waiting).await?;
        broker.again().await?;
        desk.is(StateName::Connected).await?;
        broker.publish("news/door", r#"{"title":"open"}"#)?;
        desk.popups.wait_for_title("open").await?;
        let missing =
            "Messages may be missing: the server has not kept all that came while Tidings was away.";
        let stored = desk.app.wait_for_inbox("the message", |stored| stored.len() == 1 + told).await?;
        assert_eq!(stored.iter().filter(|message| message.body == missing).count(), told);
    }
    Ok(())
}

#[tokio::test]
async fn what_the_broker_retains_is_stored_in_silence_and_once() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    broker.retain("news/state", "on")?;
    let keys = format!("{NEWS}\nsession_expiry = \"0s\"");
    let mut desk = Desk::at(&broker.url(), &keys).await?;
    for title in ["first", "second"] {
        desk.is(StateName::Connected).await?;
        broker.publish("news/door", &format!(r#"{{"title":"{title}"}}"#))?;
        desk.popups.wait_for_title(title).await?;
        desk.stop().await?;
        desk.app.start(Start::Background).await?;
    }
    let stored = desk.app.wait_for_inbox("all", |stored| stored.len() == 3).await?;
    let old = stored.iter().find(|message| message.title == "news/state").expect("what is retained");
    assert_eq!((old.state, old.unread), ("silent", false));
    assert_eq!(desk.popups.titles(), ["first", "second"]);
    Ok(())
}

#[tokio::test]
async fn a_topic_that_is_refused_is_named_and_a_wrong_password_needs_the_user() -> anyhow::Result<()> {
    let broker = Mosquitto::that_asks_who().await?;
    let (name, password) = USER;
    let keys = |password: &str, topics: &str| {
        format!(
            "auth = \"basic\"\nusername = \"{name}\"\ntoken_command = \"echo {password}\"\ntopics = {topics}"
        )
    };
    let desk = Desk::at(&broker.url(), &keys(password, "[\"news/#\"]")).await?;
    desk.is(StateName::Connected).await?;
    let wrong = Desk::at(&broker.url(), &keys("wrong", "[\"news/#\"]")).await?;
    let status = wrong.is(StateName::NeedsUser).await?;
    let cause = status.channels[0].cause.clone().unwrap_or_default();
    assert!(cause.contains("0x87") || cause.contains("0x86"), "{cause}");
    Ok(())
}

#[tokio::test]
async fn behind_an_authority_of_its_own_a_broker_is_heard_by_that_and_never_without() -> anyhow::Result<()> {
    let broker = Mosquitto::encrypted().await?;
    let (url, authority) = broker.encrypted_url();
    let keys = format!("{NEWS}\nca_file = \"{}\"", authority.display());
    let desk = Desk::at(&url, &keys).await?;
    desk.is(StateName::Connected).await?;
    let stranger = Desk::at(&url, NEWS).await?;
    let refused = |status: &StatusReport| {
        let causes = status.channels.iter().filter_map(|channel| channel.cause.as_deref());
        causes.into_iter().any(|cause| cause.contains("certificate"))
    };
    stranger.app.wait_for_status("a refused certificate", refused).await?;
    Ok(())
}

/// The broker sends each message until it is acknowledged, and nothing is that isn't in the file.
#[tokio::test]
async fn killed_again_and_again_nothing_is_lost_nor_told_twice() -> anyhow::Result<()> {
    const MESSAGES: usize = 2_000;
    const KILLS: usize = 8;
    let broker = Mosquitto::start().await?;
    let mut desk = Desk::at(&broker.url(), NEWS).await?;
    desk.is(StateName::Connected).await?;
    let lines: Vec<String> = (0..MESSAGES).map(|number| format!("number {number}")).collect();
    for (part, lines) in lines.chunks(MESSAGES / KILLS).enumerate() {
        broker.send("news/stream", &lines.join("\n"), &["-q", "1"])?;
        let some = part * (MESSAGES / KILLS) + 1;
        desk.app.wait_for_inbox("some", |stored| stored.len() >= some).await?;
        desk.app.kill().await?;
        desk.app.start(Start::Background).await?;
    }
    let different = |stored: &[Stored]| {
        let bodies: BTreeSet<&str> = stored.iter().map(|message| message.body.as_str()).collect();
        bodies.len()
    };
    let stored = desk.app.wait_for_inbox("all", |stored| different(stored) == MESSAGES).await?;
    assert_eq!(stored.len(), MESSAGES, "each once");
    Ok(())
}
