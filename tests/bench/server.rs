//! `tidings-server` with its messages on the disk, beside the real ntfy with its cache file, in the same run: pushes a second, the way
//! of a push to its reader, memory of an idle link.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures_util::StreamExt;
use tempfile::TempDir;
use tidings_tests::desktop::Process;
use tidings_tests::peer::Peer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, sleep, timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::links::allow_files;
use crate::process::Memory;
use crate::progress::say;
use crate::table::{Row, Times, Unit};

/// How many push at once, over how many users, how long a message each.
const PUSHERS: u32 = 64;
const USERS: u32 = 1000;
const LENGTH: usize = 300;
/// How long pushes are counted, after so long without counting.
const COUNTED: Duration = Duration::from_secs(8);
const WARM_UP: Duration = Duration::from_secs(2);
/// How many pushes are timed to their reader, and how many a second go to others meanwhile: both servers bear as many.
const TIMED: u32 = 2000;
const BESIDE: u32 = 500;
/// How many idle links, and how many are opened at once.
const LINKS: u32 = 5000;
const AT_ONCE: u32 = 50;
/// How long a server may take to start, and to answer.
const SOON: Duration = Duration::from_secs(30);
/// What a server does once many links are open is over then.
const LOOK: Duration = Duration::from_millis(20);
const SETTLE: Duration = Duration::from_secs(5);

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    allow_files()?;
    say("  pushes …");
    let theirs = Subject::ntfy().await?;
    let theirs = pushes(theirs.place).await?;
    let mut rows = Vec::new();
    for (durability, goal) in [("fsync", true), ("process", false)] {
        let ours = Subject::ours(durability).await?;
        let ours = pushes(ours.place).await?;
        let row = Row::new(format!("{PUSHERS} push at once, {durability}: a push"), Unit::Ms, 1e3 / ours)
            .beside(1e3 / theirs);
        rows.push(if goal { row.goal_times_bare(0.25) } else { row });
        rows.push(Row::new(format!("… pushes a second, {durability}"), Unit::Count, ours).beside(theirs));
    }
    say("  from the push to the reader …");
    let theirs = Subject::ntfy().await?;
    let theirs = way(theirs.place).await?;
    let ours = Subject::ours("fsync").await?;
    let ours = way(ours.place).await?;
    rows.push(Row::time("push to reader: median", ours.median()).beside_time(theirs.median()));
    rows.push(Row::time("push to reader: p99", ours.p99()).beside_time(theirs.p99()).goal_times_bare(0.5));
    say(&format!("  {LINKS} idle links …"));
    let theirs = memory(&Subject::ntfy().await?).await?;
    let ours = memory(&Subject::ours("fsync").await?).await?;
    let row = Row::new(format!("server: memory per idle link, of {LINKS}"), Unit::Kib, ours);
    rows.push(row.beside(theirs).goal_times_bare(0.2));
    Ok(rows)
}

/// A server that is measured.
struct Subject {
    place: Place,
    process: u32,
    _holds: Holds,
}

/// What ends with it.
enum Holds {
    Ours { _process: Process, _folder: TempDir },
    Theirs { _peer: Peer },
}

/// Where it is, and how it is spoken to.
#[derive(Clone, Copy)]
enum Place {
    Ours(SocketAddr),
    Ntfy(SocketAddr),
}

impl Place {
    fn addr(self) -> SocketAddr {
        let (Self::Ours(addr) | Self::Ntfy(addr)) = self;
        addr
    }

    /// Where a message for somebody is posted.
    fn push(self, user: &str) -> String {
        match self {
            Self::Ours(_) => format!("/push/u{user}"),
            Self::Ntfy(_) => format!("/u{user}"),
        }
    }

    /// Where somebody's messages come.
    fn channel(self, user: &str) -> String {
        match self {
            Self::Ours(addr) => format!("ws://{addr}/ws/user-channel?user=u{user}"),
            Self::Ntfy(addr) => format!("ws://{addr}/u{user}/ws"),
        }
    }
}

impl Subject {
    async fn ours(durability: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let program = std::env::current_exe()?.with_file_name("tidings-server");
        ensure!(program.exists(), "there is no {}", program.display());
        let addr = free_address()?;
        let mut command = Command::new(program);
        command.args(["--listen", &addr.to_string(), "--log", "warn", "--durability", durability, "--data"]);
        command.arg(folder.path().join("data")).env_remove("TIDINGS_LOG");
        let mut process = Process::spawn("tidings-server", &command, folder.path())?;
        let deadline = Instant::now() + SOON;
        while TcpStream::connect(addr).await.is_err() {
            let ended = process.ended()?.is_some() || Instant::now() > deadline;
            ensure!(!ended, "the server does not listen\n{}", process.log_tail());
            sleep(LOOK).await;
        }
        let (place, id) = (Place::Ours(addr), process.id());
        Ok(Self { place, process: id, _holds: Holds::Ours { _process: process, _folder: folder } })
    }

