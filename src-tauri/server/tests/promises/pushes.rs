use tidings_server::{Options, Server, parse_tokens};

use crate::client::{Client, ask, post, server};

const JSON: &str = "content-type: application/json; charset=utf-8\r\n";

fn answer(body: &str) -> (String, u64) {
    let value: serde_json::Value = serde_json::from_str(body).expect("a JSON answer");
    let id = value["id"].as_str().expect("an id").to_owned();
    (id, value["links"].as_u64().expect("a number of links"))
}

#[tokio::test]
async fn a_push_tells_its_id_and_the_links_that_it_reached() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    let (status, body) = post(server.addr(), "ann", "", "Tea is ready, 小明".as_bytes()).await;
    let (first, links) = answer(&body);
    assert_eq!((status, links), (200, 1));
    assert_eq!(client.text().await, "Tea is ready, 小明", "plain text is sent as it is");
    let (second, links) = answer(&post(server.addr(), "bob", "", b"nobody there").await.1);
    assert_eq!(links, 0);
    let number = |id: String| id.parse::<u64>().expect("a number");
    assert!(number(second) > number(first), "ids grow over all users");
}

#[tokio::test]
async fn a_json_object_without_an_id_gets_one_and_is_else_left_alone() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    let body = br#" { "title" : "b",  "a":12345678901234567890.10 }"#;
    let (id, _) = answer(&post(server.addr(), "ann", JSON, body).await.1);
    assert_eq!(
        client.text().await,
        format!(r#"{{"id":"{id}", "title" : "b",  "a":12345678901234567890.10 }}"#)
    );
    let (id, _) = answer(&post(server.addr(), "ann", JSON, b"{}").await.1);
    assert_eq!(client.text().await, format!(r#"{{"id":"{id}"}}"#));
    for (own, id) in [(r#"{"id":"order-7"}"#, "order-7"), (r#"{"id":7}"#, "7")] {
        assert_eq!(answer(&post(server.addr(), "ann", JSON, own.as_bytes()).await.1).0, id);
        assert_eq!(client.text().await, own);
    }
}

#[tokio::test]
async fn an_id_that_no_client_could_use_is_replaced_by_one_that_is() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    let long = format!(r#""{}""#, "x".repeat(513));
    for id in ["null", "true", "[7]", "{}", r#""""#, &long] {
        let body = format!(r#"{{ "n": 1.0, "id":{id}, "t" : "x" }}"#);
        let (id, _) = answer(&post(server.addr(), "ann", JSON, body.as_bytes()).await.1);
        assert_eq!(client.text().await, format!(r#"{{"id":"{id}","n":1.0,"t":"x"}}"#), "{body:.40}");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_with_the_reason() {
    let server = server().await;
    for (headers, body, words) in [
        (JSON, &b"[1]"[..], "the body is not a JSON object\n"),
        (JSON, b"{\n\"a\":", "the body ends too early: line 2, column 4\n"),
        (JSON, b"{} {}", "the body is not a JSON object: line 1, column 4\n"),
        ("", b"\xff", "the body is not UTF-8\n"),
    ] {
        let (status, text) = post(server.addr(), "ann", headers, body).await;
        assert_eq!((status, &text[..]), (400, words));
    }
    assert_eq!(post(server.addr(), "ann", JSON, "[".repeat(100_000).as_bytes()).await.0, 400);
    assert_eq!(post(server.addr(), "ann", "", &vec![b'x'; (1 << 20) + 1]).await.0, 413);
    assert_eq!(post(server.addr(), "a%00b", "", b"x").await.0, 404, "a name that nobody can have");
}

#[tokio::test]
async fn a_push_token_is_asked_for_where_one_is_set() {
    let options = Options {
        push_token: Some("p1".into()),
        tokens: parse_tokens("ann t1").expect("a good file"),
        ..Options::default()
    };
    let server = Server::start(options).await.expect("a free port");
    let push = async |user: &str, headers: &str| post(server.addr(), user, headers, b"x").await.0;
    assert_eq!(push("ann", "").await, 401);
    assert_eq!(push("ann", "authorization: Bearer t1\r\n").await, 401, "a user's token is no push token");
    assert_eq!(push("ann", "authorization: Bearer p1\r\n").await, 200);
    assert_eq!(push("anne", "authorization: Bearer p1\r\n").await, 404, "a user without a token");
}

#[tokio::test]
async fn a_page_of_another_site_cannot_push() {
    let server = server().await;
    assert_eq!(post(server.addr(), "ann", "origin: https://evil.example\r\n", b"x").await.0, 403);
    assert_eq!(post(server.addr(), "ann", "origin: http://127.0.0.1:5000\r\n", b"x").await.0, 200);
}

#[tokio::test]
async fn a_burst_arrives_whole_and_in_order() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    for number in 0..5000 {
        assert_eq!(server.push("ann", number.to_string()).links, 1);
    }
    for number in 0..5000 {
        assert_eq!(client.text().await, number.to_string());
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_and_finds_the_newest_later() {
    let server = server().await;
    let client = Client::connect(&server, "?user=ann").await;
    let big = "x".repeat(1 << 20);
    let mut pushes = 0;
    while server.push("ann", big.as_str()).links > 0 {
        pushes += 1;
        assert!(pushes < 200, "the queue has no bound");
        tokio::task::yield_now().await;
    }
    crate::client::nothing_runs(&server).await;
    drop(client);
    server.push("ann", "the newest");
    let mut client = Client::connect(&server, "?user=ann&since=0").await;
    while client.text().await != "the newest" {}
}

#[tokio::test]
async fn a_push_to_many_tells_of_each_what_became_of_it() {
    let options = Options {
        push_token: Some("p1".into()),
        tokens: parse_tokens("ann t1\nbob t2").expect("a good file"),
        ..Options::default()
    };
    let server = Server::start(options).await.expect("a free port");
    let mut ann = Client::request(&server, "", &[("authorization", "Bearer t1")]).await.expect("open");
    let token = "authorization: Bearer p1\r\n";
    let push = async |body: &str| {
        let (status, body) = ask(server.addr(), "POST", "/push", token, body.as_bytes()).await;
        (status, serde_json::from_str::<serde_json::Value>(&body).unwrap_or(body.into()))
    };
    let (status, answer) =
        push(r#" {"a" : 12345678901234567890.10, "users": ["ann", "bob", "ann"], "title":"x" } "#).await;
    assert_eq!(
        (status, &answer["users"]["ann"]["links"], &answer["users"]["bob"]["links"]),
        (200, &1.into(), &0.into())
    );
    let id = answer["users"]["ann"]["id"].as_str().expect("an id");
    assert_eq!(ann.text().await, format!(r#"{{"id":"{id}","a":12345678901234567890.10,"title":"x"}}"#));

    let (status, answer) = push(r#"{"users": ["eve", "ann", ".."], "id": "own"}"#).await;
    assert_eq!(status, 207, "{answer}");
    assert_eq!(answer["users"]["ann"]["id"], "own");
    assert_eq!(answer["users"]["eve"], serde_json::json!({ "status": 404, "error": "no such user" }));
    assert_eq!(ann.text().await, r#"{"id":"own"}"#);
    assert_eq!(push(r#"{"users": ["eve", "zoe"]}"#).await.0, 404, "nobody got it");
    for wrong in [
        "",
        "[]",
        "{}",
        r#"{"users": []}"#,
        r#"{"users": "ann"}"#,
        r#"{"users": [1]}"#,
        r#"{"users": ["ann"], "users": ["bob"]}"#,
        r#"{"users": ["ann"]} {}"#,
        &format!(r#"{{"users": {:?}}}"#, vec!["ann"; 1001]),
        &format!(r#"{{"users": ["ann"], "x": {}}}"#, "[".repeat(100_000)),
        &format!(r#"{{"users": ["ann"], "x": {}{}}}"#, "[".repeat(1000), "]".repeat(1000)),
    ] {
        assert_eq!(push(wrong).await.0, 400, "{wrong:.100}");
    }
    assert_eq!(ask(server.addr(), "POST", "/push", "", br#"{"users": ["ann"]}"#).await.0, 401);
    server.push("ann", "the next");
    assert_eq!(ann.text().await, "the next", "nothing of these was sent");
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_in_words_and_one_that_is_not_arrives() {
    let server =
        Server::start(Options { max_message: 1000, ..Options::default() }).await.expect("a free port");
    let mut ann = Client::connect(&server, "?user=ann").await;
    let (status, words) = post(server.addr(), "ann", "", &[b'x'; 1001]).await;
    assert_eq!((status, words.as_str()), (413, "the message is longer than 1000 bytes (--max-message)\n"));
    let long = format!(r#"{{"users":["ann"],"x":"{}"}}"#, "x".repeat(1000));
    assert_eq!(ask(server.addr(), "POST", "/push", "", long.as_bytes()).await.0, 413);
    assert_eq!(post(server.addr(), "ann", "", &[b'x'; 1000]).await.0, 200);
    assert_eq!(ann.text().await.len(), 1000);
}

#[tokio::test]
async fn who_pushes_can_ask_whether_a_user_is_there() {
    let options = Options {
        push_token: Some("p1".into()),
        tokens: parse_tokens("ann t1\nbob t2").expect("a good file"),
        ..Options::default()
    };
    let server = Server::start(options).await.expect("a free port");
    let user = async |name: &str, headers: &str| {
        let (status, body) = ask(server.addr(), "GET", &format!("/users/{name}"), headers, b"").await;
        (status, serde_json::from_str::<serde_json::Value>(&body).unwrap_or(body.into()))
    };
    let token = "authorization: Bearer p1\r\n";
    server.push("bob", "waits");
    server.push("bob", "waits, too");
    let _ann = Client::request(&server, "", &[("authorization", "Bearer t1")]).await.expect("open");
    let (status, ann) = user("ann", token).await;
    assert_eq!((status, &ann["links"], &ann["pending"]), (200, &1.into(), &0.into()));
    assert!(
        ann["connected_since"].as_str().is_some_and(|since| since.starts_with("20") && since.ends_with('Z'))
    );
    let (_, bob) = user("bob", token).await;
    assert_eq!(bob, serde_json::json!({ "user": "bob", "links": 0, "connected_since": null, "pending": 2 }));
    assert_eq!(user("eve", token).await.0, 404);
    assert_eq!(user("ann", "").await.0, 401);
    assert_eq!(user("ann", "authorization: Bearer t1\r\n").await.0, 401);
}
