//! Another commit's programs, for the benchmark to measure beside these.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::run::{cargo, output, program, run};

/// A folder for each commit, kept for the next time.
const FOLDER: &str = "target/bench";

/// The whole name of a commit; the error is a sentence.
pub(crate) fn commit(typed: &str) -> Result<String, String> {
    let asked = format!("{typed}^{{commit}}");
    let found = output(program("git").args(["rev-parse", "--verify", "--quiet", "--end-of-options", &asked]));
    found.map(|name| name.trim().to_owned()).map_err(|_| format!("there is no commit `{typed}`"))
}

/// Builds a commit's programs as they are shipped; where its agent is then.
pub(crate) fn build(commit: &str) -> anyhow::Result<PathBuf> {
    let folder = env::current_dir().context("no current folder")?.join(FOLDER).join(commit);
    if !folder.join("Cargo.toml").exists() {
        let clone = ["clone", "--quiet", "--shared", "--no-checkout", "."];
        run(program("git").args(clone).arg(&folder))?;
        run(program("git").arg("-C").arg(&folder).args(["checkout", "--quiet", "--detach", commit]))?;
    }
    let target = folder.join("target");
    let build = ["build", "--locked", "--release", "-p", "tidings", "--bins"];
    run(cargo(&build).current_dir(&folder).env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join(Path::new("release/tidings")))
}
