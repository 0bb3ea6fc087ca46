//! The driver against a real WebSocket server over in-memory streams, in paused time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use super::rig::{Giver, Rig, Server, close, close_code, config, next, secs};
use super::*;
use crate::{Cause, Channel, Credential, DialParams, Heartbeat, PeerCheck};

#[tokio::test(start_paused = true)]
async fn the_heartbeat_arrives_byte_exact_and_on_time() {
    let mut stage = Rig::new();
    let mut server = stage.accept().await;
    let opened = Instant::now();
    for n in 1..=3 {
        assert_eq!(next(&mut server).await, Some(Message::text("HeartBeat")));
        assert_eq!(opened.elapsed().as_secs(), 60 * n);
    }
    tokio::time::timeout(secs(40), next(&mut server)).await.expect_err("none early");
    server.send(Message::text("news")).await.expect("sent");
    let sent = Instant::now();
    assert_eq!(next(&mut server).await, Some(Message::text("HeartBeat")));
    assert_eq!(sent.elapsed().as_secs(), 60);
    assert_eq!(stage.frames.recv().await.expect("a frame").payload, crate::Payload::Text("news".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn after_4500_nothing_is_sent_and_nothing_dialled() {
    let mut stage = Rig::new();
    let mut server = stage.accept().await;
    server.send(close(4500)).await.expect("sent");
    let status = stage.state("replaced").await;
    assert_eq!(status.last_close.map(|close| close.code), Some(4500));
    assert_eq!(close_code(next(&mut server).await), Some(4500), "the close frame is answered");
    assert_eq!(next(&mut server).await, None);
    stage.channel.signal(Signal::Woke { slept: secs(9000) });
    tokio::time::timeout(secs(1_000_000), stage.dialled()).await.expect_err("no dial");
    assert_eq!(stage.alive.load(Ordering::SeqCst), 0);
    stage.channel.command(Command::TakeOver);
    stage.accept().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stops_answering_is_dropped_45_s_after_its_last_byte() {
    let mut stage = Rig::new();
    let mut server = stage.accept().await;
    assert!(matches!(server.next().await, Some(Ok(Message::Ping(_)))), "the first ping comes at once");
    server.flush().await.expect("the pong goes out");
    stage.status.wait_for(|status| status.peer == PeerCheck::Answers).await.expect("learned");
    let last_byte = Instant::now();
    let State::Waiting { cause, .. } = stage.state("waiting").await.state else { panic!("waiting") };
    assert_eq!(cause, Cause::Silent { after: secs(35) });
    assert_eq!(last_byte.elapsed().as_secs(), 35);
}

/// A server that reads nothing, behind buffers of 1 KiB, and a heartbeat that soon fills them.
fn stuck() -> Rig {
    let heartbeat = Heartbeat::new("x".repeat(1000), secs(2), secs(3)).expect("fine");
    Rig::with(Config { heartbeat, ..config() }, Giver::default(), 1024)
}

#[tokio::test(start_paused = true)]
async fn a_write_that_does_not_finish_in_10_s_is_the_end() {
    let mut stage = stuck();
    let _server = stage.accept().await;
    let State::Waiting { cause, .. } = stage.state("waiting").await.state else { panic!("waiting") };
    assert_eq!(cause, Cause::WriteStalled);
}

#[tokio::test(start_paused = true)]
async fn a_4500_is_seen_while_a_write_is_stuck() {
    let mut stage = stuck();
    let mut server = stage.accept().await;
    tokio::time::sleep(secs(6)).await;
    server.send(close(4500)).await.expect("sent");
    stage.state("replaced").await;
}

#[tokio::test(start_paused = true)]
async fn a_4500_is_seen_though_writing_has_failed() {
    let mut stage = stuck();
    let mut server = stage.accept().await;
    tokio::time::sleep(secs(6)).await;
    // A ping, whose pong can't be written, and then the close and the end.
    server.get_mut().write_all(&[0x89, 0]).await.expect("sent");
    tokio::time::sleep(secs(1)).await;
    server.get_mut().write_all(&[0x88, 2, 0x11, 0x94]).await.expect("sent");
    drop(server);
    stage.state("replaced").await;
}

#[tokio::test(start_paused = true)]
async fn there_is_never_a_second_link_and_nothing_leaks() {
    let mut stage = Rig::new();
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for round in 0..200u64 {
        let mut server = stage.accept().await;
        match round % 4 {
            0 => server.send(close(1011)).await.expect("sent"),
            1 => drop(server),
            2 => {
                stage.channel.command(Command::Disconnect);
                stage.channel.command(Command::Connect);
            }
            _ => stage.channel.signal(Signal::Woke { slept: secs(100) }),
        }
        stage.status.wait_for(|status| status.state.name() != "connected").await.expect("runs");
        stage.channel.command(Command::ReconnectNow);
    }
    stage.accept().await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), tasks);
    let status = stage.status.borrow().clone();
    assert_eq!((status.links_opened, status.links_closed), (201, 200));
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_message_costs_itself_and_nothing_else() {
    use crate::Payload::{Garbled, Text, TooBig};
    let mut stage = Rig::new();
    let mut server = stage.accept().await;
    let bytes = 1024 * 1024 + 1;
    let sending = async {
        server.get_mut().write_all(b"\x81\x04caf\xe9\x81\x05three").await.expect("sent");
        server.send(Message::binary(vec![0; bytes])).await.expect("sent");
        server.send(Message::text("five")).await.expect("sent");
    };
    let receiving = async {
        for payload in [
            Garbled(b"caf\xe9".to_vec()),
            Text("three".to_owned()),
            TooBig { bytes: bytes as u64 },
            Text("five".to_owned()),
        ] {
            assert_eq!(stage.frames.recv().await.expect("a frame").payload, payload);
        }
    };
    tokio::join!(sending, receiving);
    assert_eq!(stage.status.borrow().state.name(), "connected");
}

#[tokio::test(start_paused = true)]
async fn a_message_larger_than_anybody_waits_for_is_refused_with_1009() {
    let mut stage = Rig::new();
    let mut server = stage.accept().await;
    server.get_mut().write_all(&[0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]).await.expect("sent");
    assert_eq!(close_code(next(&mut server).await), Some(1009));
    drop(server);
    let ended = Instant::now();
    stage.dialled().await;
    assert!(ended.elapsed() >= secs(59), "{:?}", ended.elapsed());
    assert!(stage.frames.try_recv().is_err());
}

/// What a replay begins with, on each link anew.
#[tokio::test(start_paused = true)]
async fn after_two_links_that_a_broken_frame_ended_it_is_passed_over_and_the_next_are_had() {
    let mut stage = Rig::new();
    let replay = b"\xc1\x08squeezed\x81\x05three\x81\x04four";
    for _ in 0..2 {
        let mut server = stage.accept().await;
        server.get_mut().write_all(replay).await.expect("sent");
        assert_eq!(close_code(next(&mut server).await), Some(1002));
    }
    let mut server = stage.accept().await;
    server.get_mut().write_all(replay).await.expect("sent");
    for payload in [
        crate::Payload::Broken { bytes: 8 },
        crate::Payload::Text("three".to_owned()),
        crate::Payload::Text("four".to_owned()),
    ] {
        assert_eq!(stage.frames.recv().await.expect("a frame").payload, payload);
    }
}

#[tokio::test(start_paused = true)]
async fn broken_frames_are_answered_with_their_code() {
    for (bytes, code) in
        [(&[0x83, 0][..], 1002), (&[0x81, 0x81, 0, 0, 0, 0, 0], 1002), (&[0xc1, 1, b'x'], 1002)]
    {
        let mut stage = Rig::new();
        let mut server = stage.accept().await;
        server.get_mut().write_all(bytes).await.expect("sent");
        assert_eq!(close_code(next(&mut server).await), Some(code));
        drop(server);
        let State::Waiting { cause, .. } = stage.state("waiting").await.state else { panic!("waiting") };
        assert!(matches!(cause, Cause::Refused { code: told, .. } if told == code), "{cause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_close_code_is_told_as_it_was_sent() {
    for (frame, code) in [
        (&[0x88, 0][..], 1005),
        (&[0x88, 2, 0x03, 0xf6], 1014),
        (&[0x88, 2, 0x13, 0x88], 5000),
        (&[0x88, 4, 0x0b, 0xb7, b'h', b'i'], 2999),
    ] {
        let mut stage = Rig::new();
        let mut server = stage.accept().await;
        server.get_mut().write_all(frame).await.expect("sent");
        let status = stage.state("waiting").await;
        assert_eq!(status.last_close.map(|close| close.code), Some(code));
        let State::Waiting { retry_at, .. } = status.state else { panic!("waiting") };
        let wait = retry_at.duration_since(SystemTime::now()).unwrap_or_default();
        assert!(wait <= secs(3), "an ordinary delay after {code}, not {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_stream_is_a_lost_connection() {
    let mut stage = Rig::new();
    drop(stage.accept().await);
    let status = stage.state("waiting").await;
    let State::Waiting { cause, .. } = status.state else { panic!("waiting") };
    assert_eq!(cause.to_string(), "connection lost (end of stream)");
    assert_eq!(status.last_close, None);
}

#[tokio::test(start_paused = true)]
async fn shutting_down_says_1000_and_ends_the_task() {
    let mut stage = Rig::new();
    let mut server = stage.accept().await;
    let (code, ()) = tokio::join!(async { close_code(next(&mut server).await) }, stage.channel.shut_down());
    assert_eq!(code, Some(1000));
    assert_eq!(next(&mut server).await, None);
    assert_eq!(stage.frames.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn dropping_either_end_shuts_the_channel_down() {
    for drop_handle in [true, false] {
        let mut stage = Rig::new();
        let mut server = stage.accept().await;
        let Rig { channel, frames, mut status, .. } = stage;
        if drop_handle {
            drop(channel);
        } else {
            drop(frames);
        }
        assert_eq!(close_code(next(&mut server).await), Some(1000));
        drop(server);
        while status.changed().await.is_ok() {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_peer_holds_shutting_down_up_for_a_second_at_most() {
    let mut stage = Rig::new();
    let _server = stage.accept().await;
    let asked = Instant::now();
    stage.channel.shut_down().await;
    assert!(asked.elapsed() <= secs(1) + Duration::from_millis(2), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_takes_no_frames_stops_the_reading_and_loses_nothing() {
    let mut stage = Rig::new();
    let (mut sink, mut messages) = stage.accept().await.split();
    let reading = tokio::spawn(async move { while let Some(Ok(_)) = messages.next().await {} });
    let sending = tokio::spawn(async move {
        for n in 0..300 {
            sink.send(Message::text(format!("{n} {}", "x".repeat(1000)))).await.expect("sent");
        }
        sink
    });
    tokio::time::sleep(secs(600)).await;
    assert!(!sending.is_finished(), "the server feels it");
    let status = stage.status.borrow().clone();
    assert_eq!((status.state.name(), status.generation), ("connected", 1), "a slow owner kills no link");
    for n in 0..300 {
        let frame = stage.frames.recv().await.expect("a frame");
        let crate::Payload::Text(text) = frame.payload else { panic!("text") };
        assert!(text.starts_with(&format!("{n} ")), "in order");
    }
    drop(sending.await.expect("sent"));
    reading.abort();
}

#[tokio::test(start_paused = true)]
async fn disconnect_while_dialling_drops_the_stream_at_once() {
    let mut stage = Rig::new();
    let mut stream = stage.dialled().await;
    let asked = Instant::now();
    stage.channel.command(Command::Disconnect);
    stage.state("disconnected").await;
    let mut request = Vec::new();
    stream.read_to_end(&mut request).await.expect("the request, then the end");
    assert!(asked.elapsed() < secs(1));
    assert_eq!(stage.alive.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_the_upgrade_is_given_up_in_75_s_or_10_where_there_is_another_to_try() {
    for (others, seconds) in [(false, 75), (true, 10)] {
        let mut stage = Rig::beside(others);
        let _stream = stage.dialled().await;
        let dialled = Instant::now();
        let State::Waiting { cause, .. } = stage.state("waiting").await.state else { panic!("waiting") };
        assert_eq!(cause, Cause::TimedOut { stage: Stage::Upgrade });
        assert_eq!(dialled.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_the_user_gave_up_may_be_completed_late_and_silences_nobody() {
    let mut stage = Rig::new();
    let mut given_up = stage.dialled().await;
    // At once, before the driver has had the time to tell how far it is.
    let _ = given_up.read_u8().await.expect("a request");
    stage.channel.command(Command::Disconnect);
    stage.channel.command(Command::Connect);
    let mut server = stage.accept().await;
    server.send(close(4500)).await.expect("sent");
    let State::Waiting { cause, .. } = stage.state("waiting").await.state else { panic!("waiting") };
    assert_eq!(cause, Cause::Overtaken);
    let mut server = stage.accept().await;
    server.send(close(4500)).await.expect("sent");
    stage.state("replaced").await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_with_new_settings_knows_what_the_old_one_gave_up() {
    let settings = config();
    let mut stage = Rig::with(settings.clone(), Giver::default(), 64 * 1024);
    let mut given_up = stage.dialled().await;
    let _ = given_up.read_u8().await.expect("a request");
    stage.channel.shut_down().await;
    let mut stage = Rig::with(settings, Giver::default(), 64 * 1024);
    stage.accept().await.send(close(4500)).await.expect("sent");
    stage.state("waiting").await;
}

/// Answers the next request with this head; returns its first line.
async fn answer(stage: &mut Rig, head: &str) -> String {
    let mut stream = stage.dialled().await;
    let mut request = [0; 4096];
    let read = stream.read(&mut request).await.expect("a request");
    let asked = String::from_utf8_lossy(&request[..read]).lines().next().unwrap_or_default().to_owned();
    stream.write_all(head.as_bytes()).await.expect("sent");
    let _ = stream.read(&mut request).await;
    asked
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_reason_is_told_by_the_reason_beside_it() {
    let config = Config { dialect: tidings_dialect::Dialect::Ntfy, ..config() };
    let path = Some("/alerts,private/ws".to_owned());
    let query = vec![("since".to_owned(), "1".to_owned())];
    let owner = Giver { params: DialParams { path, query, ..DialParams::default() }, ..Giver::default() };
    let mut stage = Rig::with(config, owner, 64 * 1024);
    // What is no refusal of the server's changes nothing, nor does none at all.
    for reason in ["HTTP/1.1 404 \r\n\r\n", "HTTP/1.1 200 \r\n\r\n", ""] {
        answer(&mut stage, "HTTP/1.1 200 \r\n\r\n").await;
        assert_eq!(answer(&mut stage, reason).await, "GET /alerts,private/auth HTTP/1.1");
        let State::Waiting { cause, .. } = stage.state("waiting").await.state else { panic!("waiting") };
        assert_eq!(cause.to_string(), "no WebSocket at this address (200)", "{reason:?}");
    }
    for _ in 0..2 {
        answer(&mut stage, "HTTP/1.1 200 \r\n\r\n").await;
        answer(&mut stage, "HTTP/1.1 403 \r\nContent-Length: 0\r\n\r\n").await;
    }
    let State::NeedsUser { cause, .. } = stage.state("needs_user").await.state else { panic!("needs user") };
    assert_eq!(cause.to_string(), "sign-in refused (403)");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_kept() {
    let mut stage = Rig::new();
    answer(&mut stage, "HTTP/1.1 503 \r\nRetry-After: 120\r\n\r\n").await;
    let answered = Instant::now();
    stage.accept().await;
    let waited = answered.elapsed().as_secs();
    assert!((120..=150).contains(&waited), "{waited} s");
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_is_asked_for_again_and_then_the_user() {
    let owner = Giver {
        params: DialParams {
            credential: Some(Credential::Bearer("t0ken".to_owned())),
            ..DialParams::default()
        },
        ..Giver::default()
    };
    let asks = owner.asks.clone();
    let mut stage = Rig::with(config(), owner, 64 * 1024);
    answer(&mut stage, "HTTP/1.1 401 \r\n\r\n").await;
    answer(&mut stage, "HTTP/1.1 401 \r\n\r\n").await;
    let State::NeedsUser { cause, .. } = stage.state("needs_user").await.state else { panic!("needs user") };
    assert_eq!(cause.to_string(), "sign-in refused (401)");
    let refreshed =
        asks.lock().expect("no panic holds it").iter().map(|ask| ask.refresh_credential).collect();
    assert_eq!(vec![false, true], Vec::from_iter::<Vec<bool>>(refreshed));
}

#[tokio::test(start_paused = true)]
async fn parameters_that_cannot_be_sent_need_the_user_and_panic_nobody() {
    let headers = vec![("X-Bad\r\n".to_owned(), "s3cret".to_owned())];
    let owner = Giver { params: DialParams { headers, ..DialParams::default() }, ..Giver::default() };
    let mut stage = Rig::with(config(), owner, 64 * 1024);
    let State::NeedsUser { cause, .. } = stage.state("needs_user").await.state else { panic!("needs user") };
    assert!(!cause.to_string().contains("s3cret"), "{cause}");
    assert!(stage.dialled.try_recv().is_err(), "nothing was dialled");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_upgrade_is_told_apart() {
    let endless = format!("HTTP/1.1 101 \r\nX: {}", "a".repeat(20_000));
    for (head, words) in [
        ("HTTP/1.1 200 OK\r\n\r\n<html>", "no WebSocket at this address (200)"),
        (
            "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "no WebSocket at this address",
        ),
        ("SSH-2.0-OpenSSH\r\n\r\n", "no WebSocket at this address"),
        (endless.as_str(), "over 16 KiB"),
    ] {
        let mut stage = Rig::new();
        answer(&mut stage, head).await;
        let State::Waiting { cause, .. } = stage.state("waiting").await.state else { panic!("waiting") };
        assert!(cause.to_string().contains(words), "{cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_page_needs_the_user_even_where_it_comes_slowly() {
    let mut stage = Rig::new();
    for _ in 0..2 {
        let mut stream = stage.dialled().await;
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.expect("a request");
        for piece in [
            "HTTP/1.1 200 \r\nContent-Type: text/html;charset=UTF-8\r\n\r\n<html>",
            "<input TYPE='pass",
            "word'>",
        ] {
            stream.write_all(piece.as_bytes()).await.expect("sent");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let _ = stream.read(&mut request).await;
    }
    let State::NeedsUser { cause, .. } = stage.state("needs_user").await.state else { panic!("needs user") };
    assert_eq!(cause, Cause::SignInRefused { status: 200 });
}

#[tokio::test(start_paused = true)]
async fn a_frame_in_the_same_packet_as_the_upgrade_is_delivered() {
    let mut stage = Rig::new();
    let mut stream = stage.dialled().await;
    let mut request = vec![0; 4096];
    let read = stream.read(&mut request).await.expect("a request");
    let request = String::from_utf8_lossy(&request[..read]).into_owned();
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
    let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
    let head = format!(
        "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n\x01\x02he"
    );
    stream.write_all(&[head.as_bytes(), b"\x80\x03llo"].concat()).await.expect("sent");
    assert_eq!(stage.frames.recv().await.expect("a frame").payload, crate::Payload::Text("hello".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_servers_ping_is_answered() {
    let mut stage = Rig::new();
    let mut server = stage.accept().await;
    server.send(Message::Ping("are you there".into())).await.expect("sent");
    assert_eq!(next(&mut server).await, Some(Message::Pong("are you there".into())));
}

#[tokio::test(start_paused = true)]
async fn a_network_change_redials_a_link_only_if_its_address_is_gone() {
    // An address for documentation is nobody's (RFC 5737).
    for (local, kept) in [("127.0.0.1:4711", true), ("192.0.2.7:4711", false)] {
        let local = Some(local.parse().expect("an address"));
        let mut stage = Rig::from_address(local, config(), Giver::default(), 64 * 1024);
        let mut server = stage.accept().await;
        assert!(matches!(server.next().await, Some(Ok(Message::Ping(_)))));
        server.flush().await.expect("the pong goes out");
        stage.status.wait_for(|status| status.peer == PeerCheck::Answers).await.expect("learned");
        let told = Instant::now();
        stage.channel.signal(Signal::NetworkChanged { online: true });
        if kept {
            assert!(
                matches!(server.next().await, Some(Ok(Message::Ping(_)))),
                "it has to prove that it lives"
            );
            server.flush().await.expect("the pong goes out");
            assert_eq!(stage.status.borrow().generation, 1);
        } else {
            stage.dialled().await;
            assert!(told.elapsed() <= secs(1), "{:?}", told.elapsed());
        }
    }
}

// A process that was stopped

/// Luck decides what a turn of the loop looks at first.
const TURNS: usize = 20;

/// A link that has a ping to be answered, and can't be in time.
async fn stopped_while_pinging() -> (Rig, Server) {
    let mut stage = Rig::new();
    let mut server = stage.accept().await;
    assert!(matches!(server.next().await, Some(Ok(Message::Ping(_)))));
    server.flush().await.expect("the pong goes out");
    stage.status.wait_for(|status| status.peer == PeerCheck::Answers).await.expect("learned");
    tokio::time::sleep(secs(25)).await;
    (stage, server)
}

/// Stops for longer than any patience lasts, and goes on with this having been done by the peer meanwhile: its timer is over
/// before those of the channel, which all are.
async fn while_stopped<T: Send + 'static>(peer: impl Future<Output = T> + Send + 'static) -> T {
    let peer = tokio::spawn(async move {
        tokio::time::sleep(secs(1)).await;
        peer.await
    });
    tokio::task::yield_now().await;
    tokio::time::advance(secs(300)).await;
    peer.await.expect("no panic")
}

#[tokio::test(start_paused = true)]
async fn what_has_arrived_is_read_before_silence_is_judged() {
    for _ in 0..TURNS {
        let (mut stage, mut server) = stopped_while_pinging().await;
        let sending = async move {
            for n in 0..3 {
                server.send(Message::text(n.to_string())).await.expect("sent");
            }
            server
        };
        let _server = while_stopped(sending).await;
        for n in 0..3 {
            let frame = tokio::time::timeout(secs(1), stage.frames.recv()).await.expect("nothing is lost");
            assert_eq!(frame.expect("a frame").payload, crate::Payload::Text(n.to_string()));
        }
        tokio::time::sleep(secs(1)).await;
        let status = stage.status.borrow().clone();
        assert_eq!((status.state.name(), status.generation), ("connected", 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_4500_that_waits_is_read_before_anything_else_ends_the_link() {
    let asked: [Option<fn(&Channel)>; 4] = [
        None,
        Some(|channel| channel.signal(Signal::Woke { slept: secs(3600) })),
        Some(|channel| channel.signal(Signal::NetworkChanged { online: true })),
        Some(|channel| channel.command(Command::ReconnectNow)),
    ];
    for ask in asked {
        for _ in 0..TURNS {
            let (mut stage, mut server) = stopped_while_pinging().await;
            server.send(Message::text("the last")).await.expect("sent");
            server.send(close(4500)).await.expect("sent");
            ask.inspect(|ask| ask(&stage.channel));
            tokio::time::advance(secs(300)).await;
            let seen = stage.status.wait_for(|status| !matches!(status.state, State::Connected { .. }));
            assert_eq!(seen.await.expect("the channel runs").state.name(), "replaced");
            assert!(stage.frames.try_recv().is_ok(), "what came before it is not lost");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_waits_is_read_before_a_dial_is_given_up() {
    for _ in 0..TURNS {
        let mut stage = Rig::new();
        let stream = stage.dialled().await;
        stage.state("connecting").await;
        let _server = while_stopped(async move { accept_async(stream).await.expect("a good upgrade") }).await;
        let seen = stage.status.wait_for(|status| !matches!(status.state, State::Connecting { .. }));
        assert_eq!(seen.await.expect("the channel runs").state.name(), "connected");
        assert_eq!(stage.status.borrow().generation, 1);
    }
}

// Close frames that the library refuses

#[tokio::test(start_paused = true)]
async fn a_4500_counts_whatever_else_is_in_its_frame_or_behind_it() {
    let cut = [&[0x88, 125, 0x11, 0x94][..], "x".repeat(122).as_bytes(), &[0xe4]].concat();
    let long = [&[0x88, 126, 0, 200, 0x11, 0x94][..], &[b'y'; 198]].concat();
    for (frames, ends) in [
        (cut, false),
        (long, false),
        (vec![0x88, 4, 0x11, 0x94, 0xc3, 0x28], false),
        // Two, as some servers send them; then what nobody may send.
        ([0x88, 2, 0x11, 0x94].repeat(2), false),
        (vec![0x88, 2, 0x11, 0x94, 0x81, 1, 0xff, 0x83, 0], false),
        // Behind a message, and in the same packet.
        (vec![0x81, 2, b'h', b'i', 0x88, 3, 0x11, 0x94, 0xff], false),
        // The end of the stream within it.
        (vec![0x88, 20, 0x11, 0x94, b'r', b'e'], true),
    ] {
        let mut stage = Rig::new();
        let mut server = stage.accept().await;
        server.get_mut().write_all(&frames).await.expect("sent");
        if ends {
            drop(server);
        }
        stage.state("replaced").await;
        assert_eq!(
            stage.status.borrow().last_close.as_ref().map(|close| close.code),
            Some(4500),
            "{frames:?}"
        );
        assert_eq!(stage.frames.try_recv().is_ok(), frames[0] == 0x81, "{frames:?}");
        stage.status.wait_for(|status| status.links_closed == 1).await.expect("the link is let go of");
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_frame_of_one_byte_is_one_without_a_code() {
    let mut stage = Rig::new();
    let mut server = stage.accept().await;
    assert!(matches!(server.next().await, Some(Ok(Message::Ping(_)))));
    server.flush().await.expect("the pong goes out");
    server.get_mut().write_all(&[0x88, 1, 0x03]).await.expect("sent");
    let status = stage.state("waiting").await;
    assert_eq!(status.last_close.map(|close| close.code), Some(1005));
    assert_eq!(close_code(next(&mut server).await), Some(1000), "it is answered");
}
