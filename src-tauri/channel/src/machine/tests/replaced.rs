//! How links are closed, and how a channel is quiet that another instance has.

use super::*;

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
