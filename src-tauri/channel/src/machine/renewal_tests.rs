//! A new link before the old one ends, in invented time (N1).

use tidings_dialect::Given;

use super::talk_tests::dialogue;
use super::tests::{Bench, config, millis, secs, up_and_answering, up_with};
use super::*;
use crate::machine::facts::{End, Proof};
use crate::{About, Detail, DialAsk, Payload, Stage};

impl Bench {
    /// Asks for a renewal, whose dial has this number.
    fn renew(&mut self) -> u64 {
        self.pass(secs(10));
        self.order(Command::Renew);
        self.machine.dials
    }

    fn reach(&mut self, generation: u64, stage: Stage) {
        self.give(Input::Stage { generation, stage });
    }

    fn open_as(&mut self, generation: u64) {
        self.give(Input::Opened { generation, given: Given::default(), proof: Proof::Pings });
    }

    fn says(&mut self, generation: u64, text: &str) {
        self.give(Input::Frame {
            generation,
            payload: Payload::Text(text.to_owned()),
            about: About::default(),
        });
    }

    fn ends(&mut self, generation: u64, code: u16) {
        let end = End::Closed(CloseInfo { code, reason: String::new() });
        self.give(Input::Ended { generation, end });
    }

    fn fails(&mut self, generation: u64, cause: Cause) {
        self.give(Input::DialFailed { generation, cause, retry_after: None, elsewhere: false });
    }

    fn delivered(&mut self) -> Vec<(u64, String)> {
        let mut delivered = Vec::new();
        for output in self.news() {
            if let Output::Deliver(crate::Frame { generation, payload: Payload::Text(text), .. }) = output {
                delivered.push((generation, text));
            }
        }
        delivered
    }

    /// Links that opened, and those of them that ended.
    fn links(&self) -> (u64, u64) {
        let status = self.machine.status();
        (status.links_opened, status.links_closed)
    }

    fn is_connected_since(&self, since: &State) {
        assert!(matches!(since, State::Connected { .. }));
        assert_eq!(self.state(), *since);
    }
}

fn spoken() -> Bench {
    let mut bench = up_with_dialogue();
    bench.says(1, "up");
    assert_eq!(bench.state().name(), "connected");
    bench
}

fn up_with_dialogue() -> Bench {
    let mut bench = Bench::new(Config { dialect: dialogue(), ..config() }, Start::Connect, 7);
    bench.until_dial(secs(1));
    bench.open_as(1);
    bench
}

#[test]
fn the_next_link_takes_the_old_ones_place_and_nobody_sees_it() {
    let mut bench = up_and_answering();
    let since = bench.state();
    bench.news();
    let next = bench.renew();
    assert!(bench.news().contains(&Output::Dial { generation: 2, ask: DialAsk::default() }));
    bench.reach(next, Stage::Upgrade);
    // Pings and heartbeats go on meanwhile, and so do messages.
    bench.says(1, "before");
    bench.pass(secs(20));
    bench.is_connected_since(&since);
    let news = bench.news();
    assert!(news.iter().any(|output| matches!(output, Output::Ping { generation: 1, .. })));
    assert_eq!(bench.machine.status().generation, 1, "what is shown is the link's");
    bench.open_as(next);
    assert_eq!(
        bench.news(),
        [Output::Leave { generation: 1 }, Output::Ping { generation: 2, counter: 1 }],
        "the old one says goodbye"
    );
    bench.is_connected_since(&since);
    assert_eq!((bench.machine.status().generation, bench.links()), (2, (2, 0)));
    bench.says(1, "on its way");
    bench.says(2, "after");
    bench.give(Input::Gone { generation: 1 });
    assert_eq!(bench.delivered(), [(1, "on its way".to_owned()), (2, "after".to_owned())]);
    bench.is_connected_since(&since);
    assert_eq!(bench.links(), (2, 1));
    bench.hear_for(secs(100));
    let [Output::Heartbeat { generation: 2, .. }] = bench.news()[..] else { panic!("the next one's") };
}

