//! Which channels' trouble a popup tells of: one that has been down for a while, and one that needs the user.
//!
//! The main loop looks at every channel after each of its turns and sleeps no longer than until the
//! [`deadline`](Troubles::deadline); what comes of it is in the snapshot, and the popups' task shows what is there and
//! withdraws what is not. Time is the machine's time awake, so that a laptop that slept through the night says nothing
//! in the morning but what is so then.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use tidings_channel::{Cause, State};
use tidings_state::trouble::{Kind, Trouble};

/// For so long a secret that can't be read is no news: at login the keyring may come up, or be unlocked, after us.
/// Too low: each login nags; too high: a command that gives no secret any more is noticed late.
const SECRET_GRACE: Duration = Duration::from_secs(60);

/// A sign-in that is tried again sooner may pass by itself, and is no news. Too low: a popup for each break of the sign-in
/// service; too high: a secret that is over for good is told of when the channel has been down for long.
const LOOKED_AT: Duration = Duration::from_secs(10 * 60);

/// Whether a refused sign-in is being looked at again already.
fn is_passing(cause: &Cause, retry_at: SystemTime) -> bool {
    // A session that is over stays so.
    cause.is_refused_sign_in()
        && !matches!(cause, Cause::SessionOver { .. })
        && retry_at.duration_since(SystemTime::now()).is_ok_and(|wait| !wait.is_zero() && wait < LOOKED_AT)
}

/// The channels that are not connected though they should be, by id.
#[derive(Debug, Default)]
pub(crate) struct Troubles(BTreeMap<String, Down>);

#[derive(Debug)]
struct Down {
    began: Instant,
    since: Timestamp,
    cause: Option<Cause>,
    /// Since when it needs the user.
    needs_user: Option<Instant>,
    told: Option<Trouble>,
}

impl Troubles {
    /// Looks at all channels that there are. While it is `quiet` nothing new is told.
    pub(crate) fn look<'a>(
        &mut self,
        channels: impl Iterator<Item = (&'a str, State)>,
        after: Duration,
        quiet: bool,
        now: Instant,
    ) {
        let mut before = std::mem::take(&mut self.0);
        for (id, state) in channels {
            let known = before.remove(id);
            let began =
                || Down { began: now, since: Timestamp::now(), cause: None, needs_user: None, told: None };
            let mut down = match state {
                // As it should be, or as the user wants it; and whoever took over knows why.
                State::Connected { .. } | State::Disconnected { .. } | State::Replaced { .. } => continue,
                // A dial of our own accord: nothing new is known of the trouble.
                State::Connecting { .. } | State::Waiting { cause: Cause::Local, .. } => {
                    known.unwrap_or_else(began)
                }
                State::Waiting { cause, .. } => {
                    Down { cause: Some(cause), needs_user: None, ..known.unwrap_or_else(began) }
                }
                State::NeedsUser { cause, retry_at } => {
                    let known = known.unwrap_or_else(began);
                    let needs_user = known.needs_user.or((!is_passing(&cause, retry_at)).then_some(now));
                    Down { cause: Some(cause), needs_user, ..known }
                }
            };
            while let Some((at, kind)) = down.next(after)
                && at <= now
                && !quiet
            {
                let (cause, needs_user) = (down.cause.clone(), down.needs_user.is_some());
                down.told = Some(Trouble { kind, since: down.since, cause, needs_user });
            }
            self.0.insert(id.to_owned(), down);
        }
    }

    /// When there may be something new to tell though nothing happens.
    pub(crate) fn deadline(&self, after: Duration) -> Option<Instant> {
        self.0.values().filter_map(|down| down.next(after)).map(|(at, _)| at).min()
    }

    /// What is to be told now, by channel.
    pub(crate) fn told(&self) -> BTreeMap<String, Trouble> {
        self.0.iter().filter_map(|(id, down)| Some((id.clone(), down.told.clone()?))).collect()
    }
}

