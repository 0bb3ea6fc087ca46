//! Keeps one WebSocket to a user channel alive, for weeks, on a desk that sleeps and moves between networks.
//!
//! - It notices a dead peer within 35 s, by pings where the server answers them, and says so where it doesn't.
//! - It dials again after every end, with random delays that spare the server, and with the time of the next
//!   dial in its [`Status`]. What a refusal means (a sign-in, a wrong address, a captive portal, a busy server)
//!   decides how long it waits.
//! - Where the server closes with 4500 because another instance of the same user took over, it stays quiet.
//! - It never has two links, but for the moment in which one takes the other's place ([`Command::Renew`]), and never follows a
//!   redirect with a credential.
//!
//! The crate knows neither messages nor disk nor desktop: frames go out through a bounded queue, state
//! goes out over a [`watch`](tokio::sync::watch), and everything about the world that a dial needs comes
//! in through [`Owner`]. Sleep and network changes come in as [`Signal`]s from whoever watches the system.
//!
//! ```no_run
//! use tidings_channel::{Channel, Credential, Payload};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (channel, mut frames) = Channel::to("wss://example.org/ws/user-channel".parse()?)
//!     .credential(Credential::Bearer("from a safe place".to_owned()))
//!     .spawn();
//!
//! let mut status = channel.status();
//! loop {
//!     tokio::select! {
//!         Ok(()) = status.changed() => println!("{}", *status.borrow_and_update()),
//!         frame = frames.recv() => match frame.map(|frame| frame.payload) {
//!             Some(Payload::Text(text)) => println!("{text}"),
//!             Some(other) => println!("no text: {other:?}"),
//!             None => break, // the channel has ended
//!         },
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The loop prints lines such as `connected (round trip 6 ms)` and `waiting: server restarting (1012)`; until when it
//! waits is in [`State::Waiting`]. What a user wants goes in as a [`Command`]; [`Channel::shut_down`] says goodbye to the
//! server.
//!
//! Settings are types that can't hold nonsense: a [`ChannelUrl`] is encrypted or stays on this machine, a
//! [`Heartbeat`] is quicker than the proxy that would cut the link. Who has a credential that changes, or remembers the
//! last message's id, implements [`Owner`] and hands it to [`Builder::owner`].
//!
//! ```text
//! Command, Signal ──> driver ──Input──> Machine (pure) ──Output──> driver ──> socket
//!                       │                                             │
//!                       └── watch<Status>            mpsc<Frame> <────┘
//! ```

mod address;
mod carrier;
mod channel;
mod config;
mod driver;
mod end;
mod examine;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
mod link;
mod machine;
mod memory;
mod settings;
#[cfg(feature = "simulate")]
#[doc(hidden)]
pub mod simulate;
mod status;
mod timing;
mod way;

pub use address::{ChannelUrl, ChannelUrlError};
pub use carrier::Carrier;
pub use channel::{Builder, Channel, Receipts};
pub use config::{Config, Mqtt, Qos, Site, Subscription};
pub use end::cause::{Cause, SessionEnd, Stage};
pub use end::close::{CloseInfo, OtherMeaning};
pub use end::detail::{Detail, day};
pub use end::plain::plain;
pub use end::verdict::needs_a_person;
pub use examine::{Examined, Examining, examine};
pub use http::Method;
pub use memory::{Kept, Memory};
pub use settings::{Backoff, ConfigError, Heartbeat, Liveness, TakeBack};
pub use status::{CaughtUp, IdleLimit, Instead, PeerCheck, Pulse, Route, Settled, State, Status};
pub use timing::Timing;
pub use way::client_cert::{ClientCert, ClientCertError};
pub use way::fetch::{Fetch, Fetched, fetch};
pub use way::proxy::{ProxyUrl, ProxyUrlError};

use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime};

use tidings_dialect::Given;

/// How a channel begins; remembered states survive restarts (R1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Connect, after a short random delay: nobody waits for it, and others may start at the same time (a login, a fleet).
    Connect,
    /// Connect at once: somebody started it and waits.
    ByHand,
    /// Stay off until told otherwise.
    Disconnected,
    /// Stay quiet until told otherwise: another instance has the channel.
    Replaced {
        /// Since when.
        since: SystemTime,
    },
}

