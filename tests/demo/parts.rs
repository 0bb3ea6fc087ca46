//! What both demos need.

use std::path::PathBuf;

use anyhow::ensure;

/// The agent's binary, beside this one.
pub(crate) fn agent() -> anyhow::Result<PathBuf> {
    let agent = std::env::current_exe()?.with_file_name("tidings");
    ensure!(agent.exists(), "no {}: run `cargo xtask demo`, which builds it", agent.display());
    Ok(agent)
}

/// The demo's settings file.
pub(crate) fn settings(url: &str) -> String {
    format!(
        "# The demo's settings: one channel of the embedded server.\n[[channel]]\nname = \"Demo\"\nurl = \"{url}\"\n"
    )
}

#[expect(clippy::print_stdout, reason = "telling what is seen is what a demo is for")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
