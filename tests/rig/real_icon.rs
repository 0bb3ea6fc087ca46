//! Tidings' icon in a real tray host: what it looks like in each state, its tooltip and its menu.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use tidings_api::StatusReport;
use tidings_server::{Refusal, SERVICE_RESTART};
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::notification_service::{ABLE, NotificationService};
use crate::picture::{Area, Picture};
use crate::real::{Kind, Real, Stage};
use crate::scene::{Place, USER, channel};

/// Where the pointer is out of the way of every panel and menu.
const ASIDE: (i32, i32) = (400, 500);
/// An icon is no larger than this; a wider change is a panel that made room.
const ICON: i32 = 64;
/// How often it is looked for.
const TRIES: u32 = 4;
/// What is looked at of an icon, from its middle.
const FRAME: i32 = 32;
/// How long an icon may take to come back after its host; each was seen within 5 s on a calm machine.
const BACK: Duration = Duration::from_secs(30);
/// The share of alike pixels from which two pictures are of the same: a pointer's shadow is none.
const SAME: f64 = 0.97;
/// The same for all beside the panel, of which a menu is a tenth.
const CLOSED: f64 = 0.99;
/// By how many pixels a panel may put it elsewhere after a restart, as waybar does.
const NUDGE: i32 = 3;
/// A popup of a shell's own would lie where its tooltips and menus come.
const NO_POPUPS: &str = "[[channel.rule]]\nthen = \"store\"\n";
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// A desk with one real tray host. Fields are dropped in this order: the agent first.
#[derive(Debug)]
pub struct RealIcon {
    /// The agent.
    pub app: App,
    /// Where it connects to.
    pub server: Place,
    /// Where the icon is.
    pub stage: Stage,
    /// The part of the screen that is the icon.
    pub icon: Area,
    connected: Picture,
    _popups: Option<NotificationService>,
}

/// A menu that stayed open.
#[derive(Debug)]
pub struct Menu {
    /// Where it was before.
    pub before: Area,
    /// Where it is now.
    pub now: Area,
    /// The screen before.
    pub open: Picture,
    /// The screen now.
    pub fallen: Picture,
}

fn is(state: &'static str) -> impl Fn(&StatusReport) -> bool {
    move |status| status.channels[0].state.as_str() == state
}

impl RealIcon {
    /// Returns once the icon of a connected channel is there, and is known from what changes when the channel goes off.
    pub async fn in_host(host: &'static Real) -> anyhow::Result<Self> {
        let stage = Stage::with(host).await?;
        stage.point(ASIDE).await?;
        let bus = stage.desktop().bus();
        // A shell has its own.
        let own = matches!(host.kind, Kind::Plasma | Kind::Gnome);
        let popups = if own { None } else { Some(NotificationService::start(bus, ABLE).await?) };
        let bare = stage.settled().await?;
        let server = Place::start().await?;
        let settings = channel("Orders", &server.url(USER)) + NO_POPUPS;
        let app = App::with_settings(settings).bus(bus).start().await?;
        app.wait_for_status("connected", is("connected")).await?;
        stage.changed("an icon", &bare).await?;

        let mut tries = 1..TRIES;
        let (icon, connected) = loop {
            let connected = stage.settled().await?;
            app.run(&["disconnect", "Orders"]).await?;
            app.wait_for_status("disconnected", is("disconnected")).await?;
            let (icon, off) = stage.changed("the icon of a channel that is off", &connected).await?;
            app.run(&["connect", "Orders"]).await?;
            app.wait_for_status("connected", is("connected")).await?;
            if icon.width <= ICON && icon.height <= ICON {
                break (icon, connected);
            }
            // A clock went on, or a panel that was still making room.
            ensure!(tries.next().is_some(), "what changed is no icon: {icon:?}");
            stage.changed("the icon of a connected channel", &off).await?;
        };
        let (x, y) = icon.at(0.5, 0.5);
        let icon = Area { x: x - FRAME / 2, y: y - FRAME / 2, width: FRAME, height: FRAME };
        let desk = Self { app, server, stage, icon, connected, _popups: popups };
        desk.shows(&desk.connected).await?;
        Ok(desk)
    }

    /// Connects, and waits until the icon shows it.
    async fn connect(&self) -> anyhow::Result<()> {
        self.app.run(&["connect", "Orders"]).await?;
        self.app.wait_for_status("connected", is("connected")).await?;
        self.shows(&self.connected).await
    }

    /// Waits until the icon is as it was then.
    async fn shows(&self, then: &Picture) -> anyhow::Result<()> {
        let deadline = Instant::now() + BACK;
        let then = then.part(self.icon);
        loop {
            let now = self.stage.picture().await?;
            let mut places = (-NUDGE..=NUDGE).flat_map(|x| (-NUDGE..=NUDGE).map(move |y| (x, y)));
            let there = |(x, y)| Area { x: self.icon.x + x, y: self.icon.y + y, ..self.icon };
            if places.any(|place| now.part(there(place)).alike(&then) >= SAME) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the icon is not as it was after {BACK:?}");
            sleep(LOOK).await;
        }
    }

