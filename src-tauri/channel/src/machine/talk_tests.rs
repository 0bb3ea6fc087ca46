//! What a dialect adds to the rules, in invented time (T1, T2).

use std::sync::Arc;

use tidings_dialect::{Beat, Dialect, Dialogue, Given, Post, Rule, Then};
use tidings_template::{Condition, Pointer, Template};

use super::tests::{Bench, config};
use super::*;
use crate::machine::facts::Proof;
use crate::{About, Frame, Payload, Stage};

fn on(when: &str, then: Then) -> Rule {
    Rule { when: Condition::parse(when).expect("a good condition"), then }
}

fn say(text: &str) -> Then {
    Then { say: Some(Template::parse(text).expect("a good template")), ..Then::default() }
}

pub(crate) fn dialogue() -> Dialect {
    let on = vec![
        on("raw == 'ok'", Then { signed_in: true, ..say("subscribe") }),
        on("raw == 'up'", Then { connected: true, ..Then::default() }),
        on("raw == 'ping'", say("pong")),
        on("raw == 'no'", Then { refused: Template::parse("not you").ok(), ..Then::default() }),
        on("raw == 'other'", Then { replaced: true, ..Then::default() }),
        on("raw == 'all'", Then { caught_up: true, ..Then::default() }),
        on("json.m", Then { message: Pointer::parse("/m"), ..Then::default() }),
        on("close == 4009", Then { replaced: true, ..Then::default() }),
        on(
            "json.session",
            Then {
                keep: vec![("session".to_owned(), Template::lenient("{{ json.session }}").expect("good"))],
                ..Then::default()
            },
        ),
        on("close == 4001", Then { refused: Template::parse("over").ok(), ..Then::default() }),
    ];
    let greet = vec![
        Template::parse("hello {{ secret }}{% if session %} again, {{ session }}{% endif %}")
            .expect("a good template"),
    ];
    Dialect::Dialogue(Arc::new(Dialogue {
        name: "test".to_owned(),
        greet,
        on: on.into(),
        ..Dialogue::default()
    }))
}

fn bench(dialect: Dialect) -> Bench {
    let mut bench = Bench::new(Config { dialect, ..config() }, Start::Connect, 7);
    bench.until_dial(Duration::from_secs(5));
    let given = Given { secret: Some("hunter2".to_owned()), ..Given::default() };
    bench.give(Input::Opened { generation: bench.machine.status().generation, given, proof: Proof::Pings });
    bench
}

fn text(bench: &mut Bench, text: &str) {
    let generation = bench.machine.status().generation;
    bench.give(Input::Frame { generation, payload: Payload::Text(text.to_owned()), about: About::default() });
}

fn said(bench: &mut Bench) -> Vec<String> {
    let mut said = Vec::new();
    for output in bench.news() {
        if let Output::Say { text, .. } = output {
            said.push(text.0);
        }
    }
    said
}

fn waits_for(bench: &Bench) -> Option<Stage> {
    let State::Connecting { stage, .. } = bench.machine.status().state else { return None };
    Some(stage)
}

fn is_connected(bench: &Bench) -> bool {
    matches!(bench.machine.status().state, State::Connected { .. })
}

#[test]
fn it_is_connected_once_the_subscription_stands() {
    let mut bench = bench(dialogue());
    assert_eq!(said(&mut bench), ["hello hunter2"]);
    assert_eq!(waits_for(&bench), Some(Stage::SignIn));
    text(&mut bench, "ok");
    assert_eq!(said(&mut bench), ["subscribe"]);
    assert_eq!(waits_for(&bench), Some(Stage::Subscribe));
    bench.pass(Duration::from_secs(14));
    text(&mut bench, "up");
    assert!(is_connected(&bench));
    let State::Connected { since } = bench.machine.status().state else { unreachable!() };
    assert_eq!(
        since.duration_since(SystemTime::UNIX_EPOCH).expect("later"),
        Duration::from_secs(1_800_000_000) + bench.mono
    );
    text(&mut bench, "ok");
    assert!(is_connected(&bench), "what stands isn't waited for again");
}

#[test]
fn who_never_says_that_it_stands_is_left() {
    let mut bench = bench(dialogue());
    bench.pass(Duration::from_secs(14));
    for _ in 0..3 {
        text(&mut bench, "ok");
        text(&mut bench, "ok");
        bench.pass(Duration::from_secs(4));
    }
    assert_eq!(waits_for(&bench), Some(Stage::Subscribe), "not put off by saying it again");
    bench.pass(Duration::from_millis(3_100));
    let Some(Cause::TimedOut { stage: Stage::Subscribe }) = bench.machine.status().state.cause().cloned()
    else {
        panic!("{:?}", bench.machine.status().state)
    };
}

