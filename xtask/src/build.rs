//! The builds that several tasks need, so that all of them select the same.

use crate::run::{cargo, run};
use crate::wall::without_system_libraries;

/// The same selection as `cargo tauri dev` builds, so that Tauri is compiled once for both.
pub(crate) fn window() -> anyhow::Result<()> {
    run(&mut cargo(&["build", "--locked", "-p", "tidings", "-p", "tidings-server", "--bins"]))
}

/// The agent as it is without the window.
pub(crate) fn agent() -> anyhow::Result<()> {
    let mut command = cargo(&["build", "--locked", "-p", "tidings", "-p", "tidings-server"]);
    command.args(["--no-default-features", "--bins"]);
    run(without_system_libraries(&mut command)?)
}
