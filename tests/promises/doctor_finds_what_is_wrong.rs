//! `tidings doctor` against real servers, alone and beside an agent.

use std::time::Duration;

use serde_json::Value;
use tidings_api::{StateName, StatusReport};
use tidings_server::{EventKind, Options, Server};
use tidings_tests::app::{App, Output, Start};
use tidings_tests::events::EventSource;
use tidings_tests::gotify::Gotify;
use tidings_tests::scene::{Place, USER, channel};
use tidings_tests::web::{Page, Web};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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

    for wrong in [
        &["doctor", "shop.example"][..],
        &["doctor", "wss://a.example/", "--max", "1s"],
        &["doctor", "--channel", "nobody"],
        &["doctor"],
    ] {
        assert_eq!(app.run(wrong).await?.code, Some(2), "{wrong:?}");
    }
    Ok(())
}

/// A Gotify address in an ntfy channel, and the like.
#[tokio::test]
async fn a_server_of_another_kind_is_named_with_the_keys_that_would_be_right() -> anyhow::Result<()> {
    let gotify = Gotify::start("client").await?;
    let server = gotify.url();
    let ntfy = Page {
        path: "/v1/health",
        status: 200,
        headers: "Content-Type: application/json\r\n".to_owned(),
        body: r#"{"healthy":true}"#.to_owned(),
    };
    let nothing = Page { path: "", status: 404, headers: String::new(), body: String::new() };
    let ntfy = Web::start(vec![ntfy], nothing).await?;
    let settings = format!(
        "[[channel]]\nname = \"A\"\nkind = \"dialogue\"\npreset = \"socket.io\"\nurl = \"{server}/socket.io/\"\n\
         [[channel]]\nname = \"B\"\nkind = \"gotify\"\nurl = \"{}\"\ntoken_command = \"echo client\"\n\
         [[channel]]\nname = \"C\"\nkind = \"gotify\"\nurl = \"{server}\"\ntoken_command = \"echo wrong\"\n",
        ntfy.at("")
    );
    let app = App::with_settings(settings).background().start().await?;
    for (name, mend) in [
        ("A", Some("set kind = \"gotify\" for the channel")),
        ("B", Some("set kind = \"ntfy\", topics = [\"…\"] for the channel")),
        ("C", None),
    ] {
        let report = report(&app.run(&["doctor", "--channel", name, "--upgrade", "--json"]).await?);
        let steps = report["steps"].as_array().expect("steps").iter();
        let told: Vec<_> = steps.filter(|step| step["step"] == "dialect").map(|step| &step["mend"]).collect();
        assert_eq!(told, mend.into_iter().collect::<Vec<_>>(), "{name}: {report}");
    }
    Ok(())
}

#[tokio::test]
async fn where_all_who_listen_are_sent_to_it_goes_on_to_the_end() -> anyhow::Result<()> {
    let (gotify, events) = (Gotify::start("client").await?, EventSource::start().await?);
    let settings = format!(
        "[[channel]]\nname = \"A\"\nkind = \"gotify\"\nurl = \"{}\"\ntoken_command = \"echo client\"\nenabled = false\n\
         [[channel]]\nname = \"B\"\nkind = \"sse\"\nurl = \"{}\"\nenabled = false\n",
        gotify.url(),
        events.url()
    );
    let app = App::with_settings(settings).background().start().await?;
    for name in ["A", "B"] {
        let report = report(&app.run(&["doctor", "--channel", name, "--json"]).await?);
        assert_eq!(step(&report, "upgrade")["ok"], true, "{name}: {report}");
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

/// The first channel in this state, after as many links.
fn at(state: StateName, links: u64) -> impl Fn(&StatusReport) -> bool {
    move |status| {
        status.channels.first().is_some_and(|held| held.state == state && held.links_opened == links)
    }
}

#[tokio::test]
async fn a_channel_that_the_agent_keeps_is_tried_by_it_and_taken_back() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let url = server.url(USER);
    let app = App::with_settings(channel("Orders", &url)).background().start().await?;
    app.wait_for_status("connected", at(StateName::Connected, 1)).await?;
    for (links, args) in [(2, &["doctor"][..]), (3, &["doctor", &url, "--upgrade"])] {
        let output = app.run(args).await?;
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stdout.contains("✓ upgrade: the server takes the channel"), "{output:?}");
        assert!(output.stdout.contains("✓ ping: the server answers pings"), "{output:?}");
        app.wait_for_status("connected again", at(StateName::Connected, links)).await?;
    }
    assert_eq!(server.upgrades(), 5, "the agent's, and twice the test's and the agent's");
    let kicked = server.all(|kind| matches!(kind, EventKind::Replaced { .. }));
    assert!(kicked.is_empty(), "{kicked:?}");
    Ok(())
}

