//! What is asked of the messages that are there, whether they are in the file or wait for it, and the end of old ones.

use jiff::SignedDuration;
use tracing::warn;

use super::{BATCH, Read, Writer};
use crate::database::{self, Database};
use crate::message::{Message, RowId};
use crate::{Policy, Unread};

/// Old messages that are deleted at a time, when a batch of new ones may have come. Too few: the file grows.
/// Too many: the next message waits.
const RETIRED: usize = 2 * BATCH;

impl Writer {
    /// Whether this message is a repetition.
    pub(super) fn knows(&mut self, message: &Message, unique: bool) -> bool {
        let Some(id) = &message.id else { return false };
        let raw = (!unique).then_some(&message.raw);
        self.waiting.knows(message, unique)
            || self.look_up(|database| database.knows(&message.channel, id, raw))
    }

    pub(super) fn history(&mut self, before: Option<RowId>, limit: usize) -> Vec<Message> {
        let waiting =
            self.waiting.newest_first().filter(|message| before.is_none_or(|row| message.row < row));
        let mut messages = Vec::from_iter(waiting.take(limit).cloned());
        let rest = limit - messages.len();
        messages.extend(self.look_up(|database| database.newest(before, rest)));
        messages
    }

    pub(super) fn search(&mut self, text: &str, before: Option<RowId>, limit: usize) -> Vec<Message> {
        let waiting =
            self.waiting.newest_first().filter(|message| before.is_none_or(|row| message.row < row));
        let mut messages = database::search_among(waiting, text, limit).unwrap_or_else(|error| {
            warn!("the messages that wait could not be searched: {error}");
            Vec::new()
        });
        let rest = limit - messages.len();
        messages.extend(self.look_up(|database| database.search(text, before, rest)));
        messages
    }

    pub(super) fn message(&mut self, row: RowId) -> Option<Message> {
        let waiting = self.waiting.message(row).cloned();
        waiting.or_else(|| self.look_up(|database| database.message(row)))
    }

    pub(super) fn mark_read(&mut self, which: &Read) {
        let rows = match which {
            Read::Rows(rows) => Some(rows.as_slice()),
            Read::All => None,
        };
        self.waiting.mark_read(|row| rows.is_none_or(|rows| rows.contains(&row)));
        if let Some(database) = &mut self.database
            && let Err(error) = database.mark_read(rows)
        {
            warn!("messages could not be marked as read: {error}");
        }
        self.recount();
    }

    pub(super) fn delete(&mut self, rows: &[RowId]) {
        self.waiting.delete(rows);
        if let Some(database) = &mut self.database
            && let Err(error) = database.delete(rows)
        {
            warn!("messages could not be deleted: {error}");
        }
        self.recount();
    }

    /// Deletes some of what need not be kept any longer; whether there may be more of that.
    pub(super) fn retire(&mut self) -> bool {
        let Policy { keep_days, keep_messages, .. } = *self.gate.policy();
        let kept = SignedDuration::from_hours(i64::from(keep_days) * 24);
        let Ok(before) = (self.clock)().wall.timestamp().checked_sub(kept) else { return false };
        let outdated = self.look_up(|database| database.outdated(before, keep_messages.into(), RETIRED));
        let Some(database) = self.database.as_mut().filter(|_| !outdated.is_empty()) else { return false };
        match database.delete(&outdated) {
            Ok(deleted) => {
                if !deleted.is_empty() {
                    self.unread.send_modify(|unread| unread.subtract(&deleted));
                }
                true
            }
            Err(error) => {
                warn!("old messages could not be deleted: {error}");
                false
            }
        }
    }

    /// Publishes the unread counts as file and memory have them.
    pub(super) fn recount(&mut self) {
        let mut by_channel = self.look_up(Database::unread);
        self.waiting.add_unread(&mut by_channel);
        let unread = Unread { total: by_channel.values().sum(), by_channel };
        self.unread.send_if_modified(|current| {
            let changed = *current != unread;
            *current = unread;
            changed
        });
    }
}
