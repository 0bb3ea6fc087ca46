//! A real proxy for HTTP: Debian's tinyproxy, on loopback with a folder of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::desktop::Process;
use crate::nginx::free_address;
use crate::skip::skipped;
use crate::wait::eventually;

const PROGRAM: &str = "/usr/bin/tinyproxy";

/// A running one. It ends on drop.
#[derive(Debug)]
pub struct Tinyproxy {
    addr: SocketAddr,
    _process: Process,
    folder: TempDir,
}

impl Tinyproxy {
    /// Starts one; `None` where this machine has none.
    pub async fn start() -> anyhow::Result<Option<Self>> {
        if !Path::new(PROGRAM).is_file() {
            skipped("no tinyproxy (Debian package: tinyproxy-bin)");
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("tidings-tinyproxy-").tempdir()?;
        let addr = free_address()?;
        let (config, log) = (folder.path().join("tinyproxy.conf"), folder.path().join("log"));
        let (ip, port) = (addr.ip(), addr.port());
        fs::write(
            &config,
            format!("Listen {ip}\nPort {port}\nLogFile \"{}\"\nLogLevel Info\n", log.display()),
        )?;
        let mut command = Command::new(PROGRAM);
        command.arg("-d").arg("-c").arg(&config);
        let mut process = Process::spawn("tinyproxy", &command, folder.path())?;
        let listens = || {
            let ended = process.ended().ok().flatten().is_some();
            (ended || std::net::TcpStream::connect(addr).is_ok()).then_some(ended)
        };
        let ended = eventually("tinyproxy listens", listens).await?;
        ensure!(!ended, "tinyproxy ended: {}", process.log_tail());
        Ok(Some(Self { addr, _process: process, folder }))
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What it was asked for so far: `GET http://… HTTP/1.1`, `CONNECT host:port HTTP/1.1`.
    pub fn asked(&self) -> anyhow::Result<Vec<String>> {
        let log = fs::read_to_string(self.folder.path().join("log")).context("no log")?;
        let request =
            |line: &str| Some(line.split_once("Request (file descriptor ")?.1.split_once(": ")?.1.to_owned());
        Ok(log.lines().filter_map(request).collect())
    }
}
