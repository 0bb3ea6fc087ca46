//! Running programs, and talking to the person who watches.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, ensure};

/// Tells the person something.
pub(crate) fn say(text: &str) {
    #[expect(clippy::print_stdout, reason = "this is a command line")]
    {
        println!("{text}");
    }
}

/// What was not tried, and why; told once more in the end, where it is not overlooked.
static LEFT_OUT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Tells the person that something is not tried here.
pub(crate) fn left_out(what: &str) {
    say(&format!("left out: {what}"));
    LEFT_OUT.lock().unwrap_or_else(PoisonError::into_inner).push(what.to_owned());
}

/// All that was not tried so far, a line each.
pub(crate) fn all_left_out() -> Vec<String> {
    LEFT_OUT.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The time since `start`: `0.4s`, `12.3s`, `3m07s`.
pub(crate) fn took(start: Instant) -> String {
    let elapsed = start.elapsed();
    match elapsed.as_secs() {
        0..60 => format!("{:.1}s", elapsed.as_secs_f64()),
        seconds => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

/// A cargo command, by the same cargo that runs us.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args);
    command
}

/// A command without the variables that `cargo run` gave us: build scripts look at some of them, and would build
/// again what a cargo typed by hand has built.
pub(crate) fn program(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "LD_LIBRARY_PATH"
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command that talks to the person itself.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    say(&format!("$ {line}"));
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    ensure!(status.success(), "`{line}` failed ({status})");
    Ok(())
}

/// Runs a command and returns what it wrote to stdout.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let line = line(command);
    let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{line}` failed ({}): {}", output.status, errors.trim());
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` wrote something that is not UTF-8"))
}

/// Whether a command can be run and ends well; its output goes nowhere.
pub(crate) fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A binary of the same build folder as this one.
pub(crate) fn beside_us(name: &str) -> anyhow::Result<PathBuf> {
    let us = env::current_exe().context("cannot tell where xtask is")?;
    Ok(us.with_file_name(name))
}

/// The command as a person would type it.
fn line(command: &Command) -> String {
    let program = command.get_program();
    // Cargo's own path is long and says nothing.
    let program = if env::var_os("CARGO").is_some_and(|cargo| cargo == program) {
        OsStr::new("cargo")
    } else {
        program
    };
    let words = [program].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
