//! Links that are an HTTP answer without an end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

use super::rig::{Giver, Rig, config, secs};
use crate::{About, Carrier, Cause, Command, Config, Detail, DialParams, Payload, PeerCheck, Signal, State};

const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n";

fn streaming(carrier: Carrier) -> Rig {
    let params = DialParams { last: Some("41".to_owned()), ..DialParams::default() };
    Rig::with(Config { carrier, ..config() }, Giver { params, ..Giver::default() }, 64 * 1024)
}

fn listening() -> Rig {
    streaming(Carrier::EventStream)
}

/// The next dial's request, once it is there.
async fn asked(rig: &mut Rig) -> (DuplexStream, String) {
    let mut stream = rig.dialled().await;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut request).await.expect("a request") > 0, "the request is whole");
    }
    (stream, String::from_utf8(request).expect("text").to_ascii_lowercase())
}

async fn open(rig: &mut Rig) -> DuplexStream {
    let (mut stream, _) = asked(rig).await;
    send(&mut stream, EVENTS).await;
    rig.state("connected").await;
    stream
}

async fn send(stream: &mut DuplexStream, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("sent");
}

async fn waits(rig: &mut Rig) -> Cause {
    let State::Waiting { cause, .. } = rig.state("waiting").await.state else { panic!("waiting") };
    cause
}

/// The cause of a dial that was answered so.
async fn refused(head: &str) -> (Cause, &'static str) {
    let mut rig = listening();
    let (mut stream, _) = asked(&mut rig).await;
    send(&mut stream, head).await;
    drop(stream);
    let failed = |state: &State| matches!(state, State::Waiting { cause, .. } if *cause != Cause::Local);
    let status = rig.status.wait_for(|status| failed(&status.state) || status.state.name() == "needs_user");
    let state = status.await.expect("the channel runs").state.clone();
    let (State::Waiting { cause, .. } | State::NeedsUser { cause, .. }) = &state else { panic!("{state:?}") };
    (cause.clone(), state.name())
}

