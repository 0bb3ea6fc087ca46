//! When a user is signed in, and when a page has gone on for too long: pure, by what was seen of the page.
//!
//! A sign-in is over when, after something was posted, a cookie of the channel has another value than before, and the page that
//! stands there asks for no secret any more. A login page has cookies of its own, so that there *is* one says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The channel's cookies by name, domain and path. They are compared, and never sent before the user is in: a look with
/// the cookies of a login page would make servers give up the sign-in that has begun.
pub(crate) type Cookies = BTreeMap<(String, String, String), String>;

/// A login page that nobody has touched for so long is opened anew. Servers forget it after 2 min: too high, and who types
/// his password then is told that he was too late; too low, and the page goes while he looks for it.
pub(crate) const STALE: Duration = Duration::from_secs(100);

/// How often that is done until somebody comes: half an hour. Each leaves a session in the server for a while.
const RENEWALS: u32 = 18;

/// Pages that may follow each other without a touch or a key. An honest sign-in by way of an identity provider has about
/// five; too low breaks off one with more, too high loads an endless one for longer.
const PAGES: u32 = 30;

/// The server's word for a login page that was open for too long (Tomcat).
const TIMED_OUT: u32 = 408;

/// What a page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// A password.
    Password,
    /// A code of a second factor.
    Code,
    /// No secret.
    Nothing,
}

/// What stands there.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// The page, without what could be secret in its address.
    pub(crate) page: String,
    /// HTTP status; 0 where there is none.
    pub(crate) status: u32,
    /// Whether it is loaded to its end.
    pub(crate) finished: bool,
    /// Whether it has just come.
    pub(crate) new: bool,
    /// What it asks for.
    pub(crate) asks: Asks,
    /// The cookies that the channel's address would get.
    pub(crate) cookies: Cookies,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The user goes on.
    Wait,
    /// The start page is opened again, because the page was open for too long.
    Renew,
    /// The page is taken away.
    Stop(Stop),
}

/// Why a page is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// One page leads to the next without end.
    Endless,
    /// Nobody came.
    Alone,
}

/// What is known of one sign-in.
#[derive(Debug)]
pub(crate) struct Judge {
    /// Before something was posted.
    before: Option<Cookies>,
    posted: bool,
    asks: Asks,
    touched: Instant,
    pages: u32,
    renewals: u32,
    /// Pages that looked like the end, and whose session the server refused: a second factor is still to come there.
    not_yet: BTreeSet<String>,
}

