use tidings_server::{Options, Server};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, server};

#[tokio::test]
async fn what_was_missed_is_replayed_and_nothing_else() {
    let server = server().await;
    let ids: Vec<_> = ["a", "b", "c"].into_iter().map(|text| server.push("ann", text).id).collect();
    server.push("bob", "not for ann");
    let mut client = Client::connect(&server, &format!("?user=ann&since={}", ids[0])).await;
    assert_eq!([client.text().await, client.text().await], ["b", "c"]);
    let mut client = Client::connect(&server, &format!("?user=ann&since={}", ids[2])).await;
    server.push("ann", "live");
    assert_eq!(client.text().await, "live");
    let mut client = Client::connect(&server, "?user=ann").await;
    server.push("ann", "only live");
    assert_eq!(client.text().await, "only live");
}

#[tokio::test]
async fn replay_starts_after_an_id_of_the_senders_own() {
    let server = server().await;
    for id in ["x-1", "x-2", "x-3"] {
        server.push_json("ann", &serde_json::json!({ "id": id }));
    }
    server.push_binary("ann", vec![1, 2]);
    let mut client = Client::connect(&server, "?user=ann&since=x-2").await;
    assert_eq!(client.text().await, r#"{"id":"x-3"}"#);
    assert_eq!(client.next().await.expect("the next"), Message::binary(vec![1, 2]));
}

#[tokio::test]
async fn an_id_that_fell_off_the_backlog_gets_all_that_is_kept() {
    let server = Server::start(Options { backlog: 2, ..Options::default() }).await.expect("a free port");
    let first = server.push("ann", "0").id;
    for text in ["1", "2", "3"] {
        server.push("ann", text);
    }
    for since in [first.as_str(), "unknown", ""] {
        let mut client = Client::connect(&server, &format!("?user=ann&since={since}")).await;
        assert_eq!([client.text().await, client.text().await], ["2", "3"], "since {since:?}");
    }
}

#[tokio::test]
async fn between_replay_and_live_nothing_is_lost_or_doubled() {
    const ALL: u64 = 2000;
    let options = Options { backlog: usize::try_from(ALL).expect("small"), ..Options::default() };
    let server = Server::start(options).await.expect("a free port");
    let pusher = tokio::spawn({
        let server = server.clone();
        async move {
            for number in 0..ALL {
                server.push_json("ann", &serde_json::json!({ "id": number }));
                tokio::task::yield_now().await;
            }
        }
    });
    // A client that is replaced by itself again and again, each time in the midst of the pushes.
    let mut next = 0;
    let mut links = 0;
    while next < ALL {
        links += 1;
        let since = next.checked_sub(1).map_or("start".to_owned(), |last| last.to_string());
        let mut client = Client::connect(&server, &format!("?user=ann&since={since}")).await;
        for _ in 0..100.min(ALL - next) {
            assert_eq!(client.text().await, format!(r#"{{"id":{next}}}"#), "on link {links}");
            next += 1;
        }
    }
    pusher.await.expect("all pushed");
    assert_eq!(links, ALL / 100);
}
