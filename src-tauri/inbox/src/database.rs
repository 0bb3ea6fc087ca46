//! The SQLite file, and the statements that run on it (those that look for something are in `history`).
//!
//! Write-ahead log with `synchronous = NORMAL`: what is committed survives any end of this process, and a
//! loss of power can undo the last moments but never damages the file. FULL would add a disk flush to each
//! message's way to its popup. What a loss of power undoes, it undoes together with the channel's last id,
//! so a server that can replay sends it again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, TransactionBehavior, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::message::{
    Action, Attachment, Does, Format, HttpRequest, Message, Priority, Raw, RowId, Sound, Urgency,
};
use crate::recall::{MARKED, Recalled, Stone, Stones, Unwritten};
use crate::schema::index;
use crate::text::link;

/// Ids and series that are remembered of what is gone; of more, the oldest are forgotten. Too few: what was deleted comes back where
/// a server repeats a lot; too many: the file grows by them.
const REMEMBERED: i64 = 10_000;

/// Those that are read, or unread, of before so many days. By their rows: an index of what is read would be walked to its end each
/// time.
pub(crate) const OF_AGE: &str = "SELECT row FROM message NOT INDEXED WHERE unread = ?1
    AND row < (SELECT first_row FROM day ORDER BY number DESC LIMIT 1 OFFSET ?2) ORDER BY row LIMIT ?3";

/// How far a message is on its way to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// To be shown.
    Pending,
    /// Shown in a popup of its own.
    Shown,
    /// Counted in a summary.
    Summarised,
    /// Not to be shown.
    Silent,
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = match self {
            Self::Pending => 0,
            Self::Shown => 1,
            Self::Summarised => 2,
            Self::Silent => 3,
        };
        Ok(ToSqlOutput::Owned(Sql::Integer(number)))
    }
}

impl ToSql for RowId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Sql::Integer(self.0)))
    }
}

impl ToSql for Raw {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Binary(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// An open file of the current version.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    /// Messages in it.
    pub(crate) count: u64,
    /// The last row that the search's index has; those behind it are yet to be indexed.
    pub(crate) indexed: RowId,
    /// Whether there are any.
    pub(crate) behind: bool,
}

/// A message that is to be shown and was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) row: RowId,
    pub(crate) channel: String,
    pub(crate) urgency: Urgency,
    pub(crate) expires: Option<Timestamp>,
}

/// How far a channel's messages have come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reached {
    /// Of the message that came last of those that had one.
    pub(crate) last_id: String,
    /// The latest time of a message, by its server's clock but never later than by ours; in milliseconds. Only where no id is
    /// given twice, as the next.
    pub(crate) newest: Option<i64>,
    /// The highest id that is a number.
    pub(crate) highest: Option<i64>,
}

impl Reached {
    /// As far as this message.
    pub(crate) fn by(message: &Message) -> Option<Self> {
        let last_id = message.id.clone()?;
        let unique = message.series.is_some();
        let newest = message.sent().min(message.received_at).as_millisecond();
        let highest = last_id.parse().ok().filter(|_| unique);
        Some(Self { last_id, newest: unique.then_some(newest), highest })
    }

    pub(crate) fn and_then(&mut self, later: Self) {
        self.last_id = later.last_id;
        self.newest = self.newest.max(later.newest);
        self.highest = self.highest.max(later.highest);
    }
}

/// Which messages were read.
pub(crate) enum Read {
    Rows(Vec<RowId>),
    /// This channel's.
    Channel(String),
    All,
}

impl Read {
    pub(crate) fn has(&self, message: &Message) -> bool {
        match self {
            Self::Rows(rows) => rows.contains(&message.row),
            Self::Channel(channel) => *channel == message.channel,
            Self::All => true,
        }
    }
}

/// Who has a message read or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Its server may want to know.
    User,
    /// Its server, or we: that is nobody's news.
    Others,
}

