//! An MQTT broker is asked as somebody whom it doesn't know: an examination takes neither the place of the channel nor what waits for
//! it, and tells the sign-in from the subscription.

use serde_json::{Value, json};
use tidings_api::client::Client;
use tidings_api::{Reply, Request, StateName, Step};
use tidings_tests::app::{App, Output, Start};
use tidings_tests::desktop::Signal;
use tidings_tests::mosquitto::{Mosquitto, USER};

fn channel(url: &str, more: &str) -> String {
    format!(
        "[[channel]]\nname = \"House\"\nkind = \"mqtt\"\nurl = \"{url}\"\ntopics = [\"news/#\"]\n\
         client_id = \"the-desk\"\nbackoff = {{ first = \"100ms\", cap = \"1s\" }}\n{more}\n"
    )
}

/// The names of the steps that work.
fn good(output: &Output) -> Vec<String> {
    let report: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let steps = report["steps"].as_array().expect("steps");
    let good = steps.iter().filter(|step| step["ok"] == true);
    good.filter_map(|step| step["step"].as_str()).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_channel_that_is_connected_stays_so_while_it_is_examined_and_tried() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    for url in [broker.url(), broker.websocket_url()] {
        let app = App::with_settings(channel(&url, "")).background().start().await?;
        let is = |state| move |status: &tidings_api::StatusReport| status.channels[0].state == state;
        app.wait_for_status("connected", is(StateName::Connected)).await?;
        for args in [&["doctor", "--json"][..], &["doctor", &url, "--json"]] {
            let output = app.run(args).await?;
            assert_eq!(output.code, Some(0), "{output:?}");
            let steps = good(&output);
            assert!(steps.ends_with(&["sign-in", "subscription", "ping"].map(str::to_owned)), "{steps:?}");
        }

        // Tried by other settings than those of the link.
        let mut client = Client::connect(&app.socket()).await?;
        let values = json!({ "kind": "mqtt", "url": url, "topics": ["other/#"], "client_id": "the-desk" });
        let values = values.as_object().expect("a table").clone();
        let mut reply =
            client.ask(&Request::Test { channel: Some("house".to_owned()), values, secret: None }).await?;
        let mut steps: Vec<Step> = Vec::new();
        while let Reply::Step(step) = reply {
            steps.push(step);
            reply = client.step().await?;
        }
        assert!(steps.iter().any(|step| step.step == "subscription" && step.ok == Some(true)), "{steps:?}");

        let status = app.status().await?;
        assert_eq!(
            (status.channels[0].state, status.channels[0].links_opened),
            (StateName::Connected, 1),
            "{url}: nobody took its place"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_waits_for_a_channel_waits_on_while_it_is_examined() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let mut app = App::with_settings(channel(&broker.url(), "")).background().start().await?;
    app.wait_for_status("connected", |status| status.channels[0].state == StateName::Connected).await?;
    app.signal(Signal::TERM)?;
    app.ended_well().await?;
    broker.publish("news/night", "came in the night")?;
    let output = app.run(&["doctor", "--json"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(good(&output).contains(&"subscription".to_owned()), "{output:?}");
    app.start(Start::Background).await?;
    let stored = app.wait_for_inbox("the night", |stored| stored.len() == 1).await?;
    assert_eq!(stored[0].body, "came in the night");
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_fails_the_sign_in_and_is_not_shown() -> anyhow::Result<()> {
    let broker = Mosquitto::that_asks_who().await?;
    let (name, _) = USER;
    let more =
        format!("auth = \"basic\"\nusername = \"{name}\"\ntoken_command = \"echo s3cret\"\nenabled = false");
    let app = App::with_settings(channel(&broker.url(), &more)).background().start().await?;
    let output = app.run(&["doctor"]).await?;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stdout.contains("✗ sign-in: not allowed by the broker (0x87)"), "{output:?}");
    assert!(output.stdout.contains("check `username` (with auth = \"basic\") and the secret"), "{output:?}");
    assert!(!(output.stdout + &output.stderr).contains("s3cret"));

    // Of a mere address nothing is known but the way there.
    let broker = Mosquitto::start().await?;
    let output = app.run(&["doctor", &broker.url(), "--upgrade"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("· sign-in: not tried"), "{output:?}");
    let output = app.run(&["listen", "--url", &broker.url()]).await?;
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.stderr.contains("--channel"), "{output:?}");
    Ok(())
}
