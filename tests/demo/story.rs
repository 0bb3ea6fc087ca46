//! The demo's story in a headless desktop. Each step is seen on the bus before its screenshot is taken.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use tidings_server::{Options, SERVICE_RESTART, Server};
use tidings_tests::desktop::{Desktop, Process};
use tidings_tests::tray_item::{Shown, TrayItem};
use tidings_tests::witness::Witness;
use tokio::time::{Instant, sleep};

use crate::parts::{agent, say, settings};

const USER: &str = "demo";
/// The class of the app's window.
const WINDOW: &str = "tidings-window";
/// How long a step may take to be seen. A restarting server is given up to 30 s before the next dial.
const STEP: Duration = Duration::from_secs(45);
/// Where the pointer hides nothing.
const ASIDE: (&str, &str) = ("400", "400");
/// How often the end of a program is looked for.
const LOOK: Duration = Duration::from_millis(50);

struct Story {
    desktop: Desktop,
    tray: TrayItem,
    popups: Witness,
    out: PathBuf,
    pictures: usize,
}

pub(crate) async fn play(out: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let desktop = Desktop::start().await?;
    let popups = Witness::listen(desktop.bus()).await?;
    let server = Server::start(Options::default()).await?;
    let config = desktop.home().join(".config/tidings");
    std::fs::create_dir_all(&config)?;
    std::fs::write(config.join("config.toml"), settings(&server.url(USER)))?;
    let mut app = desktop.spawn("tidings", &desktop.command(agent()?))?;

    let told = match tell(desktop, popups, server, out).await {
        Ok(told) => told,
        Err(error) => return Err(error.context(format!("the agent's last words:\n{}", app.log_tail()))),
    };
    let status = ended(&mut app).await?;
    ensure!(status.success(), "Quit ended the agent with {status}");
    let (pictures, out) = (told.pictures, out.display());
    say(&format!("{}. quit: the agent ended with 0\n{pictures} screenshots in {out}", pictures + 1));
    Ok(())
}

async fn tell(desktop: Desktop, popups: Witness, server: Server, out: &Path) -> anyhow::Result<Story> {
    let bus = desktop.bus().connect().await?;
    let tray = TrayItem::registered(&bus, "tidings", STEP).await?;
    let mut story = Story { desktop, tray, popups, out: out.to_owned(), pictures: 0 };

    story.sees("connected", "tidings_connected", "Connected since ").await?;
    story.picture_with_menu("connected").await?;

    server.push(USER, "A plain text is a message, too.");
    story.pops_up("Demo", "A plain text is a message, too.", 1).await?;
    story.picture("plain-text").await?;

    server.push_json(
        USER,
        &json!({
            "title": "Order 41 is late",
            "body": "It was promised for today.\nClick to open it.",
            "url": "https://example.org/orders/41",
            "priority": "urgent"
        }),
    );
    story.pops_up("Order 41 is late", "It was promised for today.\nClick to open it.", 2).await?;
    story.picture("urgent-with-link").await?;

    server.push_json(USER, &json!({"title": "新订单", "body": "您有一条新消息：订单 42 已付款。"}));
    story.pops_up("新订单", "您有一条新消息：订单 42 已付款。", 1).await?;
    story.picture("chinese").await?;

    story.tray.click("Open Tidings").await?;
    let window = story.desktop.wait_for_windows(WINDOW, 1, STEP).await?;
    story.desktop.wait_for_paint(STEP).await?;
    say(&format!("{}. window: open, its page painted", story.pictures + 1));
    story.picture("window").await?;
    story.desktop.close_window(&window[0])?;
    story.desktop.wait_for_windows(WINDOW, 0, STEP).await?;

    let address = server.addr();
    server.stop(SERVICE_RESTART).await;
    story.sees("server restarting", "tidings_working_unread", "Reconnecting at ").await?;
    story.picture_with_menu("reconnecting").await?;
    let server = Server::start(Options { listen: address, ..Options::default() }).await?;
    story.sees("back by itself", "tidings_connected_unread", "Connected since ").await?;
    story.picture_with_menu("connected-again").await?;

    let mut second_command = story.desktop.command(agent()?);
    second_command.args(["listen", "--json", "--url", &server.url(USER)]);
    let mut second = story.desktop.spawn("second-client", &second_command)?;
    story
        .sees("replaced by a second client", "tidings_replaced_unread", "Replaced by another tab or device")
        .await?;
    ensure!(story.popups.heard_nothing().await, "a popup at 4500");
    story.picture_with_menu("replaced").await?;

    story.tray.click("Take over here").await?;
    story.sees("taken over again", "tidings_connected_unread", "Connected since ").await?;
    let status = ended(&mut second).await?;
    ensure!(status.code() == Some(4), "the second client was replaced and ended with {status}, not 4");
    say("   the second client was replaced and ended with 4");
    story.picture_with_menu("taken-over").await?;

    story.tray.click("Quit").await?;
    Ok(story)
}

impl Story {
    async fn sees(&mut self, what: &str, icon: &str, line: &str) -> anyhow::Result<Shown> {
        let wished = |shown: &Shown| shown.icon == icon && shown.status_line().starts_with(line);
        let shown = self.tray.until(what, STEP, wished).await?;
        say(&format!("{}. {what}: icon {}, menu {:?}", self.pictures + 1, shown.icon, shown.status_line()));
        Ok(shown)
    }

    async fn pops_up(&mut self, summary: &str, body: &str, urgency: u8) -> anyhow::Result<()> {
        let popup = self.popups.next(STEP).await?;
        ensure!(
            (popup.summary.as_str(), popup.body.as_str(), popup.urgency) == (summary, body, urgency),
            "expected a popup {summary:?}, {body:?}, urgency {urgency}, and saw {popup:?}"
        );
        say(&format!("{}. popup: {summary:?}, {body:?}, urgency {urgency}", self.pictures + 1));
        Ok(())
    }

    async fn picture(&mut self, name: &str) -> anyhow::Result<()> {
        self.pictures += 1;
        let path = self.out.join(format!("{:02}-{name}.png", self.pictures));
        self.desktop.screenshot(&path).await?;
        say(&format!("   {}", path.display()));
        Ok(())
    }

    async fn picture_with_menu(&mut self, name: &str) -> anyhow::Result<()> {
        self.desktop.open_tray_menu().await?;
        // The pointer lies on the icon.
        self.desktop.xdotool(&["mousemove", ASIDE.0, ASIDE.1]).await?;
        self.picture(name).await?;
        self.desktop.close_menu().await
    }
}

async fn ended(program: &mut Process) -> anyhow::Result<std::process::ExitStatus> {
    let deadline = Instant::now() + STEP;
    loop {
        if let Some(status) = program.ended()? {
            return Ok(status);
        }
        ensure!(Instant::now() < deadline, "{} did not end within {STEP:?}", program.name());
        sleep(LOOK).await;
    }
}
