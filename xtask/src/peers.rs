//! `cargo xtask peers`: other people's servers, kept for the next time, and the real Tidings at each of them. What is done
//! there is `tests/peers`; this installs and starts.
//!
//! Debian's are unpacked, not installed: no root is needed, no service starts by itself, and each release has the
//! libraries that its programs were made for. A server runs in its folder as in a system of its own (`tests/rig/peer.rs`).

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::build;
use crate::packages::{self, Purpose};
use crate::peer_names::{PEERS, RELEASES, Source};
use crate::run::{cargo, left_out, output, program, run, say, works};

/// Debian's own, wherever we are.
const MIRROR: &str = "http://deb.debian.org/debian";

/// What Debian signs its archive with; from its package `debian-archive-keyring` on systems that are none.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// What a folder needs to be one that a program can run in, whatever the program is.
const SYSTEM: [&str; 7] = ["base-files", "coreutils", "dash", "grep", "hostname", "sed", "util-linux"];

/// Names those that must be there (`tests/rig/peer.rs`).
const ASKED: &str = "TIDINGS_PEERS";

/// The versions of npm's packages.
const LOCK: &str = "tests/peers/servers/package-lock.json";

/// The versions of PyPI's packages: all that are needed, and none beside.
const REQUIREMENTS: &str = "tests/peers/servers/requirements.txt";

pub(crate) fn run_on(names: &[&'static str]) -> anyhow::Result<()> {
    packages::install(&[Purpose::Build, Purpose::Desktop, Purpose::Peers])?;
    let mut there = Vec::new();
    for (name, source, _) in PEERS.iter().filter(|(name, ..)| names.contains(name)) {
        let come = match source {
            Source::Debian(release) => debian(release, &source.folder()),
            Source::Npm => npm(&source.folder()),
            Source::PyPi => pypi(&source.folder()),
        };
        match come {
            Ok(()) => there.push(*name),
            Err(why) => left_out(&format!("{name}: {why:#}")),
        }
    }
    ensure!(!there.is_empty(), "none of the servers can be had here");
    build::programs(&["tidings"])?;
    let tests = ["test", "--locked", "--workspace", "--test", "peers"];
    run(cargo(&tests).env(ASKED, there.join(",")))?;
    ensure!(there.len() == names.len(), "not all of the servers can be had here");
    Ok(())
}

/// Those that are not here, and so tried by no test.
pub(crate) fn missing() -> Vec<&'static str> {
    let missing = PEERS.iter().filter(|(_, source, _)| !source.folder().exists());
    missing.map(|(name, ..)| *name).collect()
}

/// Unpacks a release's packages, unless they are there.
fn debian(release: &str, root: &Path) -> anyhow::Result<()> {
    let (_, wanted) = RELEASES.iter().find(|(name, _)| *name == release).context("no such release")?;
    let wanted: Vec<&str> = SYSTEM.iter().chain(*wanted).copied().collect();
    let note = root.with_extension("packages");
    if fs::read_to_string(&note).is_ok_and(|there| there == wanted.join("\n")) {
        return Ok(());
    }
    ensure!(works(program("apt-get").arg("--version")), "there is no apt here to bring Debian's packages");
    ensure!(Path::new(KEYRING).exists(), "there is no {KEYRING} (Debian's package debian-archive-keyring)");
    say(&format!("unpacking servers of Debian {release} in {}, up to 300 MB", root.display()));
    if root.exists() {
        fs::remove_dir_all(root).with_context(|| root.display().to_string())?;
    }
    let apt = std::path::absolute(root.with_extension("apt"))?;
    for folder in ["lists/partial", "archives/partial"] {
        fs::create_dir_all(apt.join(folder)).with_context(|| apt.display().to_string())?;
    }
    fs::write(apt.join("sources.list"), format!("deb [signed-by={KEYRING}] {MIRROR} {release} main\n"))?;
    // Nothing counts as installed, so that all that is needed comes.
    fs::write(apt.join("status"), "")?;
    run(apt_get(&apt).args(["-qq", "update"]))?;
    run(apt_get(&apt)
        .args(["-qq", "-y", "--no-install-recommends", "--download-only", "install"])
        .args(&wanted))?;
    for file in fs::read_dir(apt.join("archives"))? {
        let file = file?.path();
        if file.extension().is_some_and(|ending| ending == "deb") {
            unpack(&file, root)?;
        }
    }
    // What the packages' scripts would make, as far as a server asks. Some libraries have their short names by it alone.
    for libraries in fs::read_dir(root.join("usr/lib"))?.flatten().filter(|name| name.path().is_dir()) {
        if libraries.file_name().to_string_lossy().ends_with("-linux-gnu") {
            run(program("/sbin/ldconfig").arg("-n").arg(libraries.path()))?;
        }
    }
    fs::write(root.join("etc/hosts"), "127.0.0.1 localhost\n")?;
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/tmp:/bin/sh\n")?;
    fs::write(root.join("etc/group"), "root:x:0:\n")?;
    fs::remove_dir_all(&apt).with_context(|| apt.display().to_string())?;
    fs::write(note, wanted.join("\n")).context("cannot note what is there")
}

