//! The rules, one promise a test, in invented time.

use rand::SeedableRng;

use super::*;
use crate::machine::facts::End;
use crate::{About, ChannelUrl, Detail, Heartbeat, Memory, Payload, SessionEnd, Site, TakeBack};

pub(super) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(super) fn config() -> Config {
    Config::new(ChannelUrl::parse("wss://shop.example/ws", false).expect("a good URL"))
}

/// A machine on a workbench, with a clock of its own.
pub(super) struct Bench {
    pub(super) machine: Machine,
    pub(super) mono: Duration,
    /// All that came out so far, with the time.
    pub(super) out: Vec<(Duration, Output)>,
}

/// Wall-clock time at the bench's zero.
fn epoch() -> SystemTime {
    SystemTime::UNIX_EPOCH + secs(1_800_000_000)
}

impl Bench {
    pub(super) fn new(config: Config, start: Start, seed: u64) -> Self {
        let now = Now { mono: secs(1000), wall: epoch() + secs(1000) };
        let machine = Machine::new(Arc::new(config), start, SmallRng::seed_from_u64(seed), now);
        Self { machine, mono: now.mono, out: Vec::new() }
    }

    pub(super) fn give(&mut self, input: Input) {
        let now = Now { mono: self.mono, wall: epoch() + self.mono };
        self.machine.handle(input, now);
        while let Some(output) = self.machine.poll_output() {
            self.out.push((self.mono, output));
        }
        if let Some(deadline) = self.machine.deadline() {
            assert!(deadline > self.mono, "a deadline in the past would spin");
        }
    }

    /// Lets time pass, with a stop at every deadline.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.mono + time;
        while let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= until) {
            self.mono = deadline;
            self.give(Input::Time);
        }
        self.mono = until;
    }

    /// The outputs since the last call.
    pub(super) fn news(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out).into_iter().map(|(_, output)| output).collect()
    }

    pub(super) fn generation(&self) -> u64 {
        self.machine.generation
    }

    pub(super) fn state(&self) -> State {
        self.machine.state()
    }

    /// Passes time until a dial starts; how long that took.
    pub(super) fn until_dial(&mut self, at_most: Duration) -> Duration {
        let (from, before) = (self.mono, self.generation());
        while self.generation() == before {
            let deadline = self.machine.deadline().expect("something is due");
            assert!(deadline - from <= at_most, "no dial within {at_most:?}: {:?}", self.state());
            self.mono = deadline;
            self.give(Input::Time);
        }
        self.mono - from
    }

    fn open(&mut self) {
        self.give(Input::Opened {
            generation: self.generation(),
            given: Given::default(),
            proof: Proof::Pings,
        });
    }

    fn fail(&mut self, cause: Cause) {
        self.give(Input::DialFailed {
            generation: self.generation(),
            cause,
            retry_after: None,
            elsewhere: false,
        });
    }

    fn lose(&mut self) {
        let end = End::Lost { detail: Detail::EndOfStream };
        self.give(Input::Ended { generation: self.generation(), end });
    }

    pub(super) fn closed(&mut self, code: u16) {
        let generation = self.generation();
        let end = End::Closed(CloseInfo { code, reason: String::new() });
        self.give(Input::Ended { generation, end });
        self.give(Input::Gone { generation });
    }

    fn pong(&mut self) {
        let counter = self.out.iter().rev().find_map(|(_, output)| match output {
            Output::Ping { counter, .. } => Some(*counter),
            Output::Dial { .. }
            | Output::Abandon { .. }
            | Output::Heartbeat { .. }
            | Output::Say { .. }
            | Output::Post { .. }
            | Output::Close { .. }
            | Output::Leave { .. }
            | Output::Abort { .. }
            | Output::Deliver(_)
            | Output::Finish => None,
        });
        let counter = counter.expect("a ping went out");
        self.give(Input::Pong { generation: self.generation(), counter });
    }

    /// A living server: every ping so far is answered.
    fn answer_pings(&mut self) {
        for output in self.news() {
            if let Output::Ping { generation, counter } = output {
                self.give(Input::Pong { generation, counter });
            }
        }
    }

    fn text(&mut self) {
        let payload = Payload::Text("hello".to_owned());
        self.give(Input::Frame { generation: self.generation(), payload, about: About::default() });
    }

    pub(super) fn order(&mut self, command: Command) {
        self.give(Input::Command(command));
    }

    pub(super) fn woke(&mut self, slept: Duration) {
        self.give(Input::Signal(Signal::Woke { slept }));
    }

    fn network(&mut self, online: bool) {
        self.give(Input::Signal(Signal::NetworkChanged { online }));
    }

    /// Times since `from` at which heartbeats went out.
    fn heartbeats(&self, from: Duration) -> Vec<Duration> {
        let heartbeats = self.out.iter().filter(|(_, output)| matches!(output, Output::Heartbeat { .. }));
        heartbeats.map(|(at, _)| *at - from).collect()
    }
}

/// A link that has just opened, by a first dial.
pub(super) fn up_with(config: Config) -> Bench {
    let mut bench = Bench::new(config, Start::Connect, 7);
    bench.until_dial(secs(1));
    bench.open();
    assert_eq!(bench.state().name(), "connected");
    bench
}

fn up() -> Bench {
    up_with(config())
}

/// A link whose peer has answered a ping.
pub(super) fn up_and_answering() -> Bench {
    let mut bench = up();
    bench.pong();
    bench
}

fn without_pings() -> Config {
    let liveness = Liveness::new(Duration::ZERO, secs(15)).expect("zero is off");
    Config { liveness, ..config() }
}

// Heartbeat

#[test]
fn the_heartbeat_goes_out_every_60_s_in_silence() {
    let mut bench = up_with(without_pings());
    let from = bench.mono;
    bench.pass(secs(200));
    assert_eq!(bench.heartbeats(from), [secs(60), secs(120), secs(180)]);
    let Some((_, Output::Heartbeat { text, .. })) = bench.out.last() else { panic!("a heartbeat") };
    assert_eq!(text.0, "HeartBeat");
}

#[test]
fn an_incoming_message_puts_the_heartbeat_off_and_a_pong_does_not() {
    let mut bench = up_and_answering();
    let from = bench.mono;
    bench.pass(secs(30));
    bench.text();
    bench.pass(secs(30));
    bench.pong();
    bench.pass(secs(34));
    assert_eq!(bench.heartbeats(from), [secs(90)]);
}

#[test]
fn no_heartbeat_comes_after_the_link() {
    for end in [
        Bench::lose as fn(&mut Bench),
        |bench| bench.closed(4500),
        |bench| {
            bench.order(Command::Disconnect);
        },
    ] {
        let mut bench = up();
        bench.pass(secs(59));
        end(&mut bench);
        bench.out.clear();
        bench.pass(secs(2));
        assert!(bench.heartbeats(Duration::ZERO).is_empty());
    }
}

#[test]
fn an_empty_heartbeat_text_sends_none() {
    let heartbeat = Heartbeat::new("", secs(60), secs(90)).expect("off");
    let mut bench = up_with(Config { heartbeat, ..config() });
    bench.pass(secs(600));
    assert!(bench.heartbeats(Duration::ZERO).is_empty());
}

// Proof of life

#[test]
fn a_peer_that_fell_silent_is_dead_35_s_after_its_last_byte() {
    let mut bench = up_and_answering();
    bench.pass(secs(20));
    bench.give(Input::Bytes { generation: bench.generation() });
    bench.news();
    bench.pass(secs(35) - millis(1));
    assert_eq!(bench.state().name(), "connected");
    bench.pass(millis(1));
    assert!(bench.news().contains(&Output::Abort { generation: 1 }), "no close handshake with the dead");
    let State::Waiting { cause, .. } = bench.state() else { panic!("waiting") };
    assert_eq!(cause.to_string(), "no answer for 35 s");
}

#[test]
fn any_byte_is_proof_of_life() {
    let mut bench = up_and_answering();
    for _ in 0..100 {
        bench.pass(secs(34));
        bench.give(Input::Bytes { generation: bench.generation() });
    }
    assert_eq!(bench.state().name(), "connected");
}

#[test]
fn a_peer_that_never_answered_is_not_killed_and_said_to_be_uncheckable() {
    let mut bench = up();
    bench.pass(secs(15) - millis(1));
    assert_eq!(bench.machine.status().peer, PeerCheck::Unknown);
    bench.pass(millis(1));
    assert_eq!(bench.machine.status().peer, PeerCheck::CannotBeChecked);
    bench.pass(secs(3600));
    assert_eq!(bench.state().name(), "connected");
}

#[test]
fn one_pong_ever_is_remembered_over_links() {
    let mut bench = up_and_answering();
    assert_eq!(bench.machine.status().peer, PeerCheck::Answers);
    bench.lose();
    bench.until_dial(secs(5));
    bench.open();
    bench.pass(secs(36));
    assert_ne!(bench.state().name(), "connected", "the second link's silence means death");
}

