//! Links that are up, and then are not.

use futures_util::SinkExt;
use tidings_channel::{Heartbeat, Liveness, Payload, PeerCheck};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::*;

/// Pings after 100 ms of silence, death after 150 more.
fn watchful(port: u16) -> Config {
    Config { liveness: Liveness::new(millis(100), millis(150)).expect("fine"), ..config("ws", port) }
}

#[tokio::test]
async fn a_peer_that_never_answers_pings_is_kept_and_said_to_be_uncheckable() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(watchful(port));
    // Nothing polls the server's end, so no ping is answered.
    let mut server = accept(&listener).await;
    let status = desk.until("uncheckable", |status| status.peer == PeerCheck::CannotBeChecked).await;
    assert!(status.to_string().contains("can't be checked"), "{status}");
    // Its silence is what is tried: longer than one that answers pings is waited for.
    tokio::time::sleep(millis(600)).await;
    assert_eq!(desk.status.borrow().generation, 1);
    server.send(Message::text("still here")).await.expect("sent");
    assert_eq!(desk.frames.recv().await.expect("a frame").payload, Payload::Text("still here".to_owned()));
}

#[tokio::test]
async fn a_peer_that_answered_and_falls_silent_is_dead_and_dialled_again() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(watchful(port));
    let mut server = accept(&listener).await;
    let answering = async {
        use futures_util::StreamExt;
        while server.next().await.is_some() {}
    };
    tokio::select! {
        () = answering => panic!("the link ended"),
        _ = desk.until("answered", |status| status.peer == PeerCheck::Answers) => {}
    }
    let (cause, _) = desk.trouble().await;
    // This kernel has taken the ping in its stead.
    assert!(matches!(cause, Cause::Unanswered { after } if after >= millis(250)), "{cause}");
    accept(&listener).await;
}

#[tokio::test]
async fn a_frame_that_drips_in_slowly_is_proof_of_life_and_arrives() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(watchful(port));
    let mut server = accept(&listener).await;
    desk.connected().await;
    let text = b"slowly but surely";
    let frame = [&[0x81, u8::try_from(text.len()).expect("short")], &text[..]].concat();
    for byte in frame {
        server.get_mut().write_all(&[byte]).await.expect("sent");
        // All of it takes longer than a silence may.
        tokio::time::sleep(millis(40)).await;
    }
    let frame = desk.frames.recv().await.expect("a frame");
    assert_eq!((frame.generation, frame.payload), (1, Payload::Text("slowly but surely".to_owned())));
}

#[tokio::test]
async fn a_reset_in_the_middle_of_a_frame_loses_the_link_and_delivers_nothing() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(config("ws", port));
    let mut server = accept(&listener).await;
    desk.connected().await;
    server.get_mut().write_all(&[0x81, 100, b'h', b'a', b'l', b'f']).await.expect("sent");
    server.get_ref().set_zero_linger().expect("set");
    drop(server);
    let (cause, status) = desk.trouble().await;
    assert!(matches!(cause, Cause::Lost { .. }), "{cause}");
    assert_eq!(status.last_close, None);
    assert!(desk.frames.try_recv().is_err());
    accept(&listener).await;
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_a_lost_connection() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(config("ws", port));
    let mut server = accept(&listener).await;
    desk.connected().await;
    server.get_mut().shutdown().await.expect("sent");
    let (cause, status) = desk.trouble().await;
    assert_eq!(cause.to_string(), "connection lost (end of stream)");
    assert_eq!((status.links_opened, status.links_closed), (1, 1));
}

#[tokio::test]
async fn each_class_of_close_code_is_told_and_waits_as_long_as_it_should() {
    for (code, words, from, to) in [
        (1000, "closed by the server (1000)", 0, 3),
        (1001, "server going away (1001)", 0, 10),
        (1003, "kind of message not accepted (1003)", 30, 45),
        (1008, "refused by the server's policy (1008)", 30, 45),
        (1009, "message too big (1009)", 60, 90),
        (1013, "server busy (1013)", 5, 30),
        (3000, "sign-in needed (3000)", 30, 45),
        (4499, "bye (4499)", 0, 3),
        (4501, "bye (4501)", 0, 3),
    ] {
        let (listener, port) = listen().await;
        let mut desk = Desk::new(config("ws", port));
        let mut server = accept(&listener).await;
        desk.connected().await;
        server.close(Some(CloseFrame { code: code.into(), reason: "bye".into() })).await.expect("sent");
        let (cause, status) = desk.trouble().await;
        let wait = status.state.retry_at().expect("it waits").duration_since(std::time::SystemTime::now());
        let seconds = wait.unwrap_or_default().as_secs_f64();
        assert_eq!(cause.to_string(), words);
        assert!(seconds > f64::from(from) - 2.0 && seconds <= f64::from(to), "{code}: {seconds} s");
    }
}

#[tokio::test]
async fn after_4500_nobody_dials_again() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(config("ws", port));
    let mut server = accept(&listener).await;
    desk.connected().await;
    server.close(Some(CloseFrame { code: 4500.into(), reason: "".into() })).await.expect("sent");
    desk.until("replaced", |status| matches!(status.state, State::Replaced { .. })).await;
    let dial = tokio::time::timeout(millis(300), listener.accept()).await;
    assert!(dial.is_err(), "a dial after 4500");
}

#[tokio::test]
async fn a_4500_counts_though_the_server_resets_the_connection_right_behind_it() {
    for said in [
        &[0x88, 2, 0x11, 0x94][..],
        &[0x81, 2, b'h', b'i', 0x88, 7, 0x11, 0x94, b'n', b'e', b'w', b'e', b'r'],
    ] {
        let (listener, port) = listen().await;
        let mut desk = Desk::new(config("ws", port));
        let mut server = accept(&listener).await.into_inner();
        desk.connected().await;
        // Closing sends RST then, before the answer to the close frame can have come.
        server.set_zero_linger().expect("set");
        server.write_all(said).await.expect("sent");
        drop(server);
        desk.until("replaced", |status| matches!(status.state, State::Replaced { .. })).await;
        assert_eq!(desk.frames.try_recv().is_ok(), said[0] == 0x81, "what came before it is not lost");
        let dial = tokio::time::timeout(millis(300), listener.accept()).await;
        assert!(dial.is_err(), "a dial after 4500");
    }
}

#[tokio::test]
async fn a_server_that_reads_nothing_stalls_the_writing_and_is_dropped() {
    let (listener, port) = listen().await;
    let heartbeat = Heartbeat::new("x".repeat(1024), millis(50), millis(75)).expect("fine");
    let mut stalling = Config { heartbeat, ..config("ws", port) };
    stalling.timing.write_stall = millis(300);
    let mut desk = Desk::new(stalling);
    let stream = dialled(&listener).await;
    // As small as the kernel lets it be, so that it fills within the test.
    socket2::SockRef::from(&stream).set_recv_buffer_size(1).expect("set");
    let mut server = accept_async(stream).await.expect("a good upgrade");
    desk.connected().await;
    // Pings whose pongs nobody takes fill what the kernel buffers.
    let pings = async {
        let ping = Message::Ping(vec![0; 125].into());
        while server.feed(ping.clone()).await.is_ok() && server.flush().await.is_ok() {}
    };
    let (cause, _) = tokio::select! {
        trouble = desk.trouble() => trouble,
        () = pings => desk.trouble().await,
    };
    assert!(matches!(cause, Cause::WriteStalled | Cause::Lost { .. }), "{cause}");
}
