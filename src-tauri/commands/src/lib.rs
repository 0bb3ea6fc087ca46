//! What a person types: each command, its arguments and its help. Without one the agent runs, which is handed in
//! ([`main`]).
//!
//! `listen` runs one channel alone; `doctor`, `secret`, `export` and `import` work with and without an agent; all
//! others ask the one that runs.

mod cli;
mod diagnostics;
mod discover;
mod doctor;
pub mod help;
mod lines;
mod listen;
mod pause;
mod remote;
mod secret;
mod send;
mod sign_in;
mod since;
mod tail;
mod transfer;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use tidings_ground::paths::Paths;
use tidings_ground::reason::{self, Failed};
use tidings_ground::terminal::{self, Unwritten};
use tidings_ground::{crash, exit};
use tidings_state::wish::Start;
use tidings_words::Words;

use cli::{Cli, Command};

/// Runs the command line; the exit codes are told by `tidings --help`. Without a command `agent` runs.
#[must_use]
pub fn main(agent: impl AsyncFnOnce(&Paths, Start, Words) -> anyhow::Result<ExitCode>) -> ExitCode {
    // What other people's pictures are read in has nothing to do with the rest.
    if let Some(code) = tidings_picture::worker(std::env::args_os().skip(1)) {
        return code;
    }
    let cli = match read(&with_link(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match run(&cli, agent) {
        Ok(code) => code,
        Err(error) => terminal::ended(exit::FAILED, &reason::of_any(&error, Words::default())),
    }
}

/// A desktop hands over a link that was clicked as the only argument, `tidings ntfy://host/topic`: it is to be added.
fn with_link(mut args: Vec<OsString>) -> Vec<OsString> {
    let is_link = |arg: &OsString| {
        arg.to_str()
            .and_then(|arg| arg.get(..LINK.len()))
            .is_some_and(|start| start.eq_ignore_ascii_case(LINK))
    };
    if args.len() == 2 && args.last().is_some_and(is_link) {
        args.insert(1, "--add".into());
    }
    args
}

/// How links of ntfy begin.
const LINK: &str = "ntfy://";

/// Reads the arguments, or answers those that ask for help or are wrong.
fn read(args: &[OsString]) -> Result<Cli, ExitCode> {
    Cli::try_parse_from(args).map_err(|error| {
        if !is_help(&error) {
            return answered(&error);
        }
        let words = match Paths::of_user() {
            Ok(paths) => tidings_settings::words(&paths.settings),
            Err(_) => tidings_settings::Language::Auto.words(),
        };
        answered(&help::answer(args, words).unwrap_or(error))
    })
}

/// Whether it was asked for, or half a command is answered by it.
fn is_help(error: &clap::Error) -> bool {
    [ErrorKind::DisplayHelp, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand].contains(&error.kind())
}

/// Help, version, or what is wrong with the arguments; clap leaves out the usage of some mistakes.
fn answered(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return error
            .print()
            .map_or_else(|error| Unwritten::from(error).end(Words::default()), |()| ExitCode::SUCCESS);
    }
    // It quotes what was typed, whatever that is.
    let mut told = error.to_string();
    if !is_help(error) && !told.contains("Usage:") {
        told += &format!("\n{}", Cli::command().render_usage());
    }
    terminal::say(&told);
    ExitCode::from(exit::USAGE)
}

fn run(
    cli: &Cli,
    agent: impl AsyncFnOnce(&Paths, Start, Words) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let paths = Paths::of_user()?;
    crash::report_to(paths.crashes());
    let words = tidings_settings::words(&paths.settings);
    // One thread: all that blocks has a thread of its own (the inbox, stdout).
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(async {
        match &cli.command {
            None => agent(&paths, cli.start.wish(), words).await,
            Some(Command::Status { json }) => remote::status(&paths, *json, words).await,
            Some(Command::SignIn { channel, code }) => sign_in::run(&paths, channel, *code, words).await,
            Some(Command::SignOut { channel }) => remote::sign_out(&paths, channel, words).await,
            Some(Command::Pause { time }) => remote::pause(&paths, time, words).await,
            Some(Command::Resume) => remote::pause(&paths, &["off".to_owned()], words).await,
            Some(Command::Quit) => remote::quit(&paths).await,
            Some(Command::Tail(args)) => tail::run(&paths, args, words).await,
            Some(Command::Diagnostics { file }) => diagnostics::run(&paths, file.as_deref()).await,
            Some(Command::Export { file }) => transfer::export(&paths, file.as_deref(), words).await,
            Some(Command::Import { file, replace }) => transfer::import(&paths, file, *replace, words).await,
            Some(Command::Doctor(args)) => Box::pin(doctor::run(&paths, args, words)).await,
            Some(Command::Discover(args)) => discover::run(args, words).await,
            Some(Command::Send(args)) => send::run(&paths, args, words).await,
            Some(Command::Secret(what)) => secret::run(&paths, what, words).await,
            Some(Command::Listen(args)) => listen::run(&paths, args, words).await,
            Some(Command::Help { command }) => {
                let args =
                    ["tidings"].into_iter().chain(command.iter().map(String::as_str)).chain(["--help"]);
                Ok(read(&args.map(OsString::from).collect::<Vec<_>>()).err().unwrap_or(ExitCode::SUCCESS))
            }
            Some(Command::Connect(target)) => {
                remote::act(&paths, tidings_api::Action::Connect, target.channel.as_deref(), words).await
            }
            Some(Command::Disconnect(target)) => {
                remote::act(&paths, tidings_api::Action::Disconnect, target.channel.as_deref(), words).await
            }
            Some(Command::Takeover(target)) => {
                remote::act(&paths, tidings_api::Action::TakeOver, target.channel.as_deref(), words).await
            }
        }
    });
    // Not waited for: a thread that waits on a full pipe or a slow name lookup.
    runtime.shutdown_background();
    // These have words and exit codes of their own.
    code.or_else(|error| error.downcast().map(|error| remote::failed(&error, words)))
        .or_else(|error| error.downcast().map(|error: Unwritten| error.end(words)))
        .or_else(|error| error.downcast().map(|Failed(why)| terminal::ended(exit::FAILED, &why.said(words))))
        .or_else(|error| Ok(terminal::ended(exit::FAILED, &reason::of_any(&error, words))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_ntfy_is_to_be_added_and_no_other_word_is() {
        let read = |args: &[&str]| {
            let args = args.iter().map(OsString::from).collect();
            Cli::try_parse_from(with_link(args)).map(|cli| cli.start.wish().add)
        };
        for link in ["ntfy://ntfy.sh/alerts", "NTFY://ntfy.sh/alerts?secure=false"] {
            assert_eq!(read(&["tidings", link]).expect(link).as_deref(), Some(link));
        }
        assert_eq!(read(&["tidings"]).expect("a start"), None);
        for wrong in [
            &["tidings", "https://ntfy.sh/alerts"][..],
            &["tidings", "statsu"],
            &["tidings", "ntfy://a", "x"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
