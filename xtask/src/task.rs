//! What was typed, read to its last word before anything is installed or built: a question is answered and a slip
//! told at once, not after the ten minutes that a build takes.

use std::path::PathBuf;

use crate::checks::{self, Step};
use crate::{bench, debian, demo, older, peer_names};

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Task {
    /// Nothing but to answer.
    Say(String),
    /// The steps of the test; none means all.
    Test(Vec<&'static Step>),
    Demo {
        /// What was typed, for the demo to read once more.
        typed: Vec<String>,
        headless: bool,
        out: PathBuf,
    },
    Bench {
        /// The names of what is to be measured.
        names: Vec<&'static str>,
        /// The commit whose build is measured beside this one.
        against: Option<String>,
    },
    Screenshots,
    /// The names of the services and hosts; none means all.
    Desktops(Vec<String>),
    /// The names of other people's servers.
    Peers(Vec<&'static str>),
    Cluster,
    Tools,
    Package {
        check: bool,
    },
    /// What the Tauri tools ask for in the middle of their work.
    PackageFiles,
    Packages,
    /// What the Tauri tools call for cargo (`xtask/tauri-cargo`), with all that they say.
    TauriDev(Vec<String>),
}

/// The words make no sense. Says why, and what would.
#[derive(Debug)]
pub(crate) struct Misuse(pub(crate) String);

struct Command {
    name: &'static str,
    /// A line each: what is typed after `cargo xtask`, and what it does. A command without any is not for people.
    usage: &'static [(&'static str, &'static str)],
    /// What else its own help tells.
    more: fn() -> String,
    /// Reads what follows the name; the error is a sentence.
    read: fn(&[String]) -> Result<Task, String>,
}

/// How wide the left column of the help is.
const WIDTH: usize = 16;

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        usage: &[(
            "demo [ARGS]",
            "build the agent and show it at work: on your desktop, or on a headless one of its own\n\
             with screenshots (`cargo xtask demo --help` lists the arguments)",
        )],
        more: || demo::ARGUMENTS.to_owned(),
        read: |typed| {
            let demo::Arguments { headless, out } = demo::Arguments::of(typed)?;
            Ok(Task::Demo { typed: typed.to_vec(), headless, out })
        },
    },
    Command {
        name: "test",
        usage: &[
            ("test", "everything that must hold before a change is merged; stops at the first failure"),
            ("test --list", "the steps of it"),
            ("test --only STEP", "one step alone (may be given several times); installs no packages"),
        ],
        more: || format!("The steps:\n{}", checks::list()),
        read: test,
    },
    Command {
        name: "bench",
        usage: &[
            (
                "bench [NAME…]",
                "build for release and measure memory, wake-ups, speed and sizes: all, or those named",
            ),
            (
                "bench --against COMMIT [NAME…]",
                "build that commit, too, and measure its programs beside these, in turn",
            ),
        ],
        more: || format!("The names:\n{}", bench::list()),
        read: |typed| {
            let bench::Asked { groups, against } = bench::Asked::of(typed)?;
            let against = against.map(|commit| older::commit(&commit)).transpose()?;
            Ok(Task::Bench { names: groups.into_iter().map(|(name, ..)| name).collect(), against })
        },
    },
    Command {
        name: "screenshots",
        usage: &[("screenshots", "take the pictures of the window's pages in docs/img anew")],
        more: String::new,
        read: |typed| alone(typed, Task::Screenshots),
    },
    Command {
        name: "desktops",
        usage: &[
            (
                "desktops",
                "the real Tidings on eleven notification services and eight tray hosts, in a Debian sid of its own\n\
                 under target/desktops: a table, and pictures (needs root or sudo; 3 GB; half an hour)",
            ),
            ("desktops --list", "their names"),
            ("desktops --only NAME", "one alone (may be given several times)"),
        ],
        more: || format!("The names:\n{}", debian::list()),
        read: |typed| match typed.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["--list"] => Ok(Task::Say(debian::list())),
            _ => Ok(Task::Desktops(debian::only(typed)?)),
        },
    },
    Command {
        name: "peers",
        usage: &[
            (
                "peers [NAME…]",
                "the real Tidings at other people's servers, which are fetched from Debian, npm and PyPI into\n\
                 target/peers (800 MB) and started on loopback: all, or those named",
            ),
            ("peers --list", "their names"),
        ],
        more: || format!("The names:\n{}", peer_names::list()),
        read: |typed| match typed.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["--list"] => Ok(Task::Say(peer_names::list())),
            _ => Ok(Task::Peers(peer_names::named(typed)?)),
        },
    },
    Command {
        name: "cluster",
        usage: &[(
            "cluster",
            "three servers of NATS, three nodes of tidings-server, nginx and a client on loopback, until\n\
             Ctrl-C; says what to try",
        )],
        more: String::new,
        read: |typed| alone(typed, Task::Cluster),
    },
    Command {
        name: "tools",
        usage: &[(
            "tools",
            "check `cargo tauri dev` and `cargo tauri build` on a headless desktop (fetches the Tauri\n\
             tools by npm where they are missing)",
        )],
        more: String::new,
        read: |typed| alone(typed, Task::Tools),
    },
    Command {
        name: "package",
        usage: &[
            (
                "package",
                "make the .deb, the .rpm and the tarball under target/package, and say what is in them",
            ),
            (
                "package --check",
                "the same, and install, upgrade and remove the .deb in a fresh Debian (needs root; 10 minutes)",
            ),
        ],
        more: String::new,
        read: |typed| match typed.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["--files"] => Ok(Task::PackageFiles),
            ["--check"] => Ok(Task::Package { check: true }),
            [] => Ok(Task::Package { check: false }),
            ["--check", other, ..] | [other, ..] => Err(format!("it knows --check, not `{other}`")),
        },
    },
    Command {
        name: "packages",
        usage: &[("packages", "install the Debian packages that all of these need, and nothing else")],
        more: String::new,
        read: |typed| alone(typed, Task::Packages),
    },
    Command {
        name: "tauri-dev",
        usage: &[],
        more: String::new,
        read: |typed| Ok(Task::TauriDev(typed.to_vec())),
    },
];

