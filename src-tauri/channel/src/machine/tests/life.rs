//! The heartbeat, and the proof that the peer lives.

use super::*;

#[test]
fn the_heartbeat_goes_out_every_60_s_in_silence() {
    let mut bench = up_with(without_pings());
    let from = bench.mono;
    bench.pass(secs(200));
    assert_eq!(bench.heartbeats(from), [secs(60), secs(120), secs(180)]);
    let Some((_, Output::Heartbeat { text, .. })) = bench.out.last() else { panic!("a heartbeat") };
    assert_eq!(text.0, "HeartBeat");
}

#[test]
fn an_incoming_message_puts_the_heartbeat_off_and_a_pong_does_not() {
    let mut bench = up_and_answering();
    let from = bench.mono;
    bench.pass(secs(30));
    bench.text();
    bench.pass(secs(30));
    bench.pong();
    bench.pass(secs(34));
    assert_eq!(bench.heartbeats(from), [secs(90)]);
}

#[test]
fn no_heartbeat_comes_after_the_link() {
    for end in [
        Bench::lose as fn(&mut Bench),
        |bench| bench.closed(4500),
        |bench| {
            bench.order(Command::Disconnect);
        },
    ] {
        let mut bench = up();
        bench.pass(secs(59));
        end(&mut bench);
        bench.out.clear();
        bench.pass(secs(2));
        assert!(bench.heartbeats(Duration::ZERO).is_empty());
    }
}

#[test]
fn an_empty_heartbeat_text_sends_none() {
    let heartbeat = Heartbeat::new("", secs(60), secs(90)).expect("off");
    let mut bench = up_with(Config { heartbeat, ..config() });
    bench.pass(secs(600));
    assert!(bench.heartbeats(Duration::ZERO).is_empty());
}

#[test]
fn a_peer_that_fell_silent_is_dead_35_s_after_its_last_byte() {
    let mut bench = up_and_answering();
    bench.pass(secs(20));
    bench.give(Input::Bytes { generation: bench.generation() });
    bench.news();
    bench.pass(secs(35) - millis(1));
    assert_eq!(bench.state().name(), "connected");
    bench.pass(millis(1));
    assert!(bench.news().contains(&Output::Abort { generation: 1 }), "no close handshake with the dead");
    let State::Waiting { cause, .. } = bench.state() else { panic!("waiting") };
    assert_eq!(cause.to_string(), "no answer for 35 s");
}

#[test]
fn any_byte_is_proof_of_life() {
    let mut bench = up_and_answering();
    for _ in 0..100 {
        bench.pass(secs(34));
        bench.give(Input::Bytes { generation: bench.generation() });
    }
    assert_eq!(bench.state().name(), "connected");
}

#[test]
fn a_peer_that_never_answered_is_not_killed_and_said_to_be_uncheckable() {
    let mut bench = up();
    bench.pass(secs(15) - millis(1));
    assert_eq!(bench.machine.status().peer, PeerCheck::Unknown);
    bench.pass(millis(1));
    assert_eq!(bench.machine.status().peer, PeerCheck::CannotBeChecked);
    bench.pass(secs(3600));
    assert_eq!(bench.state().name(), "connected");
}

#[test]
fn one_pong_ever_is_remembered_over_links() {
    let mut bench = up_and_answering();
    assert_eq!(bench.machine.status().peer, PeerCheck::Answers);
    bench.lose();
    bench.until_dial(secs(5));
    bench.open();
    bench.pass(secs(36));
    assert_ne!(bench.state().name(), "connected", "the second link's silence means death");
}

#[test]
fn an_unasked_pong_teaches_nothing() {
    let mut bench = up();
    bench.give(Input::Pong { generation: 1, counter: 77 });
    assert_eq!(bench.machine.status().peer, PeerCheck::Unknown);
}

#[test]
fn the_round_trip_is_measured() {
    let mut bench = up();
    bench.pass(millis(30));
    bench.pong();
    assert_eq!(bench.machine.status().rtt, Some(millis(30)));
}

