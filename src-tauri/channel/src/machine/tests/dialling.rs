//! Links and dials, and the delays between them.

use super::*;

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
