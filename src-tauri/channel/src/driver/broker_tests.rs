//! Links to MQTT brokers. The broker is played byte by byte; real ones are in the promises and peers.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, timeout};

use super::rig::{Giver, Rig, config, secs};
use crate::link::mqtt::frame::Packet;
use crate::{
    Carrier, Cause, Command, Config, Credential, Detail, DialParams, Heartbeat, Mqtt, Payload, Qos, State,
    Status, Subscription,
};

fn subscription(filter: &str, qos: Qos) -> Subscription {
    Subscription { filter: filter.to_owned(), qos }
}

fn asking(topics: Vec<Subscription>) -> Config {
    let mqtt = Mqtt { topics, client_id: Some("desk".to_owned()), session_expiry: secs(86_400) };
    let url = "mqtt://127.0.0.1".parse().expect("an address");
    Config {
        url,
        carrier: Carrier::Mqtt,
        mqtt: Some(Box::new(mqtt)),
        heartbeat: Heartbeat::off(),
        ..config()
    }
}

fn rig() -> Rig {
    with(asking(vec![subscription("news/#", Qos::AtLeastOnce)]))
}

fn with(config: Config) -> Rig {
    Rig::with(config, Giver::default(), 64 * 1024)
}

/// The broker's end of a connection.
struct Broker {
    stream: DuplexStream,
}

const CONNECT: u8 = 1;
const SUBSCRIBE: u8 = 8;
const PINGREQ: u8 = 12;
const DISCONNECT: u8 = 14;

/// CONNACK of a new session, of one that was kept, SUBACK of one filter, PINGRESP.
const WELCOME: &[u8] = &[0x20, 3, 0, 0, 0];
const WELCOME_BACK: &[u8] = &[0x20, 3, 1, 0, 0];
const SUBSCRIBED: &[u8] = &[0x90, 4, 0, 1, 0, 1];
const PONG: &[u8] = &[0xD0, 0];

impl Broker {
    async fn dialled(rig: &mut Rig) -> Self {
        Self { stream: rig.dialled().await }
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("sent");
    }

    /// The next packet; `None` at the end of the stream. All of ours are short.
    async fn next(&mut self) -> Option<Packet> {
        let mut head = [0; 2];
        // What is asked for may be given up between two packets, and not within one: ours go out whole.
        self.stream.read_exact(&mut head).await.ok()?;
        let [first, length] = head;
        assert!(length < 128, "a short packet");
        let mut body = vec![0; length.into()];
        self.stream.read_exact(&mut body).await.expect("the whole packet");
        Some(Packet { first, body, too_long: None })
    }

    /// The next one but for pings, which are answered.
    async fn said(&mut self) -> Option<Packet> {
        loop {
            match self.next().await {
                // Who has hung up misses nothing.
                Some(packet) if packet.kind() == PINGREQ => drop(self.stream.write_all(PONG).await),
                packet => return packet,
            }
        }
    }

    async fn hears(&mut self, kind: u8) -> Packet {
        let packet = self.said().await.expect("a packet");
        assert_eq!(packet.kind(), kind, "{packet:?}");
        packet
    }

    /// A connection that stands.
    async fn standing(rig: &mut Rig, welcome: &[u8]) -> Self {
        let mut broker = Self::dialled(rig).await;
        broker.hears(CONNECT).await;
        broker.send(welcome).await;
        broker.hears(SUBSCRIBE).await;
        broker.send(SUBSCRIBED).await;
        rig.state("connected").await;
        broker
    }
}

/// PUBLISH of 5.0 with a number, where it has one.
fn publish(first: u8, topic: &str, number: Option<u16>, properties: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut body = u16::try_from(topic.len()).expect("short").to_be_bytes().to_vec();
    body.extend_from_slice(topic.as_bytes());
    body.extend(number.map(u16::to_be_bytes).into_iter().flatten());
    body.push(u8::try_from(properties.len()).expect("few"));
    body.extend_from_slice(properties);
    body.extend_from_slice(payload);
    let length = u8::try_from(body.len()).expect("short");
    assert!(length < 128);
    [&[first, length], body.as_slice()].concat()
}

const ONCE_AT_LEAST: u8 = 0x32;

async fn cause(rig: &mut Rig) -> Cause {
    let failed = |status: &Status| {
        matches!(&status.state, State::Waiting { cause, .. } if *cause != Cause::Local)
            || matches!(status.state, State::NeedsUser { .. })
    };
    let state = rig.status.wait_for(failed).await.expect("the channel runs").state.clone();
    let (State::Waiting { cause, .. } | State::NeedsUser { cause, .. }) = state else { panic!("{state:?}") };
    cause
}

