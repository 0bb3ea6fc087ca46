//! Instances that replace each other.

use super::*;

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
