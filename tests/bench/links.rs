//! Memory per idle link with many channels in one process.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::ensure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tidings_server::{Options, Server};
use tidings_tests::desktop::Process;
use tidings_tests::events::EventSource;
use tidings_tests::mosquitto::Mosquitto;
use tokio::time::sleep;

use crate::process::Memory;
use crate::progress::say;
use crate::table::{Row, Unit};

/// How many channels; what one alone costs is taken off.
const COUNTS: [u32; 2] = [200, 2_000];
/// How long all of them may take to connect, and to settle.
const CONNECT: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    allow_files()?;
    let alone = memory_of(1, &PLAIN).await?;
    let per_link = |all: f64, alone: f64, count: u32| (all - alone) * 1024.0 / f64::from(count - 1);
    let mut rows = Vec::new();
    let mut plain = 0.0;
    for count in COUNTS {
        plain = per_link(memory_of(count, &PLAIN).await?, alone, count);
        rows.push(Row::new(format!("memory per idle link, of {count}"), Unit::Kib, plain).goal(20.0));
    }
    // Of as many, for what a few pages more or less are is no cost of the dialect's.
    let count = COUNTS[COUNTS.len() - 1];
    for dialect in DIALECTS {
        let alone = memory_of(1, &dialect).await?;
        let kib = per_link(memory_of(count, &dialect).await?, alone, count);
        let name = dialect.name;
        rows.push(Row::new(format!("memory per idle link, {name}, of {count}"), Unit::Kib, kib));
        rows.push(Row::new(format!("… against the recipe's, {name}"), Unit::Ratio, kib / plain).goal(1.1));
    }
    let alone = memory_of_streams(1).await?;
    let kib = per_link(memory_of_streams(count).await?, alone, count);
    rows.push(Row::new(format!("memory per idle event stream, of {count}"), Unit::Kib, kib));
    rows.push(Row::new("… against the recipe's, event stream", Unit::Ratio, kib / plain).goal(1.2));
    let alone = memory_at_a_broker(1).await?;
    let kib = per_link(memory_at_a_broker(count).await?, alone, count);
    rows.push(Row::new(format!("memory per idle MQTT link, of {count}"), Unit::Kib, kib));
    rows.push(Row::new("… against the recipe's, MQTT", Unit::Ratio, kib / plain).goal(1.2));
    Ok(rows)
}

/// What is spoken, and what a server says until the link is of use.
struct Spoken {
    name: &'static str,
    greeting: &'static [&'static str],
    message: &'static str,
}

const PLAIN: Spoken =
    Spoken { name: "", greeting: &[], message: "one message, so that everything has been used once" };

const DIALECTS: [Spoken; 2] = [
    Spoken {
        name: "ntfy",
        greeting: &[r#"{"id":"a","time":1,"event":"open","topic":"alerts"}"#],
        message: r#"{"id":"b","time":1,"event":"message","topic":"alerts","message":"one"}"#,
    },
    Spoken {
        name: "socket.io",
        greeting: &[r#"0{"sid":"a","pingInterval":25000}"#, r#"40{"sid":"b"}"#],
        message: r#"42["news",{"id":1}]"#,
    },
];

/// The resident memory of a process with so many idle links, in MiB.
async fn memory_of(count: u32, spoken: &Spoken) -> anyhow::Result<f64> {
    say(&format!("  {count} of them {} …", spoken.name));
    let server = Server::start(Options { events: 0, ..Options::default() }).await?;
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(std::env::current_exe()?.with_file_name("tidings-links"));
    command.arg(server.url("")).arg(count.to_string());
    if !spoken.name.is_empty() {
        command.arg(spoken.name);
    }
    let process = Process::spawn("tidings-links", &command, folder.path())?;
    let deadline = Instant::now() + CONNECT;
    let live = || (0..count).filter(|user| server.links(&user.to_string()) == 1).count();
    while live() < count as usize {
        ensure!(Instant::now() < deadline, "{} of {count} connected:\n{}", live(), process.log_tail());
        sleep(LOOK).await;
    }
    for text in spoken.greeting.iter().chain([&spoken.message]) {
        for user in 0..count {
            server.push(&user.to_string(), *text);
        }
    }
    sleep(SETTLE).await;
    ensure!(live() == count as usize, "a link was lost meanwhile");
    Ok(Memory::of(process.id())?.rss_mib)
}

/// The same of as many event streams.
async fn memory_of_streams(count: u32) -> anyhow::Result<f64> {
    say(&format!("  {count} event streams …"));
    let server = EventSource::start().await?;
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(std::env::current_exe()?.with_file_name("tidings-links"));
    command.arg(format!("{}?user=", server.url())).args([&count.to_string(), "sse"]);
    let process = Process::spawn("tidings-links", &command, folder.path())?;
    let deadline = Instant::now() + CONNECT;
    let open = || server.asked().len();
    while open() < count as usize {
        ensure!(Instant::now() < deadline, "{} of {count} connected:\n{}", open(), process.log_tail());
        sleep(LOOK).await;
    }
    server.publish("message", "one message, so that everything has been used once");
    sleep(SETTLE).await;
    ensure!(open() == count as usize, "a stream was lost meanwhile");
    Ok(Memory::of(process.id())?.rss_mib)
}

/// The same of as many links to a broker.
async fn memory_at_a_broker(count: u32) -> anyhow::Result<f64> {
    say(&format!("  {count} MQTT links …"));
    let broker = Mosquitto::start().await?;
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(std::env::current_exe()?.with_file_name("tidings-links"));
    command.arg(broker.url()).args([&count.to_string(), "mqtt"]);
    let process = Process::spawn("tidings-links", &command, folder.path())?;
    let deadline = Instant::now() + CONNECT;
    while broker.subscribed()? < count as usize {
        ensure!(
            Instant::now() < deadline,
            "{} of {count} connected:\n{}",
            broker.subscribed()?,
            process.log_tail()
        );
        sleep(LOOK).await;
    }
    broker.send("news", "one message, so that everything has been used once", &["-q", "0"])?;
    sleep(SETTLE).await;
    ensure!(broker.subscribed()? == count as usize, "a link was lost meanwhile");
    Ok(Memory::of(process.id())?.rss_mib)
}

/// Both ends of each link are files, of two processes that inherit this. Returns how many each may have.
pub(crate) fn allow_files() -> anyhow::Result<u64> {
    const ENOUGH: u64 = 200_000;
    let most = getrlimit(Resource::Nofile).maximum;
    // Root may raise what others may have at most.
    if most.is_some_and(|most| most < ENOUGH)
        && setrlimit(Resource::Nofile, Rlimit { current: Some(ENOUGH), maximum: Some(ENOUGH) }).is_ok()
    {
        return Ok(ENOUGH);
    }
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    Ok(most.unwrap_or(u64::MAX))
}
