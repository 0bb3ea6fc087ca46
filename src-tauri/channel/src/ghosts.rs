//! Upgrades that we gave up and the server may complete all the same (R3). Whether a client has hung up is the last
//! thing that a busy or starting server finds out: what waits in its queue it opens, one after the other or in any order, and
//! the newest *opened* link wins. So a late one of ours ends our own live link with 4500, though nobody else has the
//! channel. Each can do so once.

use std::collections::VecDeque;
use std::time::Duration;

/// Most that are remembered; the oldest are forgotten first. Too low: a user who clicks on a slow server is taken for
/// another instance; too high: memory.
const MOST: usize = 8;
/// Longest that one is remembered while nothing opens at all. Too low: a server that hangs for long ends in
/// *Replaced*; too high: another instance is kicked for what no server keeps.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug, Default)]
pub(crate) struct Ghosts(VecDeque<Ghost>);

#[derive(Debug)]
struct Ghost {
    born: Duration,
    /// When the first link after it opened: the server works, and so will have done with it before long.
    answered: Option<Duration>,
    /// From then on.
    life: Duration,
}

impl Ghost {
    fn haunts(&self, now: Duration) -> bool {
        let answered = self.answered.unwrap_or(now);
        now.saturating_sub(answered) < self.life && now.saturating_sub(self.born) < LONGEST
    }
}

impl Ghosts {
    /// An upgrade was given up, or a link that the server may not have taken note of yet. It may come for as long as
    /// nothing opens, and for `life` from then on.
    pub(crate) fn add(&mut self, now: Duration, life: Duration) {
        self.bury(now);
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(Ghost { born: now, answered: None, life });
    }

    /// A link opened.
    pub(crate) fn answered(&mut self, now: Duration) {
        self.bury(now);
        for ghost in &mut self.0 {
            ghost.answered.get_or_insert(now);
        }
    }

    /// Whether a link of ours that was replaced may have been so by one of these, which then is spent.
    pub(crate) fn blame(&mut self, now: Duration) -> bool {
        self.bury(now);
        self.0.pop_front().is_some()
    }

    fn bury(&mut self, now: Duration) {
        self.0.retain(|ghost| ghost.haunts(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(100);

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn each_is_blamed_once() {
        let mut ghosts = Ghosts::default();
        assert!(!ghosts.blame(secs(0)));
        ghosts.add(secs(1), LIFE);
        ghosts.add(secs(2), LIFE);
        ghosts.answered(secs(3));
        assert!(ghosts.blame(secs(4)));
        assert!(ghosts.blame(secs(5)));
        assert!(!ghosts.blame(secs(6)));
    }

    #[test]
    fn it_dies_a_while_after_the_server_is_back_and_not_before() {
        for (opened, kicked, blamed) in
            [(1, 100, true), (1, 101, false), (900, 999, true), (900, 1000, false), (3599, 3600, false)]
        {
            let mut ghosts = Ghosts::default();
            ghosts.add(secs(0), LIFE);
            ghosts.answered(secs(opened));
            // A second link doesn't give it another life.
            ghosts.answered(secs(opened) + secs(50).min(secs(kicked - opened)));
            assert_eq!(
                ghosts.blame(secs(kicked)),
                blamed,
                "opened after {opened} s, kicked after {kicked} s"
            );
        }
    }

    #[test]
    fn no_more_are_kept_than_can_be_needed() {
        let mut ghosts = Ghosts::default();
        for n in 0..1000 {
            ghosts.add(secs(n), LIFE);
        }
        let blamed = (0..1000).filter(|_| ghosts.blame(secs(1000))).count();
        assert_eq!(blamed, MOST);
    }
}
