//! Whatever answers an upgrade request instead of a user-channel server.

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Listener, ORDINARY, drawn_from, is_plain};

/// What sits at an address instead of a server.
#[derive(Clone)]
enum Door {
    /// Reads a request, sends this and waits.
    Says(Vec<u8>),
    /// … and hangs up.
    SaysAndEnds(Vec<u8>),
    /// … and repeats the second for ever.
    Repeats(Vec<u8>, Vec<u8>),
}

impl Door {
    fn answer(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Says(
            format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes(),
        )
    }

    /// Serves every connection so, until the listener is dropped.
    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(self.clone().meet(stream));
        }
    }

    async fn meet(self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte).await? == 0 {
                break;
            }
            request.push(byte[0]);
            // The start of a TLS handshake has no line to end.
            if request.starts_with(&[0x16]) {
                break;
            }
        }
        match self {
            Self::SaysAndEnds(bytes) => stream.write_all(&bytes).await,
            Self::Says(bytes) => {
                stream.write_all(&bytes).await?;
                // Until the client hangs up.
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(|_| ())
            }
            Self::Repeats(bytes, more) => {
                stream.write_all(&bytes).await?;
                loop {
                    stream.write_all(&more).await?;
                }
            }
        }
    }
}

#[tokio::test]
async fn whatever_answers_instead_of_a_server_is_told_and_waited_for_as_the_rules_say() {
    let says = |text: &str| Door::Says(text.as_bytes().to_vec());
    let http = Door::answer;
    let in_90_s = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(90);
    let date = |at: jiff::Timestamp| format!("retry-after: {}\r\n", at.strftime("%a, %d %b %Y %H:%M:%S GMT"));
    let upgrade = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n";
    let not_here = (300.0, 450.0);
    let no_socket = "no WebSocket at this address";
    let busy = "server busy (503)";
    let cases = [
        (
            "an endless head",
            Door::Repeats(upgrade.into(), b"x-more: and more\r\n".to_vec()),
            no_socket,
            not_here,
        ),
        ("an endless line", Door::Repeats(upgrade.into(), b"x".to_vec()), no_socket, not_here),
        (
            "a wrong accept key",
            says(&format!("{upgrade}sec-websocket-accept: no\r\n\r\n")),
            no_socket,
            not_here,
        ),
        ("no accept key", says(&format!("{upgrade}\r\n")), no_socket, not_here),
        (
            "a page",
            http("200 OK", "content-type: text/html\r\n", "<html>Welcome</html>"),
            no_socket,
            not_here,
        ),
        (
            "an endless page",
            Door::Repeats(b"HTTP/1.1 200 OK\r\n\r\n".into(), vec![b'x'; 4096]),
            no_socket,
            not_here,
        ),
        // On loopback no network in between can ask for a sign-in of its own.
        (
            "elsewhere",
            http("302 Found", "location: http://portal.example/\r\n", ""),
            "the server redirects elsewhere (302)",
            not_here,
        ),
        ("nowhere", http("302 Found", "", ""), "the server redirects elsewhere (302)", not_here),
        ("not found", http("404 Not Found", "", "?"), "nothing at this address (404)", (30.0, 30.0)),
        ("a bad request", http("400 Bad Request", "", ""), "the server refused the request (400)", not_here),
        ("an error", http("500 Oops", "", ""), "server error (500)", ORDINARY),
        ("soon", http("429 Slow", "retry-after: 7\r\n", ""), "too many requests (429)", (7.0, 8.75)),
        ("at a date", http("503 Busy", &date(in_90_s), ""), busy, (85.0, 113.0)),
        ("at a date gone by", http("503 Busy", &date(jiff::Timestamp::UNIX_EPOCH), ""), busy, (1.0, 1.25)),
        ("never", http("503 Busy", "retry-after: 18446744073709551615\r\n", ""), busy, (3600.0, 4500.0)),
        ("at once", http("503 Busy", "retry-after: 0\r\n", ""), busy, (1.0, 1.25)),
        (
            "at the end of time",
            http("503 Busy", "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n", ""),
            busy,
            (3600.0, 4500.0),
        ),
        ("before it was asked", http("503 Busy", "retry-after: -1\r\n", ""), busy, ORDINARY),
        ("at no time", http("503 Busy", "retry-after: \u{1f4a9}\r\n", ""), busy, ORDINARY),
        ("a status of nothing", says("HTTP/1.1 000 Zero\r\n\r\n"), no_socket, not_here),
        ("a status of 999", http("999 Odd", "", ""), no_socket, not_here),
        ("bytes", Door::Says((0..=255).rev().collect()), no_socket, not_here),
        ("NULs", Door::Repeats(vec![], vec![0; 4096]), no_socket, not_here),
        ("TLS", Door::SaysAndEnds(vec![0x15, 3, 1, 0, 2, 2, 70]), no_socket, not_here),
        ("another protocol", says("220 mail.example ESMTP\r\n\r\n"), no_socket, not_here),
        ("a hang-up", Door::SaysAndEnds(vec![]), "connection lost", ORDINARY),
        ("half an answer", Door::SaysAndEnds(b"HTTP/1.1 101 Swi".to_vec()), "connection lost", ORDINARY),
    ];
    join_all(cases.into_iter().map(|(what, door, told, range)| async move {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("its address");
        let serving = tokio::spawn(door.serve(socket));
        let mut listener = Listener::start(&format!("ws://{address}/ws"));
        let (cause, delay) = listener.lost().await;
        assert!(cause.starts_with(told) && is_plain(&cause), "{what}: {cause:?}");
        assert!(
            drawn_from(delay, range),
            "{what}: tries again after {delay} s, which should be in {range:?}"
        );
        let log = listener.ends_well().await;
        assert!(log.contains(told) && log.lines().all(is_plain), "{what}: {log:?}");
        serving.abort();
    }))
    .await;
}

#[tokio::test]
async fn a_sign_in_page_and_a_plain_server_under_wss_are_told_and_a_silent_one_is_waited_for() {
    let door = |door: Door| async {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("its address");
        tokio::spawn(door.serve(socket));
        address
    };
    let sign_in = door(Door::answer("302 Found", "location: /login\r\n", "")).await;
    let silent = door(Door::Says(vec![])).await;
    let plain = door(Door::answer("400 Bad Request", "", "This is plain HTTP")).await;
    tokio::join!(
        async {
            let refused =
                Listener::start(&format!("ws://{sign_in}/ws")).listen.ended().await.expect("an end");
            assert_eq!(refused.code, 5, "{}", refused.log);
            assert!(refused.rest.contains("the server asks for a sign-in (302)"), "{}", refused.rest);
        },
        async {
            let mut listener = Listener::start(&format!("ws://{silent}/ws"));
            // There is nobody better to ask; for how long is a matter of the machine's tests.
            listener.listen.state("connecting").await.expect("it asks");
            listener.ends_well().await;
        },
        async {
            let mut listener = Listener::start(&format!("wss://{plain}/ws"));
            let (cause, delay) = listener.lost().await;
            assert!(cause.starts_with("encryption failed ("), "{cause}");
            assert!(drawn_from(delay, ORDINARY), "tries again after {delay} s");
            listener.ends_well().await;
        },
    );
}
