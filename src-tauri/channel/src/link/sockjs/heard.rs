//! What a session has brought, as events of its link.

use std::collections::VecDeque;

use super::frames::{Decoder, Unit};
use crate::end::close::PROTOCOL;
use crate::link::Event;
use crate::machine::facts::End;
use crate::{About, Detail};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    decoder: Decoder,
    units: VecDeque<Unit>,
    broken: bool,
    /// The server has said that the session is open.
    open: bool,
}

impl Heard {
    /// Takes bytes as they come.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.broken |= self.decoder.take(bytes, &mut self.units).is_err();
    }

    /// What carries the frames has ended here: one that is in its midst can't be gone on with.
    pub(crate) fn is_whole(&self) -> bool {
        self.decoder.is_whole()
    }

    /// Where no frame may be in its midst, one is.
    pub(crate) fn breaks_off(&mut self) {
        self.broken |= !self.is_whole();
    }

    /// Whether the server has said anything.
    pub(crate) fn has_begun(&self) -> bool {
        self.broken || self.open || !self.units.is_empty()
    }

    /// The next event of what has been taken.
    pub(crate) fn event(&mut self) -> Option<Event> {
        while let Some(unit) = self.units.pop_front() {
            if self.units.is_empty() {
                // A burst leaves no room behind.
                self.units = VecDeque::new();
            }
            return Some(match unit {
                Unit::Open if !std::mem::replace(&mut self.open, true) => continue,
                // It is another one: the server has lost ours.
                Unit::Open => Event::Ended(End::Lost { detail: Detail::SessionGone }),
                Unit::Beat => Event::Beat,
                Unit::Message(payload) => Event::Frame(payload, About::default()),
                Unit::Closed(close) => Event::Ended(End::Closed(close)),
            });
        }
        let violation = End::Violation { code: PROTOCOL, detail: Detail::BrokenFrame };
        self.broken.then_some(Event::Ended(violation))
    }
}
