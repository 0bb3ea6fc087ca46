//! The wall between the window and everything else: only the root package's `window` feature may bring in Tauri,
//! GTK or WebKit. Three proofs: the dependency trees, the libraries that the agent loads, and a build that can't
//! find any system library by `pkg-config`.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::run::{cargo, output, program, say};

/// How the names of crates begin that belong on the other side.
const CRATES: [&str; 9] =
    ["tauri", "gtk", "gdk", "webkit", "javascriptcore", "soup", "wry", "tao", "libappindicator"];

/// A crate for Windows' notifications that has nothing but its name of Tauri.
const NO_TAURI: &str = "tauri-winrt-notification";

/// What the names of libraries hold that belong on the other side.
const LIBRARIES: [&str; 6] = ["gtk", "gdk", "webkit", "javascriptcore", "soup", "appindicator"];

/// Fails if a crate other than the window depends on one of [`CRATES`].
pub(crate) fn trees() -> anyhow::Result<()> {
    let list =
        ["tree", "--locked", "--workspace", "--exclude", "tidings", "--depth", "0", "--prefix", "none"];
    let packages = names(&output(&mut cargo(&list))?);
    ensure!(
        packages.iter().any(|name| name == "tidings-agent"),
        "the list of crates is not what it should be"
    );
    for package in packages.iter().map(String::as_str).chain(["tidings"]) {
        let tree = [
            "tree",
            "--locked",
            "--no-default-features",
            "--target",
            "all",
            "--prefix",
            "none",
            "-p",
            package,
        ];
        let crates = names(&output(&mut cargo(&tree))?);
        let foreign: Vec<&String> = crates.iter().filter(|name| is_foreign(name)).collect();
        ensure!(
            foreign.is_empty(),
            "{package} depends on {foreign:?}; `cargo tree -p {package} --no-default-features -i CRATE` tells why"
        );
        say(&format!("{package}: {} crates, none of Tauri, GTK or WebKit", crates.len()));
    }
    Ok(())
}

/// Fails if the agent's binary loads one of [`LIBRARIES`].
pub(crate) fn libraries() -> anyhow::Result<()> {
    let us = env::current_exe().context("cannot tell where xtask is")?;
    let agent = us.with_file_name("tidings");
    let loaded = output(program("ldd").arg(&agent))?;
    ensure!(loaded.contains("libc.so"), "ldd did not tell what {} loads: {loaded}", agent.display());
    let foreign = loaded.lines().filter(|line| LIBRARIES.iter().any(|library| line.contains(library)));
    let foreign: Vec<&str> = foreign.map(str::trim).collect();
    ensure!(foreign.is_empty(), "the agent loads {foreign:?}");
    let files = loaded.lines().filter_map(|line| line.split_whitespace().next());
    say(&format!("the agent loads {}", files.collect::<Vec<_>>().join(", ")));
    Ok(())
}

/// Makes a cargo command blind for system libraries, as on a machine without their development packages.
pub(crate) fn without_system_libraries(command: &mut Command) -> anyhow::Result<&mut Command> {
    let nothing = Path::new("target/no-system-libraries");
    fs::create_dir_all(nothing).with_context(|| format!("cannot create {}", nothing.display()))?;
    let nothing = nothing.canonicalize().context("cannot tell where the empty folder is")?;
    Ok(command.env("PKG_CONFIG_LIBDIR", &nothing).env("PKG_CONFIG_PATH", &nothing))
}

/// The names of the packages in what `cargo tree --prefix none` prints, each once.
fn names(tree: &str) -> Vec<String> {
    let mut names: Vec<String> =
        tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    // Cargo's headings of the parts of a tree.
    names.retain(|name| !name.starts_with('['));
    names
}

fn is_foreign(name: &str) -> bool {
    name != NO_TAURI
        && CRATES.iter().any(|foreign| {
            name.strip_prefix(foreign)
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphabetic()))
        })
}

#[cfg(test)]
mod tests {
    use super::{NO_TAURI, is_foreign, names};

    #[test]
    fn knows_the_crates_of_the_other_side_from_those_that_only_sound_like_them() {
        for name in
            ["tauri", "tauri-build", "gtk", "gtk-sys", "gdk4", "webkit2gtk", "wry", "tao", "soup3-sys"]
        {
            assert!(is_foreign(name), "{name}");
        }
        for name in ["taos", "serde", "tidings-window", "wryneck", "zbus", NO_TAURI] {
            assert!(!is_foreign(name), "{name}");
        }
    }

    #[test]
    fn reads_each_crate_of_a_tree_once() {
        let tree = "tidings v0.1.0 (/somewhere)\nserde v1.0.0\n\n[dev-dependencies]\nserde v1.0.0 (*)\n";
        assert_eq!(names(tree), ["serde", "tidings"]);
    }
}
