//! The notification services and tray hosts that Debian has, and how each is put on a stage without a screen.
//!
//! ```text
//! Xvfb ── bus ─┬─ service or host                                X11
//!              ├─ sway (in Xvfb) ── service or host              Wayland, layer shell
//!              ├─ kded6 ── plasmashell                           Plasma
//!              └─ gnome-shell --headless                         GNOME; looked at and clicked over the bus
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::time::{Instant, sleep};
use zbus::proxy;

use crate::debian;
use crate::desktop::{Desktop, PrivateBus, SCREEN, component};
use crate::picture::{Area, Picture};

const POPUPS: &str = "org.freedesktop.Notifications";
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// Between two looks at a screen.
const LOOK: Duration = Duration::from_millis(100);
/// How long a screen may go on changing before it is taken as it is: some draw the time that a popup has left.
const SETTLE: Duration = Duration::from_secs(4);
/// How high the bars of GNOME's and Plasma's shells are, at most, in pixels.
const BAR: i32 = 60;
/// The share of pixels that stay as they are on a calm screen: some popups draw the time that they have left.
const CALM: f64 = 0.9995;
/// How long a change may take to be seen: software rendering on a busy machine.
const REACTION: Duration = Duration::from_secs(20);
/// What a bus starts by itself for GNOME and Plasma: all that their packages bring, but no other's service.
const SERVICE_FILES: &str = "/usr/share/dbus-1/services";

/// On what a program shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An X display.
    X11,
    /// A wlroots compositor.
    Sway,
    /// Plasma's shell.
    Plasma,
    /// GNOME's shell.
    Gnome,
}

/// Where and how a message is opened from its popup.
#[derive(Debug, Clone, Copy)]
pub struct Press {
    /// Share of the popup's width.
    pub across: f64,
    /// Share of its height.
    pub down: f64,
    /// Mouse button: 1 left, 2 middle, 3 right.
    pub button: u8,
}

/// A notification service or a tray host.
#[derive(Debug)]
pub struct Real {
    /// Which desktops and tests call it so.
    pub name: &'static str,
    /// Where it lives.
    pub kind: Kind,
    /// Its program: on the PATH, or in one of these places.
    pub programs: &'static [&'static str],
    /// Its arguments.
    pub args: &'static [&'static str],
    /// How its popups open a message; `None`: they can't, or it is a tray host.
    pub press: Option<Press>,
}

const BODY: Option<Press> = Some(Press { across: 0.5, down: 0.5, button: 1 });

/// The notification services.
pub const SERVICES: &[Real] = &[
    Real {
        // A left click only closes.
        press: Some(Press { across: 0.5, down: 0.5, button: 2 }),
        ..service("dunst", Kind::X11, &["dunst"])
    },
    service("mako", Kind::Sway, &["mako"]),
    service("swaync", Kind::Sway, &["swaync"]),
    service("fnott", Kind::Sway, &["fnott"]),
    service("lxqt-notificationd", Kind::X11, &["lxqt-notificationd"]),
    Real {
        // Its button alone opens anything.
        press: Some(Press { across: 0.75, down: 0.76, button: 1 }),
        ..service("xfce4-notifyd", Kind::X11, &["notifyd/xfce4-notifyd"])
    },
    service(
        "mate-notification-daemon",
        Kind::X11,
        &[
            "/usr/libexec/mate-notification-daemon/mate-notification-daemon",
            "/usr/lib/mate-notification-daemon/mate-notification-daemon",
        ],
    ),
    service(
        "notification-daemon",
        Kind::X11,
        &["/usr/libexec/notification-daemon", "/usr/lib/notification-daemon/notification-daemon"],
    ),
    Real {
        press: None,
        ..service(
            "notify-osd",
            Kind::X11,
            &["/usr/libexec/notify-osd", "/usr/lib/x86_64-linux-gnu/notify-osd"],
        )
    },
    service("plasma-popups", Kind::Plasma, &["plasmashell"]),
    service("gnome-popups", Kind::Gnome, &["gnome-shell"]),
];

