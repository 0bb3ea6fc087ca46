//! The builds that several tasks need. Cargo compiles what others wrote once for each set of features that is asked of it,
//! and a set follows from the crates that are selected: so everything is built out of the whole workspace, but for what
//! is shipped.

use std::process::Command;

use crate::run::{cargo, run};
use crate::wall::without_system_libraries;

/// Every program and every test.
pub(crate) fn all() -> anyhow::Result<()> {
    run(&mut cargo(&["build", "--locked", "--workspace", "--all-targets"]))
}

/// These programs, with the features that they have in [`all`].
pub(crate) fn programs(names: &[&str]) -> anyhow::Result<()> {
    run(select(&mut cargo(&["build", "--locked"]), names))
}

/// Selects programs with the features of the whole workspace.
pub(crate) fn select<'c>(command: &'c mut Command, names: &[&str]) -> &'c mut Command {
    command.arg("--workspace").args(names.iter().flat_map(|name| ["--bin", name]))
}

/// Checks the agent as it is without the window, where no system library can be found: in a build folder of its own, so
/// that the scripts that look for libraries don't run anew for everything else.
pub(crate) fn agent_alone() -> anyhow::Result<()> {
    let mut command = cargo(&["check", "--locked", "-p", "tidings", "-p", "tidings-server"]);
    command.args(["--no-default-features", "--bins", "--target-dir", "target/agent-alone"]);
    run(without_system_libraries(&mut command)?)
}
