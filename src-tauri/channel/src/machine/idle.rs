//! Servers and proxies that end silent links (L5): told from other ends, found out how long they wait, and kept awake.
//!
//! ```text
//!   an end after a record silence ──> seen ──(another after as long)──> on trial ──(a link outlives it)──> learned
//!                                       ^                                 │
//!                                       └──(it outlived no silence) refuted ──> every end counts for the brake (B5)
//! ```
//!
//! A war (B5) looks alike for two links, and not for a third: that one is kept busy, and is ended all the same.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::address::ChannelUrl;
use crate::settings::{Heartbeat, Liveness};

/// How long a link had been silent when it ended, in three senses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Silence {
    /// Since anything came or went.
    pub(crate) both: Duration,
    /// Since we sent anything.
    pub(crate) ours: Duration,
    /// Since we sent a text.
    pub(crate) text: Duration,
}

/// How a link ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    /// How long it lived.
    pub(crate) up: Duration,
    /// How long it had been silent.
    pub(crate) silence: Silence,
    /// Its longest silences before.
    pub(crate) before: Silence,
    /// The peer itself named the silence.
    pub(crate) says_so: bool,
}

/// What a silent link may be kept awake by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Means {
    pub(crate) pings: bool,
    pub(crate) text: bool,
}

impl Means {
    pub(crate) fn of(liveness: &Liveness, heartbeat: &Heartbeat) -> Self {
        Self { pings: !liveness.ping_after().is_zero(), text: !heartbeat.text().is_empty() }
    }

    /// The first to try.
    fn any(self) -> By {
        if self.pings { By::Ping } else { By::Text }
    }
}

/// What keeps it awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    Ping,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Silent links are ended after this time.
    pub(crate) after: Duration,
    pub(crate) by: By,
    /// Known, and no longer on trial.
    pub(crate) learned: bool,
}

impl Limit {
    /// How soon to break the silence: the part of it that the settings leave a heartbeat, too.
    pub(crate) fn sooner(&self) -> Duration {
        self.after * 3 / 5
    }
}

/// Two silences are alike if they differ by less than one in so many. Too low: servers that look every few seconds are not
/// recognised; too high: chance is.
const ALIKE: u32 = 5;

/// Longest limit that is taken from a file: the heartbeat is sooner than any of these. Too low: one is learned anew at each
/// start; too high: nonsense is counted with.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A limit that was learned, for the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    place: String,
    after: Duration,
    by: By,
}

/// What is known of one place.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    /// Its address, as it may be shown.
    place: String,
    /// The last end's, if that may have been for its silence.
    seen: Option<Silence>,
    limit: Option<Limit>,
    /// Ended links that the brake hasn't counted for the hypothesis's sake.
    spared: u32,
    /// It was no silence: nothing is suspected until a link did well.
    refuted: bool,
}

impl Idle {
    /// What another process learned.
    pub(crate) fn recall(kept: Option<&Kept>) -> Self {
        let Some(Kept { place, after, by }) = kept.filter(|kept| kept.after <= LONGEST) else {
            return Self::default();
        };
        let limit = Limit { after: *after, by: *by, learned: true };
        Self { place: place.clone(), limit: Some(limit), ..Self::default() }
    }

    /// What another process has to know.
    pub(crate) fn kept(&self) -> Option<Kept> {
        let limit = self.limit.filter(|limit| limit.learned)?;
        Some(Kept { place: self.place.clone(), after: limit.after, by: limit.by })
    }

    /// From now on links go there: what is known of another place is forgotten.
    pub(crate) fn go_to(&mut self, url: &ChannelUrl) {
        let place = url.to_string();
        if self.place != place {
            *self = Self { place, ..Self::default() };
        }
    }

    /// Somebody looked how long silence is endured.
    pub(crate) fn measured(&mut self, after: Duration, means: Means) {
        let known = self.limit.is_some_and(|limit| alike(limit.after, after));
        if !known && (means.pings || means.text) {
            self.limit = Some(Limit { after, by: means.any(), learned: false });
            self.refuted = false;
        }
    }

    pub(crate) fn limit(&self) -> Option<Limit> {
        self.limit
    }

