//! The browser in which the window's page is tested. Looked for by `xtask`, too, which leaves those tests out where there
//! is none: Ubuntu has Chromium as a snap alone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// As distributions call it.
const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Longest that a script is that only calls a snap, bytes. The browser itself has a hundred MiB.
const SCRIPT: u64 = 64 * 1024;

/// The first on the PATH that can be used.
pub(crate) fn program() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut programs =
        env::split_paths(&path).flat_map(|folder| PROGRAMS.map(|program| folder.join(program)));
    programs.find(|program| program.is_file() && !is_snap(program))
}

/// A snap sees neither temporary folders nor what a test writes there.
fn is_snap(program: &Path) -> bool {
    let target = fs::canonicalize(program).unwrap_or_default();
    let is_script = fs::metadata(&target).is_ok_and(|its| its.len() < SCRIPT);
    let calls_snap = || String::from_utf8_lossy(&fs::read(&target).unwrap_or_default()).contains("/snap/");
    target.ends_with("snap") || target.starts_with("/snap") || (is_script && calls_snap())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::is_snap;

    #[test]
    fn a_snap_is_known_by_where_its_link_or_its_script_leads() {
        let folder = std::env::temp_dir().join(format!("tidings-chromium-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let program = |name: &str, text: &str| {
            let program = folder.join(name);
            fs::write(&program, text).expect("a program");
            program
        };
        let debian = program("debian", "#!/bin/sh\nexec /usr/lib/chromium/chromium \"$@\"\n");
        let ubuntu = program("ubuntu", "#!/bin/sh\nexec /snap/bin/chromium \"$@\"\n");
        program("snap", "the one that runs all of them");
        symlink("snap", folder.join("chromium")).expect("a link");
        assert!(!is_snap(&debian) && is_snap(&ubuntu) && is_snap(&folder.join("chromium")));
        fs::remove_dir_all(&folder).expect("it is removed");
    }
}
