//! What exactly went wrong, in our own words. Whatever the system or a library says is one of these before it goes
//! anywhere, for its words are nobody's language: `UnknownIssuer`, `os error 104`, a date in UNIX seconds.

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime};

use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{self};
use x509_parser::time::ASN1Time;

use crate::end::plain::plain;

/// The reason behind a [`Cause`](crate::Cause). `Display` is calm English; text of others in it is sanitised and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    // Of a connection.
    /// Nobody listens there.
    Refused,
    /// The other end, or something on the way, broke it off (RST).
    Reset,
    /// This machine broke it off.
    Aborted,
    /// It was used when it was gone already.
    Gone,
    /// The stream ended without a word (FIN).
    EndOfStream,
    /// An answer that has none of its own came to its end.
    Finished,
    /// No answer, as the kernel found.
    TimedOut,
    /// No way to this host.
    HostUnreachable,
    /// No way to its network.
    NetworkUnreachable,
    /// The network is down.
    NetworkDown,
    /// A firewall or sandbox of this machine forbids it.
    Forbidden,
    /// This machine has no (more) such address or port to go out from.
    NoLocalAddress,
    /// Anything else that the system has a number for.
    System(i32),
    /// Anything else.
    Unknown,

    // Of a name lookup.
    /// There is no such name.
    NoSuchName,
    /// The name server gave no answer.
    NameServerSilent,
    /// The name exists and has no address.
    NoAddress,
    /// Anything else.
    LookupFailed,

    // Of an upgrade's answer.
    /// There was none: the server ended or reset the connection instead.
    HungUp,
    /// No HTTP/1.1.
    NoHttp,
    /// Over 16 KiB.
    HeadTooLong,
    /// No `Upgrade: websocket` in it.
    NoUpgrade,
    /// No `Connection: Upgrade` in it.
    NoConnectionUpgrade,
    /// The accept key is wrong.
    WrongAcceptKey,
    /// A subprotocol that nobody asked for.
    ForeignSubprotocol,
    /// The server says beforehand that there is none.
    NotOffered,
    /// Anything else.
    BrokenAnswer,

    // Of any other answer.
    /// Its status is no success.
    Status(u16),
    /// More than was bargained for.
    TooLong,
    /// An answer that is no stream of events.
    NoStream,
    /// The server wants its signs of life answered.
    BeatUnanswered,
    /// The server knows nothing of the session that the link was.
    SessionGone,
    /// What came is no MQTT.
    NoMqtt,

    // Of frames.
    /// A masked one.
    MaskedFrame,
    /// Reserved bits are set.
    ReservedBits,
    /// Of no known kind.
    UnknownFrame,
    /// A control frame that is fragmented, or too big.
    BrokenControlFrame,
    /// Fragments out of order.
    BrokenFragments,
    /// A close frame whose content can't be read.
    BrokenClose,
    /// Data after the close frame.
    AfterClose,
    /// Too big.
    TooBig,
    /// Text that is no UTF-8.
    InvalidText,
    /// Anything else.
    BrokenFrame,

    // Of encryption.
    /// What answers doesn't speak TLS.
    NoTls,
    /// No version, cipher or signature in common.
    NothingInCommon,
    /// The server doesn't know the name that it was asked for.
    UnknownHere,
    /// The server wants another client certificate, or one at all.
    OursRefused,
    /// Another alert (RFC 8446, section 6).
    Alert(u8),
    /// The server breaks the rules of TLS.
    BrokenTls,
    /// This machine can't encrypt.
    NoEncryption,

    // Of a certificate.
    /// It is over.
    Expired {
        /// When it ended.
        ended: SystemTime,
        /// What this machine's clock says.
        clock: SystemTime,
    },
    /// It vouches for itself.
    SelfSigned,
    /// It comes alone, and its issuer isn't known here: an intermediate certificate is missing, or the authority is a
    /// private one.
    ComesAlone {
        /// Who issued it; untrusted text.
        issuer: String,
    },
    /// The chain ends at nobody who is trusted here.
    UnknownAuthority {
        /// Where it ends; untrusted text.
        issuer: String,
    },
    /// An authority's own certificate, used as a server's.
    AuthorityAsServer,
    /// Made for something else.
    WrongPurpose,
    /// Revoked.
    Revoked,
    /// Its signature is wrong.
    BadSignature,
    /// Signed in a way that nobody trusts any more, or not yet.
    UnsupportedSignature,
    /// It can't be read, or holds something critical that isn't known here.
    BrokenCertificate,
    /// The server shows none.
    NoCertificate,
    /// Anything else.
    NotTrusted,
    /// It is for other names; untrusted text.
    OtherNames(Vec<String>),
    /// No certificate can be for this host.
    UnnameableHost,
    /// `ca_file` holds no certificate.
    CaEmpty,
    /// `ca_file` holds something that is none.
    CaBroken,
    /// This system has no certificates to trust.
    NoAuthorities,

    // Of a proxy.
    /// Its address can't be used.
    ProxyAddress,
    /// It can't be asked for this host.
    ProxyHost,
    /// No answer in time.
    ProxySilent,
    /// It hung up.
    ProxyHungUp,
    /// Its answer can't be read.
    ProxyBroken,
    /// It refuses the tunnel.
    ProxyRefused,
    /// It doesn't allow this host or port.
    ProxyForbids,
    /// It couldn't make the tunnel.
    ProxyFailed,
}

