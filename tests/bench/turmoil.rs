//! Pushes to the server while it is killed, and to several nodes over NATS while nodes and servers of NATS are killed and cut off:
//! what of it a real agent's inbox holds in the end.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use tidings_tests::cluster::{Cluster, Far};
use tidings_tests::network::{Machine, Network, PROBE, SERVER};
use tidings_tests::node::{Kills, Node, Tally};
use tidings_tests::reader::Reader;
use tidings_tests::turmoil::Turmoil;

use crate::pair::FIGURES;
use crate::progress::say;
use crate::table::{Row, Unit};

/// How often the server is killed, how many pushes are answered before each, and how many push at once.
const KILLS: u32 = 50;
const BETWEEN: usize = 2000;
const PUSHERS: u32 = 64;
/// Those whose messages are counted.
const USERS: [&str; 4] = ["ann", "bob", "eve", "joe"];
/// How long the turmoil lasts, how many pushes a second there are, and how many ms are between two kills.
const LASTS: Duration = Duration::from_secs(180);
const RATE: u32 = 2000;
const PAUSES: (u32, u32) = (2000, 5000);
/// How long a machine is cut off.
const CUT_FOR: Duration = Duration::from_secs(30);
/// Tells the copy of this program that it is in namespaces of its own.
const INSIDE: &str = "TIDINGS_BENCH_IN_NAMESPACE";

/// Kills of the server while it is pushed to.
pub(crate) async fn kills() -> anyhow::Result<Vec<Row>> {
    let mut node = Node::start(&["--durability", "fsync", "--devices", "many"]).await?;
    let tally = Kills { kills: KILLS, between: BETWEEN, pushers: PUSHERS }.run(&mut node, true).await?;
    Ok(rows(&format!("{KILLS} kills"), &tally))
}

/// Kills and partitions of three nodes and of the three servers of NATS behind them.
pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    if std::env::var_os(INSIDE).is_some() {
        let network = Network::build().await?;
        let (node, nats) = (network.machine(3).await?, network.machine(4).await?);
        let far = Far { node: Some(&node), nats: Some(&nats), home: Some(SERVER) };
        return turmoil(far, &[&node, &nats]).await;
    }
    let unshare = |words: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount"]).args(words);
        command
    };
    if !unshare(&["sh", "-c", PROBE]).output().is_ok_and(|tried| tried.status.success()) {
        say("  without partitions: no network namespaces can be had here (they need root, `ip` and `tc`)");
        return turmoil(Far::default(), &[]).await;
    }
    let us = std::env::current_exe()?;
    let mut again = unshare(&[]);
    again.arg(us).args([FIGURES, "turmoil"]).env(INSIDE, "1").stderr(Stdio::inherit());
    let again = again.output().context("cannot start the benchmark again")?;
    ensure!(again.status.success(), "it failed in namespaces of its own");
    serde_json::from_slice(&again.stdout).context("its figures can't be read")
}

async fn turmoil(far: Far<'_>, cut: &[&Machine]) -> anyhow::Result<Vec<Row>> {
    // What is missing here has been told.
    let Some(mut cluster) = Cluster::start(&USERS, far).await? else { return Ok(Vec::new()) };
    let reader = Reader::start(&cluster.channels(), true).await?;
    let seed = std::process::id().into();
    let turmoil =
        Turmoil { lasts: LASTS, rate: RATE, pushers: PUSHERS, pauses: PAUSES, cut, cut_for: CUT_FOR, seed };
    let (tally, done) = turmoil.run(&mut cluster, reader).await?;
    let mut rows = rows("turmoil", &tally);
    for (what, count) in [
        ("nodes that were killed", f64::from(done.nodes)),
        ("servers of NATS that were killed", f64::from(done.nats)),
        ("… of these, leaders of the stream", f64::from(done.leaders)),
        ("machines that were cut off for 30 s", f64::from(done.cuts)),
    ] {
        rows.push(Row::new(format!("turmoil: {what}"), Unit::Count, count));
    }
    Ok(rows)
}

fn rows(name: &str, tally: &Tally) -> Vec<Row> {
    let count = |what: &str, count: usize| {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        Row::new(format!("{name}: {what}"), Unit::Count, count as f64)
    };
    vec![
        count("pushes that were answered", tally.answered),
        Row::new("… a second, while it ran", Unit::Count, tally.a_second),
        count("pushes whose answer was cut off", tally.unanswered),
        count("answered and lost", tally.lost.len()).goal(0.0),
        count("heard twice", tally.twice.len()).goal(0.0),
    ]
}
