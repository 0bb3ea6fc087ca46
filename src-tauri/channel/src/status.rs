//! What a channel says of itself. Published by value over a `watch`; looking never disturbs the link.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use crate::verdict::{REPLACED, TOO_BIG};
use crate::{Detail, day};

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
    /// Where the newest link goes, or went; `None` before the first.
    pub route: Option<Route>,
    /// The last failure came three times in a row and waiting hardly mends it (nothing at the address, a broken
    /// protocol): worth showing as an error.
    pub persistent: bool,
    /// Silent links are known to be ended here, and so this one is kept awake (L5).
    pub idle_limit: Option<IdleLimit>,
    /// Links were ended soon after they opened, so often that the waits grow (B5).
    pub braked: bool,
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

/// What 4500 means where it is no take-over: the reason tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherMeaning {
    /// Spring's `SESSION_NOT_RELIABLE`: we took too long to read, or said nothing for its first minute.
    SlowLink,
    /// The protocol `graphql-transport-ws`: the server failed.
    ServerError,
}

impl CloseInfo {
    /// What a framework means by a 4500 with this reason, where that isn't that the link was replaced.
    pub fn other_meaning(&self) -> Option<OtherMeaning> {
        let reason = self.reason.to_ascii_lowercase();
        match self.code {
            REPLACED if reason.contains("within the configured send limit") => Some(OtherMeaning::SlowLink),
            REPLACED if reason.contains("internal server error") => Some(OtherMeaning::ServerError),
            _ => None,
        }
    }
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
        /// Why.
        detail: Detail,
    },
    /// No byte came within the proof-of-life deadline (L1).
    Silent {
        /// How long it had been silent.
        after: Duration,
    },
    /// The same, but its machine has taken what we sent: the application is too busy to answer (L1).
    Unanswered {
        /// How long it had been silent.
        after: Duration,
    },
    /// A write didn't finish in time (L3).
    WriteStalled,
    /// The peer broke the protocol or a limit, and we closed with this code (1002, 1007, 1009).
    Refused {
        /// Close code that we sent.
        code: u16,
        /// Why.
        detail: Detail,
    },
    /// The name lookup failed.
    Lookup {
        /// Why.
        detail: Detail,
    },
    /// No address could be connected.
    Unreachable {
        /// Why.
        detail: Detail,
    },
    /// A stage of the dial took too long.
    TimedOut {
        /// Which.
        stage: Stage,
    },
    /// TLS failed for a reason other than the certificate.
    Tls {
        /// Why.
        detail: Detail,
    },
    /// The certificate begins later than this machine's clock says, so the clock is slow.
    Clock {
        /// What this machine's clock says.
        says: SystemTime,
        /// When the certificate begins.
        begins: SystemTime,
    },
    /// The certificate was refused.
    Certificate {
        /// Why.
        detail: Detail,
    },
    /// The certificate is for another name.
    WrongName {
        /// Why.
        detail: Detail,
    },
    /// The proxy didn't lead to the server.
    Proxy {
        /// Why.
        detail: Detail,
    },
    /// The upgrade was answered with this HTTP status (RFC 6455, section 4).
    Status {
        /// HTTP status.
        status: u16,
    },
    /// 503 with a `Retry-After`: it will be there again.
    Busy {
        /// HTTP status.
        status: u16,
    },
    /// A redirect to what looks like no sign-in.
    Moved {
        /// HTTP status.
        status: u16,
        /// Whether it stays with the host.
        same_host: bool,
        /// Where to, without what may be a secret; untrusted text.
        to: String,
    },
    /// Nothing was at the address (404, 410), or the server hung up without an answer, three times in a row.
    WrongAddress {
        /// HTTP status; `None`: no answer.
        status: Option<u16>,
    },
    /// 401, 403, 407 or a sign-in page.
    SignInRefused {
        /// HTTP status.
        status: u16,
    },
    /// The answer was no WebSocket upgrade.
    NotAWebSocket {
        /// Why.
        detail: Detail,
    },
    /// The network in between asks for a sign-in (captive portal).
    CaptivePortal,
    /// The owner couldn't give the dial's parameters.
    Owner {
        /// The owner's words.
        detail: String,
    },
    /// Replaced, and by an upgrade of ours that had been given up and was completed late, as far as can be told (R3).
    Overtaken,
    /// Woken, moved or asked: a local reason.
    Local,
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

impl Cause {
    /// 1009, whoever said so.
    pub(crate) fn is_too_big(&self) -> bool {
        matches!(self, Self::Closed(CloseInfo { code: TOO_BIG, .. }) | Self::Refused { code: TOO_BIG, .. })
    }
}

/// What went on, in words that complete "… took too long".
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credential => "reading the credential",
            Self::Lookup => "the name lookup",
            Self::Tcp => "connecting",
            Self::Tls => "the TLS handshake",
            Self::Upgrade => "the WebSocket upgrade",
        })
    }
}

