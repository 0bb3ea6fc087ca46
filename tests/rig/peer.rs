//! Other people's servers, running (`cargo xtask peers` brings them): each on a loopback address of its own, with a folder
//! of its own, to be stopped, killed and started again.

use std::env;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rustix::process::geteuid;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::desktop::{Process, Signal};
use crate::peers::{PEERS, Source};
use crate::wait::{LOOK, SOON, eventually};

/// Names those that are to be tried, with commas between; then each must be there.
const ASKED: &str = "TIDINGS_PEERS";

/// How long a server may take to listen. RabbitMQ takes six seconds, and more where two cores do much else.
const STARTUP: Duration = Duration::from_secs(60);

/// Where a server sees its folder that runs in a Debian of its own.
const INSIDE: &str = "/tmp";

/// Enters a Debian (`$0`), with this folder (`$1`) as its `/tmp`, and becomes the server: the process that is signalled
/// is the server's own. What is mounted ends with it.
const ENTER: &str = "mount --rbind /dev \"$0/dev\"; mount --rbind /proc \"$0/proc\"; mount --bind \"$1\" \"$0/tmp\"; \
     root=$0; shift; cd /; exec setpriv --pdeathsig TERM -- chroot \"$root\" \"$@\"";

/// A server of somebody else's. It ends on drop.
#[derive(Debug)]
pub struct Peer {
    name: &'static str,
    source: Source,
    addr: SocketAddr,
    /// The words that start it.
    words: Vec<String>,
    variables: Vec<(&'static str, String)>,
    process: Option<Process>,
    starts: u32,
    folder: TempDir,
}

/// What an HTTP server answered.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body, as it came.
    pub body: String,
}

/// Whether the server of this name is on this machine, whose program is there in its folder.
pub fn is_here(name: &str, program: &str) -> bool {
    PEERS.iter().any(|(known, source, _)| *known == name && place(*source).join(program).exists())
}

impl Peer {
    /// Starts the server of this name (see [`PEERS`]) with what `made` makes of its address and its folder, and waits until
    /// it listens. `None`: it isn't here, or was not asked for.
    pub async fn start(
        name: &str,
        made: impl FnOnce(SocketAddr, &Folder<'_>) -> anyhow::Result<Vec<String>>,
    ) -> anyhow::Result<Option<Self>> {
        let (name, source, _) = *PEERS.iter().find(|(known, ..)| *known == name).context("no such server")?;
        let asked = env::var(ASKED).ok();
        if asked.as_ref().is_some_and(|asked| !asked.split(',').any(|asked| asked == name)) {
            return Ok(None);
        }
        if !place(source).exists() {
            ensure!(asked.is_none(), "there is no {}", place(source).display());
            // What is not here is told once for all tests, by `cargo xtask test`.
            return Ok(None);
        }
        let folder =
            tempfile::Builder::new().prefix("tidings-peer-").tempdir().context("no temporary folder")?;
        let addr = own_address()?;
        let seen = match source {
            Source::Debian(_) => Path::new(INSIDE),
            Source::Npm | Source::PyPi => folder.path(),
        };
        let words = made(addr, &Folder { path: folder.path(), seen })?;
        let (process, variables) = (None, Vec::new());
        let mut peer = Self { name, source, addr, words, variables, process, starts: 0, folder };
        if source == Source::Npm {
            let modules = place(source).join("node_modules").display().to_string();
            peer.variables.push(("NODE_PATH", modules));
        }
        peer.start_again().await?;
        Ok(Some(peer))
    }

    /// Starts it once more, at the same address and with what it left in its folder.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "{} runs already", self.name);
        self.starts += 1;
        let log = format!("{}-{}", self.name, self.starts);
        let mut process = Process::spawn(&log, &self.command(&self.words), self.folder.path())?;
        let deadline = Instant::now() + STARTUP;
        while TcpStream::connect(self.addr).await.is_err() {
            if process.ended()?.is_some() || Instant::now() > deadline {
                bail!("{} does not listen on {}\n{}", self.name, self.addr, process.log_tail());
            }
            sleep(LOOK).await;
        }
        self.process = Some(process);
        Ok(())
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Ends it as a service manager does.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.end(Signal::TERM).await
    }

