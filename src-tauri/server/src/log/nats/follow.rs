//! Hears what all nodes store, in the order of the stream, and sees what it did not hear.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use async_nats::{
    Event, Message, Subscriber,
    jetstream::stream::{LastRawMessageErrorKind, Stream},
};
use futures_util::{StreamExt as _, stream};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

use super::{
    entry::{self, Heard},
    health::{self, ANSWER, Health, NO_LEADER, PAUSE},
};
use crate::users::Users;

/// How often the stream is asked how long it is. Too low: work for an idle cluster; too high: the last message before a
/// silence, if a server died with it, comes late.
const LOOK: Duration = Duration::from_secs(1);
/// How many claims are looked up at once after a gap. Too low: who was replaced meanwhile hears it late; too high: the
/// stream's leader drops what it can't answer in time.
const LOOKUPS: usize = 64;
const SEQUENCE: &str = "Nats-Sequence";

pub(super) struct Follower {
    pub(super) stream: Stream,
    pub(super) users: Arc<Users>,
    pub(super) node: String,
    /// The number of the last entry that was heard, or is made up for.
    pub(super) cursor: u64,
    /// When the stream was made.
    pub(super) created: SystemTime,
    pub(super) health: watch::Sender<Health>,
}

impl Follower {
    /// Never ends by itself.
    pub(super) async fn run(mut self, mut live: Subscriber, mut events: mpsc::UnboundedReceiver<Event>) {
        let (lengths, mut length) = mpsc::channel(1);
        let heard = Arc::new(AtomicU64::new(self.cursor));
        let looking = look(self.stream.clone(), Arc::clone(&heard), lengths);
        let mut looking = pin!(looking);
        let mut checks = JoinSet::new();
        // How long the stream was when it was looked at last: by now all of that should have been heard.
        let mut due = self.cursor;
        loop {
            tokio::select! {
                biased;
                Some(event) = events.recv() => self.take_note(&event),
                Some(message) = live.next() => {
                    if !self.hear(message) {
                        self.look_up(&mut checks);
                    }
                    heard.store(self.cursor, Relaxed);
                }
                Some(length) = length.recv() => {
                    // A server that has just become the leader may not know all yet.
                    self.answered(length.as_ref().is_some_and(|length| length.keeps && length.last >= length.heard));
                    let Some(Length { last, created, .. }) = length else { continue };
                    if created != self.created {
                        tracing::error!("the stream was made anew: what was kept is lost");
                        (self.created, self.cursor) = (created, last);
                        self.users.restart();
                    } else if due > self.cursor {
                        tracing::info!(heard = self.cursor, stored = due, "made up for what was not heard");
                        self.cursor = due;
                        self.users.reached(due);
                        self.users.walk_again();
                        self.look_up(&mut checks);
                    }
                    due = last;
                    heard.store(self.cursor, Relaxed);
                }
                Some(_) = checks.join_next() => {}
                () = &mut looking => return,
            }
        }
    }

    fn take_note(&self, event: &Event) {
        match event {
            Event::Connected => {
                tracing::info!("connected to NATS");
                // What it is good for tells the next answer.
                self.health.send_replace(Health::NoLeader);
            }
            Event::Disconnected | Event::Closed => {
                tracing::warn!("NATS can't be reached");
                self.health.send_if_modified(|health| {
                    let gone = matches!(health, Health::Gone(_));
                    if !gone {
                        *health = Health::Gone(Instant::now());
                    }
                    !gone
                });
            }
            other @ (Event::LameDuckMode
            | Event::Draining
            | Event::SlowConsumer(_)
            | Event::ServerError(_)
            | Event::ClientError(_)) => tracing::warn!("NATS: {other}"),
        }
    }

    fn answered(&self, well: bool) {
        self.health.send_if_modified(|health| {
            let now = match (*health, well) {
                (Health::Gone(_), false) => return false,
                (_, true) => Health::Good,
                (_, false) => Health::NoLeader,
            };
            match (*health == now, now) {
                (true, _) => return false,
                (false, Health::Good) => tracing::info!("NATS keeps messages"),
                (false, _) => tracing::warn!("{NO_LEADER}"),
            }
            *health = now;
            true
        });
    }

    /// Hands an entry on; `false`: those right before it were not heard.
    fn hear(&mut self, message: Message) -> bool {
        let headers = message.headers.unwrap_or_default();
        let seq = headers.get(SEQUENCE).and_then(|seq| seq.as_str().parse::<u64>().ok());
        let subject = message.subject.strip_prefix("tidings-live.");
        let Some((seq, subject)) = seq.zip(subject).filter(|(seq, _)| *seq > self.cursor) else {
            // Heard already. A stream that was made anew is found by its length.
            return true;
        };
        let whole = seq == self.cursor + 1;
        if !whole {
            tracing::info!(heard = self.cursor, next = seq, "some of what was stored was not heard");
            // Before this one is handed on, so that no link takes it before those.
            self.users.walk_again();
        }
        self.cursor = seq;
        match Heard::read(subject, seq, &headers, message.payload) {
            Heard::Message { user, item } => {
                self.users.kept(&user, &item);
            }
            Heard::Claim { user, device, by } => {
                self.users.claimed(&user, device.as_deref(), seq, (by.node == self.node).then_some(by.link));
            }
            Heard::Other => {}
        }
        whole
    }

    /// Claims may not have been heard.
    fn look_up(&self, checks: &mut JoinSet<()>) {
        // One that is under way may have looked too early.
        checks.abort_all();
        let health = self.health.subscribe();
        checks.spawn(check(self.stream.clone(), Arc::clone(&self.users), self.node.clone(), health));
    }
}

/// How long the stream is.
struct Length {
    last: u64,
    created: SystemTime,
    /// Whether who told it can add to the stream.
    keeps: bool,
    /// How far it was heard when that was asked.
    heard: u64,
}

/// Tells it again and again; `None`: nobody can say.
async fn look(stream: Stream, heard: Arc<AtomicU64>, lengths: mpsc::Sender<Option<Length>>) {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let heard = heard.load(Relaxed);
        let info = timeout(ANSWER, stream.get_info()).await;
        let length = info.ok().and_then(Result::ok).map(|info| Length {
            last: info.state.last_sequence,
            created: info.created.into(),
            keeps: health::keeps(info.cluster.as_ref()),
            heard,
        });
        if lengths.send(length).await.is_err() {
            return;
        }
    }
}

/// Looks up who claimed the users that are linked here.
async fn check(stream: Stream, users: Arc<Users>, node: String, mut health: watch::Receiver<Health>) {
    // A leader that doesn't know all yet doesn't know the last claims.
    if health.wait_for(|health| *health == Health::Good).await.is_err() {
        return;
    }
    let linked = stream::iter(users.claimed_here());
    let (stream, users, node) = (&stream, &users, &node);
    linked
        .for_each_concurrent(LOOKUPS, async |(name, device): (String, Option<Box<str>>)| {
            let subject = entry::claim_subject(&name, device.as_deref());
            loop {
                match stream.get_last_raw_message_by_subject(&subject).await {
                    Ok(entry) => {
                        if let Some(by) = entry::by(&entry.payload) {
                            let link = (by.node == *node).then_some(by.link);
                            users.claimed(&name, device.as_deref(), entry.sequence, link);
                        }
                        return;
                    }
                    Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => return,
                    Err(_) => sleep(PAUSE).await,
                }
            }
        })
        .await;
}