    /// Waits until the icon is none of those `seen`: a state may be passed on the way to another.
    async fn shows_another(
        &self,
        state: &'static str,
        seen: &mut Vec<(&'static str, Picture)>,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + BACK;
        loop {
            let now = self.stage.settled().await?.part(self.icon);
            let like = seen.iter().find(|(_, other)| *other == now);
            match like {
                None => {
                    seen.push((state, now));
                    return Ok(());
                }
                Some((other, _)) => {
                    ensure!(Instant::now() < deadline, "the icon of {state} is that of {other}");
                }
            }
        }
    }

    /// The icon in each state; ends connected, with a message that nobody has read.
    pub async fn states(&mut self) -> anyhow::Result<Vec<(&'static str, Picture)>> {
        let mut seen = vec![("connected", self.connected.part(self.icon))];
        self.app.run(&["disconnect", "Orders"]).await?;
        self.app.wait_for_status("disconnected", is("disconnected")).await?;
        self.shows_another("off", &mut seen).await?;
        self.connect().await?;

        let other = self.server.other_tab(USER).await?;
        self.app.wait_for_status("replaced", is("replaced")).await?;
        self.shows_another("replaced", &mut seen).await?;
        drop(other);
        self.app.run(&["takeover", "Orders"]).await?;
        self.connect().await?;

        self.fall().await?;
        self.shows_another("working", &mut seen).await?;
        self.rise().await?;

        self.server.refuse_upgrades(Some(Refusal::status(401)));
        self.app.run(&["disconnect", "Orders"]).await?;
        self.app.run(&["connect", "Orders"]).await?;
        self.app.wait_for_status("needs you", is("needs_user")).await?;
        self.shows_another("needs you", &mut seen).await?;
        self.server.refuse_upgrades(None);
        self.connect().await?;

        self.server.push_json(USER, &json!({ "title": "News" }));
        self.app.wait_for_status("unread", |status| status.unread == 1).await?;
        self.shows_another("unread", &mut seen).await?;
        Ok(seen)
    }

    async fn fall(&self) -> anyhow::Result<()> {
        self.server.stop(SERVICE_RESTART).await;
        self.app.wait_for_status("waiting", is("waiting")).await.map(drop)
    }

    async fn rise(&mut self) -> anyhow::Result<()> {
        self.server.start_again().await?;
        // A restarting server is given up to 30 s, which nobody is to wait for here.
        self.app.run(&["disconnect", "Orders"]).await?;
        self.app.run(&["connect", "Orders"]).await?;
        self.app.wait_for_status("connected", is("connected")).await.map(drop)
    }

    /// The words beside the pointer when it rests on the icon, and the screen then.
    pub async fn tooltip(&self) -> anyhow::Result<Option<(String, Picture)>> {
        let (x, y) = self.icon.at(0.5, 0.5);
        // Beside it, so that a pointer which is drawn changes no more than an icon does.
        self.stage.point((x - FRAME * 3 / 4, y)).await?;
        let before = self.stage.settled().await?;
        // An entry, then a move: some wait for the second.
        self.stage.point((x - 3, y)).await?;
        self.stage.point((x, y)).await?;
        let deadline = Instant::now() + Duration::from_secs(4);
        let area = loop {
            let area = self.stage.settled().await?.changed_since(&before).filter(|area| area.width > ICON);
            if area.is_some() || Instant::now() > deadline {
                break area;
            }
        };
        let now = self.stage.settled().await?;
        self.stage.point(ASIDE).await?;
        let Some(area) = area else { return Ok(None) };
        Ok(Some((now.part(area).text().await?, now)))
    }

    /// Opens the menu, and lets the link fall while it is open.
    pub async fn menu_while_the_link_falls(&mut self) -> anyhow::Result<Menu> {
        self.stage.point(ASIDE).await?;
        let before = self.stage.settled().await?;
        self.stage.open_menu(self.icon).await?;
        self.stage.changed("the menu", &before).await?;
        // Or else the icon's tooltip lies on it.
        self.stage.point(ASIDE).await?;
        let (area, open) = self.stage.changed_in(Some(self.beside()), "the menu", &before).await?;
        self.fall().await?;
        let words = "the new words in the menu";
        let (_, fallen) = self.stage.changed_in(Some(self.beside()), words, &open).await?;
        let now = fallen.changed_within(self.beside(), &before).context("the menu closed by itself")?;
        self.close_menu(&before).await?;
        self.rise().await?;
        Ok(Menu { before: area, now, open, fallen })
    }

    /// Closes what is open beside the panel; a bar in sway hears no keys.
    async fn close_menu(&self, before: &Picture) -> anyhow::Result<()> {
        self.stage.key("Escape").await?;
        self.stage.press(ASIDE, 1).await?;
        let deadline = Instant::now() + BACK;
        let before = before.part(self.beside());
        while self.stage.picture().await?.part(self.beside()).alike(&before) < CLOSED {
            ensure!(Instant::now() < deadline, "the menu did not close within {BACK:?}");
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// The screen without the panel, whose icon changes, too.
    fn beside(&self) -> Area {
        let screen = self.stage.ground();
        let below = self.icon.y + self.icon.height;
        if self.icon.y < screen.height / 2 {
            Area { y: below, height: screen.y + screen.height - below, ..screen }
        } else {
            Area { height: self.icon.y - screen.y, ..screen }
        }
    }

    /// Ends the host, starts it again, and waits until the icon is as it was.
    pub async fn restart(&mut self) -> anyhow::Result<Duration> {
        self.stage.point(ASIDE).await?;
        let before = self.stage.settled().await?;
        self.stage.end()?;
        if self.stage.outlasts_it() {
            // Or else what is drawn of the one that ended would pass for the next.
            self.stage.changed_in(Some(self.icon), "the end of the host", &before).await?;
        }
        let started = Instant::now();
        self.stage.start().await?;
        self.stage.point(ASIDE).await?;
        self.shows(&before).await?;
        Ok(started.elapsed())
    }
}