#[test]
fn a_beat_that_can_not_be_made_is_left_out() {
    let interval = Duration::from_secs(10);
    for (text, beats) in [("{{ n }}", 3), ("{{ nobody.knows }}", 0)] {
        let beat = Beat { text: Template::parse(text).expect("a good template"), interval };
        let dialect = Dialect::Dialogue(Arc::new(Dialogue { beat: Some(beat), ..Dialogue::default() }));
        let heartbeat = Heartbeat::steady(interval).expect("a good time");
        let mut bench = Bench::new(Config { dialect, heartbeat, ..config() }, Start::Connect, 7);
        bench.until_dial(Duration::from_secs(5));
        bench.give(Input::Opened { generation: 1, given: Given::default(), proof: Proof::Pings });
        bench.pass(interval * 3);
        let sent = bench.news().into_iter().filter(|output| matches!(output, Output::Heartbeat { .. }));
        assert_eq!(sent.count(), beats, "{text}");
    }
}

#[test]
fn a_refusal_is_the_users_once_the_credential_was_read_again() {
    let mut bench = bench(dialogue());
    text(&mut bench, "no");
    let denied = Cause::Denied { said: "not you".to_owned() };
    assert_eq!(bench.machine.status().state.cause(), Some(&denied));
    assert!(matches!(bench.machine.status().state, State::Waiting { .. }), "read again first");
    let generation = bench.machine.status().generation;
    bench.give(Input::Gone { generation });
    bench.until_dial(Duration::from_secs(60));
    bench.give(Input::Opened { generation: generation + 1, given: Given::default(), proof: Proof::Pings });
    text(&mut bench, "no");
    assert!(matches!(bench.machine.status().state, State::NeedsUser { .. }), "{:?}", bench.machine.status());
}

#[test]
fn a_refusal_after_it_stood_is_the_users_where_it_comes_at_once_and_again() {
    let refused_after = |up: Duration| {
        let mut bench = bench(dialogue());
        for again in [false, true] {
            if again {
                let generation = bench.machine.status().generation;
                bench.give(Input::Gone { generation });
                bench.until_dial(Duration::from_secs(60));
                bench.give(Input::Opened {
                    generation: generation + 1,
                    given: Given::default(),
                    proof: Proof::Pings,
                });
            }
            text(&mut bench, "up");
            assert!(is_connected(&bench));
            bench.pass(up);
            text(&mut bench, "no");
        }
        bench
    };
    let at_once = refused_after(Duration::from_secs(1));
    assert!(
        matches!(at_once.machine.status().state, State::NeedsUser { .. }),
        "{:?}",
        at_once.machine.status()
    );
    let later = refused_after(Duration::from_secs(20));
    assert!(
        matches!(later.machine.status().state, State::Waiting { .. }),
        "a session that is over each time"
    );
}

#[test]
fn a_take_over_is_quiet_however_the_dialect_says_it() {
    let mut told = bench(dialogue());
    text(&mut told, "up");
    text(&mut told, "other");
    assert!(matches!(told.machine.status().state, State::Replaced { .. }));
    let mut closed = bench(dialogue());
    text(&mut closed, "up");
    closed.closed(4009);
    assert!(matches!(closed.machine.status().state, State::Replaced { .. }));
    let mut over = bench(dialogue());
    over.closed(4001);
    assert_eq!(over.machine.status().state.cause(), Some(&Cause::Denied { said: "over".to_owned() }));
}

#[test]
fn another_servers_words_are_told_as_that() {
    let mut bench = bench(Dialect::Ntfy);
    assert_eq!(waits_for(&bench), Some(Stage::Subscribe));
    text(&mut bench, "HeartBeat");
    assert_eq!(bench.machine.status().state.cause(), Some(&Cause::Foreign { dialect: "ntfy".to_owned() }));
}