impl Down {
    /// What is to be told next, and when.
    fn next(&self, after: Duration) -> Option<(Instant, Kind)> {
        let told = self.told.as_ref().map(|told| told.kind);
        let needs_user = self.needs_user.filter(|_| told != Some(Kind::NeedsUser)).map(|since| {
            let grace =
                if matches!(self.cause, Some(Cause::Owner { .. })) { SECRET_GRACE } else { Duration::ZERO };
            (since + grace, Kind::NeedsUser)
        });
        let down = told.is_none().then(|| (self.began + after, Kind::Down));
        needs_user.into_iter().chain(down).min_by_key(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(600);

    fn lost() -> Cause {
        Cause::Lost { detail: tidings_channel::Detail::Reset }
    }

    fn waiting() -> State {
        State::Waiting { retry_at: SystemTime::UNIX_EPOCH, attempt: 1, cause: lost() }
    }

    fn needs_user(cause: Cause) -> State {
        State::NeedsUser { cause, retry_at: SystemTime::UNIX_EPOCH }
    }

    fn refused() -> State {
        needs_user(Cause::SignInRefused { status: 401 })
    }

    fn connecting() -> State {
        State::Connecting { stage: tidings_channel::Stage::Tcp, attempt: 1 }
    }

    fn connected() -> State {
        State::Connected { since: SystemTime::UNIX_EPOCH }
    }

    struct Watched {
        troubles: Troubles,
        now: Instant,
    }

    impl Watched {
        fn new() -> Self {
            Self { troubles: Troubles::default(), now: Instant::now() }
        }

        /// What is told once this state has been seen at this time.
        fn sees(&mut self, state: State, seconds: u64) -> Option<Kind> {
            self.sees_with(state, seconds, false)
        }

        fn sees_with(&mut self, state: State, seconds: u64, quiet: bool) -> Option<Kind> {
            self.troubles.look(
                [("orders", state)].into_iter(),
                AFTER,
                quiet,
                self.now + Duration::from_secs(seconds),
            );
            self.troubles.told().get("orders").map(|trouble| trouble.kind)
        }

        fn deadline(&self) -> Option<u64> {
            Some((self.troubles.deadline(AFTER)? - self.now).as_secs())
        }
    }

    #[test]
    fn a_channel_that_is_down_for_long_is_told_of_once_until_it_is_back() {
        let mut watched = Watched::new();
        assert_eq!(watched.sees(connecting(), 0), None);
        assert_eq!(watched.deadline(), Some(600));
        assert_eq!(watched.sees(waiting(), 599), None);
        assert_eq!(watched.sees(waiting(), 600), Some(Kind::Down));
        assert_eq!(watched.deadline(), None, "nothing more to say");
        assert_eq!(watched.sees(connecting(), 700), Some(Kind::Down));
        assert_eq!(watched.sees(connected(), 701), None);
        assert_eq!(watched.deadline(), None, "no timer while all is well");
        assert_eq!(watched.sees(waiting(), 800), None);
        assert_eq!(watched.deadline(), Some(1400));
    }

    #[test]
    fn a_flapping_link_is_nothing_to_tell() {
        let mut watched = Watched::new();
        for seconds in (0..10_000).step_by(100) {
            assert_eq!(watched.sees(waiting(), seconds), None);
            assert_eq!(watched.sees(connected(), seconds + 1), None);
        }
    }

    #[test]
    fn what_the_user_wants_and_a_take_over_are_no_trouble() {
        let off = State::Disconnected { since: SystemTime::UNIX_EPOCH };
        let replaced = State::Replaced { since: SystemTime::UNIX_EPOCH };
        for state in [off, replaced] {
            let mut watched = Watched::new();
            watched.sees(waiting(), 0);
            assert_eq!(watched.sees(state.clone(), 10), None);
            assert_eq!((watched.sees(state, 10_000), watched.deadline()), (None, None));
        }
    }

    #[test]
    fn a_refused_sign_in_is_told_at_once_and_over_its_tries() {
        let mut watched = Watched::new();
        watched.sees(connecting(), 0);
        assert_eq!(watched.sees(refused(), 1), Some(Kind::NeedsUser));
        assert_eq!(watched.sees(connecting(), 60), Some(Kind::NeedsUser));
        assert_eq!(watched.sees(refused(), 61), Some(Kind::NeedsUser));
        assert_eq!(watched.sees(waiting(), 10_000), Some(Kind::NeedsUser), "one popup, not two");
        assert_eq!(watched.sees(connected(), 10_001), None);
    }

    #[test]
    fn a_sign_in_that_is_looked_at_again_soon_is_no_news_until_that_fails() {
        let mut watched = Watched::new();
        let looked_at_in = |minutes: u64| State::NeedsUser {
            cause: Cause::SignInRefused { status: 401 },
            retry_at: SystemTime::now() + Duration::from_secs(minutes * 60),
        };
        assert_eq!(watched.sees(looked_at_in(1), 0), None);
        assert_eq!(watched.sees(connecting(), 60), None);
        assert_eq!(watched.sees(looked_at_in(5), 61), None);
        assert_eq!(watched.sees(looked_at_in(16), 360), Some(Kind::NeedsUser));
        assert_eq!(watched.sees(looked_at_in(1), 1200), Some(Kind::NeedsUser), "what is told stays");
    }

    #[test]
    fn what_is_tried_again_of_our_own_accord_is_told_by_what_is_known() {
        let mut channel = Watched::new();
        let about_to_dial =
            State::Waiting { retry_at: SystemTime::UNIX_EPOCH, attempt: 1, cause: Cause::Local };
        channel.sees(needs_user(Cause::Owner { detail: "locked".to_owned() }), 0);
        channel.sees(about_to_dial.clone(), 1);
        assert_eq!(channel.sees(about_to_dial, 61), Some(Kind::NeedsUser));
        let told = channel.troubles.told();
        assert!(matches!(told["orders"].cause, Some(Cause::Owner { .. })), "{told:?}");
    }

    #[test]
    fn what_the_user_is_needed_for_is_known_before_it_is_told_and_while_it_is_tried_again() {
        let mut channel = Watched::new();
        channel.sees(waiting(), 0);
        channel.sees(needs_user(Cause::Owner { detail: "locked".to_owned() }), 595);
        assert_eq!(channel.sees(connecting(), 600), Some(Kind::Down));
        assert!(channel.troubles.told()["orders"].needs_user);
        channel.sees(connected(), 700);
        channel.sees(waiting(), 701);
        assert_eq!(channel.sees(connecting(), 1301), Some(Kind::Down));
        assert!(!channel.troubles.told()["orders"].needs_user);
    }

    #[test]
    fn one_that_was_told_to_be_down_may_come_to_need_the_user() {
        let mut watched = Watched::new();
        watched.sees(waiting(), 0);
        assert_eq!(watched.sees(waiting(), 600), Some(Kind::Down));
        assert_eq!(watched.sees(refused(), 601), Some(Kind::NeedsUser));
    }

    #[test]
    fn a_secret_that_comes_late_at_login_is_nothing_to_tell() {
        let mut watched = Watched::new();
        let locked = || needs_user(Cause::Owner { detail: "locked".to_owned() });
        assert_eq!(watched.sees(locked(), 0), None);
        assert_eq!(watched.deadline(), Some(60));
        assert_eq!(watched.sees(connected(), 30), None);
        assert_eq!(watched.sees(locked(), 40), None);
        assert_eq!(watched.sees(locked(), 100), Some(Kind::NeedsUser));
    }

    #[test]
    fn at_a_quiet_time_it_waits_and_what_is_over_by_then_is_not_told() {
        let mut watched = Watched::new();
        watched.sees(waiting(), 0);
        assert_eq!(watched.sees_with(waiting(), 700, true), None);
        assert_eq!(watched.sees(waiting(), 800), Some(Kind::Down));
        assert_eq!(watched.sees_with(waiting(), 900, true), Some(Kind::Down), "what is told stays");
        assert_eq!(watched.sees_with(connected(), 901, true), None, "and is withdrawn");
    }

    #[test]
    fn a_channel_that_is_gone_takes_its_trouble_with_it() {
        let mut watched = Watched::new();
        watched.sees(refused(), 0);
        watched.troubles.look([].into_iter(), AFTER, false, watched.now);
        assert!(watched.troubles.told().is_empty());
    }
}