/// How many of each channel were deleted that were unread.
pub(crate) type Deleted = BTreeMap<String, u64>;

impl Database {
    /// Writes these, what became of earlier ones, and which of those are settled, in one transaction. The search's index has them by
    /// [`index`](Self::index) only: it has time until somebody searches, and a popup waits for this.
    pub(crate) fn write<'a>(
        &mut self,
        messages: impl Iterator<Item = (&'a Message, State)>,
        states: &[(RowId, State)],
        settled: &[RowId],
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut inserted = 0;
        for (message, state) in messages {
            insert(&transaction, message, state)?;
            inserted += 1;
        }
        let mut update =
            transaction.prepare_cached("UPDATE message SET state = ?2 WHERE row = ?1 AND state = 0")?;
        for (row, state) in states {
            update.execute(params![row, state])?;
        }
        drop(update);
        let mut settle = transaction.prepare_cached("UPDATE message SET delivery = NULL WHERE row = ?1")?;
        for row in settled {
            settle.execute([row.0])?;
        }
        drop(settle);
        transaction.commit()?;
        self.count += inserted;
        self.behind |= inserted > 0;
        Ok(())
    }

    /// Makes some of the messages findable that are not yet, the oldest first. Those that a kill left without are found out by
    /// what the index has.
    pub(crate) fn index(&mut self, limit: usize) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (mut last, mut found) = (self.indexed, 0);
        {
            let mut rows = transaction.prepare_cached(
                "SELECT row, title, body FROM message WHERE row > ?1 ORDER BY row LIMIT ?2",
            )?;
            let mut rows = rows.query(params![last, i64::try_from(limit).unwrap_or(i64::MAX)])?;
            while let Some(row) = rows.next()? {
                last = RowId(row.get(0)?);
                index(&transaction, last, row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?)?;
                found += 1;
            }
        }
        transaction.commit()?;
        self.indexed = last;
        self.behind = found == limit;
        Ok(())
    }

    /// Keeps the last ids of a run that began without this file.
    pub(crate) fn write_reached(&mut self, reached: &BTreeMap<String, Reached>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (channel, reached) in reached {
            save_reached(&transaction, channel, reached)?;
        }
        transaction.commit()
    }

    /// Those that say the same and of which their server doesn't know that they are stored, with the numbers of their deliveries.
    pub(crate) fn unsettled(&self, message: &Message) -> rusqlite::Result<Vec<(RowId, u16)>> {
        let Message { channel, topic, raw, .. } = message;
        let same = "SELECT row, delivery FROM message \
                    WHERE channel = ?1 AND delivery IS NOT NULL AND topic IS ?2 AND raw = ?3 ORDER BY row";
        self.connection
            .prepare_cached(same)?
            .query_map(params![channel, topic, raw], |row| Ok((RowId(row.get(0)?), row.get(1)?)))?
            .collect()
    }

    /// Whether one of this topic says the same.
    pub(crate) fn says(&self, message: &Message) -> rusqlite::Result<bool> {
        let Message { channel, topic, raw, .. } = message;
        let same = "SELECT 1 FROM message WHERE channel = ?1 AND topic = ?2 AND raw = ?3";
        self.connection.prepare_cached(same)?.exists(params![channel, topic, raw])
    }

    /// The channel's server knows that all is stored.
    pub(crate) fn settle_all(&self, channel: &str) -> rusqlite::Result<()> {
        let settled = "UPDATE message SET delivery = NULL WHERE channel = ?1 AND delivery IS NOT NULL";
        self.connection.prepare_cached(settled)?.execute([channel]).map(|_| ())
    }

    /// Those of this series, and when each was sent.
    pub(crate) fn of_series(&self, channel: &str, series: &str) -> rusqlite::Result<Vec<(RowId, Timestamp)>> {
        let rows = "SELECT row, coalesce(sent_at, received_at) FROM message WHERE channel = ?1 AND series = ?2 ORDER BY row";
        self.connection
            .prepare_cached(rows)?
            .query_map([channel, series], |row| Ok((RowId(row.get(0)?), time(row.get(1)?))))?
            .collect()
    }

    /// What was said last of this series.
    pub(crate) fn stones(&self, channel: &str, series: &str) -> rusqlite::Result<Stones> {
        let mut stones = Stones::default();
        let mut rows = self
            .connection
            .prepare_cached("SELECT what, at, id, spent FROM stone WHERE channel = ?1 AND series = ?2")?;
        let mut rows = rows.query([channel, series])?;
        while let Some(row) = rows.next()? {
            let what = if row.get::<_, i64>(0)? == 0 { Recalled::Deleted } else { Recalled::Read };
            *stones.of(what) = Some(Stone { at: time(row.get(1)?), id: row.get(2)?, spent: row.get(3)? });
        }
        Ok(stones)
    }

    /// Writes what is to be remembered of what is gone.
    pub(crate) fn remember(&mut self, unwritten: &Unwritten) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (channel, id) in &unwritten.gone {
            remember_gone(&transaction, channel, id)?;
        }
        for ((channel, series), stones) in &unwritten.stones {
            for (what, stone) in [(0, &stones.deleted), (1, &stones.read)] {
                let Some(Stone { at, id, spent }) = stone else { continue };
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO stone (channel, series, what, at, id, spent) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![channel, series, what, at.as_millisecond(), id, spent])?;
            }
        }
        for table in ["gone", "stone"] {
            forget_the_oldest(&transaction, table)?;
        }
        transaction.commit()
    }

    /// From now on the channel's ids are others': nothing that comes repeats what is there.
    pub(crate) fn begin_anew(&mut self, channel: &str) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for statement in [
            "UPDATE message SET series = NULL WHERE channel = ?1 AND series IS NOT NULL",
            "DELETE FROM gone WHERE channel = ?1",
            "DELETE FROM stone WHERE channel = ?1",
            "UPDATE channel SET newest = NULL, highest = NULL WHERE id = ?1",
        ] {
            transaction.execute(statement, [channel])?;
        }
        transaction.commit()
    }

    /// What is to be shown and was not; oldest first.
    pub(crate) fn pending(&self) -> rusqlite::Result<Vec<Pending>> {
        self.connection
            .prepare_cached(
                "SELECT row, channel, urgency, expires FROM message WHERE state = 0 ORDER BY row",
            )?
            .query_map([], |row| {
                Ok(Pending {
                    row: RowId(row.get(0)?),
                    channel: row.get(1)?,
                    urgency: read_urgency(row.get(2)?),
                    expires: row
                        .get::<_, Option<i64>>(3)?
                        .and_then(|time| Timestamp::from_millisecond(time).ok()),
                })
            })?
            .collect()
    }

    pub(crate) fn message(&self, row: RowId) -> rusqlite::Result<Option<Message>> {
        self.connection
            .prepare_cached("SELECT * FROM message WHERE row = ?1")?
            .query_row([row], read)
            .optional()
    }

    /// Those of these that are not there.
    pub(crate) fn missing(&self, rows: impl Iterator<Item = RowId>) -> rusqlite::Result<Vec<RowId>> {
        let mut there = self.connection.prepare_cached("SELECT 1 FROM message WHERE row = ?1")?;
        let mut missing = Vec::new();
        for row in rows {
            if !there.exists([row])? {
                missing.push(row);
            }
        }
        Ok(missing)
    }

    /// Marks these as read. What was still to be shown is so no more.
    pub(crate) fn mark_read(&mut self, which: &Read, by: By) -> rusqlite::Result<()> {
        const READ: &str = "UPDATE message SET unread = 0, state = iif(state = 0, 3, state) WHERE unread = 1";
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if by == By::User {
            remember_unsaid(&transaction, which)?;
        }
        match which {
            Read::All => {
                transaction.execute(READ, [])?;
            }
            Read::Channel(channel) => {
                transaction.execute(&format!("{READ} AND channel = ?1"), [channel])?;
            }
            Read::Rows(rows) => {
                let mut update = transaction.prepare_cached(&format!("{READ} AND row = ?1"))?;
                for row in rows {
                    update.execute([row])?;
                }
            }
        }
        transaction.commit()
    }

    /// Those of this channel that were read here, and whose server hasn't said that it knows; oldest first.
    pub(crate) fn unsaid(&self, channel: &str) -> rusqlite::Result<Vec<String>> {
        self.connection
            .prepare_cached("SELECT id FROM unsaid WHERE channel = ?1 ORDER BY row")?
            .query_map([channel], |row| row.get(0))?
            .collect()
    }

    /// The server knows that these were read; those that were not waited for.
    pub(crate) fn said(&mut self, channel: &str, ids: &[String]) -> rusqlite::Result<Vec<String>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut news = Vec::new();
        {
            let mut said = transaction.prepare_cached("DELETE FROM unsaid WHERE channel = ?1 AND id = ?2")?;
            for id in ids {
                if said.execute([channel, id.as_str()])? == 0 {
                    news.push(id.clone());
                }
            }
        }
        transaction.commit()?;
        Ok(news)
    }

    /// Deletes these.
    pub(crate) fn delete(&mut self, rows: &[RowId], by: By) -> rusqlite::Result<Deleted> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if by == By::User {
            remember_unsaid(&transaction, &Read::Rows(rows.to_vec()))?;
        }
        let mut deleted = Deleted::new();
        let (mut count, mut remembered) = (0, false);
        {
            let mut message = transaction.prepare_cached(
                "DELETE FROM message WHERE row = ?1 RETURNING channel, unread, iif(series IS NULL, NULL, id)",
            )?;
            let mut terms = transaction.prepare_cached("DELETE FROM search WHERE rowid = ?1")?;
            for row in rows {
                let gone = message
                    .query_row([row], |row| {
                        Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?))
                    })
                    .optional()?;
                let Some((channel, unread, id)) = gone else { continue };
                terms.execute([row])?;
                count += 1;
                // Its server may send it again.
                if let Some(id) = id {
                    remember_gone(&transaction, &channel, &id)?;
                    remembered = true;
                }
                if unread {
                    *deleted.entry(channel).or_default() += 1;
                }
            }
        }
        if remembered {
            forget_the_oldest(&transaction, "gone")?;
        }
        transaction.commit()?;
        self.count = self.count.saturating_sub(count);
        Ok(deleted)
    }

    /// Up to `limit` messages that need not be kept any longer. Those before the last `days` days and today: the read before the
    /// unread, the oldest first; then, while there are more than `keep`, the oldest, read or not.
    pub(crate) fn outdated(&self, days: u32, keep: u64, limit: usize) -> rusqlite::Result<Vec<RowId>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut of_age = self.connection.prepare_cached(OF_AGE)?;
        for unread in [false, true] {
            let rows = of_age.query_map(params![unread, days, limit], |row| row.get(0).map(RowId))?;
            let rows = rows.collect::<Result<Vec<RowId>, _>>()?;
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
        let excess = i64::try_from(self.count.saturating_sub(keep)).unwrap_or(i64::MAX);
        self.connection
            .prepare_cached("SELECT row FROM message ORDER BY row LIMIT ?1")?
            .query_map([excess.min(limit)], |row| row.get(0).map(RowId))?
            .collect()
    }

    /// By channel, only those that have some.
    pub(crate) fn unread(&self) -> rusqlite::Result<BTreeMap<String, u64>> {
        self.connection
            .prepare_cached("SELECT channel, unread FROM tally WHERE unread > 0")?
            .query_map([], |row| Ok((row.get(0)?, unsigned(row, 1)?)))?
            .collect()
    }

    /// Brings everything into the one file and shortens the log to nothing.
    pub(crate) fn checkpoint(&self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }
}

