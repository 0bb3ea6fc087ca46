//! A real nginx in front of a user-channel server, set up as the recipe has it: the upgrade's headers handed
//! on, and links cut that are silent for longer than its timeouts.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::desktop::Process;

/// Debian's place for it, which is not on every user's path.
const PROGRAM: &str = "/usr/sbin/nginx";

/// How long it may take to listen; it takes some ms.
const STARTUP: Duration = Duration::from_secs(10);

/// How often it is tried whether it listens.
const LOOK: Duration = Duration::from_millis(10);

/// How often another port is taken because somebody was faster.
const TRIES: usize = 5;

/// A running nginx on loopback with a folder of its own. It ends on drop.
#[derive(Debug)]
pub struct Nginx {
    addr: SocketAddr,
    process: Process,
    folder: TempDir,
}

impl Nginx {
    /// Starts one that hands everything on to `upstream`, and waits until it listens. `timeout`, in whole seconds,
    /// is both `proxy_read_timeout` and `proxy_send_timeout`.
    pub async fn start(upstream: SocketAddr, timeout: Duration) -> anyhow::Result<Self> {
        Self::with(upstream, timeout, |text| text).await
    }

    /// The same with nobody having told it of WebSockets: it drops what asks for an upgrade, as any proxy does by default.
    pub async fn without_upgrades(upstream: SocketAddr, timeout: Duration) -> anyhow::Result<Self> {
        Self::with(upstream, timeout, |text| {
            let asks =
                |line: &&str| !line.contains("proxy_set_header Upgrade") && !line.contains("\"upgrade\"");
            text.lines().filter(asks).collect::<Vec<_>>().join("\n")
        })
        .await
    }

    /// The same with these locations before the others; `@upstream@` in them is the upstream's address.
    pub async fn with_locations(
        upstream: SocketAddr,
        timeout: Duration,
        locations: &str,
    ) -> anyhow::Result<Self> {
        Self::with(upstream, timeout, |text| {
            text.replacen("location / {", &format!("{locations}\n        location / {{"), 1)
        })
        .await
    }

    /// One that talks TLS alone, by what [`certify`](crate::authority::certify) has made in this folder. It asks who comes for a
    /// certificate of that authority; `strict`: and lets in nobody without one.
    pub async fn encrypted(
        upstream: SocketAddr,
        timeout: Duration,
        folder: &Path,
        strict: bool,
    ) -> anyhow::Result<Self> {
        let (place, wants) = (folder.display(), if strict { "on" } else { "optional" });
        let listens = format!(
            "listen @listen@ ssl;
        ssl_certificate {place}/cert.pem;
        ssl_certificate_key {place}/key.pem;
        ssl_verify_client {wants};
        ssl_client_certificate {place}/ca.pem;"
        );
        Self::with(upstream, timeout, |text| text.replacen("listen @listen@;", &listens, 1)).await
    }

    async fn with(
        upstream: SocketAddr,
        timeout: Duration,
        change: impl Fn(String) -> String,
    ) -> anyhow::Result<Self> {
        ensure!(timeout.subsec_nanos() == 0, "nginx counts in seconds");
        ensure!(Path::new(PROGRAM).is_file(), "there is no {PROGRAM} (Debian package: nginx)");
        let mut last = None;
        for _ in 0..TRIES {
            match Self::try_start(upstream, timeout, &change).await {
                Ok(nginx) => return Ok(nginx),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("not tried at all")?).context("nginx did not start")
    }

    async fn try_start(
        upstream: SocketAddr,
        timeout: Duration,
        change: impl Fn(String) -> String,
    ) -> anyhow::Result<Self> {
        let addr = free_address()?;
        let folder =
            tempfile::Builder::new().prefix("tidings-nginx-").tempdir().context("no temporary folder")?;
        let config = folder.path().join("nginx.conf");
        let text = change(include_str!("nginx.conf").to_owned())
            .replace("@listen@", &addr.to_string())
            .replace("@upstream@", &upstream.to_string())
            .replace("@seconds@", &timeout.as_secs().to_string());
        fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;

        let mut command = Command::new(PROGRAM);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&config).args(["-e", "stderr"]);
        let process = Process::spawn("nginx", &command, folder.path())?;
        let mut nginx = Self { addr, process, folder };
        let deadline = Instant::now() + STARTUP;
        while TcpStream::connect(addr).await.is_err() {
            if nginx.process.ended()?.is_some() || Instant::now() > deadline {
                bail!("nginx does not listen on {addr}\n{}", nginx.process.log_tail());
            }
            sleep(LOOK).await;
        }
        Ok(nginx)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of a user's channel behind it.
    pub fn url(&self, user: &str) -> String {
        format!("ws://{}/ws/user-channel?user={user}", self.addr)
    }

    /// The statuses that it has answered with so far, in order; a link's comes once the link has ended.
    pub fn answers(&self) -> anyhow::Result<Vec<u16>> {
        let log = fs::read_to_string(self.folder.path().join("access.log")).context("no access log")?;
        log.lines().map(|line| line.parse().with_context(|| format!("{line:?} in the access log"))).collect()
    }
}

/// An address on loopback that was free just now, so nobody listens there.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
    listener.local_addr().context("a listener without an address")
}
