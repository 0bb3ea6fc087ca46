//! Upgrades that we gave up and the server may complete all the same (R3). Whether a client has hung up is the last
//! thing that a busy or starting server finds out: what waits in its queue it opens, one after the other or in any order, and
//! the newest *opened* link wins. So a late one of ours ends our own live link with 4500, though nobody else has the
//! channel. Each can do so once.
//!
//! An upgrade that waits for its answer is one of them to the next process, should this one be killed.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::machine::facts::Now;

/// Most that are remembered; the oldest are forgotten first. Too low: a user who clicks on a slow server is taken for
/// another instance; too high: memory.
const MOST: usize = 8;
/// Longest that one is remembered while nothing opens at all. Too low: a server that hangs for long ends in
/// *Replaced*; too high: another instance is kicked for what no server keeps.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug, Default)]
pub(crate) struct Ghosts {
    given_up: VecDeque<Ghost>,
    /// Not given up yet.
    waiting: Option<Ghost>,
}

#[derive(Debug, Clone, Copy)]
struct Ghost {
    /// It is forgotten then. The wall clock's time is for another process alone.
    until: Now,
    /// How long it may still come once a link opened after it: the server works, and so will have done with it before long.
    life: Duration,
    /// Such a link has opened.
    answered: bool,
}

/// A ghost for the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// In seconds of the UNIX epoch, rounded up.
    until: u64,
    life: Duration,
    answered: bool,
}

impl Ghost {
    fn new(now: Now, life: Duration) -> Self {
        Self { until: now + LONGEST, life, answered: false }
    }

    fn kept(&self) -> Kept {
        let until = self.until.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Kept { until: until.as_secs() + 1, life: self.life, answered: self.answered }
    }
}

impl Ghosts {
    /// What another process left. A clock that was put back makes none older than it would be from now on.
    pub(crate) fn recall(kept: &[Kept], now: Now) -> Self {
        let ghost = |&Kept { until, life, answered }: &Kept| {
            let now_at = now.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let longest = if answered { life.min(LONGEST) } else { LONGEST };
            let left = Duration::from_secs(until).saturating_sub(now_at).min(longest);
            Ghost { until: now + left, life: life.min(LONGEST), answered }
        };
        let mut ghosts = Self { given_up: kept.iter().take(MOST).map(ghost).collect(), waiting: None };
        ghosts.bury(now);
        ghosts
    }

    /// What another process has to know.
    pub(crate) fn kept(&self) -> Vec<Kept> {
        self.given_up.iter().chain(&self.waiting).map(Ghost::kept).collect()
    }

    /// An upgrade's answer is long in coming.
    pub(crate) fn wait(&mut self, now: Now, life: Duration) {
        self.waiting = Some(Ghost::new(now, life));
    }

    /// No upgrade waits any more.
    pub(crate) fn settled(&mut self) {
        self.waiting = None;
    }

    /// An upgrade was given up, or a link that the server may not have taken note of yet. It may come for as long as
    /// nothing opens, and for `life` from then on.
    pub(crate) fn add(&mut self, now: Now, life: Duration) {
        self.bury(now);
        if self.given_up.len() == MOST {
            self.given_up.pop_front();
        }
        self.given_up.push_back(Ghost::new(now, life));
    }

    /// A link opened.
    pub(crate) fn answered(&mut self, now: Now) {
        self.settled();
        self.bury(now);
        for ghost in self.given_up.iter_mut().filter(|ghost| !ghost.answered) {
            ghost.answered = true;
            if now.mono + ghost.life < ghost.until.mono {
                ghost.until = now + ghost.life;
            }
        }
    }

    /// Whether a link of ours that was replaced may have been so by one of these, which then is spent.
    pub(crate) fn blame(&mut self, now: Now) -> bool {
        self.bury(now);
        self.given_up.pop_front().is_some()
    }

    fn bury(&mut self, now: Now) {
        self.given_up.retain(|ghost| now.mono < ghost.until.mono);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(100);
    /// What the wall clock shows at 0, in seconds of the UNIX epoch.
    const EPOCH: u64 = 1_800_000_000;

    fn at(seconds: u64) -> Now {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH + seconds);
        Now { mono: Duration::from_secs(seconds), wall }
    }

    /// How long after `now` a 4500 is still blamed on what was left.
    fn blamed_for(kept: &[Kept], now: Now) -> u64 {
        let haunts = |after: &u64| Ghosts::recall(kept, now).blame(now + Duration::from_secs(*after));
        (0..10_000).take_while(haunts).last().map_or(0, |last| last + 1)
    }

