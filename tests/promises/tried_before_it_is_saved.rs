//! What the window tries before it saves: a channel step by step, and what a message would look like.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidings_api::client::{Client, ClientError};
use tidings_api::{ErrorCode, Preview, Refusal, Reply, Request, Secret, StateName, Step, Values};
use tidings_server::{EventKind, Options, Server};
use tidings_tests::app::App;
use tidings_tests::scene::{Place, USER, channel};

fn table(value: &Value) -> Values {
    value.as_object().expect("a table").clone()
}

async fn test(
    app: &App,
    channel: Option<&str>,
    values: Value,
    secret: Option<&str>,
) -> Result<Vec<Step>, ClientError> {
    let mut client = Client::connect(&app.socket()).await?;
    let channel = channel.map(str::to_owned);
    let secret = secret.map(|secret| Secret(secret.to_owned()));
    let mut reply = client.ask(&Request::Test { channel, values: table(&values), secret }).await?;
    let mut steps = Vec::new();
    while let Reply::Step(step) = reply {
        steps.push(step);
        reply = client.step().await?;
    }
    assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
    Ok(steps)
}

fn step<'s>(steps: &'s [Step], name: &str) -> &'s Step {
    steps.iter().find(|step| step.step == name).unwrap_or_else(|| panic!("no {name} in {steps:?}"))
}

#[tokio::test]
async fn a_new_channel_is_tried_with_the_secret_in_the_editor() -> anyhow::Result<()> {
    let tokens = BTreeMap::from([("t0ken".to_owned(), USER.to_owned())]);
    let server = Place(Server::start(Options { tokens, ..Options::default() }).await?);
    let app = App::without_settings().background().start().await?;
    let values = json!({"url": format!("ws://{}/ws/user-channel", server.addr())});
    let good = test(&app, None, values.clone(), Some("t0ken")).await?;
    assert!(good.iter().all(|step| step.ok != Some(false)), "{good:?}");
    assert_eq!((step(&good, "upgrade").ok, step(&good, "ping").ok), (Some(true), Some(true)));
    let bad = test(&app, None, values, Some("wrong")).await?;
    assert_eq!(step(&bad, "upgrade").ok, Some(false));
    assert!(!format!("{bad:?}{}", app.log()).contains("t0ken"));
    assert_eq!(server.links(USER), 0, "a trial leaves nothing behind");
    let refused = test(&app, None, json!({"url": "shop"}), None).await.expect_err("no channel");
    let ClientError::Refused(refusal) = refused else { panic!("{refused:?}") };
    assert_eq!((refusal.code, refusal.key.as_deref()), (ErrorCode::InvalidSettings, Some("url")));
    Ok(())
}

#[tokio::test]
async fn a_link_that_is_up_by_the_same_settings_is_told_of_and_not_disturbed() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER));
    let app = App::with_settings(settings).background().start().await?;
    app.wait_for_status("connected", |status| status.channels[0].state == StateName::Connected).await?;
    let backoff = json!({"first": "100ms", "cap": "500ms"});
    let values = json!({"name": "Sales", "url": server.url(USER), "backoff": backoff});
    let steps = test(&app, Some("orders"), values, None).await?;
    assert!(step(&steps, "upgrade").detail.contains("connected"), "{steps:?}");
    assert_eq!(step(&steps, "ping").ok, Some(true));
    assert_eq!(server.all(|event| *event == EventKind::Opened).len(), 1);

    // By other settings it is let go of, tried and taken back: never two links (R3).
    let values = json!({"url": server.url(USER), "headers": {"X-Client": "desk"}});
    let steps = test(&app, Some("orders"), values, None).await?;
    assert_eq!(step(&steps, "upgrade").ok, Some(true), "{steps:?}");
    server.opened(3).await?;
    let status = app
        .wait_for_status("connected again", |status| status.channels[0].state == StateName::Connected)
        .await?;
    assert_eq!(
        status.channels[0].last_close.as_ref().map(|close| close.code).filter(|code| *code == 4500),
        None
    );
    Ok(())
}

async fn preview(
    app: &App,
    channel: Option<&str>,
    values: Value,
    sample: Option<&str>,
) -> Result<Preview, Refusal> {
    let request = Request::Preview {
        channel: channel.map(str::to_owned),
        values: table(&values),
        sample: sample.map(str::to_owned),
    };
    match app.ask(&request).await {
        Ok(Reply::Preview(preview)) => Ok(preview),
        Err(ClientError::Refused(refusal)) => Err(refusal),
        other => panic!("neither a preview nor a refusal: {other:?}"),
    }
}

#[tokio::test]
async fn a_message_is_seen_as_it_would_be_stored_and_shown() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = App::with_settings(channel("Orders", &server.url(USER))).background().start().await?;
    app.wait_for_status("connected", |status| status.channels[0].state == StateName::Connected).await?;
    let values = json!({
        "name": "Orders",
        "url": "half of a",
        "mapping": {"title": "/payload/subject", "body": "{{ payload.who }}: {{ payload.text }}"},
        "rule": [{"when": "'paid' in title", "then": "store"}],
    });
    let none = preview(&app, Some("orders"), values.clone(), None).await.expect_err("no message yet");
    assert_eq!(none.code, ErrorCode::NoSample);

    let paid = json!({"payload": {"subject": "paid", "who": "Ann", "text": "17"}});
    server.push_json(USER, &paid);
    app.wait_for_inbox("the message", |inbox| inbox.len() == 1).await?;
    let last = preview(&app, Some("orders"), values.clone(), None).await?;
    assert_eq!((last.message.title.as_str(), last.message.body.as_str()), ("paid", "Ann: 17"));
    assert!(!last.popup && !last.ignored);
    assert_eq!(serde_json::from_str::<Value>(&last.sample)?["payload"], paid["payload"]);

    let plain = preview(&app, None, values, Some("plain")).await?;
    assert_eq!((plain.message.title.as_str(), plain.message.body.as_str()), ("Orders", "plain"));
    assert!(plain.popup && plain.message.channel == "Orders");
    // Of a kind that can't be without topics, too, while they are being typed.
    for kind in ["ntfy", "mqtt"] {
        let values = json!({"kind": kind, "url": "mqtts://a.example", "topics": ["half/#/of"]});
        let sample = r#"{"event":"message","topic":"a","title":"Door","message":"open","body":"open"}"#;
        let seen = preview(&app, None, values, Some(sample)).await?;
        assert_eq!((seen.message.title.as_str(), seen.message.body.as_str()), ("Door", "open"), "{kind}");
    }
    // What a broker tells beside a message, by the first topic that is to be heard.
    for topics in [json!(["home/door"]), json!([{ "filter": "home/door", "qos": 2 }])] {
        let values = json!({
            "kind": "mqtt", "topics": topics, "mapping": {"body": "{{ about.topic }} is {{ raw }}"},
        });
        let seen = preview(&app, None, values, Some("open")).await?;
        assert_eq!(
            (seen.message.title.as_str(), seen.message.body.as_str()),
            ("home/door", "home/door is open")
        );
    }
    let noise = preview(&app, None, json!({}), Some("pong")).await?;
    assert!(noise.ignored && !noise.popup);
    for (values, key) in [
        (json!({"mapping": {"title": "{{ a"}}), "mapping.title"),
        (json!({"rule": [{"when": "priority >"}]}), "rule"),
    ] {
        let refusal = preview(&app, None, values, Some("x")).await.expect_err("a mistake");
        assert_eq!((refusal.code, refusal.key.as_deref()), (ErrorCode::InvalidSettings, Some(key)));
    }
    Ok(())
}
