//! What a hostile server may send: the real driver over a stream in memory, in invented time. `cargo fuzz` calls
//! it with bytes of its own making, and a test with those that it kept (`fuzz/README.md`). Behind the feature
//! `fuzzing`, and no part of the public surface.

use std::future::Future;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tidings_dialect::{Dialect, Envelope, Given, v1};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::driver::spawn_with;
use crate::link::alarm::Alarm;
use crate::link::events::{Decoder, Format, Unit};
use crate::link::mqtt::frame::Framer;
use crate::link::mqtt::packets::{self, Version};
use crate::link::sockjs::frames as sockjs_frames;
use crate::link::tap::MOST_CLOSE;
use crate::way::connect::{Connect, Connected};
use crate::{
    Cause, Channel, ChannelUrl, CloseInfo, Config, Credential, Detail, DialParams, Payload, Stage, Start,
    State, Status,
};

/// How long a link is watched, by the invented clock: pings, heartbeats and their deadlines fall due in it.
const WATCHED: Duration = Duration::from_secs(150);
/// After the link's end: until all that it brought is there.
const AFTER: Duration = Duration::from_millis(100);
/// The credential of every dial. It must not be in anything that is shown.
const SECRET: &str = "s3cret-of-the-owner";
/// Stands for the right key in an answer, which no fuzzer guesses.
const ACCEPT: &[u8] = b"{accept}";
/// Longest message and frame (D2).
const MIB: u64 = 1 << 20;

/// The frame-to-event path: `input` is how the bytes are cut and whether the stream ends behind them, then what
/// the server sends once the link is up. What arrives has to be what the rules of RFC 6455 say, and the channel
/// is quiet if, and only if, that closes with 4500.
pub fn frames(input: &[u8]) {
    let Some((how, bytes)) = input.split_first() else { return };
    let bytes = bytes.to_vec();
    let sent = bytes.clone();
    let (piece, ends) = (usize::from(how & 0x7f) + 1, how & 0x80 != 0);
    let seen = play("wss://shop.example/ws", move |mut server| async move {
        let Some(key) = accept_key(&mut server).await else { return };
        let switched = format!(
            "HTTP/1.1 101 \r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {key}\r\n\r\n"
        );
        send(server, &[switched.as_bytes()], &sent, piece, ends).await;
    });
    let told = understood(&bytes, ends);
    assert_eq!(seen.frames, told.messages, "what was delivered");
    let quiet = told.close.as_ref().is_some_and(|close| close.code == 4500);
    assert_eq!(matches!(seen.status.state, State::Replaced { .. }), quiet, "{:?}", seen.status);
    if told.close.is_some() {
        assert_eq!(seen.status.last_close, told.close);
    }
    assert!(!quiet || seen.dials == 1, "nothing leaves Replaced by itself");
}

/// The upgrade's answer: `input` is what kind of address was dialled and whether the stream ends behind the
/// bytes, how these are cut, and then the answer. Whatever it is, the channel knows what it does next.
pub fn answer(input: &[u8]) {
    let [how, piece, bytes @ ..] = input else { return };
    let (url, ends) = (usize::from(how & 0x7f) % URLS.len(), how & 0x80 != 0);
    let (bytes, piece) = (bytes.to_vec(), usize::from(*piece) + 1);
    let says = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    let (switches, forbids) = (says(b" 101"), says(b" 403"));
    let seen = play(URLS[url], move |mut server| async move {
        let Some(key) = accept_key(&mut server).await else { return };
        send(server, &[], &with_key(&bytes, &key), piece, ends).await;
    });
    match &seen.first {
        // The second: so soon that nobody saw it connected.
        State::Connected { .. } | State::Replaced { .. } => assert!(switches, "{:?}", seen.first),
        State::Waiting { retry_at, .. } => {
            let wait = retry_at.duration_since(SystemTime::now()).unwrap_or_default();
            assert!(wait <= Duration::from_secs(3600 + 900), "{:?}", seen.first);
        }
        // Any other refusal of the credential has it read once more.
        State::NeedsUser { .. } => assert!(forbids, "{:?}", seen.first),
        State::Disconnected { .. } | State::Connecting { .. } => {
            panic!("after an answer: {:?}", seen.first)
        }
    }
}

/// A stream of events, or of lines: `input` is how the bytes are cut and which of the two they are, then the bytes. How they are cut
/// means nothing, and no message is longer than may be.
pub fn events(input: &[u8]) {
    let Some((how, bytes)) = input.split_first() else { return };
    let format = if how & 0x80 == 0 { Format::Events } else { Format::Lines };
    let units = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut decoder, mut units) = (Decoder::new(format), Vec::new());
        pieces.for_each(|piece| decoder.take(piece, &mut units));
        units
    };
    let whole = units(&mut std::iter::once(bytes));
    assert_eq!(units(&mut bytes.chunks(usize::from(how & 0x7f) + 1)), whole, "however it is cut");
    for unit in whole {
        if let Unit::Message(Payload::Text(text), about) = unit {
            assert!(text.len() as u64 <= MIB && !text.contains('\r'), "{} bytes", text.len());
            assert!(!about.id.is_some_and(|id| id.is_empty() || id.contains(['\r', '\n', '\0'])), "{text:?}");
        }
    }
}

