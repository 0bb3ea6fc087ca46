//! A headless desktop of one's own: an X display, a session bus, a window manager, a panel with a tray, and a
//! notification service, all private and all gone on drop. The demo and the tests that look at pixels run in
//! it; tests that only need a bus take [`PrivateBus`] alone.
//!
//! ```text
//! Xvfb ── dbus-daemon ── xfconfd ── xfwm4 ── xfce4-panel ── xfce4-notifyd      started in this order,
//!            │                                                                   ended in the reverse
//!            └── no service files: these and the program under test are all there is
//! ```
//!
//! The programs are Debian's packages of the same names (`cargo xtask packages` installs them). A [`Desktop::bare`] one
//! has display and bus alone, for other services and tray hosts than Xfce's.

use std::collections::HashSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::picture::{Area, Picture};

pub use bus::PrivateBus;
pub use process::Process;
pub use rustix::process::Signal;
pub use screen::SCREEN;
pub use windows::BLOCKS;

mod bus;
mod process;
mod screen;
mod windows;

/// In pixels; `xfce4-panel.xml` sets it.
const PANEL_HEIGHT: usize = 32;

/// A bare panel has two or three colours; the smoothed edges of the clock's digits bring dozens.
const PANEL_COLOURS: usize = 8;

/// A calm dark blue, so that dark menus and light popups both stand out.
const BACKGROUND: &str = "#3d5a73";

/// How long each program may take to be ready. They take well under a second each; two busy cores take longer, and
/// Plasma's shell took half a minute on them.
const STARTUP: Duration = Duration::from_secs(90);

/// How long a click may take to show.
const REACTION: Duration = Duration::from_secs(10);

/// How long a screen may go on changing before a screenshot takes it as it is.
const SETTLE: Duration = Duration::from_secs(3);

/// How often the screen is looked at while waiting for it.
const LOOK: Duration = Duration::from_millis(40);

/// A running headless desktop.
#[derive(Debug)]
pub struct Desktop {
    /// In the order they were started; ended in the reverse.
    programs: Vec<Process>,
    bus: PrivateBus,
    /// Other buses that its programs look for.
    more: Vec<PrivateBus>,
    environment: Vec<(OsString, OsString)>,
    /// What Xvfb draws into.
    screen: PathBuf,
    folder: TempDir,
}

impl Desktop {
    /// Starts everything and waits until the tray host and the notification service are on the bus.
    pub async fn start() -> anyhow::Result<Self> {
        let mut desktop = Self::bare(&[]).await?;
        desktop.write_settings()?;
        desktop.program("xfconfd", component("xfconf/xfconfd")?, &[])?;
        desktop.ready("org.xfce.Xfconf").await?;
        // Without compositing: with it the background set above stays hidden.
        desktop.program("xfwm4", "xfwm4", &["--compositor=off"])?;
        desktop.program("xfce4-panel", "xfce4-panel", &["--disable-wm-check"])?;
        desktop.program("xfce4-notifyd", component("notifyd/xfce4-notifyd")?, &[])?;
        desktop.ready("org.kde.StatusNotifierWatcher").await?;
        desktop.ready("org.freedesktop.Notifications").await?;
        desktop.panel_painted().await?;
        Ok(desktop)
    }

    /// A display and a bus, and nothing on them; the bus starts these services (see [`PrivateBus::with_services`]).
    pub async fn bare(services: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("tidings-desktop-").tempdir().context("no temporary folder")?;
        let logs = folder.path().join("logs");
        fs::create_dir(&logs).context("cannot create the desktop's log folder")?;

        let (xvfb, display) = start_display(folder.path(), &logs)?;
        let bus = PrivateBus::with_services(services)?;
        let environment = environment(folder.path(), &display, bus.address())?;
        bus.lend(&environment).await?;
        let screen = screen::file(folder.path());
        let desktop = Self { programs: vec![xvfb], bus, more: Vec::new(), environment, screen, folder };
        desktop.paint_background().await?;
        Ok(desktop)
    }

    /// Starts a program of the desktop and waits until it owns this name on the bus.
    pub async fn add(&mut self, program: impl AsRef<Path>, args: &[&str], owns: &str) -> anyhow::Result<()> {
        let program = program.as_ref();
        let name = program.file_name().context("a program without a name")?.to_string_lossy().into_owned();
        self.program(&name, program, args)?;
        self.ready(owns).await
    }

