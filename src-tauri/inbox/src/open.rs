//! Opening the file: making it, bringing it up to this version, setting a damaged one aside.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row, TransactionBehavior};
use tracing::{debug, info};

use crate::database::{Database, Reached, unsigned};
use crate::history::Query;
use crate::message::RowId;
use crate::notice::Notice;
use crate::schema::MIGRATIONS;
use crate::why::Why;

/// How long another program may hold the file before we call it unavailable. Too low: a backup that looks in
/// costs a detour over memory. Too high: messages wait that long.
const BUSY: Duration = Duration::from_secs(1);

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// Another version's: none of our business.
    #[error("{0}")]
    Newer(Why),
    /// It will never open; a new file has to take its place.
    #[error("{0}")]
    Damaged(Why),
    /// It may open another time.
    #[error("{0}")]
    Unavailable(Why),
}

impl OpenError {
    pub(crate) fn why(&self) -> Why {
        let (Self::Newer(why) | Self::Damaged(why) | Self::Unavailable(why)) = self;
        why.clone()
    }

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
        if passing {
            // It is tried again and again.
            debug!("the inbox can't be opened: {error}");
            return Self::Unavailable(error.into());
        }
        info!("the inbox can't be opened: {error}");
        Self::Damaged(error.into())
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
    pub(crate) reached: BTreeMap<String, Reached>,
}

/// What came of opening the file, and what the user should know of it.
pub(crate) type Opened = (Result<(Database, Contents), OpenError>, Option<Notice>);

/// Opens the file, or a new one if this one is damaged; the notice tells of the latter.
pub(crate) fn open_or_set_aside(path: &Path) -> Opened {
    match Database::open(path) {
        Err(OpenError::Damaged(reason)) => replace(path, reason),
        outcome => (outcome, None),
    }
}

/// Sets the damaged file aside and opens a new one. Nobody may have it open.
pub(crate) fn replace(path: &Path, reason: Why) -> Opened {
    let aside = match set_aside(path) {
        Ok(aside) => aside,
        Err(error) => {
            return (Err(OpenError::Unavailable(Why::Stuck(Box::new((&error).into())))), None);
        }
    };
    let notice = Notice::SetAside { file: path.to_owned(), why: reason, aside };
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
        let refused = |error: io::Error| OpenError::Unavailable(Why::Folder(Box::new((&error).into())));
        folders.create(folder).map_err(refused)?;
    }
    match file.open(path) {
        Ok(_) => Ok(()),
        // Its owner may have had a reason, and nothing is wrong with it.
        Err(error) if error.kind() == ErrorKind::PermissionDenied && fs::File::open(path).is_ok() => {
            Err(OpenError::Unavailable(Why::Forbidden(Box::new((&error).into()))))
        }
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::IsADirectory) => {
            Err(OpenError::Damaged((&error).into()))
        }
        Err(error) => Err(OpenError::Unavailable((&error).into())),
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
            return Ok(Err(OpenError::Newer(Why::Newer { found, known: MIGRATIONS.len() })));
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
        let mut database = Self { connection, count: 0, indexed: RowId(0), behind: true };
        database.count =
            database
                .connection
                .query_row("SELECT coalesce(sum(messages), 0) FROM tally", [], |row| unsigned(row, 0))?;
        let indexed = "SELECT coalesce(max(id), 0) FROM search_docsize";
        database.indexed = RowId(database.connection.query_row(indexed, [], |row| row.get(0))?);
        // Reading a bit of everything shows damage now rather than at the first message.
        database.find(&Query::newest(1))?;
        database.pending()?;
        let contents = Contents { next_row: database.next_row()?, reached: database.reached()? };
        Ok(Ok((database, contents)))
    }

    fn next_row(&self) -> rusqlite::Result<i64> {
        let last = "SELECT seq FROM sqlite_sequence WHERE name = 'message'";
        let last: Option<i64> = self.connection.query_row(last, [], |row| row.get(0)).optional()?;
        Ok(last.unwrap_or(0).saturating_add(1))
    }

    fn reached(&self) -> rusqlite::Result<BTreeMap<String, Reached>> {
        let reached = |row: &Row<'_>| {
            Ok((row.get(0)?, Reached { last_id: row.get(1)?, newest: row.get(2)?, highest: row.get(3)? }))
        };
        self.connection
            .prepare("SELECT id, last_id, newest, highest FROM channel")?
            .query_map([], reached)?
            .collect()
    }
}
