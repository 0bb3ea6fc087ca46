//! A user-channel server: companies, the demo and the tests run it.
//!
//! One WebSocket per user at `GET /ws/user-channel`; the newest connection of a user wins and the older is
//! closed with [`REPLACED`]. `POST /push/USER` sends a message. `?since=ID` replays what is kept, within
//! limits, before going live; `tidings.v1` adds acknowledgements, devices and read marks. The wire is described in `docs/protocol.md`; the binary of the same name is a thin
//! command line over [`Server`].
//!
//! ```text
//! POST /push/USER ─> Log (where messages are kept) ─> the tail of the user's live link ─> WebSocket ─> Wire (TCP)
//!                     a link walks the log from where its client stands, then goes on in its tail: one walk
//! ```
//!
//! As a library it is also the tests' fault double. Everything that a client does is in an event log that is
//! kept from the start ([`Server::wait_for`] can't miss anything), and each link can be closed with any code,
//! dropped, reset, stalled or fed raw bytes.
//!
//! **Invariants.** A user has at most one live link, or one for each device ([`Options`] says which). A link that ends leaves nothing behind: no task, no
//! socket. No type of the WebSocket library is in the public surface.

mod access;
mod blocking;
mod event;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
mod http;
mod link;
mod log;
mod metrics;
mod options;
mod order;
mod outbox;
mod server;
mod shared;
mod tail;
mod users;
mod wire;

pub use access::files::FileError;
pub use access::jwt::{Jwt, KeyError, KeyFile};
pub use access::proxy::{Network, NoNetwork, UserHeader};
pub use access::rate::{NoRate, Rate};
pub use access::tokens::{TokenFileError, parse_tokens};
pub use event::{Event, EventKind, NotSeen, Request};
pub use log::file::error::DataError;
pub use log::file::open::Durability;
pub use log::nats::connect::{Nats, NatsError};
pub use options::{Devices, Options, StartError};
pub use server::{NotSent, Server};
pub use shared::{Pushed, Refusal};

/// The close code for the older of two connections of one user.
pub const REPLACED: u16 = 4500;
/// "Going away" (RFC 6455 § 7.4.1): the usual code when the server stops.
pub const GOING_AWAY: u16 = 1001;
/// "Service restart" (registered with IANA): the server will be back at once.
pub const SERVICE_RESTART: u16 = 1012;
/// "Unauthorized" (registered with IANA): the credential has ended. Clients read a fresh one and come back.
pub const UNAUTHORIZED: u16 = 3000;
