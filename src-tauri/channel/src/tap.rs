//! A stream wrapper between the socket and the WebSocket library. It sees what the library doesn't tell:
//! that bytes came in (proof of life), and the close frame as it was on the wire (the library turns codes that
//! it doesn't know into 1002). It bounds the upgrade's response head, and hands that over by itself, so that
//! whoever holds the tap can go on with what follows: frames, or the page of a server that refused.

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
    close: Option<CloseInfo>,
    /// A failed write is kept, and later ones pretend to succeed: what the peer sent before, such as 4500,
    /// can still be read.
    write_error: Option<io::Error>,
}

/// Where in the peer's bytes we are.
#[derive(Debug)]
enum Scan {
    Head { seen: usize, line_is_empty: bool },
    Header { bytes: Vec<u8> },
    Payload { left: u64, is_close: bool, kept: Vec<u8> },
}

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

    /// The peer's close frame, as it was sent.
    pub(crate) fn close(&self) -> Option<&CloseInfo> {
        self.close.as_ref()
    }

    pub(crate) fn write_error(&self) -> Option<&io::Error> {
        self.write_error.as_ref()
    }

    /// Follows the peer's bytes: first the response head, then frames (RFC 6455, section 5.2). Stops after the
    /// head; returns how many bytes it has followed.
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
                    header.push(byte);
                    bytes = rest;
                    if let Some(left) = payload_length(header) {
                        let is_close = header.first().is_some_and(|first| first & 0x0f == 0x8);
                        self.scan = Scan::Payload { left, is_close, kept: Vec::new() };
                        self.end_frame();
                    }
                }
                Scan::Payload { left, is_close, kept } => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    let (payload, after) = bytes.split_at(take);
                    *left -= take as u64;
                    // A control frame's payload is at most 125 bytes; the library refuses longer ones.
                    if *is_close && kept.len() + take <= 125 {
                        kept.extend_from_slice(payload);
                    }
                    bytes = after;
                    self.end_frame();
                }
            }
        }
        Ok(all.len())
    }

    fn end_frame(&mut self) {
        let Scan::Payload { left: 0, is_close, kept } = &self.scan else { return };
        if *is_close && self.close.is_none() {
            self.close = Some(match kept.split_first_chunk::<2>() {
                Some((code, reason)) => CloseInfo {
                    code: u16::from_be_bytes(*code),
                    reason: String::from_utf8_lossy(reason).into_owned(),
                },
                None => CloseInfo { code: NO_CODE, reason: String::new() },
            });
        }
        self.scan = Scan::Header { bytes: Vec::with_capacity(14) };
    }
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
        // Only the head ends early, and then nothing was kept yet.
        if followed < new.len() {
            self.beyond = new[followed..].to_vec();
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
        tap.close
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
            assert!(ends.into_iter().any(|end| end == HEAD.len()), "with room for {room}");
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
