//! The SQLite file: opening it, setting a damaged one aside, and every statement that runs on it.
//!
//! Write-ahead log with `synchronous = NORMAL`: what is committed survives any end of this process, and a
//! loss of power can undo the last moments but never damages the file. FULL would add a disk flush to each
//! message's way to its popup. What a loss of power undoes, it undoes together with the channel's last id,
//! so a server that can replay sends it again.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row, ToSql, TransactionBehavior, params,
};
use serde::Deserialize;
use url::Url;

use crate::Notice;
use crate::decode::link;
use crate::history::Query;
use crate::message::{Action, Message, Priority, Raw, RowId, Sound, Urgency};
use crate::writer::Read;
use crate::{journal, search};

/// Each makes of a file of its index's version one of the next; `user_version` counts them. Only ever add.
const MIGRATIONS: &[fn(&Connection) -> rusqlite::Result<()>] = &[
    |file| file.execute_batch(VERSION_1),
    |file| {
        file.execute_batch(VERSION_2)?;
        file.execute_batch(search::TABLES)?;
        let mut rows = file.prepare("SELECT row, title, body FROM message")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            index(file, RowId(row.get(0)?), row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?)?;
        }
        Ok(())
    },
    |file| file.execute_batch(VERSION_3),
    |file| file.execute_batch(journal::TABLE),
    |file| file.execute_batch(VERSION_5),
];

const VERSION_1: &str = "
    CREATE TABLE message (
        row INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never given twice, whatever is deleted
        channel TEXT NOT NULL,
        id TEXT,
        state INTEGER NOT NULL,                -- 0 pending, 1 shown, 2 summarised, 3 silent
        unread INTEGER NOT NULL,
        received_at INTEGER NOT NULL,          -- all times: Unix milliseconds
        sent_at INTEGER,
        expires INTEGER,
        priority INTEGER NOT NULL,
        silent INTEGER NOT NULL,
        title TEXT NOT NULL,
        body TEXT NOT NULL,
        url TEXT,
        icon TEXT,
        image TEXT,
        tag TEXT,
        actions TEXT,                          -- JSON: [{label, url}]
        raw ANY NOT NULL                       -- text, or a blob if it came as binary
    ) STRICT;
    CREATE INDEX message_id ON message (channel, id) WHERE id IS NOT NULL;
    CREATE INDEX message_pending ON message (row) WHERE state = 0;
    CREATE INDEX message_unread ON message (channel) WHERE unread = 1;
    CREATE TABLE channel (id TEXT PRIMARY KEY, last_id TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// What rules say, the search, what retention looks for, and counts that no start has to count.
const VERSION_2: &str = "
    ALTER TABLE message ADD COLUMN urgency INTEGER NOT NULL DEFAULT 1; -- 0 low, 1 normal, 2 critical
    ALTER TABLE message ADD COLUMN sound TEXT;                         -- '' for none, NULL for the usual
    UPDATE message SET urgency = iif(priority >= 5, 2, 0) WHERE priority NOT IN (3, 4);
    DROP INDEX message_unread;
    CREATE INDEX message_age ON message (unread, received_at);
    CREATE TABLE tally (channel TEXT PRIMARY KEY, messages INTEGER NOT NULL, unread INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;
    INSERT INTO tally SELECT channel, count(*), sum(unread) FROM message GROUP BY channel;
    CREATE TRIGGER message_comes AFTER INSERT ON message BEGIN
        INSERT INTO tally VALUES (new.channel, 1, new.unread) ON CONFLICT (channel)
            DO UPDATE SET messages = messages + 1, unread = unread + new.unread;
    END;
    CREATE TRIGGER message_goes AFTER DELETE ON message BEGIN
        UPDATE tally SET messages = messages - 1, unread = unread - old.unread WHERE channel = old.channel;
    END;
    CREATE TRIGGER message_read AFTER UPDATE OF unread ON message WHEN new.unread <> old.unread BEGIN
        UPDATE tally SET unread = unread + new.unread - old.unread WHERE channel = new.channel;
    END;
";

/// What the window's filters look for, each in the order of the rows.
const VERSION_3: &str = "
    CREATE INDEX message_channel ON message (channel);
    CREATE INDEX message_unread ON message (row) WHERE unread = 1;
    CREATE INDEX message_channel_unread ON message (channel) WHERE unread = 1;
";

/// What can't be read, and the days that Tidings was seen to run on (`calendar`). Those of a file without them are the
/// days on which something came. What is too old is found by its row.
const VERSION_5: &str = "
    ALTER TABLE message ADD COLUMN opaque INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE day (
        number INTEGER PRIMARY KEY,
        date INTEGER NOT NULL UNIQUE,          -- what the clock showed, in days since 1970: no two days of one date
        first_row INTEGER NOT NULL             -- all messages of that day and later ones have this row or a higher one
    ) STRICT;
    INSERT INTO day (date, first_row)
        SELECT received_at / 86400000, min(row) FROM message GROUP BY 1 ORDER BY 2;
";

/// How long another program may hold the file before we call it unavailable. Too low: a backup that looks in
/// costs a detour over memory. Too high: messages wait that long.
const BUSY: Duration = Duration::from_secs(1);

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

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// Another version's: none of our business.
    #[error("it was written by a newer Tidings (format {found}; this one knows {})", MIGRATIONS.len())]
    Newer { found: i64 },
    /// It will never open; a new file has to take its place.
    #[error("{0}")]
    Damaged(String),
    /// It may open another time.
    #[error("{0}")]
    Unavailable(String),
}

impl OpenError {
    fn of_sqlite(error: &rusqlite::Error) -> Self {
        let passing = matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::FileLockingProtocolFailed
                    | ErrorCode::OutOfMemory
                    | ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::ReadOnly
                    | ErrorCode::CannotOpen
                    | ErrorCode::PermissionDenied
            )
        );
        if passing { Self::Unavailable(error.to_string()) } else { Self::Damaged(error.to_string()) }
    }
}

