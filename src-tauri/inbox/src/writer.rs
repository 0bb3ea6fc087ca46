//! The writer thread: the only one that touches the file.
//!
//! Every message goes the same way: into `waiting`, from there into the file in one transaction with all
//! the others that wait, and then to the notifier. While the file can't be written, `waiting` simply stays
//! filled: the messages are shown all the same, and each later arrival, and a timer that runs only in this
//! state, tries again.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, broadcast, oneshot, watch};
use tracing::{debug, error, info, warn};

use crate::database::{self, Contents, Database, OpenError, Opened, Pending, State, is_corrupt};
use crate::decode::decode;
use crate::gate::{Gate, Now, Release};
use crate::message::{Message, RowId, Urgency};
use crate::policy::{self, Decision};
use crate::waiting::{Held, WAITING, Waiting};
use crate::{Arrival, Event, Notice, Notifier, Policy, Popup, Unread};

/// Messages of one transaction. Too few: a burst costs a commit each. Too many: the first of a burst is
/// shown late.
const BATCH: usize = 256;

/// Bytes of frames after which a batch is full, so that 256 large ones aren't held at once.
const BATCH_BYTES: usize = 4 << 20;

/// Until the file is tried again when no message came meanwhile. Too low: wake-ups for nothing. Too high:
/// a kill loses more.
const RETRY: Duration = Duration::from_secs(30);

/// Old messages that are deleted at a time, when a batch of new ones may have come. Too few: the file grows.
/// Too many: the next message waits.
const RETIRED: usize = 2 * BATCH;

/// Damaged files that one run sets aside. More than that is a broken disk, and a new file each time no cure.
const REPLACEMENTS: u8 = 3;

/// Which messages were read.
pub(crate) enum Read {
    Rows(Vec<RowId>),
    All,
}

