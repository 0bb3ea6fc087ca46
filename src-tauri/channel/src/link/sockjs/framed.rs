//! SockJS over a WebSocket: its frames are texts of that.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use tokio::time::Instant;

use super::frames::said;
use super::heard::Heard;
use crate::end::close::NORMAL;
use crate::link::{Event, Link};
use crate::machine::facts::End;
use crate::memory::Memory;
use crate::{Detail, Payload};

/// A session over a link that is a WebSocket.
pub(crate) struct Framed<L> {
    socket: L,
    heard: Heard,
    /// An end was told: nothing more is, but that the socket has gone.
    over: bool,
    /// We said goodbye, and listen no more.
    closing: bool,
    memory: Memory,
    /// The last `h`, if nothing has come behind it.
    beat: Option<Instant>,
}

impl<L: Link> Framed<L> {
    /// `memory` is asked whether the server wants an answer to its signs of life.
    pub(crate) fn new(socket: L, memory: Memory) -> Self {
        Self { socket, heard: Heard::default(), over: false, closing: false, memory, beat: None }
    }

    /// Waits until the server has said anything, or why it won't. A close is something: the link tells of it.
    pub(crate) async fn begin(&mut self) -> Result<(), End> {
        poll_fn(|cx| {
            while !self.heard.has_begun() && !self.over {
                if let Event::Ended(end) = ready!(self.poll_socket(cx, true)) {
                    return Poll::Ready(Err(end));
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// The socket's next event, without what was said by frames.
    fn poll_socket(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Event> {
        let event = ready!(self.socket.poll_event(cx, read));
        if let Event::Frame(Payload::Text(text), _) = &event {
            return Poll::Ready(self.take(text.as_bytes()));
        }
        if let Event::Frame(Payload::Garbled(bytes) | Payload::Binary(bytes), _) = &event {
            return Poll::Ready(self.take(bytes));
        }
        Poll::Ready(event)
    }

    fn take(&mut self, frame: &[u8]) -> Event {
        self.heard.take(frame);
        // Here a frame is a line without its end.
        self.heard.take(b"\n");
        self.heard.breaks_off();
        Event::Bytes
    }
}

impl<L: Link> Link for Framed<L> {
    fn forgive(&mut self) {
        self.socket.forgive();
    }

    fn say(&mut self, text: String) {
        self.socket.say(said(&[text]));
    }

    fn ping(&mut self, counter: u64) {
        self.socket.ping(counter);
    }

    fn close(&mut self, code: u16) {
        self.socket.close(code);
        self.closing = true;
    }

    fn leave(&mut self) {
        self.socket.leave();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Event> {
        loop {
            if read
                && !self.over
                && !self.closing
                && let Some(event) = self.heard.event()
            {
                self.beat = matches!(event, Event::Beat).then(Instant::now);
                if self.beat.is_some() && self.memory.look(|known| known.beats.are_answered()) {
                    self.socket.say(said(&["h".to_owned()]));
                }
                if let Event::Ended(end) = &event {
                    self.memory.with(|known| known.beats.ended(None));
                    self.over = true;
                    if !matches!(end, End::Violation { .. }) {
                        // The close of the socket, which comes behind, says nothing more.
                        self.socket.close(NORMAL);
                    }
                }
                return Poll::Ready(event);
            }
            let event = ready!(self.poll_socket(cx, read));
            if self.over {
                if let Event::Gone | Event::Ended(End::Lost { .. }) = event {
                    return Poll::Ready(Event::Gone);
                }
                continue;
            }
            let Event::Ended(end) = event else { return Poll::Ready(event) };
            self.over = true;
            let is_lost = matches!(end, End::Lost { .. });
            let after = self.beat.filter(|_| is_lost).map(|beat| beat.elapsed());
            let wants_answers = self.memory.with(|known| known.beats.ended(after));
            let unanswered = End::Lost { detail: Detail::BeatUnanswered };
            return Poll::Ready(Event::Ended(if wants_answers { unanswered } else { end }));
        }
    }
}
