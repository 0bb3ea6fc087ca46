//! What most promises begin with: a server, a private bus with a tray host and a notification service, and the
//! agent among them with one channel.

use std::hash::{BuildHasher, RandomState};
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Context;
use tidings_server::{Event, EventKind, Options, Server};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::app::{App, Builder};
use crate::desktop::{PrivateBus, Signal};
use crate::notification_service::{ABLE, NotificationService};
use crate::tray_host::TrayHost;
use crate::wait::SOON;

/// The user at the server.
pub const USER: &str = "ann";

/// A whole desk. Fields are dropped in this order: the agent first.
#[derive(Debug)]
pub struct Scene {
    /// The agent.
    pub app: App,
    /// Where its icon is.
    pub tray: TrayHost,
    /// Where its popups are.
    pub popups: NotificationService,
    /// Where the latter two are; `None` once the session is over.
    pub bus: Option<PrivateBus>,
    /// Where it connects to, as [`USER`].
    pub server: Place,
}

/// What of a session's end reaches the agent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logout {
    /// The end of the bus.
    Bus,
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    HangUp,
}

impl Logout {
    /// Each.
    pub const ALL: [Self; 3] = [Self::Bus, Self::Terminate, Self::HangUp];
}

/// A server, and what tests ask of it.
pub struct Place(pub Server);

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Place({})", self.0.addr())
    }
}

impl std::ops::Deref for Place {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

/// Another tab of the same user: a link that does nothing but be there.
#[derive(Debug)]
pub struct OtherTab {
    _link: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Scene {
    /// Starts all of it; returns once the tray shows the channel "Orders" connected.
    pub async fn start() -> anyhow::Result<Self> {
        Self::with("").await
    }

    /// The same, with more keys in the channel's settings.
    pub async fn with(keys: &str) -> anyhow::Result<Self> {
        let server = Place::start().await?;
        let settings = channel("Orders", &server.url(USER)) + keys;
        let scene = Self::around(server, ABLE, |bus| App::with_settings(settings).bus(bus)).await?;
        scene.connected().await?;
        Ok(scene)
    }

    /// A desk around this agent, whatever comes of it.
    pub async fn around(
        server: Place,
        able: &'static [&'static str],
        agent: impl FnOnce(&PrivateBus) -> Builder,
    ) -> anyhow::Result<Self> {
        let bus = PrivateBus::start()?;
        let tray = TrayHost::start(&bus).await?;
        let popups = NotificationService::start(&bus, able).await?;
        let app = agent(&bus).start().await?;
        Ok(Self { app, tray, popups, bus: Some(bus), server })
    }

    /// The session's end, from the side that is given: its bus goes, and what runs in it is told to end twice over.
    pub fn log_out(&mut self, first: Logout) -> anyhow::Result<()> {
        let order = match first {
            Logout::Bus => [None, Some(Signal::TERM), Some(Signal::HUP)],
            Logout::Terminate => [Some(Signal::TERM), None, Some(Signal::HUP)],
            Logout::HangUp => [Some(Signal::HUP), Some(Signal::TERM), None],
        };
        for step in order {
            match step {
                Some(signal) => self.app.signal(signal)?,
                None => drop(self.bus.take()),
            }
        }
        Ok(())
    }

    /// The next session: a bus with a tray host and a notification service of its own, for the agent's next start.
    pub async fn log_in(&mut self) -> anyhow::Result<()> {
        let bus = PrivateBus::start()?;
        self.tray = TrayHost::start(&bus).await?;
        self.popups = NotificationService::start(&bus, ABLE).await?;
        self.app.set_bus(Some(&bus));
        self.bus = Some(bus);
        Ok(())
    }

    /// Waits until the tray shows the only channel connected.
    pub async fn connected(&self) -> anyhow::Result<()> {
        self.tray.wait_for_label("Connected since ").await.map(drop)
    }

    /// Pushes a text and waits until it popped up: all that went before it has had its effect by then.
    pub async fn marker(&self, text: &str) -> anyhow::Result<()> {
        self.server.push_json(USER, &serde_json::json!({ "title": text }));
        self.popups.wait_for_title(text).await.map(drop)
    }
}

impl Place {
    /// Starts a server on a loopback address of its own: while it is down, no other test's server takes its port.
    pub async fn start() -> anyhow::Result<Self> {
        let [a, b, c, ..] = RandomState::new().hash_one("an address").to_be_bytes();
        let address = Ipv4Addr::new(127, a, b, c.clamp(1, 254));
        Ok(Self(Server::start(Options { listen: (address, 0).into(), ..Options::default() }).await?))
    }

    /// Starts it again at its old address after [`Server::stop`].
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        let options = Options { listen: self.addr(), ..Options::default() };
        self.0 = Server::start(options).await?;
        Ok(())
    }

    /// Waits for the first event of this kind from event number `mark` on.
    pub async fn seen(&self, mark: u64, wanted: impl Fn(&EventKind) -> bool) -> anyhow::Result<Event> {
        Ok(self.wait_after(mark, SOON, |event| wanted(&event.kind)).await?)
    }

    /// Waits for the `count`th link to open, from the server's start on.
    pub async fn opened(&self, count: usize) -> anyhow::Result<Event> {
        let mut seen = 0;
        let wanted = |event: &Event| {
            seen += usize::from(event.kind == EventKind::Opened);
            seen == count
        };
        Ok(self.wait_for(SOON, wanted).await?)
    }

    /// The events so far that `wanted` picks.
    pub fn all(&self, wanted: impl Fn(&EventKind) -> bool) -> Vec<Event> {
        self.events().into_iter().filter(|event| wanted(&event.kind)).collect()
    }

    /// Takes the channel over as another tab does it.
    pub async fn other_tab(&self, user: &str) -> anyhow::Result<OtherTab> {
        let (link, _) = connect_async(self.url(user)).await.context("the other tab could not connect")?;
        Ok(OtherTab { _link: link })
    }
}

/// Settings of one channel, with short delays. Further keys of the channel may follow.
pub fn channel(name: &str, url: &str) -> String {
    format!(
        "[[channel]]\nname = {name:?}\nurl = {url:?}\nbackoff = {{ first = \"100ms\", cap = \"500ms\" }}\n"
    )
}

/// How long the machine may keep a test waiting without being at fault: for lower and upper limits of times.
pub const SLACK: Duration = Duration::from_millis(700);
