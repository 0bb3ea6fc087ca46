//! `tidings.v1`, said by an independent client as docs/protocol.md has it.

use serde_json::{Value, json};
use tidings_server::{Devices, EventKind, Options, Server};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, Ended, ask, nothing_runs, seen, server, status};

const OFFER: [(&str, &str); 1] = [("sec-websocket-protocol", "tidings.v1")];

async fn server_with(options: Options) -> Server {
    Server::start(options).await.expect("a free port")
}

/// A link that speaks it, and has been told hello.
async fn device(server: &Server, query: &str) -> Client {
    let mut client = Client::request(server, query, &OFFER).await.expect("an open channel");
    assert_eq!(next(&mut client).await, json!({ "type": "hello", "protocol": "tidings.v1" }));
    client
}

async fn next(client: &mut Client) -> Value {
    serde_json::from_str(&client.text().await).expect("JSON")
}

/// The data of the messages up to the end of what was missed, and what that says.
async fn missed(client: &mut Client) -> (Vec<Value>, Value) {
    let mut messages = Vec::new();
    loop {
        let mut frame = next(client).await;
        match frame["type"].as_str() {
            Some("message") => messages.push(frame["data"].take()),
            Some("caught-up") => return (messages, frame["complete"].take()),
            other => panic!("{other:?} among what was missed"),
        }
    }
}

async fn say(client: &mut Client, what: Value) {
    client.send(Message::text(what.to_string())).await;
}

/// Has the server heard all that this client said?
async fn heard(server: &Server, client: &mut Client, mark: &str) {
    client.send(Message::text(mark)).await;
    seen(server, |kind| matches!(kind, EventKind::Text(text) if text == mark)).await;
}

