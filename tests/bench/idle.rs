//! What an agent costs that waits for messages, with one channel connected, in a desktop as users have it.

use std::time::Duration;

use anyhow::ensure;
use tidings_server::{Options, Server};
use tidings_tests::binary;
use tidings_tests::desktop::Desktop;

use crate::process::{Memory, Wakeups};
use crate::progress::say;
use crate::stage::{BARE, OURS, opened};
use crate::table::{Row, Unit};

/// How long both are watched. Longer than a heartbeat's interval, so that each beats once.
const WATCH: Duration = Duration::from_secs(90);
/// How long a program may settle after its first message before it is watched.
const SETTLE: Duration = Duration::from_secs(10);

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let desktop = Desktop::start().await?;
    let server = Server::start(Options::default()).await?;
    let config = desktop.home().join(".config/tidings");
    std::fs::create_dir_all(&config)?;
    let url = server.url(OURS);
    std::fs::write(config.join("config.toml"), format!("[[channel]]\nname = \"Bench\"\nurl = \"{url}\"\n"))?;
    let agent = desktop.spawn("tidings", &desktop.command(binary::tidings()?))?;
    let mut command = desktop.command(std::env::current_exe()?.with_file_name("tidings-bare"));
    command.arg(server.url(BARE));
    let bare = desktop.spawn("tidings-bare", &command)?;
    for user in [OURS, BARE] {
        opened(&server, user, 0).await?;
        server.push(user, "one message, so that everything has been used once");
    }
    tokio::time::sleep(SETTLE).await;
    say(&format!("  watching both for {} s …", WATCH.as_secs()));
    let before = [Wakeups::of(agent.id())?, Wakeups::of(bare.id())?];
    tokio::time::sleep(WATCH).await;
    let wakeups = [
        Wakeups::of(agent.id())?.a_minute_since(before[0], WATCH),
        Wakeups::of(bare.id())?.a_minute_since(before[1], WATCH),
    ];
    let (ours, theirs) = (Memory::of_tree(agent.id())?, Memory::of_tree(bare.id())?);
    ensure!(server.links(OURS) == 1 && server.links(BARE) == 1, "a link was lost meanwhile");
    Ok(vec![
        Row::new("idle: RSS", Unit::Mib, ours.rss_mib).beside(theirs.rss_mib).goal(8.0),
        Row::new("idle: PSS", Unit::Mib, ours.pss_mib).beside(theirs.pss_mib).goal(6.0),
        Row::new("idle: anonymous memory", Unit::Mib, ours.anonymous_mib).beside(theirs.anonymous_mib),
        Row::new("idle: wake-ups a minute", Unit::Count, wakeups[0]).beside(wakeups[1]).goal(10.0),
    ])
}
