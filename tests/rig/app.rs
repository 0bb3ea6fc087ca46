//! The real agent, as a user has it: the binary `tidings` with folders, settings and a `PATH` of its own, and as
//! much of a desktop as the test gives it. Told what to do by signals, by its own command line and by its
//! settings file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, bail, ensure};
use jiff::tz::TimeZone;
use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;
use tidings_api::client::{Client, ClientError};
use tidings_api::{Reply, Request, StatusReport};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, timeout};

use crate::binary;
use crate::desktop::{PrivateBus, Process, Signal};
use crate::network::Network;
use crate::wait::{LOOK, SOON, eventually};

/// What the agent takes for the user's time zone: nine hours east of UTC, so that local times show.
const ZONE: &str = "JST-9";
const ZONE_HOURS: i8 = 9;

/// Between two looks at an agent that starts: it takes some 20 ms, and the benchmark times it.
const GLANCE: std::time::Duration = std::time::Duration::from_millis(1);

/// How the agent is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// `tidings`, by the user.
    ByHand,
    /// `tidings --background`, as at login.
    Background,
}

/// What an [`App`] is started with.
#[derive(Debug)]
pub struct Builder {
    settings: Option<String>,
    bus: Option<String>,
    start: Start,
    locale: &'static str,
    log: &'static str,
    launcher: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

/// An agent with all that it leaves behind. Its log is printed in the end, for a runner that shows the output of
/// a test that failed.
#[derive(Debug)]
pub struct App {
    folder: TempDir,
    bus: Option<String>,
    locale: &'static str,
    log: &'static str,
    process: Option<Process>,
    starts: u32,
    /// The program, with its arguments, that starts the agent.
    launcher: Vec<String>,
    more: Vec<(&'static str, String)>,
}

/// What a command printed, and its exit code.
#[derive(Debug)]
pub struct Output {
    /// `None`: ended by a signal.
    pub code: Option<i32>,
    /// Answers.
    pub stdout: String,
    /// Words to the person.
    pub stderr: String,
}

/// A message in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The channel's id.
    pub channel: String,
    /// Its title.
    pub title: String,
    /// Its body.
    pub body: String,
    /// `pending`, `shown`, `summarised` or `silent`.
    pub state: &'static str,
    /// Whether nobody has looked at it.
    pub unread: bool,
}

impl Builder {
    /// On this session bus; without, the agent has none.
    #[must_use]
    pub fn bus(mut self, bus: &PrivateBus) -> Self {
        self.bus = Some(bus.address().to_owned());
        self
    }

    /// Started as at login.
    #[must_use]
    pub fn background(mut self) -> Self {
        self.start = Start::Background;
        self
    }

    /// In this locale (`LANG`), the agent as well as its command line.
    #[must_use]
    pub fn locale(mut self, locale: &'static str) -> Self {
        self.locale = locale;
        self
    }

    /// Logging as much as it does for a user, who asked for nothing.
    #[must_use]
    pub fn calm(mut self) -> Self {
        self.log = "info";
        self
    }

    /// Logging all there is.
    #[must_use]
    pub fn tracing(mut self) -> Self {
        self.log = "trace";
        self
    }

    /// With a stderr that takes nothing: that of a terminal that was closed, or of a log on a disk that is full.
    #[must_use]
    pub fn unheard(mut self) -> Self {
        self.launcher = ["sh", "-c", "exec \"$@\" 2>/dev/full", "sh"].map(str::to_owned).to_vec();
        self
    }

    /// With one more variable in the agent's environment, and in its command line's.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// At the desk of this network; without, it shares the test's.
    #[must_use]
    pub fn at(mut self, network: &Network) -> Self {
        self.launcher = network.launcher();
        self
    }

    /// Starts the agent and waits until it answers.
    pub async fn start(self) -> anyhow::Result<App> {
        let Self { settings, bus, start, locale, log, launcher, variables: more } = self;
        let mut app = App { folder: folder()?, bus, locale, log, more, process: None, starts: 0, launcher };
        if let Some(settings) = settings {
            app.write_settings(settings)?;
        }
        app.start(start).await?;
        Ok(app)
    }
}

impl App {
    /// An agent with these settings.
    pub fn with_settings(settings: impl Into<String>) -> Builder {
        Builder { settings: Some(settings.into()), ..Self::without_settings() }
    }

