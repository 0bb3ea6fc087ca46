//! Why a link or a dial ended.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::end::close::{CloseInfo, TOO_BIG, close_code_words};
use crate::end::detail::{Detail, day};
use crate::end::plain::plain;

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
    /// The answer to a request that is no upgrade.
    Answer,
    /// The start of an answer without an end.
    Stream,
    /// The link is open, and the server has yet to take the sign-in (T1).
    SignIn,
    /// The server has yet to take the subscription (T1).
    Subscribe,
}

impl Stage {
    /// Whether a dial here waits for an answer by which the server takes note of it, perhaps late (R3): of an upgrade, of MQTT's
    /// sign-in.
    pub(crate) fn may_be_late(self) -> bool {
        matches!(self, Self::Upgrade | Self::SignIn)
    }
}

/// Why a session is over, as far as can be told (S8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// It had its time, or nobody can tell.
    Over,
    /// Sooner than the site's sessions end by themselves: by a sign-out, or by somebody who runs the site.
    Early,
    /// With a restart of the server, which forgot its sessions.
    Restarted,
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
    /// The proxy itself can't be reached.
    ProxyAway(Box<Self>),
    /// The upgrade was answered with this HTTP status (RFC 6455, section 4).
    Status {
        /// HTTP status.
        status: u16,
    },
    /// A request that is no upgrade was answered with this HTTP status.
    Answered {
        /// HTTP status.
        status: u16,
    },
    /// 503 with a `Retry-After`: it will be there again.
    Busy {
        /// HTTP status.
        status: u16,
    },
    /// A limit of the server's is reached, by its own number for it (ntfy's 42900 to 42999).
    Limit {
        /// The number.
        code: u16,
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
    /// The site takes the session of a sign-in on its page no more: it shows its sign-in instead.
    SessionOver {
        /// The host that the user signs in at.
        site: String,
        /// Why, as far as can be told.
        end: SessionEnd,
    },
    /// The site takes the session, and its user may not have the channel (403).
    RoleMissing {
        /// The host that the user signed in at.
        site: String,
    },
    /// The answer was no WebSocket upgrade.
    NotAWebSocket {
        /// Why.
        detail: Detail,
    },
    /// The answer to a request that is no upgrade can't be used.
    NoGoodAnswer {
        /// Why.
        detail: Detail,
    },
    /// No SockJS answers at the address, but this HTTP status.
    NoSockJs {
        /// HTTP status.
        status: u16,
    },
    /// The server ended its answer, as servers do from time to time with a stream that has no end of its own.
    StreamOver,
    /// The server says that nothing more comes here (204).
    NoMore,
    /// The network in between asks for a sign-in (captive portal).
    CaptivePortal,
    /// The owner couldn't give the dial's parameters.
    Owner {
        /// The owner's words.
        detail: String,
    },
    /// Who gives the owner its credential can't be asked just now.
    ProviderAway {
        /// Its host.
        host: String,
        /// Why.
        why: Box<Cause>,
    },
    /// The server refused the sign-in or the subscription in its dialect.
    Denied {
        /// What it says of it, possibly empty. Untrusted text.
        said: String,
    },
    /// Another instance has taken over, as the dialect says it.
    TakenOver,
    /// An MQTT broker's reason for a refusal or an end.
    Broker {
        /// Reason code (MQTT 5.0, section 2.4); of 3.1.1's return codes the same.
        code: u8,
        /// What it says of it, possibly empty. Untrusted text.
        said: String,
    },
    /// The server speaks something else than this dialect.
    Foreign {
        /// What was asked for.
        dialect: String,
    },
    /// Replaced, and by an upgrade of ours that had been given up and was completed late, as far as can be told (R3).
    Overtaken,
    /// Woken, moved or asked: a local reason.
    Local,
}

impl Cause {
    /// Whether a sign-in was refused, in whatever is spoken: who may mend that is the user, or the service that was asked, if it was that.
    pub fn is_refused_sign_in(&self) -> bool {
        matches!(
            self,
            Self::SignInRefused { .. }
                | Self::Denied { .. }
                | Self::SessionOver { .. }
                | Self::Broker { code: 0x86 | 0x87 | 0x8A | 0x8C, .. }
        )
    }

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
            Self::Answer => "the server's answer",
            Self::Stream => "the start of the stream",
            Self::SignIn => "the sign-in",
            Self::Subscribe => "the subscription",
        })
    }
}