#[tokio::test(start_paused = true)]
async fn a_message_is_acknowledged_once_its_owner_has_it_and_no_sooner() {
    let mut rig = rig();
    let mut broker = Broker::standing(&mut rig, WELCOME).await;
    let properties = [&[0x03, 0, 4], b"text".as_slice(), &[0x26, 0, 1, b'a', 0, 1, b'b']].concat();
    broker.send(&publish(ONCE_AT_LEAST, "news/door", Some(7), &properties, b"open")).await;
    let frame = rig.frames.recv().await.expect("a frame");
    assert_eq!(frame.payload, Payload::Text("open".to_owned()));
    assert_eq!(frame.about.topic.as_deref(), Some("news/door"));
    let published = frame.about.published.clone().expect("a broker's");
    assert_eq!(published.content_type.as_deref(), Some("text"));
    assert_eq!(published.user, [("a".to_owned(), "b".to_owned())]);
    assert!(!published.again && !published.retained && !published.resumed);
    assert!(timeout(secs(10), broker.said()).await.is_err(), "nothing is acknowledged yet");
    rig.channel.receipts().give(frame.generation, frame.receipt().expect("one is wanted"));
    assert_eq!(broker.said().await, Some(Packet { first: 0x40, body: vec![0, 7], too_long: None }));
}

#[tokio::test(start_paused = true)]
async fn a_receipt_for_a_link_that_is_gone_goes_nowhere() {
    let mut rig = rig();
    let mut broker = Broker::standing(&mut rig, WELCOME).await;
    broker.send(&publish(ONCE_AT_LEAST, "news/door", Some(7), &[], b"open")).await;
    let frame = rig.frames.recv().await.expect("a frame");
    drop(broker);
    rig.state("waiting").await;
    let mut broker = Broker::standing(&mut rig, WELCOME_BACK).await;
    rig.channel.receipts().give(frame.generation, frame.receipt().expect("one is wanted"));
    assert!(timeout(secs(10), broker.said()).await.is_err());
    broker.send(&publish(ONCE_AT_LEAST | 8, "news/door", Some(7), &[], b"open")).await;
    let frame = rig.frames.recv().await.expect("a frame");
    let published = frame.about.published.expect("a broker's");
    assert!(published.again && published.resumed);
}

#[tokio::test(start_paused = true)]
async fn what_is_to_come_once_is_received_released_and_completed() {
    let mut rig = with(asking(vec![subscription("news/#", Qos::ExactlyOnce)]));
    let mut broker = Broker::standing(&mut rig, WELCOME).await;
    broker.send(&publish(0x34, "news/door", Some(9), &[], b"open")).await;
    let frame = rig.frames.recv().await.expect("a frame");
    rig.channel.receipts().give(frame.generation, frame.receipt().expect("one is wanted"));
    assert_eq!(broker.said().await, Some(Packet { first: 0x50, body: vec![0, 9], too_long: None }));
    broker.send(&[0x62, 2, 0, 9]).await;
    assert_eq!(broker.said().await, Some(Packet { first: 0x70, body: vec![0, 9], too_long: None }));
}

