//! The connection's rules as a pure machine (C1): facts go in by [`Machine::handle`], what to do comes out
//! by [`Machine::poll_output`], and [`Machine::deadline`] says when to call again with [`Input::Time`].
//!
//! After every `handle`, drain `poll_output` until `None`, then ask `deadline`. There is no socket, clock
//! or random source in here; the [driver](crate::driver) has them.
//!
//! ```text
//!                     Connect                         due
//!   Disconnected ───────────────> Waiting ─────────────────────────> Dialling
//!        ^                         ^  ^ ^                             │  │
//!        │ Disconnect (from all)   │  │ └────── failed ───────────────┤  │ opened
//!                     due, Connect │  └──────── ended ─────── Up <────┼──┘
//!                  NeedsUser ──────┤                           │      │
//!                      ^           │ Connect, TakeOver         │ 4500 │ 401 again, 403
//!                      │        Replaced <─────────────────────┘      │
//!                      └──────────────────────────────────────────────┘
//! ```
//!
//! While a link is up, the next one may be on its way: the [`renewal`].

mod conversation;
mod dialling;
mod doubles;
mod ending;
pub(crate) mod facts;
pub(crate) mod ghosts;
pub(crate) mod idle;
pub(crate) mod life;
mod links;
pub(crate) mod offer;
mod renewal;
mod report;
pub(crate) mod session;
mod talk;
mod v1;
pub(crate) mod ways;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::rngs::SmallRng;
use tidings_dialect::Kept;

use crate::end::delay::Delays;
use crate::end::verdict;
use crate::machine::doubles::Doubles;
use crate::machine::facts::{Input, Now, Output, Said};
use crate::machine::life::{Context, Due, Life};
use crate::machine::links::{Closing, Dial, Renewal, Up};
use crate::machine::ways::Ways;
use crate::{
    CaughtUp, Cause, CloseInfo, Command, Config, Heartbeat, Liveness, PeerCheck, Signal, Start, State,
};

