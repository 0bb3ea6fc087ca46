//! The timers of one link: its heartbeat (H1) and the proof that its peer lives (L1 to L4). Pure, and gone
//! with its link (H2). The [`Machine`](crate::machine) owns one per link.

use std::time::Duration;

use crate::machine::idle::Silence;
use crate::{Cause, Heartbeat, Liveness, PeerCheck, Timing};

/// What a link's timers ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Due {
    Heartbeat,
    /// A ping that carries this number.
    Ping(u64),
    /// The first ping's time is over without a pong.
    NoPong,
    /// The peer is dead, or has to be taken for dead.
    Dead(Cause),
}

/// All times are on the machine's monotonic clock.
#[derive(Debug)]
pub(crate) struct Life {
    opened: Duration,
    last_bytes: Duration,
    /// When we sent the last frame, and the last text.
    last_sent: Duration,
    last_text: Duration,
    /// The longest silences before those that last.
    longest: Silence,
    got_bytes: bool,
    got_data: bool,
    pings: u64,
    last_ping: Option<(u64, Duration)>,
    next_heartbeat: Option<Duration>,
    next_ping: Option<Duration>,
    /// L2: until when the first pong may take.
    learn_until: Option<Duration>,
    /// L1: death, unless a byte comes.
    dead_at: Option<Duration>,
    /// L4: death, unless a byte comes.
    probe_until: Option<Duration>,
    /// L4: a probe is due as soon as a route exists and it is known whether the peer answers.
    probe_wanted: bool,
    /// Since the last byte came, the peer's machine has taken all that was sent.
    acknowledged: bool,
    /// L3.
    write_until: Option<Duration>,
    /// E2: of a link that only listens.
    listening: Option<Listening>,
}

/// What is known of the signs of life that a server makes by itself.
#[derive(Debug, Default)]
struct Listening {
    /// The last one, if nothing else has come since.
    last: Option<Duration>,
    /// Times between two with nothing in between, and the longest of them.
    seen: u32,
    longest: Duration,
}

/// Times between signs of life from which their rhythm is known. Too few: a chance is taken for one; too many: a dead stream looks
/// alive for longer.
const RHYTHM_SEEN: u32 = 2;
/// What a stream's silence may be longer than twice its rhythm. Too low: a slow network ends links; too high: a dead stream is shown as
/// connected for longer.
const RHYTHM_SPARE: Duration = Duration::from_secs(10);

impl Listening {
    /// How long silence is endured, if it is known how often the server breaks it.
    fn patience(&self) -> Option<Duration> {
        (self.seen >= RHYTHM_SEEN).then(|| self.longest * 2 + RHYTHM_SPARE)
    }
}

impl Life {
    /// A link that opened at `now`; with pings on, the first is due at once (L2).
    pub(crate) fn new(now: Duration, heartbeat: &Heartbeat, liveness: &Liveness, peer: PeerCheck) -> Self {
        let pings = !liveness.ping_after().is_zero();
        Self {
            opened: now,
            last_bytes: now,
            last_sent: now,
            last_text: now,
            longest: Silence::default(),
            got_bytes: false,
            got_data: false,
            pings: 0,
            last_ping: None,
            next_heartbeat: (!heartbeat.text().is_empty()).then(|| now + heartbeat.interval()),
            next_ping: pings.then_some(now),
            learn_until: (pings && peer == PeerCheck::Unknown).then(|| now + liveness.deadline()),
            dead_at: None,
            probe_until: None,
            probe_wanted: false,
            acknowledged: false,
            write_until: None,
            listening: None,
        }
    }

    /// The same of a link whose peer can't be asked whether it lives. `beat`: what is said over it all the same; `rhythm`: what is known
    /// from the links before.
    pub(crate) fn listening(
        now: Duration,
        beat: Option<&Heartbeat>,
        liveness: &Liveness,
        rhythm: Option<Duration>,
    ) -> Self {
        let seen = if rhythm.is_some() { RHYTHM_SEEN } else { 0 };
        let listening = Listening { last: None, seen, longest: rhythm.unwrap_or_default() };
        let mut life = Self {
            next_heartbeat: beat.map(|beat| now + beat.interval()),
            next_ping: None,
            learn_until: None,
            listening: Some(listening),
            ..Self::new(now, &Heartbeat::off(), liveness, PeerCheck::CannotBeChecked)
        };
        life.await_beat(now);
        life
    }