/// The tray hosts.
pub const HOSTS: &[Real] = &[
    Real { args: &["--disable-wm-check"], ..host("xfce4-panel", Kind::X11, &["xfce4-panel"]) },
    host("mate-panel", Kind::X11, &["mate-panel"]),
    host("lxqt-panel", Kind::X11, &["lxqt-panel"]),
    host("snixembed", Kind::X11, &["snixembed"]),
    host("waybar", Kind::Sway, &["waybar"]),
    host("swaybar", Kind::Sway, &["swaybar"]),
    host("plasma-tray", Kind::Plasma, &["plasmashell"]),
    host("gnome-tray", Kind::Gnome, &["gnome-shell"]),
];

const fn service(name: &'static str, kind: Kind, programs: &'static [&'static str]) -> Real {
    Real { name, kind, programs, args: &[], press: BODY }
}

const fn host(name: &'static str, kind: Kind, programs: &'static [&'static str]) -> Real {
    Real { name, kind, programs, args: &[], press: None }
}

/// The service of this name.
pub fn named(name: &str) -> anyhow::Result<&'static Real> {
    SERVICES.iter().chain(HOSTS).find(|real| real.name == name).with_context(|| format!("no {name} is known"))
}

impl Real {
    /// Whether it is installed, or else what is missing.
    pub fn program(&self) -> anyhow::Result<PathBuf> {
        for program in self.programs {
            let found =
                if let Some(absolute) = Path::new(program).is_absolute().then(|| PathBuf::from(program)) {
                    Some(absolute).filter(|path| path.is_file())
                } else if program.contains('/') {
                    component(program).ok()
                } else {
                    on_path(program)
                };
            if let Some(found) = found {
                return Ok(found);
            }
        }
        bail!("{} is not installed (Debian package: {})", self.name, self.package())
    }

    /// Debian's package.
    pub fn package(&self) -> &'static str {
        debian::package(self.name).unwrap_or_default()
    }

    fn is_host(&self) -> bool {
        debian::HOSTS.iter().any(|(name, _)| *name == self.name)
    }

    fn owns(&self) -> &'static str {
        if self.is_host() { WATCHER } else { POPUPS }
    }

    /// Its version, as Debian tells it.
    pub fn version(&self) -> String {
        let mut query = std::process::Command::new("dpkg-query");
        let output = query.args(["-W", "-f", "${Version}", self.package()]).output();
        output.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
    }
}

/// A stage with one service or host on it.
#[derive(Debug)]
pub struct Stage {
    desktop: Desktop,
    real: &'static Real,
    shell: Option<Shell>,
}

/// What GNOME's shell lets a test do (`--unsafe-mode`).
#[derive(Debug)]
struct Shell {
    connection: zbus::Connection,
    folder: PathBuf,
}

#[proxy(
    interface = "org.gnome.Shell",
    default_service = "org.gnome.Shell",
    default_path = "/org/gnome/Shell"
)]
trait GnomeShell {
    fn eval(&self, script: &str) -> zbus::Result<(bool, String)>;
}

#[proxy(
    interface = "org.gnome.Shell.Screenshot",
    default_service = "org.gnome.Shell.Screenshot",
    default_path = "/org/gnome/Shell/Screenshot"
)]
trait GnomeScreenshot {
    fn screenshot(&self, cursor: bool, flash: bool, file: &str) -> zbus::Result<(bool, String)>;
}

impl Stage {
    /// Puts it on its stage and waits until it is on the bus.
    pub async fn with(real: &'static Real) -> anyhow::Result<Self> {
        let mut stage = Self::empty(real, false).await?;
        stage.start().await?;
        Ok(stage)
    }

    /// The stage alone: the bus starts the service when somebody calls it.
    pub async fn started_by_the_bus(real: &'static Real) -> anyhow::Result<Self> {
        ensure!(matches!(real.kind, Kind::X11 | Kind::Sway), "the bus doesn't start a whole shell");
        Self::empty(real, true).await
    }

