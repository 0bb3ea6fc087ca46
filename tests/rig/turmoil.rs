//! Pushes to several nodes while nodes and servers of NATS are killed and cut off: what was answered with 200 is in the inbox
//! of a real agent once.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::cluster::{Cluster, PUSH_TOKEN};
use crate::network::Machine;
use crate::node::{LAST, Pusher, Tally};
use crate::reader::Reader;

/// How long a push may take until its connection is given up, and another node asked for the next.
const GIVE_UP: Duration = Duration::from_secs(5);
/// How long a reader may take for all of it.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is to be done.
#[derive(Debug)]
pub struct Turmoil<'m> {
    /// For how long.
    pub lasts: Duration,
    /// How many pushes a second, if they are taken.
    pub rate: u32,
    /// How many push at once.
    pub pushers: u32,
    /// How much time is between two kills, at least and at most, in ms.
    pub pauses: (u32, u32),
    /// Machines that are cut off one after the other, each for so long.
    pub cut: &'m [&'m Machine],
    /// How long each is cut off.
    pub cut_for: Duration,
    /// What the random numbers begin with.
    pub seed: u64,
}

/// How much was done.
#[derive(Debug, Default, Clone, Copy)]
pub struct Done {
    /// Nodes that were killed.
    pub nodes: u32,
    /// Servers of NATS that were killed.
    pub nats: u32,
    /// Of these, those that led the stream.
    pub leaders: u32,
    /// Machines that were cut off.
    pub cuts: u32,
}

impl Turmoil<'_> {
    /// Does it.
    pub async fn run(&self, cluster: &mut Cluster, reader: Reader) -> anyhow::Result<(Tally, Done)> {
        let channels: Vec<_> = cluster.channels().into_iter().map(|channel| channel.name).collect();
        reader.connected().await?;
        let books = Arc::new(Books::new(self.rate, cluster.nodes(), channels.clone()));
        let mut pushers = JoinSet::new();
        for number in 0..self.pushers {
            pushers.spawn(Arc::clone(&books).push(number as usize));
        }
        let start = Instant::now();
        let done = self.kill(cluster).await?;
        let took = start.elapsed();
        books.over.store(true, Relaxed);
        while pushers.join_next().await.is_some() {}
        cluster.ready().await?;
        for user in &channels {
            let mut pusher = Pusher::connect(cluster.nodes()[0]).await?.with_token(PUSH_TOKEN);
            let last = pusher.push(user, &format!(r#"{{"title": "{LAST}"}}"#)).await?;
            ensure!(last.0 == 200, "{last:?}");
        }
        let heard = reader.titles(LAST, channels.len(), PATIENCE).await?;
        let answered = std::mem::take(&mut *books.answered.lock().unwrap_or_else(PoisonError::into_inner));
        let lost = answered.iter().filter(|text| !heard.contains_key(*text)).cloned().collect();
        let twice =
            heard.into_iter().filter(|(text, times)| *times > 1 && text != LAST).map(|(text, _)| text);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let a_second = answered.len() as f64 / took.as_secs_f64();
        let unanswered = usize::try_from(books.unanswered.load(Relaxed)).unwrap_or(usize::MAX);
        let tally = Tally { answered: answered.len(), a_second, unanswered, lost, twice: twice.collect() };
        Ok((tally, done))
    }

    async fn kill(&self, cluster: &mut Cluster) -> anyhow::Result<Done> {
        let mut random = Random(self.seed);
        let mut done = Done::default();
        let start = Instant::now();
        let mut cuts = Cuts { turmoil: self, start, now: None, next: 0 };
        while start.elapsed() < self.lasts {
            let pause = random.between(self.pauses.0, self.pauses.1);
            sleep(Duration::from_millis(pause.into())).await;
            let cut_off = cuts.turn(&mut done)?;
            let number = random.below(3) as usize;
            // With one server of NATS cut off another's end would leave no majority: that is no turmoil, but a standstill.
            match random.below(4) {
                0 if !cut_off => {
                    // Nobody leads while one is being elected.
                    let Some(leader) = cluster.leader().await else { continue };
                    cluster.kill_nats(leader).await?;
                    sleep(Duration::from_millis(random.below(1500).into())).await;
                    cluster.start_nats(leader).await?;
                    done.nats += 1;
                    done.leaders += 1;
                }
                1 if !cut_off => {
                    done.leaders += u32::from(cluster.leader().await == Some(number));
                    cluster.kill_nats(number).await?;
                    sleep(Duration::from_millis(random.below(1500).into())).await;
                    cluster.start_nats(number).await?;
                    done.nats += 1;
                }
                _ => {
                    cluster.kill_node(number).await?;
                    sleep(Duration::from_millis(random.below(500).into())).await;
                    cluster.start_node(number)?;
                    done.nodes += 1;
                }
            }
        }
        cuts.mend()?;
        Ok(done)
    }
}

/// Which machine is cut off, and when the next one is.
struct Cuts<'t> {
    turmoil: &'t Turmoil<'t>,
    start: Instant,
    now: Option<(&'t Machine, Instant)>,
    next: usize,
}

impl Cuts<'_> {
    /// Cuts and mends what is due; says whether one is cut off.
    fn turn(&mut self, done: &mut Done) -> anyhow::Result<bool> {
        if self.now.is_some_and(|(_, since)| since.elapsed() >= self.turmoil.cut_for) {
            self.mend()?;
        }
        let count = u32::try_from(self.turmoil.cut.len()).unwrap_or(u32::MAX);
        // Evenly over the time, each with a while before and after.
        let due = self.turmoil.lasts / (count + 1) * u32::try_from(self.next).unwrap_or(u32::MAX)
            + self.turmoil.lasts / (2 * (count + 1));
        if self.now.is_none()
            && self.start.elapsed() >= due
            && let Some(machine) = self.turmoil.cut.get(self.next)
        {
            machine.drop_all()?;
            self.now = Some((machine, Instant::now()));
            self.next += 1;
            done.cuts += 1;
        }
        Ok(self.now.is_some())
    }

    fn mend(&mut self) -> anyhow::Result<()> {
        self.now.take().map_or(Ok(()), |(machine, _)| machine.drop_none())
    }
}