#[test]
fn silence_proves_nothing_while_reading_is_held_back() {
    let mut bench = up_and_answering();
    bench.pass(secs(25));
    assert!(bench.news().iter().any(|output| matches!(output, Output::Ping { counter: 2, .. })));
    bench.give(Input::ReadingHeld(true));
    bench.pass(secs(600));
    assert_eq!(bench.state().name(), "connected");
    let news = bench.news();
    assert!(news.iter().any(|output| matches!(output, Output::Ping { .. })), "pings go on");
    assert!(news.iter().any(|output| matches!(output, Output::Heartbeat { .. })), "heartbeats go on");
    bench.give(Input::ReadingHeld(false));
    bench.pass(secs(34));
    assert_eq!(bench.state().name(), "connected", "the clock starts anew");
    bench.pass(millis(1100));
    assert_eq!(bench.state().name(), "waiting");
}

#[test]
fn a_write_that_is_stuck_for_10_s_means_death() {
    let mut bench = up();
    bench.give(Input::WriteStuck { generation: 1, stuck: true });
    bench.pass(secs(9));
    bench.give(Input::WriteStuck { generation: 1, stuck: false });
    bench.pass(secs(2));
    assert_eq!(bench.state().name(), "connected");
    bench.give(Input::WriteStuck { generation: 1, stuck: true });
    bench.pass(secs(10));
    let State::Waiting { cause, .. } = bench.state() else { panic!("waiting") };
    assert_eq!(cause, Cause::WriteStalled);
}

#[test]
fn a_peer_whose_machine_takes_what_is_sent_is_busy_and_not_gone() {
    let mut bench = up_and_answering();
    bench.pass(secs(35) - millis(1));
    assert_eq!(
        bench.machine.is_to_judge(Now { mono: bench.mono, wall: epoch() }),
        None,
        "nobody asks in vain"
    );
    bench.mono += millis(1);
    let now = Now { mono: bench.mono, wall: epoch() };
    assert_eq!(bench.machine.is_to_judge(now), Some(1));
    bench.machine.handle(Input::Acknowledged { generation: 1 }, now);
    bench.give(Input::Time);
    let State::Waiting { cause, .. } = bench.state() else { panic!("waiting") };
    assert_eq!(cause.to_string(), "the server is busy: no answer for 35 s");
}

#[test]
fn what_is_read_before_the_time_is_told_counts_though_patience_is_over() {
    for read in [
        Input::Pong { generation: 1, counter: 2 },
        Input::Frame { generation: 1, payload: Payload::Text("late".to_owned()), about: About::default() },
    ] {
        let mut bench = up_and_answering();
        bench.pass(secs(35) - millis(1));
        bench.mono += secs(60);
        let now = Now { mono: bench.mono, wall: epoch() };
        bench.machine.handle(Input::Acknowledged { generation: 1 }, now);
        bench.machine.handle(Input::WriteStuck { generation: 1, stuck: false }, now);
        bench.give(read);
        bench.give(Input::Time);
        assert_eq!(bench.state().name(), "connected");
    }
    let mut bench = up_and_answering();
    bench.pass(secs(35) - millis(1));
    bench.mono += secs(60);
    let now = Now { mono: bench.mono, wall: epoch() };
    bench.machine.handle(Input::Acknowledged { generation: 1 }, now);
    bench.closed(4500);
    assert_eq!(bench.state().name(), "replaced");
}

#[test]
fn each_link_in_a_row_that_goes_unanswered_is_followed_by_a_longer_wait() {
    for seed in 0..50 {
        let mut bench = Bench::new(config(), Start::Connect, seed);
        bench.until_dial(secs(1));
        let mut waits = Vec::new();
        for _ in 0..4 {
            bench.open();
            bench.pong();
            bench.pass(secs(35));
            assert_eq!(bench.state().name(), "waiting");
            waits.push(bench.until_dial(secs(60)));
        }
        assert!(waits.is_sorted() && waits[1] >= secs(3) && waits[3] >= secs(12), "{waits:?}");
        // One that did well ends the row, and so does another cause.
        bench.open();
        bench.pong();
        bench.hear_for(secs(300));
        bench.pass(secs(35));
        assert!(bench.until_dial(secs(60)) <= secs(3));
        bench.open();
        bench.pong();
        bench.hear_for(secs(30));
        bench.lose();
        assert!(bench.until_dial(secs(60)) <= secs(3));
        bench.open();
        bench.pong();
        bench.pass(secs(35));
        assert!(bench.until_dial(secs(60)) <= secs(3));
    }
}