/// What the user (or a script) asks of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Connect, and stay connected. Leaves `Disconnected`, `Replaced` and `NeedsUser`; no effect when connected.
    Connect,
    /// Close the link (1000) and stay disconnected.
    Disconnect,
    /// While waiting: dial now (all but the 1 s gap is overridden). No effect in any other state but `NeedsUser`.
    ReconnectNow,
    /// While replaced: connect here again, which replaces the other instance. Elsewhere: as `Connect`.
    TakeOver,
    /// The credential changed: a channel that waits for what another one may mend, in `NeedsUser` or not, dials at once (D5).
    CredentialChanged,
    /// A fresh credential is at hand, and the link's will end: open the next link by it, and close this one once that one
    /// stands (N1). If it fails, this one goes on, and nobody is told. No effect but on a link that stands, or while this is done already:
    /// any other dial takes the fresh credential anyway.
    Renew,
    /// Close the link (1000) and end the channel's task.
    ShutDown,
}

/// What the system tells a channel; advice, never a command of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The machine woke after sleeping this long.
    Woke {
        /// Time asleep by the boot clock.
        slept: Duration,
    },
    /// The way to the server may have changed. A link that goes out from an address that this machine no longer
    /// has is dialled anew; any other has to prove that it lives.
    NetworkChanged {
        /// Whether a network seems to be there. Doubt means `true`.
        online: bool,
    },
}

/// What is told of a message beside it, where what carries it tells something. Untrusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// What it is asked for by, as what came up to it: an event's id.
    pub id: Option<String>,
    /// What it belongs to: an event's name, a topic.
    pub topic: Option<String>,
    /// What `tidings.v1` tells.
    pub enveloped: Option<Enveloped>,
    /// What an MQTT broker tells.
    pub published: Option<Box<Published>>,
}

/// What `tidings.v1` tells of a message beside its id: its server gives no id twice, and tells by it what was read elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enveloped {
    /// Its number on its link, from 1; `None`: it can't be acknowledged.
    pub(crate) number: Option<u64>,
}

/// What an MQTT broker tells of a message beside its topic. Untrusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// To be acknowledged once the message is stored, where the broker wants to know.
    pub receipt: Option<Delivery>,
    /// It may have come before: the broker had no receipt for it (DUP).
    pub again: bool,
    /// It is what the broker keeps of its topic, and no news (RETAIN).
    pub retained: bool,
    /// It may have waited at the broker until this link.
    pub resumed: bool,
    /// Its sender says that it is text.
    pub is_text: bool,
    /// What kind of content it is.
    pub content_type: Option<String>,
    /// Where an answer is expected.
    pub response_topic: Option<String>,
    /// What else its sender says of it.
    pub user: Vec<(String, String)>,
    /// For how long it is of use.
    pub expires_in: Option<Duration>,
}

/// By what a message is acknowledged, on the link that it came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Receipt {
    /// An MQTT broker's.
    Delivery(Delivery),
    /// The number of a message of `tidings.v1` on its link. It speaks for all before it.
    Message(u64),
}

/// What an MQTT broker knows a delivery by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delivery {
    /// The broker gives it to a later one once this one is acknowledged.
    pub(crate) number: u16,
    pub(crate) place: u64,
}

impl Delivery {
    /// Its number, which the server gives to a later message once it has it back.
    #[must_use]
    pub fn number(self) -> u16 {
        self.number
    }

    /// Which delivery of its link it is, from 1.
    #[must_use]
    pub fn place(self) -> u64 {
        self.place
    }
}

/// One data frame as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The link it came over (see [`Status::generation`]).
    pub generation: u64,
    /// Text or bytes, as the server sent them.
    pub payload: Payload,
    /// What is told beside it.
    pub about: About,
    /// When its last byte was read.
    pub received_at: SystemTime,
    /// Whether it was missed and is sent again; `None`: the dialect doesn't tell.
    pub replay: Option<bool>,
    /// What was missed may come first on its link: the server keeps it, or goes on from where an earlier link was.
    pub goes_on: bool,
}

