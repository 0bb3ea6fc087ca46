//! What a link's words may be carried by.

use serde::{Deserialize, Serialize};

/// What carries a link's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Carrier {
    /// A WebSocket.
    #[default]
    WebSocket,
    /// An HTTP answer without an end, of server-sent events.
    EventStream,
    /// The same, of lines that are a message each.
    Lines,
    /// MQTT, over TCP or a WebSocket as the URL says.
    Mqtt,
    /// SockJS over a WebSocket.
    SockJs,
    /// SockJS over HTTP answers without an end, for what comes.
    SockJsStreaming,
    /// SockJS over HTTP answers that have a frame each.
    SockJsPolling,
}

impl Carrier {
    /// What an address may be heard by, in the order in which it is tried (J1): that of a page may be a prefix of SockJS, and that of a
    /// WebSocket may have one beside it.
    #[must_use]
    pub fn of_address(address: &str) -> [Self; 4] {
        let scheme = address.trim_start().split(':').next().unwrap_or_default();
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => [Self::SockJs, Self::SockJsStreaming, Self::SockJsPolling, Self::WebSocket],
            _ => [Self::WebSocket, Self::SockJs, Self::SockJsStreaming, Self::SockJsPolling],
        }
    }

    /// Whether it is one of SockJS's.
    #[must_use]
    pub fn is_sockjs(self) -> bool {
        matches!(self, Self::SockJs | Self::SockJsStreaming | Self::SockJsPolling)
    }
}
