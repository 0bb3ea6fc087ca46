//! Real NATS servers on loopback, one or a cluster of three: Debian's `nats-server`, or the one that
//! `TIDINGS_NATS_SERVER` names.

use std::{
    env,
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::Write as _,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tidings_server::{Nats, Options, Server};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

/// Names the program, where it is another than Debian's.
const PROGRAM: &str = "TIDINGS_NATS_SERVER";
const PLACES: [&str; 3] = ["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"];
/// Names the file in which `cargo xtask test` looks for what was skipped.
const SKIPPED: &str = "TIDINGS_TESTS_SKIPPED";
/// Far more than it takes to start, or to find a leader: only a failure waits for it.
pub(crate) const LONG: Duration = Duration::from_secs(120);
/// Held by who has a cluster: several at once on two cores elect leaders for longer than anything here waits.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
const LOOK: Duration = Duration::from_millis(10);

/// Servers that end on drop.
pub(crate) struct Cluster {
    program: PathBuf,
    servers: Vec<One>,
    folder: TempDir,
    _alone: Option<tokio::sync::MutexGuard<'static, ()>>,
}

struct One {
    addr: SocketAddr,
    process: Option<Child>,
}

pub(crate) fn free_addr() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// Where the program is; without one the test says that it is left out.
fn program() -> Option<PathBuf> {
    let named = env::var_os(PROGRAM).map(PathBuf::from);
    let found = named.or_else(|| PLACES.iter().map(PathBuf::from).find(|place| place.is_file()));
    if found.is_none() {
        skipped("there is no nats-server (Debian package: nats-server)");
    }
    found
}

#[expect(clippy::print_stderr, reason = "for those who run one test, with --nocapture")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
    let Some(list) = env::var_os(SKIPPED) else { return };
    let line = format!("{}: {why}\n", std::thread::current().name().unwrap_or("a test"));
    let list = OpenOptions::new().create(true).append(true).open(list);
    list.and_then(|mut list| list.write_all(line.as_bytes())).expect("the list of what was skipped");
}

impl Cluster {
    /// A single server. `None`: there is none on this machine.
    pub(crate) async fn one() -> Option<Self> {
        Self::with(1, "").await
    }

    /// Three that are one.
    pub(crate) async fn three() -> Option<Self> {
        Self::with(3, "").await
    }

    /// As many as that, with these lines in their settings; `@folder@` is a folder of their own.
    pub(crate) async fn with(count: usize, more: &str) -> Option<Self> {
        Self::of(count, &format!("jetstream {{ store_dir: \"@folder@/store-@name@\" }}\n{more}")).await
    }

    /// The same without JetStream.
    pub(crate) async fn without_jetstream() -> Option<Self> {
        Self::of(1, "").await
    }

    async fn of(count: usize, more: &str) -> Option<Self> {
        let program = program()?;
        let folder = tempfile::Builder::new().prefix("tidings-nats-").tempdir().expect("a folder");
        let place = folder.path().display().to_string();
        let routes: Vec<_> = (0..count).map(|_| free_addr()).collect();
        let mut servers = Vec::new();
        for (number, route) in routes.iter().enumerate() {
            let addr = free_addr();
            let name = format!("n{number}");
            let mut text =
                format!("listen: \"{addr}\"\nserver_name: {name}\nlog_file: \"{place}/{name}.log\"\n");
            text.push_str(&more.replace("@folder@", &place).replace("@name@", &name));
            if count > 1 {
                let all: Vec<_> = routes.iter().map(|route| format!("\"nats://{route}\"")).collect();
                let all = all.join(", ");
                writeln!(text, "cluster {{ name: tidings, listen: \"{route}\", routes: [{all}] }}")
                    .expect("a text");
            }
            fs::write(folder.path().join(format!("{name}.conf")), text).expect("written");
            servers.push(One { addr, process: None });
        }
        let _alone = if count > 1 { Some(ALONE.lock().await) } else { None };
        let mut cluster = Self { program, servers, folder, _alone };
        for number in 0..count {
            cluster.start(number).await;
        }
        Some(cluster)
    }

    /// Starts one (again).
    pub(crate) async fn start(&mut self, number: usize) {
        let settings = self.folder.path().join(format!("n{number}.conf"));
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(settings).stdout(Stdio::null()).stderr(Stdio::null());
        let one = &mut self.servers[number];
        one.process = Some(command.spawn().expect("a nats-server"));
        let deadline = Instant::now() + LONG;
        while TcpStream::connect(one.addr).await.is_err() {
            assert!(Instant::now() < deadline, "nats-server does not listen");
            sleep(LOOK).await;
        }
    }

    /// Kills one as kill -9 does.
    pub(crate) fn kill(&mut self, number: usize) {
        if let Some(mut process) = self.servers[number].process.take() {
            process.kill().expect("killed");
            process.wait().expect("waited for");
        }
    }

    /// The address of all.
    pub(crate) fn url(&self) -> String {
        self.servers.iter().map(|one| format!("nats://{}", one.addr)).collect::<Vec<_>>().join(",")
    }

    /// A file in their folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("written");
        path
    }

    pub(crate) fn options(&self) -> Options {
        let nats = Nats { url: self.url(), wait: LONG, ..Nats::default() };
        Options { nats: Some(nats), ..Options::default() }
    }

    /// A node in this process.
    pub(crate) async fn node(&self) -> Server {
        Server::start(self.options()).await.expect("a node")
    }

    /// Which of them leads the stream, once one does.
    pub(crate) async fn leader(&self) -> usize {
        let asked = async {
            loop {
                if let Some(leader) = self.ask_for_leader().await {
                    return leader;
                }
                sleep(LOOK).await;
            }
        };
        timeout(LONG, asked).await.expect("a leader in time")
    }

    async fn ask_for_leader(&self) -> Option<usize> {
        let servers: Vec<_> = self.servers.iter().map(|one| one.addr.to_string()).collect();
        let client = async_nats::connect(servers).await.ok()?;
        let stream = async_nats::jetstream::new(client).get_stream("TIDINGS").await.ok()?;
        let leader = stream.cached_info().cluster.as_ref()?.leader.clone()?;
        leader.strip_prefix('n')?.parse().ok()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for number in 0..self.servers.len() {
            self.kill(number);
        }
    }
}
