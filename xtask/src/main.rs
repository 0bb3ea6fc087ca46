//! What a person types: `cargo xtask test`, `demo`, `bench`, `desktops`, `peers`, `cluster`, `tools`, `package`, `packages`. Continuous integration types the first
//! of them and nothing else. Few and small dependencies, so that it builds in seconds.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;

use crate::checks::Step;
use crate::packages::Purpose;
use crate::run::{beside_us, cargo, run, say, took};
use crate::task::{Misuse, Task};

mod arrows;
/// What may be typed after `bench` and `demo`.
#[path = "../../tests/bench/groups.rs"]
mod bench;
mod build;
mod checks;
#[path = "../../tests/rig/chromium.rs"]
mod chromium;
mod circles;
mod cluster;
#[expect(unreachable_pub, reason = "the tests' library hands it on")]
#[path = "../../tests/rig/debian.rs"]
mod debian;
#[path = "../../tests/demo/arguments.rs"]
mod demo;
mod deny;
mod desktops;
mod dev;
mod licences;
mod older;
mod package;
mod packages;
mod page;
#[expect(unreachable_pub, reason = "the tests' library hands it on")]
#[path = "../../tests/rig/peers.rs"]
mod peer_names;
mod peers;
mod reload;
mod root;
mod run;
mod task;
mod tools;
mod wall;

/// The exit code when what was typed makes no sense.
const MISUSE: u8 = 2;

fn main() -> ExitCode {
    let typed: Vec<String> = env::args().skip(1).collect();
    let done = match Task::of(&typed) {
        Ok(task) => perform(task),
        Err(Misuse(why)) => {
            complain(&why);
            return ExitCode::from(MISUSE);
        }
    };
    done.unwrap_or_else(|error| {
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        complain(&causes.join("\n  because: "));
        ExitCode::FAILURE
    })
}

#[expect(clippy::print_stderr, reason = "this is where a person looks")]
fn complain(why: &str) {
    eprintln!("\nxtask: {why}");
}

fn perform(task: Task) -> anyhow::Result<ExitCode> {
    // Wherever it was typed: every path below is relative to the project's root.
    env::set_current_dir(root()?).context("cannot enter the project's root")?;
    match task {
        Task::Say(text) => say(&text),
        Task::Test(only) => test(&only)?,
        Task::Demo { typed, headless, out } => demo(&typed, headless, &out)?,
        Task::Bench { names, against } => bench(&names, against.as_deref())?,
        Task::Screenshots => {
            packages::install(&[Purpose::Build, Purpose::Desktop, Purpose::Tests])?;
            build::programs(&["tidings", "tidings-window", "tidings-server", "tidings-screenshots"])?;
            run(&mut run::program(&beside_us("tidings-screenshots")?))?;
        }
        Task::Desktops(names) => desktops::run_on(&names)?,
        Task::Peers(names) => peers::run_on(&names)?,
        Task::Cluster => cluster::show()?,
        Task::Tools => {
            packages::install(&[Purpose::Build, Purpose::Window, Purpose::Desktop, Purpose::Tests])?;
            tools::check()?;
        }
        Task::Package { check } => package(check)?,
        Task::PackageFiles => package::files()?,
        Task::Packages => {
            packages::install(&[Purpose::Build, Purpose::Window, Purpose::Desktop, Purpose::Tests])?;
        }
        Task::TauriDev(words) => return dev::run(&words),
    }
    Ok(ExitCode::SUCCESS)
}

fn test(only: &[&'static Step]) -> anyhow::Result<()> {
    let started = Instant::now();
    let ran = checks::run(only)?;
    let what = if only.is_empty() { "all checks".to_owned() } else { format!("{ran} of the checks") };
    for what in run::all_left_out() {
        say(&format!("left out: {what}"));
    }
    say(&format!("{what} passed in {}", took(started)));
    Ok(())
}

fn package(check: bool) -> anyhow::Result<()> {
    if check {
        root::ensure_allowed()?;
    }
    packages::install(&[Purpose::Build, Purpose::Window, Purpose::Packages])?;
    let made = package::make()?;
    if check { root::check(&made) } else { Ok(()) }
}

/// A debug build, for speed.
fn demo(typed: &[String], headless: bool, out: &Path) -> anyhow::Result<()> {
    // Told now rather than by the demo, once it is built.
    fs::create_dir_all(out)
        .with_context(|| format!("there is no room for screenshots at {}", out.display()))?;
    let on_a_desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some());
    let purposes: &[Purpose] = if on_a_desktop && !headless {
        &[Purpose::Build, Purpose::Window]
    } else {
        &[Purpose::Build, Purpose::Window, Purpose::Desktop]
    };
    packages::install(purposes)?;
    build::programs(&["tidings", "tidings-window", "tidings-demo"])?;
    run(run::program(&beside_us("tidings-demo")?).args(typed))
}

/// Agent and window are built by themselves, as they are shipped: with the tests they would get their features, too.
fn bench(names: &[&str], against: Option<&str>) -> anyhow::Result<()> {
    packages::install(&[Purpose::Build, Purpose::Window, Purpose::Desktop, Purpose::Tests])?;
    run(&mut cargo(&["build", "--release", "-p", "tidings", "--bins"]))?;
    run(&mut cargo(&["build", "--release", "-p", "tidings-server"]))?;
    // The yardsticks are programs of their own, which `cargo run` would not build.
    let programs = ["--bin", "tidings-bench", "--bin", "tidings-bare", "--bin", "tidings-links"];
    run(cargo(&["build", "--release", "-p", "tidings-tests"]).args(programs))?;
    let bench = ["run", "--release", "-p", "tidings-tests", "--bin", "tidings-bench", "--"];
    let mut bench = cargo(&bench);
    if let Some(commit) = against {
        bench.arg("--against").arg(older::build(commit)?);
    }
    run(bench.args(names))
}

/// Asked of cargo at run time: the binary may come from a build folder that a copy of the project shared.
fn root() -> anyhow::Result<PathBuf> {
    let ours = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Ok(Path::new(&ours).parent().context("xtask is not in a folder of the project")?.to_owned())
}
