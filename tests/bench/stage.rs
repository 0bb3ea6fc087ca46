//! Where most figures are taken: the agent and the bare program on one bus with a tray host and a notification
//! service that do nothing of their own, both connected to one server.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;
use tidings_server::{EventKind, Options, Server};
use tidings_tests::app::App;
use tidings_tests::desktop::{PrivateBus, Process};
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene};

/// The users at the server.
pub(crate) const OURS: &str = "tidings";
pub(crate) const BARE: &str = "bare";
/// How long a program may take to connect.
const CONNECT: Duration = Duration::from_secs(20);

/// Dropped in this order: programs before what they talk to.
pub(crate) struct Stage {
    pub(crate) bare: Process,
    pub(crate) scene: Scene,
    folder: TempDir,
}

impl Stage {
    /// Both connected, and each has shown a message, so that everything was used once.
    pub(crate) async fn start(settings: &str) -> anyhow::Result<Self> {
        let server = Server::start(Options::default()).await?;
        let channel = format!("\n[[channel]]\nname = \"Bench\"\nurl = {:?}\n", server.url(OURS));
        let settings = settings.to_owned() + &channel;
        let agent = |bus: &PrivateBus| App::with_settings(settings).bus(bus).calm();
        let scene = Scene::around(Place(server), ABLE, agent).await?;
        let folder = tempfile::tempdir()?;
        let bare = bare(scene.bus.as_ref().context("a bus")?, &scene.server, &folder)?;
        let stage = Self { bare, scene, folder };
        for user in [OURS, BARE] {
            opened(&stage.scene.server, user, 0).await?;
            stage.notified(user, "warm").await?;
        }
        Ok(stage)
    }

    /// Starts the bare program anew; it must have ended.
    pub(crate) fn start_bare(&mut self) -> anyhow::Result<()> {
        let bus = self.scene.bus.as_ref().context("a bus")?;
        self.bare = bare(bus, &self.scene.server, &self.folder)?;
        Ok(())
    }

    /// Sends a message; the time until the notification service is asked to show it.
    pub(crate) async fn notified(&self, user: &str, text: &str) -> anyhow::Result<Duration> {
        self.notified_of(|| {
            self.scene.server.push(user, text);
            Ok(())
        })
        .await
    }

    /// The same of what `send` sends.
    pub(crate) async fn notified_of(
        &self,
        send: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<Duration> {
        let popups = &self.scene.popups;
        let before = popups.popups().len();
        let sent = Instant::now();
        send()?;
        popups.wait_until("the popup", |service| service.popups().len() > before).await?;
        let shown = popups.popups().get(before).context("the popup")?.at;
        Ok(shown - sent)
    }
}

/// When this user's first link after event number `mark` was open.
pub(crate) async fn opened(server: &Server, user: &str, mark: u64) -> anyhow::Result<Instant> {
    let wanted = |event: &tidings_server::Event| event.user == user && event.kind == EventKind::Opened;
    let event = server.wait_after(mark, CONNECT, wanted).await;
    Ok(event.with_context(|| format!("{user} did not connect"))?.at)
}

fn bare(bus: &PrivateBus, server: &Server, folder: &TempDir) -> anyhow::Result<Process> {
    let mut command = Command::new(std::env::current_exe()?.with_file_name("tidings-bare"));
    command.arg(server.url(BARE)).env("DBUS_SESSION_BUS_ADDRESS", bus.address());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    Process::spawn("tidings-bare", &command, folder.path())
}
