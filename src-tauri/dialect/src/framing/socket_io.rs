//! Socket.IO 4 (protocol 5) in Engine.IO 4: a digit for the packet of Engine.IO, and behind `4` one for Socket.IO's, then the
//! number of attachments, the namespace, the id of an acknowledgement, and JSON.

use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
struct Packet<'a> {
    r#type: &'static str,
    namespace: &'a str,
    /// The sender wants to hear that this packet has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

/// The packet as JSON; `None` if it is none.
pub(crate) fn json(text: &str) -> Option<String> {
    let (engine, rest) = first(text)?;
    let packet = match engine {
        '0' => engine_packet("open", rest)?,
        '1' => engine_packet("close", rest)?,
        '2' => engine_packet("ping", rest)?,
        '3' => engine_packet("pong", rest)?,
        '6' => engine_packet("noop", rest)?,
        '4' => socket_packet(rest)?,
        _ => return None,
    };
    serde_json::to_string(&packet).ok()
}

fn engine_packet<'a>(name: &'static str, rest: &'a str) -> Option<Packet<'a>> {
    // A ping may carry a word ("probe").
    let data = serde_json::from_str(rest).ok();
    (data.is_some() || name != "open").then_some(Packet { r#type: name, namespace: "/", id: None, data })
}

fn socket_packet(text: &str) -> Option<Packet<'_>> {
    let (kind, mut rest) = first(text)?;
    let name = match kind {
        '0' => "connect",
        '1' => "disconnect",
        '2' | '5' => "event",
        '3' | '6' => "ack",
        '4' => "connect_error",
        _ => return None,
    };
    if matches!(kind, '5' | '6') {
        let (attachments, after) = rest.split_once('-')?;
        attachments.parse::<u32>().ok()?;
        rest = after;
    }
    let mut namespace = "/";
    if rest.starts_with('/') {
        (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        // A query belongs to the connection.
        namespace = namespace.split('?').next().unwrap_or(namespace);
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (id, rest) = rest.split_at(digits);
    let id = if id.is_empty() { None } else { Some(id.parse().ok()?) };
    let data = if rest.is_empty() { None } else { Some(serde_json::from_str(rest).ok()?) };
    Some(Packet { r#type: name, namespace, id, data })
}

fn first(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    Some((chars.next()?, chars.as_str()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_packet_is_taken_apart() {
        for (text, expected) in [
            (r#"0{"sid":"x"}"#, r#"{"type":"open","namespace":"/","data":{"sid":"x"}}"#),
            ("2", r#"{"type":"ping","namespace":"/"}"#),
            ("2probe", r#"{"type":"ping","namespace":"/"}"#),
            (r#"40{"sid":"x"}"#, r#"{"type":"connect","namespace":"/","data":{"sid":"x"}}"#),
            (
                r#"42["news",{"id":12345678901234567890}]"#,
                r#"{"type":"event","namespace":"/","data":["news",{"id":12345678901234567890}]}"#,
            ),
            (r#"42/shop,12["news"]"#, r#"{"type":"event","namespace":"/shop","id":12,"data":["news"]}"#),
            (
                r#"451-/shop,["file",{"_placeholder":true,"num":0}]"#,
                r#"{"type":"event","namespace":"/shop","data":["file",{"_placeholder":true,"num":0}]}"#,
            ),
            (r#"44{"message":"no"}"#, r#"{"type":"connect_error","namespace":"/","data":{"message":"no"}}"#),
            ("41", r#"{"type":"disconnect","namespace":"/"}"#),
            ("41/shop", r#"{"type":"disconnect","namespace":"/shop"}"#),
        ] {
            assert_eq!(json(text).as_deref(), Some(expected), "{text}");
        }
        for none in ["", "4", "0", "9", "HeartBeat", "42[", "45x-[1]", "4299999999999999999999[1]", "o"] {
            assert_eq!(json(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[0-9]{0,3}-?(/[a-z?]{0,3},?)?[0-9]{0,22}[\\[\\]{}\",a0é]{0,12}") {
            if let Some(json) = json(&text) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
            }
        }
    }
}
