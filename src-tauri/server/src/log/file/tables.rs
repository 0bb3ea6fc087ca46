//! What stands in the file, and every statement that reads or changes it.

use std::sync::Arc;

use axum::body::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::log::{
    devices::Changes,
    item::{Draft, Form, Item, Keep},
};

/// What a message counts for beside its text, against the limit of bytes.
const WEIGHT: u64 = 64;

/// Version 1. `born` and `newest` are numbers of messages; `dropped` is that of the newest message that was trimmed.
pub(super) const SCHEMA: &str = "
    CREATE TABLE fact (born INTEGER NOT NULL, newest INTEGER NOT NULL) STRICT;
    CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, messages INTEGER NOT NULL,
        bytes INTEGER NOT NULL, dropped INTEGER NOT NULL) STRICT;
    CREATE TABLE recent (seq INTEGER PRIMARY KEY, user TEXT NOT NULL, id TEXT, form INTEGER NOT NULL,
        body BLOB NOT NULL) STRICT;
    CREATE TABLE message (user INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT, form INTEGER NOT NULL,
        body BLOB NOT NULL, PRIMARY KEY (user, seq)) STRICT, WITHOUT ROWID;
    CREATE TABLE device (user TEXT NOT NULL, name TEXT NOT NULL, reached INTEGER NOT NULL,
        PRIMARY KEY (user, name)) STRICT, WITHOUT ROWID;
";

/// A user who has or had messages in `message`.
pub(super) struct Owner {
    pub(super) id: i64,
    pub(super) messages: usize,
    bytes: u64,
    pub(super) dropped: u64,
}

pub(super) fn born_and_newest(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    connection
        .query_row("SELECT born, newest FROM fact", [], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))
}

pub(super) fn set_newest(connection: &Connection, seq: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE fact SET newest = ?")?.execute([signed(seq)]).map(drop)
}

pub(super) fn append(connection: &Connection, user: &str, item: &Item) -> rusqlite::Result<()> {
    let insert = "INSERT INTO recent (seq, user, id, form, body) VALUES (?, ?, ?, ?, ?)";
    let values = params![signed(item.seq), user, item.own_id.as_deref(), form(item.form), &item.payload[..]];
    connection.prepare_cached(insert)?.execute(values).map(drop)
}

/// Each device with its user, and up to where it has acknowledged.
pub(super) fn devices(connection: &Connection) -> rusqlite::Result<Vec<(String, String, u64)>> {
    connection
        .prepare("SELECT user, name, reached FROM device")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, unsigned(row, 2)?)))?
        .collect()
}

pub(super) fn note_devices(connection: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    for ((user, name), reached) in changes {
        match reached {
            Some(reached) => {
                let note = "INSERT OR REPLACE INTO device (user, name, reached) VALUES (?, ?, ?)";
                connection.prepare_cached(note)?.execute(params![user, name, signed(*reached)])?;
            }
            None => {
                let forget = "DELETE FROM device WHERE user = ? AND name = ?";
                connection.prepare_cached(forget)?.execute([user, name])?;
            }
        }
    }
    Ok(())
}

/// Puts a message of nobody in, before all others.
pub(super) fn touch(connection: &Connection) -> rusqlite::Result<()> {
    let insert = "INSERT OR REPLACE INTO recent (seq, user, form, body) VALUES (0, '', 0, zeroblob(16384))";
    connection.prepare_cached(insert)?.execute([]).map(drop)
}

/// Takes that out again.
pub(super) fn untouch(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM recent WHERE seq = 0")?.execute([]).map(drop)
}

/// Everything in `recent`, oldest first.
pub(super) fn recent(connection: &Connection, mut take: impl FnMut(String, Item)) -> rusqlite::Result<()> {
    let mut select = connection.prepare("SELECT seq, id, form, body, user FROM recent ORDER BY seq")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        take(row.get(4)?, item(row)?);
    }
    Ok(())
}

/// Drops what came before this from `recent`.
pub(super) fn forget_recent(connection: &Connection, first: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM recent WHERE seq < ?")?.execute([signed(first)]).map(drop)
}

pub(super) fn users(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT name FROM user WHERE messages > 0")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// How many messages are in their place.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    let select = "SELECT coalesce(sum(messages), 0) FROM user";
    connection.prepare_cached(select)?.query_row([], |row| unsigned(row, 0))
}

pub(super) fn owner(connection: &Connection, name: &str) -> rusqlite::Result<Option<Owner>> {
    let select = "SELECT id, messages, bytes, dropped FROM user WHERE name = ?";
    let read = |row: &Row<'_>| {
        let messages = usize::try_from(unsigned(row, 1)?).unwrap_or(usize::MAX);
        Ok(Owner { id: row.get(0)?, messages, bytes: unsigned(row, 2)?, dropped: unsigned(row, 3)? })
    };
    connection.prepare_cached(select)?.query_row([name], read).optional()
}

