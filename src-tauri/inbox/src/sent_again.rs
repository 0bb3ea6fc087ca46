//! Which message it is that an MQTT broker sends again.
//!
//! It is known by its content among those of which the broker has not proven to know that they are stored, and by the
//! number of its delivery. MQTT 5.0, section 4.4, has the broker keep that number, but RabbitMQ 4 gives new ones: then each of the
//! stored ones is taken for one that is sent again once.

use std::collections::HashSet;

use crate::message::RowId;

/// What one link has sent again.
#[derive(Default)]
pub(crate) struct SentAgain {
    link: u64,
    /// Whether the broker keeps the numbers; `None`: it is not known yet.
    keeps_numbers: Option<bool>,
    /// Rows that came by this link, or were sent again over it.
    had: HashSet<RowId>,
}

impl SentAgain {
    /// Over another link than before all begins anew.
    pub(crate) fn go_on_over(&mut self, link: u64) {
        if self.link != link {
            *self = Self { link, ..Self::default() };
        }
    }

    /// It came by this link, or was sent again over it.
    pub(crate) fn has(&mut self, row: RowId) {
        self.had.insert(row);
    }

    /// Which of the unsettled, the oldest first, this delivery is of.
    pub(crate) fn find(&mut self, number: u16, unsettled: &[(RowId, u16)]) -> Option<RowId> {
        let exact = unsettled.iter().rev().find(|(_, known)| *known == number);
        if let Some((row, _)) = exact {
            self.keeps_numbers.get_or_insert(true);
            return Some(*row);
        }
        if self.keeps_numbers == Some(true) {
            return None;
        }
        let (row, _) = unsettled.iter().find(|(row, _)| !self.had.contains(row))?;
        self.keeps_numbers = Some(false);
        Some(*row)
    }
}
