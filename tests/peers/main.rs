//! Tidings at other people's servers, and what these say on the wire. `cargo xtask peers` brings them; without, nothing is
//! tried, and `cargo xtask test` says so.

mod servers;
mod what_they_say;
mod wire;
