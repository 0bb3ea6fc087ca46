//! Three nodes of `tidings-server` over three servers of NATS, with nginx before the nodes: each a program of its own, to be
//! killed and started again, on a machine of its own where a test wants that.

use std::env;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::binary;
use crate::desktop::{Process, Signal};
use crate::network::Machine;
use crate::reader::Channel;
use crate::skip::skipped;
use crate::wait::{LOOK, eventually};

/// Names another `nats-server` than Debian's.
const PROGRAM: &str = "TIDINGS_NATS_SERVER";
const NATS: &str = "/usr/sbin/nats-server";
const NGINX: &str = "/usr/sbin/nginx";
/// How many there are of each.
const COUNT: usize = 3;
/// How long one may take to listen, and all to have a leader: elections take up to 10 s each.
const STARTUP: Duration = Duration::from_secs(60);
/// How long an answer may take that tells how one is.
const ANSWER: Duration = Duration::from_secs(2);
/// Lets pushes in.
pub const PUSH_TOKEN: &str = "the-token-of-who-pushes";
/// More than any test sends.
const ENOUGH: &str = "100000000";

/// All of it. Each ends on drop.
#[derive(Debug)]
pub struct Cluster {
    front: One,
    nodes: Vec<One>,
    nats: Vec<One>,
    users: Vec<String>,
    folder: TempDir,
}

/// One program.
#[derive(Debug)]
struct One {
    name: String,
    addr: SocketAddr,
    words: Vec<String>,
    process: Option<Process>,
    starts: u32,
}

/// Which of them are on machines of their own: the last node, and the last server of NATS.
#[derive(Debug, Default, Clone, Copy)]
pub struct Far<'m> {
    /// The node's.
    pub node: Option<&'m Machine>,
    /// That of NATS.
    pub nats: Option<&'m Machine>,
    /// Where all others are, as seen from there.
    pub home: Option<IpAddr>,
}

impl Cluster {
    /// Starts it with these users; `None`: a program is missing here, which is told.
    pub async fn start(users: &[&str], far: Far<'_>) -> anyhow::Result<Option<Self>> {
        let nats = env::var_os(PROGRAM).map_or_else(|| PathBuf::from(NATS), PathBuf::from);
        for (program, package) in [(nats.as_path(), "nats-server"), (Path::new(NGINX), "nginx-light")] {
            if !program.is_file() {
                skipped(&format!("there is no {} (Debian package: {package})", program.display()));
                return Ok(None);
            }
        }
        let folder = tempfile::Builder::new().prefix("tidings-cluster-").tempdir()?;
        let [a, b, c, ..] = RandomState::new().hash_one("an address").to_be_bytes();
        // Of its own, so that its ports are free.
        let own = Ipv4Addr::new(127, a, b, c.clamp(1, 254)).into();
        let at = |machine: Option<&Machine>, number: usize| match machine {
            Some(machine) if number == COUNT - 1 => machine.addr(),
            Some(_) | None => far.home.unwrap_or(own),
        };
        let launch = |machine: Option<&Machine>, number: usize| match machine {
            Some(machine) if number == COUNT - 1 => machine.launcher(),
            Some(_) | None => Vec::new(),
        };
        let mut cluster = Self {
            front: One::new("nginx", SocketAddr::new(own, 8000), Vec::new()),
            nodes: Vec::new(),
            nats: Vec::new(),
            users: users.iter().map(|user| (*user).to_owned()).collect(),
            folder,
        };
        let port = |from: u16, number: usize| from + u16::try_from(number).unwrap_or_default();
        for number in 0..COUNT {
            let addr = SocketAddr::new(at(far.nats, number), port(4222, number));
            let name = format!("nats-{number}");
            let mut words = launch(far.nats, number);
            words.extend([nats.display().to_string(), "-c".to_owned()]);
            words.push(cluster.path(&format!("{name}.conf")).display().to_string());
            cluster.nats.push(One::new(&name, addr, words));
        }
        for number in 0..COUNT {
            cluster.write_nats_settings(number)?;
        }
        let urls: Vec<_> = cluster.nats.iter().map(|one| format!("nats://{}", one.addr)).collect();
        let tokens: Vec<_> = users.iter().map(|user| format!("{user} {}\n", token(user))).collect();
        fs::write(cluster.path("tokens"), tokens.concat())?;
        for user in users {
            let file = cluster.path(&format!("token-{user}"));
            fs::write(&file, token(user))?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        }
        fs::write(cluster.path("push-tokens"), PUSH_TOKEN)?;
        for number in 0..COUNT {
            let addr = SocketAddr::new(at(far.node, number), port(8080, number));
            let mut words = launch(far.node, number);
            words.push(binary::server()?.display().to_string());
            words.extend(["--log", "info", "--backlog", ENOUGH, "--nats"].map(str::to_owned));
            words.extend([urls.join(","), "--listen".to_owned(), addr.to_string()]);
            for (option, file) in [("--token-file", "tokens"), ("--push-token-file", "push-tokens")] {
                words.extend([option.to_owned(), cluster.path(file).display().to_string()]);
            }
            cluster.nodes.push(One::new(&format!("node-{number}"), addr, words));
        }
        cluster.start_all().await?;
        Ok(Some(cluster))
    }

