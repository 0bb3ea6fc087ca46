//! What the routes, the links and the owner's handle share: the log, the users with their live links, and the faults that
//! tests ask for.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use serde::Serialize;
use tokio::{sync::oneshot, time::sleep};

use crate::{
    access::{Access, files::FileError},
    event::EventLog,
    log::{Draft, Kept, Limit, Log, NotKept, NotRead},
    options::{Options, StartError},
    users::Users,
};

/// How long a request's body may take, and an answer wait to be read, in times of a head. Too low: a big one over a bad line
/// is refused; too high: whoever sends or reads byte by byte holds memory.
pub(crate) const BODY_IN_HEADS: u32 = 3;

/// Links of one user at once, where each device has one. Too low: somebody with many machines is refused; too high: one
/// user takes all places.
const MOST_DEVICES: usize = 32;

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pushed {
    /// The message's id: its own, if it is a JSON object with one; else a new one, greater than all before.
    pub id: String,
    /// The number of links that it goes out on now. 0: it waits in the backlog.
    pub links: usize,
}

/// An answer to an upgrade request other than 101.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    /// The HTTP status, 200 to 999.
    pub status: u16,
    /// Headers, for instance `Retry-After` or `Location`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Refusal {
    /// A refusal with this status, no headers of its own and an empty body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What holds upgrades up. They are completed whether or not their client is still there, as by servers that find
/// out only when they write.
#[derive(Default)]
pub(crate) struct Sluggish {
    /// How many are late, and by how much.
    pub(crate) late: (usize, Duration),
    /// What waits for the thaw, oldest first; `None`: the server isn't frozen.
    pub(crate) frozen: Option<Vec<Box<dyn FnOnce() + Send>>>,
}

pub(crate) struct Shared {
    pub(crate) access: Access,
    pub(crate) events: Arc<EventLog>,
    pub(crate) idle_timeout: Option<Duration>,
    max_links: usize,
    /// The last message could not be kept.
    failed: AtomicBool,
    pub(crate) max_message: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) announce_v1: bool,
    pub(crate) upgrades: AtomicU64,
    pub(crate) refusal: Mutex<Option<Refusal>>,
    pub(crate) eat_close_codes: AtomicBool,
    pub(crate) hide_pings: Arc<AtomicBool>,
    pub(crate) sluggish: Mutex<Sluggish>,
    pub(crate) users: Arc<Users>,
    pub(crate) log: Log,
}

impl Shared {
    pub(crate) async fn new(options: &Options, access: Access) -> Result<Self, StartError> {
        let events = Arc::new(EventLog::new(options.events));
        let users = Arc::new(Users::new(Arc::clone(&events), options.devices));
        let log = Log::open(options, Arc::clone(&users)).await?;
        Ok(Self {
            access,
            events,
            idle_timeout: options.idle_timeout,
            max_links: options.max_links,
            failed: AtomicBool::new(false),
            max_message: options.max_message,
            body_timeout: options.head_timeout * BODY_IN_HEADS,
            announce_v1: options.announce_v1,
            upgrades: AtomicU64::new(0),
            refusal: Mutex::default(),
            eat_close_codes: AtomicBool::new(false),
            hide_pings: Arc::default(),
            sluggish: Mutex::default(),
            log,
            users,
        })
    }

    /// Keeps a message for a user and sends it. Returns once it is as safe as the log makes it.
    pub(crate) async fn push(&self, user: &str, draft: Draft) -> Result<Pushed, NotKept> {
        let kept = self.log.append(user, draft).await;
        self.failed.store(kept.is_err(), Relaxed);
        kept.map(|Kept { id, links }| Pushed { id, links })
    }

    /// Reads the files of who is who again, and closes the links of those who would not be let in any more.
    pub(crate) async fn read_again(self: &Arc<Self>) -> Result<(), Vec<FileError>> {
        let shared = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || {
            let read = shared.access.read_again();
            (read, shared.users.close_fallen(|by| shared.access.stands(by)))
        });
        let Ok((read, closed)) = read.await else { return Ok(()) };
        match &read {
            Ok(()) => tracing::info!(closed, "tokens and keys were read again"),
            Err(errors) => {
                for error in errors {
                    tracing::warn!(closed, "what was read before stays in force: {error}");
                }
            }
        }
        read
    }

    /// The opened link, as soon as the server gets round to it.
    pub(crate) async fn complete<L: Send + 'static>(
        &self,
        open: impl FnOnce() -> Option<L> + Send + 'static,
    ) -> Option<L> {
        let (done, opened) = oneshot::channel();
        let open = Box::new(move || drop(done.send(open())));
        self.in_its_turn(open);
        opened.await.ok().flatten()
    }

    fn in_its_turn(&self, open: Box<dyn FnOnce() + Send>) {
        let mut sluggish = self.sluggish.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *sluggish {
            Sluggish { frozen: Some(frozen), .. } => frozen.push(open),
            Sluggish { late: (0, _), .. } => {
                drop(sluggish);
                open();
            }
            Sluggish { late: (left, by), .. } => {
                *left -= 1;
                let by = *by;
                tokio::spawn(async move {
                    sleep(by).await;
                    open();
                });
            }
        }
    }

    /// How many messages are kept for a user that have not gone out to the user's link; without one, that no device has
    /// acknowledged.
    pub(crate) async fn pending(&self, user: &str) -> Result<usize, NotRead> {
        const PAGE: Limit = Limit { messages: 1000, bytes: 1 << 20 };
        let (waiting, walks) = self.users.waiting(user);
        // A link that is through with the log has the rest in memory.
        let Some(mut seq) = walks else { return Ok(waiting) };
        if self.users.live(user) == 0 {
            seq = self.log.foremost(user).await?.unwrap_or(0);
        }
        let mut pending = 0;
        loop {
            let page = self.log.after(user, seq, PAGE).await?;
            pending += page.items.len();
            match page.items.last() {
                Some(item) if !page.last => seq = item.seq,
                Some(_) | None => return Ok(pending),
            }
        }
    }

    /// Fails, with the reason, once no link and no push is taken any more.
    pub(crate) fn goes_on(&self) -> Result<(), &'static str> {
        if self.users.is_stopping() { Err("the server is stopping") } else { Ok(()) }
    }

    /// Whether links and pushes are taken; if not, why. Nothing is written to find out unless a push has failed since the last
    /// one that didn't.
    pub(crate) async fn ready(&self) -> Result<(), String> {
        self.goes_on()?;
        self.log.ready()?;
        if self.failed.load(Relaxed) {
            self.log.probe().await.map_err(|error| error.to_string())?;
            self.failed.store(false, Relaxed);
        }
        Ok(())
    }

    /// Whether one link more would be too many. Who has one may have it anew.
    pub(crate) fn has_no_place(&self, name: &str, device: Option<&str>) -> bool {
        let full = *self.users.running.borrow() >= self.max_links || self.users.live(name) >= MOST_DEVICES;
        full && !self.users.has(name, device)
    }
}