/// Packets of an MQTT broker: `input` is how the bytes are cut and which version they are of, then the bytes.
pub fn mqtt(input: &[u8]) {
    let Some((how, bytes)) = input.split_first() else { return };
    let version = if how & 0x80 == 0 { Version::V5 } else { Version::V311 };
    let packets = |pieces: &[&[u8]]| {
        let (mut framer, mut packets) = (Framer::default(), Vec::new());
        let whole = pieces.iter().try_for_each(|piece| framer.take(piece, &mut packets));
        (whole, packets)
    };
    let all = packets(&[bytes]);
    let cut: Vec<&[u8]> = bytes.chunks(usize::from(how & 0x7f) + 1).collect();
    assert_eq!(packets(&cut), all, "however it is cut");
    for packet in all.1 {
        if let Ok(packets::Said::Published { topic, payload, id, .. }) = packets::read(version, packet) {
            assert!(!topic.is_empty() && id != Some(0));
            if let Payload::Text(text) = payload {
                assert!(text.len() as u64 <= MIB, "{} bytes", text.len());
            }
        }
    }
}

/// Frames of SockJS: `input` is how the bytes are cut, then the bytes. How they are cut means nothing, no message is longer than may be,
/// and a list of texts is what a reader of JSON makes of it.
pub fn sockjs(input: &[u8]) {
    let Some((how, bytes)) = input.split_first() else { return };
    let heard = |mut pieces: std::slice::Chunks<'_, u8>| {
        let (mut decoder, mut units) = (sockjs_frames::Decoder::default(), Vec::new());
        let broken = pieces.try_for_each(|piece| decoder.take(piece, &mut units)).is_err();
        (units, broken, decoder.is_whole())
    };
    let whole = heard(bytes.chunks(bytes.len().max(1)));
    assert_eq!(heard(bytes.chunks(usize::from(*how) + 1)), whole, "however they are cut");
    let texts = whole.0.iter().filter_map(|unit| match unit {
        sockjs_frames::Unit::Message(Payload::Text(text)) => Some(text.clone()),
        sockjs_frames::Unit::Message(_)
        | sockjs_frames::Unit::Open
        | sockjs_frames::Unit::Beat
        | sockjs_frames::Unit::Closed(_) => None,
    });
    let texts: Vec<_> = texts.collect();
    assert!(texts.iter().all(|text| text.len() as u64 <= MIB));
    if let Some(list) = bytes.strip_prefix(b"a")
        && let Ok(list) = serde_json::from_slice::<Vec<String>>(list)
        && list.iter().all(|text| text.len() as u64 <= MIB)
    {
        assert_eq!(texts, list);
    }
}

/// Over TLS, to this machine, and in plaintext to another.
const URLS: [&str; 3] = ["wss://shop.example/ws", "ws://127.0.0.1/ws", "ws://shop.example/ws"];

/// What a play showed.
struct Seen {
    /// The first state that was not a dial's.
    first: State,
    status: Status,
    frames: Vec<Payload>,
    dials: usize,
}

/// Dials once into memory, where `serve` is the server; every later dial finds nobody.
fn play<F>(url: &str, serve: impl FnOnce(DuplexStream) -> F) -> Seen
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (client, server) = tokio::io::duplex(8 * 1024);
        let serving = tokio::spawn(serve(server));
        let config = Config::new(ChannelUrl::parse(url, true).expect("a good URL"));
        let owner = DialParams::from(Credential::Bearer(SECRET.to_owned()));
        let (dials, dialled) = watch::channel(0);
        let connector = Once { stream: Mutex::new(Some(client)), dials };
        let (channel, mut delivered) = Channel::spawn_with(config, Start::Connect, |config, start, asked| {
            spawn_with(
                config,
                start,
                owner,
                asked,
                connector,
                Alarm::of_runtime(),
                SmallRng::seed_from_u64(5),
            )
        });
        let mut status = channel.status();
        let mut first = None;
        let mut frames = Vec::new();
        let mut until = Instant::now() + WATCHED;
        let _ = timeout_at(until, status.wait_for(|status| status.generation > 0)).await;
        status.mark_changed();
        loop {
            let news = timeout_at(until, async {
                tokio::select! {
                    frame = delivered.recv() => frames.extend(frame.map(|frame| frame.payload)),
                    _ = status.changed() => {}
                }
            });
            if news.await.is_err() {
                break;
            }
            let now = status.borrow_and_update().clone();
            assert_shows_nothing_bad(&now);
            if !matches!(now.state, State::Connecting { .. }) && first.is_none() {
                first = Some(now.state.clone());
            }
            if first.is_some() && !matches!(now.state, State::Connected { .. }) {
                until = until.min(Instant::now() + AFTER);
            }
        }
        let status = status.borrow().clone();
        let dials = *dialled.borrow();
        timeout(WATCHED, channel.shut_down()).await.expect("it ends when it is told to");
        serving.abort();
        Seen { first: first.expect("a dial ends"), status, frames, dials }
    })
}

