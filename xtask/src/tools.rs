//! The Tauri tools, as a person has them or as npm brings them, and the check of what they do with the project.

use std::path::Path;

use anyhow::Context;

use crate::build;
use crate::run::{beside_us, cargo, left_out, program, run, works};

/// From npm they come built, in seconds; by cargo they take ten minutes to build. The same major and minor version
/// as the crate `tauri-cli` that was tried.
const FROM_NPM: &str = "@tauri-apps/cli@2.12";

/// Checks `cargo tauri dev` and `cargo tauri build`. Without tools, and without npm to fetch them, that is left out.
pub(crate) fn check() -> anyhow::Result<()> {
    let Some(tauri) = tauri()? else {
        left_out(
            "the check of the Tauri tools: there is neither `cargo tauri` (cargo install tauri-cli --locked) nor npm to \
             fetch it",
        );
        return Ok(());
    };
    // The agent of another version, too.
    build::programs(&["tidings-tools", "tidings"])?;
    run(program(beside_us("tidings-tools")?).args(tauri))
}

/// Has the tools build the app and pack it.
pub(crate) fn build(args: &[&str]) -> anyhow::Result<()> {
    let tauri = tauri()?.context(
        "packing needs the Tauri tools: cargo install tauri-cli --locked, or npm to fetch them ready-made",
    )?;
    let (tools, words) = tauri.split_first().context("no Tauri tools")?;
    run(program(tools).args(words).arg("build").args(args))
}

/// How the Tauri tools are called here; npm fetches them where they are missing.
fn tauri() -> anyhow::Result<Option<Vec<String>>> {
    if works(&mut cargo(&["tauri", "--version"])) {
        return Ok(Some(vec!["cargo".to_owned(), "tauri".to_owned()]));
    }
    let folder = Path::new("target/tauri-tools");
    let tauri = folder.join("node_modules/.bin/tauri");
    if !works(program(&tauri).arg("--version")) {
        if !works(program("npm").arg("--version")) {
            return Ok(None);
        }
        let npm = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix"];
        run(program("npm").args(npm).arg(folder).arg(FROM_NPM))?;
    }
    Ok(Some(vec![std::path::absolute(tauri)?.display().to_string()]))
}
