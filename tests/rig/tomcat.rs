//! A real Tomcat with a web app as the recipe's: pages behind a FORM login, and a user channel that hangs on the session.
//! Debian's Tomcat for embedding and its compiler, where they are installed. `tomcat/Stage.java` says what the app does.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::desktop::{Process, Signal};
use crate::skip::skipped;
use crate::wait::eventually;

const SOURCE: &str = include_str!("tomcat/Stage.java");
const JARS: [&str; 3] = [
    "/usr/share/java/tomcat10-embed-core.jar",
    "/usr/share/java/tomcat10-embed-el.jar",
    "/usr/share/java/tomcat10-embed-websocket.jar",
];
/// How long it may take to listen; it takes 1 s on two idle cores.
const STARTUP: Duration = Duration::from_secs(60);
/// A start matters more than speed, and several share a small machine.
const SPARING: [&str; 4] = ["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m"];

/// The password of `ann`, who has both roles, and of `bob`, who may see pages but not the channel.
pub const PASSWORD: &str = "secret";

/// The code that their second factor shows.
pub const CODE: &str = "123456";

/// A running Tomcat on loopback. It ends on drop.
#[derive(Debug)]
pub struct Tomcat {
    addr: SocketAddr,
    process: Option<Process>,
    classes: PathBuf,
    options: Vec<String>,
    folder: TempDir,
}

impl Tomcat {
    /// Starts one with these options (`Stage.java`, `option`, tells which); `None` where this machine has none.
    pub async fn start(options: &[(&str, &str)]) -> anyhow::Result<Option<Self>> {
        let Some(classes) = compiled()? else {
            skipped("no Tomcat to embed (Debian packages: libtomcat10-embed-java, default-jdk-headless)");
            return Ok(None);
        };
        let folder = tempfile::Builder::new().prefix("tidings-tomcat-").tempdir()?;
        let options = options.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut tomcat = Self { addr, process: None, classes, options, folder };
        tomcat.begin()?;
        Ok(Some(tomcat))
    }

    fn begin(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new("java");
        command.args(SPARING).arg("-cp").arg(format!("{}:{}", JARS.join(":"), self.classes.display()));
        command.arg("Stage").arg(format!("base={}", self.folder.path().display()));
        command.arg(format!("port={}", self.addr.port())).args(&self.options);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let (process, line) = Process::spawn_announcing("tomcat", &command, self.folder.path(), STARTUP)?;
        let port = line.strip_prefix("ready ").with_context(|| format!("{line:?} from Tomcat"))?;
        self.addr.set_port(port.parse()?);
        self.process = Some(process);
        Ok(())
    }

    /// Stops it as a system does, by SIGTERM, and waits for its end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.signal(Signal::TERM)?;
        eventually("Tomcat's end", || process.ended().ok().flatten()).await.map(drop)
    }

    /// Starts it again, on the same port.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.begin()
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Sends a text to the user's links; to how many.
    pub async fn push(&self, user: &str, text: &str) -> anyhow::Result<usize> {
        Ok(self.control(&format!("push?user={user}"), text).await?.parse()?)
    }

    /// Closes the user's links with this code.
    pub async fn close(&self, user: &str, code: u16) -> anyhow::Result<()> {
        self.control(&format!("close?user={user}&code={code}"), "").await.map(drop)
    }

    /// How many sessions live, and how many were ever made.
    pub async fn sessions(&self) -> anyhow::Result<(usize, usize)> {
        let text = self.control("sessions", "").await?;
        let (live, made) = text.split_once(' ').context("two numbers")?;
        Ok((live.parse()?, made.parse()?))
    }

    /// The ids of the sessions that live.
    pub async fn ids(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.control("ids", "").await?.lines().map(str::to_owned).collect())
    }

    /// Ends every session at once, as their timeout would.
    pub async fn end_sessions(&self) -> anyhow::Result<()> {
        self.control("end", "").await.map(drop)
    }

    /// What happened on the channel so far: `open USER`, `text USER WORDS`, `close USER CODE`.
    pub async fn events(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.control("events", "").await?.lines().map(str::to_owned).collect())
    }

    /// Sets an option of the running app.
    pub async fn set(&self, key: &str, value: &str) -> anyhow::Result<()> {
        self.control(&format!("option?{key}={value}"), "").await.map(drop)
    }

    async fn control(&self, path: &str, body: &str) -> anyhow::Result<String> {
        let answer =
            ask(self.addr, &format!("POST /control/{path}"), "Content-Type: text/plain\r\n", body).await?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "/control/{path}: {answer}");
        let (_, text) = answer.split_once("\r\n\r\n").context("no body")?;
        Ok(text.to_owned())
    }
}

