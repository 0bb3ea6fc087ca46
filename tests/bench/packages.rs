//! Sizes of what users download and have on their disk.

use std::fs;
use std::path::Path;

use anyhow::Context;
use tidings_tests::binary;

use crate::table::{Row, Unit};

/// Where packages are put, in the build folder; there are none until somebody makes them. Their check puts more beside them.
const FOLDER: &str = "package";
const NAME: &str = "tidings";
const KINDS: [&str; 3] = [".deb", ".rpm", ".tar.gz"];

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let agent = binary::tidings()?;
    let window = agent.with_file_name("tidings-window");
    let mut rows = vec![Row::new("file: tidings", Unit::Mib, size(&agent)?)];
    if window.exists() {
        rows.push(Row::new("file: tidings-window", Unit::Mib, size(&window)?));
    }
    let target = agent.ancestors().nth(2).context("no build folder")?;
    let entries = fs::read_dir(target.join(FOLDER)).into_iter().flatten().flatten();
    let mut packages: Vec<_> = entries.map(|entry| entry.path()).collect();
    packages.sort();
    for package in packages {
        let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(NAME) && KINDS.iter().any(|kind| name.ends_with(kind)) {
            rows.push(Row::new(format!("package: {name}"), Unit::Mib, size(&package)?));
        }
    }
    Ok(rows)
}

#[expect(clippy::cast_precision_loss, reason = "shown by the tenth of a MiB")]
fn size(file: &Path) -> anyhow::Result<f64> {
    let bytes = fs::metadata(file).with_context(|| format!("no {}", file.display()))?.len();
    Ok(bytes as f64 / 1024.0 / 1024.0)
}
