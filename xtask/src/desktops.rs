//! `cargo xtask desktops`: a Debian sid with every notification service and tray host in it, kept for the next time, and the
//! real Tidings on each of them. What is done there is `tests/desktops`; this installs and starts.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::packages::{self, Purpose};
use crate::run::{beside_us, output, program, run, say};
use crate::{build, debian};

/// All of it.
const FOLDER: &str = "target/desktops";

/// The Debian. Removed by hand, the next run has the newest versions of all.
const ROOT: &str = "target/desktops/debian";

/// Its release: the one with the newest desktops.
const RELEASE: &str = "sid";

/// What the stages need besides the services and hosts: display, bus, a compositor, what they are started with, eyes and
/// hands.
const STAGE: [&str; 22] = [
    "xvfb",
    "dbus-daemon",
    "util-linux",
    "libglib2.0-bin",
    "sway",
    "xfconf",
    "stalonetray",
    "kded6",
    "plasma-desktop",
    "gnome-shell",
    "gjs",
    "ibus",
    "adwaita-icon-theme",
    "breeze-icon-theme",
    "librsvg2-common",
    "fonts-dejavu-core",
    "fonts-noto-core",
    "xdotool",
    "imagemagick",
    "tesseract-ocr",
    "tesseract-ocr-eng",
    "mate-icon-theme",
];

pub(crate) fn run_on(names: &[String]) -> anyhow::Result<()> {
    let user = output(program("id").arg("-u"))?;
    ensure!(
        user.trim() == "0" || crate::run::works(program("sudo").args(["-v"])),
        "making a Debian needs root or sudo"
    );
    packages::install(&[Purpose::Build, Purpose::Packages])?;
    build::programs(&["tidings", "tidings-desktops"])?;
    debian()?;

    let there = Path::new(ROOT).join("opt/tidings");
    run(as_root("mkdir").arg("--parents").arg(&there))?;
    for name in ["tidings", "tidings-desktops"] {
        run(as_root("install").arg(beside_us(name)?).arg(there.join(name)))?;
    }
    let only: String = names.iter().map(|name| format!(" --only {name}")).collect();
    // What the agent logs is much, and for those who look for a cause.
    let come = inside(&format!(
        "rm --recursive --force /opt/tidings/out && \
         TIDINGS_BIN=/opt/tidings/tidings /opt/tidings/tidings-desktops --out /opt/tidings/out{only} 2>/opt/tidings/log"
    ));
    let out = PathBuf::from(FOLDER).join("seen");
    if out.exists() {
        fs::remove_dir_all(&out).context("cannot remove what was seen before")?;
    }
    run(program("cp").arg("--recursive").arg(there.join("out")).arg(&out))?;
    run(program("cp").arg(there.join("log")).arg(out.join("log")))?;
    say(&format!(
        "please look at {} and {}",
        out.join("table.md").display(),
        out.join("sheet.png").display()
    ));
    come.context("not all was as it should be")
}

/// Makes the Debian, or brings what it lacks.
fn debian() -> anyhow::Result<()> {
    let root = Path::new(ROOT);
    if !root.join("etc/debian_version").exists() {
        say(&format!(
            "making a Debian {RELEASE} in {ROOT} by debootstrap: some minutes, and 3 GB in the end"
        ));
        fs::create_dir_all(FOLDER).with_context(|| FOLDER.to_owned())?;
        run(as_root("debootstrap").args(["--variant=minbase", RELEASE]).arg(root))?;
        let apt = Path::new(FOLDER).join("apt.conf");
        let mirrors = output(program("apt-config").args(["dump", "Acquire"]))?;
        fs::write(&apt, format!("{mirrors}APT::Install-Recommends \"false\";\n"))
            .context("apt's settings")?;
        run(as_root("cp").arg(&apt).arg(root.join("etc/apt/apt.conf.d/99tidings")))?;
        run(as_root("cp").args(["--dereference", "/etc/resolv.conf"]).arg(root.join("etc/resolv.conf")))?;
    }
    let wanted = debian::SERVICES.iter().chain(&debian::HOSTS).map(|(_, package)| *package).chain(STAGE);
    let wanted = wanted.collect::<Vec<_>>().join(" ");
    let known = Path::new(FOLDER).join("packages");
    if fs::read_to_string(&known).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    // No service of theirs may start by being installed.
    inside(&format!(
        "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d && \
         export DEBIAN_FRONTEND=noninteractive && apt-get update -qq && apt-get install -y -qq {wanted} >/dev/null"
    ))?;
    fs::write(known, wanted).context("cannot note what is installed")
}

/// Runs this in the Debian; mounts and processes are its own, and end with it.
fn inside(script: &str) -> anyhow::Result<()> {
    let enter = format!(
        "cd {ROOT} && mount -t proc proc proc && mount --rbind /dev dev && mount -t sysfs sysfs sys && \
         mount -t tmpfs tmpfs tmp && chmod 1777 tmp && mount -t tmpfs tmpfs run && exec chroot . /bin/sh -ec \"$1\""
    );
    let mut variables =
        vec!["PATH=/usr/sbin:/usr/bin:/sbin:/bin".into(), "HOME=/root".into(), "LANG=C.UTF-8".into()];
    let proxies = env::vars().filter(|(name, _)| name.ends_with("_proxy"));
    variables.extend(proxies.map(|(name, value)| format!("{name}={value}")));
    run(as_root("env").arg("--ignore-environment").args(variables).args([
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-ec",
        &enter,
        "sh",
        script,
    ]))
}

/// A command that root runs.
fn as_root(name: &str) -> Command {
    if output(program("id").arg("-u")).is_ok_and(|user| user.trim() == "0") {
        return program(name);
    }
    let mut sudo = program("sudo");
    sudo.arg(name);
    sudo
}
