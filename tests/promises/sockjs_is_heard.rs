//! Where no WebSocket gets through, a server of SockJS is heard all the same: nothing is lost, and it is said by what.

use serde_json::Value;
use tidings_api::{CarrierName, InsteadOf, StateName, StatusReport};
use tidings_tests::app::{App, Start};
use tidings_tests::desktop::PrivateBus;
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::scene::Scene;
use tidings_tests::sockjs::SockJs;
use tidings_tests::wait::eventually;

/// An agent with one channel of this server.
struct Desk {
    app: App,
    popups: NotificationService,
    _bus: PrivateBus,
}

impl Desk {
    async fn with(url: &str, keys: &str) -> anyhow::Result<Self> {
        let bus = PrivateBus::start()?;
        let popups = NotificationService::start(&bus, ABLE).await?;
        let patience = "backoff = { first = \"100ms\", cap = \"1s\" }";
        let settings =
            format!("[[channel]]\nid = \"shop\"\nname = \"Shop\"\nurl = \"{url}\"\n{patience}\n{keys}\n");
        let app = App::with_settings(settings).bus(&bus).background().start().await?;
        Ok(Self { app, popups, _bus: bus })
    }

    async fn is(&self, state: StateName) -> anyhow::Result<StatusReport> {
        let so = |status: &StatusReport| status.channels.iter().all(|channel| channel.state == state);
        self.app.wait_for_status("the state", so).await
    }

    async fn is_carried(&self, carrier: CarrierName) -> anyhow::Result<Option<InsteadOf>> {
        let so = |status: &StatusReport| {
            status
                .channels
                .iter()
                .all(|channel| channel.state == StateName::Connected && channel.carrier == carrier)
        };
        let status = self.app.wait_for_status(&format!("carried by {carrier:?}"), so).await?;
        Ok(status.channels.first().and_then(|channel| channel.instead_of.clone()))
    }
}

