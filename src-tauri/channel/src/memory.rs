//! What a channel has found out about the place that it dials, and its settings don't say. It is the only thing that
//! outlives a channel's task: whoever starts another one for the same user at the same place hands it over, for the
//! server doesn't forget either when a setting changes or a doctor has a look. What outlives the process, too, is [`Kept`].

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::link::sockjs::beats::Beats;
use crate::machine::facts::Now;
use crate::machine::ghosts::{self, Ghosts};
use crate::machine::idle::{self, Idle};
use crate::machine::offer::{self, Offer};
use crate::machine::session::{self, Session};
use crate::machine::ways::{self, Carriers};

/// See the module. Clones are the same memory; a new one knows nothing.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    zero: OnceLock<Instant>,
    known: Mutex<Known>,
    kept: watch::Sender<Kept>,
}

/// All times are on the monotonic clock of [`Memory::zero`].
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Upgrades that the server may still complete (R3).
    pub(crate) ghosts: Ghosts,
    /// How long silence is endured (L5).
    pub(crate) idle: Idle,
    /// How long a session lives (S7).
    pub(crate) session: Session,
    /// Whether a server of SockJS wants its signs of life answered (J7).
    pub(crate) beats: Beats,
    /// What gets through in which network (F1).
    pub(crate) carriers: Carriers,
    /// What an MQTT broker knows of us (M2).
    pub(crate) broker: Broker,
    /// A server of event streams did not know the last event any more, and this was told (E5).
    pub(crate) forgetful: bool,
    /// Whether the server speaks `tidings.v1` (V2).
    pub(crate) offer: Offer,
}

/// What an MQTT broker knows of us, for as long as it keeps what we miss.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Broker {
    /// Our own name there, drawn once.
    pub(crate) client_id: String,
    /// To whom the rest applies: a broker, and the name that it knows us by.
    pub(crate) at: String,
    /// It speaks 3.1.1, as far as this process knows: one that was only slow to answer is spoken to in 5.0 again by the next.
    #[serde(skip)]
    pub(crate) older: bool,
    /// What it was asked for, and took; empty: it knows nothing of us.
    pub(crate) filters: Vec<String>,
}

impl Broker {
    fn is_blank(&self) -> bool {
        self == &Self::default()
    }
}

/// What the next process has to know: for a file, in times of the wall clock. It changes rarely: for an upgrade that is long
/// in being answered or was given up, and when the limit for silence was learned or is no longer believed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ghosts: Vec<ghosts::Kept>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle: Option<idle::Kept>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<session::Kept>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carriers: Option<ways::Kept>,
    #[serde(skip_serializing_if = "Broker::is_blank")]
    broker: Broker,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    forgetful: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<offer::Kept>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::recall(&Kept::default())
    }
}

impl Memory {
    /// What another process knew.
    pub fn recall(kept: &Kept) -> Self {
        Self::recall_at(kept, Now { mono: Duration::ZERO, wall: SystemTime::now() })
    }

    /// As [`recall`](Self::recall), by another clock.
    pub(crate) fn recall_at(kept: &Kept, now: Now) -> Self {
        let known = Known {
            ghosts: Ghosts::recall(&kept.ghosts, now),
            idle: Idle::recall(kept.idle.as_ref()),
            session: Session::recall(kept.session.as_ref()),
            beats: Beats::default(),
            carriers: Carriers::recall(kept.carriers.as_ref()),
            broker: kept.broker.clone(),
            forgetful: kept.forgetful,
            offer: Offer::recall(kept.offer.as_ref()),
        };
        let (kept, known) = (watch::Sender::new(known.kept()), Mutex::new(known));
        Self(Arc::new(Shared { zero: OnceLock::new(), known, kept }))
    }

    /// What the next process has to know, now and later.
    pub fn kept(&self) -> watch::Receiver<Kept> {
        self.0.kept.subscribe()
    }

    /// This machine is in that network, by any number that another one hasn't; `None`: nobody knows. To be told before a change of
    /// the network is.
    pub fn arrive(&self, network: Option<u64>) {
        self.with(|known| known.carriers.arrive(network));
    }

    /// The next dial carries this session, by a number of its own: whoever recalls this memory knows by it whether another one is at
    /// hand than the one that the site refused.
    pub fn carry_session(&self, session: Option<u64>) {
        self.with(|known| known.session.carries(session));
    }

    /// The session that the site refused, until it took another one.
    pub fn refused_session(&self) -> Option<u64> {
        self.look(|known| known.session.refused_session())
    }

    /// The zero of the times in here, which all machines that share it count from.
    pub(crate) fn zero(&self) -> Instant {
        *self.0.zero.get_or_init(Instant::now)
    }

    /// Looks something up.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.0.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes something.
    pub(crate) fn with<T>(&self, note: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = note(&mut known);
        let now = known.kept();
        self.0.kept.send_if_modified(|kept| std::mem::replace(kept, now.clone()) != now);
        answer
    }
}

impl Known {
    fn kept(&self) -> Kept {
        let Self { ghosts, idle, session, carriers, broker, forgetful, offer, beats: _ } = self;
        Kept {
            ghosts: ghosts.kept(),
            idle: idle.kept(),
            session: session.kept(),
            carriers: carriers.kept(),
            broker: broker.clone(),
            forgetful: *forgetful,
            offer: offer.kept(),
        }
    }
}
