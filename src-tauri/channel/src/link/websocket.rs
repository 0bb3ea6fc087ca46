//! One open WebSocket: polls both directions without either blocking the other, and turns what the library
//! reports into a few events.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::{Event, Link};
use crate::end::close::{INVALID_TEXT, NO_CODE, NORMAL, PROTOCOL, TOO_BIG};
use crate::link::tap::{Arrived, MOST_ENVELOPE, Tap};
use crate::machine::facts::End;
use crate::{About, CloseInfo, Detail, Payload};

/// Read buffer, bytes (D2): the library's default of 128 KiB is per link.
const READ_BUFFER: usize = 8 * 1024;
/// Bound of what may wait to be written, bytes: heartbeats, pings and pongs.
const MOST_UNWRITTEN: usize = 64 * 1024;

/// The library's settings for our links (D2). Compression isn't offered.
pub(crate) fn websocket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MOST_UNWRITTEN)
        // What is longer than it may be the tap has read away.
        .max_message_size(usize::try_from(MOST_ENVELOPE).ok())
        .max_frame_size(usize::try_from(MOST_ENVELOPE).ok())
}

#[derive(Debug)]
pub(crate) struct WebSocket<S> {
    socket: WebSocketStream<Tap<S>>,
    mode: Mode,
    /// Something waits to be flushed.
    unflushed: bool,
    stuck: bool,
    /// Inbound bytes already reported.
    reported: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    /// We sent a close frame and await the peer's.
    Closing,
    /// As `Closing`, but what the peer sent before it heard of it is still reported.
    Leaving,
    /// The peer sent a close frame: ours goes out, and that's it.
    Answering,
    /// The peer broke a rule: ours goes out, and what still comes is read away, for a socket that is closed
    /// with unread bytes is reset and the close frame lost.
    Draining,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    pub(crate) fn new(socket: WebSocketStream<Tap<S>>) -> Self {
        let reported = socket.get_ref().inbound();
        Self { socket, mode: Mode::Open, unflushed: false, stuck: false, reported }
    }

    pub(crate) fn say_binary(&mut self, bytes: Vec<u8>) {
        self.send(Message::Binary(bytes.into()));
    }

    fn send_close(&mut self, code: u16) {
        self.send(Message::Close(Some(CloseFrame { code: code.into(), reason: Utf8Bytes::default() })));
    }

    fn send(&mut self, message: Message) {
        // Failures show on the read side or as a write that is stuck; a full buffer is such a one.
        let _ = self.socket.start_send_unpin(message);
        self.unflushed = true;
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let polled = self.socket.poll_next_unpin(cx);
        let inbound = self.socket.get_ref().inbound();
        let news = inbound != std::mem::replace(&mut self.reported, inbound);
        let end = match polled {
            Poll::Ready(Some(Ok(message))) => match message {
                // The tap makes all text binary.
                Message::Text(text) => {
                    return Poll::Ready(Event::Frame(
                        Payload::Text(text.as_str().to_owned()),
                        About::default(),
                    ));
                }
                Message::Binary(bytes) => {
                    let payload = match self.socket.get_mut().arrived() {
                        Arrived::Text => String::from_utf8(bytes.into())
                            .map_or_else(|error| Payload::Garbled(error.into_bytes()), Payload::Text),
                        Arrived::Binary => Payload::Binary(bytes.into()),
                        Arrived::TooBig(bytes) => Payload::TooBig { bytes },
                        Arrived::Broken(bytes) => Payload::Broken { bytes },
                    };
                    return Poll::Ready(Event::Frame(payload, About::default()));
                }
                Message::Ping(_) => {
                    // The library has queued the pong.
                    self.unflushed = true;
                    return Poll::Ready(Event::Bytes);
                }
                Message::Pong(payload) => {
                    let counter = payload.as_ref().try_into().map(u64::from_be_bytes);
                    return Poll::Ready(counter.map_or(Event::Bytes, Event::Pong));
                }
                Message::Close(close) => {
                    self.mode = Mode::Answering;
                    self.unflushed = true;
                    End::Closed(self.socket.get_ref().close().unwrap_or_else(|| close_info(close)))
                }
                Message::Frame(_) => return Poll::Ready(Event::Bytes),
            },
            Poll::Ready(Some(Err(error))) => self.closed().unwrap_or_else(|| end_of(&error)),
            Poll::Ready(None) => self.closed().unwrap_or(End::Lost { detail: Detail::EndOfStream }),
            Poll::Pending => match self.socket.get_ref().write_error() {
                Some(error) => End::Lost { detail: Detail::of_io(error) },
                None if news => return Poll::Ready(Event::Bytes),
                None => return Poll::Pending,
            },
        };
        if let End::Violation { .. } = end {
            self.mode = Mode::Draining;
        }
        Poll::Ready(Event::Ended(end))
    }

