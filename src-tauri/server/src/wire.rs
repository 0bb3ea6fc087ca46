//! The TCP side of a link: a listener whose connections can be reset, ended, drained or written to from
//! outside the WebSocket library, and whose clients' pings can be hidden from it.

use std::{
    io,
    net::{IpAddr, Shutdown},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Sleep, sleep},
};

use crate::shared::BODY_IN_HEADS;

/// When to accept again after that failed, as it does where there are no file descriptors. Too low: a busy loop; too high:
/// clients wait.
const ACCEPT_AGAIN: Duration = Duration::from_millis(500);

/// One TCP connection. It is closed once its reader and everything that holds it are gone.
pub(crate) struct Wire {
    stream: TcpStream,
    peer: IpAddr,
    /// From now on the client's bytes are WebSocket frames.
    upgraded: AtomicBool,
    /// A request's head is there, and its answer isn't yet.
    answering: AtomicBool,
    /// A request's head has been there: an answer may be under way to the client.
    asked: AtomicBool,
    /// When the wait for a request began: the first one, or the next.
    waits_since: Mutex<Instant>,
    /// How long a head may take to come.
    head_limit: Duration,
    /// Hide pings from the WebSocket library, which answers them unasked; shared by all links.
    hide_pings: Arc<AtomicBool>,
}

impl Wire {
    /// Where the other end is: the client, or the proxy.
    pub(crate) fn peer(&self) -> IpAddr {
        self.peer
    }

    pub(crate) fn upgrade(&self) {
        self.upgraded.store(true, Relaxed);
    }

    pub(crate) fn answering(&self, answering: bool) {
        *self.since() = Instant::now();
        self.asked.store(true, Relaxed);
        self.answering.store(answering, Relaxed);
    }

    /// Since when it waits for a request, if it does.
    pub(crate) fn waits_since(&self) -> Option<Instant> {
        let waits = !self.is_upgraded() && !self.answering.load(Relaxed);
        waits.then(|| *self.since())
    }

    fn since(&self) -> MutexGuard<'_, Instant> {
        self.waits_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends our side, in place of the first answer with as much of this one as can be written at once.
    pub(crate) fn turn_away(&self, answer: &[u8]) {
        if !self.asked.load(Relaxed) {
            // Who doesn't take it won't be told.
            let _ = self.stream.try_write(answer);
        }
        self.finish();
    }

    fn is_upgraded(&self) -> bool {
        self.upgraded.load(Relaxed)
    }

