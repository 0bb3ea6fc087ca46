//! What each server says on the wire, as the dialects rely on it. A newer version that does otherwise fails here first.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tidings_tests::peer::Peer;

use crate::servers::{self, NTFY, SECRET};
use crate::wire::{End, Wire};

fn parsed(text: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(text)?)
}

fn now() -> anyhow::Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// The events and texts of all that comes up to the message of this text.
async fn events_until(wire: &mut Wire, last: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut events = Vec::new();
    loop {
        let event = parsed(&wire.hear().await?)?;
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        events.push((text("event"), text("message")));
        if text("message") == last {
            return Ok(events);
        }
    }
}

async fn status(ntfy: &Peer, topics: &str, sign_in: Option<&str>) -> anyhow::Result<(u16, u16)> {
    let url = format!("ws://{}/{topics}/ws", ntfy.addr());
    let headers: Vec<(&'static str, &str)> = sign_in.iter().map(|value| ("authorization", *value)).collect();
    let upgrade = Wire::ask(&url, &headers).await?.map_or_else(|status| status, |_| 101);
    let headers = sign_in.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let check = ntfy.http("GET", &format!("/{topics}/auth"), &headers, "").await?;
    Ok((upgrade, check.status))
}

#[tokio::test]
async fn ntfy_opens_with_open_and_ends_every_text_with_a_newline() -> anyhow::Result<()> {
    for name in NTFY {
        let Some(ntfy) = servers::ntfy(name).await? else { continue };
        let mut wire = Wire::open(&format!("ws://{}/alerts,backup/ws", ntfy.addr()), "").await?;
        let text = wire.hear().await?;
        assert!(text.ends_with("}\n"), "{text:?}");
        let open = parsed(&text)?;
        assert_eq!((&open["event"], &open["topic"]), (&json!("open"), &json!("alerts,backup")));
        ntfy.push("/backup", "Title: Done\r\nPriority: 5\r\nTags: tada\r\n", "all is saved").await?;
        let message = parsed(&wire.hear().await?)?;
        assert_eq!(message["topic"], "backup");
        assert_eq!(message["title"], "Done");
        assert_eq!(message["message"], "all is saved");
        assert_eq!(message["priority"], 5);
        assert_eq!(message["tags"], json!(["tada"]));
        // Over a WebSocket it is there even where the sender gave none; before 2.16 it never is.
        assert_eq!(message["sequence_id"], if name == "ntfy" { message["id"].clone() } else { Value::Null });
        // Longer than the 64 bytes that it reads at once is the one thing that it closes with a code.
        wire.say("HeartBeat").await?;
        wire.say(&"x".repeat(65)).await?;
        assert_eq!(wire.end().await?, End::Closed(Some(1009), String::new()), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn ntfy_refuses_all_topics_for_one_and_says_at_auth_which() -> anyhow::Result<()> {
    for name in NTFY {
        let Some(ntfy) = servers::ntfy(name).await? else { continue };
        let token = format!("Bearer {}", servers::ntfy_token(&ntfy).await?);
        assert_eq!(status(&ntfy, "alerts,backup", None).await?, (101, 200));
        assert_eq!(status(&ntfy, "alerts,private", Some(&token)).await?, (101, 200));
        // Old versions answer each refused upgrade with 200, so only the other answer tells.
        let told = |refused| if name == "ntfy" { refused } else { 200 };
        assert_eq!(status(&ntfy, "alerts,private", None).await?, (told(403), 403));
        assert_eq!(status(&ntfy, "alerts,closed", Some(&token)).await?, (told(403), 403));
        assert_eq!(status(&ntfy, "alerts", Some("Bearer tk_wrong")).await?, (told(401), 401));
        assert_eq!(status(&ntfy, "alerts", Some("Basic YW5uOndyb25n")).await?, (told(401), 401));
    }
    Ok(())
}

#[tokio::test]
async fn ntfy_replays_by_time_in_order_with_updates_and_deletions() -> anyhow::Result<()> {
    for name in NTFY {
        let Some(mut ntfy) = servers::ntfy(name).await? else { continue };
        let before = now()?;
        for text in ["one", "two"] {
            ntfy.push("/alerts", "X-Sequence-ID: door\r\n", text).await?;
        }
        let deleted = ntfy.http("DELETE", "/alerts/door", "", "").await?.status;
        let cleared = ntfy.http("PUT", "/alerts/door/clear", "", "").await?.status;
        assert_eq!((deleted, cleared), if name == "ntfy" { (200, 200) } else { (404, 404) });
        ntfy.push("/alerts", "", "last").await?;
        ntfy.kill().await?;
        ntfy.start_again().await?;
        let url = format!("ws://{}/alerts/ws?since={before}", ntfy.addr());
        let mut wire = Wire::open(&url, "").await?;
        let mut events = events_until(&mut wire, "last").await?;
        events.retain(|(event, _)| name == "ntfy" || event != "message_delete");
        let messages = [("message", "one"), ("message", "two")];
        let changes = [("message_delete", ""), ("message_clear", "")];
        let changes: &[_] = if name == "ntfy" { &changes } else { &[] };
        let wanted: Vec<(&str, &str)> = [("open", "")]
            .iter()
            .chain(&messages)
            .chain(changes)
            .chain(&[("message", "last")])
            .copied()
            .collect();
        let told: Vec<(&str, &str)> =
            events.iter().map(|(event, text)| (event.as_str(), text.as_str())).collect();
        assert_eq!(told, wanted, "{name}");
        ntfy.stop().await?;
        assert_eq!(wire.end().await?, End::Cut, "{name}");
    }
    Ok(())
}

fn stomp(command: &str, headers: &[(&str, &str)], body: &str) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    format!("{command}\n{headers}\n{body}\0")
}

#[tokio::test]
async fn rabbitmq_confirms_by_receipt_and_refuses_without_a_close() -> anyhow::Result<()> {
    let Some(mut rabbitmq) = servers::rabbitmq().await? else { return Ok(()) };
    let url = format!("ws://{}/ws", rabbitmq.addr());
    let connect = |passcode| {
        let headers = [
            ("accept-version", "1.2"),
            ("host", "/"),
            ("login", "guest"),
            ("passcode", passcode),
            ("heart-beat", "0,0"),
        ];
        stomp("CONNECT", &headers, "")
    };
    let mut wire = Wire::open(&url, "v12.stomp").await?;
    wire.say(&connect("guest")).await?;
    let connected = wire.hear().await?;
    assert!(connected.starts_with("CONNECTED\n") && connected.ends_with("\n\n\0\n"), "{connected:?}");
    let topic = [("id", "0"), ("destination", "/topic/alerts"), ("receipt", "subscribed")];
    wire.say(&stomp("SUBSCRIBE", &topic, "")).await?;
    assert_eq!(wire.hear().await?, "RECEIPT\nreceipt-id:subscribed\n\n\0\n");
    wire.say(&stomp("SEND", &[("destination", "/topic/alerts")], r#"{"title":"Größe"}"#)).await?;
    let message = wire.hear().await?;
    assert!(
        message.starts_with("MESSAGE\nsubscription:0\ndestination:/topic/alerts\nmessage-id:"),
        "{message:?}"
    );
    assert!(message.ends_with("content-length:19\n\n{\"title\":\"Größe\"}\0\n"), "in bytes: {message:?}");

    let mut wrong = Wire::open(&url, "v12.stomp").await?;
    wrong.say(&connect("wrong")).await?;
    let error = wrong.hear().await?;
    assert!(error.starts_with("ERROR\nmessage:Bad CONNECT\n"), "{error:?}");
    // And the link stays: the next one is refused on it, too.
    wrong.say(&connect("wrong")).await?;
    wrong.hear_of("Bad CONNECT").await?;

    // Where there is nothing to subscribe to, the receipt comes all the same, behind the error.
    let nowhere = [("id", "1"), ("destination", "/exchange/none/x"), ("receipt", "nowhere")];
    wire.say(&stomp("SUBSCRIBE", &nowhere, "")).await?;
    assert!(wire.hear().await?.starts_with("ERROR\nmessage:not_found\n"));
    assert_eq!(wire.hear().await?, "RECEIPT\nreceipt-id:nowhere\n\n\0\n");
    assert_eq!(wire.end().await?, End::Closed(Some(1000), "STOMP died".to_owned()));
    rabbitmq.kill().await?;
    assert_eq!(wrong.end().await?, End::Cut);
    Ok(())
}

const SUBSCRIBE: &str = r#"{"command":"subscribe","identifier":"{\"channel\":\"AlertsChannel\"}"}"#;
const CLOSED: &str =
    r#"{"command":"subscribe","identifier":"{\"channel\":\"AlertsChannel\",\"room\":\"closed\"}"}"#;

#[tokio::test]
async fn action_cable_confirms_rejects_and_beats() -> anyhow::Result<()> {
    let Some(cable) = servers::action_cable().await? else { return Ok(()) };
    let open = async |token: &str| {
        Wire::open(&format!("ws://{}/cable?token={token}", cable.addr()), "actioncable-v1-json").await
    };
    let mut wire = open(SECRET).await?;
    assert_eq!(wire.hear().await?, r#"{"type":"welcome"}"#);
    wire.say(SUBSCRIBE).await?;
    let identifier = r#"{"channel":"AlertsChannel"}"#;
    let confirmed = parsed(&wire.hear_of("confirm").await?)?;
    assert_eq!(confirmed, json!({ "identifier": identifier, "type": "confirm_subscription" }));
    cable.push("/push", "", r#"{"title":"Order 17"}"#).await?;
    let message = parsed(&wire.hear_of("Order").await?)?;
    assert_eq!(message, json!({ "identifier": identifier, "message": { "title": "Order 17" } }));
    assert!(parsed(&wire.hear_of("ping").await?)?["message"].is_u64());
    wire.say(CLOSED).await?;
    assert!(wire.hear_of("reject").await?.ends_with(r#""type":"reject_subscription"}"#));
    wire.say("HeartBeat").await?;
    cable.push("/restart", "", "").await?;
    let away = parsed(&wire.hear_of("disconnect").await?)?;
    assert_eq!(away, json!({ "type": "disconnect", "reason": "server_restart", "reconnect": true }));
    assert_eq!(wire.end().await?, End::Closed(Some(1000), String::new()));

    let mut wrong = open("wrong").await?;
    let refused = parsed(&wrong.hear().await?)?;
    assert_eq!(refused, json!({ "type": "disconnect", "reason": "unauthorized", "reconnect": false }));
    assert_eq!(wrong.end().await?, End::Closed(Some(1000), String::new()));
    Ok(())
}

#[tokio::test]
async fn home_assistant_answers_each_number_and_tells_no_listener_that_another_took_its_place()
-> anyhow::Result<()> {
    let Some(mut home) = servers::home_assistant().await? else { return Ok(()) };
    let token = home.http("GET", "/token", "", "").await?.body;
    let open = async |token: &str| {
        let mut wire = Wire::open(&format!("ws://{}/api/websocket", home.addr()), "").await?;
        assert_eq!(parsed(&wire.hear().await?)?["type"], "auth_required");
        wire.say(&json!({ "type": "auth", "access_token": token }).to_string()).await?;
        anyhow::Ok(wire)
    };
    let mut wrong = open("wrong").await?;
    let refused = parsed(&wrong.hear().await?)?;
    assert_eq!(refused, json!({ "type": "auth_invalid", "message": "Invalid access token or password" }));
    assert_eq!(wrong.end().await?, End::Closed(Some(1000), String::new()));

    let mut wire = open(&token).await?;
    assert_eq!(parsed(&wire.hear().await?)?["type"], "auth_ok");
    wire.say(r#"{"id":1,"type":"subscribe_events","event_type":"tidings"}"#).await?;
    let stands = parsed(&wire.hear().await?)?;
    assert_eq!(stands, json!({ "id": 1, "type": "result", "success": true, "result": null }));
    wire.say(r#"{"id":2,"type":"mobile_app/push_notification_channel","webhook_id":"nowhere"}"#).await?;
    let unknown = parsed(&wire.hear().await?)?;
    assert_eq!(
        (&unknown["success"], &unknown["error"]["message"]),
        (&json!(false), &json!("Webhook ID not found"))
    );
    let header = format!("Authorization: Bearer {token}\r\n");
    home.push("/api/events/tidings", &header, r#"{"title":"Order 17"}"#).await?;
    let event = parsed(&wire.hear().await?)?;
    assert_eq!((&event["id"], &event["event"]["data"]), (&json!(1), &json!({ "title": "Order 17" })));
    wire.say(r#"{"id":2,"type":"ping"}"#).await?;
    assert_eq!(parsed(&wire.hear().await?)?["error"]["code"], "id_reuse");
    // Of two that listen for one app the older one is told nothing.
    let webhook = servers::home_assistant_app(&home, &token).await?;
    let listen = json!({ "id": 3, "type": "mobile_app/push_notification_channel", "webhook_id": webhook });
    wire.say(&listen.to_string()).await?;
    assert_eq!(parsed(&wire.hear().await?)?["success"], true);
    let mut newer = open(&token).await?;
    assert_eq!(parsed(&newer.hear().await?)?["type"], "auth_ok");
    newer.say(&listen.to_string()).await?;
    assert_eq!(parsed(&newer.hear().await?)?["success"], true);
    home.push("/api/services/notify/mobile_app_desk", &header, r#"{"message":"hello"}"#).await?;
    assert_eq!(parsed(&newer.hear().await?)?["event"]["message"], "hello");
    wire.say(r#"{"id":4,"type":"ping"}"#).await?;
    assert_eq!(parsed(&wire.hear().await?)?["type"], "pong");
    home.stop().await?;
    assert_eq!(wire.end().await?, End::Cut);
    Ok(())
}

#[tokio::test]
async fn socket_io_replays_before_it_lets_in_and_takes_no_text_of_others() -> anyhow::Result<()> {
    let Some(mut server) = servers::of_npm("socket-io").await? else { return Ok(()) };
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.addr());
    let mut wire = Wire::open(&url, "").await?;
    assert!(wire.hear().await?.starts_with("0{\"sid\":"));
    wire.say(&format!(r#"40{{"token":"{SECRET}"}}"#)).await?;
    let connected = wire.hear_of("40{").await?;
    let pid = parsed(&connected["40".len()..])?["pid"].clone();
    server.push("/push", "", r#"{"title":"one"}"#).await?;
    let event = wire.hear_of("42[").await?;
    let offset = parsed(&event["42".len()..])?[2].clone();
    assert!(offset.is_string(), "{event}");
    wire.hear_of("2").await?;
    drop(wire);

    server.push("/push", "", r#"{"title":"two"}"#).await?;
    let mut wire = Wire::open(&url, "").await?;
    wire.say(&format!("40{}", json!({ "token": SECRET, "pid": pid, "offset": offset }))).await?;
    assert!(wire.hear().await?.starts_with('0'));
    assert!(wire.hear().await?.starts_with(r#"42["message",{"title":"two"},"#));
    assert!(wire.hear().await?.starts_with("40{"));

    server.push("/out", "", "").await?;
    assert_eq!(wire.hear_of("41").await?, "41");
    wire.say("HeartBeat").await?;
    assert_eq!(wire.end().await?, End::Closed(None, String::new()));

    let mut wrong = Wire::open(&url, "").await?;
    wrong.say("40").await?;
    assert_eq!(wrong.hear_of("44").await?, r#"44{"message":"not authorized"}"#);
    // Which waits for its clients' answers.
    let (stopped, end) = tokio::join!(server.stop(), wrong.end());
    stopped?;
    assert_eq!(end?, End::Closed(None, String::new()));
    Ok(())
}

#[tokio::test]
async fn graphql_ws_refuses_by_codes_and_confirms_nothing() -> anyhow::Result<()> {
    let Some(mut server) = servers::of_npm("graphql-ws").await? else { return Ok(()) };
    let url = format!("ws://{}/graphql", server.addr());
    let subprotocol = "graphql-transport-ws";
    let init = |token: &str| {
        json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } })
            .to_string()
    };
    let ask = |query| json!({ "id": "1", "type": "subscribe", "payload": { "query": query } }).to_string();
    let mut wire = Wire::open(&url, subprotocol).await?;
    wire.say(&init(SECRET)).await?;
    assert_eq!(wire.hear().await?, r#"{"type":"connection_ack"}"#);
    wire.say(&ask("subscription { alerts(topic: \"closed\") { title } }")).await?;
    let refused = parsed(&wire.hear().await?)?;
    assert_eq!(refused, json!({ "id": "1", "type": "error", "payload": [{ "message": "forbidden topic" }] }));
    wire.say(&ask("subscription { alerts(topic: \"open\") { title } }")).await?;
    // An answer to a later question: the subscription itself has none.
    wire.say(r#"{"type":"ping"}"#).await?;
    assert_eq!(wire.hear().await?, r#"{"type":"pong"}"#);
    server.push("/push", "", r#"{"title":"Order 17"}"#).await?;
    let next = parsed(&wire.hear().await?)?;
    let data = json!({ "alerts": { "title": "Order 17" } });
    assert_eq!(next, json!({ "id": "1", "type": "next", "payload": { "data": data } }));

    for (subprotocol, said, code, reason) in [
        (subprotocol, init("wrong"), 4403, "Forbidden"),
        (subprotocol, ask("subscription { alerts { title } }"), 4401, "Unauthorized"),
        (subprotocol, "HeartBeat".to_owned(), 4400, "Invalid message received"),
        ("", init(SECRET), 4406, "Subprotocol not acceptable"),
    ] {
        let mut wrong = Wire::open(&url, subprotocol).await?;
        wrong.say(&said).await?;
        assert_eq!(wrong.end().await?, End::Closed(Some(code), reason.to_owned()));
    }
    let (stopped, end) = tokio::join!(server.stop(), wire.end());
    stopped?;
    assert_eq!(end?, End::Closed(Some(1001), "Going away".to_owned()));
    Ok(())
}

#[tokio::test]
async fn sockjs_is_a_plain_websocket_at_its_raw_address() -> anyhow::Result<()> {
    let Some(server) = servers::of_npm("sockjs").await? else { return Ok(()) };
    let mut raw = Wire::open(&format!("ws://{}/events/websocket", server.addr()), "").await?;
    let mut framed = Wire::open(&format!("ws://{}/events/123/session/websocket", server.addr()), "").await?;
    assert_eq!(framed.hear().await?, "o");
    raw.say("HeartBeat").await?;
    server.push("/push", "", "hello").await?;
    assert_eq!(raw.hear().await?, "hello");
    assert_eq!(framed.hear().await?, r#"a["hello"]"#);
    server.push("/close", "", "").await?;
    assert_eq!(framed.hear().await?, r#"c[4500,"replaced"]"#);
    assert_eq!(framed.end().await?, End::Closed(Some(1000), "Normal closure".to_owned()));
    assert_eq!(raw.end().await?, End::Closed(Some(4500), "replaced".to_owned()));
    Ok(())
}