fn insert(connection: &Connection, message: &Message, state: State) -> rusqlite::Result<()> {
    let Message { row, channel, id, title, body, priority, url, icon, image, tag, actions, .. } = message;
    let Message {
        silent, urgency, sound, sent_at, expires, received_at, raw, unread, opaque, format, ..
    } = message;
    let Message { series, delivery, topic, app, tags, attachments, .. } = message;
    let sound = match sound {
        Sound::Usual => None,
        Sound::Off => Some(""),
        Sound::Named(name) => Some(name.as_str()),
    };
    let actions: Vec<StoredAction> = actions.iter().map(StoredAction::of).collect();
    let (actions, tags, attachments) = (list(&actions), list(tags), list(attachments));
    connection
        .prepare_cached(
            "INSERT INTO message (row, channel, id, state, unread, received_at, sent_at, expires, priority, silent, \
             title, body, url, icon, image, tag, actions, raw, urgency, sound, opaque, format, series, topic, app, tags, \
             attachments, delivery) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
             ?22, ?23, ?24, ?25, ?26, ?27, ?28)",
        )?
        .execute(params![
            row,
            channel,
            id,
            state,
            unread,
            received_at.as_millisecond(),
            sent_at.map(Timestamp::as_millisecond),
            expires.map(Timestamp::as_millisecond),
            priority.level(),
            silent,
            title,
            body,
            url.as_ref().map(Url::as_str),
            icon,
            image,
            tag,
            actions,
            raw,
            match urgency {
                Urgency::Low => 0,
                Urgency::Normal => 1,
                Urgency::Critical => 2,
            },
            sound,
            opaque,
            match format {
                Format::Plain => 0,
                Format::Markdown => 1,
            },
            series,
            topic,
            app,
            tags,
            attachments,
            delivery
        ])?;
    match Reached::by(message) {
        Some(reached) => save_reached(connection, channel, &reached),
        None => Ok(()),
    }
}