    /// Ends our side of the stream (FIN), whoever else still holds the connection.
    pub(crate) fn finish(&self) {
        // An error says that it has already ended.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }

    /// Makes the last close of this connection a reset (RST).
    pub(crate) fn reset_on_close(&self) {
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Reads and forgets until the client ends its side: closing with unread bytes would be a reset.
    pub(crate) async fn drain(&self) {
        let mut forgotten = [0; 4096];
        while self.stream.readable().await.is_ok() {
            match self.stream.try_read(&mut forgotten) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }

    pub(crate) async fn write_raw(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What hyper and the WebSocket library read and write. Until the upgrade, a head that doesn't come to its end and an answer
/// that nobody reads end it.
pub(crate) struct Stream {
    wire: Arc<Wire>,
    frames: Frames,
    /// Runs from the first byte of a head to its last; of the first one from the start.
    head: Option<Pin<Box<Sleep>>>,
    /// Runs while nothing can be written.
    unread: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    pub(crate) fn wire(&self) -> Arc<Wire> {
        Arc::clone(&self.wire)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { wire, frames, head, .. } = self.get_mut();
        if wire.is_upgraded() || wire.answering.load(Relaxed) {
            *head = None;
        }
        loop {
            if let Some(head) = head
                && head.as_mut().poll(cx).is_ready()
            {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            ready!(wire.stream.poll_read_ready(cx))?;
            let free = buf.initialize_unfilled();
            match wire.stream.try_read(free) {
                Ok(read) => {
                    if wire.is_upgraded() {
                        frames.pass(&mut free[..read], wire.hide_pings.load(Relaxed));
                    } else if head.is_none() && !wire.answering.load(Relaxed) {
                        *head = Some(Box::pin(sleep(wire.head_limit)));
                    }
                    buf.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { wire, unread, .. } = self.get_mut();
        loop {
            if wire.stream.poll_write_ready(cx)?.is_pending() {
                // Of an upgraded one the link knows how long it may take.
                if wire.is_upgraded() {
                    return Poll::Pending;
                }
                ready!(
                    unread
                        .get_or_insert_with(|| Box::pin(sleep(wire.head_limit * BODY_IN_HEADS)))
                        .as_mut()
                        .poll(cx)
                );
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            *unread = None;
            match wire.stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.finish();
        Poll::Ready(Ok(()))
    }
}

/// Follows the client's frames just enough to find their first bytes, and turns pings into pongs there.
#[derive(Default)]
struct Frames {
    at: At,
}

#[derive(Default, Clone, Copy)]
enum At {
    #[default]
    Opcode,
    Length,
    LongLength {
        left: u8,
        mask: u64,
        length: u64,
    },
    Rest {
        left: u64,
    },
}

impl Frames {
    fn pass(&mut self, bytes: &mut [u8], hide_pings: bool) {
        const PING: u8 = 0x9;
        const PONG: u8 = 0xa;
        let mut rest = bytes;
        while let [byte, tail @ ..] = rest {
            let mut passed = 0;
            self.at = match self.at {
                At::Opcode => {
                    if hide_pings && *byte & 0x0f == PING {
                        *byte = *byte & 0xf0 | PONG;
                    }
                    At::Length
                }
                At::Length => {
                    let mask = if *byte & 0x80 == 0 { 0 } else { 4 };
                    match *byte & 0x7f {
                        126 => At::LongLength { left: 2, mask, length: 0 },
                        127 => At::LongLength { left: 8, mask, length: 0 },
                        short => At::payload(mask + u64::from(short)),
                    }
                }
                At::LongLength { left, mask, length } => {
                    let length = length << 8 | u64::from(*byte);
                    match left - 1 {
                        0 => At::payload(length.saturating_add(mask)),
                        left => At::LongLength { left, mask, length },
                    }
                }
                At::Rest { left } => {
                    // This byte, and as many of those after it as belong to the frame.
                    passed = usize::try_from(left - 1).unwrap_or(usize::MAX).min(tail.len());
                    At::payload(left - 1 - passed as u64)
                }
            };
            rest = &mut tail[passed..];
        }
    }
}

impl At {
    fn payload(left: u64) -> Self {
        if left == 0 { Self::Opcode } else { Self::Rest { left } }
    }
}

/// The listener.
pub(crate) struct Door {
    listener: TcpListener,
    hide_pings: Arc<AtomicBool>,
    head_limit: Duration,
}

impl Door {
    pub(crate) fn new(listener: TcpListener, hide_pings: Arc<AtomicBool>, head_limit: Duration) -> Self {
        Self { listener, hide_pings, head_limit }
    }

    /// The next connection. Nothing is lost if the wait is broken off.
    pub(crate) async fn accept(&mut self) -> Stream {
        let (stream, peer) = loop {
            match self.listener.accept().await {
                Ok(accepted) => break accepted,
                // Of that connection alone.
                Err(error) if is_of_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted");
                    sleep(ACCEPT_AGAIN).await;
                }
            }
        };
        // Small frames must not wait for one another; a failure only costs speed.
        let _ = stream.set_nodelay(true);
        let (hide_pings, head_limit) = (Arc::clone(&self.hide_pings), self.head_limit);
        let [upgraded, answering, asked] = [false; 3].map(AtomicBool::new);
        let waits_since = Mutex::new(Instant::now());
        let peer = peer.ip();
        let wire = Wire { stream, peer, upgraded, answering, asked, waits_since, head_limit, hide_pings };
        let wire = Arc::new(wire);
        Stream { wire, frames: Frames::default(), head: Some(Box::pin(sleep(head_limit))), unread: None }
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// A request's connection, for its handler.
#[derive(Clone)]
pub(crate) struct Peer(pub(crate) Arc<Wire>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_are_hidden_wherever_the_stream_is_cut_and_nothing_else_is_touched() {
        let mut stream = vec![0x81, 0x80, 1, 2, 3, 4]; // an empty text, masked
        stream.extend([0x89, 0x82, 9, 9, 9, 9, 0x89, 0x89]); // a ping whose payload looks like pings
        stream.extend([0x82, 0x80 | 126, 1, 0, 9, 9, 9, 9]);
        stream.extend([0x89; 256]);
        stream.extend([0x82, 0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0, 9, 9, 9, 9]);
        stream.extend([0x89; 65536]);
        stream.extend([0x89, 0x00]); // an unmasked, empty ping
        let mut hidden = stream.clone();
        hidden[6] = 0x8a;
        let last = hidden.len() - 2;
        hidden[last] = 0x8a;
        for step in [1, 2, 3, 7, 1000, stream.len()] {
            let (mut frames, mut passed) = (Frames::default(), stream.clone());
            passed.chunks_mut(step).for_each(|piece| frames.pass(piece, true));
            assert!(passed == hidden, "cut every {step} bytes");
        }
        let mut untouched = stream.clone();
        Frames::default().pass(&mut untouched, false);
        assert!(untouched == stream);
    }
}
