//! How a link or a dial ends, and what follows: the next delay, quiet, or the user's help.

use std::sync::Arc;
use std::time::Duration;

use super::dialling::after_gap;
use super::report::IN_VAIN;
use super::{Machine, Phase};
use crate::end::delay::{Delay, grown};
use crate::end::verdict::{self, Verdict, verdict};
use crate::machine::facts::{End, Now, Output};
use crate::machine::idle::{self, Ended, Means};
use crate::machine::links::{Closing, Dial, Renewal, Up};
use crate::machine::session;
use crate::machine::ways::Failed;
use crate::{Cause, CloseInfo, Config, Detail};

/// 4500s in a row that are taken for our own late upgrades' (R3). Too low: several that were given up one after the other on a
/// server that is slow to sign in silence the channel for good; too high: another instance is replaced as often.
const MOST_FORGIVEN: u32 = 3;

impl Machine {
    pub(super) fn ended(&mut self, end: End, now: Now) {
        self.doubt_link(self.generation);
        let (cause, by_peer) = match end {
            End::Closed(close) => {
                self.last_close = Some(close.clone());
                self.await_end(false, now);
                (self.closed_by(close.code, &close.reason, now).unwrap_or(Cause::Closed(close)), true)
            }
            End::Told(cause) => {
                self.last_close = None;
                self.await_end(false, now);
                (cause, true)
            }
            End::Lost { detail } => {
                self.last_close = None;
                self.links_closed += 1;
                let is_done = detail == Detail::Finished;
                (if is_done { Cause::StreamOver } else { Cause::Lost { detail } }, true)
            }
            End::Violation { code, detail } => {
                self.close(code, now);
                (Cause::Refused { code, detail }, false)
            }
        };
        self.note_session_end(&cause, now);
        self.count_refused(&cause, now);
        // What the next link brings about is held against nobody.
        let toll = (by_peer && !self.is_next_asked()).then(|| self.toll(&cause, now));
        self.count_link(toll, now);
        if self.hand_over(&cause, now) {
            return;
        }
        if by_peer && !verdict::explains_itself(&cause) && self.is_turned_away(now) {
            self.refresh = true;
        }
        self.conclude(cause, self.retry, true, now);
    }

    /// S8: how the link ended tells, with what is met next, why a session is over.
    fn note_session_end(&self, cause: &Cause, now: Now) {
        if self.config.session.is_some() {
            self.config.memory.with(|known| known.session.ended(cause, now.wall));
        }
    }

    /// For how many ended links one counts that the peer ended: none, where it may have done so because the link was
    /// silent (L5).
    fn toll(&self, cause: &Cause, now: Now) -> u32 {
        let config = &*self.config;
        let says_so = matches!(cause, Cause::Closed(close) if idle::says_idle(&close.reason));
        let Phase::Up(Up { life, .. }) = &self.phase else { return 1 };
        let wants_answers = *cause == Cause::Lost { detail: Detail::BeatUnanswered };
        if !config.is_ordinary(cause) || life.only_listens() || wants_answers {
            return 1;
        }
        let (silence, before) = life.silences(now.mono);
        let end = Ended { up: life.up(now.mono), silence, before, says_so };
        let (means, least) = (Means::of(&config.liveness, &config.heartbeat), config.timing.idle_least);
        config.memory.with(|known| known.idle.ended(&end, means, least))
    }

    /// Whether the link has just been opened, and nothing was said: it may have been ended over the credential.
    fn is_turned_away(&self, now: Now) -> bool {
        let Phase::Up(Up { life, .. }) = &self.phase else { return false };
        let timing = &self.config.timing;
        life.caught_nothing(now.mono, timing) && life.up(now.mono) < timing.turned_away
    }

    /// Counts the links that end over something that can't be received: it may be what comes next after the owner's
    /// cursor, on each link anew.
    pub(super) fn count_refused(&mut self, cause: &Cause, now: Now) {
        let Phase::Up(Up { life, .. }) = &self.phase else { return };
        let again = life.caught_nothing(now.mono, &self.config.timing);
        let count = |so_far: u32, applies: bool| match (applies, again) {
            (false, _) => 0,
            (true, true) => so_far + 1,
            (true, false) => 1,
        };
        let too_big = cause.is_too_big();
        let broken = !too_big && matches!(cause, Cause::Refused { .. });
        self.too_big = count(self.too_big, too_big);
        self.broken = count(self.broken, broken);
    }

