#!/bin/sh
# tungstenite 0.30.0 (and 0.29.0, by its code): what is sent goes through a buffer of the link's own, which stays as large as the largest
# message that ever went through it, for as long as the link lives.
#
# Seen on 30 November 2026:
#   64 links, idle: 0 MiB more
#   64 links, idle, after one message of 1 MiB each: 65 MiB more
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
tungstenite = { version = "=0.30.0", default-features = false, features = ["handshake"] }
END
cat >"$folder/src/main.rs" <<'END'
use std::{io::{Read, Write}, fs::read_to_string};
use tungstenite::{Message, WebSocket, protocol::Role};

/// Takes everything, keeps nothing.
struct Sink;
impl Read for Sink {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> { Err(std::io::ErrorKind::WouldBlock.into()) }
}
impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> { Ok(bytes.len()) }
    fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
}

fn memory() -> u64 {
    let status = read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn main() {
    let text = "x".repeat(1 << 20);
    let before = memory();
    let more = || (memory().saturating_sub(before) + 512) / 1024;
    let config = tungstenite::protocol::WebSocketConfig::default().read_buffer_size(1024);
    let mut links: Vec<_> = (0..64).map(|_| WebSocket::from_raw_socket(Sink, Role::Server, Some(config))).collect();
    println!("64 links, idle: {} MiB more", more());
    for link in &mut links {
        link.send(Message::text(text.as_str())).unwrap();
    }
    let after = more();
    println!("64 links, idle, after one message of 1 MiB each: {after} MiB more");
    assert!(after >= 60, "it is no longer so");
}
END
cd "$folder" && cargo run --quiet
