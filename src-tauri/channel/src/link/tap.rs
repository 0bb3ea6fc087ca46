//! A stream wrapper between the socket and the WebSocket library. It sees what the library doesn't tell:
//! that bytes came in (proof of life), and the close frame as it was on the wire (the library turns codes that
//! it doesn't know into 1002, and refuses frames whose reason it doesn't like). It bounds the upgrade's response head.
//! That is handed over by itself, so that
//! whoever holds the tap can go on with what follows: frames, or the page of a server that refused. So is the close
//! frame: what the library finds wrong after it was handed over is wrong with the close frame.
//!
//! And it keeps from the library what that would end the link for, though it spoils no other message. Text goes on
//! as binary, so that bytes that are no UTF-8 are ours to judge. Of a message too big the frames go on empty and the
//! bytes are read away. What each message really was is [told](Tap::arrived) apart, in the same order.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::CloseInfo;
use crate::end::close::NO_CODE;

/// Longest response head of an upgrade, bytes (D1). Honest ones are below 2 KiB.
pub(crate) const MOST_HEAD: usize = 16 * 1024;

/// The message of the error that a longer one brings.
const HEAD_TOO_LONG: &str = "the response head is over 16 KiB";

/// Longest message and frame that is had, bytes (D2). Too low: honest messages are passed over; too high: a server can
/// fill our memory.
pub(crate) const MOST_MESSAGE: u64 = 1024 * 1024;

/// The same of one in an envelope, where a byte of a text may be written as six.
pub(crate) const MOST_ENVELOPE: u64 = 6 * MOST_MESSAGE + 4096;

/// Longest message that is read away, bytes (D2). Too low: one big message ends the link, and may end each that asks for
/// what was missed; too high: a link is deaf for as long as bytes come in that nobody reads.
const MOST_PASSED_OVER: u64 = 64 * 1024 * 1024;

/// Bytes that are read at a time.
const PIECE: usize = 4096;

#[derive(Debug)]
pub(crate) struct Tap<S> {
    stream: S,
    inbound: u64,
    scan: Scan,
    /// What was read beyond the response head, for the next read.
    beyond: Vec<u8>,
    /// What found no room in the last read: the end of a header, at most.
    over: Vec<u8>,
    /// The message whose last frame has not come.
    begun: Option<Begun>,
    arrived: VecDeque<Arrived>,
    /// Frames that break the rules, but in themselves, are passed over.
    forgiving: bool,
    /// Longest message that is had.
    most: u64,
    close: Option<CloseFrame>,
    /// A failed write is kept, and later ones pretend to succeed: what the peer sent before, such as 4500,
    /// can still be read.
    write_error: Option<io::Error>,
}

/// What a message that the library reports as binary was on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrived {
    Text,
    Binary,
    /// So many bytes, which were read away.
    TooBig(u64),
    /// So many bytes in frames that break the rules.
    Broken(u64),
}

#[derive(Debug)]
struct Begun {
    text: bool,
    bytes: u64,
    broken: bool,
}

/// Where in the peer's bytes we are.
#[derive(Debug)]
enum Scan {
    Head { seen: usize, line_is_empty: bool },
    Header { bytes: Vec<u8> },
    Payload { left: u64, part: Part },
}

/// What becomes of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    GoesOn,
    /// Goes on, and is kept too.
    Close,
    PassedOver,
}

/// The peer's close frame as far as it has come.
#[derive(Debug, Default)]
struct CloseFrame {
    /// The start of its payload.
    kept: Vec<u8>,
    /// A server masks nothing, but the code counts whatever else is wrong with the frame.
    mask: Option<[u8; 4]>,
    whole: bool,
}

/// So much of a close frame's payload is of interest, bytes: a control frame's is no longer (RFC 6455, section 5.5).
const CONTROL_FRAME: usize = 125;
/// A close frame's longest payload that is taken for one, bytes: servers forget to cut a reason. Beyond, the library
/// refuses the header at once.
pub(crate) const MOST_CLOSE: u64 = 64 * 1024;