    /// Drops the link for a reason of ours and dials again.
    pub(super) fn redial(&mut self, now: Now) {
        self.drop_other(now);
        self.abort(Cause::Local, now);
    }

    /// Drops the link without a close handshake; what follows depends on `cause`.
    pub(super) fn abort(&mut self, cause: Cause, now: Now) {
        if self.is_unproven(now) {
            self.haunted(now, self.config.timing.ghost_young_life);
        }
        self.outputs.push_back(Output::Abort { generation: self.generation });
        self.links_closed += 1;
        self.last_close = None;
        self.note_session_end(&cause, now);
        self.count_refused(&cause, now);
        self.count_link(None, now);
        self.follow(cause, now);
    }

    /// What follows the end of the channel's link: the next one, if it is on its way (N1), else what the tables say.
    pub(super) fn follow(&mut self, cause: Cause, now: Now) {
        if !self.hand_over(&cause, now) {
            self.conclude(cause, None, true, now);
        }
    }

    /// Ends the link or dial, if there is one, because the user wants none.
    pub(super) fn let_go(&mut self, now: Now) {
        self.drop_other(now);
        match self.phase {
            Phase::Dialling { .. } => self.abandon(now),
            Phase::Up { .. } => {
                self.close(crate::end::close::NORMAL, now);
                self.count_link(None, now);
            }
            Phase::Disconnected { .. }
            | Phase::Waiting { .. }
            | Phase::Replaced { .. }
            | Phase::NeedsUser { .. }
            | Phase::Stopped(_) => {}
        }
    }

    /// Gives a dial up.
    pub(super) fn abandon(&mut self, now: Now) {
        self.outputs.push_back(Output::Abandon { generation: self.generation });
        self.config.memory.with(|known| known.ghosts.settled());
        if matches!(self.phase, Phase::Dialling(Dial { stage, .. }) if stage.may_be_late()) {
            self.haunted(now, self.config.timing.ghost_life);
        }
    }

    /// R3: the server may still complete an upgrade that nobody waits for.
    pub(super) fn haunted(&self, now: Now, life: Duration) {
        self.config.memory.with(|known| known.ghosts.add(now, life));
    }

    /// R3: the same of a link that we drop.
    fn is_unproven(&self, now: Now) -> bool {
        matches!(&self.phase, Phase::Up(up) if up.life.is_unproven(now.mono, &self.config.timing))
    }

    /// R3: whether a late upgrade of ours may be what replaced our link. Each is blamed once, and few in a row.
    fn is_own_doing(&mut self, now: Now) -> bool {
        let own = self.forgiven < MOST_FORGIVEN && self.config.memory.with(|known| known.ghosts.blame(now));
        self.forgiven += u32::from(own);
        own
    }

    pub(super) fn close(&mut self, code: u16, now: Now) {
        self.outputs.push_back(Output::Close { generation: self.generation, code });
        self.await_end(self.is_unproven(now), now);
        self.last_close = Some(CloseInfo { code, reason: String::new() });
    }

    fn await_end(&mut self, unproven: bool, now: Now) {
        // The one before, whose place this one took.
        if let Some(Closing { generation, .. }) = self.closing.take() {
            self.outputs.push_back(Output::Abort { generation });
            self.links_closed += 1;
        }
        let until = now.mono + self.config.timing.close_wait;
        self.closing = Some(Closing { generation: self.generation, until, unproven });
    }

    /// The old link is gone for good.
    pub(super) fn gone(&mut self) {
        self.closing = None;
        self.links_closed += 1;
        if matches!(self.phase, Phase::Stopped(_)) {
            self.outputs.push_back(Output::Finish);
        }
    }

    /// Takes a link that ended so into account for the next delay after silence (B1).
    fn count_unanswered(&mut self, cause: &Cause, now: Now) {
        let Phase::Up(Up { life, .. }) = &self.phase else { return };
        if !matches!(cause, Cause::Silent { .. } | Cause::Unanswered { .. }) {
            self.unanswered = 0;
        } else if life.up(now.mono) >= self.config.timing.stable_silent_after {
            self.unanswered = 1;
        } else {
            self.unanswered += 1;
        }
    }

