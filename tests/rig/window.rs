//! The real window on a headless desktop, driven through WebKit's own WebDriver: what a person sees on the page
//! and clicks, never pixels.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, ensure};
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;
use tidings_server::{Options, Server};
use tokio::time::{Instant, sleep};

use crate::binary;
use crate::desktop::{Desktop, Process};
use crate::keyring::Keyring;
use crate::tray_item::TrayItem;

/// The class of the app's window.
const CLASS: &str = "tidings-window";
/// The user at the server.
pub const USER: &str = "ann";
/// How long anything may take that is expected at once. A web engine starts within it on two busy cores.
pub const SOON: Duration = Duration::from_secs(30);
/// Between two looks at the page or the processes.
const LOOK: Duration = Duration::from_millis(30);

/// A desktop, a server, and the agent connected to it.
#[derive(Debug)]
pub struct Desk {
    /// The agent; dropped first.
    pub agent: Process,
    /// Its icon.
    pub tray: TrayItem,
    /// Where all of it lives.
    pub desktop: Desktop,
    /// Where the agent connects to, as [`USER`].
    pub server: crate::scene::Place,
    /// Where secrets are kept, if anywhere.
    pub keyring: Option<Keyring>,
    /// Locked until all of it has ended, but while others are let pass.
    turn: Mutex<Option<File>>,
}

/// The window with its page under remote control.
#[derive(Debug)]
pub struct Page {
    client: Client,
    _driver: Process,
}

/// Waits for this test's turn. Each starts a web engine, and more than one at a time starves them on a small machine.
/// What is locked is the tests' own program: that holds among threads and among processes.
fn turn() -> anyhow::Result<File> {
    let us = File::open(std::env::current_exe()?)?;
    us.lock().context("no lock on the tests' own program")?;
    Ok(us)
}

impl Desk {
    /// Starts all of it; returns once the tray shows the channel connected.
    pub async fn start() -> anyhow::Result<Self> {
        let settings = |server: &Server| {
            format!(
                "[[channel]]\nname = \"Orders\"\nurl = {:?}\nbackoff = {{ first = \"100ms\", cap = \"500ms\" }}\n",
                server.url(USER)
            )
        };
        let desk = Self::start_with(Options::default(), settings, false).await?;
        desk.shows("Connected since ").await?;
        Ok(desk)
    }

    /// Starts all of it with these settings, with or without a keyring.
    pub async fn start_with(
        options: Options,
        settings: impl Fn(&Server) -> String,
        keyring: bool,
    ) -> anyhow::Result<Self> {
        Self::start_in(Desktop::start().await?, options, settings, keyring).await
    }

    /// The same in this desktop.
    pub async fn start_in(
        desktop: Desktop,
        options: Options,
        settings: impl Fn(&Server) -> String,
        keyring: bool,
    ) -> anyhow::Result<Self> {
        let window = program()?;
        ensure!(
            window.is_file(),
            "there is no {}: run `cargo build -p tidings --bins`, which builds agent and window",
            window.display()
        );
        let turn = turn()?;
        let server = Server::start(options).await?;
        let config = desktop.home().join(".config/tidings");
        std::fs::create_dir_all(&config)?;
        let settings = settings(&server);
        if !settings.is_empty() {
            std::fs::write(config.join("config.toml"), settings)?;
        }
        let keyring = if keyring { Some(Keyring::start(desktop.bus()).await?) } else { None };
        let agent = desktop.spawn("tidings", &desktop.command(binary::tidings()?))?;
        let bus = desktop.bus().connect().await?;
        let tray = TrayItem::registered(&bus, "tidings", SOON).await?;
        Ok(Self {
            agent,
            tray,
            desktop,
            server: crate::scene::Place(server),
            keyring,
            turn: Mutex::new(Some(turn)),
        })
    }

    /// Has others take their turns for so long, in which nothing is to happen here.
    pub async fn rest(&self, time: Duration) -> anyhow::Result<()> {
        drop(self.turn.lock().expect("nobody panics with it").take());
        sleep(time).await;
        *self.turn.lock().expect("nobody panics with it") = Some(turn()?);
        Ok(())
    }

    /// Waits until the tray's status line begins so.
    pub async fn shows(&self, line: &str) -> anyhow::Result<()> {
        self.tray.until(line, SOON, |shown| shown.status_line().starts_with(line)).await.map(drop)
    }

    /// Starts the agent again, as by hand; the old one must have ended.
    pub async fn start_agent(&mut self) -> anyhow::Result<()> {
        self.agent = self.desktop.spawn("tidings-again", &self.desktop.command(binary::tidings()?))?;
        let bus = self.desktop.bus().connect().await?;
        self.tray = TrayItem::registered(&bus, "tidings", SOON).await?;
        self.shows("Connected since ").await
    }

    /// Opens the window by WebDriver. It is one that was started by itself and finds the agent running.
    pub async fn open_page(&self) -> anyhow::Result<Page> {
        Page::open(&self.desktop, &program()?).await
    }

