//! Requests that are no upgrade: they go the channel's way, keep its secret at its own origin, and end in time and size.

use tidings_channel::{ClientCert, Fetch, Fetched, Method, Stage, fetch};

use super::proxies::{connect_proxy, through};
use super::trust::{Authority, FAR};
use super::*;

/// What is beside a channel.
fn beside(config: &Config, path: &str) -> Fetch {
    let url = config.url.as_url().join(path).expect("a path");
    Fetch {
        patience: Duration::from_secs(5),
        ..Fetch::get(ChannelUrl::parse(url.as_str(), false).expect("a good URL"))
    }
}

async fn signed_in_fetch(config: &Config, ask: Fetch) -> Result<Fetched, Cause> {
    fetch(config, &signed_in(), ask).await
}

/// Asks a server that answers this. Also what it was asked.
async fn asked(answer_with: &str) -> (Result<Fetched, Cause>, String) {
    let (listener, port) = listen().await;
    let config = config("ws", port);
    let ask = beside(&config, "/version");
    tokio::join!(signed_in_fetch(&config, ask), async {
        let mut stream = dialled(&listener).await;
        let asked = head(&mut stream).await;
        stream.write_all(answer_with.as_bytes()).await.expect("sent");
        asked
    })
}

#[tokio::test]
async fn what_is_beside_the_channel_is_asked_for_with_its_secret() {
    let (answer, asked) = asked("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-A: b\r\n\r\nfour and more").await;
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice(), answer.header("x-a")), (200, &b"four"[..], Some("b")));
    assert_eq!(answer.failure(), None);
    let asked = asked.to_lowercase();
    assert!(asked.starts_with("get /version http/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nauthorization: bearer s3cret\r\n"), "{asked}");
    assert!(asked.contains("\r\nconnection: close\r\n"), "{asked}");
    assert!(asked.contains("\r\nhost: localhost:"), "{asked}");
    assert!(!asked.contains("upgrade"), "{asked}");
}

#[tokio::test]
async fn a_body_is_sent_whole_with_its_own_headers() {
    let (listener, port) = listen().await;
    let config = config("ws", port);
    let nobody = DialParams::default();
    let text = "{\"topic\":\"alerts\",\"message\":\"Grüße\"}";
    let ask = Fetch { method: Method::PUT, ..Fetch::post_json(beside(&config, "/").url, text.to_owned()) };
    let (answer, (asked, sent)) = tokio::join!(fetch(&config, &nobody, ask), async {
        let mut stream = dialled(&listener).await;
        let asked = head(&mut stream).await.to_lowercase();
        let mut sent = vec![0; text.len()];
        stream.read_exact(&mut sent).await.expect("a body");
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("sent");
        (asked, sent)
    });
    assert_eq!(answer.expect("an answer").status, 204);
    assert!(asked.starts_with("put / http/1.1\r\n"), "{asked}");
    assert!(asked.contains("content-type: application/json\r\n"), "{asked}");
    assert!(asked.contains(&format!("content-length: {}\r\n", text.len())), "{asked}");
    assert!(!asked.contains("authorization"), "{asked}");
    assert_eq!(sent, text.as_bytes());
}

#[tokio::test]
async fn neither_secret_nor_certificate_goes_to_another_origin() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("desk", FAR);
    let cert = ClientCert::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes());
    let (listener, port) = listen().await;
    let other = Config {
        ca_pem: Some(authority.pem()),
        client_cert: Some(cert.expect("a good pair")),
        ..config("wss", 1)
    };
    let elsewhere = beside(&config("wss", port), "/hook");
    let params = DialParams { headers: vec![("X-Key".to_owned(), "s3cret".to_owned())], ..signed_in() };
    let (answer, (asked, shown)) = tokio::join!(fetch(&other, &params, elsewhere), async {
        // This one would take a certificate, and does without.
        let acceptor = authority.server_that_may_ask("localhost");
        let mut stream = acceptor.accept(dialled(&listener).await).await.expect("TLS");
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(stream.read_u8().await.expect("a whole head"));
        }
        let shown = stream.get_ref().1.peer_certificates().is_some();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.expect("sent");
        (String::from_utf8(asked).expect("ASCII"), shown)
    });
    assert_eq!(answer.expect("an answer").status, 200);
    assert!(!asked.contains("s3cret"), "{asked}");
    assert!(!shown, "a certificate was shown to a stranger");
}

#[tokio::test]
async fn the_way_is_the_channels_through_proxy_and_encryption() {
    let authority = Authority::new();
    let ((proxy, proxy_port), (listener, port)) = (listen().await, listen().await);
    let proxied = through(&format!("http://127.0.0.1:{proxy_port}"), 1);
    let config = Config { proxy: proxied.proxy, ca_pem: Some(authority.pem()), ..config("wss", port) };
    let ask = beside(&config, "/v1/health");
    let (answer, (tunnel, ())) = tokio::join!(signed_in_fetch(&config, ask), async {
        let tunnel = connect_proxy(&proxy, "HTTP/1.1 200 \r\n\r\n", port).await;
        let stream = authority.server("localhost", FAR, false).accept(dialled(&listener).await).await;
        let mut stream = stream.expect("TLS");
        while stream.read_u8().await.expect("a head") != b'\n' {}
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.expect("sent");
        stream.flush().await.expect("sent");
        (tunnel, ())
    });
    assert_eq!(answer.expect("an answer").body, b"{}");
    assert!(tunnel.starts_with(&format!("CONNECT localhost:{port} ")), "{tunnel}");
    assert!(!tunnel.contains("s3cret"), "{tunnel}");
}

