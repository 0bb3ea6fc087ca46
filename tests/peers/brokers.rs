//! The real agent at real MQTT brokers.

use std::collections::BTreeSet;

use tidings_api::{CarrierName, ChannelReport, StateName};
use tidings_tests::app::{Start, Stored};
use tidings_tests::mosquitto::publish;
use tidings_tests::peer::Peer;

use crate::desk::{Desk, alerts};
use crate::servers::{self, SECRET};

const BROKERS: [&str; 4] = ["mosquitto", "rabbitmq-mqtt", "aedes", "amqtt"];

/// How many messages come while the desk is empty.
const MISSED: usize = 500;

/// Publishes a message for each line, each to be had once at least.
fn publish_at(broker: &Peer, name: &str, lines: &str) -> anyhow::Result<()> {
    let user = if name == "rabbitmq-mqtt" { ("guest", "guest") } else { ("ann", SECRET) };
    publish(broker.addr(), user, "news/door", lines, &["-q", "1", "-V", "mqttv311"])
}

/// amqtt says nothing to who speaks 5.0: it is spoken to in 3.1.1 after 15 s.
async fn connected(desk: &Desk, name: &str) -> anyhow::Result<ChannelReport> {
    match desk.state(StateName::Connected).await {
        Err(_) if name == "amqtt" => desk.state(StateName::Connected).await,
        found => found,
    }
}

/// amqtt 0.11 keeps nothing, whatever it is asked for.
#[tokio::test]
async fn a_broker_that_keeps_nothing_is_told_of() -> anyhow::Result<()> {
    let name = "amqtt";
    let Some((_broker, keys)) = servers::broker(name).await? else { return Ok(()) };
    let mut desk = Desk::set(alerts(&format!("{keys}topics = [\"news/#\"]\n"))).await?;
    connected(&desk, name).await?;
    desk.leave().await?;
    desk.app.start(Start::Background).await?;
    connected(&desk, name).await?;
    let missing = "Messages may be missing: the server has not kept all that came while Tidings was away.";
    assert_eq!(desk.settled(1).await?[0].body, missing);
    Ok(())
}

#[tokio::test]
async fn a_night_away_is_one_summary_and_every_message() -> anyhow::Result<()> {
    for name in ["mosquitto", "rabbitmq-mqtt", "aedes"] {
        let Some((broker, keys)) = servers::broker(name).await? else { continue };
        let mut desk = Desk::set(alerts(&format!("{keys}topics = [\"news/#\"]\n"))).await?;
        let channel = connected(&desk, name).await?;
        assert_eq!(channel.carrier, CarrierName::Mqtt);
        publish_at(&broker, name, r#"{"title":"first"}"#)?;
        desk.popups.wait_for_title("first").await?;
        desk.leave().await?;
        let lines: Vec<String> = (0..MISSED).map(|number| format!(r#"{{"title":"{number}"}}"#)).collect();
        publish_at(&broker, name, &lines.join("\n"))?;
        desk.app.start(Start::Background).await?;
        let mut stored = desk.settled(1 + MISSED).await?;
        stored.sort_by(|one, other| one.title.cmp(&other.title));
        stored.dedup_by(|one, other| one.title == other.title);
        assert_eq!(stored.len(), 1 + MISSED, "{name}: each once");
        publish_at(&broker, name, r#"{"title":"last"}"#)?;
        desk.popups.wait_for_title("last").await?;
        assert_eq!(desk.popups.titles(), ["first", "500 messages from Alerts", "last"], "{name}");
    }
    Ok(())
}

/// A broker of 3.1.1 (aedes, amqtt) has no word for it, and ends the link without one.
#[tokio::test]
async fn who_takes_over_is_left_in_peace_where_the_broker_says_so() -> anyhow::Result<()> {
    for name in ["mosquitto", "rabbitmq-mqtt"] {
        let Some((_broker, keys)) = servers::broker(name).await? else { continue };
        let keys = alerts(&format!("{keys}topics = [\"news/#\"]\nclient_id = \"desk\"\n"));
        let desk = Desk::set(keys.clone()).await?;
        desk.state(StateName::Connected).await?;
        let other = Desk::set(keys).await?;
        other.state(StateName::Connected).await?;
        desk.state(StateName::Replaced).await?;
        other.state(StateName::Connected).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_broker_that_crashed_is_heard_again() -> anyhow::Result<()> {
    for name in BROKERS {
        let Some((mut broker, keys)) = servers::broker(name).await? else { continue };
        let desk = Desk::set(alerts(&format!("{keys}topics = [\"news/#\"]\n"))).await?;
        connected(&desk, name).await?;
        publish_at(&broker, name, r#"{"title":"first"}"#)?;
        desk.popups.wait_for_title("first").await?;
        broker.kill().await?;
        desk.state(StateName::Waiting).await?;
        broker.start_again().await?;
        desk.state(StateName::Connected).await?;
        publish_at(&broker, name, r#"{"title":"after the crash"}"#)?;
        desk.popups.wait_for_title("after the crash").await?;
    }
    Ok(())
}

/// The broker sends each message until it is acknowledged, and nothing is that isn't in the file.
#[tokio::test]
async fn killed_twenty_times_within_5000_messages_each_is_there_once() -> anyhow::Result<()> {
    const MESSAGES: usize = 5_000;
    const KILLS: usize = 20;
    for name in ["mosquitto", "rabbitmq-mqtt"] {
        let Some((broker, keys)) = servers::broker(name).await? else { continue };
        let mut desk = Desk::set(alerts(&format!("{keys}topics = [\"news/#\"]\n"))).await?;
        desk.state(StateName::Connected).await?;
        let lines: Vec<String> = (0..MESSAGES).map(|number| format!("number {number}")).collect();
        for (part, lines) in lines.chunks(MESSAGES / KILLS).enumerate() {
            publish_at(&broker, name, &lines.join("\n"))?;
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
        assert_eq!(stored.len(), MESSAGES, "{name}: each once");
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_needs_the_user() -> anyhow::Result<()> {
    for name in ["rabbitmq-mqtt", "aedes"] {
        let Some((_broker, keys)) = servers::broker(name).await? else { continue };
        let keys = keys.replace("printf %s ", "printf %s wrong");
        let desk = Desk::set(alerts(&format!("{keys}topics = [\"news/#\"]\n"))).await?;
        desk.state(StateName::NeedsUser).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_topic_that_is_forbidden_is_named_and_silences_no_other() -> anyhow::Result<()> {
    let name = "aedes";
    let Some((broker, keys)) = servers::broker(name).await? else { return Ok(()) };
    let desk = Desk::set(alerts(&format!("{keys}topics = [\"private/#\", \"news/#\"]\n"))).await?;
    let channel = desk.state(StateName::Connected).await?;
    assert_eq!(channel.left_out, ["private/#"]);
    publish_at(&broker, name, r#"{"title":"through"}"#)?;
    desk.popups.wait_for_title("through").await?;
    let desk = Desk::set(alerts(&format!("{keys}topics = [\"private/#\"]\n"))).await?;
    desk.state(StateName::NeedsUser).await?;
    Ok(())
}