/// What the handles ask of the thread.
pub(crate) enum Command {
    Arrive(Arrival, OwnedSemaphorePermit),
    Shown(Vec<RowId>),
    NotShown(Vec<RowId>),
    ShowPending,
    LastId(String, oneshot::Sender<Option<String>>),
    History {
        before: Option<RowId>,
        limit: usize,
        reply: oneshot::Sender<Vec<Message>>,
    },
    Search {
        text: String,
        before: Option<RowId>,
        limit: usize,
        reply: oneshot::Sender<Vec<Message>>,
    },
    Message(RowId, oneshot::Sender<Option<Message>>),
    Delete(Vec<RowId>, oneshot::Sender<()>),
    Policy(Policy),
    Pause(bool),
    LookAtClock,
    MarkRead(Read, oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
    /// Lets a test break the file from within.
    #[cfg(test)]
    Meddle(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// The thread's whole state.
pub(crate) struct Writer {
    path: PathBuf,
    database: Option<Database>,
    /// Without a database: whether to try the path again. Not if it holds a newer version's file.
    may_reopen: bool,
    /// The last attempt to write failed, and the user was told.
    trouble: bool,
    /// The user was told that the oldest are given up.
    giving_up: bool,
    retry: Duration,
    /// Files set aside while in use.
    replacements: u8,
    waiting: Waiting,
    /// What became of messages that are in the file, not yet written there.
    outcomes: Vec<(RowId, State)>,
    /// Handed to the notifier and not answered, with what they are once shown.
    in_flight: HashMap<RowId, State>,
    next_row: i64,
    last_ids: BTreeMap<String, String>,
    gate: Gate,
    clock: fn() -> Now,
    notifier: Box<dyn Notifier>,
    unread: watch::Sender<Unread>,
    events: broadcast::Sender<Event>,
}

impl Writer {
    pub(crate) fn open(
        path: &Path,
        policy: Policy,
        notifier: Box<dyn Notifier>,
        unread: watch::Sender<Unread>,
        events: broadcast::Sender<Event>,
    ) -> (Self, Vec<Notice>) {
        let mut writer = Self {
            path: path.to_owned(),
            database: None,
            may_reopen: true,
            trouble: false,
            giving_up: false,
            retry: RETRY,
            replacements: 0,
            waiting: Waiting::default(),
            outcomes: Vec::new(),
            in_flight: HashMap::new(),
            // A file not seen yet may hold any low number; this is higher, and rises more slowly than time.
            next_row: Timestamp::now().as_millisecond(),
            last_ids: BTreeMap::new(),
            gate: Gate::new(policy, Instant::now()),
            clock: Now::read,
            notifier,
            unread,
            events,
        };
        let (opened, notice) = database::open_or_set_aside(path);
        let mut notices = Vec::from_iter(notice);
        match opened {
            Ok((database, contents)) => {
                writer.next_row = contents.next_row;
                writer.adopt(database, contents);
            }
            Err(error) => {
                writer.trouble = true;
                notices.push(writer.no_file(&error));
            }
        }
        (writer, notices)
    }

    /// Works until the inbox is closed or its last handle gone.
    pub(crate) fn run(mut self, queue: &Receiver<Command>) {
        let mut closed = None;
        while closed.is_none() {
            let command = match queue.try_recv() {
                Ok(command) => command,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    // What became of the messages is written once things calm down, not for each of a burst.
                    if !self.trouble {
                        self.flush();
                        if self.retire() {
                            // More is to be deleted; what came meanwhile goes first.
                            continue;
                        }
                    }
                    match self.wait(queue) {
                        Ok(command) => command,
                        Err(RecvTimeoutError::Disconnected) => break,
                        Err(RecvTimeoutError::Timeout) => {
                            self.reopen();
                            self.flush();
                            self.release_due();
                            continue;
                        }
                    }
                }
            };
            let mut next = Some(command);
            while let Some(command) = next.take() {
                match command {
                    Command::Arrive(arrival, room) => {
                        drop(room);
                        let (batch, after) = gather(arrival, queue);
                        next = after;
                        self.take_in(batch);
                    }
                    Command::Shown(rows) => self.settle(rows),
                    Command::NotShown(rows) => {
                        for row in rows {
                            self.in_flight.remove(&row);
                        }
                    }
                    Command::ShowPending => self.show_pending(),
                    Command::Policy(policy) => {
                        let now = (self.clock)();
                        self.gate.set_policy(policy, &now);
                    }
                    Command::Pause(paused) => {
                        let was_paused = self.gate.set_paused(paused);
                        if was_paused && !paused {
                            self.show_pending();
                        }
                    }
                    // Every turn ends by a look at it.
                    Command::LookAtClock => {}
                    Command::LastId(channel, reply) => answer(reply, self.last_ids.get(&channel).cloned()),
                    Command::History { before, limit, reply } => answer(reply, self.history(before, limit)),
                    Command::Search { text, before, limit, reply } => {
                        answer(reply, self.look_up(|database| database.search(&text, before, limit)));
                    }
                    Command::Delete(rows, reply) => {
                        self.delete(&rows);
                        answer(reply, ());
                    }
                    Command::Message(row, reply) => answer(reply, self.message(row)),
                    Command::MarkRead(which, reply) => {
                        self.mark_read(&which);
                        answer(reply, ());
                    }
                    Command::Close(reply) => closed = Some(reply),
                    #[cfg(test)]
                    Command::Meddle(meddle) => meddle(&mut self),
                }
            }
            self.release_due();
        }
        self.finish();
        if let Some(reply) = closed {
            answer(reply, ());
        }
    }

    fn wait(&self, queue: &Receiver<Command>) -> Result<Command, RecvTimeoutError> {
        let something_waits = !(self.waiting.is_empty() && self.outcomes.is_empty());
        let retry = something_waits && (self.database.is_some() || self.may_reopen);
        let retry = retry.then_some(self.retry);
        match retry.into_iter().chain(self.gate.deadline(&(self.clock)())).min() {
            Some(timeout) => queue.recv_timeout(timeout),
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn take_in(&mut self, batch: Vec<Arrival>) {
        // First, so that what the file knows is known.
        self.reopen();
        let mut fresh = Vec::new();
        for Arrival { channel, payload, received_at, catch_up } in batch {
            let Some(mut message) = decode(&channel, payload, received_at) else { continue };
            if self.knows(&message, channel.ids_are_unique) {
                debug!(channel = channel.id, "a message came again");
                continue;
            }
            message.row = RowId(self.next_row);
            self.next_row += 1;
            if let Some(id) = &message.id {
                self.last_ids.insert(message.channel.clone(), id.clone());
            }
            let state = match policy::decide(&channel, &mut message) {
                Decision::Notify => State::Pending,
                Decision::Store => State::Silent,
            };
            let message = Arc::new(message);
            fresh.push((Arc::clone(&message), state, catch_up));
            let unchecked = self.database.is_none();
            self.waiting.push(Held { message, state, unique: channel.ids_are_unique, unchecked });
        }
        if fresh.is_empty() {
            return;
        }
        self.unread.send_modify(|unread| {
            for (message, ..) in &fresh {
                unread.total += 1;
                *unread.by_channel.entry(message.channel.clone()).or_default() += 1;
            }
        });
        self.flush();
        let now = (self.clock)();
        for (message, state, catch_up) in fresh {
            // No onlooker is no error.
            let _ = self.events.send(Event::Stored(Arc::clone(&message)));
            if state != State::Pending {
                continue;
            }
            if has_expired(message.expires, &now) {
                self.put(message.row, State::Silent);
            } else if self.gate.admit(message.urgency, catch_up, &now) {
                self.in_flight.insert(message.row, State::Shown);
                self.notifier.show(Popup::Message(message));
            }
        }
    }

    /// Whether this message is a repetition.
    fn knows(&mut self, message: &Message, unique: bool) -> bool {
        let Some(id) = &message.id else { return false };
        let raw = (!unique).then_some(&message.raw);
        self.waiting.knows(message, unique)
            || self.look_up(|database| database.knows(&message.channel, id, raw))
    }

    /// Without a file, tries to get one.
    fn reopen(&mut self) {
        if self.database.is_none() && self.may_reopen {
            self.use_opened(database::open_or_set_aside(&self.path));
        }
    }

    /// Writes all that waits, as far as the file lets us.
    fn flush(&mut self) {
        if self.waiting.is_empty() && self.outcomes.is_empty() {
            return;
        }
        let waited = self.trouble;
        let mut written = 0;
        while let Some(database) = &mut self.database {
            let count = self.waiting.len().min(BATCH);
            match database.write(self.waiting.oldest(count), &self.outcomes) {
                Ok(()) => {
                    self.waiting.written(count);
                    self.outcomes.clear();
                    written += count;
                }
                Err(error) if is_corrupt(&error) && self.replacements < REPLACEMENTS => {
                    self.replace_file(&error);
                }
                Err(error) => {
                    if !self.trouble {
                        self.trouble = true;
                        let notice = self.not_written(&error);
                        self.tell(notice);
                    }
                    break;
                }
            }
            if self.waiting.is_empty() && self.outcomes.is_empty() {
                break;
            }
        }
        if waited && self.waiting.is_empty() && self.outcomes.is_empty() {
            self.trouble = false;
            self.giving_up = false;
            self.recount();
            let path = self.path.display();
            self.tell(Notice {
                message: format!(
                    "The inbox {path} can be written again; the {written} messages that waited are in it."
                ),
            });
        }
        self.give_up_the_oldest();
    }

    /// Keeps `waiting` within its limits.
    fn give_up_the_oldest(&mut self) {
        let given_up = self.waiting.give_up();
        if given_up.is_empty() {
            return;
        }
        for row in &given_up {
            self.in_flight.remove(row);
        }
        self.recount();
        let first_time = !self.giving_up;
        self.giving_up = true;
        if first_time {
            let path = self.path.display();
            self.tell(Notice {
                message: format!(
                    "The inbox {path} has not been writable for so long that the oldest of the waiting messages are given \
                     up; they were shown, but will not be in the inbox. Make room on the disk or mend its permissions."
                ),
            });
        }
    }

    /// The file turned out to be damaged while in use.
    fn replace_file(&mut self, error: &rusqlite::Error) {
        self.replacements += 1;
        // Closed first, or its log would be written under the new file's name.
        self.database = None;
        self.outcomes.clear();
        self.use_opened(database::replace(&self.path, &error.to_string()));
        self.recount();
    }

    fn use_opened(&mut self, (opened, notice): Opened) {
        if let Some(notice) = notice {
            self.tell(notice);
        }
        match opened {
            Ok((database, contents)) => self.adopt(database, contents),
            Err(error) => {
                let notice = self.no_file(&error);
                if self.trouble {
                    debug!("{}", notice.message);
                } else {
                    self.trouble = true;
                    self.tell(notice);
                }
            }
        }
    }

    /// Takes this file into use and brings together what it and this run know.
    fn adopt(&mut self, mut database: Database, contents: Contents) {
        self.next_row = self.next_row.max(contents.next_row);
        if !self.last_ids.is_empty()
            && let Err(error) = database.write_last_ids(&self.last_ids)
        {
            warn!("the last ids could not be written: {error}");
        }
        for (channel, id) in contents.last_ids {
            self.last_ids.entry(channel).or_insert(id);
        }
        self.waiting.check(|Held { message, unique, .. }| {
            let Some(id) = &message.id else { return false };
            let raw = (!unique).then_some(&message.raw);
            database.knows(&message.channel, id, raw).unwrap_or(false)
        });
        self.database = Some(database);
        self.recount();
    }

    /// These popups were shown.
    fn settle(&mut self, rows: Vec<RowId>) {
        for row in rows {
            // Unknown: it was given up, or answered before.
            let Some(state) = self.in_flight.remove(&row) else { continue };
            self.put(row, state);
        }
    }

    /// Notes what became of a message.
    fn put(&mut self, row: RowId, state: State) {
        if !self.waiting.settle(row, state) {
            self.outcomes.push((row, state));
        }
    }

    fn show_pending(&mut self) {
        let now = (self.clock)();
        if let Some(release) = self.gate.release(&now) {
            self.release(release, &now);
        }
    }

    /// Sends out what was held back until now.
    fn release_due(&mut self) {
        let now = (self.clock)();
        if let Some(release) = self.gate.due(&now) {
            self.release(release, &now);
        }
    }

    fn release(&mut self, release: Release, now: &Now) {
        self.reopen();
        self.flush();
        let mut pending = self.look_up(Database::pending);
        // The file may not know yet that these were shown.
        pending.retain(|Pending { row, .. }| !self.outcomes.iter().any(|(settled, _)| settled == row));
        pending.extend(self.waiting.pending());
        pending.retain(|Pending { row, .. }| !self.in_flight.contains_key(row));
        let (expired, mut pending): (Vec<_>, Vec<_>) =
            pending.into_iter().partition(|Pending { expires, .. }| has_expired(*expires, now));
        for Pending { row, .. } in expired {
            self.put(row, State::Silent);
        }
        if release.only_critical {
            pending.retain(|Pending { urgency, .. }| *urgency == Urgency::Critical);
        }
        let Some(newest) = pending.last().and_then(|Pending { row, .. }| self.message(*row)).map(Arc::new)
        else {
            return;
        };
        if pending.len() == 1 && !(release.more && self.gate.is_counting()) {
            self.in_flight.insert(newest.row, State::Shown);
            self.notifier.show(Popup::Message(newest));
            return;
        }
        let mut by_channel = BTreeMap::<String, u64>::new();
        let mut rows = Vec::with_capacity(pending.len());
        for Pending { row, channel, .. } in pending {
            *by_channel.entry(channel).or_default() += 1;
            self.in_flight.insert(row, State::Summarised);
            rows.push(row);
        }
        if release.more {
            by_channel = self.gate.count_more(by_channel);
        }
        let count = by_channel.values().sum();
        let mut channels = Vec::from_iter(by_channel);
        channels.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        self.notifier.show(Popup::Summary { rows, count, newest, channels, more: release.more });
    }

    fn delete(&mut self, rows: &[RowId]) {
        self.waiting.delete(rows);
        if let Some(database) = &mut self.database
            && let Err(error) = database.delete(rows)
        {
            warn!("messages could not be deleted: {error}");
        }
        self.recount();
    }

    /// Deletes some of what need not be kept any longer; whether there may be more of that.
    fn retire(&mut self) -> bool {
        let Policy { keep_days, keep_messages, .. } = *self.gate.policy();
        let kept = SignedDuration::from_hours(i64::from(keep_days) * 24);
        let Ok(before) = (self.clock)().wall.timestamp().checked_sub(kept) else { return false };
        let outdated = self.look_up(|database| database.outdated(before, keep_messages.into(), RETIRED));
        let Some(database) = self.database.as_mut().filter(|_| !outdated.is_empty()) else { return false };
        match database.delete(&outdated) {
            Ok(deleted) => {
                if !deleted.is_empty() {
                    self.unread.send_modify(|unread| unread.subtract(&deleted));
                }
                true
            }
            Err(error) => {
                warn!("old messages could not be deleted: {error}");
                false
            }
        }
    }

    fn history(&mut self, before: Option<RowId>, limit: usize) -> Vec<Message> {
        let waiting =
            self.waiting.newest_first().filter(|message| before.is_none_or(|row| message.row < row));
        let mut messages = Vec::from_iter(waiting.take(limit).cloned());
        let rest = limit - messages.len();
        messages.extend(self.look_up(|database| database.newest(before, rest)));
        messages
    }

    fn message(&mut self, row: RowId) -> Option<Message> {
        let waiting = self.waiting.message(row).cloned();
        waiting.or_else(|| self.look_up(|database| database.message(row)))
    }

    fn mark_read(&mut self, which: &Read) {
        let rows = match which {
            Read::Rows(rows) => Some(rows.as_slice()),
            Read::All => None,
        };
        self.waiting.mark_read(|row| rows.is_none_or(|rows| rows.contains(&row)));
        if let Some(database) = &mut self.database
            && let Err(error) = database.mark_read(rows)
        {
            warn!("messages could not be marked as read: {error}");
        }
        self.recount();
    }

    /// Publishes the unread counts as file and memory have them.
    fn recount(&mut self) {
        let mut by_channel = self.look_up(Database::unread);
        self.waiting.add_unread(&mut by_channel);
        let unread = Unread { total: by_channel.values().sum(), by_channel };
        self.unread.send_if_modified(|current| {
            let changed = *current != unread;
            *current = unread;
            changed
        });
    }

    /// What the file answers; as good as nothing if it can't.
    fn look_up<T: Default>(&mut self, question: impl FnOnce(&Database) -> rusqlite::Result<T>) -> T {
        let Some(database) = &self.database else { return T::default() };
        question(database).unwrap_or_else(|error| {
            if is_corrupt(&error) && self.replacements < REPLACEMENTS {
                self.replace_file(&error);
            } else {
                warn!("the inbox could not be read: {error}");
            }
            T::default()
        })
    }

    fn finish(mut self) {
        self.reopen();
        self.flush();
        if !self.waiting.is_empty() {
            error!(
                "{} messages were shown but never written to the inbox {}",
                self.waiting.len(),
                self.path.display()
            );
        }
        if let Some(database) = &self.database
            && let Err(error) = database.checkpoint()
        {
            // All is committed; the next start reads it from the log.
            info!("the inbox's log stays beside it: {error}");
        }
    }

    fn tell(&self, notice: Notice) {
        warn!("{}", notice.message);
        let _ = self.events.send(Event::Notice(notice));
    }

    /// Why there is no file, for the user; sets whether it is tried again.
    fn no_file(&mut self, error: &OpenError) -> Notice {
        let mend = match error {
            OpenError::Newer { .. } => {
                "It is left alone. Install the newer version again, or move the file away and restart Tidings"
            }
            OpenError::Damaged(_) | OpenError::Unavailable(_) => {
                "It is tried again by itself. Check that the folder is there and writable and that the disk has room"
            }
        };
        self.may_reopen = !matches!(error, OpenError::Newer { .. });
        Notice {
            message: format!(
                "The inbox {} can't be opened: {error}. Messages are shown, but only the last {WAITING} are kept, in \
                 memory. {mend}.",
                self.path.display()
            ),
        }
    }

    fn not_written(&self, error: &rusqlite::Error) -> Notice {
        Notice {
            message: format!(
                "The inbox {} can't be written: {error}. Messages are shown, and up to {WAITING} wait in memory to be \
                 written later. Make room on the disk or mend its permissions.",
                self.path.display()
            ),
        }
    }
}

/// The arrivals that are in the queue right now, up to a batch, and the command that ended the row of them.
fn gather(first: Arrival, queue: &Receiver<Command>) -> (Vec<Arrival>, Option<Command>) {
    let mut bytes = first.payload.len();
    let mut batch = vec![first];
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        match queue.try_recv() {
            Ok(Command::Arrive(arrival, room)) => {
                drop(room);
                bytes += arrival.payload.len();
                batch.push(arrival);
            }
            Ok(other) => return (batch, Some(other)),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    (batch, None)
}

fn has_expired(expires: Option<Timestamp>, now: &Now) -> bool {
    expires.is_some_and(|expires| expires <= now.wall.timestamp())
}

fn answer<T>(reply: oneshot::Sender<T>, answer: T) {
    // Who asked may have gone.
    let _ = reply.send(answer);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use tokio::sync::Semaphore;

    use super::*;
    use crate::{ChannelProfile, Payload};

    struct Forward(Sender<Popup>);

    impl Notifier for Forward {
        fn show(&mut self, popup: Popup) {
            self.0.send(popup).expect("the test waits for popups");
        }
    }

    fn unlimited() -> Policy {
        Policy { burst: u32::MAX, keep_days: 36_500, ..Policy::default() }
    }

    /// Longer than anything here takes; only a failing test waits it out.
    const DEADLINE: Duration = Duration::from_secs(20);

    struct Rig {
        folder: tempfile::TempDir,
        commands: Sender<Command>,
        popups: Receiver<Popup>,
        events: broadcast::Receiver<Event>,
        room: Arc<Semaphore>,
        channel: Arc<ChannelProfile>,
    }

    impl Rig {
        fn new(retry: Duration) -> Self {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let (commands, queue) = channel();
            let (show, popups) = channel();
            let (publish, events) = broadcast::channel(8_192);
            let unread = watch::channel(Unread::default()).0;
            let path = folder.path().join("inbox.db");
            let (mut writer, notices) =
                Writer::open(&path, unlimited(), Box::new(Forward(show)), unread, publish);
            assert_eq!(notices, []);
            writer.retry = retry;
            std::thread::spawn(move || writer.run(&queue));
            let channel = Arc::new(ChannelProfile::new("orders", "Orders"));
            Self { folder, commands, popups, events, room: Arc::new(Semaphore::new(10_000)), channel }
        }

        fn receive(&self, text: &str) -> Popup {
            let channel = Arc::clone(&self.channel);
            let arrival = Arrival {
                channel,
                payload: Payload::Text(text.into()),
                received_at: Timestamp::UNIX_EPOCH,
                catch_up: false,
            };
            let room = Arc::clone(&self.room).try_acquire_owned().expect("room");
            self.commands.send(Command::Arrive(arrival, room)).expect("the writer lives");
            self.popups.recv_timeout(DEADLINE).expect("it is shown, whatever the disk does")
        }

        fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Command) -> T {
            let (reply, answer) = oneshot::channel();
            self.commands.send(question(reply)).expect("the writer lives");
            answer.blocking_recv().expect("an answer")
        }

        fn meddle(&self, meddle: impl FnOnce(&mut Writer) + Send + 'static) {
            self.commands.send(Command::Meddle(Box::new(meddle))).expect("the writer lives");
        }

        /// No page more than the file has now; or as many as it likes.
        fn disk_is_full(&self, full: bool) {
            let pages = if full { 1 } else { 1_000_000 };
            self.meddle(move |writer| {
                let database = writer.database.as_ref().expect("a file");
                let set = |_: &rusqlite::Row<'_>| Ok(());
                let pragma = format!("PRAGMA max_page_count = {pages}");
                database.connection.query_row(&pragma, [], set).expect("a limit");
            });
        }

        fn notice(&mut self) -> String {
            loop {
                if let Event::Notice(notice) = self.events.blocking_recv().expect("an event") {
                    return notice.message;
                }
            }
        }

        fn stored(&self) -> Vec<String> {
            let file = rusqlite::Connection::open(self.folder.path().join("inbox.db")).expect("it opens");
            let mut rows = file.prepare("SELECT title FROM message ORDER BY row").expect("a statement");
            let titles =
                rows.query_map([], |row| row.get(0)).expect("rows").map(|title| title.expect("a title"));
            titles.collect()
        }
    }

    /// Needs pages of its own, so that it can't fit into a full file.
    fn large(title: &str) -> String {
        format!(r#"{{"id": "{title}", "title": "{title}", "body": "{}"}}"#, "x".repeat(20_000))
    }

    #[test]
    fn on_a_full_disk_messages_are_shown_and_are_written_with_the_next_once_there_is_room() {
        let mut rig = Rig::new(DEADLINE);
        let first = rig.receive(&large("a"));
        rig.disk_is_full(true);
        for title in ["b", "c"] {
            rig.receive(&large(title));
        }
        rig.commands.send(Command::Shown(first.rows())).expect("the writer lives");
        assert!(rig.notice().contains("can't be written"));
        let recent = rig.ask(|reply| Command::History { before: None, limit: 9, reply });
        let titles: Vec<&str> = recent.iter().map(|message| message.title.as_str()).collect();
        assert_eq!(titles, ["c", "b", "a"], "what waits is there for the window");
        assert_eq!(rig.stored(), ["a"]);

        rig.disk_is_full(false);
        rig.receive(&large("d"));
        assert!(rig.notice().contains("can be written again; the 3 messages"));
        assert_eq!(rig.stored(), ["a", "b", "c", "d"]);
    }

    #[test]
    fn on_a_full_disk_the_file_is_tried_again_by_itself() {
        let mut rig = Rig::new(Duration::from_millis(1));
        rig.disk_is_full(true);
        rig.receive(&large("a"));
        assert!(rig.notice().contains("can't be written"));
        rig.disk_is_full(false);
        assert!(rig.notice().contains("can be written again; the 1 messages"));
        assert_eq!(rig.stored(), ["a"]);
    }

    #[test]
    fn on_a_full_disk_a_repetition_is_still_known() {
        let rig = Rig::new(DEADLINE);
        rig.receive(&large("a"));
        rig.disk_is_full(true);
        rig.receive(&large("b"));
        for title in ["a", "b"] {
            let channel = Arc::clone(&rig.channel);
            let payload = Payload::Text(large(title));
            let arrival = Arrival { channel, payload, received_at: Timestamp::UNIX_EPOCH, catch_up: false };
            let room = Arc::clone(&rig.room).try_acquire_owned().expect("room");
            rig.commands.send(Command::Arrive(arrival, room)).expect("the writer lives");
        }
        assert_eq!(rig.ask(|reply| Command::History { before: None, limit: 9, reply }).len(), 2);
        assert!(rig.popups.try_recv().is_err());
    }

    #[test]
    fn on_a_full_disk_the_last_thousand_wait_and_what_was_shown_is_known_as_shown() {
        let mut rig = Rig::new(DEADLINE);
        rig.disk_is_full(true);
        for n in 0..1_002 {
            let popup = rig.receive(&large(&n.to_string()));
            rig.commands.send(Command::Shown(popup.rows())).expect("the writer lives");
        }
        assert!(rig.notice().contains("can't be written"));
        assert!(rig.notice().contains("given up"));
        rig.disk_is_full(false);
        rig.receive(&large("last"));
        let stored = rig.stored();
        assert_eq!(stored.len(), 1_001);
        assert_eq!((stored[0].as_str(), stored[1_000].as_str()), ("2", "last"));
        rig.commands.send(Command::ShowPending).expect("the writer lives");
        rig.ask(Command::Close);
        assert!(rig.popups.try_recv().is_err());
    }
}
