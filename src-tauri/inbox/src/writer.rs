//! The writer thread: the only one that touches the file.
//!
//! Every message goes the same way: into `waiting`, from there into the file in one transaction with all
//! the others that wait, and then to the notifier. While the file can't be written, `waiting` simply stays
//! filled: the messages are shown all the same, and each later arrival, and a timer that runs only in this
//! state, tries again (`file`). What was not shown goes out later (`popups`), the handles ask for what is
//! there (`messages`), and servers take back what they sent (`recalls`).

mod deliveries;
mod file;
mod messages;
mod popups;
mod recalls;
mod retention;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, broadcast, oneshot, watch};
use tracing::{debug, warn};

use crate::calendar::Calendar;
use crate::database::{By, Database, Reached, Read, State};
use crate::decode::{Decoded, decode_beside};
use crate::gate::{Gate, Hold, Now};
use crate::history::Query;
use crate::message::{Message, RowId};
use crate::policy::{self, Decision};
use crate::recall::{Recall, Unwritten};
use crate::sent_again::{NotAgain, SentAgain};
use crate::waiting::{Held, Waiting};
use crate::{
    Arrival, ChannelProfile, Dropped, Event, Note, Notice, Notifier, Policy, Popup, Published, Receipt,
    Unread, open,
};

/// Messages of one transaction. Too few: a burst costs a commit each. Too many: the first of a burst is
/// shown late.
const BATCH: usize = 256;

/// Bytes of frames after which a batch is full, so that 256 large ones aren't held at once.
const BATCH_BYTES: usize = 4 << 20;

/// Until the file is tried again when no message came meanwhile. Too low: wake-ups for nothing. Too high:
/// a kill loses more.
const RETRY: Duration = Duration::from_secs(30);

/// How long the search's index waits for popups that are on their way. Too low: it takes the processor from those who show
/// them; too high: where the service hangs, much is left for the first search.
const INDEX_AFTER: Duration = Duration::from_secs(1);

