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
mod doubles;
mod ending;
pub(crate) mod facts;
pub(crate) mod ghosts;
pub(crate) mod idle;
pub(crate) mod life;
mod links;
pub(crate) mod offer;
mod renewal;
pub(crate) mod session;
mod talk;
mod v1;
pub(crate) mod ways;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::rngs::SmallRng;
use tidings_dialect::{Given, Kept};

use crate::end::delay::Delays;
use crate::end::verdict;
use crate::machine::conversation::Conversation;
use crate::machine::doubles::Doubles;
use crate::machine::facts::{Input, Now, Output, Proof, Said};
use crate::machine::idle::By;
use crate::machine::life::{Context, Due, Life};
use crate::machine::links::{Closing, Dial, Renewal, Up};
use crate::machine::ways::Ways;
use crate::{
    Carrier, CaughtUp, Cause, CloseInfo, Command, Config, DialAsk, Heartbeat, IdleLimit, Liveness, PeerCheck,
    Signal, Stage, Start, State, Status,
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
            session_refused: None,
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

    /// What to publish.
    pub(crate) fn status(&self) -> Status {
        Status {
            state: self.state(),
            generation: self.generation,
            links_opened: self.links_opened,
            links_closed: self.links_closed,
            last_close: self.last_close.clone(),
            rtt: self.rtt,
            last_inbound: self.last_inbound,
            peer: self.peer,
            carrier: self.ways.carrier(),
            instead: self.ways.instead(),
            // The driver knows it.
            route: None,
            persistent: self.in_vain >= IN_VAIN,
            idle_limit: self.idle_limit(),
            session_life: self.config.memory.look(|known| known.session.life()),
            braked: self.delays.is_braked(&self.config.timing),
            caught_up: self.caught_up(),
            v1_refused: self.config.memory.look(|known| known.offer.is_refused()),
        }
    }

    fn idle_limit(&self) -> Option<IdleLimit> {
        let limit = self.config.memory.look(|known| known.idle.limit()).filter(|limit| limit.learned)?;
        Some(IdleLimit { after: limit.after, kept_awake: limit.sooner() })
    }

    fn state(&self) -> State {
        if let Some(since) = self.handed_over_since() {
            return State::Connected { since };
        }
        match &self.phase {
            Phase::Disconnected { since } => State::Disconnected { since: *since },
            Phase::Waiting { retry_at, cause, .. } => {
                State::Waiting { retry_at: *retry_at, attempt: self.attempt, cause: cause.clone() }
            }
            Phase::Dialling(dial) => State::Connecting { attempt: self.attempt, stage: dial.stage },
            Phase::Up(up) => match up.conversation.waits() {
                Some(stage) => State::Connecting { attempt: self.attempt, stage },
                None => State::Connected { since: up.since },
            },
            Phase::Replaced { since, .. } => State::Replaced { since: *since },
            Phase::NeedsUser { cause, retry_at, .. } => {
                State::NeedsUser { cause: cause.clone(), retry_at: *retry_at }
            }
            Phase::Stopped(state) => state.clone(),
        }
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

    /// The dial of this number: the channel's, or its next link's (N1).
    fn dial_of(&mut self, generation: u64) -> Option<&mut Dial> {
        let dial = match (&mut self.phase, self.renewal.as_deref_mut()) {
            (Phase::Dialling(dial), _) | (_, Some(Renewal::Dialling(dial))) => dial,
            (_, _) => return None,
        };
        (dial.generation == generation).then_some(dial)
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

    /// A dial has come further.
    fn reached(&mut self, generation: u64, stage: Stage, now: Now) {
        let config = Arc::clone(&self.config);
        let Some(dial) = self.dial_of(generation) else { return };
        dial.reach(stage, now, &config.timing);
        if stage.may_be_late() && generation != self.generation {
            self.doubles = Some(Box::default());
        }
    }

    /// B6: a wake or a new route may end an ordinary wait sooner.
    fn shorten(&mut self, now: Now) {
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

    fn opened(&mut self, generation: u64, given: Given, proof: Proof, now: Now) {
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
    fn skips(&self) -> bool {
        self.too_big >= TWICE || self.broken > TWICE
    }

    /// Whether the link that comes up now is to pass over what broke those before it.
    pub(crate) fn forgives(&self) -> bool {
        self.broken == TWICE
    }

    /// Dials as soon as the gap between dials and the old link's end allow.
    fn dial_soon(&mut self, now: Now) {
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

    fn dial(&mut self, began: Duration, now: Now) {
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

    fn begin_dial(&mut self, ask: DialAsk, now: Now) -> Dial {
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

/// Ends in a row that waiting hardly mends, from which they are shown as an error. Too low: a deploy's moment of
/// 404 alarms people; too high: a mistyped address looks like a busy server.
const IN_VAIN: u32 = 3;
/// Links that end over the same thing before it is passed over, or the cursor skips past it. Too low: a line's noise costs
/// messages; too high: what comes behind it is late.
const TWICE: u32 = 2;

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

/// The earliest time for a dial after one at `last_dial`.
fn after_gap(last_dial: Option<Duration>, gap: Duration) -> Duration {
    last_dial.map_or(Duration::ZERO, |last| last.saturating_add(gap))
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
