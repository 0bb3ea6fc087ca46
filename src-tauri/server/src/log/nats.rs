//! The engine of several nodes: one stream of NATS JetStream, which all of them append to, read, and hear live.
//!
//! ```text
//! append ──publish, acknowledged──▶ stream TIDINGS ──republish──▶ follow: each node, what all nodes stored ──▶ Users
//! after, stand ◀──asked of its leader──┘  tidings.user.USER          │ a gap, or an end that did not come:
//!                                         tidings.claim.USER[.DEVICE] └──▶ the live links walk the log again
//! ```
//!
//! - A message's number is its place in the stream. What is republished comes at most once, so each node counts: a number
//!   that is missing, or a stream that is longer than what came, has its links walk the log again from where they stand.
//! - Reads go to the stream's leader. Another replica may lag behind what was heard live, and a link would end its walk
//!   before what it has to give.
//! - A link claims its user with an entry in the same stream; the entry's number is what fences. The newest wins on
//!   whichever nodes the two are, and one that is dead claims nothing any more: [`claims`].

mod acks;
mod claims;
pub(crate) mod connect;
mod entry;
mod follow;
mod health;
mod many;

use std::{
    error::Error as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use async_nats::{
    Client,
    jetstream::{
        self, ErrorCode,
        context::{PublishError, PublishErrorKind},
        message::StreamMessage,
        stream::{Info, RawMessageErrorKind, Stream},
    },
};
use futures_util::TryStreamExt as _;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::{
    log::{
        devices::Devices,
        item::{Draft, Item, Keep, Kept, Limit, NotKept, NotRead, Page, Standing},
    },
    users::Users,
};

use claims::Claim;
use connect::NatsError;
use health::{ANSWER, Health, NO_LEADER, PAUSE};
use many::Many;

/// How long a push, or a read, is tried again while NATS finds itself a new leader, which takes it up to 9 s, or another
/// server. Too low: each is told to those who push; too high: they wait for what will not be.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many reads are under way at once. Too low: links that come back at once wait for each other; too high: the
/// stream's leader drops what it can't answer in time.
const READS: usize = 256;
/// How many messages are read one by one before many are read at once. Too low: who missed little has NATS make a consumer; too
/// high: who missed much waits for a round trip for each.
const FEW: usize = 3;
/// How much is looked at to find a message by its sender's id, and so is in memory for each link that is opened by one.
const LOOKED_AT: Limit = Limit { messages: 1024, bytes: 256 << 10 };

/// The stream, as one node sees it.
pub(crate) struct Nats {
    client: Client,
    context: jetstream::Context,
    stream: Stream,
    users: Arc<Users>,
    reads: Semaphore,
    many: Many,
    /// Tells this process from all others, also from its own past.
    node: String,
    /// Numbers the messages that bring no id of their own.
    appended: AtomicU64,
    health: watch::Receiver<Health>,
    claims: mpsc::UnboundedSender<Claim>,
    /// What was acknowledged at this node.
    devices: Arc<Devices>,
    keep: Keep,
    tasks: [JoinHandle<()>; 3],
}

impl Nats {
    pub(crate) async fn open(
        options: &connect::Nats,
        keep: Keep,
        users: Arc<Users>,
    ) -> Result<Self, NatsError> {
        let connect::Joined { client, context, stream, last, created, events } =
            connect::join(options, keep).await?;
        let live = client.subscribe(entry::LIVE).await.map_err(|_| NatsError::Lost)?;
        users.reached(last);
        let node = client.new_inbox();
        let node = node.rsplit('.').next().unwrap_or(&node).to_owned();
        let (told, health) = watch::channel(Health::Good);
        let (claims, claimed) = mpsc::unbounded_channel();
        let follower = follow::Follower {
            stream: stream.clone(),
            users: Arc::clone(&users),
            node: node.clone(),
            cursor: last,
            created,
            health: told,
        };
        let claimer = claims::Claimer {
            context: context.clone(),
            users: Arc::clone(&users),
            node: node.clone(),
            health: health.clone(),
            again: claims.clone(),
        };
        let devices = Arc::new(Devices::written(std::iter::empty()));
        let tasks = [
            tokio::spawn(follower.run(live, events)),
            tokio::spawn(claimer.run(claimed)),
            tokio::spawn(acks::write(context.clone(), Arc::clone(&devices))),
        ];
        let (reads, appended) = (Semaphore::new(READS), AtomicU64::new(0));
        Ok(Self {
            client,
            context,
            stream,
            users,
            reads,
            many: Many::new(),
            node,
            appended,
            health,
            claims,
            devices,
            keep,
            tasks,
        })
    }

    /// Why pushes can't be kept and messages not be read, if that is so.
    pub(crate) fn ready(&self) -> Result<(), &'static str> {
        match *self.health.borrow() {
            Health::Good => Ok(()),
            Health::NoLeader => Err(NO_LEADER),
            Health::Gone(_) => Err("NATS can't be reached"),
        }
    }

    /// Whether a link would be of any use: without a quorum messages wait, without a server there are none.
    pub(crate) fn is_connected(&self) -> bool {
        !matches!(*self.health.borrow(), Health::Gone(_))
    }

    /// A link was opened here: those on other nodes are to give way.
    pub(crate) fn opened(&self, user: &str, device: Option<&str>, link: u64) {
        // Only at the end of the process nobody hears it.
        let _ = self.claims.send(Claim { user: user.to_owned(), device: device.map(str::to_owned), link });
    }

    pub(crate) async fn append(&self, user: &str, draft: Draft) -> Result<Kept, NotKept> {
        let own = draft.own_id.clone();
        let nth = self.appended.fetch_add(1, Relaxed);
        let (subject, message) = entry::message(user, draft, &format!("{}.{nth}", self.node));
        let deadline = self.deadline();
        loop {
            let published = async {
                // What the library holds for later would be stored after its push was refused.
                let _ = self.health.clone().wait_for(|health| !matches!(health, Health::Gone(_))).await;
                // The same message once more is known by its id, and isn't stored again.
                self.context.send_publish(subject.clone(), message.clone()).await?.await
            };
            let error = match timeout_at(deadline, published).await {
                Ok(Ok(ack)) => {
                    let id = own.unwrap_or_else(|| ack.sequence.to_string());
                    return Ok(Kept { id, links: self.users.live(user) });
                }
                Ok(Err(error)) => error,
                Err(_) => return Err(NotKept::Unavailable),
            };
            tracing::debug!(user, "a message was not kept yet: {error}");
            if let Some(not_kept) = final_word(&error, self.client.max_payload()) {
                return Err(not_kept);
            }
            if timeout_at(deadline, sleep(PAUSE)).await.is_err() {
                return Err(NotKept::Unavailable);
            }
        }
    }

    pub(crate) async fn after(&self, user: &str, seq: u64, limit: Limit) -> Result<Page, NotRead> {
        let subject = entry::subject(user);
        let mut page = self.page(&subject, seq.saturating_add(1), limit).await?;
        // Asked after the rest was read, so that it holds for that.
        page.complete = self.is_whole(&subject, seq).await?;
        Ok(page)
    }

    /// The messages of this subject from that number on, as far as they fit.
    async fn page(&self, subject: &str, seq: u64, limit: Limit) -> Result<Page, NotRead> {
        let (mut page, mut next, mut bytes) = (Page::default(), seq, 0);
        while page.items.len() < limit.messages {
            let Some(item) = self.first(subject, next).await? else {
                page.last = true;
                break;
            };
            bytes += item.size();
            if !page.items.is_empty() && bytes > limit.bytes {
                break;
            }
            next = item.seq.saturating_add(1);
            page.items.push(item);
            // Most links miss nothing, or little.
            if page.items.len() == FEW {
                let limit =
                    Limit { messages: limit.messages - FEW, bytes: limit.bytes.saturating_sub(bytes).max(1) };
                for entry in self.many.read(&self.stream, subject, next, limit).await {
                    let item = entry::item(entry.seq, &entry.headers, entry.payload);
                    bytes += item.size();
                    next = item.seq.saturating_add(1);
                    page.items.push(item);
                }
            }
        }
        Ok(page)
    }

    pub(crate) async fn stand(&self, user: &str, since: &str) -> Result<Standing, NotRead> {
        let subject = entry::subject(user);
        if let Ok(seq) = since.parse() {
            // Mostly it is a message's number. One that was never given is another server's.
            if self.first(&subject, seq).await?.is_some_and(|item| item.seq == seq && item.own_id.is_none()) {
                return Ok(Standing { seq, from: seq, complete: true });
            }
        }
        let mut next = 1;
        loop {
            let page = self.page(&subject, next, LOOKED_AT).await?;
            if let Some(item) = page.items.iter().find(|item| item.id() == since) {
                return Ok(Standing { seq: item.seq, from: item.seq, complete: true });
            }
            next = page.items.last().map_or(next, |item| item.seq.saturating_add(1));
            if page.last {
                break;
            }
        }
        let seq = since.parse().ok();
        let seq = match seq {
            Some(seq) if seq <= self.newest().await? => seq,
            Some(_) | None => 0,
        };
        Ok(Standing { seq, from: seq, complete: seq > 0 && self.is_whole(&subject, seq).await? })
    }

    /// Whether nothing of this subject behind that number has been dropped, as far as that can be told.
    async fn is_whole(&self, subject: &str, seq: u64) -> Result<bool, NotRead> {
        // The oldest go first: while one is there, none behind it has gone.
        if self.first(subject, seq).await?.is_some_and(|item| item.seq == seq) {
            return Ok(true);
        }
        let (info, count) = self.read(|| count(&self.stream, subject)).await?;
        // One more had the oldest go.
        if count >= self.keep.messages.max(1) as u64 {
            return Ok(false);
        }
        let age = SystemTime::from(info.created).elapsed().unwrap_or_default();
        if info.config.max_bytes < 0 && (info.config.max_age.is_zero() || age < info.config.max_age) {
            return Ok(true);
        }
        // Of all users.
        let oldest = self.first(entry::MESSAGES, 1).await?;
        Ok(oldest.is_some_and(|oldest| oldest.seq <= seq.saturating_add(1)))
    }

    /// Up to where a device has acknowledged, at any node.
    pub(crate) async fn reached(&self, user: &str, device: &str) -> Result<Option<u64>, NotRead> {
        let there = self.ack(&entry::ack_subject(user, Some(device)), 1).await?;
        Ok(there.map(|(_, reached)| reached).max(self.devices.reached(user, device)))
    }

    /// Up to where the foremost of a user's devices has acknowledged, at any node.
    pub(crate) async fn foremost(&self, user: &str) -> Result<Option<u64>, NotRead> {
        let (subject, mut next) = (entry::ack_subject(user, None), 1);
        let mut foremost = self.devices.foremost(user);
        while let Some((seq, reached)) = self.ack(&subject, next).await? {
            foremost = foremost.max(Some(reached));
            next = seq.saturating_add(1);
        }
        Ok(foremost)
    }

    /// Takes note of it; it is written down with others.
    pub(crate) fn acknowledge(&self, user: &str, device: &str, seq: u64) {
        self.devices.acknowledge(user, device, seq);
    }

    /// The first entry of what was acknowledged from this number on.
    async fn ack(&self, subject: &str, seq: u64) -> Result<Option<(u64, u64)>, NotRead> {
        let entry = self.entry(subject, seq).await?;
        Ok(entry.map(|entry| (entry.sequence, entry::acked(&entry.payload).unwrap_or(0))))
    }

    /// When this entry was stored, in milliseconds since 1970; `None`: it isn't there, or can't be asked for.
    pub(crate) async fn time(&self, seq: u64) -> Option<u64> {
        let entry = timeout(ANSWER, self.stream.get_raw_message(seq)).await.ok()?.ok()?;
        let since_1970 = SystemTime::from(entry.time).duration_since(SystemTime::UNIX_EPOCH).ok()?;
        u64::try_from(since_1970.as_millis()).ok()
    }

    /// How many messages are kept, of all users: what else is in the stream isn't counted.
    pub(crate) async fn kept(&self) -> Result<u64, NotRead> {
        // Asked once: who counts asks again by itself.
        timeout(ANSWER, count(&self.stream, entry::MESSAGES))
            .await
            .ok()
            .flatten()
            .map(|(_, count)| count)
            .ok_or(NotRead)
    }

    /// The number of the newest entry.
    pub(crate) async fn newest(&self) -> Result<u64, NotRead> {
        let stream = &self.stream;
        self.read(|| async move { stream.get_info().await.ok() }).await.map(|info| info.state.last_sequence)
    }

    /// The first message of this subject with this number or a higher one.
    async fn first(&self, subject: &str, seq: u64) -> Result<Option<Item>, NotRead> {
        let entry = self.entry(subject, seq).await?;
        Ok(entry.map(|entry| entry::item(entry.sequence, &entry.headers, entry.payload)))
    }

    async fn entry(&self, subject: &str, seq: u64) -> Result<Option<StreamMessage>, NotRead> {
        let stream = &self.stream;
        self.read(|| async move {
            match stream.get_first_raw_message_by_subject(subject, seq).await {
                Ok(entry) => Some(Some(entry)),
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Some(None),
                Err(_) => None,
            }
        })
        .await
    }

    /// Asks until there is an answer, for a while.
    async fn read<T, F: Future<Output = Option<T>>>(&self, ask: impl Fn() -> F) -> Result<T, NotRead> {
        let deadline = self.deadline();
        let asked = async {
            // A leader that doesn't know all yet would have a link end its walk too early.
            let _ = self.health.clone().wait_for(|health| *health == Health::Good).await;
            let _one_of_many = self.reads.acquire().await.map_err(|_| NotRead)?;
            loop {
                if let Some(answer) = ask().await {
                    return Ok(answer);
                }
                sleep(PAUSE).await;
            }
        };
        timeout_at(deadline, asked).await.unwrap_or(Err(NotRead))
    }

    /// Until when something is tried. Where no server is connected that counts from then on: who comes late doesn't wait.
    fn deadline(&self) -> Instant {
        match *self.health.borrow() {
            Health::Gone(since) => since + PATIENCE,
            Health::Good | Health::NoLeader => Instant::now() + PATIENCE,
        }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// What the stream is like, and how many entries it has under these subjects.
async fn count(stream: &Stream, subjects: &str) -> Option<(Info, u64)> {
    let counts = stream.info_with_subjects(subjects).await.ok()?;
    let info = counts.info.clone();
    let count = counts.try_fold(0, async |all, (_, count)| Ok(all + count as u64)).await.ok()?;
    Some((info, count))
}

/// Why it is of no use to try again, if it isn't.
fn final_word(error: &PublishError, max_payload: usize) -> Option<NotKept> {
    if error.kind() == PublishErrorKind::MaxPayloadExceeded {
        return Some(NotKept::TooLong(max_payload));
    }
    let source = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>())?;
    match source.error_code() {
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM | ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM => {
            Some(NotKept::TooLong(max_payload))
        }
        ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::MEMORY_RESOURCES_EXCEEDED
        | ErrorCode::STREAM_MAX_STREAM_BYTES_EXCEEDED => Some(NotKept::Full),
        _ => None,
    }
}