/// Calm words for people, one line. Text of the peer is sanitised and cut.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(close) => {
                match (close_code_words(close), close.said().filter(|_| !close.is_of_sockjs())) {
                    (Some(words), None) => write!(f, "{words} ({})", close.code),
                    (Some(words), Some(reason)) => write!(f, "{words}: {reason} ({})", close.code),
                    (None, Some(reason)) => write!(f, "{reason} ({})", close.code),
                    (None, None) => write!(f, "closed by the server ({})", close.code),
                }
            }
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
            Self::ProxyAway(cause) => write!(f, "no way through the proxy: {cause}"),
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
            Self::Answered { status: status @ (404 | 410) } => {
                write!(f, "nothing at this address ({status})")
            }
            Self::Answered { status: status @ (400 | 405 | 426 | 501 | 505) } => {
                write!(f, "the server refused the request ({status})")
            }
            Self::Answered { status } => write!(f, "{} ({status})", status_words(*status)),
            Self::Busy { status } => write!(f, "server busy ({status})"),
            Self::Limit { code } => {
                let words = match code {
                    42903 => "more subscriptions than the server allows from here",
                    42909 => "too many failed sign-ins came from here: the server takes none for a while",
                    _ => "too many requests",
                };
                write!(f, "{words} ({code})")
            }
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
            Self::SessionOver { site, end: SessionEnd::Over } => {
                write!(f, "your session at {site} is over. Sign in again")
            }
            Self::SessionOver { site, end: SessionEnd::Early } => {
                write!(f, "your session at {site} was ended, by a sign-out or by the site. Sign in again")
            }
            Self::SessionOver { site, end: SessionEnd::Restarted } => {
                write!(f, "{site} was restarted, and your session there is over. Sign in again")
            }
            Self::RoleMissing { site } => {
                write!(f, "you are signed in at {site}, but may not use this channel (403)")
            }
            Self::NotAWebSocket { detail } => write!(f, "no WebSocket at this address ({detail})"),
            Self::NoGoodAnswer { detail } => write!(f, "no good answer from the server ({detail})"),
            Self::NoSockJs { status } => write!(f, "no SockJS at this address ({status})"),
            Self::StreamOver => f.write_str("the server ended the stream"),
            Self::NoMore => f.write_str("the server says that nothing more comes here (204)"),
            Self::CaptivePortal => f.write_str("this network asks for a sign-in first"),
            Self::Owner { detail } => f.write_str(&plain(detail)),
            Self::ProviderAway { host, why } => {
                write!(f, "the sign-in service {} can't be asked: {why}", plain(host))
            }
            Self::Denied { said } => match plain(said) {
                said if said.is_empty() => f.write_str("refused by the server"),
                said => write!(f, "refused by the server: {said}"),
            },
            Self::Broker { code, said } => match plain(said) {
                said if said.is_empty() => write!(f, "{} (0x{code:02X})", broker_words(*code)),
                said => write!(f, "{}: {said} (0x{code:02X})", broker_words(*code)),
            },
            Self::TakenOver => f.write_str("replaced by another tab or device"),
            Self::Foreign { dialect } if dialect.is_empty() => {
                f.write_str("the server doesn't speak as the settings say")
            }
            Self::Foreign { dialect } => write!(f, "the server at this address doesn't speak {dialect}"),
            Self::Overtaken => {
                f.write_str("an earlier try of Tidings itself got through late and took the link's place")
            }
            Self::Local => f.write_str("reconnecting"),
        }
    }
}

/// A broker's reason code.
fn broker_words(code: u8) -> &'static str {
    match code {
        0x00 => "closed by the broker",
        0x81 | 0x82 | 0x91..=0x94 => "the broker says that Tidings broke the protocol",
        0x84 => "the broker speaks another version of MQTT",
        0x85 => "the broker refuses the client id",
        0x86 => "the broker refuses the user name or the password",
        0x87 => "not allowed by the broker",
        0x88 => "the broker's server is not available",
        0x89 => "broker busy",
        0x8A => "banned by the broker",
        0x8B => "broker shutting down",
        0x8C => "the broker wants another way of signing in",
        0x8D => "the broker heard nothing for too long",
        0x8E => "replaced by another tab or device",
        0x8F | 0x90 => "the broker refuses the topic",
        0x95 => "too big a message",
        0x96 => "too many messages, says the broker",
        0x97 => "over the broker's quota",
        0x98 => "closed by who runs the broker",
        0x99 => "the broker refuses the content",
        0x9A | 0x9B | 0xA1 => "the broker can't do what is asked of it",
        0x9C | 0x9D => "the broker is elsewhere",
        0x9E => "the broker shares no subscriptions",
        0x9F => "too many connections, says the broker",
        0xA0 => "the broker ends each connection after a while",
        0xA2 => "the broker takes no wildcards in topics",
        _ => "refused by the broker",
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::end::plain::LONGEST_DETAIL;

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
        assert_eq!(closed(4500, ""), "closed by the server (4500)", "a take-over is none of these");
        assert_eq!(closed(4500, "lunch break"), "closed by the server: lunch break (4500)");
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
    fn a_hostile_reason_stays_one_short_plain_line() {
        let shown = closed(4321, &format!("a\n\u{1b}[31m\u{202e}{}", "x".repeat(500)));
        assert!(shown.chars().count() <= LONGEST_DETAIL + " (4321)".len(), "{shown}");
        assert!(!shown.contains(['\n', '\u{1b}', '\u{202e}']), "{shown:?}");
        assert!(shown.ends_with("… (4321)"), "{shown}");
    }
}