/// Calm words for people, one line. Text of the peer is sanitised and cut.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(close) => match (close_code_words(close), close.said()) {
                (Some(words), None) => write!(f, "{words} ({})", close.code),
                (Some(words), Some(reason)) => write!(f, "{words}: {reason} ({})", close.code),
                (None, Some(reason)) => write!(f, "{reason} ({})", close.code),
                (None, None) => write!(f, "closed by the server ({})", close.code),
            },
            Self::Lost { detail } => write!(f, "connection lost ({detail})"),
            Self::Silent { after } => write!(f, "no answer for {} s", after.as_secs_f64().round()),
            Self::Unanswered { after } => {
                write!(f, "the server is busy: no answer for {} s", after.as_secs_f64().round())
            }
            Self::WriteStalled => f.write_str("connection stalled while sending"),
            Self::Refused { code, detail } => match *code {
                1007 => write!(f, "the server sent invalid text ({code})"),
                1009 => write!(f, "the server sent too big a message ({code})"),
                _ => write!(f, "the server broke the protocol: {detail} ({code})"),
            },
            Self::Lookup { detail } => write!(f, "server name not found ({detail})"),
            Self::Unreachable { detail } => write!(f, "server not reachable ({detail})"),
            Self::TimedOut { stage } => write!(f, "{stage} took too long"),
            Self::Tls { detail } => write!(f, "encryption failed ({detail})"),
            Self::Clock { says, begins } => {
                let (says, begins) = (day(*says), day(*begins));
                write!(
                    f,
                    "this machine's clock seems wrong: it says {says}, and the server's certificate begins on {begins}"
                )
            }
            Self::Certificate { detail } => write!(f, "certificate refused ({detail})"),
            Self::WrongName { detail } => write!(f, "certificate for another name ({detail})"),
            Self::Proxy { detail } => write!(f, "no way through the proxy: {detail}"),
            Self::Status { status: status @ (404 | 410) } => {
                write!(f, "nothing at this address ({status}), or a proxy drops `Upgrade`")
            }
            Self::Status { status: status @ (400 | 405 | 426) } => {
                write!(f, "the server refused the request ({status}); a proxy may drop `Upgrade`")
            }
            Self::Status { status: status @ (501 | 505) } => {
                write!(f, "no WebSocket at this address ({status}), or a proxy drops `Upgrade`")
            }
            Self::Status { status } => write!(f, "{} ({status})", status_words(*status)),
            Self::Busy { status } => write!(f, "server busy ({status})"),
            Self::Moved { status, same_host: true, to } => {
                write!(f, "the address moved to {} ({status})", plain(to))
            }
            Self::Moved { status, same_host: false, to } => {
                write!(f, "the server redirects elsewhere ({status}): {}", plain(to))
            }
            Self::WrongAddress { status: Some(status) } => {
                write!(f, "wrong address: nothing is there ({status}), or a proxy drops `Upgrade`")
            }
            Self::WrongAddress { status: None } => {
                f.write_str("probably a wrong address: the server hangs up without an answer")
            }
            Self::SignInRefused { status: 407 } => f.write_str("the proxy asks for a sign-in (407)"),
            Self::SignInRefused { status: status @ (401 | 403) } => write!(f, "sign-in refused ({status})"),
            Self::SignInRefused { status } => write!(f, "the server asks for a sign-in ({status})"),
            Self::NotAWebSocket { detail } => write!(f, "no WebSocket at this address ({detail})"),
            Self::CaptivePortal => f.write_str("this network asks for a sign-in first"),
            Self::Owner { detail } => f.write_str(&plain(detail)),
            Self::Overtaken => {
                f.write_str("an earlier try of Tidings itself got through late and took the link's place")
            }
            Self::Local => f.write_str("reconnecting"),
        }
    }
}

impl CloseInfo {
    /// What the server's reason adds to the code: sanitised and cut, `None` if nothing.
    #[must_use]
    pub fn said(&self) -> Option<String> {
        const FILLERS: [&str; 26] = [
            "the",
            "a",
            "is",
            "server",
            "service",
            "websocket",
            "connection",
            "normal",
            "closure",
            "close",
            "closed",
            "going",
            "away",
            "restart",
            "restarting",
            "stop",
            "stopping",
            "stopped",
            "shutting",
            "down",
            "bye",
            "goodbye",
            "busy",
            "try",
            "again",
            "later",
        ];
        let reason = plain(&self.reason);
        let has_words = (1000..=1015).contains(&self.code) || matches!(self.code, 3000 | 3003 | 4500);
        let mut words = reason.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let adds = words.any(|word| !has_words || !FILLERS.contains(&word.to_ascii_lowercase().as_str()));
        // Punctuation alone says something, too, where there is nothing else.
        let adds = adds || (!reason.is_empty() && !reason.chars().any(|c| c.is_ascii_alphanumeric()));
        (adds && !reason.is_empty()).then_some(reason)
    }
}

