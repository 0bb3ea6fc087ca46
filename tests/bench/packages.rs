//! Sizes of what users download and have on their disk.

use std::fs;
use std::path::Path;

use anyhow::Context;
use tidings_tests::binary;

use crate::table::{Row, Unit};

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let agent = binary::tidings()?;
    let window = agent.with_file_name("tidings-window");
    let mut rows = vec![Row::new("file: tidings", Unit::Mib, size(&agent)?)];
    if window.exists() {
        rows.push(Row::new("file: tidings-window", Unit::Mib, size(&window)?));
    }
    Ok(rows)
}

#[expect(clippy::cast_precision_loss, reason = "shown by the tenth of a MiB")]
fn size(file: &Path) -> anyhow::Result<f64> {
    let bytes = fs::metadata(file).with_context(|| format!("no {}", file.display()))?.len();
    Ok(bytes as f64 / 1024.0 / 1024.0)
}