/// In JSON; nothing for none.
fn list<T: Serialize>(items: &[T]) -> Option<String> {
    if items.is_empty() { None } else { serde_json::to_string(items).ok() }
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn remember_gone(connection: &Connection, channel: &str, id: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO gone (channel, id) VALUES (?1, ?2)")?
        .execute([channel, id])
        .map(|_| ())
}

/// Those of these that are unread and whose server wants to know that they were read.
fn remember_unsaid(connection: &Connection, which: &Read) -> rusqlite::Result<()> {
    let unread = "INSERT OR IGNORE INTO unsaid (channel, id) \
                  SELECT channel, id FROM message WHERE unread = 1 AND series = ?1 || id";
    match which {
        Read::All => {
            connection.execute(unread, [MARKED])?;
        }
        Read::Channel(channel) => {
            connection.execute(&format!("{unread} AND channel = ?2"), [MARKED, channel.as_str()])?;
        }
        Read::Rows(rows) => {
            let mut unread = connection.prepare_cached(&format!("{unread} AND row = ?2"))?;
            for row in rows {
                unread.execute(params![MARKED, row])?;
            }
        }
    }
    forget_the_oldest(connection, "unsaid")
}

fn forget_the_oldest(connection: &Connection, table: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!("DELETE FROM {table} WHERE row <= (SELECT max(row) FROM {table}) - ?1"))?
        .execute([REMEMBERED])
        .map(|_| ())
}