    /// An agent without a settings file.
    pub fn without_settings() -> Builder {
        Builder {
            settings: None,
            bus: None,
            start: Start::ByHand,
            locale: "C.UTF-8",
            log: "debug",
            launcher: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// Starts the agent again after its end and waits until it answers.
    pub async fn start(&mut self, start: Start) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "the agent runs already");
        self.starts += 1;
        let mut words = self.launcher.iter().map(OsString::from).chain([self.binary().into()]);
        let mut command = Command::new(words.next().context("no program")?);
        command.args(words);
        command.env_clear().envs(self.environment());
        if start == Start::Background {
            command.arg("--background");
        }
        let process = Process::spawn(&format!("tidings-{}", self.starts), &command, self.folder.path())?;
        let deadline = Instant::now() + SOON;
        self.process = Some(process);
        while Client::connect(&self.socket()).await.is_err() {
            if let Some(status) = self.process()?.ended()? {
                bail!("the agent ended at once ({status}):\n{}", self.log());
            }
            ensure!(Instant::now() < deadline, "the agent does not answer:\n{}", self.log());
            sleep(GLANCE).await;
        }
        Ok(())
    }

    /// Gives the next start a session bus, or takes it away.
    pub fn set_bus(&mut self, bus: Option<&PrivateBus>) {
        self.bus = bus.map(|bus| bus.address().to_owned());
    }

    /// Ends the agent by SIGTERM and starts it again.
    pub async fn restart(&mut self, start: Start) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        self.ended_well().await?;
        self.start(start).await
    }