/// Puts a user's messages in their place, and trims what is over `keep`, but nothing after the message that a link has
/// reached which still reads. What is in its place already, or was trimmed, stays as it is.
pub(super) fn fold(
    connection: &Connection,
    name: &str,
    items: &[Item],
    keep: Keep,
    walks: Option<u64>,
) -> rusqlite::Result<()> {
    let mut owner = match owner(connection, name)? {
        Some(owner) => owner,
        None => {
            let insert = "INSERT INTO user (name, messages, bytes, dropped) VALUES (?, 0, 0, 0)";
            connection.prepare_cached(insert)?.execute([name])?;
            Owner { id: connection.last_insert_rowid(), messages: 0, bytes: 0, dropped: 0 }
        }
    };
    let insert = "INSERT OR IGNORE INTO message (user, seq, id, form, body) VALUES (?, ?, ?, ?, ?)";
    let mut insert = connection.prepare_cached(insert)?;
    for item in items.iter().filter(|item| item.seq > owner.dropped) {
        let own_id = item.own_id.as_deref();
        let values = params![owner.id, signed(item.seq), own_id, form(item.form), &item.payload[..]];
        if insert.execute(values)? > 0 {
            owner.messages += 1;
            owner.bytes += WEIGHT + (item.payload.len() + own_id.map_or(0, str::len)) as u64;
        }
    }
    trim(connection, &mut owner, keep, walks)?;
    let update = "UPDATE user SET messages = ?, bytes = ?, dropped = ? WHERE id = ?";
    let values = params![signed(owner.messages as u64), signed(owner.bytes), signed(owner.dropped), owner.id];
    connection.prepare_cached(update)?.execute(values).map(drop)
}

fn trim(connection: &Connection, owner: &mut Owner, keep: Keep, walks: Option<u64>) -> rusqlite::Result<()> {
    let too_old = keep.too_old();
    let over = |owner: &Owner| owner.messages > keep.messages || owner.bytes > keep.bytes as u64;
    if !over(owner) && too_old == 0 {
        return Ok(());
    }
    let select = "SELECT seq, octet_length(body) + coalesce(octet_length(id), 0) FROM message WHERE user = ? ORDER BY seq";
    let before = owner.dropped;
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query([owner.id])?;
    while let Some(row) = rows.next()? {
        let seq = unsigned(row, 0)?;
        if !(over(owner) || seq < too_old) || walks.is_some_and(|walks| seq > walks) {
            break;
        }
        owner.dropped = seq;
        owner.messages = owner.messages.saturating_sub(1);
        owner.bytes = owner.bytes.saturating_sub(unsigned(row, 1)? + WEIGHT);
    }
    drop(rows);
    if owner.dropped > before {
        let delete = "DELETE FROM message WHERE user = ? AND seq <= ?";
        connection.prepare_cached(delete)?.execute([owner.id, signed(owner.dropped)])?;
    }
    Ok(())
}

/// Hands over a user's messages after this one, as long as they are taken. Returns whether there are no more.
pub(super) fn after(
    connection: &Connection,
    user: i64,
    seq: u64,
    mut take: impl FnMut(Item) -> bool,
) -> rusqlite::Result<bool> {
    let select = "SELECT seq, id, form, body FROM message WHERE user = ? AND seq > ? ORDER BY seq";
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query([user, signed(seq)])?;
    while let Some(row) = rows.next()? {
        if !take(item(row)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The first message of this id.
pub(super) fn find(
    connection: &Connection,
    user: i64,
    id: &str,
    number: Option<u64>,
) -> rusqlite::Result<Option<u64>> {
    let read = |row: &Row<'_>| unsigned(row, 0);
    if let Some(number) = number {
        let select = "SELECT seq FROM message WHERE user = ? AND seq = ? AND id IS NULL";
        let mut select = connection.prepare_cached(select)?;
        if let Some(seq) = select.query_row([user, signed(number)], read).optional()? {
            return Ok(Some(seq));
        }
    }
    let select = "SELECT seq FROM message WHERE user = ? AND id = ? ORDER BY seq LIMIT 1";
    connection.prepare_cached(select)?.query_row(params![user, id], read).optional()
}

/// The `seq` of a user's nth message, from 1.
pub(super) fn nth(connection: &Connection, user: i64, nth: usize) -> rusqlite::Result<u64> {
    let select = "SELECT seq FROM message WHERE user = ? ORDER BY seq LIMIT 1 OFFSET ?";
    let values = [user, signed(nth.saturating_sub(1) as u64)];
    let seq = connection.prepare_cached(select)?.query_row(values, |row| unsigned(row, 0)).optional()?;
    Ok(seq.unwrap_or(0))
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let own_id: Option<String> = row.get(1)?;
    let form = match row.get(2)? {
        0_i64 => Form::Text,
        1 => Form::Unnamed,
        3 => Form::Read,
        _ => Form::Binary,
    };
    let draft = Draft { own_id: None, form, payload: Bytes::from(row.get::<_, Vec<u8>>(3)?) };
    Ok(Item { own_id: own_id.map(Arc::from), ..Item::new(unsigned(row, 0)?, draft) })
}

fn form(form: Form) -> i64 {
    match form {
        Form::Text => 0,
        Form::Unnamed => 1,
        Form::Binary => 2,
        Form::Read => 3,
    }
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0))
}

/// SQLite's numbers are signed; milliseconds since 1970 are far from the end of them.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