    /// A sign of life that the server makes by itself: the rhythm, once it is known.
    pub(crate) fn beat(&mut self, now: Duration, liveness: &Liveness) -> Option<Duration> {
        if let Some(Listening { last, seen, longest }) = &mut self.listening
            && let Some(before) = last.replace(now)
        {
            *longest = (*longest).max(now.saturating_sub(before));
            *seen = seen.saturating_add(1);
        }
        self.bytes(now, liveness);
        let listening = self.listening.as_ref()?;
        listening.patience().map(|_| listening.longest)
    }

    /// A message came.
    pub(crate) fn told(&mut self) {
        if let Some(listening) = &mut self.listening {
            // Some servers break no silence that isn't one.
            listening.last = None;
        }
    }

    /// Whether nothing can be said over the link.
    pub(crate) fn only_listens(&self) -> bool {
        self.listening.is_some()
    }

    fn await_beat(&mut self, now: Duration) {
        self.dead_at = self
            .listening
            .as_ref()
            .and_then(Listening::patience)
            .map(|patience| now.saturating_add(patience));
    }

    pub(crate) fn up(&self, now: Duration) -> Duration {
        now.saturating_sub(self.opened)
    }

    /// B1: whether the link has been good enough for delays to start small again.
    pub(crate) fn was_stable(&self, now: Duration, timing: &Timing) -> bool {
        let up = self.up(now);
        up >= timing.stable_silent_after || (up >= timing.stable_after && self.got_bytes)
    }

    pub(crate) fn silence(&self, now: Duration) -> Duration {
        now.saturating_sub(self.last_bytes)
    }

    /// L5: the silences that last, and the longest before them.
    pub(crate) fn silences(&self, now: Duration) -> (Silence, Silence) {
        let since = |then: Duration| now.saturating_sub(then);
        let lasting = Silence {
            both: since(self.last_bytes.max(self.last_sent)),
            ours: since(self.last_sent),
            text: since(self.last_text),
        };
        (lasting, self.longest)
    }

    /// Something comes or goes.
    fn break_silence(&mut self, now: Duration) {
        let (lasting, before) = self.silences(now);
        self.longest = Silence {
            both: lasting.both.max(before.both),
            ours: lasting.ours.max(before.ours),
            text: lasting.text.max(before.text),
        };
    }

    /// Any inbound byte is proof of life.
    pub(crate) fn bytes(&mut self, now: Duration, liveness: &Liveness) {
        self.got_bytes = true;
        self.restart(now, liveness);
    }

    /// A Text or Binary frame: only these put the heartbeat off (H1).
    pub(crate) fn data(&mut self, now: Duration, heartbeat: &Heartbeat) {
        self.got_data = true;
        if let Some(next) = &mut self.next_heartbeat
            && !heartbeat.is_steady()
        {
            *next = now + heartbeat.interval();
        }
    }

    /// A text of ours that is no heartbeat goes out.
    pub(crate) fn said(&mut self, now: Duration) {
        self.break_silence(now);
        (self.last_sent, self.last_text) = (now, now);
    }

    /// Whether the link is young and no Text or Binary frame has come: what is wrong now is the first thing
    /// that was to come.
    pub(crate) fn caught_nothing(&self, now: Duration, timing: &Timing) -> bool {
        !self.got_data && self.up(now) < timing.stable_after
    }

    /// R3: whether the server may not have taken note of this link yet.
    pub(crate) fn is_unproven(&self, now: Duration, timing: &Timing) -> bool {
        !self.got_data && self.up(now) < timing.ghost_young
    }

    /// Whether ping `counter` is one of ours, and not a peer's unasked pong.
    pub(crate) fn sent_ping(&self, counter: u64) -> bool {
        (1..=self.pings).contains(&counter)
    }

    /// A pong for a ping of ours: the round trip, if that was the newest.
    pub(crate) fn pong(&mut self, counter: u64, now: Duration) -> Option<Duration> {
        self.learn_until = None;
        let (_, sent) = self.last_ping.take_if(|(number, _)| *number == counter)?;
        Some(now.saturating_sub(sent))
    }

    /// Reading was held back because the owner takes no frames, and now goes on: the silence was ours.
    pub(crate) fn released(&mut self, now: Duration, liveness: &Liveness) {
        self.restart(now, liveness);
    }

