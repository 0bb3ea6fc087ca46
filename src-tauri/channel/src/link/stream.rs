//! A link that is an HTTP answer without an end: events, or lines. The server talks and we listen, so there is no ping; that bytes come
//! is all the proof of life there is.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Incoming};

use super::events::{Decoder, Format, Unit};
use super::{Event, Link};
use crate::Detail;
use crate::machine::facts::{End, Proof};

/// What does the work of the connection under an answer. It may be polled after its end.
pub(crate) type Work = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

pub(crate) struct Stream {
    work: Work,
    body: Incoming,
    decoder: Decoder,
    units: VecDeque<Unit>,
    /// Said goodbye, or ended: nothing more is told but that.
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    Closing,
    Over,
}

impl Stream {
    pub(crate) fn new(work: Work, body: Incoming, format: Format) -> Self {
        let (decoder, units) = (Decoder::new(format), VecDeque::new());
        Self { work, body, decoder, units, mode: Mode::Open }
    }

    /// The next stream is asked for from after this event, unless a message comes.
    pub(crate) fn begin_after(&mut self, id: String) {
        self.units.push_back(Unit::Mark(id));
    }

    fn unit(&mut self) -> Option<Event> {
        let unit = self.units.pop_front()?;
        if self.units.is_empty() {
            // A burst leaves no room behind.
            self.units = VecDeque::new();
        }
        Some(match unit {
            Unit::Message(payload, about) => Event::Frame(payload, about),
            Unit::Beat => Event::Beat,
            Unit::Mark(id) => Event::Mark(id),
            Unit::Retry(wait) => Event::Retry(wait),
        })
    }

    fn end(&mut self, end: End) -> Poll<Event> {
        self.mode = Mode::Over;
        Poll::Ready(Event::Ended(end))
    }
}

impl Link for Stream {
    fn proof(&self) -> Proof {
        Proof::Bytes
    }

    fn say(&mut self, _text: String) {}

    fn ping(&mut self, _counter: u64) {}

    fn close(&mut self, _code: u16) {
        // There is nobody to say goodbye to.
        self.mode = Mode::Closing;
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Event> {
        match self.mode {
            Mode::Open => {}
            Mode::Closing => return Poll::Ready(Event::Gone),
            Mode::Over => return Poll::Pending,
        }
        if !read {
            return Poll::Pending;
        }
        if let Some(event) = self.unit() {
            return Poll::Ready(event);
        }
        // What it says at its end, the body says too.
        let _ = self.work.as_mut().poll(cx);
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Ok(bytes) = frame.into_data() {
                    self.decoder.take(&bytes, &mut self.units);
                }
                // A piece of something, at least.
                Poll::Ready(self.unit().unwrap_or(Event::Bytes))
            }
            Poll::Ready(Some(Err(error))) => self.end(End::Lost { detail: detail(&error) }),
            Poll::Ready(None) => self.end(End::Lost { detail: Detail::Finished }),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Why a body broke off.
pub(crate) fn detail(error: &hyper::Error) -> Detail {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.map_or(Detail::EndOfStream, Detail::of_io)
}
