//! What a sender changes, deletes or sees read changes here: in the inbox, in the popup, and in the window that looks on.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tidings_api::client::{Client, ClientError};
use tidings_api::{ErrorCode, Event, HistoryQuery, Reply, Request, StateName, StatusReport, StoredMessage};
use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::ntfy::Ntfy;
use tidings_tests::wait::SOON;
use tokio::time::timeout;

/// An agent with one channel of this server.
struct Desk {
    app: App,
    popups: NotificationService,
    _bus: PrivateBus,
}

impl Desk {
    async fn at(server: &Ntfy) -> anyhow::Result<Self> {
        let bus = PrivateBus::start()?;
        let popups = NotificationService::start(&bus, ABLE).await?;
        let app = App::with_settings(server.channel()).bus(&bus).background().start().await?;
        let desk = Self { app, popups, _bus: bus };
        desk.is(StateName::Connected).await?;
        Ok(desk)
    }

    async fn is(&self, state: StateName) -> anyhow::Result<()> {
        let so = |status: &StatusReport| status.channels.iter().all(|channel| channel.state == state);
        self.app.wait_for_status("the state", so).await.map(drop)
    }

    /// Newest first.
    async fn history(&self) -> anyhow::Result<Vec<StoredMessage>> {
        let query = HistoryQuery { limit: 100, ..HistoryQuery::default() };
        let Reply::History { messages } = self.app.ask(&Request::History(query)).await? else {
            anyhow::bail!("no history");
        };
        Ok(messages)
    }

    async fn titles(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.history().await?.into_iter().map(|stored| stored.message.title).collect())
    }

    async fn withdrawn(&self, id: u32) -> anyhow::Result<()> {
        self.popups.wait_until("its withdrawal", |popups| popups.withdrawn().contains(&id)).await
    }
}

fn titled(title: &str) -> Value {
    json!({ "title": title, "message": "news" })
}

