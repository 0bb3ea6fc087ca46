//! Which message it is that an MQTT broker sends again.
//!
//! It is known by its content among those of which the broker has not proven to know that they are stored, and by the
//! number of its delivery. MQTT 5.0, section 4.4, has the broker keep that number, but RabbitMQ 4 gives new ones: then each of the
//! stored ones is taken for one that is sent again once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::message::RowId;

/// A broker has sent again what it will. Too short: what it has yet to send (RabbitMQ answers pings meanwhile) is stored twice;
/// too long: an equal message that a broken link delays may be taken for one that is stored.
const ALL_IS_SENT_AGAIN: Duration = Duration::from_secs(60);

/// What one link has sent again.
#[derive(Default)]
pub(crate) struct SentAgain {
    link: u64,
    /// When its first message came.
    since: Option<Instant>,
    /// Whether the broker keeps the numbers; `None`: it is not known yet.
    keeps_numbers: Option<bool>,
    /// What came by this link, or was sent again over it, with the place of its delivery. What is settled is gone.
    had: VecDeque<(u64, RowId)>,
    /// What came over earlier links is settled.
    earlier: bool,
}

/// What isn't sent again any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAgain {
    Rows(Vec<RowId>),
    /// Nothing that is there.
    All,
}

impl SentAgain {
    /// Over another link than before all begins anew.
    pub(crate) fn go_on_over(&mut self, link: u64, now: Instant) {
        if self.link != link || self.since.is_none() {
            *self = Self { link, since: Some(now), ..Self::default() };
        }
    }

    /// It came by this delivery of this link, or was sent again by it.
    pub(crate) fn has(&mut self, row: RowId, place: u64) {
        self.had.push_back((place, row));
    }

    /// Which of the unsettled, the oldest first, this delivery is of.
    pub(crate) fn find(&mut self, number: u16, place: u64, unsettled: &[(RowId, u16)]) -> Option<RowId> {
        let exact = unsettled.iter().rev().find(|(_, known)| *known == number);
        if let Some((row, _)) = exact {
            // Whoever counts anew over each link may hit it by chance.
            if u64::from(number) != place {
                self.keeps_numbers.get_or_insert(true);
            }
            return Some(*row);
        }
        if self.keeps_numbers == Some(true) {
            return None;
        }
        let had = |row| self.had.iter().any(|(_, had)| *had == row);
        let (row, _) = unsettled.iter().find(|(row, _)| !had(*row))?;
        self.keeps_numbers = Some(false);
        Some(*row)
    }

    /// The broker has proven to have the receipts of this link's deliveries up to this place.
    pub(crate) fn settle(&mut self, link: u64, place: u64, now: Instant) -> NotAgain {
        if self.link != link {
            return NotAgain::Rows(Vec::new());
        }
        let settled = self.had.iter().take_while(|(had, _)| *had <= place).count();
        let rows = self.had.drain(..settled).map(|(_, row)| row).collect();
        let long = self.since.is_some_and(|since| now.duration_since(since) >= ALL_IS_SENT_AGAIN);
        if self.had.is_empty() && long && !std::mem::replace(&mut self.earlier, true) {
            return NotAgain::All;
        }
        NotAgain::Rows(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left over from a link that ended between an acknowledgement and its proof.
    #[test]
    fn a_link_settles_what_came_over_earlier_ones_once_it_has_lasted() {
        let mut sent_again = SentAgain::default();
        let began = Instant::now();
        sent_again.go_on_over(1, began);
        for place in 1..=3 {
            sent_again.has(RowId(10 + place), place.unsigned_abs());
        }
        let rows = |rows: &[i64]| NotAgain::Rows(rows.iter().copied().map(RowId).collect());
        assert_eq!(sent_again.settle(1, 2, began), rows(&[11, 12]));
        let later = began + ALL_IS_SENT_AGAIN;
        assert_eq!(sent_again.settle(1, 2, later), rows(&[]), "something of its own is unproven");
        assert_eq!(sent_again.settle(1, 3, later), NotAgain::All);
        sent_again.has(RowId(14), 4);
        assert_eq!(sent_again.settle(1, 4, later), rows(&[14]), "once");
        sent_again.go_on_over(2, later);
        assert_eq!(sent_again.settle(1, 9, later), rows(&[]), "another link's");
    }
}