    fn restart(&mut self, now: Duration, liveness: &Liveness) {
        self.break_silence(now);
        self.last_bytes = now;
        self.probe_until = None;
        self.acknowledged = false;
        self.await_beat(now);
        // A ping that is due (the first) is not put off.
        if let Some(next) = &mut self.next_ping
            && *next > now
        {
            *next = now + liveness.ping_after();
        }
    }

    /// Whether silence is about to be taken for death.
    pub(crate) fn is_to_judge(&self, now: Duration) -> bool {
        [self.dead_at, self.probe_until].into_iter().flatten().any(|at| at <= now) && !self.acknowledged
    }

    /// When what the peer leaves undone is held against it.
    pub(crate) fn verdict_at(&self) -> Option<Duration> {
        [self.dead_at, self.probe_until, self.learn_until, self.write_until].into_iter().flatten().min()
    }

    /// The peer's machine has taken all that was sent.
    pub(crate) fn acknowledged(&mut self) {
        self.acknowledged = true;
    }

    /// A write is stuck since now, or no longer.
    pub(crate) fn writing_stuck(&mut self, stuck: bool, now: Duration, timing: &Timing) {
        self.write_until = stuck.then(|| self.write_until.unwrap_or(now + timing.write_stall));
    }

    /// L4: ask for a proof of life at the next [`tick`](Self::tick) at which a route exists.
    pub(crate) fn want_probe(&mut self) {
        self.probe_wanted = true;
    }

    /// When [`tick`](Self::tick) has to be called next.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        [
            self.next_heartbeat,
            self.next_ping,
            self.learn_until,
            self.dead_at,
            self.probe_until,
            self.write_until,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What is due, one at a time; call until `None`. While `held`, nothing is read, so silence proves
    /// nothing; while `offline`, a probe waits.
    pub(crate) fn tick(
        &mut self,
        now: Duration,
        context: &Context<'_>,
        peer: PeerCheck,
        held: bool,
        offline: bool,
    ) -> Option<Due> {
        let due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        let Context { heartbeat, liveness, timing } = context;
        if due(self.write_until) {
            return Some(Due::Dead(Cause::WriteStalled));
        }
        if due(self.dead_at) || due(self.probe_until) {
            self.dead_at = None;
            self.probe_until = None;
            if held {
                self.await_beat(now);
            } else if peer == PeerCheck::Answers {
                let after = self.silence(now);
                let busy = self.acknowledged;
                return Some(Due::Dead(if busy {
                    Cause::Unanswered { after }
                } else {
                    Cause::Silent { after }
                }));
            }
        }
        if due(self.learn_until) {
            self.learn_until = None;
            if held {
                // The pong may be among what we don't read.
                self.learn_until = Some(now + liveness.deadline());
            } else {
                return Some(Due::NoPong);
            }
        }
        if due(self.next_heartbeat) {
            self.next_heartbeat = Some(now + heartbeat.interval());
            self.break_silence(now);
            (self.last_sent, self.last_text) = (now, now);
            return Some(Due::Heartbeat);
        }
        if due(self.next_ping) {
            // The first ping only measures and learns (L2).
            if self.pings > 0 {
                self.dead_at = Some(self.dead_at.unwrap_or(now + liveness.deadline()));
            }
            return Some(self.ping(now, liveness));
        }
        if self.probe_wanted && !offline {
            match peer {
                // It can't be asked.
                _ if self.listening.is_some() => return Some(Due::Dead(Cause::Local)),
                PeerCheck::Answers => {
                    self.probe_wanted = false;
                    self.probe_until = Some(now + timing.probe);
                    return Some(self.ping(now, liveness));
                }
                PeerCheck::Unknown if self.learn_until.is_some() => {}
                PeerCheck::Unknown | PeerCheck::CannotBeChecked => return Some(Due::Dead(Cause::Local)),
            }
        }
        None
    }

    fn ping(&mut self, now: Duration, liveness: &Liveness) -> Due {
        self.pings += 1;
        self.break_silence(now);
        self.last_sent = now;
        self.last_ping = Some((self.pings, now));
        if self.next_ping.is_some() {
            self.next_ping = Some(now + liveness.ping_after());
        }
        Due::Ping(self.pings)
    }
}

/// The settings that a link's timers need.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) heartbeat: &'a Heartbeat,
    pub(crate) liveness: &'a Liveness,
    pub(crate) timing: &'a Timing,
}