#[tokio::test]
async fn the_address_of_a_page_is_enough() -> anyhow::Result<()> {
    let server = SockJs::start().await?;
    let desk = Desk::with(&server.url(), "").await?;
    assert_eq!(desk.is_carried(CarrierName::Sockjs).await?, None);
    server.publish(r#"{"title":"framed"}"#);
    desk.popups.wait_for_title("framed").await?;
    assert_eq!(server.asked("info"), 1);
    let status = desk.app.status().await?;
    assert_eq!(status.channels[0].url, server.url());
    server.close(4500, "another one");
    desk.is(StateName::Replaced).await?;
    assert_eq!(server.sessions(), 1, "quiet from then on");
    Ok(())
}

#[tokio::test]
async fn where_upgrades_are_dropped_a_stream_is_heard_and_it_is_said_why() -> anyhow::Result<()> {
    let server = SockJs::start().await?;
    server.block_websockets(true);
    let mut desk = Desk::with(&server.url(), "").await?;
    let why = desk.is_carried(CarrierName::SockjsStreaming).await?.expect("a reason");
    assert_eq!((why.carrier, why.failed), (CarrierName::Sockjs, 1));
    assert_eq!(
        why.cause.as_deref(),
        Some("the server refused the request (400); a proxy may drop `Upgrade`")
    );
    // More than one answer brings, and each once.
    for number in 0..500 {
        server.publish(&format!(r#"{{"title":"{number}","body":"{}"}}"#, "x".repeat(number % 50)));
    }
    let stored = desk.app.wait_for_inbox("all", |stored| stored.len() == 500).await?;
    let mut titles: Vec<usize> = stored.iter().filter_map(|message| message.title.parse().ok()).collect();
    titles.sort_unstable();
    assert_eq!(titles, (0..500).collect::<Vec<_>>());
    assert_eq!(server.sessions(), 1, "all within a session");
    assert!(server.asked("xhr_streaming") > 1, "a stream is asked for again");
    // What failed three times in a row is passed over, also by the next agent.
    for failed in 2..=3 {
        server.forget();
        server.close(1011, "");
        let links = desk.app.status().await?.channels[0].links_opened;
        desk.app.run(&["disconnect", "shop"]).await?;
        desk.app.run(&["connect", "shop"]).await?;
        let so = |status: &StatusReport| {
            status.channels.iter().all(|channel| {
                channel.state == StateName::Connected
                    && channel.links_opened > links
                    && channel.instead_of.as_ref().is_some_and(|why| why.failed == failed)
            })
        };
        desk.app.wait_for_status("another failure", so).await?;
    }
    let tried = server.asked("websocket");
    assert_eq!(tried, 3);
    desk.app.restart(Start::Background).await?;
    let known = InsteadOf { carrier: CarrierName::Sockjs, failed: 0, cause: None };
    assert_eq!(desk.is_carried(CarrierName::SockjsStreaming).await?, Some(known));
    assert_eq!(server.asked("websocket"), tried, "it is known not to get through");
    let told = desk.app.run(&["status"]).await?.stdout;
    assert!(told.contains("carried by SockJS over a stream") && told.contains("on this network"), "{told}");
    Ok(())
}

#[tokio::test]
async fn the_address_of_a_websocket_that_is_dropped_leads_to_sockjs_beside_it() -> anyhow::Result<()> {
    let server = SockJs::start().await?;
    server.block_websockets(true);
    let desk = Desk::with(&server.websocket_url(), "").await?;
    let why = desk.is_carried(CarrierName::SockjsStreaming).await?.expect("a reason");
    assert_eq!((why.carrier, why.failed), (CarrierName::Websocket, 3));
    server.publish(r#"{"title":"through"}"#);
    desk.popups.wait_for_title("through").await?;
    Ok(())
}

#[tokio::test]
async fn polls_bring_what_comes_and_a_session_that_is_gone_is_followed_by_another() -> anyhow::Result<()> {
    let server = SockJs::start().await?;
    let desk = Desk::with(&server.url(), "carrier = \"sockjs-polling\"").await?;
    assert_eq!(desk.is_carried(CarrierName::SockjsPolling).await?, None);
    for title in ["one", "two", "three"] {
        server.publish(&format!(r#"{{"title":"{title}"}}"#));
        desk.popups.wait_for_title(title).await?;
    }
    assert_eq!(
        (server.asked("websocket"), server.asked("xhr_send")),
        (0, 0),
        "the server breaks the silence"
    );
    server.close(3000, "Go away!");
    let so = |status: &StatusReport| {
        status
            .channels
            .iter()
            .all(|channel| channel.state == StateName::Connected && channel.links_opened == 2)
    };
    desk.app.wait_for_status("the next session", so).await?;
    server.publish(r#"{"title":"four"}"#);
    desk.popups.wait_for_title("four").await?;
    Ok(())
}

#[tokio::test]
async fn the_address_of_a_page_that_is_no_sockjs_is_a_websocket_at_once() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let url = format!("http://{}/ws/user-channel?user=bob", scene.server.addr());
    let desk = Desk::with(&url, "auth = \"none\"").await?;
    assert_eq!(desk.is_carried(CarrierName::Websocket).await?, None);
    Ok(())
}

/// What a broker of STOMP says to its client.
fn stomp(said: &str) -> Vec<String> {
    let takes = said.starts_with("CONNECT\n");
    takes.then(|| "CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0".to_owned()).into_iter().collect()
}

#[tokio::test]
async fn a_dialogue_is_spoken_over_each_of_its_ways() -> anyhow::Result<()> {
    for (carrier, name) in [
        ("sockjs", CarrierName::Sockjs),
        ("sockjs-streaming", CarrierName::SockjsStreaming),
        ("sockjs-polling", CarrierName::SockjsPolling),
    ] {
        let server = SockJs::answering(stomp).await?;
        let keys = format!(
            "carrier = \"{carrier}\"\nkind = \"dialogue\"\npreset = \"stomp\"\ntoken_command = \"echo s3cret\"\n\
             dialogue.set = {{ destination = \"/user/queue/news\" }}"
        );
        let desk = Desk::with(&server.url(), &keys).await?;
        assert_eq!(desk.is_carried(name).await?, None);
        eventually("its subscription", || (server.heard().len() == 2).then_some(())).await?;
        let message =
            "MESSAGE\nsubscription:0\nmessage-id:1\ndestination:/user/queue/news\n\n{\"title\":\"STOMP\"}\0";
        server.publish(message);
        desk.app.wait_for_inbox("it", |stored| stored.iter().any(|message| message.title == "STOMP")).await?;
        let said = server.heard();
        let commands: Vec<_> = said.iter().filter_map(|text| text.split('\n').next()).collect();
        assert_eq!(commands, ["CONNECT", "SUBSCRIBE"], "{carrier}");
    }
    Ok(())
}

#[tokio::test]
async fn the_doctor_says_which_way_is_in_use() -> anyhow::Result<()> {
    let server = SockJs::start().await?;
    server.block_websockets(true);
    let desk = Desk::with(&server.url(), "").await?;
    desk.is_carried(CarrierName::SockjsStreaming).await?;
    let printed = desk.app.run(&["doctor", "--channel", "shop", "--upgrade", "--json"]).await?.stdout;
    let report: Value = serde_json::from_str(&printed)?;
    let steps = report["steps"].as_array().into_iter().flatten();
    let step = steps.into_iter().find(|step| step["step"] == "carrier");
    let detail = step.and_then(|step| step["detail"].as_str()).unwrap_or_default();
    assert!(detail.starts_with("carried by SockJS over a stream: SockJS over a WebSocket"), "{printed}");
    // Of an address, too.
    let printed = desk.app.run(&["doctor", &server.url(), "--upgrade"]).await?;
    assert!(printed.stdout.contains("carried by SockJS over a stream"), "{printed:?}");
    Ok(())
}