#[test]
fn an_old_link_that_answers_no_goodbye_is_dropped_in_a_second_and_is_told_nothing_meanwhile() {
    let mut bench = up_and_answering();
    let next = bench.renew();
    bench.pass(secs(9));
    bench.open_as(next);
    bench.news();
    bench.pass(millis(999));
    assert!(
        !bench
            .news()
            .iter()
            .any(|output| matches!(output, Output::Abort { .. } | Output::Ping { generation: 1, .. }))
    );
    bench.pass(millis(1));
    assert_eq!(bench.news(), [Output::Abort { generation: 1 }]);
    assert_eq!(bench.links(), (2, 1));
}

#[test]
fn an_old_link_is_not_dropped_while_the_owner_takes_nothing() {
    let mut bench = up_and_answering();
    let next = bench.renew();
    bench.open_as(next);
    bench.give(Input::ReadingHeld(true));
    bench.pass(secs(60));
    assert_eq!(bench.links(), (2, 0), "what it brought can't be read yet");
    bench.give(Input::ReadingHeld(false));
    bench.pass(millis(999));
    bench.says(1, "late");
    assert!(bench.delivered().contains(&(1, "late".to_owned())));
    bench.pass(millis(1));
    assert_eq!(bench.links(), (2, 1));
}

#[test]
fn only_a_link_that_stands_is_renewed_and_only_once_at_a_time() {
    type Before = fn() -> Bench;
    let before: [Before; 6] = [
        || Bench::new(config(), Start::Disconnected, 7),
        || Bench::new(config(), Start::Replaced { since: SystemTime::UNIX_EPOCH }, 7),
        || Bench::new(config(), Start::Connect, 7),
        || {
            let mut bench = Bench::new(config(), Start::ByHand, 7);
            bench.until_dial(secs(1));
            bench
        },
        || {
            let mut bench = Bench::new(config(), Start::ByHand, 7);
            bench.until_dial(secs(1));
            bench.fails(1, Cause::Owner { detail: String::new() });
            bench
        },
        up_with_dialogue,
    ];
    for before in before {
        let mut bench = before();
        bench.pass(millis(1));
        let (state, deadline, dials) = (bench.state(), bench.machine.deadline(), bench.machine.dials);
        bench.order(Command::Renew);
        assert_eq!((bench.state(), bench.machine.deadline(), bench.machine.dials), (state, deadline, dials));
    }
    let mut bench = up_and_answering();
    bench.renew();
    for stage in [Stage::Tcp, Stage::Upgrade] {
        bench.order(Command::Renew);
        bench.pass(secs(2));
        bench.reach(2, stage);
    }
    bench.open_as(2);
    bench.order(Command::Renew);
    assert_eq!(bench.machine.dials, 2);
    bench.give(Input::Gone { generation: 1 });
    assert_eq!(bench.renew(), 3);
}

#[test]
fn a_renewal_right_after_a_dial_waits_for_the_gap() {
    let mut bench = up_with(config());
    bench.pass(millis(300));
    bench.order(Command::Renew);
    assert_eq!(bench.machine.dials, 1);
    bench.pass(millis(699));
    assert_eq!(bench.machine.dials, 1);
    bench.pass(millis(1));
    assert_eq!(bench.machine.dials, 2);
}

#[test]
fn a_message_that_comes_over_both_links_is_told_once() {
    let mut bench = up_and_answering();
    bench.renew();
    bench.reach(2, Stage::Upgrade);
    // The server sends to both, and has said the same twice.
    bench.says(1, "same");
    bench.says(1, "same");
    bench.open_as(2);
    bench.news();
    for (generation, text, told) in
        [(2, "same", false), (2, "other", true), (1, "other", false), (2, "same", false), (2, "same", true)]
    {
        bench.says(generation, text);
        assert_eq!(bench.delivered().len(), usize::from(told), "{text} over {generation}");
    }
    bench.says(1, "last");
    bench.give(Input::Gone { generation: 1 });
    bench.news();
    bench.pass(millis(1900));
    bench.says(2, "last");
    assert_eq!(bench.delivered(), [], "over the slower one");
    bench.says(2, "last");
    assert_eq!(bench.delivered().len(), 1, "said again");
}

