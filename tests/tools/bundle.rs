//! `cargo tauri build`: the package holds both programs, one desktop entry and the icons, needs nothing but
//! WebKit and GTK, and what it installs runs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use tidings_tests::desktop::Signal;
use tidings_tests::tray_item::TrayItem;
use tokio::time::{Instant, sleep};

use crate::{BUILD, LOOK, MARK, Place, SOON, nobody_left, output, say};

/// What must be in it. The icons are those of `tauri.conf.json`.
const FILES: [&str; 8] = [
    "usr/bin/tidings",
    "usr/bin/tidings-window",
    "usr/share/applications/tidings.desktop",
    "usr/share/icons/hicolor/32x32/apps/tidings.png",
    "usr/share/icons/hicolor/128x128/apps/tidings.png",
    "usr/share/icons/hicolor/256x256/apps/tidings.png",
    "usr/share/icons/hicolor/512x512/apps/tidings.png",
    "usr/share/icons/hicolor/scalable/apps/tidings.svg",
];

/// Lines of the desktop entry.
const ENTRY: [&str; 4] = ["Name=Tidings", "Exec=tidings", "Icon=tidings", "StartupWMClass=tidings-window"];

pub(crate) async fn check(place: &Place) -> anyhow::Result<()> {
    let started = Instant::now();
    let folder = place.target.join("debug/bundle/deb");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot remove the packages of before")?;
    }
    let mut build =
        place.desktop.spawn("tauri-build", &place.tauri(&["build", "--debug", "--bundles", "deb"])?)?;
    let status = loop {
        if let Some(status) = build.ended()? {
            break status;
        }
        ensure!(started.elapsed() < BUILD, "`tauri build` takes too long:\n{}", build.log_tail());
        sleep(LOOK).await;
    };
    ensure!(status.success(), "`tauri build` failed:\n{}", build.log_tail());
    let package = fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("there is no package")?;
    say(&format!("build: {} after {:.1?}", package.display(), started.elapsed()));

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
    ensure!(version.starts_with("tidings "), "--version says {version:?}");
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
    Ok(())
}
