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
    /// Whether it is one of SockJS's.
    #[must_use]
    pub fn is_sockjs(self) -> bool {
        matches!(self, Self::SockJs | Self::SockJsStreaming | Self::SockJsPolling)
    }
}
