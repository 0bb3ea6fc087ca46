//! What is asked of the messages that are there, whether they are in the file or wait for it.

use jiff::Timestamp;
use tracing::{debug, info, warn};

use super::file::REPLACEMENTS;
use super::{BATCH, Writer};
use crate::database::{By, Database, Read};
use crate::history::Query;
use crate::message::{Message, RowId};
use crate::open::is_corrupt;
use crate::recall::{Recall, Recalled, marked};
use crate::{Event, Unread};

/// Messages that are made findable at a time, when the next one may have come. Too few: a burst costs more commits. Too many:
/// the next message waits.
const INDEXED: usize = BATCH / 4;

impl Writer {
    /// Whether this message of a replay is there already: the same id with other content is an update, and what has
    /// no id can't be told from another of the same text.
    pub(super) fn repeats(&mut self, message: &Message) -> bool {
        message.id.is_some()
            && (self.waiting.has(message)
                || self.unwritten.is_gone(message)
                || self.look_up(|database| database.has(message))
                || self.came_plainly(message))
    }

    /// Whether it came over the plain recipe, by its sender's own id. The one that did bears the server's id from then on, so that each
    /// counts for one: a sender may give an id twice.
    fn came_plainly(&mut self, message: &Message) -> bool {
        // The older one first, as it was sent first.
        message.own_id.is_some()
            && (self.look_up(|database| database.adopt(message)) || self.waiting.adopt(message))
    }

    /// Makes some messages findable; whether there may be more of them.
    pub(super) fn index(&mut self) -> bool {
        let Some(database) = self.database.as_mut().filter(|database| database.behind) else { return false };
        match database.index(INDEXED) {
            Ok(()) => database.behind,
            Err(error) if is_corrupt(&error) && self.replacements < REPLACEMENTS => {
                self.replace_file(&error);
                false
            }
            Err(error) => {
                // The next message has it tried again, and so has the next start.
                database.behind = false;
                info!("messages can't be found by a search yet: {error}");
                false
            }
        }
    }

    /// What waits is newer than everything in the file.
    pub(super) fn find(&mut self, query: &Query) -> Vec<Message> {
        if query.search.is_some() {
            while self.index() {}
        }
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

    pub(super) fn missing(&mut self, rows: &[RowId]) -> Option<Vec<RowId>> {
        let unknown = |row: &RowId| self.waiting.message(*row).is_none();
        let unknown: Vec<RowId> = rows.iter().copied().filter(unknown).collect();
        self.look_up(|database| database.missing(unknown.into_iter()).map(Some))
    }

    pub(super) fn mark_read(&mut self, which: &Read, by: By) {
        self.waiting.mark_read(|message| which.has(message));
        if let Some(database) = &mut self.database
            && let Err(error) = database.mark_read(which, by)
        {
            warn!("messages could not be marked as read: {error}");
        }
        self.recount();
        self.ring(by);
    }

    /// There may be something to tell servers.
    fn ring(&self, by: By) {
        if by == By::User {
            self.read_here.send_replace(());
        }
    }

    pub(super) fn unsaid(&mut self, channel: &str) -> Vec<String> {
        self.look_up(|database| database.unsaid(channel))
    }

    /// These of a channel were read, as its server says.
    pub(super) fn read_elsewhere(&mut self, channel: &str, ids: &[String]) {
        let news = match self.database.as_mut().map(|database| database.said(channel, ids)) {
            Some(Ok(news)) => news,
            Some(Err(error)) => {
                debug!("that a server knows what was read is not noted: {error}");
                ids.to_vec()
            }
            None => ids.to_vec(),
        };
        // Each is alone in its series, so whatever a sender's clock says, it is meant.
        let recall = |id: String| Recall {
            channel: channel.to_owned(),
            series: marked(&id),
            what: Recalled::Read,
            id: None,
            at: Timestamp::MAX,
        };
        let recalls: Vec<Recall> = news.into_iter().map(recall).collect();
        self.take_in_recalls(&recalls);
    }

    pub(super) fn delete(&mut self, rows: &[RowId]) {
        // The index has no word of what is gone before it came there.
        while self.index() {}
        for message in rows.iter().filter_map(|row| self.waiting.message(*row)) {
            self.unwritten.gone(message);
        }
        self.waiting.delete(rows);
        self.keep_recalled();
        if let Some(database) = &mut self.database
            && let Err(error) = database.delete(rows, By::User)
        {
            warn!("messages could not be deleted: {error}");
        }
        self.recount();
        // The newest messages are others now, though the counts may be the same.
        self.unread.send_modify(|_| ());
        let _ = self.events.send(Event::Gone(rows.to_vec()));
        self.ring(By::User);
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
