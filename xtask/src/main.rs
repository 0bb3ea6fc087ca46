//! What a person types: `cargo xtask test`, `demo`, `bench`, `tools`, `package`, `packages`. Continuous integration types the first
//! of them and nothing else. Few and small dependencies, so that it builds in seconds.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail, ensure};

use crate::packages::Purpose;
use crate::run::{beside_us, cargo, run, say, took};

mod checks;
mod dev;
mod licences;
mod package;
mod packages;
mod page;
mod reload;
mod root;
mod run;
mod tools;
mod wall;

const HELP: &str = "\
cargo xtask COMMAND

  demo [ARGS]      build the agent and show it at work: on your desktop, or on a headless one of its own
                   with screenshots (ARGS go to the demo; `cargo xtask demo --help` lists them)
  test             everything that must hold before a change is merged; stops at the first failure
  test --list      the steps of it
  test --only STEP one step alone (may be given several times); installs no packages
  bench [NAME…]    build for release and measure memory, wake-ups, speed and sizes: all, or those named
  screenshots      take the pictures of the window's pages in docs/img anew
  tools            check `cargo tauri dev` and `cargo tauri build` on a headless desktop (fetches the Tauri
                   tools by npm where they are missing)
  package          make the .deb, the .rpm and the tarball under target/package, and say what is in them
  package --check  the same, and install, upgrade and remove the .deb in a fresh Debian (needs root; 10 minutes)
  packages         install the Debian packages that all of these need, and nothing else

Missing Debian packages are installed first, with sudo unless you are root. Where there is no apt, what is
missing is named instead.";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match command(&args) {
        Ok(code) => code,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "this is where a person looks")]
            {
                let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
                eprintln!("\nxtask: {}", causes.join("\n  because: "));
            }
            ExitCode::FAILURE
        }
    }
}

fn command(args: &[String]) -> anyhow::Result<ExitCode> {
    // Wherever it was typed: every path below is relative to the project's root.
    env::set_current_dir(root()?).context("cannot enter the project's root")?;
    let (name, rest) = args.split_first().map_or(("help", args), |(name, rest)| (name.as_str(), rest));
    match name {
        // Not for people: see `xtask/tauri-cargo`.
        "tauri-dev" => return dev::run(rest),
        "test" => test(rest)?,
        "demo" => demo(rest)?,
        "bench" => bench(rest)?,
        "screenshots" => {
            ensure!(rest.is_empty(), "`screenshots` takes no arguments");
            packages::install(&[Purpose::Build, Purpose::Desktop, Purpose::Tests])?;
            run(&mut cargo(&["run", "--locked", "-p", "tidings-tests", "--bin", "tidings-screenshots"]))?;
        }
        "tools" => {
            ensure!(rest.is_empty(), "`tools` takes no arguments");
            packages::install(&[Purpose::Build, Purpose::Window, Purpose::Desktop, Purpose::Tests])?;
            tools::check()?;
        }
        "package" => package(rest)?,
        "packages" => {
            ensure!(rest.is_empty(), "`packages` takes no arguments");
            packages::install(&[Purpose::Build, Purpose::Window, Purpose::Desktop, Purpose::Tests])?;
        }
        "help" | "-h" | "--help" => say(HELP),
        _ => bail!("no command `{name}`\n\n{HELP}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn test(args: &[String]) -> anyhow::Result<()> {
    let wish = checks::Wish::of(args)?;
    if wish.list {
        say(&checks::list());
        return Ok(());
    }
    let started = Instant::now();
    let ran = checks::run(&wish.only)?;
    let what = if wish.only.is_empty() { "all checks".to_owned() } else { format!("{ran} of the checks") };
    say(&format!("{what} passed in {}", took(started)));
    Ok(())
}

fn package(args: &[String]) -> anyhow::Result<()> {
    // The Tauri tools ask for this in the middle of their work; what it needs is there then.
    if args == ["--files"] {
        return package::files();
    }
    let check = args == ["--check"];
    ensure!(check || args.is_empty(), "`package` knows --check, and nothing else");
    packages::install(&[Purpose::Build, Purpose::Window, Purpose::Packages])?;
    let made = package::make()?;
    if check { root::check(&made) } else { Ok(()) }
}

/// A debug build, for speed. One build for all programs, so that what they share is compiled once.
fn demo(args: &[String]) -> anyhow::Result<()> {
    let on_a_desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some());
    let purposes: &[Purpose] = if on_a_desktop {
        &[Purpose::Build, Purpose::Window]
    } else {
        &[Purpose::Build, Purpose::Window, Purpose::Desktop]
    };
    packages::install(purposes)?;
    let bins = ["--bin", "tidings", "--bin", "tidings-window", "--bin", "tidings-demo"];
    run(cargo(&["build", "-p", "tidings", "-p", "tidings-tests"]).args(bins))?;
    run(run::program(&beside_us("tidings-demo")?).args(args))
}

/// Agent and window are built by themselves, as they are shipped: with the tests they would get their features, too.
fn bench(args: &[String]) -> anyhow::Result<()> {
    packages::install(&[Purpose::Build, Purpose::Window, Purpose::Desktop, Purpose::Tests])?;
    run(&mut cargo(&["build", "--release", "-p", "tidings", "--bins"]))?;
    // The yardsticks are programs of their own, which `cargo run` would not build.
    let programs = ["--bin", "tidings-bench", "--bin", "tidings-bare", "--bin", "tidings-links"];
    run(cargo(&["build", "--release", "-p", "tidings-tests"]).args(programs))?;
    let bench = ["run", "--release", "-p", "tidings-tests", "--bin", "tidings-bench", "--"];
    run(cargo(&bench).args(args))
}

/// Asked of cargo at run time: the binary may come from a build folder that a copy of the project shared.
fn root() -> anyhow::Result<PathBuf> {
    let ours = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Ok(Path::new(&ours).parent().context("xtask is not in a folder of the project")?.to_owned())
}
