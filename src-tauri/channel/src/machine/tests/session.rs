//! Sessions.

use super::*;

fn session() -> Config {
    let site = Site { host: "shop.example".to_owned(), origin: "https://shop.example".to_owned() };
    Config { session: Some(Box::new(site)), ..config() }
}

impl Bench {
    /// What the server and an owner without anything new answer, until the time is over; the dials that reached the server.
    fn dials_with_a_dead_session(&mut self, time: Duration) -> Vec<Duration> {
        let (until, mut reached) = (self.mono + time, Vec::new());
        loop {
            for DialAsk { only_if_new, .. } in self.asks() {
                if only_if_new {
                    self.give(Input::Unchanged { generation: self.generation() });
                } else {
                    reached.push(self.mono);
                    self.fail(Cause::SignInRefused { status: 200 });
                }
            }
            let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= until) else {
                self.mono = until;
                return reached;
            };
            self.mono = deadline;
            self.give(Input::Time);
        }
    }
}

fn over(end: SessionEnd) -> Cause {
    Cause::SessionOver { site: "shop.example".to_owned(), end }
}

#[test]
fn a_dead_session_is_dialled_with_at_most_once_in_15_minutes() {
    for seed in 0..50 {
        let mut bench = Bench::new(session(), Start::Connect, seed);
        bench.until_dial(secs(1));
        bench.open();
        bench.text();
        bench.pass(secs(3600));
        bench.closed(1008);
        bench.news();
        let dials = bench.dials_with_a_dead_session(secs(12 * 3600));
        assert!(dials.windows(2).all(|pair| pair[1] - pair[0] >= secs(15 * 60)), "{dials:?}");
        assert!((32..=49).contains(&dials.len()), "it goes on: {}", dials.len());
        let State::NeedsUser { cause, .. } = bench.state() else { panic!("the user is needed") };
        assert_eq!(cause, over(SessionEnd::Over));
    }
}

#[test]
fn a_wake_or_a_new_network_costs_a_dead_session_no_dial() {
    let mut bench = Bench::new(session(), Start::Connect, 3);
    let mut dials = bench.dials_with_a_dead_session(secs(60));
    for _ in 0..30 {
        bench.woke(secs(1));
        bench.network(true);
        bench.order(Command::CredentialChanged);
        dials.extend(bench.dials_with_a_dead_session(secs(30)));
    }
    assert!(dials.windows(2).all(|pair| pair[1] - pair[0] >= secs(15 * 60)), "{dials:?}");
}

/// The next process, so much later, with what was known.
fn started_again(bench: &Bench, settings: &Config, start: Start, later: Duration) -> Bench {
    let now = Now { mono: bench.mono + later, wall: epoch() + bench.mono + later };
    let memory = Memory::recall_at(&settings.memory.kept().borrow(), now);
    let config = Config { memory, ..session() };
    let machine = Machine::new(Arc::new(config), start, SmallRng::seed_from_u64(4), now);
    Bench { machine, mono: now.mono, out: Vec::new() }
}

#[test]
fn a_restart_costs_a_dead_session_no_dial() {
    let settings = session();
    let mut bench = Bench::new(settings.clone(), Start::Connect, 3);
    settings.memory.carry_session(Some(7));
    assert_eq!(bench.dials_with_a_dead_session(secs(60)).len(), 1);
    let mut again = started_again(&bench, &settings, Start::Connect, secs(60));
    assert_eq!(again.dials_with_a_dead_session(secs(13 * 60)).len(), 0);
    let State::NeedsUser { cause, .. } = again.state() else { panic!("the user is needed") };
    assert_eq!(cause, over(SessionEnd::Over));
    let dials = again.dials_with_a_dead_session(secs(15 * 60));
    assert_eq!(dials.len(), 1, "it goes on");
    for (start, later) in [(Start::ByHand, secs(1)), (Start::Connect, secs(16 * 60))] {
        let mut again = started_again(&bench, &settings, start, later);
        assert_eq!(again.dials_with_a_dead_session(secs(60)).len(), 1, "{start:?} after {later:?}");
    }
}

