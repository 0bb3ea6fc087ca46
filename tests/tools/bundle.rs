//! `cargo tauri build`: the package holds the programs, one desktop entry and the icons, needs nothing but
//! WebKit and GTK, and what it installs runs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use rustix::process::{Pid, kill_process};
use tidings_tests::desktop::Signal;
use tidings_tests::tray_item::TrayItem;
use tidings_tests::window::Page;
use tokio::time::{Instant, sleep};

use crate::place::{BUILD, LOOK, MARK, Place, SOON, VERSION, nobody_left, output, say};

/// What must be in it. The icons are those of `tauri.conf.json`.
const FILES: [&str; 22] = [
    "usr/bin/tidings",
    "usr/bin/tidings-window",
    "usr/share/applications/tidings.desktop",
    "usr/share/icons/hicolor/16x16/apps/tidings.png",
    "usr/share/icons/hicolor/24x24/apps/tidings.png",
    "usr/share/icons/hicolor/32x32/apps/tidings.png",
    "usr/share/icons/hicolor/48x48/apps/tidings.png",
    "usr/share/icons/hicolor/64x64/apps/tidings.png",
    "usr/share/icons/hicolor/128x128/apps/tidings.png",
    "usr/share/icons/hicolor/256x256/apps/tidings.png",
    "usr/share/icons/hicolor/512x512/apps/tidings.png",
    "usr/share/icons/hicolor/scalable/apps/tidings.svg",
    "usr/share/icons/hicolor/symbolic/apps/tidings-symbolic.svg",
    "usr/share/metainfo/io.github.tidings.metainfo.xml",
    "usr/share/man/man1/tidings.1.gz",
    "usr/share/bash-completion/completions/tidings",
    "usr/share/fish/vendor_completions.d/tidings.fish",
    "usr/share/doc/tidings/copyright",
    "usr/share/doc/tidings/third-party-licences.gz",
    "usr/lib/systemd/user/tidings-listen@.service",
    "usr/share/doc/tidings/examples/tidings-server.service",
    "usr/bin/tidings-server",
];

/// Lines of the desktop entry.
const ENTRY: [&str; 5] = [
    "Name=Tidings",
    "Exec=tidings %u",
    "MimeType=x-scheme-handler/ntfy;",
    "Icon=tidings",
    "StartupWMClass=tidings-window",
];

pub(crate) async fn check(place: &Place) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut build =
        place.desktop.spawn("tauri-build", &place.tauri(&["build", "--debug", "--bundles", "deb,rpm"])?)?;
    let status = loop {
        if let Some(status) = build.ended()? {
            break status;
        }
        ensure!(started.elapsed() < BUILD, "`tauri build` takes too long:\n{}", build.log_tail());
        sleep(LOOK).await;
    };
    ensure!(status.success(), "`tauri build` failed:\n{}", build.log_tail());
    let package = package(place, "deb")?;
    say(&format!("build: .deb and .rpm after {:.1?}", started.elapsed()));

    let depends = output("dpkg-deb", &["-f".as_ref(), package.as_os_str(), "Depends".as_ref()])?;
    let mut needed: Vec<&str> =
        depends.split(", ").filter_map(|needed| needed.split_whitespace().next()).collect();
    needed.sort_unstable();
    ensure!(needed == ["libgtk-3-0", "libwebkit2gtk-4.1-0"], "the package needs {needed:?}");

    let root = tempfile::tempdir()?;
    output("dpkg-deb", &["-x".as_ref(), package.as_os_str(), root.path().as_os_str()])?;
    for file in FILES {
        ensure!(root.path().join(file).is_file(), "the package does not hold {file}");
    }
    let entries = fs::read_dir(root.path().join("usr/share/applications"))?.count();
    ensure!(entries == 1, "there are {entries} desktop entries");
    let entry = fs::read_to_string(root.path().join(FILES[2]))?;
    for line in ENTRY {
        ensure!(entry.lines().any(|its| its == line), "the desktop entry lacks {line:?}:\n{entry}");
    }

    let tidings: PathBuf = root.path().join(FILES[0]);
    let version = output(&tidings.display().to_string(), &["--version"])?;
    ensure!(version == format!("tidings {VERSION}"), "--version says {version:?}");
    let mut command = place.desktop.command(&tidings);
    command.arg("--open").env(MARK, "1");
    let agent = place.desktop.spawn("tidings-installed", &command)?;
    let bus = place.desktop.bus().connect().await?;
    TrayItem::registered(&bus, "tidings", SOON).await?;
    let deadline = Instant::now() + SOON;
    while !place.window_shows().await {
        ensure!(Instant::now() < deadline, "the installed window does not show:\n{}", agent.log_tail());
        sleep(LOOK).await;
    }
    agent.signal(Signal::TERM)?;
    nobody_left().await.context("after the end of the installed agent")?;
    say(&format!("build: {version} runs from the package, tray and window; it needs {depends}"));
    other_version(place, &bus, &tidings).await?;
    rpm(place)
}

