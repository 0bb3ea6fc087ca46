//! What is to be fetched: each picture once, however many messages show it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tidings_inbox::{Message, RowId};
use tidings_picture::{Name, Size};
use tokio::time::Instant;

/// Pictures that wait to be fetched; of more, the oldest are left out. Too few: a catching up leaves many without; too many:
/// hours of fetching behind it.
const QUEUE: usize = 100;
/// Until one that could not be had is asked for again. Too low: a server that has none is asked with each message; too high: one
/// that was away for a moment leaves messages without.
const AGAIN: Duration = Duration::from_secs(600);
/// Pictures of which that is remembered. Too few: they are asked for too often; too many: memory.
const MOST_FAILED: usize = 1_000;

/// All of it.
#[derive(Default)]
pub(super) struct Work {
    /// What waits and what is being fetched, by name.
    jobs: BTreeMap<Name, Job>,
    /// What waits, in its order. One that has no job any more is passed over.
    waiting: VecDeque<Name>,
    /// What could not be had, and when that was.
    failed: BTreeMap<Name, Instant>,
}

/// One picture.
#[derive(Clone)]
pub(super) struct Job {
    /// The first that shows it.
    pub(super) message: Arc<Message>,
    pub(super) size: Size,
    /// All that do.
    rows: BTreeSet<RowId>,
}

impl Work {
    /// This message shows it, and it is to be had; whether that is new.
    pub(super) fn add(&mut self, name: &Name, size: Size, message: &Arc<Message>) -> bool {
        if let Some(job) = self.jobs.get_mut(name) {
            job.rows.insert(message.row);
            return false;
        }
        let job = Job { message: message.clone(), size, rows: BTreeSet::from([message.row]) };
        self.jobs.insert(name.clone(), job);
        self.waiting.push_back(name.clone());
        if self.waiting.len() > QUEUE
            && let Some(left_out) = self.waiting.pop_front().and_then(|name| self.jobs.remove(&name))
        {
            tracing::info!(channel = left_out.message.channel, "too many pictures wait to be fetched");
        }
        true
    }

    /// The next to fetch, if any.
    pub(super) fn next(&mut self) -> Option<(Name, Job)> {
        loop {
            let name = self.waiting.pop_front()?;
            if let Some(job) = self.jobs.get(&name) {
                return Some((name, job.clone()));
            }
        }
    }

    /// What is known of it while it waits or is being fetched.
    pub(super) fn job(&self, name: &Name) -> Option<&Job> {
        self.jobs.get(name)
    }

    /// Whether it waits or is being fetched.
    pub(super) fn is_under_way(&self, name: &Name) -> bool {
        self.jobs.contains_key(name)
    }

    pub(super) fn failed_just_now(&self, name: &Name) -> bool {
        self.failed.get(name).is_some_and(|at| at.elapsed() < AGAIN)
    }

    /// It was fetched, or could not be; the messages that show it.
    pub(super) fn end(&mut self, name: &Name, failed: bool) -> BTreeSet<RowId> {
        if failed {
            if self.failed.len() >= MOST_FAILED {
                self.failed.clear();
            }
            self.failed.insert(name.clone(), Instant::now());
        }
        self.jobs.remove(name).map(|job| job.rows).unwrap_or_default()
    }

    /// These messages are gone, and nobody waits for what they alone show. An icon is of more than its messages.
    pub(super) fn gone(&mut self, rows: &[RowId]) {
        self.jobs.retain(|_, job| {
            for row in rows {
                job.rows.remove(row);
            }
            job.size == Size::Icon || !job.rows.is_empty()
        });
    }

    /// The messages that wait for one of their own.
    pub(super) fn rows(&self) -> impl Iterator<Item = RowId> {
        let own = self.jobs.values().filter(|job| job.size == Size::Picture);
        own.flat_map(|job| job.rows.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::tests::message;

    fn named(row: i64) -> (Name, Arc<Message>) {
        let message = message("shop", r#"{"title": "t", "image": "/i.png", "icon": "/icon.png"}"#, row);
        (Name::of_message(&message), message)
    }

    #[test]
    fn what_several_messages_show_is_fetched_once_and_for_all_of_them() {
        let mut work = Work::default();
        let messages: Vec<_> = (1..=5).map(|row| named(row).1).collect();
        let icon = Name::of_icon(messages.first().expect("one")).expect("an icon");
        let new: Vec<bool> = messages.iter().map(|message| work.add(&icon, Size::Icon, message)).collect();
        assert_eq!(new, [true, false, false, false, false]);
        assert_eq!(work.next().map(|(name, _)| name), Some(icon.clone()));
        assert!(work.next().is_none());
        work.gone(&[RowId(1), RowId(3)]);
        assert_eq!(work.end(&icon, false), BTreeSet::from([2, 4, 5].map(RowId)));
        assert!(!work.is_under_way(&icon) && !work.failed_just_now(&icon));
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_had_is_not_asked_for_again_at_once() {
        let mut work = Work::default();
        let (name, message) = named(1);
        work.add(&name, Size::Picture, &message);
        work.end(&name, true);
        assert!(work.failed_just_now(&name));
        tokio::time::advance(AGAIN).await;
        assert!(!work.failed_just_now(&name));
    }

    #[test]
    fn of_too_many_the_oldest_are_left_out_and_what_is_deleted_is_not_fetched() {
        let mut work = Work::default();
        let all: Vec<_> = (0..=101).map(named).collect();
        for (name, message) in &all {
            work.add(name, Size::Picture, message);
        }
        assert!(!work.is_under_way(&all[1].0) && work.is_under_way(&all[2].0));
        work.gone(&[RowId(2)]);
        assert_eq!(work.next().map(|(name, _)| name).as_ref(), Some(&all[3].0));
        assert_eq!(work.rows().count(), 99);
    }
}