    async fn empty(real: &'static Real, on_demand: bool) -> anyhow::Result<Self> {
        let program = real.program()?.display().to_string();
        let prefix = match real.kind {
            // Its notification area is a program of its own.
            Kind::X11 if real.name == "mate-panel" => Some("org.mate.panel."),
            Kind::X11 | Kind::Sway => None,
            Kind::Plasma => Some("org.kde."),
            Kind::Gnome => Some("org.gnome."),
        };
        let mut services = prefix.map(service_files).transpose()?.unwrap_or_default();
        if on_demand {
            services.push((POPUPS.to_owned(), program));
        }
        let services: Vec<(&str, &str)> =
            services.iter().map(|(name, command)| (name.as_str(), command.as_str())).collect();
        let mut desktop = Desktop::bare(&services).await?;
        desktop.write_settings()?;
        let mut shell = None;
        match real.kind {
            Kind::X11 => {}
            Kind::Sway => {
                let bar =
                    if real.name == "swaybar" { "bar {\nposition top\nicon_theme Adwaita\n}\n" } else { "" };
                let config = desktop.home().join("sway.conf");
                fs::write(&config, format!("{SWAY}{bar}"))?;
                for (name, value) in [
                    ("WLR_BACKENDS", "x11"),
                    ("WLR_RENDERER", "pixman"),
                    ("WLR_NO_HARDWARE_CURSORS", "1"),
                    ("XDG_CURRENT_DESKTOP", "sway"),
                    ("XDG_SESSION_TYPE", "wayland"),
                    ("GDK_BACKEND", "wayland"),
                ] {
                    desktop.set(name, value);
                }
                let socket = desktop.runtime().join("wayland-1");
                if real.name != "swaybar" {
                    desktop.add_program("sway", "sway", &["-c", &config.to_string_lossy()])?;
                    appears(&socket).await?;
                    desktop.set("WAYLAND_DISPLAY", "wayland-1");
                }
            }
            Kind::Plasma => {
                for (name, value) in [
                    ("XDG_CURRENT_DESKTOP", "KDE"),
                    ("KDE_FULL_SESSION", "true"),
                    ("KDE_SESSION_VERSION", "6"),
                    ("QT_QPA_PLATFORM", "xcb"),
                    ("LIBGL_ALWAYS_SOFTWARE", "1"),
                ] {
                    desktop.set(name, value);
                }
            }
            Kind::Gnome => {
                let keys = desktop.home().join(".config/glib-2.0/settings");
                fs::create_dir_all(&keys)?;
                fs::write(keys.join("keyfile"), GNOME)?;
                let system = PrivateBus::start()?;
                for (name, value) in [
                    ("XDG_CURRENT_DESKTOP", "GNOME"),
                    ("XDG_SESSION_TYPE", "wayland"),
                    ("GSETTINGS_BACKEND", "keyfile"),
                    ("GDK_BACKEND", "wayland"),
                    ("LIBGL_ALWAYS_SOFTWARE", "1"),
                    // Nothing is on it; without one the shell doesn't start.
                    ("DBUS_SYSTEM_BUS_ADDRESS", system.address()),
                ] {
                    desktop.set(name, value);
                }
                desktop.keep(system);
                let folder = desktop.home();
                shell = Some(Shell { connection: desktop.bus().connect().await?, folder });
            }
        }
        desktop.bus().lend(desktop.env()).await?;
        Ok(Self { desktop, real, shell })
    }

