//! STOMP 1.2 (stomp.github.io, "STOMP Protocol Specification, Version 1.2"): a command, headers, an empty line, a body, a NUL.

use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Frame<'a> {
    command: &'a str,
    headers: BTreeMap<String, String>,
    body: &'a str,
}

/// Whether it is an end of line and nothing else.
pub(crate) fn is_heartbeat(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'\n' | b'\r'))
}

/// The frame as JSON; `None` if it is none.
pub(crate) fn json(text: &str) -> Option<String> {
    let text = text.trim_start_matches(['\n', '\r']);
    let (command, mut rest) = line(text)?;
    let is_command =
        (1..=32).contains(&command.len()) && command.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_command {
        return None;
    }
    let mut headers = BTreeMap::new();
    loop {
        let (header, after) = line(rest)?;
        rest = after;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':')?;
        // The first of a repeated header counts. CONNECTED escapes nothing, and what it holds reads the same unescaped.
        headers.entry(unescaped(name)).or_insert_with(|| unescaped(value));
    }
    let length = headers.get("content-length").and_then(|length| length.trim().parse::<usize>().ok());
    let body = match length.and_then(|length| rest.get(..length)) {
        Some(body) => body,
        None => rest.split('\0').next().unwrap_or_default(),
    };
    serde_json::to_string(&Frame { command, headers, body }).ok()
}

fn line(text: &str) -> Option<(&str, &str)> {
    let (line, rest) = text.split_once('\n')?;
    Some((line.strip_suffix('\r').unwrap_or(line), rest))
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('c') => out.push(':'),
            Some('\\') => out.push('\\'),
            // No escape of STOMP's: as it was written.
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_is_taken_apart() {
        for (text, expected) in [
            (
                "CONNECTED\nversion:1.2\n\n\0",
                r#"{"command":"CONNECTED","headers":{"version":"1.2"},"body":""}"#,
            ),
            (
                "\nMESSAGE\r\nsubscription:s\r\ndestination:/a\\cb\r\n\r\n{\"x\":1}\0\n",
                r#"{"command":"MESSAGE","headers":{"destination":"/a:b","subscription":"s"},"body":"{\"x\":1}"}"#,
            ),
            (
                "ERROR\nmessage:one\nmessage:two\n\nwhy\0",
                r#"{"command":"ERROR","headers":{"message":"one"},"body":"why"}"#,
            ),
            (
                "MESSAGE\ncontent-length:3\n\na\0b\0",
                "{\"command\":\"MESSAGE\",\"headers\":{\"content-length\":\"3\"},\"body\":\"a\\u0000b\"}",
            ),
            (
                "MESSAGE\ncontent-length:99\n\nab\0",
                r#"{"command":"MESSAGE","headers":{"content-length":"99"},"body":"ab"}"#,
            ),
        ] {
            assert_eq!(json(text).as_deref(), Some(expected), "{text:?}");
        }
        for none in
            ["", "CONNECTED", "hello there\n\n", "{\"a\":1}\n\n", "MESSAGE\nno colon\n\n\0", "MESSAGE\na:b\n"]
        {
            assert_eq!(json(none), None, "{none:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[A-Z]{0,9}\n?[a-z:\\\\\n\r\0é-]{0,40}") {
            if let Some(json) = json(&text) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
            }
        }
    }
}
