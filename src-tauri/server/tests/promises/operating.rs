//! What whoever runs it sees and does: health, numbers, signals.

use std::{
    net::SocketAddr,
    process::Stdio,
    time::{Duration, Instant},
};

use tidings_server::{EventKind, Options, Server};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    net::UnixDatagram,
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, Ended, SOON, ask, post, status};

async fn get(addr: SocketAddr, path: &str) -> (u16, String) {
    ask(addr, "GET", path, "", b"").await
}

async fn measured() -> Server {
    let metrics = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    Server::start(Options { metrics, ..Options::default() }).await.expect("two free ports")
}

#[tokio::test]
async fn the_numbers_tell_what_happened() {
    let server = measured().await;
    let metrics = server.metrics_addr().expect("an address");
    let older = Client::connect(&server, "?user=ann").await;
    let _newer = Client::connect(&server, "?user=ann").await;
    assert_eq!(status(Client::request(&server, "", &[]).await), 401);
    assert_eq!(post(server.addr(), "ann", "", b"12345").await.0, 200);
    assert_eq!(post(server.addr(), "%00", "", b"x").await.0, 404);
    let before = server.mark();
    let bob = Client::connect(&server, "?user=bob").await;
    drop(bob);
    server
        .wait_after(before, SOON, |event| event.user == "bob" && matches!(event.kind, EventKind::Gone { .. }))
        .await
        .expect("bob's end");
    // The older one's client hasn't answered its close.
    drop(older);
    while server.running() > 1 {
        tokio::task::yield_now().await;
    }
    let (status, text) = get(metrics, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "tidings_ready 1",
        "tidings_links 1",
        "tidings_links_opened_total 3",
        "tidings_links_replaced_total 1",
        r#"tidings_links_refused_total{reason="credential"} 1"#,
        r#"tidings_pushes_total{outcome="kept"} 1"#,
        r#"tidings_pushes_total{outcome="user"} 1"#,
        "tidings_push_bytes_total 5",
        "tidings_messages_kept 1",
        "tidings_push_seconds_count 1",
        r#"tidings_push_seconds_bucket{le="+Inf"} 1"#,
    ] {
        assert!(text.lines().any(|there| there == line), "{line} in\n{text}");
    }
    // Each family is told once, with its kind, before its lines: what Prometheus asks for.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().expect("a name");
        let family =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert_eq!(text.matches(&format!("# TYPE {family} ")).count(), 1, "{line}");
        assert!(line.rsplit(' ').next().is_some_and(|value| value.parse::<f64>().is_ok()), "{line}");
    }
    assert_eq!(get(server.addr(), "/metrics").await.0, 404, "not where users come");
}

#[tokio::test]
async fn health_and_readiness_are_two_questions() {
    let server = measured().await;
    let metrics = server.metrics_addr().expect("an address");
    for addr in [server.addr(), metrics] {
        assert_eq!(get(addr, "/healthz").await, (200, "ok\n".into()));
        assert_eq!(get(addr, "/readyz").await, (200, "ready\n".into()));
    }
    let mut ann = Client::connect(&server, "?user=ann").await;
    server.drain(1012, Duration::ZERO).await;
    assert_eq!(get(server.addr(), "/healthz").await.0, 200);
    for addr in [server.addr(), metrics] {
        assert_eq!(get(addr, "/readyz").await, (503, "the server is stopping\n".into()));
    }
    assert_eq!(status(Client::request(&server, "?user=bob", &[]).await), 503);
    assert_eq!(ann.ended().await, Ended::Close(Some(1012), "the server is stopping".into()));
}