#[test]
fn an_unasked_pong_teaches_nothing() {
    let mut bench = up();
    bench.give(Input::Pong { generation: 1, counter: 77 });
    assert_eq!(bench.machine.status().peer, PeerCheck::Unknown);
}

#[test]
fn the_round_trip_is_measured() {
    let mut bench = up();
    bench.pass(millis(30));
    bench.pong();
    assert_eq!(bench.machine.status().rtt, Some(millis(30)));
}

#[test]
fn silence_proves_nothing_while_reading_is_held_back() {
    let mut bench = up_and_answering();
    bench.pass(secs(25));
    assert!(bench.news().iter().any(|output| matches!(output, Output::Ping { counter: 2, .. })));
    bench.give(Input::ReadingHeld(true));
    bench.pass(secs(600));
    assert_eq!(bench.state().name(), "connected");
    let news = bench.news();
    assert!(news.iter().any(|output| matches!(output, Output::Ping { .. })), "pings go on");
    assert!(news.iter().any(|output| matches!(output, Output::Heartbeat { .. })), "heartbeats go on");
    bench.give(Input::ReadingHeld(false));
    bench.pass(secs(34));
    assert_eq!(bench.state().name(), "connected", "the clock starts anew");
    bench.pass(millis(1100));
    assert_eq!(bench.state().name(), "waiting");
}

#[test]
fn a_write_that_is_stuck_for_10_s_means_death() {
    let mut bench = up();
    bench.give(Input::WriteStuck { generation: 1, stuck: true });
    bench.pass(secs(9));
    bench.give(Input::WriteStuck { generation: 1, stuck: false });
    bench.pass(secs(2));
    assert_eq!(bench.state().name(), "connected");
    bench.give(Input::WriteStuck { generation: 1, stuck: true });
    bench.pass(secs(10));
    let State::Waiting { cause, .. } = bench.state() else { panic!("waiting") };
    assert_eq!(cause, Cause::WriteStalled);
}

#[test]
fn a_peer_whose_machine_takes_what_is_sent_is_busy_and_not_gone() {
    let mut bench = up_and_answering();
    bench.pass(secs(35) - millis(1));
    assert_eq!(
        bench.machine.is_to_judge(Now { mono: bench.mono, wall: epoch() }),
        None,
        "nobody asks in vain"
    );
    bench.mono += millis(1);
    let now = Now { mono: bench.mono, wall: epoch() };
    assert_eq!(bench.machine.is_to_judge(now), Some(1));
    bench.machine.handle(Input::Acknowledged { generation: 1 }, now);
    bench.give(Input::Time);
    let State::Waiting { cause, .. } = bench.state() else { panic!("waiting") };
    assert_eq!(cause.to_string(), "the server is busy: no answer for 35 s");
}

#[test]
fn what_is_read_before_the_time_is_told_counts_though_patience_is_over() {
    for read in [
        Input::Pong { generation: 1, counter: 2 },
        Input::Frame { generation: 1, payload: Payload::Text("late".to_owned()), about: About::default() },
    ] {
        let mut bench = up_and_answering();
        bench.pass(secs(35) - millis(1));
        bench.mono += secs(60);
        let now = Now { mono: bench.mono, wall: epoch() };
        bench.machine.handle(Input::Acknowledged { generation: 1 }, now);
        bench.machine.handle(Input::WriteStuck { generation: 1, stuck: false }, now);
        bench.give(read);
        bench.give(Input::Time);
        assert_eq!(bench.state().name(), "connected");
    }
    let mut bench = up_and_answering();
    bench.pass(secs(35) - millis(1));
    bench.mono += secs(60);
    let now = Now { mono: bench.mono, wall: epoch() };
    bench.machine.handle(Input::Acknowledged { generation: 1 }, now);
    bench.closed(4500);
    assert_eq!(bench.state().name(), "replaced");
}

#[test]
fn each_link_in_a_row_that_goes_unanswered_is_followed_by_a_longer_wait() {
    for seed in 0..50 {
        let mut bench = Bench::new(config(), Start::Connect, seed);
        bench.until_dial(secs(1));
        let mut waits = Vec::new();
        for _ in 0..4 {
            bench.open();
            bench.pong();
            bench.pass(secs(35));
            assert_eq!(bench.state().name(), "waiting");
            waits.push(bench.until_dial(secs(60)));
        }
        assert!(waits.is_sorted() && waits[1] >= secs(3) && waits[3] >= secs(12), "{waits:?}");
        // One that did well ends the row, and so does another cause.
        bench.open();
        bench.pong();
        bench.hear_for(secs(300));
        bench.pass(secs(35));
        assert!(bench.until_dial(secs(60)) <= secs(3));
        bench.open();
        bench.pong();
        bench.hear_for(secs(30));
        bench.lose();
        assert!(bench.until_dial(secs(60)) <= secs(3));
        bench.open();
        bench.pong();
        bench.pass(secs(35));
        assert!(bench.until_dial(secs(60)) <= secs(3));
    }
}

// Closes, replaced

#[test]
fn stays_quiet_after_4500_whatever_the_system_does() {
    let mut bench = up();
    bench.closed(4500);
    bench.news();
    for _ in 0..50 {
        bench.pass(secs(3600));
        bench.woke(secs(3600));
        bench.network(false);
        bench.network(true);
        bench.order(Command::ReconnectNow);
        bench.order(Command::CredentialChanged);
    }
    assert_eq!(bench.state().name(), "replaced");
    assert_eq!(bench.news(), []);
    assert_eq!(bench.machine.deadline(), None);
}

#[test]
fn take_over_and_connect_leave_replaced() {
    for command in [Command::TakeOver, Command::Connect] {
        let mut bench = up();
        bench.closed(4500);
        bench.order(command);
        bench.until_dial(secs(1));
        assert_eq!(bench.generation(), 2);
    }
}

#[test]
fn takes_back_by_itself_only_where_asked_to() {
    let mut bench = up_with(Config { take_back_after: TakeBack::after(secs(1800)).ok(), ..config() });
    bench.closed(4500);
    assert_eq!(bench.until_dial(secs(1800)), secs(1800));
}

#[test]
fn a_start_by_hand_dials_at_once_and_one_at_login_a_little_later() {
    for seed in 0..50 {
        let mut bench = Bench::new(config(), Start::ByHand, seed);
        assert_eq!(bench.until_dial(secs(1)), Duration::ZERO);
        let mut bench = Bench::new(config(), Start::Connect, seed);
        let waited = bench.until_dial(secs(1));
        assert!((millis(250)..=millis(500)).contains(&waited), "{waited:?}");
    }
}

#[test]
fn a_start_by_hand_without_a_network_tries_once_and_then_once_a_minute() {
    let mut bench = Bench::new(config(), Start::ByHand, 7);
    bench.give(Input::Signal(Signal::NetworkChanged { online: false }));
    assert_eq!(bench.generation(), 1, "the signal may be wrong");
    bench.fail(Cause::Unreachable { detail: Detail::NetworkUnreachable });
    assert_eq!(bench.until_dial(secs(90)), secs(60));
}

#[test]
fn a_remembered_state_survives_a_restart() {
    let since = epoch();
    let mut bench = Bench::new(config(), Start::Replaced { since }, 1);
    bench.pass(secs(100_000));
    assert_eq!(bench.state(), State::Replaced { since });
    let mut bench = Bench::new(config(), Start::Disconnected, 1);
    bench.pass(secs(100_000));
    assert_eq!(bench.state().name(), "disconnected");
    assert_eq!(bench.news(), []);
}

#[test]
fn reconnects_on_every_close_but_4500() {
    for code in [1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012, 3000, 4000, 4499, 4501, 4999] {
        let mut bench = up();
        bench.closed(code);
        bench.until_dial(secs(90));
        assert_eq!(bench.generation(), 2, "after {code}");
    }
}

#[test]
fn a_close_that_may_mean_a_bad_credential_has_it_read_again() {
    for (code, refresh_credential) in [(1008, true), (3000, true), (3003, true), (1002, false)] {
        let mut bench = up();
        bench.closed(code);
        bench.until_dial(secs(60));
        let ask = DialAsk { refresh_credential, ..DialAsk::default() };
        assert_eq!(bench.news().last(), Some(&Output::Dial { generation: 2, ask }), "after {code}");
    }
}

#[test]
fn a_broken_rule_is_answered_with_its_close_code() {
    let mut bench = up();
    bench.news();
    let end = End::Violation { code: 1009, detail: Detail::TooBig };
    bench.give(Input::Ended { generation: 1, end });
    assert_eq!(bench.news(), [Output::Close { generation: 1, code: 1009 }]);
    assert!(bench.until_dial(secs(100)) >= secs(60));
}

