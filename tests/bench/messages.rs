//! How quick a message is, how a start is, and what a burst does.

use std::time::{Duration, Instant};

use anyhow::Context;
use tidings_server::EventKind;
use tidings_tests::app::Start;
use tidings_tests::desktop::Signal;
use tidings_tests::mosquitto::Mosquitto;
use tidings_tests::wait::eventually;
use tokio::time::sleep;

use crate::process::Memory;
use crate::stage::{BARE, OURS, Stage, opened};
use crate::table::{Row, Times, Unit};

/// Messages to each program.
const MESSAGES: usize = 200;
/// Between two messages, so that what one left to do doesn't hold up the next.
const PAUSE: Duration = Duration::from_millis(10);

const STARTS: usize = 9;

/// The messages of a burst, and how long the agent may settle after it.
const BURST: u64 = 5_000;
/// So many popups at once are allowed that flood control holds none back.
const NO_FLOOD: &str = "[notifications]\nburst = 1000\n";
const SETTLE: Duration = Duration::from_secs(10);

/// From the server's send to the desktop's `Notify`.
pub(crate) async fn notify() -> anyhow::Result<Vec<Row>> {
    let stage = Stage::start(NO_FLOOD).await?;
    let (mut ours, mut theirs) = (Times::default(), Times::default());
    for number in 0..MESSAGES {
        let text = format!("message {number}");
        for (user, times) in [(OURS, &mut ours), (BARE, &mut theirs)] {
            times.add(stage.notified(user, &text).await?);
            sleep(PAUSE).await;
        }
    }
    Ok(vec![
        Row::time("send to Notify: median", ours.median()).beside_time(theirs.median()).goal_times_bare(1.3),
        Row::time("send to Notify: p99", ours.p99()).beside_time(theirs.p99()),
    ])
}

/// The same through a broker, beside what comes without one.
pub(crate) async fn mqtt() -> anyhow::Result<Vec<Row>> {
    let broker = Mosquitto::start().await?;
    let mqtt = format!(
        "[[channel]]\nid = \"mqtt\"\nkind = \"mqtt\"\nurl = \"{}\"\ntopics = [\"news\"]\n",
        broker.url()
    );
    let stage = Stage::start(&format!("{NO_FLOOD}{mqtt}")).await?;
    eventually("the subscription", || broker.subscribed().map(|count| (count > 0).then_some(())).transpose())
        .await??;
    let mut publisher = broker.publisher("news")?;
    let (mut ours, mut published) = (Times::default(), Times::default());
    for number in 0..MESSAGES {
        let text = format!("message {number}");
        ours.add(stage.notified(OURS, &text).await?);
        sleep(PAUSE).await;
        published.add(stage.notified_of(|| publisher.say(&text)).await?);
        sleep(PAUSE).await;
    }
    Ok(vec![
        Row::time("MQTT's send to Notify: median", published.median()),
        Row::new(
            "… against the recipe's",
            Unit::Ratio,
            published.median().as_secs_f64() / ours.median().as_secs_f64(),
        )
        .goal(1.1),
    ])
}

/// From the start of the process to the open link.
pub(crate) async fn start() -> anyhow::Result<Vec<Row>> {
    let mut stage = Stage::start("").await?;
    let (mut ours, mut theirs) = (Times::default(), Times::default());
    for _ in 0..STARTS {
        stage.scene.app.signal(Signal::TERM)?;
        stage.scene.app.ended_well().await?;
        let (mark, began) = (stage.scene.server.mark(), Instant::now());
        stage.scene.app.start(Start::ByHand).await?;
        ours.add(opened(&stage.scene.server, OURS, mark).await? - began);

        stage.bare.signal(Signal::KILL)?;
        let bare = &mut stage.bare;
        eventually("the bare program's end", || bare.ended().transpose()).await??;
        let (mark, began) = (stage.scene.server.mark(), Instant::now());
        stage.start_bare()?;
        theirs.add(opened(&stage.scene.server, BARE, mark).await? - began);
    }
    Ok(vec![Row::time("start to connected: median", ours.median()).beside_time(theirs.median())])
}

/// 5,000 messages at once.
pub(crate) async fn burst() -> anyhow::Result<Vec<Row>> {
    let mut stage = Stage::start("").await?;
    sleep(SETTLE).await;
    let agent = stage.scene.app.id()?;
    let before = Memory::of_tree(agent)?;
    let server = &stage.scene.server;
    let mark = server.mark();
    let began = Instant::now();
    for number in 0..BURST {
        server.push(OURS, format!("message {number} of a burst"));
    }
    let sent = began.elapsed();
    // A ping behind them: the agent answers once it has read them all.
    let pinged = Instant::now();
    server.send_raw(OURS, &[0x89, 0]).await?;
    let pong = server.seen(mark, |kind| matches!(kind, EventKind::Pong(_))).await?.at - pinged;
    stage.scene.app.wait_for_status("all stored", |status| status.unread > BURST).await?;
    let stored = began.elapsed();
    sleep(SETTLE).await;
    let after = Memory::of_tree(agent)?;
    let popups = stage.scene.popups.popups();
    let places: std::collections::BTreeSet<u32> =
        popups.iter().filter(|popup| popup.app_name != BARE).map(|popup| popup.id).collect();
    // The first one showed that all works.
    let shown = places.len().checked_sub(1).context("no popups")?;
    let second = if sent < Duration::from_secs(1) { "5,000 at once" } else { "5,000" };
    Ok(vec![
        Row::time(format!("{second}: until all are stored"), stored).goal(1000.0),
        Row::time(format!("{second}: next ping is answered"), pong).goal(1000.0),
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        Row::new(format!("{second}: popups"), Unit::Count, shown as f64).goal(6.0),
        Row::new(format!("{second}: memory afterwards, more"), Unit::Mib, after.rss_mib - before.rss_mib)
            .goal(5.0),
    ])
}
