//! The messages on their way into the file.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::database::{Pending, State};
use crate::message::{Message, RowId};
use crate::notice::WAITING;

/// Bytes that they may hold: a thousand messages may be a thousand MiB.
const WAITING_BYTES: usize = 64 << 20;

/// One of them.
pub(crate) struct Held {
    pub(crate) message: Arc<Message>,
    pub(crate) state: State,
    /// It is part of a replay that came while there was no file to look into: it may be a repetition.
    pub(crate) unchecked: bool,
}

/// All of them, oldest first; every one is newer than everything in the file.
#[derive(Default)]
pub(crate) struct Waiting(VecDeque<Held>);

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, held: Held) {
        self.0.push_back(held);
    }

    pub(crate) fn oldest(&self, count: usize) -> impl Iterator<Item = (&Message, State)> {
        self.0.iter().take(count).map(|held| (&*held.message, held.state))
    }

    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Message> + Clone {
        self.0.iter().rev().map(|held| &*held.message)
    }

    pub(crate) fn message(&self, row: RowId) -> Option<&Message> {
        self.0.iter().map(|held| &*held.message).find(|message| message.row == row)
    }

    /// Those that are still to be shown.
    pub(crate) fn pending(&self) -> impl Iterator<Item = Pending> {
        let pending = self.0.iter().filter(|held| held.state == State::Pending).map(|held| &held.message);
        pending.map(|message| Pending {
            row: message.row,
            channel: message.channel.clone(),
            urgency: message.urgency,
            expires: message.expires,
        })
    }

    /// Drops these.
    pub(crate) fn delete(&mut self, rows: &[RowId]) {
        self.0.retain(|held| !rows.contains(&held.message.row));
    }

    /// Whether it came before, as [`Database::has`](crate::database::Database::has) says.
    pub(crate) fn has(&self, message: &Message) -> bool {
        let unique = message.series.is_some();
        self.0.iter().map(|held| &held.message).any(|held| {
            held.id == message.id
                && held.channel == message.channel
                && (held.raw == message.raw || unique && held.series.is_some())
        })
    }

    /// Gives its id to the first that came without, as [`Database::adopt`](crate::database::Database::adopt) says.
    pub(crate) fn adopt(&mut self, message: &Message) -> bool {
        let came = self.0.iter_mut().map(|held| &mut held.message).find(|held| {
            held.series.is_none()
                && held.id == message.own_id
                && held.channel == message.channel
                && held.raw == message.raw
        });
        came.map(|held| {
            let held = Arc::make_mut(held);
            (held.id, held.series) = (message.id.clone(), message.series.clone());
        })
        .is_some()
    }

    /// Those that say the same and came by a delivery, with its number.
    pub(crate) fn unsettled(&self, message: &Message) -> impl Iterator<Item = (RowId, u16)> {
        let same = |held: &&Arc<Message>| {
            held.channel == message.channel && held.topic == message.topic && held.raw == message.raw
        };
        let held = self.0.iter().map(|held| &held.message).filter(same);
        held.filter_map(|held| held.delivery.map(|number| (held.row, number)))
    }

    /// Whether one of its topic says the same.
    pub(crate) fn says(&self, message: &Message) -> bool {
        self.0.iter().map(|held| &held.message).any(|held| {
            held.channel == message.channel && held.topic == message.topic && held.raw == message.raw
        })
    }

    /// The oldest are in the file.
    pub(crate) fn written(&mut self, count: usize) {
        self.0.drain(..count);
    }

    /// Those that may be known in the file; they count as checked from now on.
    pub(crate) fn unchecked(&mut self) -> Vec<Arc<Message>> {
        let unchecked =
            self.0.iter_mut().filter_map(|held| std::mem::take(&mut held.unchecked).then_some(&held.message));
        unchecked.cloned().collect()
    }

    /// Nothing that comes repeats these.
    pub(crate) fn begin_anew(&mut self, channel: &str) {
        for held in self.0.iter_mut().filter(|held| held.message.channel == channel) {
            Arc::make_mut(&mut held.message).series = None;
        }
    }

    /// Sets what became of one; `false` if it doesn't wait.
    pub(crate) fn settle(&mut self, row: RowId, state: State) -> bool {
        let held = self.0.iter_mut().find(|held| held.message.row == row);
        held.map(|held| held.state = state).is_some()
    }

    /// Marks as read those that `which` names. What was still to be shown is so no more.
    pub(crate) fn mark_read(&mut self, which: impl Fn(&Message) -> bool) {
        for held in self.0.iter_mut().filter(|held| which(&held.message)) {
            Arc::make_mut(&mut held.message).unread = false;
            if held.state == State::Pending {
                held.state = State::Silent;
            }
        }
    }

    pub(crate) fn add_unread(&self, by_channel: &mut BTreeMap<String, u64>) {
        for held in self.0.iter().filter(|held| held.message.unread) {
            *by_channel.entry(held.message.channel.clone()).or_default() += 1;
        }
    }

    /// Gives up the oldest that are over the limits.
    pub(crate) fn give_up(&mut self) -> Vec<RowId> {
        let mut bytes: usize = self.0.iter().map(|held| held.message.raw.len()).sum();
        let mut given_up = Vec::new();
        while self.0.len() > WAITING || bytes > WAITING_BYTES {
            let Some(held) = self.0.pop_front() else { break };
            bytes -= held.message.raw.len();
            given_up.push(held.message.row);
        }
        given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChannelProfile, Payload, decode};

    #[test]
    fn large_messages_are_given_up_by_their_size() {
        let mut waiting = Waiting::default();
        for row in 1..=3 {
            let payload = Payload::Binary(vec![0; WAITING_BYTES / 2]);
            let profile = ChannelProfile::new("orders", "Orders");
            let mut decoded = decode(&profile, payload, jiff::Timestamp::UNIX_EPOCH);
            let mut message = decoded.messages.pop().expect("a message");
            message.row = RowId(row);
            let message = Arc::new(message);
            waiting.push(Held { message, state: State::Pending, unchecked: false });
        }
        assert_eq!(waiting.give_up(), [RowId(1)]);
        assert_eq!(waiting.give_up(), []);
        assert_eq!(waiting.len(), 2);
    }
}
