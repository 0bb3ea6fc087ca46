//! A desk without a server of ours: the agent with one channel, a tray, and a notification service.

use std::fmt::Write;

use anyhow::ensure;
use tidings_api::{ChannelReport, StateName, StatusReport};
use tidings_tests::app::{App, Stored};
use tidings_tests::desktop::{PrivateBus, Signal};
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::tray_host::TrayHost;

/// Dropped in this order: the agent first.
pub(crate) struct Desk {
    pub(crate) app: App,
    pub(crate) popups: NotificationService,
    pub(crate) tray: TrayHost,
    _bus: PrivateBus,
}

/// The channel "Alerts" with these keys, and short delays.
pub(crate) fn alerts(keys: &str) -> String {
    format!("[[channel]]\nname = \"Alerts\"\nbackoff = {{ first = \"100ms\", cap = \"500ms\" }}\n{keys}")
}

/// The keys by which a channel signs in with this secret, which goes to a file of the desk's.
pub(crate) fn secret(secret: &str, more: &str) -> String {
    let mut keys = format!("token_command = \"printf %s {secret}\"\n");
    let _ = write!(keys, "{more}");
    keys
}

impl Desk {
    /// One with these settings, whatever becomes of its channel.
    pub(crate) async fn set(settings: String) -> anyhow::Result<Self> {
        let bus = PrivateBus::start()?;
        let tray = TrayHost::start(&bus).await?;
        let popups = NotificationService::start(&bus, ABLE).await?;
        let app = App::with_settings(settings).bus(&bus).background().start().await?;
        Ok(Self { app, popups, tray, _bus: bus })
    }

    /// Waits until the tray shows the channel connected.
    pub(crate) async fn connected(&self) -> anyhow::Result<()> {
        self.tray.wait_for_label("Connected since ").await.map(drop)
    }

    /// Waits until the channel is in this state.
    pub(crate) async fn state(&self, wanted: StateName) -> anyhow::Result<ChannelReport> {
        let only = |status: &StatusReport| status.channels.first().map(|channel| channel.state);
        let mut status =
            self.app.wait_for_status(wanted.as_str(), |status| only(status) == Some(wanted)).await?;
        Ok(status.channels.remove(0))
    }

    /// The user logs out.
    pub(crate) async fn leave(&mut self) -> anyhow::Result<()> {
        self.app.signal(Signal::TERM)?;
        self.app.ended_well().await
    }

    /// Waits until this many messages have all had their effect: each was shown, or counted in a summary.
    pub(crate) async fn settled(&self, count: usize) -> anyhow::Result<Vec<Stored>> {
        let stored = self.app.wait_for_inbox("all messages, told", |stored| {
            stored.len() >= count && stored.iter().all(|message| message.state != "pending")
        });
        let stored = stored.await?;
        ensure!(stored.len() == count, "more came than was sent: {stored:#?}");
        Ok(stored)
    }
}
