//! What holds for every sequence of facts.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tidings_dialect::Given;

use super::tests::{Bench, config};
use super::*;
use crate::machine::facts::{End, Proof};
use crate::{About, Detail, Payload, Stage};

/// One thing that happens. Generations are relative: 0 is the newest, 1 the one before: in a renewal the channel's link.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Pass(u64),
    Command(Command),
    Woke(u64),
    Network(bool),
    AddressGone { age: u64 },
    Reached { age: u64, stage: Stage },
    Opened { age: u64 },
    DialFailed { age: u64, which: u8 },
    Bytes { age: u64 },
    Text { age: u64, which: u8 },
    Pong { age: u64, counter: u64 },
    Stuck { age: u64, stuck: bool },
    Ended { age: u64, which: u8 },
    Gone { age: u64 },
    Held(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    let age = || prop_oneof![7 => Just(0u64), 3 => 1..3u64];
    let command = prop_oneof![
        Just(Command::Connect),
        Just(Command::Disconnect),
        Just(Command::ReconnectNow),
        Just(Command::TakeOver),
        Just(Command::CredentialChanged),
    ];
    let stage = prop_oneof![1 => Just(Stage::Tcp), 3 => Just(Stage::Upgrade)];
    prop_oneof![
        6 => (0..20_000u64).prop_map(Happening::Pass),
        2 => (0..2_000_000u64).prop_map(Happening::Pass),
        3 => command.prop_map(Happening::Command),
        2 => Just(Happening::Command(Command::Renew)),
        1 => (0..4000u64).prop_map(Happening::Woke),
        1 => any::<bool>().prop_map(Happening::Network),
        1 => age().prop_map(|age| Happening::AddressGone { age }),
        3 => (age(), stage).prop_map(|(age, stage)| Happening::Reached { age, stage }),
        8 => age().prop_map(|age| Happening::Opened { age }),
        4 => (age(), any::<u8>()).prop_map(|(age, which)| Happening::DialFailed { age, which }),
        2 => age().prop_map(|age| Happening::Bytes { age }),
        4 => (age(), any::<u8>()).prop_map(|(age, which)| Happening::Text { age, which }),
        3 => (age(), 0..5u64).prop_map(|(age, counter)| Happening::Pong { age, counter }),
        1 => (age(), any::<bool>()).prop_map(|(age, stuck)| Happening::Stuck { age, stuck }),
        5 => (age(), any::<u8>()).prop_map(|(age, which)| Happening::Ended { age, which }),
        3 => age().prop_map(|age| Happening::Gone { age }),
        1 => any::<bool>().prop_map(Happening::Held),
    ]
}

/// What the driver would have: at most one dial, and one link; two of them only while one takes the other's place.
#[derive(Debug, Default)]
struct World {
    dial: Option<u64>,
    links: BTreeSet<u64>,
    /// Those of the links that have ended, or were told to.
    going: BTreeSet<u64>,
    /// A renewal was asked for.
    asked: bool,
    dials: u64,
    ends: u64,
    last_heartbeat: Option<(u64, Duration)>,
    seen: usize,
}

impl World {
    fn end_link(&mut self, generation: u64) {
        self.going.remove(&generation);
        if self.links.remove(&generation) {
            self.ends += 1;
        }
    }

    /// Whether it is open, and neither side has said that it ends.
    fn is_open(&self, generation: u64) -> bool {
        self.links.contains(&generation) && !self.going.contains(&generation)
    }

    /// Follows the machine's orders and checks them.
    fn follow(&mut self, bench: &Bench) {
        for (at, output) in &bench.out[self.seen..] {
            match output {
                Output::Dial { generation, .. } => {
                    let renews = !self.links.is_empty() && std::mem::take(&mut self.asked);
                    assert_eq!(self.dial, None, "never two dials");
                    assert_eq!(
                        self.links.len(),
                        usize::from(renews),
                        "never two links (C3), but for a renewal (N1)"
                    );
                    assert!(self.going.is_empty());
                    self.dial = Some(*generation);
                    self.dials += 1;
                }
                Output::Abandon { generation } => {
                    assert_eq!(self.dial, Some(*generation));
                    self.dial = None;
                    self.ends += 1;
                }
                Output::Heartbeat { generation, .. } => {
                    assert!(self.is_open(*generation), "a heartbeat needs its link (H2)");
                    if let Some((last, sent)) = self.last_heartbeat
                        && last == *generation
                    {
                        let interval = bench.machine.heartbeat.interval();
                        assert!(*at - sent >= interval, "two heartbeats within the interval");
                    }
                    self.last_heartbeat = Some((*generation, *at));
                }
                Output::Ping { generation, .. }
                | Output::Say { generation, .. }
                | Output::Post { generation, .. } => {
                    assert!(self.is_open(*generation));
                }
                Output::Close { generation, .. } | Output::Leave { generation } => {
                    assert!(self.links.contains(generation));
                    self.going.insert(*generation);
                }
                Output::Abort { generation } => {
                    assert!(self.links.contains(generation));
                    self.end_link(*generation);
                }
                Output::Deliver(frame) => assert!(self.links.contains(&frame.generation)),
                Output::Finish => panic!("nobody asked for the end"),
            }
        }
        self.seen = bench.out.len();
    }
}