#[tokio::test]
async fn a_server_that_nobody_trusts_is_told_as_at_a_dial() {
    let authority = Authority::new();
    let (listener, port) = listen().await;
    let config = config("wss", port);
    let ask = beside(&config, "/");
    let (answer, refused) = tokio::join!(signed_in_fetch(&config, ask), async {
        authority.server("localhost", FAR, false).accept(dialled(&listener).await).await.is_err()
    });
    assert!(matches!(answer, Err(Cause::Certificate { .. })), "{answer:?}");
    assert!(refused, "no byte of the request was sent");
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let (elsewhere, other_port) = listen().await;
    let to = format!("http://127.0.0.1:{other_port}/version");
    let (answer, _) = asked(&format!("HTTP/1.1 302 \r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")).await;
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, answer.header("location")), (302, Some(to.as_str())));
    assert!(matches!(answer.failure(), Some(Cause::Moved { same_host: false, .. })), "{answer:?}");
    assert!(tokio::time::timeout(millis(200), elsewhere.accept()).await.is_err(), "it was followed");
}

#[tokio::test]
async fn what_is_no_success_is_told_by_what_it_means() {
    for (head, words) in [
        ("401 \r\n", "sign-in refused (401)"),
        ("302 \r\nLocation: /login\r\n", "the server asks for a sign-in (302)"),
        ("404 \r\n", "no good answer from the server (HTTP status 404)"),
        ("503 \r\nRetry-After: 7\r\n", "server busy (503)"),
        ("500 \r\n", "no good answer from the server (HTTP status 500)"),
    ] {
        let (answer, _) = asked(&format!("HTTP/1.1 {head}Content-Length: 0\r\n\r\n")).await;
        let failure = answer.expect("an answer").failure().expect("a failure");
        assert_eq!(failure.to_string(), words);
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_or_speaks_something_else_is_told() {
    let hung_up = "connection lost (the server hung up instead of answering)";
    let unreadable = "no good answer from the server (the answer can't be read)";
    for (said, words) in [
        ("", hung_up),
        ("HTTP/1.1 200 OK\r\nContent-Le", hung_up),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", hung_up),
        ("SSH-2.0-OpenSSH_9.2p1\r\n", unreadable),
        ("HTTP/1.1 two hundred\r\n\r\n", unreadable),
    ] {
        let (answer, _) = asked(said).await;
        assert_eq!(answer.expect_err(said).to_string(), words, "{said}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_at_its_limit() {
    let most = 4096;
    let length = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", most + 1);
    let piece = format!("400\r\n{}\r\n", "x".repeat(0x400));
    for (start, piece) in [
        ("HTTP/1.1 200 OK\r\n\r\n", "endless"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", piece.as_str()),
        (length.as_str(), ""),
        ("HTTP/1.1 200 OK\r\n", "X-Filler: and so on\r\n"),
    ] {
        let (listener, port) = listen().await;
        let config = config("ws", port);
        let ask = Fetch { most, ..beside(&config, "/") };
        let endless = async {
            let mut stream = dialled(&listener).await;
            head(&mut stream).await;
            let _ = stream.write_all(start.as_bytes()).await;
            while !piece.is_empty() && stream.write_all(piece.as_bytes()).await.is_ok() {}
            // Until it is dropped.
            let _ = stream.read(&mut [0]).await;
        };
        let (answer, ()) = tokio::join!(signed_in_fetch(&config, ask), endless);
        assert!(matches!(answer, Err(Cause::NoGoodAnswer { .. })), "{start}: {answer:?}");
    }
}

#[tokio::test]
async fn a_body_as_long_as_it_may_be_comes_whole() {
    let (listener, port) = listen().await;
    let config = config("ws", port);
    let ask = Fetch { most: 8, ..beside(&config, "/") };
    let (answer, ()) = tokio::join!(signed_in_fetch(&config, ask), async {
        let mut stream = dialled(&listener).await;
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n12345678").await.expect("sent");
    });
    assert_eq!(answer.expect("it fits").body, b"12345678");
}

#[tokio::test]
async fn a_slow_answer_is_given_up_in_time_wherever_it_stops() {
    for said in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"] {
        let (listener, port) = listen().await;
        let config = config("ws", port);
        let ask = Fetch { patience: millis(300), ..beside(&config, "/") };
        let (answer, ()) = tokio::join!(signed_in_fetch(&config, ask), async {
            let mut stream = dialled(&listener).await;
            head(&mut stream).await;
            stream.write_all(said.as_bytes()).await.expect("sent");
            // The connection ends with the patience.
            let _ = stream.read(&mut [0]).await;
        });
        assert_eq!(answer.expect_err(said), Cause::TimedOut { stage: Stage::Answer });
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_told_without_its_value() {
    let config = config("ws", 1);
    for (name, value) in [("X-Key", "s3cret\r\nX-Evil: 1"), ("Host", "s3cret"), ("X Key", "s3cret")] {
        let headers = vec![(name.to_owned(), value.to_owned())];
        let refused = fetch(&config, &DialParams::default(), Fetch { headers, ..beside(&config, "/") }).await;
        let told = refused.expect_err("can't be sent").to_string();
        assert!(!told.contains("s3cret"), "{told}");
    }
}
