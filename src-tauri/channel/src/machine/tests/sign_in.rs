//! Refused sign-ins.

use super::*;

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
        bench.asks().last().expect("a dial").with_origin
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

/// Whether the newest dial asked for a fresh credential.
fn asked_anew(bench: &mut Bench) -> bool {
    bench.asks().into_iter().any(|ask| ask.refresh_credential)
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
