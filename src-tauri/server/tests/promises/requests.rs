//! Whoever asks the wrong way is told which is right.

use std::net::SocketAddr;

use tidings_server::{Options, Server};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::client::{SOON, server};

/// The answer to a request without a body, its head in lower case.
async fn answer(addr: SocketAddr, method: &str, path: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect(addr).await.expect("a listening server");
    let request = format!("{method} {path} HTTP/1.1\r\nhost: test\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut head = Vec::new();
    let reading = async {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a whole head"));
        }
        let head = String::from_utf8(head).expect("UTF-8").to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; if method == "HEAD" { 0 } else { length.unwrap_or(0) }];
        stream.read_exact(&mut body).await.expect("a whole body");
        (head, String::from_utf8(body).expect("UTF-8"))
    };
    timeout(SOON, reading).await.expect("in time")
}

#[tokio::test]
async fn a_place_that_is_none_and_a_method_that_is_not_taken_are_told_with_what_is() {
    let metrics = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let server = Server::start(Options { metrics, ..Options::default() }).await.expect("a free port");
    let (public, own) = (server.addr(), server.metrics_addr().expect("an address"));
    for (addr, method, path, status, says) in [
        (public, "GET", "/", 404, "/push/NAME"),
        (public, "GET", "/metrics", 404, "nothing is here"),
        (public, "GET", "/healthz/", 404, "nothing is here"),
        (public, "POST", "/push/", 404, "nothing is here"),
        (public, "POST", "/push/a/b", 404, "a name's / as %2F"),
        (public, "POST", "/push/ann/", 404, "nothing is here"),
        (public, "GET", "/users", 404, "nothing is here"),
        (own, "GET", "/version", 404, "/metrics"),
        (public, "GET", "/push", 405, "allow: post"),
        (public, "PUT", "/push/ann", 405, "allow: post"),
        (public, "OPTIONS", "/push/ann", 405, "allow: post"),
        (public, "DELETE", "/users/ann", 405, "allow: get,head"),
        (public, "POST", "/readyz", 405, "allow: get,head"),
        (public, "POST", "/ws/user-channel", 405, "allow: get,head"),
        (own, "POST", "/metrics", 405, "allow: get,head"),
    ] {
        let (head, body) = answer(addr, method, path, "").await;
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{method} {path}: {head}");
        assert!(head.contains("content-type: text/plain"), "{method} {path}: {head}");
        assert!(head.contains(says) || body.contains(says), "{method} {path}: {head}\n{body}");
        assert!(body.ends_with('\n') && body.len() > 20, "{method} {path}: {body}");
    }
    for path in ["/healthz", "/readyz", "/version", "/users/ann"] {
        let (head, body) = answer(public, "HEAD", path, "").await;
        assert!(head.starts_with("http/1.1 200 ") && body.is_empty(), "{path}: {head}\n{body}");
    }
}

#[tokio::test]
async fn who_comes_to_a_channel_without_an_upgrade_is_told_what_it_wants() {
    let server = server().await;
    let path = "/ws/user-channel?user=ann";
    let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    for (method, headers) in [
        ("GET", String::new()),
        ("HEAD", String::new()),
        ("GET", format!("{upgrade}sec-websocket-version: 8\r\n{key}")),
        ("GET", format!("connection: upgrade\r\nsec-websocket-version: 13\r\n{key}")),
    ] {
        let (head, body) = answer(server.addr(), method, path, &headers).await;
        assert!(head.starts_with("http/1.1 426 "), "{headers}: {head}");
        for wanted in ["upgrade: websocket", "sec-websocket-version: 13"] {
            assert!(head.contains(wanted), "{headers}: {head}");
        }
        assert!(method == "HEAD" || body.contains("a proxy in between has to hand on"), "{body}");
    }
    let without = format!("{upgrade}sec-websocket-version: 13\r\n");
    let (head, body) = answer(server.addr(), "GET", path, &without).await;
    assert!(head.starts_with("http/1.1 400 ") && body.contains("Sec-WebSocket-Key"), "{head} {body}");
    let twice = format!("{without}{key}");
    let (head, body) = answer(server.addr(), "GET", &format!("{path}&user=bob"), &twice).await;
    assert!(head.starts_with("http/1.1 401 ") && body == "the query is not readable\n", "{head} {body}");
}