    async fn ntfy() -> anyhow::Result<Self> {
        let peer = Peer::start("ntfy", |addr, folder| {
            let settings = format!(
                "base-url: http://{addr}\nlisten-http: {addr}\ncache-file: /tmp/cache.db\nlog-level: warn\n\
                 visitor-request-limit-exempt-hosts: 127.0.0.1\nvisitor-subscription-limit: 1000000\n\
                 visitor-topic-creation-limit-burst: 0\nvisitor-message-daily-limit: 100000000\n"
            );
            Ok(["ntfy", "serve", "--config", &folder.write("server.yml", &settings)?]
                .map(str::to_owned)
                .into())
        });
        let peer = peer.await?.context("there is no ntfy here: `cargo xtask peers ntfy` brings it")?;
        let process = peer.id().context("ntfy has ended")?;
        Ok(Self { place: Place::Ntfy(peer.addr()), process, _holds: Holds::Theirs { _peer: peer } })
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// How many pushes a second are answered with 200.
async fn pushes(place: Place) -> anyhow::Result<f64> {
    let count = Arc::new(AtomicU64::new(0));
    let pushers: Vec<_> = (0..PUSHERS)
        .map(|number| {
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let mut pusher = Pusher::connect(place).await?;
                let mut user = number;
                loop {
                    // A step without a common divisor with the number of users: each is as often.
                    user = (user + 61) % USERS;
                    pusher.push(&user.to_string(), &[b'x'; LENGTH]).await?;
                    count.fetch_add(1, Relaxed);
                }
                #[expect(unreachable_code, reason = "it tells the type of the error")]
                anyhow::Ok(())
            })
        })
        .collect();
    sleep(WARM_UP).await;
    let (start, before) = (Instant::now(), count.load(Relaxed));
    sleep(COUNTED).await;
    let (took, counted) = (start.elapsed(), count.load(Relaxed) - before);
    for pusher in pushers {
        if pusher.is_finished() {
            pusher.await??;
        } else {
            pusher.abort();
        }
    }
    ensure!(counted > 0, "no push was answered");
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(counted as f64 / took.as_secs_f64())
}

/// A connection over which one push goes after the other.
struct Pusher {
    stream: TcpStream,
    place: Place,
    answer: Vec<u8>,
}

impl Pusher {
    async fn connect(place: Place) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(place.addr()).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, place, answer: vec![0; 16 << 10] })
    }

    async fn push(&mut self, user: &str, body: &[u8]) -> anyhow::Result<()> {
        let (path, addr) = (self.place.push(user), self.place.addr());
        let mut request =
            format!("POST {path} HTTP/1.1\r\nhost: {addr}\r\ncontent-length: {}\r\n\r\n", body.len())
                .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).await?;
        self.answered().await
    }

    async fn answered(&mut self) -> anyhow::Result<()> {
        let mut filled = 0;
        loop {
            let read = timeout(SOON, self.stream.read(&mut self.answer[filled..])).await??;
            ensure!(read > 0, "the server ended the connection");
            filled += read;
            let text = str::from_utf8(&self.answer[..filled]).context("an answer that is no text")?;
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            ensure!(head.starts_with("HTTP/1.1 200"), "{text}");
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.context("an answer without its length")? {
                return Ok(());
            }
        }
    }
}

type Link = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn link(place: Place, user: &str) -> anyhow::Result<Link> {
    Ok(timeout(SOON, connect_async(place.channel(user))).await.context("no upgrade in time")??.0)
}

/// From the moment before a push to the moment when its reader has it, while others get messages, too.
async fn way(place: Place) -> anyhow::Result<Times> {
    let mut reader = link(place, "reader").await?;
    let beside = tokio::spawn(async move {
        let mut pusher = Pusher::connect(place).await?;
        let mut tick = interval(Duration::from_secs(1) / BESIDE);
        for user in (0..USERS).cycle() {
            tick.tick().await;
            pusher.push(&user.to_string(), &[b'y'; LENGTH]).await?;
        }
        anyhow::Ok(())
    });
    let mut pusher = Pusher::connect(place).await?;
    let mut times = Times::default();
    for number in 0..TIMED {
        let text = format!("message {number:8} {}", "x".repeat(LENGTH - 17));
        let start = Instant::now();
        let read = async {
            loop {
                match reader.next().await {
                    Some(Ok(frame)) if frame.to_text().is_ok_and(|frame| frame.contains(&text)) => {
                        return anyhow::Ok(start.elapsed());
                    }
                    Some(Ok(_)) => {}
                    other => bail!("the link ended: {other:?}"),
                }
            }
        };
        let (pushed, read) = tokio::join!(pusher.push("reader", text.as_bytes()), timeout(SOON, read));
        pushed?;
        times.add(read.context("a message did not come")??);
    }
    if beside.is_finished() {
        beside.await??;
    } else {
        beside.abort();
    }
    Ok(times)
}

/// Resident memory for each of many idle links, in KiB.
async fn memory(subject: &Subject) -> anyhow::Result<f64> {
    // One of each, so that everything has been used once.
    let first = link(subject.place, "first").await?;
    Pusher::connect(subject.place).await?.push("first", b"one").await?;
    sleep(SETTLE).await;
    let before = Memory::of(subject.process)?.rss_mib;
    let mut links = vec![first];
    while links.len() <= LINKS as usize {
        let names: Vec<String> =
            (0..AT_ONCE).map(|number| format!("l{}", links.len() + number as usize)).collect();
        let opened = names.iter().map(|name| link(subject.place, name));
        for opened in futures_util::future::join_all(opened).await {
            links.push(opened?);
        }
    }
    sleep(SETTLE).await;
    let after = Memory::of(subject.process)?.rss_mib;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    Ok((after - before) * 1024.0 / (links.len() - 1) as f64)
}
