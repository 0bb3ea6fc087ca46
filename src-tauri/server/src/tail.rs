//! What a live link has yet to send, and the way there from where its client stands: replay and live are one walk.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::log::{Item, Limit, Log, NotRead};

/// How many messages a link may lag behind before it is cut. Too low: a burst cuts a healthy client; too high: a
/// client that doesn't read costs memory.
const QUEUE_MESSAGES: usize = 10_000;
/// The same in bytes.
const QUEUE_BYTES: usize = 64 << 20;
/// What a link that replays reads at once.
const PAGE: Limit = Limit { messages: 128, bytes: 256 << 10 };

/// The link is too far behind: its client doesn't read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooFarBehind;

/// Messages that were stored since the link was opened and have not gone out. Who stores puts them in, the link takes
/// them out.
#[derive(Default)]
pub(crate) struct Tail {
    queue: Mutex<Queue>,
    /// Rung when there is something to take.
    wake: Notify,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
    /// The link still reads the log, and has come so far.
    walks: Option<u64>,
}

impl Tail {
    /// Puts a message in.
    pub(crate) fn push(&self, item: Item) -> Result<(), TooFarBehind> {
        let mut queue = self.queue();
        queue.bytes += item.size();
        queue.items.push_back(item);
        if queue.items.len() > QUEUE_MESSAGES || queue.bytes > QUEUE_BYTES {
            // Nobody will take them any more.
            *queue = Queue::default();
            return Err(TooFarBehind);
        }
        drop(queue);
        self.wake.notify_one();
        Ok(())
    }

    /// How far its link has come that still reads the log: nothing after that may be dropped there. `None`: it reads
    /// the log no more.
    pub(crate) fn walks(&self) -> Option<u64> {
        self.queue().walks
    }

    /// How many have not gone out.
    pub(crate) fn waiting(&self) -> usize {
        self.queue().items.len()
    }

    /// The first message after `sent`, if it is one up to `last`.
    fn take(&self, sent: u64, last: u64) -> Option<Item> {
        let mut queue = self.queue();
        while let Some(item) = queue.items.pop_front() {
            if item.seq > last {
                queue.items.push_front(item);
                return None;
            }
            queue.bytes -= item.size();
            if item.seq > sent {
                return Some(item);
            }
        }
        // A burst is over: an idle link is to cost nothing.
        queue.items.shrink_to(0);
        None
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a link's way begins.
#[derive(Debug, Clone)]
pub(crate) enum From {
    /// At what is stored from now on.
    Now,
    /// Behind the message of this id.
    Since(String),
    /// Behind the message of this number.
    Seq(u64),
}

/// What a link's way leads to.
#[derive(Debug)]
pub(crate) enum Due {
    Item(Item),
    /// All that was missed has come, once a link.
    CaughtUp(CaughtUp),
}

/// How much of what was missed was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CaughtUp {
    /// Nothing had been dropped.
    pub(crate) complete: bool,
    /// Where the client stood; 0: nobody knows.
    pub(crate) from: u64,
    /// The first message that was there.
    pub(crate) until: Option<u64>,
}

/// A link's way through its user's messages: the log from where the client stands, then the tail.
pub(crate) struct Outbox {
    tail: Arc<Tail>,
    /// The `seq` of the last message that has gone out, or was not asked for.
    sent: u64,
    walk: Walk,
    /// How much of what was missed is there, as far as that is known.
    caught_up: CaughtUp,
    /// That has been told.
    told: bool,
}

enum Walk {
    /// Where does the client stand that names this id?
    Stand(String),
    /// What was read and has not gone out; `last`: the log holds nothing behind it that isn't in the tail.
    Page { items: VecDeque<Item>, last: bool },
    /// The tail is all there is.
    Done,
}

impl Outbox {
    /// Enters the tail's way at `since`, or at its beginning.
    pub(crate) fn new(tail: Arc<Tail>, from: From) -> Self {
        let (sent, walk) = match from {
            From::Now => (0, Walk::Done),
            From::Since(since) => (0, Walk::Stand(since)),
            From::Seq(seq) => (seq, Walk::Page { items: VecDeque::new(), last: false }),
        };
        tail.queue().walks = if let Walk::Done = walk { None } else { Some(sent) };
        let caught_up = CaughtUp { complete: true, from: sent, until: None };
        Self { tail, sent, walk, caught_up, told: false }
    }

