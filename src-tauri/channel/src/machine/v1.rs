//! `tidings.v1` beside the talk: whether an offer came to something, what is acknowledged and read, and whether all is here (V2 to V6).

use std::time::{Duration, SystemTime};

use super::{Machine, Phase};
use crate::machine::facts::{Now, Output, Said};
use crate::machine::links::{Dial, Up};
use crate::{CaughtUp, Stage};

/// How long it is told that messages may be missing, though all that was sent since is here. Too low: who comes back to a desk doesn't see
/// it; too high: it is still told when everybody knows. (The inbox tells it for good.)
const GAP_TOLD: Duration = Duration::from_secs(24 * 60 * 60);

impl Machine {
    /// A dial failed. Whether the offer may be why: then the next one is made without, and soon.
    pub(super) fn doubt_dial(&mut self, dial: &Dial) -> bool {
        // Nothing was offered before that. Whatever the answer says: 403 is what many servers can only say.
        let by_offer = dial.offers && dial.stage == Stage::Upgrade;
        if dial.stage == Stage::Upgrade {
            self.config.memory.with(|known| known.offer.failed(by_offer));
        }
        by_offer
    }

    /// A link ends. One that was opened by the offer and has not said a word of it may have ended because of it.
    pub(super) fn doubt_link(&mut self, generation: u64) {
        if self.link(generation).is_some_and(|up| up.conversation.may_be_plain) {
            self.config.memory.with(|known| known.offer.failed(true));
        }
    }

    /// V4.
    pub(super) fn stored(&mut self, generation: u64, number: u64, now: Now) {
        // A link that has said its goodbye takes nothing any more: what it brought comes again.
        if self.leaves(generation) {
            return;
        }
        let Some(Up { conversation, .. }) = self.link(generation) else { return };
        if let Some(text) = conversation.talk.stored(number) {
            self.tell(generation, text, now);
        }
    }

    /// V6.
    pub(super) fn read(&mut self, ids: &[String], now: Now) {
        let generation = self.generation;
        let Some(Up { conversation, .. }) = self.link(generation) else { return };
        for text in conversation.talk.read(ids) {
            self.tell(generation, text, now);
        }
    }

    fn tell(&mut self, generation: u64, text: String, now: Now) {
        let Some(Up { life, .. }) = self.link(generation) else { return };
        life.said(now.mono);
        self.outputs.push_back(Output::Say { generation, text: Said(text) });
    }

    /// V5: what the server says of what was missed.
    pub(super) fn is_caught_up(&mut self, generation: u64, told: CaughtUp, now: Now) {
        if let CaughtUp::Gap { .. } = told {
            self.gap = Some((told, now.wall));
        }
        let over = |told: SystemTime| now.wall.duration_since(told).is_ok_and(|ago| ago > GAP_TOLD);
        self.gap.take_if(|(_, told)| over(*told));
        let gap = self.gap.map(|(gap, _)| gap);
        if let Some(Up { conversation, .. }) = self.link(generation) {
            conversation.caught_up = Some(gap.unwrap_or(told));
        }
    }

    pub(super) fn caught_up(&self) -> Option<CaughtUp> {
        let Phase::Up(Up { conversation, .. }) = &self.phase else { return None };
        conversation.caught_up
    }
}
