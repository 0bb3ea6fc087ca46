//! The events of a `text/event-stream` (WHATWG HTML, section 9.2.6), and lines that are one message each: bytes in, units out.
//!
//! Of the published decoders none keeps what a server sends within bounds, none tells of comments, which are the only signs of life
//! that a quiet stream has, and all end the stream over a byte that is no UTF-8.

use std::time::Duration;

use crate::link::tap::MOST_MESSAGE;
use crate::{About, Payload};

/// Longest id and longest event name that are kept, bytes. Too short: a stream can't be gone on with; too long: a hostile one's stay in
/// memory.
const LONGEST_NAME: usize = 1024;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unit {
    Message(Payload, About),
    /// What says nothing but that the server lives: a comment, a block without data, an empty line among lines.
    Beat,
    /// From where to go on, without a message.
    Mark(String),
    /// How long to wait before the next dial.
    Retry(Duration),
}

/// How a stream is cut into units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Events,
    Lines,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Decoder {
    format: Format,
    line: Line,
    /// Whether the last byte was a carriage return: a line feed behind it ends nothing more.
    after_return: bool,
    /// The first line may begin with a byte order mark.
    first: bool,
    event: Event,
    /// The id of the last event that had one.
    id: Option<String>,
}

/// Bytes of a line or of an event, within bounds: of what is beyond them, only how much.
#[derive(Debug, Default)]
pub(crate) struct Line {
    bytes: Vec<u8>,
    passed_over: u64,
}

#[derive(Debug, Default)]
struct Event {
    data: Line,
    has_data: bool,
    name: Option<String>,
    id: Option<String>,
    /// Anything but a comment.
    has_field: bool,
}

impl Line {
    pub(crate) fn push(&mut self, more: &[u8]) {
        if self.passed_over > 0 || (self.bytes.len() + more.len()) as u64 > MOST_MESSAGE {
            self.passed_over += (std::mem::take(&mut self.bytes).len() + more.len()) as u64;
        } else {
            self.bytes.extend_from_slice(more);
        }
    }

    pub(crate) fn payload(self) -> Payload {
        if self.passed_over > 0 {
            return Payload::TooBig { bytes: self.passed_over };
        }
        String::from_utf8(self.bytes).map_or_else(|error| Payload::Garbled(error.into_bytes()), Payload::Text)
    }
}

impl Decoder {
    pub(crate) fn new(format: Format) -> Self {
        let (line, event) = (Line::default(), Event::default());
        Self { format, line, after_return: false, first: true, event, id: None }
    }

