//! The command line, as clap reads it. What each command prints is a contract (see `docs/command-line.md`).

use clap::{Args, Parser, Subcommand};

use crate::tail::Since;

/// Exit codes, the same for every command.
pub(crate) mod exit {
    /// Something failed; stderr says what.
    pub(crate) const FAILED: u8 = 1;
    /// Wrong arguments, or a settings file that can't be used.
    pub(crate) const USAGE: u8 = 2;
    /// No agent is running.
    pub(crate) const NOT_RUNNING: u8 = 3;
    /// `listen`: another instance of the same user has the channel now.
    pub(crate) const REPLACED: u8 = 4;
    /// `listen`: the server refuses the credentials.
    pub(crate) const SIGN_IN_REFUSED: u8 = 5;
}

/// Keeps your user channels connected and shows their messages as notifications.
///
/// Without a command: starts Tidings in the tray, or shows the one that runs.
#[derive(Debug, Parser)]
#[command(
    name = "tidings",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong arguments or settings, 3 nothing is running, \
                  4 replaced by another instance (listen), 5 sign-in refused (listen).\n\
                  Logs go to stderr and to a file in the state folder; TIDINGS_LOG sets the level \
                  (error, warn, info, debug, trace)."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) start: Start,
}

/// How to start, when there is no command.
#[derive(Debug, Default, Args)]
pub(crate) struct Start {
    /// Start quietly, as at login: a channel that was replaced stays so, and no window opens.
    #[arg(long)]
    pub(crate) background: bool,
    /// Open the window once started.
    #[arg(long, conflicts_with = "background")]
    pub(crate) open: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the state of every channel of the running Tidings.
    Status {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Connect a channel, or all of them, and keep them connected.
    Connect(Target),
    /// Disconnect a channel, or all of them; they stay so, also over restarts.
    Disconnect(Target),
    /// Connect here again after another instance took the channel over.
    Takeover(Target),
    /// Hold popups back for a while (`pause 1h`), to a time (`pause until 08:00`), or until `resume`.
    ///
    /// Messages go into the inbox meanwhile, critical ones pop up all the same, and one popup sums the rest up
    /// afterwards.
    Pause {
        /// A duration such as 30m or 1h, `until HH:MM`, or `off`; until resumed if left out.
        time: Vec<String>,
    },
    /// Show popups again.
    Resume,
    /// Print messages of the running Tidings as they arrive, and stored ones before them if asked for.
    Tail(Tail),
    /// Find out why a channel doesn't connect, and what to do about it.
    Doctor(Doctor),
    /// Pack what a report of trouble needs into one archive: version, machine, settings, state, logs, crashes.
    ///
    /// What may be secret is left out. Prints where the archive is.
    Diagnostics {
        /// The archive, a .tar.gz that is not there yet; one in the current folder if left out.
        file: Option<std::path::PathBuf>,
    },
    /// Write the channels of the settings as TOML, without secrets.
    Export {
        /// A file that is not there yet; stdout if left out.
        file: Option<std::path::PathBuf>,
    },
    /// Take channels from what `export` wrote into the settings, and say what became of each.
    Import {
        /// The file.
        file: std::path::PathBuf,
        /// Also change channels that are there already and differ.
        #[arg(long)]
        replace: bool,
    },
    /// Keep a channel's secret in the keyring, or remove it.
    #[command(subcommand)]
    Secret(Secret),
    /// Listen to one channel without tray, window or inbox and print what arrives.
    Listen(Listen),
    /// Write the man pages and the completions for bash, zsh and fish into a folder.
    Manual {
        /// A folder that exists.
        folder: std::path::PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Address to examine, such as wss://shop.example/ws/user-channel
    #[arg(conflicts_with = "channel")]
    pub(crate) url: Option<String>,
    /// Id or name of a channel in the settings file. Not needed when there is only one.
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// Go on to the upgrade and the first ping, though it takes the place of another instance of the same user. A channel
    /// that the running Tidings keeps connected needs no such word: Tidings lets go of its link, tries, and takes it
    /// back.
    #[arg(long)]
    pub(crate) upgrade: bool,
    /// Measure how long a silent link survives, and propose a heartbeat interval. It needs a link, so it implies
    /// --upgrade.
    #[arg(long)]
    pub(crate) idle: bool,
    /// How long to wait for the end of the silent link.
    #[arg(long, requires = "idle", default_value = "150s", value_parser = humantime::parse_duration)]
    pub(crate) max: std::time::Duration,
    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// Ask for the channel's secret (or read the first line of stdin) and keep it in the keyring.
    Set {
        /// Id or name of the channel in the settings file.
        channel: String,
    },
    /// Remove the channel's secret from the keyring.
    Clear {
        /// Id or name of the channel in the settings file.
        channel: String,
    },
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("stored").multiple(true))]
pub(crate) struct Tail {
    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Begin with the stored messages from then on: a duration such as 1h, a time such as 08:00 or
    /// 2026-03-01T08:00:00Z, or the server's id of a message, after which it begins.
    #[arg(long, group = "stored", value_name = "ID|1h", value_parser = |text: &str| Ok::<_, String>(Since::parse(text)))]
    pub(crate) since: Option<Since>,
    /// Only messages that hold all of these words, stored ones as well as new ones.
    #[arg(long, group = "stored", value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// End once the stored messages are printed.
    #[arg(long, requires = "stored")]
    pub(crate) no_follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Id or name of the channel; all channels if left out.
    pub(crate) channel: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Address of a channel that needs no settings, such as ws://127.0.0.1:8080/ws/user-channel?user=me
    #[arg(long, conflicts_with = "channel")]
    pub(crate) url: Option<String>,
    /// Id or name of a channel in the settings file. Not needed when there is only one.
    #[arg(long)]
    pub(crate) channel: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use clap::CommandFactory;

    use super::*;

    /// The flags of each command.
    type Flags = BTreeMap<String, BTreeSet<String>>;

    fn defined(command: &clap::Command, path: &str, flags: &mut Flags) {
        if !command.is_subcommand_required_set() {
            let long = command.get_arguments().filter_map(clap::Arg::get_long);
            flags.insert(path.to_owned(), long.map(|long| format!("--{long}")).collect());
        }
        for command in command.get_subcommands() {
            defined(command, &format!("{path} {}", command.get_name()), flags);
        }
    }

    /// By the table's first column: "| `tidings tail [--json] [--since ID\|1h]` | … |".
    fn documented(docs: &str) -> Flags {
        let usages = docs.lines().filter_map(|line| line.strip_prefix("| `tidings")?.split('`').next());
        let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
        usages
            .map(|usage| {
                let path = usage.split(' ').skip(1).take_while(is_name).map(|name| format!(" {name}"));
                let words = usage.split(|c: char| c != '-' && !c.is_ascii_lowercase());
                let flags = words.filter(|word| word.starts_with("--")).map(str::to_owned);
                (format!("tidings{}", path.collect::<String>()), flags.collect())
            })
            .collect()
    }

    #[test]
    fn the_documentation_has_every_command_with_every_flag_and_no_other() {
        let mut flags = Flags::new();
        defined(&Cli::command(), "tidings", &mut flags);
        assert_eq!(flags, documented(include_str!("../../../docs/command-line.md")));
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
