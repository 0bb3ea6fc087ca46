//! Answers pushes once their messages are on the disk, beside the thread that writes: what is written outlives this process, and is on
//! its way to its readers meanwhile. All that wait share a sync.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;

use super::error::DataError;
use crate::log::item::{Kept, NotKept};

/// How many messages are written and may not be on the disk. Too low: readers wait for the disk; too high: ids jump far at
/// each start, see [`Syncer::start`].
const MOST: usize = 4096;

/// Who waits, and what for.
pub(super) type Answers = Vec<(oneshot::Sender<Result<Kept, NotKept>>, Kept)>;

/// What the thread that writes has of it.
pub(super) struct Syncer {
    log: fs::File,
    waiting: mpsc::Sender<Answers>,
    unsynced: Arc<AtomicUsize>,
    failed: Arc<AtomicBool>,
}

impl Syncer {
    /// Ids that a loss of power may take back, at most: none of them is given a second time, for somebody may have it.
    pub(super) const TAKEN_BACK: u64 = 2 * MOST as u64;

    /// Starts the thread. SQLite's log is there, and stays the same file as long as the database is open.
    pub(super) fn start(database: &Path) -> Result<(Self, JoinHandle<()>), DataError> {
        let folder = database.parent().unwrap_or(database);
        let refused = |source| DataError::Folder { folder: folder.to_owned(), source };
        let log = fs::File::open(log_of(database)).map_err(refused)?;
        // The log itself is to be found again, too.
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(refused)?;
        let (waiting, wait) = mpsc::channel();
        let syncer = Self {
            log: log.try_clone().map_err(refused)?,
            waiting,
            unsynced: Arc::default(),
            failed: Arc::default(),
        };
        let (unsynced, failed) = (Arc::clone(&syncer.unsynced), Arc::clone(&syncer.failed));
        let run = move || run(&log, &wait, &unsynced, &failed);
        let thread =
            thread::Builder::new().name("syncer".to_owned()).spawn(run).map_err(DataError::Thread)?;
        Ok((syncer, thread))
    }

    /// Answers these once they are on the disk: later, or now where too many wait.
    pub(super) fn answer(&self, answers: Answers) {
        let count = answers.len();
        if self.unsynced.fetch_add(count, Relaxed) + count > MOST {
            settle(&sync(&self.log, &self.failed), vec![answers]);
            self.unsynced.fetch_sub(count, Relaxed);
        } else {
            // It ends with us.
            let _ = self.waiting.send(answers);
        }
    }

    /// A sync has failed: nobody knows what of the log is on the disk, and none that follows can tell.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// What is in the log has been written once more, elsewhere.
    pub(super) fn is_mended(&self) {
        self.failed.store(false, Relaxed);
    }
}

/// Where SQLite's log of a database is.
pub(super) fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn run(log: &fs::File, wait: &mpsc::Receiver<Answers>, unsynced: &AtomicUsize, failed: &AtomicBool) {
    while let Ok(first) = wait.recv() {
        // All of these were written before the sync begins.
        let all: Vec<_> = std::iter::once(first).chain(wait.try_iter()).collect();
        let count = all.iter().map(Vec::len).sum();
        settle(&sync(log, failed), all);
        unsynced.fetch_sub(count, Relaxed);
    }
}

fn sync(log: &fs::File, failed: &AtomicBool) -> io::Result<()> {
    let synced = log.sync_data();
    if let Err(error) = &synced {
        tracing::error!("the disk did not take what was written: {error}");
        failed.store(true, Relaxed);
    }
    // One that failed in another thread may have left some of these behind.
    if failed.load(Relaxed) { Err(io::ErrorKind::Other.into()) } else { synced }
}

fn settle(synced: &io::Result<()>, all: Vec<Answers>) {
    for (answer, kept) in all.into_iter().flatten() {
        // Who pushed may have gone.
        let _ = answer.send(if synced.is_ok() { Ok(kept) } else { Err(NotKept::Unavailable) });
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn answers(count: usize) -> (Answers, Vec<oneshot::Receiver<Result<Kept, NotKept>>>) {
        let kept = || Kept { id: "7".to_owned(), links: 1 };
        let (asking, asked): (Vec<_>, _) = (0..count).map(|_| oneshot::channel()).unzip();
        (asking.into_iter().map(|answer| (answer, kept())).collect(), asked)
    }

    #[tokio::test]
    async fn what_the_disk_does_not_take_is_not_answered_with_200_until_it_is_written_elsewhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("messages.db");
        // Which can't be synced.
        std::os::unix::fs::symlink("/dev/null", log_of(&database)).expect("a link");
        let (syncer, thread) = Syncer::start(&database).expect("a log");
        for count in [1, MOST + 1] {
            let (asking, asked) = answers(count);
            syncer.answer(asking);
            for answer in asked {
                assert_eq!(answer.await.expect("an answer"), Err(NotKept::Unavailable));
            }
            assert!(syncer.has_failed());
            syncer.is_mended();
            assert!(!syncer.has_failed());
        }
        drop(syncer);
        thread.join().expect("its end");
    }

    #[tokio::test]
    async fn all_are_answered_also_those_that_wait_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("messages.db");
        fs::write(log_of(&database), "x").expect("a file");
        let (syncer, thread) = Syncer::start(&database).expect("a log");
        let waiting: Vec<_> = (0..100)
            .flat_map(|_| {
                let (asking, asked) = answers(3);
                syncer.answer(asking);
                asked
            })
            .collect();
        drop(syncer);
        for answer in waiting {
            assert!(answer.await.expect("an answer").is_ok());
        }
        thread.join().expect("its end");
    }
}
