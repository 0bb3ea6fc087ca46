//! The tables of the inbox's file, version by version.

use rusqlite::{Connection, params};

use crate::message::RowId;
use crate::search;

/// Each makes of a file of its index's version one of the next; `user_version` counts them. Only ever add.
pub(crate) const MIGRATIONS: &[fn(&Connection) -> rusqlite::Result<()>] = &[
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
    |file| file.execute_batch(VERSION_4),
    |file| file.execute_batch(VERSION_5),
    |file| file.execute_batch(VERSION_6),
    |file| file.execute_batch(VERSION_7),
    |file| file.execute_batch(VERSION_8),
    |file| file.execute_batch(VERSION_9),
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

/// Short notes about channels (`journal`).
const VERSION_4: &str = "
    CREATE TABLE journal (
        row INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        at INTEGER NOT NULL,                   -- Unix milliseconds
        lasting INTEGER NOT NULL,
        data TEXT NOT NULL
    ) STRICT;
    CREATE INDEX journal_channel ON journal (channel, lasting, row);
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

/// How a body is written.
const VERSION_6: &str = "
    ALTER TABLE message ADD COLUMN format INTEGER NOT NULL DEFAULT 0; -- 0 plain, 1 Markdown
";

/// Versions of a message, and what is known of those that are gone (`recall`): what its server sends again does not come back.
/// Of a channel, how far its messages have come.
const VERSION_7: &str = "
    ALTER TABLE message ADD COLUMN series TEXT;
    ALTER TABLE message ADD COLUMN topic TEXT;
    ALTER TABLE message ADD COLUMN app TEXT;
    ALTER TABLE message ADD COLUMN tags TEXT;         -- JSON: [text]
    ALTER TABLE message ADD COLUMN attachments TEXT;  -- JSON: [{name, kind, size, expires, url}]
    CREATE INDEX message_series ON message (channel, series) WHERE series IS NOT NULL;
    CREATE TABLE gone (
        row INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        id TEXT NOT NULL,
        UNIQUE (channel, id)
    ) STRICT;
    CREATE TABLE stone (
        row INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        series TEXT NOT NULL,
        what INTEGER NOT NULL,                        -- 0 deleted, 1 read
        at INTEGER NOT NULL,
        id TEXT,
        spent INTEGER NOT NULL,
        UNIQUE (channel, series, what)
    ) STRICT;
    ALTER TABLE channel ADD COLUMN newest INTEGER;    -- the latest time of a message, by its server's clock
    ALTER TABLE channel ADD COLUMN highest INTEGER;   -- the highest id that is a number
";

/// Deliveries of which their server doesn't know that they are stored, and what of a topic is there.
const VERSION_8: &str = "
    ALTER TABLE message ADD COLUMN delivery INTEGER;
    CREATE INDEX message_delivery ON message (channel, delivery) WHERE delivery IS NOT NULL;
    CREATE INDEX message_topic ON message (channel, topic) WHERE topic IS NOT NULL;
";

/// Messages that were read here, of which their server has yet to say that it knows.
const VERSION_9: &str = "
    CREATE TABLE unsaid (
        row INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        id TEXT NOT NULL,
        UNIQUE (channel, id)
    ) STRICT;
";

/// Makes a message findable.
pub(crate) fn index(connection: &Connection, row: RowId, title: &str, body: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO search (rowid, terms) VALUES (?1, ?2)")?
        .execute(params![row, search::indexed(title, body)])
        .map(|_| ())
}