#[test]
fn a_server_that_keeps_one_link_alone_says_nothing_over_both() {
    let mut bench = up_and_answering();
    bench.renew();
    bench.reach(2, Stage::Upgrade);
    bench.says(1, "the bell");
    bench.ends(1, 4500);
    bench.open_as(2);
    bench.says(2, "the bell");
    assert_eq!(bench.delivered(), [(1, "the bell".to_owned()), (2, "the bell".to_owned())]);
}

#[test]
fn a_server_that_ends_the_old_link_once_the_next_is_there_says_nothing_over_both() {
    let mut bench = up_and_answering();
    bench.renew();
    bench.reach(2, Stage::Upgrade);
    bench.says(1, "the bell");
    bench.open_as(2);
    bench.ends(1, 4500);
    bench.says(2, "the bell");
    bench.give(Input::Gone { generation: 1 });
    assert_eq!(bench.delivered(), [(1, "the bell".to_owned()), (2, "the bell".to_owned())]);
    assert_eq!((bench.state().name(), bench.links()), ("connected", (2, 1)));
}

#[test]
fn a_next_link_that_is_refused_has_its_credential_read_again_whatever_the_old_one_needed() {
    let mut bench = Bench::new(Config { dialect: dialogue(), ..config() }, Start::Connect, 7);
    bench.until_dial(secs(1));
    bench.fails(1, Cause::SignInRefused { status: 401 });
    bench.until_dial(secs(60));
    bench.open_as(2);
    bench.says(2, "up");
    let next = bench.renew();
    bench.reach(next, Stage::Upgrade);
    bench.open_as(next);
    bench.give(Input::Ended { generation: 2, end: End::Lost { detail: Detail::Reset } });
    bench.says(next, "up");
    bench.says(next, "no");
    assert_eq!(bench.state().name(), "waiting", "the credential is read again first");
}

#[test]
fn what_is_said_again_later_or_without_a_renewal_is_news() {
    let mut bench = up_and_answering();
    bench.renew();
    bench.says(1, "before the server knew");
    bench.reach(2, Stage::Upgrade);
    bench.says(1, "long before");
    bench.pass(secs(2));
    bench.open_as(2);
    bench.news();
    bench.says(2, "before the server knew");
    bench.says(2, "long before");
    assert_eq!(bench.delivered().len(), 2);
    bench.give(Input::Gone { generation: 1 });
    bench.pass(secs(30));
    assert!(bench.machine.doubles.is_none(), "nothing is compared any more");
}

#[test]
fn a_renewal_that_fails_leaves_the_link_as_it_was() {
    type Failing = fn(&mut Bench);
    let failing: [Failing; 6] = [
        |bench| bench.fails(2, Cause::SignInRefused { status: 401 }),
        |bench| bench.fails(2, Cause::Owner { detail: String::new() }),
        |bench| bench.fails(2, Cause::Unreachable { detail: Detail::Refused }),
        |bench| bench.fails(2, Cause::Certificate { detail: Detail::SelfSigned }),
        |bench| bench.hear_for(secs(30)),
        |bench| {
            bench.reach(2, Stage::Upgrade);
            bench.hear_for(secs(80));
        },
    ];
    for (which, fail) in failing.into_iter().enumerate() {
        let mut bench = up_and_answering();
        let before = bench.machine.status();
        bench.renew();
        fail(&mut bench);
        let now = bench.machine.status();
        assert_eq!(now.state, before.state, "{which}");
        assert_eq!((now.generation, bench.links(), now.last_close), (1, (1, 0), None));
        bench.says(1, "news");
        assert!(bench.delivered().contains(&(1, "news".to_owned())));
        // It counts for nothing later, either.
        assert_eq!(bench.renew(), 3);
        bench.open_as(3);
        assert_eq!(bench.machine.status().state, before.state);
        bench.give(Input::Gone { generation: 1 });
        bench.hear_for(secs(60));
        bench.ends(3, 1011);
        bench.give(Input::Gone { generation: 3 });
        assert!(bench.until_dial(secs(3)) <= secs(3));
        assert!(bench.news().contains(&Output::Dial { generation: 4, ask: DialAsk::default() }));
    }
}

