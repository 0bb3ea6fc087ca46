//! Those who don't mean it well, or can't do better: what they can hold is bounded, and others don't notice.

use std::time::{Duration, Instant};

use tidings_server::{Options, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use crate::client::{Client, SOON, post, server, status};
use crate::operating::Program;

/// A server with little patience.
async fn impatient() -> Server {
    let options = Options { head_timeout: Duration::from_millis(200), ..Options::default() };
    Server::start(options).await.expect("a free port")
}

/// What comes until the server ends the connection.
async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end, too.
    let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("an end in time");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn dial(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.addr()).await.expect("a listening server");
    stream.write_all(bytes).await.expect("written");
    stream
}

#[tokio::test]
async fn a_head_that_does_not_come_to_its_end_ends_its_connection() {
    let server = impatient().await;
    let mut silent = dial(&server, b"").await;
    let mut half = dial(&server, b"GET /ws/user-channel HTTP/1.1\r\nhost: x\r\n").await;
    let mut dripping = dial(&server, b"GET / HTTP/1.1\r\n").await;
    let start = Instant::now();
    while timeout(Duration::from_millis(20), dripping.read_u8()).await.is_err() {
        // Refused once the server has ended it.
        let _ = dripping.write_all(b"x: y\r\n").await;
        assert!(start.elapsed() < SOON, "it may drip for ever");
    }
    answer(&mut silent).await;
    answer(&mut half).await;
    // A second request on a connection that was used well.
    let mut used = dial(&server, b"GET /version HTTP/1.1\r\nhost: x\r\n\r\nGET /version HTT").await;
    assert!(answer(&mut used).await.starts_with("HTTP/1.1 200"));
    assert_eq!(status(Client::request(&server, "?user=ann", &[]).await), 101, "others are served");
}

#[tokio::test]
async fn a_connection_may_wait_for_its_next_request_and_a_link_for_its_first_message() {
    let server = impatient().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    let mut kept = dial(&server, b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut first = [0; 12];
    kept.read_exact(&mut first).await.expect("an answer");
    // Twice as long as a head may take: another one's end tells when that is over.
    for _ in 0..2 {
        answer(&mut dial(&server, b"").await).await;
    }
    kept.write_all(b"GET /version HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("open");
    assert!(answer(&mut kept).await.contains("HTTP/1.1 200 OK"));
    server.push("ann", "late");
    assert_eq!(client.text().await, "late");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_whatever_it_is_long_in() {
    let server = server().await;
    for head in [
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(100 << 10)),
        format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(1 << 20)),
        format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(1000)),
        format!("{} / HTTP/1.1\r\n\r\n", "X".repeat(100 << 10)),
    ] {
        let mut stream = TcpStream::connect(server.addr()).await.expect("a listening server");
        // The server may answer and end it before all is written.
        let _ = stream.write_all(head.as_bytes()).await;
        let answer = answer(&mut stream).await;
        let refused = ["", "HTTP/1.1 431", "HTTP/1.1 414", "HTTP/1.1 400"];
        assert!(refused.iter().any(|start| answer.get(..12) == Some(start) || answer == *start), "{answer}");
    }
    assert_eq!(post(server.addr(), "ann", "", b"x").await.0, 200, "others are served");
}

#[tokio::test]
async fn whoever_has_no_place_is_told_to_come_back_and_nobody_loses_theirs() {
    let server = Server::start(Options { max_links: 2, ..Options::default() }).await.expect("a free port");
    let mut ann = Client::connect(&server, "?user=ann").await;
    let _bob = Client::connect(&server, "?user=bob").await;
    let refused = Client::request(&server, "?user=eve", &[]).await;
    let Err(tokio_tungstenite::tungstenite::Error::Http(refused)) = refused else { panic!("let in") };
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    server.push("ann", "still here");
    assert_eq!(ann.text().await, "still here");
    // Who has a place may take it anew.
    assert_eq!(status(Client::request(&server, "?user=ann", &[]).await), 101);
}

#[tokio::test]
async fn many_that_open_and_say_nothing_keep_nobody_out() {
    let server = impatient().await;
    let mut strangers = Vec::new();
    for _ in 0..2000 {
        strangers.push(TcpStream::connect(server.addr()).await.expect("a connection"));
    }
    assert_eq!(status(Client::request(&server, "?user=ann", &[]).await), 101);
    for mut stranger in strangers {
        answer(&mut stranger).await;
    }
}

/// More than may be served at once.
const TOO_MANY: usize = 5000;

