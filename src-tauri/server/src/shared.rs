//! What the routes, the links and the owner's handle share: users with their backlogs and live links.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use axum::extract::ws::Message;
use serde::Serialize;
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::sleep,
};

use crate::{
    REPLACED, UNAUTHORIZED,
    access::{Access, By, files::FileError},
    backlog::{Backlog, Item, Keep},
    event::{EventKind, EventLog},
    options::Options,
    order::{Command, Cut},
};

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
    pub(crate) events: EventLog,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) upgrades: AtomicU64,
    pub(crate) refusal: Mutex<Option<Refusal>>,
    pub(crate) eat_close_codes: AtomicBool,
    pub(crate) hide_pings: Arc<AtomicBool>,
    pub(crate) sluggish: Mutex<Sluggish>,
    /// How many links have not ended in every respect, socket and task.
    pub(crate) running: watch::Sender<usize>,
    keep: Keep,
    links: AtomicU64,
    state: Mutex<State>,
}

/// A link that is entered in the tables; [`Shared::leave`] takes it out again.
pub(crate) struct Opened {
    pub(crate) id: u64,
    pub(crate) user: String,
    /// The `seq` of the last message that it needs no more.
    pub(crate) sent: u64,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) cuts: mpsc::UnboundedReceiver<Cut>,
    /// Rung when there is something to take.
    pub(crate) wake: Arc<Notify>,
}

#[derive(Default)]
struct State {
    stopping: bool,
    /// The `seq` of the newest message of all users.
    newest: u64,
    users: HashMap<String, User>,
    /// Live links, and those that are closing or stalled.
    links: HashMap<u64, Handle>,
}

#[derive(Default)]
struct User {
    backlog: Backlog,
    live: Option<Live>,
}

struct Live {
    link: u64,
    /// The `seq` of the last message that the link has taken.
    sent: u64,
}

/// What the others hold of a link.
struct Handle {
    user: String,
    commands: mpsc::UnboundedSender<Command>,
    cuts: mpsc::UnboundedSender<Cut>,
    wake: Arc<Notify>,
    stalled: bool,
    by: By,
}