#[test]
fn a_take_over_before_ours_was_asked_for_is_believed_and_one_afterwards_is_our_own() {
    for stage in [Stage::Credential, Stage::Tcp, Stage::Tls] {
        let mut bench = up_and_answering();
        bench.renew();
        bench.reach(2, stage);
        bench.news();
        bench.ends(1, 4500);
        assert_eq!(bench.state().name(), "replaced", "at {stage}");
        assert_eq!(bench.news(), [Output::Abandon { generation: 2 }]);
        bench.give(Input::Gone { generation: 1 });
        bench.pass(secs(100_000));
        assert_eq!((bench.state().name(), bench.machine.dials), ("replaced", 2));
    }
    let mut bench = up_and_answering();
    let since = bench.state();
    bench.renew();
    bench.reach(2, Stage::Upgrade);
    bench.ends(1, 4500);
    bench.is_connected_since(&since);
    bench.give(Input::Gone { generation: 1 });
    bench.pass(millis(1900));
    bench.open_as(2);
    bench.is_connected_since(&since);
    assert_eq!((bench.machine.status().generation, bench.links()), (2, (2, 1)));
    bench.hear_for(secs(200));
    bench.is_connected_since(&since);
    assert_eq!(bench.machine.dials, 2, "nobody dials for it");
    // It was no excuse for the next one.
    bench.ends(2, 4500);
    assert_eq!(bench.state().name(), "replaced");
}

#[test]
fn a_next_link_that_is_long_in_coming_after_the_old_one_was_ended_for_it_is_shown() {
    let mut bench = up_and_answering();
    bench.renew();
    bench.reach(2, Stage::Upgrade);
    bench.ends(1, 4500);
    bench.give(Input::Gone { generation: 1 });
    bench.pass(secs(2));
    assert_eq!(bench.state(), State::Connecting { attempt: 2, stage: Stage::Upgrade });
    bench.open_as(2);
    let State::Connected { since } = bench.state() else { panic!("connected") };
    assert!(since > SystemTime::UNIX_EPOCH + secs(1_800_000_000) + secs(1011));
    let mut bench = up_and_answering();
    bench.renew();
    bench.reach(2, Stage::Upgrade);
    bench.ends(1, 4500);
    bench.fails(2, Cause::Status { status: 503 });
    assert_eq!(bench.state().name(), "waiting");
}

#[test]
fn whoever_replaces_the_next_link_replaces_the_channel() {
    let mut stood = up_and_answering();
    stood.renew();
    stood.open_as(2);
    stood.says(1, "the last");
    stood.ends(2, 4500);
    assert_eq!(stood.state().name(), "replaced");
    stood.says(1, "the very last");
    assert!(stood.delivered().contains(&(1, "the very last".to_owned())));
    stood.pass(secs(1));
    assert_eq!(stood.links(), (2, 2));
    for told in [false, true] {
        let mut waited = spoken();
        waited.renew();
        waited.open_as(2);
        if told {
            waited.says(2, "other");
        } else {
            waited.ends(2, 4500);
        }
        assert_eq!(waited.state().name(), "replaced");
        waited.pass(secs(1));
        assert_eq!(waited.links(), (2, 2));
        assert_eq!(waited.machine.deadline(), None);
    }
}

