//! Carries a channel's frames into the inbox, and its signs of life to the health journal.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use jiff::Zoned;
use tidings_channel::{CaughtUp, Frame, Kept, Payload, Pulse, Receipts, Settled, State, Status};
use tidings_dialect::v1::MOST_READ;
use tidings_inbox::{Arrival, ChannelProfile, Inbox, Query, Receipt};
use tidings_state::caught_up;
use tidings_state::message::{arrival, own, told_instead};
use tidings_state::snapshot::Snapshot;
use tokio::sync::{Notify, mpsc, watch};

use super::gotify::CatchUp;
use super::replay::Replay;
use crate::health::Health;

/// Where a channel's signs of life go.
pub(super) struct Felt {
    pub(super) channel: String,
    pub(super) pulse: watch::Receiver<Pulse>,
    pub(super) known: watch::Receiver<Kept>,
    /// Where the server is told that a message is stored.
    pub(super) receipts: Receipts,
    pub(super) health: Health,
    /// Rung when its state changed, or what is known.
    pub(super) changed: Arc<Notify>,
}

/// How what was missed comes.
pub(super) struct Missed {
    /// The server sends it again by itself.
    pub(super) replay: Replay,
    /// It has to be asked for.
    pub(super) catch_up: Option<CatchUp>,
}

/// Takes in what a channel brings, until it ends.
pub(super) async fn pump(
    mut status: watch::Receiver<Status>,
    mut frames: mpsc::Receiver<Frame>,
    Missed { mut replay, catch_up }: Missed,
    profile: watch::Receiver<Arc<ChannelProfile>>,
    inbox: Inbox,
    snapshot: watch::Receiver<Snapshot>,
    mut felt: Felt,
) {
    let mut asked_on: Option<u64> = None;
    let mut catching_up = None;
    let mut settled = None;
    let mut read = ReadHere::default();
    let mut read_here = inbox.read_here();
    let mut told_gap = None;
    loop {
        tokio::select! {
            frame = frames.recv() => {
                // The driver's end of the queue goes with its task: everything before it was taken in.
                let Some(frame) = frame else { return };
                let channel = profile.borrow().clone();
                if let Payload::Read(ids) = frame.payload {
                    inbox.read_elsewhere(&channel.id, ids).await;
                    read.tell(&status, &felt, &inbox).await;
                    continue;
                }
                let resumed = frame.about.published.as_ref().is_some_and(|published| published.resumed);
                let goes_on = frame.goes_on || resumed;
                let receipt = frame.receipt().map(|receipt| {
                    let (receipts, generation) = (felt.receipts.clone(), frame.generation);
                    Receipt::new(move || receipts.give(generation, receipt))
                });
                let may_be = replay.has(frame.generation, goes_on, Instant::now());
                let catch_up = frame.replay.unwrap_or(may_be);
                let words = snapshot.borrow().words;
                let unreadable = told_instead(&frame.payload, words);
                let arrived = arrival(channel.clone(), frame);
                // Where nothing of it was had, only that is left to be told.
                let alone = receipt.clone().filter(|_| arrived.is_none());
                if let Some(arrival) = arrived {
                    inbox.receive(Arrival { catch_up, receipt, ..arrival }).await;
                }
                if let Some(text) = unreadable {
                    let told = inbox.find(Query { channel: Some(channel.id.clone()), ..Query::newest(TOLD) }).await;
                    // A replay has it on each link anew, and a server that knows no UTF-8 in each message.
                    if told.iter().all(|message| message.body != text) {
                        tracing::warn!(channel = channel.id, "{}", text);
                        inbox.receive(Arrival { catch_up, ..own(&channel, text) }).await;
                    }
                }
                if let Some(receipt) = alone {
                    receipt.give();
                }
                replay.taken_in(Instant::now());
            }
            Ok(()) = status.changed() => {
                let now = status.borrow_and_update().clone();
                if let State::Connected { .. } = now.state {
                    replay.link(now.generation, Instant::now());
                    if asked_on.replace(now.generation) != Some(now.generation) {
                        catching_up = catch_up.as_ref().map(|it| Box::pin(it.run(profile.clone())));
                    }
                }
                let gap = now.caught_up.filter(|told| matches!(told, CaughtUp::Gap { .. }));
                let report = caught_up::report(&now);
                felt.changed.notify_one();
                read.tell(&status, &felt, &inbox).await;
                if gap.is_some() && told_gap.replace(gap) != Some(gap) && let Some(report) = report {
                    let words = snapshot.borrow().words;
                    let gap = caught_up::gap(&report, &Zoned::now(), words).unwrap_or_default();
                    tracing::warn!(channel = felt.channel, "{gap}");
                    let channel = profile.borrow().clone();
                    tell_once(&inbox, &channel, words.missed_gap(&gap)).await;
                }
            }
            Ok(()) = read_here.changed() => read.tell(&status, &felt, &inbox).await,
            Some(()) = progress(&mut catching_up) => catching_up = None,
            Ok(()) = felt.known.changed() => felt.changed.notify_one(),
            Ok(()) = felt.pulse.changed() => {
                let pulse = *felt.pulse.borrow_and_update();
                if pulse.settled != settled {
                    settled = pulse.settled;
                    if let Some(Settled { generation, place }) = settled {
                        inbox.settle_deliveries(&felt.channel, generation, place);
                    }
                }
                felt.health.feel(&felt.channel, pulse);
            }
        }
    }
}

/// A message of our own, unless the inbox has one that says the same.
async fn tell_once(inbox: &Inbox, channel: &ChannelProfile, text: String) {
    let query = Query { channel: Some(channel.id.clone()), ..Query::newest(TOLD) };
    if inbox.find(query).await.iter().all(|message| message.body != text) {
        inbox.receive(own(channel, text)).await;
    }
}

/// What was read here, and the server was told of on this link.
#[derive(Default)]
struct ReadHere {
    generation: u64,
    told: BTreeSet<String>,
}

impl ReadHere {
    /// Tells the server of what it may not know yet, where it wants to: once it has sent what was missed, and a frame's worth at a time. The
    /// next one follows once it says that it knows these.
    async fn tell(&mut self, status: &watch::Receiver<Status>, felt: &Felt, inbox: &Inbox) {
        let generation = {
            let status = status.borrow();
            let wants = matches!(status.caught_up, Some(CaughtUp::All | CaughtUp::Gap { .. }));
            if !wants {
                return;
            }
            status.generation
        };
        if std::mem::replace(&mut self.generation, generation) != generation {
            self.told.clear();
        }
        let unsaid = inbox.unsaid(&felt.channel).await;
        let waiting: BTreeSet<&String> = unsaid.iter().collect();
        self.told.retain(|id| waiting.contains(id));
        let ids: Vec<String> =
            unsaid.into_iter().filter(|id| !self.told.contains(id)).take(MOST_READ).collect();
        if !ids.is_empty() {
            self.told.extend(ids.iter().cloned());
            felt.receipts.tell_read(ids);
        }
    }
}

/// Goes on with what runs; `None` where nothing does.
async fn progress<F: Future<Output = ()>>(running: &mut Option<Pin<Box<F>>>) -> Option<()> {
    running.as_mut()?.await;
    Some(())
}

/// Newest messages of a channel among which one that says the same is enough. Too few: it is told again and again; too
/// many: each unreadable message takes long.
const TOLD: usize = 100;