/// What people and logs see of a state: one line, with nothing in it that plays tricks, and no secret.
fn assert_shows_nothing_bad(status: &Status) {
    let line = status.to_string();
    let bad = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!line.contains(bad), "{line:?}");
    assert!(!format!("{status:?}").contains(SECRET), "{status:?}");
}

/// Gives its stream to the first dial.
struct Once {
    stream: Mutex<Option<DuplexStream>>,
    dials: watch::Sender<usize>,
}

impl Connect for Once {
    type Stream = DuplexStream;

    async fn connect(&self, _: &Config, _: &watch::Sender<Stage>) -> Result<Connected<DuplexStream>, Cause> {
        self.dials.send_modify(|dials| *dials += 1);
        let stream = self.stream.lock().expect("nobody panics with it").take();
        let stream = stream.ok_or(Cause::Unreachable { detail: Detail::Refused })?;
        Ok(Connected { stream, route: None, others: false })
    }
}

/// Reads the request, and makes the key that a right answer to it has.
async fn accept_key(server: &mut DuplexStream) -> Option<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(server.read_u8().await.ok()?);
    }
    let request = String::from_utf8(request).ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.to_owned())
    };
    let key = request.lines().find_map(header).expect("the request asks for an upgrade");
    Some(derive_accept_key(key.as_bytes()))
}

