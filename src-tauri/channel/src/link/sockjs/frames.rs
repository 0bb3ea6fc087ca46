//! The frames of SockJS (sockjs-protocol 0.3, "Framing"): bytes in, units out. No crate reads them.
//!
//! ```text
//! o                 the session is open
//! h                 a sign of life; a run of them is the 2 KiB by which a stream begins, and says nothing
//! a["…","…"]        messages, each a text of its own
//! m"…"              one message
//! c[3000,"…"]       the session is over
//! ```
//!
//! A frame ends with its line. Messages are handed on one by one: a server that was not listened to sends all that it has kept in
//! one frame, which has no bounds then, while each message has.

use serde_json::Value;

use crate::end::close::NO_CODE;
use crate::link::events::Line;
use crate::{CloseInfo, Payload};

/// Longest content of a `c` frame that is kept, bytes. Too short: a reason is lost, and only that; too long: a hostile one's stays in
/// memory.
const MOST_CLOSE: usize = 4 * 1024;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unit {
    Open,
    Beat,
    Message(Payload),
    Closed(CloseInfo),
}

/// The bytes are no such frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    at: At,
}

/// Where in a frame the next byte is.
#[derive(Debug, Default)]
enum At {
    #[default]
    Start,
    /// Behind so many `h`.
    Beats(u32),
    /// Where a list begins.
    List,
    /// Behind its bracket.
    First,
    /// Behind a comma.
    Another,
    /// Behind a message of a list.
    Behind,
    /// Where the one message begins.
    Single,
    Text(Text),
    Close(Vec<u8>),
    /// The frame is whole, its line isn't.
    End,
}

/// A JSON text that is being read.
#[derive(Debug)]
struct Text {
    read: Line,
    escape: Escape,
    /// The first half of a character.
    half: Option<u16>,
    listed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    No,
    Begun,
    /// So many digits of a character's number are there, and this is it so far.
    Number(u8, u16),
}

impl Decoder {
    /// Whether no frame is in its midst, but for the end of its line.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.at, At::Start | At::End | At::Beats(_))
    }

    /// Takes bytes as they come, however they are cut. Units go to `out`.
    pub(crate) fn take(&mut self, mut bytes: &[u8], out: &mut impl Extend<Unit>) -> Result<(), Broken> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if let At::Text(text) = &mut self.at {
                let (taken, over) = text.take(bytes)?;
                bytes = &bytes[taken..];
                if over && let At::Text(text) = std::mem::take(&mut self.at) {
                    self.at = if text.listed { At::Behind } else { At::End };
                    out.extend([Unit::Message(text.read.payload())]);
                }
                continue;
            }
            bytes = rest;
            let (next, unit) = step(std::mem::take(&mut self.at), byte)?;
            self.at = next;
            out.extend(unit);
        }
        Ok(())
    }
}

/// One byte outside of a text.
fn step(at: At, byte: u8) -> Result<(At, Option<Unit>), Broken> {
    let next = match (at, byte) {
        (At::Close(content), b'\n') => return Ok((At::Start, Some(Unit::Closed(close(&content))))),
        (At::Close(mut content), byte) => {
            if content.len() < MOST_CLOSE {
                content.push(byte);
            }
            At::Close(content)
        }
        (At::Beats(1), b'\n') => return Ok((At::Start, Some(Unit::Beat))),
        (At::Beats(_) | At::End | At::Start, b'\n') => At::Start,
        // What JSON has between its parts, and a line's other end.
        (at, b' ' | b'\t' | b'\r' | b'\n') => at,
        (At::Start, b'o') => return Ok((At::End, Some(Unit::Open))),
        (At::Start, b'h') => At::Beats(1),
        (At::Beats(n), b'h') => At::Beats(n.saturating_add(1)),
        (At::Start, b'a') => At::List,
        (At::Start, b'm') => At::Single,
        (At::Start, b'c') => At::Close(Vec::new()),
        (At::List, b'[') => At::First,
        (At::First | At::Another, b'"') => At::Text(Text::new(true)),
        (At::Single, b'"') => At::Text(Text::new(false)),
        (At::Behind, b',') => At::Another,
        (At::First | At::Behind, b']') => At::End,
        (
            At::Start
            | At::Beats(_)
            | At::List
            | At::First
            | At::Another
            | At::Behind
            | At::Single
            | At::End
            | At::Text(_),
            _,
        ) => return Err(Broken),
    };
    Ok((next, None))
}

impl Text {
    fn new(listed: bool) -> Self {
        Self { read: Line::default(), escape: Escape::No, half: None, listed }
    }

