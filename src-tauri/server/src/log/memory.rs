//! The engine without a file: today's messages, for the demo, the tests and whoever wants nothing kept.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    devices,
    item::{Draft, Item, Keep, Kept, Limit, Page, Standing, now},
};
use crate::users::Users;

pub(crate) struct Memory {
    pub(super) devices: devices::Devices,
    keep: Keep,
    users: Arc<Users>,
    state: Mutex<State>,
}

struct State {
    /// The `seq` of the newest message of all users.
    newest: u64,
    /// What was dropped of users of whom nothing is kept is not after this; nor is what was dropped with the process before.
    forgotten: u64,
    logs: HashMap<String, OneLog>,
}

/// One user's messages, oldest first.
#[derive(Default)]
struct OneLog {
    items: VecDeque<Item>,
    bytes: usize,
    /// The `seq` of the newest message that was dropped.
    dropped: u64,
}

impl Memory {
    pub(crate) fn new(keep: Keep, users: Arc<Users>) -> Self {
        let forgotten = now();
        let state = State { newest: forgotten, forgotten, logs: HashMap::new() };
        Self { devices: devices::Devices::default(), keep, users, state: Mutex::new(state) }
    }

    pub(crate) fn append(&self, user: &str, draft: Draft) -> Kept {
        // Held until the link has it: a user's messages reach the link in their order.
        let mut state = self.state();
        state.newest = now().max(state.newest + 1);
        let item = Item::new(state.newest, draft);
        let links = self.users.kept(user, &item);
        let id = item.id().into_owned();
        let State { forgotten, logs, .. } = &mut *state;
        let log = logs.entry(user.to_owned()).or_default();
        log.push(item);
        log.trim(self.keep, self.users.walks(user));
        if log.items.is_empty() {
            *forgotten = log.dropped.max(*forgotten);
            logs.remove(user);
        }
        Kept { id, links }
    }

    pub(crate) fn newest(&self) -> u64 {
        self.state().newest
    }

    /// How many messages are kept.
    pub(crate) fn kept(&self) -> u64 {
        self.state().logs.values().map(|log| log.items.len() as u64).sum()
    }

    pub(crate) fn after(&self, user: &str, seq: u64, limit: Limit) -> Page {
        let state = self.state();
        let complete = |dropped| dropped <= seq;
        match state.logs.get(user) {
            Some(log) => {
                Page { complete: complete(log.dropped.max(state.forgotten)), ..log.after(seq, limit) }
            }
            None => Page { items: Vec::new(), last: true, complete: complete(state.forgotten) },
        }
    }

