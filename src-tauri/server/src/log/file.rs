//! The durable engine: one SQLite file in a folder of its own, written by one thread, read by another.
//!
//! ```text
//!            all that wait, one transaction                      now and then, a user's at a time
//! pushes ──▶ keeper ─▶ `recent` (by seq: written in a row) ─▶ fold ─▶ `message` (by user and seq) ─▶ trimmed
//!    ▲             ├─▶ Fresh (the same in memory, bounded), and the links
//!    └── syncer ◀──┘   one fsync for all that wait for it
//! links  ──▶ reader ─▶ Fresh first, then `message`: what is folded meanwhile is seen twice, never not at all
//! ```
//!
//! Messages of thousands of users would touch a page each if they were put in their place at once, and each page costs a
//! write to the log and one to the file. Put in a row they share pages; folded later, a user's messages share theirs. What
//! `recent` still holds after a crash is folded at the next start.
//!
//! SQLite rather than redb, by measurement: 100,000 messages of 300 bytes for 1,000 users, of each of whom 100 are kept, 64 to a
//! commit, each put in its place at once (2 cores shared with others, so what says something is the processor's time):
//!
//! | | a second, fsync | processor a message | median, p99 of a commit | file |
//! | --- | ---: | ---: | ---: | ---: |
//! | SQLite, by user and seq | 4,700-19,000 | 38-55 µs | 2.4-8.7, 46-56 ms | 44 MiB |
//! | SQLite, by seq, index by user | 7,000-13,800 | 32-46 µs | 4.0-5.4, 44 ms | 44 MiB |
//! | redb 4 | 6,200 | 43 µs | 8.5, 28 ms | 68 MiB |
//!
//! redb without fsync doesn't outlive a kill, so it has no `process`; SQLite is in the workspace already, has a backup of its
//! own, and tools to look into the file. What is above, a page for each message, is why there is `recent`.

pub(crate) mod error;
pub(crate) mod open;
mod sync;
mod tables;