    /// How many of the bytes belong to it, and whether it is over then.
    fn take(&mut self, bytes: &[u8]) -> Result<(usize, bool), Broken> {
        let Some(&byte) = bytes.first() else { return Ok((0, false)) };
        match self.escape {
            Escape::No => {
                let is_plain = |byte: &u8| *byte >= b' ' && !matches!(byte, b'"' | b'\\');
                let plain = bytes.iter().take_while(|byte| is_plain(byte)).count();
                if plain > 0 {
                    self.whole(&bytes[..plain]);
                    return Ok((plain, false));
                }
                match byte {
                    b'"' => {
                        self.whole(&[]);
                        return Ok((1, true));
                    }
                    b'\\' => self.escape = Escape::Begun,
                    _ => return Err(Broken),
                }
            }
            Escape::Begun => {
                let character = match byte {
                    b'"' | b'\\' | b'/' => byte,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'u' => {
                        self.escape = Escape::Number(0, 0);
                        return Ok((1, false));
                    }
                    _ => return Err(Broken),
                };
                self.escape = Escape::No;
                self.whole(&[character]);
            }
            Escape::Number(digits, number) => {
                let digit = char::from(byte).to_digit(16).and_then(|digit| u16::try_from(digit).ok());
                let number = number << 4 | digit.ok_or(Broken)?;
                self.escape = Escape::Number(digits + 1, number);
                if digits == 3 {
                    self.escape = Escape::No;
                    self.unit(number);
                }
            }
        }
        Ok((1, false))
    }

    /// Bytes that are whole characters; a half that waited for its other one is none.
    fn whole(&mut self, bytes: &[u8]) {
        if self.half.take().is_some() {
            self.character(char::REPLACEMENT_CHARACTER);
        }
        self.read.push(bytes);
    }

