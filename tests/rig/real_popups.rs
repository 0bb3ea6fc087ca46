//! Tidings' popups on a real notification service: pushed by a server, seen on a screen, clicked with a pointer.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::app::App;
use crate::overheard::{Heard, Overheard};
use crate::picture::{Area, Picture};
use crate::real::{Real, Stage};
use crate::scene::{Place, USER, channel};
use crate::wait::eventually;

/// How long a service may take to answer on a busy machine; Plasma's starts with its shell.
const SLOW: Duration = Duration::from_secs(60);
/// How often a click is tried whose popup ran out before it.
const TRIES: u32 = 3;
/// How long a popup stays where it goes by itself; the longest that was seen is 10 s.
const STAY: Duration = Duration::from_secs(12);
/// What a service tells of such a one.
const EXPIRED: &str = "closed 1";
/// Where the pointer is out of the way of every popup.
const ASIDE: (i32, i32) = (400, 600);

/// A desk with one real service. Fields are dropped in this order: the agent first.
#[derive(Debug)]
pub struct RealPopups {
    /// The agent.
    pub app: App,
    /// Where it connects to.
    pub server: Place,
    /// What it and the service tell each other.
    pub heard: Overheard,
    /// Where the popups are.
    pub stage: Stage,
    bare: Picture,
}

/// A popup on the screen.
#[derive(Debug)]
pub struct OnScreen {
    /// The service's number of it.
    pub id: u32,
    /// The one whose place it was to take; 0 for none.
    pub replaces: u32,
    /// Where it is.
    pub area: Area,
    /// The whole screen with it.
    pub screen: Picture,
    before: Picture,
}

impl OnScreen {
    /// The words on it.
    pub async fn text(&self) -> anyhow::Result<String> {
        self.screen.part(self.area).text().await
    }
}

impl RealPopups {
    /// The service is there before the agent is.
    pub async fn on(service: &'static Real) -> anyhow::Result<Self> {
        Self::begin(Stage::with(service).await?).await
    }

    /// The first popup makes the bus start the service.
    pub async fn started_by_the_bus(service: &'static Real) -> anyhow::Result<Self> {
        Self::begin(Stage::started_by_the_bus(service).await?).await
    }

    async fn begin(stage: Stage) -> anyhow::Result<Self> {
        let heard = Overheard::on(stage.desktop().bus()).await?;
        let server = Place::start().await?;
        let app = App::with_settings(channel("Orders", &server.url(USER))).bus(stage.desktop().bus());
        let app = app.start().await?;
        app.wait_for_status("connected", |status| status.channels[0].state.as_str() == "connected").await?;
        stage.point(ASIDE).await?;
        let bare = stage.settled().await?;
        Ok(Self { app, server, heard, stage, bare })
    }

    /// Waits until the popups of before are gone, or for as long as most stay: some never go.
    pub async fn until_bare(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + STAY;
        let ground = self.stage.ground();
        while self.stage.settled().await?.changed_within(ground, &self.bare).is_some()
            && Instant::now() < deadline
        {}
        Ok(())
    }

    /// Pushes a message and waits until its popup is on the screen, alone.
    pub async fn pops_up(&self, message: &Value) -> anyhow::Result<OnScreen> {
        self.pops_up_by(title(message)?, || drop(self.server.push_json(USER, message))).await
    }

    /// Has somebody send a message of this title, and waits until its popup is on the screen, alone.
    pub async fn pops_up_by(&self, title: &str, send: impl FnOnce()) -> anyhow::Result<OnScreen> {
        self.heard.clear().await?;
        self.stage.clear().await?;
        self.stage.point(ASIDE).await?;
        let before = self.stage.settled().await?;
        send();
        self.follows(title, &before).await
    }

    /// Waits until the screen shows more than it did `before`.
    async fn follows(&self, title: &str, before: &Picture) -> anyhow::Result<OnScreen> {
        let (id, replaces) = self.heard.shown(title, SLOW).await?;
        let (area, screen) = self.stage.changed_in(Some(self.stage.ground()), "the popup", before).await?;
        Ok(OnScreen { id, replaces, area, screen, before: before.clone() })
    }

    /// Pushes two messages of one tag, the second at once after the first is shown. Returns what is on the screen then,
    /// and the number of the first popup.
    pub async fn tagged(&self, first: &Value, second: &Value) -> anyhow::Result<(u32, OnScreen)> {
        self.heard.clear().await?;
        self.stage.clear().await?;
        self.stage.point(ASIDE).await?;
        let before = self.stage.settled().await?;
        self.server.push_json(USER, first);
        let (id, _) = self.heard.shown(title(first)?, SLOW).await?;
        self.server.push_json(USER, second);
        Ok((id, self.follows(title(second)?, &before).await?))
    }

    /// Waits until this can be read on the popup: some fade into each other, or one comes when the other is gone.
    pub async fn until_read(&self, word: &str, mut popup: OnScreen) -> anyhow::Result<OnScreen> {
        let deadline = Instant::now() + SLOW;
        loop {
            let read = popup.text().await?;
            if read.contains(word) {
                return Ok(popup);
            }
            ensure!(Instant::now() < deadline, "{word:?} can't be read at {:?}, but {read:?}", popup.area);
            let ground = Some(self.stage.ground());
            (popup.area, popup.screen) = self.stage.changed_in(ground, word, &popup.before).await?;
        }
    }

    /// Pushes a message with a link, and opens it by its popup. Returns what the service told of it.
    pub async fn click(&self, title: &str) -> anyhow::Result<Vec<String>> {
        let mut tries = 1..=TRIES;
        loop {
            let url = format!("https://example.org/{}", self.app.opened_links().len());
            let popup = self.pops_up(&json!({ "title": title, "body": "and see", "url": url })).await?;
            self.stage.open(popup.area).await?;
            let opened = || {
                let opened = self.app.opened_links().contains(&url);
                (opened || self.told_of(popup.id) == [EXPIRED]).then_some(opened)
            };
            let opened = eventually("the link was opened", opened).await;
            let told = self.told_of(popup.id);
            match opened {
                Ok(true) => return Ok(told),
                // A busy machine was too slow for the popup's few seconds.
                Ok(false) if tries.next().is_some() => {}
                Ok(false) => bail!("each of {TRIES} popups was gone before the click"),
                Err(error) => return Err(error.context(format!("the service told {told:?}"))),
            }
        }
    }

    /// What the service told of a popup.
    fn told_of(&self, popup: u32) -> Vec<String> {
        let about = |one: Heard| match one {
            Heard::Invoked { id, key } if id == popup => Some(format!("invoked {key}")),
            Heard::Closed { id, reason } if id == popup => Some(format!("closed {reason}")),
            Heard::Asked { .. } | Heard::Shown { .. } | Heard::Invoked { .. } | Heard::Closed { .. } => None,
        };
        self.heard.all().into_iter().filter_map(about).collect()
    }
}

fn title(message: &Value) -> anyhow::Result<&str> {
    message["title"].as_str().context("a popup is known by its title")
}
