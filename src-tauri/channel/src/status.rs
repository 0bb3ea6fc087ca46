//! What a channel says of itself. Published by value over a `watch`; looking never disturbs the link.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use crate::carrier::Carrier;
use crate::end::cause::{Cause, Stage};
use crate::end::close::CloseInfo;

/// A channel's whole visible state at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// What the channel is doing.
    pub state: State,
    /// Number of the newest link, from 1; 0 before the first dial.
    pub generation: u64,
    /// Upgrades that succeeded since the start.
    pub links_opened: u64,
    /// Links that have ended since the start.
    pub links_closed: u64,
    /// How the last link ended, if the peer or we closed it with a close frame.
    pub last_close: Option<CloseInfo>,
    /// Last measured round trip of a ping.
    pub rtt: Option<Duration>,
    /// When the last byte of the peer came in.
    pub last_inbound: Option<SystemTime>,
    /// Whether this peer answers pings, so that its death can be noticed.
    pub peer: PeerCheck,
    /// What carries the newest link's words, or is to carry them.
    pub carrier: Carrier,
    /// Why it isn't the one that is preferred.
    pub instead: Option<Instead>,
    /// Where the newest link goes, or went; `None` before the first.
    pub route: Option<Route>,
    /// The last failure came three times in a row and waiting hardly mends it (nothing at the address, a broken
    /// protocol): worth showing as an error.
    pub persistent: bool,
    /// Silent links are known to be ended here, and so this one is kept awake (L5).
    pub idle_limit: Option<IdleLimit>,
    /// The shortest time after which the site was seen to end a session that asked for no page (S7).
    pub session_life: Option<Duration>,
    /// Links were ended soon after they opened, so often that the waits grow (B5).
    pub braked: bool,
    /// Whether all that was missed is here; `None` where the server doesn't tell, or there is no link.
    pub caught_up: Option<CaughtUp>,
    /// The server says that it speaks `tidings.v1`, and upgrades with the offer came to nothing (V3).
    pub v1_refused: bool,
}

/// Whether all that was missed is here, as the server says (V5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaughtUp {
    /// It is being sent.
    Coming,
    /// All of it is.
    All,
    /// Some may be missing.
    Gap {
        /// It was sent after this, as far as is known.
        from: Option<SystemTime>,
        /// … and before this.
        until: Option<SystemTime>,
    },
}

/// F1: another carrier is in use, because this one didn't get through.
#[derive(Debug, Clone, PartialEq)]
pub struct Instead {
    /// The one that is preferred.
    pub of: Carrier,
    /// Failures in a row; 0: an earlier process knows.
    pub failed: u32,
    /// The last one.
    pub by: Option<Cause>,
}

/// L5: a server, or something on the way to it, ends links that are silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleLimit {
    /// After so long.
    pub after: Duration,
    /// How often the silence is broken now.
    pub kept_awake: Duration,
}

/// The two ends of a link's TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The address of this machine that it goes out from.
    pub from: SocketAddr,
    /// The server's address, or its proxy's.
    pub to: SocketAddr,
}

/// The last signs of a link's life: apart from the [`Status`], whose watchers they would wake for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pulse {
    /// Last measured round trip of a ping.
    pub rtt: Option<Duration>,
    /// When the last heartbeat was sent.
    pub heartbeat: Option<SystemTime>,
    /// What the server has proven to know last (MQTT).
    pub settled: Option<Settled>,
}

/// The server has proven to have the receipts of all deliveries of a link up to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The link (see [`Status::generation`]).
    pub generation: u64,
    /// The [place](crate::Delivery::place) of the last of them.
    pub place: u64,
}

/// C4: the six states.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Asked to be off.
    Disconnected {
        /// Since when.
        since: SystemTime,
    },
    /// Dialling.
    Connecting {
        /// Dials since the last stable link, from 1.
        attempt: u32,
        /// How far this dial is.
        stage: Stage,
    },
    /// The link is up.
    Connected {
        /// Since when.
        since: SystemTime,
    },
    /// Will dial at `retry_at`; drawn once, shown as that, slept as that (B4).
    Waiting {
        /// When the next dial starts.
        retry_at: SystemTime,
        /// Dials since the last stable link.
        attempt: u32,
        /// Why the last link or dial ended.
        cause: Cause,
    },
    /// Closed with 4500: another instance has the channel.
    Replaced {
        /// Since when.
        since: SystemTime,
    },
    /// Only the user can mend it; tried again at `retry_at` all the same.
    NeedsUser {
        /// What the user has to mend.
        cause: Cause,
        /// When the next try by itself starts.
        retry_at: SystemTime,
    },
}

/// L2: whether the peer answers pings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerCheck {
    /// No pong yet, and the first ping's time is not over (or pings are off).
    Unknown,
    /// It has answered a ping: silence means death.
    Answers,
    /// It did not answer: a dead link can't be told from a silent one.
    CannotBeChecked,
}

