//! Frames: those that break the rules of RFC 6455 or our limits, and those that merely try.

use futures_util::future::join_all;
use tidings_server::{Event, EventKind};
use tidings_tests::wait::SOON;

use super::{Listener, MIB, ORDINARY, TEXT, drawn_from, frame, is_plain, server};

const TEXT_TO_BE_CONTINUED: u8 = 0x01;
const CONTINUED: u8 = 0x00;
const CONTINUED_AT_LAST: u8 = 0x80;
const PING: u8 = 0x89;
const CLOSE: u8 = 0x88;

const REFUSED: (f64, f64) = (30.0, 45.0);
const TOO_BIG: (f64, f64) = (60.0, 90.0);

#[tokio::test]
async fn frames_that_break_the_rules_end_the_link_with_the_right_code_and_floor() {
    let too_big = "the server sent too big a message (1009)";
    let broken = "the server broke the protocol: ";
    let fragments = |count: usize, size: usize| {
        let mut frames = frame(TEXT_TO_BE_CONTINUED, &vec![b'x'; size]);
        frames.extend((1..count).flat_map(|_| frame(CONTINUED, &vec![b'x'; size])));
        frames
    };
    let cases = [
        (
            "a length of half of all bytes there are",
            [&[TEXT, 127, 0x7f], &[0xff; 7][..]].concat(),
            1009,
            too_big,
        ),
        ("fragments that add up to more than is read away", fragments(65, MIB), 1009, too_big),
        ("a reserved bit", frame(TEXT | 0x40, b"x"), 1002, broken),
        ("a reserved opcode", frame(0x83, b"x"), 1002, broken),
        ("a reserved control opcode", frame(0x8b, b"x"), 1002, broken),
        ("a masked frame", vec![TEXT, 0x81, 1, 2, 3, 4, b'x' ^ 1], 1002, broken),
        ("a ping in fragments", frame(0x09, b"x"), 1002, broken),
        ("a long ping", frame(PING, &[b'x'; 126]), 1002, broken),
        ("a continuation of nothing", frame(CONTINUED_AT_LAST, b"x"), 1002, broken),
        (
            "a text inside of another",
            [frame(TEXT_TO_BE_CONTINUED, b"x"), frame(TEXT, b"y")].concat(),
            1002,
            broken,
        ),
    ];
    let server = &server().await;
    join_all(cases.into_iter().map(|(what, bytes, code, told)| async move {
        let mut listener = Listener::connected(server, what).await;
        // It may hang up before it has taken all of it.
        let _ = server.send_raw(what, &bytes).await;
        let (cause, delay) = listener.lost().await;
        assert!(cause.starts_with(told) && cause.ends_with(&format!("({code})")), "{what}: {cause}");
        let floor = if code == 1009 { TOO_BIG } else { REFUSED };
        assert!(drawn_from(delay, floor), "{what}: tries again after {delay} s");
        let closed = |event: &Event| {
            event.user == what
                && matches!(event.kind, EventKind::Closed { code: Some(sent), .. } if sent == code)
        };
        if let Err(error) = server.wait_for(SOON, closed).await {
            let mut events = server.events();
            events.retain(|event| event.user == what);
            panic!("{what}: no close frame with {code}: {events:#?}\n{error}");
        }
        let log = listener.ends_well().await;
        assert!(log.contains(" WARN ") && log.contains(&format!("({code})")), "{what}: {log}");
    }))
    .await;
}

#[tokio::test]
async fn a_message_that_cannot_be_read_costs_itself_and_nothing_else() {
    let fragments = |first: &[u8], last: &[u8]| {
        [frame(TEXT_TO_BE_CONTINUED, first), frame(CONTINUED_AT_LAST, last)].concat()
    };
    let (mib, too_big) = (vec![b'x'; MIB], "is too big to be received");
    let cases = [
        ("10 MiB of text", frame(TEXT, &mib.repeat(10)), too_big),
        ("one byte over 1 MiB", frame(TEXT, &[&mib[..], b"x"].concat()), too_big),
        ("10 MiB of bytes", frame(0x82, &mib.repeat(10)), too_big),
        ("fragments that add up", fragments(&mib, &mib), too_big),
        ("Latin-1", frame(TEXT, b"caf\xe9"), "caf\u{fffd}"),
        (
            "Latin-1 in JSON",
            frame(TEXT, b"{\"id\": 2, \"title\": \"2\", \"body\": \"caf\xe9\"}"),
            "caf\u{fffd}",
        ),
        ("half a character", frame(TEXT, b"\xc3"), "\u{fffd}"),
        ("invalid over a border", fragments(b"\xc3", b"\x28"), "\u{fffd}("),
    ];
    let server = &server().await;
    join_all(cases.into_iter().map(|(what, bytes, told)| async move {
        let mut listener = Listener::connected(server, what).await;
        server.send_raw(what, &bytes).await.expect("all of it is read");
        let message = listener.listen.message().await.expect("a message");
        assert!(message["body"].as_str().is_some_and(|body| body.contains(told)), "{what}: {message}");
        server.push(what, "after all that");
        let message = listener.listen.json().await.expect("a line");
        assert_eq!(message["body"], "after all that", "{what}: {message}");
        listener.ends_well().await;
    }))
    .await;
}