    /// Starts a program of the desktop that owns no name.
    pub fn add_program(
        &mut self,
        name: &str,
        program: impl AsRef<OsStr>,
        args: &[&str],
    ) -> anyhow::Result<()> {
        self.program(name, program, args)
    }

    /// Whether a program of this name was started in it.
    pub fn has(&self, name: &str) -> bool {
        self.programs.iter().any(|program| program.name() == name)
    }

    /// Keeps one more bus as long as the desktop.
    pub fn keep(&mut self, bus: PrivateBus) {
        self.more.push(bus);
    }

    /// The folder for sockets (`XDG_RUNTIME_DIR`).
    pub fn runtime(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// Ends a program that [`Desktop::add`] started, or that belongs to the desktop.
    pub fn remove(&mut self, name: &str) -> anyhow::Result<()> {
        let at = self.programs.iter().rposition(|program| program.name() == name);
        drop(self.programs.remove(at.with_context(|| format!("no {name} in this desktop"))?));
        Ok(())
    }

    /// The variables that a program needs to live in this desktop; nothing else should be inherited.
    pub fn env(&self) -> &[(OsString, OsString)] {
        &self.environment
    }

    /// One more variable for what is started in this desktop from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.into(), value.into()));
    }

    /// A command with exactly the variables of [`Desktop::env`].
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Starts a program in this desktop; it ends when the [`Process`] is dropped.
    pub fn spawn(&self, name: &str, command: &Command) -> anyhow::Result<Process> {
        Process::spawn(name, command, &self.logs())
    }

    /// The desktop's session bus.
    pub fn bus(&self) -> &PrivateBus {
        &self.bus
    }

    /// Ends the display and all that shows on it, as at a logout; the bus stays.
    pub fn end_display(&mut self) {
        self.programs.truncate(1);
        self.programs.clear();
    }

    /// The home folder that programs of this desktop see.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Saves the screen as a PNG, once it has stopped changing (or after 3 s).
    pub async fn screenshot(&self, path: impl AsRef<Path>) -> anyhow::Result<()> {
        self.settled().await?.save(path.as_ref()).await
    }

    /// The screen as it is now.
    pub fn picture(&self) -> anyhow::Result<Picture> {
        Ok(Picture::of_words(SCREEN, screen::words(&self.screen)?))
    }

    /// The screen once it has stopped changing (or after 3 s).
    pub async fn settled(&self) -> anyhow::Result<Picture> {
        Ok(Picture::new(SCREEN, self.settled_pixels().await?))
    }

    /// The screen's pixels as they are now: three bytes each (red, green, blue), row by row, [`SCREEN`] in size.
    pub fn pixels(&self) -> anyhow::Result<Vec<u8>> {
        screen::pixels(&self.screen)
    }

    /// Clicks the tray icon with the first mouse button, which activates it.
    pub async fn click_tray(&self) -> anyhow::Result<()> {
        self.press_tray("1").await
    }

    /// Opens the tray icon's menu and waits until it is on the screen.
    pub async fn open_tray_menu(&self) -> anyhow::Result<()> {
        self.press_tray("3").await?;
        self.until("the tray menu to open", |areas| areas.iter().any(is_menu)).await?;
        Ok(())
    }