/// Whether the file itself is broken, as opposed to the disk, a lock or a statement.
pub(crate) fn is_corrupt(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// What is known of the file's content when it is opened.
#[derive(Debug)]
pub(crate) struct Contents {
    /// Higher than every row ever given in this file.
    pub(crate) next_row: i64,
    pub(crate) last_ids: BTreeMap<String, String>,
}

/// What came of opening the file, and what the user should know of it.
pub(crate) type Opened = (Result<(Database, Contents), OpenError>, Option<Notice>);

/// An open file of the current version.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    /// Messages in it.
    count: u64,
}

/// A message that is to be shown and was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) row: RowId,
    pub(crate) channel: String,
    pub(crate) urgency: Urgency,
    pub(crate) expires: Option<Timestamp>,
}

/// How many of each channel were deleted that were unread.
pub(crate) type Deleted = BTreeMap<String, u64>;

/// Opens the file, or a new one if this one is damaged; the notice tells of the latter.
pub(crate) fn open_or_set_aside(path: &Path) -> Opened {
    match Database::open(path) {
        Err(OpenError::Damaged(reason)) => replace(path, &reason),
        outcome => (outcome, None),
    }
}

/// Sets the damaged file aside and opens a new one. Nobody may have it open.
pub(crate) fn replace(path: &Path, reason: &str) -> Opened {
    let aside = match set_aside(path) {
        Ok(aside) => aside,
        Err(error) => {
            let error =
                OpenError::Unavailable(format!("it is damaged ({reason}) and can't be set aside ({error})"));
            return (Err(error), None);
        }
    };
    let notice = Notice::SetAside { file: path.to_owned(), why: reason.to_owned(), aside };
    (Database::open(path), Some(notice))
}

/// Renames the file, and the log and index that belong to it, to a name that is free.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let with = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let mut end = format!(".corrupt-{stamp}");
    let mut again = 1;
    while with(&end).symlink_metadata().is_ok() {
        again += 1;
        end = format!(".corrupt-{stamp}-{again}");
    }
    fs::rename(path, with(&end))?;
    for part in ["-wal", "-shm"] {
        // A log left behind would be taken for the new file's.
        match fs::rename(with(part), with(&format!("{end}{part}"))) {
            Err(error) if error.kind() != ErrorKind::NotFound => fs::remove_file(with(part))?,
            Ok(()) | Err(_) => {}
        }
    }
    Ok(with(&end))
}