    pub(crate) fn stand(&self, user: &str, since: &str) -> Standing {
        let state = self.state();
        let known = state.logs.get(user).and_then(|log| log.items.iter().find(|item| item.id() == since));
        // A number that was never given is another server's.
        let seq = known.map_or_else(
            || since.parse().ok().filter(|seq| *seq <= state.newest).unwrap_or(0),
            |item| item.seq,
        );
        let dropped = state.logs.get(user).map_or(0, |log| log.dropped);
        Standing { seq, from: seq, complete: dropped.max(state.forgotten) <= seq }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OneLog {
    fn push(&mut self, item: Item) {
        self.bytes += item.size();
        self.items.push_back(item);
    }

    fn after(&self, seq: u64, limit: Limit) -> Page {
        let mut page = Page { last: true, ..Page::default() };
        let mut bytes = 0;
        for item in self.items.range(self.items.partition_point(|item| item.seq <= seq)..) {
            bytes += item.size();
            if !page.items.is_empty() && (page.items.len() == limit.messages || bytes > limit.bytes) {
                page.last = false;
                break;
            }
            page.items.push(item.clone());
        }
        page
    }

    /// Drops the oldest messages over `keep`, but none after the message that a link has reached which still reads.
    fn trim(&mut self, keep: Keep, read: Option<u64>) {
        let too_old = keep.too_old();
        let over = |log: &Self, oldest: &Item| {
            log.items.len() > keep.messages || log.bytes > keep.bytes || oldest.seq < too_old
        };
        loop {
            match self.items.front() {
                Some(oldest) if over(self, oldest) && read.is_none_or(|read| oldest.seq <= read) => {
                    self.bytes -= oldest.size();
                    self.dropped = oldest.seq;
                    self.items.pop_front();
                }
                Some(_) | None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;
    use crate::{event::EventLog, log::Form, options::Devices};

    const ALL: Keep = Keep { messages: 1000, bytes: 1 << 20, age: None };
    const LIMIT: Limit = Limit { messages: 2, bytes: 1 << 20 };

    fn memory(keep: Keep) -> Memory {
        Memory::new(keep, Arc::new(Users::new(Arc::new(EventLog::new(0)), Devices::One)))
    }

    fn draft(own_id: Option<&str>) -> Draft {
        Draft { own_id: own_id.map(str::to_owned), form: Form::Text, payload: Bytes::from_static(b"x") }
    }

    fn log(seqs: &[u64]) -> OneLog {
        let mut log = OneLog::default();
        for seq in seqs {
            log.push(Item::new(*seq, draft(None)));
        }
        log
    }

    fn seqs(log: &OneLog) -> Vec<u64> {
        log.items.iter().map(|item| item.seq).collect()
    }

    #[test]
    fn a_client_is_found_by_the_first_message_of_its_last_id() {
        let memory = memory(ALL);
        let own = [Some("a"), Some("b"), Some("a"), None];
        let ids: Vec<_> = own.into_iter().map(|own| memory.append("ann", draft(own)).id).collect();
        let [a, b, last] = ["a", "b", &ids[3]].map(|since| memory.stand("ann", since).seq);
        assert_eq!((last.to_string(), b < last), (ids[3].clone(), true));
        assert_eq!(memory.after("ann", a, LIMIT).items[0].seq, b);
        assert_eq!(memory.stand("bob", "a").seq, 0, "another user's");
    }

    #[test]
    fn an_id_that_is_not_known_loses_nothing() {
        let memory = memory(ALL);
        memory.append("ann", draft(None));
        for unknown in ["no number", "", "4", "18446744073709551615", "99999999999999999999999"] {
            let standing = memory.stand("ann", unknown);
            assert_eq!(memory.after("ann", standing.seq, LIMIT).items.len(), 1, "{unknown:?}");
            assert!(!standing.complete, "{unknown:?}: who knows what came between");
        }
    }

    #[test]
    fn what_was_dropped_is_told_also_where_nothing_is_left() {
        for (messages, whole) in [(3, true), (2, true), (1, false), (0, false)] {
            let memory = memory(Keep { messages, ..ALL });
            let first = memory.append("ann", draft(None)).id;
            memory.append("ann", draft(None));
            memory.append("ann", draft(None));
            let standing = memory.stand("ann", &first);
            assert_eq!(standing.complete, whole, "{messages} kept");
            assert_eq!(memory.after("ann", standing.seq, LIMIT).complete, whole, "{messages} kept");
        }
    }

    #[test]
    fn a_page_is_as_long_as_its_limit_and_says_whether_more_follows() {
        let log = log(&[1, 2, 3]);
        let page = |seq, limit| {
            let page = log.after(seq, limit);
            (page.items.iter().map(|item| item.seq).collect::<Vec<_>>(), page.last)
        };
        assert_eq!(page(0, LIMIT), (vec![1, 2], false));
        assert_eq!(page(1, LIMIT), (vec![2, 3], true));
        assert_eq!(page(3, LIMIT), (vec![], true));
        assert_eq!(page(1, Limit { bytes: 0, ..LIMIT }), (vec![2], false), "one, however big");
    }

    #[test]
    fn only_the_newest_are_kept() {
        let mut log = log(&[1, 2, 3]);
        log.trim(Keep { messages: 2, ..ALL }, None);
        assert_eq!((seqs(&log), log.dropped), (vec![2, 3], 1));
        log.trim(Keep { bytes: size_of::<Item>() + 1, ..ALL }, None);
        assert_eq!((seqs(&log), log.dropped), (vec![3], 2));
        log.trim(Keep { messages: 0, ..ALL }, None);
        assert_eq!((log.items.len(), log.bytes), (0, 0));
    }

    #[test]
    fn nothing_that_a_link_has_yet_to_read_is_dropped() {
        let mut log = log(&[1, 2, 3]);
        log.trim(Keep { messages: 0, ..ALL }, Some(1));
        assert_eq!(seqs(&log), [2, 3]);
    }
}
