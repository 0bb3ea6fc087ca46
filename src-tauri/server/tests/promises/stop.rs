use tidings_server::{EventKind, Options, Server, StartError};
use tokio::net::TcpStream;

use crate::client::{Client, Ended, seen, server};

#[tokio::test]
async fn a_stop_closes_every_link_and_frees_the_port() {
    let server = server().await;
    let addr = server.addr();
    let mut ann = Client::connect(&server, "?user=ann").await;
    let mut bob = Client::connect(&server, "?user=bob").await;
    let (ended, ()) = tokio::join!(async { [ann.ended().await, bob.ended().await] }, server.stop(1012));
    for end in ended {
        assert_eq!(end, Ended::Close(Some(1012), "the server is stopping".into()));
    }
    assert_eq!(server.running(), 0);
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens");
    let again = Server::start(Options { listen: addr, ..Options::default() }).await.expect("the same port");
    Client::connect(&again, "?user=ann").await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_link_that_is_stalled() {
    let server = server().await;
    let mut client = Client::connect(&server, "?user=ann").await;
    seen(&server, |kind| *kind == EventKind::Opened).await;
    server.stall_links("ann");
    let (end, ()) = tokio::join!(client.ended(), server.stop(1001));
    assert_eq!(end, Ended::NoCloseFrame);
    assert_eq!(server.running(), 0);
}

#[tokio::test]
async fn the_last_handle_takes_the_server_with_it() {
    let server = server().await;
    let addr = server.addr();
    let mut client = Client::connect(&server, "?user=ann").await;
    drop(server);
    assert_eq!(client.ended().await, Ended::NoCloseFrame);
    // The listener is closed by another task, so it may take a few tries.
    while Server::start(Options { listen: addr, ..Options::default() }).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_address_in_use_is_told_with_its_mend() {
    let server = server().await;
    let listen = server.addr();
    let error = Server::start(Options { listen, ..Options::default() }).await.err().expect("taken");
    assert!(matches!(error, StartError::InUse(addr) if addr == listen));
    assert!(error.to_string().contains("--listen"), "{error}");
}
