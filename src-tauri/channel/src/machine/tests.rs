//! The rules, one promise a test, in invented time.

mod again;
mod dialling;
mod ghosts;
mod idle;
mod life;
mod network;
mod replaced;
mod session;
mod sign_in;
mod wars;

use rand::SeedableRng;
use tidings_dialect::Given;

use super::*;
use crate::machine::facts::{End, Proof};
use crate::{
    About, ChannelUrl, Detail, DialAsk, Heartbeat, Memory, Payload, SessionEnd, Site, Stage, TakeBack,
};

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

    /// What the dials were asked that began since the last look.
    fn asks(&mut self) -> Vec<DialAsk> {
        let ask = |output| if let Output::Dial { ask, .. } = output { Some(ask) } else { None };
        self.news().into_iter().filter_map(ask).collect()
    }

    fn pong(&mut self) {
        let counter = self.out.iter().rev().find_map(|(_, output)| {
            if let Output::Ping { counter, .. } = output { Some(*counter) } else { None }
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
