//! Where the programs under test are.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, ensure};

/// Names another binary to test, such as an installed one.
const OTHER: &str = "TIDINGS_BIN";

/// The server's binary, beside the agent's.
pub fn server() -> anyhow::Result<PathBuf> {
    let path = tidings()?.with_file_name("tidings-server");
    ensure!(
        path.is_file(),
        "there is no {}: run `cargo build -p tidings -p tidings-server --no-default-features`",
        path.display()
    );
    Ok(path)
}

/// The agent's binary: in the build folder of the program that asks, where `cargo build -p tidings --no-default-features` puts it,
/// or what `TIDINGS_BIN` names.
pub fn tidings() -> anyhow::Result<PathBuf> {
    let path = match env::var_os(OTHER) {
        Some(path) => PathBuf::from(path),
        None => {
            let us = env::current_exe().context("no path to our own binary")?;
            // target/PROFILE/deps/promises-HASH, or target/PROFILE/tidings-bench
            let folder = us.parent().context("a program outside of a target folder")?;
            let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
            folder.join("tidings")
        }
    };
    ensure!(
        path.is_file(),
        "there is no {}: run `cargo build -p tidings --no-default-features`, or name the binary by {OTHER}",
        path.display()
    );
    Ok(path)
}
