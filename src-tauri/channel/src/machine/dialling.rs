//! Dials: when the next one may begin, what it asks for, how far it is, and the link that it opens.

use std::sync::Arc;
use std::time::Duration;

use tidings_dialect::{Given, Kept};

use super::conversation::Conversation;
use super::facts::{Now, Output, Proof};
use super::idle::By;
use super::life::Life;
use super::links::{Dial, Renewal, Up};
use super::{Machine, Phase};
use crate::{Carrier, Cause, DialAsk, PeerCheck, Stage};

/// Links that end over the same thing before it is passed over, or the cursor skips past it. Too low: a line's noise costs
/// messages; too high: what comes behind it is late.
const TWICE: u32 = 2;

impl Machine {
    /// The dial of this number: the channel's, or its next link's (N1).
    pub(super) fn dial_of(&mut self, generation: u64) -> Option<&mut Dial> {
        let dial = match (&mut self.phase, self.renewal.as_deref_mut()) {
            (Phase::Dialling(dial), _) | (_, Some(Renewal::Dialling(dial))) => dial,
            (_, _) => return None,
        };
        (dial.generation == generation).then_some(dial)
    }

    /// A dial has come further.
    pub(super) fn reached(&mut self, generation: u64, stage: Stage, now: Now) {
        let config = Arc::clone(&self.config);
        let Some(dial) = self.dial_of(generation) else { return };
        dial.reach(stage, now, &config.timing);
        if stage.may_be_late() && generation != self.generation {
            self.doubles = Some(Box::default());
        }
    }

    /// B6: a wake or a new route may end an ordinary wait sooner.
    pub(super) fn shorten(&mut self, now: Now) {
        let recently = self
            .last_shortened
            .is_some_and(|last| now.mono.saturating_sub(last) < self.config.timing.shorten_gap);
        let Phase::Waiting { until, retry_at, shortenable: true, .. } = &mut self.phase else { return };
        if recently || self.offline {
            return;
        }
        self.last_shortened = Some(now.mono);
        let delay = self.delays.local(self.delays_drawn.saturating_sub(1), &self.config.timing);
        let sooner = (now.mono + delay).max(after_gap(self.last_dial, self.config.timing.dial_gap));
        if sooner < *until {
            *until = sooner;
            *retry_at = now.wall + sooner.saturating_sub(now.mono);
        }
    }

    pub(super) fn opened(&mut self, generation: u64, given: Given, proof: Proof, now: Now) {
        let limit = self.config.memory.with(|known| {
            known.ghosts.answered(now);
            if self.config.session.is_some() {
                known.session.taken(now.wall);
            }
            known.idle.limit()
        });
        self.session_refused = None;
        self.heartbeat = self.config.heartbeat.clone();
        self.liveness = self.config.liveness;
        match limit.map(|limit| (limit.by, limit.sooner())) {
            Some((By::Ping, sooner)) => self.liveness = self.liveness.sooner(sooner),
            Some((By::Text, sooner)) => self.heartbeat = self.heartbeat.sooner(sooner),
            None => {}
        }
        self.links_opened += 1;
        if self.skips() {
            self.too_big = 0;
            self.broken = 0;
        }
        let life = match proof {
            Proof::Pings => Life::new(now.mono, &self.heartbeat, &self.liveness, self.peer),
            Proof::PingsWithin(often) => {
                self.liveness = self.liveness.within(often);
                Life::new(now.mono, &self.heartbeat, &self.liveness, self.peer)
            }
            Proof::Bytes | Proof::Beats => {
                self.peer =
                    if self.rhythm.is_some() { PeerCheck::Answers } else { PeerCheck::CannotBeChecked };
                let beat = Some(&self.heartbeat).filter(|beat| proof == Proof::Beats && beat.is_steady());
                Life::listening(now.mono, beat, &self.liveness, self.rhythm)
            }
        };
        // A server's session can't be gone on with beside the link that still has it.
        let kept = if generation == self.generation { self.kept.clone() } else { Kept::new() };
        let announced = self.config.v1 && self.config.memory.with(|known| known.offer.opened(given.v1));
        let given = Given { kept, ..given };
        let conversation = Conversation::new(&self.config.dialect, given);
        let up = Up { generation, life: Box::new(life), since: now.wall, conversation };
        if generation == self.generation {
            self.forgot = None;
            self.phase = Phase::Up(up);
        } else {
            self.renewal = Some(Box::new(Renewal::Open(up)));
        }
        self.begin(generation, now);
        // V2: it is worth a link of its own, once.
        if announced && generation == self.generation {
            self.renew(now);
        }
    }

    /// Whether the owner's cursor stands before something that can't be had.
    pub(super) fn skips(&self) -> bool {
        self.too_big >= TWICE || self.broken > TWICE
    }

    /// Whether the link that comes up now is to pass over what broke those before it.
    pub(crate) fn forgives(&self) -> bool {
        self.broken == TWICE
    }

    /// Dials as soon as the gap between dials and the old link's end allow.
    pub(super) fn dial_soon(&mut self, now: Now) {
        let began = match self.phase {
            Phase::Waiting { began, .. } | Phase::NeedsUser { began, .. } => began,
            Phase::Disconnected { .. }
            | Phase::Dialling { .. }
            | Phase::Up { .. }
            | Phase::Replaced { .. }
            | Phase::Stopped(_) => now.mono,
        };
        let until = now.mono.max(after_gap(self.last_dial, self.config.timing.dial_gap));
        let retry_at = now.wall + until.saturating_sub(now.mono);
        self.phase = Phase::Waiting { began, until, retry_at, cause: Cause::Local, shortenable: false };
    }

    pub(super) fn dial(&mut self, began: Duration, now: Now) {
        self.attempt = self.attempt.saturating_add(1);
        self.delay_before = now.mono.saturating_sub(began);
        // S6: each refused dial leaves a session in the server.
        let lately =
            |(at, _): &(Duration, Cause)| now.mono.saturating_sub(*at) < self.config.timing.needs_user_from;
        let ask = DialAsk {
            refresh_credential: std::mem::take(&mut self.refresh),
            skip_past: self.skips(),
            with_origin: self.with_origin,
            only_if_new: self.session_refused.as_ref().is_some_and(lately),
            ..DialAsk::default()
        };
        self.refreshed |= ask.refresh_credential;
        let dial = self.begin_dial(ask, now);
        self.generation = dial.generation;
        self.phase = Phase::Dialling(dial);
    }

    pub(super) fn begin_dial(&mut self, ask: DialAsk, now: Now) -> Dial {
        let Self { ways, config, .. } = self;
        config.memory.look(|known| ways.dialling(&known.carriers, now.wall));
        let carrier = self.ways.carrier();
        // What is to be skipped past is what the server would go on with.
        let may_offer = self.config.v1 && carrier == Carrier::WebSocket && !ask.skip_past;
        let offers_v1 = may_offer && self.config.memory.look(|known| known.offer.is_made());
        let ask = DialAsk { carrier, offers_v1, ..ask };
        self.dials += 1;
        self.last_dial = Some(now.mono);
        let generation = self.dials;
        self.outputs.push_back(Output::Dial { generation, ask });
        let limit = now.mono + self.config.timing.dial;
        Dial {
            generation,
            stage: Stage::Credential,
            reached: now.mono,
            limit,
            noted_at: None,
            offers: offers_v1,
        }
    }
}

/// The earliest time for a dial after one at `last_dial`.
pub(super) fn after_gap(last_dial: Option<Duration>, gap: Duration) -> Duration {
    last_dial.map_or(Duration::ZERO, |last| last.saturating_add(gap))
}
