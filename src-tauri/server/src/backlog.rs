//! The messages of one user, oldest first: those kept for `?since=`, and those the live link has yet to send.
//!
//! A link is a cursor into this log, so its outgoing queue is the log's unsent tail and costs no copy.

use std::collections::VecDeque;

use axum::extract::ws::Message;

/// How many messages a live link may lag behind what is kept anyway, before it is cut. Too low: a burst cuts a
/// healthy client; too high: a client that doesn't read costs memory.
const QUEUE_MESSAGES: usize = 10_000;
/// The same in bytes.
const QUEUE_BYTES: usize = 64 << 20;

/// One message as it goes out.
pub(crate) struct Item {
    /// Grows by at least one per message, over all users.
    pub(crate) seq: u64,
    /// What a client knows it by: its own `id`, or `seq` in digits.
    pub(crate) id: String,
    pub(crate) frame: Message,
}

/// How much is kept for `?since=`.
#[derive(Clone, Copy)]
pub(crate) struct Keep {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// The live link is too far behind: it doesn't read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooFarBehind;

#[derive(Default)]
pub(crate) struct Backlog {
    items: VecDeque<Item>,
    bytes: usize,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn push(&mut self, item: Item) {
        self.bytes += size(&item);
        self.items.push_back(item);
    }

    /// The first message after `seq`.
    pub(crate) fn after(&self, seq: u64) -> Option<&Item> {
        self.items.get(self.items.partition_point(|item| item.seq <= seq))
    }

    /// Where a client stands that names `since` as the last id it has. The first message of that id counts (an
    /// id may be used twice), and an id that isn't kept any more stands before all that came after it: rather
    /// a message twice than one lost.
    pub(crate) fn cursor(&self, since: &str) -> u64 {
        match self.items.iter().find(|item| item.id == since) {
            Some(item) => item.seq,
            None => since.parse().unwrap_or(0),
        }
    }

    /// Drops the oldest messages over `keep`, but none that a live link at the cursor `sent` has yet to send.
    pub(crate) fn trim(&mut self, keep: Keep, sent: Option<u64>) -> Result<(), TooFarBehind> {
        while self.items.len() > keep.messages || self.bytes > keep.bytes {
            match self.items.front() {
                Some(oldest) if sent.is_none_or(|sent| oldest.seq <= sent) => {
                    self.bytes -= size(oldest);
                    self.items.pop_front();
                }
                Some(_) | None => break,
            }
        }
        let behind = self.items.len() > keep.messages.saturating_add(QUEUE_MESSAGES)
            || self.bytes > keep.bytes.saturating_add(QUEUE_BYTES);
        if behind { Err(TooFarBehind) } else { Ok(()) }
    }
}

/// Bytes of payload, and a guess at what an item costs beside it.
fn size(item: &Item) -> usize {
    let payload = match &item.frame {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    };
    payload + item.id.len() + size_of::<Item>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Keep = Keep { messages: 1000, bytes: 1 << 20 };

    fn log(items: &[(u64, &str)]) -> Backlog {
        let mut log = Backlog::default();
        for (seq, id) in items {
            log.push(Item { seq: *seq, id: (*id).to_owned(), frame: Message::text("x") });
        }
        log
    }

    fn seqs(log: &Backlog) -> Vec<u64> {
        log.items.iter().map(|item| item.seq).collect()
    }

    #[test]
    fn a_client_is_found_by_the_first_message_of_its_last_id() {
        let log = log(&[(10, "a"), (11, "b"), (12, "a"), (13, "13")]);
        assert_eq!([log.cursor("a"), log.cursor("b"), log.cursor("13")], [10, 11, 13]);
    }

    #[test]
    fn an_id_that_is_not_kept_any_more_loses_nothing() {
        let log = log(&[(10, "10"), (11, "11")]);
        assert_eq!(log.after(log.cursor("4")).map(|item| item.seq), Some(10));
        assert_eq!(log.after(log.cursor("not a number")).map(|item| item.seq), Some(10));
        assert!(log.after(log.cursor("99")).is_none());
    }

    #[test]
    fn only_the_newest_are_kept() {
        let mut log = log(&[(1, "1"), (2, "2"), (3, "3")]);
        assert_eq!(log.trim(Keep { messages: 2, ..ALL }, None), Ok(()));
        assert_eq!(seqs(&log), [2, 3]);
        assert_eq!(log.trim(Keep { bytes: size_of::<Item>() + 5, ..ALL }, None), Ok(()));
        assert_eq!(seqs(&log), [3]);
        assert_eq!(log.trim(Keep { messages: 0, ..ALL }, None), Ok(()));
        assert_eq!((log.is_empty(), log.bytes), (true, 0));
    }

    #[test]
    fn nothing_that_the_live_link_has_yet_to_send_is_dropped() {
        let mut log = log(&[(1, "1"), (2, "2"), (3, "3")]);
        assert_eq!(log.trim(Keep { messages: 0, ..ALL }, Some(1)), Ok(()));
        assert_eq!(seqs(&log), [2, 3]);
    }

    #[test]
    fn a_link_that_lags_too_far_is_told_from_one_in_a_burst() {
        let keep = Keep { messages: 1, ..ALL };
        let mut log = Backlog::default();
        for seq in 1..=QUEUE_MESSAGES as u64 + 1 {
            log.push(Item { seq, id: String::new(), frame: Message::text("") });
        }
        assert_eq!(log.trim(keep, Some(0)), Ok(()));
        log.push(Item { seq: u64::MAX, id: String::new(), frame: Message::text("") });
        assert_eq!(log.trim(keep, Some(0)), Err(TooFarBehind));
    }
}