// Our own late upgrades

impl Bench {
    fn stage(&mut self, stage: Stage) {
        self.give(Input::Stage { generation: self.generation(), stage });
    }

    /// Dials, comes as far as this, and gives up in one of several ways.
    pub(super) fn give_up(&mut self, stage: Stage, how: u8) {
        self.until_dial(secs(120));
        self.stage(stage);
        self.pass(secs(6));
        match how % 5 {
            0 => self.pass(secs(80)),
            1 => self.fail(Cause::TimedOut { stage }),
            2 => self.fail(Cause::Status { status: 504 }),
            3 => self.fail(Cause::Lost { detail: Detail::EndOfStream }),
            _ => {
                self.order(Command::Disconnect);
                self.order(Command::Connect);
            }
        }
    }

    /// Time in which the peer says something every second.
    pub(super) fn hear_for(&mut self, time: Duration) {
        let until = self.mono + time;
        while self.mono < until {
            self.pass(secs(1).min(until - self.mono));
            self.give(Input::Bytes { generation: self.generation() });
        }
    }

    pub(super) fn up_again(&mut self) {
        self.until_dial(secs(120));
        self.open();
        self.pong();
    }
}

#[test]
fn a_4500_after_an_upgrade_that_was_given_up_is_believed_only_the_second_time() {
    for how in 0..5 {
        let mut bench = Bench::new(config(), Start::Connect, 7);
        bench.give_up(Stage::Upgrade, how);
        bench.up_again();
        bench.pass(secs(4));
        bench.closed(4500);
        let State::Waiting { cause, .. } = bench.state() else {
            panic!("given up by way {how}: {:?}", bench.state())
        };
        assert_eq!(cause, Cause::Overtaken);
        assert!(bench.until_dial(secs(60)) <= secs(60));
        bench.open();
        bench.closed(4500);
        assert_eq!(bench.state().name(), "replaced", "given up by way {how}");
    }
}

#[test]
fn a_dial_that_never_asked_for_the_upgrade_explains_no_4500() {
    for (stage, how) in [(Stage::Tcp, 1), (Stage::Tls, 4), (Stage::Lookup, 1), (Stage::Credential, 4)] {
        let mut bench = Bench::new(config(), Start::Connect, 7);
        bench.give_up(stage, how);
        bench.up_again();
        bench.closed(4500);
        assert_eq!(bench.state().name(), "replaced", "after {stage}");
    }
}

#[test]
fn an_answered_upgrade_explains_no_4500() {
    for cause in [
        Cause::Status { status: 502 },
        Cause::Status { status: 503 },
        Cause::SignInRefused { status: 401 },
        Cause::NotAWebSocket { detail: Detail::NoHttp },
        // At once: the server died.
        Cause::Lost { detail: Detail::EndOfStream },
    ] {
        let mut bench = Bench::new(config(), Start::Connect, 7);
        bench.until_dial(secs(1));
        bench.stage(Stage::Upgrade);
        bench.fail(cause.clone());
        bench.until_dial(secs(600));
        bench.open();
        bench.closed(4500);
        assert_eq!(bench.state().name(), "replaced", "after {cause}");
    }
}

#[test]
fn a_late_upgrade_is_expected_for_three_minutes_from_the_next_open() {
    for (up, state) in [(179, "waiting"), (180, "replaced")] {
        let mut bench = Bench::new(config(), Start::Connect, 7);
        bench.give_up(Stage::Upgrade, 4);
        // However long nothing opens: a server that starts has all of them before it.
        for _ in 0..20 {
            bench.until_dial(secs(60));
            bench.fail(Cause::Unreachable { detail: Detail::Refused });
        }
        bench.up_again();
        bench.hear_for(secs(up));
        bench.closed(4500);
        assert_eq!(bench.state().name(), state, "after {up} s");
    }
}

#[test]
fn a_link_that_was_dropped_right_after_its_open_may_be_taken_note_of_after_the_next() {
    let disconnect = |bench: &mut Bench| {
        bench.order(Command::Disconnect);
        bench.order(Command::Connect);
    };
    let unanswered: fn(&mut Bench) = disconnect;
    for (young, heard, drop, state) in [
        (1, false, unanswered, "waiting"),
        (1, false, |bench| bench.give(Input::AddressGone { generation: 1 }), "waiting"),
        (1, true, unanswered, "replaced"),
        (6, false, unanswered, "replaced"),
        (
            1,
            false,
            |bench| {
                bench.order(Command::Disconnect);
                // The server has answered the close: it knew of the link.
                bench.give(Input::Gone { generation: 1 });
                bench.order(Command::Connect);
            },
            "replaced",
        ),
    ] {
        let mut bench = up();
        bench.pong();
        if heard {
            bench.text();
        }
        bench.pass(secs(young));
        drop(&mut bench);
        bench.up_again();
        bench.closed(4500);
        assert_eq!(bench.state().name(), state, "dropped after {young} s; heard something: {heard}");
    }
}

#[test]
fn another_machine_for_the_same_channel_knows_of_them() {
    let settings = config();
    let mut before = Bench::new(settings.clone(), Start::Connect, 7);
    before.until_dial(secs(1));
    before.stage(Stage::Upgrade);
    before.order(Command::ShutDown);
    let mut bench = Bench::new(settings, Start::Connect, 8);
    bench.up_again();
    bench.closed(4500);
    assert_eq!(bench.state().name(), "waiting");
}

/// The settings of the next process, which starts so much later and knows what this one left.
fn next_process(bench: &Bench, settings: &Config, later: Duration) -> Config {
    let now = Now { mono: secs(1000), wall: epoch() + bench.mono + later };
    let memory = Memory::recall_at(&settings.memory.kept().borrow(), now);
    Config { memory, ..config() }
}

#[test]
fn the_process_that_follows_a_killed_one_knows_of_the_upgrade_that_waited() {
    type Ended = fn(&mut Bench);
    let killed: Ended = |bench| bench.pass(millis(250));
    for (end, later, state) in [
        (killed, 1, "waiting"),
        (|bench| bench.pass(secs(80)), 60, "waiting"),
        (|bench| bench.order(Command::ShutDown), 1, "waiting"),
        (killed, 3700, "replaced"),
    ] {
        let settings = config();
        let mut before = Bench::new(settings.clone(), Start::Connect, 7);
        before.until_dial(secs(1));
        before.stage(Stage::Upgrade);
        end(&mut before);
        let mut bench = Bench::new(next_process(&before, &settings, secs(later)), Start::Connect, 8);
        bench.up_again();
        bench.closed(4500);
        assert_eq!(bench.state().name(), state, "started {later} s later");
        if state == "waiting" {
            bench.up_again();
            bench.closed(4500);
            assert_eq!(bench.state().name(), "replaced", "one upgrade, one kick");
        }
    }
}

#[test]
fn what_the_next_process_has_to_know_changes_with_slow_upgrades_alone() {
    let settings = config();
    let mut kept = settings.memory.kept();
    let mut changes = || {
        let changed = kept.has_changed().expect("somebody remembers");
        kept.mark_unchanged();
        changed
    };
    let mut bench = Bench::new(settings.clone(), Start::Connect, 7);
    for slow in [false, true] {
        bench.until_dial(secs(60));
        bench.stage(Stage::Upgrade);
        bench.pass(millis(if slow { 250 } else { 249 }));
        assert_eq!(changes(), slow, "asked");
        bench.open();
        assert_eq!(changes(), slow, "opened");
        bench.pong();
        bench.hear_for(secs(600));
        bench.lose();
        assert!(!changes(), "lost");
    }
    bench.until_dial(secs(60));
    bench.stage(Stage::Upgrade);
    bench.pass(secs(1));
    bench.fail(Cause::Status { status: 502 });
    let mut next = Bench::new(next_process(&bench, &settings, secs(1)), Start::Connect, 8);
    next.up_again();
    next.closed(4500);
    assert_eq!(next.state().name(), "replaced", "it was answered");
}

#[test]
fn a_limit_for_silence_that_was_learned_is_known_to_the_next_process_and_at_no_other_place() {
    let settings = config();
    let mut bench = Bench::new(settings.clone(), Start::Connect, 7);
    let silent = Cause::Lost { detail: Detail::EndOfStream };
    settings.measured(secs(7), &silent);
    settings.measured(secs(15), &Cause::Local);
    assert_eq!(settings.memory.look(|known| known.idle.limit()), None, "too soon, or of our own doing");
    settings.measured(secs(15), &silent);
    bench.up_again();
    bench.hear_for(secs(23));
    assert_eq!(bench.machine.status().idle_limit.map(|limit| limit.after), Some(secs(15)));
    let settings = next_process(&bench, &settings, secs(3600));
    let next = Bench::new(settings.clone(), Start::Connect, 8);
    assert_eq!(next.machine.status().idle_limit.map(|limit| limit.after), Some(secs(15)));
    let url = ChannelUrl::parse("wss://shop.example/other", false).expect("a good URL");
    let next = Bench::new(Config { url, ..settings.clone() }, Start::Connect, 8);
    assert_eq!(next.machine.status().idle_limit, None);
    assert_eq!(*settings.memory.kept().borrow(), crate::Kept::default());
}