impl Shared {
    pub(crate) fn new(options: &Options, access: Access) -> Self {
        Self {
            access,
            events: EventLog::new(options.events),
            idle_timeout: options.idle_timeout,
            upgrades: AtomicU64::new(0),
            refusal: Mutex::default(),
            eat_close_codes: AtomicBool::new(false),
            hide_pings: Arc::default(),
            sluggish: Mutex::default(),
            running: watch::Sender::new(0),
            keep: Keep { messages: options.backlog, bytes: options.backlog_bytes },
            links: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// A number for the next link or refused request.
    pub(crate) fn next_link(&self) -> u64 {
        self.links.fetch_add(1, Relaxed) + 1
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

    /// Makes link `id` the user's live one before its 101 goes out, so that no push falls between. `None`: the
    /// server is stopping.
    pub(crate) fn open(&self, id: u64, name: &str, since: Option<&str>, by: By) -> Option<Opened> {
        let mut state = self.state();
        if state.stopping {
            return None;
        }
        let newest = state.newest;
        let user = state.users.entry(name.to_owned()).or_default();
        let sent = since.map_or(newest, |since| user.backlog.cursor(since));
        if let Some(older) = user.live.replace(Live { link: id, sent }) {
            self.events.record(older.link, name, EventKind::Replaced { by: id });
            if let Some(handle) = state.links.get(&older.link) {
                let reason = "replaced by a newer connection".to_owned();
                // A link that has just ended takes no commands, here and below.
                let _ = handle.commands.send(Command::Close { code: REPLACED, reason, after: newest });
            }
        }
        let (commands, commanded) = mpsc::unbounded_channel();
        let (cuts, cut) = mpsc::unbounded_channel();
        let wake = Arc::new(Notify::new());
        let handle =
            Handle { user: name.to_owned(), commands, cuts, wake: Arc::clone(&wake), stalled: false, by };
        state.links.insert(id, handle);
        self.running.send_modify(|running| *running += 1);
        Some(Opened { id, user: name.to_owned(), sent, commands: commanded, cuts: cut, wake })
    }

    /// Takes a link out of the tables; doing it twice is harmless.
    pub(crate) fn leave(&self, id: u64, name: &str) {
        let mut state = self.state();
        state.links.remove(&id);
        if let Some(user) = state.users.get_mut(name) {
            if user.live.as_ref().is_some_and(|live| live.link == id) {
                user.live = None;
                let _ = user.backlog.trim(self.keep, None);
            }
            if user.live.is_none() && user.backlog.is_empty() {
                state.users.remove(name);
            }
        }
    }

    /// Sends a message to a user. `own_id` is the id that the message brings; `frame` makes the frame from
    /// the id that it is given.
    pub(crate) fn push(
        &self,
        name: &str,
        own_id: Option<String>,
        frame: impl FnOnce(&str) -> Message,
    ) -> Pushed {
        let mut state = self.state();
        // Milliseconds since 1970, so that ids go on growing over a restart.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let seq = u64::try_from(now).unwrap_or(0).max(state.newest + 1);
        state.newest = seq;
        let id = own_id.unwrap_or_else(|| seq.to_string());
        let State { users, links, .. } = &mut *state;
        let user = users.entry(name.to_owned()).or_default();
        user.backlog.push(Item { seq, frame: frame(&id), id: id.clone() });
        let mut reached = 0;
        let live = user.live.as_ref().and_then(|live| Some((live, links.get(&live.link)?)));
        match (live, user.backlog.trim(self.keep, user.live.as_ref().map(|live| live.sent))) {
            (Some((_, handle)), Ok(())) => {
                handle.wake.notify_one();
                reached = 1;
            }
            (Some((_, handle)), Err(_)) => {
                let _ = handle.cuts.send(Cut::TooSlow);
                user.live = None;
                let _ = user.backlog.trim(self.keep, None);
            }
            (None, _) => {}
        }
        if user.backlog.is_empty() && user.live.is_none() {
            users.remove(name);
        }
        Pushed { id, links: reached }
    }

    /// The first message after `sent` and up to `last`, for link `id`, which counts as sent from now on.
    pub(crate) fn take(&self, id: u64, name: &str, sent: &mut u64, last: u64) -> Option<Message> {
        let mut state = self.state();
        let user = state.users.get_mut(name)?;
        let item = user.backlog.after(*sent).filter(|item| item.seq <= last)?;
        *sent = item.seq;
        let frame = item.frame.clone();
        if let Some(live) = user.live.as_mut().filter(|live| live.link == id) {
            live.sent = *sent;
            let _ = user.backlog.trim(self.keep, Some(*sent));
        }
        Some(frame)
    }

    /// Reads the files of who is who again, and closes the links of those who would not be let in any more.
    pub(crate) async fn read_again(self: &Arc<Self>) -> Result<(), Vec<FileError>> {
        let shared = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || {
            let read = shared.access.read_again();
            (read, shared.close_fallen(|by| shared.access.stands(by)))
        });
        let Ok((read, closed)) = read.await else { return Ok(()) };
        tracing::info!(closed, "tokens and keys were read again");
        for error in read.as_ref().err().into_iter().flatten() {
            tracing::warn!("what was read before stays in force: {error}");
        }
        read
    }

    /// The number of live links of a user, 0 or 1.
    pub(crate) fn live(&self, name: &str) -> usize {
        usize::from(self.state().users.get(name).is_some_and(|user| user.live.is_some()))
    }

    /// Asks each link of a user (of all: `None`) to do something; returns how many were asked. What `command`
    /// gets is the newest message, which is to go out before.
    pub(crate) fn command(&self, name: Option<&str>, command: impl Fn(u64) -> Command) -> usize {
        let state = self.state();
        let of_user = state.links.values().filter(|handle| name.is_none_or(|name| handle.user == name));
        of_user.filter(|handle| handle.commands.send(command(state.newest)).is_ok()).count()
    }

    /// Closes the links that would not be let in again; returns how many.
    pub(crate) fn close_fallen(&self, stands: impl Fn(By) -> bool) -> usize {
        let state = self.state();
        let fallen = state.links.values().filter(|handle| !stands(handle.by));
        let reason = "the credential is not good any more";
        let close = || Command::Close { code: UNAUTHORIZED, reason: reason.to_owned(), after: state.newest };
        fallen.filter(|handle| handle.commands.send(close()).is_ok()).count()
    }

    /// Cuts each link of a user (of all: `None`); returns how many.
    pub(crate) fn cut(&self, name: Option<&str>, cut: Cut) -> usize {
        let mut state = self.state();
        let links = state.links.values_mut();
        let of_user = links.filter(|handle| name.is_none_or(|name| handle.user == name));
        of_user
            .filter_map(|handle| {
                handle.stalled |= cut == Cut::Stall;
                handle.cuts.send(cut).ok()
            })
            .count()
    }

    /// Opens no link any more, closes those that can be closed, and ends those that are stalled.
    pub(crate) fn stop(&self, code: u16) {
        let mut state = self.state();
        state.stopping = true;
        for handle in state.links.values() {
            let reason = "the server is stopping".to_owned();
            let _ = handle.commands.send(Command::Close { code, reason, after: state.newest });
            if handle.stalled {
                let _ = handle.cuts.send(Cut::Fin);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