    #[test]
    fn each_is_blamed_once() {
        let mut ghosts = Ghosts::default();
        assert!(!ghosts.blame(at(0)));
        ghosts.add(at(1), LIFE);
        ghosts.add(at(2), LIFE);
        ghosts.answered(at(3));
        assert!(ghosts.blame(at(4)));
        assert!(ghosts.blame(at(5)));
        assert!(!ghosts.blame(at(6)));
    }

    #[test]
    fn it_dies_a_while_after_the_server_is_back_and_not_before() {
        for (opened, kicked, blamed) in
            [(1, 100, true), (1, 101, false), (900, 999, true), (900, 1000, false), (3599, 3600, false)]
        {
            let mut ghosts = Ghosts::default();
            ghosts.add(at(0), LIFE);
            ghosts.answered(at(opened));
            // A second link doesn't give it another life.
            ghosts.answered(at(opened + 50.min(kicked - opened)));
            assert_eq!(ghosts.blame(at(kicked)), blamed, "opened after {opened} s, kicked after {kicked} s");
        }
    }

    #[test]
    fn no_more_are_kept_than_can_be_needed() {
        let mut ghosts = Ghosts::default();
        for n in 0..1000 {
            ghosts.add(at(n), LIFE);
        }
        let blamed = (0..1000).filter(|_| ghosts.blame(at(1000))).count();
        assert_eq!(blamed, MOST);
    }

    #[test]
    fn one_that_only_waits_is_blamed_by_the_next_process_alone() {
        let mut ghosts = Ghosts::default();
        ghosts.wait(at(0), LIFE);
        let left = ghosts.kept();
        assert!(!ghosts.blame(at(1)));
        assert_eq!(blamed_for(&left, at(10)), 3591);
        ghosts.settled();
        assert_eq!(ghosts.kept(), []);
    }

    #[test]
    fn another_process_gives_none_more_time_than_it_had() {
        let mut ghosts = Ghosts::default();
        ghosts.add(at(0), LIFE);
        let unanswered = ghosts.kept();
        ghosts.answered(at(500));
        let answered = ghosts.kept();
        for (now, of_unanswered, of_answered) in
            [(510, 3091, 91), (550, 3051, 51), (700, 2901, 0), (4000, 0, 0)]
        {
            assert_eq!(blamed_for(&unanswered, at(now)), of_unanswered, "after {now} s");
            assert_eq!(blamed_for(&answered, at(now)), of_answered, "after {now} s");
        }
        // The server was asked again after the restart, and works.
        let mut next = Ghosts::recall(&unanswered, at(510));
        next.answered(at(520));
        assert_eq!(blamed_for(&next.kept(), at(520)), 100);
    }

    #[test]
    fn a_file_with_an_absurd_life_does_no_harm() {
        let kept = Kept { until: u64::MAX, life: Duration::MAX, answered: false };
        let mut ghosts = Ghosts::recall(&[kept], at(0));
        ghosts.answered(at(1));
        assert_eq!(blamed_for(&ghosts.kept(), at(1)), LONGEST.as_secs());
    }

    #[test]
    fn no_jump_of_the_clock_makes_one_eternal() {
        let mut ghosts = Ghosts::default();
        ghosts.add(at(0), LIFE);
        let unanswered = ghosts.kept();
        ghosts.answered(at(1));
        let answered = ghosts.kept();
        let year = Duration::from_secs(365 * 24 * 3600);
        let back = Now { wall: at(0).wall - year, ..at(0) };
        assert_eq!(blamed_for(&unanswered, back), LONGEST.as_secs());
        assert_eq!(blamed_for(&answered, back), LIFE.as_secs());
        // What is written then is by the clock as it is now.
        assert_eq!(blamed_for(&Ghosts::recall(&unanswered, back).kept(), back + LONGEST), 1);
        assert_eq!(blamed_for(&unanswered, Now { wall: at(0).wall + year, ..at(0) }), 0);
        let before_1970 = Now { wall: SystemTime::UNIX_EPOCH - year, ..at(0) };
        assert_eq!(blamed_for(&unanswered, before_1970), LONGEST.as_secs());
    }

    #[test]
    fn nonsense_in_the_file_hurts_nobody() {
        let absurd = Kept { until: u64::MAX, life: Duration::MAX, answered: true };
        let mut ghosts = Ghosts::recall(&[absurd; 100], at(0));
        ghosts.answered(at(1));
        assert_eq!(ghosts.kept().len(), MOST);
        assert!(!ghosts.blame(at(3600)));
    }
}
