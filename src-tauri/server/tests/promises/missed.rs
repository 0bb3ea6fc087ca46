//! What many messages that were missed come in: all of them, in their order, and without a round trip for each.

use std::time::{Duration, Instant};

use tidings_server::{Nats, Options, Server};

use crate::{
    client::{Client, post},
    nats::{Cluster, LONG},
};

const JSON: &str = "content-type: application/json\r\n";

/// Messages of ann's, some of them large and some with an id of their sender's own, among those of others.
async fn fill(node: &Server, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for number in 0..count {
        let text = match number % 50 {
            7 => format!("{number} {}", "x".repeat(300 << 10)),
            11 => format!(r#"{{"id":"own {number}","t":1}}"#),
            _ => format!("{number}"),
        };
        let headers = if text.starts_with('{') { JSON } else { "" };
        assert_eq!(post(node.addr(), "ann", headers, text.as_bytes()).await.0, 200);
        if number.is_multiple_of(3) {
            assert_eq!(post(node.addr(), "bob", "", b"for another").await.0, 200);
        }
        texts.push(text);
    }
    texts
}

/// They are what comes, and this one next.
async fn have(node: &Server, since: &str, texts: &[String], next: &str) {
    let mut client = Client::connect(node, &format!("?user=ann&since={since}")).await;
    for (number, wanted) in texts.iter().enumerate() {
        let text = tokio::time::timeout(LONG, client.text_some_time()).await.expect("all of it");
        assert!(text == *wanted, "{number} of {}: {:.40} instead of {wanted:.40}", texts.len(), text);
    }
    // Nothing more, and nothing again.
    assert_eq!(post(node.addr(), "ann", "", next.as_bytes()).await.0, 200);
    assert_eq!(client.text().await, next);
}

#[tokio::test]
async fn many_that_were_missed_come_all_in_their_order_whatever_their_size() {
    const COUNT: usize = 400;
    for nats in [Cluster::one().await, Cluster::three().await] {
        let Some(nats) = nats else { return };
        let (one, other) = (nats.node().await, nats.node().await);
        let mut texts = fill(&one, COUNT).await;
        have(&other, "unknown", &texts, "next").await;
        texts.push("next".to_owned());
        have(&one, "own%20211", &texts[212..], "last").await;
    }
}

#[tokio::test]
async fn they_come_as_well_where_nats_makes_no_consumers_for_us() {
    let users = "authorization { users: [{ user: ann, password: secret, permissions: { publish: { deny: \"$JS.API.CONSUMER.>\" } } }] }\n";
    let Some(nats) = Cluster::with(1, &users.replace("secret", "a-secret")).await else { return };
    let Options { nats: place, .. } = nats.options();
    let place = place.map(|it| Nats { credentials: Some(nats.file("credentials", "ann a-secret\n")), ..it });
    let node = Server::start(Options { nats: place, ..Options::default() }).await.expect("a node");
    let texts = fill(&node, 60).await;
    have(&node, "unknown", &texts, "next").await;
}

/// How long it takes to have so many that were missed, where the server's number of the last one before is known, and by a sender's id
/// that has to be looked for among all of them.
async fn took(node: &Server, count: usize) -> [Duration; 2] {
    let own = r#"{"id":"own"}"#;
    assert_eq!(post(node.addr(), "ann", JSON, own.as_bytes()).await.0, 200);
    let (_, first) = post(node.addr(), "ann", "", b"first").await;
    let first: serde_json::Value = serde_json::from_str(&first).expect("JSON");
    for number in 0..count {
        assert_eq!(post(node.addr(), "ann", "", format!("{number:0300}").as_bytes()).await.0, 200);
    }
    let mut took = [Duration::ZERO; 2];
    for (took, since) in took.iter_mut().zip([first["id"].as_str().expect("an id"), "gone"]) {
        let start = Instant::now();
        let mut client = Client::connect(node, &format!("?user=ann&since={since}")).await;
        let mut last = String::new();
        while last != format!("{:0300}", count - 1) {
            last = client.text().await;
        }
        *took = start.elapsed();
    }
    took
}

fn pairs([a, b]: [Duration; 2], [c, d]: [Duration; 2]) -> [[Duration; 2]; 2] {
    [[a, c], [b, d]]
}

#[tokio::test]
#[ignore = "a measurement: a minute"]
async fn five_thousand_that_were_missed_beside_those_in_a_file() {
    const COUNT: usize = 5000;
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { backlog: COUNT + 2, ..Options::default() };
    let durability = tidings_server::Durability::Process;
    let file = Options { data: Some(folder.path().to_owned()), durability, ..options.clone() };
    let alone = took(&Server::start(file).await.expect("a server"), COUNT).await;
    for nats in [Cluster::one().await, Cluster::three().await] {
        let Some(nats) = nats else { return };
        let servers = nats.url().split(',').count();
        let node = Server::start(Options { backlog: COUNT + 2, ..nats.options() }).await.expect("a node");
        let took = took(&node, COUNT).await;
        for (what, [alone, took]) in
            ["after a number", "after an id that is gone"].into_iter().zip(pairs(alone, took))
        {
            let ratio = took.as_secs_f64() / alone.as_secs_f64();
            eprintln!(
                "{COUNT} {what}: {alone:.0?} from a file, {took:.0?} ({ratio:.1} x) over {servers} server(s) of NATS"
            );
        }
    }
}
