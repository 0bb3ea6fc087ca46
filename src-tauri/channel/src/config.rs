//! All settings of a channel together. The numbers that are not settings are in [`Timing`].

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use tidings_dialect::Dialect;

use crate::address::ChannelUrl;
use crate::carrier::Carrier;
use crate::end::cause::Cause;
use crate::end::close::REPLACED;
use crate::end::verdict;
use crate::machine::idle::Means;
use crate::memory::Memory;
use crate::settings::{Backoff, Heartbeat, Liveness, TakeBack};
use crate::timing::Timing;
use crate::way::client_cert::ClientCert;
use crate::way::proxy::ProxyUrl;

/// Where a session began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The host that the user signs in at, for people.
    pub host: String,
    /// The origin of its pages, which goes with each upgrade as a browser sends it.
    pub origin: String,
}

/// What an MQTT channel asks of its broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mqtt {
    /// What is to be heard.
    pub topics: Vec<Subscription>,
    /// By what the broker knows us, and keeps what we miss; `None`: a random one, which stays the same.
    pub client_id: Option<String>,
    /// For how long the broker is to keep what we miss; zero: not at all.
    pub session_expiry: Duration,
}

/// One of the things that are to be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// A topic filter (MQTT 5.0, section 4.7).
    pub filter: String,
    /// How surely.
    pub qos: Qos,
}

/// How surely messages come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Qos {
    /// 0: those that come while we listen.
    AtMostOnce,
    /// 1: each, some perhaps twice.
    #[default]
    AtLeastOnce,
    /// 2: each, once.
    ExactlyOnce,
}

/// All that one channel needs to know, beside what each dial asks of its [`Owner`](crate::Owner).
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to connect.
    pub url: ChannelUrl,
    /// What carries the link's words.
    pub carrier: Carrier,
    /// What carries them where that doesn't get through (F1), in the order in which it is tried.
    pub fallbacks: Vec<Carrier>,
    /// What is asked of the broker, where the carrier is [`Carrier::Mqtt`].
    pub mqtt: Option<Box<Mqtt>>,
    /// How the server is spoken to.
    pub dialect: Dialect,
    /// `tidings.v1` takes the place of [`Dialect::Plain`] on links to a server that speaks it.
    pub v1: bool,
    /// The application's heartbeat (H1).
    pub heartbeat: Heartbeat,
    /// Proof of life (L1).
    pub liveness: Liveness,
    /// Delays after failures (B1).
    pub backoff: Backoff,
    /// Close codes that mean *replaced*; 4500 by default.
    pub quiet_close_codes: BTreeSet<u16>,
    /// Take over again by itself; `None`: never (R1).
    pub take_back_after: Option<TakeBack>,
    /// Further certificate authorities, PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// Shown to a server that asks who we are.
    pub client_cert: Option<ClientCert>,
    /// The proxy to go through; see [`ProxyUrl::from_env`] for the environment's.
    pub proxy: Option<ProxyUrl>,
    /// The secret is a session that a sign-in on a web page began; `None`: it is another.
    pub session: Option<Box<Site>>,
    /// What is known of the place already; a channel that takes the place of another one gets that one's.
    pub memory: Memory,
    /// The numbers that are not settings.
    pub timing: Timing,
}

impl Config {
    /// A channel with the default settings.
    pub fn new(url: ChannelUrl) -> Self {
        Self {
            url,
            carrier: Carrier::default(),
            fallbacks: Vec::new(),
            mqtt: None,
            dialect: Dialect::default(),
            v1: false,
            heartbeat: Heartbeat::default(),
            liveness: Liveness::default(),
            backoff: Backoff::default(),
            quiet_close_codes: BTreeSet::from([REPLACED]),
            take_back_after: None,
            ca_pem: None,
            client_cert: None,
            proxy: None,
            session: None,
            memory: Memory::default(),
            timing: Timing::default(),
        }
    }
    /// By whatever this address, as it was typed, may be heard by.
    #[must_use]
    pub fn by(self, address: &str) -> Self {
        let mut carriers = Carrier::of_address(address).into_iter();
        Self { carrier: carriers.next().unwrap_or_default(), fallbacks: carriers.collect(), ..self }
    }

    /// A link by this was left silent for that time, and then ended so: the limit is put on trial (L5).
    pub fn measured(&self, silence: Duration, end: &Cause) {
        if silence >= self.timing.idle_least && self.is_ordinary(end) {
            let means = Means::of(&self.liveness, &self.heartbeat);
            self.memory.with(|known| known.idle.measured(silence, means));
        }
    }

    /// The site took the session just now, by a page that was asked for (S7).
    pub fn session_taken(&self) {
        self.memory.with(|known| known.session.taken(SystemTime::now()));
    }

    /// Whether a link that its peer ended so may have been ended for its silence (L5).
    pub(crate) fn is_ordinary(&self, end: &Cause) -> bool {
        verdict::is_ordinary(end, &self.quiet_close_codes, &self.timing)
    }
}