    /// A UTF-16 unit.
    fn unit(&mut self, unit: u16) {
        if let Some(half) = self.half.take() {
            if let [Ok(character)] = char::decode_utf16([half, unit]).collect::<Vec<_>>()[..] {
                return self.character(character);
            }
            self.character(char::REPLACEMENT_CHARACTER);
        }
        match unit {
            0xD800..0xDC00 => self.half = Some(unit),
            unit => self.character(char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }

    fn character(&mut self, character: char) {
        self.read.push(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Code and reason, as far as they can be read: the code counts, whatever else is wrong.
fn close(content: &[u8]) -> CloseInfo {
    let code = |code: u64| u16::try_from(code).unwrap_or(NO_CODE);
    if let Ok(Value::Array(parts)) = serde_json::from_slice(content) {
        let reason = parts.get(1).and_then(Value::as_str).unwrap_or_default().to_owned();
        return CloseInfo { code: parts.first().and_then(Value::as_u64).map_or(NO_CODE, code), reason };
    }
    let digits = content.iter().skip_while(|byte| !byte.is_ascii_digit());
    let digits: String =
        digits.take_while(|byte| byte.is_ascii_digit()).map(|digit| char::from(*digit)).collect();
    CloseInfo { code: digits.parse().map_or(NO_CODE, code), reason: String::new() }
}

/// Texts as they go to a server over HTTP, and over a WebSocket: a list of them.
pub(crate) fn said(texts: &[String]) -> String {
    // A list of texts is always JSON.
    serde_json::to_string(texts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<Unit>, Broken> {
        let (mut decoder, mut units) = (Decoder::default(), Vec::new());
        decoder.take(bytes, &mut units)?;
        if decoder.is_whole() { Ok(units) } else { Err(Broken) }
    }

    fn text(text: &str) -> Unit {
        Unit::Message(Payload::Text(text.to_owned()))
    }

    fn closed(code: u16, reason: &str) -> Unit {
        Unit::Closed(CloseInfo { code, reason: reason.to_owned() })
    }

    #[test]
    fn each_kind_of_frame_is_what_it_says() {
        let prelude = "h".repeat(2048);
        let stream = format!(
            "{prelude}\no\nh\r\na[]\na[\"{{\\\"a\\\":1}}\",\"b\"]\n\na [ \"c\" ,\n \"d\" ]\nm\"e\"\nc[3000,\"Go away!\"]\n"
        );
        assert_eq!(
            all(stream.as_bytes()),
            Ok(vec![
                Unit::Open,
                Unit::Beat,
                text("{\"a\":1}"),
                text("b"),
                text("c"),
                text("d"),
                text("e"),
                closed(3000, "Go away!"),
            ])
        );
    }

    #[test]
    fn the_code_of_a_close_counts_whatever_else_is_wrong_with_it() {
        let long = "x".repeat(MOST_CLOSE);
        for (frame, expected) in [
            ("c[4500]", closed(4500, "")),
            ("c[4500,7]", closed(4500, "")),
            ("c[4500,\"cut off", closed(4500, "")),
            ("c4500", closed(4500, "")),
            ("c[70000,\"far\"]", closed(NO_CODE, "far")),
            ("c[-1,\"x\"]", closed(NO_CODE, "x")),
            ("c", closed(NO_CODE, "")),
            ("c{}", closed(NO_CODE, "")),
            (&format!("c[4500,\"{long}\"]"), closed(4500, "")),
        ] {
            assert_eq!(all(format!("{frame}\n").as_bytes()), Ok(vec![expected]), "{frame}");
        }
    }

    #[test]
    fn what_is_no_frame_is_broken_and_so_is_one_that_is_cut_off() {
        for bytes in [
            "x\n",
            "<html>",
            "oo\n",
            "ho\n",
            "a\n",
            "a{}\n",
            "a[1]\n",
            "a[\"a\",]\n",
            "a[\"a\"\n",
            "a[\"a\"]]\n",
            "a[\"a\nb\"]\n",
            "a[\"\\x\"]\n",
            "a[\"\\u12g4\"]\n",
            "a[\"a\" \"b\"]\n",
            "m\n",
            "m[]\n",
            "m\"a\"b\n",
            "a[\"a",
            "c[1",
            "a[null]\n",
        ] {
            assert_eq!(all(bytes.as_bytes()), Err(Broken), "{bytes}");
        }
    }

    #[test]
    fn a_message_too_big_or_no_text_costs_itself_alone_however_long_its_frame_is() {
        let big = "x".repeat(1024 * 1024);
        let frame = format!("a[\"{big}\",\"{big}y\",\"\\n{big}\",\"z\"]\n");
        let units = all(frame.as_bytes()).expect("frames");
        assert_eq!(units[0], text(&big));
        assert_eq!(units[1], Unit::Message(Payload::TooBig { bytes: 1_048_577 }));
        assert_eq!(units[2], Unit::Message(Payload::TooBig { bytes: 1_048_577 }));
        assert_eq!(units[3..], [text("z")]);
        let units = all(b"a[\"\xff\",\"a\"]\n").expect("frames");
        assert_eq!(units, [Unit::Message(Payload::Garbled(vec![0xff])), text("a")]);
    }

    #[test]
    fn half_a_character_is_told_as_one_that_is_missing() {
        let frame = r#"a["\ud83d","\ud83d\ude00","\ude00x","\ud83d\ud83d\ude00","\ud83dx","\u00fc\u0000"]"#;
        let units = all(format!("{frame}\n").as_bytes()).expect("frames");
        let texts = ["\u{fffd}", "😀", "\u{fffd}x", "\u{fffd}😀", "\u{fffd}x", "ü\0"];
        assert_eq!(units, texts.map(text));
    }

    proptest! {
        #[test]
        fn what_was_sent_is_what_comes(texts in prop::collection::vec(any::<String>(), 0..5), ascii in any::<bool>()) {
            let mut frame = format!("a{}\n", said(&texts));
            if ascii {
                // As Python writes it.
                frame = frame.chars().map(|c| if c.is_ascii() { c.to_string() } else {
                    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect()
                }).collect();
            }
            prop_assert_eq!(all(frame.as_bytes()), Ok(texts.iter().map(|sent| text(sent)).collect()));
        }

        /// How the network cuts the bytes means nothing.
        #[test]
        fn any_bytes_are_the_same_however_they_are_cut(
            pieces in prop::collection::vec(
                prop_oneof![
                    Just(b"o\n".to_vec()), Just(b"hh".to_vec()), Just(b"h\n".to_vec()), Just(b"a[\"".to_vec()),
                    Just(b"\"]\n".to_vec()), Just(b"\\ud83d\\ude00".to_vec()), Just(b"\",\"".to_vec()),
                    Just(b"c[3000,\"x\"]\n".to_vec()), prop::collection::vec(any::<u8>(), 0..4),
                ],
                0..12,
            ),
            cut in 1_usize..5,
        ) {
            let bytes = pieces.concat();
            let units = |cut: usize| {
                let (mut decoder, mut units) = (Decoder::default(), Vec::new());
                let broken = bytes.chunks(cut.max(1)).try_for_each(|piece| decoder.take(piece, &mut units)).is_err();
                (units, broken, decoder.is_whole())
            };
            prop_assert_eq!(units(cut), units(bytes.len()));
        }
    }
}