/// What is pushed.
#[derive(Debug)]
struct Books {
    rate: u32,
    start: Instant,
    nodes: Vec<SocketAddr>,
    users: Vec<String>,
    next: AtomicU64,
    answered: Mutex<BTreeSet<String>>,
    unanswered: AtomicU64,
    over: AtomicBool,
}

impl Books {
    fn new(rate: u32, nodes: Vec<SocketAddr>, users: Vec<String>) -> Self {
        let (next, answered, unanswered, over) = Default::default();
        Self { rate, start: Instant::now(), nodes, users, next, answered, unanswered, over }
    }

    /// Pushes each message once, at whichever node takes it.
    async fn push(self: Arc<Self>, first: usize) {
        let (mut at, mut connection) = (first, None);
        while !self.over.load(Relaxed) {
            let number = self.next.fetch_add(1, Relaxed);
            sleep_until(self.start + Duration::from_secs(number) / self.rate).await;
            if self.push_one(number, self.nodes[at % self.nodes.len()], &mut connection).await.is_err() {
                self.unanswered.fetch_add(1, Relaxed);
                connection = None;
                at += 1;
            }
        }
    }

    async fn push_one(
        &self,
        number: u64,
        node: SocketAddr,
        connection: &mut Option<Pusher>,
    ) -> anyhow::Result<()> {
        let pushed = async {
            let pusher = match connection {
                Some(pusher) => pusher,
                None => connection.insert(Pusher::connect(node).await?.with_token(PUSH_TOKEN)),
            };
            let user = &self.users[usize::try_from(number)? % self.users.len()];
            pusher.push(user, &format!(r#"{{"title": "{number}", "body": "{:300}"}}"#, "")).await
        };
        let (status, answer) = timeout(GIVE_UP, pushed).await.context("no answer")??;
        ensure!(status == 200, "{status} {answer}");
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).insert(number.to_string());
        Ok(())
    }
}

/// Numbers that look random and are the same each time (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        u32::try_from(mixed % u64::from(end.max(1))).unwrap_or_default()
    }

    fn between(&mut self, least: u32, most: u32) -> u32 {
        least + self.below(most.saturating_sub(least))
    }
}