#[tokio::test]
async fn a_drain_closes_the_links_one_after_the_other() {
    const LINKS: usize = 40;
    const OVER: Duration = Duration::from_secs(1);
    let server = measured().await;
    let mut clients = Vec::new();
    for number in 0..LINKS {
        clients.push(Client::connect(&server, &format!("?user={number}")).await);
    }
    let start = Instant::now();
    let ends = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            assert!(matches!(client.ended().await, Ended::Close(Some(1012), _)));
            start.elapsed()
        })
    });
    let ends: Vec<_> = ends.collect();
    server.drain(1012, OVER).await;
    let mut times = Vec::new();
    for end in ends {
        times.push(end.await.expect("its end"));
    }
    times.sort();
    // Later than evenly spread is the machine's load, earlier is wrong.
    for quarter in 1..4 {
        let early = times.iter().filter(|time| **time < OVER / 4 * quarter).count();
        let most = LINKS / 4 * usize::try_from(quarter).expect("small") + 4;
        assert!(early <= most, "{early} of {LINKS} in the first {quarter} quarters: {times:?}");
    }
    assert_eq!(server.links("7"), 0);
}

#[tokio::test]
async fn a_drain_takes_no_longer_than_its_last_link() {
    let server = measured().await;
    let mut ann = Client::connect(&server, "?user=ann").await;
    timeout(SOON, server.drain(1012, Duration::from_secs(3600))).await.expect("nobody is left to wait for");
    assert_eq!(ann.ended().await, Ended::Close(Some(1012), "the server is stopping".into()));
}

#[tokio::test]
async fn whoever_comes_to_systemds_socket_while_it_drains_is_served_by_the_next() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let next = socket.try_clone().expect("systemd's own");
    let first = Server::start_on(socket, Options::default()).await.expect("a server");
    let addr = first.addr();
    let mut ann = Client::connect(&first, "?user=ann").await;
    let mut bob = Client::connect(&first, "?user=bob").await;
    let drain = tokio::spawn({
        let first = first.clone();
        async move { first.drain(1012, Duration::from_secs(3600)).await }
    });
    // One of the two is the first.
    let (end, mut other) = tokio::select! {
        end = ann.ended() => (end, bob),
        end = bob.ended() => (end, ann),
    };
    assert_eq!(end, Ended::Close(Some(1012), "the server is stopping".into()));
    let late = tokio::spawn(async move { Client::connect_to(addr, "?user=late", &[]).await });
    // Whoever was let in stays until it is their turn. The late one would have been answered by now.
    for _ in 0..20 {
        other.send(Message::Ping("x".into())).await;
        assert_eq!(other.next().await.expect("still open"), Message::Pong("x".into()));
    }
    assert!(!late.is_finished(), "turned away");
    // As a kill does it, or a drain that is over.
    drain.abort();
    drop(other);
    first.stop(1012).await;
    let second = Server::start_on(next, Options::default()).await.expect("the next server");
    let late = timeout(SOON, late).await.expect("an answer in time").expect("no panic");
    assert_eq!(status(late), 101);
    assert_eq!(second.upgrades(), 1);
}

pub(crate) struct Program {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    pub(crate) addr: SocketAddr,
}

impl Program {
    pub(crate) async fn start(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidings-server"));
        command
            .args(["--data", "none", "--listen", "127.0.0.1:0"])
            .args(args)
            .envs(variables.iter().copied());
        Self::of(command).await
    }

    async fn of(mut command: Command) -> Self {
        command.env_remove("TIDINGS_LOG").stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program");
        let mut log = BufReader::new(child.stderr.take().expect("its stderr")).lines();
        let line = timeout(SOON, log.next_line()).await.expect("in time").expect("readable").expect("a line");
        let addr = line.split("listening on ").nth(1).unwrap_or_else(|| panic!("where it listens: {line}"));
        let addr = addr.split('"').next().and_then(|addr| addr.parse().ok()).expect("an address");
        Self { child, log, addr }
    }

    async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("running").to_string();
        assert!(Command::new("kill").args([name, &pid]).status().await.expect("kill").success());
    }

    /// The memory that it has, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self) -> u64 {
        let pid = self.child.id().expect("running");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    async fn line(&mut self, wanted: &str) -> String {
        loop {
            let line = timeout(SOON, self.log.next_line()).await.unwrap_or_else(|_| panic!("no {wanted}"));
            let line = line.expect("readable").unwrap_or_else(|| panic!("no {wanted}"));
            if line.contains(wanted) {
                return line;
            }
        }
    }

    async fn ended(mut self) -> Option<i32> {
        timeout(SOON, self.child.wait()).await.expect("an end in time").expect("an end").code()
    }
}

