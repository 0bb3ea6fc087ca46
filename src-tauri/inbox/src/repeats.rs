//! Whether a message came before.
//!
//! One that came over the plain recipe may be sent once more over the first link of `tidings.v1`. The recipe knows it by its sender's
//! id, and the envelope by one of its server's. What both have is the text.

use rusqlite::params;

use crate::database::Database;
use crate::message::Message;

impl Database {
    /// Whether it came before. Where a server may give an id twice, only one of this id and content did; without an id none. Where it
    /// gives none twice, one of this content may have come by a link by which it did (before the switch to `tidings.v1`).
    pub(crate) fn has(&self, message: &Message) -> rusqlite::Result<bool> {
        let Message { channel, id, raw, .. } = message;
        if message.series.is_none() {
            return self
                .connection
                .prepare_cached("SELECT 1 FROM message WHERE channel = ?1 AND id = ?2 AND raw = ?3")?
                .exists(params![channel, id, raw]);
        }
        let known = "SELECT 1 FROM message WHERE channel = ?1 AND id = ?2 AND (series IS NOT NULL OR raw = ?3) \
                     UNION ALL SELECT 1 FROM gone WHERE channel = ?1 AND id = ?2";
        self.connection.prepare_cached(known)?.exists(params![channel, id, raw])
    }

    /// Gives its id and series to the oldest message that came by its [`own_id`](Message::own_id), says the same, and has no series yet;
    /// whether there was one.
    pub(crate) fn adopt(&self, message: &Message) -> rusqlite::Result<bool> {
        let Message { channel, id, series, own_id, raw, .. } = message;
        let first = "UPDATE message SET id = ?1, series = ?2 WHERE row = (SELECT row FROM message \
                     WHERE channel = ?3 AND id = ?4 AND raw = ?5 AND series IS NULL ORDER BY row LIMIT 1)";
        let adopted =
            self.connection.prepare_cached(first)?.execute(params![id, series, channel, own_id, raw])?;
        Ok(adopted > 0)
    }
}