fn cause(which: u8) -> Cause {
    match which % 8 {
        0 => Cause::SignInRefused { status: 401 },
        1 => Cause::SignInRefused { status: 403 },
        2 => Cause::Status { status: 404 },
        3 => Cause::Status { status: 503 },
        4 => Cause::Certificate { detail: Detail::SelfSigned },
        5 => Cause::TimedOut { stage: Stage::Tcp },
        6 => Cause::Owner { detail: String::new() },
        _ => Cause::Unreachable { detail: Detail::Refused },
    }
}

fn end(which: u8) -> End {
    match which % 6 {
        0 => End::Closed(CloseInfo { code: 4500, reason: String::new() }),
        1 => End::Closed(CloseInfo { code: 1000 + u16::from(which / 6 % 16), reason: String::new() }),
        2 => End::Violation { code: 1009, detail: Detail::TooBig },
        _ => End::Lost { detail: Detail::Reset },
    }
}

/// Hands one happening on, as far as the driver could report it.
fn happen(bench: &mut Bench, world: &mut World, happening: Happening) {
    let newest = bench.machine.dials;
    let aged = |age: u64| newest.wrapping_sub(age);
    match happening {
        Happening::Pass(millis) => bench.pass(Duration::from_millis(millis)),
        Happening::Command(command) => {
            world.asked |= command == Command::Renew;
            bench.give(Input::Command(command));
        }
        Happening::Woke(seconds) => {
            bench.give(Input::Signal(Signal::Woke { slept: Duration::from_secs(seconds) }));
        }
        Happening::Network(online) => bench.give(Input::Signal(Signal::NetworkChanged { online })),
        Happening::AddressGone { age } => bench.give(Input::AddressGone { generation: aged(age) }),
        Happening::Reached { age, stage } => bench.give(Input::Stage { generation: aged(age), stage }),
        Happening::Opened { age } => {
            let generation = aged(age);
            if world.dial.take_if(|dial| *dial == generation).is_some() {
                world.links.insert(generation);
            }
            bench.give(Input::Opened { generation, given: Given::default(), proof: Proof::Pings });
        }
        Happening::DialFailed { age, which } => {
            let generation = aged(age);
            world.ends += u64::from(world.dial.take_if(|dial| *dial == generation).is_some());
            bench.give(Input::DialFailed {
                generation,
                cause: cause(which),
                retry_after: None,
                elsewhere: false,
            });
        }
        Happening::Bytes { age } => bench.give(Input::Bytes { generation: aged(age) }),
        Happening::Text { age, which } => {
            let payload = Payload::Text(WORDS[usize::from(which) % WORDS.len()].to_owned());
            bench.give(Input::Frame { generation: aged(age), payload, about: About::default() });
        }
        Happening::Pong { age, counter } => bench.give(Input::Pong { generation: aged(age), counter }),
        Happening::Stuck { age, stuck } => bench.give(Input::WriteStuck { generation: aged(age), stuck }),
        Happening::Ended { age, which } => {
            let (generation, end) = (aged(age), end(which));
            // Of each link there is one end at most.
            if world.is_open(generation) || !world.links.contains(&generation) {
                match &end {
                    End::Lost { .. } => world.end_link(generation),
                    End::Closed(_) | End::Told(_) if world.links.contains(&generation) => {
                        world.going.insert(generation);
                    }
                    End::Closed(_) | End::Told(_) | End::Violation { .. } => {}
                }
                bench.give(Input::Ended { generation, end });
            }
        }
        Happening::Gone { age } => {
            let generation = aged(age);
            if !world.is_open(generation) {
                world.end_link(generation);
                bench.give(Input::Gone { generation });
            }
        }
        Happening::Held(held) => bench.give(Input::ReadingHeld(held)),
    }
    world.follow(bench);
}