/// Makes sure that there is a file that we may read and write, and that nobody else may.
fn prepare_file(path: &Path) -> Result<(), OpenError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut folders = DirBuilder::new();
    let mut file = OpenOptions::new();
    folders.recursive(true);
    file.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        folders.mode(0o700);
        // SQLite gives its log and index the mode of the file.
        file.mode(0o600);
    }
    if let Some(folder) = folder {
        let refused = |error| OpenError::Unavailable(format!("its folder can't be made: {error}"));
        folders.create(folder).map_err(refused)?;
    }
    match file.open(path) {
        Ok(_) => Ok(()),
        // Its owner may have had a reason, and nothing is wrong with it.
        Err(error) if error.kind() == ErrorKind::PermissionDenied && fs::File::open(path).is_ok() => {
            Err(OpenError::Unavailable(format!("it may not be written: {error}")))
        }
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::IsADirectory) => {
            Err(OpenError::Damaged(error.to_string()))
        }
        Err(error) => Err(OpenError::Unavailable(error.to_string())),
    }
}

impl Database {
    fn open(path: &Path) -> Result<(Self, Contents), OpenError> {
        prepare_file(path)?;
        Self::open_prepared(path).map_err(|error| OpenError::of_sqlite(&error))?
    }

    fn open_prepared(path: &Path) -> rusqlite::Result<Result<(Self, Contents), OpenError>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let Some(missing) = usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found..)) else {
            return Ok(Err(OpenError::Newer { found }));
        };
        if !missing.is_empty() {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for migration in missing {
                migration(&transaction)?;
            }
            transaction.pragma_update(
                None,
                "user_version",
                i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX),
            )?;
            transaction.commit()?;
        }
        // After the migration, so that a file that is not ours is still as it was when it is set aside.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        // 256 KiB rather than 2 MiB: the inbox is written far more than read.
        connection.pragma_update(None, "cache_size", -256)?;
        let mut database = Self { connection, count: 0 };
        database.count =
            database
                .connection
                .query_row("SELECT coalesce(sum(messages), 0) FROM tally", [], |row| unsigned(row, 0))?;
        // Reading a bit of everything shows damage now rather than at the first message.
        database.find(&Query::newest(1))?;
        database.pending()?;
        let contents = Contents { next_row: database.next_row()?, last_ids: database.last_ids()? };
        Ok(Ok((database, contents)))
    }

    /// Writes these, and what became of earlier ones, in one transaction.
    pub(crate) fn write<'a>(
        &mut self,
        messages: impl Iterator<Item = (&'a Message, State)>,
        states: &[(RowId, State)],
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
        transaction.commit()?;
        self.count += inserted;
        Ok(())
    }

    /// Keeps the last ids of a run that began without this file.
    pub(crate) fn write_last_ids(&mut self, last_ids: &BTreeMap<String, String>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (channel, id) in last_ids {
            save_last_id(&transaction, channel, id)?;
        }
        transaction.commit()
    }

    /// Whether one of this channel, id and content is there; without an id none is.
    pub(crate) fn has(&self, Message { channel, id, raw, .. }: &Message) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT 1 FROM message WHERE channel = ?1 AND id = ?2 AND raw = ?3")?
            .exists(params![channel, id, raw])
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

    /// Marks these as read. What was still to be shown is so no more.
    pub(crate) fn mark_read(&mut self, which: &Read) -> rusqlite::Result<()> {
        const READ: &str = "UPDATE message SET unread = 0, state = iif(state = 0, 3, state) WHERE unread = 1";
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
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

    /// Deletes these.
    pub(crate) fn delete(&mut self, rows: &[RowId]) -> rusqlite::Result<Deleted> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut deleted = Deleted::new();
        let mut count = 0;
        {
            let mut message =
                transaction.prepare_cached("DELETE FROM message WHERE row = ?1 RETURNING channel, unread")?;
            let mut terms = transaction.prepare_cached("DELETE FROM search WHERE rowid = ?1")?;
            for row in rows {
                let gone = message.query_row([row], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
                let Some((channel, unread)) = gone else { continue };
                terms.execute([row])?;
                count += 1;
                if unread {
                    *deleted.entry(channel).or_default() += 1;
                }
            }
        }
        transaction.commit()?;
        self.count = self.count.saturating_sub(count);
        Ok(deleted)
    }

    /// Up to `limit` messages that need not be kept any longer. Those before the last `days` days and today: the read before the
    /// unread, the oldest first; then, while there are more than `keep`, the oldest, read or not.
    pub(crate) fn outdated(&self, days: u32, keep: u64, limit: usize) -> rusqlite::Result<Vec<RowId>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut of_age = self.connection.prepare_cached(
            "SELECT row FROM message WHERE unread = ?1
             AND row < (SELECT first_row FROM day ORDER BY number DESC LIMIT 1 OFFSET ?2) ORDER BY row LIMIT ?3",
        )?;
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

    fn next_row(&self) -> rusqlite::Result<i64> {
        let last = "SELECT seq FROM sqlite_sequence WHERE name = 'message'";
        let last: Option<i64> = self.connection.query_row(last, [], |row| row.get(0)).optional()?;
        Ok(last.unwrap_or(0).saturating_add(1))
    }

    fn last_ids(&self) -> rusqlite::Result<BTreeMap<String, String>> {
        self.connection
            .prepare("SELECT id, last_id FROM channel")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }
}

