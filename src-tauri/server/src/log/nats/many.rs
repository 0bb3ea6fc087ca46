//! Reads many messages of a subject with a few requests, where one after the other would take a round trip each.
//!
//! A consumer that is made for it brings them, and goes when it has. It lives on one server of NATS, which may lag behind the
//! stream's leader or be gone: what it brings is right and in order, and it may end too early or not come at all. So nobody learns
//! the end from here, and whoever gets nothing reads one by one.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_nats::{
    HeaderMap,
    jetstream::{
        consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
        stream::Stream,
    },
};
use axum::body::Bytes;
use futures_util::StreamExt as _;
use tokio::{sync::Semaphore, time::timeout};

use super::health::ANSWER;
use crate::log::item::Limit;

/// When NATS lets go of a consumer by itself, where nobody said so. Too low: a busy server's goes before it is asked; too high: those of a
/// node that died stay.
const FORGOTTEN: Duration = Duration::from_secs(10);
/// For how many links at once many are read at once; the others read one by one. Too low: a fleet that comes back waits; too high:
/// NATS is busy making consumers.
const PLACES: usize = 16;
/// How long none is asked for, once one could not be had. Too low: where we may have none each page waits for that; too high: what is
/// missed is read slowly for long after a trouble.
const REFUSED: Duration = Duration::from_secs(30);

/// What stands in the stream.
pub(super) struct Entry {
    pub(super) seq: u64,
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
}

/// Who reads so.
pub(super) struct Many {
    places: Semaphore,
    refused: Mutex<Option<Instant>>,
}

impl Many {
    pub(super) fn new() -> Self {
        Self { places: Semaphore::new(PLACES), refused: Mutex::default() }
    }

    /// The first messages of this subject from that number on: in order, none left out, and none at all where that doesn't work.
    pub(super) async fn read(&self, stream: &Stream, subject: &str, seq: u64, limit: Limit) -> Vec<Entry> {
        let Ok(_one_of_some) = self.places.try_acquire() else { return Vec::new() };
        if self.refused().is_some_and(|refused| refused.elapsed() < REFUSED) {
            return Vec::new();
        }
        let config = pull::Config {
            filter_subject: subject.to_owned(),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: seq },
            ack_policy: AckPolicy::None,
            // It is of no use to anybody else, or later.
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: FORGOTTEN,
            ..pull::Config::default()
        };
        let Ok(Ok(consumer)) = timeout(ANSWER, stream.create_consumer(config)).await else {
            tracing::debug!("NATS makes no consumer: what was missed is read one by one");
            *self.refused() = Some(Instant::now());
            return Vec::new();
        };
        let mut entries = Vec::new();
        // What has come by then counts.
        let _ = timeout(ANSWER, fetch(&consumer, limit, &mut entries)).await;
        let name = consumer.cached_info().name.clone();
        let stream = stream.clone();
        tokio::spawn(async move { timeout(ANSWER, stream.delete_consumer(&name)).await });
        entries
    }

    fn refused(&self) -> MutexGuard<'_, Option<Instant>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts in what the consumer brings, up to where it stops.
async fn fetch(consumer: &PullConsumer, limit: Limit, entries: &mut Vec<Entry>) {
    let fetched = consumer.fetch().max_messages(limit.messages).max_bytes(limit.bytes).messages().await;
    let Ok(mut fetched) = fetched else { return };
    while let Some(Ok(message)) = fetched.next().await {
        let Ok(info) = message.info() else { return };
        // On its way to us one may be lost, and then the rest is of no use.
        if info.consumer_sequence != entries.len() as u64 + 1 {
            return;
        }
        let (seq, message) = (info.stream_sequence, message.message);
        let headers = message.headers.unwrap_or_default();
        entries.push(Entry { seq, headers, payload: message.payload });
    }
}