impl Frame {
    /// What its server wants back once it is stored.
    #[must_use]
    pub fn receipt(&self) -> Option<Receipt> {
        if let Some(Enveloped { number }) = self.about.enveloped {
            return number.map(Receipt::Message);
        }
        self.about.published.as_ref()?.receipt.map(Receipt::Delivery)
    }
}

/// What a frame carried.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Payload {
    /// A Text frame (valid UTF-8).
    Text(String),
    /// A Binary frame.
    Binary(Vec<u8>),
    /// A Text frame that is no UTF-8, as its bytes came.
    Garbled(Vec<u8>),
    /// A message over 1 MiB, which was passed over (D2).
    TooBig {
        /// Its length.
        bytes: u64,
    },
    /// A message whose frames break the protocol, passed over on a link that was opened to get past it.
    Broken {
        /// Its length.
        bytes: u64,
    },
    /// No message: the server says that those of these ids were read, here or on another device (`tidings.v1`).
    Read(Vec<String>),
}

/// What the owner hands over for one dial. Its `Debug` shows no values.
#[derive(Clone, Default)]
pub struct DialParams {
    /// Credential, already fetched; `None` dials without.
    pub credential: Option<Credential>,
    /// Further request headers.
    pub headers: Vec<(String, String)>,
    /// Further query parameters, such as `("since", "41")`.
    pub query: Vec<(String, String)>,
    /// In place of the URL's path.
    pub path: Option<String>,
    /// The id of the last message, for a dialect that asks by it.
    pub last: Option<String>,
}

impl fmt::Debug for DialParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn names(pairs: &[(String, String)]) -> Vec<&str> {
            pairs.iter().map(|(name, _)| name.as_str()).collect()
        }
        f.debug_struct("DialParams")
            .field("credential", &self.credential)
            .field("headers", &names(&self.headers))
            .field("query", &names(&self.query))
            .field("path", &self.path)
            .finish()
    }
}

impl DialParams {
    /// Whether the server is told who we are by a cookie, as a page's sign-in leaves one.
    pub(crate) fn has_cookie(&self) -> bool {
        let is_cookie = |name: &str| name.eq_ignore_ascii_case("cookie");
        match &self.credential {
            Some(Credential::Cookie { .. }) => true,
            Some(Credential::Header { name, .. }) => is_cookie(name),
            Some(
                Credential::Bearer(_)
                | Credential::Basic { .. }
                | Credential::Query { .. }
                | Credential::Said(_),
            )
            | None => self.headers.iter().any(|(name, _)| is_cookie(name)),
        }
    }

    /// What of it the dialect may say.
    pub(crate) fn given(&self) -> Given {
        let username = match &self.credential {
            Some(Credential::Basic { username, .. }) => Some(username.clone()),
            _ => None,
        };
        let secret = self.credential.as_ref().map(|credential| credential.secret().to_owned());
        Given { secret, username, last: self.last.clone(), ..Given::default() }
    }
}

impl From<Credential> for DialParams {
    fn from(credential: Credential) -> Self {
        Self { credential: Some(credential), ..Self::default() }
    }
}

/// An owner that gives every dial the same.
impl Owner for DialParams {
    async fn dial_params(&mut self, _ask: DialAsk) -> Result<DialParams, DialRefusal> {
        Ok(self.clone())
    }
}

/// Where a credential goes in the upgrade request. Its `Debug` never shows the secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer …`
    Bearer(String),
    /// `Authorization: Basic …`
    Basic {
        /// User name.
        username: String,
        /// Password.
        password: String,
    },
    /// A header of any name.
    Header {
        /// Header name.
        name: String,
        /// Header value.
        value: String,
    },
    /// A query parameter.
    Query {
        /// Parameter name.
        name: String,
        /// Parameter value.
        value: String,
    },
    /// A cookie.
    Cookie {
        /// Cookie name.
        name: String,
        /// Cookie value.
        value: String,
    },
    /// Nowhere in the request: the dialect says it.
    Said(String),
}

