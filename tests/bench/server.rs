//! `tidings-server` with its messages on the disk, beside the real ntfy with its cache file, in the same run: pushes a second, the way
//! of a push to its reader, memory of an idle link.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures_util::StreamExt;
use tempfile::TempDir;
use tidings_tests::cluster::{Cluster, Far, PUSH_TOKEN, cpu_time};
use tidings_tests::desktop::Process;
use tidings_tests::peer::{self, Peer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
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
const TIMED: u32 = 500;
const BESIDE: u32 = 500;
/// How often the two are timed.
const TURNS: u32 = 4;
/// How many idle links, and how many of ours alone; how many are opened at once.
const LINKS: u32 = 5000;
const MANY_LINKS: u32 = 50_000;
const AT_ONCE: u32 = 50;
const SILENT: &[&str] = &["--idle-timeout", "0s"];
/// How many links come from one address: there are 28,000 ports to each by default.
const OF_AN_ADDRESS: usize = 10_000;
/// How long a server may take to start, and to answer.
const SOON: Duration = Duration::from_secs(30);
/// What a server does once many links are open is over then.
const LOOK: Duration = Duration::from_millis(20);
const SETTLE: Duration = Duration::from_secs(5);

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let files = allow_files()?;
    let with_ntfy = peer::is_here("ntfy", "usr/bin/ntfy");
    if !with_ntfy {
        say(
            "  there is no ntfy here to stand beside (`cargo xtask peers ntfy` brings it): its column is left out",
        );
    }
    let mut rows = Vec::new();
    say("  pushes …");
    let theirs = if with_ntfy { Some(pushes(Subject::ntfy().await?.place).await?) } else { None };
    for durability in ["fsync", "process"] {
        let ours = pushes(Subject::ours(&["--durability", durability]).await?.place).await?;
        let row = Row::new(format!("{PUSHERS} push at once, {durability}: a push"), Unit::Ms, 1e3 / ours);
        let goal = theirs.is_some() && durability == "fsync";
        let row = row.maybe_beside(theirs.map(|theirs| 1e3 / theirs));
        rows.push(if goal { row.goal_times_bare(0.25) } else { row });
        let row = Row::new(format!("… pushes a second, {durability}"), Unit::Count, ours);
        rows.push(row.maybe_beside(theirs));
    }
    say("  from the push to the reader …");
    let (mut ours, mut theirs) = (Times::default(), Times::default());
    // In turn, since what else the disk does changes by the minute.
    for _ in 0..TURNS {
        if with_ntfy {
            way(Subject::ntfy().await?.place, &mut theirs).await?;
        }
        way(Subject::ours(&["--durability", "fsync"]).await?.place, &mut ours).await?;
    }
    let [median, p99] = ["push to reader: median", "push to reader: p99"];
    let [median, p99] = [Row::time(median, ours.median()), Row::time(p99, ours.p99())];
    if with_ntfy {
        rows.push(median.beside_time(theirs.median()));
        rows.push(p99.beside_time(theirs.p99()).goal_times_bare(0.5));
    } else {
        rows.extend([median, p99]);
    }
    say(&format!("  {LINKS} idle links …"));
    let theirs = if with_ntfy { Some(memory(&Subject::ntfy().await?, LINKS).await?.kib) } else { None };
    // They are silent, for however long it takes until all are there.
    let ours = memory(&Subject::ours(SILENT).await?, LINKS).await?.kib;
    let row =
        Row::new(format!("server: memory per idle link, of {LINKS}"), Unit::Kib, ours).maybe_beside(theirs);
    rows.push(if theirs.is_some() { row.goal_times_bare(0.2) } else { row });
    // Some are for whatever else is open.
    let most = u32::try_from(files.saturating_sub(1000)).unwrap_or(u32::MAX).min(MANY_LINKS);
    let limit = if most < MANY_LINKS {
        " (as many as the limit of open files here allows: `ulimit -Hn`)"
    } else {
        ""
    };
    say(&format!("  {most} idle links{limit} …"));
    let idle = memory(&Subject::ours(SILENT).await?, most).await?;
    rows.push(Row::new(format!("server: memory per idle link, of {most}"), Unit::Kib, idle.kib));
    rows.push(Row::new("… links opened a second meanwhile", Unit::Count, idle.opens));
    rows.push(Row::new(
        "… links opened a second of the server's processor time",
        Unit::Count,
        idle.opens_of_processor,
    ));
    rows.extend(nodes().await?);
    Ok(rows)
}

/// What a push costs by one node and by three over three servers of NATS.
async fn nodes() -> anyhow::Result<Vec<Row>> {
    say("  pushes to one node and to three over NATS …");
    let Some(cluster) = Cluster::start(&["ann"], Far::default()).await? else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for count in [1, 3] {
        let places: Vec<_> = cluster.nodes().into_iter().take(count).map(Place::Cluster).collect();
        let before = cluster.cpu_time()?;
        let (pushed, took) = pushes_to(&places).await?;
        let after = cluster.cpu_time()?;
        let name = if count == 1 { "one node over NATS" } else { "three nodes over NATS" };
        rows.push(Row::new(format!("{name}: pushes a second"), Unit::Count, pushed / took.as_secs_f64()));
        for (what, cost) in [("nodes", after.0 - before.0), ("NATS", after.1 - before.1)] {
            let row = format!("… processor time of a push, {what}");
            // Warming up costs as much.
            let pushed = pushed * (COUNTED + WARM_UP).as_secs_f64() / took.as_secs_f64();
            rows.push(Row::new(row, Unit::Ms, cost.as_secs_f64() * 1e3 / pushed));
        }
    }
    Ok(rows)
}

