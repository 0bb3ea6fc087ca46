//! The writer and its file: all that waits is written, and what is done where there is no file, or none that can
//! be written or read.

use tracing::{debug, error, info, warn};

use super::{BATCH, Writer};
use crate::Notice;
use crate::calendar::Calendar;
use crate::database::Database;
use crate::open::{self, Contents, OpenError, Opened, is_corrupt};

/// Damaged files that one run sets aside. More than that is a broken disk, and a new file each time no cure.
pub(super) const REPLACEMENTS: u8 = 3;

impl Writer {
    /// Without a file, tries to get one.
    pub(super) fn reopen(&mut self) {
        if self.database.is_none() {
            self.use_opened(open::open_or_set_aside(&self.path));
        }
    }

    /// Writes all that waits, as far as the file lets us.
    pub(super) fn flush(&mut self) {
        if self.waiting.is_empty() && self.outcomes.is_empty() {
            self.keep_reached();
            self.keep_recalled();
            self.give_receipts();
            return;
        }
        let waited = self.trouble;
        let mut written = 0;
        while let Some(database) = &mut self.database {
            let count = self.waiting.len().min(BATCH);
            match database.write(self.waiting.oldest(count), &self.outcomes, &self.settled) {
                Ok(()) => {
                    self.waiting.written(count);
                    self.outcomes.clear();
                    self.settled.clear();
                    written += count;
                }
                Err(error) if is_corrupt(&error) && self.replacements < REPLACEMENTS => {
                    self.replace_file(&error);
                }
                Err(error) => {
                    if !self.trouble {
                        self.trouble = true;
                        let notice = self.not_written(&error);
                        self.tell(notice);
                    }
                    break;
                }
            }
            if self.waiting.is_empty() && self.outcomes.is_empty() {
                break;
            }
        }
        if waited && self.waiting.is_empty() && self.outcomes.is_empty() {
            self.trouble = false;
            self.giving_up = false;
            self.recount();
            self.tell(Notice::Written { file: self.path.clone(), written });
        }
        if !self.trouble {
            self.delete_doomed();
        }
        self.give_up_the_oldest();
        self.keep_reached();
        self.keep_recalled();
        self.give_receipts();
    }

    /// Writes how far channels came where no message brings it into the file, after all that came before them.
    fn keep_reached(&mut self) {
        if !self.reached_moved || !self.waiting.is_empty() {
            return;
        }
        let Some(database) = &mut self.database else { return };
        match database.write_reached(&self.reached) {
            Ok(()) => self.reached_moved = false,
            // The worst that follows is one more repetition.
            Err(error) => debug!("the last ids could not be written: {error}"),
        }
    }

    /// Keeps `waiting` within its limits.
    pub(super) fn give_up_the_oldest(&mut self) {
        let given_up = self.waiting.give_up();
        if given_up.is_empty() {
            return;
        }
        for row in &given_up {
            self.in_flight.remove(row);
        }
        self.recount();
        // Which of them are for these isn't known: what is not acknowledged comes again.
        self.receipts.clear();
        let first_time = !self.giving_up;
        self.giving_up = true;
        if first_time {
            self.tell(Notice::GivenUp { file: self.path.clone() });
        }
    }

    /// The file turned out to be damaged while in use.
    pub(super) fn replace_file(&mut self, error: &rusqlite::Error) {
        self.replacements += 1;
        // Closed first, or its log would be written under the new file's name.
        self.database = None;
        self.outcomes.clear();
        self.settled.clear();
        self.doomed.clear();
        info!("the inbox is damaged: {error}");
        self.use_opened(open::replace(&self.path, error.into()));
        self.recount();
    }

    pub(super) fn use_opened(&mut self, (opened, notice): Opened) {
        if let Some(notice) = notice {
            self.tell(notice);
        }
        match opened {
            Ok((database, contents)) => self.adopt(database, contents),
            Err(error) => {
                let notice = self.no_file(&error);
                if self.trouble {
                    debug!("{notice}");
                } else {
                    self.trouble = true;
                    self.tell(notice);
                }
            }
        }
    }

    /// Takes this file into use and brings together what it and this run know.
    pub(super) fn adopt(&mut self, mut database: Database, contents: Contents) {
        self.next_row = self.next_row.max(contents.next_row);
        if !self.reached.is_empty()
            && let Err(error) = database.write_reached(&self.reached)
        {
            warn!("the last ids could not be written: {error}");
        }
        for (channel, mut reached) in contents.reached {
            if let Some(later) = self.reached.remove(&channel) {
                reached.and_then(later);
            }
            self.reached.insert(channel, reached);
        }
        self.database = Some(database);
        self.check_waiting();
        self.calendar = Calendar::default();
        self.recount();
    }

    /// What the file answers; as good as nothing if it can't.
    pub(super) fn look_up<T: Default>(
        &mut self,
        question: impl FnOnce(&Database) -> rusqlite::Result<T>,
    ) -> T {
        let Some(database) = &self.database else { return T::default() };
        question(database).unwrap_or_else(|error| {
            if is_corrupt(&error) && self.replacements < REPLACEMENTS {
                self.replace_file(&error);
            } else {
                warn!("the inbox could not be read: {error}");
            }
            T::default()
        })
    }

    pub(super) fn finish(mut self) {
        self.reopen();
        self.flush();
        while self.index() {}
        let settled = std::mem::take(&mut self.settled);
        if let Some(database) = self.database.as_mut().filter(|_| !settled.is_empty())
            && let Err(error) = database.write(std::iter::empty(), &[], &settled)
        {
            debug!("what is settled is not noted: {error}");
        }
        if !self.waiting.is_empty() {
            error!(
                "{} messages were shown but never written to the inbox {}",
                self.waiting.len(),
                self.path.display()
            );
        }
        if let Some(database) = &self.database
            && let Err(error) = database.checkpoint()
        {
            // All is committed; the next start reads it from the log.
            info!("the inbox's log stays beside it: {error}");
        }
    }

    /// Why there is no file, for the user.
    pub(super) fn no_file(&self, error: &OpenError) -> Notice {
        let (file, why) = (self.path.clone(), error.why());
        match error {
            OpenError::Newer(_) => Notice::Newer { file, why },
            OpenError::Damaged(_) | OpenError::Unavailable(_) => Notice::Unavailable { file, why },
        }
    }

    pub(super) fn not_written(&self, error: &rusqlite::Error) -> Notice {
        info!("the inbox can't be written: {error}");
        Notice::NotWritten { file: self.path.clone(), why: error.into() }
    }
}
