//! A live link's way from where its client stands: replay and live are one walk.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    log::{
        Log,
        item::{Item, Limit, NotRead},
    },
    tail::{From, Tail},
};

/// What a link that replays reads at once.
const PAGE: Limit = Limit { messages: 128, bytes: 256 << 10 };

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
    /// Where the client stood; 0: nobody knows. Once it is told: the time of that, as [`Log::time`] has it.
    pub(crate) from: u64,
    /// The first message that was there; then its time.
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
    /// The way of the link whose tail was made for it, when `newest` was all that was stored.
    pub(crate) fn new(tail: Arc<Tail>, from: From, newest: u64) -> Self {
        let (sent, walk) = match from {
            From::Now => (newest, Walk::Done),
            From::Since(since) => (0, Walk::Stand(since)),
            From::Seq(seq) => (seq, Walk::Page { items: VecDeque::new(), last: false }),
        };
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
                    let standing = Box::pin(log.stand(user, since)).await?;
                    self.sent = standing.seq;
                    self.caught_up =
                        CaughtUp { complete: standing.complete, from: standing.from, until: None };
                    self.walk = Walk::Page { items: VecDeque::new(), last: false };
                    self.tail.has_walked(Some(self.sent));
                }
                Walk::Page { items, last: end } => match items.front() {
                    Some(item) if item.seq > last => return Ok(None),
                    Some(item) => {
                        self.sent = item.seq;
                        self.caught_up.until.get_or_insert(item.seq);
                        self.tail.has_walked(Some(self.sent));
                        return Ok(items.pop_front().map(Due::Item));
                    }
                    None if *end => {
                        tracing::debug!(user, complete = self.caught_up.complete, "caught up");
                        self.walk = Walk::Done;
                        self.tail.has_walked(None);
                    }
                    None => {
                        let page = Box::pin(log.after(user, self.sent, PAGE)).await?;
                        self.caught_up.complete &= page.complete;
                        (*items, *end) = (page.items.into(), page.last);
                    }
                },
                Walk::Done if !self.told => {
                    let mut told = self.caught_up;
                    if !told.complete {
                        // Only now, as most links lack nothing.
                        told.from = Box::pin(log.time(told.from)).await;
                        told.until = match told.until {
                            Some(until) => Some(Box::pin(log.time(until)).await),
                            None => None,
                        };
                    }
                    self.told = true;
                    return Ok(Some(Due::CaughtUp(told)));
                }
                Walk::Done if self.tail.takes_again() => {
                    self.tail.has_walked(Some(self.sent));
                    self.walk = Walk::Page { items: VecDeque::new(), last: false };
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
            self.tail.woken().await;
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        // Who has gone holds nothing up.
        self.tail.clear();
    }
}