/// A server that is measured.
pub(crate) struct Subject {
    pub(crate) place: Place,
    pub(crate) process: u32,
    _holds: Holds,
}

/// What ends with it.
enum Holds {
    Ours { _process: Process, _folder: TempDir },
    Theirs { _peer: Peer },
}

/// Where it is, and how it is spoken to.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Ours(SocketAddr),
    Ntfy(SocketAddr),
    /// One of several nodes.
    Cluster(SocketAddr),
}

impl Place {
    pub(crate) fn addr(self) -> SocketAddr {
        let (Self::Ours(addr) | Self::Ntfy(addr) | Self::Cluster(addr)) = self;
        addr
    }

    /// Where a message for somebody is posted.
    fn push(self, user: &str) -> String {
        match self {
            Self::Ours(_) => format!("/push/u{user}"),
            // Who is known there is in a file.
            Self::Cluster(_) => "/push/ann".to_owned(),
            Self::Ntfy(_) => format!("/u{user}"),
        }
    }

    /// Where somebody's messages come.
    fn channel(self, user: &str) -> String {
        match self {
            Self::Ours(addr) | Self::Cluster(addr) => format!("ws://{addr}/ws/user-channel?user=u{user}"),
            Self::Ntfy(addr) => format!("ws://{addr}/u{user}/ws"),
        }
    }
}

impl Subject {
    pub(crate) async fn ours(options: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let program = std::env::current_exe()?.with_file_name("tidings-server");
        ensure!(program.exists(), "there is no {}", program.display());
        let addr = free_address()?;
        let mut command = Command::new(program);
        command.args(["--listen", &addr.to_string(), "--log", "warn"]).args(options);
        command.arg("--data").arg(folder.path().join("data")).env_remove("TIDINGS_LOG");
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
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// How many pushes a second are answered with 200.
async fn pushes(place: Place) -> anyhow::Result<f64> {
    let (pushed, took) = pushes_to(&[place]).await?;
    Ok(pushed / took.as_secs_f64())
}

/// How many pushes are answered with 200, and in which time, by these together.
async fn pushes_to(places: &[Place]) -> anyhow::Result<(f64, Duration)> {
    let count = Arc::new(AtomicU64::new(0));
    let pushers: Vec<_> = (0..PUSHERS)
        .map(|number| {
            let count = Arc::clone(&count);
            let place = places[number as usize % places.len()];
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
    Ok((counted as f64, took))
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
        let token = match self.place {
            Place::Cluster(_) => format!("authorization: Bearer {PUSH_TOKEN}\r\n"),
            Place::Ours(_) | Place::Ntfy(_) => String::new(),
        };
        let mut request =
            format!("POST {path} HTTP/1.1\r\nhost: {addr}\r\n{token}content-length: {}\r\n\r\n", body.len())
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
pub(crate) async fn way(place: Place, times: &mut Times) -> anyhow::Result<()> {
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
    Ok(())
}

/// What so many idle links cost.
struct Idle {
    /// Resident memory for each.
    kib: f64,
    /// How many were opened a second, by a client on the same machine.
    opens: f64,
    /// How many the server opens in a second of its processor time.
    opens_of_processor: f64,
}

async fn memory(subject: &Subject, count: u32) -> anyhow::Result<Idle> {
    // One of each, so that everything has been used once.
    let first = link(subject.place, "first").await?;
    Pusher::connect(subject.place).await?.push("first", b"one").await?;
    sleep(SETTLE).await;
    let (before, cpu) = (Memory::of(subject.process)?.rss_mib, cpu_time(subject.process)?);
    let mut links = Vec::with_capacity(count as usize);
    let start = Instant::now();
    while links.len() < count as usize {
        let numbers = (links.len()..).take(AT_ONCE as usize);
        let opened = numbers.map(|number| idle_link(subject.place, number));
        for opened in futures_util::future::join_all(opened).await {
            links.push(opened?);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let links_count = links.len() as f64;
    let opens = links_count / start.elapsed().as_secs_f64();
    let opens_of_processor = links_count / (cpu_time(subject.process)? - cpu).as_secs_f64();
    sleep(SETTLE).await;
    let kib = (Memory::of(subject.process)?.rss_mib - before) * 1024.0 / links_count;
    for link in &links {
        let ended = matches!(link.try_read(&mut [0; 16]), Ok(0));
        ensure!(!ended, "a link was lost meanwhile");
    }
    drop(first);
    Ok(Idle { kib, opens, opens_of_processor })
}

/// A link that nobody reads, which costs us its socket alone; from an address of its own for each few thousand.
pub(crate) async fn idle_link(place: Place, number: usize) -> anyhow::Result<TcpStream> {
    let mut stream = connect(place, number).await?;
    let channel = place.channel(&format!("l{number}"));
    let path = channel.split_once(&place.addr().to_string()).context("no path")?.1;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        place.addr()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = timeout(SOON, stream.read_buf(&mut answer)).await.context("no upgrade in time")??;
        ensure!(read > 0, "the server ended the connection");
    }
    ensure!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    Ok(stream)
}

pub(crate) async fn connect(place: Place, number: usize) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // The first few come from where ntfy has no limits for.
    if let address @ 1.. = u8::try_from(number / OF_AN_ADDRESS)? {
        socket.bind((Ipv4Addr::new(127, 50, 0, address), 0).into())?;
    }
    timeout(SOON, socket.connect(place.addr()))
        .await
        .context("no connection in time")?
        .context("no connection")
}
