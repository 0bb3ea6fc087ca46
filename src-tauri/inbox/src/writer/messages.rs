//! What is asked of the messages that are there, whether they are in the file or wait for it.

use tracing::warn;

use super::Writer;
use crate::Unread;
use crate::database::{Database, Read};
use crate::history::Query;
use crate::message::{Message, RowId};

impl Writer {
    /// Whether this message of a replay is there already: the same id with other content is an update, and what has
    /// no id can't be told from another of the same text.
    pub(super) fn repeats(&mut self, message: &Message) -> bool {
        message.id.is_some() && (self.waiting.has(message) || self.look_up(|database| database.has(message)))
    }

    /// What waits is newer than everything in the file.
    pub(super) fn find(&mut self, query: &Query) -> Vec<Message> {
        let mut waiting: Vec<Message> =
            query.pick(self.waiting.newest_first()).into_iter().cloned().collect();
        if query.after.is_some() {
            let mut messages = self.look_up(|database| database.find(query));
            messages.append(&mut waiting);
            messages.truncate(query.limit);
            return messages;
        }
        let rest = Query { limit: query.limit - waiting.len(), ..query.clone() };
        waiting.extend(self.look_up(|database| database.find(&rest)));
        waiting
    }

    /// The newest message of this id; of several channels that have one, the oldest of theirs.
    pub(super) fn row_of(&mut self, id: &str) -> Option<RowId> {
        // The older one where both have it: who asks what came after it is told too much rather than too little.
        let written = self.look_up(|database| database.row_of(id));
        let mut waiting = self.waiting.newest_first();
        written
            .or_else(|| waiting.find(|message| message.id.as_deref() == Some(id)).map(|message| message.row))
    }

    pub(super) fn message(&mut self, row: RowId) -> Option<Message> {
        let waiting = self.waiting.message(row).cloned();
        waiting.or_else(|| self.look_up(|database| database.message(row)))
    }

    pub(super) fn mark_read(&mut self, which: &Read) {
        self.waiting.mark_read(|message| which.has(message));
        if let Some(database) = &mut self.database
            && let Err(error) = database.mark_read(which)
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
        // The newest messages are others now, though the counts may be the same.
        self.unread.send_modify(|_| ());
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
