//! An agent that was started before there was a desktop (over SSH, by a system's service) joins the one that comes, outlives
//! it, and joins the next.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tidings_api::{StateName, StatusReport};
use tidings_server::{Options, Server};
use tidings_tests::app::App;
use tidings_tests::desktop::{PrivateBus, Signal};
use tidings_tests::keyring::Keyring;
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::scene::{Place, USER, channel};
use tidings_tests::tray_host::TrayHost;
use tidings_tests::wait::eventually;

async fn without_a_desktop(server: &Place) -> anyhow::Result<App> {
    let app = App::with_settings(channel("Orders", &server.url(USER))).background().start().await?;
    app.wait_for_status("connected", |status| {
        status.channels.first().is_some_and(|channel| channel.state == StateName::Connected)
    })
    .await?;
    Ok(app)
}

/// A window that only notes where it was opened.
fn note_displays(app: &App) -> anyhow::Result<PathBuf> {
    let note = app.home().join("displays");
    let told = "$DISPLAY|$XAUTHORITY|$DBUS_SESSION_BUS_ADDRESS";
    let script = format!("#!/bin/sh\necho \"{told}\" >> '{}'\n", note.display());
    fs::write(app.home().with_file_name("bin").join("tidings-window"), script)?;
    Ok(note)
}

async fn desktop() -> anyhow::Result<(PrivateBus, TrayHost, NotificationService)> {
    let bus = PrivateBus::start()?;
    let tray = TrayHost::start(&bus).await?;
    let popups = NotificationService::start(&bus, ABLE).await?;
    Ok((bus, tray, popups))
}

#[tokio::test]
async fn the_start_at_login_brings_the_icon_and_what_was_missed_at_every_login() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let mut app = without_a_desktop(&server).await?;
    for login in 1..=2 {
        server.push(USER, "one");
        server.push(USER, "two");
        app.wait_for_inbox("both", |stored| {
            stored.iter().filter(|message| message.state == "pending").count() == 2
        })
        .await?;

        let (bus, tray, popups) = desktop().await?;
        app.set_bus(Some(&bus));
        let second = app.run(&["--background"]).await?;
        assert_eq!(second.code, Some(0), "{second:?}");
        popups.wait_for_title("2 messages from Orders").await?;
        let item = tray.wait_for_label("Connected since ").await?;
        assert_eq!(item.icon, "tidings_connected_unread");
        server.push(USER, format!("at login {login}"));
        let all = popups.wait_for(2).await?;
        assert_eq!(all[1].body, format!("at login {login}"));

        // The end of that session is not the agent's.
        drop((tray, popups, bus));
        app.set_bus(None);
        let log = || app.log().matches("the desktop session is over").count();
        eventually("the session's end in the log", || (log() == login).then_some(())).await?;
    }
    assert_eq!((server.upgrades(), server.links(USER)), (1, 1), "one link all the time");
    app.signal(Signal::TERM)?;
    app.ended_well().await
}

#[tokio::test]
async fn the_users_bus_that_appears_is_joined_without_a_word() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = without_a_desktop(&server).await?;
    let (bus, tray, popups) = desktop().await?;
    let socket = bus.address().trim_start_matches("unix:path=");
    let socket = socket.split(',').next().unwrap_or(socket);
    symlink(socket, app.home().with_file_name("run").join("bus"))?;
    tray.wait_for_label("Connected since ").await?;
    server.push(USER, "hello");
    popups.wait_for(1).await?;
    assert_eq!(server.upgrades(), 1);
    Ok(())
}

#[tokio::test]
async fn a_window_opens_on_the_display_of_the_last_start_in_a_desktop() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let mut app = without_a_desktop(&server).await?;
    let note = note_displays(&app)?;
    let noted = async |count: usize| {
        eventually("a window", || {
            let text = fs::read_to_string(&note).unwrap_or_default();
            (text.lines().count() == count).then(|| text.lines().last().unwrap_or_default().to_owned())
        })
        .await
    };
    let (bus, tray, _popups) = desktop().await?;
    app.set_bus(Some(&bus));
    let start = async |display: &str, arguments: &[&str]| -> anyhow::Result<()> {
        let mut command = app.command();
        command.env("DISPLAY", display).env("XAUTHORITY", format!("/key{display}")).args(arguments);
        assert_eq!(command.output().await?.status.code(), Some(0));
        Ok(())
    };
    start(":41", &[]).await?;
    assert_eq!(noted(1).await?, format!(":41|/key:41|{}", bus.address()), "by hand, and it shows at once");
    // The bus may be the same one over two logins, the display is not.
    start(":42", &["--background"]).await?;
    start("far.example:10.0", &["--background"]).await?;
    tray.wait_for_label("Connected since ").await?;
    tray.click(&["Open Tidings"]).await?;
    assert_eq!(noted(2).await?, format!(":42|/key:42|{}", bus.address()));
    Ok(())
}

