//! A channel of server-sent events is as good as one over a WebSocket: nothing is lost where a stream ends, and nothing nags.

use tidings_api::{CarrierName, ChannelKind, StateName, StatusReport};
use tidings_tests::app::{App, Start, Stored};
use tidings_tests::desktop::{PrivateBus, Signal};
use tidings_tests::events::EventSource;
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::wait::eventually;

/// An agent with one channel of this server.
struct Desk {
    app: App,
    popups: NotificationService,
    _bus: PrivateBus,
}

impl Desk {
    async fn at(server: &EventSource) -> anyhow::Result<Self> {
        Self::with(&format!("kind = \"sse\"\nurl = \"{}\"\n", server.url())).await
    }

    async fn with(keys: &str) -> anyhow::Result<Self> {
        let bus = PrivateBus::start()?;
        let popups = NotificationService::start(&bus, ABLE).await?;
        let patience = "backoff = { first = \"100ms\", cap = \"1s\" }";
        let settings = format!("[[channel]]\nid = \"news\"\nname = \"News\"\n{keys}{patience}\n");
        let app = App::with_settings(settings).bus(&bus).background().start().await?;
        Ok(Self { app, popups, _bus: bus })
    }

    async fn is(&self, state: StateName) -> anyhow::Result<StatusReport> {
        let so = |status: &StatusReport| status.channels.iter().all(|channel| channel.state == state);
        self.app.wait_for_status("the state", so).await
    }
}

