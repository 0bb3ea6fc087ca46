//! Nothing that is read from a file is trusted for good: the settings, wherever links lead to them, and the secrets and
//! certificates that they name.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tidings_api::{StateName, StatusReport};
use tidings_server::{Options, Server};
use tidings_tests::app::App;
use tidings_tests::disk::{SmallDisk, may_mount};
use tidings_tests::scene::{Place, USER, channel};
use tidings_tests::wait::eventually;

const TOKEN: &str = "s3cret-of-ann";

fn is(state: StateName) -> impl Fn(&StatusReport) -> bool {
    move |status| status.channels.first().is_some_and(|channel| channel.state == state)
}

/// As editors and secret managers do it.
fn replace(file: &Path, content: &str) -> std::io::Result<()> {
    let new = file.with_extension("new");
    fs::write(&new, content)?;
    fs::rename(new, file)
}

#[tokio::test]
async fn a_token_file_that_comes_and_changes_is_read_at_once_and_a_link_is_kept() -> anyhow::Result<()> {
    let tokens = BTreeMap::from([(TOKEN.to_owned(), USER.to_owned())]);
    let server = Place(Server::start(Options { tokens, ..Options::default() }).await?);
    let settings = channel("Orders", &format!("ws://{}/ws/user-channel", server.addr()));
    let app = App::with_settings(settings + "token_file = \"token\"\n").background().start().await?;
    let token = app.settings_file().with_file_name("token");

    let told = |words: &'static str| {
        move |status: &StatusReport| {
            let channel = status.channels.first();
            channel.and_then(|channel| channel.cause.as_ref()).is_some_and(|cause| cause.contains(words))
        }
    };
    app.wait_for_status("without its file", told("token_file")).await?;
    fs::write(&token, "wrong\n")?;
    app.wait_for_status("refused", told("401")).await?;
    // As Notepad and PowerShell save it.
    replace(&token, &format!("\u{FEFF}{TOKEN}\r\n"))?;
    app.wait_for_status("connected", is(StateName::Connected)).await?;

    let upgrades = server.upgrades();
    replace(&token, "another\n")?;
    let noticed = || app.log().matches("its token_file was changed").count() == 3;
    eventually("the change to be noticed", || noticed().then_some(())).await?;
    let status = app.status().await?;
    assert!(is(StateName::Connected)(&status), "{status:?}");
    assert_eq!(server.upgrades(), upgrades, "the server accepted the one that the link has");
    Ok(())
}

#[tokio::test]
async fn a_certificate_that_comes_mends_the_settings_that_name_it() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER)) + "ca_file = \"ca.pem\"\n";
    let app = App::with_settings(settings).background().start().await?;
    let told = |status: &StatusReport| status.notices.iter().any(|notice| notice.contains("ca.pem"));
    app.wait_for_status("missing it", told).await?;
    fs::write(app.settings_file().with_file_name("ca.pem"), "")?;
    let status = app.wait_for_status("connected", is(StateName::Connected)).await?;
    assert!(!told(&status), "{:?}", status.notices);
    Ok(())
}

#[tokio::test]
async fn settings_behind_two_links_are_followed_when_the_middle_one_is_pointed_elsewhere()
-> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = App::without_settings().background().start().await?;
    // As Nix, stow and releases do it: config.toml -> profile/config.toml, profile -> 1.
    let root = app.home();
    for (release, name) in [("1", "Orders"), ("2", "Builds")] {
        fs::create_dir(root.join(release))?;
        fs::write(root.join(release).join("config.toml"), channel(name, &server.url(USER)))?;
    }
    symlink("1", root.join("profile"))?;
    symlink(root.join("profile/config.toml"), app.settings_file())?;
    let called = |name: &'static str| {
        move |status: &StatusReport| status.channels.first().is_some_and(|channel| channel.name == name)
    };
    app.wait_for_status("by the first release", called("Orders")).await?;
    symlink("2", root.join("next"))?;
    fs::rename(root.join("next"), root.join("profile"))?;
    app.wait_for_status("by the second release", called("Builds")).await?;
    Ok(())
}

#[tokio::test]
async fn settings_under_a_disk_that_is_mounted_and_unmounted_are_gone_and_back() -> anyhow::Result<()> {
    if !may_mount(
        "what_changes_on_disk_is_taken_up::settings_under_a_disk_that_is_mounted_and_unmounted_are_gone_and_back",
    )? {
        return Ok(());
    }
    let server = Place::start().await?;
    let app = App::without_settings().background().start().await?;
    let folder = app.home().join("disk");
    fs::create_dir(&folder)?;
    fs::write(folder.join("config.toml"), channel("Orders", &server.url(USER)))?;
    symlink(folder.join("config.toml"), app.settings_file())?;
    app.wait_for_status("connected", is(StateName::Connected)).await?;
    let disk = SmallDisk::mount(&folder)?;
    app.wait_for_status("without settings", |status| status.channels.is_empty()).await?;
    drop(disk);
    app.wait_for_status("connected", is(StateName::Connected)).await?;
    Ok(())
}
