//! A new link before the old one ends (N1), for a credential that ends at a known time: two links of one channel, the one that
//! is up and the next, until the next one stands.
//!
//! ```text
//!          Renew           due                 opened             stands
//!   nothing ────────> Due ──────────> Dialling ────────────> Open ─────────> Leaving ──────> nothing
//!                                      │  │ failed, dropped   │ │                     gone
//!                                      │  └───────> nothing <─┘ │
//!                                      └────────────────────────┴──> HandedOver ──> nothing
//!                                        the old link ends by 4500             stands, or takes long
//! ```
//!
//! Whatever else the old link ends by, the next one's dial or link is simply the channel's from then on.

use std::time::{Duration, SystemTime};

use super::dialling::after_gap;
use super::{Machine, Phase};
use crate::end::verdict::{Verdict, verdict};
use crate::machine::facts::{End, Now, Output};
use crate::machine::links::{Closing, Dial, Renewal, Up};
use crate::{Cause, CloseInfo, DialAsk, Payload, Stage, Timing};

impl Machine {
    /// The owner has a fresh credential. Only a link that stands is renewed: any other dial takes it anyway.
    pub(super) fn renew(&mut self, now: Now) {
        if let Phase::Up(up) = &self.phase
            && up.conversation.waits().is_none()
            && self.renewal.is_none()
        {
            let at = now.mono.max(after_gap(self.last_dial, self.config.timing.dial_gap));
            self.renewal = Some(Box::new(Renewal::Due { at }));
        }
    }

    pub(super) fn tick_renewal(&mut self, now: Now) {
        let Timing { double, close_wait, .. } = self.config.timing;
        self.doubles.take_if(|doubles| self.renewal.is_none() && doubles.are_over(now.mono, double));
        let due = |at: Duration| at <= now.mono;
        match self.renewal.as_deref_mut() {
            Some(Renewal::Due { at }) if due(*at) && self.closing.is_none() => {
                let dial =
                    self.begin_dial(DialAsk { with_origin: self.with_origin, ..DialAsk::default() }, now);
                self.renewal = Some(Box::new(Renewal::Dialling(dial)));
            }
            Some(Renewal::Dialling(dial)) => {
                dial.note(now, &self.config);
                if due(dial.limit) {
                    self.drop_other(now);
                }
            }
            Some(Renewal::Open(up)) => {
                let generation = up.generation;
                self.tick_link(generation, now);
            }
            Some(Renewal::HandedOver { until, .. }) if due(*until) => self.renewal = None,
            // What it brought can't be read yet.
            Some(Renewal::Leaving { closing, .. }) if due(closing.until) && self.held => {
                closing.until = now.mono + close_wait;
            }
            Some(Renewal::Leaving { closing, .. }) if due(closing.until) => self.drop_other(now),
            Some(Renewal::Due { .. } | Renewal::HandedOver { .. } | Renewal::Leaving { .. }) | None => {}
        }
    }

    /// The owner takes frames again.
    pub(super) fn released(&mut self, now: Now) {
        if let Phase::Up(up) = &mut self.phase {
            up.life.released(now.mono, &self.liveness);
        }
        if let Some(Renewal::Open(up)) = self.renewal.as_deref_mut() {
            up.life.released(now.mono, &self.liveness);
        }
        if let Some(Renewal::Leaving { closing, .. }) = self.renewal.as_deref_mut() {
            closing.until = now.mono + self.config.timing.close_wait;
        }
    }

    /// A wake or another network: what the next link waits for may never come.
    pub(super) fn doubt_next(&mut self, now: Now) {
        match self.renewal.as_deref_mut() {
            Some(Renewal::Dialling(dial)) => dial.lose_patience(now, &self.config.timing),
            Some(Renewal::Open(up)) => up.life.want_probe(),
            Some(Renewal::Due { .. } | Renewal::HandedOver { .. } | Renewal::Leaving { .. }) | None => {}
        }
    }