#[derive(Debug)]
enum Phase {
    Disconnected {
        since: SystemTime,
    },
    Waiting {
        began: Duration,
        until: Duration,
        retry_at: SystemTime,
        cause: Cause,
        shortenable: bool,
    },
    Dialling(Dial),
    Up(Up),
    Replaced {
        since: SystemTime,
        /// R1: when to take over again by itself.
        take_back: Option<Duration>,
    },
    NeedsUser {
        cause: Cause,
        began: Duration,
        until: Duration,
        retry_at: SystemTime,
    },
    /// Shut down; shows what was before.
    Stopped(State),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Machine {
    config: Arc<Config>,
    delays: Delays,
    /// How the newest link is kept: by the settings, or sooner (L5).
    heartbeat: Heartbeat,
    liveness: Liveness,
    phase: Phase,
    /// The old link while its close handshake runs. No dial starts before it is gone (C3).
    closing: Option<Closing>,
    /// What the dialogue keeps from link to link (T5).
    kept: Kept,
    /// The next link, or the last one, beside the one that is up (N1).
    renewal: Option<Box<Renewal>>,
    /// What came on one of those two, and may come on the other.
    doubles: Option<Box<Doubles>>,
    /// Number of the channel's dial, and so of its link (C2).
    generation: u64,
    /// Number of the newest dial. Another one than the channel's belongs to a renewal.
    dials: u64,
    /// Dials since the last stable link.
    attempt: u32,
    /// Delays drawn since then: the n of B1.
    delays_drawn: u32,
    last_dial: Option<Duration>,
    /// How long was waited before the newest dial.
    delay_before: Duration,
    last_shortened: Option<Duration>,
    /// The next dial asks for a fresh credential.
    refresh: bool,
    /// The credential was read again since the last link.
    refreshed: bool,
    /// The next dial has an `Origin`: the server said 403 to one without (D5).
    with_origin: bool,
    /// Why the session was refused, and when, until another one is tried for good or the user asks (S6).
    session_refused: Option<(Duration, Cause)>,
    /// The last dial failed at one of several addresses.
    elsewhere: bool,
    /// When a link last worked.
    worked: Option<Duration>,
    /// Sign-ins in a row that were refused with a credential that was just read.
    sign_ins_refused: usize,
    /// What `refreshed` and `sign_ins_refused` were until this link's subscription stood.
    forgot: Option<(bool, usize)>,
    /// Links in a row that were ended over the credential.
    turned_away: u32,
    offline: bool,
    network_changed: Option<Duration>,
    /// Ends in a row that waiting hardly mends.
    in_vain: u32,
    /// Links in a row that ended because nothing came (L1), each within a few minutes of its open.
    unanswered: u32,
    /// 4500s in a row that were taken for our own late upgrades' (R3).
    forgiven: u32,
    /// Links in a row that ended over a message too big, the later ones before anything else came (1009).
    too_big: u32,
    /// The same for any other refusal of ours.
    broken: u32,
    held: bool,
    links_opened: u64,
    links_closed: u64,
    last_close: Option<CloseInfo>,
    rtt: Option<Duration>,
    last_inbound: Option<SystemTime>,
    peer: PeerCheck,
    /// Which carrier is in use (F1).
    ways: Ways,
    /// E2: the longest time between two signs of life that the server makes by itself.
    rhythm: Option<Duration>,
    /// E3: how long the server wants a dial to wait.
    retry: Option<Duration>,
    /// What may be missing, and when that was told.
    gap: Option<(CaughtUp, SystemTime)>,
    outputs: VecDeque<Output>,
}

impl Machine {
    pub(crate) fn new(config: Arc<Config>, start: Start, rng: SmallRng, now: Now) -> Self {
        let mut delays = Delays::new(config.backoff, rng);
        config.memory.with(|known| {
            known.idle.go_to(&config.url);
            known.session.go_to(&config.url);
            known.carriers.go_to(&config.url);
            known.beats.go_to(&config.url);
            known.offer.go_to(&config.url);
        });
        let phase = match start {
            Start::Connect | Start::ByHand => {
                let by_hand = start == Start::ByHand;
                let delay = if by_hand { Duration::ZERO } else { delays.local(0, &config.timing) };
                Phase::Waiting {
                    began: now.mono,
                    until: now.mono + delay,
                    retry_at: now.wall + delay,
                    cause: Cause::Local,
                    shortenable: true,
                }
            }
            Start::Disconnected => Phase::Disconnected { since: now.wall },
            Start::Replaced { since } => {
                let gone = now.wall.duration_since(since).unwrap_or_default();
                let take_back = config
                    .take_back_after
                    .map(|after| now.mono.saturating_add(after.time().saturating_sub(gone)));
                Phase::Replaced { since, take_back }
            }
        };
        // S6: whoever starts Tidings by hand wants it to be tried.
        let session_refused = config.session.as_ref().filter(|_| start != Start::ByHand).and_then(|site| {
            let refused = config
                .memory
                .look(|known| known.session.refused(now.wall, config.timing.needs_user_from).cloned())?;
            let ago = now.wall.duration_since(refused.at).unwrap_or_default();
            Some((now.mono.saturating_sub(ago), session::refused(site.host.clone(), refused.end)))
        });
        let ways = config
            .memory
            .look(|known| Ways::new(config.carrier, &config.fallbacks, &known.carriers, now.wall));
        Self {
            heartbeat: config.heartbeat.clone(),
            liveness: config.liveness,
            config,
            delays,
            phase,
            closing: None,
            renewal: None,
            doubles: None,
            generation: 0,
            dials: 0,
            attempt: 0,
            delays_drawn: 0,
            last_dial: None,
            delay_before: Duration::ZERO,
            last_shortened: None,
            refresh: false,
            refreshed: false,
            with_origin: false,
            session_refused,
            elsewhere: false,
            worked: None,
            sign_ins_refused: 0,
            forgot: None,
            turned_away: 0,
            offline: false,
            network_changed: None,
            kept: Kept::new(),
            in_vain: 0,
            unanswered: 0,
            forgiven: 0,
            too_big: 0,
            broken: 0,
            held: false,
            links_opened: 0,
            links_closed: 0,
            last_close: None,
            rtt: None,
            last_inbound: None,
            peer: PeerCheck::Unknown,
            ways,
            rhythm: None,
            retry: None,
            gap: None,
            outputs: VecDeque::new(),
        }
    }

