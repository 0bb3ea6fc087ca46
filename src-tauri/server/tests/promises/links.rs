use std::time::{Duration, Instant};

use tidings_server::{EventKind, Options, Server, parse_tokens};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, Ended, nothing_runs, seen, server, status};

#[tokio::test]
async fn the_newest_link_wins_and_the_older_is_closed_with_4500() {
    let server = server().await;
    let mut older = Client::connect(&server, "?user=ann").await;
    let mut other = Client::connect(&server, "?user=bob").await;
    let mut newer = Client::connect(&server, "?user=ann").await;
    assert_eq!(older.ended().await, Ended::Close(Some(4500), "replaced by a newer connection".into()));
    seen(&server, |kind| matches!(kind, EventKind::Closed { code: Some(4500), .. })).await;
    assert_eq!((server.links("ann"), server.links("bob")), (1, 1));
    server.push("ann", "to the newer");
    server.push("bob", "to bob");
    assert_eq!(newer.text().await, "to the newer");
    assert_eq!(other.text().await, "to bob");
}

#[tokio::test]
async fn what_was_pushed_before_a_kick_arrives_before_it() {
    let server = server().await;
    let mut older = Client::connect(&server, "?user=ann").await;
    server.push("ann", "early");
    let _newer = Client::connect(&server, "?user=ann").await;
    assert_eq!(older.text().await, "early");
    assert!(matches!(older.ended().await, Ended::Close(Some(4500), _)));
}

#[tokio::test]
async fn heartbeats_and_other_texts_are_taken_in_silence_and_pings_are_answered() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    for text in ["HeartBeat", "heartbeat", "", "{}"] {
        client.send(Message::text(text)).await;
    }
    client.send(Message::binary(vec![0])).await;
    client.send(Message::Ping(vec![7].into())).await;
    // The very first thing that comes back is the pong.
    assert_eq!(client.next().await.expect("an answer"), Message::Pong(vec![7].into()));
    let texts: Vec<_> = server.events().into_iter().map(|event| event.kind).collect();
    for text in ["HeartBeat", "heartbeat", "", "{}"] {
        assert!(texts.contains(&EventKind::Text(text.into())), "{text:?} in {texts:?}");
    }
    assert!(texts.contains(&EventKind::Binary(vec![0])) && texts.contains(&EventKind::Ping(vec![7])));
}

#[tokio::test]
async fn a_silent_link_is_ended_without_a_close_frame_and_a_talking_one_is_kept() {
    const LIMIT: Duration = Duration::from_millis(200);
    let options = Options { idle_timeout: Some(LIMIT), ..Options::default() };
    let server = Server::start(options).await.expect("a free port");
    let mut client = Client::connect(&server, "?user=ann").await;
    let start = Instant::now();
    let mut last_ping = start;
    while last_ping - start < LIMIT / 2 {
        last_ping = Instant::now();
        client.send(Message::Ping(vec![].into())).await;
        assert!(matches!(client.next().await, Ok(Message::Pong(_))), "a talking link is kept");
    }
    assert_eq!(client.ended().await, Ended::NoCloseFrame);
    assert!(last_ping.elapsed() >= LIMIT, "ended {:?} after the last frame", last_ping.elapsed());
}

#[tokio::test]
async fn without_a_known_token_the_answer_is_401() {
    let tokens = parse_tokens("ann t0ken").expect("a good file");
    let server = Server::start(Options { tokens, ..Options::default() }).await.expect("a free port");
    assert_eq!(status(Client::request(&server, "", &[]).await), 401);
    assert_eq!(status(Client::request(&server, "?user=ann", &[]).await), 401);
    assert_eq!(status(Client::request(&server, "", &[("authorization", "Bearer t0kem")]).await), 401);
    assert_eq!(server.links("ann"), 0);
    assert_eq!(status(Client::request(&server, "", &[("authorization", "Bearer t0ken")]).await), 101);
    assert_eq!(server.upgrades(), 4);
}