fn read_urgency(number: i64) -> Urgency {
    match number {
        ..=0 => Urgency::Low,
        1 => Urgency::Normal,
        2.. => Urgency::Critical,
    }
}

/// A count; no file of ours holds a negative one.
pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0))
}

fn save_reached(connection: &Connection, channel: &str, reached: &Reached) -> rusqlite::Result<()> {
    let Reached { last_id, newest, highest } = reached;
    connection
        .prepare_cached(
            "INSERT INTO channel (id, last_id, newest, highest) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET \
             last_id = excluded.last_id, \
             newest = max(coalesce(newest, excluded.newest), coalesce(excluded.newest, newest)), \
             highest = max(coalesce(highest, excluded.highest), coalesce(excluded.highest, highest))",
        )?
        .execute(params![channel, last_id, newest, highest])
        .map(|_| ())
}

/// An action as it is in the file.
#[derive(Serialize, Deserialize)]
struct StoredAction {
    label: String,
    #[serde(flatten)]
    does: StoredDoes,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredDoes {
    Url(String),
    Copy(String),
    Send { method: String, url: String, headers: Vec<(String, String)>, body: String, clear: bool },
}

impl StoredAction {
    fn of(Action { label, does }: &Action) -> Self {
        let does = match does {
            Does::Open(url) => StoredDoes::Url(url.to_string()),
            Does::Copy(text) => StoredDoes::Copy(text.clone()),
            Does::Send(HttpRequest { method, url, headers, body, clear }) => StoredDoes::Send {
                method: method.clone(),
                url: url.to_string(),
                headers: headers.clone(),
                body: body.clone(),
                clear: *clear,
            },
        };
        Self { label: label.clone(), does }
    }