    /// Sends the agent a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.process.as_ref().context("the agent does not run")?.signal(signal)
    }

    /// Ends the agent as a crash would.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::KILL)?;
        let status = self.wait_for_exit().await?;
        ensure!(status.signal() == Some(9), "the agent ended otherwise: {status}");
        Ok(())
    }

    /// Waits for the agent's end.
    pub async fn wait_for_exit(&mut self) -> anyhow::Result<ExitStatus> {
        let process = self.process()?;
        let status = eventually("the agent's end", || process.ended().transpose()).await??;
        self.process = None;
        Ok(status)
    }

    /// Waits for the agent's end, which must be by itself, with exit code 0 and without a report of a crash.
    pub async fn ended_well(&mut self) -> anyhow::Result<()> {
        let status = self.wait_for_exit().await?;
        ensure!(status.code() == Some(0), "the agent ended with {status}");
        let crashes = fs::read_dir(self.state().join("crashes")).into_iter().flatten().flatten();
        let new: Vec<_> =
            crashes.filter(|file| file.file_name().as_encoded_bytes().starts_with(b"new-")).collect();
        ensure!(new.is_empty(), "something panicked: {new:?}");
        Ok(())
    }

    /// Lets the agent write files up to this length alone: the kernel ends it at the first byte beyond.
    pub fn limit_files(&mut self, bytes: u64) -> anyhow::Result<()> {
        let id = i32::try_from(self.id()?).ok().and_then(Pid::from_raw).context("a strange process id")?;
        let limit = Rlimit { current: Some(bytes), maximum: None };
        prlimit(Some(id), Resource::Fsize, limit).context("no limit")?;
        Ok(())
    }

    /// The agent's process id.
    pub fn id(&mut self) -> anyhow::Result<u32> {
        Ok(self.process()?.id())
    }

    /// The process that the agent started with this argument first, if it runs.
    pub fn child(&mut self, argument: &str) -> anyhow::Result<Option<Pid>> {
        let parent = format!("PPid:\t{}", self.id()?);
        for entry in fs::read_dir("/proc")? {
            let path = entry?.path();
            let Some(id) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
            // One may end while it is looked at.
            let read = |name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
            if read("status").lines().any(|line| line == parent)
                && read("cmdline").split('\0').nth(1) == Some(argument)
            {
                return Ok(Pid::from_raw(id));
            }
        }
        Ok(None)
    }

    /// The memory that the agent holds, in KiB.
    pub fn memory(&mut self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        line.trim().trim_end_matches(" kB").parse().context("a strange VmRSS")
    }

    /// `tidings`, in the same folders and on the same bus.
    pub fn command(&self) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(self.binary());
        command.env_clear().envs(self.environment());
        command
    }

    /// Runs `tidings` with these arguments, in the same folders and on the same bus.
    pub async fn run(&self, args: &[&str]) -> anyhow::Result<Output> {
        self.run_with(args, "").await
    }

    /// The same, with this on its stdin.
    pub async fn run_with(&self, args: &[&str], input: &str) -> anyhow::Result<Output> {
        let mut command = self.command();
        command.args(args).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("tidings does not start")?;
        let mut stdin = child.stdin.take().context("no stdin")?;
        // A command that reads nothing may have ended already.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = timeout(SOON, child.wait_with_output()).await;
        let output = output.with_context(|| format!("tidings {args:?} did not end within {SOON:?}"))??;
        Ok(Output {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }

    /// `tidings status --json`.
    pub async fn status(&self) -> anyhow::Result<StatusReport> {
        let output = self.run(&["status", "--json"]).await?;
        ensure!(output.code == Some(0), "no status: {output:?}");
        serde_json::from_str(&output.stdout).context("a strange status")
    }

    /// Asks the agent over its socket, as the window does.
    pub async fn ask(&self, request: &Request) -> Result<Reply, ClientError> {
        Client::connect(&self.socket()).await?.ask(request).await
    }

    /// Waits until the agent's status is as wanted.
    pub async fn wait_for_status(
        &self,
        what: &str,
        wanted: impl Fn(&StatusReport) -> bool,
    ) -> anyhow::Result<StatusReport> {
        let deadline = Instant::now() + SOON;
        let mut agent = Client::connect(&self.socket()).await?;
        loop {
            let Reply::Status(status) = agent.ask(&Request::Status).await? else { bail!("no status") };
            if wanted(&status) {
                return Ok(status);
            }
            ensure!(Instant::now() < deadline, "the status is not {what} within {SOON:?}: {status:#?}");
            sleep(LOOK).await;
        }
    }

    /// Writes the settings file.
    pub fn write_settings(&self, settings: impl AsRef<[u8]>) -> anyhow::Result<()> {
        fs::write(self.settings_file(), settings).context("cannot write the settings file")
    }

    /// The settings file.
    pub fn settings_file(&self) -> PathBuf {
        self.home().join(".config/tidings/config.toml")
    }

    /// The local socket.
    pub fn socket(&self) -> PathBuf {
        self.state().join("agent.sock")
    }

    /// The folder of what outlives the agent beside the inbox.
    pub fn state(&self) -> PathBuf {
        let moved = self.more.iter().find(|(name, _)| *name == "XDG_STATE_HOME");
        moved.map_or_else(|| self.home().join(".local/state"), |(_, folder)| folder.into()).join("tidings")
    }

    /// The home folder.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// All messages in the inbox, in the order they came.
    pub fn inbox(&self) -> anyhow::Result<Vec<Stored>> {
        let inbox = self.open_inbox()?;
        let mut rows =
            inbox.prepare("SELECT channel, title, body, state, unread FROM message ORDER BY row")?;
        let rows = rows.query_map([], |row| {
            let state = ["pending", "shown", "summarised", "silent"];
            Ok(Stored {
                channel: row.get(0)?,
                title: row.get(1)?,
                body: row.get(2)?,
                state: state.get(usize::from(row.get::<_, u8>(3)?)).copied().unwrap_or("unknown"),
                unread: row.get(4)?,
            })
        })?;
        rows.collect::<Result<_, _>>().context("the inbox can't be read")
    }

    /// How often each title is in the inbox.
    pub fn titles(&self) -> anyhow::Result<BTreeMap<String, usize>> {
        let inbox = self.open_inbox()?;
        let mut rows = inbox.prepare("SELECT title, count(*) FROM message GROUP BY title")?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, count(row, 1)?)))?;
        rows.collect::<Result<_, _>>().context("the inbox can't be read")
    }

    /// How often this title is in the inbox.
    pub fn count(&self, title: &str) -> anyhow::Result<usize> {
        let select = "SELECT count(*) FROM message WHERE title = ?";
        self.open_inbox()?.query_row(select, [title], |row| count(row, 0)).context("the inbox can't be read")
    }

    fn open_inbox(&self) -> anyhow::Result<Connection> {
        let file = self.home().join(".local/share/tidings/inbox.db");
        Ok(Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
    }

    /// Waits until the inbox is as wanted.
    pub async fn wait_for_inbox(
        &self,
        what: &str,
        wanted: impl Fn(&[Stored]) -> bool,
    ) -> anyhow::Result<Vec<Stored>> {
        let stored = eventually(what, || self.inbox().ok().filter(|stored| wanted(stored))).await;
        stored.with_context(|| format!("the inbox has {:#?}", self.inbox()))
    }

    /// Every link that a program was asked to open, in order.
    pub fn opened_links(&self) -> Vec<String> {
        self.recorded("links")
    }

    /// The activation token with which each link was opened: those for Wayland and X11.
    pub fn opened_with(&self) -> Vec<String> {
        self.recorded("tokens")
    }

    /// Leaves the desktop with no program that opens a link: each that is asked does this.
    pub fn break_browser(&self, command: &str) -> anyhow::Result<()> {
        for program in ["xdg-open", "gio", "gnome-open", "kde-open6", "kde-open5", "kde-open"] {
            script(&self.folder.path().join("bin").join(program), command)?;
        }
        Ok(())
    }

    /// Gives the desktop a browser again, as the program of this name.
    pub fn mend_browser(&self, program: &str) -> anyhow::Result<()> {
        browser(self.folder.path(), program)
    }

    /// Every start of the window: its arguments, then its activation token.
    pub fn opened_windows(&self) -> Vec<String> {
        self.recorded("windows")
    }

    /// Leaves the agent with a window that ends at once with this code.
    pub fn break_window(&self, code: i32) -> anyhow::Result<()> {
        script(&self.folder.path().join("bin/tidings-window"), &format!("exit {code}"))
    }

    /// Leaves the agent without its window, as a package without one does.
    pub fn remove_window(&self) -> anyhow::Result<()> {
        fs::remove_file(self.folder.path().join("bin/tidings-window")).context("there was no window")
    }

    /// What the agent logged since its start.
    pub fn log(&self) -> String {
        let log = self.folder.path().join(format!("tidings-{}.log", self.starts));
        String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
    }

    fn process(&mut self) -> anyhow::Result<&mut Process> {
        self.process.as_mut().context("the agent does not run")
    }

    fn recorded(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The agent's program.
    pub fn binary(&self) -> PathBuf {
        self.folder.path().join("bin/tidings")
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let home = self.home();
        let path = format!("{}:/usr/bin:/bin", self.folder.path().join("bin").display());
        let mut variables: Vec<(&str, OsString)> = vec![
            ("HOME", home.clone().into()),
            ("XDG_CONFIG_HOME", home.join(".config").into()),
            ("XDG_DATA_HOME", home.join(".local/share").into()),
            ("XDG_STATE_HOME", home.join(".local/state").into()),
            ("XDG_CACHE_HOME", home.join(".cache").into()),
            ("XDG_RUNTIME_DIR", self.folder.path().join("run").into()),
            ("PATH", path.into()),
            ("LANG", self.locale.into()),
            ("TZ", ZONE.into()),
            ("TIDINGS_LOG", self.log.into()),
            ("RUST_BACKTRACE", "1".into()),
        ];
        // The machine's own system bus says nothing to a test: the private one stands for it, too.
        match &self.bus {
            Some(bus) => variables
                .extend([("DBUS_SESSION_BUS_ADDRESS", bus.into()), ("DBUS_SYSTEM_BUS_ADDRESS", bus.into())]),
            None => variables.push(("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent".into())),
        }
        variables.extend(self.more.iter().map(|(name, value)| (*name, value.into())));
        variables.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }
}

/// A number of rows.
fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<usize> {
    row.get::<_, i64>(column).map(|count| usize::try_from(count).unwrap_or_default())
}

impl Drop for App {
    fn drop(&mut self) {
        // Not by SIGTERM: a server in this test's own thread would not answer its goodbye any more.
        if let Some(process) = &self.process {
            let _ = process.signal(Signal::KILL);
        }
        for start in 1..=self.starts {
            let log = self.folder.path().join(format!("tidings-{start}.log"));
            let text = fs::read(log).unwrap_or_default();
            #[expect(clippy::print_stderr, reason = "the runner keeps it, and shows it when the test failed")]
            {
                eprintln!("--- log of start {start} ---\n{}", String::from_utf8_lossy(&text));
            }
        }
    }
}

/// The user's time zone, as the agent has it.
pub fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(ZONE_HOURS))
}