/// The neighbours of 0x8E are ordinary.
#[tokio::test(start_paused = true)]
async fn a_session_that_was_taken_over_is_left_in_peace() {
    for (code, state) in [(0x8E, "replaced"), (0x8D, "waiting"), (0x8F, "needs_user"), (0x00, "waiting")] {
        let mut rig = rig();
        let mut broker = Broker::standing(&mut rig, WELCOME).await;
        tokio::time::sleep(secs(60)).await;
        broker.send(&[0xE0, 1, code]).await;
        rig.state(state).await;
        if code == 0x8E {
            tokio::time::sleep(secs(24 * 3600)).await;
            assert_eq!(rig.status.borrow().state.name(), "replaced");
            rig.channel.command(Command::TakeOver);
            Broker::standing(&mut rig, WELCOME_BACK).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_we_are_and_what_is_to_be_kept_is_said_first() {
    let credential = Credential::Basic { username: "ann".to_owned(), password: "s3cret".to_owned() };
    let owner = Giver { params: DialParams::from(credential), ..Giver::default() };
    let mut rig = Rig::with(asking(vec![subscription("news/#", Qos::AtLeastOnce)]), owner, 64 * 1024);
    let mut broker = Broker::dialled(&mut rig).await;
    let body = broker.hears(CONNECT).await.body;
    // Version 5, a name and a password, no clean start, 60 s; the session's expiry is the first property.
    assert_eq!(&body[..10], b"\x00\x04MQTT\x05\xC0\x00\x3C");
    assert_eq!(&body[11..16], [&[0x11][..], &86_400_u32.to_be_bytes()].concat());
    let rest = body.windows(8).position(|bytes| bytes == b"\x00\x04desk\x00\x03").expect("the client id");
    assert_eq!(&body[rest + 6..], b"\x00\x03ann\x00\x06s3cret");
    broker.send(WELCOME).await;
    // One filter: QoS 1, and what is retained only where the subscription is new.
    let body = broker.hears(SUBSCRIBE).await.body;
    assert_eq!(body, b"\x00\x01\x00\x00\x06news/#\x11");
}

#[tokio::test(start_paused = true)]
async fn a_broker_of_the_older_version_is_spoken_to_in_it() {
    for answer in [&[0x20, 2, 0, 1][..], &[0x20, 3, 0, 0x84, 0], &[]] {
        let mut rig = rig();
        let mut broker = Broker::dialled(&mut rig).await;
        broker.hears(CONNECT).await;
        broker.send(answer).await;
        drop(broker);
        let mut broker = Broker::dialled(&mut rig).await;
        assert_eq!(&broker.hears(CONNECT).await.body[..8], b"\x00\x04MQTT\x04\x00");
        broker.send(&[0x20, 2, 0, 0]).await;
        assert_eq!(broker.hears(SUBSCRIBE).await.body, b"\x00\x01\x00\x06news/#\x01");
        broker.send(&[0x90, 3, 0, 1, 1]).await;
        rig.state("connected").await;
        broker.send(b"\x32\x0D\x00\x05news!\x00\x07wide").await;
        let frame = rig.frames.recv().await.expect("a frame");
        assert_eq!(frame.payload, Payload::Text("wide".to_owned()));
        rig.channel.command(Command::Disconnect);
        assert_eq!(broker.said().await.map(|packet| (packet.first, packet.body)), Some((0xE0, Vec::new())));
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_are_told_by_their_reason() {
    for (answer, code, state) in [
        (&[0x20, 3, 0, 0x86, 0][..], 0x86, "needs_user"),
        (&[0x20, 3, 0, 0x89, 0], 0x89, "waiting"),
        (&[0x20, 3, 0, 0x85, 0], 0x85, "needs_user"),
        (&[0x20, 2, 0, 5], 0x87, "needs_user"),
        (&[0xE0, 1, 0x8B], 0x8B, "waiting"),
    ] {
        let mut rig = rig();
        // A sign-in is tried once more with what its source says then.
        for _ in 0..2 {
            let mut broker = Broker::dialled(&mut rig).await;
            broker.hears(CONNECT).await;
            broker.send(answer).await;
            assert_eq!(cause(&mut rig).await, Cause::Broker { code, said: String::new() });
            if rig.status.borrow().state.name() == state {
                break;
            }
        }
        assert_eq!(rig.status.borrow().state.name(), state, "{code:#x}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_topic_of_two_that_is_refused_leaves_the_other() {
    let topics =
        || vec![subscription("news/#", Qos::AtLeastOnce), subscription("secret/#", Qos::AtLeastOnce)];
    for (codes, connected) in [([1, 0x87], true), ([0x87, 0x87], false)] {
        let mut rig = with(asking(topics()));
        let mut broker = Broker::dialled(&mut rig).await;
        broker.hears(CONNECT).await;
        broker.send(WELCOME).await;
        broker.hears(SUBSCRIBE).await;
        broker.send(&[0x90, 5, 0, 1, 0, codes[0], codes[1]]).await;
        if connected {
            rig.state("connected").await;
        } else {
            assert_eq!(cause(&mut rig).await, Cause::Broker { code: 0x87, said: String::new() });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_heard_no_more_is_taken_back_from_a_session_that_was_kept() {
    let first = asking(vec![subscription("news/#", Qos::AtLeastOnce)]);
    let memory = first.memory.clone();
    let mut before = with(first);
    let broker = Broker::standing(&mut before, WELCOME).await;
    drop((broker, before));
    let mut rig = with(Config { memory, ..asking(vec![subscription("mail/#", Qos::AtLeastOnce)]) });
    let mut broker = Broker::dialled(&mut rig).await;
    broker.hears(CONNECT).await;
    broker.send(WELCOME_BACK).await;
    assert_eq!(broker.hears(10).await.body, b"\x00\x02\x00\x00\x06news/#");
    assert_eq!(broker.hears(SUBSCRIBE).await.body, b"\x00\x01\x00\x00\x06mail/#\x11");
}

#[tokio::test(start_paused = true)]
async fn a_broker_is_sent_nothing_longer_than_it_takes() {
    for (longest, taken) in [(18, true), (13, false)] {
        let mut rig = rig();
        let mut broker = Broker::dialled(&mut rig).await;
        broker.hears(CONNECT).await;
        broker.send(&[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, longest]).await;
        if taken {
            broker.hears(SUBSCRIBE).await;
        } else {
            assert_eq!(cause(&mut rig).await, Cause::Broker { code: 0x95, said: String::new() });
            assert_eq!(broker.said().await, None);
        }
    }
}

/// Sent much or heard much: either way the broker hears of us as often as it wants.
#[tokio::test(start_paused = true)]
async fn the_broker_hears_of_us_as_often_as_it_wants() {
    for busy in [false, true] {
        let mut rig = rig();
        // Server Keep Alive: 10 s.
        let mut broker = Broker::dialled(&mut rig).await;
        broker.hears(CONNECT).await;
        broker.send(&[0x20, 6, 0, 0, 3, 0x13, 0, 10]).await;
        broker.hears(SUBSCRIBE).await;
        broker.send(SUBSCRIBED).await;
        rig.state("connected").await;
        let mut last = Instant::now();
        let end = last + secs(120);
        while Instant::now() < end {
            if busy {
                broker.send(&publish(0x30, "news/x", None, &[], b"1")).await;
                rig.frames.recv().await.expect("a frame");
            }
            if let Ok(packet) = timeout(secs(1), broker.next()).await {
                assert_eq!(packet.map(|packet| packet.kind()), Some(PINGREQ));
                assert!(last.elapsed() <= secs(15), "{:?}", last.elapsed());
                last = Instant::now();
                broker.send(PONG).await;
            }
        }
        assert!(last.elapsed() < secs(15), "it went on, busy: {busy}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_answers_no_ping_is_dead() {
    let mut rig = rig();
    let mut broker = Broker::standing(&mut rig, WELCOME).await;
    assert_eq!(broker.next().await.map(|packet| packet.kind()), Some(PINGREQ));
    broker.send(PONG).await;
    let began = Instant::now();
    assert!(matches!(cause(&mut rig).await, Cause::Silent { .. }));
    assert!(began.elapsed() <= secs(36), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_a_ping_after_it_proves_to_be_known_is_settled() {
    let mut rig = rig();
    let mut broker = Broker::standing(&mut rig, WELCOME).await;
    broker.send(&publish(ONCE_AT_LEAST, "news/door", Some(7), &[], b"open")).await;
    let frame = rig.frames.recv().await.expect("a frame");
    // A ping goes out and is answered while the message isn't acknowledged: that proves nothing.
    assert!(timeout(secs(50), broker.said()).await.is_err());
    assert_eq!(rig.channel.pulse().borrow().settled, None);
    rig.channel.receipts().give(frame.generation, frame.receipt().expect("one is wanted"));
    broker.hears(4).await;
    assert!(timeout(secs(1), broker.said()).await.is_err());
    assert!(rig.channel.pulse().borrow().settled.is_some(), "and without waiting for silence");
}

#[tokio::test(start_paused = true)]
async fn a_message_too_big_costs_itself_and_is_acknowledged() {
    let mut rig = rig();
    let mut broker = Broker::standing(&mut rig, WELCOME).await;
    // 2,000,000 bytes.
    let mut big = vec![ONCE_AT_LEAST, 0x80, 0x89, 0x7A];
    big.extend_from_slice(b"\x00\x01a\x00\x03");
    big.resize(4 + 2_000_000, b'x');
    broker.send(&big).await;
    let frame = rig.frames.recv().await.expect("a frame");
    assert!(matches!(frame.payload, Payload::TooBig { .. }), "{:?}", frame.payload);
    rig.channel.receipts().give(frame.generation, frame.receipt().expect("one is wanted"));
    broker.hears(4).await;
    broker.send(&publish(0x30, "news/door", None, &[], b"next")).await;
    assert_eq!(rig.frames.recv().await.map(|frame| frame.payload), Some(Payload::Text("next".to_owned())));
}

/// Each kind of packet once as it must not be, at a link that stands.
#[tokio::test(start_paused = true)]
async fn what_breaks_the_protocol_ends_the_link_and_nothing_else() {
    let table: [(&str, Vec<u8>); 24] = [
        ("a kind that doesn't exist", vec![0x00, 0]),
        ("a CONNECT of the broker's", vec![0x10, 2, 0, 0]),
        ("a second CONNACK", WELCOME.to_vec()),
        ("a PUBLISH of QoS 3", publish(0x36, "a", Some(1), &[], b"")),
        ("a PUBLISH without a topic", publish(0x30, "", None, &[], b"x")),
        ("a PUBLISH whose topic is cut off", vec![0x30, 2, 0, 5]),
        ("a PUBLISH whose topic is no UTF-8", vec![0x30, 4, 0, 1, 0xFF, 0]),
        ("a PUBLISH numbered 0", publish(ONCE_AT_LEAST, "a", Some(0), &[], b"x")),
        ("a PUBLISH whose properties are longer than it", vec![0x30, 4, 0, 1, b'a', 9]),
        ("a PUBLISH with a property that doesn't exist", publish(0x30, "a", None, &[0x7E, 1], b"x")),
        ("a PUBACK without a number", vec![0x40, 1, 0]),
        ("a PUBREC without a number", vec![0x50, 1, 0]),
        ("a PUBREL without its flags", vec![0x60, 2, 0, 1]),
        ("a PUBREL without a number", vec![0x62, 0]),
        ("a PUBCOMP without a number", vec![0x70, 1, 0]),
        ("a SUBACK that is cut off", vec![0x90, 1, 0]),
        ("a SUBSCRIBE of the broker's", vec![0x82, 2, 0, 1]),
        ("an UNSUBSCRIBE of the broker's", vec![0xA2, 2, 0, 1]),
        ("an UNSUBACK that is cut off", vec![0xB0, 1, 0]),
        ("a PINGRESP with flags", vec![0xD1, 0]),
        ("a PINGREQ of the broker's", vec![0xC0, 0]),
        ("a DISCONNECT with flags", vec![0xE1, 0]),
        ("an AUTH that nobody asked for", vec![0xF0, 0]),
        ("a length without an end", vec![0x30, 0xFF, 0xFF, 0xFF, 0xFF]),
    ];
    for (what, bytes) in table {
        let mut rig = rig();
        let mut broker = Broker::standing(&mut rig, WELCOME).await;
        broker.send(&bytes).await;
        let found = cause(&mut rig).await;
        assert_eq!(found, Cause::Refused { code: 1002, detail: Detail::NoMqtt }, "{what}");
        assert_eq!(
            broker.said().await.map(|packet| (packet.kind(), packet.body)),
            Some((DISCONNECT, vec![0x81])),
            "{what}"
        );
        assert_eq!(broker.said().await, None, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_broker_is_told_as_that() {
    let mut rig = rig();
    let mut broker = Broker::dialled(&mut rig).await;
    broker.hears(CONNECT).await;
    broker.send(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert_eq!(cause(&mut rig).await, Cause::NoGoodAnswer { detail: Detail::NoMqtt });
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_says_nothing_is_left_after_15_s_in_each_version() {
    let mut rig = rig();
    let began = Instant::now();
    let first = Broker::dialled(&mut rig).await;
    let second = Broker::dialled(&mut rig).await;
    assert!(began.elapsed() >= Duration::from_millis(14_500), "{:?}", began.elapsed());
    assert_eq!(cause(&mut rig).await, Cause::TimedOut { stage: crate::Stage::SignIn });
    assert!(began.elapsed() >= Duration::from_millis(29_000), "{:?}", began.elapsed());
    drop((first, second));
}

/// amqtt 0.11 says nothing to who speaks 5.0.
#[tokio::test(start_paused = true)]
async fn the_version_that_a_broker_speaks_is_remembered() {
    let mut rig = rig();
    let mut broker = Broker::dialled(&mut rig).await;
    broker.hears(CONNECT).await;
    for _ in 0..2 {
        broker = Broker::dialled(&mut rig).await;
        assert_eq!(&broker.hears(CONNECT).await.body[..8], b"\x00\x04MQTT\x04\x00");
        broker.send(&[0x20, 2, 0, 0]).await;
        broker.hears(SUBSCRIBE).await;
        broker.send(&[0x90, 3, 0, 1, 1]).await;
        rig.state("connected").await;
        drop(broker);
        rig.state("waiting").await;
        broker = Broker { stream: tokio::io::duplex(1).0 };
    }
    drop(broker);
}

/// The broker is slow to take a sign-in that was given up, and takes it in the end: the session is taken from our own link.
#[tokio::test(start_paused = true)]
async fn a_sign_in_that_was_given_up_and_comes_late_silences_nobody() {
    let mut rig = rig();
    let _late = (Broker::dialled(&mut rig).await, Broker::dialled(&mut rig).await);
    assert_eq!(cause(&mut rig).await, Cause::TimedOut { stage: crate::Stage::SignIn });
    let mut broker = Broker::standing(&mut rig, WELCOME).await;
    broker.send(&[0xE0, 1, 0x8E]).await;
    let mut broker = Broker::standing(&mut rig, WELCOME_BACK).await;
    broker.send(&[0xE0, 1, 0x8E]).await;
    rig.state("replaced").await;
}

/// N1: the next link of the same name takes the session from the old one, and that is our own doing.
#[tokio::test(start_paused = true)]
async fn a_renewal_that_takes_the_session_over_is_no_take_over() {
    let mut rig = Rig::renewing(asking(vec![subscription("news/#", Qos::AtLeastOnce)]));
    let mut old = Broker::standing(&mut rig, WELCOME).await;
    tokio::time::sleep(secs(5)).await;
    rig.channel.command(Command::Renew);
    let mut next = Broker::dialled(&mut rig).await;
    next.hears(CONNECT).await;
    next.send(WELCOME_BACK).await;
    old.send(&[0xE0, 1, 0x8E]).await;
    next.hears(SUBSCRIBE).await;
    next.send(SUBSCRIBED).await;
    next.send(&publish(0x30, "news/door", None, &[], b"open")).await;
    assert_eq!(rig.frames.recv().await.map(|frame| frame.payload), Some(Payload::Text("open".to_owned())));
    assert_eq!(rig.status.borrow().state.name(), "connected");
}

/// The service that the broker asks may be what is down: a sign-in that worked is looked at again soon.
#[tokio::test(start_paused = true)]
async fn a_sign_in_that_worked_lately_is_tried_again_soon() {
    let mut rig = rig();
    let mut broker = Broker::standing(&mut rig, WELCOME).await;
    for _ in 0..3 {
        broker.send(&publish(0x30, "news/door", None, &[], b"open")).await;
        rig.frames.recv().await.expect("a frame");
        assert!(timeout(secs(11), broker.said()).await.is_err());
    }
    drop(broker);
    for _ in 0..2 {
        let mut broker = Broker::dialled(&mut rig).await;
        broker.hears(CONNECT).await;
        broker.send(&[0x20, 3, 0, 0x87, 0]).await;
    }
    let State::NeedsUser { .. } = rig.state("needs_user").await.state else { panic!("the user is needed") };
    let began = Instant::now();
    Broker::dialled(&mut rig).await;
    assert!((60..100).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

/// A ping that was on its way before proves nothing of what was acknowledged after it.
#[tokio::test(start_paused = true)]
async fn what_was_acknowledged_behind_a_ping_is_proved_by_the_next_one() {
    let mut rig = rig();
    let mut broker = Broker::standing(&mut rig, WELCOME).await;
    let is_ping = |packet: Option<Packet>| packet.map(|packet| packet.kind()) == Some(PINGREQ);
    assert!(is_ping(broker.next().await), "the first one measures");
    tokio::time::sleep(secs(1)).await;
    broker.send(&publish(ONCE_AT_LEAST, "news/door", Some(7), &[], b"open")).await;
    let frame = rig.frames.recv().await.expect("a frame");
    rig.channel.receipts().give(frame.generation, frame.receipt().expect("one is wanted"));
    assert_eq!(broker.next().await.map(|packet| packet.kind()), Some(4));
    broker.send(PONG).await;
    assert!(is_ping(timeout(secs(1), broker.next()).await.expect("one more at once")));
    assert_eq!(rig.channel.pulse().borrow().settled, None);
    broker.send(PONG).await;
    let mut pulse = rig.channel.pulse();
    pulse.wait_for(|pulse| pulse.settled.is_some()).await.expect("the channel runs");
    assert!(timeout(secs(1), broker.next()).await.is_err(), "and nothing more to prove");
}