impl<S> Tap<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            inbound: 0,
            scan: Scan::Head { seen: 0, line_is_empty: false },
            beyond: Vec::new(),
            over: Vec::new(),
            begun: None,
            arrived: VecDeque::new(),
            forgiving: false,
            most: MOST_MESSAGE,
            close: None,
            write_error: None,
        }
    }

    /// Messages come in envelopes from now on.
    pub(crate) fn expect_envelopes(&mut self) {
        self.most = MOST_ENVELOPE;
    }

    pub(crate) fn stream(&self) -> &S {
        &self.stream
    }

    /// Bytes read so far.
    pub(crate) fn inbound(&self) -> u64 {
        self.inbound
    }

    /// The peer's close frame, as it was sent: once it is whole, or its code is there. Of several the first.
    pub(crate) fn close(&self) -> Option<CloseInfo> {
        let CloseFrame { kept, mask, whole } = self.close.as_ref()?;
        let mask = mask.unwrap_or_default();
        let payload: Vec<u8> = kept.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        match payload.split_first_chunk() {
            Some((code, reason)) => {
                Some(CloseInfo { code: u16::from_be_bytes(*code), reason: lenient(reason) })
            }
            None => whole.then(|| CloseInfo { code: NO_CODE, reason: String::new() }),
        }
    }

    pub(crate) fn write_error(&self) -> Option<&io::Error> {
        self.write_error.as_ref()
    }

    /// From now on frames that can't be read for the way they are made (masked, with reserved bits or an opcode that
    /// nobody knows) are passed over, where they would end the link.
    pub(crate) fn forgive(&mut self) {
        self.forgiving = true;
    }

    /// What the next message of the library was; to be asked once for each, in their order.
    pub(crate) fn arrived(&mut self) -> Arrived {
        let next = self.arrived.pop_front();
        if self.arrived.is_empty() {
            // A burst leaves no room behind.
            self.arrived = VecDeque::new();
        }
        next.unwrap_or(Arrived::Binary)
    }

    /// Follows the peer's bytes: first the response head, then frames (RFC 6455, section 5.2), and hands on what the
    /// library is to see. Stops after the head and before a close
    /// frame; returns how many bytes it has followed.
    fn follow(&mut self, all: &[u8], out: &mut ReadBuf<'_>) -> io::Result<usize> {
        let mut bytes = all;
        while let Some((&byte, rest)) = bytes.split_first() {
            match &mut self.scan {
                Scan::Head { seen, line_is_empty } => {
                    *seen += 1;
                    bytes = rest;
                    hand_on(&[byte], out, &mut self.over);
                    if byte == b'\n' && *line_is_empty {
                        self.scan = Scan::Header { bytes: Vec::new() };
                        return Ok(all.len() - rest.len());
                    } else if *seen >= MOST_HEAD {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, HEAD_TOO_LONG));
                    } else if byte != b'\r' {
                        *line_is_empty = byte == b'\n';
                    }
                }
                Scan::Header { bytes: header } => {
                    let is_close = header.first().unwrap_or(&byte) & 0x0f == 0x8 && self.close.is_none();
                    if is_close && header.is_empty() && bytes.len() < all.len() {
                        break;
                    }
                    header.push(byte);
                    bytes = rest;
                    if let Some(left) = payload_length(header) {
                        let mut header = std::mem::take(header);
                        let mut part = self.frame(&mut header, left);
                        if part == Part::Close && (self.close.is_some() || left > MOST_CLOSE) {
                            part = Part::GoesOn;
                        }
                        if part == Part::Close {
                            let masked = header[1] & 0x80 != 0;
                            let mask = header.last_chunk().filter(|_| masked).copied();
                            self.close = Some(CloseFrame { mask, ..CloseFrame::default() });
                        }
                        hand_on(&header, out, &mut self.over);
                        self.scan = Scan::Payload { left, part };
                        self.end_frame();
                    }
                }
                Scan::Payload { left, part } => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    let (payload, after) = bytes.split_at(take);
                    *left -= take as u64;
                    if *part != Part::PassedOver {
                        hand_on(payload, out, &mut self.over);
                    }
                    if *part == Part::Close
                        && let Some(CloseFrame { kept, .. }) = &mut self.close
                    {
                        kept.extend(payload.iter().take(CONTROL_FRAME - kept.len()));
                    }
                    bytes = after;
                    self.end_frame();
                }
            }
        }
        Ok(all.len() - bytes.len())
    }

    /// Makes of a frame's header the one that the library is to see, which may be none.
    fn frame(&mut self, header: &mut Vec<u8>, length: u64) -> Part {
        let (first, masked) = (header[0], header[1] & 0x80 != 0);
        let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
        let broken = masked || first & 0x70 != 0;
        match opcode {
            0x0..=0x2 if !broken || self.forgiving => self.data_frame(header, length, broken),
            // Whatever is wrong with it, its code counts.
            0x8 => Part::Close,
            0x3..=0x7 | 0x9..=0xf
                if self.forgiving
                    && length <= MOST_PASSED_OVER
                    && (broken || !matches!(opcode, 0x9 | 0xa)) =>
            {
                header.clear();
                if opcode < 0x8 && last && self.begun.is_none() {
                    header.extend([0x82, 0]);
                    self.arrived.push_back(Arrived::Broken(length));
                }
                Part::PassedOver
            }
            _ => Part::GoesOn,
        }
    }

    fn data_frame(&mut self, header: &mut Vec<u8>, length: u64, broken: bool) -> Part {
        let (last, opcode) = (header[0] & 0x80 != 0, header[0] & 0x0f);
        if (opcode == 0) != self.begun.is_some() {
            // The library says what is wrong with that.
            return Part::GoesOn;
        }
        let begun = self.begun.get_or_insert(Begun { text: opcode == 0x1, bytes: 0, broken: false });
        begun.bytes = begun.bytes.saturating_add(length);
        begun.broken |= broken;
        let arrived = match *begun {
            Begun { bytes, .. } if bytes > MOST_PASSED_OVER => {
                // More than the library takes: the link ends with 1009.
                *header = vec![header[0] & 0x8f, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
                return Part::GoesOn;
            }
            Begun { bytes, broken: true, .. } => Arrived::Broken(bytes),
            Begun { bytes, .. } if bytes > self.most => Arrived::TooBig(bytes),
            Begun { text: true, .. } => Arrived::Text,
            Begun { .. } => Arrived::Binary,
        };
        if last {
            self.begun = None;
            self.arrived.push_back(arrived);
        }
        if opcode == 0x1 {
            header[0] ^= 0x3;
        }
        match arrived {
            Arrived::Text | Arrived::Binary => Part::GoesOn,
            Arrived::TooBig(_) | Arrived::Broken(_) => {
                *header = vec![header[0] & 0x8f, 0];
                Part::PassedOver
            }
        }
    }

    fn end_frame(&mut self) {
        let Scan::Payload { left: 0, part } = self.scan else { return };
        if part == Part::Close
            && let Some(close) = &mut self.close
        {
            close.whole = true;
        }
        self.scan = Scan::Header { bytes: Vec::new() };
    }
}

