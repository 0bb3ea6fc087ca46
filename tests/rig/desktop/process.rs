//! A child process that never outlives its owner, for everything the rig starts: the desktop's programs, the
//! bus, and whatever a test runs beside them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// How long a child may take to end after SIGTERM. Too low: Xvfb leaves its lock file behind; too high: a hung
/// child holds up the end of every test.
const TERM_GRACE: Duration = Duration::from_secs(2);

/// How much of a child's log goes into an error.
const LOG_TAIL_LINES: usize = 12;

/// A running child in a process group of its own. Dropping it ends the whole group: SIGTERM, then SIGKILL. The
/// child also dies with the *thread* that started it, which covers a test runner that is killed: so start it
/// from a thread that lives as long as the child should (a test's own thread or the runtime's workers, not
/// `spawn_blocking`).
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts `command`, called `name` in errors, with stdout and stderr going to `{folder}/{name}.log`.
    pub fn spawn(name: &str, command: &Command, folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let out = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let err = out.try_clone().context("cannot share the log file of a child")?;
        Self::start(name, command, out.into(), err.into(), log)
    }

    /// As [`Process::spawn`], but waits for the first line on stdout and returns it. Only that line is read, so
    /// this is for programs that print where they listen and then no more. Stderr goes to the log file.
    pub fn spawn_announcing(
        name: &str,
        command: &Command,
        folder: &Path,
        deadline: Duration,
    ) -> anyhow::Result<(Self, String)> {
        let log = folder.join(format!("{name}.log"));
        let err = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut process = Self::start(name, command, Stdio::piped(), err.into(), log)?;
        let stdout = process.child.stdout.take().context("a child without the pipe that was asked for")?;
        match first_line(stdout, deadline) {
            Some(line) => Ok((process, line)),
            None => bail!("{} said nothing within {deadline:?}\n{}", process.name, process.log_tail()),
        }
    }

    fn start(name: &str, command: &Command, out: Stdio, err: Stdio, log: PathBuf) -> anyhow::Result<Self> {
        let child = dying_with_us(command)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name} ({})", command.get_program().display()))?;
        Ok(Self { name: name.to_owned(), log, child })
    }

    /// What errors call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id, which is also its group's.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, or `None` while it runs.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot look at {}", self.name))
    }

    /// Sends a signal to the process and all of its group.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let group = self.group().context("a process id out of range")?;
        kill_process_group(group, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// The last lines that it wrote.
    pub fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }

    fn group(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(group) = self.group() else { return };
        // A failed signal means that the group is gone already, which is what we want.
        let _ = kill_process_group(group, Signal::TERM);
        let patience = Instant::now() + TERM_GRACE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < patience {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// The same command, run under `setpriv`, which asks the kernel to end it with its parent: our `Drop` does not
/// run when we are killed. (The direct way, `pre_exec`, needs unsafe code.)
fn dying_with_us(command: &Command) -> Command {
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--pdeathsig", "TERM", "--"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    // `Command` does not tell whether it was cleared, so children start from nothing but what was set.
    wrapped.env_clear();
    for (key, value) in command.get_envs() {
        if let Some(value) = value {
            wrapped.env(key, value);
        }
    }
    wrapped
}

fn first_line(stdout: ChildStdout, deadline: Duration) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        if BufReader::new(stdout).read_line(&mut line).is_ok_and(|read| read > 0) {
            // The receiver may have given up.
            let _ = sender.send(line.trim().to_owned());
        }
    });
    receiver.recv_timeout(deadline).ok()
}