/// Words for the close codes that have a meaning (RFC 6455, section 7.4.1; the IANA registry; 4500). Of 3000 and 3003
/// applications make what they like: SockJS says `Broken framing.` with one.
fn close_code_words(close: &CloseInfo) -> Option<&'static str> {
    Some(match close.code {
        3000 | 3003 if close.said().is_some() => return None,
        1000 => "closed by the server",
        1001 => "server going away",
        1002 => "protocol error",
        1003 => "kind of message not accepted",
        1005 => "closed by the server without a code",
        1006 => "connection lost",
        1007 => "invalid text",
        1008 => "refused by the server's policy",
        1009 => "message too big",
        1010 => "extension missing",
        1011 => "server error",
        1012 => "server restarting",
        1013 => "server busy",
        1014 => "bad gateway",
        1015 => "encryption failed",
        3000 => "sign-in needed",
        3003 => "not allowed",
        4500 => match close.other_meaning() {
            None => "replaced by another tab or device",
            Some(OtherMeaning::SlowLink) => "the link was too slow for the server",
            Some(OtherMeaning::ServerError) => "server error",
        },
        _ => return None,
    })
}

fn status_words(status: u16) -> &'static str {
    match status {
        408 | 409 | 421 | 423 | 425 => "not now, says the server",
        429 => "too many requests",
        // From 521 on they are Cloudflare's.
        502 | 504 | 521..=524 | 530 => "server not there behind its proxy",
        503 => "not available",
        300..=399 => "the server redirects elsewhere",
        400..=499 => "the server refused the request",
        500..=599 => "server error",
        _ => "no WebSocket at this address",
    }
}

/// Longest text of others in our words, characters.
const LONGEST_DETAIL: usize = 120;

/// Untrusted text as one line without control or direction-changing characters, cut to 120 characters: as it stands in
/// the words of a [`Cause`].
#[must_use]
pub fn plain(text: &str) -> String {
    let turns_text = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    let mut words = text.trim().chars().map(|c| if c.is_control() || turns_text(c) { ' ' } else { c });
    let mut cut: String = words.by_ref().take(LONGEST_DETAIL).collect();
    if words.next().is_some() {
        cut.pop();
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(code: u16, reason: &str) -> String {
        Cause::Closed(CloseInfo { code, reason: reason.to_owned() }).to_string()
    }

    #[test]
    fn causes_are_told_in_calm_words() {
        assert_eq!(closed(1012, "restart!"), "server restarting (1012)");
        assert_eq!(
            closed(1001, "Connection Idle Timeout"),
            "server going away: Connection Idle Timeout (1001)"
        );
        assert_eq!(closed(1001, "Going Away"), "server going away (1001)");
        assert_eq!(closed(1000, "see you tomorrow"), "closed by the server: see you tomorrow (1000)");
        assert_eq!(closed(1011, "keepalive ping timeout"), "server error: keepalive ping timeout (1011)");
        assert_eq!(closed(1008, "token expired"), "refused by the server's policy: token expired (1008)");
        assert_eq!(closed(3000, "Broken framing."), "Broken framing. (3000)");
        assert_eq!(closed(3000, ""), "sign-in needed (3000)");
        assert_eq!(closed(1013, "Try again later"), "server busy (1013)");
        assert_eq!(closed(4321, "bye"), "bye (4321)");
        assert_eq!(closed(1013, "再见"), "server busy: 再见 (1013)");
        assert_eq!(closed(1001, ""), "server going away (1001)");
        assert_eq!(closed(4321, "lunch break"), "lunch break (4321)");
        assert_eq!(closed(4321, " "), "closed by the server (4321)");
        let lost = Cause::Lost { detail: Detail::Reset };
        assert_eq!(lost.to_string(), "connection lost (connection reset)");
        assert_eq!(Cause::Silent { after: Duration::from_secs(45) }.to_string(), "no answer for 45 s");
        assert_eq!(Cause::SignInRefused { status: 401 }.to_string(), "sign-in refused (401)");
        assert_eq!(Cause::TimedOut { stage: Stage::Tls }.to_string(), "the TLS handshake took too long");
    }

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
                route: None,
                peer,
                persistent,
                idle_limit: None,
                braked: false,
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

    #[test]
    fn a_hostile_reason_stays_one_short_plain_line() {
        let shown = closed(4321, &format!("a\n\u{1b}[31m\u{202e}{}", "x".repeat(500)));
        assert!(shown.chars().count() <= LONGEST_DETAIL + " (4321)".len(), "{shown}");
        assert!(!shown.contains(['\n', '\u{1b}', '\u{202e}']), "{shown:?}");
        assert!(shown.ends_with("… (4321)"), "{shown}");
    }
}
