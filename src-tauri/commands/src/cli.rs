//! The command line, as clap reads it. What each command prints is a contract (see `docs/command-line.md`); its help stands in
//! the catalogue (see [`crate::help`]), which is why a doc comment on anything that clap reads would be a second one.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, ArgGroup, Args, Parser, Subcommand};

use crate::since::Since;

#[derive(Debug, Parser)]
#[command(
    name = "tidings",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_flag = true,
    disable_help_subcommand = true,
    disable_version_flag = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub(crate) start: Start,

    // clap's own ones speak English.
    #[arg(short = 'h', long = "help", action = ArgAction::Help, global = true)]
    _help: Option<bool>,
    #[arg(short = 'V', long = "version", action = ArgAction::Version)]
    _version: Option<bool>,
}

// How to start, when there is no command.
#[derive(Debug, Default, Args)]
pub(crate) struct Start {
    #[arg(long)]
    pub(crate) background: bool,
    #[arg(long, conflicts_with = "background")]
    pub(crate) open: bool,
    #[arg(long, value_name = "ADDRESS", conflicts_with = "background")]
    pub(crate) add: Option<String>,
}

impl Start {
    pub(crate) fn wish(&self) -> tidings_state::wish::Start {
        tidings_state::wish::Start { background: self.background, open: self.open, add: self.add.clone() }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Status {
        #[arg(long)]
        json: bool,
    },
    Connect(Target),
    Disconnect(Target),
    Takeover(Target),
    SignIn {
        channel: String,
        #[arg(long)]
        code: bool,
    },
    SignOut {
        channel: String,
    },
    Pause {
        time: Vec<String>,
    },
    Resume,
    Quit,
    Tail(Tail),
    Doctor(Doctor),
    Discover(Discover),
    Send(Send),
    Diagnostics {
        file: Option<PathBuf>,
    },
    Export {
        file: Option<PathBuf>,
    },
    Import {
        file: PathBuf,
        #[arg(long)]
        replace: bool,
    },
    #[command(subcommand, disable_help_subcommand = true)]
    Secret(Secret),
    Listen(Listen),
    Help {
        command: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[arg(conflicts_with = "channel")]
    pub url: Option<String>,
    #[arg(long)]
    pub channel: Option<String>,
    #[arg(long)]
    pub upgrade: bool,
    #[arg(long)]
    pub idle: bool,
    #[arg(long, requires = "idle", default_value = "150s", value_parser = humantime::parse_duration)]
    pub max: Duration,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Discover {
    pub address: String,
    #[arg(long)]
    pub allow_plaintext: bool,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    pub channel: String,
    #[arg(long)]
    pub title: Option<String>,
    #[arg(long, value_name = "1-5", value_parser = clap::value_parser!(u8).range(1..=5))]
    pub priority: Option<u8>,
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    #[arg(long)]
    pub topic: Option<String>,
    pub text: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    Set { channel: String },
    Clear { channel: String },
    Export { channel: String, file: Option<PathBuf> },
    Import { channel: String, file: Option<PathBuf> },
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("stored").multiple(true))]
pub(crate) struct Tail {
    #[arg(long)]
    pub json: bool,
    #[arg(long, group = "stored", value_name = "ID|1h", value_parser = |text: &str| Ok::<_, String>(Since::parse(text)))]
    pub since: Option<Since>,
    #[arg(long, group = "stored", value_name = "TEXT")]
    pub search: Option<String>,
    #[arg(long, requires = "stored")]
    pub(crate) no_follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Target {
    pub channel: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Listen {
    #[arg(long)]
    pub json: bool,
    #[arg(long, conflicts_with = "channel")]
    pub url: Option<String>,
    #[arg(long)]
    pub channel: Option<String>,
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
            // These two are told of above the table.
            let long = long.filter(|long| !["help", "version"].contains(long));
            flags.insert(path.to_owned(), long.map(|long| format!("--{long}")).collect());
        }
        for command in command.get_subcommands() {
            defined(command, &format!("{path} {}", command.get_name()), flags);
        }
    }

    /// By the table's first column: "| `tidings tail [--json] [--since ID\|1h]` | … |".
    fn documented(docs: &str) -> Flags {
        let usages = docs.lines().filter_map(|line| line.strip_prefix("| `tidings")?.split('`').next());
        let is_name =
            |word: &&str| !word.starts_with('-') && word.chars().all(|c| c == '-' || c.is_ascii_lowercase());
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