    fn read(self) -> Option<Action> {
        let does = match self.does {
            StoredDoes::Url(url) => Does::Open(link(&url)?),
            StoredDoes::Copy(text) => Does::Copy(text),
            StoredDoes::Send { method, url, headers, body, clear } => {
                Does::Send(HttpRequest { method, url: link(&url)?, headers, body, clear })
            }
        };
        Some(Action { label: self.label, does })
    }
}

/// What is no such list is empty.
fn read_list<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Vec<T>> {
    let list: Option<String> = row.get(column)?;
    Ok(list.and_then(|list| serde_json::from_str(&list).ok()).unwrap_or_default())
}

/// A row as a message. The file is ours, but a link in it is checked again before anyone may click it.
fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    let time = |name| row.get(name).map(|time: Option<i64>| Timestamp::from_millisecond(time?).ok());
    let actions: Vec<StoredAction> = read_list(row, "actions")?;
    let mut attachments: Vec<Attachment> = read_list(row, "attachments")?;
    attachments.retain(|attachment| link(attachment.url.as_str()).is_some());
    let raw = match row.get("raw")? {
        Sql::Blob(bytes) => Raw::Binary(bytes),
        Sql::Text(text) => Raw::Text(text),
        Sql::Null | Sql::Integer(_) | Sql::Real(_) => Raw::Text(String::new()),
    };
    Ok(Message {
        row: RowId(row.get("row")?),
        channel: row.get("channel")?,
        id: row.get("id")?,
        series: row.get("series")?,
        own_id: None,
        delivery: None,
        topic: row.get("topic")?,
        app: row.get("app")?,
        title: row.get("title")?,
        body: row.get("body")?,
        format: match row.get::<_, i64>("format")? {
            1 => Format::Markdown,
            _ => Format::Plain,
        },
        opaque: row.get("opaque")?,
        priority: Priority::clamped(row.get("priority")?),
        url: row.get::<_, Option<String>>("url")?.and_then(|url| link(&url)),
        icon: row.get("icon")?,
        image: row.get("image")?,
        tag: row.get("tag")?,
        actions: actions.into_iter().filter_map(StoredAction::read).collect(),
        tags: read_list(row, "tags")?,
        attachments,
        silent: row.get("silent")?,
        urgency: read_urgency(row.get("urgency")?),
        sound: match row.get::<_, Option<String>>("sound")? {
            None => Sound::Usual,
            Some(name) if name.is_empty() => Sound::Off,
            Some(name) => Sound::Named(name),
        },
        sent_at: time("sent_at")?,
        expires: time("expires")?,
        received_at: time("received_at")?.unwrap_or(Timestamp::UNIX_EPOCH),
        raw,
        unread: row.get("unread")?,
    })
}
