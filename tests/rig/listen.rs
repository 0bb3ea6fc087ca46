//! `tidings listen --json` and the other commands as a script runs them: the real binary, a home folder of
//! its own, lines of JSON with deadlines.
//!
//! The environment holds `HOME` and nothing else, so no test depends on a bus, a display or a path.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anyhow::{Context, bail};
use rustix::process::{Pid, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::binary;
use crate::desktop::Signal;
use crate::wait::SOON;

/// A home folder with a settings file. Gone on drop.
#[derive(Debug)]
pub struct Home(TempDir);

impl Home {
    /// One whose settings file holds `settings`; an empty text makes no file.
    pub fn new(settings: &str) -> anyhow::Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("tidings-home-").tempdir().context("no temporary folder")?;
        let home = Self(folder);
        if !settings.is_empty() {
            home.write(".config/tidings/config.toml", settings)?;
        }
        Ok(home)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, its folder included.
    pub fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path().join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Starts `tidings` with these arguments.
    pub fn start(&self, arguments: &[&str]) -> anyhow::Result<Program> {
        self.start_with(arguments, &[])
    }

    /// The same with more in its environment.
    pub fn start_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Program> {
        Program::start(self.path(), arguments, environment)
    }
}

/// A running `tidings`. It is killed on drop.
#[derive(Debug)]
pub struct Program {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    log: PathBuf,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code, or the negative number of the signal that killed it.
    pub code: i32,
    /// What it printed and was not read before.
    pub rest: String,
    /// All that it wrote to stderr.
    pub log: String,
}

impl Program {
    /// Starts `tidings` in this home folder, where its stderr goes to a file too.
    pub fn start(home: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let log = home.join(format!("stderr-{}.log", STARTED.fetch_add(1, Relaxed)));
        let stderr = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        // Our `Drop` does not run when we are killed; `setpriv` becomes the program, so the id is its own.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(binary::tidings()?).args(arguments);
        command.env_clear().env("HOME", home).envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start tidings")?;
        let stdout = child.stdout.take().context("a child without the pipe that was asked for")?;
        Ok(Self { child, stdout: Some(BufReader::new(stdout)), log })
    }

    /// The next line on stdout without its line end; fails where there is none soon.
    pub async fn line(&mut self) -> anyhow::Result<String> {
        let stdout = self.stdout.as_mut().context("stdout was closed")?;
        let mut line = String::new();
        match timeout(SOON, stdout.read_line(&mut line)).await {
            Ok(Ok(read)) if read > 0 => {}
            Ok(Ok(_)) => bail!("it ended\n{}", self.log()),
            Ok(Err(error)) => bail!("unreadable: {error}\n{}", self.log()),
            Err(_) => bail!("no line within {SOON:?}\n{}", self.log()),
        }
        line.strip_suffix('\n').map(str::to_owned).with_context(|| format!("half a line: {line:?}"))
    }

    /// The next line as JSON.
    pub async fn json(&mut self) -> anyhow::Result<Value> {
        let line = self.line().await?;
        serde_json::from_str(&line).with_context(|| format!("not JSON: {line:?}"))
    }

    /// The next line that tells of a message.
    pub async fn message(&mut self) -> anyhow::Result<Value> {
        loop {
            let line = self.json().await?;
            if line["type"] == "message" {
                return Ok(line);
            }
        }
    }

    /// The next line that tells of this state; what comes before is skipped.
    pub async fn state(&mut self, name: &str) -> anyhow::Result<Value> {
        loop {
            let line = self.json().await?;
            if line["type"] == "state" && line["state"] == name {
                return Ok(line);
            }
        }
    }

    /// Closes our end of its stdout, as `head` does once it has seen enough.
    pub fn close_stdout(&mut self) {
        self.stdout = None;
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(id.context("it has ended already")?, signal).context("cannot signal tidings")
    }

    /// What it wrote to stderr so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits for its end, reading the rest of what it prints.
    pub async fn ended(mut self) -> anyhow::Result<Ended> {
        let mut rest = String::new();
        let ending = async {
            if let Some(stdout) = &mut self.stdout {
                stdout.read_to_string(&mut rest).await?;
            }
            self.child.wait().await
        };
        let Ok(status) = timeout(SOON, ending).await else {
            bail!("it did not end within {SOON:?}\n{}", self.log());
        };
        let code = code(status.context("cannot wait for tidings")?);
        Ok(Ended { code, rest, log: self.log() })
    }

    /// Waits for its end without reading what it prints, and returns its exit code.
    pub async fn exit_code(mut self) -> anyhow::Result<i32> {
        match timeout(SOON, self.child.wait()).await {
            Ok(status) => Ok(code(status.context("cannot wait for tidings")?)),
            Err(_) => bail!("it did not end within {SOON:?}\n{}", self.log()),
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().unwrap_or_default())
}