#[tokio::test]
async fn an_open_server_asks_for_a_name_and_refuses_pages_of_other_sites() {
    let server = server().await;
    assert_eq!(status(Client::request(&server, "", &[]).await), 401);
    assert_eq!(status(Client::request(&server, "?user=", &[]).await), 401);
    let foreign = [("origin", "https://evil.example")];
    assert_eq!(status(Client::request(&server, "?user=ann", &foreign).await), 403);
    let own = [("origin", "http://localhost:3000")];
    assert_eq!(status(Client::request(&server, "?user=ann", &own).await), 101);
}

#[tokio::test]
async fn a_url_holds_any_user_name() {
    let server = server().await;
    let name = "Ann & Bob/小明?";
    let url = server.url(name);
    let query = url.split_once("/ws/user-channel").expect("a channel's URL").1;
    let mut client = Client::connect(&server, query).await;
    assert_eq!(server.push(name, "hello").links, 1);
    assert_eq!(client.text().await, "hello");
}

#[tokio::test]
async fn the_head_of_an_upgrade_request_is_seen_but_not_shown() {
    let server = server().await;
    let secret = [("authorization", "Bearer s3cret"), ("x-client", "desk")];
    let _client = Client::request(&server, "?user=ann&since=9", &secret).await.expect("an open channel");
    let event = seen(&server, |kind| matches!(kind, EventKind::Requested(_))).await;
    assert!(!format!("{event:?}").contains("s3cret"));
    let EventKind::Requested(request) = event.kind else { unreachable!("as waited for") };
    assert_eq!((request.path.as_str(), request.query.as_str()), ("/ws/user-channel", "user=ann&since=9"));
    assert_eq!(request.header("authorization"), Some("Bearer s3cret"));
    assert_eq!(request.header("x-client"), Some("desk"));
}

#[tokio::test]
async fn every_link_that_opens_ends_once_and_leaves_nothing_running() {
    let server = server().await;
    for round in 0..50 {
        let mut client = Client::connect(&server, "?user=ann").await;
        if round % 2 == 0 {
            client.0.close(None).await.expect("an open link");
        }
    }
    nothing_runs(&server).await;
    let events = server.events();
    let count = |wanted: fn(&EventKind) -> bool| events.iter().filter(|event| wanted(&event.kind)).count();
    assert_eq!(count(|kind| *kind == EventKind::Opened), 50);
    assert_eq!(count(|kind| matches!(kind, EventKind::Closed { .. } | EventKind::Gone { .. })), 50);
    assert_eq!(server.links("ann"), 0);
}

#[tokio::test]
async fn a_message_that_is_too_long_for_a_client_to_say_ends_its_link() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    client.send(Message::text("x".repeat(100 << 10))).await;
    seen(&server, |kind| matches!(kind, EventKind::Gone { .. })).await;
    assert_eq!(server.links("ann"), 0);
}

#[tokio::test]
async fn messages_of_any_length_arrive_whole_and_in_order_between_pongs() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    let lengths = [0, 1, 125, 126, 4096, 4097, 65535, 65536, 65537, 1 << 20, 3];
    for length in lengths {
        client.send(Message::Ping(vec![7].into())).await;
        server.push("ann", "x".repeat(length));
        server.push_binary("ann", vec![1; length]);
    }
    let (mut texts, mut binaries, mut pongs) = (Vec::new(), Vec::new(), 0);
    while binaries.len() < lengths.len() || pongs == 0 {
        match client.next().await.expect("a frame") {
            Message::Text(text) => texts.push(text.len()),
            Message::Binary(bytes) => binaries.push(bytes.len()),
            Message::Pong(_) => pongs += 1,
            other @ (Message::Ping(_) | Message::Close(_) | Message::Frame(_)) => panic!("{other:?}"),
        }
    }
    assert_eq!((texts, binaries), (lengths.to_vec(), lengths.to_vec()));
}