/// A folder with a home, and with the binary, a browser and a window that only note that they were started.
fn folder() -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("tidings-").tempdir().context("no temporary folder")?;
    let bin = folder.path().join("bin");
    for path in [bin.clone(), folder.path().join("run"), folder.path().join("home/.config/tidings")] {
        fs::DirBuilder::new().mode(0o700).recursive(true).create(path)?;
    }
    let original = binary::tidings()?;
    // A link where it can be one: the binary is large. Not a symbolic one: the agent looks for its window beside
    // the file that it really is.
    if fs::hard_link(&original, bin.join("tidings")).is_err() {
        fs::copy(&original, bin.join("tidings")).context("the agent's binary can't be copied")?;
    }
    // The demo's, where it was built.
    let server = original.with_file_name("tidings-server");
    if server.exists() && fs::hard_link(&server, bin.join("tidings-server")).is_err() {
        fs::copy(&server, bin.join("tidings-server")).context("the server's binary can't be copied")?;
    }
    let note = |name: &str| folder.path().join(name).display().to_string();
    browser(folder.path(), "xdg-open")?;
    script(
        &bin.join("tidings-window"),
        &format!("echo \"$*|$XDG_ACTIVATION_TOKEN\" >> '{}'; exec sleep 600", note("windows")),
    )?;
    Ok(folder)
}

/// A browser that notes what it was asked to open.
fn browser(folder: &Path, program: &str) -> anyhow::Result<()> {
    let note = |name: &str| folder.join(name).display().to_string();
    let text = format!(
        "echo \"$XDG_ACTIVATION_TOKEN $DESKTOP_STARTUP_ID\" >> '{}'; printf '%s\\n' \"$*\" >> '{}'",
        note("tokens"),
        note("links")
    );
    script(&folder.join("bin").join(program), &text)
}

fn script(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, format!("#!/bin/sh\n{text}\n"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    Ok(())
}
