//! `tidings.v1`, in invented time (V1 to V6).

use std::collections::VecDeque;

use tidings_dialect::{Given, Offered};

use super::tests::{Bench, config, secs};
use super::*;
use crate::machine::facts::{End, Proof};
use crate::{About, Detail, Enveloped, Payload, Stage};

const HELLO: &str = r#"{"type":"hello","protocol":"tidings.v1"}"#;

fn begin() -> Bench {
    let mut bench = Bench::new(Config { v1: true, ..config() }, Start::ByHand, 7);
    bench.until_dial(secs(5));
    bench
}

/// The newest dial's link opens.
fn open(bench: &mut Bench, v1: Offered) -> u64 {
    let generation = bench.machine.dials;
    bench.give(Input::Opened { generation, given: Given { v1, ..Given::default() }, proof: Proof::Pings });
    generation
}

fn hear(bench: &mut Bench, generation: u64, text: &str) {
    let payload = Payload::Text(text.to_owned());
    bench.give(Input::Frame { generation, payload, about: About::default() });
}

/// Whether the newest dial offers it.
fn offers(bench: &mut Bench) -> bool {
    let offers = |output| if let Output::Dial { ask, .. } = output { Some(ask.offers_v1) } else { None };
    bench.news().into_iter().rev().find_map(offers).expect("a dial")
}

fn fail(bench: &mut Bench, cause: Cause) {
    let generation = bench.machine.dials;
    bench.give(Input::Stage { generation, stage: Stage::Upgrade });
    bench.give(Input::DialFailed { generation, cause, retry_after: None, elsewhere: false });
}

fn lose(bench: &mut Bench) {
    let generation = bench.generation();
    bench.give(Input::Ended { generation, end: End::Lost { detail: Detail::EndOfStream } });
}

/// A link that speaks it.
fn agreed() -> (Bench, u64) {
    let mut bench = begin();
    open(&mut bench, Offered::Announced);
    bench.pass(secs(2));
    let generation = open(&mut bench, Offered::Taken);
    hear(&mut bench, generation, HELLO);
    assert!(matches!(bench.state(), State::Connected { .. }));
    assert_eq!(bench.generation(), generation, "it has taken the first one's place");
    bench.pass(secs(2));
    bench.news();
    (bench, generation)
}

#[test]
fn it_is_offered_to_nobody_who_has_not_said_that_he_speaks_it() {
    let mut bench = begin();
    assert!(!offers(&mut bench), "an offer may hurt");
    open(&mut bench, Offered::Unheard);
    lose(&mut bench);
    bench.until_dial(secs(5));
    assert!(!offers(&mut bench));
}

#[test]
fn to_one_who_says_so_the_next_link_is_opened_at_once_and_takes_the_first_ones_place() {
    let mut bench = begin();
    let first = open(&mut bench, Offered::Announced);
    let since = bench.state();
    hear(&mut bench, first, "before");
    bench.news();
    bench.pass(secs(1));
    assert!(offers(&mut bench));
    hear(&mut bench, first, "meanwhile");
    let next = open(&mut bench, Offered::Taken);
    assert_eq!(bench.state(), since, "until the hello the first one is the channel's");
    hear(&mut bench, next, HELLO);
    assert_eq!((bench.generation(), bench.state()), (next, since));
    assert!(bench.news().contains(&Output::Leave { generation: first }));
    lose(&mut bench);
    bench.until_dial(secs(5));
    assert!(offers(&mut bench), "from then on with the first dial");
}

#[test]
fn a_server_that_refuses_the_offer_is_dialled_without_it_soon_and_in_the_end_for_good() {
    let mut bench = begin();
    open(&mut bench, Offered::Announced);
    lose(&mut bench);
    for cause in [Cause::Status { status: 400 }, Cause::SignInRefused { status: 403 }] {
        bench.until_dial(secs(60));
        assert!(offers(&mut bench));
        fail(&mut bench, cause);
        let waited = bench.until_dial(secs(10));
        assert!(waited < secs(10), "no floor, though 400 has one");
        assert!(!offers(&mut bench));
        let generation = open(&mut bench, Offered::Announced);
        hear(&mut bench, generation, "of use");
        bench.pass(secs(2));
        assert!(
            !bench.news().iter().any(|output| matches!(output, Output::Dial { .. })),
            "it goes on as it is"
        );
        bench.pass(secs(60));
        lose(&mut bench);
    }
    bench.until_dial(secs(60));
    assert!(!offers(&mut bench), "two strikes");
    assert!(bench.machine.status().v1_refused);
}

#[test]
fn what_fails_without_the_offer_too_does_not_fail_because_of_it() {
    let mut bench = begin();
    open(&mut bench, Offered::Announced);
    lose(&mut bench);
    let mut offered = VecDeque::new();
    for _ in 0..6 {
        bench.until_dial(secs(900));
        offered.push_back(offers(&mut bench));
        fail(&mut bench, Cause::Status { status: 502 });
    }
    assert_eq!(offered, [true, false, true, false, true, false]);
    bench.until_dial(secs(900));
    open(&mut bench, Offered::Taken);
    assert!(!bench.machine.status().v1_refused);
}

#[test]
fn who_agrees_to_anything_is_heard_as_the_plain_recipe() {
    let mut bench = begin();
    open(&mut bench, Offered::Announced);
    lose(&mut bench);
    bench.until_dial(secs(5));
    let generation = open(&mut bench, Offered::Taken);
    bench.news();
    hear(&mut bench, generation, "Tea is ready");
    let delivered: Vec<Payload> = bench
        .news()
        .into_iter()
        .filter_map(|output| if let Output::Deliver(frame) = output { Some(frame.payload) } else { None })
        .collect();
    assert_eq!(delivered, [Payload::Text("Tea is ready".to_owned())]);
    assert!(matches!(bench.state(), State::Connected { .. }));
    assert_eq!(bench.machine.status().caught_up, None);
    lose(&mut bench);
    bench.until_dial(secs(5));
    assert!(!offers(&mut bench));
}