#[test]
fn an_upgrade_is_waited_for_longer_than_any_proxy_does_but_not_across_networks() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    bench.until_dial(secs(1));
    bench.pass(secs(20));
    bench.stage(Stage::Upgrade);
    bench.pass(secs(75));
    assert_eq!(bench.state(), State::Connecting { attempt: 1, stage: Stage::Upgrade });
    bench.pass(secs(2));
    assert_eq!(bench.state().name(), "waiting");
    for change in [|bench: &mut Bench| bench.network(true), |bench: &mut Bench| bench.woke(secs(5))] {
        let mut bench = Bench::new(config(), Start::Connect, 7);
        bench.until_dial(secs(1));
        bench.stage(Stage::Upgrade);
        bench.pass(secs(20));
        change(&mut bench);
        bench.pass(secs(9));
        assert_eq!(bench.state().name(), "connecting");
        bench.pass(secs(1));
        assert_eq!(bench.state().name(), "waiting");
    }
}

// Links and dials

#[test]
fn no_dial_starts_before_the_old_link_is_gone() {
    let mut bench = up();
    bench.pass(secs(5));
    bench.order(Command::Disconnect);
    bench.order(Command::Connect);
    bench.pass(millis(999));
    assert_eq!(bench.generation(), 1);
    bench.news();
    bench.pass(millis(1));
    let ask = DialAsk::default();
    assert_eq!(
        bench.news(),
        [Output::Abort { generation: 1 }, Output::Dial { generation: 2, ask }],
        "the close handshake is given 1 s"
    );
}

#[test]
fn the_next_dial_waits_no_longer_than_the_peers_answer() {
    let mut bench = up();
    bench.pass(secs(5));
    bench.order(Command::Disconnect);
    bench.order(Command::Connect);
    bench.give(Input::Gone { generation: 1 });
    assert_eq!(bench.generation(), 2);
}

#[test]
fn what_a_stale_link_reports_changes_nothing() {
    let mut bench = up();
    bench.lose();
    bench.until_dial(secs(5));
    bench.open();
    bench.news();
    let before = bench.machine.status();
    let close = CloseInfo { code: 4500, reason: String::new() };
    let payload = Payload::Text("stale".to_owned());
    bench.give(Input::Frame { generation: 1, payload, about: About::default() });
    bench.give(Input::Ended { generation: 1, end: End::Closed(close) });
    bench.give(Input::Gone { generation: 1 });
    bench.give(Input::Bytes { generation: 1 });
    bench.give(Input::Pong { generation: 1, counter: 1 });
    bench.give(Input::Opened { generation: 1, given: Given::default(), proof: Proof::Pings });
    bench.give(Input::WriteStuck { generation: 1, stuck: true });
    assert_eq!(bench.machine.status(), before);
    assert_eq!(bench.news(), []);
}

#[test]
fn a_dial_that_hangs_is_given_up_after_30_s() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    bench.until_dial(secs(1));
    bench.give(Input::Stage { generation: 1, stage: Stage::Tls });
    assert_eq!(bench.state(), State::Connecting { attempt: 1, stage: Stage::Tls });
    bench.news();
    bench.pass(secs(30));
    assert_eq!(bench.news().first(), Some(&Output::Abandon { generation: 1 }));
    let State::Waiting { cause, attempt, .. } = bench.state() else { panic!("waiting") };
    assert_eq!((cause, attempt), (Cause::TimedOut { stage: Stage::Tls }, 1));
}

#[test]
fn disconnect_while_dialling_gives_the_dial_up_at_once() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    bench.until_dial(secs(1));
    bench.news();
    bench.order(Command::Disconnect);
    assert_eq!(bench.news(), [Output::Abandon { generation: 1 }]);
    bench.pass(secs(100_000));
    assert_eq!(bench.state().name(), "disconnected");
}

#[test]
fn shutting_down_closes_the_link_with_1000_and_then_ends() {
    let mut bench = up();
    bench.news();
    bench.order(Command::ShutDown);
    assert_eq!(bench.news(), [Output::Close { generation: 1, code: 1000 }]);
    bench.give(Input::Gone { generation: 1 });
    assert_eq!(bench.news(), [Output::Finish]);
    let status = bench.machine.status();
    assert_eq!((status.links_opened, status.links_closed), (1, 1));
    assert_eq!(status.state.name(), "connected", "what the user wanted is still known");
}

#[test]
fn shutting_down_does_not_wait_for_a_dead_peer_or_for_nothing() {
    let mut bench = up();
    bench.news();
    bench.order(Command::ShutDown);
    bench.pass(secs(1));
    assert_eq!(bench.news().last(), Some(&Output::Finish));
    let mut bench = Bench::new(config(), Start::Disconnected, 1);
    bench.order(Command::ShutDown);
    assert_eq!(bench.news(), [Output::Finish]);
}

// Delays

#[test]
fn the_time_shown_is_the_time_slept() {
    let mut bench = up();
    bench.closed(1012);
    let State::Waiting { retry_at, .. } = bench.state() else { panic!("waiting") };
    bench.until_dial(secs(30));
    assert_eq!(epoch() + bench.mono, retry_at);
}

#[test]
fn two_dials_are_at_least_a_second_apart() {
    for seed in 0..50 {
        let mut bench = Bench::new(config(), Start::Connect, seed);
        bench.until_dial(secs(1));
        bench.fail(Cause::Lookup { detail: Detail::NoSuchName });
        bench.order(Command::ReconnectNow);
        assert_eq!(bench.until_dial(secs(1)), secs(1));
    }
}

#[test]
fn delays_grow_until_a_link_was_stable() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    for attempt in 1..20 {
        bench.until_dial(secs(60));
        bench.fail(Cause::Unreachable { detail: Detail::Refused });
        let State::Waiting { attempt: shown, .. } = bench.state() else { panic!("waiting") };
        assert_eq!(shown, attempt);
    }
    bench.until_dial(secs(60));
    bench.open();
    bench.pass(secs(29));
    bench.lose();
    assert!(matches!(bench.state(), State::Waiting { attempt: 20, .. }), "29 s are not stable");
    bench.until_dial(secs(60));
    bench.open();
    bench.pong();
    bench.pass(secs(30));
    bench.lose();
    assert!(matches!(bench.state(), State::Waiting { attempt: 0, .. }));
    assert!(bench.until_dial(secs(60)) <= secs(3));
}

#[test]
fn reconnect_now_overrides_a_floor_but_for_the_gap() {
    let mut bench = up();
    bench.closed(1009);
    bench.order(Command::ReconnectNow);
    assert!(bench.until_dial(secs(1)) <= secs(1));
}

#[test]
fn a_new_route_shortens_an_ordinary_wait_but_not_a_floor() {
    let mut bench = up();
    bench.pass(secs(60));
    bench.closed(1002);
    bench.network(true);
    assert!(bench.until_dial(secs(60)) >= secs(30), "a floor stays");

    let mut shortened = 0;
    for seed in 0..20 {
        let mut bench = Bench::new(config(), Start::Connect, seed);
        for _ in 0..8 {
            bench.until_dial(secs(60));
            bench.fail(Cause::Unreachable { detail: Detail::Refused });
        }
        let before = bench.machine.deadline().expect("waiting");
        bench.network(true);
        let after = bench.machine.deadline().expect("waiting");
        assert!(after <= before);
        shortened += u32::from(after < before);
        bench.woke(secs(0));
        assert_eq!(bench.machine.deadline(), Some(after), "at most once in 10 s");
    }
    assert!(shortened >= 5, "{shortened} of 20");
}

#[test]
fn with_no_network_there_is_one_try_a_minute() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    bench.network(false);
    bench.until_dial(secs(1));
    for _ in 0..5 {
        bench.fail(Cause::Lookup { detail: Detail::NoSuchName });
        assert_eq!(bench.until_dial(secs(60)), secs(60));
    }
    bench.fail(Cause::Lookup { detail: Detail::NoSuchName });
    bench.network(true);
    assert!(bench.until_dial(secs(60)) < secs(30), "the network is back");
}

#[test]
fn a_retry_after_is_never_undercut() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    bench.until_dial(secs(1));
    let (cause, retry_after) = (Cause::Status { status: 503 }, Some(secs(120)));
    bench.give(Input::DialFailed { generation: 1, cause, retry_after, elsewhere: false });
    bench.network(true);
    let waited = bench.until_dial(secs(150));
    assert!(waited >= secs(120) && waited <= secs(150), "{waited:?}");
}

