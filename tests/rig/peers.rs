//! Other people's servers that Tidings is tried against, by name. Read by `xtask`, too, which brings them.

use std::path::{Path, PathBuf};

/// Where a server comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// This release of Debian, unpacked in a folder of its own (see [`RELEASES`]).
    Debian(&'static str),
    /// npm, in the versions of `tests/peers/servers/package-lock.json`.
    Npm,
    /// PyPI, in the versions of `tests/peers/servers/requirements.txt`.
    PyPi,
}

/// Name and source of each, and what it is.
pub const PEERS: [(&str, Source, &str); 14] = [
    ("ntfy-old", Source::Debian("trixie"), "ntfy 2.11, from before updates and deletions"),
    ("ntfy", Source::Debian("sid"), "ntfy, the newest that Debian has"),
    ("rabbitmq", Source::Debian("sid"), "RabbitMQ: STOMP over WebSocket"),
    ("action-cable", Source::Debian("sid"), "Action Cable of Ruby on Rails, in Puma"),
    ("socket-io", Source::Npm, "socket.io 4"),
    ("graphql-ws", Source::Npm, "graphql-ws: GraphQL subscriptions"),
    ("oidc-provider", Source::Npm, "oidc-provider: OAuth 2.0 and OpenID Connect"),
    ("sockjs", Source::Npm, "sockjs-node"),
    ("mosquitto", Source::Debian("sid"), "mosquitto 2.1: MQTT"),
    ("rabbitmq-mqtt", Source::Debian("sid"), "RabbitMQ: MQTT"),
    ("aedes", Source::Npm, "aedes: MQTT"),
    ("amqtt", Source::PyPi, "amqtt: MQTT 3.1.1"),
    ("signalr", Source::PyPi, "SignalR of aiosignalr, for ASP.NET Core's own can't be had"),
    ("home-assistant", Source::PyPi, "Home Assistant 2024.3, the last one for Debian 12's Python"),
];

/// The packages of each release of Debian; what they need comes along. Apt checks the archive's signature and every
/// package's checksum. Trixie stays what it is, and sid has the newest.
pub const RELEASES: [(&str, &[&str]); 2] = [
    ("trixie", &["ntfy"]),
    ("sid", &["ntfy", "rabbitmq-server", "ruby-actioncable", "ruby-zeitwerk", "puma", "mosquitto"]),
];

impl Source {
    /// Where its servers are, seen from the project's root.
    pub fn folder(self) -> PathBuf {
        Path::new(FOLDER).join(match self {
            Self::Debian(release) => release,
            Self::Npm => "npm",
            Self::PyPi => "pypi",
        })
    }
}

/// Where all of them are.
const FOLDER: &str = "target/peers";

/// Their names, a line each.
pub fn list() -> String {
    PEERS.map(|(name, _, what)| format!("  {name:16} {what}")).join("\n")
}

/// All, or those named; the error is a sentence.
pub fn named(typed: &[String]) -> Result<Vec<&'static str>, String> {
    let known = |name: &String| {
        let peer = PEERS.iter().find(|(known, ..)| known == name);
        peer.map(|(name, ..)| *name)
            .ok_or_else(|| format!("nothing is called `{name}`; --list tells the names"))
    };
    match typed {
        [] => Ok(PEERS.iter().map(|(name, ..)| *name).collect()),
        typed => typed.iter().map(known).collect(),
    }
}
