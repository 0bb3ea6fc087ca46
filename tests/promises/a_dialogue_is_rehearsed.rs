//! A dialogue is tried on pasted frames before it is saved, as the window's editor does over the local socket: by the running
//! Tidings, without a word to the server, and without the secret.

use std::collections::BTreeMap;

use serde_json::json;
use tidings_api::client::Client;
use tidings_api::{ErrorCode, Meaning, Rehearsal, Reply, Request, Values};
use tidings_tests::app::App;
use tidings_tests::web::{Page, Web};

fn values(value: serde_json::Value) -> Values {
    serde_json::from_value(value).expect("a table")
}

/// What the running Tidings makes of these frames.
async fn rehearsed(
    app: &App,
    channel: Option<&str>,
    keys: Values,
    frames: &[&str],
) -> anyhow::Result<Rehearsal> {
    let mut client = Client::connect(&app.socket()).await?;
    let sample = Some(frames.join("\n"));
    let request = Request::Preview { channel: channel.map(str::to_owned), values: keys, sample };
    let answer = client.ask(&request).await?;
    let Reply::Rehearsal(rehearsal) = answer else { anyhow::bail!("another answer: {answer:?}") };
    Ok(rehearsal)
}

#[tokio::test]
async fn each_frame_is_told_with_what_follows_and_no_server_is_asked_and_no_secret_said() -> anyhow::Result<()>
{
    let nothing = Page { path: "", status: 404, headers: String::new(), body: String::new() };
    let server = Web::start(Vec::new(), nothing).await?;
    let keys = json!({
        "kind": "dialogue", "url": server.at("/socket"), "token_command": "echo s3cret", "allow_plaintext": true,
        "dialogue": {
            "greet": ["{\"auth\":{{ secret|tojson }},\"room\":{{ room|tojson }}}"],
            "set": { "room": "kitchen" },
            "on": [
                { "when": "json.type == 'ready'", "connected": true },
                { "when": "json.type == 'ping'", "say": "{\"pong\":{{ n }}}" },
                { "when": "json.type == 'event'", "message": "/data" },
                { "when": "json.type == 'no'", "refused": "{{ json.why }}" },
                { "when": "close == 4009", "replaced": true },
            ],
        },
        // Whatever else is being edited may be wrong meanwhile.
        "proxy": "nonsense",
    });
    let app = App::without_settings().background().start().await?;
    let frames = [
        r#"{"type":"ready"}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"event","data":[{"title":"One"},{"title":"Two","priority":5}]}"#,
        r#"{"type":"no","why":"not you"}"#,
        "close 4009 gone",
    ];
    let Rehearsal { turns } = rehearsed(&app, None, values(keys), &frames).await?;
    assert_eq!(turns.len(), 1 + frames.len());
    assert_eq!(turns[0].heard, None);
    assert_eq!(turns[0].said, [r#"{"auth":"***","room":"kitchen"}"#], "a word in the place of the secret");
    assert_eq!(
        (&turns[1].means, &turns[2].said),
        (&vec![Meaning::Connected], &vec![r#"{"pong":1}"#.to_owned()])
    );
    let titles: BTreeMap<_, _> =
        turns[3].messages.iter().map(|one| (one.message.title.as_str(), one.message.priority)).collect();
    assert_eq!(titles, BTreeMap::from([("One", 3), ("Two", 5)]));
    assert_eq!((&turns[4].means, turns[4].refused.as_deref()), (&vec![Meaning::Refused], Some("not you")));
    assert_eq!(turns[5].means, [Meaning::Replaced]);
    assert_eq!(server.asked(), [], "no server is asked");
    Ok(())
}

/// A dialogue whose only rule asks this over HTTP.
fn posting(post: &serde_json::Value) -> serde_json::Value {
    json!({ "on": [{ "when": "true", "post": post }] })
}

#[tokio::test]
async fn a_preset_is_rehearsed_too_and_a_mistake_is_told_at_its_key() -> anyhow::Result<()> {
    let app = App::without_settings().background().start().await?;
    let stomp = json!({ "kind": "dialogue", "preset": "stomp", "dialogue": { "set": { "destination": "/queue/a" } } });
    let frames = ["CONNECTED\nversion:1.2\n\n\0MESSAGE\nsubscription:tidings\n\n{\"title\":\"Hi\"}\0"];
    let Rehearsal { turns } = rehearsed(&app, None, values(stomp), &frames).await?;
    assert!(turns[1].said[0].contains("destination:/queue/a"), "{turns:#?}");
    assert_eq!(turns[2].messages[0].message.title, "Hi");
    let set = json!({ "key": "k", "channel": "private-a", "auth_endpoint": "https://a.example/auth" });
    let pusher = json!({ "kind": "dialogue", "preset": "pusher", "dialogue": { "set": set } });
    let established = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#;
    let frames = [established, r#"answer {"auth":"k:s"}"#];
    let Rehearsal { turns } = rehearsed(&app, None, values(pusher), &frames).await?;
    assert_eq!(
        turns[1].said,
        ["POST https://a.example/auth\nsocket_id=1.2\nchannel_name=private-a"],
        "nobody is asked"
    );
    assert_eq!(
        turns[2].said,
        [r#"{"event":"pusher:subscribe","data":{"channel":"private-a","auth":"k:s"}}"#]
    );
    for (dialogue, key) in [
        (json!({ "on": [{ "when": "json.type ==", "ignore": true }] }), "dialogue.on[0].when"),
        (json!({ "greet": ["ok", "{{ secret"] }), "dialogue.greet[1]"),
        (json!({ "on": [{ "when": "true", "keep": { "secret": "x" } }] }), "dialogue.on[0].keep"),
        (posting(&json!({ "form": {} })), "dialogue.on[0].post"),
        (posting(&json!({ "url": "nowhere", "form": {} })), "dialogue.on[0].post.url"),
        (posting(&json!({ "url": "https://{{ json.at }}/", "form": {} })), "dialogue.on[0].post.url"),
        (
            posting(&json!({ "url": "https://a.example", "form": { "id": "{{ json" } })),
            "dialogue.on[0].post.form",
        ),
    ] {
        let mut client = Client::connect(&app.socket()).await?;
        let keys = values(json!({ "kind": "dialogue", "dialogue": dialogue }));
        let request = Request::Preview { channel: None, values: keys, sample: Some("x".to_owned()) };
        let refused = client.ask(&request).await.expect_err(key);
        let tidings_api::client::ClientError::Refused(refusal) = refused else { panic!("{refused:?}") };
        assert_eq!(refusal.code, ErrorCode::InvalidSettings);
        assert_eq!(refusal.key.as_deref(), Some(key), "{refusal}");
    }
    Ok(())
}