    /// Closes the tray menu and its submenus, and takes the pointer away from the tray so that no tooltip shows.
    pub async fn close_menu(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + REACTION;
        self.xdotool(&["mousemove", "640", "600"]).await?;
        while self.panel_windows().await?.iter().any(is_menu) {
            ensure!(Instant::now() < deadline, "the tray menu did not close within {REACTION:?}");
            self.xdotool(&["key", "Escape"]).await?;
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Drives pointer, keyboard and windows, and returns what `xdotool` printed.
    pub async fn xdotool(&self, args: &[&str]) -> anyhow::Result<String> {
        let printed = self.output("xdotool", args).await?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }

    async fn paint_background(&self) -> anyhow::Result<()> {
        // Its exit code says nothing: on the root window it is 1 after success, too.
        let _ = tokio::process::Command::from(self.command("display"))
            .args(["-window", "root", "-size", &format!("{}x{}", SCREEN.0, SCREEN.1)])
            .arg(format!("xc:{BACKGROUND}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .status()
            .await
            .context("cannot start display (Debian package: imagemagick)")?;
        Ok(())
    }

    /// Waits until the panel and its clock are on the screen: their names come to the bus earlier.
    async fn panel_painted(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + STARTUP;
        loop {
            let pixels = self.pixels()?;
            let panel = &pixels[..SCREEN.0 * PANEL_HEIGHT * 3];
            let colours: HashSet<&[u8]> = panel.chunks_exact(3).collect();
            if colours.len() >= PANEL_COLOURS {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the panel was not painted within {STARTUP:?}");
            sleep(LOOK).await;
        }
    }

    async fn press_tray(&self, button: &str) -> anyhow::Result<()> {
        let areas = self.until("a tray icon", |areas| areas.iter().any(is_tray)).await?;
        let tray = areas.into_iter().find(is_tray).context("the tray has just gone")?;
        // The first icon is the rightmost, and icons are square.
        let x = (tray.x + tray.width - tray.height / 2).to_string();
        let y = (tray.y + tray.height / 2).to_string();
        self.xdotool(&["mousemove", &x, &y, "click", button]).await?;
        Ok(())
    }

    /// Waits until the tray's windows are as wished.
    async fn until(&self, what: &str, wished: impl Fn(&[Area]) -> bool) -> anyhow::Result<Vec<Area>> {
        let deadline = Instant::now() + REACTION;
        loop {
            let areas = self.panel_windows().await?;
            if wished(&areas) {
                return Ok(areas);
            }
            ensure!(Instant::now() < deadline, "waited {REACTION:?} for {what}; the panel shows {areas:?}");
            sleep(LOOK).await;
        }
    }

    /// The visible windows of the process that holds the tray: the tray itself, and an open menu.
    async fn panel_windows(&self) -> anyhow::Result<Vec<Area>> {
        let args =
            ["search", "--onlyvisible", "--class", "wrapper-2.0", "getwindowgeometry", "--shell", "%@"];
        // xdotool fails when it finds no window, and when a window goes while it looks.
        Ok(self.xdotool(&args).await.map(|printed| areas(&printed)).unwrap_or_default())
    }

    async fn settled_pixels(&self) -> anyhow::Result<Vec<u8>> {
        let deadline = Instant::now() + SETTLE;
        let mut before = self.pixels()?;
        loop {
            sleep(LOOK).await;
            let now = self.pixels()?;
            if now == before || Instant::now() > deadline {
                return Ok(now);
            }
            before = now;
        }
    }

    async fn output(&self, program: &str, args: &[&str]) -> anyhow::Result<Vec<u8>> {
        let output = tokio::process::Command::from(self.command(program))
            .args(args)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("cannot start {program}"))?;
        if !output.status.success() {
            bail!("{program} {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(output.stdout)
    }

    fn program(&mut self, name: &str, program: impl AsRef<OsStr>, args: &[&str]) -> anyhow::Result<()> {
        let mut command = self.command(program);
        command.args(args);
        let process = self.spawn(name, &command)?;
        self.programs.push(process);
        Ok(())
    }

    /// Waits for a bus name; where it doesn't come, says which program ended and what it wrote.
    async fn ready(&mut self, name: &str) -> anyhow::Result<()> {
        let Err(error) = self.bus.wait_for_name(name, STARTUP).await else { return Ok(()) };
        let mut report = String::new();
        for program in &mut self.programs {
            let state = match program.ended()? {
                Some(status) => format!("ended: {status}"),
                None => "runs".to_owned(),
            };
            report.push_str(&format!("\n--- {} ({state})\n{}", program.name(), program.log_tail()));
        }
        Err(error.context(format!("the headless desktop is not ready{report}")))
    }

    fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    /// Writes what Xfce and other panels begin with.
    pub fn write_settings(&self) -> anyhow::Result<()> {
        // No animations: a screenshot of a menu that is fading in tells nothing.
        let gtk = "[Settings]\ngtk-icon-theme-name=Adwaita\ngtk-enable-animations=0\n";
        let xfconf = ".config/xfce4/xfconf/xfce-perchannel-xml";
        for (folder, name, text) in [
            (xfconf, "xfce4-panel.xml", include_str!("desktop/xfce4-panel.xml")),
            (xfconf, "xfce4-notifyd.xml", include_str!("desktop/xfce4-notifyd.xml")),
            (".config/gtk-3.0", "settings.ini", gtk),
            (".config/lxqt", "panel.conf", include_str!("desktop/lxqt-panel.conf")),
            (".config/waybar", "config", include_str!("desktop/waybar.json")),
            // As if Tidings were installed: its popups and windows find their icon by name.
            (".local/share/icons/hicolor/scalable/apps", "tidings.svg", include_str!("../../icons/icon.svg")),
        ] {
            let folder = self.home().join(folder);
            fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
            fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))?;
        }
        Ok(())
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        while let Some(program) = self.programs.pop() {
            drop(program);
        }
    }
}

/// The tray is in the panel, which is along the top; without icons it is one pixel wide.
fn is_tray(area: &Area) -> bool {
    area.y == 0 && area.width >= area.height
}

/// A menu opens below the panel.
fn is_menu(area: &Area) -> bool {
    area.y > 0 && area.height > 40
}

/// Reads what `xdotool getwindowgeometry --shell` prints: `X=…`, `Y=…`, `WIDTH=…`, `HEIGHT=…` per window.
fn areas(printed: &str) -> Vec<Area> {
    let mut areas: Vec<Area> = Vec::new();
    for line in printed.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        if key == "WINDOW" {
            areas.push(Area::default());
        }
        let (Some(area), Ok(value)) = (areas.last_mut(), value.parse()) else { continue };
        match key {
            "X" => area.x = value,
            "Y" => area.y = value,
            "WIDTH" => area.width = value,
            "HEIGHT" => area.height = value,
            _ => {}
        }
    }
    areas
}

/// Starts an X server on a free display, which it finds and tells by itself.
fn start_display(folder: &Path, logs: &Path) -> anyhow::Result<(Process, String)> {
    let mut command = Command::new("Xvfb");
    let screen = format!("{}x{}x24", SCREEN.0, SCREEN.1);
    command.args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp", "-noreset"]);
    command.arg("-fbdir").arg(folder);
    command.env("PATH", env::var_os("PATH").unwrap_or_default());
    let (xvfb, number) = Process::spawn_announcing("Xvfb", &command, logs, STARTUP)
        .context("the headless display did not start (Debian package: xvfb)")?;
    Ok((xvfb, format!(":{number}")))
}

/// Creates the private folders and names them, with display and bus, as variables.
fn environment(folder: &Path, display: &str, bus: &str) -> anyhow::Result<Vec<(OsString, OsString)>> {
    let home = folder.join("home");
    let mut variables: Vec<(OsString, OsString)> = Vec::new();
    let mut set = |key: &str, value: &OsStr| variables.push((key.into(), value.into()));
    for (key, path) in [
        ("HOME", home.clone()),
        ("XDG_CONFIG_HOME", home.join(".config")),
        ("XDG_DATA_HOME", home.join(".local/share")),
        ("XDG_STATE_HOME", home.join(".local/state")),
        ("XDG_CACHE_HOME", home.join(".cache")),
        ("XDG_RUNTIME_DIR", folder.join("run")),
    ] {
        fs::DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&path)
            .with_context(|| format!("cannot create {}", path.display()))?;
        set(key, path.as_os_str());
    }
    for (key, value) in [
        ("DISPLAY", display),
        ("DBUS_SESSION_BUS_ADDRESS", bus),
        ("XDG_CURRENT_DESKTOP", "XFCE"),
        ("XDG_SESSION_TYPE", "x11"),
        ("GDK_BACKEND", "x11"),
        ("GSETTINGS_BACKEND", "memory"),
        // No accessibility bus, which would be looked for in vain for some seconds.
        ("NO_AT_BRIDGE", "1"),
        ("LANG", "C.UTF-8"),
    ] {
        set(key, OsStr::new(value));
    }
    for key in ["PATH", "USER", "LOGNAME", "TZ", "RUST_BACKTRACE"] {
        if let Some(value) = env::var_os(key) {
            set(key, &value);
        }
    }
    Ok(variables)
}

/// Where a program of Xfce's is that isn't on the PATH: `/usr/lib/ARCH/xfce4/…` on Debian, `/usr/lib/xfce4/…` or
/// `/usr/libexec/xfce4/…` elsewhere.
pub(crate) fn component(name: &str) -> anyhow::Result<PathBuf> {
    let mut roots =
        vec![PathBuf::from("/usr/lib"), PathBuf::from("/usr/lib64"), PathBuf::from("/usr/libexec")];
    if let Ok(entries) = fs::read_dir("/usr/lib") {
        roots.extend(entries.flatten().map(|entry| entry.path()));
    }
    roots
        .into_iter()
        .map(|root| root.join("xfce4").join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("xfce4/{name} is not installed (`cargo xtask packages` installs it)"))
}
