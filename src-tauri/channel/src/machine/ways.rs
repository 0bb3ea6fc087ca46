//! Which carrier the next dial is by: the first that the channel has, unless it is known not to get through from here (F1).

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::machine::facts::Now;
use crate::{Carrier, Cause, ChannelUrl, Detail, Instead, Stage, Timing};

/// Failures in a row from which a carrier is passed over. Too low: a server that restarts is heard by a lesser carrier; too high:
/// where none but that gets through, nothing is heard for long.
const FAILED: u32 = 3;

/// What is kept of carriers that don't get through, entries. Too few: who moves much tries in vain; too many: the file grows.
const MOST_KEPT: usize = 32;

/// See the module.
#[derive(Debug)]
pub(super) struct Ways {
    /// In the order of what is preferred; at least one.
    ways: Vec<Way>,
    at: usize,
    /// The next dial begins with the first that gets through.
    begins: bool,
    /// All have failed as often as may be, and none has stood since.
    in_vain: bool,
    /// The network that they are known of.
    network: Option<u64>,
}

/// One carrier, and how it does.
#[derive(Debug)]
struct Way {
    carrier: Carrier,
    /// In a row.
    failed: u32,
    /// By what, the last time.
    by: Option<Cause>,
    /// Until when it is passed over.
    out_until: Option<SystemTime>,
}

impl Way {
    fn new(carrier: Carrier) -> Self {
        Self { carrier, failed: 0, by: None, out_until: None }
    }

    fn is_out(&self) -> bool {
        self.out_until.is_some()
    }
}

/// What the failure of a dial is for its carrier.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Failed {
    /// It may be the carrier's, and not all have been tried for good.
    pub(super) carried: bool,
    /// Another one is to be tried at once.
    pub(super) at_once: bool,
    /// What is to be told in its place.
    pub(super) told: Option<Cause>,
}

impl Ways {
    pub(super) fn new(first: Carrier, others: &[Carrier], known: &Carriers, now: SystemTime) -> Self {
        let ways = std::iter::once(first).chain(others.iter().copied()).map(Way::new).collect();
        let mut ways = Self { ways, at: 0, begins: false, in_vain: false, network: None };
        ways.arrive(known, now);
        ways
    }

    pub(super) fn carrier(&self) -> Carrier {
        self.ways.get(self.at).map_or_else(Carrier::default, |way| way.carrier)
    }

    /// Why it isn't by the first.
    pub(super) fn instead(&self) -> Option<Instead> {
        let Way { carrier, failed, by, .. } = self.ways.first().filter(|_| self.at > 0)?;
        let is_absent = matches!(by, Some(Cause::NoSockJs { .. }));
        (!is_absent).then(|| Instead { of: *carrier, failed: *failed, by: by.clone() })
    }

    /// A dial begins. What didn't get through is looked at again after a while, and elsewhere.
    pub(super) fn dialling(&mut self, known: &Carriers, now: SystemTime) {
        self.moved(known, now, false);
        for way in &mut self.ways {
            if way.out_until.take_if(|until| *until <= now).is_some() {
                (way.failed, way.by) = (0, None);
                self.begins = true;
            }
        }
        if std::mem::take(&mut self.begins) {
            self.first();
        }
    }