    /// The `seq` of the last message that has gone out, or was not asked for.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// The next message up to `last`, if there is one now. Nothing is lost if the wait is broken off.
    pub(crate) async fn take(&mut self, log: &Log, user: &str, last: u64) -> Result<Option<Due>, NotRead> {
        loop {
            match &mut self.walk {
                Walk::Stand(since) => {
                    let standing = log.stand(user, since).await?;
                    self.sent = standing.seq;
                    self.caught_up =
                        CaughtUp { complete: standing.complete, from: standing.from, until: None };
                    self.walk = Walk::Page { items: VecDeque::new(), last: false };
                    self.tail.queue().walks = Some(self.sent);
                }
                Walk::Page { items, last: end } => match items.front() {
                    Some(item) if item.seq > last => return Ok(None),
                    Some(item) => {
                        self.sent = item.seq;
                        self.caught_up.until.get_or_insert(item.seq);
                        self.tail.queue().walks = Some(self.sent);
                        return Ok(items.pop_front().map(Due::Item));
                    }
                    None if *end => {
                        tracing::debug!(user, complete = self.caught_up.complete, "caught up");
                        self.walk = Walk::Done;
                        self.tail.queue().walks = None;
                    }
                    None => {
                        let page = log.after(user, self.sent, PAGE).await?;
                        self.caught_up.complete &= page.complete;
                        (*items, *end) = (page.items.into(), page.last);
                    }
                },
                Walk::Done if !std::mem::replace(&mut self.told, true) => {
                    return Ok(Some(Due::CaughtUp(self.caught_up)));
                }
                Walk::Done => {
                    let item = self.tail.take(self.sent, last);
                    self.sent = item.as_ref().map_or(self.sent, |item| item.seq);
                    return Ok(item.map(Due::Item));
                }
            }
        }
    }

    /// The next message, once there is one. Nothing is lost if the wait is broken off.
    pub(crate) async fn next(&mut self, log: &Log, user: &str) -> Result<Due, NotRead> {
        loop {
            if let Some(due) = self.take(log, user, u64::MAX).await? {
                return Ok(due);
            }
            self.tail.wake.notified().await;
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        // Who has gone holds nothing up.
        *self.tail.queue() = Queue::default();
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;
    use crate::log::{Draft, Form};

    fn item(seq: u64, size: usize) -> Item {
        let draft = Draft { own_id: None, form: Form::Text, payload: Bytes::from(vec![b'x'; size]) };
        Item::new(seq, draft)
    }

    #[test]
    fn what_the_log_gave_comes_not_again_from_the_tail_and_what_is_behind_the_last_waits() {
        let tail = Tail::default();
        for seq in 1..=4 {
            assert_eq!(tail.push(item(seq, 1)), Ok(()));
        }
        let take = |sent, last| tail.take(sent, last).map(|item| item.seq);
        assert_eq!([take(2, 3), take(3, 3), take(3, 4), take(4, 4)], [Some(3), None, Some(4), None]);
        let queue = tail.queue();
        assert_eq!((queue.items.len(), queue.bytes), (0, 0));
    }

    #[test]
    fn a_link_that_lags_too_far_is_told_from_one_in_a_burst() {
        let tail = Tail::default();
        for seq in 1..=QUEUE_MESSAGES as u64 {
            assert_eq!(tail.push(item(seq, 0)), Ok(()));
        }
        assert_eq!(tail.push(item(u64::MAX, 0)), Err(TooFarBehind));
        assert_eq!(tail.push(item(1, QUEUE_BYTES)), Err(TooFarBehind));
        assert_eq!(tail.queue().items.len(), 0, "nobody will take them");
    }
}