    /// Whether the server may have taken note of the next link, and so ended the old one for its sake.
    pub(super) fn is_next_asked(&self) -> bool {
        match self.renewal.as_deref() {
            Some(Renewal::Dialling(dial)) => dial.stage.may_be_late() || dial.stage == Stage::Subscribe,
            Some(Renewal::Open(_)) => true,
            Some(Renewal::Due { .. } | Renewal::HandedOver { .. } | Renewal::Leaving { .. }) | None => false,
        }
    }

    /// The channel's link has ended: the next one's dial or link is the channel's, if there is one. It isn't where another
    /// instance took over before ours was asked for.
    pub(super) fn hand_over(&mut self, cause: &Cause, now: Now) -> bool {
        let Phase::Up(Up { since, .. }) = self.phase else { return false };
        let replaced = self.is_quiet(cause);
        let comes = match self.renewal.as_deref() {
            Some(Renewal::Dialling(_) | Renewal::Open(_)) => !replaced || self.is_next_asked(),
            Some(Renewal::Due { .. }) => false,
            Some(Renewal::HandedOver { .. } | Renewal::Leaving { .. }) | None => return false,
        };
        if !comes {
            self.drop_other(now);
            return false;
        }
        (self.generation, self.phase) = match self.renewal.take().map(|next| *next) {
            Some(Renewal::Dialling(dial)) => (dial.generation, Phase::Dialling(dial)),
            Some(Renewal::Open(up)) => {
                self.kept = up.conversation.talk.kept();
                (up.generation, Phase::Up(up))
            }
            Some(Renewal::Due { .. } | Renewal::HandedOver { .. } | Renewal::Leaving { .. }) | None => {
                return false;
            }
        };
        self.count_next();
        if replaced {
            self.says_nothing_twice();
            let until = now.mono + self.config.timing.handover;
            self.renewal = Some(Box::new(Renewal::HandedOver { since, until }));
        }
        true
    }

    /// The server keeps one link: what it says over each is said on purpose.
    fn says_nothing_twice(&mut self) {
        self.doubles = None;
    }

    /// Since when the channel is shown as connected, though the link is only about to stand.
    pub(super) fn handed_over_since(&self) -> Option<SystemTime> {
        match self.renewal.as_deref() {
            Some(Renewal::HandedOver { since, .. }) => Some(*since),
            Some(Renewal::Due { .. } | Renewal::Dialling(_) | Renewal::Open(_) | Renewal::Leaving { .. })
            | None => None,
        }
    }

    /// A link stands that takes the place of another, which leaves if it is still there: since when the channel is connected.
    pub(super) fn take_place(&mut self, generation: u64, now: Now) -> Option<SystemTime> {
        if let Some(since) = self.handed_over_since() {
            self.renewal = None;
            return Some(since);
        }
        if !matches!(self.renewal.as_deref(), Some(Renewal::Open(next)) if next.generation == generation) {
            return None;
        }
        self.count_link(None, now);
        let Some(Renewal::Open(mut up)) = self.renewal.take().map(|next| *next) else { return None };
        let Phase::Up(of_channel) = &mut self.phase else { return None };
        std::mem::swap(of_channel, &mut up);
        self.kept = of_channel.conversation.talk.kept();
        self.generation = generation;
        self.count_next();
        let (old, since) = (up.generation, up.since);
        let timing = &self.config.timing;
        let unproven = up.life.is_unproven(now.mono, timing);
        let closing = Closing { generation: old, until: now.mono + timing.close_wait, unproven };
        self.renewal = Some(Box::new(Renewal::Leaving { up, closing }));
        self.last_close = Some(CloseInfo { code: crate::end::close::NORMAL, reason: String::new() });
        self.outputs.push_back(Output::Leave { generation: old });
        Some(since)
    }

    /// What is counted of dials counts the one that has become the channel's.
    fn count_next(&mut self) {
        self.forgot = None;
        self.attempt = self.attempt.saturating_add(1);
        self.delay_before = Duration::ZERO;
    }

    fn is_quiet(&self, cause: &Cause) -> bool {
        let config = &self.config;
        verdict(cause, None, &config.quiet_close_codes, &config.timing) == Verdict::Quiet
    }

