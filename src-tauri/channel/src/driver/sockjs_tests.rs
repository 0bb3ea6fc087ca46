//! Sessions of SockJS, over each of its ways.

use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use super::rig::{Giver, Rig, Server, close, config, next, secs};
use crate::{
    Carrier, Cause, CloseInfo, Command, Config, Credential, Detail, DialParams, Heartbeat, Instead, Payload,
    PeerCheck, Signal, Stage, State,
};

const INFO: &str = r#"{"entropy":1,"origins":["*:*"],"cookie_needed":true,"websocket":true}"#;

/// The server's end of a connection, and the last request over it.
struct Asked {
    stream: DuplexStream,
    head: String,
    body: String,
}

impl Asked {
    /// What is asked next over the same connection.
    async fn read(mut stream: DuplexStream) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a request"));
        }
        let head = String::from_utf8(head).expect("text");
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.expect("a body");
        Self { stream, head, body: String::from_utf8(body).expect("text") }
    }

    fn path(&self) -> &str {
        self.head.split(' ').nth(1).expect("a path")
    }

    /// The session's part of the path, and what is asked there.
    fn session(&self) -> (&str, &str) {
        let path =
            self.path().split('?').next().expect("a path").strip_prefix("/ws/").expect("below the prefix");
        path.rsplit_once('/').expect("a session")
    }

    fn has(&self, line: &str) -> bool {
        self.head.lines().any(|has| has.eq_ignore_ascii_case(line))
    }

    async fn answer(mut self, status: &str, more: &str, body: &str) -> Self {
        let answer = format!("HTTP/1.1 {status}\r\n{more}content-length: {}\r\n\r\n{body}", body.len());
        self.stream.write_all(answer.as_bytes()).await.expect("sent");
        self
    }

    /// Answers without an end.
    async fn stream(mut self) -> Self {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: application/javascript\r\ntransfer-encoding: chunked\r\n\r\n";
        self.stream.write_all(head.as_bytes()).await.expect("sent");
        self.send(&format!("{}\n", "h".repeat(2048))).await
    }

    async fn send(mut self, text: &str) -> Self {
        let chunk = format!("{:x}\r\n{text}\r\n", text.len());
        self.stream.write_all(chunk.as_bytes()).await.expect("sent");
        self
    }

    /// Ends an answer without an end.
    async fn end(mut self) -> Self {
        self.stream.write_all(b"0\r\n\r\n").await.expect("sent");
        self
    }

    async fn next(self) -> Self {
        Self::read(self.stream).await
    }
}

impl Rig {
    async fn request(&mut self) -> Asked {
        Asked::read(self.dialled().await).await
    }

    /// Answers what stands at the address.
    async fn looked_at(&mut self) -> Asked {
        let asked = self.request().await;
        assert!(asked.path().starts_with("/ws/info?"), "{}", asked.head);
        assert!(asked.has("cache-control: no-cache"), "{}", asked.head);
        asked.answer("200 OK", "content-type: application/json\r\n", INFO).await
    }

    /// A link over HTTP answers without an end.
    async fn streams(&mut self) -> Asked {
        let asked = self.looked_at().await.next().await.stream().await.send("o\n").await;
        self.state("connected").await;
        asked
    }

    /// A link over HTTP answers that have a frame each; the next question is there.
    async fn polls(&mut self) -> Asked {
        let asked = self.looked_at().await.next().await.answer("200 OK", "", "o\n").await.next().await;
        self.state("connected").await;
        asked
    }

    async fn hears(&mut self, texts: &[&str]) {
        for text in texts {
            let frame = self.frames.recv().await.expect("a frame");
            assert_eq!(frame.payload, Payload::Text((*text).to_owned()));
        }
    }

    async fn waits(&mut self) -> Cause {
        let waits = |state: &State| matches!(state, State::Waiting { cause, .. } if *cause != Cause::Local);
        let status = self.status.wait_for(|status| waits(&status.state)).await.expect("the channel runs");
        status.state.cause().cloned().expect("a cause")
    }
}

fn sockjs(carrier: Carrier) -> Rig {
    Rig::renewing(Config { carrier, ..config() })
}

fn with(params: DialParams) -> Rig {
    let config = Config { carrier: Carrier::SockJsPolling, ..config() };
    Rig::giving(config, Giver { params, ..Giver::default() })
}