    /// Takes in a fact. What a stale generation reports changes nothing (C2).
    pub(crate) fn handle(&mut self, input: Input, now: Now) {
        let is_time = matches!(input, Input::Time);
        match input {
            Input::Command(command) => self.command(command, now),
            Input::Signal(signal) => self.signal(signal, now),
            Input::Time => {}
            Input::Stage { generation, stage } => self.reached(generation, stage, now),
            Input::DialFailed { generation, cause, retry_after, elsewhere } => {
                if let Some(dial) = self.dial_of(generation).copied() {
                    let took = now.mono.saturating_sub(dial.reached);
                    self.config.memory.with(|known| known.ghosts.settled());
                    let by_offer = self.doubt_dial(&dial);
                    let haunts = dial.stage.may_be_late()
                        && verdict::may_be_completed(&cause, took, &self.config.timing);
                    if generation == self.generation {
                        if haunts {
                            self.haunted(now, self.config.timing.ghost_life);
                        }
                        self.elsewhere = elsewhere || by_offer;
                        if self.config.session.is_some() {
                            self.config.memory.with(|known| known.session.failed(&cause));
                            // What went out was another session than the one that was refused, or that had waited for long: if this one
                            // isn't refused, too, it is still to be tried.
                            if !matches!(cause, Cause::Owner { .. }) {
                                self.session_refused = None;
                                self.config.memory.with(|known| known.session.try_again());
                            }
                        }
                        self.conclude(cause, retry_after, false, now);
                    } else {
                        self.next_failed(haunts, now);
                    }
                }
            }
            Input::Unchanged { generation } => {
                if generation == self.generation && matches!(self.phase, Phase::Dialling { .. }) {
                    let refused = self.session_refused.as_ref().map(|(_, cause)| cause.clone());
                    self.conclude(refused.unwrap_or(Cause::SignInRefused { status: 401 }), None, false, now);
                } else if self.dial_of(generation).is_some() {
                    self.next_failed(false, now);
                }
            }
            Input::Opened { generation, given, proof } => {
                if self.dial_of(generation).is_some() {
                    self.opened(generation, given, proof, now);
                }
            }
            Input::AddressGone { generation } => {
                self.moved(now);
                if generation == self.generation && matches!(self.phase, Phase::Up { .. }) {
                    self.redial(now);
                } else {
                    self.next_lost(generation, true, now);
                }
            }
            Input::Bytes { generation } => {
                if let Some((life, liveness)) = self.life(generation) {
                    life.bytes(now.mono, liveness);
                    self.last_inbound = Some(now.wall);
                }
            }
            Input::Beat { generation } => self.beaten(generation, now),
            Input::Retry { generation, wait } => {
                if self.link(generation).is_some() {
                    self.retry = Some(wait);
                }
            }
            Input::Frame { generation, payload, about } => {
                let Self { phase, renewal, heartbeat, liveness, .. } = self;
                if let Some(up) = link_of(phase, renewal, generation) {
                    up.life.bytes(now.mono, liveness);
                    up.life.data(now.mono, heartbeat);
                    self.last_inbound = Some(now.wall);
                    self.hear(generation, payload, about, now);
                }
            }
            Input::Answered { generation, answer } => self.answered(generation, answer, now),
            Input::Stored { generation, number } => self.stored(generation, number, now),
            Input::Read { ids } => self.read(&ids, now),
            Input::Pong { generation, counter } => {
                if let Some((life, liveness)) = self.life(generation) {
                    life.bytes(now.mono, liveness);
                    if life.sent_ping(counter) {
                        let rtt = life.pong(counter, now.mono);
                        self.rtt = rtt.or(self.rtt);
                        self.peer = PeerCheck::Answers;
                    }
                    self.last_inbound = Some(now.wall);
                }
            }
            Input::Acknowledged { generation } => {
                if let Some((life, _)) = self.life(generation) {
                    life.acknowledged();
                }
            }
            Input::WriteStuck { generation, stuck } => {
                let Self { phase, renewal, config, .. } = self;
                if let Some(up) = link_of(phase, renewal, generation) {
                    up.life.writing_stuck(stuck, now.mono, &config.timing);
                }
            }
            Input::Ended { generation, end } => {
                if generation == self.generation && matches!(self.phase, Phase::Up { .. }) {
                    self.ended(end, now);
                } else {
                    self.other_ended(generation, end, now);
                }
            }
            Input::Gone { generation } => {
                if self.closing.is_some_and(|closing| closing.generation == generation) {
                    self.gone();
                } else {
                    self.left(generation);
                }
            }
            Input::ReadingHeld(held) => {
                self.held = held;
                if !held {
                    self.released(now);
                }
            }
        }
        // L6: other facts may be told of before what has arrived is.
        if is_time || self.verdict_at().is_none_or(|at| now.mono < at) {
            self.tick(now);
        }
    }