/// Apt with this folder's lists and packages instead of the system's.
fn apt_get(folder: &Path) -> Command {
    let mut command = program("apt-get");
    for (setting, file) in [
        ("Dir::Etc::sourcelist", "sources.list"),
        ("Dir::Etc::sourceparts", "no-parts"),
        ("Dir::State::lists", "lists"),
        ("Dir::State::status", "status"),
        ("Dir::State::extended_states", "extended_states"),
        ("Dir::Cache::archives", "archives"),
        ("Dir::Cache::pkgcache", "pkgcache.bin"),
        ("Dir::Cache::srcpkgcache", "srcpkgcache.bin"),
    ] {
        command.arg("-o").arg(format!("{setting}={}", folder.join(file).display()));
    }
    // Apt's own user, as which it fetches when it is root, can't write here.
    command.args(["-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none"]);
    command
}

fn unpack(package: &Path, root: &Path) -> anyhow::Result<()> {
    let shown =
        output(program("dpkg-deb").args(["--showformat=${Package} ${Version}", "--show"]).arg(package))?;
    let (name, version) = shown.split_once(' ').context("a package without a version")?;
    if RELEASES.iter().any(|(_, wanted)| wanted.contains(&name)) {
        say(&format!("  {name} {version}"));
    }
    output(program("dpkg-deb").arg("--extract").arg(package).arg(root)).map(drop)
}

/// Has npm bring its packages, unless they are there; it checks their checksums.
fn npm(folder: &Path) -> anyhow::Result<()> {
    let lock = fs::read(LOCK).context(LOCK)?;
    if fs::read(folder.join("node_modules/there")).is_ok_and(|there| there == lock) {
        return Ok(());
    }
    for name in ["node", "npm"] {
        ensure!(
            works(program(name).arg("--version")),
            "there is no {name} (Debian's packages nodejs and npm)"
        );
    }
    fs::create_dir_all(folder)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(Path::new(LOCK).with_file_name(file), folder.join(file)).context(file)?;
    }
    // Not by `--prefix`: npm finds nothing there where the way to it leads over a link.
    run(program("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder))?;
    fs::write(folder.join("node_modules/there"), lock).context("cannot note what is there")
}

/// Has pip bring PyPI's packages, unless they are there. A version's files never change there.
fn pypi(folder: &Path) -> anyhow::Result<()> {
    let wanted = fs::read(REQUIREMENTS).context(REQUIREMENTS)?;
    let note = folder.join("there");
    if fs::read(&note).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    ensure!(
        works(
            program("python3").args([
                "-c",
                "import ensurepip, sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))"
            ])
        ),
        "there is no Python 3.11 or 3.12 that can make an environment (Debian's packages python3 and python3-venv)"
    );
    run(program("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    let install = [
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
        "--disable-pip-version-check",
        "--requirement",
        REQUIREMENTS,
    ];
    run(Command::new(folder.join("bin/pip")).args(install))?;
    fs::write(note, wanted).context("cannot note what is there")
}
