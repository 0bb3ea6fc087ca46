//! What a server speaks that greets in the way of a well-known protocol, told by the shape of a link's first frame.
//! A channel of the wrong kind would show the protocol's own frames as messages; `listen` and `doctor` say so, and which kind is right.

use serde_json::Value;
use tidings_channel::{Frame, Payload};
use tidings_words::Words;

/// A protocol over WebSocket with frames of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    /// SockJS, at its own address rather than the raw one.
    SockJs,
    /// Socket.IO, or Engine.IO alone.
    SocketIo,
    /// Rails' Action Cable.
    ActionCable,
    /// Pusher, and what speaks like it.
    Pusher,
    /// Home Assistant.
    HomeAssistant,
    /// Its messages can be read; its `open` and `keepalive` are none.
    Ntfy,
}

impl Greeting {
    /// By the first frame of a link; `None`: plain messages, as far as that can be seen.
    pub fn of(first: &Frame) -> Option<Self> {
        let Payload::Text(text) = &first.payload else { return None };
        let text = text.trim();
        if text == "o" {
            return Some(Self::SockJs);
        }
        if text.starts_with("0{") && text.contains("\"sid\"") {
            return Some(Self::SocketIo);
        }
        let object = object(text)?;
        let says = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        match (says("type"), says("event")) {
            ("welcome", _) => Some(Self::ActionCable),
            ("auth_required", _) if object.get("ha_version").is_some() => Some(Self::HomeAssistant),
            (_, "pusher:connection_established") => Some(Self::Pusher),
            (_, "open") if object.get("topic").is_some() && object.get("time").is_some() => Some(Self::Ntfy),
            _ => None,
        }
    }

    /// Whether a frame of such a link is talk between the protocol's ends, and no message.
    pub fn is_talk(self, frame: &Frame) -> bool {
        let Payload::Text(text) = &frame.payload else { return false };
        let text = text.trim();
        let says = |name: &str| object(text)?.get(name)?.as_str().map(str::to_owned);
        match self {
            Self::SockJs => matches!(text, "o" | "h") || text.starts_with("c["),
            Self::SocketIo => {
                matches!(text, "2" | "3" | "6") || text.starts_with("0{") || text.starts_with("4")
            }
            Self::ActionCable => says("type").is_some_and(|kind| matches!(kind.as_str(), "welcome" | "ping")),
            Self::Pusher => says("event").is_some_and(|event| event.starts_with("pusher:")),
            Self::HomeAssistant => says("type").is_some_and(|kind| kind.starts_with("auth_")),
            Self::Ntfy => says("event").is_some_and(|event| matches!(event.as_str(), "open" | "keepalive")),
        }
    }

    /// What the server speaks, and what that means.
    pub fn told(self, words: Words) -> String {
        if self == Self::Ntfy { words.dialect_ntfy() } else { words.dialect_unspoken(&self.name()) }
    }

    /// What to do about it.
    pub fn mend(self, words: Words) -> String {
        match self {
            Self::SockJs => words.mend_sockjs(),
            Self::SocketIo => preset("socket.io", words),
            Self::ActionCable => preset("action-cable", words),
            Self::Pusher => preset("pusher", words),
            Self::HomeAssistant => preset("home-assistant", words),
            Self::Ntfy => words.mend_dialect(&"kind = \"ntfy\", topics = [\"…\"]"),
        }
    }

    /// A name is the same in every language.
    fn name(self) -> &'static str {
        match self {
            Self::SockJs => "SockJS",
            Self::SocketIo => "Socket.IO",
            Self::ActionCable => "Action Cable",
            Self::Pusher => "Pusher",
            Self::HomeAssistant => "Home Assistant",
            Self::Ntfy => "ntfy",
        }
    }
}

fn preset(name: &str, words: Words) -> String {
    words.mend_dialect(&format_args!("kind = \"dialogue\", preset = \"{name}\""))
}

fn object(text: &str) -> Option<serde_json::Map<String, Value>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn frame(text: &str) -> Frame {
        let payload = Payload::Text(text.to_owned());
        Frame {
            generation: 1,
            payload,
            about: tidings_channel::About::default(),
            received_at: SystemTime::UNIX_EPOCH,
            replay: None,
            goes_on: false,
        }
    }

    #[test]
    fn a_dialect_is_known_by_its_greeting_and_its_messages_are_no_talk() {
        for (greeting, dialect, talk, message) in [
            ("o", Greeting::SockJs, "c[3000,\"Go away!\"]", "a[\"hello\"]"),
            (r#"0{"sid":"x","upgrades":[],"pingInterval":25000}"#, Greeting::SocketIo, "2", "hello"),
            (
                r#"{"type":"welcome"}"#,
                Greeting::ActionCable,
                r#"{"type":"ping","message":1}"#,
                r#"{"message":1}"#,
            ),
            (
                r#"{"event":"pusher:connection_established","data":"{}"}"#,
                Greeting::Pusher,
                r#"{"event":"pusher:ping"}"#,
                r#"{"event":"order"}"#,
            ),
            (
                r#"{"type":"auth_required","ha_version":"2026.11"}"#,
                Greeting::HomeAssistant,
                r#"{"type":"auth_invalid"}"#,
                r#"{"type":"event"}"#,
            ),
            (
                "{\"id\":\"x\",\"time\":1,\"event\":\"open\",\"topic\":\"t\"}\n",
                Greeting::Ntfy,
                r#"{"event":"keepalive"}"#,
                r#"{"event":"message","message":"hi"}"#,
            ),
        ] {
            assert_eq!(Greeting::of(&frame(greeting)), Some(dialect), "{greeting}");
            assert!(dialect.is_talk(&frame(greeting)) && dialect.is_talk(&frame(talk)), "{dialect:?}");
            assert!(!dialect.is_talk(&frame(message)), "{dialect:?}: {message}");
            assert!(dialect.told(Words::default()).contains(dialect.name()), "{dialect:?}");
            assert!(!dialect.mend(Words::default()).is_empty(), "{dialect:?}");
        }
        for plain in
            ["", "O", "hello", "0", "{}", r#"{"type":"message"}"#, r#"{"event":"open"}"#, r#"{"open":1}"#]
        {
            assert_eq!(Greeting::of(&frame(plain)), None, "{plain}");
        }
    }
}
