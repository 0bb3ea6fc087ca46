use std::fs;
use std::path::Path;

use anyhow::ensure;
use serde_json::json;
use tidings_api::{HistoryQuery, Request, StateName};
use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::keyring::Keyring;
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::told::{self, GIVEN, PLANTED, Told, unpacked};
use tidings_tests::tray_host::TrayHost;

async fn add_all(
    told: &mut Told,
    app: &App,
    tray: &TrayHost,
    popups: &NotificationService,
) -> anyhow::Result<()> {
    told.add("stderr", app.log());
    told.add_files(&app.home().join(".local/state/tidings/logs"))?;
    for request in [
        Request::Status,
        Request::Diagnostics,
        Request::Settings,
        Request::History(HistoryQuery { limit: 100, ..HistoryQuery::default() }),
    ] {
        told.add(format!("{request:?}"), serde_json::to_string(&app.ask(&request).await?)?);
    }
    for args in [
        &["status", "--json"][..],
        &["status"],
        &["doctor", "--channel", "file", "--json"],
        &["doctor", "--channel", "Far"],
    ] {
        let output = app.run(args).await?;
        told.add(format!("{args:?}"), output.stdout + &output.stderr);
    }
    let archive = app.home().join(format!("{}.tar.gz", told.len()));
    let output = app.run(&["diagnostics", &archive.display().to_string()]).await?;
    ensure!(output.code == Some(0), "{output:?}");
    ensure!(Path::new(output.stdout.trim()) == fs::canonicalize(&archive)?, "{output:?}");
    told.add_archive(&archive)?;
    told.add("tray", format!("{:?}", tray.item().await?));
    told.add("popups", format!("{:?}", popups.popups()));
    told.add_processes(&app.home(), &GIVEN)
}

#[tokio::test]
async fn no_secret_shows_wherever_it_was_given() -> anyhow::Result<()> {
    let bus = PrivateBus::start()?;
    let (tray, popups) = (TrayHost::start(&bus).await?, NotificationService::start(&bus, ABLE).await?);
    let _keyring = Keyring::start(&bus).await?;
    let server = Place::start().await?;
    let secrets = tempfile::tempdir()?;
    let settings = [channel("Orders", &server.url(USER)), channel("Keyring", &server.url("keyring"))]
        .concat()
        + &told::channels(&server, secrets.path())?;
    let agent = App::with_settings(settings.clone()).bus(&bus).tracing();
    let agent = told::environment().iter().fold(agent, |agent, (name, value)| agent.variable(name, value));
    let app = agent.start().await?;
    let output = app.run_with(&["secret", "set", "keyring"], &format!("{PLANTED}-keyring\n")).await?;
    ensure!(output.code == Some(0), "{output:?}");
    app.wait_for_status("all tried", |status| {
        status.channels.iter().all(|channel| match channel.state {
            StateName::Connected | StateName::NeedsUser => true,
            // At the start a channel waits for a moment before it is tried at all.
            StateName::Waiting => channel.attempt > 0,
            StateName::Connecting | StateName::Disconnected | StateName::Replaced => false,
        })
    })
    .await?;
    server.push_json(USER, &json!({ "title": "Order 17" }));
    popups.wait_for_title("Order 17").await?;

    let mut told = Told::default();
    add_all(&mut told, &app, &tray, &popups).await?;

    // Where none may be given, the mistake is told without it.
    for (wrong, word) in [
        (format!("token = \"{PLANTED}\"\n"), "token"),
        (format!("headers = {{ Authorization = \"{PLANTED}\" }}\n"), "Authorization"),
        (format!("headers = {{ X-Api-Key = \"{PLANTED}\" }}\n"), "X-Api-Key"),
        (format!("headers = {{ X-Client = \"Bearer {PLANTED}-of-me\" }}\n"), "X-Client"),
        (format!("proxy = \"http://me:{PLANTED}@127.0.0.1:9\"\n"), "proxy"),
        (format!("[[channel]]\nurl = \"wss://me:{PLANTED}@a.example/\"\n"), "url"),
        (format!("[[channel]]\nurl = \"wss://a.example/?access_token={PLANTED}\"\n"), "url"),
        (format!("[[channel]]\nurl = \"wss://a.example/\"\ntoken = {PLANTED}\n"), "config.toml"),
    ] {
        app.write_settings(settings.clone() + &wrong)?;
        app.wait_for_status("an error", |status| status.notices.iter().any(|notice| notice.contains(word)))
            .await?;
        add_all(&mut told, &app, &tray, &popups).await?;
    }
    told.holds_none()
}

#[tokio::test]
async fn diagnostics_are_packed_without_an_agent_and_never_over_a_file() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.app.kill().await?;
    let archive = scene.app.home().join("d.tar.gz");
    let archive = archive.display().to_string();
    let output = scene.app.run(&["diagnostics", &archive]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    let text = unpacked(Path::new(&archive))?;
    for part in ["not running", "Orders", "Tidings starts", "tidings-diagnostics/logs/tidings.log"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let output = scene.app.run(&["diagnostics", &archive]).await?;
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("d.tar.gz"), "{}", output.stderr);
    Ok(())
}