    async fn start_all(&mut self) -> anyhow::Result<()> {
        for number in 0..COUNT {
            self.start_nats(number).await?;
        }
        for number in 0..COUNT {
            self.start_node(number)?;
        }
        self.ready().await?;
        let settings = self.path("nginx.conf");
        fs::write(&settings, self.nginx_settings())?;
        let (folder, settings) = (self.folder.path().display().to_string(), settings.display().to_string());
        self.front.words =
            [NGINX, "-e", "stderr", "-p", &folder, "-c", &settings].map(str::to_owned).to_vec();
        self.front.start(self.folder.path())?;
        self.front.listens().await
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_nats_settings(&self, number: usize) -> anyhow::Result<()> {
        let One { name, addr, .. } = &self.nats[number];
        let route = |one: &One| SocketAddr::new(one.addr.ip(), one.addr.port() + 2000);
        let routes: Vec<_> = self.nats.iter().map(|one| format!("\"nats://{}\"", route(one))).collect();
        let settings = format!(
            "listen: \"{addr}\"\nhttp: \"{}\"\nserver_name: {name}\njetstream {{ store_dir: \"{}\" }}\n\
             cluster {{ name: tidings, listen: \"{}\", routes: [{}] }}\n",
            monitor(*addr),
            self.path(&format!("store-{name}")).display(),
            route(&self.nats[number]),
            routes.join(", ")
        );
        fs::write(self.path(&format!("{name}.conf")), settings)?;
        Ok(())
    }

    /// As docs/server.md has it.
    fn nginx_settings(&self) -> String {
        let servers: Vec<_> = self
            .nodes
            .iter()
            .map(|one| format!("server {} max_fails=2 fail_timeout=5s;", one.addr))
            .collect();
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary: Vec<_> =
            kinds.iter().map(|kind| format!("{kind}_temp_path temporary-{kind};")).collect();
        format!(
            "daemon off;\nmaster_process off;\npid nginx.pid;\nevents {{ worker_connections 1024; }}\n\
             http {{\naccess_log off;\n{}\nupstream tidings {{\n{}\n}}\n\
             server {{\nlisten {};\nlocation / {{\nproxy_pass http://tidings;\nproxy_http_version 1.1;\n\
             proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection upgrade;\n\
             proxy_connect_timeout 2s;\nproxy_next_upstream error timeout http_503;\nproxy_read_timeout 90s;\n\
             proxy_send_timeout 90s;\nproxy_buffering off;\n}}\n}}\n}}\n",
            temporary.join("\n"),
            servers.join("\n"),
            self.front.addr
        )
    }

    /// The channels of all users, by way of nginx.
    pub fn channels(&self) -> Vec<Channel> {
        let channel = |user: &String| Channel {
            name: user.clone(),
            url: format!("ws://{}/ws/user-channel", self.front.addr),
            token: Some(self.path(&format!("token-{user}"))),
        };
        self.users.iter().map(channel).collect()
    }

    /// Where the nodes are.
    pub fn nodes(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|one| one.addr).collect()
    }

    /// Starts a node (again).
    pub fn start_node(&mut self, number: usize) -> anyhow::Result<()> {
        self.nodes[number].start(self.folder.path())
    }

    /// Ends one as a crash does.
    pub async fn kill_node(&mut self, number: usize) -> anyhow::Result<()> {
        self.nodes[number].kill().await
    }

