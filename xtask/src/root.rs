//! `cargo xtask package --check`: the `.deb` in a fresh Debian of the same release, made by debootstrap. What happens
//! there is told by `packaging/check.sh`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::build;
use crate::package::Made;
use crate::packages::{self, Purpose};
use crate::run::{beside_us, output, program, run, say};

/// The fresh Debian, kept for the next time.
const FRESH: &str = "target/debian";

/// The one that is used.
const ROOT: &str = "target/package/debian";

/// What the older package calls itself. It holds the same programs: what is tested is the package.
const OLDER: &str = "0.0.1";

/// Asked before the packages are made, which takes minutes.
pub(crate) fn ensure_allowed() -> anyhow::Result<()> {
    ensure!(output(program("id").arg("-u"))?.trim() == "0", "only root can make a Debian to install into");
    Ok(())
}

pub(crate) fn check(made: &Made) -> anyhow::Result<()> {
    build::programs(&["tidings-server", "tidings-demo"])?;

    let fresh = fresh()?;
    if Path::new(ROOT).exists() {
        fs::remove_dir_all(ROOT).context("cannot remove the Debian of before")?;
    }
    run(program("cp").args(["--archive", "--reflink=auto"]).arg(fresh).arg(ROOT))?;
    let there = Path::new(ROOT).join("opt/check");
    fs::create_dir_all(&there).with_context(|| there.display().to_string())?;
    let copy = |from: &Path, name: &str| {
        fs::copy(from, there.join(name)).with_context(|| format!("cannot copy {}", from.display()))
    };
    copy(&made.deb, "new.deb")?;
    copy(&older(&made.deb)?, "old.deb")?;
    copy(&beside_us("tidings-server")?, "tidings-server")?;
    copy(&beside_us("tidings-demo")?, "tidings-demo")?;
    copy(Path::new("packaging/check.sh"), "check.sh")?;
    fs::write(there.join("desktop"), packages::names(Purpose::Desktop).join(" "))?;

    // Mounts and processes are the check's own, and end with it.
    let script = format!(
        "cd {ROOT} && mount -t proc proc proc && mount --rbind /dev dev && mount -t sysfs sysfs sys && \
         mount -t tmpfs tmpfs tmp && chmod 1777 tmp && exec chroot . /bin/bash /opt/check/check.sh"
    );
    run(program("unshare")
        .args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", &script])
        .env_clear()
        .envs(
            env::vars_os().filter(|(name, _)| name == "PATH" || name.to_string_lossy().ends_with("_proxy")),
        ))?;
    let shots = Path::new("target/package/shots");
    fs::rename(there.join("shots"), shots).context("there are no screenshots")?;
    fs::remove_dir_all(ROOT).context("cannot remove the Debian that was used")?;
    say(&format!("the package installs, upgrades, works and goes; screenshots are in {}", shots.display()));
    Ok(())
}

/// A Debian with nothing in it but what every Debian has.
fn fresh() -> anyhow::Result<PathBuf> {
    let fresh = PathBuf::from(FRESH);
    if !fresh.join("etc/debian_version").exists() {
        let release = output(program("sh").args(["-c", ". /etc/os-release && echo $VERSION_CODENAME"]))?;
        run(program("debootstrap").args(["--variant=minbase", release.trim()]).arg(&fresh))?;
        // The mirrors that this machine uses.
        fs::remove_file(fresh.join("etc/apt/sources.list")).context("cannot remove debootstrap's mirror")?;
        for part in ["sources.list", "sources.list.d"] {
            let (from, to) = (Path::new("/etc/apt").join(part), fresh.join("etc/apt"));
            if from.exists() {
                run(program("cp")
                    .args(["--recursive", "--no-target-directory"])
                    .arg(from)
                    .arg(to.join(part)))?;
            }
        }
        let apt = output(program("apt-config").args(["dump", "Acquire"]))?;
        fs::write(fresh.join("etc/apt/apt.conf.d/99acquire"), apt).context("cannot write apt's settings")?;
        let resolver = Path::new("/etc/resolv.conf");
        fs::copy(resolver, fresh.join("etc/resolv.conf")).context("cannot copy the name servers")?;
    }
    Ok(fresh)
}

/// The same package as an older version without recommendations, which the newer one then brings.
fn older(deb: &Path) -> anyhow::Result<PathBuf> {
    let folder = Path::new("target/package/older");
    run(program("dpkg-deb").arg("--raw-extract").arg(deb).arg(folder))?;
    let path = folder.join("DEBIAN/control");
    let control = fs::read_to_string(&path)?;
    let lines = control.lines().filter(|line| !line.starts_with("Recommends: ")).map(|line| {
        if line.starts_with("Version: ") { format!("Version: {OLDER}\n") } else { format!("{line}\n") }
    });
    fs::write(&path, lines.collect::<String>())?;
    let older = Path::new("target/package").join("older.deb");
    run(program("dpkg-deb").args(["--root-owner-group", "--build"]).arg(folder).arg(&older))?;
    fs::remove_dir_all(folder).context("cannot tidy up")?;
    Ok(older)
}