    /// A dial, or a link that never stood, failed.
    pub(super) fn failed(&mut self, cause: &Cause, now: Now, timing: &Timing) -> Failed {
        let several = self.ways.len() > 1;
        let has_sockjs = self.ways.iter().any(|way| way.carrier.is_sockjs());
        let Some(way) = self.ways.get_mut(self.at).filter(|_| several) else { return Failed::default() };
        let is_told = says_so(cause, way.carrier);
        if !is_told && !may_be_the_carrier(cause, has_sockjs) {
            return Failed::default();
        }
        way.failed += 1;
        way.by = Some(cause.clone());
        let is_sockjs = way.carrier.is_sockjs();
        let is_absent = matches!(cause, Cause::NoSockJs { .. });
        let told = self.ways.iter().find(|way| !way.carrier.is_sockjs()).and_then(|way| way.by.clone());
        let told = told.filter(|_| is_absent);
        if self.in_vain {
            // The waits are long, and one is as good as another: they take turns. For what isn't there none is waited.
            let mut after = (self.at + 1..self.ways.len()).chain(0..=self.at);
            let may_be = |way: &Way| !(is_absent && way.carrier.is_sockjs());
            let next = after.find(|at| self.ways.get(*at).is_some_and(may_be));
            self.at = next.unwrap_or(0);
            return Failed { carried: false, at_once: is_absent && next.is_some(), told };
        }
        let until = now.wall.checked_add(timing.carrier_again);
        for way in self.ways.iter_mut().filter(|way| is_absent && way.carrier.is_sockjs()) {
            (way.by, way.out_until) = (Some(cause.clone()), until);
        }
        if let Some(way) = self.ways.get_mut(self.at)
            && (is_told || way.failed >= FAILED)
        {
            way.out_until = until;
        }
        if self.ways.iter().all(Way::is_out) {
            // Whatever it is, it is none of theirs.
            self.in_vain = true;
            self.again();
            return Failed { carried: false, at_once: false, told };
        }
        // SockJS has said that it is there: what doesn't get through is the way, and there is another one.
        let leads_on = is_sockjs || self.ways.get(self.at).is_some_and(Way::is_out);
        let next =
            (self.at + 1..self.ways.len()).find(|at| self.ways.get(*at).is_some_and(|way| !way.is_out()));
        let at_once = (is_sockjs || is_told) && next.is_some();
        if leads_on {
            match next {
                Some(next) => self.at = next,
                None => self.first(),
            }
        }
        // Nothing has failed where it is known beforehand what is not there.
        let told =
            told.or((is_told && at_once && !matches!(cause, Cause::TimedOut { .. })).then_some(Cause::Local));
        Failed { carried: true, at_once, told }
    }

    /// A link by it stands.
    pub(super) fn stood(&mut self, known: &mut Carriers) {
        self.in_vain = false;
        // What failed before it is known for what it is now.
        for way in
            self.ways.iter().filter(|way| way.is_out() && !matches!(way.by, Some(Cause::NoSockJs { .. })))
        {
            known.note(way.carrier, way.out_until);
        }
        if let Some(way) = self.ways.get_mut(self.at) {
            (way.failed, way.by, way.out_until) = (0, None, None);
            known.note(way.carrier, None);
        }
        self.begins = true;
    }

    /// The network may be another one: what got through there says nothing of this one. `surely`: it is, even if nobody knows which.
    pub(super) fn moved(&mut self, known: &Carriers, now: SystemTime, surely: bool) {
        if known.here != self.network || surely && known.here.is_none() {
            self.arrive(known, now);
        }
    }

    /// What is known of this network.
    fn arrive(&mut self, known: &Carriers, now: SystemTime) {
        self.network = known.here;
        self.in_vain = false;
        self.again();
        for way in &mut self.ways {
            way.out_until = known.out_until(way.carrier, now);
        }
        if self.ways.iter().all(Way::is_out) {
            self.again();
        }
        self.first();
    }

    fn again(&mut self) {
        for way in &mut self.ways {
            (way.failed, way.out_until) = (0, None);
        }
        self.at = 0;
    }

    fn first(&mut self) {
        self.at = self.ways.iter().position(|way| !way.is_out()).unwrap_or(0);
    }
}

/// Whether something on the way may have no room for this carrier: what drops `Upgrade`, answers in the server's place, hangs up, or
/// holds back what comes. A prefix of SockJS has no WebSocket of its own, and is nothing to whoever asks for one.
fn may_be_the_carrier(cause: &Cause, has_sockjs: bool) -> bool {
    let is_nothing = matches!(
        cause,
        Cause::Status { status: 404 | 410 }
            | Cause::Answered { status: 404 | 410 }
            | Cause::WrongAddress { .. }
    );
    is_nothing && has_sockjs
        || matches!(
            cause,
            Cause::NotAWebSocket { .. }
                | Cause::NoGoodAnswer { .. }
                | Cause::Status { status: 200 | 400 | 405 | 426 | 501 | 505 }
                | Cause::Answered { status: 400 | 405 | 406 | 501 }
                | Cause::Lost { detail: Detail::HungUp }
                | Cause::WrongAddress { status: None }
                | Cause::TimedOut {
                    stage: Stage::Upgrade | Stage::Answer | Stage::Stream | Stage::Subscribe
                }
        )
}

/// Whether no second try is needed to know it: there is no such thing, or what comes is held back on the way.
fn says_so(cause: &Cause, carrier: Carrier) -> bool {
    let is_held_back =
        carrier == Carrier::SockJsStreaming && *cause == Cause::TimedOut { stage: Stage::Stream };
    is_held_back
        || matches!(cause, Cause::NoSockJs { .. } | Cause::NotAWebSocket { detail: Detail::NotOffered })
}

