//! What was stored since a live link was opened, and has yet to go out on it.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::log::item::Item;

/// How many messages a link may lag behind before it is cut. Too low: a burst cuts a healthy client; too high: a
/// client that doesn't read costs memory.
const QUEUE_MESSAGES: usize = 10_000;
/// The same in bytes.
const QUEUE_BYTES: usize = 64 << 20;
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
    /// Something is missing here that the log holds.
    again: bool,
}

impl Tail {
    /// The tail of a link whose way begins there: nothing behind that may be dropped from now on.
    pub(crate) fn at(from: &From) -> Self {
        let walks = match from {
            From::Now => None,
            From::Since(_) => Some(0),
            From::Seq(seq) => Some(*seq),
        };
        Self { queue: Mutex::new(Queue { walks, ..Queue::default() }), wake: Notify::new() }
    }

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

    /// Has its link read the log once more from where it is, before it takes from here.
    pub(crate) fn walk_again(&self) {
        self.queue().again = true;
        self.wake.notify_one();
    }

    /// How far its link has come that still reads the log: nothing after that may be dropped there. `None`: it reads
    /// the log no more.
    pub(crate) fn walks(&self) -> Option<u64> {
        self.queue().walks
    }

    /// Whether the log is to be read once more. Asking takes note of it.
    pub(crate) fn takes_again(&self) -> bool {
        std::mem::take(&mut self.queue().again)
    }

    /// Notes how far its link has come in the log; `None`: it reads the log no more.
    pub(crate) fn has_walked(&self, to: Option<u64>) {
        self.queue().walks = to;
    }

    /// Returns when there may be something to take.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Lets go of everything: nobody will take it.
    pub(crate) fn clear(&self) {
        *self.queue() = Queue::default();
    }

    /// How many have not gone out.
    pub(crate) fn waiting(&self) -> usize {
        self.queue().items.len()
    }

    /// The first message after `sent`, if it is one up to `last`.
    pub(crate) fn take(&self, sent: u64, last: u64) -> Option<Item> {
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

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;
    use crate::log::item::{Draft, Form};

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
