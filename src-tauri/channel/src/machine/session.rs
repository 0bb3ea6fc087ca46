//! How long a site lets a session live that asks for no page, and why one is over (S7, S8): told from when a page was last asked for,
//! how the link ended and what was met between. By the wall clock, for a site's clock runs while this machine sleeps.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::address::ChannelUrl;
use crate::end::cause::{Cause, SessionEnd};
use crate::end::close::CloseInfo;
use crate::end::verdict;

/// A life that is longer than this was not one: clocks jump.
const LONGEST: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What is known of one place, for the next process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    place: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    life: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
}

/// A session that the site took no more (S6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refused {
    /// When.
    pub(crate) at: SystemTime,
    /// Whose: a number of its own, and nothing of its cookies.
    session: u64,
    /// Why; `None`: its user may not have the channel.
    pub(crate) end: Option<SessionEnd>,
}

/// What is known of one place.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// Its address, as it may be shown.
    place: String,
    /// When the site last took the session: an upgrade, or a page.
    asked: Option<SystemTime>,
    /// The shortest time without a page after which it was seen to end one.
    life: Option<Duration>,
    /// The end of the last link, until it is known what it was.
    ended: Option<Ended>,
    /// What it was, until there is another session or link.
    over: Option<SessionEnd>,
    /// An upgrade was answered by what belongs to another, since the last link.
    answered_other: bool,
    /// The number of the session that the last dial carried.
    carried: Option<u64>,
    /// The one that was refused, until another is tried.
    refused: Option<Refused>,
}

/// How a link ended.
#[derive(Debug, Clone, Copy)]
struct Ended {
    /// How long no page had been asked for.
    idle: Duration,
    /// The server ended it over the session, as far as its close says.
    over_session: bool,
    /// The server said that it goes away, or was found to be away.
    away: bool,
}

impl Session {
    /// What another process knew.
    pub(crate) fn recall(kept: Option<&Kept>) -> Self {
        let Some(Kept { place, life, refused }) = kept else { return Self::default() };
        let life = life.filter(|life| *life <= LONGEST);
        Self { place: place.clone(), life, refused: refused.clone(), ..Self::default() }
    }

    /// What another process has to know.
    pub(crate) fn kept(&self) -> Option<Kept> {
        let Self { place, life, refused, .. } = self;
        let knows = life.is_some() || refused.is_some();
        knows.then(|| Kept { place: place.clone(), life: *life, refused: refused.clone() })
    }

    /// From now on links go there: what is known of another place is forgotten.
    pub(crate) fn go_to(&mut self, url: &ChannelUrl) {
        let place = url.to_string();
        if self.place != place {
            *self = Self { place, ..Self::default() };
        }
    }

    /// The shortest life that was seen.
    pub(crate) fn life(&self) -> Option<Duration> {
        self.life
    }

    /// The site takes the session now. Was it silent for longer than it was thought to bear, it bears more.
    pub(crate) fn taken(&mut self, now: SystemTime) {
        let idle = self.idle(now);
        if self.life.is_some_and(|life| idle > life.saturating_add(life / 2)) {
            self.life = None;
        }
        self.asked = Some(now);
        self.ended = None;
        self.over = None;
        self.answered_other = false;
        self.refused = None;
    }

    /// The upgrade's answer was another upgrade's. The first one since a link tells nothing: a server may have remembered one from
    /// before the sign-in, and answers that once (S11).
    pub(crate) fn answered_other(&mut self) -> bool {
        !std::mem::replace(&mut self.answered_other, true)
    }

    /// The next dial carries the session of this number.
    pub(crate) fn carries(&mut self, session: Option<u64>) {
        self.carried = session;
    }

    /// The site takes it no more. `end`: as of [`Refused`].
    pub(crate) fn refuse(&mut self, end: Option<SessionEnd>, now: SystemTime) {
        self.refused = self.carried.map(|session| Refused { at: now, session, end });
    }

    /// What is tried now is another one, or the same by the user's own wish.
    pub(crate) fn try_again(&mut self) {
        self.refused = None;
    }

    /// The one that was refused so lately that it is not to be tried again.
    pub(crate) fn refused(&self, now: SystemTime, lately: Duration) -> Option<&Refused> {
        let is_new = |refused: &&Refused| now.duration_since(refused.at).is_ok_and(|ago| ago < lately);
        self.refused.as_ref().filter(is_new)
    }

    /// The number of the one that was refused.
    pub(crate) fn refused_session(&self) -> Option<u64> {
        self.refused.as_ref().map(|refused| refused.session)
    }

    fn idle(&self, now: SystemTime) -> Duration {
        self.asked
            .and_then(|asked| now.duration_since(asked).ok())
            .filter(|idle| *idle <= LONGEST)
            .unwrap_or_default()
    }

    /// The link has ended.
    pub(crate) fn ended(&mut self, cause: &Cause, now: SystemTime) {
        self.over = None;
        self.ended = Some(Ended {
            idle: self.idle(now),
            over_session: verdict::is_over_credential(cause),
            away: matches!(cause, Cause::Closed(CloseInfo { code: 1001 | 1012, .. })),
        });
    }

    /// A dial failed.
    pub(crate) fn failed(&mut self, cause: &Cause) {
        if verdict::is_away(cause)
            && let Some(ended) = &mut self.ended
        {
            ended.away = true;
        }
    }