    /// When the patience with a peer is over: that is acted on by [`Input::Time`] alone, before which the driver reads.
    fn verdict_at(&self) -> Option<Duration> {
        let closing = self.closing.map(|closing| closing.until);
        let renewal = self.renewal.as_ref().and_then(|renewal| renewal.verdict_at());
        let phase = match &self.phase {
            Phase::Dialling(dial) => Some(dial.limit),
            Phase::Up(up) => up.verdict_at(),
            Phase::Disconnected { .. }
            | Phase::Waiting { .. }
            | Phase::Replaced { .. }
            | Phase::NeedsUser { .. }
            | Phase::Stopped(_) => None,
        };
        closing.into_iter().chain(renewal).chain(phase).min()
    }

    /// The link whose silence is about to be taken for its death: whether its peer's machine lives is worth a look.
    pub(crate) fn is_to_judge(&self, now: Now) -> Option<u64> {
        let Phase::Up(up) = &self.phase else { return None };
        up.life.is_to_judge(now.mono).then_some(self.generation)
    }

    /// The next thing to do; `None`: nothing now.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`handle`](Self::handle) with [`Input::Time`], on the monotonic clock.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let closing = self.closing.map(|closing| closing.until);
        // A dial that is due waits for the old links' end.
        let leaving = self.renewal.as_ref().and_then(|renewal| renewal.leaving_until());
        let dial_at = |until: Duration| closing.max(leaving).max(Some(until));
        let renewal = match self.renewal.as_deref() {
            Some(Renewal::Due { at }) => dial_at(*at),
            Some(renewal) => renewal.deadline(),
            None => None,
        };
        let phase = match &self.phase {
            Phase::Disconnected { .. } | Phase::Stopped(_) => None,
            Phase::Waiting { until, .. } | Phase::NeedsUser { until, .. } => dial_at(*until),
            Phase::Replaced { take_back, .. } => take_back.and_then(dial_at),
            Phase::Dialling(dial) => Some(dial.deadline()),
            Phase::Up(up) => up.deadline(),
        };
        closing.into_iter().chain(renewal).chain(phase).min()
    }

    /// Number of the channel's dial or link.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// The timers of link `generation`, if that is up.
    fn life(&mut self, generation: u64) -> Option<(&mut Life, &Liveness)> {
        let Self { phase, renewal, liveness, .. } = self;
        let up = link_of(phase, renewal, generation)?;
        Some((&mut up.life, liveness))
    }

