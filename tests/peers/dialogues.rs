//! The real agent at real servers that want a word first, by the presets.

use anyhow::Context;
use tidings_api::StateName;
use tidings_tests::app::Start;
use tidings_tests::peer::Peer;

use crate::desk::{Desk, alerts, secret};
use crate::servers::{self, SECRET};
use crate::wire::Wire;

/// A server, and how a channel of its preset is set up.
struct Talker {
    name: &'static str,
    /// Beside `url`.
    preset: &'static str,
    /// What the preset needs, to subscribe to what anybody may.
    open: &'static str,
    /// The same, for what nobody may.
    closed: &'static str,
    /// The sign-in, with this secret.
    sign_in: fn(&str) -> String,
}

const TALKERS: [Talker; 6] = [
    Talker {
        name: "socket-io",
        preset: "socket.io",
        open: "",
        closed: r#"dialogue.set = { namespace = "/nowhere" }"#,
        sign_in: |token| secret(token, ""),
    },
    Talker {
        name: "graphql-ws",
        preset: "graphql-transport-ws",
        open: "dialogue.set = { query = \"subscription { alerts(topic: \\\"open\\\") { id title body } }\" }\n\
               mapping = { title = \"/alerts/title\", body = \"/alerts/body\" }",
        closed: "dialogue.set = { query = \"subscription { alerts(topic: \\\"closed\\\") { id } }\" }",
        sign_in: |token| secret(token, ""),
    },
    Talker {
        name: "rabbitmq",
        preset: "stomp",
        open: r#"dialogue.set = { destination = "/topic/alerts" }"#,
        closed: r#"dialogue.set = { destination = "/nowhere/alerts" }"#,
        sign_in: |password| secret(password, "auth = \"basic\"\nusername = \"guest\"\n"),
    },
    Talker {
        name: "action-cable",
        preset: "action-cable",
        open: r#"dialogue.set = { channel = "AlertsChannel" }"#,
        closed: r#"dialogue.set = { channel = "AlertsChannel", params = ', "room": "closed"' }"#,
        sign_in: |token| secret(token, "auth = \"bearer\"\n"),
    },
    Talker {
        name: "signalr",
        preset: "signalr",
        open: "",
        closed: r#"headers = { X-Room = "closed" }"#,
        sign_in: |token| secret(token, "auth = { query = \"access_token\" }\n"),
    },
    Talker {
        name: "home-assistant",
        preset: "home-assistant",
        open: "",
        closed: r#"dialogue.set = { webhook = "nowhere" }"#,
        sign_in: |token| secret(token, ""),
    },
];

impl Talker {
    async fn start(&self) -> anyhow::Result<Option<Peer>> {
        match self.name {
            "rabbitmq" => servers::rabbitmq().await,
            "action-cable" => servers::action_cable().await,
            "signalr" => servers::signalr().await,
            "home-assistant" => servers::home_assistant().await,
            name => servers::of_npm(name).await,
        }
    }

    /// The secret that it takes.
    async fn right(&self, peer: &Peer) -> anyhow::Result<String> {
        match self.name {
            "rabbitmq" => Ok("guest".to_owned()),
            "home-assistant" => Ok(peer.http("GET", "/token", "", "").await?.body),
            _ => Ok(SECRET.to_owned()),
        }
    }

    fn channel(&self, peer: &Peer, what: &str, secret: Option<&str>) -> String {
        let path = match self.name {
            "rabbitmq" => "/ws",
            "signalr" => "/alerts",
            _ => "",
        };
        let sign_in = secret.map(self.sign_in).unwrap_or_default();
        alerts(&format!(
            "kind = \"dialogue\"\npreset = {:?}\nurl = \"ws://{}{path}\"\n{sign_in}{what}\n",
            self.preset,
            peer.addr()
        ))
    }

    /// Has the server send a message of this title.
    async fn push(&self, peer: &Peer, title: &str) -> anyhow::Result<()> {
        self.push_to(peer, "/topic/alerts", title).await
    }