/// A reason that may be cut inside a character, as servers do that cut at 123 bytes.
fn lenient(reason: &[u8]) -> String {
    let whole = match std::str::from_utf8(reason) {
        Err(error) if error.error_len().is_none() => &reason[..error.valid_up_to()],
        Ok(_) | Err(_) => reason,
    };
    String::from_utf8_lossy(whole).into_owned()
}

/// What finds no room waits for the next read.
fn hand_on(bytes: &[u8], out: &mut ReadBuf<'_>, over: &mut Vec<u8>) {
    let now = if over.is_empty() { bytes.len().min(out.remaining()) } else { 0 };
    out.put_slice(&bytes[..now]);
    over.extend_from_slice(&bytes[now..]);
}

/// The payload's length, once the header is complete.
fn payload_length(header: &[u8]) -> Option<u64> {
    let second = *header.get(1)?;
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    if header.len() < 2 + extended + mask {
        return None;
    }
    let length = header.get(2..2 + extended)?;
    if extended == 0 {
        return Some(u64::from(second & 0x7f));
    }
    Some(length.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let tap = &mut *self;
        let before = buf.filled().len();
        let mut piece = [0; PIECE];
        while buf.filled().len() == before && buf.remaining() > 0 {
            if !tap.over.is_empty() {
                let now = tap.over.len().min(buf.remaining());
                buf.put_slice(&tap.over[..now]);
                tap.over.drain(..now);
                break;
            }
            let room = buf.remaining().min(PIECE);
            let new = if tap.beyond.is_empty() {
                let mut read = ReadBuf::new(&mut piece[..room]);
                std::task::ready!(Pin::new(&mut tap.stream).poll_read(cx, &mut read))?;
                read.filled().len()
            } else {
                let now = tap.beyond.len().min(room);
                piece[..now].copy_from_slice(&tap.beyond[..now]);
                // A copy of the rest, so that an idle link keeps none of it.
                tap.beyond = tap.beyond[now..].to_vec();
                now
            };
            if new == 0 {
                break;
            }
            let followed = tap.follow(&piece[..new], buf)?;
            tap.inbound += followed as u64;
            if followed < new {
                tap.beyond = [&piece[followed..new], &tap.beyond].concat();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.write_error.is_some() {
            return Poll::Ready(Ok(buf.len()));
        }
        match Pin::new(&mut self.stream).poll_write(cx, buf) {
            Poll::Ready(Err(error)) => {
                self.write_error = Some(error);
                Poll::Ready(Ok(buf.len()))
            }
            polled @ (Poll::Ready(Ok(_)) | Poll::Pending) => polled,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.write_error.is_some() {
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(Err(error)) => {
                self.write_error = Some(error);
                Poll::Ready(Ok(()))
            }
            polled @ (Poll::Ready(Ok(_)) | Poll::Pending) => polled,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"HTTP/1.1 101 \r\nUpgrade: websocket\r\n\r\n";

    /// What the library sees of these bytes if it reads them in such pieces, and the tap that was read through.
    async fn seen(bytes: &[u8], piece: usize, forgiving: bool) -> (Vec<u8>, Tap<&[u8]>) {
        let mut tap = Tap::new(bytes);
        if forgiving {
            tap.forgive();
        }
        let mut seen = Vec::new();
        let mut read = vec![0; piece];
        loop {
            match tokio::io::AsyncReadExt::read(&mut tap, &mut read).await.expect("the head is short") {
                0 => return (seen.split_off(HEAD.len()), tap),
                count => seen.extend_from_slice(&read[..count]),
            }
        }
    }

    async fn close_in(bytes: &[u8], piece: usize) -> Option<CloseInfo> {
        seen(bytes, piece, false).await.1.close()
    }

    /// A frame of this first byte.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u64).to_be_bytes();
        [&[first, 127][..], &length, payload].concat()
    }

    const MIB: usize = 1024 * 1024;

    #[tokio::test]
    async fn what_would_end_the_link_but_spoils_nothing_else_is_kept_from_the_library() {
        let big = vec![b'x'; MIB + 1];
        let bytes = [
            HEAD.to_vec(),
            frame(0x81, b"caf\xe9"),
            frame(0x81, &big),
            frame(0x82, b"\0"),
            // In fragments, with a ping between.
            frame(0x01, &big[..MIB]),
            frame(0x89, b"?"),
            frame(0x80, b"xy"),
            frame(0x01, b"half "),
            frame(0x80, b"and half"),
        ]
        .concat();
        let on = [
            frame(0x82, b"caf\xe9"),
            vec![0x82, 0],
            frame(0x82, b"\0"),
            frame(0x02, &big[..MIB]),
            frame(0x89, b"?"),
            vec![0x80, 0],
            frame(0x02, b"half "),
            frame(0x80, b"and half"),
        ]
        .concat();
        let size = big.len() as u64;
        let told =
            [Arrived::Text, Arrived::TooBig(size), Arrived::Binary, Arrived::TooBig(size + 1), Arrived::Text];
        for piece in [1, 13, 4096, 8192] {
            let (seen, mut tap) = seen(&bytes, piece, false).await;
            assert!(seen == on, "in pieces of {piece}");
            assert_eq!(told.map(|_| tap.arrived()), told, "in pieces of {piece}");
            assert_eq!(tap.inbound(), bytes.len() as u64);
        }
    }

    #[tokio::test]
    async fn what_is_larger_than_anybody_waits_for_is_the_librarys_to_refuse() {
        let refused = [&[0x81, 127, 0x7f][..], &[0xff; 7]].concat();
        let mut header = [HEAD, &[0x81, 127]].concat();
        header.extend((MOST_PASSED_OVER + 1).to_be_bytes());
        assert_eq!(seen(&header, 64, false).await.0, refused);
    }

    #[tokio::test]
    async fn frames_of_a_broken_make_are_passed_over_once_that_is_asked_for() {
        let masked = [0x81, 0x81, 1, 2, 3, 4, b'x'];
        let bytes = [
            HEAD.to_vec(),
            frame(0xc1, b"squeezed"),
            frame(0x83, b"?"),
            masked.to_vec(),
            frame(0x8b, b""),
            frame(0x81, b"news"),
        ]
        .concat();
        let (as_it_came, _) = seen(&bytes, 64, false).await;
        assert!(as_it_came.starts_with(&[0xc1]), "else the library ends the link for it");
        let (seen, mut tap) = seen(&bytes, 64, true).await;
        assert_eq!(seen, [&[0x82, 0, 0x82, 0, 0x82, 0][..], &frame(0x82, b"news")].concat());
        let told = [Arrived::Broken(8), Arrived::Broken(1), Arrived::Broken(1), Arrived::Text];
        assert_eq!(told.map(|_| tap.arrived()), told);
    }

    #[tokio::test]
    async fn the_close_code_is_read_as_it_was_sent_however_it_is_cut() {
        let mut bytes = HEAD.to_vec();
        bytes.extend([0x81, 126, 0x01, 0x00]);
        bytes.extend([b'\x88'; 256]);
        bytes.extend([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 0x89, 0]);
        bytes.extend([0x88, 5, 0x03, 0xf6, b'b', b'y', b'e']);
        for piece in [1, 2, 3, 7, 1000] {
            let expected = CloseInfo { code: 1014, reason: "bye".to_owned() };
            assert_eq!(close_in(&bytes, piece).await, Some(expected), "in pieces of {piece}");
        }
    }

    #[tokio::test]
    async fn a_close_frame_without_a_code_is_1005() {
        let bytes = [HEAD, &[0x88, 0]].concat();
        assert_eq!(close_in(&bytes, 1).await.map(|close| close.code), Some(1005));
        assert_eq!(close_in(HEAD, 1).await, None);
    }

    #[tokio::test]
    async fn the_code_counts_whatever_the_reason_holds() {
        let cut = [b"\x11\x94".as_slice(), "x".repeat(120).as_bytes(), &[0xe4]].concat();
        let long = [b"\x11\x94".as_slice(), "y".repeat(300).as_bytes()].concat();
        let masked = [0x88, 0x83, 1, 2, 3, 4, 0x11 ^ 1, 0x94 ^ 2, b'm' ^ 3];
        for (frame, code, reason) in [
            ([&[0x88, 123], &cut[..]].concat(), 4500, "x".repeat(120)),
            ([&[0x88, 126, 1, 46], &long[..]].concat(), 4500, "y".repeat(123)),
            (vec![0x88, 4, 0x11, 0x94, 0xff, b'!'], 4500, "\u{fffd}!".to_owned()),
            (vec![0x88, 1, 0x11], 1005, String::new()),
            // Not all of it has come.
            (vec![0x88, 9, 0x11, 0x94, b'h'], 4500, "h".to_owned()),
            (masked.to_vec(), 4500, "m".to_owned()),
            // In fragments, with a reserved bit, and followed by another.
            (vec![0x08, 2, 0x11, 0x94], 4500, String::new()),
            (vec![0xc8, 2, 0x11, 0x94], 4500, String::new()),
            (vec![0x88, 2, 0x11, 0x94, 0x88, 2, 0x03, 0xe8], 4500, String::new()),
        ] {
            for piece in [1, 2, 1000] {
                let expected = CloseInfo { code, reason: reason.clone() };
                let bytes = [HEAD, &[0x81, 1, b'a'], &frame].concat();
                assert_eq!(close_in(&bytes, piece).await, Some(expected), "{frame:?} in pieces of {piece}");
            }
        }
    }

    #[tokio::test]
    async fn the_head_is_handed_over_by_itself_and_nothing_behind_it_is_lost() {
        let bytes = [HEAD, b"\x81\x05hello\x88\x02\x11\x94"].concat();
        for room in [1, 7, 4096] {
            let mut tap = Tap::new(bytes.as_slice());
            let mut pieces = Vec::new();
            loop {
                let mut piece = vec![0; room];
                let read = tokio::io::AsyncReadExt::read(&mut tap, &mut piece).await.expect("no error");
                if read == 0 {
                    break;
                }
                piece.truncate(read);
                pieces.push(piece);
            }
            let on = [HEAD, b"\x82\x05hello\x88\x02\x11\x94"].concat();
            assert_eq!(pieces.concat(), on, "with room for {room}");
            let ends = pieces.iter().scan(0, |end, piece| {
                *end += piece.len();
                Some(*end)
            });
            let ends: Vec<usize> = ends.collect();
            assert!(ends.contains(&HEAD.len()), "with room for {room}");
            assert!(ends.contains(&(HEAD.len() + 7)), "the close frame, too, with room for {room}");
            assert_eq!(tap.inbound(), bytes.len() as u64);
            assert_eq!(tap.close().map(|close| close.code), Some(4500));
        }
    }

    #[test]
    fn an_endless_response_head_is_refused() {
        let mut tap = Tap::new(());
        let line = b"X-Filler: aaaaaaaaaaaaaaaaaaaaa\r\n";
        let mut room = [0; 64];
        let refused = (0..1000).find_map(|_| tap.follow(line, &mut ReadBuf::new(&mut room)).err());
        let refused = refused.expect("16 KiB are passed");
        assert_eq!(refused.to_string(), HEAD_TOO_LONG);
    }
}
