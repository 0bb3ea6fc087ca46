use tidings_server::{EventKind, Refusal};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::{Client, Ended, nothing_runs, seen, server, status};

#[tokio::test]
async fn a_link_is_closed_with_the_code_asked_for_after_what_was_pushed() {
    let server = server().await;
    for code in [1000, 1001, 1008, 1011, 1012, 1013, 3000, 4499, 4500, 4501] {
        let mut client = Client::connect(&server, "?user=ann").await;
        server.push("ann", "last words");
        assert_eq!(server.close("ann", code, "why"), 1);
        assert_eq!(client.text().await, "last words");
        assert_eq!(client.ended().await, Ended::Close(Some(code), "why".into()));
        seen(&server, |kind| matches!(kind, EventKind::Closed { code: Some(c), .. } if *c == code)).await;
        assert_eq!(server.links("ann"), 0);
    }
}

#[tokio::test]
async fn code_1005_is_a_close_frame_without_a_code_and_1006_none_at_all() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    server.close("ann", 1005, "");
    assert_eq!(client.ended().await, Ended::Close(None, String::new()));
    nothing_runs(&server).await;
    let mut client = Client::connect(&server, "?user=ann").await;
    server.close("ann", 1006, "");
    assert_eq!(client.ended().await, Ended::NoCloseFrame);
}

#[tokio::test]
async fn a_dropped_link_ends_without_a_close_frame_and_a_reset_one_is_reset() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    // Something unread at the server must not turn the end into a reset.
    client.send(Message::text("unread")).await;
    assert_eq!(server.drop_links("ann"), 1);
    assert_eq!(client.ended().await, Ended::NoCloseFrame);
    drop(client);
    nothing_runs(&server).await;
    let mut client = Client::connect(&server, "?user=ann").await;
    assert_eq!(server.reset_links("ann"), 1);
    assert_eq!(client.ended().await, Ended::Reset);
    nothing_runs(&server).await;
    assert_eq!(server.drop_links("ann"), 0, "there is none left");
}

#[tokio::test]
async fn a_stalled_link_stays_open_and_answers_nothing_until_it_is_dropped() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    client.send(Message::text("before")).await;
    seen(&server, |kind| *kind == EventKind::Text("before".into())).await;
    let mark = server.mark();
    assert_eq!(server.stall_links("ann"), 1);
    client.send(Message::Ping(vec![].into())).await;
    client.send(Message::text("after")).await;
    assert_eq!(server.push("ann", "never sent").links, 1, "the server does not know");
    // A whole other conversation goes by, so that an answer would have had its time.
    let mut other = Client::connect(&server, "?user=bob").await;
    other.send(Message::Ping(vec![].into())).await;
    assert!(matches!(other.next().await, Ok(Message::Pong(_))));
    assert!(server.events().iter().all(|event| event.number < mark || event.user == "bob"));
    // A close and a newer link don't reach it either: the first thing it hears is the drop.
    server.close("ann", 1000, "");
    assert!(server.send_raw("ann", b"x").await.is_err(), "nobody takes the bytes");
    let _newer = Client::connect(&server, "?user=ann").await;
    server.drop_links("ann");
    assert!(matches!(client.next().await, Err(Error::Protocol(_) | Error::ConnectionClosed)));
}

#[tokio::test]
async fn upgrades_are_refused_with_any_answer_until_told_otherwise() {
    let server = server().await;
    let refusal = Refusal { body: "later".into(), ..Refusal::status(503).header("retry-after", "7") };
    server.refuse_upgrades(Some(refusal));
    let Err(Error::Http(response)) = Client::request(&server, "?user=ann", &[]).await else {
        panic!("expected a refusal")
    };
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"7".parse().expect("ok"))
    );
    assert_eq!(response.body().as_deref(), Some(&b"later"[..]));
    for code in [200, 301, 401, 403, 404, 429, 500, 502] {
        server.refuse_upgrades(Some(Refusal::status(code)));
        assert_eq!(status(Client::request(&server, "?user=ann", &[]).await), code);
        seen(&server, |kind| *kind == EventKind::Refused { status: code }).await;
    }
    server.refuse_upgrades(None);
    assert_eq!(status(Client::request(&server, "?user=ann", &[]).await), 101);
    assert_eq!(server.upgrades(), 10);
}

#[tokio::test]
async fn an_eaten_close_code_arrives_as_a_bare_end() {
    let server = server().await;
    server.eat_close_codes(true);
    let mut older = Client::connect(&server, "?user=ann").await;
    let mut newer = Client::connect(&server, "?user=ann").await;
    assert_eq!(older.ended().await, Ended::NoCloseFrame);
    seen(&server, |kind| *kind == EventKind::Replaced { by: 2 }).await;
    server.eat_close_codes(false);
    server.close("ann", 1012, "");
    assert_eq!(newer.ended().await, Ended::Close(Some(1012), String::new()));
}

#[tokio::test]
async fn pings_go_unanswered_while_that_is_wished_and_all_else_goes_on() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    server.answer_pings(false);
    client.send(Message::Ping(vec![1].into())).await;
    seen(&server, |kind| *kind == EventKind::Ping(vec![1])).await;
    server.push("ann", "still here");
    assert_eq!(client.text().await, "still here", "the first to come, so no pong came before");
    server.answer_pings(true);
    client.send(Message::Ping(vec![2].into())).await;
    assert_eq!(client.next().await.expect("an answer"), Message::Pong(vec![2].into()));
}

#[tokio::test]
async fn raw_bytes_reach_the_client_as_they_are() {
    let server = server().await;
    assert!(server.send_raw("ann", b"x").await.is_err(), "there is no link");
    let mut client = Client::connect(&server, "?user=ann").await;
    server.push("ann", "before");
    server.send_raw("ann", b"\x81\x03raw").await.expect("a link");
    server.send_raw("ann", b"\x81\x01\xff").await.expect("a link");
    assert_eq!([client.text().await, client.text().await], ["before", "raw"]);
    assert!(matches!(client.next().await, Err(Error::Utf8(_))), "invalid UTF-8 got through");
}

#[tokio::test]
async fn an_event_that_never_comes_is_told_with_what_came() {
    let server = server().await;
    let _client = Client::connect(&server, "?user=ann").await;
    seen(&server, |kind| *kind == EventKind::Opened).await;
    let error = server.wait_for(std::time::Duration::ZERO, |_| false).await.expect_err("nothing is wanted");
    assert!(error.to_string().contains("Opened"), "{error}");
}
