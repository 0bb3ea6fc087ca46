use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::*;

/// Connects to `port` of a name that `resolve` knows. Returns how long that took, too.
async fn connect(resolve: Resolve, port: u16, timing: Timing) -> (Result<(), Cause>, Duration) {
    let url = ChannelUrl::parse(&format!("ws://shop.example:{port}/"), true).expect("a good URL");
    let config = Config { timing, ..Config::new(url) };
    let (stage, _) = watch::channel(Stage::Credential);
    let tcp = Tcp { resolve, tls: Tls::default() };
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