impl Task {
    /// Reads what follows `cargo xtask`. Whoever asks for help among other words wants an answer rather than the rest.
    pub(crate) fn of(typed: &[String]) -> Result<Self, Misuse> {
        let Some((name, rest)) = typed.split_first() else { return Ok(Self::Say(help())) };
        if is_help(name) || name == "help" {
            return match rest.first() {
                Some(topic) => Ok(Self::Say(find(topic)?.help())),
                None => Ok(Self::Say(help())),
            };
        }
        let command = find(name)?;
        if !command.usage.is_empty() && rest.iter().any(|word| is_help(word)) {
            return Ok(Self::Say(command.help()));
        }
        (command.read)(rest).map_err(|why| Misuse(format!("`{name}`: {why}\n\n{}", command.help())))
    }
}

impl Command {
    fn lines(&self) -> String {
        let mut lines = String::new();
        for (typed, what) in self.usage {
            let what = what.replace('\n', &format!("\n{:1$}", "", WIDTH + 3));
            lines += &format!("  {typed:WIDTH$} {what}\n");
        }
        lines
    }

    fn help(&self) -> String {
        format!("cargo xtask\n\n{}\n{}", self.lines(), (self.more)()).trim_end().to_owned()
    }
}

fn help() -> String {
    let commands: String = COMMANDS.iter().map(Command::lines).collect();
    format!(
        "cargo xtask COMMAND\n\n{commands}\n\
         Each tells more with --help. Missing Debian packages are installed first, with sudo unless you are root.\n\
         Where there is no apt, what is missing is named instead. The exit code is 0 when all went well, 2 when\n\
         what was typed makes no sense (nothing is done then), and else 1."
    )
}

fn is_help(word: &str) -> bool {
    matches!(word, "-h" | "--help")
}

fn find(name: &str) -> Result<&'static Command, Misuse> {
    let found = COMMANDS.iter().find(|command| command.name == name);
    found.ok_or_else(|| Misuse(format!("no command `{name}`\n\n{}", help())))
}

fn alone(typed: &[String], task: Task) -> Result<Task, String> {
    match typed.first() {
        None => Ok(task),
        Some(word) => Err(format!("it takes no arguments, and so not `{word}`")),
    }
}

fn test(typed: &[String]) -> Result<Task, String> {
    let (mut list, mut only) = (false, Vec::new());
    let mut words = typed.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--list" => list = true,
            "--only" => only.push(checks::step(words.next().ok_or("--only wants a step")?)?),
            _ => return Err(format!("it knows --list and --only STEP, not `{word}`")),
        }
    }
    Ok(if list { Task::Say(checks::list()) } else { Task::Test(only) })
}
