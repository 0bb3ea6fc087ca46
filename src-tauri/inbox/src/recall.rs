//! What a server says later of messages that it sent before: that they are deleted, or were read elsewhere.
//!
//! It may say so before the message itself comes (a replay and what is new are mixed), and again with each replay. So what
//! was said stays known as a [`Stone`] of the message's series, and so do the ids of messages that are gone: what is deleted
//! stays so, in whatever order one hears of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::message::Message;

/// Series and ids that are remembered while the file can't be written. Too few: what was deleted comes back where the disk is
/// full; too many: a server that deletes and deletes fills the memory.
const UNWRITTEN: usize = 1_000;

/// The series of messages whose reading goes both ways begins so; their id follows, and each is alone in its own. The search for those that
/// are to be told of relies on it.
pub(crate) const MARKED: &str = "tidings.v1/";

/// The series of the message that its server knows by this id.
pub(crate) fn marked(id: &str) -> String {
    format!("{MARKED}{id}")
}

/// What became of a message, as its server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recalled {
    /// It is deleted.
    Deleted,
    /// It was read elsewhere.
    Read,
}

/// What a server says of the messages of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// The channel's id.
    pub channel: String,
    /// Their [`series`](Message::series).
    pub series: String,
    /// What became of them.
    pub what: Recalled,
    /// The server's id for having said so.
    pub id: Option<String>,
    /// When it was said; what comes later is not meant.
    pub at: Timestamp,
}

/// The last such word about a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stone {
    /// To the millisecond. Servers tell time in whole seconds.
    pub(crate) at: Timestamp,
    pub(crate) id: Option<String>,
    /// It was about a message that had come. If not, that one is still to come.
    pub(crate) spent: bool,
}

/// What was said last of a series.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Stones {
    pub(crate) deleted: Option<Stone>,
    pub(crate) read: Option<Stone>,
}

impl Stones {
    pub(crate) fn of(&mut self, what: Recalled) -> &mut Option<Stone> {
        match what {
            Recalled::Deleted => &mut self.deleted,
            Recalled::Read => &mut self.read,
        }
    }

    /// Notes what was said; whether it is news. `spent`: it was about something that is there.
    pub(crate) fn note(&mut self, recall: &Recall, spent: bool) -> bool {
        let stone = self.of(recall.what);
        let repeated = |stone: &Stone| recall.id.is_some() && stone.id == recall.id;
        if stone.as_ref().is_some_and(repeated) {
            return false;
        }
        if stone.as_ref().is_none_or(|stone| stone.at <= recall.at) {
            *stone = Some(Stone { at: recall.at, id: recall.id.clone(), spent });
        }
        true
    }

    /// What was said of this message, though it comes only now.
    pub(crate) fn meant(&mut self, message: &Message) -> Option<Recalled> {
        [Recalled::Deleted, Recalled::Read].into_iter().find(|what| {
            let Some(stone) = self.of(*what) else { return false };
            // Whatever is said of a series comes after its first message. In one second with a later one the order tells.
            let meant = !message.is_update()
                || message.sent() < stone.at
                || (message.sent() == stone.at && !stone.spent);
            stone.spent |= meant;
            meant
        })
    }
}

/// Channel and series.
pub(crate) type Key = (String, String);

/// What is not in the file yet.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    pub(crate) stones: BTreeMap<Key, Stones>,
    /// Channel and id of messages that came and are gone.
    pub(crate) gone: BTreeSet<(String, String)>,
}

impl Unwritten {
    pub(crate) fn is_empty(&self) -> bool {
        self.stones.is_empty() && self.gone.is_empty()
    }

    pub(crate) fn set(&mut self, key: Key, stones: Stones) {
        self.stones.insert(key, stones);
        while self.stones.len() > UNWRITTEN {
            self.stones.pop_first();
        }
    }

    pub(crate) fn gone(&mut self, message: &Message) {
        let (Some(id), Some(_)) = (&message.id, &message.series) else { return };
        self.gone.insert((message.channel.clone(), id.clone()));
        while self.gone.len() > UNWRITTEN {
            self.gone.pop_first();
        }
    }

    pub(crate) fn is_gone(&self, message: &Message) -> bool {
        let id = message.id.as_ref();
        id.is_some_and(|id| self.gone.contains(&(message.channel.clone(), id.clone())))
    }

    /// It is in the file.
    pub(crate) fn clear(&mut self) {
        self.stones.clear();
        self.gone.clear();
    }

    /// This channel begins anew.
    pub(crate) fn forget(&mut self, channel: &str) {
        self.stones.retain(|(of, _), _| of != channel);
        self.gone.retain(|(of, _)| of != channel);
    }
}