    /// The same; `destination` is STOMP's.
    async fn push_to(&self, peer: &Peer, destination: &str, title: &str) -> anyhow::Result<()> {
        let message = serde_json::json!({ "title": title, "body": "" }).to_string();
        match self.name {
            "rabbitmq" => {}
            "home-assistant" => {
                let token = format!("Authorization: Bearer {}\r\n", self.right(peer).await?);
                return peer.push("/api/events/tidings", &token, &message).await;
            }
            _ => return peer.push("/push", "", &message).await,
        }
        let mut wire = Wire::open(&format!("ws://{}/ws", peer.addr()), "v12.stomp").await?;
        wire.say("CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n\n\0").await?;
        wire.hear_of("CONNECTED").await?;
        wire.say(&format!("SEND\ndestination:{destination}\nreceipt:sent\n\n{message}\0")).await?;
        wire.hear_of("RECEIPT").await.map(drop)
    }
}

#[tokio::test]
async fn a_message_becomes_one_popup_also_after_a_stop_and_after_a_crash() -> anyhow::Result<()> {
    for talker in &TALKERS {
        let Some(mut peer) = talker.start().await? else { continue };
        let right = talker.right(&peer).await?;
        let desk = Desk::set(talker.channel(&peer, talker.open, Some(&right))).await?;
        desk.connected().await.context(talker.name)?;
        for title in ["at first", "after the stop", "after the crash"] {
            match title {
                "after the stop" => peer.stop().await?,
                "after the crash" => peer.kill().await?,
                _ => {}
            }
            if title != "at first" {
                desk.tray.wait_for("the loss", |item| !item.shows("Connected since ")).await?;
                peer.start_again().await?;
                desk.connected().await.context(talker.name)?;
            }
            talker.push(&peer, title).await?;
            desk.popups.wait_for_title(title).await.context(talker.name)?;
        }
        assert_eq!(
            desk.popups.titles(),
            ["at first", "after the stop", "after the crash"],
            "{}",
            talker.name
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_is_refused_needs_the_user_and_was_never_connected() -> anyhow::Result<()> {
    for talker in &TALKERS {
        let Some(peer) = talker.start().await? else { continue };
        let right = talker.right(&peer).await?;
        for (what, secret) in
            [(talker.open, None), (talker.open, Some("wrong")), (talker.closed, Some(&right))]
        {
            // Whoever says no name is its guest.
            if talker.name == "rabbitmq" && secret.is_none() {
                continue;
            }
            let desk = Desk::set(talker.channel(&peer, what, secret)).await?;
            let channel = desk.state(StateName::NeedsUser).await;
            let channel = channel.with_context(|| format!("{}: {what} {secret:?}", talker.name))?;
            assert!(channel.cause.is_some(), "{channel:#?}");
        }
    }
    Ok(())
}

/// What was sent while nobody listened.
const MISSED: usize = 20;

/// Socket.IO's connection state recovery, by what the preset keeps of the server's frames. (One that was ended by its server can't be
/// gone on with, nor one over which nothing has come yet.)
#[tokio::test]
async fn socket_io_sends_what_was_missed_once_and_it_is_told_in_one_summary() -> anyhow::Result<()> {
    let talker = &TALKERS[0];
    let Some(peer) = talker.start().await? else { return Ok(()) };
    let right = talker.right(&peer).await?;
    let desk = Desk::set(talker.channel(&peer, talker.open, Some(&right))).await?;
    desk.connected().await?;
    talker.push(&peer, "first").await?;
    desk.popups.wait_for_title("first").await?;
    for round in 0..2 {
        assert_eq!(desk.app.run(&["disconnect", "alerts"]).await?.code, Some(0));
        desk.state(StateName::Disconnected).await?;
        for number in 0..MISSED {
            talker.push(&peer, &format!("missed {round}.{number}")).await?;
        }
        assert_eq!(desk.app.run(&["connect", "alerts"]).await?.code, Some(0));
        let told = 1 + (round + 1) * MISSED;
        let stored = desk.settled(told).await?;
        let titles: std::collections::BTreeSet<_> = stored.iter().map(|message| &message.title).collect();
        assert_eq!(titles.len(), told, "once each: {titles:?}");
    }
    talker.push(&peer, "after").await?;
    desk.popups.wait_for_title("after").await?;
    let summary = format!("{MISSED} messages from Alerts");
    let titles = desk.popups.titles();
    assert_eq!(titles, ["first", &summary, &summary, "after"]);
    Ok(())
}

/// A queue of RabbitMQ keeps its messages while nobody listens, also while Tidings doesn't run.
#[tokio::test]
async fn rabbitmq_keeps_what_was_missed_in_a_queue_and_it_is_told_in_one_summary() -> anyhow::Result<()> {
    let talker = &TALKERS[2];
    let Some(peer) = talker.start().await? else { return Ok(()) };
    let right = talker.right(&peer).await?;
    let queue = "/queue/alerts";
    let what = format!("dialogue.set = {{ destination = {queue:?} }}");
    let mut desk = Desk::set(talker.channel(&peer, &what, Some(&right))).await?;
    desk.connected().await?;
    talker.push_to(&peer, queue, "first").await?;
    desk.popups.wait_for_title("first").await?;
    desk.leave().await?;
    for number in 0..MISSED {
        talker.push_to(&peer, queue, &format!("missed {number}")).await?;
    }
    desk.app.start(Start::Background).await?;
    desk.connected().await?;
    let stored = desk.settled(1 + MISSED).await?;
    let titles: std::collections::BTreeSet<_> = stored.iter().map(|message| &message.title).collect();
    assert_eq!(titles.len(), 1 + MISSED, "once each: {titles:?}");
    talker.push_to(&peer, queue, "after").await?;
    desk.popups.wait_for_title("after").await?;
    let summary = format!("{MISSED} messages from Alerts");
    assert_eq!(desk.popups.titles(), ["first", &summary, "after"]);
    Ok(())
}

/// These keep nothing for whom nobody listens: the documentation says so, and what comes later is news.
#[tokio::test]
async fn where_nothing_is_kept_what_comes_after_the_return_is_told_as_news() -> anyhow::Result<()> {
    for talker in &TALKERS {
        if ["socket-io", "rabbitmq"].contains(&talker.name) {
            continue;
        }
        let Some(peer) = talker.start().await? else { continue };
        let right = talker.right(&peer).await?;
        let mut desk = Desk::set(talker.channel(&peer, talker.open, Some(&right))).await?;
        desk.connected().await?;
        talker.push(&peer, "first").await?;
        desk.popups.wait_for_title("first").await?;
        desk.leave().await?;
        for number in 0..MISSED {
            talker.push(&peer, &format!("missed {number}")).await?;
        }
        desk.app.start(Start::Background).await?;
        desk.connected().await?;
        talker.push(&peer, "after").await?;
        desk.popups.wait_for_title("after").await?;
        desk.settled(2).await.context(talker.name)?;
        assert_eq!(desk.popups.titles(), ["first", "after"], "{}", talker.name);
    }
    Ok(())
}

/// As to the phone that its app registers: by `notify.mobile_app_desk`.
#[tokio::test]
async fn home_assistant_notifies_a_desk_that_is_registered_as_an_app() -> anyhow::Result<()> {
    let talker = &TALKERS[5];
    let Some(peer) = talker.start().await? else { return Ok(()) };
    let right = talker.right(&peer).await?;
    let webhook = servers::home_assistant_app(&peer, &right).await?;
    let what = format!("dialogue.set = {{ webhook = {webhook:?} }}");
    let desk = Desk::set(talker.channel(&peer, &what, Some(&right))).await?;
    desk.connected().await?;
    let message = serde_json::json!({ "title": "Door", "message": "The front door is open" }).to_string();
    let token = format!("Authorization: Bearer {right}\r\n");
    peer.push("/api/services/notify/mobile_app_desk", &token, &message).await?;
    let popup = desk.popups.wait_for_title("Door").await?;
    assert_eq!(popup.body, "The front door is open");
    Ok(())
}
