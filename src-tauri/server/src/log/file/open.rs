//! Opening the file: making it, keeping others out, and never taking another's or a damaged one for a new one.

use std::{
    fs::{self, DirBuilder, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{
    error::{DataError, VERSION},
    sync::{self, Syncer},
    tables,
};
use crate::log::item::now;

/// What a message that is kept outlives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The loss of power: it is on the disk.
    Fsync,
    /// The end of the process, however it ends; a loss of power may take the newest.
    Process,
}

/// The file's name in its folder.
const FILE: &str = "messages.db";
/// Who holds it is the one server of that folder.
const LOCK: &str = "lock";
/// "Tidi", so that SQLite's own tools and we tell the file from others.
const APPLICATION: i64 = 0x5469_6469;
/// How long another program, such as a backup, may hold the file. Too low: a push fails for it; too high: pushes wait.
const BUSY: Duration = Duration::from_secs(5);
/// Pages of the file that a connection holds in memory, in KiB.
const CACHE: i64 = -4096;

/// The open file.
pub(super) struct Store {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) born: u64,
    pub(super) newest: u64,
    pub(super) lock: fs::File,
}

pub(super) fn open(folder: &Path) -> Result<Store, DataError> {
    let refused = |source| DataError::Folder { folder: folder.to_owned(), source };
    let (mut folders, mut files) = (DirBuilder::new(), OpenOptions::new());
    folders.recursive(true);
    files.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        folders.mode(0o700);
        // SQLite gives its log and index the mode of the file.
        files.mode(0o600);
    }
    folders.create(folder).map_err(refused)?;
    let lock = files.open(folder.join(LOCK)).map_err(refused)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(DataError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => return Err(refused(source)),
    }
    let path = folder.join(FILE);
    // SQLite removes its log when it closes the file.
    let ended_well = !sync::log_of(&path).exists();
    // An empty file is one that was being made when something ended us: nothing was kept in it.
    files.open(&path).map_err(refused)?;
    let failed = |error| DataError::of(&path, &error);
    let mut connection = connect(&path).map_err(failed)?;
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed);
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    match (application, version, tables) {
        (APPLICATION, VERSION, _) => {}
        (APPLICATION, found, _) if found > VERSION => return Err(DataError::Newer { file: path, found }),
        (0, 0, 0) => make(&mut connection).map_err(failed)?,
        _ => {
            let why = "another program's tables".to_owned();
            return Err(DataError::Damaged { file: path, why });
        }
    }
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    // The log is not synced at a commit, but before it is copied into the file, which therefore stays whole. For `fsync` the
    // syncer does it, beside the next commits.
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
    // The copier does it.
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(failed)?;
    // Reading a bit of everything shows damage now rather than at the first message.
    let (born, newest) = tables::born_and_newest(&connection).map_err(failed)?;
    tables::users(&connection).map_err(failed)?;
    // Readers may have more than a loss of power has left here.
    let newest = if ended_well { newest } else { newest.saturating_add(Syncer::TAKEN_BACK) };
    Ok(Store { connection, path, born, newest, lock })
}

fn make(connection: &mut Connection) -> rusqlite::Result<()> {
    let born = i64::try_from(now()).unwrap_or(i64::MAX);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(tables::SCHEMA)?;
    transaction.execute("INSERT INTO fact (born, newest) VALUES (?1, ?1)", [born])?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// One more connection to a file that is there.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    Ok(connection)
}

/// Copies all of SQLite's log into the file and begins it anew, or fails.
pub(super) fn empty(connection: &Connection) -> rusqlite::Result<()> {
    let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    if busy { Err(rusqlite::Error::SqliteFailure(error, None)) } else { Ok(()) }
}

/// Copies SQLite's log into the file; returns how many pages the log has.
pub(super) fn copy(connection: &Connection, how: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| row.get(1))
}