#[tokio::test]
async fn frames_that_are_odd_but_within_the_rules_do_no_harm() {
    let flood = |size: usize, count: usize| {
        let mut frames = frame(TEXT_TO_BE_CONTINUED, b"a");
        for _ in 0..count {
            frames.extend(frame(CONTINUED, &vec![b'b'; size]));
        }
        frames.extend(frame(CONTINUED_AT_LAST, b"c"));
        frames
    };
    let cases = [
        ("100,000 fragments", flood(1, 100_000), Some(100_002)),
        ("200,000 empty fragments", flood(0, 200_000), Some(2)),
        ("20,000 pings", frame(PING, b"are you there?").repeat(20_000), None),
        ("20,000 pongs that nobody asked for", frame(0x8a, &1u64.to_be_bytes()).repeat(20_000), None),
        ("100,000 empty texts", frame(TEXT, b"").repeat(100_000), None),
        (
            "a ping amid fragments",
            [frame(TEXT_TO_BE_CONTINUED, b"a"), frame(PING, b""), frame(CONTINUED_AT_LAST, b"b")].concat(),
            Some(2),
        ),
    ];
    let server = &server().await;
    join_all(cases.into_iter().map(|(what, bytes, length)| async move {
        let mut listener = Listener::connected(server, what).await;
        server.send_raw(what, &bytes).await.expect("all of it is read");
        if let Some(length) = length {
            let message = listener.listen.message().await.expect("a message");
            assert_eq!(message["body"].as_str().map(str::len), Some(length), "{what}");
        }
        server.push(what, "after all that");
        let message = listener.listen.json().await.expect("a line");
        assert_eq!(message["body"], "after all that", "{what}: {message}");
        assert_eq!(
            server.events().iter().filter(|event| is_open(event, what)).count(),
            1,
            "{what}: one link"
        );
        listener.ends_well().await;
    }))
    .await;
}

fn is_open(event: &Event, user: &str) -> bool {
    event.user == user && event.kind == EventKind::Opened
}

#[tokio::test]
async fn a_close_with_an_odd_code_or_reason_is_told_in_one_plain_line() {
    let close = |code: u16, reason: &[u8]| frame(CLOSE, &[&code.to_be_bytes()[..], reason].concat());
    let reversed = "\u{1b}[31mred\u{7}\r\nnext \u{202e}gnihsihp\u{2066}\u{200f}\u{0}end".as_bytes();
    let cases = [
        ("control characters", close(4321, reversed), "(4321)"),
        ("as long as fits", close(4000, &[b'x'; 123]), "(4000)"),
        ("no code", frame(CLOSE, b""), "(1005)"),
        ("a code that nobody may send", close(1005, b""), "(1005)"),
        ("a code below all", close(0, b"zero"), "(0)"),
        ("a code above all", close(u16::MAX, b"max"), "(65535)"),
        ("markup", close(4999, b"<b>&amp;</b>"), "<b>&amp;</b> (4999)"),
    ];
    let server = &server().await;
    join_all(cases.into_iter().map(|(what, bytes, told)| async move {
        let mut listener = Listener::connected(server, what).await;
        server.send_raw(what, &bytes).await.expect("a link");
        let (cause, delay) = listener.lost().await;
        assert!(cause.ends_with(told), "{what}: {cause:?}");
        assert!(is_plain(&cause) && cause.chars().count() <= 130, "{what}: {cause:?}");
        assert!(drawn_from(delay, ORDINARY), "{what}: tries again after {delay} s");
        let log = listener.ends_well().await;
        assert!(log.lines().all(is_plain), "{what}: {log:?}");
    }))
    .await;
}