    /// Starts a server of NATS (again).
    pub async fn start_nats(&mut self, number: usize) -> anyhow::Result<()> {
        self.nats[number].start(self.folder.path())?;
        self.nats[number].listens().await
    }

    /// Ends one as a crash does.
    pub async fn kill_nats(&mut self, number: usize) -> anyhow::Result<()> {
        self.nats[number].kill().await
    }

    /// Which server of NATS leads the stream, if one knows.
    pub async fn leader(&self) -> Option<usize> {
        for one in self.nats.iter().filter(|one| one.process.is_some()) {
            // One that is cut off doesn't answer, and one that isn't in the cluster yet knows none.
            let Ok((200, told)) = ask(monitor(one.addr), "/jsz?streams=true").await else { continue };
            let told: Value = serde_json::from_str(&told).unwrap_or_default();
            let leader = &told["account_details"][0]["stream_detail"][0]["cluster"]["leader"];
            let number = |name: &str| self.nats.iter().position(|one| one.name == name);
            if let Some(number) = leader.as_str().and_then(number) {
                return Some(number);
            }
        }
        None
    }

    /// The processor's time that the nodes have taken, and the servers of NATS.
    pub fn cpu_time(&self) -> anyhow::Result<(Duration, Duration)> {
        let of = |all: &[One]| all.iter().map(One::cpu_time).sum::<anyhow::Result<Duration>>();
        Ok((of(&self.nodes)?, of(&self.nats)?))
    }

    /// Waits until each node takes links and pushes.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        for node in &mut self.nodes {
            let deadline = Instant::now() + STARTUP;
            loop {
                match ask(node.addr, "/readyz").await {
                    Ok((200, _)) => break,
                    told if Instant::now() > deadline => {
                        bail!("{} is not ready: {told:?}\n{}", node.name, node.log_tail());
                    }
                    Ok(_) | Err(_) => sleep(LOOK * 5).await,
                }
                if let Some(process) = &mut node.process {
                    ensure!(process.ended()?.is_none(), "{} ended:\n{}", node.name, process.log_tail());
                }
            }
        }
        Ok(())
    }
}

impl One {
    fn new(name: &str, addr: SocketAddr, words: Vec<String>) -> Self {
        Self { name: name.to_owned(), addr, words, process: None, starts: 0 }
    }

    fn start(&mut self, folder: &Path) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "{} runs already", self.name);
        self.starts += 1;
        let (program, words) = self.words.split_first().context("no program")?;
        let mut command = Command::new(program);
        command.args(words).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        self.process = Some(Process::spawn(&format!("{}-{}", self.name, self.starts), &command, folder)?);
        Ok(())
    }

    /// In user's and system's time.
    fn cpu_time(&self) -> anyhow::Result<Duration> {
        let id = self.process.as_ref().context("it does not run")?.id();
        cpu_time(id)
    }

    async fn listens(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + STARTUP;
        while TcpStream::connect(self.addr).await.is_err() {
            let process = self.process.as_mut().context("it does not run")?;
            if process.ended()?.is_some() || Instant::now() > deadline {
                bail!("{} does not listen on {}\n{}", self.name, self.addr, process.log_tail());
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    async fn kill(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().with_context(|| format!("{} does not run", self.name))?;
        process.signal(Signal::KILL)?;
        eventually("its end", || process.ended().transpose()).await??;
        Ok(())
    }

    fn log_tail(&self) -> String {
        self.process.as_ref().map(Process::log_tail).unwrap_or_default()
    }
}

fn token(user: &str) -> String {
    format!("the-token-of-{user}")
}

/// Where a server of NATS tells how it is.
fn monitor(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip(), addr.port() + 4000)
}

/// Status and body of what is there.
async fn ask(addr: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    let asked = async {
        let mut stream = TcpStream::connect(addr).await?;
        let request = format!("GET {path} HTTP/1.0\r\nhost: {addr}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no whole answer")?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        anyhow::Ok((status.context("no status")?, body.to_owned()))
    };
    timeout(ANSWER, asked).await.context("no answer in time")?
}

/// The processor time that a process has taken.
pub fn cpu_time(id: u32) -> anyhow::Result<Duration> {
    let told = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // Behind the name, which may hold anything; the clock's ticks are 10 ms.
    let fields: Vec<_> = told.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    Ok(Duration::from_millis(10 * (ticks(11).context("no time")? + ticks(12).context("no time")?)))
}