    /// Ends it as a crash does.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.end(Signal::KILL).await
    }

    async fn end(&mut self, signal: Signal) -> anyhow::Result<()> {
        let mut process = self.process.take().context("the server does not run")?;
        process.signal(signal)?;
        eventually("the server's end", || process.ended().transpose()).await??;
        Ok(())
    }

    /// Runs another program of the same Debian, with these variables.
    pub async fn run(&self, words: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut command = self.command(&words);
        command.envs(variables.iter().copied());
        let output = timeout(SOON, tokio::process::Command::from(command).kill_on_drop(true).output()).await;
        let output = output.with_context(|| format!("{words:?} did not end"))??;
        ensure!(output.status.success(), "{words:?}: {output:?}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// One HTTP request; the header lines end in `\r\n` each.
    pub async fn http(&self, method: &str, path: &str, headers: &str, body: &str) -> anyhow::Result<Answer> {
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            self.addr,
            body.len()
        );
        let answer = timeout(SOON, async {
            let mut stream = TcpStream::connect(self.addr).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            anyhow::Ok(answer)
        });
        let answer = answer.await.with_context(|| format!("{method} {path}: no answer"))??;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").context("an answer without an end of its head")?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        Ok(Answer { status, body: body.to_owned() })
    }

    /// The same, which must go well.
    pub async fn push(&self, path: &str, headers: &str, body: &str) -> anyhow::Result<()> {
        let answer = self.http("POST", path, headers, body).await?;
        ensure!((200..300).contains(&answer.status), "{path}: {answer:?}");
        Ok(())
    }

    fn command(&self, words: &[String]) -> Command {
        let mut command = match self.source {
            Source::Debian(_) => {
                let mut command = Command::new("unshare");
                if !geteuid().is_root() {
                    command.args(["--user", "--map-root-user"]);
                }
                command.args(["--mount", "sh", "-ec", ENTER]).arg(place(self.source)).arg(self.folder.path());
                command.args(words);
                command
            }
            Source::Npm => program(Path::new("node"), words),
            Source::PyPi => program(&place(self.source).join("bin/python"), words),
        };
        let path = env::var("PATH").unwrap_or_default();
        // Root's programs are not on every user's path, and one of ours is not on a Debian's.
        command.env("PATH", format!("{path}:/usr/sbin:/usr/bin:/sbin:/bin"));
        command.env("HOME", INSIDE).env("LANG", "C.UTF-8");
        command.envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }
}

fn program(name: &Path, words: &[String]) -> Command {
    let mut command = Command::new(name);
    command.args(words);
    command
}

/// A server's folder, before it starts.
#[derive(Debug)]
pub struct Folder<'a> {
    path: &'a Path,
    seen: &'a Path,
}

impl Folder<'_> {
    /// Its path as the server sees it.
    pub fn path(&self) -> String {
        self.seen.display().to_string()
    }

    /// Writes a file; returns its path as the server sees it.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<String> {
        fs::write(self.path.join(name), text).with_context(|| format!("cannot write {name}"))?;
        Ok(self.seen.join(name).display().to_string())
    }
}

/// A program of ours under `tests/peers/servers`.
pub fn own_server(name: &str) -> String {
    project().join("tests/peers/servers").join(name).display().to_string()
}

/// The folder that `cargo xtask peers` filled.
fn place(source: Source) -> PathBuf {
    project().join(source.folder())
}

fn project() -> PathBuf {
    let ours = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&ours).join("..")
}

/// A loopback address of its own: while the server is down, nobody else's takes its port.
pub(crate) fn own_address() -> anyhow::Result<SocketAddr> {
    let [a, b, c, ..] = RandomState::new().hash_one("an address").to_be_bytes();
    let listener =
        TcpListener::bind((Ipv4Addr::new(127, a, b, c.clamp(1, 254)), 0)).context("no free port")?;
    listener.local_addr().context("a listener without an address")
}
