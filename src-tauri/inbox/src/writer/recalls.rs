//! What servers say of messages that they sent before: later versions, deletions, and what was read elsewhere.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::{debug, warn};

use super::{Fate, News, Writer};
use crate::database::{By, Read, State};
use crate::message::{Message, RowId};
use crate::recall::{Recall, Recalled, Stones};

impl Writer {
    /// What becomes of this message. `may_repeat`: it may have come before.
    pub(super) fn fate(&mut self, message: &Message, may_repeat: bool) -> Fate {
        if may_repeat && self.repeats(message) {
            return Fate::Dropped;
        }
        let Some(series) = &message.series else { return Fate::NEWS };
        let mut stones = self.stones(&message.channel, series);
        let before = stones.clone();
        let meant = stones.meant(message);
        if stones != before {
            self.unwritten.set((message.channel.clone(), series.clone()), stones);
        }
        let others = self.of_series(&message.channel, series);
        if meant == Some(Recalled::Deleted) || is_outdated(message, &others) {
            self.unwritten.gone(message);
            return Fate::Dropped;
        }
        let replaces = others.into_iter().map(|(row, _)| row).collect();
        Fate::News { replaces, read: meant == Some(Recalled::Read) }
    }

    /// Does what a server says of its messages.
    pub(super) fn recall(&mut self, recall: &Recall, news: &mut News) {
        let mut stones = self.stones(&recall.channel, &recall.series);
        let rows = self.of_series(&recall.channel, &recall.series).into_iter();
        let rows: Vec<RowId> = rows.filter(|(_, sent)| *sent <= recall.at).map(|(row, _)| row).collect();
        if !stones.note(recall, !rows.is_empty()) {
            return;
        }
        self.unwritten.set((recall.channel.clone(), recall.series.clone()), stones);
        match recall.what {
            Recalled::Deleted => self.remove(&rows, news),
            Recalled::Read => {
                for fresh in news.fresh.iter_mut().filter(|fresh| rows.contains(&fresh.message.row)) {
                    Arc::make_mut(&mut fresh.message).unread = false;
                    fresh.state = State::Silent;
                }
                let told = rows.iter().filter(|row| !news.has(**row));
                news.read.extend(told.copied().collect::<Vec<_>>());
                self.mark_read(&Read::Rows(rows), By::Others);
                news.recount = true;
            }
        }
    }

    /// The same, for what was found out by asking.
    pub(super) fn take_in_recalls(&mut self, recalls: &[Recall]) {
        self.reopen();
        let mut news = News::default();
        for recall in recalls {
            self.recall(recall, &mut news);
        }
        self.publish(news);
    }

    /// Takes these out: at once what waits, by [`delete_doomed`](Self::delete_doomed) what is in the file.
    pub(super) fn remove(&mut self, rows: &[RowId], news: &mut News) {
        news.recount |= !rows.is_empty();
        for row in rows {
            match self.waiting.message(*row) {
                Some(message) => self.unwritten.gone(message),
                None => self.doomed.push(*row),
            }
        }
        self.waiting.delete(rows);
        // Nobody has heard of those that came just now.
        let told = rows.iter().filter(|row| !news.has(**row));
        news.gone.extend(told.copied().collect::<Vec<_>>());
        news.fresh.retain(|fresh| !rows.contains(&fresh.message.row));
    }

    pub(super) fn delete_doomed(&mut self) {
        if self.doomed.is_empty() {
            return;
        }
        // The index has no word of what is gone before it came there.
        while self.index() {}
        let Some(database) = &mut self.database else { return };
        match database.delete(&self.doomed, By::Others) {
            Ok(_) => self.doomed.clear(),
            // It is tried again with the next message.
            Err(error) => debug!("messages could not be deleted yet: {error}"),
        }
    }

    /// Writes what is to be remembered of what is gone.
    pub(super) fn keep_recalled(&mut self) {
        if self.unwritten.is_empty() {
            return;
        }
        let Some(database) = &mut self.database else { return };
        match database.remember(&self.unwritten) {
            Ok(()) => self.unwritten.clear(),
            Err(error) => debug!("what is gone could not be noted yet: {error}"),
        }
    }

    /// There is a file to look into: what came meanwhile may be known in it, and what was said meanwhile is about what is in it.
    pub(super) fn check_waiting(&mut self) {
        for message in self.waiting.unchecked() {
            let known = self.look_up(|database| Ok(database.has(&message)? || database.adopt(&message)?));
            let (mut dropped, mut read) = (known, false);
            if let Some(series) = message.series.as_ref().filter(|_| !known) {
                let others = self.look_up(|database| database.of_series(&message.channel, series));
                let mut stones = self.look_up(|database| database.stones(&message.channel, series));
                let meant = stones.meant(&message);
                dropped = meant == Some(Recalled::Deleted) || is_outdated(&message, &others);
                read = meant == Some(Recalled::Read);
                if !dropped {
                    self.doomed.extend(others.into_iter().map(|(row, _)| row));
                }
            }
            if dropped {
                self.waiting.delete(&[message.row]);
                self.count(&message.channel, |dropped| dropped.repeated += 1);
            } else if read {
                self.waiting.mark_read(|waiting| waiting.row == message.row);
            }
        }
        for ((channel, series), Stones { deleted, read }) in self.unwritten.stones.clone() {
            for (row, sent) in self.look_up(|database| database.of_series(&channel, &series)) {
                if deleted.as_ref().is_some_and(|stone| sent <= stone.at) {
                    self.doomed.push(row);
                } else if read.as_ref().is_some_and(|stone| sent <= stone.at) {
                    self.mark_read(&Read::Rows(vec![row]), By::Others);
                }
            }
        }
    }

    /// The channel's server counts anew.
    pub(super) fn begin_anew(&mut self, channel: &str) {
        self.reopen();
        self.flush();
        self.unwritten.forget(channel);
        self.waiting.begin_anew(channel);
        if let Some(reached) = self.reached.get_mut(channel) {
            (reached.newest, reached.highest) = (None, None);
        }
        if let Some(database) = &mut self.database
            && let Err(error) = database.begin_anew(channel)
        {
            warn!(
                channel,
                "its server counts anew, and what is stored could not be told from what comes: {error}"
            );
        }
    }

    fn stones(&mut self, channel: &str, series: &str) -> Stones {
        match self.unwritten.stones.get(&(channel.to_owned(), series.to_owned())) {
            Some(stones) => stones.clone(),
            None => self.look_up(|database| database.stones(channel, series)),
        }
    }

    /// The messages of this series that are there.
    fn of_series(&mut self, channel: &str, series: &str) -> Vec<(RowId, Timestamp)> {
        let mut rows = self.look_up(|database| database.of_series(channel, series));
        rows.retain(|(row, _)| !self.doomed.contains(row));
        let of = |message: &&Message| message.channel == channel && message.series.as_deref() == Some(series);
        rows.extend(self.waiting.newest_first().filter(of).map(|message| (message.row, message.sent())));
        rows
    }
}

/// Whether one of these others of its series is the later one. The first of a series is before all others, also within a second.
fn is_outdated(message: &Message, others: &[(RowId, Timestamp)]) -> bool {
    let later = |(_, sent): &(RowId, Timestamp)| *sent > message.sent();
    !message.is_update() && !others.is_empty() || others.iter().any(later)
}
