//! Tidings at other people's servers, and what these say on the wire. `cargo xtask peers` brings them; without, nothing is
//! tried, and `cargo xtask test` says so.

mod brokers;
mod desk;
mod dialogues;
mod ntfy;
mod oauth;
mod servers;
mod sockjs;
mod what_they_say;
mod wire;