impl Detail {
    /// What an error of the system says of a connection.
    pub(crate) fn of_io(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        #[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are not ours, and grow")]
        match error.kind() {
            Kind::ConnectionRefused => Self::Refused,
            Kind::ConnectionReset => Self::Reset,
            Kind::ConnectionAborted => Self::Aborted,
            Kind::NotConnected | Kind::BrokenPipe | Kind::WriteZero => Self::Gone,
            Kind::UnexpectedEof => Self::EndOfStream,
            Kind::TimedOut => Self::TimedOut,
            Kind::HostUnreachable => Self::HostUnreachable,
            Kind::NetworkUnreachable => Self::NetworkUnreachable,
            Kind::NetworkDown => Self::NetworkDown,
            Kind::PermissionDenied => Self::Forbidden,
            Kind::AddrInUse | Kind::AddrNotAvailable => Self::NoLocalAddress,
            _ => error.raw_os_error().map_or(Self::Unknown, Self::System),
        }
    }

    /// What the resolver says. Its error has no number, only the C library's words.
    pub(crate) fn of_lookup(error: &io::Error) -> Self {
        let words = error.to_string().to_ascii_lowercase();
        let says = |marks: &[&str]| marks.iter().any(|mark| words.contains(mark));
        if says(&["not known", "no such host", "host not found", "does not exist"]) {
            Self::NoSuchName
        } else if says(&["no address associated", "no data"]) {
            Self::NoAddress
        } else if says(&["temporary failure", "try again"]) {
            Self::NameServerSilent
        } else {
            Self::LookupFailed
        }
    }

    /// What the WebSocket library says of an upgrade's answer.
    pub(crate) fn of_answer(error: &tungstenite::Error) -> Self {
        let tungstenite::Error::Protocol(error) = error else { return Self::BrokenAnswer };
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others are about frames and requests")]
        match error {
            ProtocolError::WrongHttpVersion | ProtocolError::HttparseError(_) => Self::NoHttp,
            ProtocolError::MissingUpgradeWebSocketHeader => Self::NoUpgrade,
            ProtocolError::MissingConnectionUpgradeHeader => Self::NoConnectionUpgrade,
            ProtocolError::SecWebSocketAcceptKeyMismatch => Self::WrongAcceptKey,
            ProtocolError::SecWebSocketSubProtocolError(_) => Self::ForeignSubprotocol,
            _ => Self::BrokenAnswer,
        }
    }

    /// What the WebSocket library says of a frame.
    pub(crate) fn of_frame(error: &tungstenite::Error) -> Self {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others are about requests and answers")]
        match error {
            tungstenite::Error::Capacity(_) => Self::TooBig,
            tungstenite::Error::Utf8(_) => Self::InvalidText,
            tungstenite::Error::Io(error) => Self::of_io(error),
            tungstenite::Error::Protocol(error) => match error {
                ProtocolError::MaskedFrameFromServer => Self::MaskedFrame,
                ProtocolError::NonZeroReservedBits => Self::ReservedBits,
                ProtocolError::FragmentedControlFrame
                | ProtocolError::ControlFrameTooBig
                | ProtocolError::UnknownControlFrameType(_) => Self::BrokenControlFrame,
                ProtocolError::UnknownDataFrameType(_) | ProtocolError::InvalidOpcode(_) => {
                    Self::UnknownFrame
                }
                ProtocolError::UnexpectedContinueFrame | ProtocolError::ExpectedFragment(_) => {
                    Self::BrokenFragments
                }
                ProtocolError::InvalidCloseSequence => Self::BrokenClose,
                ProtocolError::ReceivedAfterClosing => Self::AfterClose,
                ProtocolError::ResetWithoutClosingHandshake => Self::EndOfStream,
                _ => Self::BrokenFrame,
            },
            _ => Self::BrokenFrame,
        }
    }
}