    /// A link that was ended by its peer: how many ended links the brake has to count. `least` is the shortest silence
    /// that is looked at.
    pub(crate) fn ended(&mut self, end: &Ended, means: Means, least: Duration) -> u32 {
        let Ended { up, silence, before, says_so } = *end;
        if !means.pings && !means.text {
            return 1;
        }
        if let Some(limit) = self.limit.as_mut().filter(|limit| !limit.learned) {
            if up < limit.after * (ALIKE - 1) / ALIKE {
                // Too young to have been on trial.
                return 1;
            }
            if limit.by == By::Ping && means.text && alike(silence.text, limit.after) {
                limit.by = By::Text;
                self.spared += 1;
                return 0;
            }
            self.limit = None;
            self.refuted = true;
        }
        // A limit ends the first silence that is as long: none before it was.
        let record = |silence: Duration, before: Duration| silence >= least && silence > before;
        let told = Silence {
            both: if record(silence.both, before.both) { silence.both } else { Duration::ZERO },
            ours: if record(silence.ours, before.ours) { silence.ours } else { Duration::ZERO },
            text: if means.text && record(silence.text, before.text) { silence.text } else { Duration::ZERO },
        };
        if self.refuted || told == Silence::default() {
            self.seen = None;
            return self.due() + 1;
        }
        let seen = self.seen.replace(told).unwrap_or_default();
        let any = means.any();
        let found =
            [(told.both, seen.both, any), (told.ours, seen.ours, any), (told.text, seen.text, By::Text)]
                .into_iter()
                .find(|(now, then, _)| alike(*now, *then))
                .map(|(now, then, by)| (now.min(then), by))
                .or((says_so && !told.both.is_zero()).then_some((told.both, any)));
        let due = if found.is_none() { self.due() } else { 0 };
        self.spared += 1;
        if let Some((after, by)) = found {
            self.limit = Some(Limit { after, by, learned: false });
        }
        due
    }

    /// A link that has been up for so long, kept awake all the time. True when that has just shown the limit.
    pub(crate) fn outlived(&mut self, up: Duration) -> bool {
        let Some(limit) = self.limit.as_mut().filter(|limit| !limit.learned) else { return false };
        // Half as long again: its keepalive has come twice.
        limit.learned = up >= limit.after * 3 / 2;
        if limit.learned {
            self.spared = 0;
            self.seen = None;
        }
        limit.learned
    }

    /// A link lived as long as it should.
    pub(crate) fn did_well(&mut self) {
        self.refuted = false;
        self.spared = 0;
    }

    fn due(&mut self) -> u32 {
        std::mem::take(&mut self.spared)
    }
}

/// Whether two silences are about as long; never, where one is none.
fn alike(one: Duration, other: Duration) -> bool {
    let (less, more) = (one.min(other), one.max(other));
    (more - less) * ALIKE < more
}

