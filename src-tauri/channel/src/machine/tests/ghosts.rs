//! Upgrades of our own that were given up and completed all the same.

use super::*;

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