fn insert(connection: &Connection, message: &Message, state: State) -> rusqlite::Result<()> {
    let Message { row, channel, id, title, body, priority, url, icon, image, tag, actions, .. } = message;
    let Message { silent, urgency, sound, sent_at, expires, received_at, raw, unread, opaque, .. } = message;
    let sound = match sound {
        Sound::Usual => None,
        Sound::Off => Some(""),
        Sound::Named(name) => Some(name.as_str()),
    };
    let actions = if actions.is_empty() { None } else { serde_json::to_string(actions).ok() };
    connection
        .prepare_cached(
            "INSERT INTO message (row, channel, id, state, unread, received_at, sent_at, expires, priority, silent, \
             title, body, url, icon, image, tag, actions, raw, urgency, sound, opaque) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
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
            opaque
        ])?;
    index(connection, *row, title, body)?;
    match id {
        Some(id) => save_last_id(connection, channel, id),
        None => Ok(()),
    }
}

/// Makes a message findable.
pub(crate) fn index(connection: &Connection, row: RowId, title: &str, body: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO search (rowid, terms) VALUES (?1, ?2)")?
        .execute(params![row, search::indexed(title, body)])
        .map(|_| ())
}

fn read_urgency(number: i64) -> Urgency {
    match number {
        ..=0 => Urgency::Low,
        1 => Urgency::Normal,
        2.. => Urgency::Critical,
    }
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0))
}

fn save_last_id(connection: &Connection, channel: &str, id: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO channel VALUES (?1, ?2) ON CONFLICT DO UPDATE SET last_id = excluded.last_id",
        )?
        .execute([channel, id])
        .map(|_| ())
}

/// A row as a message. The file is ours, but a link in it is checked again before anyone may click it.
fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    #[derive(Deserialize)]
    struct StoredAction {
        label: String,
        url: String,
    }
    let time = |name| row.get(name).map(|time: Option<i64>| Timestamp::from_millisecond(time?).ok());
    let actions: Option<String> = row.get("actions")?;
    let actions: Vec<StoredAction> =
        actions.and_then(|actions| serde_json::from_str(&actions).ok()).unwrap_or_default();
    let action = |StoredAction { label, url }| Some(Action { label, url: link(&url)? });
    let actions = actions.into_iter().filter_map(action).collect();
    let raw = match row.get("raw")? {
        Sql::Blob(bytes) => Raw::Binary(bytes),
        Sql::Text(text) => Raw::Text(text),
        Sql::Null | Sql::Integer(_) | Sql::Real(_) => Raw::Text(String::new()),
    };
    Ok(Message {
        row: RowId(row.get("row")?),
        channel: row.get("channel")?,
        id: row.get("id")?,
        title: row.get("title")?,
        body: row.get("body")?,
        opaque: row.get("opaque")?,
        priority: Priority::clamped(row.get("priority")?),
        url: row.get::<_, Option<String>>("url")?.and_then(|url| link(&url)),
        icon: row.get("icon")?,
        image: row.get("image")?,
        tag: row.get("tag")?,
        actions,
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