    /// The peer's close frame, where the library makes nothing of it: its reason is cut inside a character or too long, or
    /// the stream ended within it. The code counts, and what comes behind it doesn't.
    fn closed(&mut self) -> Option<End> {
        let close = self.socket.get_ref().close()?;
        // What may stand on the wire is answered by the same, as the library does.
        let code = match close.code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => close.code,
            _ => NORMAL,
        };
        self.send_close(code);
        self.mode = Mode::Answering;
        Some(End::Closed(close))
    }

    fn poll_closing(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            match self.socket.poll_next_unpin(cx) {
                Poll::Ready(None | Some(Err(_) | Ok(Message::Close(_)))) => return Poll::Ready(Event::Gone),
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn poll_draining(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let mut scratch = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(self.socket.get_mut()).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(Event::Gone),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Link for WebSocket<S> {
    fn forgive(&mut self) {
        self.socket.get_mut().forgive();
    }

    fn say(&mut self, text: String) {
        self.send(Message::Text(text.into()));
    }

    fn ping(&mut self, counter: u64) {
        self.send(Message::Ping(counter.to_be_bytes().to_vec().into()));
    }

    fn close(&mut self, code: u16) {
        self.send_close(code);
        if self.mode == Mode::Open {
            self.mode = Mode::Closing;
        }
    }

    fn leave(&mut self) {
        self.close(NORMAL);
        if self.mode == Mode::Closing {
            self.mode = Mode::Leaving;
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Event> {
        if self.unflushed {
            match self.socket.poll_flush_unpin(cx) {
                Poll::Ready(_) => {
                    self.unflushed = false;
                    if std::mem::take(&mut self.stuck) {
                        return Poll::Ready(Event::WriteStuck(false));
                    }
                }
                Poll::Pending if !self.stuck => {
                    self.stuck = true;
                    return Poll::Ready(Event::WriteStuck(true));
                }
                Poll::Pending => {}
            }
        }
        match self.mode {
            Mode::Open | Mode::Leaving if read => self.poll_open(cx),
            Mode::Open | Mode::Leaving => Poll::Pending,
            Mode::Closing => self.poll_closing(cx),
            Mode::Answering if self.unflushed => Poll::Pending,
            Mode::Answering => Poll::Ready(Event::Gone),
            Mode::Draining => self.poll_draining(cx),
        }
    }
}

fn close_info(frame: Option<CloseFrame>) -> CloseInfo {
    frame.map_or(CloseInfo { code: NO_CODE, reason: String::new() }, |frame| CloseInfo {
        code: frame.code.into(),
        reason: frame.reason.as_str().to_owned(),
    })
}

/// What a read error means for the link.
fn end_of(error: &Error) -> End {
    let violation = |code| End::Violation { code, detail: Detail::of_frame(error) };
    match error {
        Error::Capacity(_) => violation(TOO_BIG),
        Error::Utf8(_) => violation(INVALID_TEXT),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => End::Lost { detail: Detail::EndOfStream },
        Error::Protocol(_) => violation(PROTOCOL),
        Error::Io(error) => End::Lost { detail: Detail::of_io(error) },
        Error::Tls(_)
        | Error::WriteBufferFull(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_) => End::Lost { detail: Detail::of_frame(error) },
    }
}