#[test]
fn what_a_given_up_renewal_brings_about_is_no_take_over() {
    type GivenUp = fn(&mut Bench);
    let given_up: [(GivenUp, u64, &str); 6] = [
        (|bench| bench.hear_for(secs(77)), 179, "waiting"),
        (|bench| bench.hear_for(secs(77)), 181, "replaced"),
        (|bench| bench.fails(2, Cause::Status { status: 504 }), 179, "waiting"),
        (|bench| bench.fails(2, Cause::Status { status: 503 }), 1, "replaced"),
        (
            |bench| {
                bench.open_as(2);
                bench.ends(2, 1008);
            },
            29,
            "waiting",
        ),
        (
            |bench| {
                bench.open_as(2);
                bench.says(2, "no");
            },
            31,
            "replaced",
        ),
    ];
    for (which, (give_up, later, state)) in given_up.into_iter().enumerate() {
        let mut bench = spoken();
        bench.hear_for(secs(10));
        bench.renew();
        bench.reach(2, Stage::Upgrade);
        give_up(&mut bench);
        assert_eq!((bench.state().name(), bench.machine.status().generation), ("connected", 1), "{which}");
        let until = bench.mono + secs(later);
        while bench.mono < until {
            bench.hear_for(secs(1));
        }
        bench.ends(1, 4500);
        assert_eq!(bench.state().name(), state, "{which}: {later} s later");
    }
}

#[test]
fn a_link_that_ends_otherwise_meanwhile_leaves_its_place_to_the_dial() {
    type Ending = fn(&mut Bench);
    let ending: [Ending; 5] = [
        |bench| bench.ends(1, 1008),
        |bench| bench.ends(1, 1000),
        |bench| bench.give(Input::Ended { generation: 1, end: End::Lost { detail: Detail::Reset } }),
        |bench| {
            bench.give(Input::Ended {
                generation: 1,
                end: End::Violation { code: 1002, detail: Detail::TooBig },
            });
        },
        // Silence.
        |bench| {
            bench.reach(2, Stage::Upgrade);
            bench.pass(secs(40));
        },
    ];
    for (which, end) in ending.into_iter().enumerate() {
        let mut bench = up_and_answering();
        bench.renew();
        end(&mut bench);
        assert_eq!((bench.state().name(), bench.machine.status().generation), ("connecting", 2), "{which}");
        bench.give(Input::Gone { generation: 1 });
        bench.open_as(2);
        assert_eq!((bench.state().name(), bench.links()), ("connected", (2, 1)), "{which}");
        assert_eq!(bench.machine.dials, 2);
        // A dial that has become the channel's fails as any.
        let mut bench = up_and_answering();
        bench.renew();
        end(&mut bench);
        bench.give(Input::Gone { generation: 1 });
        bench.fails(2, Cause::SignInRefused { status: 401 });
        bench.until_dial(secs(6));
        bench.fails(3, Cause::SignInRefused { status: 401 });
        assert_eq!(bench.state().name(), "needs_user", "{which}");
    }
}

#[test]
fn a_proxy_that_eats_the_close_code_makes_no_loop_of_renewals() {
    let mut bench = up_and_answering();
    let began = bench.mono;
    let mut renewals = 0;
    while bench.mono - began < secs(3600) {
        let old = bench.generation();
        let next = bench.renew();
        renewals += 1;
        bench.reach(next, Stage::Upgrade);
        bench.give(Input::Ended { generation: old, end: End::Lost { detail: Detail::EndOfStream } });
        bench.open_as(next);
        assert_eq!(bench.generation(), next);
        assert_eq!(bench.machine.status().idle_limit, None);
    }
    assert_eq!(bench.machine.dials, renewals + 1);
    assert!(!bench.machine.status().braked);
}