/// Which carriers don't get through, by network: what is known of one place.
#[derive(Debug, Default)]
pub(crate) struct Carriers {
    /// Its address, as it may be shown.
    place: String,
    /// A number for the network that this machine is in; `None`: nobody knows.
    here: Option<u64>,
    out: Vec<Out>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Out {
    network: u64,
    carrier: Carrier,
    until: SystemTime,
}

/// What the next process has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    place: String,
    out: Vec<Out>,
}

impl Carriers {
    /// What the last process knew.
    pub(crate) fn recall(kept: Option<&Kept>) -> Self {
        let Some(Kept { place, out }) = kept.cloned() else { return Self::default() };
        Self { place, here: None, out }
    }

    pub(crate) fn kept(&self) -> Option<Kept> {
        (!self.out.is_empty()).then(|| Kept { place: self.place.clone(), out: self.out.clone() })
    }

    /// From now on links go there: what is known of another place is forgotten.
    pub(crate) fn go_to(&mut self, url: &ChannelUrl) {
        let place = url.to_string();
        if self.place != place {
            (self.place, self.out) = (place, Vec::new());
        }
    }

    /// This machine is in that network.
    pub(crate) fn arrive(&mut self, network: Option<u64>) {
        self.here = network;
    }

    fn out_until(&self, carrier: Carrier, now: SystemTime) -> Option<SystemTime> {
        // A clock that was set back would keep it for ever.
        let latest = now.checked_add(Timing::default().carrier_again)?;
        let here = |out: &&Out| Some(out.network) == self.here && out.carrier == carrier;
        self.out.iter().find(here).map(|out| out.until.min(latest)).filter(|until| *until > now)
    }

