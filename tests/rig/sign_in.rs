//! The window in which a channel's user signs in, driven as a person does: by keys. There is nothing in it that a driver could
//! take hold of, and that is meant so. Its title tells which host's page stands there.

use std::time::Duration;

use anyhow::{bail, ensure};
use tokio::time::{Instant, sleep};

use crate::desktop::Desktop;
use crate::wait::eventually_within;
use crate::window::SOON;

/// Between two looks at the title.
const LOOK: Duration = Duration::from_millis(30);
/// Looks in a row at which nothing has changed, for something that goes on without a pause.
const CALM: u32 = 40;

/// An open one.
#[derive(Debug)]
pub struct SignIn<'a> {
    desktop: &'a Desktop,
    window: String,
}

impl<'a> SignIn<'a> {
    /// Waits until it is open, and shows a page of this host, loaded and painted.
    pub async fn of(desktop: &'a Desktop, host: &str) -> anyhow::Result<Self> {
        let sign_in = Self::opened(desktop).await?;
        sign_in.shows(host).await?;
        Ok(sign_in)
    }

    /// Waits until it is open.
    pub async fn opened(desktop: &'a Desktop) -> anyhow::Result<Self> {
        let open = async || {
            for window in desktop.windows("tidings-window").await {
                if title(desktop, &window).await.contains("ign in to ") {
                    return Some(window);
                }
            }
            None
        };
        let window = eventually_within("a sign-in", SOON, open).await?;
        Ok(Self { desktop, window })
    }

    /// Waits until a page of this host stands there.
    pub async fn begins(&self, host: &str) -> anyhow::Result<()> {
        self.titled(&format!("{host}: sign in to ")).await
    }

    /// Waits until a page of this host stands there, loaded and painted.
    pub async fn shows(&self, host: &str) -> anyhow::Result<()> {
        self.begins(host).await?;
        self.desktop.settled().await.map(drop)
    }

    /// Waits until no page stands there, but words of Tidings.
    pub async fn says(&self) -> anyhow::Result<()> {
        self.titled("Sign in to ").await
    }

    /// Waits until no page stands there, and none comes any more.
    pub async fn ends(&self, says: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + SOON;
        let mut calm = 0;
        while calm < CALM {
            calm = if self.title().await == says { calm + 1 } else { 0 };
            ensure!(Instant::now() < deadline, "it goes on: {:?}", self.title().await);
            sleep(LOOK).await;
        }
        self.desktop.settled().await.map(drop)
    }

    /// Closes it as a person does.
    pub async fn close(self) -> anyhow::Result<()> {
        self.desktop.close_window(&self.window)?;
        self.gone().await
    }

    async fn titled(&self, begin: &str) -> anyhow::Result<()> {
        let begins = async || self.title().await.starts_with(begin).then_some(());
        match eventually_within(begin, SOON, begins).await {
            Ok(()) => Ok(()),
            Err(error) => bail!("{error}: the title is {:?}", self.title().await),
        }
    }

    /// What its title says.
    pub async fn title(&self) -> String {
        title(self.desktop, &self.window).await
    }

    /// Fills in a login form whose first field has the focus, and sends it.
    pub async fn fill_in(&self, user: &str, password: &str) -> anyhow::Result<()> {
        let window = self.window.as_str();
        self.desktop.xdotool(&["windowfocus", "--sync", window]).await?;
        self.desktop.xdotool(&["type", "--delay", "15", user]).await?;
        self.desktop.xdotool(&["key", "Tab"]).await?;
        self.desktop.xdotool(&["type", "--delay", "15", password]).await?;
        self.desktop.xdotool(&["key", "Return"]).await.map(drop)
    }

    /// Fills in a form whose one field has the focus, and sends it.
    pub async fn answer(&self, text: &str) -> anyhow::Result<()> {
        self.desktop.xdotool(&["windowfocus", "--sync", &self.window]).await?;
        self.desktop.xdotool(&["type", "--delay", "15", text]).await?;
        self.desktop.xdotool(&["key", "Return"]).await.map(drop)
    }

    /// Waits until it is gone.
    pub async fn gone(self) -> anyhow::Result<()> {
        let gone = async || {
            let there = self.desktop.windows("tidings-window").await;
            (!there.contains(&self.window)).then_some(())
        };
        eventually_within("the end of the sign-in", SOON, gone).await
    }
}

async fn title(desktop: &Desktop, window: &str) -> String {
    // xdotool fails where the window has just gone.
    desktop.xdotool(&["getwindowname", window]).await.unwrap_or_default().trim().to_owned()
}