#[test]
fn whatever_else_happens_leaves_nothing_behind() {
    type Happens = fn(&mut Bench);
    let disconnect: Happens = |bench| bench.order(Command::Disconnect);
    let happens: [(Happens, &str); 5] = [
        (disconnect, "disconnected"),
        (|bench| bench.order(Command::ShutDown), "connected"),
        (|bench| bench.woke(secs(3600)), "waiting"),
        (|bench| bench.give(Input::AddressGone { generation: 1 }), "waiting"),
        (
            |bench| bench.give(Input::Ended { generation: 1, end: End::Lost { detail: Detail::Reset } }),
            "connecting",
        ),
    ];
    for (happen, state) in happens {
        for stage in [None, Some(Stage::Tcp), Some(Stage::Upgrade), Some(Stage::Subscribe)] {
            let mut bench = spoken();
            bench.pass(secs(6));
            if stage.is_none() {
                // It is only due.
                bench.order(Command::Renew);
                bench.give(Input::DialFailed {
                    generation: 2,
                    cause: Cause::Local,
                    retry_after: None,
                    elsewhere: false,
                });
                bench.order(Command::Renew);
            } else {
                bench.renew();
            }
            let dials = bench.machine.dials;
            match stage {
                Some(Stage::Subscribe) => bench.open_as(2),
                Some(stage) => bench.reach(2, stage),
                None => assert_eq!(dials, 2),
            }
            bench.news();
            happen(&mut bench);
            let state = if stage.is_none() && state == "connecting" { "waiting" } else { state };
            assert_eq!(bench.state().name(), state, "{stage:?}");
            bench.give(Input::Gone { generation: 1 });
            let (opened, closed) = bench.links();
            let left = u64::from(state == "connecting" && stage == Some(Stage::Subscribe));
            assert_eq!(opened, closed + left, "{stage:?}");
            if state == "disconnected" || state == "connected" {
                assert_eq!(bench.machine.deadline(), None);
                bench.pass(secs(1000));
                assert_eq!(bench.machine.dials, dials);
            }
            if state == "connected" {
                assert_eq!(bench.news().last(), Some(&Output::Finish));
            }
        }
    }
}

#[test]
fn a_short_sleep_or_another_network_has_both_links_prove_that_they_live() {
    let mut bench = spoken();
    bench.renew();
    bench.open_as(2);
    for (generation, counter) in [(1, 1), (2, 1)] {
        bench.give(Input::Pong { generation, counter });
    }
    bench.news();
    bench.give(Input::Signal(Signal::NetworkChanged { online: true }));
    let pings = bench.news();
    for link in [1, 2] {
        assert!(
            pings
                .iter()
                .any(|output| matches!(output, Output::Ping { generation, .. } if *generation == link))
        );
    }
    let mut bench = spoken();
    bench.renew();
    bench.reach(2, Stage::Upgrade);
    bench.give(Input::Pong { generation: 1, counter: 1 });
    bench.give(Input::Signal(Signal::NetworkChanged { online: true }));
    bench.hear_for(secs(10));
    assert!(bench.news().contains(&Output::Abandon { generation: 2 }), "an answer may never come there");
    assert_eq!(bench.state().name(), "connected");
}