/// What a server says to a dialect that waits for a word; some of it is a message.
const WORDS: [&str; 6] = ["ok", "up", "up", "no", "other", r#"{"m":1}"#];

/// For every second seed a dialect that waits.
fn config_of(seed: u64) -> Config {
    let dialect = if seed.is_multiple_of(2) { config().dialect } else { talk_tests::dialogue() };
    Config { dialect, ..config() }
}

/// Whether a happening is one of the user's that leave Replaced.
fn is_wish(happening: &Happening) -> bool {
    matches!(happening, Happening::Command(Command::Connect | Command::TakeOver | Command::Disconnect))
}

fn stopped(bench: &Bench) -> bool {
    matches!(bench.machine.phase, Phase::Disconnected { .. } | Phase::Replaced { .. })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn the_invariants_hold_whatever_happens(
        seed in any::<u64>(),
        happenings in prop::collection::vec(happening(), 1..120),
    ) {
        let mut bench = Bench::new(config_of(seed), Start::Connect, seed);
        let mut world = World::default();
        for happening in happenings {
            let was_replaced = matches!(bench.machine.phase, Phase::Replaced { .. });
            let wish = is_wish(&happening);
            happen(&mut bench, &mut world, happening);
            if was_replaced && !wish {
                prop_assert!(
                    matches!(bench.machine.phase, Phase::Replaced { .. }),
                    "nothing leaves Replaced by itself"
                );
            }
            prop_assert!(bench.machine.deadline().is_some() || stopped(&bench), "a deadline is set unless stopped");
            let status = bench.machine.status();
            prop_assert_eq!(status.links_opened, status.links_closed + world.links.len() as u64);
            let renews = bench.machine.renewal.is_some() || bench.machine.closing.is_some();
            prop_assert!(world.links.len() + usize::from(world.dial.is_some()) <= 1 + usize::from(renews));
            let connected = status.state.name() == "connected";
            let stands = world.is_open(status.generation) || bench.machine.handed_over_since().is_some();
            prop_assert!(!connected || stands, "connected without a link");
        }
        bench.give(Input::Command(Command::Disconnect));
        bench.pass(Duration::from_secs(2));
        world.follow(&bench);
        prop_assert_eq!(world.dials, world.ends, "every dial has exactly one end");
        prop_assert_eq!(bench.machine.deadline(), None);
        prop_assert_eq!(world.links.len(), 0);
    }

    #[test]
    fn nobody_but_another_instance_replaces_a_channel(
        seed in any::<u64>(),
        given_up in prop::collection::vec((0..5u8, 0..170u64), 0..=3),
    ) {
        let mut bench = Bench::new(config(), Start::Connect, seed);
        for (how, _) in &given_up {
            bench.give_up(Stage::Upgrade, *how);
        }
        bench.up_again();
        // Each is completed some time after the server has begun to answer.
        let opened = bench.mono;
        let mut late: Vec<_> = given_up.iter().map(|(_, late)| opened + Duration::from_secs(*late)).collect();
        late.sort();
        for late in late {
            if late >= bench.mono {
                bench.hear_for(late - bench.mono);
                bench.closed(4500);
                prop_assert_eq!(bench.machine.state().name(), "waiting");
                bench.up_again();
            }
        }
        bench.hear_for(Duration::from_secs(180));
        bench.closed(4500);
        prop_assert_eq!(bench.machine.state().name(), "replaced");
    }

    #[test]
    fn a_stale_generation_changes_nothing(
        seed in any::<u64>(),
        happenings in prop::collection::vec(happening(), 1..60),
        age in 1..4u64,
        which in any::<u8>(),
    ) {
        let mut bench = Bench::new(config_of(seed), Start::Connect, seed);
        let mut world = World::default();
        for happening in happenings {
            happen(&mut bench, &mut world, happening);
        }
        let generation = bench.machine.dials.wrapping_sub(age);
        prop_assume!(!world.links.contains(&generation) && world.dial != Some(generation));
        let (status, deadline, outputs) = (bench.machine.status(), bench.machine.deadline(), bench.out.len());
        for input in [
            Input::Opened { generation, given: Given::default(), proof: Proof::Pings },
            Input::DialFailed { generation, cause: cause(which), retry_after: None, elsewhere: false },
            Input::Stage { generation, stage: Stage::Tls },
            Input::AddressGone { generation },
            Input::Bytes { generation },
            Input::Frame { generation, payload: Payload::Binary(vec![which]), about: About::default() },
            Input::Pong { generation, counter: 1 },
            Input::WriteStuck { generation, stuck: true },
            Input::Ended { generation, end: end(which) },
            Input::Gone { generation },
        ] {
            bench.give(input);
        }
        prop_assert_eq!(bench.machine.status(), status);
        prop_assert_eq!(bench.machine.deadline(), deadline);
        prop_assert_eq!(bench.out.len(), outputs);
    }
}