#[tokio::test]
async fn a_later_version_takes_the_popups_place_and_a_deletion_withdraws_it() -> anyhow::Result<()> {
    let server = Ntfy::start().await?;
    let desk = Desk::at(&server).await?;
    let mut window = Client::connect(&desk.app.socket()).await?;
    window.ask(&Request::Subscribe { window: false }).await?;
    let gone = async |window: &mut Client| -> anyhow::Result<Vec<i64>> {
        timeout(SOON, async {
            loop {
                if let Event::Gone { messages } = window.event().await? {
                    return Ok(messages);
                }
            }
        })
        .await?
    };
    server.publish("a", &titled("10 %"));
    let first = desk.popups.wait_for_title("10 %").await?;
    server.publish("b", &json!({ "title": "done", "message": "news", "sequence_id": "a" }));
    let second = desk.popups.wait_for_title("done").await?;
    ensure!(second.replaces == first.id, "{second:?}");
    ensure!(gone(&mut window).await? == [1], "the window hears that the first is gone");
    ensure!(desk.titles().await? == ["done"]);
    server.recall("message_delete", "c", "a");
    desk.withdrawn(second.id).await?;
    ensure!(gone(&mut window).await? == [2]);
    ensure!(desk.titles().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_is_read_elsewhere_is_read_here() -> anyhow::Result<()> {
    let server = Ntfy::start().await?;
    let desk = Desk::at(&server).await?;
    server.publish("a", &titled("read elsewhere"));
    let popup = desk.popups.wait_for_title("read elsewhere").await?;
    server.publish("b", &titled("not read"));
    desk.popups.wait_for_title("not read").await?;
    server.recall("message_clear", "c", "a");
    desk.withdrawn(popup.id).await?;
    desk.app.wait_for_status("one unread", |status| status.unread == 1).await?;
    let unread: Vec<bool> = desk.history().await?.iter().map(|stored| stored.unread).collect();
    ensure!(unread == [true, false], "newest first");
    ensure!(desk.popups.open().len() == 1, "the other popup stays");
    Ok(())
}

#[tokio::test]
async fn what_was_deleted_or_read_while_away_never_pops_up() -> anyhow::Result<()> {
    let server = Ntfy::start().await?;
    let desk = Desk::at(&server).await?;
    server.publish("a", &titled("shown before"));
    let popup = desk.popups.wait_for_title("shown before").await?;
    server.go_away();
    desk.is(StateName::Waiting).await?;
    server.publish("b", &titled("deleted meanwhile"));
    server.recall("message_delete", "c", "b");
    server.publish("d", &titled("read meanwhile"));
    server.recall("message_clear", "e", "d");
    server.recall("message_delete", "f", "a");
    server.publish("g", &titled("missed"));
    server.back();
    desk.popups.wait_for_title("missed").await?;
    desk.withdrawn(popup.id).await?;
    ensure!(desk.popups.titles() == ["shown before", "missed"], "{:?}", desk.popups.titles());
    ensure!(desk.titles().await? == ["missed", "read meanwhile"]);
    Ok(())
}

#[tokio::test]
async fn a_button_that_sends_asks_in_the_window_and_what_it_sends_is_told_to_nobody() -> anyhow::Result<()> {
    let server = Ntfy::start().await?;
    let desk = Desk::at(&server).await?;
    server.publish(
        "a",
        &json!({ "title": "Door", "message": "open", "tags": ["warning", "home"], "actions": [
            { "action": "view", "label": "Look", "url": "https://shop.example/door" },
            { "action": "http", "label": "Close", "url": "http://127.0.0.1:1/door?key=s3cret", "headers": { "X-Key": "s3cret" } },
            { "action": "copy", "label": "Code", "value": "1234" },
        ], "attachment": { "name": "door.jpg", "url": "https://shop.example/door.jpg", "size": 12 } }),
    );
    let popup = desk.popups.wait_for_title("⚠️ Door").await?;
    let labels: Vec<&str> = popup.actions.iter().map(|(_, label)| label.as_str()).collect();
    ensure!(labels == ["Open", "Look", "Close", "Code"], "{labels:?}");
    let messages = desk.history().await?;
    let told = serde_json::to_value(&messages[0])?;
    assert_eq!(told["topic"], "alerts");
    assert_eq!(told["tags"], json!(["home"]));
    let close = json!({ "label": "Close", "does": "send", "method": "POST", "host": "http://127.0.0.1:1" });
    assert_eq!(told["actions"][1], close);
    assert_eq!(told["attachments"][0]["name"], "door.jpg");
    ensure!(!told.to_string().contains("s3cret"), "{told}");
    let row = messages[0].row;
    let press = async |action| desk.app.ask(&Request::RunAction { message: row, action }).await;
    let Err(ClientError::Refused(refusal)) = press(1).await else { anyhow::bail!("nobody listens there") };
    ensure!(refusal.code == ErrorCode::NotSent && !refusal.message.contains("s3cret"), "{refusal:?}");
    for no_such in [2, 3, u32::MAX] {
        let Err(ClientError::Refused(refusal)) = press(no_such).await else { anyhow::bail!("{no_such}") };
        ensure!(refusal.code == ErrorCode::UnknownMessage, "the window copies by itself: {refusal:?}");
    }
    ensure!(matches!(press(0).await?, Reply::Done { .. }));
    let done = desk.app.ask(&Request::OpenFile { message: row, file: 0 }).await?;
    ensure!(matches!(done, Reply::Done { .. }));
    let opened = || (desk.app.opened_links().len() == 2).then(|| desk.app.opened_links());
    let mut opened = tidings_tests::wait::eventually("the browser", opened).await.context("two links")?;
    // Each by a program of its own, and which is quicker is nobody's business.
    opened.sort();
    assert_eq!(opened, ["https://shop.example/door", "https://shop.example/door.jpg"]);
    Ok(())
}