    /// Takes bytes as they come, however they are cut. Units go to `out`.
    pub(crate) fn take(&mut self, mut bytes: &[u8], out: &mut impl Extend<Unit>) {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                return self.line.push(bytes);
            };
            self.line.push(&bytes[..end]);
            self.after_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            out.extend(self.line(line));
        }
    }

    fn line(&mut self, mut line: Line) -> Option<Unit> {
        if std::mem::take(&mut self.first) && line.bytes.starts_with("\u{feff}".as_bytes()) {
            line.bytes.drain(..3);
        }
        match self.format {
            Format::Lines if line.passed_over == 0 && line.bytes.trim_ascii().is_empty() => Some(Unit::Beat),
            Format::Lines => Some(Unit::Message(line.payload(), About::default())),
            Format::Events if line.passed_over == 0 && line.bytes.is_empty() => self.end(),
            Format::Events => self.field(line),
        }
    }

    fn field(&mut self, line: Line) -> Option<Unit> {
        let Line { bytes, passed_over } = line;
        if passed_over > 0 {
            // Nothing but data is so long.
            self.event.data.passed_over += passed_over;
            (self.event.has_data, self.event.has_field) = (true, true);
            return None;
        }
        let (name, value) = match bytes.iter().position(|byte| *byte == b':') {
            Some(0) => return Some(Unit::Beat),
            Some(colon) => {
                let value = &bytes[colon + 1..];
                (&bytes[..colon], value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (&bytes[..], &[][..]),
        };
        self.event.has_field = true;
        let text = || std::str::from_utf8(value).ok().filter(|text| text.len() <= LONGEST_NAME);
        match name {
            b"data" => {
                if self.event.has_data {
                    self.event.data.push(b"\n");
                }
                self.event.data.push(value);
                self.event.has_data = true;
            }
            b"event" => self.event.name = text().map(str::to_owned),
            b"id" => {
                if let Some(id) = text().filter(|id| !id.contains('\0')) {
                    self.event.id = Some(id.to_owned());
                }
            }
            b"retry" => {
                let milliseconds = text().filter(|text| text.bytes().all(|digit| digit.is_ascii_digit()));
                let milliseconds = milliseconds.and_then(|text| text.parse().ok());
                return milliseconds.map(|wait| Unit::Retry(Duration::from_millis(wait)));
            }
            _ => {}
        }
        None
    }

    /// An empty line: the event is whole.
    fn end(&mut self) -> Option<Unit> {
        let Event { data, has_data, name, id, has_field } = std::mem::take(&mut self.event);
        if let Some(id) = &id {
            self.id = Some(id.clone()).filter(|id| !id.is_empty());
        }
        if has_data {
            // A page's own events are without a name.
            let topic = name.filter(|name| !name.is_empty() && name != "message");
            let about = About { id: self.id.clone(), topic, ..About::default() };
            return Some(Unit::Message(data.payload(), about));
        }
        match id {
            Some(_) => self.id.clone().map(Unit::Mark),
            None => has_field.then_some(Unit::Beat),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(format: Format, bytes: &[u8]) -> Vec<Unit> {
        let (mut decoder, mut units) = (Decoder::new(format), Vec::new());
        decoder.take(bytes, &mut units);
        units
    }

    fn message(text: &str, id: Option<&str>, topic: Option<&str>) -> Unit {
        let about = About { id: id.map(str::to_owned), topic: topic.map(str::to_owned), ..About::default() };
        Unit::Message(Payload::Text(text.to_owned()), about)
    }

    #[test]
    fn an_event_is_its_data_with_its_id_and_name() {
        let stream =
            ": hello\n\nretry: 5000\n\nid: 1\nevent: order\ndata: a\ndata: b\n\ndata:c\n\nid\ndata:  d\n\n";
        assert_eq!(
            all(Format::Events, stream.as_bytes()),
            [
                Unit::Beat,
                Unit::Retry(Duration::from_secs(5)),
                Unit::Beat,
                message("a\nb", Some("1"), Some("order")),
                message("c", Some("1"), None),
                message(" d", None, None),
            ]
        );
    }

    #[test]
    fn lines_end_in_any_of_three_ways_and_the_stream_may_begin_with_a_mark() {
        for end in ["\n", "\r", "\r\n"] {
            let stream = ["\u{feff}data: a", "data", "", "id: 7", "", "what: x", "", ""].join(end);
            assert_eq!(
                all(Format::Events, stream.as_bytes()),
                [message("a\n", None, None), Unit::Mark("7".to_owned()), Unit::Beat],
                "{end:?}"
            );
        }
    }

    #[test]
    fn what_is_no_field_is_passed_over_and_what_is_cut_off_is_nothing() {
        let stream = "id: a\0b\nretry: soon\nretry: 99999999999999999999999\nevent:\ndata\n\ndata: cut off";
        assert_eq!(all(Format::Events, stream.as_bytes()), [message("", None, None)]);
    }

    #[test]
    fn a_message_too_big_or_no_text_costs_itself_alone() {
        let big = "x".repeat(600 * 1024);
        let stream = format!("data: {big}\ndata: {big}\n\ndata: a\n\n:{big}{big}\ndata: b\n\n");
        let units = all(Format::Events, stream.as_bytes());
        assert!(matches!(units[0], Unit::Message(Payload::TooBig { bytes: 1_228_801 }, _)), "{:?}", units[0]);
        assert_eq!(units[1], message("a", None, None));
        let units = all(Format::Events, b"data: \xff\n\ndata: a\n\n");
        assert_eq!(units[0], Unit::Message(Payload::Garbled(vec![0xff]), About::default()));
        assert_eq!(units[1], message("a", None, None));
    }

    #[test]
    fn a_line_is_a_message_and_an_empty_one_a_sign_of_life() {
        assert_eq!(
            all(Format::Lines, b"{\"a\":1}\r\n\n  \n{}\n{\"cut"),
            [message("{\"a\":1}", None, None), Unit::Beat, Unit::Beat, message("{}", None, None)]
        );
    }

    proptest! {
        /// How the network cuts the bytes means nothing.
        #[test]
        fn any_bytes_are_the_same_however_they_are_cut(
            pieces in prop::collection::vec(
                prop_oneof![
                    Just(b"data: a\n".to_vec()), Just(b"\n".to_vec()), Just(b"\r\n".to_vec()), Just(b"\r".to_vec()),
                    Just(b"id: 1\n".to_vec()), Just(b":\n".to_vec()), prop::collection::vec(any::<u8>(), 0..9),
                ],
                0..20,
            ),
            cut in 1_usize..5,
            lines in any::<bool>(),
        ) {
            let format = if lines { Format::Lines } else { Format::Events };
            let bytes = pieces.concat();
            let (mut decoder, mut units) = (Decoder::new(format), Vec::new());
            for piece in bytes.chunks(cut) {
                decoder.take(piece, &mut units);
            }
            prop_assert_eq!(units, all(format, &bytes));
        }

        #[test]
        fn what_was_sent_is_what_comes(
            text in "[^\r\n\0]{0,40}(\n[^\r\n\0]{0,40}){0,3}",
            id in "[^\r\n\0]{1,20}",
        ) {
            let data: String = text.split('\n').map(|line| format!("data: {line}\n")).collect();
            let stream = format!("id: {id}\n{data}\n");
            prop_assert_eq!(all(Format::Events, stream.as_bytes()), [message(&text, Some(&id), None)]);
        }
    }
}
