//! Behind a real nginx with the recipe's settings, scaled down from 90 s and 60 s to 3 s and 2 s: it cuts what
//! is silent, and the heartbeat keeps a link from being silent.
//!
//! These are the only promises that wait in real time, since nginx's clock can't be invented: together as long
//! as the longest of them.

use std::time::{Duration, Instant};

use serde_json::Value;
use tidings_server::{Event, EventKind, Options, Server};
use tidings_tests::desktop::Signal;
use tidings_tests::listen::{Home, Program};
use tidings_tests::nginx::Nginx;
use tidings_tests::wait::SOON;

/// nginx's read and send timeout.
const TIMEOUT: Duration = Duration::from_secs(3);

/// For how long nothing is said but what keeps the link.
const SILENCE: Duration = Duration::from_secs(20);

/// A channel of the settings file.
fn channel(nginx: &Nginx, user: &str, heartbeat: &str, ping_after: &str) -> String {
    format!(
        r#"
        [[channel]]
        url = "{}"
        auth = "none"
        heartbeat = {{ text = "{heartbeat}", interval = "2s", proxy_timeout = "3s" }}
        liveness = {{ ping_after = "{ping_after}", deadline = "1s" }}
        backoff = {{ first = "200ms" }}
        "#,
        nginx.url(user)
    )
}

fn listen(settings: &str) -> (Home, Program) {
    let home = Home::new(settings).expect("a home folder");
    let listen = home.start(&["listen", "--json"]).expect("tidings listen");
    (home, listen)
}

/// What happened on the user's links, the requests and opens aside.
fn traffic(server: &Server, user: &str) -> Vec<Event> {
    let mut events = server.events();
    events.retain(|event| {
        event.user == user && !matches!(event.kind, EventKind::Requested(_) | EventKind::Opened)
    });
    events
}

fn opened(server: &Server, user: &str) -> Vec<Event> {
    let mut events = server.events();
    events.retain(|event| event.user == user && event.kind == EventKind::Opened);
    events
}

async fn next_open(server: &Server, user: &str) -> Event {
    let open = server.wait_for(SOON, |event| event.user == user && event.kind == EventKind::Opened).await;
    open.expect("a link")
}

/// Waits until the user's link has lived through the silence, by the last frame of it.
async fn outlives_the_silence(server: &Server, user: &str) {
    let since = next_open(server, user).await.at;
    let late = server
        .wait_for(SILENCE + TIMEOUT, |event| event.user == user && event.at - since >= SILENCE)
        .await
        .expect("a frame after the silence");
    assert!(matches!(late.kind, EventKind::Text(_) | EventKind::Ping(_)), "{late:?}");
}

/// The states printed until the program ended.
fn states(printed: &str) -> Vec<String> {
    let line = |line: &str| serde_json::from_str::<Value>(line).expect("a line of JSON");
    printed.lines().map(|text| line(text)["state"].as_str().expect("a state").to_owned()).collect()
}

async fn a_heartbeat_alone_keeps_the_link(server: &Server, nginx: &Nginx) {
    let (_home, listen) = listen(&channel(nginx, "heartbeat", "HeartBeat", "0s"));
    outlives_the_silence(server, "heartbeat").await;
    let traffic = traffic(server, "heartbeat");
    let mut last = next_open(server, "heartbeat").await.at;
    for event in &traffic {
        assert_eq!(event.kind, EventKind::Text("HeartBeat".into()), "no pings, nothing else");
        let gap = event.at - last;
        assert!(
            // One may be seen late, and the next one at once.
            (Duration::from_millis(1000)..TIMEOUT).contains(&gap),
            "a heartbeat {gap:?} after the one before"
        );
        last = event.at;
    }
    assert_eq!(opened(server, "heartbeat").len(), 1, "one link all the time");
    listen.signal(Signal::TERM).expect("it runs");
    let ended = listen.ended().await.expect("an end");
    assert_eq!(states(&ended.rest).last().map(String::as_str), Some("connected"), "{}", ended.rest);
    assert!(!ended.log.contains("WARN"), "nothing to complain about: {}", ended.log);
}

async fn pings_alone_keep_the_link(server: &Server, nginx: &Nginx) {
    let (_home, listen) = listen(&channel(nginx, "pings", "", "1s"));
    outlives_the_silence(server, "pings").await;
    let pings = traffic(server, "pings");
    assert!(pings.iter().all(|event| matches!(event.kind, EventKind::Ping(_))), "{pings:?}");
    assert_eq!(opened(server, "pings").len(), 1, "one link all the time");
    listen.signal(Signal::TERM).expect("it runs");
    let ended = listen.ended().await.expect("an end");
    assert_eq!(states(&ended.rest).last().map(String::as_str), Some("connected"), "{}", ended.rest);
}

async fn a_silent_link_is_cut_and_comes_back(server: &Server, nginx: &Nginx) {
    let (_home, mut listen) = listen(&channel(nginx, "silent", "", "0s"));
    for round in 0..2 {
        listen.state("connected").await.expect("connected");
        let lost = listen.state("waiting").await.expect("cut");
        assert_eq!(lost["cause"], "connection lost (end of stream)", "nginx sends no close frame");
        let opened = opened(server, "silent");
        let link = opened.get(round).expect("this round's link");
        let gone = server
            .wait_for(SOON, |event| event.link == link.link && matches!(event.kind, EventKind::Gone { .. }))
            .await
            .expect("its end");
        let lived = gone.at - link.at;
        assert!((TIMEOUT - Duration::from_millis(100)..TIMEOUT * 2).contains(&lived), "it lived {lived:?}");
    }
    listen.state("connected").await.expect("back by itself");
    server.push("silent", "still with you");
    assert_eq!(listen.message().await.expect("a message")["body"], "still with you");
    assert!(listen.log().contains("link lost"), "{}", listen.log());
}

#[tokio::test]
async fn a_heartbeat_or_pings_keep_a_silent_link_and_without_both_it_is_cut_and_comes_back() {
    let server = Server::start(Options::default()).await.expect("a server");
    let nginx = Nginx::start(server.addr(), TIMEOUT).await.expect("nginx");
    let begun = Instant::now();
    tokio::join!(
        a_heartbeat_alone_keeps_the_link(&server, &nginx),
        pings_alone_keep_the_link(&server, &nginx),
        a_silent_link_is_cut_and_comes_back(&server, &nginx),
    );
    assert!(begun.elapsed() >= SILENCE);
}

#[tokio::test]
async fn a_restart_behind_nginx_is_a_502_meanwhile_and_then_connected_again() {
    let server = Server::start(Options::default()).await.expect("a server");
    let nginx = Nginx::start(server.addr(), TIMEOUT).await.expect("nginx");
    let (_home, mut listen) = listen(&channel(&nginx, "ann", "HeartBeat", "0s"));
    listen.state("connected").await.expect("connected");

    server.stop(1006).await;
    let lost = listen.state("waiting").await.expect("it is noticed");
    assert_eq!(lost["cause"], "connection lost (end of stream)");
    let refused = listen.state("waiting").await.expect("another try");
    assert_eq!(refused["cause"], "server not there behind its proxy (502)");

    let options = Options { listen: server.addr(), ..Options::default() };
    let server = Server::start(options).await.expect("the same port");
    listen.state("connected").await.expect("back by itself");
    server.push("ann", "after the restart");
    assert_eq!(listen.message().await.expect("a message")["body"], "after the restart");
    let answers = nginx.answers().expect("the access log");
    assert!(answers.starts_with(&[101, 502]), "nginx answered {answers:?}");
}
