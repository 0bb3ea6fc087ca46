//! Facts of the machine, without which figures say little.

use std::fs;

/// In one line.
pub(crate) fn facts() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, key: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("unknown");
        value.trim_matches(['\t', ' ', ':', '=', '"']).to_owned()
    };
    let cpu = after(&read("/proc/cpuinfo"), "model name");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = after(&read("/proc/meminfo"), "MemTotal");
    let kernel = read("/proc/sys/kernel/osrelease");
    let system = after(&read("/etc/os-release"), "PRETTY_NAME");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("unknown");
    let version = env!("CARGO_PKG_VERSION");
    // The agent may be another's, by TIDINGS_BIN.
    let bench = if cfg!(debug_assertions) { "benchmark unoptimised" } else { "release build" };
    format!(
        "Tidings {version}, {bench}; {cores} cores of {cpu}, memory {memory}, {system}, Linux {}, load {load}",
        kernel.trim()
    )
}