    /// The site takes the session no more: why, as far as can be told.
    pub(crate) fn over(&mut self) -> SessionEnd {
        // No page is asked for by a session that is over: the time until the next one is nobody's life.
        self.asked = None;
        let told = match self.ended.take() {
            Some(ended) => self.judged(ended),
            None => self.over.unwrap_or(SessionEnd::Over),
        };
        self.over = Some(told);
        told
    }

    fn judged(&mut self, Ended { idle, over_session, away }: Ended) -> SessionEnd {
        if away {
            return SessionEnd::Restarted;
        }
        if !over_session || idle.is_zero() {
            return SessionEnd::Over;
        }
        match self.life {
            Some(life) if idle < life * 3 / 4 => return SessionEnd::Early,
            Some(life) => self.life = Some(life.min(idle)),
            None => self.life = Some(idle),
        }
        SessionEnd::Over
    }
}

/// Why the user is needed, where the site takes the session no more; `end` as of [`Refused`].
pub(crate) fn refused(site: String, end: Option<SessionEnd>) -> Cause {
    match end {
        Some(end) => Cause::SessionOver { site, end },
        None => Cause::RoleMissing { site },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Detail;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn closed(code: u16) -> Cause {
        Cause::Closed(CloseInfo { code, reason: String::new() })
    }

    fn secs(n: u64) -> Option<Duration> {
        Some(Duration::from_secs(n))
    }

    #[test]
    fn the_life_of_sessions_is_learned_from_their_ends() {
        let mut session = Session::default();
        session.taken(at(0));
        session.ended(&closed(1008), at(1860));
        assert_eq!((session.over(), session.life()), (SessionEnd::Over, secs(1860)));
        // The next sign-in is the next morning's.
        session.taken(at(60_000));
        assert_eq!(session.life(), secs(1860), "the night had no session");
        session.ended(&closed(1008), at(61_900));
        assert_eq!((session.over(), session.life()), (SessionEnd::Over, secs(1860)), "the shortest");
        session.taken(at(70_000));
        session.ended(&closed(1008), at(71_810));
        assert_eq!((session.over(), session.life()), (SessionEnd::Over, secs(1810)), "the shortest");
    }

    #[test]
    fn an_end_much_sooner_than_usual_is_no_timeout() {
        let mut session = Session::default();
        session.taken(at(0));
        session.ended(&closed(1008), at(1800));
        session.over();
        session.taken(at(2000));
        session.ended(&closed(1008), at(2300));
        assert_eq!((session.over(), session.life()), (SessionEnd::Early, secs(1800)));
    }

    #[test]
    fn a_server_that_was_away_was_restarted() {
        for (code, failed, end) in [
            (1001, None, SessionEnd::Restarted),
            (1012, None, SessionEnd::Restarted),
            (1008, Some(Cause::Status { status: 502 }), SessionEnd::Restarted),
            (1008, Some(Cause::Unreachable { detail: Detail::Refused }), SessionEnd::Restarted),
            (1008, None, SessionEnd::Over),
            (1011, None, SessionEnd::Over),
        ] {
            let mut session = Session::default();
            session.taken(at(0));
            session.ended(&closed(code), at(100));
            failed.iter().for_each(|cause| session.failed(cause));
            assert_eq!(session.over(), end, "{code} {failed:?}");
            assert_eq!(session.life().is_some(), code == 1008 && failed.is_none(), "{code} {failed:?}");
        }
    }

    #[test]
    fn why_a_session_is_over_stays_so_until_the_next() {
        let mut session = Session::default();
        session.taken(at(0));
        session.ended(&closed(1001), at(100));
        for _ in 0..3 {
            assert_eq!(session.over(), SessionEnd::Restarted, "as often as it is looked at again");
        }
        session.taken(at(2000));
        assert_eq!(session.over(), SessionEnd::Over);
    }

    #[test]
    fn a_session_that_outlives_what_was_learned_refutes_it() {
        let mut session = Session::default();
        session.taken(at(0));
        session.ended(&closed(1008), at(180));
        session.over();
        session.taken(at(1000));
        session.ended(&closed(1006), at(1500));
        session.taken(at(1501));
        assert_eq!(session.life(), None);
    }

    #[test]
    fn a_clock_that_jumps_teaches_nothing() {
        let mut session = Session::default();
        session.taken(at(500));
        session.ended(&closed(1008), at(0));
        assert_eq!((session.over(), session.life()), (SessionEnd::Over, None));
        session.taken(at(0));
        session.ended(&closed(1008), at(400 * 24 * 60 * 60));
        assert_eq!((session.over(), session.life()), (SessionEnd::Over, None));
    }

    #[test]
    fn what_is_learned_outlives_the_process_and_belongs_to_its_place() {
        let url = |text: &str| ChannelUrl::parse(text, false).expect("a good URL");
        let mut session = Session::default();
        session.go_to(&url("wss://shop.example/ws"));
        session.taken(at(0));
        session.ended(&closed(1008), at(1800));
        session.over();
        let mut again = Session::recall(session.kept().as_ref());
        again.go_to(&url("wss://shop.example/ws"));
        assert_eq!(again.life(), secs(1800));
        again.go_to(&url("wss://shop.example/other"));
        assert_eq!(again.life(), None);
    }
}
