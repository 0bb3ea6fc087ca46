//! Memory per idle link with many channels in one process.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::ensure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tidings_server::{Options, Server};
use tidings_tests::desktop::Process;
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
    let alone = memory_of(1).await?;
    let mut rows = Vec::new();
    for count in COUNTS {
        let kib = (memory_of(count).await? - alone) * 1024.0 / f64::from(count - 1);
        rows.push(Row::new(format!("memory per idle link, of {count}"), Unit::Kib, kib).goal(20.0));
    }
    Ok(rows)
}

/// The resident memory of a process with so many idle links, in MiB.
async fn memory_of(count: u32) -> anyhow::Result<f64> {
    say(&format!("  {count} of them …"));
    let server = Server::start(Options { events: 0, ..Options::default() }).await?;
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(std::env::current_exe()?.with_file_name("tidings-links"));
    command.arg(server.url("")).arg(count.to_string());
    let process = Process::spawn("tidings-links", &command, folder.path())?;
    let deadline = Instant::now() + CONNECT;
    let live = || (0..count).filter(|user| server.links(&user.to_string()) == 1).count();
    while live() < count as usize {
        ensure!(Instant::now() < deadline, "{} of {count} connected:\n{}", live(), process.log_tail());
        sleep(LOOK).await;
    }
    for user in 0..count {
        server.push(&user.to_string(), "one message, so that everything has been used once");
    }
    sleep(SETTLE).await;
    ensure!(live() == count as usize, "a link was lost meanwhile");
    Ok(Memory::of(process.id())?.rss_mib)
}

/// Both ends of each link are files, of two processes that inherit this.
fn allow_files() -> anyhow::Result<()> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    Ok(())
}