/// One request on a connection of its own; the whole answer. What is asked is `GET /path`, each header has its line end.
pub async fn ask(at: SocketAddr, what: &str, headers: &str, body: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    let length = body.len();
    let request = format!(
        "{what} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Signs this user in at the app, or at what stands before it, as a browser does; all cookies, as a `Cookie` header's value.
pub async fn sign_in(at: SocketAddr, user: &str) -> anyhow::Result<String> {
    let mut jar = BTreeMap::new();
    let page = ask(at, "GET /app/page", "", "").await?;
    ensure!(page.contains("j_security_check"), "no login page: {page}");
    take(&mut jar, &page);
    let headers = format!("Cookie: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n", header(&jar));
    let form = format!("j_username={user}&j_password={PASSWORD}");
    let answer = ask(at, "POST /app/j_security_check", &headers, &form).await?;
    ensure!(answer.starts_with("HTTP/1.1 303"), "not signed in: {answer}");
    take(&mut jar, &answer);
    Ok(header(&jar))
}

/// A link of the channel, as the app's own page keeps one in a browser with these cookies.
pub async fn link(at: SocketAddr, cookies: &str) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let mut request = format!("ws://{at}/ws/user-channel").into_client_request()?;
    request.headers_mut().insert("Cookie", cookies.parse()?);
    let (link, _) = client_async(request, TcpStream::connect(at).await?).await?;
    Ok(link)
}

fn take(jar: &mut BTreeMap<String, String>, answer: &str) {
    let cookies = answer.lines().filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("set-cookie").then(|| value.split(';').next()?.split_once('='))?
    });
    jar.extend(cookies.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

fn header(jar: &BTreeMap<String, String>) -> String {
    jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

/// The folder of the app's classes, compiled once for all tests; `None` where it can't be.
fn compiled() -> anyhow::Result<Option<PathBuf>> {
    if !JARS.iter().all(|jar| Path::new(jar).is_file()) {
        return Ok(None);
    }
    let us = std::env::current_exe()?;
    let classes = us.parent().context("a program outside of a folder")?.join("tomcat-classes");
    fs::create_dir_all(&classes)?;
    let (source, done) = (classes.join("Stage.java"), classes.join("done"));
    let lock = File::create(classes.join("lock"))?;
    lock.lock()?;
    if fs::read_to_string(&done).is_ok_and(|done| done == SOURCE) {
        return Ok(Some(classes));
    }
    fs::write(&source, SOURCE)?;
    let mut javac = Command::new("javac");
    javac.args(["-nowarn", "-cp", &JARS.join(":"), "-d"]).arg(&classes).arg(&source);
    match javac.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("javac"),
        Ok(told) if told.status.success() => {
            fs::write(&done, SOURCE)?;
            Ok(Some(classes))
        }
        Ok(told) => bail!("javac: {}", String::from_utf8_lossy(&told.stderr)),
    }
}

/// A real HAProxy before several nodes, to which each browser sticks by a cookie of HAProxy's own. It ends on drop.
#[derive(Debug)]
pub struct Haproxy {
    addr: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl Haproxy {
    /// Starts one before these nodes, which are called `a`, `b` and so on; `None` where this machine has none.
    pub async fn start(nodes: &[SocketAddr]) -> anyhow::Result<Option<Self>> {
        const PROGRAM: &str = "/usr/sbin/haproxy";
        if !Path::new(PROGRAM).is_file() {
            skipped("no HAProxy (Debian package: haproxy)");
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("tidings-haproxy-").tempdir()?;
        let addr = crate::nginx::free_address()?;
        let mut text = format!(
            "defaults\n mode http\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n timeout tunnel 1h\n\
             frontend site\n bind {addr}\n default_backend nodes\n\
             backend nodes\n balance roundrobin\n cookie SRV insert indirect nocache\n"
        );
        for (name, node) in ('a'..='z').zip(nodes) {
            text.push_str(&format!(" server {name} {node} cookie {name}\n"));
        }
        let config = folder.path().join("haproxy.cfg");
        fs::write(&config, text)?;
        let mut command = Command::new(PROGRAM);
        command.arg("-db").arg("-f").arg(&config);
        let mut process = Process::spawn("haproxy", &command, folder.path())?;
        let listens = || {
            let ended = process.ended().ok().flatten().is_some();
            (ended || std::net::TcpStream::connect(addr).is_ok()).then_some(ended)
        };
        let ended = eventually("HAProxy listens", listens).await?;
        ensure!(!ended, "HAProxy ended: {}", process.log_tail());
        Ok(Some(Self { addr, _process: process, _folder: folder }))
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nginx::Nginx;

    const UPGRADE: &str =
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    async fn upgrade(at: SocketAddr, cookies: &str) -> String {
        let mut stream = TcpStream::connect(at).await.expect("it listens");
        let request = format!(
            "GET /ws/user-channel HTTP/1.1\r\nHost: {at}\r\nConnection: Upgrade\r\n{UPGRADE}Cookie: {cookies}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.expect("an answer");
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn a_channel_behind_a_login_lets_in_whom_the_session_names() {
        let Some(tomcat) = Tomcat::start(&[]).await.expect("a Tomcat") else { return };
        let nginx = Nginx::start(tomcat.addr(), Duration::from_secs(60)).await.expect("nginx");
        let refused = upgrade(nginx.addr(), "JSESSIONID=none").await;
        assert!(refused.starts_with("HTTP/1.1 200") && refused.contains("j_security_check"), "{refused}");
        let cookies = sign_in(nginx.addr(), "ann").await.expect("signed in");
        assert!(upgrade(nginx.addr(), &cookies).await.starts_with("HTTP/1.1 101"));
        let cookies = sign_in(nginx.addr(), "bob").await.expect("signed in");
        assert!(upgrade(nginx.addr(), &cookies).await.starts_with("HTTP/1.1 403"), "his role is missing");
        tomcat.set("rotate", "1").await.expect("an option");
        let cookies = sign_in(nginx.addr(), "ann").await.expect("signed in");
        let rotated = upgrade(nginx.addr(), &cookies).await;
        assert!(
            rotated.starts_with("HTTP/1.1 101") && rotated.contains("Set-Cookie: JSESSIONID="),
            "{rotated}"
        );
        assert!(upgrade(nginx.addr(), &cookies).await.starts_with("HTTP/1.1 200"), "the old id is dead");
        let (_, made) = tomcat.sessions().await.expect("a count");
        assert_eq!(made, 5, "each refused dial leaves one");
        tomcat.end_sessions().await.expect("ended");
        assert_eq!(tomcat.sessions().await.expect("a count").0, 0);
    }

    #[tokio::test]
    async fn sessions_stick_by_all_cookies_and_outlive_a_restart_where_they_are_kept() {
        let kept = [("keep", "SESSIONS.ser"), ("node", "a")];
        let Some(mut first) = Tomcat::start(&kept).await.expect("a Tomcat") else { return };
        let Some(second) = Tomcat::start(&[("node", "b")]).await.expect("a Tomcat") else { return };
        let Some(haproxy) = Haproxy::start(&[first.addr(), second.addr()]).await.expect("HAProxy") else {
            return;
        };
        let cookies = sign_in(haproxy.addr(), "ann").await.expect("signed in");
        for _ in 0..3 {
            assert!(upgrade(haproxy.addr(), &cookies).await.starts_with("HTTP/1.1 101"));
        }
        let cookies = sign_in(first.addr(), "ann").await.expect("signed in");
        first.stop().await.expect("stopped");
        first.start_again().expect("started");
        assert!(upgrade(first.addr(), &cookies).await.starts_with("HTTP/1.1 101"));
    }
}
