//! `cargo xtask test`: the steps, the cheap ones first.
//!
//! What others wrote is compiled few times: checked for clippy and the docs, checked again as the agent has it alone, and
//! built once for all programs and tests (see [`build`]). The bundle adds Tauri's `custom-protocol`, with which a part
//! of it is compiled again.

use std::fs;
use std::time::Instant;

use anyhow::Context;

use crate::build;
use crate::chromium;
use crate::circles;
use crate::deny;
use crate::package;
use crate::packages::{self, Purpose};
use crate::page;
use crate::peers;
use crate::run::{cargo, left_out, run as run_command, say, took};
use crate::tools;
use crate::wall;

/// One check.
#[derive(Debug)]
pub(crate) struct Step {
    name: &'static str,
    what: &'static str,
    check: fn() -> anyhow::Result<()>,
}

/// The tests in a browser.
const PAGE: [&str; 3] = ["page_edits_channels::", "page_in_a_browser::", "page_is_for_everyone::"];

/// In the build folder: where the tests note what they can't try here (`tests/rig/skip.rs`).
const SKIPPED: &str = "skipped-tests";

const STEPS: &[Step] = &[
    Step { name: "packages", what: "Debian packages are there", check: all_packages },
    Step { name: "fmt", what: "the code is formatted", check: fmt },
    Step { name: "trees", what: "no crate but the window knows Tauri, GTK or WebKit", check: wall::trees },
    Step { name: "circles", what: "no files name each other in a circle", check: circles::check },
    Step { name: "deny", what: "licences, sources and versions of crates", check: deny::check },
    Step { name: "page", what: "the page's modules point one way, and their types", check: page::check },
    Step { name: "clippy", what: "lints, on all targets, with the window", check: clippy },
    Step { name: "doc", what: "the docs build without warnings", check: doc },
    Step { name: "agent", what: "agent and server need no system libraries", check: build::agent_alone },
    Step { name: "build", what: "all programs and tests", check: build::all },
    Step { name: "libraries", what: "the agent loads no GTK or WebKit", check: libraries },
    Step { name: "doctests", what: "the examples in the docs", check: doctests },
    Step {
        name: "tests",
        what: "unit, property and loopback tests, and those of the real app",
        check: tests,
    },
    Step { name: "tools", what: "`cargo tauri dev` and `cargo tauri build`", check: tools::check },
];

/// The step of this name; the error is a sentence.
pub(crate) fn step(name: &str) -> Result<&'static Step, String> {
    STEPS.iter().find(|step| step.name == name).ok_or_else(|| format!("there is no step `{name}`"))
}

/// The steps in their order, a line each.
pub(crate) fn list() -> String {
    let lines = STEPS.iter().map(|step| format!("  {:16} {}", step.name, step.what));
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs the steps of `only`, or all, up to the first that fails. Returns how many ran.
pub(crate) fn run(only: &[&'static Step]) -> anyhow::Result<usize> {
    let steps: Vec<&Step> = if only.is_empty() { STEPS.iter().collect() } else { only.to_vec() };
    for (index, step) in steps.iter().enumerate() {
        let count = format!("[{}/{}]", index + 1, steps.len());
        say(&format!("{count} {}: {}", step.name, step.what));
        let started = Instant::now();
        (step.check)().with_context(|| {
            format!(
                "step {} FAILED after {}; to run it alone: cargo xtask test --only {0}",
                step.name,
                took(started)
            )
        })?;
        say(&format!("{count} {} ok in {}\n", step.name, took(started)));
    }
    Ok(steps.len())
}

fn all_packages() -> anyhow::Result<()> {
    packages::install(&[Purpose::Build, Purpose::Window, Purpose::Desktop, Purpose::Tests])
}

fn fmt() -> anyhow::Result<()> {
    run_command(&mut cargo(&["fmt", "--all", "--check"]))?;
    run_command(&mut cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))
}

fn clippy() -> anyhow::Result<()> {
    // The manual names an example that takes a feature.
    let args =
        ["clippy", "--workspace", "--all-targets", "--features", "tidings-channel/simulate", "--locked"];
    run_command(cargo(&args).args(["--", "-D", "warnings"]))
}

fn doc() -> anyhow::Result<()> {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    run_command(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn libraries() -> anyhow::Result<()> {
    // Built in a moment where it is fresh; alone, this step must not look at an old or a missing one.
    build::programs(&["tidings"])?;
    wall::libraries()
}

fn doctests() -> anyhow::Result<()> {
    run_command(&mut cargo(&["test", "--doc", "--workspace", "--locked"]))
}

/// The tests of the real app run the programs that are there, so they are built first. By cargo's own runner, with which
/// nobody misses anything: a test that can't share its process is a program of its own.
fn tests() -> anyhow::Result<()> {
    build::all()?;
    let list = package::target_folder()?.join(SKIPPED);
    if list.exists() {
        fs::remove_file(&list).with_context(|| list.display().to_string())?;
    }
    let mut command = cargo(&["test", "--tests", "--workspace", "--locked"]);
    if chromium::program().is_none() {
        left_out(
            "the tests of the page: there is no Chromium here, but maybe as a snap, which sees no test's files",
        );
        command.arg("--").args(PAGE.iter().flat_map(|tests| ["--skip", tests]));
    }
    let peers = peers::missing();
    if !peers.is_empty() {
        left_out(&format!("the tests at {}: `cargo xtask peers` brings them", peers.join(", ")));
    }
    let ran = run_command(command.env("TIDINGS_TESTS_SKIPPED", &list));
    for test in fs::read_to_string(&list).unwrap_or_default().lines() {
        left_out(test);
    }
    ran
}