/// The session's WebSocket, once it is open.
async fn framed(rig: &mut Rig) -> Server {
    let _info = rig.looked_at().await;
    let mut server = accept_async(rig.dialled().await).await.expect("a good upgrade");
    server.send(Message::text("o")).await.expect("sent");
    rig.state("connected").await;
    server
}

#[tokio::test(start_paused = true)]
async fn over_a_websocket_messages_are_framed_both_ways() {
    let mut rig = sockjs(Carrier::SockJs);
    let mut server = framed(&mut rig).await;
    for frame in ["h", r#"a["one","{\"two\":2}"]"#, r#"m"three""#] {
        server.send(Message::text(frame)).await.expect("sent");
    }
    rig.hears(&["one", "{\"two\":2}", "three"]).await;
    assert_eq!(next(&mut server).await, Some(Message::text(r#"["HeartBeat"]"#)));
    rig.channel.command(Command::Disconnect);
    assert_eq!(next(&mut server).await, Some(close(1000)));
}

#[tokio::test(start_paused = true)]
async fn the_code_of_the_last_frame_counts_and_not_the_close_behind_it() {
    let mut rig = sockjs(Carrier::SockJs);
    let mut server = framed(&mut rig).await;
    server.send(Message::text(r#"c[4500,"another one"]"#)).await.expect("sent");
    server.send(close(1000)).await.expect("sent");
    let status = rig.state("replaced").await;
    assert_eq!(status.last_close, Some(CloseInfo { code: 4500, reason: "another one".to_owned() }));
    // Spring's says nothing before.
    let mut rig = sockjs(Carrier::SockJs);
    let mut server = framed(&mut rig).await;
    server.send(close(4500)).await.expect("sent");
    rig.state("replaced").await;
}

#[tokio::test(start_paused = true)]
async fn what_sockjs_closes_by_on_its_own_is_no_matter_of_the_credential() {
    for (code, reason) in [
        (3000, "Go away!"),
        (3000, "No response from heartbeat"),
        (2010, "Another connection still open"),
        (1002, "Connection interrupted"),
        (1002, "Connection interrupted!"),
    ] {
        let mut rig = sockjs(Carrier::SockJs);
        let mut server = framed(&mut rig).await;
        server.send(Message::text("a[\"x\"]")).await.expect("sent");
        rig.hears(&["x"]).await;
        server.send(Message::text(format!("c[{code},\"{reason}\"]"))).await.expect("sent");
        let ended = Instant::now();
        assert_eq!(rig.waits().await, Cause::Closed(CloseInfo { code, reason: reason.to_owned() }));
        framed(&mut rig).await;
        assert!(ended.elapsed() < secs(4), "{reason}: {:?}", ended.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_wants_its_heartbeats_answered_is_found_out_and_no_other_gets_an_answer() {
    let mut rig = sockjs(Carrier::SockJs);
    for detail in [Detail::EndOfStream, Detail::BeatUnanswered] {
        let mut server = framed(&mut rig).await;
        server.send(Message::text("h")).await.expect("sent");
        tokio::time::timeout(secs(10), next(&mut server)).await.expect_err("no answer");
        // As sockjs-tornado aborts: the stream ends, without a close.
        drop(server);
        assert_eq!(rig.waits().await, Cause::Lost { detail });
    }
    let mut server = framed(&mut rig).await;
    server.send(Message::text("h")).await.expect("sent");
    assert_eq!(next(&mut server).await, Some(Message::text(r#"["h"]"#)));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_frame_ends_the_link() {
    for frame in ["x", "a[\"cut off", "a[1]", "ho"] {
        let mut rig = sockjs(Carrier::SockJs);
        let mut server = framed(&mut rig).await;
        server.send(Message::text(frame)).await.expect("sent");
        assert_eq!(rig.waits().await, Cause::Refused { code: 1002, detail: Detail::BrokenFrame }, "{frame}");
        assert_eq!(next(&mut server).await, Some(close(1002)), "{frame}");
    }
    for carrier in [Carrier::SockJsStreaming, Carrier::SockJsPolling] {
        let mut rig = sockjs(carrier);
        let asked = rig.looked_at().await.next().await;
        asked.answer("200 OK", "", "o\nhello\n").await;
        assert_eq!(rig.waits().await, Cause::Refused { code: 1002, detail: Detail::BrokenFrame });
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_asked_for_again_at_once_and_in_the_same_session() {
    let mut rig = sockjs(Carrier::SockJsStreaming);
    let mut asked = rig.streams().await;
    let session = asked.session().0.to_owned();
    assert_eq!(asked.session().1, "xhr_streaming");
    assert!(asked.head.starts_with("POST "), "{}", asked.head);
    let (server, random) = session.split_once('/').expect("two parts");
    assert!(server.len() == 3 && server.bytes().all(|digit| digit.is_ascii_digit()), "{session}");
    assert!(random.len() >= 16, "{session}");
    for round in ["1", "2", "3"] {
        let began = Instant::now();
        asked = asked.send("a[\"a").await.send(&format!("{round}\",\"b\"]\n")).await.end().await;
        rig.hears(&[&format!("a{round}"), "b"]).await;
        asked = asked.next().await;
        assert_eq!(asked.session(), (session.as_str(), "xhr_streaming"));
        assert_eq!(began.elapsed(), secs(0));
        asked = asked.stream().await;
    }
    assert_eq!(rig.status.borrow().links_opened, 1);
    // Another link is another session.
    drop(asked);
    rig.waits().await;
    assert_ne!(rig.streams().await.session().0, session);
}

#[tokio::test(start_paused = true)]
async fn a_poll_brings_a_frame_and_the_next_follows_at_once() {
    let mut rig = sockjs(Carrier::SockJsPolling);
    let mut asked = rig.polls().await;
    let session = asked.session().0.to_owned();
    for round in 0..5 {
        assert_eq!(asked.session(), (session.as_str(), "xhr"));
        let began = Instant::now();
        asked = asked.answer("200 OK", "", &format!("a[\"{round}\"]\n")).await;
        rig.hears(&[&round.to_string()]).await;
        asked = asked.next().await;
        assert_eq!(began.elapsed(), secs(0));
    }
    // One that says nothing makes no client that asks without end.
    let began = Instant::now();
    for _ in 0..10 {
        asked = asked.answer("200 OK", "", "h\n").await.next().await;
    }
    assert!(began.elapsed() >= secs(9), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_idle_poll_costs_no_more_than_the_servers_own_silence() {
    let mut rig = sockjs(Carrier::SockJsPolling);
    let mut asked = rig.polls().await;
    let (began, mut polls) = (Instant::now(), 0);
    while began.elapsed() < secs(1000) {
        // Nothing else is sent meanwhile: the channel's own heartbeat isn't needed where the server breaks the silence.
        tokio::time::timeout(secs(25), rig.dialled()).await.expect_err("no other request");
        asked = asked.answer("200 OK", "", "h\n").await.next().await;
        polls += 1;
    }
    assert_eq!(polls, 40);
    assert_eq!(rig.status.borrow().peer, PeerCheck::Answers);
    // Its rhythm is known: what keeps silent is dead.
    assert_eq!(rig.waits().await, Cause::Silent { after: secs(60) });
}

#[tokio::test(start_paused = true)]
async fn what_is_said_goes_in_order_and_one_request_at_a_time() {
    let heartbeat = Heartbeat::steady(secs(20)).expect("a good time");
    let mut rig = Rig::renewing(Config { carrier: Carrier::SockJsStreaming, heartbeat, ..config() });
    let asked = rig.streams().await;
    let session = asked.session().0.to_owned();
    let sent = rig.request().await;
    assert_eq!(sent.session(), (session.as_str(), "xhr_send"));
    assert!(sent.has("content-type: text/plain;charset=UTF-8"), "{}", sent.head);
    assert_eq!(sent.body, r#"["beat"]"#);
    // While the server hasn't taken that, nothing else goes.
    let at = Instant::now();
    tokio::time::sleep(secs(9)).await;
    sent.answer("204 No Content", "", "").await;
    let sent = rig.request().await;
    assert_eq!(at.elapsed(), secs(20));
    assert_eq!(sent.body, r#"["beat"]"#);
    sent.answer("500 Internal Server Error", "", "").await;
    assert_eq!(
        rig.waits().await,
        Cause::Lost { detail: Detail::Status(500) },
        "what is refused ends the link"
    );
    // What is not taken does, too.
    let _asked = rig.streams().await;
    let _sent = rig.request().await;
    assert_eq!(rig.waits().await, Cause::WriteStalled);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_gone_is_followed_by_another() {
    for (status, detail) in [("404 Not Found", Detail::SessionGone), ("502 Bad Gateway", Detail::Status(502))]
    {
        let mut rig = sockjs(Carrier::SockJsPolling);
        let asked = rig.polls().await;
        let session = asked.session().0.to_owned();
        asked.answer(status, "", "").await;
        assert_eq!(rig.waits().await, Cause::Lost { detail });
        assert_ne!(rig.polls().await.session().0, session);
    }
    // One that the server begins anew is another one, too.
    let mut rig = sockjs(Carrier::SockJsPolling);
    rig.polls().await.answer("200 OK", "", "o\n").await;
    assert_eq!(rig.waits().await, Cause::Lost { detail: Detail::SessionGone });
}

#[tokio::test(start_paused = true)]
async fn what_breaks_off_in_its_midst_ends_the_link() {
    let mut rig = sockjs(Carrier::SockJsStreaming);
    rig.streams().await.send("a[\"one\",\"tw").await.end().await;
    rig.hears(&["one"]).await;
    assert_eq!(rig.waits().await, Cause::Lost { detail: Detail::EndOfStream });
    let mut rig = sockjs(Carrier::SockJsStreaming);
    drop(rig.streams().await.send("a[\"one\"]\n").await);
    rig.hears(&["one"]).await;
    assert!(matches!(rig.waits().await, Cause::Lost { .. }), "without its end");
    // An answer that brings nothing brings nothing the next time.
    let mut rig = sockjs(Carrier::SockJsPolling);
    rig.polls().await.answer("200 OK", "", "").await;
    assert_eq!(rig.waits().await, Cause::Lost { detail: Detail::EndOfStream });
}

#[tokio::test(start_paused = true)]
async fn cookies_and_credential_and_headers_go_with_every_request() {
    let text = str::to_owned;
    let mut rig = with(DialParams {
        credential: Some(Credential::Cookie { name: text("sid"), value: text("7") }),
        headers: vec![(text("X-Shop"), text("1"))],
        query: vec![(text("since"), text("41"))],
        ..DialParams::default()
    });
    let asked = rig.request().await;
    assert!(asked.has("cookie: sid=7") && asked.has("x-shop: 1") && asked.path().contains("since=41"));
    let asked = asked.answer("200 OK", "set-cookie: JSESSIONID=a; Path=/ws\r\n", INFO).await.next().await;
    assert!(asked.has("cookie: sid=7; JSESSIONID=a") && asked.has("x-shop: 1"), "{}", asked.head);
    assert!(asked.path().ends_with("/xhr?since=41"), "{}", asked.head);
    let asked = asked.answer("200 OK", "set-cookie: JSESSIONID=b\r\nset-cookie: route=c\r\n", "o\n").await;
    let asked = asked.next().await;
    assert!(asked.has("cookie: sid=7; JSESSIONID=b; route=c"), "{}", asked.head);
}

#[tokio::test(start_paused = true)]
async fn where_the_websocket_is_not_offered_or_dropped_the_next_way_is_tried_at_once() {
    let fallbacks = vec![Carrier::SockJsStreaming, Carrier::SockJsPolling];
    let new = || Rig::renewing(Config { carrier: Carrier::SockJs, fallbacks: fallbacks.clone(), ..config() });
    let mut rig = new();
    let asked = rig.request().await;
    asked.answer("200 OK", "", r#"{"websocket":false}"#).await;
    let began = Instant::now();
    rig.streams().await;
    assert!(began.elapsed() <= secs(1), "{:?}", began.elapsed());
    assert_eq!(rig.status.borrow().carrier, Carrier::SockJsStreaming);

    let mut rig = new();
    let _info = rig.looked_at().await;
    let asked = rig.request().await;
    assert!(asked.has("upgrade: websocket") && asked.session().1 == "websocket", "{}", asked.head);
    asked.answer("400 Bad Request", "", "").await;
    let began = Instant::now();
    let streaming = rig.streams().await;
    assert!(began.elapsed() <= secs(1), "{:?}", began.elapsed());
    let by = Cause::Status { status: 400 };
    let why = Instead { of: Carrier::SockJs, failed: 1, by: Some(by) };
    assert_eq!(rig.status.borrow().instead, Some(why));
    drop(streaming);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_held_back_on_the_way_leads_to_polls_soon() {
    let fallbacks = vec![Carrier::SockJsPolling];
    let mut rig = Rig::renewing(Config { carrier: Carrier::SockJsStreaming, fallbacks, ..config() });
    let asked = rig.looked_at().await.next().await;
    let began = Instant::now();
    let _polls = rig.polls().await;
    assert!(began.elapsed() <= secs(15), "{:?}", began.elapsed());
    drop(asked);
    let status = rig.status.borrow().clone();
    assert_eq!(status.carrier, Carrier::SockJsPolling);
    let by = Cause::TimedOut { stage: Stage::Stream };
    let why = Instead { of: Carrier::SockJsStreaming, failed: 1, by: Some(by) };
    assert_eq!(status.instead, Some(why));
}

#[tokio::test(start_paused = true)]
async fn what_stands_at_an_address_and_is_no_sockjs_is_told_as_that() {
    for (status, body, cause) in [
        ("404 Not Found", "", Cause::NoSockJs { status: 404 }),
        ("200 OK", "{}", Cause::NoSockJs { status: 200 }),
        ("502 Bad Gateway", "", Cause::Answered { status: 502 }),
        ("401 Unauthorized", "", Cause::SignInRefused { status: 401 }),
    ] {
        let mut rig = sockjs(Carrier::SockJsPolling);
        rig.request().await.answer(status, "", body).await;
        assert_eq!(rig.waits().await, cause, "{status} {body}");
    }
    // Where a WebSocket may be there, it is asked for at once, and what it says is told.
    let fallbacks = vec![Carrier::WebSocket];
    for status in ["404 Not Found", "401 Unauthorized", "500 Internal Server Error"] {
        let fallbacks = fallbacks.clone();
        let mut rig = Rig::renewing(Config { carrier: Carrier::SockJs, fallbacks, ..config() });
        rig.request().await.answer(status, "", "").await;
        let began = Instant::now();
        let mut server = rig.accept().await;
        assert!(began.elapsed() <= secs(1), "{:?}", began.elapsed());
        server.send(Message::text("plain")).await.expect("sent");
        rig.hears(&["plain"]).await;
        assert_eq!(rig.status.borrow().instead, None);
    }
}

#[tokio::test(start_paused = true)]
async fn another_network_is_another_session() {
    let mut rig = sockjs(Carrier::SockJsPolling);
    let asked = rig.polls().await;
    let session = asked.session().0.to_owned();
    rig.channel.signal(Signal::NetworkChanged { online: true });
    rig.state("waiting").await;
    assert_ne!(rig.polls().await.session().0, session);
}

#[tokio::test(start_paused = true)]
async fn a_poll_is_left_by_hanging_up() {
    let mut rig = sockjs(Carrier::SockJsPolling);
    let mut asked = rig.polls().await;
    rig.channel.command(Command::Disconnect);
    rig.state("disconnected").await;
    assert_eq!(asked.stream.read(&mut [0; 16]).await.expect("an end"), 0, "hung up");
}

#[tokio::test(start_paused = true)]
async fn thousands_of_messages_come_once_each_whatever_the_cuts() {
    let mut rig = sockjs(Carrier::SockJsStreaming);
    let asked = rig.streams().await;
    let serving = tokio::spawn(async move {
        let (mut asked, mut sent) = (asked, 0);
        for n in 0..5000 {
            let frame = format!("a[\"{n} {}\"]\n", "x".repeat(n % 200));
            let (one, other) = frame.split_at(n % frame.len());
            for part in [one, other] {
                if !part.is_empty() {
                    asked = asked.send(part).await;
                }
            }
            sent += frame.len();
            if sent > 128 * 1024 {
                asked = asked.end().await.next().await.stream().await;
                sent = 0;
            }
        }
        asked
    });
    for n in 0..5000 {
        let frame = rig.frames.recv().await.expect("a frame");
        assert_eq!(frame.payload, Payload::Text(format!("{n} {}", "x".repeat(n % 200))));
    }
    assert_eq!(rig.status.borrow().links_opened, 1);
    serving.await.expect("it served");
}