#[tokio::test]
async fn who_asks_for_it_gets_envelopes_and_who_does_not_gets_the_recipe() {
    let server = server().await;
    let mut client = device(&server, "?user=ann&device=a").await;
    assert_eq!(missed(&mut client).await, (vec![], json!(true)));
    let pushed = server.push("ann", "Tea is \"ready\"");
    server.push_json("ann", &json!({ "id": "own", "n": 1 }));
    server.push_json("ann", &json!({ "title": "unnamed" }));
    let first = next(&mut client).await;
    assert_eq!(first, json!({ "type": "message", "id": pushed.id, "data": "Tea is \"ready\"" }));
    let second = next(&mut client).await;
    assert_eq!(second["data"], json!({ "id": "own", "n": 1 }));
    let third = next(&mut client).await;
    assert_eq!(third["data"], json!({ "id": third["id"], "title": "unnamed" }), "as the recipe names it");
    let mut plain = Client::connect(&server, &format!("?user=ann&device=%20&since={}", pushed.id)).await;
    assert_eq!(plain.text().await, r#"{"id":"own","n":1}"#, "and no name of a device is looked at");
}

#[tokio::test]
async fn a_101_says_it_where_the_server_is_told_to() {
    for announce_v1 in [false, true] {
        let server = server_with(Options { announce_v1, ..Options::default() }).await;
        let url = format!("ws://{}/ws/user-channel?user=ann", server.addr());
        let stream = tokio::net::TcpStream::connect(server.addr()).await.expect("a server");
        let (_, answer) = tokio_tungstenite::client_async(url, stream).await.expect("an open channel");
        let said = answer.headers().get("tidings-protocol").map(|value| value.as_bytes().to_vec());
        assert_eq!(said, announce_v1.then(|| b"tidings.v1".to_vec()));
        assert!(answer.headers().get("sec-websocket-protocol").is_none(), "it wasn't offered");
    }
}

#[tokio::test]
async fn an_id_of_a_senders_that_looks_like_the_servers_hides_nothing() {
    let server = server().await;
    let mut client = device(&server, "?user=ann&device=a").await;
    missed(&mut client).await;
    server.push_json("ann", &json!({ "id": "own" }));
    let number = next(&mut client).await["id"].as_str().expect("an id").to_owned();
    server.push("ann", "between");
    server.push_json("ann", &json!({ "id": number }));
    let all = (vec![json!("between"), json!({ "id": number })], json!(true));
    for device_name in ["a", "b"] {
        let mut client = device(&server, &format!("?user=ann&device={device_name}&since={number}")).await;
        assert_eq!(missed(&mut client).await, all, "{device_name}");
        say(&mut client, json!({ "type": "ack", "id": number })).await;
        heard(&server, &mut client, &format!("HeartBeat {device_name}")).await;
    }
    // The other way round: it is a sender's, from when the client spoke the plain recipe.
    server.push_json("ann", &json!({ "id": "7" }));
    server.push("ann", "the last");
    let mut client = device(&server, "?user=ann&device=c&since=7").await;
    assert_eq!(missed(&mut client).await.0, [json!("the last")]);
}

#[tokio::test]
async fn a_device_goes_on_behind_what_it_has_acknowledged_and_a_new_one_begins_now() {
    let server = server().await;
    server.push("ann", "before");
    let mut client = device(&server, "?user=ann&device=a").await;
    assert_eq!(missed(&mut client).await, (vec![], json!(true)), "a device that isn't known");
    let ids: Vec<String> = ["1", "2", "3"].map(|text| server.push("ann", text).id).to_vec();
    for _ in &ids {
        next(&mut client).await;
    }
    // One for all before it; what was never sent, and what is older, is nothing.
    for id in [json!(ids[1]), json!(u64::MAX), json!(ids[0]), json!("x"), json!(null)] {
        say(&mut client, json!({ "type": "ack", "id": id })).await;
    }
    heard(&server, &mut client, "HeartBeat").await;
    let mut client = device(&server, "?user=ann&device=a").await;
    assert_eq!(missed(&mut client).await, (vec![json!("3")], json!(true)));
    let mut other = device(&server, "?user=ann&device=b").await;
    assert_eq!(missed(&mut other).await, (vec![], json!(true)));
    let mut since = device(&server, &format!("?user=ann&device=b&since={}", ids[0])).await;
    assert_eq!(
        missed(&mut since).await,
        (vec![json!("2"), json!("3")], json!(true)),
        "what it says itself counts"
    );
}

#[tokio::test]
async fn what_no_device_has_acknowledged_is_pending() {
    let server = server().await;
    let mut client = device(&server, "?user=ann&device=a").await;
    missed(&mut client).await;
    let ids: Vec<String> = ["1", "2", "3"].map(|text| server.push("ann", text).id).to_vec();
    for id in &ids[..2] {
        next(&mut client).await;
        say(&mut client, json!({ "type": "ack", "id": id })).await;
    }
    heard(&server, &mut client, "HeartBeat").await;
    drop(client);
    nothing_runs(&server).await;
    let (_, ann) = ask(server.addr(), "GET", "/users/ann", "", b"").await;
    let ann: Value = serde_json::from_str(&ann).expect("JSON");
    assert_eq!((&ann["links"], &ann["pending"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn what_was_sent_before_the_first_message_was_acknowledged_comes_too() {
    let server = server().await;
    let client = device(&server, "?user=ann&device=a").await;
    drop(client);
    server.push("ann", "while away");
    let mut client = device(&server, "?user=ann&device=a").await;
    assert_eq!(missed(&mut client).await, (vec![json!("while away")], json!(true)));
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_told_with_its_times() {
    let server = server_with(Options { backlog: 2, ..Options::default() }).await;
    let first = server.push("ann", "0").id;
    for text in ["1", "2", "3"] {
        server.push("ann", text);
    }
    let mut client = device(&server, &format!("?user=ann&since={first}")).await;
    let frames = [next(&mut client).await, next(&mut client).await, next(&mut client).await];
    assert_eq!((&frames[0]["data"], &frames[1]["data"]), (&json!("2"), &json!("3")));
    assert_eq!(frames[2]["complete"], json!(false));
    let time =
        |name: &str| humantime::parse_rfc3339(frames[2][name].as_str().expect(name)).expect("RFC 3339");
    assert!(time("from") <= time("until"));
    let mut unknown = device(&server, "?user=ann&since=never-heard-of").await;
    assert_eq!(missed(&mut unknown).await, (vec![json!("2"), json!("3")], json!(false)));
}

#[tokio::test]
async fn with_many_devices_each_has_a_link_and_only_the_same_one_is_replaced() {
    let server = server_with(Options { devices: Devices::Many, ..Options::default() }).await;
    let mut links = Vec::new();
    for query in ["?user=ann&device=a", "?user=ann&device=b", "?user=ann"] {
        let mut client = device(&server, query).await;
        missed(&mut client).await;
        links.push(client);
    }
    assert_eq!(server.push("ann", "to all").links, 3);
    for client in &mut links {
        assert_eq!(next(client).await["data"], "to all");
    }
    let mut again = device(&server, "?user=ann&device=a").await;
    assert_eq!(links[0].ended().await, Ended::Close(Some(4500), "replaced by a newer connection".to_owned()));
    missed(&mut again).await;
    let plain = Client::connect(&server, "?user=ann").await;
    assert_eq!(server.push("ann", "more").links, 4, "who names no device takes nobody's place");
    assert_eq!(next(&mut links[2]).await["data"], "more");
    assert_eq!(next(&mut links[1]).await["data"], "more");
    assert_eq!(next(&mut again).await["data"], "more");
    drop(plain);
    let one = crate::client::server().await;
    let mut older = device(&one, "?user=ann&device=a").await;
    let _newer = device(&one, "?user=ann&device=b").await;
    missed(&mut older).await;
    assert_eq!(older.ended().await, Ended::Close(Some(4500), "replaced by a newer connection".to_owned()));
}

#[tokio::test]
async fn what_is_read_on_one_device_is_told_to_all_and_to_those_that_come_later() {
    let server = server_with(Options { devices: Devices::Many, ..Options::default() }).await;
    let mut links = Vec::new();
    for query in ["?user=ann&device=a", "?user=ann&device=b"] {
        let mut client = device(&server, query).await;
        missed(&mut client).await;
        links.push(client);
    }
    drop(device(&server, "?user=ann&device=away").await);
    let mut plain = Client::connect(&server, "?user=ann").await;
    let id = server.push("ann", "news").id;
    for client in &mut links {
        next(client).await;
    }
    // What nobody sent, and what is no id, is left out.
    say(&mut links[0], json!({ "type": "read", "ids": [id, "x", "0", u64::MAX.to_string()] })).await;
    let read = json!({ "type": "read", "ids": [id] });
    for client in &mut links {
        assert_eq!(next(client).await, read, "also to who said so: it is the receipt");
    }
    say(&mut links[0], json!({ "type": "read", "ids": ["x"] })).await;
    server.push("ann", "more");
    assert_eq!(next(&mut links[1]).await["data"], "more", "nothing of it is told");
    assert_eq!([plain.text().await, plain.text().await], ["news", "more"], "the recipe has no word for it");
    let mut away = device(&server, "?user=ann&device=away").await;
    assert_eq!(next(&mut away).await["data"], "news");
    assert_eq!(next(&mut away).await, read);
    assert_eq!(missed(&mut away).await, (vec![json!("more")], json!(true)));
}

#[tokio::test]
async fn what_makes_no_sense_is_passed_over_and_what_is_too_much_ends_its_link_alone() {
    let server = server_with(Options { devices: Devices::Many, ..Options::default() }).await;
    let mut other = device(&server, "?user=ann&device=other").await;
    missed(&mut other).await;
    let mut client = device(&server, "?user=ann&device=a").await;
    missed(&mut client).await;
    for nonsense in
        ["", "{", "[]", "null", r#"{"type":{}}"#, r#"{"type":"ack"}"#, r#"{"type":"read","ids":{}}"#]
    {
        client.send(Message::text(nonsense)).await;
    }
    client.send(Message::binary(vec![0, 1, 255])).await;
    for number in 0..5_000_u64 {
        say(&mut client, json!({ "type": "ack", "id": number.to_string() })).await;
    }
    server.push("ann", "still here");
    assert_eq!(next(&mut client).await["data"], "still here");
    let ids: Vec<String> = (0..1_001).map(|id| id.to_string()).collect();
    say(&mut client, json!({ "type": "read", "ids": ids })).await;
    assert!(matches!(client.ended().await, Ended::Close(Some(1008), _)));
    let mut client = device(&server, "?user=ann&device=a").await;
    client.send(Message::text("x".repeat(65 << 10))).await;
    assert!(matches!(client.ended().await, Ended::Close(Some(1009), _)));
    assert_eq!(next(&mut other).await["data"], "still here");
}

#[tokio::test]
async fn devices_have_plain_names_and_a_user_has_so_many() {
    let server = server_with(Options { devices: Devices::Many, ..Options::default() }).await;
    for bad in ["", "a%20b", "..%2Fx", &"x".repeat(65)] {
        let answer = Client::request(&server, &format!("?user=ann&device={bad}"), &OFFER).await;
        assert_eq!(status(answer), 400, "{bad:?}");
    }
    let mut links = Vec::new();
    for number in 0..32 {
        links.push(device(&server, &format!("?user=ann&device=d{number}")).await);
    }
    assert_eq!(status(Client::request(&server, "?user=ann&device=more", &OFFER).await), 503);
    device(&server, "?user=ann&device=d0").await;
    device(&server, "?user=bob&device=more").await;
}

#[tokio::test]
async fn of_several_subprotocols_it_takes_the_one_that_it_knows() {
    let server = server().await;
    let answer =
        Client::request(&server, "?user=ann", &[("sec-websocket-protocol", "soap, tidings.v1")]).await;
    let mut client = answer.expect("an open channel");
    assert_eq!(next(&mut client).await["type"], "hello");
}