#[tokio::test]
async fn a_channel_that_is_off_disturbs_nobody_unless_told() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER)) + "enabled = false\n";
    let app = App::with_settings(settings).background().start().await?;
    let output = app.run(&["doctor"]).await?;
    assert!(output.stdout.contains("· upgrade: not tried"), "{output:?}");
    assert_eq!((output.code, server.upgrades()), (Some(0), 0));
    let output = app.run(&["doctor", "--upgrade"]).await?;
    assert!(output.stdout.contains("✓ upgrade"), "{output:?}");
    let status = app.status().await?;
    assert!(at(StateName::Disconnected, 0)(&status), "{status:?}");
    assert_eq!(server.upgrades(), 1);
    Ok(())
}

#[tokio::test]
async fn a_doctor_that_is_killed_leaves_the_channel_connected() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = App::with_settings(channel("Orders", &server.url(USER))).background().start().await?;
    app.wait_for_status("connected", at(StateName::Connected, 1)).await?;
    let killed = tokio::select! {
        output = app.run(&["doctor", "--idle"]) => anyhow::bail!("it ended: {output:?}"),
        let_go = app.wait_for_status("let go", at(StateName::Disconnected, 1)) => let_go,
    };
    killed?;
    app.wait_for_status("taken back", at(StateName::Connected, 2)).await?;
    Ok(())
}

#[tokio::test]
async fn who_disconnects_a_channel_during_its_test_finds_it_off_afterwards() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let mut app = App::with_settings(channel("Orders", &server.url(USER))).background().start().await?;
    app.wait_for_status("connected", at(StateName::Connected, 1)).await?;
    let wished = async {
        app.wait_for_status("let go", at(StateName::Disconnected, 1)).await?;
        app.run(&["disconnect", "Orders"]).await
    };
    let (examined, wished) = tokio::join!(app.run(&["doctor", "--idle", "--max", "2s"]), wished);
    assert_eq!((examined?.code, wished?.code), (Some(0), Some(0)));
    app.restart(Start::Background).await?;
    let status = app.wait_for_status("there", |status| !status.channels.is_empty()).await?;
    assert!(at(StateName::Disconnected, 0)(&status), "{status:?}");
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
        async move { app.run(&["doctor", url, "--idle", "--max", max]).await }
    };
    let cut = idle("10s").await?;
    assert_eq!(cut.code, Some(0), "{cut:?}");
    assert!(cut.stdout.contains("a silent link is ended after 3 s"), "{cut:?}");
    assert!(cut.stdout.contains("interval = \"2s\""), "{cut:?}");
    let lives = idle("1s").await?;
    assert!(lives.stdout.contains("a silent link lives 1 s and longer"), "{lives:?}");

    // Of a channel, for programs: the link that it needs is made without `--upgrade`.
    app.write_settings(channel("Orders", &url) + "enabled = false\n")?;
    let output = app.run(&["doctor", "--channel", "orders", "--idle", "--max", "1s", "--json"]).await?;
    let report = report(&output);
    assert_eq!((output.code, &report["ok"]), (Some(0), &true.into()), "{report}");
    assert!(step(&report, "idle")["detail"].as_str().expect("words").contains("lives 1 s"), "{report}");
    assert_eq!(step(&report, "upgrade")["ok"], true, "{report}");
    Ok(())
}

/// A server that refuses every request, with this time in its answers; its address.
async fn refusing(date: String) -> anyhow::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = format!("HTTP/1.1 401 Unauthorized\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Ok(address)
}

#[tokio::test]
async fn a_clock_that_is_off_is_named_where_the_sign_in_is_refused() -> anyhow::Result<()> {
    let app = App::without_settings().background().start().await?;
    let date = |seconds| {
        let there = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        there.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    };
    for (there, told) in
        [(7500, Some("machine's is 2 hours slow")), (-90_030, Some("machine's is 25 hours fast")), (60, None)]
    {
        let url = format!("ws://{}/ws", refusing(date(there)).await?);
        let output = app.run(&["doctor", &url, "--upgrade"]).await?;
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stdout.contains("✗ upgrade: sign-in refused (401)"), "{output:?}");
        assert_eq!(output.stdout.contains("· clock: "), told.is_some(), "{output:?}");
        assert_eq!(output.stdout.contains("the clocks differ"), told.is_some(), "{output:?}");
        assert!(output.stdout.contains(told.unwrap_or_default()), "{output:?}");
    }
    // Without a failure it is a note, and no more.
    let url = format!("ws://{}/ws", refusing(date(7500)).await?);
    let output = app.run(&["doctor", &url, "--json"]).await?;
    let report = report(&output);
    assert_eq!((output.code, &step(&report, "clock")["ok"]), (Some(0), &Value::Null), "{report}");
    Ok(())
}
