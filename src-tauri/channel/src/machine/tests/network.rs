//! Sleep, and the network's changes.

use super::*;

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