#[tokio::test]
async fn more_than_may_wait_for_a_request_make_room_for_whoever_has_one() {
    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n";
    let server = server().await;
    let mut ann = Client::connect(&server, "?user=ann").await;
    let mut used = dial(&server, b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n").await;
    used.read_exact(&mut [0; 12]).await.expect("an answer");
    let mut strangers = Vec::new();
    for number in 0..TOO_MANY {
        // Nothing of a head, or a part of it.
        strangers.push(dial(&server, &HEAD[..number % 20]).await);
    }
    assert_eq!(status(Client::request(&server, "?user=bob", &[]).await), 101);
    assert_eq!(post(server.addr(), "ann", "", b"still here").await.0, 200);
    assert_eq!(ann.text().await, "still here");
    // Those who waited longest.
    let told = answer(&mut strangers[0]).await;
    assert!(told.starts_with("HTTP/1.1 503") && told.contains("retry-after"), "{told}");
    // An answer is written to its end, and nothing behind it.
    assert!(!answer(&mut used).await.contains("503"));
    let mut last = strangers.pop().expect("a stranger");
    let rest = [&HEAD[(TOO_MANY - 1) % 20..], b"connection: close\r\n\r\n"].concat();
    last.write_all(&rest).await.expect("a link");
    let told = answer(&mut last).await;
    assert!(told.starts_with("HTTP/1.1 404"), "the newest still has its time: {told}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn ten_thousand_opens_of_which_half_are_never_finished_harm_nobody() {
    const OPENS: usize = 10_000;
    const AT_ONCE: usize = 50;
    let program = Program::start(&[], &[]).await;
    let addr = program.addr;
    let mut ann = Client::connect_to(addr, "?user=ann", &[]).await.expect("let in");
    let before = program.memory();
    let mut storm: JoinSet<_> = (0..AT_ONCE)
        .map(|lane| async move {
            let mut held = Vec::new();
            for number in (lane..OPENS).step_by(AT_ONCE) {
                if number % 2 == 0 {
                    let mut half = TcpStream::connect(addr).await.expect("a connection");
                    half.write_all(b"GET /ws/user-channel?user=eve HTTP/1.1\r\nhost: x\r\n")
                        .await
                        .expect("written");
                    held.push(half);
                } else {
                    let link = Client::connect_to(addr, &format!("?user=u{number}"), &[]).await;
                    assert_eq!(status(link), 101);
                }
            }
            held
        })
        .collect();
    // Messages come to those who are there, one by one, all the time that it lasts.
    let (mut held, mut number) = (Vec::new(), 0);
    while !storm.is_empty() {
        number += 1;
        assert_eq!(post(addr, "ann", "", number.to_string().as_bytes()).await.0, 200);
        assert_eq!(ann.text().await, number.to_string());
        while let Some(lane) = storm.try_join_next() {
            held.push(lane.expect("no panic"));
        }
    }
    let grown = program.memory().saturating_sub(before);
    assert!(grown < 128 << 10, "{grown} KiB more");
}

#[tokio::test]
async fn a_push_of_ten_megabytes_is_heard_to_its_end_and_told_that_it_is_too_long() {
    let server = server().await;
    let big = vec![b'x'; 10 << 20];
    for headers in ["", "authorization: Bearer x\r\n"] {
        let (status, words) = post(server.addr(), "ann", headers, &big).await;
        assert_eq!(status, 413, "{words}");
    }
    // In pieces, so that its length is not said before.
    let mut stream =
        dial(&server, b"POST /push/ann HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let piece = [b"10000\r\n", &[b'x'; 0x10000][..], b"\r\n"].concat();
    for _ in 0..160 {
        stream.write_all(&piece).await.expect("it is read to the end");
    }
    stream.write_all(b"0\r\n\r\n").await.expect("it is read to the end");
    let mut answer = [0; 12];
    timeout(SOON, stream.read_exact(&mut answer)).await.expect("in time").expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert_eq!(post(server.addr(), "ann", "", b"x").await.0, 200);
}

#[tokio::test]
async fn a_body_that_does_not_come_to_its_end_is_given_up() {
    let server = impatient().await;
    let head = b"POST /push/ann HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf";
    let mut half = dial(&server, head).await;
    assert!(answer(&mut half).await.starts_with("HTTP/1.1 408"));
    // The one that breaks off is no message.
    drop(dial(&server, head).await);
    let mut ann = Client::connect(&server, "?user=ann&since=0").await;
    server.push("ann", "the first");
    assert_eq!(ann.text().await, "the first");
}

#[tokio::test]
async fn who_asks_and_asks_and_never_reads_is_cut() {
    let server = impatient().await;
    let mut stream = dial(&server, b"").await;
    let ask = b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    let mut sent = 0;
    let start = Instant::now();
    // It takes no more once its answers wait, and is cut while it waits.
    while timeout(SOON, stream.write_all(&ask)).await.expect("it is cut in time").is_ok() {
        sent += ask.len();
        assert!(sent < 100 << 20 && start.elapsed() < SOON, "{sent} bytes were taken");
    }
    assert_eq!(status(Client::request(&server, "?user=ann", &[]).await), 101);
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_nobody_else() {
    let server = server().await;
    let slow = Client::connect(&server, "?user=slow").await;
    let mut ann = Client::connect(&server, "?user=ann").await;
    let big = "x".repeat(1 << 20);
    for number in 0..100 {
        assert_eq!(post(server.addr(), "slow", "", big.as_bytes()).await.0, 200);
        assert_eq!(post(server.addr(), "ann", "", number.to_string().as_bytes()).await.0, 200);
        assert_eq!(ann.text().await, number.to_string());
    }
    assert_eq!((server.links("slow"), server.links("ann")), (0, 1), "its queue is bounded");
    drop(slow);
}

#[tokio::test]
async fn a_fleet_that_comes_at_once_is_let_in_whole() {
    const FLEET: usize = 1000;
    let server = server().await;
    let opening = (0..FLEET).map(|number| {
        let addr = server.addr();
        tokio::spawn(async move { Client::connect_to(addr, &format!("?user={number}"), &[]).await })
    });
    let opening: Vec<_> = opening.collect();
    let mut links = Vec::new();
    for link in opening {
        links.push(link.await.expect("no panic").expect("let in"));
    }
    assert_eq!(server.running(), FLEET);
    let last = links.last_mut().expect("a link");
    server.push(&(FLEET - 1).to_string(), "hello");
    assert_eq!(last.text().await, "hello");
    drop(links);
    crate::client::nothing_runs(&server).await;
}
