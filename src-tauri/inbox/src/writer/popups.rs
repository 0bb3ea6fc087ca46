//! What becomes of popups: those that were shown, and those that were held back and go out later.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Writer, has_expired};
use crate::Popup;
use crate::database::{Database, Pending, State};
use crate::gate::{Now, Release};
use crate::message::{RowId, Urgency};

impl Writer {
    /// These popups were shown.
    pub(super) fn settle(&mut self, rows: Vec<RowId>) {
        for row in rows {
            // Unknown: it was given up, or answered before.
            let Some(state) = self.in_flight.remove(&row) else { continue };
            self.put(row, state);
        }
    }

    /// Notes what became of a message.
    pub(super) fn put(&mut self, row: RowId, state: State) {
        if !self.waiting.settle(row, state) {
            self.outcomes.push((row, state));
        }
    }

    pub(super) fn show_pending(&mut self) {
        let now = (self.clock)();
        if let Some(release) = self.gate.release(&now) {
            self.release(release, &now);
        }
    }

    /// Sends out what was held back until now.
    pub(super) fn release_due(&mut self) {
        let now = (self.clock)();
        if let Some(release) = self.gate.due(&now) {
            self.release(release, &now);
        }
    }

    pub(super) fn release(&mut self, release: Release, now: &Now) {
        self.reopen();
        self.flush();
        let mut pending = self.look_up(Database::pending);
        // The file may not know yet that these were shown.
        pending.retain(|Pending { row, .. }| !self.doomed.contains(row));
        pending.retain(|Pending { row, .. }| !self.outcomes.iter().any(|(settled, _)| settled == row));
        pending.extend(self.waiting.pending());
        pending.retain(|Pending { row, .. }| !self.in_flight.contains_key(row));
        let (expired, mut pending): (Vec<_>, Vec<_>) =
            pending.into_iter().partition(|Pending { expires, .. }| has_expired(*expires, now));
        for Pending { row, .. } in expired {
            self.put(row, State::Silent);
        }
        if release.only_critical {
            pending.retain(|Pending { urgency, .. }| *urgency == Urgency::Critical);
        }
        let Some(newest) = pending.last().and_then(|Pending { row, .. }| self.message(*row)).map(Arc::new)
        else {
            return;
        };
        if pending.len() == 1 && !(release.more && self.gate.is_counting()) {
            self.in_flight.insert(newest.row, State::Shown);
            self.notifier.show(Popup::Message(newest));
            return;
        }
        let mut by_channel = BTreeMap::<String, u64>::new();
        let mut rows = Vec::with_capacity(pending.len());
        for Pending { row, channel, .. } in pending {
            *by_channel.entry(channel).or_default() += 1;
            self.in_flight.insert(row, State::Summarised);
            rows.push(row);
        }
        if release.more {
            by_channel = self.gate.count_more(by_channel);
        }
        let count = by_channel.values().sum();
        let mut channels = Vec::from_iter(by_channel);
        channels.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        self.notifier.show(Popup::Summary { rows, count, newest, channels, more: release.more });
    }
}