    /// Takes an ended link into account for the delays (B1, B5).
    pub(super) fn count_link(&mut self, by_peer: Option<u32>, now: Now) {
        let Phase::Up(Up { life, .. }) = &self.phase else { return };
        let timing = &self.config.timing;
        self.delays.count_link(by_peer, life.up(now.mono), self.delay_before, timing);
        if self.delays.is_at_ease() && life.was_stable(now.mono, timing) {
            self.config.memory.with(|known| known.idle.did_well());
        }
        if !life.caught_nothing(now.mono, timing) {
            self.worked = Some(now.mono);
            self.turned_away = 0;
        }
        if life.was_stable(now.mono, timing) {
            self.start_small();
            self.in_vain = 0;
        }
    }

    /// B1: the next delay is a first one.
    pub(super) fn start_small(&mut self) {
        self.attempt = 0;
        self.delays_drawn = 0;
        self.forgiven = 0;
    }

    /// Goes from an ended dial or link to what the tables say.
    pub(super) fn conclude(
        &mut self,
        cause: Cause,
        retry_after: Option<Duration>,
        link_ended: bool,
        now: Now,
    ) {
        let lived =
            matches!(&self.phase, Phase::Up(up) if up.life.up(now.mono) >= self.config.timing.stable_after);
        self.renewal.take_if(|renewal| matches!(**renewal, Renewal::HandedOver { .. }));
        let config = Arc::clone(&self.config);
        let Config { quiet_close_codes, timing, take_back_after, .. } = &*config;
        let Failed { carried, at_once, told } = self.ways.failed(&cause, now, timing);
        let mut cause = self.judged(told.unwrap_or(cause), now);
        let mut verdict = verdict(&cause, retry_after, quiet_close_codes, timing);
        if link_ended {
            self.count_unanswered(&cause, now);
            if self.unanswered > 1 {
                verdict = Verdict::Unanswered(self.unanswered - 1);
            }
        }
        if verdict == Verdict::Quiet && self.is_own_doing(now) {
            cause = Cause::Overtaken;
            verdict = Verdict::Ordinary;
        }
        // Nothing was read: what was to be read again still is.
        if let Cause::ProviderAway { .. } = cause {
            self.refresh |= std::mem::take(&mut self.refreshed);
        }
        // D1: what one address says, waiting longer than usual for it, is no reason not to try the next.
        let elsewhere = std::mem::take(&mut self.elsewhere) && !link_ended;
        if elsewhere && matches!(verdict, Verdict::Floor(_) | Verdict::WrongAddress) {
            verdict = Verdict::Ordinary;
        }
        let other_upgrades = cause == Cause::NotAWebSocket { detail: Detail::WrongAcceptKey };
        if other_upgrades
            && config.session.is_some()
            && config.memory.with(|known| known.session.answered_other())
        {
            verdict = Verdict::Ordinary;
        }
        // F1: nor is what one carrier meets.
        if carried && matches!(verdict, Verdict::Floor(_) | Verdict::WrongAddress) {
            verdict = Verdict::Ordinary;
        }
        // It may be a portal that forges our host's certificate as well as a proxy that reads along: told as what it is, and
        // looked at again as soon as behind a portal.
        if verdict::is_untrusted(&cause) && self.is_new_here(now) {
            verdict = Verdict::Floor(timing.portal_floor);
        }
        match verdict {
            Verdict::Quiet => {
                let take_back = take_back_after.map(|after| now.mono.saturating_add(after.time()));
                self.start_small();
                self.phase = Phase::Replaced { since: now.wall, take_back };
                return;
            }
            Verdict::SignIn => {
                self.refresh = true;
                if self.refreshed {
                    verdict = Verdict::NeedsUser;
                }
            }
            // One that lived was a good one: whether its credential is over or the server was restarted, the next dial tells.
            Verdict::FloorAndRefresh(_) if lived => {
                self.refresh = true;
                verdict = Verdict::Ordinary;
            }
            Verdict::FloorAndRefresh(floor) => {
                let times = self.count_turned_away();
                verdict = Verdict::Floor(grown(floor, times, timing.turned_away_cap));
            }
            Verdict::Refresh => {
                if let Some(times) = self.count_turned_away().checked_sub(1) {
                    verdict = Verdict::Floor(grown(timing.refused_floor, times, timing.turned_away_cap));
                }
            }
            Verdict::NeedsUser => self.refresh = true,
            Verdict::Ordinary
            | Verdict::Unanswered(_)
            | Verdict::Local
            | Verdict::GoingAway
            | Verdict::Restart
            | Verdict::Floor(_)
            | Verdict::WrongAddress
            | Verdict::RetryAfter(_) => {}
        }
        // A page, or another host: it may be where one signs in.
        self.refresh |= !link_ended
            && matches!(cause, Cause::Status { status: 200..=299 } | Cause::Moved { same_host: false, .. });
        let n = self.delays_drawn;
        self.delays_drawn = n.saturating_add(u32::from(!at_once));
        let drawn = match (&cause, self.sign_in_again(verdict, now)) {
            (cause, Some(again)) if cause.is_refused_sign_in() => Verdict::Floor(again),
            _ => verdict,
        };
        let Delay { length, shortenable } = self.delays.draw(drawn, n, link_ended, timing);
        let length = if at_once { Duration::ZERO } else { length };
        // Whatever else the answer was, the server said when.
        let asked = retry_after.filter(|_| cause != Cause::CaptivePortal).unwrap_or_default();
        let length = length.max(asked.min(timing.retry_after_most));
        let length = if cause == Cause::NoMore { length.max(timing.no_more) } else { length };
        let length = if self.offline { length.max(timing.offline_retry) } else { length };
        let until = (now.mono + length).max(after_gap(self.last_dial, timing.dial_gap));
        let retry_at = now.wall + until.saturating_sub(now.mono);
        let began = now.mono;
        self.phase = if verdict == Verdict::NeedsUser {
            Phase::NeedsUser { cause, began, until, retry_at }
        } else {
            Phase::Waiting { began, until, retry_at, cause, shortenable }
        };
    }

