//! Close frames: their codes, and what their reasons add.

use crate::end::plain::plain;

/// Close code with which a server ends the older of two connections of one user.
pub(crate) const REPLACED: u16 = 4500;
/// Normal closure: ours, when the user disconnects or quits.
pub(crate) const NORMAL: u16 = 1000;
/// Protocol error.
pub(crate) const PROTOCOL: u16 = 1002;
/// A close frame without a code. Never on the wire.
pub(crate) const NO_CODE: u16 = 1005;
/// Text that is no UTF-8.
pub(crate) const INVALID_TEXT: u16 = 1007;
/// Message too big.
pub(crate) const TOO_BIG: u16 = 1009;

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

impl CloseInfo {
    /// Whether a server of SockJS says so on its own: that the session is over, or that another request for it is still open. It has
    /// nothing to do with who is there, whatever its code means elsewhere.
    #[must_use]
    pub fn is_of_sockjs(&self) -> bool {
        let reason = self.reason.trim_end_matches(['.', '!']).to_ascii_lowercase();
        matches!(
            (self.code, reason.as_str()),
            (3000, "go away" | "no response from heartbeat") | (1002, "connection interrupted")
        )
    }

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
pub(crate) fn close_code_words(close: &CloseInfo) -> Option<&'static str> {
    Some(match close.code {
        _ if close.is_of_sockjs() => "closed by the server",
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
            // One that is a take-over is told as that, and by no cause.
            None => "closed by the server",
            Some(OtherMeaning::SlowLink) => "the link was too slow for the server",
            Some(OtherMeaning::ServerError) => "server error",
        },
        _ => return None,
    })
}
