use std::net::IpAddr;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;

use super::*;
use crate::driver::spawn_with;
use crate::link::alarm::Alarm;
use crate::{Backoff, Channel, DialParams, Start, State};

/// Connects to `port` of a name that `resolve` knows. Returns how long that took, too.
async fn connect(resolve: Resolve, port: u16, timing: Timing) -> (Result<(), Cause>, Duration) {
    let url = ChannelUrl::parse(&format!("ws://shop.example:{port}/"), true).expect("a good URL");
    let config = Config { timing, ..Config::new(url) };
    let (stage, _) = watch::channel(Stage::Credential);
    let tcp = Tcp { resolve, ..Tcp::default() };
    let began = Instant::now();
    let connected = tcp.connect(&config, &stage).await.map(drop);
    (connected, began.elapsed())
}

#[tokio::test]
async fn where_the_first_address_is_dead_the_second_is_soon_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    // Nobody has the first: an address for documentation (RFC 3849).
    let resolve: Resolve = |_, port| {
        Box::pin(async move {
            Ok(vec![
                (IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]), port).into(),
                (IpAddr::from([127, 0, 0, 1]), port).into(),
            ])
        })
    };
    let (connected, took) = connect(resolve, port, Timing::default()).await;
    connected.expect("the second address lives");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_name_lookup_that_hangs_is_told_as_that() {
    let hangs: Resolve = |_, _| Box::pin(std::future::pending());
    let timing = Timing { lookup: Duration::from_millis(100), ..Timing::default() };
    let (connected, _) = connect(hangs, 1, timing).await;
    assert_eq!(connected, Err(Cause::TimedOut { stage: Stage::Lookup }));
}

/// A port of 127.0.0.1, and the same of 127.0.0.2, where others may have it.
async fn at_two_addresses() -> (TcpListener, TcpListener) {
    loop {
        let one = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = one.local_addr().expect("bound").port();
        if let Ok(other) = TcpListener::bind(("127.0.0.2", port)).await {
            return (one, other);
        }
    }
}

/// What something else than our server does at an address of its name.
#[derive(Debug, Clone, Copy)]
enum Stranger {
    Resets,
    HangsUp,
    SaysNothing,
    AnswersNotFound,
    AnswersAPage,
    SpeaksNoHttp,
}

async fn stand_in(listener: TcpListener, stranger: Stranger) {
    let mut kept = Vec::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        let answer: &[u8] = match stranger {
            Stranger::Resets => {
                let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                continue;
            }
            Stranger::HangsUp => b"",
            Stranger::SaysNothing => {
                kept.push(stream);
                continue;
            }
            Stranger::AnswersNotFound => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            Stranger::AnswersAPage => {
                b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1\r\n\r\n?"
            }
            Stranger::SpeaksNoHttp => b"220 mail.example ESMTP\r\n",
        };
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(answer).await;
    }
}

#[tokio::test]
async fn an_address_that_answers_tcp_alone_is_passed_over_for_one_that_serves() {
    for stranger in [
        Stranger::Resets,
        Stranger::HangsUp,
        Stranger::SaysNothing,
        Stranger::AnswersNotFound,
        Stranger::AnswersAPage,
        Stranger::SpeaksNoHttp,
    ] {
        let (server, strange) = at_two_addresses().await;
        let port = server.local_addr().expect("bound").port();
        let stranger_at = tokio::spawn(stand_in(strange, stranger));
        let resolve: Resolve = |_, port| {
            Box::pin(async move { Ok(vec![([127, 0, 0, 2], port).into(), ([127, 0, 0, 1], port).into()]) })
        };
        let url = ChannelUrl::parse(&format!("ws://shop.example:{port}/"), true).expect("a good URL");
        let millis = Duration::from_millis;
        let timing =
            Timing { dial_gap: millis(1), upgrade: millis(300), least_delay: millis(1), ..Timing::default() };
        let backoff = Backoff::new(millis(50), millis(60_000)).expect("fine");
        let config = Config { timing, backoff, ..Config::new(url) };
        let tcp = Tcp { resolve, ..Tcp::default() };
        let (channel, _frames) = Channel::spawn_with(config, Start::Connect, |config, start, asked| {
            let owner = DialParams::default();
            spawn_with(config, start, owner, asked, tcp, Alarm::new(), SmallRng::seed_from_u64(1))
        });
        let serving = async {
            loop {
                let (stream, _) = server.accept().await.expect("a dial");
                let mut link = accept_async(stream).await.expect("an upgrade");
                let _ = futures_util::StreamExt::next(&mut link).await;
            }
        };
        let mut status = channel.status();
        let came_up = async |status: &mut watch::Receiver<crate::Status>, generation| {
            let up = |now: &crate::Status| {
                matches!(now.state, State::Connected { .. }) && now.generation >= generation
            };
            let found = tokio::time::timeout(Duration::from_secs(10), status.wait_for(up)).await;
            found
                .unwrap_or_else(|_| panic!("{stranger:?}: {}", *channel.status().borrow()))
                .expect("it runs")
                .clone()
        };
        tokio::select! {
            () = serving => {}
            () = async {
                let first = came_up(&mut status, 1).await;
                assert_eq!(first.route.map(|route| route.to.ip()), Some(IpAddr::from([127, 0, 0, 1])));
                assert!(first.generation <= 2, "{stranger:?}: the other address is the next that is tried");
            } => {}
        }
        channel.shut_down().await;
        stranger_at.abort();
    }
}
