//! What `cargo tauri dev` runs in place of `cargo run`: both programs, built and started anew whenever the Tauri
//! tools see a change, in folders of their own under `.dev/` and with a server to talk to.
//!
//! The tools end us by SIGKILL, on each change and at their own end, and may be killed themselves. So nothing
//! here relies on tidying up: the kernel tells each process of its parent's death.
//!
//! ```text
//! cargo tauri dev ──▶ xtask ──▶ tidings (a process group of its own) ──▶ tidings-window
//!                       └─────▶ tidings-server
//! ```

use std::env;
use std::fs::{self, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, getppid, kill_process_group, set_parent_process_death_signal};

use crate::run::{cargo, program, say};
use crate::{build, reload};

/// How long the agent of before may take to say goodbye; it needs about a second.
const GOODBYE: Duration = Duration::from_secs(10);

/// How long the server may take to listen, and the agent to connect.
const STARTUP: Duration = Duration::from_secs(30);

/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(50);

/// What the system lets a socket's path be long, in bytes.
const SOCKET_PATH_MAX: usize = 103;

/// The user at the server.
const USER: &str = "dev";

/// What a fresh inbox is filled with: a plain text, a title with a link, urgency, a text in Chinese.
const SAMPLES: [&str; 4] = [
    "A plain text is a message, too.",
    r#"{"title": "Order 41 is late", "body": "Click to open it.", "url": "https://example.org/"}"#,
    r#"{"title": "Backup failed", "body": "The disk is full.", "priority": 4}"#,
    r#"{"title": "新订单", "body": "订单 42 已付款"}"#,
];

/// Builds and runs until the agent ends, with cargo's or the agent's exit code.
///
/// `args` are the process id of the Tauri tools, then what they would have told cargo:
/// `run FLAGS -- ARGUMENTS OF THE AGENT`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let [tools, run, args @ ..] = args else { bail!("this is for `cargo tauri dev` to call") };
    ensure!(run == "run", "`cargo tauri dev` asked for `cargo {run}`, not for `cargo run`");
    end_with(tools)?;
    let end_of_flags = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let (flags, arguments) = args.split_at(end_of_flags);

    let mut build = cargo(&["build"]);
    let build = build::select(&mut build, &["tidings", "tidings-window", "tidings-server"]);
    let built = ending_with_us(build.args(flags)).status().context("cannot start cargo")?;
    if !built.success() {
        // Not a word more: by cargo's own last one the tools see that it is worth waiting for a change.
        return Ok(exit_code(built));
    }
    let binaries = binaries(flags)?;
    let dev = env::current_dir().context("cannot tell the project's root")?.join(".dev");
    let state = dev.join("state/tidings");
    let socket = state.join("agent.sock").as_os_str().len();
    ensure!(
        socket <= SOCKET_PATH_MAX,
        "{} is {socket} bytes long with the name of the agent's socket, and no system allows more than \
         {SOCKET_PATH_MAX}: move the project to a shorter path",
        state.display()
    );
    fs::create_dir_all(&state).with_context(|| format!("cannot create {}", state.display()))?;
    goodbye(&state.join("lock"))?;

    let own = dev.join("config");
    let (config, _server) = if own.join("tidings/config.toml").exists() {
        (own, None)
    } else {
        say(&format!(
            "No settings of your own in {}: here is a server to try with.",
            own.join("tidings/config.toml").display()
        ));
        let config = dev.join("demo");
        let fresh = !dev.join("data/tidings/inbox.db").exists();
        (config.clone(), Some(serve(&binaries, &config, fresh)?))
    };
    reload::watch(Path::new("ui"))?;
    let mut agent = Command::new(binaries.join("tidings"));
    match arguments.split_first() {
        Some((_, arguments)) if !arguments.is_empty() => agent.args(arguments),
        _ => agent.arg("--open"),
    };
    let mut agent = ending_with_us(
        agent
            .env("XDG_CONFIG_HOME", config)
            .env("XDG_DATA_HOME", dev.join("data"))
            .env("XDG_STATE_HOME", dev.join("state")),
    )
    .process_group(0)
    .spawn()
    .context("the agent does not start")?;
    let ended = agent.wait().context("cannot wait for the agent")?;
    // An agent that ended badly leaves its window open.
    if let Some(group) = i32::try_from(agent.id()).ok().and_then(Pid::from_raw) {
        // Most often nobody is there any more.
        let _ = kill_process_group(group, Signal::TERM);
    }
    Ok(exit_code(ended))
}

