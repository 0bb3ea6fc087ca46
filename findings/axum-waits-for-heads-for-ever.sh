#!/bin/sh
# axum 0.8.9 (axum::serve): a connection whose request's head doesn't come to its end is kept for ever, and so is one that
# says nothing at all. hyper's limit (30 s) needs a timer, which axum::serve doesn't give it.
#
# Seen on 30 November 2026:
#   half a head: still open after 45 s
#   nothing: still open after 45 s
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"
[dependencies]
axum = { version = "=0.8.9", default-features = false, features = ["http1", "tokio"] }
tokio = { version = "1", features = ["rt", "macros", "net", "time", "io-util"] }
END
cat >"$folder/src/main.rs" <<'END'
use std::time::Duration;
use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}, time::timeout};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let app = axum::Router::new().route("/", axum::routing::get(async || "hello"));
    tokio::spawn(async { axum::serve(listener, app).await });
    let mut half = TcpStream::connect(addr).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut silent = TcpStream::connect(addr).await.unwrap();
    let limit = Duration::from_secs(45);
    let (half, silent) = tokio::join!(timeout(limit, half.read_u8()), timeout(limit, silent.read_u8()));
    let mut as_said = true;
    for (what, ended) in [("half a head", half.is_ok()), ("nothing", silent.is_ok())] {
        println!("{what}: {} after 45 s", if ended { "ended" } else { "still open" });
        as_said &= !ended;
    }
    assert!(as_said, "it is no longer so");
}
END
cd "$folder" && cargo run --quiet