// Sign-in

#[test]
fn a_refused_credential_is_read_again_once_and_then_the_user_is_needed() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    bench.until_dial(secs(1));
    bench.fail(Cause::SignInRefused { status: 401 });
    assert_eq!(bench.state().name(), "waiting");
    bench.news();
    bench.until_dial(secs(5));
    let ask = DialAsk { refresh_credential: true, ..DialAsk::default() };
    assert_eq!(bench.news(), [Output::Dial { generation: 2, ask }]);
    bench.fail(Cause::SignInRefused { status: 401 });
    assert_eq!(bench.state().name(), "needs_user");
    let waited = bench.until_dial(secs(22 * 60));
    assert!(waited >= secs(15 * 60), "it tries again by itself, but rarely");
    bench.fail(Cause::SignInRefused { status: 401 });
    assert_eq!(bench.state().name(), "needs_user");
    bench.order(Command::CredentialChanged);
    assert_eq!(bench.until_dial(secs(1)), secs(1), "at once, but for the gap");
}

#[test]
fn a_credential_that_has_worked_is_read_again_before_the_user_is_asked() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    bench.until_dial(secs(1));
    bench.fail(Cause::SignInRefused { status: 401 });
    bench.until_dial(secs(5));
    bench.open();
    bench.pass(secs(3600));
    bench.lose();
    bench.until_dial(secs(5));
    bench.fail(Cause::SignInRefused { status: 401 });
    assert_eq!(bench.state().name(), "waiting", "a token that ran out is no reason to call the user");
}

#[test]
fn what_only_the_user_can_mend_needs_the_user_at_once() {
    {
        let cause = Cause::Owner { detail: "no token".to_owned() };
        let mut bench = Bench::new(config(), Start::Connect, 7);
        bench.until_dial(secs(1));
        bench.fail(cause.clone());
        let State::NeedsUser { cause: shown, .. } = bench.state() else { panic!("needs user") };
        assert_eq!(shown, cause);
    }
}

#[test]
fn a_secret_that_could_not_be_read_again_just_now_is_waited_for_and_read_again() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    let fresh = |bench: &mut Bench| {
        bench.news();
        bench.until_dial(secs(60));
        asked_anew(bench)
    };
    assert!(!fresh(&mut bench));
    bench.fail(Cause::SignInRefused { status: 401 });
    for _ in 0..3 {
        assert!(fresh(&mut bench), "what is refused is not shown again");
        bench.fail(Cause::ProviderAway { host: "id.example".to_owned(), why: Box::new(Cause::WriteStalled) });
        assert_eq!(bench.state().name(), "waiting");
    }
    assert!(fresh(&mut bench));
    bench.fail(Cause::SignInRefused { status: 401 });
    assert_eq!(bench.state().name(), "needs_user", "a fresh one was refused");
}

#[test]
fn a_sign_in_that_fails_for_a_minute_is_looked_at_soon_where_a_link_worked_lately() {
    let refused_twice = |bench: &mut Bench, status| {
        for _ in 0..2 {
            bench.until_dial(secs(60));
            bench.fail(Cause::SignInRefused { status });
        }
    };
    for status in [401, 403] {
        let mut bench = up();
        bench.text();
        bench.pass(secs(40));
        bench.lose();
        refused_twice(&mut bench, status);
        for (from, to) in [(60, 90), (4 * 60, 6 * 60), (15 * 60, 22 * 60), (15 * 60, 22 * 60)] {
            let State::NeedsUser { retry_at, .. } = bench.state() else { panic!("needs the user") };
            let shown = retry_at.duration_since(epoch() + bench.mono).expect("to come");
            let waited = bench.until_dial(secs(to));
            assert!(waited >= secs(from), "{waited:?}");
            assert_eq!(waited, shown, "the time that is shown is the one that is waited");
            bench.news();
            bench.fail(Cause::SignInRefused { status });
        }
        bench.until_dial(secs(22 * 60));
        bench.open();
        bench.text();
        bench.lose();
        refused_twice(&mut bench, status);
        assert!(bench.until_dial(secs(90)) >= secs(60), "it begins anew");

        let mut never = Bench::new(config(), Start::Connect, 7);
        refused_twice(&mut never, status);
        assert!(never.until_dial(secs(22 * 60)) >= secs(15 * 60), "no link worked before");
    }
}

#[test]
fn a_link_that_lived_and_is_closed_over_the_credential_is_looked_at_within_seconds() {
    for code in [1008, 3000, 3003] {
        for seed in 0..20 {
            let mut bench = Bench::new(config(), Start::Connect, seed);
            bench.until_dial(secs(1));
            bench.open();
            bench.pass(secs(30));
            bench.news();
            bench.closed(code);
            let waited = bench.until_dial(secs(60));
            assert!(waited <= secs(3), "{code}: {waited:?}");
            assert!(asked_anew(&mut bench), "{code}");
            bench.open();
            bench.pass(secs(29));
            bench.closed(code);
            assert!(bench.until_dial(secs(60)) >= secs(30), "{code}: a young one has the floor");
        }
    }
}

#[test]
fn a_changed_credential_is_tried_at_once_wherever_it_may_be_what_is_waited_for() {
    let refusals = [
        Cause::SignInRefused { status: 200 },
        Cause::CaptivePortal,
        Cause::Status { status: 200 },
        Cause::Status { status: 404 },
        Cause::Moved { status: 302, same_host: false, to: "wss://id.example/".to_owned() },
    ];
    for cause in refusals {
        let mut bench = Bench::new(config(), Start::Connect, 7);
        bench.until_dial(secs(1));
        bench.fail(cause.clone());
        bench.order(Command::CredentialChanged);
        assert!(bench.until_dial(secs(1)) <= secs(1), "{cause}");
        assert!(asked_anew(&mut bench), "{cause}");
    }
    let mut bench = up();
    bench.closed(1008);
    bench.order(Command::CredentialChanged);
    assert!(bench.until_dial(secs(1)) <= secs(1));
    bench.fail(Cause::Unreachable { detail: Detail::Refused });
    let due = bench.machine.deadline();
    bench.order(Command::CredentialChanged);
    assert_eq!(bench.machine.deadline(), due, "a server that is away is no matter of the credential");
    for passing in [408, 429, 503] {
        let mut bench = Bench::new(config(), Start::Connect, 7);
        bench.until_dial(secs(1));
        let cause = Cause::Status { status: passing };
        let generation = bench.generation();
        bench.give(Input::DialFailed { generation, cause, retry_after: Some(secs(3600)), elsewhere: false });
        let due = bench.machine.deadline();
        bench.order(Command::CredentialChanged);
        assert_eq!(bench.machine.deadline(), due, "{passing}: the server said when");
    }
}

#[test]
fn a_page_or_a_way_elsewhere_has_the_credential_read_again() {
    for cause in [
        Cause::Status { status: 200 },
        Cause::Moved { status: 302, same_host: false, to: "wss://id.example/".to_owned() },
    ] {
        let mut bench = Bench::new(config(), Start::Connect, 7);
        bench.until_dial(secs(1));
        bench.news();
        bench.fail(cause.clone());
        bench.until_dial(secs(450));
        assert!(asked_anew(&mut bench), "{cause}");
    }
}

#[test]
fn a_page_in_plaintext_is_a_portals_only_in_a_network_that_is_new() {
    let plain = |url| Config::new(ChannelUrl::parse(url, true).expect("a good URL"));
    let page = || Cause::SignInRefused { status: 200 };
    for (url, new_network, portal) in [
        ("ws://shop.example/ws", false, false),
        ("ws://shop.example/ws", true, true),
        ("ws://127.0.0.1/ws", true, false),
        ("wss://shop.example/ws", true, false),
    ] {
        let mut bench = Bench::new(plain(url), Start::Connect, 7);
        bench.until_dial(secs(1));
        if new_network {
            bench.network(true);
        }
        bench.fail(page());
        let State::Waiting { cause, .. } = bench.state() else { panic!("waiting") };
        assert_eq!(cause == Cause::CaptivePortal, portal, "{url}: {cause}");
    }
}

#[test]
fn a_403_has_the_next_dial_carry_an_origin_and_the_one_after_none() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    let with_origin = |bench: &mut Bench| {
        bench.until_dial(secs(22 * 60));
        let dialled = bench.news().into_iter().rev().find_map(|output| match output {
            Output::Dial { ask, .. } => Some(ask.with_origin),
            Output::Abandon { .. }
            | Output::Heartbeat { .. }
            | Output::Say { .. }
            | Output::Post { .. }
            | Output::Ping { .. }
            | Output::Close { .. }
            | Output::Leave { .. }
            | Output::Abort { .. }
            | Output::Deliver(_)
            | Output::Finish => None,
        });
        dialled.expect("a dial")
    };
    for expected in [false, true, false, true] {
        assert_eq!(with_origin(&mut bench), expected);
        bench.fail(Cause::SignInRefused { status: 403 });
    }
    assert!(!with_origin(&mut bench));
    bench.fail(Cause::SignInRefused { status: 403 });
    assert!(with_origin(&mut bench));
    bench.open();
    bench.pass(secs(60));
    bench.lose();
    assert!(with_origin(&mut bench), "what helped is kept");
}

