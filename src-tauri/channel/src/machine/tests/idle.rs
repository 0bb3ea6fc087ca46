//! Silent links that are ended.

use super::*;

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
