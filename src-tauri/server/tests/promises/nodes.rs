//! Several nodes over real NATS servers are one server.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::future::{Either, FutureExt as _, join_all, select, select_all};
use tidings_server::{Nats, Options, REPLACED, Server};
use tokio::{
    io::AsyncWriteExt,
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::{Client, Ended, ask, ask_within, post, status},
    nats::{Cluster, LONG},
};

const LOOK: Duration = Duration::from_millis(20);

/// A name as it stands in a URL.
fn escaped(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Pushes until it is kept.
async fn kept(node: &Server, user: &str, text: &str) -> String {
    let answer = async {
        loop {
            let path = format!("/push/{}", escaped(user));
            let (status, answer) = ask_within(LONG, node.addr(), "POST", &path, "", text.as_bytes()).await;
            if status == 200 {
                return answer;
            }
            sleep(LOOK).await;
        }
    };
    let answer = timeout(LONG, answer).await.expect("kept in time");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("an answer");
    answer["id"].as_str().expect("an id").to_owned()
}

/// The answer to a push that may take longer than most.
async fn post_in_time(addr: SocketAddr, body: &[u8]) -> (u16, String) {
    ask_within(LONG, addr, "POST", "/push/ann", "", body).await
}

async fn until(what: &str, wanted: impl AsyncFn() -> bool) {
    let wanted = async {
        while !wanted().await {
            sleep(LOOK).await;
        }
    };
    assert!(timeout(LONG, wanted).await.is_ok(), "{what}");
}

#[tokio::test]
async fn a_push_at_any_node_reaches_its_user_at_any_other() {
    let Some(nats) = Cluster::one().await else { return };
    let (one, other) = (nats.node().await, nats.node().await);
    let longest = "🍵".repeat(128);
    let names = [
        "ann",
        "ann@shop.example",
        "a.b",
        "..",
        "*",
        ">",
        "a b/c",
        "安",
        "🍵 \"x\" & ?#",
        "\u{202e}שלום",
        &longest,
    ];
    for user in names {
        let query = format!("?user={}", escaped(user));
        let mut client = Client::connect(&one, &query).await;
        let first = kept(&other, user, "from the other").await;
        kept(&one, user, "from this").await;
        assert_eq!([client.text().await, client.text().await], ["from the other", "from this"], "{user}");
        // What was missed is there at any node, too.
        drop(client);
        kept(&one, user, "missed").await;
        let mut client = Client::connect(&other, &format!("{query}&since={first}")).await;
        assert_eq!([client.text().await, client.text().await], ["from this", "missed"], "{user}");
    }
}

#[tokio::test]
async fn ids_of_the_senders_own_serve_as_since_and_the_same_push_twice_is_one() {
    let Some(nats) = Cluster::one().await else { return };
    let (one, other) = (nats.node().await, nats.node().await);
    let json = "content-type: application/json\r\n";
    for (node, body) in [
        (&one, r#"{"id":"a/1","t":"first"}"#),
        (&other, r#"{"id":"a/1","t":"first"}"#),
        (&other, r#"{"id":"a/1","t":"changed"}"#),
        (&one, r#"{"id":7}"#),
    ] {
        assert_eq!(post(node.addr(), "ann", json, body.as_bytes()).await.0, 200);
    }
    let mut client = Client::connect(&other, "?user=ann&since=a%2F1").await;
    assert_eq!(client.text().await, r#"{"id":"a/1","t":"changed"}"#);
    assert_eq!(client.text().await, r#"{"id":7}"#);
    let mut client = Client::connect(&other, "?user=ann&since=7").await;
    kept(&one, "ann", "live").await;
    assert_eq!(client.text().await, "live");
    // What has no id of its own is another each time.
    for _ in 0..2 {
        assert_eq!(post(other.addr(), "ann", json, br#"{"id":null,"t":"door"}"#).await.0, 200);
        assert!(client.text().await.ends_with(r#""t":"door"}"#));
    }
}

#[tokio::test]
async fn no_more_is_kept_than_asked_for_and_a_client_that_lacks_some_gets_the_rest() {
    let Some(nats) = Cluster::one().await else { return };
    let node = Server::start(Options { backlog: 3, ..nats.options() }).await.expect("a node");
    let first = kept(&node, "ann", "0").await;
    for text in ["1", "2", "3", "4"] {
        kept(&node, "ann", text).await;
    }
    for since in [first.as_str(), "unknown", "18446744073709551615", "0", ""] {
        let mut client = Client::connect(&node, &format!("?user=ann&since={since}")).await;
        let texts = [client.text().await, client.text().await, client.text().await];
        assert_eq!(texts, ["2", "3", "4"], "since {since:?}");
    }
}

#[tokio::test]
async fn what_is_kept_is_counted_and_a_gap_is_told_with_its_time() {
    let Some(nats) = Cluster::one().await else { return };
    let metrics = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let options = Options { backlog: 2, metrics, ..nats.options() };
    let node = Server::start(options).await.expect("a node");
    let offer = [("sec-websocket-protocol", "tidings.v1")];
    // Its claim and what it acknowledges are in the stream, too.
    let mut client = Client::request(&node, "?user=ann&device=a", &offer).await.expect("a link");
    let first = kept(&node, "ann", "0").await;
    while !client.text().await.contains(&format!(r#""id":"{first}""#)) {}
    drop(client);
    for text in ["1", "2", "3"] {
        kept(&node, "ann", text).await;
    }
    kept(&node, "bob", "one").await;
    let (_, told) = ask(node.metrics_addr().expect("an address"), "GET", "/metrics", "", b"").await;
    assert!(told.lines().any(|line| line == "tidings_messages_kept 3"), "{told}");

    let query = format!("?user=ann&device=a&since={first}");
    let mut client = Client::request(&node, &query, &offer).await.expect("a link");
    let told = loop {
        let frame: serde_json::Value = serde_json::from_str(&client.text().await).expect("JSON");
        if frame["type"] == "caught-up" {
            break frame;
        }
    };
    assert_eq!(told["complete"], false, "{told}");
    let until = told["until"].as_str().and_then(|until| humantime::parse_rfc3339(until).ok());
    let ago = until.and_then(|until| until.elapsed().ok()).expect("a time that is past");
    assert!(ago < LONG, "{told}");
}

#[tokio::test]
async fn between_replay_and_live_nothing_is_lost_or_doubled() {
    const ALL: usize = 600;
    let Some(nats) = Cluster::one().await else { return };
    let (one, other) = (nats.node().await, nats.node().await);
    let pusher = tokio::spawn({
        let one = one.clone();
        async move {
            for number in 0..ALL {
                let body = format!(r#"{{"id":"n{number}"}}"#);
                let pushed = post(one.addr(), "ann", "content-type: application/json\r\n", body.as_bytes());
                assert_eq!(pushed.await.0, 200);
            }
        }
    });
    let (mut next, mut links) = (0, 0_usize);
    while next < ALL {
        let since = next.checked_sub(1).map_or("start".to_owned(), |last| format!("n{last}"));
        let node = if links.is_multiple_of(2) { &one } else { &other };
        links += 1;
        let mut client = Client::connect(node, &format!("?user=ann&since={since}")).await;
        for _ in 0..100.min(ALL - next) {
            assert_eq!(client.text().await, format!(r#"{{"id":"n{next}"}}"#), "on link {links}");
            next += 1;
        }
    }
    pusher.await.expect("all pushed");
}

/// Opens a link at each of these nodes at the same moment. All but one end with 4500; returns the one that stays, its
/// node, and how long it took until the last was told.
async fn war(nodes: &[&Server]) -> (Client, usize, Duration) {
    let opening = nodes.iter().map(async |node| {
        let client = Client::connect(node, "?user=ann").await;
        (client, Instant::now())
    });
    let mut clients: Vec<_> = join_all(opening).await.into_iter().map(Some).collect();
    let newest = clients.iter().flatten().map(|(_, opened)| *opened).max().expect("links");
    let (mut took, mut told) = (Duration::ZERO, 1);
    while told < nodes.len() {
        let speaks = clients.iter().enumerate().filter_map(|(number, client)| {
            let (client, _) = client.as_ref()?;
            Some(Box::pin(async move {
                client.has_something().await;
                number
            }))
        });
        let (number, ..) = timeout(LONG, select_all(speaks)).await.expect("one is told");
        let Some((client, _)) = &mut clients[number] else { continue };
        let mut came = Some(client.next().await);
        // What was sent in the last war, where this node hears it late. What came with it is not to be waited for.
        while let Some(Ok(Message::Text(_))) = came {
            came = client.next().now_or_never();
        }
        match came {
            Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == REPLACED => {}
            None => continue,
            other => panic!("{other:?}"),
        }
        took = newest.elapsed();
        clients[number] = None;
        told += 1;
    }
    let (number, (client, _)) = clients
        .into_iter()
        .enumerate()
        .find_map(|(number, client)| client.map(|client| (number, client)))
        .expect("one stays");
    (client, number, took)
}

async fn wars(nodes: &[&Server], times: usize) -> Vec<Duration> {
    let mut all = Vec::new();
    for time in 0..times {
        let (mut client, number, took) = war(nodes).await;
        let text = format!("to the one that stays {time}");
        kept(nodes[(number + 1) % nodes.len()], "ann", &text).await;
        while client.text().await != text {}
        all.push(took);
    }
    all.sort();
    all
}

#[tokio::test]
async fn of_links_that_open_at_the_same_moment_on_different_nodes_exactly_one_stays() {
    let Some(nats) = Cluster::one().await else { return };
    let (a, b, c) = (nats.node().await, nats.node().await, nats.node().await);
    wars(&[&a, &b], 30).await;
    wars(&[&a, &b, &c], 10).await;
    // Two of them on one node, too.
    wars(&[&a, &b, &a, &c, &b], 10).await;
}

#[tokio::test]
#[ignore = "a measurement: minutes"]
async fn a_thousand_wars_over_a_cluster() {
    let Some(nats) = Cluster::three().await else { return };
    let (a, b, c) = (nats.node().await, nats.node().await, nats.node().await);
    for nodes in [&[&a, &b][..], &[&a, &b, &c]] {
        let all = wars(nodes, 1000).await;
        let at = |share: usize| all[(all.len() - 1) * share / 100];
        eprintln!(
            "{} nodes, 1000 wars: one stayed each time; told after {:?} (median), {:?} (p99), {:?} (longest)",
            nodes.len(),
            at(50),
            at(99),
            at(100)
        );
    }
}

#[tokio::test]
async fn the_older_link_hears_of_the_newer_within_a_tenth_of_a_second() {
    let Some(nats) = Cluster::one().await else { return };
    let (a, b) = (nats.node().await, nats.node().await);
    let mut older = Client::connect(&a, "?user=ann").await;
    let mut times = Vec::new();
    for turn in 0..20 {
        let node = if turn % 2 == 0 { &b } else { &a };
        let newer = Client::connect(node, "?user=ann").await;
        let opened = Instant::now();
        let end = older.ended().await;
        assert!(matches!(end, Ended::Close(Some(REPLACED), _)), "{end:?}");
        times.push(opened.elapsed());
        older = newer;
    }
    times.sort();
    // A machine that is busy with other things may be late at times.
    assert!(times[times.len() / 2] < Duration::from_millis(100), "{times:?}");
}

#[tokio::test]
async fn without_nats_nothing_is_taken_and_all_goes_on_once_it_is_back() {
    let Some(mut nats) = Cluster::one().await else { return };
    let (one, other) = (nats.node().await, nats.node().await);
    let mut client = Client::connect(&one, "?user=ann").await;
    let before = kept(&other, "ann", "before").await;
    assert_eq!(client.text().await, "before");

    nats.kill(0);
    let ready = async |node: &Server| ask(node.addr(), "GET", "/readyz", "", b"").await;
    until("a node that says so", async || ready(&one).await.0 == 503).await;
    assert!(ready(&one).await.1.contains("NATS can't be reached"));
    assert_eq!(ask(one.addr(), "GET", "/healthz", "", b"").await.0, 200, "the process lives");
    until("links are told to come back", async || {
        status(Client::request(&one, "?user=bob", &[]).await) == 503
    })
    .await;
    // It waits a little for NATS to come back, from when it went.
    until("a push is refused in words", async || {
        let (status, words) = post_in_time(one.addr(), b"not kept").await;
        status == 503 && words == "messages can't be kept at the moment\n"
    })
    .await;

    nats.start(0).await;
    until("a node that is ready", async || ready(&one).await.0 == 200 && ready(&other).await.0 == 200).await;
    kept(&other, "ann", "after").await;
    assert_eq!(client.text().await, "after", "the link was there all the time");
    let mut client = Client::connect(&other, &format!("?user=ann&since={before}")).await;
    assert_eq!(client.text().await, "after");
}

#[tokio::test]
async fn without_a_quorum_links_are_taken_and_it_is_settled_afterwards_who_stays() {
    links_are_taken_without_a_quorum_where(|leader, one| one != leader).await;
}

#[tokio::test]
async fn a_leader_that_has_lost_its_quorum_is_as_good_as_none() {
    links_are_taken_without_a_quorum_where(|leader, one| one == leader).await;
}

/// `remains`: whether this server of NATS is the one left of three, by which of them leads.
async fn links_are_taken_without_a_quorum_where(remains: impl Fn(usize, usize) -> bool) {
    let Some(mut nats) = Cluster::three().await else { return };
    let (one, other) = (nats.node().await, nats.node().await);
    kept(&one, "ann", "all is well").await;
    let leader = nats.leader().await;
    let remaining = (0..3).find(|one| remains(leader, *one)).expect("one of three");
    let gone = (0..3).filter(|one| *one != remaining);
    gone.clone().for_each(|one| nats.kill(one));
    let ready = async |node: &Server| ask(node.addr(), "GET", "/readyz", "", b"").await;
    until("words of it", async || {
        let (status, words) = ready(&one).await;
        status == 503 && words.contains("leader") && ready(&other).await.1.contains("leader")
    })
    .await;
    let mut first = Client::connect(&one, "?user=ann").await;
    let mut second = Client::connect(&other, "?user=ann").await;

    for one in gone {
        nats.start(one).await;
    }
    let first_stays = {
        let (one, other) = (pin!(first.has_something()), pin!(second.has_something()));
        matches!(timeout(LONG, select(one, other)).await.expect("it is settled"), Either::Right(_))
    };
    let end = if first_stays { second.ended().await } else { first.ended().await };
    assert!(matches!(end, Ended::Close(Some(REPLACED), _)), "{end:?}");
    kept(&one, "ann", "to the one that stays").await;
    let stays = if first_stays { &mut first } else { &mut second };
    // The servers are finding each other yet: its notice may be lost between them, and is then made up for.
    let told = timeout(LONG, stays.text_some_time()).await.expect("it is told");
    assert_eq!(told, "to the one that stays");
}

#[tokio::test]
async fn a_nats_that_will_not_do_is_told_in_words_at_the_start() {
    let failed = async |nats: Nats| {
        let options = Options { nats: Some(Nats { wait: Duration::ZERO, ..nats }), ..Options::default() };
        match timeout(LONG, Server::start(options)).await.expect("an end in time") {
            Ok(_) => panic!("it started"),
            Err(error) => error.to_string(),
        }
    };
    let at = |url: &str| Nats { url: url.to_owned(), ..Nats::default() };
    assert!(
        failed(at("nats://127.0.0.1:1")).await.starts_with("NATS at nats://127.0.0.1:1 can't be reached")
    );
    assert!(failed(at("http:// no")).await.contains("is no address of NATS"));

    // One of 2021.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("nats://{}", listener.local_addr().expect("an address"));
    let old = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let info = r#"INFO {"server_id":"x","server_name":"x","version":"2.6.5","go":"","host":"","port":1,"headers":true,"max_payload":1048576,"proto":1,"client_id":1,"nonce":"","connect_urls":[]}"#;
            let _ = stream.write_all(format!("{info}\r\nPONG\r\n").as_bytes()).await;
            kept.push(stream);
        }
    });
    let words = failed(at(&url)).await;
    assert!(words.ends_with("is 2.6.5: 2.9 or newer is needed"), "{words}");
    old.abort();

    let Some(bare) = Cluster::without_jetstream().await else { return };
    let words = failed(at(&bare.url())).await;
    assert!(words.contains("has no JetStream: start it with -js"), "{words}");

    let users = "authorization { users: [{ user: ann, password: \"a long secret\" }] }\n";
    let users = users.replace("a long secret", "secret");
    let nats = Cluster::with(1, &users).await.expect("a nats-server");
    let words = failed(at(&nats.url())).await;
    assert!(words.ends_with("it wants credentials (--nats-credentials)"), "{words}");
    let with = |text: &str| Nats { credentials: Some(nats.file("credentials", text)), ..at(&nats.url()) };
    let words = failed(with("ann wrong\n")).await;
    assert!(words.ends_with("the credentials are wrong (--nats-credentials)"), "{words}");
    let words = failed(with("\n")).await;
    assert!(words.contains("holds no credentials for NATS"), "{words}");
    let right = Options { nats: Some(with("ann secret\n")), ..Options::default() };
    let node = Server::start(right).await.expect("the right credentials");
    kept(&node, "ann", "let in").await;
}

#[tokio::test]
async fn what_is_longer_than_nats_takes_is_told_with_its_limit() {
    let Some(nats) = Cluster::with(1, "max_payload: 4096\n").await else { return };
    let node = nats.node().await;
    let (status, words) = post(node.addr(), "ann", "", &[b'x'; 4096]).await;
    assert_eq!(status, 413);
    assert!(words.contains("4096 bytes at most"), "{words}");
    kept(&node, "ann", &"x".repeat(3000)).await;
}

#[tokio::test]
async fn a_server_of_nats_that_dies_takes_no_message_with_it() {
    let Some(mut nats) = Cluster::three().await else { return };
    let (one, other) = (nats.node().await, nats.node().await);
    let mut client = Client::connect(&one, "?user=ann").await;
    let mut sent = BTreeSet::new();
    for round in 0..2 {
        for number in 0..100 {
            let text = format!("{round}.{number}");
            kept(&other, "ann", &text).await;
            sent.insert(text);
            if number == 50 {
                let leader = nats.leader().await;
                nats.kill(leader);
                sent.extend([kept_text(&other, "right after").await]);
                nats.start(leader).await;
            }
        }
    }
    let mut got = Vec::new();
    while got.len() < sent.len() + 1 {
        got.push(timeout(LONG, client.text_some_time()).await.expect("all of it"));
    }
    let once: BTreeSet<_> = got.iter().cloned().collect();
    assert_eq!(once, sent);
    assert_eq!(got.iter().filter(|text| *text == "right after").count(), 2, "and each once");
}

async fn kept_text(node: &Server, text: &str) -> String {
    kept(node, "ann", text).await;
    text.to_owned()
}