/// The window offers to restart an agent of another version, and does so: ours here, which serves the same user.
async fn other_version(place: &Place, bus: &zbus::Connection, installed: &Path) -> anyhow::Result<()> {
    let older = place.build.join("debug/tidings");
    let mut command = place.desktop.command(&older);
    command.arg("--background").env(MARK, "1");
    let before = place.desktop.spawn("tidings-older", &command)?;
    TrayItem::registered(bus, "tidings", SOON).await?;
    let page = Page::open(&place.desktop, &installed.with_file_name("tidings-window")).await?;
    page.click("Restart it")
        .await
        .context("the window does not offer to restart an agent of another version")?;
    let deadline = Instant::now() + SOON;
    let agent = loop {
        if let Some(agent) = running(installed)? {
            break agent;
        }
        ensure!(Instant::now() < deadline, "the installed agent does not run:\n{}", before.log_tail());
        sleep(LOOK).await;
    };
    page.until("no word of another version", |text| !text.contains("of another version")).await?;
    page.close().await?;
    ensure!(running(installed)? == Some(agent), "the agent ended with the window");
    kill_process(agent, Signal::TERM)?;
    while running(installed)?.is_some() {
        ensure!(Instant::now() < deadline, "the installed agent does not end");
        sleep(LOOK).await;
    }
    nobody_left().await.context("after the restart")?;
    say("build: the installed window restarts an agent of another version");
    Ok(())
}

/// The process that runs this program, if there is one.
fn running(program: &Path) -> anyhow::Result<Option<Pid>> {
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        // One may end while it is looked at, and the system's own have no program.
        if fs::read_link(path.join("exe")).is_ok_and(|its| its == program) {
            let id = path.file_name().and_then(|name| name.to_str()?.parse().ok());
            return Ok(id.and_then(Pid::from_raw));
        }
    }
    Ok(None)
}

/// The same in the other format, as far as it can be looked at on a machine of the first.
fn rpm(place: &Place) -> anyhow::Result<()> {
    let package = package(place, "rpm")?;
    let ask = |what: &str| output("rpm", &["-qp".as_ref(), what.as_ref(), package.as_os_str()]);
    let files = ask("--list")?;
    for file in FILES {
        ensure!(
            files.lines().any(|its| its.strip_prefix('/') == Some(file)),
            "the .rpm does not hold {file}:\n{files}"
        );
    }
    let needed = ask("--requires")?;
    let needed: Vec<&str> = needed.lines().filter(|line| !line.starts_with("rpmlib(")).collect();
    say(&format!("build: the .rpm holds the same; it needs {}", needed.join(", ")));
    Ok(())
}

/// The one package of this format.
fn package(place: &Place, format: &str) -> anyhow::Result<PathBuf> {
    let folder = place.target().join("debug/bundle").join(format);
    fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == format))
        .with_context(|| format!("there is no .{format}"))
}
