//! How a dialect packs what it says: from one WebSocket frame to the units in it, each as JSON for rules to look into.

mod socket_io;
mod stomp;

/// How a dialogue's texts are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// A frame is a text, JSON or not.
    #[default]
    Text,
    /// Several JSON texts in a frame, each on a line of its own (Centrifugo).
    Lines,
    /// Several JSON texts in a frame, each ended by the record separator U+001E (SignalR).
    Records,
    /// STOMP 1.2: a frame is `{"command", "headers", "body"}` to rules, and ends in a NUL.
    Stomp,
    /// Socket.IO 4 over Engine.IO 4: a packet is `{"type", "namespace", "id", "data"}` to rules.
    SocketIo,
}

/// Ends a text of [`Framing::Records`].
const RECORD: char = '\u{1e}';

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    /// As JSON; of [`Framing::Text`] as it came, JSON or not.
    pub(crate) json: String,
}

impl Framing {
    /// Each with its word in the settings.
    pub const ALL: [(&'static str, Self); 5] = [
        ("text", Self::Text),
        ("lines", Self::Lines),
        ("records", Self::Records),
        ("stomp", Self::Stomp),
        ("socket.io", Self::SocketIo),
    ];

    /// What was said in this frame, in order. What is not of this framing is said as it stands.
    pub(crate) fn open(self, text: &str) -> Vec<Unit> {
        let whole = |json: &str| Unit { json: json.to_owned() };
        match self {
            Self::Text => vec![whole(text)],
            Self::Lines => text.lines().filter(|line| !line.trim().is_empty()).map(whole).collect(),
            Self::Records => text.split(RECORD).filter(|part| !part.trim().is_empty()).map(whole).collect(),
            Self::Stomp if stomp::is_heartbeat(text) => Vec::new(),
            Self::Stomp => vec![stomp::json(text).map_or_else(|| whole(text), |json| Unit { json })],
            Self::SocketIo => vec![socket_io::json(text).map_or_else(|| whole(text), |json| Unit { json })],
        }
    }

    /// The frame that says this text.
    pub(crate) fn pack(self, mut text: String) -> String {
        match self {
            Self::Records => text.push(RECORD),
            // A line feed alone is a heartbeat.
            Self::Stomp if !stomp::is_heartbeat(&text) => text.push('\0'),
            Self::Text | Self::Lines | Self::Stomp | Self::SocketIo => {}
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(framing: Framing, text: &str) -> Vec<String> {
        framing.open(text).into_iter().map(|unit| unit.json).collect()
    }

    #[test]
    fn several_texts_in_a_frame_are_told_apart() {
        assert_eq!(said(Framing::Text, "a\nb"), ["a\nb"]);
        assert_eq!(said(Framing::Lines, "{}\n\n{\"a\":1}\n"), ["{}", "{\"a\":1}"]);
        assert_eq!(said(Framing::Records, "{}\u{1e}{\"type\":6}\u{1e}"), ["{}", "{\"type\":6}"]);
        assert_eq!(Framing::Records.pack("{}".to_owned()), "{}\u{1e}");
    }

    #[test]
    fn stomps_frames_end_in_a_nul_and_its_heartbeats_do_not() {
        assert_eq!(Framing::Stomp.pack("SEND\n\n".to_owned()), "SEND\n\n\0");
        assert_eq!(Framing::Stomp.pack("\n".to_owned()), "\n");
        assert_eq!(said(Framing::Stomp, "\n"), [""; 0]);
        assert_eq!(said(Framing::Stomp, "no frame"), ["no frame"], "told as it stands");
    }
}
