//! A Gotify server sends nothing again by itself: what was missed is asked for, once each, and what was deleted meanwhile goes.

use std::collections::BTreeSet;

use anyhow::ensure;
use tidings_api::StateName;
use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::gotify::Gotify;
use tidings_tests::notification_service::{ABLE, NotificationService};

const TOKEN: &str = "ctoken";

/// An agent with one channel of this server.
struct Desk {
    app: App,
    popups: NotificationService,
    _bus: PrivateBus,
}

impl Desk {
    async fn at(server: &Gotify) -> anyhow::Result<Self> {
        let bus = PrivateBus::start()?;
        let popups = NotificationService::start(&bus, ABLE).await?;
        let settings = format!(
            "[[channel]]\nid = \"push\"\nkind = \"gotify\"\nurl = \"{}\"\ntoken_command = \"echo {TOKEN}\"\n",
            server.url()
        );
        let app = App::with_settings(settings).bus(&bus).background().start().await?;
        let desk = Self { app, popups, _bus: bus };
        desk.is(StateName::Connected).await?;
        Ok(desk)
    }

    async fn is(&self, state: StateName) -> anyhow::Result<()> {
        let so =
            |status: &tidings_api::StatusReport| status.channels.iter().all(|channel| channel.state == state);
        self.app.wait_for_status("the state", so).await.map(drop)
    }

    fn titles(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.app.inbox()?.into_iter().map(|message| message.title).collect())
    }
}

#[tokio::test]
async fn a_message_becomes_one_popup_and_what_was_missed_one_summary() -> anyhow::Result<()> {
    let server = Gotify::start(TOKEN).await?;
    let desk = Desk::at(&server).await?;
    server.publish("the first", 5);
    desk.popups.wait_for_title("the first").await?;
    server.go_away();
    desk.is(StateName::Waiting).await?;
    for number in 0..450 {
        server.publish(&format!("missed {number}"), 5);
    }
    server.back();
    desk.app.wait_for_inbox("all that was missed", |inbox| inbox.len() == 451).await?;
    let titles = desk.titles()?;
    ensure!(titles.iter().collect::<BTreeSet<_>>().len() == 451, "each once");
    server.publish("the last", 5);
    desk.popups.wait_for_title("the last").await?;
    desk.popups.wait_for(3).await?;
    let popups = desk.popups.titles();
    ensure!(popups.len() == 3, "one summary between them: {popups:?}");
    Ok(())
}

#[tokio::test]
async fn what_was_deleted_meanwhile_goes_and_what_was_set_up_anew_begins_anew() -> anyhow::Result<()> {
    let server = Gotify::start(TOKEN).await?;
    let desk = Desk::at(&server).await?;
    let kept = server.publish("kept", 5);
    let gone = server.publish("gone", 5);
    ensure!(kept < gone);
    desk.app.wait_for_inbox("both", |inbox| inbox.len() == 2).await?;
    server.go_away();
    desk.is(StateName::Waiting).await?;
    server.delete(gone);
    server.publish("missed", 5);
    server.back();
    let without = |inbox: &[tidings_tests::app::Stored]| {
        let titles: BTreeSet<&str> = inbox.iter().map(|message| message.title.as_str()).collect();
        titles == BTreeSet::from(["kept", "missed"])
    };
    desk.app.wait_for_inbox("what was deleted is gone", without).await?;

    server.go_away();
    desk.is(StateName::Waiting).await?;
    server.set_up_anew();
    ensure!(server.publish("anew", 5) == 1);
    server.back();
    desk.popups.wait_for_title("anew").await?;
    ensure!(desk.app.inbox()?.len() == 3, "nothing of the old server's is gone: {:?}", desk.titles()?);
    Ok(())
}

#[tokio::test]
async fn a_deleted_token_needs_you() -> anyhow::Result<()> {
    let server = Gotify::start(TOKEN).await?;
    let desk = Desk::at(&server).await?;
    server.delete_token();
    desk.is(StateName::NeedsUser).await?;
    let status = desk.app.status().await?;
    let cause = status.channels[0].cause.clone().unwrap_or_default();
    ensure!(cause.contains("401"), "{cause}");
    ensure!(server.links() == 1);
    Ok(())
}