impl Judge {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            before: None,
            posted: false,
            asks: Asks::Nothing,
            touched: now,
            pages: 0,
            renewals: 0,
            not_yet: BTreeSet::new(),
        }
    }

    /// A fresh view begins; what was learned of the site stays.
    pub(crate) fn begin(&mut self, now: Instant) {
        let (not_yet, renewals) = (std::mem::take(&mut self.not_yet), self.renewals);
        *self = Self { not_yet, renewals, ..Self::new(now) };
    }

    /// The user touched something.
    pub(crate) fn touched(&mut self, now: Instant) {
        self.touched = now;
        self.pages = 0;
        self.renewals = 0;
    }

    /// Something is posted: a form (which leads to a page), or what a script sends.
    pub(crate) fn posted(&mut self, form: bool) {
        // Scripts post all kinds of things, but with a password field in sight it may be the password.
        if form || self.asks != Asks::Nothing {
            self.posted = true;
        }
    }

    /// Another page has come.
    pub(crate) fn page(&mut self) -> Turn {
        self.pages += 1;
        if self.pages > PAGES { Turn::Stop(Stop::Endless) } else { Turn::Wait }
    }

    /// What this status of a page means.
    pub(crate) fn status(&mut self, status: u32) -> Turn {
        if status == TIMED_OUT { self.renewed() } else { Turn::Wait }
    }

    /// Whether a login page stands there untouched for too long.
    pub(crate) fn idle(&mut self, now: Instant) -> Turn {
        if self.asks != Asks::Password || now.saturating_duration_since(self.touched) < STALE {
            return Turn::Wait;
        }
        self.renewed()
    }

    /// When that is to be asked again.
    pub(crate) fn fresh_for(&self, now: Instant) -> Duration {
        let left = STALE.saturating_sub(now.saturating_duration_since(self.touched));
        if left.is_zero() { STALE } else { left }
    }

    fn renewed(&mut self) -> Turn {
        self.renewals += 1;
        if self.renewals > RENEWALS { Turn::Stop(Stop::Alone) } else { Turn::Renew }
    }

    /// Whether the user is in, by what stands there now.
    pub(crate) fn looked(&mut self, look: &Look) -> bool {
        self.asks = look.asks;
        if !look.finished {
            return false;
        }
        // A page that asks for a password came in answer to what was posted: it was the wrong one.
        self.posted &= !(look.new && look.asks == Asks::Password);
        if self.before.is_none() || !self.posted {
            self.before = Some(look.cookies.clone());
            return false;
        }
        self.changed(&look.cookies)
            && look.asks == Asks::Nothing
            && look.status < 400
            && !self.not_yet.contains(&look.page)
    }

    /// Whether the user is in, where the site leads to the channel's own address, with these cookies.
    pub(crate) fn led_to_channel(&self, cookies: &Cookies) -> bool {
        self.posted && self.changed(cookies)
    }

    /// Whether one of them has another value than before something was posted.
    fn changed(&self, cookies: &Cookies) -> bool {
        let other = |before: &Cookies| cookies.iter().any(|(key, value)| before.get(key) != Some(value));
        self.before.as_ref().is_some_and(other)
    }

    /// What this page led to was refused.
    pub(crate) fn not_yet(&mut self, page: &str) {
        self.not_yet.insert(page.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(page: &str, asks: Asks, session: &str) -> Look {
        let key = ("JSESSIONID".to_owned(), "shop.example".to_owned(), "/".to_owned());
        let cookies = Cookies::from([(key, session.to_owned())]);
        Look { page: page.to_owned(), status: 200, finished: true, new: false, asks, cookies }
    }

    fn judge() -> Judge {
        Judge::new(Instant::now())
    }

    #[test]
    fn a_cookie_alone_is_no_sign_in() {
        let mut judge = judge();
        assert!(!judge.looked(&look("/login", Asks::Password, "a")));
        assert!(!judge.looked(&look("/about", Asks::Nothing, "b")), "nothing was posted");
    }

    #[test]
    fn another_value_after_a_post_and_no_field_any_more_is_one() {
        let mut judge = judge();
        judge.looked(&look("/login", Asks::Password, "a"));
        judge.posted(true);
        assert!(!judge.looked(&look("/login", Asks::Password, "b")), "wrong password");
        assert!(
            !judge.looked(&Look { finished: false, ..look("/app", Asks::Nothing, "b") }),
            "still loading"
        );
        assert!(!judge.looked(&Look { status: 500, ..look("/app", Asks::Nothing, "b") }));
        assert!(!judge.looked(&look("/app", Asks::Nothing, "a")), "the login page's own cookie");
        assert!(judge.looked(&look("/app", Asks::Nothing, "b")));
    }

    #[test]
    fn a_wrong_password_is_forgotten_with_its_page() {
        let mut judge = judge();
        judge.looked(&look("/login", Asks::Password, "a"));
        judge.posted(true);
        judge.looked(&Look { new: true, ..look("/login", Asks::Password, "b") });
        assert!(!judge.looked(&look("/forgotten", Asks::Nothing, "c")), "nothing was posted since");
    }

    #[test]
    fn who_is_led_to_the_channel_is_in() {
        let mut judge = judge();
        let cookies = |session| look("/login", Asks::Password, session).cookies;
        judge.looked(&look("/login", Asks::Password, "a"));
        assert!(!judge.led_to_channel(&cookies("b")), "nothing was posted");
        judge.posted(true);
        assert!(!judge.led_to_channel(&cookies("a")), "the login page's own cookie");
        assert!(judge.led_to_channel(&cookies("b")));
    }

    #[test]
    fn a_second_factor_is_waited_for_and_one_that_is_not_seen_is_learned_of() {
        let mut judge = judge();
        judge.looked(&look("/login", Asks::Password, "a"));
        judge.posted(true);
        assert!(!judge.looked(&look("/code", Asks::Code, "b")));
        assert!(judge.looked(&look("/tap-your-phone", Asks::Nothing, "b")));
        judge.not_yet("/tap-your-phone");
        judge.begin(Instant::now());
        judge.looked(&look("/login", Asks::Password, "c"));
        judge.posted(true);
        assert!(!judge.looked(&look("/tap-your-phone", Asks::Nothing, "d")));
        assert!(judge.looked(&look("/app", Asks::Nothing, "d")));
    }

    #[test]
    fn what_scripts_post_counts_where_a_secret_is_asked_for() {
        let mut judge = judge();
        judge.looked(&look("/", Asks::Nothing, "a"));
        judge.posted(false);
        assert!(!judge.looked(&look("/", Asks::Nothing, "b")), "somebody counts visitors");
        judge.looked(&look("/login", Asks::Password, "b"));
        judge.posted(false);
        assert!(judge.looked(&look("/app", Asks::Nothing, "c")));
    }

    #[test]
    fn a_login_page_that_nobody_touches_is_renewed_for_half_an_hour() {
        let begun = Instant::now();
        let mut judge = Judge::new(begun);
        judge.looked(&look("/login", Asks::Password, "a"));
        assert_eq!(judge.idle(begun + STALE / 2), Turn::Wait);
        judge.touched(begun + STALE / 2);
        assert_eq!(judge.idle(begun + STALE), Turn::Wait, "somebody types");
        let mut now = begun + STALE * 2;
        for _ in 0..RENEWALS {
            assert_eq!(judge.idle(now), Turn::Renew);
            judge.begin(now);
            judge.looked(&look("/login", Asks::Password, "a"));
            now += STALE;
        }
        assert_eq!(judge.idle(now), Turn::Stop(Stop::Alone));
    }

    #[test]
    fn an_app_that_is_looked_at_for_long_is_left_alone() {
        let begun = Instant::now();
        let mut judge = Judge::new(begun);
        judge.looked(&look("/help", Asks::Nothing, "a"));
        assert_eq!(judge.idle(begun + STALE * 9), Turn::Wait);
    }

    #[test]
    fn endless_pages_end_and_late_ones_are_renewed() {
        let mut judge = judge();
        assert!((0..PAGES).all(|_| judge.page() == Turn::Wait));
        assert_eq!(judge.page(), Turn::Stop(Stop::Endless));
        judge.touched(Instant::now());
        assert_eq!(judge.page(), Turn::Wait, "a person went on");
        assert_eq!(judge.status(TIMED_OUT), Turn::Renew);
        assert_eq!(judge.status(200), Turn::Wait);
    }
}