    /// How many links in a row were ended over the credential before this one. It is read again.
    fn count_turned_away(&mut self) -> u32 {
        self.refresh = true;
        let times = self.turned_away;
        self.turned_away = times.saturating_add(1);
        times
    }

    /// The time after which a sign-in that was refused for good is tried again all the same, where it worked lately.
    fn sign_in_again(&mut self, verdict: Verdict, now: Now) -> Option<Duration> {
        if verdict != Verdict::NeedsUser {
            return None;
        }
        let timing = &self.config.timing;
        let lately = self.worked.is_some_and(|at| now.mono.saturating_sub(at) < timing.worked_lately);
        let again = timing.sign_in_again.get(self.sign_ins_refused).copied().filter(|_| lately);
        self.sign_ins_refused = self.sign_ins_refused.saturating_add(1);
        again
    }

    /// A refused sign-in, in the light of what is known of the session.
    fn session_judged(&mut self, status: u16, now: Now) -> Cause {
        let site = match &self.config.session {
            Some(site) if status != 407 => site.host.clone(),
            Some(_) | None => return Cause::SignInRefused { status },
        };
        let cause = self.config.memory.with(|known| {
            let end = (status != 403).then(|| known.session.over());
            known.session.refuse(end, now.wall);
            session::refused(site, end)
        });
        self.session_refused = Some((now.mono, cause.clone()));
        cause
    }

    /// Whether this network is so new to us that a portal of its may answer for the server.
    fn is_new_here(&self, now: Now) -> bool {
        self.network_changed
            .is_some_and(|at| now.mono.saturating_sub(at) < self.config.timing.portal_suspicion)
    }

    /// The cause, in the light of what came before.
    pub(super) fn judged(&mut self, cause: Cause, now: Now) -> Cause {
        let new_network = self.is_new_here(now);
        self.in_vain = if verdict::is_in_vain(&cause) { self.in_vain.saturating_add(1) } else { 0 };
        // A portal answers for the server, in a network that is new to us.
        let url = &self.config.url;
        let open = !url.is_tls() && !url.is_loopback();
        let page = open && matches!(cause, Cause::SignInRefused { status: 200..=299 });
        if new_network && (page || matches!(cause, Cause::WrongName { .. })) {
            return Cause::CaptivePortal;
        }
        if let Cause::SignInRefused { status } = cause {
            // What the next dial does without, if it did not help.
            self.with_origin ^= status == 403;
            return self.session_judged(status, now);
        }
        if self.in_vain < IN_VAIN {
            return cause;
        }
        if let Cause::Status { status: status @ (404 | 410) } = cause {
            return Cause::WrongAddress { status: Some(status) };
        }
        if let Cause::Lost { detail: Detail::HungUp } = cause {
            return Cause::WrongAddress { status: None };
        }
        cause
    }
}