#[tokio::test]
async fn a_secret_in_the_keyring_of_the_desktop_that_comes_is_found_there() -> anyhow::Result<()> {
    let tokens = BTreeMap::from([("s3cret".to_owned(), USER.to_owned())]);
    let server = Place(Server::start(Options { tokens, ..Options::default() }).await?);
    let settings = channel("Orders", &format!("ws://{}/ws/user-channel", server.addr()));
    let mut app = App::with_settings(settings).background().start().await?;
    let is = |wanted| {
        move |status: &StatusReport| status.channels.first().is_some_and(|channel| channel.state == wanted)
    };
    app.wait_for_status("refused", is(StateName::NeedsUser)).await?;
    let bus = PrivateBus::start()?;
    let _keyring = Keyring::start(&bus).await?;
    app.set_bus(Some(&bus));
    let set = app.run_with(&["secret", "set", "Orders"], "s3cret\n").await?;
    assert_eq!(set.code, Some(0), "{set:?}");
    app.run(&["--background"]).await?;
    app.wait_for_status("connected", is(StateName::Connected)).await?;
    Ok(())
}

/// What the user's systemd knows of the session, as desktops tell it.
struct Systemd;

#[zbus::interface(name = "org.freedesktop.systemd1.Manager")]
impl Systemd {
    #[zbus(property)]
    fn environment(&self) -> Vec<String> {
        ["LD_PRELOAD=/not/handed/on", "DISPLAY=:43", "XAUTHORITY=/key:43"].map(str::to_owned).to_vec()
    }
}

/// A service of the user's begins on the user's bus, before there is a display.
#[tokio::test]
async fn where_nobody_handed_a_display_over_the_users_systemd_knows_it() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let (bus, tray, _popups) = desktop().await?;
    let settings = channel("Orders", &server.url(USER));
    let app = App::with_settings(settings).bus(&bus).background().start().await?;
    let noted = note_displays(&app)?;
    tray.wait_for_label("Connected since ").await?;
    let systemd = bus.connect().await?;
    systemd.object_server().at("/org/freedesktop/systemd1", Systemd).await?;
    systemd.request_name("org.freedesktop.systemd1").await?;
    tray.click(&["Open Tidings"]).await?;
    let window =
        eventually("a window", || fs::read_to_string(&noted).ok().filter(|text| text.ends_with('\n')))
            .await?;
    assert_eq!(window.trim(), format!(":43|/key:43|{}", bus.address()));
    Ok(())
}

#[tokio::test]
async fn a_session_that_is_there_is_not_left_for_another_one() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let mut app = without_a_desktop(&server).await?;
    let (bus, tray, _popups) = desktop().await?;
    app.set_bus(Some(&bus));
    app.run(&["--background"]).await?;
    tray.wait_for_label("Connected since ").await?;
    let (other, other_tray, _other_popups) = desktop().await?;
    app.set_bus(Some(&other));
    let second = app.run(&["--background"]).await?;
    assert!(second.stderr.contains("running already"), "{second:?}");
    assert_eq!((tray.items().len(), other_tray.items().len()), (1, 0));
    Ok(())
}

#[tokio::test]
async fn a_bus_that_ended_before_the_start_is_none() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let ended = PrivateBus::start()?;
    let settings = channel("Orders", &server.url(USER));
    let app = App::with_settings(settings).bus(&ended).background();
    drop(ended);
    let mut app = app.start().await?;
    let (bus, tray, _popups) = desktop().await?;
    app.set_bus(Some(&bus));
    app.run(&["--background"]).await?;
    tray.wait_for_label("Connected since ").await.map(drop)
}