    fn note(&mut self, carrier: Carrier, until: Option<SystemTime>) {
        let Some(network) = self.here else { return };
        let is_it = |out: &Out| out.network == network && out.carrier == carrier;
        if until.is_some() && self.out.iter().any(|out| is_it(out) && Some(out.until) == until) {
            return;
        }
        self.out.retain(|out| !is_it(out));
        if let Some(until) = until {
            if self.out.len() >= MOST_KEPT {
                self.out.remove(0);
            }
            self.out.push(Out { network, carrier, until });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const BLOCKED: Cause = Cause::Status { status: 400 };
    const HELD_BACK: Cause = Cause::TimedOut { stage: Stage::Stream };
    const ABSENT: Cause = Cause::NoSockJs { status: 404 };
    const NOT_OFFERED: Cause = Cause::NotAWebSocket { detail: Detail::NotOffered };
    const NTFY: [Carrier; 3] = [Carrier::WebSocket, Carrier::EventStream, Carrier::Lines];
    const SOCKJS: [Carrier; 3] = [Carrier::SockJs, Carrier::SockJsStreaming, Carrier::SockJsPolling];
    /// As `auto` has them for the address of a WebSocket.
    const AUTO: [Carrier; 4] =
        [Carrier::WebSocket, Carrier::SockJs, Carrier::SockJsStreaming, Carrier::SockJsPolling];

    /// The carriers of one channel in time, and what is known of them.
    struct Plan {
        ways: Ways,
        known: Carriers,
        now: Now,
    }

    impl Plan {
        fn of(carriers: &[Carrier]) -> Self {
            Self::knowing(carriers, Carriers::default())
        }

        fn knowing(carriers: &[Carrier], known: Carriers) -> Self {
            let now =
                Now { mono: Duration::ZERO, wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000) };
            let (first, others) = carriers.split_first().expect("at least one");
            Self { ways: Ways::new(*first, others, &known, now.wall), known, now }
        }

        fn dial(&mut self) -> Carrier {
            self.ways.dialling(&self.known, self.now.wall);
            self.ways.carrier()
        }

        fn fail(&mut self, cause: &Cause) -> Failed {
            self.ways.failed(cause, self.now, &Timing::default())
        }

        fn stand(&mut self) {
            self.ways.stood(&mut self.known);
        }

        fn wait(&mut self, seconds: u64) {
            self.now = self.now + Duration::from_secs(seconds);
        }

        /// What each dial is by, while those fail that don't get through.
        fn dials(&mut self, gets_through: Carrier, cause: &Cause) -> Vec<Carrier> {
            let mut dials = Vec::new();
            while dials.last() != Some(&gets_through) {
                dials.push(self.dial());
                assert!(dials.len() < 20, "{dials:?}");
                if dials.last() != Some(&gets_through) {
                    self.fail(cause);
                }
            }
            self.stand();
            dials
        }
    }

    #[test]
    fn the_third_failure_in_a_row_leads_to_the_next_and_round() {
        let mut plan = Plan::of(&NTFY);
        let mut seen = Vec::new();
        for left in (0..9).rev() {
            seen.push(plan.dial());
            let failed = plan.fail(&BLOCKED);
            assert_eq!(
                (failed.carried, failed.at_once),
                (left > 0, false),
                "all were tried: it is none of theirs"
            );
        }
        assert_eq!(seen, NTFY.map(|carrier| [carrier; 3]).concat());
        assert_eq!(plan.dial(), Carrier::WebSocket);
        assert!(!plan.fail(&BLOCKED).carried);
    }

    #[test]
    fn what_is_no_fault_of_the_carriers_leads_nowhere() {
        let mut plan = Plan::of(&NTFY);
        for cause in [
            Cause::SignInRefused { status: 401 },
            Cause::Status { status: 502 },
            Cause::Status { status: 404 },
            Cause::Unreachable { detail: Detail::Refused },
            Cause::TimedOut { stage: Stage::Tcp },
        ] {
            for _ in 0..9 {
                assert_eq!(plan.fail(&cause), Failed::default());
            }
        }
        plan.fail(&BLOCKED);
        plan.fail(&BLOCKED);
        plan.stand();
        plan.fail(&BLOCKED);
        assert_eq!(plan.dial(), Carrier::WebSocket, "not in a row");
        let mut alone = Plan::of(&[Carrier::WebSocket]);
        for _ in 0..9 {
            assert_eq!(alone.fail(&BLOCKED), Failed::default());
        }
    }

    #[test]
    fn the_first_is_tried_again_after_a_day_and_on_another_network() {
        let mut plan = Plan::of(&NTFY);
        plan.dials(Carrier::EventStream, &BLOCKED);
        plan.wait(24 * 3600 - 1);
        assert_eq!(plan.dial(), Carrier::EventStream);
        plan.stand();
        plan.wait(1);
        assert_eq!(plan.dial(), Carrier::WebSocket);
        plan.dials(Carrier::EventStream, &BLOCKED);
        plan.ways.moved(&plan.known, plan.now.wall, true);
        assert_eq!(plan.dial(), Carrier::WebSocket);
    }

    #[test]
    fn where_sockjs_is_there_its_next_way_is_tried_at_once_and_one_is_passed_over_after_three_failures() {
        use Carrier::{SockJs, SockJsStreaming};
        let mut plan = Plan::of(&SOCKJS);
        assert_eq!(plan.dial(), SockJs);
        assert_eq!(plan.fail(&BLOCKED), Failed { carried: true, at_once: true, told: None });
        assert_eq!(plan.dial(), SockJsStreaming);
        plan.stand();
        for _ in 0..2 {
            assert_eq!(plan.dials(SockJsStreaming, &BLOCKED), [SockJs, SockJsStreaming]);
        }
        assert_eq!(plan.dials(SockJsStreaming, &BLOCKED), [SockJsStreaming]);
        let why = Instead { of: SockJs, failed: 3, by: Some(BLOCKED) };
        assert_eq!(plan.ways.instead(), Some(why));
    }

    #[test]
    fn what_the_server_says_of_itself_or_is_held_back_needs_no_second_try() {
        use Carrier::{SockJs, SockJsPolling, SockJsStreaming};
        let mut plan = Plan::of(&SOCKJS);
        plan.dial();
        assert_eq!(plan.fail(&NOT_OFFERED).told, Some(Cause::Local), "nobody is told of a failure");
        assert_eq!(plan.dial(), SockJsStreaming);
        assert_eq!(plan.fail(&HELD_BACK), Failed { carried: true, at_once: true, told: None });
        assert_eq!(plan.dial(), SockJsPolling);
        plan.stand();
        assert_eq!(plan.dial(), SockJsPolling);
        assert_eq!(plan.ways.instead().map(|why| why.of), Some(SockJs));
    }

    #[test]
    fn the_address_of_a_websocket_is_tried_as_sockjs_and_told_by_its_own_words_where_there_is_none() {
        use Carrier::{SockJs, SockJsStreaming, WebSocket};
        for cause in [BLOCKED, Cause::Status { status: 404 }, Cause::WrongAddress { status: Some(404) }] {
            let mut plan = Plan::of(&AUTO);
            for _ in 0..3 {
                assert_eq!(plan.dial(), WebSocket);
                assert!(plan.fail(&cause).carried);
            }
            assert_eq!(plan.dial(), SockJs);
            let failed = Failed { carried: false, at_once: false, told: Some(cause) };
            assert_eq!(plan.fail(&ABSENT), failed, "a floor waits");
            assert_eq!(plan.dial(), WebSocket);
        }
        let mut plan = Plan::of(&AUTO);
        let dials = plan.dials(SockJsStreaming, &BLOCKED);
        assert_eq!(dials, [WebSocket, WebSocket, WebSocket, SockJs, SockJsStreaming]);
    }

    #[test]
    fn the_address_of_a_page_is_a_websocket_at_once_where_it_is_no_sockjs() {
        use Carrier::{SockJs, WebSocket};
        let mut plan = Plan::of(&[SOCKJS.as_slice(), &[WebSocket]].concat());
        assert_eq!(plan.dial(), SockJs);
        assert_eq!(plan.fail(&ABSENT), Failed { carried: true, at_once: true, told: Some(Cause::Local) });
        assert_eq!(plan.dial(), WebSocket);
        plan.stand();
        assert_eq!(plan.dial(), WebSocket);
        assert_eq!(plan.ways.instead(), None, "it is in nothing's place");
    }

    #[test]
    fn where_none_got_through_they_take_turns() {
        use Carrier::{SockJs, WebSocket};
        let mut plan = Plan::of(&[SOCKJS.as_slice(), &[WebSocket]].concat());
        let nothing = Cause::Status { status: 404 };
        let fail = |plan: &mut Plan| {
            let cause = if plan.dial() == WebSocket { &nothing } else { &ABSENT };
            plan.fail(cause)
        };
        while fail(&mut plan).carried {}
        // The server was away, and is there again: it is found whatever it is, and each wait is followed by a WebSocket's dial.
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push((plan.dial(), fail(&mut plan).at_once));
        }
        assert_eq!(seen, [(SockJs, true), (WebSocket, false), (SockJs, true), (WebSocket, false)]);
    }