    /// E2: the server has shown by itself that it lives.
    pub(super) fn beaten(&mut self, generation: u64, now: Now) {
        let Some((life, liveness)) = self.life(generation) else { return };
        let rhythm = life.beat(now.mono, liveness);
        if rhythm.is_some() {
            self.rhythm = rhythm;
            self.peer = PeerCheck::Answers;
        }
        self.last_inbound = Some(now.wall);
    }

    fn command(&mut self, command: Command, now: Now) {
        if matches!(self.phase, Phase::Stopped(_)) {
            return;
        }
        match command {
            Command::Connect | Command::TakeOver => match self.phase {
                Phase::Disconnected { .. } | Phase::Replaced { .. } | Phase::NeedsUser { .. } => {
                    self.session_refused = None;
                    self.start_small();
                    self.dial_soon(now);
                }
                Phase::Waiting { .. } | Phase::Dialling { .. } | Phase::Up { .. } | Phase::Stopped(_) => {}
            },
            Command::Disconnect => {
                if !matches!(self.phase, Phase::Disconnected { .. }) {
                    self.let_go(now);
                    self.start_small();
                    self.phase = Phase::Disconnected { since: now.wall };
                }
            }
            Command::ReconnectNow => {
                if matches!(self.phase, Phase::Waiting { .. } | Phase::NeedsUser { .. }) {
                    self.session_refused = None;
                    self.dial_soon(now);
                }
            }
            Command::CredentialChanged => {
                let waits_for_it = match &self.phase {
                    Phase::NeedsUser { .. } => true,
                    Phase::Waiting { cause, .. } => verdict::may_be_the_credential(cause),
                    Phase::Disconnected { .. }
                    | Phase::Dialling { .. }
                    | Phase::Up { .. }
                    | Phase::Replaced { .. }
                    | Phase::Stopped(_) => false,
                };
                if waits_for_it {
                    self.refresh = true;
                    self.dial_soon(now);
                }
            }
            Command::Renew => self.renew(now),
            Command::ShutDown => {
                let state = self.state();
                self.let_go(now);
                self.phase = Phase::Stopped(state);
                if self.closing.is_none() {
                    self.outputs.push_back(Output::Finish);
                }
            }
        }
    }

    fn signal(&mut self, signal: Signal, now: Now) {
        match signal {
            Signal::Woke { slept } => {
                let proxy_timeout = self.config.heartbeat.proxy_timeout();
                match &mut self.phase {
                    Phase::Up(up) => {
                        if up.life.silence(now.mono).saturating_add(slept) >= proxy_timeout {
                            self.redial(now);
                        } else {
                            up.life.want_probe();
                            self.doubt_next(now);
                        }
                    }
                    // The monotonic clock stood still, the shown time didn't.
                    Phase::Waiting { until, .. } | Phase::NeedsUser { until, .. } => {
                        *until = until.saturating_sub(slept);
                    }
                    Phase::Replaced { take_back, .. } => {
                        *take_back = take_back.map(|at| at.saturating_sub(slept));
                    }
                    Phase::Dialling(dial) => dial.lose_patience(now, &self.config.timing),
                    Phase::Disconnected { .. } | Phase::Stopped(_) => {}
                }
            }
            Signal::NetworkChanged { online } => {
                self.offline = !online;
                self.network_changed = Some(now.mono);
                match &mut self.phase {
                    Phase::Up(up) => {
                        up.life.want_probe();
                        self.doubt_next(now);
                    }
                    Phase::Dialling(dial) => {
                        dial.lose_patience(now, &self.config.timing);
                        self.moved(now);
                    }
                    Phase::Waiting { .. } | Phase::NeedsUser { .. } => self.moved(now),
                    Phase::Disconnected { .. } | Phase::Replaced { .. } | Phase::Stopped(_) => {}
                }
            }
        }
        self.shorten(now);
    }

    /// F1: another network, as far as is known.
    fn moved(&mut self, now: Now) {
        let Self { ways, config, .. } = self;
        config.memory.look(|known| ways.moved(&known.carriers, now.wall, true));
    }

