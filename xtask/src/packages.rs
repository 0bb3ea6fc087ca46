//! The Debian packages that building, testing and the demo need, and their installation.

use std::env;
use std::process::Command;

use anyhow::{Context, bail};

use crate::run::{output, run, say};

/// What packages are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Compiling everything but the window.
    Build,
    /// Compiling the window.
    Window,
    /// The headless desktop: display, bus, window manager, panel, notification service, screenshots.
    Desktop,
    /// Whatever else the tests start.
    Tests,
    /// Making packages and looking at them.
    Packages,
    /// What other people's servers are fed by.
    Peers,
    /// Several nodes of the server. (nginx may be missing.)
    Cluster,
}

/// Not every system has them: Ubuntu has Chromium as a snap alone, and older releases an older Tomcat. What needs them is
/// left out there.
const NOT_EVERYWHERE: &[&str] = &["chromium", "libtomcat10-embed-java"];

/// Every system has it. Where apt knows of none, its lists were never fetched.
const EVERYWHERE: &str = "build-essential";

/// A Debian package, and a file by which a machine without Debian's tools shows that it has the same (a program's
/// name, looked for on the PATH). Packages that bring no program have none.
struct Package {
    name: &'static str,
    program: Option<&'static str>,
}

const fn package(name: &'static str, program: Option<&'static str>) -> Package {
    Package { name, program }
}

const BUILD: &[Package] = &[package("build-essential", Some("cc"))];

const WINDOW: &[Package] =
    &[package("pkg-config", Some("pkg-config")), package("libwebkit2gtk-4.1-dev", None)];

const DESKTOP: &[Package] = &[
    package("xvfb", Some("Xvfb")),
    package("dbus-daemon", Some("dbus-daemon")),
    package("util-linux", Some("setpriv")),
    package("xfconf", None),
    package("xfwm4", Some("xfwm4")),
    package("xfce4-panel", Some("xfce4-panel")),
    package("xfce4-notifyd", None),
    package("adwaita-icon-theme", None),
    // The panel draws our tray icons with its SVG loader.
    package("librsvg2-common", None),
    package("fonts-noto-cjk", None),
    package("xdotool", Some("xdotool")),
    package("wmctrl", Some("wmctrl")),
    package("imagemagick", Some("import")),
];

const TESTS: &[Package] = &[
    package("nginx", Some("nginx")),
    package("iproute2", Some("ip")),
    package("webkit2gtk-driver", Some("WebKitWebDriver")),
    package("libc-bin", Some("ldd")),
    package("gnome-keyring", Some("gnome-keyring-daemon")),
    package("chromium", Some("chromium")),
    package("rpm", Some("rpm")),
    // Services and a tray host besides Xfce's, and what reads the words on a screen.
    package("dunst", Some("dunst")),
    package("mate-notification-daemon", None),
    package("mate-panel", Some("mate-panel")),
    package("tesseract-ocr", Some("tesseract")),
    package("tesseract-ocr-eng", None),
    package("fonts-dejavu-core", None),
    // A web app with a login, as the recipe's.
    package("libtomcat10-embed-java", None),
    package("default-jdk-headless", Some("javac")),
    package("haproxy", Some("haproxy")),
    package("tinyproxy-bin", Some("tinyproxy")),
    // An MQTT broker, and what publishes there.
    package("mosquitto", Some("mosquitto")),
    package("mosquitto-clients", Some("mosquitto_pub")),
    // What several nodes of the server share.
    package("nats-server", Some("nats-server")),
    // The pages' pictures are set in it.
    package("fonts-inter", None),
];

const PACKAGES: &[Package] = &[
    package("dpkg-dev", Some("dpkg-shlibdeps")),
    package("lintian", Some("lintian")),
    package("appstream", Some("appstreamcli")),
    package("debootstrap", Some("debootstrap")),
];

const CLUSTER: &[Package] = &[package("nats-server", Some("nats-server"))];

const PEERS: &[Package] = &[package("mosquitto-clients", Some("mosquitto_pub"))];

impl Purpose {
    fn packages(self) -> &'static [Package] {
        match self {
            Self::Build => BUILD,
            Self::Window => WINDOW,
            Self::Desktop => DESKTOP,
            Self::Tests => TESTS,
            Self::Packages => PACKAGES,
            Self::Peers => PEERS,
            Self::Cluster => CLUSTER,
        }
    }
}

/// The names of the packages for this.
pub(crate) fn names(purpose: Purpose) -> Vec<&'static str> {
    purpose.packages().iter().map(|package| package.name).collect()
}

/// Installs what is missing, or says what to install where that can't be done here.
pub(crate) fn install(purposes: &[Purpose]) -> anyhow::Result<()> {
    let wanted = purposes.iter().flat_map(|purpose| purpose.packages());
    if !(on_path("dpkg-query") && on_path("apt-get")) {
        return check_programs(wanted);
    }
    let mut missing: Vec<&str> = wanted.map(|package| package.name).filter(|name| !installed(name)).collect();
    if is_there(EVERYWHERE) {
        missing.retain(|name| to_be_had(name));
    }
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!("installing missing Debian packages: {}", missing.join(" ")));
    if missing.contains(&"nginx") {
        say("note: Debian's nginx starts a web server on port 80; the tests do not need it running, and");
        say("      `sudo systemctl disable --now nginx` ends it");
    }
    run(&mut apt_get(&["update", "-qq"])?)?;
    missing.retain(|name| to_be_had(name));
    run(apt_get(&["install", "-y", "-qq", "--no-install-recommends"])?.args(&missing)).with_context(|| {
        format!("please install them yourself: apt-get install --no-install-recommends {}", missing.join(" "))
    })
}

fn apt_get(args: &[&str]) -> anyhow::Result<Command> {
    let root = output(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = if root {
        Command::new("env")
    } else if on_path("sudo") {
        let mut sudo = Command::new("sudo");
        sudo.arg("env");
        sudo
    } else {
        bail!("packages are missing, and installing them needs root or sudo");
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(args);
    Ok(command)
}

/// Whether apt knows where to get it.
fn is_there(package: &str) -> bool {
    let policy = output(Command::new("apt-cache").args(["policy", package]).env("LC_ALL", "C"));
    policy.is_ok_and(|policy| policy.contains("Candidate:") && !policy.contains("Candidate: (none)"))
}

/// Whether it is worth asking for. What every system has is: let apt say why it can't be had.
fn to_be_had(package: &str) -> bool {
    if !NOT_EVERYWHERE.contains(&package) || is_there(package) {
        return true;
    }
    say(&format!("note: this system has no package {package}"));
    false
}

fn installed(package: &str) -> bool {
    let status = output(Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]));
    // Multi-arch answers once per architecture; unknown packages are an error.
    status.is_ok_and(|status| status.starts_with("installed"))
}

/// On a system without apt only programs can be looked for: libraries and themes show when they are used.
fn check_programs<'a>(wanted: impl Iterator<Item = &'a Package>) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for package in wanted {
        if let Some(program) = package.program.filter(|program| !on_path(program)) {
            missing.push(format!("  {program} (Debian's package {})", package.name));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!("there is no apt here to install packages with; please install\n{}", missing.join("\n"))
}

fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // Servers are in sbin, which is often on root's PATH only.
    let mut folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.any(|folder| folder.join(program).is_file())
}
