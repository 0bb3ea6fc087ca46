use std::process::Stdio;

use tidings_server::{EventKind, Options, Server, StartError};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::Command,
    time::timeout,
};

use crate::client::{Client, Ended, SOON, seen, server};

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

#[cfg(unix)]
#[tokio::test]
async fn the_program_stops_on_sigterm_with_1001_on_every_link_and_code_0() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tidings-server"))
        .args(["--data", "none", "--listen", "127.0.0.1:0"])
        .env_remove("TIDINGS_LOG")
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program");
    let mut log = BufReader::new(program.stderr.take().expect("its stderr")).lines();
    let line = timeout(SOON, log.next_line()).await.expect("in time").expect("readable").expect("a line");
    let addr = line.rsplit(' ').next().and_then(|addr| addr.parse().ok()).expect("an address in the log");
    let mut client = Client::connect_to(addr, "?user=ann", &[]).await.expect("an open channel");
    let pid = program.id().expect("running").to_string();
    let killed = Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill");
    assert!(killed.success());
    assert_eq!(client.ended().await, Ended::Close(Some(1001), "the server is stopping".into()));
    let output = timeout(SOON, program.wait_with_output()).await.expect("an end in time").expect("an end");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]));
}