// Sessions

fn session() -> Config {
    let site = Site { host: "shop.example".to_owned(), origin: "https://shop.example".to_owned() };
    Config { session: Some(Box::new(site)), ..config() }
}

impl Bench {
    /// What the server and an owner without anything new answer, until the time is over; the dials that reached the server.
    fn dials_with_a_dead_session(&mut self, time: Duration) -> Vec<Duration> {
        let (until, mut reached) = (self.mono + time, Vec::new());
        loop {
            for output in self.news() {
                match output {
                    Output::Dial { generation, ask: DialAsk { only_if_new: true, .. } } => {
                        self.give(Input::Unchanged { generation });
                    }
                    Output::Dial { .. } => {
                        reached.push(self.mono);
                        self.fail(Cause::SignInRefused { status: 200 });
                    }
                    Output::Abandon { .. }
                    | Output::Heartbeat { .. }
                    | Output::Say { .. }
                    | Output::Post { .. }
                    | Output::Ping { .. }
                    | Output::Close { .. }
                    | Output::Leave { .. }
                    | Output::Abort { .. }
                    | Output::Deliver(_)
                    | Output::Finish => {}
                }
            }
            let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= until) else {
                self.mono = until;
                return reached;
            };
            self.mono = deadline;
            self.give(Input::Time);
        }
    }
}

fn over(end: SessionEnd) -> Cause {
    Cause::SessionOver { site: "shop.example".to_owned(), end }
}

#[test]
fn a_dead_session_is_dialled_with_at_most_once_in_15_minutes() {
    for seed in 0..50 {
        let mut bench = Bench::new(session(), Start::Connect, seed);
        bench.until_dial(secs(1));
        bench.open();
        bench.text();
        bench.pass(secs(3600));
        bench.closed(1008);
        bench.news();
        let dials = bench.dials_with_a_dead_session(secs(12 * 3600));
        assert!(dials.windows(2).all(|pair| pair[1] - pair[0] >= secs(15 * 60)), "{dials:?}");
        assert!((32..=49).contains(&dials.len()), "it goes on: {}", dials.len());
        let State::NeedsUser { cause, .. } = bench.state() else { panic!("the user is needed") };
        assert_eq!(cause, over(SessionEnd::Over));
    }
}

#[test]
fn a_wake_or_a_new_network_costs_a_dead_session_no_dial() {
    let mut bench = Bench::new(session(), Start::Connect, 3);
    let mut dials = bench.dials_with_a_dead_session(secs(60));
    for _ in 0..30 {
        bench.woke(secs(1));
        bench.network(true);
        bench.order(Command::CredentialChanged);
        dials.extend(bench.dials_with_a_dead_session(secs(30)));
    }
    assert!(dials.windows(2).all(|pair| pair[1] - pair[0] >= secs(15 * 60)), "{dials:?}");
}

#[test]
fn a_new_session_and_the_users_own_wish_dial_at_once() {
    let mut bench = Bench::new(session(), Start::Connect, 3);
    assert_eq!(bench.dials_with_a_dead_session(secs(30)).len(), 1);
    bench.order(Command::CredentialChanged);
    bench.pass(secs(1));
    assert_eq!(bench.state().name(), "connecting", "what is new goes out");
    bench.open();
    bench.pass(secs(60));
    bench.closed(1008);
    bench.news();
    assert_eq!(bench.dials_with_a_dead_session(secs(30)).len(), 1);
    for wish in [Command::Connect, Command::ReconnectNow] {
        bench.order(wish);
        assert_eq!(bench.dials_with_a_dead_session(secs(2)).len(), 1, "{wish:?}");
    }
}

#[test]
fn a_new_session_that_did_not_reach_the_server_is_tried_again() {
    let mut bench = Bench::new(session(), Start::Connect, 3);
    assert_eq!(bench.dials_with_a_dead_session(secs(30)).len(), 1);
    bench.order(Command::CredentialChanged);
    bench.pass(secs(1));
    assert_eq!(bench.state().name(), "connecting", "what is new goes out");
    bench.news();
    bench.fail(Cause::Unreachable { detail: Detail::Refused });
    bench.until_dial(secs(60));
    let asked = bench.news().into_iter().find_map(|output| match output {
        Output::Dial { ask, .. } => Some(ask.only_if_new),
        Output::Abandon { .. }
        | Output::Heartbeat { .. }
        | Output::Say { .. }
        | Output::Post { .. }
        | Output::Ping { .. }
        | Output::Close { .. }
        | Output::Abort { .. }
        | Output::Leave { .. }
        | Output::Deliver(_)
        | Output::Finish => None,
    });
    assert_eq!(asked, Some(false));
}

#[test]
fn the_end_of_a_session_is_told_by_what_it_was() {
    let ended = |code, up: u64, away: bool, bench: &mut Bench| {
        bench.pass(secs(up));
        bench.closed(code);
        bench.until_dial(secs(60));
        if away {
            bench.fail(Cause::Status { status: 502 });
            bench.until_dial(secs(60));
        }
        bench.fail(Cause::SignInRefused { status: 200 });
        let (State::Waiting { cause, .. } | State::NeedsUser { cause, .. }) = bench.state() else {
            panic!("not connected")
        };
        bench.order(Command::ReconnectNow);
        bench.until_dial(secs(2));
        bench.open();
        cause
    };
    let mut bench = Bench::new(session(), Start::Connect, 3);
    bench.until_dial(secs(1));
    bench.open();
    assert_eq!(ended(1008, 1830, false, &mut bench), over(SessionEnd::Over));
    assert_eq!(bench.machine.status().session_life, Some(secs(1830)), "what its sessions live is known");
    assert_eq!(ended(1008, 300, false, &mut bench), over(SessionEnd::Early));
    assert_eq!(ended(1008, 100, true, &mut bench), over(SessionEnd::Restarted));
    assert_eq!(ended(1001, 100, false, &mut bench), over(SessionEnd::Restarted));
    bench.pass(secs(60));
    bench.lose();
    bench.until_dial(secs(60));
    bench.fail(Cause::SignInRefused { status: 403 });
    let State::NeedsUser { cause, .. } = bench.state() else { panic!("the user is needed at once") };
    assert_eq!(cause, Cause::RoleMissing { site: "shop.example".to_owned() });
}

/// Whether the newest dial asked for a fresh credential.
fn asked_anew(bench: &mut Bench) -> bool {
    let asked = |output| matches!(output, Output::Dial { ask: DialAsk { refresh_credential: true, .. }, .. });
    bench.news().into_iter().any(asked)
}

#[test]
fn a_link_that_is_closed_over_the_credential_has_it_read_again_in_seconds_and_then_ever_more_rarely() {
    for code in [4001, 4401, 4403] {
        let mut bench = up();
        for (from, to) in
            [(0, 6), (30, 45), (60, 90), (120, 180), (240, 360), (480, 720), (900, 1350), (900, 1350)]
        {
            bench.news();
            bench.closed(code);
            let waited = bench.until_dial(secs(to));
            assert!(waited >= secs(from), "{code}: {waited:?}, not from {from} s");
            assert!(asked_anew(&mut bench), "{code}");
            bench.open();
        }
        bench.text();
        bench.pass(secs(7200));
        bench.closed(code);
        assert!(
            bench.until_dial(secs(6)) <= secs(6),
            "{code}: a link that worked has its token renewed in seconds"
        );
    }
    for code in [1008, 3000, 3003] {
        let mut bench = up();
        for (from, to) in [(30, 45), (60, 90), (120, 180)] {
            bench.closed(code);
            assert!(bench.until_dial(secs(to)) >= secs(from), "{code}");
            bench.open();
        }
    }
}

#[test]
fn whatever_ends_a_link_at_once_has_the_credential_read_again_and_no_later_end_has() {
    let ends: [fn(&mut Bench); 4] =
        [|bench| bench.closed(1000), |bench| bench.closed(1005), |bench| bench.closed(4100), Bench::lose];
    for end in ends {
        let mut bench = up();
        bench.pass(secs(1));
        end(&mut bench);
        bench.until_dial(secs(6));
        assert!(asked_anew(&mut bench));

        for late in [|bench: &mut Bench| bench.text(), |bench: &mut Bench| bench.pass(secs(20))] {
            let mut bench = up();
            late(&mut bench);
            bench.news();
            end(&mut bench);
            bench.until_dial(secs(6));
            assert!(!asked_anew(&mut bench), "it had nothing to do with it");
        }
    }
}