    /// Starts the service or host.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let (desktop, real) = (&mut self.desktop, self.real);
        let program = real.program()?;
        match (real.kind, real.name) {
            (Kind::X11, "xfce4-panel" | "xfce4-notifyd") => {
                if !desktop.has("xfconfd") {
                    desktop.add(component("xfconf/xfconfd")?, &[], "org.xfce.Xfconf").await?;
                }
                desktop.add(program, real.args, real.owns()).await?;
            }
            (Kind::X11, "snixembed") => {
                if !desktop.has("stalonetray") {
                    let tray = ["--geometry", "6x1-0+0", "--icon-size", "24", "--background", "#202020"];
                    desktop.add_program("stalonetray", "stalonetray", &tray)?;
                }
                desktop.add(program, real.args, real.owns()).await?;
            }
            (Kind::Sway, "swaybar") => {
                let config = desktop.home().join("sway.conf").display().to_string();
                desktop.add("sway", &["-c", &config], real.owns()).await?;
            }
            (Kind::Plasma, _) => {
                if !desktop.has("kded6") {
                    desktop.add("kded6", &[], WATCHER).await?;
                }
                desktop.add(program, real.args, POPUPS).await?;
            }
            (Kind::Gnome, _) => {
                let args = ["--headless", "--virtual-monitor", "1280x720", "--unsafe-mode", "--no-x11"];
                // The service's own name stays with a helper of the shell's when that ends.
                desktop.add(program, &args, "org.gnome.Shell").await?;
                desktop.bus().wait_for_name(real.owns(), REACTION).await?;
                self.greeted().await?;
            }
            _ => desktop.add(program, real.args, real.owns()).await?,
        }
        self.picture().await.map(drop)
    }

    /// Ends the service or host, and starts it again.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.end()?;
        self.start().await
    }

    /// Ends the service or host.
    pub fn end(&mut self) -> anyhow::Result<()> {
        let program = if self.real.name == "swaybar" { "sway".into() } else { self.real.program()? };
        if self.real.name == "plasma-tray" {
            // It has the list of icons.
            self.desktop.remove("kded6")?;
        }
        self.desktop.remove(&program.file_name().context("no name")?.to_string_lossy())
    }

    /// GNOME begins in its overview, and with words to root.
    async fn greeted(&self) -> anyhow::Result<()> {
        self.eval("Main.overview.hide(); 0").await?;
        // Twice: the banner may come while the first looks.
        for _ in 0..2 {
            self.settled().await?;
            self.clear().await?;
        }
        Ok(())
    }

    /// Whether there is anything to look at while the service or host has ended.
    pub fn outlasts_it(&self) -> bool {
        self.shell.is_none()
    }

    /// Takes away the popup that stays while nobody is there: GNOME's, in whose place the next one comes.
    pub async fn clear(&self) -> anyhow::Result<()> {
        if self.shell.is_none() {
            return Ok(());
        }
        self.eval("Main.messageTray.getSources().forEach(source => source.destroy()); 0").await
    }

    /// What the table calls it.
    pub fn name(&self) -> &'static str {
        self.real.name
    }

    /// How its popups open a message.
    pub fn presses(&self) -> Option<Press> {
        self.real.press
    }

    /// The desktop that all of it is on.
    pub fn desktop(&self) -> &Desktop {
        &self.desktop
    }

    /// What a person would see.
    pub async fn picture(&self) -> anyhow::Result<Picture> {
        let Some(shell) = &self.shell else { return self.desktop.picture() };
        let file = shell.folder.join("screen.png");
        let screenshot = GnomeScreenshotProxy::new(&shell.connection).await?;
        let (taken, _) = screenshot.screenshot(false, false, &file.to_string_lossy()).await?;
        ensure!(taken, "the shell took no picture");
        let mut convert = tokio::process::Command::new("convert");
        let output = convert.arg(&file).args(["-depth", "8", "ppm:-"]).output().await?;
        Picture::from_ppm(&output.stdout)
    }

    /// The same, once it has stopped changing.
    pub async fn settled(&self) -> anyhow::Result<Picture> {
        let deadline = Instant::now() + SETTLE;
        let mut before = self.picture().await?;
        let mut same = 0;
        // Some fade in by steps that take longer than a look.
        while same < 3 && Instant::now() < deadline {
            sleep(LOOK).await;
            let now = self.picture().await?;
            same = if now.alike(&before) >= CALM { same + 1 } else { 0 };
            before = now;
        }
        Ok(before)
    }

    /// Waits until the screen differs from what it was, and is calm: where, and what it is now.
    pub async fn changed(&self, what: &str, before: &Picture) -> anyhow::Result<(Area, Picture)> {
        self.changed_in(None, what, before).await
    }

    /// The same, within the ground alone.
    pub async fn changed_in(
        &self,
        ground: Option<Area>,
        what: &str,
        before: &Picture,
    ) -> anyhow::Result<(Area, Picture)> {
        let change = |now: &Picture| match ground {
            None => now.changed_since(before),
            Some(ground) => now.changed_within(ground, before),
        };
        let deadline = Instant::now() + REACTION;
        loop {
            let seen = change(&self.picture().await?).is_some();
            // Some flash once, and come then.
            if seen {
                let now = self.settled().await?;
                if let Some(area) = change(&now) {
                    return Ok((area, now));
                }
            }
            ensure!(Instant::now() < deadline, "waited {REACTION:?} to see {what}; the screen is as it was");
            sleep(LOOK).await;
        }
    }

    /// Where popups may be: not where a shell's clock is.
    pub fn ground(&self) -> Area {
        let pixels = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
        let (width, height) = (pixels(SCREEN.0), pixels(SCREEN.1));
        let (y, height) = match self.real.kind {
            Kind::X11 | Kind::Sway => (0, height),
            Kind::Plasma => (0, height - BAR),
            Kind::Gnome => (BAR / 2, height - BAR / 2),
        };
        Area { x: 0, y, width, height }
    }

    /// Moves the pointer.
    pub async fn point(&self, (x, y): (i32, i32)) -> anyhow::Result<()> {
        if self.shell.is_some() {
            return self.eval(&format!("{POINTER} pointer.notify_absolute_motion(now(), {x}, {y}); 0")).await;
        }
        self.desktop.xdotool(&["mousemove", &x.to_string(), &y.to_string()]).await.map(drop)
    }

    /// Clicks there.
    pub async fn press(&self, at: (i32, i32), button: u8) -> anyhow::Result<()> {
        self.point(at).await?;
        if self.shell.is_some() {
            // Clutter's states: 1 pressed, 0 released.
            for state in ["PRESSED", "RELEASED"] {
                let script = format!(
                    "{POINTER} pointer.notify_button(now(), {button}, Clutter.ButtonState.{state}); 0"
                );
                self.eval(&script).await?;
            }
            return Ok(());
        }
        self.desktop.xdotool(&["click", &button.to_string()]).await.map(drop)
    }

    /// Opens the message of the popup that is there.
    pub async fn open(&self, popup: Area) -> anyhow::Result<()> {
        let press = self.real.press.context("its popups can't be clicked")?;
        self.press(popup.at(press.across, press.down), press.button).await
    }

    /// Opens the menu of the icon there.
    pub async fn open_menu(&self, icon: Area) -> anyhow::Result<()> {
        // GNOME's opens by a left click; a right one does nothing more.
        self.press(icon.at(0.5, 0.5), if self.real.kind == Kind::Gnome { 1 } else { 3 }).await
    }

    /// Presses a key, as `xdotool` names it.
    pub async fn key(&self, key: &str) -> anyhow::Result<()> {
        if self.shell.is_some() {
            return self.eval("Main.panel.menuManager.activeMenu?.close(); 0").await;
        }
        self.desktop.xdotool(&["key", key]).await.map(drop)
    }

    async fn eval(&self, script: &str) -> anyhow::Result<()> {
        let shell = self.shell.as_ref().context("this is not GNOME")?;
        let (well, answer) = GnomeShellProxy::new(&shell.connection).await?.eval(script).await?;
        ensure!(well, "the shell says {answer}");
        Ok(())
    }
}