#[tokio::test]
async fn a_drain_ends_the_program_with_1012_and_a_second_signal_at_once() {
    let program = Program::start(&["--drain", "100ms"], &[]).await;
    let mut client = Client::connect_to(program.addr, "?user=ann", &[]).await.expect("open");
    program.signal("-TERM").await;
    assert_eq!(client.ended().await, Ended::Close(Some(1012), "the server is stopping".into()));
    assert_eq!(program.ended().await, Some(0));

    let mut program = Program::start(&["--drain", "1h", "--stop-code", "4000"], &[]).await;
    let addr = program.addr;
    let mut clients = Vec::new();
    for number in 0..3 {
        clients.push(Client::connect_to(addr, &format!("?user={number}"), &[]).await.expect("open"));
    }
    program.signal("-TERM").await;
    program.line("stopping with close code 4000").await;
    assert_eq!(get(addr, "/readyz").await.0, 503, "it is still there");
    program.signal("-TERM").await;
    assert_eq!(program.ended().await, Some(0));
}

#[tokio::test]
async fn systemd_is_told_when_it_is_ready_reads_anew_and_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).expect("a socket");
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "ann one\n").expect("written");
    let next = async || {
        let mut told = [0; 512];
        let length = timeout(SOON, systemd.recv(&mut told)).await.expect("in time").expect("told");
        String::from_utf8_lossy(&told[..length]).into_owned()
    };
    let variables = [("NOTIFY_SOCKET", socket.to_str().expect("a path"))];
    let mut program = Program::start(&["--token-file", tokens.to_str().expect("a path")], &variables).await;
    assert_eq!(next().await.trim(), "READY=1");
    program.signal("-HUP").await;
    let reloading = next().await;
    assert!(reloading.contains("RELOADING=1\n") && reloading.contains("MONOTONIC_USEC="), "{reloading}");
    assert_eq!(next().await.trim(), "READY=1");
    program.line("read again").await;
    program.signal("-TERM").await;
    assert_eq!(next().await.trim(), "STOPPING=1");
    assert_eq!(program.ended().await, Some(0));
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_not_ready_and_one_that_can_be_again_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_str().expect("a path");
    // Files may grow to about a megabyte: as a disk that is full, without one.
    let command = r#"trap '' XFSZ; ulimit -S -f 2048; exec "$0" "$@""#;
    let mut child = Command::new("sh");
    child.args([
        "-c",
        command,
        env!("CARGO_BIN_EXE_tidings-server"),
        "--listen",
        "127.0.0.1:0",
        "--data",
        data,
    ]);
    let program = Program::of(child).await;
    assert_eq!(get(program.addr, "/readyz").await, (200, "ready\n".into()));
    let big = vec![b'x'; 300 << 10];
    // What is too much at last, down to a message of one byte.
    for size in [big.len(), 30 << 10, 3 << 10, 1] {
        let refused = async {
            loop {
                let (status, words) = post(program.addr, "ann", "", &big[..size]).await;
                if status != 200 {
                    return (status, words);
                }
            }
        };
        let (status, words) = timeout(SOON, refused).await.expect("a refusal in time");
        assert!([503, 507].contains(&status), "{status} {words}");
    }
    let (status, words) = get(program.addr, "/readyz").await;
    assert_eq!(status, 503, "{words}");
    assert_eq!(get(program.addr, "/healthz").await.0, 200);
    let pid = program.child.id().expect("running").to_string();
    let more = Command::new("prlimit").args(["--fsize=unlimited:", "--pid", &pid]).status().await;
    assert!(more.expect("prlimit").success());
    assert_eq!(get(program.addr, "/readyz").await, (200, "ready\n".into()), "without a push in between");
    assert_eq!(post(program.addr, "ann", "", &big).await.0, 200);
}