    /// The next link's dial has failed: nobody need know.
    pub(super) fn next_failed(&mut self, haunts: bool, now: Now) {
        self.renewal = None;
        if haunts {
            self.haunted_beside(now, self.config.timing.ghost_life);
        }
    }

    /// The link beside the channel's has ended: the next one before it stood, or the old one that leaves.
    pub(super) fn other_ended(&mut self, generation: u64, end: End, now: Now) {
        let Some(Renewal::Open(up) | Renewal::Leaving { up, .. }) = self.renewal.as_deref_mut() else {
            return;
        };
        if up.generation != generation {
            return;
        }
        if up.conversation.may_be_plain {
            self.config.memory.with(|known| known.offer.failed(true));
        }
        let replaced = if let End::Closed(close) = &end {
            let said = up.conversation.talk.closed(close.code, &close.reason);
            said.map_or_else(
                || self.is_quiet(&Cause::Closed(close.clone())),
                |step| step == tidings_dialect::Step::Replaced,
            )
        } else {
            false
        };
        if self.leaves(generation) {
            if replaced {
                self.says_nothing_twice();
            }
            if let End::Lost { .. } = end {
                self.left(generation);
            }
        } else if replaced {
            // Whoever replaces the newest link replaces the channel.
            self.take_place(generation, now);
            self.ended(end, now);
        } else {
            self.next_lost(generation, !matches!(end, End::Lost { .. }), now);
        }
    }

    /// The next link is gone, or is dropped if `there`, before it stood: the old one goes on. The server may end that one all the
    /// same, having taken note of the next (R3).
    pub(super) fn next_lost(&mut self, generation: u64, there: bool, now: Now) {
        if !matches!(self.renewal.as_deref(), Some(Renewal::Open(up)) if up.generation == generation) {
            return;
        }
        self.renewal = None;
        if there {
            self.outputs.push_back(Output::Abort { generation });
        }
        self.links_closed += 1;
        self.haunted_beside(now, self.config.timing.ghost_young_life);
    }

    /// Nobody waits for the link beside the channel's any more.
    pub(super) fn drop_other(&mut self, now: Now) {
        match self.renewal.as_deref() {
            Some(Renewal::Dialling(dial)) => {
                let Dial { generation, stage, .. } = *dial;
                self.outputs.push_back(Output::Abandon { generation });
                self.config.memory.with(|known| known.ghosts.settled());
                self.next_failed(stage.may_be_late(), now);
            }
            Some(Renewal::Open(up)) => {
                let generation = up.generation;
                self.next_lost(generation, true, now);
            }
            Some(Renewal::Leaving { closing, .. }) => {
                let Closing { generation, unproven, .. } = *closing;
                self.outputs.push_back(Output::Abort { generation });
                self.left(generation);
                if unproven {
                    self.haunted_beside(now, self.config.timing.ghost_young_life);
                }
            }
            Some(Renewal::Due { .. } | Renewal::HandedOver { .. }) | None => self.renewal = None,
        }
    }

    /// Whether this link has said its goodbye.
    pub(super) fn leaves(&self, generation: u64) -> bool {
        matches!(self.renewal.as_deref(), Some(Renewal::Leaving { up, .. }) if up.generation == generation)
    }

    /// A link that left is gone.
    pub(super) fn left(&mut self, generation: u64) {
        if self.leaves(generation) {
            self.renewal = None;
            self.links_closed += 1;
        }
    }

    /// R3: what the server may still complete it will before long, for it works: a link is or was up beside it.
    fn haunted_beside(&self, now: Now, life: Duration) {
        self.config.memory.with(|known| {
            known.ghosts.add(now, life);
            known.ghosts.answered(now);
        });
    }

    /// Whether the same came over the other link just now.
    pub(super) fn is_double(&mut self, generation: u64, payload: &Payload, now: Now) -> bool {
        let window = self.config.timing.double;
        self.doubles.as_mut().is_some_and(|doubles| doubles.has(generation, payload, now.mono, window))
    }
}