    /// Whether no old link is left on its way out (C3).
    fn is_clear(&self) -> bool {
        self.closing.is_none()
            && self.renewal.as_ref().is_none_or(|renewal| renewal.leaving_until().is_none())
    }

    /// Does what is due.
    fn tick(&mut self, now: Now) {
        if let Some(Closing { generation, until, unproven }) = self.closing
            && until <= now.mono
        {
            if unproven {
                self.haunted(now, self.config.timing.ghost_young_life);
            }
            self.outputs.push_back(Output::Abort { generation });
            self.gone();
        }
        self.tick_renewal(now);
        let clear = self.is_clear();
        match &mut self.phase {
            Phase::Waiting { began, until, .. } | Phase::NeedsUser { began, until, .. } => {
                if *until <= now.mono && clear {
                    let began = *began;
                    self.dial(began, now);
                }
            }
            Phase::Replaced { take_back, .. } => {
                if take_back.is_some_and(|at| at <= now.mono) && clear {
                    self.dial(now.mono, now);
                }
            }
            Phase::Dialling(dial) => {
                dial.note(now, &self.config);
                if dial.limit <= now.mono {
                    let stage = dial.stage;
                    self.abandon(now);
                    self.conclude(Cause::TimedOut { stage }, None, false, now);
                }
            }
            Phase::Up { .. } => self.tick_link(self.generation, now),
            Phase::Disconnected { .. } | Phase::Stopped(_) => {}
        }
    }

    fn tick_link(&mut self, generation: u64, now: Now) {
        loop {
            let Self { phase, renewal, heartbeat, liveness, config, .. } = self;
            let Some(Up { life, conversation, .. }) = link_of(phase, renewal, generation) else { return };
            if let Some(stage) = conversation.is_over(now.mono) {
                return self.drop_link(generation, Cause::TimedOut { stage }, now);
            }
            if conversation.resume(now.mono) {
                life.released(now.mono, liveness);
            }
            let context = Context { heartbeat, liveness, timing: &config.timing };
            let held = self.held || conversation.is_paused();
            match life.tick(now.mono, &context, self.peer, held, self.offline) {
                Some(Due::Heartbeat) => {
                    if let Some(text) = conversation.beat(heartbeat.text()) {
                        self.outputs.push_back(Output::Heartbeat { generation, text: Said(text) });
                    }
                }
                Some(Due::Ping(counter)) => self.outputs.push_back(Output::Ping { generation, counter }),
                Some(Due::NoPong) => self.peer = PeerCheck::CannotBeChecked,
                Some(Due::Dead(cause)) => return self.drop_link(generation, cause, now),
                None => {
                    let up = life.up(now.mono);
                    config.memory.with(|known| known.idle.outlived(up));
                    return;
                }
            }
        }
    }

    /// Drops a link without a close handshake.
    fn drop_link(&mut self, generation: u64, cause: Cause, now: Now) {
        self.doubt_link(generation);
        if generation == self.generation {
            self.abort(cause, now);
        } else {
            self.next_lost(generation, true, now);
        }
    }
}

/// The link of this number: the channel's, or the one beside it.
fn link_of<'a>(
    phase: &'a mut Phase,
    renewal: &'a mut Option<Box<Renewal>>,
    generation: u64,
) -> Option<&'a mut Up> {
    let of_channel = if let Phase::Up(up) = phase { Some(up) } else { None };
    let beside = match renewal.as_deref_mut() {
        Some(Renewal::Open(up) | Renewal::Leaving { up, .. }) => Some(up),
        Some(Renewal::Due { .. } | Renewal::Dialling(_) | Renewal::HandedOver { .. }) | None => None,
    };
    of_channel.into_iter().chain(beside).find(|up| up.generation == generation)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod renewal_tests;
#[cfg(test)]
pub(crate) mod talk_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod v1_tests;