use std::{
    collections::{HashMap, VecDeque},
    fs,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::oneshot;

use self::error::DataError;
use self::open::Durability;
use self::sync::Syncer;
use super::{
    devices::{Changes, Devices},
    item::{Draft, Item, Keep, Kept, Limit, NotKept, NotRead, Page, Standing, now},
};
use crate::users::Users;

/// How many messages share a commit at most, and so wait for one another.
const GROUP_MESSAGES: usize = 1024;
/// The same in bytes.
const GROUP_BYTES: usize = 8 << 20;
/// How many messages wait to be folded. Too low: hardly two of a user's meet, and each costs a page; too high: memory,
/// and a slow start after a crash.
const FRESH_MESSAGES: usize = 4096;
/// The same in bytes.
const FRESH_BYTES: usize = 8 << 20;
/// After how many bytes of changed pages SQLite's log is copied into the file, beside the pushes. Too low: pages that change often
/// are copied often; too high: the log takes room on the disk, and its index memory.
const CHECKPOINT_BYTES: usize = 8 << 20;
/// At how many pages of SQLite's log pushes are held up until it is empty: under a load that never pauses it would grow for ever.
const LOG_PAGES: i64 = 16 << 10;
/// A guess at how much a commit changes beside its messages.
const COMMIT_BYTES: usize = 2 * 4096;
/// A guess at how much a fold changes: a page at the end of a user's messages, one at their beginning, one for the tally.
const FOLD_BYTES: usize = 3 * 4096;
/// How often messages that have become too old are looked for among users who get none.
const SWEEP: Duration = Duration::from_secs(3600);

/// The engine; dropping it ends its threads, and [`close`](Self::close) waits for that.
pub(crate) struct File {
    pub(super) devices: Arc<Devices>,
    facts: Arc<Facts>,
    running: Mutex<Option<Running>>,
}

struct Running {
    keeper: mpsc::Sender<Work>,
    reader: mpsc::Sender<Look>,
    threads: Vec<JoinHandle<()>>,
}

/// What the thread that writes is asked for.
enum Work {
    Append(Append),
    /// Whether anything can be written.
    Probe(oneshot::Sender<Result<(), NotKept>>),
}

struct Append {
    user: String,
    draft: Draft,
    answer: oneshot::Sender<Result<Kept, NotKept>>,
}

enum Look {
    Count { answer: oneshot::Sender<rusqlite::Result<u64>> },
    After { user: String, seq: u64, limit: Limit, answer: oneshot::Sender<rusqlite::Result<Page>> },
    Stand { user: String, since: String, answer: oneshot::Sender<rusqlite::Result<Standing>> },
}

impl File {
    /// Opens the file in this folder, or makes both.
    pub(crate) fn open(
        folder: &Path,
        durability: Durability,
        keep: Keep,
        users: Arc<Users>,
    ) -> Result<Self, DataError> {
        let store = open::open(folder)?;
        let failed = |error| DataError::of(&store.path, &error);
        let reading = open::connect(&store.path).map_err(failed)?;
        let copying = open::connect(&store.path).map_err(failed)?;
        let fresh = Arc::new(Fresh::default());
        let full = Arc::new(AtomicBool::new(false));
        let (keeper, appends) = mpsc::channel();
        let (reader, looks) = mpsc::channel();
        let (copier, copies) = mpsc::channel();
        let facts = Facts { born: store.born, keep: keep.messages, newest: Mutex::new(store.newest) };
        let facts = Arc::new(facts);
        let written = tables::devices(&store.connection).map_err(failed)?;
        let devices = Arc::new(Devices::written(written.into_iter()));
        let mut keeping = Keeper {
            devices: Arc::clone(&devices),
            connection: store.connection,
            users,
            keep,
            fresh: Arc::clone(&fresh),
            facts: Arc::clone(&facts),
            copier,
            full: Arc::clone(&full),
            syncer: None,
            changed: 0,
            _lock: store.lock,
        };
        keeping.fold_what_was_left().map_err(failed)?;
        let mut syncing = None;
        if durability == Durability::Fsync {
            let (syncer, thread) = Syncer::start(&store.path)?;
            keeping.syncer = Some(syncer);
            syncing = Some(thread);
        }
        let mut threads = vec![
            spawn("keeper", move || keeping.run(&appends))?,
            spawn("reader", {
                let facts = Arc::clone(&facts);
                move || read(&reading, &fresh, &facts, &looks)
            })?,
            spawn("copier", move || copy(&copying, &full, &copies))?,
        ];
        threads.extend(syncing);
        Ok(Self { devices, facts, running: Mutex::new(Some(Running { keeper, reader, threads })) })
    }

    pub(crate) async fn append(&self, user: &str, draft: Draft) -> Result<Kept, NotKept> {
        let (answer, answered) = oneshot::channel();
        let append = Append { user: user.to_owned(), draft, answer };
        let sent = self.running().as_ref().map(|running| running.keeper.send(Work::Append(append)));
        match sent {
            Some(Ok(())) => answered.await.unwrap_or(Err(NotKept::Unavailable)),
            Some(Err(_)) | None => Err(NotKept::Unavailable),
        }
    }

    pub(crate) fn newest(&self) -> u64 {
        *self.facts.newest()
    }

    /// Whether anything can be written.
    pub(crate) async fn probe(&self) -> Result<(), NotKept> {
        let (answer, answered) = oneshot::channel();
        let sent = self.running().as_ref().map(|running| running.keeper.send(Work::Probe(answer)));
        match sent {
            Some(Ok(())) => answered.await.unwrap_or(Err(NotKept::Unavailable)),
            Some(Err(_)) | None => Err(NotKept::Unavailable),
        }
    }

    /// How many messages are kept.
    pub(crate) async fn kept(&self) -> Result<u64, NotRead> {
        self.look(|answer| Look::Count { answer }).await
    }

    pub(crate) async fn after(&self, user: &str, seq: u64, limit: Limit) -> Result<Page, NotRead> {
        let user = user.to_owned();
        self.look(|answer| Look::After { user, seq, limit, answer }).await
    }

    pub(crate) async fn stand(&self, user: &str, since: &str) -> Result<Standing, NotRead> {
        let (user, since) = (user.to_owned(), since.to_owned());
        self.look(|answer| Look::Stand { user, since, answer }).await
    }

    async fn look<T>(
        &self,
        look: impl FnOnce(oneshot::Sender<rusqlite::Result<T>>) -> Look,
    ) -> Result<T, NotRead> {
        let (answer, answered) = oneshot::channel();
        let sent = self.running().as_ref().map(|running| running.reader.send(look(answer)));
        if !matches!(sent, Some(Ok(()))) {
            return Err(NotRead);
        }
        answered.await.map_err(|_| NotRead)?.map_err(|error| {
            tracing::error!("the file can't be read: {error}");
            NotRead
        })
    }

    /// Ends the threads once what waits is done, and closes the file. From then on nothing is kept or read.
    pub(crate) fn close(&self) {
        let Some(Running { keeper, reader, threads }) = self.running().take() else { return };
        drop((keeper, reader));
        for thread in threads {
            // One that has panicked has told of it.
            let _ = thread.join();
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, DataError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(DataError::Thread)
}

/// What both threads know of the file.
struct Facts {
    /// What was sent before the file was made is not in it.
    born: u64,
    /// How many messages of a user are kept.
    keep: usize,
    /// The `seq` of the newest message of all users.
    newest: Mutex<u64>,
}

impl Facts {
    fn newest(&self) -> MutexGuard<'_, u64> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages in `recent`, by user. Written by the keeper alone.
#[derive(Default)]
struct Fresh(Mutex<Messages>);

#[derive(Default)]
struct Messages {
    of: HashMap<Arc<str>, Vec<Item>>,
    /// Who has some, by the first of them.
    order: VecDeque<(u64, Arc<str>)>,
    count: usize,
    bytes: usize,
}

impl Fresh {
    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, user: &str) -> Vec<Item> {
        self.messages().of.get(user).cloned().unwrap_or_default()
    }
}

impl Messages {
    fn add(&mut self, user: &str, item: Item) {
        self.count += 1;
        self.bytes += item.size();
        if let Some(items) = self.of.get_mut(user) {
            items.push(item);
            return;
        }
        let user = Arc::<str>::from(user);
        self.order.push_back((item.seq, Arc::clone(&user)));
        self.of.insert(user, vec![item]);
    }

    /// Takes out who came first.
    fn take_first(&mut self) {
        let Some((_, user)) = self.order.pop_front() else { return };
        for item in self.of.remove(&user).unwrap_or_default() {
            self.count -= 1;
            self.bytes -= item.size();
        }
    }
}

/// The thread that writes.
struct Keeper {
    devices: Arc<Devices>,
    connection: Connection,
    users: Arc<Users>,
    keep: Keep,
    fresh: Arc<Fresh>,
    facts: Arc<Facts>,
    copier: mpsc::Sender<()>,
    /// SQLite's log is to be emptied.
    full: Arc<AtomicBool>,
    /// Who answers once it is on the disk; `None`: that is not waited for.
    syncer: Option<Syncer>,
    /// Bytes of pages changed since the last copy, about.
    changed: usize,
    /// Keeps other servers out.
    _lock: fs::File,
}

impl Keeper {
    fn run(&mut self, appends: &mpsc::Receiver<Work>) {
        loop {
            let next = match self.keep.age {
                Some(_) => appends.recv_timeout(SWEEP),
                None => appends.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(Work::Append(first)) => {
                    let mut bytes = first.draft.payload.len();
                    let (mut group, mut probes) = (vec![first], Vec::new());
                    while group.len() < GROUP_MESSAGES && bytes < GROUP_BYTES {
                        match appends.try_recv() {
                            Ok(Work::Append(next)) => {
                                bytes += next.draft.payload.len();
                                group.push(next);
                            }
                            Ok(Work::Probe(answer)) => probes.push(answer),
                            Err(_) => break,
                        }
                    }
                    self.keep_all(group);
                    for answer in probes {
                        let _ = answer.send(self.probe());
                    }
                }
                Ok(Work::Probe(answer)) => {
                    // Who asked may have gone.
                    let _ = answer.send(self.probe());
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.sweep() {
                        tracing::error!("messages that are too old can't be dropped: {error}");
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return self.note_devices(),
            }
        }
    }

    /// Writes a few pages, more than a small message does, and takes them back.
    fn probe(&mut self) -> Result<(), NotKept> {
        let written = tables::touch(&self.connection).and_then(|()| tables::untouch(&self.connection));
        written.map_err(|error| not_kept(&error))
    }

    /// Commits, hands on and answers.
    fn keep_all(&mut self, group: Vec<Append>) {
        let mut seq = *self.facts.newest();
        let mut made = Vec::with_capacity(group.len());
        let mut answers = Vec::with_capacity(group.len());
        for Append { user, draft, answer } in group {
            seq = now().max(seq + 1);
            made.push((user, Item::new(seq, draft)));
            answers.push(answer);
        }
        // A device that begins before a message is written down with it, at the latest; without one it begins at the same place again.
        let changes = self.devices.take_changes();
        match self.commit_or_make_room(&made, &changes) {
            Ok(folded) => {
                *self.facts.newest() = seq;
                let mut messages = self.fresh.messages();
                (0..folded).for_each(|_| messages.take_first());
                for (user, item) in &made {
                    messages.add(user, item.clone());
                }
                drop(messages);
                let kept = made.iter().map(|(user, item)| {
                    let links = self.users.kept(user, item);
                    Kept { id: item.id().into_owned(), links }
                });
                let answers = answers.into_iter().zip(kept).collect::<Vec<_>>();
                match &self.syncer {
                    Some(syncer) => syncer.answer(answers),
                    // Who pushed may have gone.
                    None => answers.into_iter().for_each(|(answer, kept)| drop(answer.send(Ok(kept)))),
                }
                self.copy_now_and_then();
            }
            Err(error) => {
                self.devices.give_back(changes);
                let reason = not_kept(&error);
                tracing::error!(messages = made.len(), "{reason}: {error}");
                answers.into_iter().for_each(|answer| drop(answer.send(Err(reason))));
            }
        }
    }

    /// A log that takes the room of the disk, while the file has pages to spare, is emptied first.
    fn commit_or_make_room(&mut self, made: &[(String, Item)], changes: &Changes) -> rusqlite::Result<usize> {
        if let Some(syncer) = self.syncer.as_ref().filter(|syncer| syncer.has_failed()) {
            // All of it is written to the file then, and that is synced.
            open::empty(&self.connection)?;
            syncer.is_mended();
        }
        match self.commit(made, changes) {
            Err(error) if not_kept(&error) == NotKept::Full => {
                open::copy(&self.connection, "TRUNCATE").map_err(|_| error)?;
                self.commit(made, changes)
            }
            done => done,
        }
    }

    /// Returns how many users were folded, of those who came first.
    fn commit(&mut self, made: &[(String, Item)], changes: &Changes) -> rusqlite::Result<usize> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tables::note_devices(&transaction, changes)?;
        for (user, item) in made {
            tables::append(&transaction, user, item)?;
        }
        let (mut count, mut bytes) = {
            let messages = self.fresh.messages();
            (messages.count + made.len(), messages.bytes)
        };
        let more = made.iter().map(|(_, item)| item.size()).sum::<usize>();
        bytes += more;
        self.changed += more + COMMIT_BYTES;
        let mut folded = 0;
        while count > FRESH_MESSAGES || bytes > FRESH_BYTES {
            let Some((user, items)) = ({
                let messages = self.fresh.messages();
                messages.order.get(folded).map(|(_, user)| (Arc::clone(user), messages.of[user].clone()))
            }) else {
                break;
            };
            tables::fold(&transaction, &user, &items, self.keep, self.users.walks(&user))?;
            count -= items.len();
            bytes -= items.iter().map(Item::size).sum::<usize>();
            self.changed += FOLD_BYTES;
            folded += 1;
        }
        if folded > 0 {
            let first = self.fresh.messages().order.get(folded).map(|(seq, _)| *seq);
            let first = first.or_else(|| made.first().map(|(_, item)| item.seq));
            tables::forget_recent(&transaction, first.unwrap_or(u64::MAX))?;
        }
        if let Some((_, item)) = made.last() {
            tables::set_newest(&transaction, item.seq)?;
        }
        transaction.commit()?;
        Ok(folded)
    }

    /// What no message has taken along.
    fn note_devices(&mut self) {
        let changes = self.devices.take_changes();
        if !changes.is_empty()
            && let Err(error) = self.commit(&[], &changes)
        {
            tracing::warn!(
                "how far devices are is not noted, and so they are sent more than they need: {error}"
            );
        }
    }

    fn copy_now_and_then(&mut self) {
        if self.full.swap(false, Relaxed) {
            // What the copier hasn't copied yet is little; then the log begins anew.
            if let Err(error) = open::copy(&self.connection, "TRUNCATE") {
                tracing::warn!("SQLite's log can't be emptied: {error}");
            }
        }
        if self.changed > CHECKPOINT_BYTES {
            self.changed = 0;
            // It ends with us.
            let _ = self.copier.send(());
        }
    }

    /// Folds what is left of the last time, and drops what has become too old meanwhile.
    fn fold_what_was_left(&mut self) -> rusqlite::Result<()> {
        let mut left = Messages::default();
        tables::recent(&self.connection, |user, item| left.add(&user, item))?;
        match self.fold_left(&left) {
            // What is kept can be read all the same.
            Err(error) if not_kept(&error) == NotKept::Full => {
                tracing::warn!("there is no room to put messages in their place: {error}");
                *self.fresh.messages() = left;
                Ok(())
            }
            folded => folded,
        }
    }

    fn fold_left(&mut self, left: &Messages) -> rusqlite::Result<()> {
        tables::untouch(&self.connection)?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (user, items) in &left.of {
            tables::fold(&transaction, user, items, self.keep, None)?;
        }
        tables::forget_recent(&transaction, u64::MAX)?;
        transaction.commit()?;
        if self.keep.age.is_some() { self.sweep() } else { Ok(()) }
    }

    /// Drops what is too old, also of users who get no messages.
    fn sweep(&mut self) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let messages = self.fresh.messages();
        for (user, items) in &messages.of {
            tables::fold(&transaction, user, items, self.keep, self.users.walks(user))?;
        }
        drop(messages);
        tables::forget_recent(&transaction, u64::MAX)?;
        for user in tables::users(&transaction)? {
            tables::fold(&transaction, &user, &[], self.keep, self.users.walks(&user))?;
        }
        transaction.commit()?;
        *self.fresh.messages() = Messages::default();
        Ok(())
    }
}

fn not_kept(error: &rusqlite::Error) -> NotKept {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => NotKept::Full,
        _ => NotKept::Unavailable,
    }
}

/// The thread that reads.
fn read(connection: &Connection, fresh: &Fresh, facts: &Facts, looks: &mpsc::Receiver<Look>) {
    for look in looks {
        // Who asked may have gone.
        match look {
            Look::After { user, seq, limit, answer } => {
                let _ = answer.send(after(connection, fresh, facts, &user, seq, limit));
            }
            Look::Count { answer } => {
                let waiting = fresh.messages().count;
                let _ = answer.send(tables::count(connection).map(|folded| folded + waiting as u64));
            }
            Look::Stand { user, since, answer } => {
                let _ = answer.send(stand(connection, fresh, facts, &user, &since));
            }
        }
    }
}

fn after(
    connection: &Connection,
    fresh: &Fresh,
    facts: &Facts,
    user: &str,
    seq: u64,
    limit: Limit,
) -> rusqlite::Result<Page> {
    // Before the file is read: what is folded between is found twice.
    let newer = fresh.of(user);
    let owner = tables::owner(connection, user)?;
    let dropped = owner.as_ref().map_or(0, |owner| owner.dropped).max(facts.born);
    let mut page = Page { items: Vec::new(), last: true, complete: dropped <= seq };
    let mut bytes = 0;
    let mut take = |item: Item| {
        bytes += item.size();
        page.last = page.items.is_empty() || (page.items.len() < limit.messages && bytes <= limit.bytes);
        if page.last {
            page.items.push(item);
        }
        page.last
    };
    let mut reached = seq;
    let all = match owner {
        Some(owner) => tables::after(connection, owner.id, seq, |item| {
            reached = item.seq;
            take(item)
        })?,
        None => true,
    };
    if all {
        let _ = newer.into_iter().filter(|item| item.seq > reached).all(take);
    }
    Ok(page)
}

fn stand(
    connection: &Connection,
    fresh: &Fresh,
    facts: &Facts,
    user: &str,
    since: &str,
) -> rusqlite::Result<Standing> {
    let newer = fresh.of(user);
    let owner = tables::owner(connection, user)?;
    let number = since.parse::<u64>().ok();
    let in_file = match &owner {
        Some(owner) => tables::find(connection, owner.id, since, number)?,
        None => None,
    };
    let found = in_file.or_else(|| newer.iter().find(|item| item.id() == since).map(|item| item.seq));
    // A number that was never given is another server's.
    let seq = found.or(number.filter(|seq| seq <= &facts.newest())).unwrap_or(0);
    let mut dropped = owner.as_ref().map_or(0, |owner| owner.dropped).max(facts.born);
    // What is to be trimmed when it is folded counts as dropped.
    let in_the_file = owner.as_ref().map_or(0, |owner| owner.messages);
    let over = (in_the_file + newer.len()).saturating_sub(facts.keep);
    if let Some(owner) = owner.filter(|_| over > 0 && in_the_file > 0) {
        dropped = dropped.max(tables::nth(connection, owner.id, over.min(in_the_file))?);
    }
    let over = over.saturating_sub(in_the_file);
    dropped = dropped.max(newer.get(over.wrapping_sub(1)).map_or(0, |item| item.seq));
    let next = if dropped > facts.born { seq.max(dropped) } else { seq };
    Ok(Standing { seq: next, from: seq, complete: dropped <= seq })
}

/// The thread that copies SQLite's log into the file, so that pushes don't wait for it.
fn copy(connection: &Connection, full: &AtomicBool, copies: &mpsc::Receiver<()>) {
    while copies.recv().is_ok() {
        match open::copy(connection, "PASSIVE") {
            Ok(pages) if pages > LOG_PAGES => full.store(true, Relaxed),
            Ok(_) => {}
            Err(error) => tracing::warn!("SQLite's log can't be copied: {error}"),
        }
    }
}

#[cfg(test)]
mod tests;