/// Makes the shell's pointer, once.
const POINTER: &str = "const Clutter = imports.gi.Clutter; const now = () => imports.gi.GLib.get_monotonic_time(); \
     const pointer = (global.testPointer ??= global.stage.get_context().get_backend().get_default_seat()\
     .create_virtual_device(Clutter.InputDeviceType.POINTER_DEVICE));";

const SWAY: &str = "output X11-1 mode 1280x720\noutput * bg #3d5a73 solid_color\nxwayland disable\n\
     seat * hide_cursor 0\n";

const GNOME: &str = "[org/gnome/shell]\nenabled-extensions=['ubuntu-appindicators@ubuntu.com']\n\
     welcome-dialog-last-shown-version='999'\n\n[org/gnome/desktop/interface]\nenable-animations=false\n";

async fn appears(path: &Path) -> anyhow::Result<()> {
    crate::wait::eventually(&format!("{}", path.display()), || path.exists().then_some(())).await
}

/// Names and command lines of the service files whose names begin so.
fn service_files(prefix: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut services = Vec::new();
    for file in fs::read_dir(SERVICE_FILES).with_context(|| SERVICE_FILES.to_owned())? {
        let text = fs::read_to_string(file?.path())?;
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key))
                .map(|value| value.trim_start_matches('=').to_owned())
        };
        // A service for the same name would take the stage.
        if let (Some(name), Some(command)) = (value("Name"), value("Exec"))
            && name.starts_with(prefix)
        {
            services.push((name, command));
        }
    }
    Ok(services)
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_debian_has_is_known() {
        let names = |real: &[Real]| real.iter().map(|real| real.name).collect::<Vec<_>>();
        assert_eq!(names(SERVICES), debian::SERVICES.map(|(name, _)| name));
        assert_eq!(names(HOSTS), debian::HOSTS.map(|(name, _)| name));
    }
}
