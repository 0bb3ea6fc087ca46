//! What an MQTT broker sends again because it doesn't know that we have it, and what it keeps of a topic and sends to whoever comes.
//!
//! A message that is sent again is known by its content among those of which the broker has not proven to know that they are stored, and by the
//! number of its delivery. MQTT 5.0, section 4.4, has the broker keep that number, but RabbitMQ 4 gives new ones: then each of the
//! stored ones is taken for one that is sent again once.

use std::collections::HashSet;

use super::Writer;
use crate::Published;
use crate::message::{Message, RowId};

/// What one link has sent again.
#[derive(Default)]
pub(super) struct SentAgain {
    link: u64,
    /// Whether the broker keeps the numbers; `None`: it is not known yet.
    keeps_numbers: Option<bool>,
    /// Rows that came by this link, or were sent again over it.
    had: HashSet<RowId>,
}

impl SentAgain {
    /// Which of the unsettled, the oldest first, this delivery is of.
    fn find(&mut self, number: u16, unsettled: &[(RowId, u16)]) -> Option<RowId> {
        let exact = unsettled.iter().rev().find(|(_, known)| *known == number);
        if let Some((row, _)) = exact {
            self.keeps_numbers.get_or_insert(true);
            return Some(*row);
        }
        if self.keeps_numbers == Some(true) {
            return None;
        }
        let (row, _) = unsettled.iter().find(|(row, _)| !self.had.contains(row))?;
        self.keeps_numbers = Some(false);
        Some(*row)
    }
}

impl Writer {
    /// Whether it is stored already.
    pub(super) fn is_known_to(&mut self, message: &Message, published: &Published) -> bool {
        if published.retained && self.says(message) {
            return true;
        }
        let Some(number) = message.delivery.filter(|_| published.again) else { return false };
        let mut unsettled = self.look_up(|database| database.unsettled(message));
        unsettled.extend(self.waiting.unsettled(message));
        let sent_again = self.of_link(&message.channel, published.link);
        let found = sent_again.find(number, &unsettled);
        sent_again.had.extend(found);
        found.is_some()
    }

    /// A message is stored, which came by a delivery.
    pub(super) fn note_delivery(&mut self, message: &Message, published: &Published) {
        if message.delivery.is_some() {
            self.of_link(&message.channel, published.link).had.insert(message.row);
        }
    }

    fn of_link(&mut self, channel: &str, link: u64) -> &mut SentAgain {
        let sent_again = self.sent_again.entry(channel.to_owned()).or_default();
        if sent_again.link != link {
            *sent_again = SentAgain { link, ..SentAgain::default() };
        }
        sent_again
    }

    /// Whether one of its topic says the same.
    fn says(&mut self, message: &Message) -> bool {
        self.waiting.says(message) || self.look_up(|database| database.says(message))
    }
}
