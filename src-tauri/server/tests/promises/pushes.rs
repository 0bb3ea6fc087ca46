use tidings_server::{Options, Server, parse_tokens};

use crate::client::{Client, post, server};

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
async fn what_cannot_be_sent_is_refused_with_the_reason() {
    let server = server().await;
    for (headers, body) in [(JSON, &b"[1]"[..]), (JSON, b"{"), (JSON, b"{} {}"), ("", b"\xff")] {
        let (status, text) = post(server.addr(), "ann", headers, body).await;
        assert_eq!(status, 400, "{text}");
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