fn with_key(bytes: &[u8], key: &str) -> Vec<u8> {
    match bytes.windows(ACCEPT.len()).position(|window| window == ACCEPT) {
        Some(at) => [&bytes[..at], key.as_bytes(), &bytes[at + ACCEPT.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

/// Sends the bytes in such pieces and reads whatever comes meanwhile. Then hangs up, or waits for the client's end.
async fn send(server: DuplexStream, before: &[&[u8]], bytes: &[u8], piece: usize, ends: bool) {
    let (mut read, mut write) = tokio::io::split(server);
    let sending = async {
        for piece in before.iter().copied().chain(bytes.chunks(piece)) {
            if write.write_all(piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        if ends {
            // The client may have gone first.
            let _ = write.shutdown().await;
        }
    };
    let mut sink = tokio::io::sink();
    let _ = tokio::join!(sending, tokio::io::copy(&mut read, &mut sink));
}

/// What the bytes of a server mean, by the letter of RFC 6455; but a close frame's code counts, whatever else is wrong
/// with it.
#[derive(Default)]
struct Understood {
    messages: Vec<Payload>,
    /// A close frame that came before any mistake.
    close: Option<CloseInfo>,
}

/// Reads up to the first mistake, the close frame or the last whole frame.
fn understood(mut bytes: &[u8], ends: bool) -> Understood {
    let mut told = Understood::default();
    // Opcode and content of a message whose end has not come.
    let mut begun: Option<(u8, Vec<u8>)> = None;
    loop {
        if bytes.first().is_some_and(|first| first & 0x0f == 0x8) {
            told.close = close(bytes, ends);
            return told;
        }
        let Some((first, payload, rest)) = whole_frame(bytes) else { return told };
        bytes = rest;
        let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
        match opcode {
            0x9 | 0xa => continue,
            0x0 if begun.is_some() => {}
            0x1 | 0x2 if begun.is_none() => begun = Some((opcode, Vec::new())),
            _ => return told,
        }
        let Some((_, content)) = &mut begun else { return told };
        content.extend_from_slice(payload);
        if last && let Some((opcode, content)) = begun.take() {
            told.messages.push(match opcode {
                _ if content.len() as u64 > MIB => Payload::TooBig { bytes: content.len() as u64 },
                0x1 => String::from_utf8(content)
                    .map_or_else(|error| Payload::Garbled(error.into_bytes()), Payload::Text),
                _ => Payload::Binary(content),
            });
        }
    }
}

/// The first byte and the payload of a frame that is all there and allowed, and what comes behind it.
fn whole_frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [first, second, rest @ ..] = bytes else { return None };
    let (length, rest) = match second {
        short @ 0..126 => (u64::from(*short), rest),
        126 => rest.split_first_chunk().map(|(length, rest)| (u16::from_be_bytes(*length).into(), rest))?,
        127 => rest.split_first_chunk().map(|(length, rest)| (u64::from_be_bytes(*length), rest))?,
        // A server masks nothing.
        _ => return None,
    };
    let (control, whole) = (first & 0x08 != 0, first & 0x80 != 0);
    if first & 0x70 != 0 || (control && (length > 125 || !whole)) {
        return None;
    }
    let (payload, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((*first, payload, rest))
}

/// What a close frame says, which may be cut by the end of the stream.
fn close(frame: &[u8], ends: bool) -> Option<CloseInfo> {
    let second = frame.get(1)?;
    let (length, rest) = match second & 0x7f {
        126 => {
            frame[2..].split_first_chunk().map(|(length, rest)| (u16::from_be_bytes(*length).into(), rest))?
        }
        127 => frame[2..].split_first_chunk().map(|(length, rest)| (u64::from_be_bytes(*length), rest))?,
        short => (u64::from(short), &frame[2..]),
    };
    let (mask, rest) = match second & 0x80 {
        0 => ([0; 4], rest),
        _ => rest.split_first_chunk().map(|(mask, rest)| (*mask, rest))?,
    };
    let whole = rest.len() as u64 >= length;
    if length > MOST_CLOSE || !(whole || ends) {
        return None;
    }
    let kept = usize::try_from(length).ok()?.min(rest.len()).min(125);
    let payload: Vec<u8> =
        rest[..kept].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    match payload.split_first_chunk() {
        Some((code, reason)) => {
            let cut = std::str::from_utf8(reason).err().filter(|error| error.error_len().is_none());
            let reason = &reason[..cut.map_or(reason.len(), |error| error.valid_up_to())];
            let reason = String::from_utf8_lossy(reason).into_owned();
            Some(CloseInfo { code: u16::from_be_bytes(*code), reason })
        }
        None => whole.then(|| CloseInfo { code: 1005, reason: String::new() }),
    }
}

/// What a server of `tidings.v1` sends: each line is a frame, and `!` says that all that came so far is stored. Nothing makes it panic, nothing is
/// answered, no id is too long, and what is acknowledged is the last message that is stored, once.
pub fn v1(input: &[u8]) {
    let mut talk = Dialect::V1.talk(Given::default());
    let _ = talk.open();
    let (mut heard, mut stored): (Vec<String>, usize) = (Vec::new(), 0);
    for line in String::from_utf8_lossy(input).lines() {
        if line == "!" {
            let all = heard.len();
            let said = talk.stored(all as u64);
            assert_eq!(said.is_some(), all > stored, "acknowledged otherwise than once");
            if let Some(said) = said {
                let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
                assert_eq!(said["id"].as_str(), heard.last().map(String::as_str));
            }
            stored = all;
            continue;
        }
        let Some(reply) = talk.hear(line) else { continue };
        assert!(reply.say.is_empty() && reply.post.is_none() && reply.keep.is_empty(), "answered");
        let ids = reply.read.iter().chain(reply.envelope.iter().filter_map(|envelope| envelope.id.as_ref()));
        for id in ids {
            assert!((1..=v1::MOST_ID).contains(&id.len()), "an id of {} bytes", id.len());
        }
        assert!(reply.read.len() <= v1::MOST_READ);
        if let Some(Envelope { id: Some(id), number, .. }) = reply.envelope {
            heard.push(id);
            assert_eq!(number, Some(heard.len() as u64));
        }
        for message in reply.messages {
            assert_eq!(message, line, "a message of the recipe as it came");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    /// All that is kept for this target.
    fn kept(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let root = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
        let folder = PathBuf::from(root).join("../../fuzz/corpus").join(target);
        let files = fs::read_dir(&folder).expect("the corpus");
        let paths = files.map(|file| file.expect("a file").path());
        let kept: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).expect("a file"))).collect();
        assert!(!kept.is_empty(), "nothing in {}", folder.display());
        kept
    }

    fn replay(target: &str, run: fn(&[u8])) {
        for (path, bytes) in kept(target) {
            // So that a failure names it.
            let run = std::panic::catch_unwind(|| run(&bytes));
            assert!(run.is_ok(), "{}", path.display());
        }
    }

    #[test]
    fn what_fuzzing_kept_for_frames_holds() {
        replay("frames", super::frames);
    }

    #[test]
    fn what_fuzzing_kept_for_events_holds() {
        replay("events", super::events);
    }

    #[test]
    fn what_fuzzing_kept_for_mqtt_holds() {
        replay("mqtt", super::mqtt);
    }

    #[test]
    fn what_fuzzing_kept_for_sockjs_holds() {
        replay("sockjs", super::sockjs);
    }

    #[test]
    fn what_fuzzing_kept_for_v1_holds() {
        replay("v1", super::v1);
    }

    #[test]
    fn what_fuzzing_kept_for_the_upgrades_answer_holds() {
        replay("answer", super::answer);
    }
}