// Sleep and network

#[test]
fn a_link_that_answers_the_probe_after_wake_is_kept() {
    let mut bench = up_and_answering();
    bench.pass(secs(10));
    bench.woke(secs(20));
    bench.pass(secs(4));
    bench.pong();
    bench.pass(secs(10));
    assert_eq!((bench.state().name(), bench.generation()), ("connected", 1));
}

#[test]
fn a_link_that_does_not_answer_the_probe_is_dead_in_5_s() {
    let mut bench = up_and_answering();
    bench.pass(secs(10));
    bench.network(true);
    bench.pass(secs(5));
    assert_eq!(bench.state().name(), "waiting");
}

#[test]
fn a_probe_waits_for_a_route() {
    let mut bench = up_and_answering();
    bench.pass(secs(10));
    bench.network(false);
    bench.pass(secs(10));
    assert_eq!(bench.state().name(), "connected");
    bench.network(true);
    bench.pass(secs(5));
    assert_eq!(bench.state().name(), "waiting");
}

#[test]
fn a_peer_that_cannot_be_checked_is_redialled_after_a_network_change() {
    let mut bench = up();
    bench.pass(secs(20));
    bench.network(true);
    assert!(matches!(bench.state(), State::Waiting { cause: Cause::Local, .. }));
    let mut bench = up_with(without_pings());
    bench.woke(secs(1));
    assert!(matches!(bench.state(), State::Waiting { cause: Cause::Local, .. }));
}

#[test]
fn a_sleep_as_long_as_the_proxy_time_out_redials_without_a_probe() {
    for slept in [80, 300] {
        let mut bench = up_and_answering();
        bench.pass(secs(10));
        bench.woke(secs(slept));
        assert_eq!(bench.state().name(), "waiting");
        assert!(bench.until_dial(secs(1)) <= millis(500), "after {slept} s of sleep");
    }
}

#[test]
fn time_asleep_counts_as_waited() {
    let mut bench = up();
    bench.closed(1009);
    bench.woke(secs(3600));
    assert_eq!(bench.generation(), 2);
}

// The network's changes

#[test]
fn a_link_whose_address_is_gone_is_redialled_at_once() {
    let mut bench = up_and_answering();
    bench.pass(secs(30));
    bench.give(Input::AddressGone { generation: 1 });
    assert!(bench.news().contains(&Output::Abort { generation: 1 }), "no close handshake from nowhere");
    assert!(bench.until_dial(secs(1)) <= millis(500));
}

#[test]
fn a_foreign_certificate_is_a_portals_only_right_after_a_network_change() {
    let foreign = || Cause::WrongName { detail: Detail::OtherNames(vec!["portal.example".to_owned()]) };
    let mut bench = Bench::new(config(), Start::Connect, 7);
    bench.until_dial(secs(1));
    bench.network(true);
    bench.fail(foreign());
    let State::Waiting { cause, .. } = bench.state() else { panic!("waiting") };
    assert_eq!(cause, Cause::CaptivePortal);
    assert!((15..=23).contains(&bench.until_dial(secs(30)).as_secs()));
    bench.pass(secs(25));
    bench.network(true);
    bench.pass(secs(61));
    bench.until_dial(secs(600));
    bench.fail(foreign());
    let State::Waiting { cause, .. } = bench.state() else { panic!("waiting") };
    assert_eq!(cause, foreign());
    assert!(bench.until_dial(secs(450)) >= secs(300));
}

#[test]
fn an_unknown_authority_in_a_new_network_is_told_as_it_is_and_looked_at_again_soon() {
    let forged = |detail| Cause::Certificate { detail };
    let issuer = || "Hotel".to_owned();
    for (detail, soon) in [
        (Detail::UnknownAuthority { issuer: issuer() }, true),
        (Detail::ComesAlone { issuer: issuer() }, true),
        (Detail::SelfSigned, true),
        (Detail::Revoked, false),
        (Detail::WrongPurpose, false),
    ] {
        let mut bench = Bench::new(config(), Start::Connect, 7);
        bench.until_dial(secs(1));
        bench.network(true);
        bench.fail(forged(detail.clone()));
        let State::Waiting { cause, .. } = bench.state() else { panic!("waiting") };
        assert_eq!(cause, forged(detail.clone()));
        assert_eq!(bench.until_dial(secs(450)) <= secs(23), soon, "{detail:?}");
    }
}

// What comes again and again

#[test]
fn a_404_is_called_a_wrong_address_from_the_third_time() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    for (times, wrong) in [(1, false), (2, false), (3, true), (4, true)] {
        bench.until_dial(secs(600));
        bench.fail(Cause::Status { status: 404 });
        let status = bench.machine.status();
        let State::Waiting { cause, .. } = &status.state else { panic!("waiting") };
        assert_eq!(cause.to_string().contains("wrong address"), wrong, "{cause}, {times} times");
        assert_eq!(status.persistent, wrong);
    }
    bench.until_dial(secs(600));
    bench.open();
    assert!(bench.machine.status().persistent, "an open link alone proves nothing");
    bench.pass(secs(301));
    bench.lose();
    assert!(!bench.machine.status().persistent);
}

#[test]
fn a_server_that_hangs_up_on_every_upgrade_is_called_a_wrong_address_from_the_third_time() {
    let mut bench = Bench::new(config(), Start::Connect, 7);
    for (times, wrong) in [(1, false), (2, false), (3, true), (4, true)] {
        bench.until_dial(secs(60));
        bench.fail(Cause::Lost { detail: Detail::HungUp });
        let status = bench.machine.status();
        let State::Waiting { cause, .. } = &status.state else { panic!("waiting") };
        assert_eq!(cause.to_string().contains("wrong address"), wrong, "{cause}, {times} times");
        assert_eq!(status.persistent, wrong);
    }
    assert!(bench.until_dial(secs(60)) <= secs(60), "it may be a proxy whose server is not there yet");
}

#[test]
fn a_broken_protocol_is_shown_as_an_error_from_the_third_time() {
    for (code, shown) in
        [(1002, true), (1003, true), (1007, true), (1010, true), (1004, false), (1011, false)]
    {
        let mut bench = Bench::new(config(), Start::Connect, 7);
        for times in 1..=3 {
            bench.until_dial(secs(600));
            bench.open();
            bench.closed(code);
            assert_eq!(bench.machine.status().persistent, shown && times == 3, "{code}, {times} times");
        }
    }
}

/// What the next dial is asked.
fn next_ask(bench: &mut Bench) -> DialAsk {
    bench.news();
    bench.until_dial(secs(600));
    let asked = bench.news().into_iter().find_map(|output| match output {
        Output::Dial { ask, .. } => Some(ask),
        Output::Abandon { .. }
        | Output::Heartbeat { .. }
        | Output::Say { .. }
        | Output::Post { .. }
        | Output::Ping { .. }
        | Output::Close { .. }
        | Output::Leave { .. }
        | Output::Abort { .. }
        | Output::Deliver(_)
        | Output::Finish => None,
    });
    asked.expect("a dial")
}

fn too_big(bench: &mut Bench) {
    let generation = bench.generation();
    let end = End::Violation { code: 1009, detail: Detail::TooBig };
    bench.give(Input::Ended { generation, end });
    bench.give(Input::Gone { generation });
}

#[test]
fn a_message_too_big_twice_in_a_row_while_catching_up_is_skipped() {
    let mut bench = up();
    bench.text();
    too_big(&mut bench);
    assert!(!next_ask(&mut bench).skip_past);
    bench.open();
    too_big(&mut bench);
    assert!(next_ask(&mut bench).skip_past);
    bench.fail(Cause::Unreachable { detail: Detail::Refused });
    assert!(next_ask(&mut bench).skip_past, "asked until a link opens");
    bench.open();
    too_big(&mut bench);
    assert!(!next_ask(&mut bench).skip_past, "the next one is counted anew");
}

#[test]
fn what_is_broken_is_passed_over_at_the_third_link_and_skipped_at_the_fourth() {
    let mut bench = up();
    bench.text();
    for link in 1..=4 {
        assert_eq!(bench.machine.forgives(), link == 3, "link {link}");
        let generation = bench.generation();
        let end = End::Violation { code: 1002, detail: Detail::ReservedBits };
        bench.give(Input::Ended { generation, end });
        bench.give(Input::Gone { generation });
        assert_eq!(next_ask(&mut bench).skip_past, link == 3, "after link {link}");
        bench.open();
    }
}

#[test]
fn nothing_is_skipped_where_messages_still_come() {
    let mut bench = up();
    for _ in 0..5 {
        too_big(&mut bench);
        assert!(!next_ask(&mut bench).skip_past);
        bench.open();
        bench.text();
    }
    too_big(&mut bench);
    next_ask(&mut bench);
    bench.open();
    bench.pass(secs(3600));
    too_big(&mut bench);
    assert!(!next_ask(&mut bench).skip_past, "what comes after an hour is no catching up");
}

