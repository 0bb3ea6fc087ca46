//! What processes cost, as the kernel counts it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

/// Memory of one process or of several together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// All pages that are mapped, shared ones in full.
    pub(crate) rss_mib: f64,
    /// The same, with shared pages divided among those who share them.
    pub(crate) pss_mib: f64,
    /// Pages that belong to no file: what the program itself asked for.
    pub(crate) anonymous_mib: f64,
}

impl Memory {
    pub(crate) fn of(process: u32) -> anyhow::Result<Self> {
        let rollup = read(format!("/proc/{process}/smaps_rollup"))?;
        let mib = |name: &str| field(&rollup, name).map(|kib| kib / 1024.0);
        Ok(Self { rss_mib: mib("Rss:")?, pss_mib: mib("Pss:")?, anonymous_mib: mib("Anonymous:")? })
    }

    /// Of this process and all that it started, and that those started.
    pub(crate) fn of_tree(root: u32) -> anyhow::Result<Self> {
        let mut sum = Self::of(root)?;
        for child in children(root)? {
            // It may just have ended.
            let Ok(other) = Self::of_tree(child) else { continue };
            sum.rss_mib += other.rss_mib;
            sum.pss_mib += other.pss_mib;
            sum.anonymous_mib += other.anonymous_mib;
        }
        Ok(sum)
    }
}

fn children(process: u32) -> anyhow::Result<Vec<u32>> {
    let mut found = Vec::new();
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let list = read(thread?.path().join("children"))?;
        found.extend(list.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
    }
    Ok(found)
}

/// How often the process's threads went to sleep by themselves: as often as they woke.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wakeups(f64);

impl Wakeups {
    pub(crate) fn of(process: u32) -> anyhow::Result<Self> {
        let mut total = 0.0;
        for thread in fs::read_dir(format!("/proc/{process}/task"))? {
            let status = read(thread?.path().join("status"))?;
            total += field(&status, "voluntary_ctxt_switches:")?;
        }
        Ok(Self(total))
    }

    pub(crate) fn a_minute_since(self, before: Self, watched: Duration) -> f64 {
        (self.0 - before.0) * 60.0 / watched.as_secs_f64()
    }
}

fn read(path: impl AsRef<Path>) -> anyhow::Result<String> {
    let path = path.as_ref();
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The number after `name` at the start of a line; sizes are in KiB.
fn field(text: &str, name: &str) -> anyhow::Result<f64> {
    let line =
        text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name} there"))?;
    let number = line.split_whitespace().next().with_context(|| format!("no number after {name}"))?;
    Ok(number.parse()?)
}
