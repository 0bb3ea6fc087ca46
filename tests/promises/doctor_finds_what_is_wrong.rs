//! `tidings doctor` against real servers, alone and beside an agent.

use std::time::Duration;

use serde_json::Value;
use tidings_api::StateName;
use tidings_server::{Options, Server};
use tidings_tests::app::{App, Output};
use tidings_tests::scene::{Place, USER, channel};

/// The step of this name in a JSON report.
fn step<'a>(report: &'a Value, name: &str) -> &'a Value {
    let steps = report["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["step"] == name).unwrap_or_else(|| panic!("no {name} in {report}"))
}

fn report(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {output:?}"))
}

#[tokio::test]
async fn alone_it_stops_before_the_upgrade_unless_told() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = App::without_settings().background().start().await?;
    let url = server.url(USER);
    let output = app.run(&["doctor", &url]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    for line in ["✓ name: 127.", "needs no lookup", "✓ address: 127.", "· upgrade: not tried"] {
        assert!(output.stdout.contains(line), "{output:?}");
    }
    assert_eq!(server.upgrades(), 0);

    let output = app.run(&["doctor", &url, "--upgrade", "--json"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    let report = report(&output);
    assert_eq!((&report["ok"], &step(&report, "upgrade")["ok"]), (&true.into(), &true.into()), "{report}");
    assert!(step(&report, "ping")["detail"].as_str().expect("words").contains("answers pings"), "{report}");
    assert_eq!(server.upgrades(), 1);
    Ok(())
}

#[tokio::test]
async fn a_failure_has_a_mend_and_exit_code_1() -> anyhow::Result<()> {
    let app = App::without_settings().background().start().await?;
    // The port was free a moment ago, and nobody listens there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    drop(listener);
    let output = app.run(&["doctor", &format!("ws://{address}/ws?key=s3cret"), "--json"]).await?;
    assert_eq!(output.code, Some(1), "{output:?}");
    let report = report(&output);
    assert_eq!(step(&report, "tcp")["ok"], false, "{report}");
    assert!(step(&report, "tcp")["mend"].as_str().expect("a mend").contains("firewall"), "{report}");
    assert!(!output.stdout.contains("s3cret"), "{output:?}");

    for wrong in [&["doctor", "shop.example"][..], &["doctor", "wss://a.example/", "--idle"], &["doctor"]] {
        assert_eq!(app.run(wrong).await?.code, Some(2), "{wrong:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_secret_is_told_and_not_shown() -> anyhow::Result<()> {
    let tokens = [("right".to_owned(), USER.to_owned())].into();
    let server = Place(Server::start(Options { tokens, ..Options::default() }).await?);
    let url = format!("ws://{}/ws/user-channel", server.addr());
    let settings = channel("Orders", &url) + "token_command = \"echo s3cret\"\nenabled = false\n";
    let app = App::with_settings(settings).background().start().await?;
    let output = app.run(&["doctor", "--channel", "Orders", "--upgrade"]).await?;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stdout.contains("✓ secret: there is one"), "{output:?}");
    assert!(output.stdout.contains("✗ upgrade: sign-in refused (401)"), "{output:?}");
    assert!(output.stdout.contains("renew the secret"), "{output:?}");
    assert!(!(output.stdout + &output.stderr).contains("s3cret"));
    Ok(())
}

#[tokio::test]
async fn a_channel_that_the_agent_holds_is_left_alone_or_given_back() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = App::with_settings(channel("Orders", &server.url(USER))).background().start().await?;
    let connected = |links: u64| {
        move |status: &tidings_api::StatusReport| {
            status
                .channels
                .first()
                .is_some_and(|held| held.state == StateName::Connected && held.links_opened == links)
        }
    };
    app.wait_for_status("connected", connected(1)).await?;
    let output = app.run(&["doctor"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("the running Tidings holds \"Orders\""), "{output:?}");
    assert_eq!(server.upgrades(), 1);

    let output = app.run(&["doctor", "--upgrade"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    app.wait_for_status("connected again", connected(2)).await?;
    assert_eq!(server.upgrades(), 3, "the agent's, the doctor's, the agent's again");
    Ok(())
}

#[tokio::test]
async fn idle_measures_how_long_silence_is_endured() -> anyhow::Result<()> {
    let idle_timeout = Some(Duration::from_secs(3));
    let server = Place(Server::start(Options { idle_timeout, ..Options::default() }).await?);
    let app = App::without_settings().background().start().await?;
    let url = server.url(USER);
    let idle = |max: &'static str| {
        let (app, url) = (&app, &url);
        async move { app.run(&["doctor", url, "--upgrade", "--idle", "--max", max]).await }
    };
    let cut = idle("10s").await?;
    assert_eq!(cut.code, Some(0), "{cut:?}");
    assert!(cut.stdout.contains("a silent link is ended after 3 s"), "{cut:?}");
    assert!(cut.stdout.contains("interval = \"2s\""), "{cut:?}");
    let lives = idle("1s").await?;
    assert!(lives.stdout.contains("a silent link lives 1 s and longer"), "{lives:?}");
    Ok(())
}
