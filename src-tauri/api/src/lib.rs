//! What the agent says to everything else on the machine: the window and the command line.
//!
//! The agent [`serve`](socket::serve)s a local socket that only its owner can open. A [`client`] sends one
//! [`Request`] a line and reads one [`Reply`] a line, both JSON; [`Request::Subscribe`] turns the connection
//! into a stream of [`Event`]s that begins with a snapshot. The types here are also what the command line
//! prints with `--json`, so scripts and the socket agree by construction.

pub mod client;
mod health;
pub mod page;
pub mod socket;
mod wire;

mod discover;
mod examine;
mod report;
mod request;
mod rich;
mod send;
mod session;
mod settings;
#[cfg(test)]
mod typescript;

pub use discover::Discovery;
pub use examine::Examine;
pub use health::{Band, HealthReport, LinkReport, RoundTrip};
pub use report::{
    Attachment, CarrierName, CaughtUp, ChannelKind, ChannelReport, Close, Does, Dropped, Format, IdleLimit,
    InsteadOf, Line, MessageAction, MessageReport, Pictures, Raw, StageName, StateLine, StateName,
    StatusReport, StoredMessage,
};
pub use request::{Action, ErrorCode, Event, HistoryQuery, Refusal, Reply, Request};
pub use rich::{Block, Rich, Span};
pub use send::Outgoing;
pub use session::{Cookie, SessionKept, SessionReport, SignInPage, TypeCode};
pub use settings::{
    ChannelValues, Defaults, Edit, Meaning, PresetReport, Preview, Previewed, Rehearsal, Secret,
    SettingsReport, Step, Turn, Values,
};

/// Version of the socket's language. A peer with another number is told so and nothing else.
pub const PROTOCOL: u32 = 1;

/// The version of Tidings that this crate was built for.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
