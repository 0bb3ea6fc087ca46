//! What is kept no longer: the old, and what is too much.

use tracing::warn;

use super::{BATCH, Writer};
use crate::database::By;
use crate::message::RowId;
use crate::{Event, Policy};

/// Old messages that are deleted at a time, when a batch of new ones may have come. Too few: the file grows.
/// Too many: the next message waits.
const RETIRED: usize = 2 * BATCH;

impl Writer {
    /// Deletes some of what need not be kept any longer; whether there may be more of that.
    pub(super) fn retire(&mut self) -> bool {
        let Policy { keep_days, keep_messages, .. } = *self.gate.policy();
        let now = (self.clock)();
        if let Some(database) = &self.database
            && let Err(error) = self.calendar.look(database, RowId(self.next_row), &now)
        {
            warn!("a new day could not be noted: {error}");
        }
        let outdated = self.look_up(|database| database.outdated(keep_days, keep_messages.into(), RETIRED));
        let Some(database) = self.database.as_mut().filter(|_| !outdated.is_empty()) else { return false };
        match database.delete(&outdated, By::Others) {
            Ok(deleted) => {
                if !deleted.is_empty() {
                    self.unread.send_modify(|unread| unread.subtract(&deleted));
                }
                // No onlooker is no error.
                let _ = self.events.send(Event::Gone(outdated));
                true
            }
            Err(error) => {
                warn!("old messages could not be deleted: {error}");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
