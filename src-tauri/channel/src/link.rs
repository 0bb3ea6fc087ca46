//! What carries a link's words: one thing that is open, whatever it is made of, behind [`Link`]. Used by the
//! [driver](crate::driver) alone.

pub(crate) mod acknowledged;
pub(crate) mod alarm;
pub(crate) mod events;
pub(crate) mod mqtt;
pub(crate) mod sockjs;
pub(crate) mod stream;
pub(crate) mod tap;
pub(crate) mod websocket;

use std::task::{Context, Poll};
use std::time::Duration;

use crate::machine::facts::{End, Proof};
use crate::{About, Delivery, Payload};

/// What a link reports. Of `Ended` there is exactly one; `Gone` follows it, or our own close.
#[derive(Debug)]
pub(crate) enum Event {
    Bytes,
    /// A sign of life, made to be one.
    Beat,
    Frame(Payload, About),
    /// Up to where the server has told all: for the next dial.
    Mark(String),
    /// How long the server wants the next dial to wait.
    Retry(Duration),
    Pong(u64),
    /// The server has proven to have the receipts of all deliveries up to the one of this place.
    Settled(u64),
    WriteStuck(bool),
    Ended(End),
    Gone,
}

/// A way for words to go both ways, or one. Nothing of it blocks; what can't be sent shows as a write that is stuck, or as an end.
pub(crate) trait Link: Send {
    /// What it can prove its peer's life by.
    fn proof(&self) -> Proof {
        Proof::Pings
    }

    /// Sends a text.
    fn say(&mut self, text: String);

    /// Asks for a proof of life, which comes as [`Event::Pong`] of this number.
    fn ping(&mut self, counter: u64);

    /// Says goodbye; [`Event::Gone`] follows once the peer has answered or gone.
    fn close(&mut self, code: u16);

    /// As [`close`](Self::close) with 1000, and what the peer sent before it heard of it is still reported.
    fn leave(&mut self) {
        self.close(crate::end::close::NORMAL);
    }

    /// Acknowledges a message that came over it.
    fn received(&mut self, _delivery: Delivery) {}

    /// Frames that are broken in themselves are passed over from now on.
    fn forgive(&mut self) {}

    /// The next event. `read`: whether frames may be read; without, only writing goes on. May be dropped
    /// and polled again at any time.
    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Event>;
}
