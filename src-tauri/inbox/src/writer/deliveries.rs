//! What an MQTT broker sends again because it doesn't know that we have it, and what it keeps of a topic and sends to whoever comes.

use super::Writer;
use crate::Published;
use crate::message::Message;
use crate::sent_again::{NotAgain, SentAgain};

impl Writer {
    /// Whether it is stored already.
    pub(super) fn is_known_to(&mut self, message: &Message, published: &Published) -> bool {
        if published.retained && self.says(message) {
            return true;
        }
        let Some(number) = message.delivery.filter(|_| published.again) else { return false };
        let mut unsettled = self.look_up(|database| database.unsettled(message));
        unsettled.extend(self.waiting.unsettled(message));
        unsettled.retain(|(row, _)| !self.settled.contains(row));
        let sent_again = self.of_link(&message.channel, published.link);
        let found = sent_again.find(number, published.place, &unsettled);
        if let Some(row) = found {
            sent_again.has(row, published.place);
        }
        found.is_some()
    }

    /// A message is stored, which came by a delivery.
    pub(super) fn note_delivery(&mut self, message: &Message, published: &Published) {
        if message.delivery.is_some() {
            self.of_link(&message.channel, published.link).has(message.row, published.place);
        }
    }

    /// The broker has proven to have the receipts of this link's deliveries up to this place.
    pub(super) fn settle_deliveries(&mut self, channel: &str, link: u64, place: u64) {
        let now = (self.clock)().steady;
        let Some(sent_again) = self.sent_again.get_mut(channel) else { return };
        let settled = sent_again.settle(link, place, now);
        self.take_for_settled(channel, settled);
    }

    pub(super) fn take_for_settled(&mut self, channel: &str, settled: NotAgain) {
        match settled {
            NotAgain::Rows(rows) => self.settled.extend(rows),
            NotAgain::All => self.look_up(|database| database.settle_all(channel)),
        }
    }

    fn of_link(&mut self, channel: &str, link: u64) -> &mut SentAgain {
        let now = (self.clock)().steady;
        let sent_again = self.sent_again.entry(channel.to_owned()).or_default();
        sent_again.go_on_over(link, now);
        sent_again
    }

    /// Whether one of its topic says the same.
    fn says(&mut self, message: &Message) -> bool {
        self.waiting.says(message) || self.look_up(|database| database.says(message))
    }
}