impl Credential {
    /// The secret itself.
    pub(crate) fn secret(&self) -> &str {
        match self {
            Self::Bearer(secret) | Self::Said(secret) => secret,
            Self::Basic { password, .. } => password,
            Self::Header { value, .. } | Self::Query { value, .. } | Self::Cookie { value, .. } => value,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer(_) => f.write_str("Bearer(***)"),
            Self::Basic { username, .. } => write!(f, "Basic({username:?}, ***)"),
            Self::Header { name, .. } => write!(f, "Header({name:?}, ***)"),
            Self::Query { name, .. } => write!(f, "Query({name:?}, ***)"),
            Self::Cookie { name, .. } => write!(f, "Cookie({name:?}, ***)"),
            Self::Said(_) => f.write_str("Said(***)"),
        }
    }
}

/// Why a dial asks for its parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DialAsk {
    /// The server refused the credential (or may have): read it from its source again.
    pub refresh_credential: bool,
    /// Links in a row ended over something that can't be received (1009 twice, any other refusal three times), the later
    /// ones before anything else came: what is next after the owner's cursor can't be had. Ask for what comes behind it, or for nothing that was missed, and
    /// tell the user.
    pub skip_past: bool,
    /// The server refused a dial without an `Origin` by 403: this one has the channel's own, unless the owner gives one. (The next
    /// goes without again, if that is refused, too.)
    pub with_origin: bool,
    /// The session that the last dial carried was refused a moment ago, and each refused dial leaves something behind in the
    /// server: dial by another one, or not at all ([`DialRefusal::unchanged`]).
    pub only_if_new: bool,
    /// What is to carry the link's words.
    pub carrier: Carrier,
    /// `tidings.v1` is offered, so that what was missed is asked for by the last message's id, as `since`.
    pub offers_v1: bool,
}

/// The owner could not give what a dial needs, for example because a token command failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DialRefusal {
    /// What, where and how to mend; shown to the user. Holds no secret.
    pub message: String,
    /// There is no other credential than the one that was refused, and another one was asked for.
    pub unchanged: bool,
    /// What stands in the way, where it is told as that and not by the message.
    pub cause: Option<Cause>,
}

impl DialRefusal {
    /// The user is told this.
    #[must_use]
    pub fn told(message: impl Into<String>) -> Self {
        Self { message: message.into(), unchanged: false, cause: None }
    }

    /// The answer to [`DialAsk::only_if_new`] where there is nothing new.
    #[must_use]
    pub fn unchanged() -> Self {
        let message = "the credential is the one that was refused".to_owned();
        Self { message, unchanged: true, cause: None }
    }
}

/// What a server made of what it was asked for: an MQTT broker of the subscriptions, a hub of event streams of the last event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscribed {
    /// It hasn't kept what came meanwhile, though it had done so before.
    pub lost: bool,
    /// A broker that knows nothing of us: no message repeats one that was not acknowledged.
    pub anew: bool,
    /// The filters that it refuses, where it takes others.
    pub refused: Vec<String>,
}

/// Who owns a channel: gives each dial its parameters.
pub trait Owner: Send + 'static {
    /// Asked before every dial. A refusal means [`State::NeedsUser`], unless it says otherwise. The future counts against the dial's
    /// 30 s, and is dropped where the user gives the dial up.
    fn dial_params(&mut self, ask: DialAsk) -> impl Future<Output = Result<DialParams, DialRefusal>> + Send;

    /// The `Set-Cookie` headers of the answer that opened a link: to be stored before anything else is sent to the server. Called
    /// where there are some, before the link is told connected, and never for a refusal.
    fn set_cookies(&mut self, set_cookies: Vec<String>) -> impl Future<Output = ()> + Send {
        drop(set_cookies);
        std::future::ready(())
    }

    /// What the server made of what it was asked for, before the link is told connected and any message of it is handed on.
    fn subscribed(&mut self, subscribed: Subscribed) -> impl Future<Output = ()> + Send {
        drop(subscribed);
        std::future::ready(())
    }
}