#[test]
fn a_new_session_and_the_users_own_wish_dial_at_once() {
    let mut bench = Bench::new(session(), Start::Connect, 3);
    assert_eq!(bench.dials_with_a_dead_session(secs(30)).len(), 1);
    bench.order(Command::CredentialChanged);
    bench.pass(secs(1));
    assert_eq!(bench.state().name(), "connecting", "what is new goes out");
    bench.open();
    bench.pass(secs(60));
    bench.closed(1008);
    bench.news();
    assert_eq!(bench.dials_with_a_dead_session(secs(30)).len(), 1);
    for wish in [Command::Connect, Command::ReconnectNow] {
        bench.order(wish);
        assert_eq!(bench.dials_with_a_dead_session(secs(2)).len(), 1, "{wish:?}");
    }
}

#[test]
fn a_new_session_that_did_not_reach_the_server_is_tried_again() {
    let mut bench = Bench::new(session(), Start::Connect, 3);
    assert_eq!(bench.dials_with_a_dead_session(secs(30)).len(), 1);
    bench.order(Command::CredentialChanged);
    bench.pass(secs(1));
    assert_eq!(bench.state().name(), "connecting", "what is new goes out");
    bench.news();
    bench.fail(Cause::Unreachable { detail: Detail::Refused });
    bench.until_dial(secs(60));
    let asked: Vec<bool> = bench.asks().into_iter().map(|ask| ask.only_if_new).collect();
    assert_eq!(asked, [false]);
}

#[test]
fn the_end_of_a_session_is_told_by_what_it_was() {
    let ended = |code, up: u64, away: bool, bench: &mut Bench| {
        bench.pass(secs(up));
        bench.closed(code);
        bench.until_dial(secs(60));
        if away {
            bench.fail(Cause::Status { status: 502 });
            bench.until_dial(secs(60));
        }
        bench.fail(Cause::SignInRefused { status: 200 });
        let (State::Waiting { cause, .. } | State::NeedsUser { cause, .. }) = bench.state() else {
            panic!("not connected")
        };
        bench.order(Command::ReconnectNow);
        bench.until_dial(secs(2));
        bench.open();
        cause
    };
    let mut bench = Bench::new(session(), Start::Connect, 3);
    bench.until_dial(secs(1));
    bench.open();
    assert_eq!(ended(1008, 1830, false, &mut bench), over(SessionEnd::Over));
    assert_eq!(bench.machine.status().session_life, Some(secs(1830)), "what its sessions live is known");
    assert_eq!(ended(1008, 300, false, &mut bench), over(SessionEnd::Early));
    assert_eq!(ended(1008, 100, true, &mut bench), over(SessionEnd::Restarted));
    assert_eq!(ended(1001, 100, false, &mut bench), over(SessionEnd::Restarted));
    bench.pass(secs(60));
    bench.lose();
    bench.until_dial(secs(60));
    bench.fail(Cause::SignInRefused { status: 403 });
    let State::NeedsUser { cause, .. } = bench.state() else { panic!("the user is needed at once") };
    assert_eq!(cause, Cause::RoleMissing { site: "shop.example".to_owned() });
}

#[test]
fn an_upgrade_from_before_the_sign_in_that_is_answered_now_costs_one_dial() {
    let mut bench = Bench::new(session(), Start::Connect, 3);
    let other = || Cause::NotAWebSocket { detail: Detail::WrongAcceptKey };
    bench.until_dial(secs(1));
    bench.fail(other());
    bench.until_dial(secs(3));
    bench.fail(other());
    let floor = config().timing.not_websocket_floor;
    assert!(bench.until_dial(floor * 2) >= floor, "whoever goes on so is no WebSocket");
    bench.open();
    bench.pass(secs(60));
    bench.closed(1008);
    bench.until_dial(secs(60));
    bench.fail(other());
    assert!(bench.until_dial(floor * 2) < secs(60), "after another sign-in, again");
}