    /// The processes of this desktop whose program's name begins so, by their ids.
    pub fn processes(&self, name: &str) -> anyhow::Result<Vec<u32>> {
        let home = format!("HOME={}", self.desktop.home().display());
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let path = entry?.path();
            let Some(id) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
            // A process may end while it is looked at.
            let (Ok(program), Ok(environment)) =
                (std::fs::read_to_string(path.join("comm")), std::fs::read(path.join("environ")))
            else {
                continue;
            };
            let ours = environment.split(|byte| *byte == 0).any(|variable| variable == home.as_bytes());
            if ours && program.trim_end().starts_with(name) {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// Waits until as many processes of this desktop have a name that begins so.
    pub async fn wait_for_processes(&self, name: &str, count: usize) -> anyhow::Result<()> {
        let deadline = Instant::now() + SOON;
        loop {
            let found = self.processes(name)?;
            if found.len() == count {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{count} processes {name} expected, there are {found:?}");
            sleep(LOOK).await;
        }
    }

    /// The app's visible windows, by their X ids.
    pub async fn windows(&self) -> Vec<String> {
        self.desktop.windows(CLASS).await
    }

    /// Waits until as many windows of the app are to be seen, and tells which.
    pub async fn wait_for_windows(&self, count: usize) -> anyhow::Result<Vec<String>> {
        self.desktop.wait_for_windows(CLASS, count, SOON).await
    }
}

impl Page {
    /// Opens this window by WebDriver.
    pub async fn open(desktop: &Desktop, window: &Path) -> anyhow::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = desktop.command("WebKitWebDriver");
        command.arg(format!("--port={port}")).env("TAURI_WEBVIEW_AUTOMATION", "true");
        // As the agent starts it.
        command.env("WEBKIT_DISABLE_COMPOSITING_MODE", "1").env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
        command.env("WEBKIT_WEB_RENDER_DEVICE_FILE", "/dev/null");
        let driver = desktop
            .spawn("WebKitWebDriver", &command)
            .context("no WebKitWebDriver (Debian package: webkit2gtk-driver)")?;
        let mut capabilities = Capabilities::new();
        capabilities.insert("webkitgtk:browserOptions".to_owned(), json!({"binary": window, "args": []}));
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        builder.capabilities(capabilities);
        let deadline = Instant::now() + SOON;
        let client = loop {
            match builder.connect(&format!("http://127.0.0.1:{port}")).await {
                Ok(client) => break client,
                // The driver takes a moment to listen.
                Err(error) => {
                    ensure!(Instant::now() < deadline, "WebDriver did not open the window: {error}");
                }
            }
            sleep(LOOK).await;
        };
        Ok(Self { client, _driver: driver })
    }

    /// The text of the whole page, as shown. (WebDriver's own idea of it leaves out what is clipped.)
    pub async fn text(&self) -> anyhow::Result<String> {
        let text = self.script("return document.body.innerText").await?;
        Ok(text.as_str().context("the page has no text")?.to_owned())
    }

    /// Waits until the page shows this text somewhere.
    pub async fn shows(&self, wanted: &str) -> anyhow::Result<()> {
        self.until(wanted, |text| text.contains(wanted)).await
    }

    /// Waits until the page's text is as wished.
    pub async fn until(&self, what: &str, wished: impl Fn(&str) -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + SOON;
        loop {
            let text = self.text().await?;
            if wished(&text) {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "the page does not show {what:?} within {SOON:?}, but:\n{text}"
            );
            sleep(LOOK).await;
        }
    }

    /// Loads the page anew.
    pub async fn reload(&self) -> anyhow::Result<()> {
        Ok(self.client.refresh().await?)
    }

    /// Waits until this expression is true on the page.
    pub async fn is(&self, expression: &str) -> anyhow::Result<()> {
        let script = format!("return Boolean({expression})");
        let deadline = Instant::now() + SOON;
        while self.script(&script).await? != json!(true) {
            let text = self.text().await?;
            ensure!(Instant::now() < deadline, "not within {SOON:?}: {expression}; the page is:\n{text}");
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// What the clipboard holds, as another program would find it.
    pub async fn clipboard(&self) -> anyhow::Result<String> {
        const CONTROL: char = '\u{e009}';
        let place = "const area = document.createElement('textarea'); area.id = 'pasted'; \
                     document.body.append(area); area.focus()";
        self.script(place).await?;
        let area = self.client.find(Locator::Css("#pasted")).await?;
        area.send_keys(&format!("{CONTROL}v")).await?;
        self.is("document.getElementById('pasted').value !== ''").await?;
        let take = "const area = document.getElementById('pasted'); area.remove(); return area.value";
        Ok(self.script(take).await?.as_str().context("no text")?.to_owned())
    }

    /// Clicks the visible button of this label.
    pub async fn click(&self, label: &str) -> anyhow::Result<()> {
        let button = format!("//button[normalize-space()={label:?} and not(@hidden)]");
        let found = self.client.wait().at_most(SOON).for_element(Locator::XPath(&button)).await;
        let button = found.with_context(|| format!("no button {label:?}"))?;
        // To where nothing lies over it: the driver would take the edge that is nearest.
        let middle = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        self.client.execute(middle, vec![serde_json::to_value(&button)?]).await?;
        button.click().await?;
        Ok(())
    }

    /// Types into what a selector finds, in place of what stands there.
    pub async fn fill(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let found = self.client.wait().at_most(SOON).for_element(Locator::Css(selector)).await;
        let field = found.with_context(|| format!("no field {selector}"))?;
        // WebKit's driver scrolls a field to the very edge, where the bar with the buttons stands over it.
        let middle = "document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })";
        self.client.execute(middle, vec![selector.into()]).await?;
        field.clear().await?;
        if !text.is_empty() {
            field.send_keys(text).await?;
        }
        Ok(())
    }

    /// Goes to a place of the window, such as `#settings`.
    pub async fn go(&self, place: &str) -> anyhow::Result<()> {
        self.script(&format!("location.hash = '{place}'")).await.map(drop)
    }

    /// Runs a script on the page and returns what it returns.
    pub async fn script(&self, script: &str) -> anyhow::Result<serde_json::Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Closes the window.
    pub async fn close(self) -> anyhow::Result<()> {
        Ok(self.client.close().await?)
    }
}

/// The window's binary, beside the agent's.
pub fn program() -> anyhow::Result<PathBuf> {
    Ok(binary::tidings()?.with_file_name("tidings-window"))
}
