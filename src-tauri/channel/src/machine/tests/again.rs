//! What comes again and again.

use super::*;

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
    bench.asks().into_iter().next().expect("a dial")
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