/// Whether a close frame's reason names the silence, as "Connection Idle Timeout" does.
pub(crate) fn says_idle(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    reason.contains("idle") || reason.contains("inactiv")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Duration = Duration::from_secs(8);
    const ALL: Means = Means { pings: true, text: true };

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// The end of a link on which nothing was said after the first instant.
    fn silent(up: u64) -> Ended {
        let silence = Silence { both: secs(up), ours: secs(up), text: secs(up) };
        Ended { up: secs(up), silence, before: Silence::default(), says_so: false }
    }

    /// The end of a link that was kept awake by pings.
    fn pinged(up: u64, every: u64) -> Ended {
        let (last, longest) = (secs(up % every), secs(every));
        let silence = Silence { both: last, ours: last, text: secs(up) };
        let before = Silence { both: longest, ours: longest, text: Duration::ZERO };
        Ended { up: secs(up), silence, before, says_so: false }
    }

    fn learned_by(ends: &[Ended], means: Means, outlived: u64) -> Option<(u64, By)> {
        let mut idle = Idle::default();
        for end in ends {
            assert_eq!(idle.ended(end, means, LEAST), 0, "{end:?} counts for the brake");
        }
        assert!(!idle.outlived(secs(outlived - 1)));
        idle.outlived(secs(outlived))
            .then(|| idle.limit().expect("learned"))
            .map(|l| (l.after.as_secs(), l.by))
    }

    #[test]
    fn two_ends_after_the_same_silence_and_a_link_that_outlives_it_show_a_limit() {
        assert_eq!(learned_by(&[silent(25), silent(26)], ALL, 38), Some((25, By::Ping)));
        let reason = Ended { says_so: true, ..silent(30) };
        assert_eq!(learned_by(&[reason], ALL, 45), Some((30, By::Ping)), "the peer said why");
    }

    #[test]
    fn where_pings_are_off_or_do_not_help_it_is_the_text() {
        let without = Means { pings: false, text: true };
        assert_eq!(learned_by(&[silent(25), silent(25)], without, 38), Some((25, By::Text)));
        assert_eq!(learned_by(&[silent(25), silent(25), pinged(25, 15)], ALL, 38), Some((25, By::Text)));
        assert_eq!(learned_by(&[pinged(50, 20), pinged(50, 20)], ALL, 75), Some((50, By::Text)));
    }

    #[test]
    fn a_war_is_counted_in_full_from_the_link_that_was_kept_busy_and_ended_all_the_same() {
        let mut idle = Idle::default();
        let ends = [silent(25), silent(25), pinged(25, 15), pinged(25, 15), silent(25), silent(25)];
        let counted = ends.map(|end| idle.ended(&end, ALL, LEAST));
        assert_eq!(counted, [0, 0, 0, 4, 1, 1]);
        assert_eq!(idle.limit(), None);
        idle.did_well();
        assert_eq!(idle.ended(&silent(25), ALL, LEAST), 0, "trusted again");
    }

    #[test]
    fn ends_that_have_nothing_in_common_are_counted() {
        let mut idle = Idle::default();
        let counted = [silent(12), silent(25), silent(9), silent(3)].map(|end| idle.ended(&end, ALL, LEAST));
        assert_eq!(counted, [0, 1, 1, 2]);
    }

    #[test]
    fn a_restart_of_the_server_shows_no_limit() {
        // Between two pings, on links that had survived longer silences.
        let mut idle = Idle::default();
        for up in [3610, 7230, 1810] {
            let end =
                Ended { silence: Silence { text: secs(10), ..pinged(up, 20).silence }, ..pinged(up, 20) };
            let end = Ended { before: Silence { text: secs(60), ..end.before }, ..end };
            assert_eq!(idle.ended(&end, ALL, LEAST), 1);
        }
        assert_eq!(idle.limit(), None);
    }

    #[test]
    fn a_link_too_young_to_tell_refutes_nothing() {
        let mut idle = Idle::default();
        idle.ended(&silent(25), ALL, LEAST);
        idle.ended(&silent(25), ALL, LEAST);
        assert_eq!(idle.ended(&silent(3), ALL, LEAST), 1);
        assert!(idle.outlived(secs(38)));
    }

    #[test]
    fn a_limit_that_has_become_shorter_is_learned_anew() {
        let mut idle = Idle::default();
        for after in [50, 12] {
            for _ in 0..2 {
                assert_eq!(idle.ended(&silent(after), ALL, LEAST), 0);
            }
            assert!(idle.outlived(secs(after * 3 / 2)));
            assert_eq!(idle.limit().map(|limit| limit.after), Some(secs(after)));
        }
    }

    /// One to that address that has learned a limit of 25 s.
    fn learned(place: &ChannelUrl) -> Idle {
        let mut idle = Idle::default();
        idle.go_to(place);
        idle.measured(secs(25), ALL);
        assert_eq!(idle.kept(), None, "on trial");
        assert!(idle.outlived(secs(38)));
        idle
    }

    fn url(url: &str) -> ChannelUrl {
        ChannelUrl::parse(url, false).expect("a good URL")
    }

    #[test]
    fn a_limit_outlives_its_process_and_is_unlearned_by_the_next() {
        let place = url("wss://shop.example/ws?token=s3cret");
        let kept = learned(&place).kept().expect("learned");
        assert!(!format!("{kept:?}").contains("s3cret"));
        let mut next = Idle::recall(Some(&kept));
        next.go_to(&place);
        assert_eq!(next.limit(), Some(Limit { after: secs(25), by: By::Ping, learned: true }));
        // It has become shorter.
        next.ended(&silent(12), ALL, LEAST);
        next.ended(&silent(12), ALL, LEAST);
        assert_eq!(next.limit().map(|limit| (limit.after, limit.learned)), Some((secs(12), false)));
        assert_eq!(next.kept(), None);
    }

    #[test]
    fn another_place_has_another_limit() {
        let mut idle = learned(&url("wss://shop.example/ws"));
        idle.go_to(&url("wss://shop.example/ws/orders"));
        assert_eq!(idle.limit(), None);
    }

    #[test]
    fn what_was_measured_is_tried_and_takes_nothing_away() {
        let mut idle = learned(&url("wss://shop.example/ws"));
        idle.measured(secs(26), ALL);
        assert!(idle.limit().is_some_and(|limit| limit.learned), "known already");
        idle.measured(secs(50), ALL);
        assert_eq!(idle.limit(), Some(Limit { after: secs(50), by: By::Ping, learned: false }));
        let mut none = Idle::default();
        none.measured(secs(25), Means { pings: false, text: false });
        assert_eq!(none.limit(), None, "nothing could keep a link awake");
    }

    #[test]
    fn nonsense_in_the_file_is_no_limit() {
        let kept = Kept { place: String::new(), after: Duration::MAX, by: By::Text };
        assert_eq!(Idle::recall(Some(&kept)).limit(), None);
    }

    #[test]
    fn the_peers_own_words_for_it_are_known() {
        for (reason, idle) in [
            ("Connection Idle Timeout", true),
            ("The WebSocket session [0] idle timeout expired", true),
            ("java.util.concurrent.TimeoutException: Idle timeout expired: 300001/300000 ms", true),
            ("closed for inactivity", true),
            ("keepalive ping timeout", false),
            ("going away", false),
            ("", false),
        ] {
            assert_eq!(says_idle(reason), idle, "{reason}");
        }
    }
}