#[tokio::test]
async fn an_event_becomes_one_popup_and_what_was_missed_one_summary() -> anyhow::Result<()> {
    let server = EventSource::start().await?;
    let mut desk = Desk::at(&server).await?;
    let status = desk.is(StateName::Connected).await?;
    assert_eq!((status.channels[0].kind, status.channels[0].carrier), (ChannelKind::Sse, CarrierName::Sse));
    server.publish("order", r#"{"title":"first","id":"its own"}"#);
    desk.popups.wait_for_title("first").await?;
    desk.app.wait_for_inbox("the first", |stored| stored.len() == 1).await?;
    let printed = desk.app.run(&["tail", "--json", "--since", "1h", "--no-follow"]).await?;
    let message: serde_json::Value = serde_json::from_str(&printed.stdout)?;
    assert_eq!((message["id"].as_str(), message["topic"].as_str()), (Some("1"), Some("order")));
    desk.app.signal(Signal::TERM)?;
    desk.app.ended_well().await?;
    for number in 2..=4 {
        server.publish("order", &format!(r#"{{"title":"missed {number}"}}"#));
    }
    desk.app.start(Start::Background).await?;
    let told =
        |stored: &[Stored]| stored.len() == 4 && stored.iter().all(|message| message.state != "pending");
    desk.app.wait_for_inbox("what was missed, told", told).await?;
    server.publish("message", r#"{"title":"after"}"#);
    desk.popups.wait_for_title("after").await?;
    assert_eq!(desk.popups.titles(), ["first", "3 messages from News", "after"]);
    assert_eq!(server.asked(), [None, Some("1".to_owned())], "by the event's id");
    Ok(())
}

#[tokio::test]
async fn a_stream_that_ends_as_it_should_costs_no_message_and_no_word() -> anyhow::Result<()> {
    let server = EventSource::start().await?;
    let desk = Desk::at(&server).await?;
    desk.is(StateName::Connected).await?;
    server.publish("message", r#"{"title":"0"}"#);
    desk.popups.wait_for_title("0").await?;
    for number in 1..=2 {
        server.end();
        server.publish("message", &format!(r#"{{"title":"{number}"}}"#));
        eventually("the next stream", || (server.asked().len() > number).then_some(())).await?;
    }
    let stored = desk.app.wait_for_inbox("all", |stored| stored.len() == 3).await?;
    let mut titles: Vec<&str> = stored.iter().map(|message| message.title.as_str()).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["0", "1", "2"], "each once");
    Ok(())
}

#[tokio::test]
async fn a_hub_that_has_dropped_what_was_missed_is_told_of_once() -> anyhow::Result<()> {
    let server = EventSource::start().await?;
    let mut desk = Desk::at(&server).await?;
    desk.is(StateName::Connected).await?;
    server.publish("message", r#"{"title":"first"}"#);
    desk.popups.wait_for_title("first").await?;
    desk.app.signal(Signal::TERM)?;
    desk.app.ended_well().await?;
    server.publish("message", r#"{"title":"lost"}"#);
    server.forget();
    desk.app.start(Start::Background).await?;
    let missing = "Messages may be missing: the server has not kept all that came while Tidings was away.";
    let told = |stored: &[Stored]| stored.iter().any(|message| message.body == missing);
    desk.app.wait_for_inbox("what may be missing", told).await?;
    for times in 3..=4 {
        server.end();
        eventually("the next stream", || (server.asked().len() >= times).then_some(())).await?;
    }
    server.publish("message", r#"{"title":"after"}"#);
    desk.popups.wait_for_title("after").await?;
    let stored = desk.app.inbox()?;
    assert_eq!(stored.len(), 3, "told once: {stored:?}");
    let asked = server.asked();
    let asked: Vec<_> = asked.iter().map(Option::as_deref).collect();
    assert_eq!(asked, [None, Some("1"), Some("2"), Some("2")]);
    Ok(())
}

#[tokio::test]
async fn a_server_that_has_nothing_more_to_say_is_left_alone() -> anyhow::Result<()> {
    let server = EventSource::start().await?;
    server.answer(Some("204 No Content"));
    let desk = Desk::at(&server).await?;
    let status = desk.is(StateName::NeedsUser).await?;
    let cause = "the server says that nothing more comes here (204)";
    assert_eq!(status.channels[0].cause.as_deref(), Some(cause));
    desk.popups.wait_for_title("News needs you").await?;
    server.answer(None);
    desk.app.run(&["connect", "news"]).await?;
    desk.is(StateName::Connected).await?;
    assert_eq!(server.asked().len(), 2, "asked again by the user alone");
    Ok(())
}

#[tokio::test]
async fn what_is_no_stream_is_told_without_a_word_of_websockets() -> anyhow::Result<()> {
    for (status, told) in [
        ("200 OK", "no good answer from the server (it is no stream of events)"),
        ("404 Not Found", "nothing at this address (404)"),
        ("405 Method Not Allowed", "the server refused the request (405)"),
    ] {
        let server = EventSource::start().await?;
        server.answer(Some(status));
        let desk = Desk::at(&server).await?;
        let so = |report: &StatusReport| {
            report.channels.iter().any(|channel| channel.cause.as_deref() == Some(told))
        };
        desk.app.wait_for_status(told, so).await?;
    }
    Ok(())
}

/// Every way there drops what asks for an upgrade, as old proxies do.
#[tokio::test]
async fn where_no_websocket_gets_through_ntfy_is_heard_as_events() -> anyhow::Result<()> {
    const OPEN: &str =
        "event: open\ndata: {\"id\":\"a\",\"time\":1,\"event\":\"open\",\"topic\":\"alerts\"}\n\n";
    let server = EventSource::greeting(OPEN).await?;
    let keys = format!("kind = \"ntfy\"\nurl = \"http://{}\"\ntopics = [\"alerts\"]\n", server.addr());
    let desk = Desk::with(&keys).await?;
    let status = desk.is(StateName::Connected).await?;
    assert_eq!((status.channels[0].kind, status.channels[0].carrier), (ChannelKind::Ntfy, CarrierName::Sse));
    let paths = server.paths();
    let times = |path: &str| paths.iter().filter(|asked| *asked == path).count();
    assert_eq!((times("/alerts/ws"), times("/alerts/sse")), (3, 1), "{paths:?}");
    server.publish("message", r#"{"id":"b","time":2,"event":"message","topic":"alerts","title":"through"}"#);
    desk.popups.wait_for_title("through").await?;
    Ok(())
}