/// Makes the kernel end us when our parent ends, which is the Tauri tools. They may have ended before.
fn end_with(tools: &str) -> anyhow::Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM)).context("cannot ask for word of the tools' end")?;
    let parent = getppid().map(|parent| parent.as_raw_nonzero().to_string());
    ensure!(parent.as_deref() == Some(tools), "`cargo tauri dev` has ended already");
    Ok(())
}

/// The same command, which the kernel ends when we end. (The direct way needs unsafe code.)
fn ending_with_us(command: &Command) -> Command {
    let mut wrapped = program("setpriv");
    wrapped.args(["--pdeathsig", "TERM", "--"]).arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(key, value),
            None => wrapped.env_remove(key),
        };
    }
    wrapped
}

/// Where cargo puts the programs that it builds by these flags.
fn binaries(flags: &[String]) -> anyhow::Result<PathBuf> {
    let value = |name: &str| {
        let at = flags.iter().position(|flag| flag == name)?;
        flags.get(at + 1)
    };
    let us = env::current_exe().context("cannot tell where xtask is")?;
    // target/debug/xtask
    let mut folder = us.ancestors().nth(2).context("xtask is not in a target folder")?.to_owned();
    if let Some(target) = value("--target") {
        folder.push(target);
    }
    let release = flags.iter().any(|flag| flag == "--release");
    Ok(folder.join(value("--profile").map_or(if release { "release" } else { "debug" }, String::as_str)))
}

/// Waits for the end of the agent of before. A second one would only raise its window, and end.
fn goodbye(lock: &Path) -> anyhow::Result<()> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(lock);
    let file = file.with_context(|| format!("cannot open {}", lock.display()))?;
    let patience = Instant::now() + GOODBYE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < patience => thread::sleep(LOOK),
            Err(TryLockError::WouldBlock) => bail!(
                "another agent runs in {}: quit it, from its tray menu or by ending the other `cargo tauri dev`",
                lock.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", lock.display()));
            }
        }
    }
}

/// Starts the server on a free port and writes settings for it; fills a `fresh` inbox once the agent is there.
fn serve(binaries: &Path, config: &Path, fresh: bool) -> anyhow::Result<Server> {
    // The server takes the port a moment later; nobody else is likely to be given it meanwhile.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let addr = free.context("no free port on loopback")?;
    let mut server = Command::new(binaries.join("tidings-server"));
    server.args(["--data", "none", "--log", "warn", "--listen", &addr.to_string()]);
    let server = Server(ending_with_us(&server).spawn().context("the server does not start")?);

    let folder = config.join("tidings");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let settings = format!(
        "# Written by `cargo tauri dev` at each start. For settings of your own, copy this to\n\
         # .dev/config/tidings/config.toml and edit it there.\n\
         [[channel]]\nid = \"dev\"\nname = \"Development\"\n\
         url = \"ws://{addr}/ws/user-channel?user={USER}\"\n"
    );
    fs::write(folder.join("config.toml"), settings).context("cannot write the settings file")?;

    let patience = Instant::now() + STARTUP;
    while TcpStream::connect(addr).is_err() {
        ensure!(Instant::now() < patience, "the server does not listen within {STARTUP:?}");
        thread::sleep(LOOK);
    }
    say(&format!("Push a message:  curl -d 'Hello' http://{addr}/push/{USER}"));
    if fresh {
        thread::spawn(move || fill(addr));
    }
    Ok(server)
}

/// The server, ended when dropped. Killed with us it ends, too.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to save; if it has ended already, all the better.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Pushes the samples once somebody is there to read them.
fn fill(addr: SocketAddr) {
    let patience = Instant::now() + STARTUP;
    for sample in SAMPLES {
        // The answer tells how many links the message went out on. Messages to nobody reach nobody later.
        while Instant::now() < patience
            && !push(addr, sample).is_ok_and(|answer| !answer.contains("\"links\":0"))
        {
            thread::sleep(LOOK);
        }
    }
}

fn push(addr: SocketAddr, text: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(STARTUP))?;
    let kind = if text.starts_with('{') { "application/json" } else { "text/plain" };
    write!(
        stream,
        "POST /push/{USER} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\n\r\n{text}",
        text.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// A process that a signal ended counts as failed.
fn exit_code(status: ExitStatus) -> ExitCode {
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
