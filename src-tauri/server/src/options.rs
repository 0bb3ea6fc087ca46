//! What a server is started with.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::{
    access::{files::FileError, guest::NameError, jwt::Jwt, proxy::UserHeader, rate::Rate},
    log::file::{error::DataError, open::Durability},
    log::nats::connect::{Nats, NatsError},
};

/// How long a link may be silent before the server ends it. It is what the proxy in front would do; lower
/// than a client's heartbeat interval (60 s) cuts healthy clients, higher keeps dead ones.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// How long a request's head may take. Too low: a client on a bad line is cut; too high: whoever sends a head byte by
/// byte holds connections.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How many links. Too low: users are refused; too high: there is no memory for them all (about 10 KiB each).
const MAX_LINKS: usize = 100_000;

/// The longest message. Clients pass over what is longer than 1 MiB.
const MAX_MESSAGE: usize = 1 << 20;

/// What a server is started with.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one. Beyond loopback, `tokens` and `push_token` are needed.
    pub listen: SocketAddr,
    /// A link without any inbound frame for this long is ended without a close frame, as a proxy does it.
    /// `None`: never.
    pub idle_timeout: Option<Duration>,
    /// How long the head of a request may take to come.
    pub head_timeout: Duration,
    /// How many links there may be at once. A client beyond that is told to come back later.
    pub max_links: usize,
    /// The longest message that is taken, in bytes.
    pub max_message: usize,
    /// Where `/metrics`, `/healthz` and `/readyz` are to be had beside the rest; port 0 takes a free one.
    pub metrics: Option<SocketAddr>,
    /// The folder in which messages are kept; `None`: they are kept in memory, and end with the server.
    pub data: Option<PathBuf>,
    /// When a message in that folder counts as kept.
    pub durability: Durability,
    /// How many links a user may have at once.
    pub devices: Devices,
    /// Each 101 says that `tidings.v1` is spoken here, so that clients ask for it. It is spoken with whoever asks for it all the same.
    pub announce_v1: bool,
    /// The NATS by which several servers are one; `None`: this one is alone.
    pub nats: Option<Nats>,
    /// How many messages per user are kept for `?since=`. 0 turns replay off.
    pub backlog: usize,
    /// … how many bytes of them …
    pub backlog_bytes: usize,
    /// … and for how long. `None`: for ever.
    pub backlog_age: Option<Duration>,
    /// Bearer token to user. While there are any, `?user=` is not taken: a proxy in front would make the
    /// whole world look like loopback.
    pub tokens: BTreeMap<String, String>,
    /// A file with more of them, a user and a token per line. It is read again when it changes.
    pub token_file: Option<PathBuf>,
    /// JSON Web Tokens as credentials of users.
    pub jwt: Option<Jwt>,
    /// A header by which a proxy says who the user is.
    pub user_header: Option<UserHeader>,
    /// The bearer token that a push needs; without it and `push_token_file` any program on this machine may push.
    pub push_token: Option<String>,
    /// A file with more of them, one per line, with a name before it or not. It is read again when it changes.
    pub push_token_file: Option<PathBuf>,
    /// How fast each of those who push may do so; `None`: as fast as they can.
    pub push_rate: Option<Rate>,
    /// How many events are kept for [`Server::wait_for`](crate::Server::wait_for). 0: none, for a server
    /// that runs for long.
    pub events: usize,
}

/// How many links a user may have at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Devices {
    /// One: the newest stays.
    #[default]
    One,
    /// One for each device that names itself (`tidings.v1`), and those that don't.
    Many,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            idle_timeout: Some(IDLE_TIMEOUT),
            head_timeout: HEAD_TIMEOUT,
            max_links: MAX_LINKS,
            max_message: MAX_MESSAGE,
            metrics: None,
            data: None,
            durability: Durability::Fsync,
            devices: Devices::default(),
            announce_v1: false,
            nats: None,
            backlog: 1000,
            backlog_bytes: 4 << 20,
            backlog_age: None,
            tokens: BTreeMap::new(),
            token_file: None,
            jwt: None,
            user_header: None,
            push_token: None,
            push_token_file: None,
            push_rate: None,
            events: 100_000,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("idle_timeout", &self.idle_timeout)
            .field("data", &self.data)
            .field("backlog", &self.backlog)
            .field("users", &self.tokens.values())
            .finish_non_exhaustive()
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken.
    #[error("{0} is in use by another program: stop that one, or listen elsewhere (--listen)")]
    InUse(SocketAddr),
    /// The address can't be listened on for another reason.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Beyond loopback nobody could connect.
    #[error(
        "{0} is reachable from other machines, where users need credentials: name a token file (--token-file), \
         keys of JSON Web Tokens (--jwt-key, --jwt-keys), or a proxy's header (--user-header)"
    )]
    NoTokens(SocketAddr),
    /// Beyond loopback anybody could push.
    #[error("{0} is reachable from other machines: set a token for pushes (--push-token, --push-token-file)")]
    NoPushToken(SocketAddr),
    /// A token that can't be sent in a header, or none at all.
    #[error("a token must be printable ASCII without spaces; that of {0} is not")]
    BadToken(String),
    /// A file of tokens or keys can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// Messages can't be kept.
    #[error(transparent)]
    Data(#[from] DataError),
    /// NATS won't do.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// A name that can't be a user.
    #[error("{0:?} is no user name: 1 to 128 characters, no control characters")]
    BadUser(String),
}

impl From<NameError> for StartError {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Token(owner) => Self::BadToken(owner),
            NameError::User(name) => Self::BadUser(name),
        }
    }
}