// Silent links

/// What a server takes for a sign of life.
type Counts = fn(&Output) -> bool;

const FRAMES: Counts = |output| matches!(output, Output::Ping { .. } | Output::Heartbeat { .. });
const TEXTS: Counts = |output| matches!(output, Output::Heartbeat { .. });

/// A server that answers pings and ends links that are silent for `limit`, in this way. How often it did so within
/// an hour, and the channel then.
fn behind(config: Config, limit: Duration, counts: Counts, end: fn(&mut Bench)) -> (usize, Bench) {
    let mut bench = Bench::new(config, Start::Connect, 7);
    let (until, mut ended) = (bench.mono + secs(3600), 0);
    while bench.mono < until {
        bench.until_dial(secs(3600));
        bench.news();
        bench.open();
        let mut heard = bench.mono;
        while bench.mono < until {
            for output in bench.news() {
                if counts(&output) {
                    heard = bench.mono;
                }
                if let Output::Ping { generation, counter } = output {
                    bench.give(Input::Pong { generation, counter });
                }
            }
            bench.mono = bench.machine.deadline().unwrap_or(until).min(heard + limit);
            if bench.mono == heard + limit {
                ended += 1;
                end(&mut bench);
                break;
            }
            bench.give(Input::Time);
        }
    }
    (ended, bench)
}

fn idle_timeout(bench: &mut Bench) {
    let generation = bench.generation();
    let close = CloseInfo { code: 1001, reason: "Connection Idle Timeout".to_owned() };
    bench.give(Input::Ended { generation, end: End::Closed(close) });
    bench.give(Input::Gone { generation });
}

#[test]
fn a_silent_link_that_is_ended_is_kept_awake_from_then_on_and_it_is_said() {
    let loses: fn(&mut Bench) = Bench::lose;
    for (limit, pings, counts, end, ended, kept_awake) in [
        (25, 30, FRAMES, loses, 2, 15),
        (30, 30, FRAMES, loses, 2, 18),
        (10, 20, FRAMES, loses, 2, 6),
        (15, 20, FRAMES, |bench: &mut Bench| bench.closed(1000), 2, 9),
        (15, 20, FRAMES, |bench: &mut Bench| bench.closed(1005), 2, 9),
        (15, 20, FRAMES, |bench: &mut Bench| bench.closed(1011), 2, 9),
        (15, 20, FRAMES, |bench: &mut Bench| bench.closed(1001), 2, 9),
        (15, 20, FRAMES, |bench: &mut Bench| bench.closed(4408), 2, 9),
        // It says why.
        (15, 20, FRAMES, idle_timeout, 1, 9),
        // Pings are off, or count for nothing.
        (25, 0, FRAMES, loses, 2, 15),
        (25, 20, TEXTS, loses, 2, 15),
        (15, 20, TEXTS, loses, 3, 9),
    ] {
        let liveness = Liveness::new(secs(pings), secs(15)).expect("fine");
        let (seen, bench) = behind(Config { liveness, ..config() }, secs(limit), counts, end);
        let case = format!("{limit} s, pings after {pings} s");
        assert_eq!(seen, ended, "{case}");
        let status = bench.machine.status();
        assert_eq!(status.state.name(), "connected", "{case}");
        let known = status.idle_limit.expect(&case);
        assert_eq!((known.after.as_secs(), known.kept_awake.as_secs()), (limit, kept_awake), "{case}");
        assert!(
            status.to_string().ends_with(&format!("so it is kept awake every {kept_awake} s")),
            "{status}"
        );
    }
}

#[test]
fn the_commonest_limits_are_met_by_default() {
    for limit in [30, 50, 60] {
        assert_eq!(behind(config(), secs(limit), FRAMES, Bench::lose).0, 0, "{limit} s");
    }
}

#[test]
fn what_was_learned_is_known_to_the_next_machine_for_the_channel() {
    let settings = config();
    behind(settings.clone(), secs(15), FRAMES, Bench::lose);
    assert_eq!(behind(settings, secs(15), FRAMES, Bench::lose).0, 0);
}

#[test]
fn where_nothing_may_be_said_the_brake_does_what_it_can() {
    let heartbeat = Heartbeat::new("", secs(60), secs(90)).expect("off");
    let silent = Config { heartbeat, ..without_pings() };
    assert!(behind(silent, secs(15), FRAMES, Bench::lose).0 <= 20);
}

// Wars

/// Another instance that comes back so long after each of its kicks. Times of ours.
fn war_with_a_clock(every: u64, hours: u32) -> Vec<Duration> {
    let mut bench = Bench::new(config(), Start::Connect, every);
    let from = bench.mono;
    let mut kicks = Vec::new();
    while bench.mono - from < secs(3600) * hours {
        bench.until_dial(secs(3600));
        bench.open();
        kicks.push(bench.mono - from);
        let until = bench.mono + secs(every);
        while bench.mono < until {
            bench.pass(millis(500).min(until - bench.mono));
            bench.answer_pings();
        }
        bench.lose();
    }
    kicks
}

#[test]
fn an_instance_that_redials_by_the_clock_is_no_idle_limit() {
    for every in [2, 8, 9, 10, 12, 15, 19, 20, 21, 25, 29] {
        let kicks = war_with_a_clock(every, 6);
        let in_hour = |hour: u32| {
            let hour = secs(3600) * hour..secs(3600) * (hour + 1);
            kicks.iter().filter(|at| hour.contains(*at)).count()
        };
        assert!(in_hour(0) <= 20, "{every} s: {} in the first hour", in_hour(0));
        for hour in 1..6 {
            assert!(in_hour(hour) <= 10, "{every} s: {} in hour {hour}", in_hour(hour));
        }
    }
}

/// Two machines of one user on a server that closes the older link, by a close frame of `code` or, if
/// something eats it, a bare end of stream. Times of the kicks within `hours`. Each has given up so many upgrades
/// before.
fn war_after(given_up: [u64; 2], code: Option<u16>, seed: u64, hours: u64) -> Vec<Duration> {
    let mut sides: Vec<Bench> =
        (0..2).map(|side| Bench::new(config(), Start::Connect, seed * 2 + side)).collect();
    for (side, given_up) in sides.iter_mut().zip(given_up) {
        for _ in 0..given_up {
            side.give_up(Stage::Upgrade, 4);
        }
    }
    let from = sides.iter().map(|side| side.mono).max().expect("two");
    for side in &mut sides {
        side.pass(from - side.mono);
    }
    let mut kicks = Vec::new();
    while let Some(next) = sides.iter().filter_map(|side| side.machine.deadline()).min() {
        if next > from + secs(3600) * u32::try_from(hours).expect("few hours") {
            break;
        }
        for me in 0..2 {
            sides[me].mono = next;
            sides[me].give(Input::Time);
            if sides[me].state().name() == "connecting" {
                let other = 1 - me;
                if sides[other].state().name() == "connected" {
                    kicks.push(next - from);
                    sides[other].mono = next;
                    match code {
                        Some(code) => sides[other].closed(code),
                        None => sides[other].lose(),
                    }
                }
                sides[me].open();
            }
            sides[me].answer_pings();
        }
    }
    kicks
}

fn war(code: Option<u16>, seed: u64, hours: u64) -> Vec<Duration> {
    war_after([0, 0], code, seed, hours)
}

#[test]
fn each_upgrade_that_was_given_up_costs_two_instances_one_more_kick_at_most() {
    for seed in 0..20 {
        for given_up in [[1, 0], [0, 1], [1, 1], [2, 1], [5, 0]] {
            let kicks = war_after(given_up, Some(4500), seed, 6).len();
            let most: u64 = given_up.iter().map(|n| (*n).min(3)).sum();
            assert!((1..=most + 1).contains(&(kicks as u64)), "seed {seed}, {given_up:?}: {kicks}");
        }
    }
}

#[test]
fn two_instances_make_exactly_one_kick_and_then_peace() {
    for seed in 0..200 {
        assert_eq!(war(Some(4500), seed, 3).len(), 1, "seed {seed}");
    }
}

#[test]
fn where_the_close_code_is_eaten_the_brake_keeps_kicks_rare() {
    for seed in 0..200 {
        let kicks = war(None, seed, 6);
        let in_hour = |hour: u64| {
            let hour = secs(3600 * hour)..secs(3600 * (hour + 1));
            kicks.iter().filter(|at| hour.contains(*at)).count()
        };
        assert!(in_hour(0) <= 20, "seed {seed}: {} in the first hour", in_hour(0));
        assert!(in_hour(0) > 2, "seed {seed}: there is a war");
        for hour in 1..6 {
            assert!(in_hour(hour) <= 10, "seed {seed}: {} in hour {hour}", in_hour(hour));
        }
    }
}