#[test]
fn messages_are_told_as_missed_until_all_are_there() {
    let mut bench = bench(dialogue());
    text(&mut bench, r#"{"m":1}"#);
    text(&mut bench, "all");
    text(&mut bench, r#"{"m":[2,3]}"#);
    let delivered = bench.news().into_iter().filter_map(|output| {
        let Output::Deliver(Frame { payload, replay, .. }) = output else { return None };
        Some((payload, replay))
    });
    let text = |text: &str| Payload::Text(text.to_owned());
    assert_eq!(
        delivered.collect::<Vec<_>>(),
        [(text("1"), Some(true)), (text("2"), Some(false)), (text("3"), Some(false))]
    );
}

#[test]
fn a_server_that_asks_without_end_is_read_as_slowly_as_it_is_answered() {
    let mut bench = bench(dialogue());
    text(&mut bench, "up");
    said(&mut bench);
    let began = bench.mono;
    let mut answers = 0;
    while bench.mono - began < Duration::from_secs(60) {
        match bench.machine.may_read(1) {
            true => text(&mut bench, "ping"),
            false => bench.pass(Duration::from_millis(10)),
        }
        answers += said(&mut bench).len();
    }
    assert!((60 * 150..=60 * 200 + 500).contains(&answers), "{answers} in a minute");
    assert!(is_connected(&bench), "that nothing is read is no silence of the server's");
}

/// Of each message whether it may have been missed.
fn goes_on(bench: &mut Bench) -> Vec<bool> {
    let delivered = bench.news().into_iter().filter_map(|output| {
        let Output::Deliver(Frame { goes_on, .. }) = output else { return None };
        Some(goes_on)
    });
    delivered.collect()
}

#[test]
fn what_comes_over_any_link_to_a_server_that_keeps_messages_may_have_been_missed() {
    for backlog in [true, false] {
        let message = on("json.m", Then { message: Pointer::parse("/m"), ..Then::default() });
        let dialogue = Dialogue { backlog, on: vec![message].into(), ..Dialogue::default() };
        let mut bench = bench(Dialect::Dialogue(Arc::new(dialogue)));
        text(&mut bench, r#"{"m":1}"#);
        assert_eq!(goes_on(&mut bench), [backlog]);
    }
}

#[test]
fn a_form_that_is_refused_ends_the_link_and_the_credential_is_read_again() {
    let form = vec![("id".to_owned(), Template::parse("{{ json.id }}").expect("good"))];
    let post = Post { url: Template::parse("https://a.example/").expect("good"), form };
    let rules = vec![
        on("json.id", Then { post: Some(post), ..Then::default() }),
        on("answer == 'yes'", Then { connected: true, ..say("subscribe") }),
    ];
    let dialect = Dialect::Dialogue(Arc::new(Dialogue { on: rules.into(), ..Dialogue::default() }));
    let mut bench = bench(dialect);
    text(&mut bench, r#"{"id":7}"#);
    assert!(bench.news().iter().any(|output| matches!(output, Output::Post { generation: 1, .. })));
    assert!(!is_connected(&bench));
    bench.give(Input::Answered { generation: 9, answer: Ok("yes".to_owned()) });
    assert!(!is_connected(&bench), "another link's answer is nothing to this one");
    let refused = Cause::SignInRefused { status: 403 };
    bench.give(Input::Answered { generation: 1, answer: Err(refused) });
    let news = bench.news();
    assert!(news.iter().any(|output| matches!(output, Output::Close { generation: 1, .. })), "{news:?}");
    bench.until_dial(Duration::from_secs(60));
    let dialled = |output: &Output| matches!(output, Output::Dial { ask, .. } if ask.refresh_credential);
    assert!(bench.news().iter().any(dialled), "the credential is read again");
    bench.give(Input::Opened { generation: 2, given: Given::default(), proof: Proof::Pings });
    text(&mut bench, r#"{"id":8}"#);
    bench.give(Input::Answered { generation: 2, answer: Ok("yes".to_owned()) });
    assert!(is_connected(&bench));
}

#[test]
fn what_a_link_kept_is_known_to_the_next_one_and_what_comes_there_may_have_been_missed() {
    let mut bench = bench(dialogue());
    assert_eq!(said(&mut bench), ["hello hunter2"]);
    text(&mut bench, "all");
    text(&mut bench, r#"{"m":1}"#);
    text(&mut bench, r#"{"session":"s1"}"#);
    assert_eq!(goes_on(&mut bench), [false]);
    let generation = bench.machine.status().generation;
    let end = facts::End::Lost { detail: crate::Detail::EndOfStream };
    bench.give(Input::Ended { generation, end });
    bench.until_dial(Duration::from_secs(60));
    let given = Given { secret: Some("other".to_owned()), ..Given::default() };
    bench.give(Input::Opened { generation: generation + 1, given, proof: Proof::Pings });
    text(&mut bench, r#"{"m":2}"#);
    let news = bench.news();
    let says = news.iter().find_map(|output| {
        let Output::Say { text, .. } = output else { return None };
        Some(text.0.clone())
    });
    assert_eq!(says.as_deref(), Some("hello other again, s1"));
    assert!(news.iter().any(|output| matches!(output, Output::Deliver(Frame { goes_on: true, .. }))));
}
