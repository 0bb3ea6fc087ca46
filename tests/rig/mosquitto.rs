//! A real MQTT broker: Debian's mosquitto, on loopback with a folder of its own.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream as Blocking};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::authority::certify;
use crate::desktop::{Process, Signal};
use crate::nginx::free_address;

/// Debian's place for it, which is not on every user's path.
const PROGRAM: &str = "/usr/sbin/mosquitto";

/// How long it may take to listen; it takes some ms.
const STARTUP: Duration = Duration::from_secs(10);

/// How often it is tried whether it listens.
const LOOK: Duration = Duration::from_millis(10);

/// A user who may do all that the list of this broker says.
pub const USER: (&str, &str) = ("ann", "a secret of hers");

/// A running mosquitto. It ends on drop.
#[derive(Debug)]
pub struct Mosquitto {
    plain: SocketAddr,
    websocket: SocketAddr,
    encrypted: SocketAddr,
    process: Option<Process>,
    folder: TempDir,
}

/// Has `mosquitto_pub` publish a message for each line at a broker, with these options of it.
pub fn publish(
    broker: SocketAddr,
    (name, password): (&str, &str),
    topic: &str,
    lines: &str,
    options: &[&str],
) -> anyhow::Result<()> {
    let mut command = Command::new("mosquitto_pub");
    command
        .args(["-h", &broker.ip().to_string(), "-p", &broker.port().to_string()])
        .args(["-u", name, "-P", password, "-l", "-t", topic])
        .args(options)
        .stdin(Stdio::piped());
    let mut child = command.spawn().context("no mosquitto_pub (Debian package: mosquitto-clients)")?;
    let mut input = child.stdin.take().context("no input")?;
    input.write_all(format!("{lines}\n").as_bytes()).context("mosquitto_pub takes nothing")?;
    drop(input);
    ensure!(child.wait()?.success(), "mosquitto_pub did not publish");
    Ok(())
}

/// A client that stays connected and publishes. No program stands between who calls it and the broker, as for timings none may.
#[derive(Debug)]
pub struct Publisher {
    broker: Blocking,
    topic: String,
    /// The number of the last message: 1 and up, as the broker acknowledges each.
    last: u16,
}

impl Publisher {
    /// MQTT 3.1.1: CONNECT with a clean session and no keep-alive, CONNACK.
    fn start(broker: SocketAddr, topic: &str) -> anyhow::Result<Self> {
        let mut broker = Blocking::connect(broker)?;
        broker.set_nodelay(true)?;
        broker.write_all(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01p")?;
        let mut answer = [0; 4];
        broker.read_exact(&mut answer)?;
        ensure!(answer[3] == 0, "the broker takes nobody: {answer:?}");
        Ok(Self { broker, topic: topic.to_owned(), last: 0 })
    }

    /// Publishes a short message with QoS 1.
    pub fn say(&mut self, text: &str) -> anyhow::Result<()> {
        self.last = self.last.checked_add(1).context("too many messages")?;
        let topic = u16::try_from(self.topic.len())?.to_be_bytes();
        let rest = [&topic[..], self.topic.as_bytes(), &self.last.to_be_bytes(), text.as_bytes()].concat();
        let length =
            u8::try_from(rest.len()).ok().filter(|length| *length < 0x80).context("too long a message")?;
        self.broker.write_all(&[&[0x32, length], &rest[..]].concat()).context("the broker takes nothing")
    }
}

impl Mosquitto {
    /// One that takes anybody.
    pub async fn start() -> anyhow::Result<Self> {
        Self::with("allow_anonymous true\n").await
    }

    /// One that remembers its sessions over a restart.
    pub async fn that_remembers() -> anyhow::Result<Self> {
        Self::with("allow_anonymous true\npersistence true\npersistence_location @folder@/\n").await
    }

    /// One that knows [`USER`] alone, and lets them read `news/#` and nothing else.
    pub async fn that_asks_who() -> anyhow::Result<Self> {
        Self::with("password_file @folder@/passwords\nacl_file @folder@/acl\n").await
    }

