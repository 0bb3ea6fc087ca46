//! Users with their live links: the newest wins, and what is stored goes to its tail.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use tokio::sync::{mpsc, watch};

use crate::{
    REPLACED, UNAUTHORIZED,
    access::By,
    event::{EventKind, EventLog},
    log::Item,
    order::{Command, Cut},
    tail::{Outbox, Tail},
};

/// The tables. Idle users are in none.
pub(crate) struct Users {
    events: Arc<EventLog>,
    /// How many links have not ended in every respect, socket and task.
    pub(crate) running: watch::Sender<usize>,
    links: AtomicU64,
    state: Mutex<State>,
}

/// A link that is entered in the tables; [`Users::leave`] takes it out again.
pub(crate) struct Opened {
    pub(crate) id: u64,
    pub(crate) user: String,
    pub(crate) outbox: Outbox,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) cuts: mpsc::UnboundedReceiver<Cut>,
}

#[derive(Default)]
struct State {
    stopping: bool,
    /// The `seq` of the newest message that was stored, of all users.
    newest: u64,
    /// User to live link.
    live: HashMap<String, u64>,
    /// Live links, and those that are closing or stalled.
    links: HashMap<u64, Handle>,
}

/// What the others hold of a link.
struct Handle {
    user: String,
    commands: mpsc::UnboundedSender<Command>,
    cuts: mpsc::UnboundedSender<Cut>,
    tail: Arc<Tail>,
    stalled: bool,
    by: By,
    since: SystemTime,
}

impl Users {
    pub(crate) fn new(events: Arc<EventLog>) -> Self {
        let (running, links, state) = (watch::Sender::new(0), AtomicU64::new(0), Mutex::default());
        Self { events, running, links, state }
    }

    /// A number for the next link or refused request.
    pub(crate) fn next_link(&self) -> u64 {
        self.links.fetch_add(1, Relaxed) + 1
    }

    /// Makes link `id` the user's live one before its 101 goes out, so that no push falls between. `None`: the
    /// server is stopping.
    pub(crate) fn open(&self, id: u64, name: &str, since: Option<String>, by: By) -> Option<Opened> {
        let mut state = self.state();
        if state.stopping {
            return None;
        }
        if let Some(older) = state.live.insert(name.to_owned(), id) {
            self.events.record(older, name, EventKind::Replaced { by: id });
            if let Some(handle) = state.links.get(&older) {
                let reason = "replaced by a newer connection".to_owned();
                // A link that has just ended takes no commands, here and below.
                let _ = handle.commands.send(Command::Close { code: REPLACED, reason, after: state.newest });
            }
        }
        let (commands, commanded) = mpsc::unbounded_channel();
        let (cuts, cut) = mpsc::unbounded_channel();
        let tail = Arc::new(Tail::default());
        let outbox = Outbox::new(Arc::clone(&tail), since);
        state.links.insert(
            id,
            Handle {
                user: name.to_owned(),
                commands,
                cuts,
                tail,
                stalled: false,
                by,
                since: SystemTime::now(),
            },
        );
        self.running.send_modify(|running| *running += 1);
        Some(Opened { id, user: name.to_owned(), outbox, commands: commanded, cuts: cut })
    }

    /// Takes a link out of the tables; doing it twice is harmless.
    pub(crate) fn leave(&self, id: u64, name: &str) {
        let mut state = self.state();
        state.links.remove(&id);
        if state.live.get(name) == Some(&id) {
            state.live.remove(name);
        }
    }

    /// Takes note of a message that is stored: it goes out on the user's link, if there is one. Returns the number of links
    /// that it goes out on. Each message once, and a user's in the order of `seq`.
    pub(crate) fn kept(&self, name: &str, item: &Item) -> usize {
        let mut state = self.state();
        state.newest = state.newest.max(item.seq);
        let Some(handle) = state.live.get(name).and_then(|live| state.links.get(live)) else { return 0 };
        if handle.tail.push(item.clone()).is_err() {
            let _ = handle.cuts.send(Cut::TooSlow);
            state.live.remove(name);
            return 0;
        }
        1
    }

    /// How far the user's link has come that still reads the log: nothing after that may be dropped. `None`: none does.
    pub(crate) fn walks(&self, name: &str) -> Option<u64> {
        let state = self.state();
        state.live.get(name).and_then(|live| state.links.get(live)).and_then(|handle| handle.tail.walks())
    }

    /// The number of live links of a user, 0 or 1.
    pub(crate) fn live(&self, name: &str) -> usize {
        usize::from(self.state().live.contains_key(name))
    }

    /// Since when the user's link is there.
    pub(crate) fn since(&self, name: &str) -> Option<SystemTime> {
        let state = self.state();
        Some(state.links.get(state.live.get(name)?)?.since)
    }

    /// How many messages wait in memory for the user's link to take them, and from where on the log holds some that have
    /// not gone out; `None`: it holds none but those.
    pub(crate) fn waiting(&self, name: &str) -> (usize, Option<u64>) {
        let state = self.state();
        let handle = state.live.get(name).and_then(|live| state.links.get(live));
        handle.map_or((0, Some(0)), |handle| (handle.tail.waiting(), handle.tail.walks()))
    }

    /// Asks each link of a user (of all: `None`) to do something; returns how many were asked. What `command`
    /// gets is the newest message, which is to go out before.
    pub(crate) fn command(&self, name: Option<&str>, command: impl Fn(u64) -> Command) -> usize {
        let state = self.state();
        let of_user = state.links.values().filter(|handle| name.is_none_or(|name| handle.user == name));
        of_user.filter(|handle| handle.commands.send(command(state.newest)).is_ok()).count()
    }

    /// Opens no link any more. Those that are open go on.
    pub(crate) fn retire(&self) {
        self.state().stopping = true;
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.state().stopping
    }

    /// All links, by number.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.state().links.keys().copied().collect()
    }

    /// Closes these links, where they are still there.
    pub(crate) fn close_links(&self, numbers: &[u64], code: u16, reason: &str) {
        let state = self.state();
        for handle in numbers.iter().filter_map(|number| state.links.get(number)) {
            let _ =
                handle.commands.send(Command::Close { code, reason: reason.to_owned(), after: state.newest });
        }
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
