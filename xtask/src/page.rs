//! The page's checks: its types by TypeScript, which it is neither written in nor built with. What they need comes from
//! npm into the build folder, and nothing of it into the page.

use std::path::Path;

use crate::run::{left_out, program, run, works};

/// TypeScript, and the checker of accessibility that the tests of the page look for in this folder.
const FROM_NPM: [&str; 2] = ["typescript@7.0.2", "axe-core@4.14.1"];

/// Checks the types. Without npm that is left out.
pub(crate) fn check() -> anyhow::Result<()> {
    let folder = Path::new("target/page-tools");
    let typescript = folder.join("node_modules/.bin/tsc");
    let there = folder.join("node_modules/axe-core").is_dir() && works(program(&typescript).arg("--version"));
    if !there {
        if !works(program("npm").arg("--version")) {
            left_out("the check of the page's types: there is no npm to fetch TypeScript with");
            return Ok(());
        }
        let npm = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix"];
        run(program("npm").args(npm).arg(folder).args(FROM_NPM))?;
    }
    run(program(&typescript).args(["--project", "ui/jsconfig.json"]))
}