#[tokio::test]
async fn it_may_have_as_many_links_as_the_system_lets_it() {
    let mut child = Command::new("sh");
    let command = r#"ulimit -S -n 64; ulimit -H -n 300; exec "$0" "$@""#;
    child.args([
        "-c",
        command,
        env!("CARGO_BIN_EXE_tidings-server"),
        "--listen",
        "127.0.0.1:0",
        "--data",
        "none",
    ]);
    let program = Program::of(child).await;
    let mut links = Vec::new();
    for number in 0..200 {
        let query = format!("?user={number}");
        let link = Client::connect_to(program.addr, &query, &[]);
        links.push(timeout(SOON, link).await.expect("let in in time").expect("let in"));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_link_that_was_sent_much_holds_little_afterwards() {
    const LINKS: u64 = 60;
    let program = Program::start(&["--backlog", "0"], &[]).await;
    let mut links = Vec::new();
    for number in 0..LINKS {
        let query = format!("?user={number}");
        links.push(Client::connect_to(program.addr, &query, &[]).await.expect("let in"));
    }
    let before = program.memory();
    let big = vec![b'x'; 1 << 20];
    for (number, link) in links.iter_mut().enumerate() {
        assert_eq!(post(program.addr, &number.to_string(), "", &big).await.0, 200);
        assert_eq!(link.text().await.len(), big.len());
    }
    let grown = program.memory().saturating_sub(before);
    assert!(grown < LINKS * 1024 / 3, "{grown} KiB for {LINKS} links");
}

#[tokio::test]
async fn who_is_refused_is_told_in_the_log_without_what_they_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "ann one\n").expect("written");
    let args = ["--token-file", tokens.to_str().expect("a path"), "--push-token", "p1"];
    let mut program = Program::start(&args, &[]).await;
    let wrong = Client::connect_to(program.addr, "", &[("authorization", "Bearer s3cret")]).await;
    assert_eq!(status(wrong), 401);
    let line = program.line("an upgrade was refused").await;
    assert!(line.contains("127.0.0.1") && line.contains("this token is not known"), "{line}");
    assert_eq!(post(program.addr, "ann", "authorization: Bearer s3cret\r\n", b"x").await.0, 401);
    let line = program.line("a push was refused").await;
    assert!(!line.contains("s3cret"), "{line}");
}

#[tokio::test]
async fn why_it_cannot_start_is_told_once() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidings-server"));
    child.args(["--listen", "127.0.0.1:0", "--data"]).arg(file.path());
    let ended = timeout(SOON, child.output()).await.expect("in time").expect("an end");
    let log = String::from_utf8_lossy(&ended.stderr);
    assert_eq!((ended.status.code(), log.matches("os error").count()), (Some(1), 1), "{log}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_journal_is_told_how_bad_it_is_and_not_when() {
    use std::{
        fs::File,
        io::Read as _,
        os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    };
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = folder.path().join("tokens");
    for (format, starts) in [("text", ["<6> INFO ", "<3>ERROR "]), ("json", ["<6>{", "<3>{"])] {
        for (words, start) in ["ann one\n", "nobody\n"].iter().zip(starts) {
            std::fs::write(&tokens, words).expect("written");
            let (read, write) = std::io::pipe().expect("a pipe");
            let journal = File::from(OwnedFd::from(write));
            let place = journal.metadata().expect("its place");
            let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tidings-server"));
            child
                .args(["--data", "none", "--listen", "127.0.0.1:0", "--log-format", format])
                .args(["--child", "--token-file"])
                .arg(&tokens)
                .env_remove("TIDINGS_LOG")
                .env("JOURNAL_STREAM", format!("{}:{}", place.dev(), place.ino()))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(journal);
            let mut server = child.spawn().expect("the program");
            drop(child);
            let mut log = String::new();
            File::from(OwnedFd::from(read)).read_to_string(&mut log).expect("its log");
            server.wait().expect("an end");
            let wrong = log.lines().filter(|line| !line.starts_with(start)).count();
            assert!(!log.is_empty() && wrong == 0, "{start} in {log}");
        }
    }
}

#[tokio::test]
async fn a_log_in_json_is_an_object_per_line() {
    let mut program = Program::start(&["--log-format", "json"], &[]).await;
    program.signal("-TERM").await;
    let line: serde_json::Value = serde_json::from_str(&program.line("stopping").await).expect("an object");
    assert_eq!(
        (line["level"].as_str(), line["message"].as_str()),
        (Some("INFO"), Some("stopping with close code 1001"))
    );
}