impl State {
    /// The state's word in contracts: `disconnected`, `connecting`, `connected`, `waiting`, `replaced`,
    /// `needs_user`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Disconnected { .. } => "disconnected",
            Self::Connecting { .. } => "connecting",
            Self::Connected { .. } => "connected",
            Self::Waiting { .. } => "waiting",
            Self::Replaced { .. } => "replaced",
            Self::NeedsUser { .. } => "needs_user",
        }
    }
}

impl State {
    /// Why it isn't connected, where something went wrong.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Waiting { cause, .. } | Self::NeedsUser { cause, .. } => Some(cause),
            Self::Disconnected { .. }
            | Self::Connecting { .. }
            | Self::Connected { .. }
            | Self::Replaced { .. } => None,
        }
    }

    /// When the next dial starts by itself, where one is to come.
    pub fn retry_at(&self) -> Option<SystemTime> {
        match self {
            Self::Waiting { retry_at, .. } | Self::NeedsUser { retry_at, .. } => Some(*retry_at),
            Self::Disconnected { .. }
            | Self::Connecting { .. }
            | Self::Connected { .. }
            | Self::Replaced { .. } => None,
        }
    }
}

/// One calm line for people, without times: those are in the state.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected { .. } => f.write_str("disconnected"),
            Self::Connecting { stage: Stage::Tcp, .. } => f.write_str("connecting"),
            Self::Connecting { stage, .. } => write!(f, "connecting: {stage}"),
            Self::Connected { .. } => f.write_str("connected"),
            Self::Waiting { cause: Cause::Local, .. } => f.write_str("about to connect"),
            Self::Waiting { cause, .. } => write!(f, "waiting: {cause}"),
            Self::Replaced { .. } => f.write_str("replaced by another tab or device"),
            Self::NeedsUser { cause, .. } => write!(f, "needs you: {cause}"),
        }
    }
}

/// The state's line, and what else a person should know.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.fmt(f)?;
        match (&self.state, self.peer, self.rtt) {
            (State::Connected { .. }, PeerCheck::CannotBeChecked, _) => {
                f.write_str(" (the server answers no pings: it can't be checked)")
            }
            (State::Connected { .. }, PeerCheck::Answers, Some(rtt)) => {
                write!(f, " (round trip {} ms)", rtt.as_millis())
            }
            (State::Waiting { .. }, _, _) if self.persistent => {
                f.write_str("; again and again, so it may need mending")
            }
            _ => Ok(()),
        }?;
        match (&self.state, self.idle_limit) {
            (State::Connected { .. }, Some(IdleLimit { after, kept_awake })) => {
                let (after, every) = (after.as_secs_f64().round(), kept_awake.as_secs_f64().round());
                write!(
                    f,
                    "; silent links are ended here after {after} s, so it is kept awake every {every} s"
                )
            }
            (State::Waiting { .. }, _) if self.braked => {
                f.write_str("; links are ended soon after they open, so the waits grow")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_explains_itself() {
        let at = SystemTime::UNIX_EPOCH;
        let told = |state: State, peer: PeerCheck, persistent: bool| {
            let status = Status {
                state,
                generation: 1,
                links_opened: 1,
                links_closed: 0,
                last_close: None,
                rtt: Some(Duration::from_millis(12)),
                last_inbound: None,
                carrier: Carrier::WebSocket,
                instead: None,
                route: None,
                peer,
                persistent,
                idle_limit: None,
                session_life: None,
                braked: false,
                caught_up: None,
                v1_refused: false,
            };
            status.to_string()
        };
        let connected = State::Connected { since: at };
        let waiting = |cause| State::Waiting { retry_at: at, attempt: 3, cause };
        let wrong = Cause::WrongAddress { status: Some(404) };
        for (state, peer, persistent, words) in [
            (State::Disconnected { since: at }, PeerCheck::Answers, false, "disconnected"),
            (
                State::Connecting { attempt: 1, stage: Stage::Tls },
                PeerCheck::Answers,
                false,
                "connecting: the TLS handshake",
            ),
            (connected.clone(), PeerCheck::Answers, false, "connected (round trip 12 ms)"),
            (connected.clone(), PeerCheck::Unknown, false, "connected"),
            (
                connected,
                PeerCheck::CannotBeChecked,
                false,
                "connected (the server answers no pings: it can't be checked)",
            ),
            (
                waiting(Cause::WriteStalled),
                PeerCheck::Answers,
                false,
                "waiting: connection stalled while sending",
            ),
            (
                waiting(wrong),
                PeerCheck::Unknown,
                true,
                "waiting: wrong address: nothing is there (404), or a proxy drops `Upgrade`; again and again, so it may need mending",
            ),
            (State::Replaced { since: at }, PeerCheck::Answers, false, "replaced by another tab or device"),
            (
                State::NeedsUser { cause: Cause::SignInRefused { status: 403 }, retry_at: at },
                PeerCheck::Unknown,
                false,
                "needs you: sign-in refused (403)",
            ),
        ] {
            assert_eq!(told(state, peer, persistent), words);
        }
    }
}
