//! A stream wrapper between the socket and the WebSocket library. It sees what the library doesn't tell:
//! that bytes came in (proof of life), and the close frame as it was on the wire (the library turns codes that
//! it doesn't know into 1002, and refuses frames whose reason it doesn't like). It bounds the upgrade's response head.
//! That is handed over by itself, so that
//! whoever holds the tap can go on with what follows: frames, or the page of a server that refused. So is the close
//! frame: what the library finds wrong after it was handed over is wrong with the close frame.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::CloseInfo;
use crate::verdict::NO_CODE;

/// Longest response head of an upgrade, bytes (D1). Honest ones are below 2 KiB.
pub(crate) const MOST_HEAD: usize = 16 * 1024;

/// The message of the error that a longer one brings.
const HEAD_TOO_LONG: &str = "the response head is over 16 KiB";

#[derive(Debug)]
pub(crate) struct Tap<S> {
    stream: S,
    inbound: u64,
    scan: Scan,
    /// What was read beyond the response head, for the next read.
    beyond: Vec<u8>,
    close: Option<CloseFrame>,
    /// A failed write is kept, and later ones pretend to succeed: what the peer sent before, such as 4500,
    /// can still be read.
    write_error: Option<io::Error>,
}

/// Where in the peer's bytes we are.
#[derive(Debug)]
enum Scan {
    Head { seen: usize, line_is_empty: bool },
    Header { bytes: Vec<u8> },
    Payload { left: u64, is_close: bool },
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
        let scan = Scan::Head { seen: 0, line_is_empty: false };
        Self { stream, inbound: 0, scan, beyond: Vec::new(), close: None, write_error: None }
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

    /// Follows the peer's bytes: first the response head, then frames (RFC 6455, section 5.2). Stops after the
    /// head and before a close frame; returns how many bytes it has followed.
    fn scan(&mut self, all: &[u8]) -> io::Result<usize> {
        let mut bytes = all;
        while let Some((&byte, rest)) = bytes.split_first() {
            match &mut self.scan {
                Scan::Head { seen, line_is_empty } => {
                    *seen += 1;
                    bytes = rest;
                    if byte == b'\n' && *line_is_empty {
                        self.scan = Scan::Header { bytes: Vec::with_capacity(14) };
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
                        let is_close = is_close && left <= MOST_CLOSE;
                        if is_close {
                            let masked = header.get(1).is_some_and(|second| second & 0x80 != 0);
                            let mask = header.last_chunk().filter(|_| masked).copied();
                            self.close = Some(CloseFrame { mask, ..CloseFrame::default() });
                        }
                        self.scan = Scan::Payload { left, is_close };
                        self.end_frame();
                    }
                }
                Scan::Payload { left, is_close } => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    let (payload, after) = bytes.split_at(take);
                    *left -= take as u64;
                    if *is_close && let Some(CloseFrame { kept, .. }) = &mut self.close {
                        kept.extend(payload.iter().take(CONTROL_FRAME - kept.len()));
                    }
                    bytes = after;
                    self.end_frame();
                }
            }
        }
        Ok(all.len() - bytes.len())
    }

    fn end_frame(&mut self) {
        let Scan::Payload { left: 0, is_close } = self.scan else { return };
        if is_close && let Some(close) = &mut self.close {
            close.whole = true;
        }
        self.scan = Scan::Header { bytes: Vec::with_capacity(14) };
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
        let before = buf.filled().len();
        if self.beyond.is_empty() {
            std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        } else {
            let now = self.beyond.len().min(buf.remaining());
            buf.put_slice(&self.beyond[..now]);
            // A copy of the rest, so that an idle link keeps none of it.
            self.beyond = self.beyond[now..].to_vec();
        }
        let new = &buf.filled()[before..];
        let followed = self.scan(new)?;
        self.inbound += followed as u64;
        if followed < new.len() {
            self.beyond = [&new[followed..], &self.beyond].concat();
            buf.set_filled(before + followed);
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

    fn close_in(bytes: &[u8], piece: usize) -> Option<CloseInfo> {
        let mut tap = Tap::new(());
        for mut piece in bytes.chunks(piece) {
            while !piece.is_empty() {
                piece = &piece[tap.scan(piece).expect("the head is short")..];
            }
        }
        tap.close()
    }

    #[test]
    fn the_close_code_is_read_as_it_was_sent_however_it_is_cut() {
        let mut bytes = HEAD.to_vec();
        bytes.extend([0x81, 126, 0x01, 0x00]);
        bytes.extend([b'\x88'; 256]);
        bytes.extend([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 0x89, 0]);
        bytes.extend([0x88, 5, 0x03, 0xf6, b'b', b'y', b'e']);
        for piece in [1, 2, 3, 7, 1000] {
            let expected = CloseInfo { code: 1014, reason: "bye".to_owned() };
            assert_eq!(close_in(&bytes, piece), Some(expected), "in pieces of {piece}");
        }
    }

    #[test]
    fn a_close_frame_without_a_code_is_1005() {
        let bytes = [HEAD, &[0x88, 0]].concat();
        assert_eq!(close_in(&bytes, 1).map(|close| close.code), Some(1005));
        assert_eq!(close_in(HEAD, 1), None);
    }

    #[test]
    fn the_code_counts_whatever_the_reason_holds() {
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
                assert_eq!(close_in(&bytes, piece), Some(expected), "{frame:?} in pieces of {piece}");
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
            assert_eq!(pieces.concat(), bytes, "with room for {room}");
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
        let refused = (0..1000).find_map(|_| tap.scan(line).err()).expect("16 KiB are passed");
        assert_eq!(refused.to_string(), HEAD_TOO_LONG);
    }
}