#[test]
fn who_agrees_and_then_says_nothing_is_left_after_15_s_and_heard_without_it() {
    let mut bench = begin();
    open(&mut bench, Offered::Announced);
    lose(&mut bench);
    bench.until_dial(secs(5));
    open(&mut bench, Offered::Taken);
    assert!(matches!(bench.state(), State::Connecting { stage: Stage::Subscribe, .. }));
    bench.pass(secs(16));
    bench.until_dial(secs(10));
    assert!(!offers(&mut bench));
}

#[test]
fn a_renewal_that_comes_to_nothing_costs_the_link_nothing() {
    for end in [Cause::Status { status: 400 }, Cause::Lost { detail: Detail::HungUp }] {
        let mut bench = begin();
        let first = open(&mut bench, Offered::Announced);
        bench.pass(secs(2));
        fail(&mut bench, end);
        bench.news();
        hear(&mut bench, first, "still here");
        assert!(bench.news().iter().any(|output| matches!(output, Output::Deliver(_))));
        assert_eq!(bench.generation(), first);
        lose(&mut bench);
        bench.until_dial(secs(5));
        assert!(!offers(&mut bench), "the next one does without");
    }
}

#[test]
fn nothing_is_acknowledged_that_is_not_stored_and_nothing_on_another_link() {
    let (mut bench, generation) = agreed();
    for id in 1..=3 {
        hear(&mut bench, generation, &format!(r#"{{"type":"message","id":"{id}","data":"x"}}"#));
    }
    let frames: Vec<About> = bench
        .news()
        .into_iter()
        .filter_map(|output| if let Output::Deliver(frame) = output { Some(frame.about) } else { None })
        .collect();
    assert_eq!(frames[2].id.as_deref(), Some("3"));
    assert_eq!(frames[2].enveloped, Some(Enveloped { number: Some(3) }));
    assert!(bench.news().is_empty(), "not a word before the commit");
    bench.give(Input::Stored { generation: generation - 1, number: 3 });
    assert!(bench.news().is_empty(), "of another link");
    for number in 1..=3 {
        bench.give(Input::Stored { generation, number });
    }
    let said = |output: &Output| matches!(output, Output::Say { text, .. } if text.0 == r#"{"type":"ack","id":"3"}"#);
    let news = bench.news();
    assert_eq!(news.len(), 1);
    assert!(said(&news[0]));
}

#[test]
fn what_may_be_missing_is_told_for_a_day_though_later_links_miss_nothing() {
    let (mut bench, generation) = agreed();
    assert_eq!(bench.machine.status().caught_up, Some(CaughtUp::Coming));
    hear(&mut bench, generation, r#"{"type":"caught-up","complete":true}"#);
    assert_eq!(bench.machine.status().caught_up, Some(CaughtUp::All));
    let again = |bench: &mut Bench, told: &str| {
        lose(bench);
        assert_eq!(bench.machine.status().caught_up, None, "there is no link");
        bench.until_dial(secs(60));
        let generation = open(bench, Offered::Taken);
        hear(bench, generation, HELLO);
        hear(bench, generation, told);
        bench.machine.status().caught_up
    };
    let complete = r#"{"type":"caught-up","complete":true}"#;
    let gap = Some(CaughtUp::Gap { from: None, until: None });
    assert_eq!(again(&mut bench, r#"{"type":"caught-up","complete":false}"#), gap);
    assert_eq!(again(&mut bench, complete), gap, "they are missing still");
    bench.pass(GAP_DAY);
    assert_eq!(again(&mut bench, complete), Some(CaughtUp::All));
}

const GAP_DAY: Duration = Duration::from_secs(25 * 60 * 60);

#[test]
fn what_was_missed_is_told_from_news_by_the_server_alone() {
    let (mut bench, generation) = agreed();
    let replay = |bench: &mut Bench, text: &str| {
        hear(bench, generation, text);
        let replay = |output| if let Output::Deliver(frame) = output { Some(frame.replay) } else { None };
        bench.news().into_iter().find_map(replay)
    };
    let message = r#"{"type":"message","id":"1","data":"x"}"#;
    assert_eq!(replay(&mut bench, message), Some(Some(true)));
    replay(&mut bench, r#"{"type":"caught-up","complete":true}"#);
    assert_eq!(replay(&mut bench, message), Some(Some(false)));
}

#[test]
fn what_is_too_long_is_told_and_acknowledged() {
    let (mut bench, generation) = agreed();
    let long = "x".repeat(1024 * 1024 + 1);
    hear(&mut bench, generation, &format!(r#"{{"type":"message","id":"1","data":"{long}"}}"#));
    let told = bench.news().into_iter().any(|output| {
        matches!(output, Output::Deliver(frame) if matches!(frame.payload, Payload::TooBig { .. }) && frame.receipt().is_some())
    });
    assert!(told);
}

#[test]
fn what_was_read_is_told_where_it_is_spoken_and_nowhere_else() {
    let ids = || Input::Read { ids: vec!["7".to_owned()] };
    let (mut bench, _) = agreed();
    bench.give(ids());
    assert!(matches!(bench.news()[..], [Output::Say { .. }]));
    let mut bench = begin();
    open(&mut bench, Offered::Unheard);
    bench.news();
    bench.give(ids());
    assert!(bench.news().is_empty());
}
