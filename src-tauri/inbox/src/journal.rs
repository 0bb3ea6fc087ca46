//! Short notes about channels, kept for a day beside the messages: what a channel did, in words that only their writer
//! understands. They are no messages, and a file that can't be written just now loses them.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{TransactionBehavior, params};

use crate::database::Database;

/// How long a note is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What is noted for a time so far after the newest note was noted by a clock that has been put back since. Too low: a
/// step of the time service costs notes; too high: what is not so any more hides what is.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// Notes that are kept of one channel. Too few: a channel that comes and goes shows less than its day. Too many: the
/// page that shows them takes long.
const MOST: i64 = 10_000;

/// One note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Id of the channel that it is about.
    pub channel: String,
    /// When it was so; exact to the millisecond.
    pub at: Timestamp,
    /// What it says holds until the next lasting one: the last of these is kept, however old it is.
    pub lasting: bool,
    /// What it says.
    pub data: String,
}

impl Database {
    /// Keeps these, and forgets what is older than a day.
    pub(crate) fn note(&mut self, notes: &[Note]) -> rusqlite::Result<()> {
        let Some(newest) = notes.iter().map(|note| note.at).max() else { return Ok(()) };
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO journal (channel, at, lasting, data) VALUES (?1, ?2, ?3, ?4)")?;
            let mut prune = transaction.prepare_cached(
                "DELETE FROM journal WHERE channel = ?1 AND (at < ?2 OR at > ?4 OR row <= (
                     SELECT row FROM journal WHERE channel = ?1 ORDER BY row DESC LIMIT 1 OFFSET ?3))
                 AND row <> coalesce(
                     (SELECT max(row) FROM journal WHERE channel = ?1 AND lasting = 1 AND at < ?2), 0)",
            )?;
            for Note { channel, at, lasting, data } in notes {
                insert.execute(params![channel, at.as_millisecond(), lasting, data])?;
            }
            let cutoff = newest.saturating_sub(KEPT).map_or(0, Timestamp::as_millisecond);
            let ahead = newest.saturating_add(AHEAD).map_or(i64::MAX, Timestamp::as_millisecond);
            let mut channels: Vec<&str> = notes.iter().map(|note| note.channel.as_str()).collect();
            channels.sort_unstable();
            channels.dedup();
            for channel in channels {
                prune.execute(params![channel, cutoff, MOST, ahead])?;
            }
        }
        transaction.commit()
    }

    /// What is noted of a channel, in the order of writing.
    pub(crate) fn journal(&self, channel: &str) -> rusqlite::Result<Vec<Note>> {
        let mut rows = self
            .connection
            .prepare_cached("SELECT at, lasting, data FROM journal WHERE channel = ?1 ORDER BY row")?;
        let rows = rows.query_map([channel], |row| {
            Ok(Note {
                channel: channel.to_owned(),
                at: Timestamp::from_millisecond(row.get(0)?).unwrap_or(Timestamp::MIN),
                lasting: row.get(1)?,
                data: row.get(2)?,
            })
        })?;
        rows.collect()
    }
}