#[tokio::test(start_paused = true)]
async fn events_come_with_their_ids_and_names() {
    let mut rig = listening();
    let (mut stream, request) = asked(&mut rig).await;
    for line in
        ["get /ws http/1.1", "accept: text/event-stream", "last-event-id: 41", "cache-control: no-store"]
    {
        assert!(request.contains(line), "{line}: {request}");
    }
    assert!(!request.contains("upgrade"), "{request}");
    send(&mut stream, EVENTS).await;
    send(&mut stream, "id: 42\nevent: order\ndata: {\"a\":1}\n\n").await;
    let frame = rig.frames.recv().await.expect("a frame");
    assert_eq!(frame.payload, Payload::Text("{\"a\":1}".to_owned()));
    assert_eq!(
        frame.about,
        About { id: Some("42".to_owned()), topic: Some("order".to_owned()), ..About::default() }
    );
    assert_eq!(rig.status.borrow().peer, PeerCheck::CannotBeChecked, "nothing proves its life yet");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_is_asked_for_again_after_the_servers_time_and_id() {
    let mut rig = listening();
    let mut stream = open(&mut rig).await;
    send(&mut stream, "retry: 5000\nid: 43\n\n").await;
    tokio::time::sleep(secs(600)).await;
    drop(stream);
    assert_eq!(waits(&mut rig).await, Cause::StreamOver);
    let ended = Instant::now();
    let (mut stream, request) = asked(&mut rig).await;
    assert!((5..8).contains(&ended.elapsed().as_secs()), "{:?}", ended.elapsed());
    assert!(request.contains("last-event-id: 43"), "{request}");
    // What is stored counts from then on.
    send(&mut stream, EVENTS).await;
    send(&mut stream, "id: 44\ndata: x\n\n").await;
    rig.frames.recv().await.expect("a frame");
    drop(stream);
    let (_, request) = asked(&mut rig).await;
    assert!(request.contains("last-event-id: 41"), "{request}");
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_does_not_know_the_last_event_is_gone_on_with_and_told_of_once() {
    let giver = Giver {
        params: DialParams { last: Some("41".to_owned()), ..DialParams::default() },
        ..Giver::default()
    };
    let losses = giver.losses.clone();
    let mut rig = Rig::with(Config { carrier: Carrier::EventStream, ..config() }, giver, 64 * 1024);
    // What is asked for, what the hub says to it, and how often a loss was told by then.
    for (number, (asks, says, told)) in [
        ("41", "41", 0),
        ("41", "earliest", 1),
        ("earliest", "earliest", 1),
        // A message came meanwhile, and is stored.
        ("41", "40", 1),
        ("40", "40", 1),
        ("41", "41", 1),
        ("41", "60", 2),
    ]
    .into_iter()
    .enumerate()
    {
        let (mut stream, request) = asked(&mut rig).await;
        assert!(request.contains(&format!("last-event-id: {asks}\r\n")), "{number}: {request}");
        send(&mut stream, &EVENTS.replace("\r\n\r\n", &format!("\r\nLast-Event-ID: {says}\r\n\r\n"))).await;
        rig.state("connected").await;
        if matches!(number, 2 | 4) {
            send(&mut stream, "id: 41\ndata: x\n\n").await;
            rig.frames.recv().await.expect("a frame");
        }
        assert_eq!(losses.load(Ordering::Relaxed), told, "{number}");
        drop(stream);
        waits(&mut rig).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_ends_each_stream_cleanly_is_never_backed_off_from() {
    let mut rig = listening();
    for _ in 0..20 {
        let stream = open(&mut rig).await;
        tokio::time::sleep(secs(400)).await;
        drop(stream);
        assert_eq!(waits(&mut rig).await, Cause::StreamOver);
        let ended = Instant::now();
        let before = rig.status.borrow().generation;
        rig.status.wait_for(|status| status.generation > before).await.expect("the channel runs");
        assert!(ended.elapsed() < secs(3), "{:?}", ended.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_comments_stop_is_dead_and_one_that_never_had_any_is_not() {
    let mut rig = listening();
    let mut stream = open(&mut rig).await;
    for _ in 0..3 {
        send(&mut stream, ":\n\n").await;
        tokio::time::sleep(secs(40)).await;
    }
    assert_eq!(rig.status.borrow().peer, PeerCheck::Answers);
    assert_eq!(waits(&mut rig).await, Cause::Silent { after: secs(90) });
    // The next one's silence is judged by what is known.
    let _silent = open(&mut rig).await;
    assert_eq!(waits(&mut rig).await, Cause::Silent { after: secs(90) });

    let mut rig = listening();
    let mut stream = open(&mut rig).await;
    for _ in 0..5 {
        send(&mut stream, "data: x\n\n").await;
        rig.frames.recv().await.expect("a frame");
        tokio::time::sleep(secs(1)).await;
    }
    tokio::time::sleep(secs(100_000)).await;
    assert_eq!(rig.status.borrow().state.name(), "connected", "messages have no rhythm");
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_asked_whether_it_lives_is_dialled_anew_on_another_network() {
    let mut rig = listening();
    let _stream = open(&mut rig).await;
    rig.channel.signal(Signal::NetworkChanged { online: true });
    assert_eq!(waits(&mut rig).await, Cause::Local);
    open(&mut rig).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_ever_said_over_it() {
    let mut rig = listening();
    let mut stream = open(&mut rig).await;
    let mut said = [0; 16];
    tokio::time::timeout(secs(3600), stream.read(&mut said)).await.expect_err("silence");
    rig.channel.command(Command::Disconnect);
    rig.state("disconnected").await;
    assert_eq!(stream.read(&mut said).await.expect("an end"), 0, "hung up");
}

#[tokio::test(start_paused = true)]
async fn nothing_more_to_come_is_believed_for_a_day() {
    let mut rig = listening();
    let (mut stream, _) = asked(&mut rig).await;
    send(&mut stream, "HTTP/1.1 204 No Content\r\n\r\n").await;
    let State::NeedsUser { cause, .. } = rig.state("needs_user").await.state else { panic!("needs user") };
    assert_eq!(cause, Cause::NoMore);
    tokio::time::timeout(secs(24 * 3600 - 1), rig.dialled()).await.expect_err("no dial");
    rig.channel.command(Command::Connect);
    asked(&mut rig).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_stream_is_told_as_what_it_is() {
    for (head, cause, state) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
            Cause::NoGoodAnswer { detail: Detail::NoStream },
            "waiting",
        ),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", Cause::Answered { status: 404 }, "waiting"),
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", Cause::SignInRefused { status: 401 }, "waiting"),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<input type=password>",
            Cause::SignInRefused { status: 200 },
            "waiting",
        ),
        ("SSH-2.0-x\r\n\r\n", Cause::NoGoodAnswer { detail: Detail::BrokenAnswer }, "waiting"),
        ("", Cause::Lost { detail: Detail::HungUp }, "waiting"),
    ] {
        assert_eq!(refused(head).await, (cause, state), "{head}");
    }
}

#[tokio::test(start_paused = true)]
async fn lines_are_messages_each() {
    let mut rig = streaming(Carrier::Lines);
    let (mut stream, request) = asked(&mut rig).await;
    assert!(!request.contains("last-event-id"), "{request}");
    send(
        &mut stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n",
    )
    .await;
    send(&mut stream, "8\r\n{\"a\":1}\n\r\n6\r\n{\"a\":2\r\n2\r\n}\n\r\n").await;
    for text in ["{\"a\":1}", "{\"a\":2}"] {
        let frame = rig.frames.recv().await.expect("a frame");
        assert_eq!((frame.payload, frame.about), (Payload::Text(text.to_owned()), About::default()));
    }
    send(&mut stream, "5\r\n{\"cut").await;
    drop(stream);
    assert!(matches!(waits(&mut rig).await, Cause::Lost { .. }), "cut off in its midst");
}

#[tokio::test(start_paused = true)]
async fn a_slow_owner_holds_the_reading_back_and_silence_is_not_held_against_the_server() {
    let mut rig = listening();
    let mut stream = open(&mut rig).await;
    for _ in 0..3 {
        send(&mut stream, ":\n\n").await;
        tokio::time::sleep(secs(10)).await;
    }
    for n in 0..100 {
        send(&mut stream, &format!("data: {n}\n\n")).await;
    }
    tokio::time::sleep(secs(3600)).await;
    for n in 0..100 {
        let frame = rig.frames.recv().await.expect("a frame");
        assert_eq!(frame.payload, Payload::Text(n.to_string()));
    }
    let alive = Duration::from_millis(1);
    tokio::time::sleep(alive).await;
    assert_eq!(rig.status.borrow().generation, 1);
}
