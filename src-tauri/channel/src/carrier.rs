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
    /// WebSocket is one where it says so. Any other WebSocket is asked for nothing else.
    #[must_use]
    pub fn of_address(address: &str) -> Vec<Self> {
        let address = address.trim_start().to_ascii_lowercase();
        let (scheme, rest) = address.split_once(':').unwrap_or_default();
        let path = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        match scheme {
            "http" | "https" => {
                vec![Self::SockJs, Self::SockJsStreaming, Self::SockJsPolling, Self::WebSocket]
            }
            _ if path.contains("sockjs") || path.ends_with("/websocket") => {
                vec![Self::WebSocket, Self::SockJs, Self::SockJsStreaming, Self::SockJsPolling]
            }
            _ => vec![Self::WebSocket],
        }
    }

    /// Whether it is one of SockJS's.
    #[must_use]
    pub fn is_sockjs(self) -> bool {
        matches!(self, Self::SockJs | Self::SockJsStreaming | Self::SockJsPolling)
    }
}