/// What the handles ask of the thread.
pub(crate) enum Command {
    Arrive(Arrival, OwnedSemaphorePermit),
    Shown(Vec<RowId>),
    NotShown(Vec<RowId>),
    ShowPending,
    LastId(String, oneshot::Sender<Option<String>>),
    Newest(String, oneshot::Sender<Option<Timestamp>>),
    HighestId(String, oneshot::Sender<Option<u64>>),
    BeginAnew(String, oneshot::Sender<()>),
    /// Up to this place of this link.
    Settle(String, u64, u64),
    SettleAll(String),
    Recall(Vec<Recall>, oneshot::Sender<()>),
    Find(Query, oneshot::Sender<Vec<Message>>),
    RowOf(String, oneshot::Sender<Option<RowId>>),
    Message(RowId, oneshot::Sender<Option<Message>>),
    Missing(Vec<RowId>, oneshot::Sender<Option<Vec<RowId>>>),
    Delete(Vec<RowId>, oneshot::Sender<()>),
    Policy(Policy),
    Hold(Hold, bool),
    LookAtClock,
    Note(Vec<Note>),
    Journal(String, oneshot::Sender<Vec<Note>>),
    MarkRead(Read, oneshot::Sender<()>),
    ReadElsewhere(String, Vec<String>, oneshot::Sender<()>),
    Unsaid(String, oneshot::Sender<Vec<String>>),
    Close(oneshot::Sender<()>),
    /// Lets a test break the file from within.
    #[cfg(test)]
    Meddle(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// The thread's whole state.
pub(crate) struct Writer {
    path: PathBuf,
    database: Option<Database>,
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
    /// Deliveries that are not sent again any more; the file learns it with the next message.
    settled: Vec<RowId>,
    /// Handed to the notifier and not answered, with what they are once shown.
    in_flight: HashMap<RowId, State>,
    next_row: i64,
    reached: BTreeMap<String, Reached>,
    /// Some of it is not in the file, for it came with a repetition.
    reached_moved: bool,
    /// What is known of messages that are gone, and is not in the file.
    unwritten: Unwritten,
    /// Messages in the file that are to be deleted.
    doomed: Vec<RowId>,
    gate: Gate,
    calendar: Calendar,
    /// By channel.
    sent_again: HashMap<String, SentAgain>,
    /// For messages that are in the file, or wait.
    receipts: Vec<Receipt>,
    clock: Box<dyn Fn() -> Now + Send>,
    notifier: Box<dyn Notifier>,
    unread: watch::Sender<Unread>,
    dropped: watch::Sender<BTreeMap<String, Dropped>>,
    events: broadcast::Sender<Event>,
    /// Rung when the user has read or deleted something.
    read_here: watch::Sender<()>,
}

impl Writer {
    pub(crate) fn open(
        path: &Path,
        policy: Policy,
        notifier: Box<dyn Notifier>,
        unread: watch::Sender<Unread>,
        dropped: watch::Sender<BTreeMap<String, Dropped>>,
        events: broadcast::Sender<Event>,
        read_here: watch::Sender<()>,
    ) -> (Self, Vec<Notice>) {
        let mut writer = Self {
            path: path.to_owned(),
            database: None,
            trouble: false,
            giving_up: false,
            retry: RETRY,
            replacements: 0,
            waiting: Waiting::default(),
            outcomes: Vec::new(),
            settled: Vec::new(),
            in_flight: HashMap::new(),
            // A file not seen yet may hold any low number; this is higher, and rises more slowly than time.
            next_row: Timestamp::now().as_millisecond(),
            reached: BTreeMap::new(),
            reached_moved: false,
            unwritten: Unwritten::default(),
            doomed: Vec::new(),
            gate: Gate::new(policy, Instant::now()),
            calendar: Calendar::default(),
            sent_again: HashMap::new(),
            receipts: Vec::new(),
            clock: Box::new(Now::read),
            notifier,
            unread,
            dropped,
            events,
            read_here,
        };
        let (opened, notice) = open::open_or_set_aside(path);
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
                        // Whoever is to show a popup comes first.
                        let shown = self.in_flight.is_empty();
                        if shown && self.index() || self.retire() {
                            // More is to be done; what came meanwhile goes first.
                            continue;
                        }
                    }
                    match self.wait(queue) {
                        Ok(command) => command,
                        Err(RecvTimeoutError::Disconnected) => break,
                        Err(RecvTimeoutError::Timeout) => {
                            self.reopen();
                            self.flush();
                            self.index();
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
                    Command::Hold(hold, held) => {
                        if self.gate.hold(hold, held) {
                            self.show_pending();
                        }
                    }
                    // Every turn ends by a look at it.
                    Command::LookAtClock => {}
                    Command::LastId(channel, reply) => {
                        answer(reply, self.reached.get(&channel).map(|reached| reached.last_id.clone()));
                    }
                    Command::Newest(channel, reply) => {
                        let newest = self.reached.get(&channel).and_then(|reached| reached.newest);
                        answer(reply, newest.and_then(|at| Timestamp::from_millisecond(at).ok()));
                    }
                    Command::HighestId(channel, reply) => {
                        let highest = self.reached.get(&channel).and_then(|reached| reached.highest);
                        answer(reply, highest.and_then(|id| u64::try_from(id).ok()));
                    }
                    Command::BeginAnew(channel, reply) => {
                        self.begin_anew(&channel);
                        answer(reply, ());
                    }
                    Command::Settle(channel, link, place) => self.settle_deliveries(&channel, link, place),
                    Command::SettleAll(channel) => self.take_for_settled(&channel, NotAgain::All),
                    Command::Recall(recalls, reply) => {
                        self.take_in_recalls(&recalls);
                        answer(reply, ());
                    }
                    Command::Find(query, reply) => answer(reply, self.find(&query)),
                    Command::RowOf(id, reply) => answer(reply, self.row_of(&id)),
                    Command::Delete(rows, reply) => {
                        self.delete(&rows);
                        answer(reply, ());
                    }
                    Command::Note(notes) => self.note(&notes),
                    Command::Journal(channel, reply) => {
                        answer(reply, self.look_up(|database| database.journal(&channel)));
                    }
                    Command::Message(row, reply) => answer(reply, self.message(row)),
                    Command::Missing(rows, reply) => answer(reply, self.missing(&rows)),
                    Command::MarkRead(which, reply) => {
                        self.mark_read(&which, By::User);
                        answer(reply, ());
                    }
                    Command::ReadElsewhere(channel, ids, reply) => {
                        self.read_elsewhere(&channel, &ids);
                        answer(reply, ());
                    }
                    Command::Unsaid(channel, reply) => answer(reply, self.unsaid(&channel)),
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

    fn note(&mut self, notes: &[Note]) {
        if let Some(database) = &mut self.database
            && let Err(error) = database.note(notes)
        {
            debug!("what channels did is not noted: {error}");
        }
    }

    fn wait(&self, queue: &Receiver<Command>) -> Result<Command, RecvTimeoutError> {
        let something_waits = !(self.waiting.is_empty() && self.outcomes.is_empty());
        let retry = something_waits.then_some(self.retry);
        let behind = self.database.as_ref().is_some_and(|database| database.behind);
        let index = (behind && !self.trouble).then_some(INDEX_AFTER);
        match retry.into_iter().chain(index).chain(self.gate.deadline(&(self.clock)())).min() {
            Some(timeout) => queue.recv_timeout(timeout),
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn take_in(&mut self, batch: Vec<Arrival>) {
        // First, so that what the file knows is known.
        self.reopen();
        let mut news = News::default();
        for Arrival { channel, payload, about, received_at, catch_up, receipt } in batch {
            let published = about.published.clone().unwrap_or_default();
            let Decoded { messages, recalls, ignored } = decode_beside(&channel, payload, about, received_at);
            self.receipts.extend(receipt);
            if ignored > 0 {
                self.count(&channel.id, |dropped| dropped.ignored += ignored);
            }
            for message in messages {
                self.take(&channel, message, &published, catch_up, &mut news);
            }
            for recall in &recalls {
                self.recall(recall, &mut news);
            }
        }
        self.publish(news);
    }

    /// Takes in a message, unless it is none: a repetition, or taken back before it came.
    fn take(
        &mut self,
        channel: &ChannelProfile,
        mut message: Message,
        published: &Published,
        catch_up: bool,
        news: &mut News,
    ) {
        if let Some(reached) = Reached::by(&message) {
            let known = self.reached.entry(message.channel.clone()).or_default();
            known.and_then(reached);
        }
        if !catch_up {
            // What is new is no other's repetition, whatever it says.
            message.own_id = None;
        }
        let unique = message.series.is_some();
        let known = self.is_known_to(&message, published);
        let fate = if known { Fate::Dropped } else { self.fate(&message, catch_up || unique) };
        let Fate::News { replaces, read } = fate else {
            debug!(channel = channel.id, "a message came again, or too late");
            self.reached_moved = true;
            self.count(&channel.id, |dropped| dropped.repeated += 1);
            return;
        };
        message.row = RowId(self.next_row);
        self.next_row += 1;
        self.note_delivery(&message, published);
        message.unread &= !read;
        let state = match policy::decide(channel, &mut message) {
            Decision::Notify if !published.retained => State::Pending,
            Decision::Notify | Decision::Store => State::Silent,
        };
        self.remove(&replaces, news);
        let message = Arc::new(message);
        news.fresh.push(Fresh { message: Arc::clone(&message), state, catch_up, replaces });
        let unchecked = (catch_up || unique) && self.database.is_none();
        self.waiting.push(Held { message, state, unchecked });
    }

    /// Writes what came, shows it, and tells of it.
    fn publish(&mut self, news: News) {
        let News { fresh, gone, read, recount } = news;
        if fresh.is_empty() && !recount {
            self.give_receipts();
            return;
        }
        // Counted before they are written, since trouble with the file counts anew; told after the popups, since whoever
        // else hears of a message is less in a hurry than the user.
        self.unread.send_if_modified(|unread| {
            for Fresh { message, .. } in fresh.iter().filter(|fresh| fresh.message.unread) {
                unread.total += 1;
                *unread.by_channel.entry(message.channel.clone()).or_default() += 1;
            }
            false
        });
        self.flush();
        let now = (self.clock)();
        // A popup that takes the place of another need not have that one closed.
        let mut withdrawn: BTreeSet<RowId> = gone.iter().chain(&read).copied().collect();
        for Fresh { message, state, catch_up, replaces } in &fresh {
            if *state != State::Pending {
                continue;
            }
            if has_expired(message.expires, &now) {
                self.put(message.row, State::Silent);
            } else if self.gate.admit(message.urgency, *catch_up, &now) {
                self.in_flight.insert(message.row, State::Shown);
                self.notifier.show(Popup::Message(Arc::clone(message)));
                withdrawn.retain(|row| !replaces.contains(row));
            }
        }
        if !withdrawn.is_empty() {
            self.notifier.withdraw(withdrawn.into_iter().collect());
        }
        if recount {
            self.delete_doomed();
            self.recount();
        }
        self.unread.send_modify(|_| {});
        // No onlooker is no error.
        for event in [Event::Gone(gone), Event::Read(read)] {
            let (Event::Gone(rows) | Event::Read(rows)) = &event else { continue };
            if !rows.is_empty() {
                let _ = self.events.send(event);
            }
        }
        for Fresh { message, .. } in fresh {
            let _ = self.events.send(Event::Stored(message));
        }
    }

    /// For all that came, once all of it is in the file.
    fn give_receipts(&mut self) {
        if self.waiting.is_empty() {
            self.receipts.drain(..).for_each(Receipt::give);
        }
    }

    /// Nobody is woken for it: it is read when somebody asks.
    fn count(&self, channel: &str, count: impl FnOnce(&mut Dropped)) {
        self.dropped.send_if_modified(|dropped| {
            count(dropped.entry(channel.to_owned()).or_default());
            false
        });
    }

    fn tell(&self, notice: Notice) {
        warn!("{notice}");
        let _ = self.events.send(Event::Notice(notice));
    }
}

/// What a batch brought.
#[derive(Default)]
struct News {
    fresh: Vec<Fresh>,
    /// Deleted, or replaced by a later version.
    gone: Vec<RowId>,
    /// Read elsewhere.
    read: Vec<RowId>,
    /// The unread are others than the fresh add.
    recount: bool,
}

/// A message that came.
struct Fresh {
    message: Arc<Message>,
    state: State,
    catch_up: bool,
    /// The earlier versions.
    replaces: Vec<RowId>,
}

/// What becomes of a message that comes in.
enum Fate {
    News {
        /// Earlier versions of it.
        replaces: Vec<RowId>,
        /// Its server told already that it was read elsewhere.
        read: bool,
    },
    /// It came before, a later version did, or it is deleted.
    Dropped,
}

impl Fate {
    const NEWS: Self = Self::News { replaces: Vec::new(), read: false };
}

impl News {
    /// Whether this one is among those that came.
    fn has(&self, row: RowId) -> bool {
        self.fresh.iter().any(|fresh| fresh.message.row == row)
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
mod tests;
