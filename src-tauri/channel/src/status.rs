//! What a channel says of itself. Published by value over a `watch`; looking never disturbs the link.

use std::time::{Duration, SystemTime};

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

/// How far a dial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Waiting for the owner's parameters (a token command may run).
    Credential,
    /// Name lookup.
    Lookup,
    /// TCP connect.
    Tcp,
    /// TLS handshake.
    Tls,
    /// WebSocket upgrade.
    Upgrade,
}

/// A close frame's content (RFC 6455, section 5.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseInfo {
    /// Close code; 1005 if the frame had none.
    pub code: u16,
    /// Reason given, possibly empty. Untrusted text.
    pub reason: String,
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

/// Why a link or a dial ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The peer sent a close frame.
    Closed(CloseInfo),
    /// The stream ended or broke without a close frame (1006).
    Lost {
        /// The system's words.
        detail: String,
    },
    /// No byte came within the proof-of-life deadline (L1).
    Silent,
    /// A write didn't finish in time (L3).
    WriteStalled,
    /// The peer broke the protocol or a limit, and we closed with this code (1002, 1007, 1009).
    Refused {
        /// Close code that we sent.
        code: u16,
        /// What was wrong.
        detail: String,
    },
    /// The name lookup failed.
    Lookup {
        /// The system's words.
        detail: String,
    },
    /// No address could be connected.
    Unreachable {
        /// The system's words.
        detail: String,
    },
    /// A stage of the dial took too long.
    TimedOut {
        /// Which.
        stage: Stage,
    },
    /// TLS failed for a reason other than the certificate.
    Tls {
        /// The library's words.
        detail: String,
    },
    /// The certificate was refused.
    Certificate {
        /// Why.
        detail: String,
    },
    /// The upgrade was answered with this HTTP status (RFC 6455, section 4).
    Status {
        /// HTTP status.
        status: u16,
    },
    /// 401, 403, 407 or a sign-in page.
    SignInRefused {
        /// HTTP status.
        status: u16,
    },
    /// The answer was no WebSocket upgrade.
    NotAWebSocket {
        /// What was wrong.
        detail: String,
    },
    /// The network in between asks for a sign-in (captive portal).
    CaptivePortal,
    /// The owner couldn't give the dial's parameters.
    Owner {
        /// The owner's words.
        detail: String,
    },
    /// Woken, moved or asked: a local reason.
    Local,
}
