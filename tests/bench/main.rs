//! What an idle Tidings costs, beside a bare program in the same run, and how soon its window is there:
//! `cargo xtask bench`.
//!
//! Machines are noisy, so each figure stands beside the yardstick's, and the run fails only at twice a goal.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tidings_server::{Options, Server};
use tidings_tests::desktop::{Desktop, Process};
use tidings_tests::tray_item::TrayItem;

/// How long the idle programs are watched. Longer than a heartbeat's interval, so that each beats once.
const WATCH: Duration = Duration::from_secs(90);
/// How long a program may settle after its first message before it is watched.
const SETTLE: Duration = Duration::from_secs(10);
/// How long a program may take to connect.
const CONNECT: Duration = Duration::from_secs(20);

/// The class of the app's window, how often it is opened, and how soon its page should be painted.
const WINDOW: &str = "tidings-window";
const OPENINGS: usize = 5;
const OPEN: Duration = Duration::from_millis(700);

const MIB: f64 = 1024.0;

/// What one process costs.
struct Cost {
    rss_mib: f64,
    pss_mib: f64,
    anonymous_mib: f64,
    wakeups_a_minute: f64,
}

/// A figure that must not be passed.
struct Goal {
    what: &'static str,
    of: fn(&Cost) -> f64,
    at_most: f64,
}

const GOALS: [Goal; 3] = [
    Goal { what: "RSS, MiB", of: |cost| cost.rss_mib, at_most: 8.0 },
    Goal { what: "PSS, MiB", of: |cost| cost.pss_mib, at_most: 6.0 },
    Goal { what: "wake-ups a minute", of: |cost| cost.wakeups_a_minute, at_most: 10.0 },
];

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let desktop = Desktop::start().await?;
    let server = Server::start(Options::default()).await?;
    let beside_us = std::env::current_exe()?;

    let config = desktop.home().join(".config/tidings");
    std::fs::create_dir_all(&config)?;
    let url = server.url("tidings");
    std::fs::write(config.join("config.toml"), format!("[[channel]]\nname = \"Bench\"\nurl = \"{url}\"\n"))?;
    let agent_binary = beside_us.with_file_name("tidings");
    ensure!(agent_binary.exists(), "no {}: run `cargo xtask bench`, which builds it", agent_binary.display());
    let agent = desktop.spawn("tidings", &desktop.command(&agent_binary))?;

    let mut bare_command = desktop.command(beside_us.with_file_name("tidings-bare"));
    bare_command.arg(server.url("bare"));
    let bare = desktop.spawn("tidings-bare", &bare_command)?;

    for user in ["tidings", "bare"] {
        connected(&server, user).await?;
        server.push(user, "one message, so that everything has been used once");
    }
    tokio::time::sleep(SETTLE).await;
    say(&format!("watching both for {} s …", WATCH.as_secs()));
    let before = (wakeups(&agent)?, wakeups(&bare)?);
    tokio::time::sleep(WATCH).await;
    let ours = cost(&agent, before.0)?;
    let theirs = cost(&bare, before.1)?;
    ensure!(server.links("tidings") == 1 && server.links("bare") == 1, "a link was lost meanwhile");

    let mut met = report(&ours, &theirs);
    if beside_us.with_file_name("tidings-window").exists() {
        met &= window(&desktop, &agent, &ours).await?;
    }
    if !met {
        say("a figure is beyond twice its goal");
    }
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How soon the window is there, and what of it stays with the agent once it is closed.
async fn window(desktop: &Desktop, agent: &Process, before: &Cost) -> anyhow::Result<bool> {
    let bus = desktop.bus().connect().await?;
    let tray = TrayItem::registered(&bus, "tidings", CONNECT).await?;
    let mut times = Vec::new();
    for _ in 0..OPENINGS {
        let asked = Instant::now();
        tray.click("Open Tidings").await?;
        desktop.wait_for_paint(CONNECT).await?;
        times.push(asked.elapsed());
        let windows = desktop.wait_for_windows(WINDOW, 1, CONNECT).await?;
        desktop.close_window(&windows[0])?;
        desktop.wait_for_windows(WINDOW, 0, CONNECT).await?;
    }
    times.sort_unstable();
    let median = times[OPENINGS / 2];
    say(&format!("window, asked for to painted: median {median:?} of {times:?}; goal {OPEN:?}"));
    let after = cost(agent, wakeups(agent)?)?.anonymous_mib;
    say(&format!("anonymous after it was closed: {after:.1} MiB, {:+.1} MiB", after - before.anonymous_mib));
    Ok(median <= OPEN * 2)
}

async fn connected(server: &Server, user: &str) -> anyhow::Result<()> {
    let wanted = user.to_owned();
    server
        .wait_for(CONNECT, move |event| {
            event.user == wanted && matches!(event.kind, tidings_server::EventKind::Opened)
        })
        .await
        .with_context(|| format!("{user} did not connect"))?;
    Ok(())
}

/// Prints the table; false if a figure is beyond twice its goal.
fn report(ours: &Cost, theirs: &Cost) -> bool {
    say(&machine());
    say(&format!("{:<22}{:>10}{:>10}{:>8}{:>8}", "idle, link connected", "tidings", "bare", "ratio", "goal"));
    let mut met = true;
    for goal in &GOALS {
        let (ours, theirs) = ((goal.of)(ours), (goal.of)(theirs));
        let ratio = ours / theirs;
        say(&format!("{:<22}{ours:>10.1}{theirs:>10.1}{ratio:>8.1}{:>8.0}", goal.what, goal.at_most));
        met &= ours <= goal.at_most * 2.0;
    }
    say(&format!("{:<22}{:>10.1}{:>10.1}", "anonymous, MiB", ours.anonymous_mib, theirs.anonymous_mib));
    met
}

/// Facts of the machine, without which the figures say little.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores,{}, Linux {}", model.trim_start_matches([' ', '\t', ':']), kernel.trim())
}

fn cost(process: &Process, wakeups_before: u64) -> anyhow::Result<Cost> {
    let folder = format!("/proc/{}", process.id());
    let status = read(format!("{folder}/status"))?;
    let rollup = read(format!("{folder}/smaps_rollup"))?;
    let woken = wakeups(process)?.saturating_sub(wakeups_before);
    Ok(Cost {
        rss_mib: field(&status, "VmRSS:")? / MIB,
        pss_mib: field(&rollup, "Pss:")? / MIB,
        anonymous_mib: field(&rollup, "Anonymous:")? / MIB,
        #[expect(clippy::cast_precision_loss, reason = "a count of a minute's wake-ups")]
        wakeups_a_minute: woken as f64 * 60.0 / WATCH.as_secs_f64(),
    })
}

/// How often the process's threads have gone to sleep by themselves: as often as they woke.
fn wakeups(process: &Process) -> anyhow::Result<u64> {
    let mut total = 0.0;
    for thread in std::fs::read_dir(format!("/proc/{}/task", process.id()))? {
        let status = thread?.path().join("status");
        total += field(&read(&status)?, "voluntary_ctxt_switches:")?;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    Ok(total as u64)
}

fn read(path: impl AsRef<Path>) -> anyhow::Result<String> {
    let path = path.as_ref();
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The number after `name` at the start of a line; sizes are in KiB.
fn field(text: &str, name: &str) -> anyhow::Result<f64> {
    let line =
        text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name} there"))?;
    let number = line.split_whitespace().next().with_context(|| format!("no number after {name}"))?;
    Ok(number.parse()?)
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn say(line: &str) {
    println!("{line}");
}