    /// One that takes anybody over TLS, by a certificate of an authority of its own.
    pub async fn encrypted() -> anyhow::Result<Self> {
        Self::with("allow_anonymous true\nlistener @encrypted@ 127.0.0.1\ncertfile @folder@/cert.pem\nkeyfile @folder@/key.pem\n").await
    }

    /// The address of [`encrypted`](Self::encrypted), and the file with its authority.
    pub fn encrypted_url(&self) -> (String, PathBuf) {
        (format!("mqtts://localhost:{}", self.encrypted.port()), self.folder.path().join("ca.pem"))
    }

    async fn with(more: &str) -> anyhow::Result<Self> {
        ensure!(Path::new(PROGRAM).is_file(), "there is no {PROGRAM} (Debian package: mosquitto)");
        let folder =
            tempfile::Builder::new().prefix("tidings-mosquitto-").tempdir().context("no temporary folder")?;
        let place = folder.path().display().to_string();
        let (name, password) = USER;
        fs::write(folder.path().join("acl"), format!("user {name}\ntopic readwrite news/#\n"))?;
        let made = Command::new("mosquitto_passwd")
            .args(["-c", "-b"])
            .arg(folder.path().join("passwords"))
            .args([name, password])
            .stderr(Stdio::null())
            .status();
        ensure!(made.context("no mosquitto_passwd")?.success(), "no file of passwords");
        let (plain, websocket, encrypted) = (free_address()?, free_address()?, free_address()?);
        certify(folder.path())?;
        let mut text = String::new();
        for (addr, protocol) in [(plain, "mqtt"), (websocket, "websockets")] {
            writeln!(text, "listener {} {}\nprotocol {protocol}", addr.port(), addr.ip())?;
        }
        // The rest of what a broker for tests needs: it runs as whoever starts it, and keeps a night's messages.
        if rustix::process::geteuid().is_root() {
            writeln!(text, "user root")?;
        }
        writeln!(text, "max_queued_messages 10000\nlog_type all\nlog_dest file {place}/log")?;
        text.push_str(
            &more.replace("@folder@", &place).replace("@encrypted@", &encrypted.port().to_string()),
        );
        fs::write(folder.path().join("mosquitto.conf"), text)?;
        let mut broker = Self { plain, websocket, encrypted, process: None, folder };
        broker.again().await?;
        Ok(broker)
    }

    /// Starts it (again).
    pub async fn again(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(PROGRAM);
        command.arg("-c").arg(self.folder.path().join("mosquitto.conf"));
        let process = self.process.insert(Process::spawn("mosquitto", &command, self.folder.path())?);
        let deadline = Instant::now() + STARTUP;
        while TcpStream::connect(self.plain).await.is_err() {
            if process.ended()?.is_some() || Instant::now() > deadline {
                bail!("mosquitto does not listen on {}\n{}", self.plain, process.log_tail());
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Ends it, as a system does.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::TERM)?;
            while process.ended()?.is_none() {
                sleep(LOOK).await;
            }
        }
        Ok(())
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("mqtt://{}", self.plain)
    }

    /// The address of its WebSocket.
    pub fn websocket_url(&self) -> String {
        format!("ws://{}/", self.websocket)
    }

    /// Publishes one message.
    pub fn publish(&self, topic: &str, payload: &str) -> anyhow::Result<()> {
        self.send(topic, payload, &["-q", "1"])
    }

    /// Publishes what the broker is to keep of the topic.
    pub fn retain(&self, topic: &str, payload: &str) -> anyhow::Result<()> {
        self.send(topic, payload, &["-q", "1", "-r"])
    }

    /// Publishes with these options of `mosquitto_pub`: one message for each line.
    pub fn send(&self, topic: &str, lines: &str, options: &[&str]) -> anyhow::Result<()> {
        publish(self.plain, USER, topic, lines, options)
    }

    /// What stays connected and publishes to this topic.
    pub fn publisher(&self, topic: &str) -> anyhow::Result<Publisher> {
        Publisher::start(self.plain, topic)
    }

    /// How often a client has subscribed.
    pub fn subscribed(&self) -> anyhow::Result<usize> {
        let log = fs::read_to_string(self.folder.path().join("log")).context("no log")?;
        Ok(log.lines().filter(|line| line.contains("Sending SUBACK")).count())
    }
}