#[test]
fn the_old_link_goes_once_the_next_ones_subscription_stands() {
    let mut bench = spoken();
    let since = bench.state();
    bench.renew();
    bench.open_as(2);
    bench.says(2, "ok");
    bench.says(1, r#"{"m":1}"#);
    bench.says(1, "ping");
    bench.says(2, "ping");
    bench.is_connected_since(&since);
    assert_eq!(bench.machine.status().generation, 1);
    let said = bench.news().into_iter().filter_map(|output| {
        let Output::Say { generation, text } = output else { return None };
        Some((generation, text.0))
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [(2, "subscribe".to_owned()), (1, "pong".to_owned()), (2, "pong".to_owned())],
        "each in its own talk"
    );
    bench.says(2, "up");
    assert_eq!(bench.news(), [Output::Leave { generation: 1 }]);
    bench.is_connected_since(&since);
    // Over the old one come messages alone.
    for text in ["ping", "no", "other", r#"{"m":2}"#] {
        bench.says(1, text);
    }
    let news = bench.news();
    assert!(matches!(news[..], [Output::Deliver(_)]), "{news:?}");
    bench.is_connected_since(&since);
}

#[test]
fn a_session_of_the_servers_is_gone_on_with_by_the_link_that_has_it() {
    let greets = |bench: &mut Bench| {
        let mut said = Vec::new();
        for output in bench.news() {
            if let Output::Say { text, .. } = output {
                said.push(text.0);
            }
        }
        said
    };
    let open = |bench: &mut Bench, generation| {
        let given = Given { secret: Some("s".to_owned()), ..Given::default() };
        bench.give(Input::Opened { generation, given, proof: Proof::Pings });
    };
    for (stands, session) in [(true, "new"), (false, "old")] {
        let mut bench = spoken();
        bench.says(1, r#"{"session":"old"}"#);
        bench.news();
        bench.renew();
        open(&mut bench, 2);
        assert_eq!(greets(&mut bench), ["hello s"], "the old link has it");
        bench.says(2, r#"{"session":"new"}"#);
        bench.says(2, if stands { "up" } else { "no" });
        bench.says(1, r#"{"session":"old"}"#);
        bench.give(Input::Gone { generation: 1 });
        let link = bench.generation();
        bench.give(Input::Ended { generation: link, end: End::Lost { detail: Detail::Reset } });
        bench.news();
        bench.until_dial(secs(60));
        open(&mut bench, 3);
        assert!(greets(&mut bench).contains(&format!("hello s again, {session}")), "stood: {stands}");
    }
}

#[test]
fn an_old_link_that_is_still_closing_is_dropped_when_the_next_one_ends_too() {
    let mut bench = up_and_answering();
    bench.renew();
    bench.reach(2, Stage::Upgrade);
    bench.ends(1, 4500);
    bench.open_as(2);
    bench.news();
    bench.ends(2, 1011);
    assert_eq!(bench.news(), [Output::Abort { generation: 1 }]);
    assert_eq!(bench.links(), (2, 1));
    bench.give(Input::Gone { generation: 2 });
    assert_eq!(bench.links(), (2, 2));
}

#[test]
fn a_next_link_that_is_refused_or_never_stands_leaves_the_link_as_it_was() {
    type Failing = fn(&mut Bench);
    let failing: [Failing; 5] = [
        |bench| bench.says(2, "no"),
        |bench| bench.ends(2, 4001),
        |bench| bench.give(Input::Ended { generation: 2, end: End::Lost { detail: Detail::Reset } }),
        |bench| bench.give(Input::AddressGone { generation: 2 }),
        |bench| bench.hear_for(secs(15)),
    ];
    for (which, fail) in failing.into_iter().enumerate() {
        let mut bench = spoken();
        let since = bench.state();
        bench.renew();
        bench.open_as(2);
        fail(&mut bench);
        bench.is_connected_since(&since);
        assert_eq!((bench.machine.status().generation, bench.links()), (1, (2, 1)), "{which}");
        bench.says(1, r#"{"m":1}"#);
        assert_eq!(bench.delivered().len(), 1, "{which}");
        // It is the sign-in's failure no more than the link's.
        bench.hear_for(secs(40));
        bench.ends(1, 4001);
        assert_eq!(bench.state().name(), "waiting", "read again first");
    }
}

#[test]
fn an_old_link_that_is_ended_while_the_next_one_signs_in_is_no_break() {
    let mut bench = spoken();
    let since = bench.state();
    bench.renew();
    bench.open_as(2);
    bench.ends(1, 4500);
    bench.is_connected_since(&since);
    bench.says(2, "up");
    bench.is_connected_since(&since);
    assert_eq!((bench.machine.status().generation, bench.machine.dials), (2, 2));
    let mut bench = spoken();
    bench.renew();
    bench.open_as(2);
    bench.ends(1, 1001);
    assert_eq!(bench.state(), State::Connecting { attempt: 2, stage: Stage::SignIn });
    bench.says(2, "up");
    assert_eq!((bench.state().name(), bench.machine.dials), ("connected", 2));
}
