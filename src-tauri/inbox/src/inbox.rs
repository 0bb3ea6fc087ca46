//! The handle that everyone else holds: it puts wishes into the writer thread's queue.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use tokio::sync::{Semaphore, broadcast, oneshot, watch};
use tracing::error;

use crate::database::Read;
use crate::gate::Hold;
use crate::history::Query;
use crate::message::{Message, RowId};
use crate::writer::{Command, Writer};
use crate::{Arrival, Dropped, Event, Note, Notice, Notifier, Policy, Recall, Unread};

/// Arrivals that may wait for the writer. Too few: each burst stalls its link for the length of a commit.
/// Too many: a stalled disk lets that many frames of up to 1 MiB pile up.
const QUEUE: usize = 64;

/// Events that a slow onlooker may lag behind before it has to read the inbox again.
const EVENTS: usize = 256;

/// A handle on the inbox; cheap to clone. The writer thread ends by [`close`](Self::close), or when the
/// last handle is gone.
#[derive(Debug, Clone)]
pub struct Inbox {
    commands: Sender<Command>,
    /// Bounds the arrivals in the queue; all else that is sent is small and rare.
    room: Arc<Semaphore>,
    unread: watch::Receiver<Unread>,
    dropped: watch::Receiver<BTreeMap<String, Dropped>>,
    events: broadcast::Sender<Event>,
    read_here: watch::Receiver<()>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Inbox {
    /// Opens the inbox at `path`, creating file (mode 0600) and folder (mode 0700) as needed, and starts
    /// its writer thread.
    ///
    /// Never fails. A damaged file is set aside as `<name>.corrupt-<time>` and a new one is started. A
    /// file of a newer version is left alone; that one, and one that can't be opened for now, is tried again later;
    /// meanwhile messages wait in memory. The notices say so. Reads the disk: not for an event loop in full swing.
    pub fn open(path: &Path, policy: Policy, notifier: impl Notifier) -> (Self, Vec<Notice>) {
        let (commands, queue) = channel();
        let (unread_out, unread) = watch::channel(Unread::default());
        let (dropped_out, dropped) = watch::channel(BTreeMap::new());
        let (events, _) = broadcast::channel(EVENTS);
        let (read_out, read_here) = watch::channel(());
        let (writer, mut notices) =
            Writer::open(path, policy, Box::new(notifier), unread_out, dropped_out, events.clone(), read_out);
        let thread = thread::Builder::new()
            .name("inbox".into())
            .spawn(move || writer.run(&queue))
            .inspect_err(|error| {
                notices.push(Notice::Off { why: error.into() });
            });
        let inbox = Self {
            commands,
            room: Arc::new(Semaphore::new(QUEUE)),
            unread,
            dropped,
            events,
            read_here,
            thread: Arc::new(Mutex::new(thread.ok())),
        };
        (inbox, notices)
    }

    /// Takes in one frame. Returns as soon as the queue has room for it, and before it is stored.
    pub async fn receive(&self, arrival: Arrival) {
        // The semaphore is never closed, so this can't fail.
        if let Ok(room) = Arc::clone(&self.room).acquire_owned().await {
            self.send(Command::Arrive(arrival, room));
        }
    }

    /// These rows were shown: the desktop took their popup.
    pub fn shown(&self, rows: Vec<RowId>) {
        self.send(Command::Shown(rows));
    }

    /// The popup of these rows was lost on its way. They stay pending and go out by the next
    /// [`show_pending`](Self::show_pending).
    pub fn not_shown(&self, rows: Vec<RowId>) {
        self.send(Command::NotShown(rows));
    }

    /// Sends out what is stored, unread, not shown, and not on its way, as far as it may pop up now: one
    /// message as itself, more as one summary. For the start, and for when the notification service is back.
    pub fn show_pending(&self) {
        self.send(Command::ShowPending);
    }

    /// From now on this holds.
    pub fn set_policy(&self, policy: Policy) {
        self.send(Command::Policy(policy));
    }

    /// Holds popups back, all but critical ones if the policy lets those through, until it is called with
    /// `false`: then one summary tells of what came.
    pub fn pause(&self, paused: bool) {
        self.send(Command::Hold(Hold::Pause, paused));
    }

    /// The same for as long as the notification service was told not to disturb the user.
    pub fn inhibit(&self, inhibited: bool) {
        self.send(Command::Hold(Hold::Service, inhibited));
    }

    /// The wall clock may have jumped or the machine slept: looks whether what is held back may go out.
    pub fn look_at_clock(&self) {
        self.send(Command::LookAtClock);
    }

    /// The id of the message of this channel that came last of those that had one, over all runs: what a reconnect asks
    /// `since`. Counts everything that was received before the call, repetitions too: a server that counts from 1 again
    /// is asked for what it knows.
    pub async fn last_id(&self, channel: &str) -> Option<String> {
        self.ask(|reply| Command::LastId(channel.to_owned(), reply)).await
    }

    /// The latest time of a message of this channel, by its server's clock but never later than by ours, over all runs and
    /// whatever was deleted since: what a server that gives no id twice ([`Message::series`]) is asked for what came after.
    pub async fn newest(&self, channel: &str) -> Option<Timestamp> {
        self.ask(|reply| Command::Newest(channel.to_owned(), reply)).await
    }

    /// The highest id of a message of such a channel, where they are numbers; likewise.
    pub async fn highest_id(&self, channel: &str) -> Option<u64> {
        self.ask(|reply| Command::HighestId(channel.to_owned(), reply)).await
    }

    /// The channel's server was set up anew and gives its ids again: what comes from now on repeats nothing that is there, and
    /// [`newest`](Self::newest) and [`highest_id`](Self::highest_id) begin anew.
    pub async fn begin_anew(&self, channel: &str) {
        self.ask(|reply| Command::BeginAnew(channel.to_owned(), reply)).await;
    }

    /// The channel's server has proven to know that this link's deliveries up to this [place](crate::Published::place) are stored: it sends
    /// none of them again. Does not wait for it.
    pub fn settle_deliveries(&self, channel: &str, link: u64, place: u64) {
        self.send(Command::Settle(channel.to_owned(), link, place));
    }

    /// The channel's server has forgotten us: it sends nothing again of what came before. Does not wait for it.
    pub fn settle_all_deliveries(&self, channel: &str) {
        self.send(Command::SettleAll(channel.to_owned()));
    }

    /// Does what was found out about messages that came before: that they are deleted, or read elsewhere.
    pub async fn recall(&self, recalls: Vec<Recall>) {
        self.ask(|reply| Command::Recall(recalls, reply)).await;
    }

    /// The newest `limit` messages, newest first.
    pub async fn recent(&self, limit: usize) -> Vec<Message> {
        self.find(Query::newest(limit)).await
    }

    /// The messages that are wanted; what waits in memory because the file can't be written is among them.
    pub async fn find(&self, query: Query) -> Vec<Message> {
        self.ask(|reply| Command::Find(query, reply)).await
    }

    /// The newest message that has this id of its server's; where several channels have one, the oldest of theirs.
    pub async fn row_of(&self, id: &str) -> Option<RowId> {
        self.ask(|reply| Command::RowOf(id.to_owned(), reply)).await
    }

    /// One message, if it is there.
    pub async fn message(&self, row: RowId) -> Option<Message> {
        self.ask(|reply| Command::Message(row, reply)).await
    }

    /// Which of these are not there; `None` where the file can't be read, and nobody knows.
    pub async fn missing(&self, rows: Vec<RowId>) -> Option<Vec<RowId>> {
        self.ask(|reply| Command::Missing(rows, reply)).await
    }

    /// Marks these as read; returns when it is done. What is read before it was shown is not shown any more.
    pub async fn mark_read(&self, rows: Vec<RowId>) {
        self.ask(|reply| Command::MarkRead(Read::Rows(rows), reply)).await;
    }

    /// Marks every message, or every one of the channel of this id, as read; returns when it is done.
    pub async fn mark_all_read(&self, channel: Option<String>) {
        let which = channel.map_or(Read::All, Read::Channel);
        self.ask(|reply| Command::MarkRead(which, reply)).await;
    }

    /// The channel's server says that the messages that it knows by these ids were read: on another device, or as it was told from here
    /// ([`unsaid`](Self::unsaid)). It may say so before one comes.
    pub async fn read_elsewhere(&self, channel: &str, ids: Vec<String>) {
        self.ask(|reply| Command::ReadElsewhere(channel.to_owned(), ids, reply)).await;
    }

    /// The ids of messages of this channel that the user has read or deleted here, and of which their server has not said that it knows. Only of those
    /// whose server wants to know ([`About::is_marked`](crate::About::is_marked)); over all runs, oldest first, and the newest 10,000 of all channels.
    pub async fn unsaid(&self, channel: &str) -> Vec<String> {
        self.ask(|reply| Command::Unsaid(channel.to_owned(), reply)).await
    }

    /// Changes when the user has read or deleted something: there may be more that is [`unsaid`](Self::unsaid).
    #[must_use]
    pub fn read_here(&self) -> watch::Receiver<()> {
        self.read_here.clone()
    }

    /// Deletes these; returns when it is done. What is deleted before it was shown is not shown any more.
    pub async fn delete(&self, rows: Vec<RowId>) {
        self.ask(|reply| Command::Delete(rows, reply)).await;
    }

    /// Keeps these notes for a day. Does not wait for it.
    pub fn note(&self, notes: Vec<Note>) {
        self.send(Command::Note(notes));
    }

    /// What was noted of a channel, oldest first.
    pub async fn journal(&self, channel: &str) -> Vec<Note> {
        self.ask(|reply| Command::Journal(channel.to_owned(), reply)).await
    }

    /// The unread counts, always current. Seen as changed also when messages were deleted, so that who shows
    /// [`recent`](Self::recent) ones looks again.
    #[must_use]
    pub fn unread(&self) -> watch::Receiver<Unread> {
        self.unread.clone()
    }

    /// What came in and is no message, by channel id; channels without any are absent.
    #[must_use]
    pub fn dropped(&self) -> watch::Receiver<BTreeMap<String, Dropped>> {
        self.dropped.clone()
    }

    /// What happens from now on. Who lags more than 256 events behind reads [`recent`](Self::recent) again.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Ends the writer after everything sent before is committed, and leaves one tidy file. What other
    /// handles send after this is lost (and logged).
    pub async fn close(self) {
        self.ask(Command::Close).await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It has answered, so it is at its end: this does not wait.
        if thread.is_some_and(|thread| thread.join().is_err()) {
            error!("the inbox's thread ended by a panic");
        }
    }

    fn send(&self, command: Command) {
        if self.commands.send(command).is_err() {
            error!("the inbox is closed: something sent to it was lost");
        }
    }

    /// Sends a question; its default answer if the inbox is closed.
    async fn ask<T: Default>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Command) -> T {
        let (reply, answer) = oneshot::channel();
        self.send(question(reply));
        answer.await.unwrap_or_default()
    }
}