/// The day of a time, as in `2026-11-29`; UTC.
#[must_use]
pub fn day(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let at = i64::try_from(seconds).ok().and_then(|seconds| ASN1Time::from_timestamp(seconds).ok());
    // Later than any calendar.
    at.map_or_else(|| "9999-12-31".to_owned(), |at| at.to_datetime().date().to_string())
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused",
            Self::Reset => "connection reset",
            Self::Aborted => "connection aborted",
            Self::Gone => "the other end had gone",
            Self::Finished => "it is complete",
            Self::EndOfStream => "end of stream",
            Self::TimedOut => "timed out",
            Self::HostUnreachable => "host unreachable",
            Self::NetworkUnreachable => "network unreachable",
            Self::NetworkDown => "network down",
            Self::Forbidden => "a firewall or sandbox of this machine forbids it",
            Self::NoLocalAddress => "no address or port of this machine is free",
            Self::System(number) => return write!(f, "system error {number}"),
            Self::Unknown => "an unknown error",
            Self::NoSuchName => "no such name",
            Self::NameServerSilent => "the name server gives no answer",
            Self::NoAddress => "the name has no address",
            Self::LookupFailed => "the lookup failed",
            Self::HungUp => "the server hung up instead of answering",
            Self::NoHttp => "the answer is no HTTP",
            Self::HeadTooLong => "the response head is over 16 KiB",
            Self::NoUpgrade => "the answer lacks `Upgrade: websocket`",
            Self::NoConnectionUpgrade => "the answer lacks `Connection: Upgrade`",
            Self::WrongAcceptKey => "the answer's accept key is wrong",
            Self::ForeignSubprotocol => "the server speaks a subprotocol that nobody asked for",
            Self::BrokenAnswer => "the answer can't be read",
            Self::Status(status) => return write!(f, "HTTP status {status}"),
            Self::TooLong => "it is too long",
            Self::NoStream => "it is no stream of events",
            Self::BeatUnanswered => "the server wants its heartbeats answered",
            Self::SessionGone => "the server has forgotten the session",
            Self::NotOffered => "the server offers none",
            Self::NoMqtt => "what came is no MQTT",
            Self::MaskedFrame => "a masked frame",
            Self::ReservedBits => "reserved bits are set",
            Self::UnknownFrame => "an unknown kind of frame",
            Self::BrokenControlFrame => "a broken control frame",
            Self::BrokenFragments => "fragments out of order",
            Self::BrokenClose => "a broken close frame",
            Self::AfterClose => "data after the close frame",
            Self::TooBig => "over 1 MiB",
            Self::InvalidText => "text that is no UTF-8",
            Self::BrokenFrame => "a broken frame",
            Self::NoTls => "no TLS is spoken there",
            Self::NothingInCommon => "no TLS version or cipher in common",
            Self::UnknownHere => "the server knows no such name",
            Self::OursRefused => "the server wants another certificate of us",
            Self::Alert(alert) => return write!(f, "the server broke it off, TLS alert {alert}"),
            Self::BrokenTls => "the server breaks the rules of TLS",
            Self::NoEncryption => "this machine can't encrypt",
            Self::Expired { ended, clock } => {
                let (ended, clock) = (day(*ended), day(*clock));
                return write!(f, "it ended on {ended}, and this machine's clock says {clock}");
            }
            Self::SelfSigned => "it vouches for itself, and nobody here trusts it",
            Self::ComesAlone { issuer } => {
                let issuer = plain(issuer);
                return write!(
                    f,
                    "the server sends no intermediate certificate, and its issuer isn't known here: {issuer}"
                );
            }
            Self::UnknownAuthority { issuer } => {
                return write!(f, "its authority isn't trusted here: {}", plain(issuer));
            }
            Self::AuthorityAsServer => "it is an authority's own, and no server's",
            Self::WrongPurpose => "it is for another purpose",
            Self::Revoked => "it is revoked",
            Self::BadSignature => "its signature is wrong",
            Self::UnsupportedSignature => "it is signed in a way that isn't trusted",
            Self::BrokenCertificate => "it can't be read",
            Self::NoCertificate => "the server shows none",
            Self::NotTrusted => "it doesn't stand the check",
            Self::OtherNames(names) if names.is_empty() => "it names no host",
            Self::OtherNames(names) => return write!(f, "it is for {}", plain(&names.join(", "))),
            Self::UnnameableHost => "no certificate can name this host",
            Self::CaEmpty => "ca_file holds no certificate",
            Self::CaBroken => "ca_file holds what is no certificate",
            Self::NoAuthorities => "this system has no certificates to trust",
            Self::ProxyAddress => "its address can't be used",
            Self::ProxyHost => "it can't be asked for this host",
            Self::ProxySilent => "no answer in time",
            Self::ProxyHungUp => "it hung up",
            Self::ProxyBroken => "its answer can't be read",
            Self::ProxyRefused => "it refused the tunnel",
            Self::ProxyForbids => "it doesn't allow this host or port",
            Self::ProxyFailed => "it couldn't reach the server",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokio_rustls::rustls::{
        self, AlertDescription, CertificateError, InvalidMessage, OtherError, PeerIncompatible,
        PeerMisbehaved,
    };
    use tungstenite::error::{CapacityError, SubProtocolError, UrlError};

    use super::*;
    use crate::Cause;

    /// Whether it reads as words of ours: no names of a library's types, no codes of a library's, nothing quoted
    /// by `Debug`.
    fn is_plain(words: &str) -> bool {
        let camel = |word: &str| {
            let inner: Vec<char> = word.chars().collect();
            inner.windows(2).any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase())
        };
        let known = ["WebSocket", "ca_file", "MiB", "KiB"];
        let strange = |word: &&str| {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
            !known.contains(&word) && (camel(word) || word.contains('_'))
        };
        !words.split_whitespace().any(|word| strange(&word))
            && !words.contains(['{', '}', '"', '['])
            && !words.contains("os error")
            && !words.contains("rror(")
    }

    #[test]
    fn what_is_plain_is_told_apart() {
        for words in [
            "certificate refused (Other(OtherError(CaUsedAsEndEntity)))",
            "invalid peer: UnknownIssuer",
            "File exists (os error 17)",
            "names [\"a\"]",
            "httparse error: HeaderName",
        ] {
            assert!(!is_plain(words), "{words}");
        }
        assert!(is_plain("no WebSocket at this address (the response head is over 16 KiB)"));
    }

    #[test]
    fn no_word_of_the_system_is_told() {
        let numbers = (0..140).map(io::Error::from_raw_os_error);
        let kinds = [
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::InvalidData,
            io::ErrorKind::Other,
            io::ErrorKind::WriteZero,
            io::ErrorKind::TimedOut,
            io::ErrorKind::Unsupported,
        ];
        let made = kinds.map(|kind| io::Error::new(kind, "SomeLibrary said { this }"));
        for error in numbers.chain(made) {
            let words = Cause::Lost { detail: Detail::of_io(&error) }.to_string();
            assert!(is_plain(&words), "{error:?}: {words}");
        }
        for said in ["Name or service not known", "Temporary failure in name resolution", "EAI_BADFLAGS"] {
            let error = io::Error::other(format!("failed to lookup address information: {said}"));
            let words = Cause::Lookup { detail: Detail::of_lookup(&error) }.to_string();
            assert!(is_plain(&words), "{words}");
        }
    }

    #[test]
    fn no_word_of_the_websocket_library_is_told() {
        use ProtocolError as P;
        let name = http::header::UPGRADE;
        let protocol = [
            P::WrongHttpMethod,
            P::WrongHttpVersion,
            P::MissingConnectionUpgradeHeader,
            P::MissingUpgradeWebSocketHeader,
            P::MissingSecWebSocketVersionHeader,
            P::MissingSecWebSocketKey,
            P::InvalidSecWebSocketKey,
            P::SecWebSocketAcceptKeyMismatch,
            P::SecWebSocketSubProtocolError(SubProtocolError::NoSubProtocol),
            P::SecWebSocketSubProtocolError(SubProtocolError::InvalidSubProtocol),
            P::JunkAfterRequest,
            P::CustomResponseSuccessful,
            P::InvalidHeader(Box::new(name)),
            P::HandshakeIncomplete,
            P::SendAfterClosing,
            P::ReceivedAfterClosing,
            P::NonZeroReservedBits,
            P::UnmaskedFrameFromClient,
            P::MaskedFrameFromServer,
            P::FragmentedControlFrame,
            P::ControlFrameTooBig,
            P::UnknownControlFrameType(11),
            P::UnknownDataFrameType(3),
            P::UnexpectedContinueFrame,
            P::ExpectedFragment(tungstenite::protocol::frame::coding::Data::Text),
            P::ResetWithoutClosingHandshake,
            P::InvalidOpcode(3),
            P::InvalidCloseSequence,
        ];
        let errors = protocol.into_iter().map(tungstenite::Error::Protocol).chain([
            tungstenite::Error::ConnectionClosed,
            tungstenite::Error::AlreadyClosed,
            tungstenite::Error::AttackAttempt,
            tungstenite::Error::Capacity(CapacityError::TooManyHeaders),
            tungstenite::Error::Capacity(CapacityError::MessageTooLong { size: 9, max_size: 1 }),
            tungstenite::Error::Url(UrlError::NoHostName),
            tungstenite::Error::Io(io::Error::other("SomeLibrary")),
        ]);
        for error in errors {
            let refused = Cause::Refused { code: 1002, detail: Detail::of_frame(&error) };
            let answered = Cause::NotAWebSocket { detail: Detail::of_answer(&error) };
            for words in [refused.to_string(), answered.to_string()] {
                assert!(is_plain(&words), "{error:?}: {words}");
            }
        }
    }

    #[test]
    #[expect(deprecated, reason = "the library may still say so")]
    fn no_word_of_the_tls_library_is_told() {
        use CertificateError as C;
        use rustls::Error as E;
        let at = rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(1_700_000_000));
        let name = rustls::pki_types::ServerName::try_from("shop.example").expect("a name");
        let certificates = [
            C::BadEncoding,
            C::Expired,
            C::ExpiredContext { time: at, not_after: at },
            C::NotValidYet,
            C::NotValidYetContext { time: at, not_before: at },
            C::Revoked,
            C::UnhandledCriticalExtension,
            C::UnknownIssuer,
            C::UnknownRevocationStatus,
            C::ExpiredRevocationList,
            C::ExpiredRevocationListContext { time: at, next_update: at },
            C::BadSignature,
            C::UnsupportedSignatureAlgorithm,
            C::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: vec![1],
                supported_algorithms: vec![],
            },
            C::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: vec![1],
                public_key_algorithm_id: vec![2],
            },
            C::NotValidForName,
            C::NotValidForNameContext {
                expected: name.to_owned(),
                presented: vec!["DnsName(\"x\")".to_owned()],
            },
            C::InvalidPurpose,
            C::InvalidPurposeContext {
                required: rustls::ExtendedKeyPurpose::ServerAuth,
                presented: vec![rustls::ExtendedKeyPurpose::ClientAuth],
            },
            C::InvalidOcspResponse,
            C::ApplicationVerificationFailure,
            C::Other(OtherError(std::sync::Arc::new(io::Error::other("CaUsedAsEndEntity")))),
        ];
        let errors = certificates.into_iter().map(E::InvalidCertificate).chain([
            E::InvalidMessage(InvalidMessage::InvalidContentType),
            E::InvalidMessage(InvalidMessage::MissingKeyExchange),
            E::NoCertificatesPresented,
            E::UnsupportedNameType,
            E::DecryptError,
            E::EncryptError,
            E::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            E::PeerMisbehaved(PeerMisbehaved::MessageInterleavedWithHandshakeMessage),
            E::General("SomeLibrary".to_owned()),
            E::FailedToGetCurrentTime,
            E::FailedToGetRandomBytes,
            E::HandshakeNotComplete,
            E::PeerSentOversizedRecord,
            E::NoApplicationProtocol,
            E::BadMaxFragmentSize,
            E::Other(OtherError(std::sync::Arc::new(io::Error::other("SomeLibrary")))),
        ]);
        let alerts = (0..=255).map(|number| E::AlertReceived(AlertDescription::from(number)));
        let mut told = BTreeSet::new();
        for error in errors.chain(alerts) {
            let debug = format!("{error:?}");
            let words = crate::way::tls::failure(&io::Error::other(error)).expect("about TLS").to_string();
            assert!(is_plain(&words), "{debug}: {words}");
            told.insert(words);
        }
        assert!(told.len() > 15, "they are told apart: {told:?}");
    }

    #[test]
    fn a_day_is_told_as_people_write_it() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(day(at(0)), "1970-01-01");
        assert_eq!(day(at(1_795_000_000)), "2026-11-18");
        assert_eq!(day(at(1 << 40)), "9999-12-31");
    }
}
