//! `start_at_login`: an entry for the desktop that comes and goes with the setting.

use std::path::PathBuf;

use tidings_api::{Edit, Reply, Request};
use tidings_tests::app::{App, Start};
use tidings_tests::wait::eventually;

#[tokio::test]
async fn the_setting_makes_the_entry_and_takes_it_away() -> anyhow::Result<()> {
    let app = App::with_settings("start_at_login = true\n").background().start().await?;
    let entry = entry(&app);
    let text = eventually("the entry", || std::fs::read_to_string(&entry).ok()).await?;
    assert!(text.contains("\nExec=tidings --background\n"), "the one on the PATH: {text}");
    app.write_settings("")?;
    eventually("its end", || (!entry.exists()).then_some(())).await
}

#[tokio::test]
async fn an_upgrade_and_a_foreign_image_leave_an_entry_that_starts_tidings() -> anyhow::Result<()> {
    let app = App::without_settings()
        .variable("APPIMAGE", "/home/ann/Editor.AppImage")
        .variable("APPDIR", "/tmp/.mount_Editor")
        // Not on the PATH, so that its path has to stand in the entry.
        .variable("PATH", "/usr/bin:/bin")
        .background()
        .start()
        .await?;
    let binary = app.binary();
    // As a package manager does it: the new file is renamed over the old one.
    let new = binary.with_file_name("tidings.new");
    std::fs::copy(&binary, &new)?;
    std::fs::rename(&new, &binary)?;
    app.write_settings("start_at_login = true\n")?;
    let text = eventually("the entry", || std::fs::read_to_string(entry(&app)).ok()).await?;
    let exec = format!("\nExec=\"{}\" --background\n", binary.display());
    assert!(text.contains(&exec), "{text}");
    Ok(())
}

#[tokio::test]
async fn what_the_desktop_switched_off_stays_off_and_the_window_is_told() -> anyhow::Result<()> {
    let mut app = App::with_settings("start_at_login = true\n").background().start().await?;
    let entry = entry(&app);
    let text = eventually("the entry", || std::fs::read_to_string(&entry).ok()).await?;
    assert_eq!(trouble(&app).await?, None);

    // As MATE does it, in an entry that the version before wrote.
    let off = text.replace("Exec=tidings", "Exec=\"/opt/tidings (deleted)\"")
        + "X-MATE-Autostart-enabled=false\nNotShowIn=KDE;\n";
    std::fs::write(&entry, &off)?;
    app.restart(Start::Background).await?;
    let mended = text + "X-MATE-Autostart-enabled=false\nNotShowIn=KDE;\n";
    eventually("the command's mend", || (std::fs::read_to_string(&entry).ok()? == mended).then_some(()))
        .await?;
    let told = trouble(&app).await?.unwrap_or_default();
    assert!(told.contains("tidings.desktop"), "{told}");

    // As GNOME and KDE do it.
    std::fs::remove_file(&entry)?;
    app.restart(Start::Background).await?;
    let told = trouble(&app).await?.unwrap_or_default();
    assert!(told.contains("removed") && !entry.exists(), "{told}");

    // Off and on again in Tidings is somebody's wish.
    for on in [false, true] {
        let Reply::Settings(report) = app.ask(&Request::Settings).await? else {
            anyhow::bail!("no settings")
        };
        let edit = Edit::Set { channel: None, key: "start_at_login".to_owned(), value: on.into() };
        app.ask(&Request::EditSettings { revision: report.revision, edits: vec![edit] }).await?;
    }
    assert!(entry.exists());
    assert_eq!(trouble(&app).await?, None);
    Ok(())
}

fn entry(app: &App) -> PathBuf {
    app.home().join(".config/autostart/tidings.desktop")
}

/// What the window says of the start at login, once the settings are in force.
async fn trouble(app: &App) -> anyhow::Result<Option<String>> {
    eventually("the settings", || app.log().contains("settings taken up").then_some(())).await?;
    let Reply::Settings(report) = app.ask(&Request::Settings).await? else { anyhow::bail!("no settings") };
    Ok(report.login_trouble)
}
