//! Where the programs under test are.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, ensure};

/// Names another binary to test, such as an installed one.
const OTHER: &str = "TIDINGS_BIN";

/// The agent's binary: beside this test's own, where `cargo build -p tidings --no-default-features` puts it,
/// or what `TIDINGS_BIN` names.
pub fn tidings() -> anyhow::Result<PathBuf> {
    let path = match env::var_os(OTHER) {
        Some(path) => PathBuf::from(path),
        None => {
            let test = env::current_exe().context("no path to this test's own binary")?;
            // target/PROFILE/deps/promises-HASH
            test.ancestors().nth(2).context("a test outside of a target folder")?.join("tidings")
        }
    };
    ensure!(
        path.is_file(),
        "there is no {}: run `cargo build -p tidings --no-default-features`, or name the binary by {OTHER}",
        path.display()
    );
    Ok(path)
}