    #[test]
    fn what_gets_through_is_known_by_network_and_to_the_next_process() {
        use Carrier::{EventStream, WebSocket};
        let in_network = |kept: Option<&Kept>, network| {
            let mut known = Carriers::recall(kept);
            known.arrive(Some(network));
            known
        };
        let mut plan = Plan::knowing(&NTFY, in_network(None, 7));
        plan.dials(EventStream, &BLOCKED);
        let kept = plan.known.kept().expect("something is known");
        for (network, first) in [(7, EventStream), (8, WebSocket)] {
            let mut next = Plan::knowing(&NTFY, in_network(Some(&kept), network));
            assert_eq!(next.dial(), first, "network {network}");
        }
        // There and back, in one process.
        plan.known.arrive(Some(8));
        assert_eq!(plan.dial(), WebSocket);
        plan.stand();
        plan.known.arrive(Some(7));
        plan.ways.moved(&plan.known, plan.now.wall, true);
        assert_eq!(plan.ways.carrier(), EventStream);
        assert_eq!(plan.ways.instead(), Some(Instead { of: WebSocket, failed: 0, by: None }));
        plan.ways.moved(&plan.known, plan.now.wall, true);
        assert_eq!(plan.dial(), EventStream, "a change that leaves the network as it is is none");
        // It is looked at again after a day, and is known to do well from then on.
        plan.wait(24 * 3600);
        assert_eq!(plan.dial(), WebSocket);
        plan.stand();
        assert_eq!(plan.known.kept(), None);
    }

    #[test]
    fn another_place_is_another_matter_and_nonsense_in_the_file_is_forgotten() {
        let url = |url: &str| ChannelUrl::parse(url, false).expect("a good URL");
        let mut known = Carriers::default();
        known.go_to(&url("wss://shop.example/ws?token=s3cret"));
        known.arrive(Some(7));
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000_000_000);
        known.note(Carrier::WebSocket, Some(far));
        assert!(!format!("{:?}", known.kept()).contains("s3cret"));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert_eq!(known.out_until(Carrier::WebSocket, now), Some(now + Timing::default().carrier_again));
        for network in 0..100 {
            known.arrive(Some(network));
            known.note(Carrier::WebSocket, Some(far));
        }
        assert_eq!(known.kept().map(|kept| kept.out.len()), Some(MOST_KEPT));
        known.go_to(&url("wss://shop.example/other"));
        assert_eq!(known.kept(), None);
    }
}
