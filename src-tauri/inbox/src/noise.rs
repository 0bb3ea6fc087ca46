//! Protocol noise: what a server sends to keep a link alive, and nobody needs to read.
//!
//! A channel's `ignore` names exact texts. Beyond that the usual keep-alives are known by their shape, since most carry
//! a time or a number: the word alone, in whatever case, quoted or not; or an object that says one of these words and holds
//! nothing else but numbers, times and ids. Anything with a text for people is a message.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::mapping::{BODY, TITLE};

/// What keep-alives say.
const WORDS: [&str; 9] =
    ["ping", "pong", "heartbeat", "heart-beat", "keepalive", "keep-alive", "hb", "noop", "no-op"];

/// Where they say it.
const KINDS: [&str; 9] = ["type", "event", "op", "action", "cmd", "command", "kind", "method", "msg_type"];

/// Where they carry nothing, or numbers.
const PARTS: [&str; 4] = ["data", "payload", "params", "body"];

/// Numbers, times and ids beside the word. Too few: a keep-alive that carries one more is a popup; too many: a report
/// of readings is none.
const MOST: usize = 4;

/// Those of them that have no name that tells that they are one.
const UNNAMED: usize = 1;

/// Characters of an id. What is longer is a text.
const ID_LENGTH: usize = 64;

/// A number from which on it may be a time (Unix seconds, September 2001): a `message` that is one is no text.
const TIMES: f64 = 1e9;

/// Bytes of the longest keep-alive. What is longer has something to say.
const LONGEST: usize = 512;

/// Whether this text, free of what stands around it, is a usual keep-alive.
pub(crate) fn is_keep_alive(text: &str) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    if text.starts_with('"') {
        return serde_json::from_str::<String>(text).is_ok_and(|text| is_word(&text));
    }
    if !text.starts_with('{') {
        return is_word(text);
    }
    let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) else { return false };
    members.is_empty() || says_only_that(&members)
}

fn says_only_that(members: &BTreeMap<String, &RawValue>) -> bool {
    let mut said = false;
    let (mut carried, mut unnamed) = (0, 0);
    for (name, value) in members {
        let (name, value) = (name.to_ascii_lowercase(), value.get());
        if KINDS.contains(&name.as_str()) {
            if !serde_json::from_str::<String>(value).is_ok_and(|kind| is_word(&kind)) {
                return false;
            }
            said = true;
            continue;
        }
        if matches!(value, "null" | "true" | "false" | "\"\"" | "{}" | "[]") {
            said |= is_word(&name);
            continue;
        }
        // `{"ping": 1700000000}`
        if is_word(&name) && value.parse::<f64>().is_ok() {
            said = true;
            continue;
        }
        if PARTS.contains(&name.as_str())
            && let Ok(inner) = serde_json::from_str::<BTreeMap<String, &RawValue>>(value)
        {
            if !inner.iter().all(|(name, value)| is_carried(&name.to_ascii_lowercase(), value.get())) {
                return false;
            }
            carried += inner.len();
            continue;
        }
        if !is_carried(&name, value) {
            return false;
        }
        carried += 1;
        unnamed += usize::from(!is_time_name(&name) && !is_id_name(&name));
    }
    said && carried <= MOST && unnamed <= UNNAMED
}

/// Whether this is a number, a time or an id.
fn is_carried(name: &str, value: &str) -> bool {
    if let Ok(number) = value.parse::<f64>() {
        return number >= TIMES || !(TITLE.contains(&name) || BODY.contains(&name));
    }
    let Ok(text) = serde_json::from_str::<String>(value) else { return false };
    let is_number = text.trim().parse::<f64>().is_ok();
    let is_time = is_number || Timestamp::from_str(text.trim()).is_ok();
    let is_id = text.len() <= ID_LENGTH && !text.contains(char::is_whitespace);
    (is_time && !(TITLE.contains(&name) || BODY.contains(&name))) || (is_id && is_id_name(name))
}

fn is_time_name(name: &str) -> bool {
    matches!(name, "t" | "ts" | "at" | "now" | "date" | "sent" | "uptime") || name.contains("time")
}

fn is_id_name(name: &str) -> bool {
    matches!(name, "seq" | "sequence" | "nonce" | "ref" | "n" | "s" | "uuid" | "req" | "cookie" | "session")
        || name == "id"
        || name.ends_with("_id")
        || name.ends_with("-id")
        || name.ends_with("id") && name.len() <= 9
}

fn is_word(text: &str) -> bool {
    let word = text.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    WORDS.contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_keep_alives_are_known_whatever_they_carry() {
        for text in [
            "ping",
            "PONG",
            "Heartbeat",
            "keep-alive",
            "\"ping\"",
            "\" HeartBeat \"",
            "{}",
            r#"{"type":"ping"}"#,
            r#"{"type":"ping","ts":1700000000}"#,
            r#"{"type":"ping","message":1700000000}"#,
            r#"{"Event":"HEARTBEAT"}"#,
            r#"{"op":"pong","id":"a1b2-c3"}"#,
            r#"{"op":"hb","seq":17,"t":1.5}"#,
            r#"{"action":"keepalive","time":"2026-11-20T09:30:00Z"}"#,
            r#"{"cmd":"noop","value":3}"#,
            r#"{"event":"keep_alive","data":{}}"#,
            r#"{"event":"heartbeat","data":{"ts":1700000000},"id":null}"#,
            r#"{"ping":1700000000123}"#,
            r#"{"heartbeat":true}"#,
            r#"{ "type" : "Ping" , "request_id" : 7 }"#,
        ] {
            assert!(is_keep_alive(text), "{text}");
        }
    }

    #[test]
    fn what_holds_a_text_for_people_or_readings_is_a_message() {
        for text in [
            "ping me",
            "",
            "\"hello\"",
            "[]",
            "17",
            r#"{"type":"alert","ts":1700000000}"#,
            r#"{"ts":1700000000}"#,
            r#"{"type":"ping","text":"wake up"}"#,
            r#"{"type":"ping","title":"3"}"#,
            r#"{"type":"ping","body":7}"#,
            r#"{"event":"heartbeat","message":"pump 3 missed"}"#,
            r#"{"type":"heartbeat","cpu":81,"memory":97,"disk":99}"#,
            r#"{"type":"ping","from":"Ann"}"#,
            r#"{"type":"ping","id":"please call me"}"#,
            r#"{"type":"ping","data":{"text":"hello"}}"#,
            r#"{"title":"ping"}"#,
            r#"{"ping":"Ann"}"#,
            r#"{"type":"ping""#,
        ] {
            assert!(!is_keep_alive(text), "{text}");
        }
    }
}
