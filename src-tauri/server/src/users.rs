//! Users with their live links: the newest wins, and what is stored goes to its tail.

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use tokio::sync::{mpsc, watch};

use crate::{
    REPLACED, SERVICE_RESTART, UNAUTHORIZED,
    access::By,
    event::{EventKind, EventLog},
    log::item::Item,
    options::Devices,
    order::{Command, Cut},
    tail::{From, Tail},
};

/// Why a link is closed with [`REPLACED`].
const BY_A_NEWER: &str = "replaced by a newer connection";

/// The tables. Idle users are in none.
pub(crate) struct Users {
    events: Arc<EventLog>,
    devices: Devices,
    /// How many links have not ended in every respect, socket and task.
    pub(crate) running: watch::Sender<usize>,
    links: AtomicU64,
    state: Mutex<State>,
}

/// A link that is entered in the tables; [`Users::leave`] takes it out again.
pub(crate) struct Opened {
    pub(crate) id: u64,
    pub(crate) user: String,
    pub(crate) tail: Arc<Tail>,
    pub(crate) from: From,
    /// The `seq` of the newest message that was stored then, of all users.
    pub(crate) newest: u64,
    pub(crate) commands: mpsc::UnboundedReceiver<Box<Command>>,
    pub(crate) cuts: mpsc::UnboundedReceiver<Cut>,
}

#[derive(Default)]
struct State {
    stopping: bool,
    /// The `seq` of the newest message that was stored, of all users.
    newest: u64,
    /// User to live links: one, or one for each device.
    live: HashMap<String, Vec<Live>>,
    /// Live links, and those that are closing or stalled.
    links: HashMap<u64, Handle>,
}

impl State {
    /// The live links of a user.
    fn of_user(&self, name: &str) -> impl Iterator<Item = (u64, &Handle)> {
        let live = self.live.get(name).into_iter().flatten();
        live.filter_map(|live| Some((live.link, self.links.get(&live.link)?)))
    }

    /// This link is its user's no more.
    fn withdraw(&mut self, name: &str, link: u64) {
        if let Some(live) = self.live.get_mut(name) {
            live.retain(|live| live.link != link);
            if live.is_empty() {
                self.live.remove(name);
            }
        }
    }
}

/// A live link of a user.
struct Live {
    link: u64,
    /// Of which device, where it has said so.
    device: Option<Box<str>>,
}

/// What the others hold of a link.
struct Handle {
    user: String,
    commands: mpsc::UnboundedSender<Box<Command>>,
    cuts: mpsc::UnboundedSender<Cut>,
    tail: Arc<Tail>,
    stalled: bool,
    by: By,
    since: SystemTime,
    /// The number of its claim to the user among all nodes; 0: it has none yet.
    claim: u64,
    /// The highest claim of another node that came in since it was opened.
    rival: u64,
}

impl Handle {
    /// Asks the link to do something; says whether it was asked, for one that has just ended takes no commands.
    fn tell(&self, command: Command) -> bool {
        // In a box, for a channel has room for 32 from the start.
        self.commands.send(Box::new(command)).is_ok()
    }
}

impl Users {
    pub(crate) fn new(events: Arc<EventLog>, devices: Devices) -> Self {
        let (running, links, state) = (watch::Sender::new(0), AtomicU64::new(0), Mutex::default());
        Self { events, devices, running, links, state }
    }

    /// A number for the next link or refused request.
    pub(crate) fn next_link(&self) -> u64 {
        self.links.fetch_add(1, Relaxed) + 1
    }

    /// What a link of this device is to claim among all nodes: the user, or one of the user's devices; `None`: it replaces
    /// nobody.
    #[expect(clippy::option_option, reason = "no claim, and one to the user, are two things")]
    pub(crate) fn claims<'a>(&self, device: Option<&'a str>) -> Option<Option<&'a str>> {
        match self.devices {
            Devices::One => Some(None),
            Devices::Many => device.map(Some),
        }
    }

    /// Makes link `id` the user's live one, or that of one of the user's devices, before its 101 goes out, so that no push
    /// falls between. `None`: the server is stopping.
    pub(crate) fn open(
        &self,
        id: u64,
        name: &str,
        device: Option<&str>,
        from: From,
        by: By,
    ) -> Option<Opened> {
        let mut state = self.state();
        if state.stopping {
            return None;
        }
        let live = Live { link: id, device: device.map(Into::into) };
        let of_user = match state.live.get_mut(name) {
            Some(of_user) => of_user,
            None => state.live.entry(name.to_owned()).or_insert_with(|| Vec::with_capacity(1)),
        };
        let replaced = match of_user.iter_mut().find(|other| self.is_replaced(other, device)) {
            Some(older) => Some(std::mem::replace(older, live).link),
            None => {
                of_user.push(live);
                None
            }
        };
        if let Some(older) = replaced {
            self.events.record(older, name, EventKind::Replaced { by: id });
            if let Some(handle) = state.links.get(&older) {
                let reason = BY_A_NEWER.to_owned();
                handle.tell(Command::Close { code: REPLACED, reason, after: state.newest });
            }
        }
        let (commands, commanded) = mpsc::unbounded_channel();
        let (cuts, cut) = mpsc::unbounded_channel();
        let tail = Arc::new(Tail::at(&from));
        state.links.insert(
            id,
            Handle {
                user: name.to_owned(),
                commands,
                cuts,
                tail: Arc::clone(&tail),
                stalled: false,
                by,
                since: SystemTime::now(),
                claim: 0,
                rival: 0,
            },
        );
        self.running.send_modify(|running| *running += 1);
        Some(Opened {
            id,
            user: name.to_owned(),
            tail,
            from,
            newest: state.newest,
            commands: commanded,
            cuts: cut,
        })
    }

    /// Takes a link out of the tables; doing it twice is harmless.
    pub(crate) fn leave(&self, id: u64, name: &str) {
        let mut state = self.state();
        state.links.remove(&id);
        state.withdraw(name, id);
    }

    /// Takes note of a message that is stored: it goes out on the user's links, if there are some. Returns the number of links
    /// that it goes out on. Each message once, and a user's in the order of `seq`.
    pub(crate) fn kept(&self, name: &str, item: &Item) -> usize {
        let mut state = self.state();
        state.newest = state.newest.max(item.seq);
        let (mut reached, mut slow) = (0, Vec::new());
        for handle in state.of_user(name) {
            if handle.1.tail.push(item.clone()).is_ok() {
                reached += 1;
            } else {
                let _ = handle.1.cuts.send(Cut::TooSlow);
                slow.push(handle.0);
            }
        }
        for link in slow {
            state.withdraw(name, link);
        }
        reached
    }

    /// How far the user's link has come that is behind the others of those that still read the log: nothing after that may be
    /// dropped. `None`: none does.
    pub(crate) fn walks(&self, name: &str) -> Option<u64> {
        self.state().of_user(name).filter_map(|(_, handle)| handle.tail.walks()).min()
    }

    /// The number of live links of a user.
    pub(crate) fn live(&self, name: &str) -> usize {
        self.state().live.get(name).map_or(0, Vec::len)
    }

    /// Whether a link of this device would take another's place.
    pub(crate) fn has(&self, name: &str, device: Option<&str>) -> bool {
        let state = self.state();
        state.live.get(name).is_some_and(|live| live.iter().any(|live| self.is_replaced(live, device)))
    }

    /// Whether a newer link, of this device, takes this one's place. Where there may be many, one that names no device takes nobody's: it
    /// may be of any.
    fn is_replaced(&self, live: &Live, device: Option<&str>) -> bool {
        match self.devices {
            Devices::One => true,
            Devices::Many => device.is_some() && live.device.as_deref() == device,
        }
    }

    /// Since when the user's oldest link is there.
    pub(crate) fn since(&self, name: &str) -> Option<SystemTime> {
        self.state().of_user(name).map(|(_, handle)| handle.since).min()
    }

    /// How many messages wait in memory for the user's link to take them, and from where on the log holds some that have
    /// not gone out; `None`: it holds none but those.
    pub(crate) fn waiting(&self, name: &str) -> (usize, Option<u64>) {
        let state = self.state();
        // Of several the one that lacks most.
        let links = state.of_user(name).map(|(_, handle)| (handle.tail.waiting(), handle.tail.walks()));
        links.max_by_key(|(waiting, walks)| (walks.map(Reverse), *waiting)).unwrap_or((0, Some(0)))
    }

    /// Asks each link of a user (of all: `None`) to do something; returns how many were asked. What `command`
    /// gets is the newest message, which is to go out before.
    pub(crate) fn command(&self, name: Option<&str>, command: impl Fn(u64) -> Command) -> usize {
        let state = self.state();
        let of_user = state.links.values().filter(|handle| name.is_none_or(|name| handle.user == name));
        of_user.filter(|handle| handle.tell(command(state.newest))).count()
    }

    /// What is stored up to there is known, whether or not it was handed to [`kept`](Self::kept).
    pub(crate) fn reached(&self, seq: u64) {
        let mut state = self.state();
        state.newest = state.newest.max(seq);
    }

    /// Something that was stored was not handed to [`kept`](Self::kept): each link is to read the log once more from where
    /// it is.
    pub(crate) fn walk_again(&self) {
        for handle in self.state().links.values() {
            handle.tail.walk_again();
        }
    }

    /// Takes note of a claim to a user (with many, of one of the user's devices): of this link here, or (`None`) of another
    /// node. A link whose own claim is known and lower gives way.
    pub(crate) fn claimed(&self, name: &str, device: Option<&str>, seq: u64, link: Option<u64>) {
        let mut state = self.state();
        let State { newest, live, links, .. } = &mut *state;
        let of_device =
            live.get(name).and_then(|live| live.iter().find(|live| self.is_replaced(live, device)));
        let Some(live) = of_device.map(|live| live.link) else { return };
        let Some(handle) = links.get_mut(&live) else { return };
        match link {
            Some(link) if link == live => handle.claim = handle.claim.max(seq),
            // One that was replaced here already.
            Some(_) => return,
            None => handle.rival = handle.rival.max(seq),
        }
        if handle.claim == 0 || handle.rival < handle.claim {
            return;
        }
        self.events.record(live, name, EventKind::Replaced { by: 0 });
        let reason = BY_A_NEWER.to_owned();
        handle.tell(Command::Close { code: REPLACED, reason, after: *newest });
        state.withdraw(name, live);
    }

    /// Whether a link is its user's.
    pub(crate) fn is_live(&self, name: &str, link: u64) -> bool {
        self.state().of_user(name).any(|(live, _)| live == link)
    }

    /// What the links here have claimed: users, each with a device where that has a link of its own.
    pub(crate) fn claimed_here(&self) -> Vec<(String, Option<Box<str>>)> {
        let state = self.state();
        let claims = |(name, live): (&String, &Vec<Live>)| {
            let claims = live.iter().filter_map(|live| self.claims(live.device.as_deref()));
            claims.map(|device| (name.clone(), device.map(Into::into))).collect::<Vec<_>>()
        };
        state.live.iter().flat_map(claims).collect()
    }

    /// Numbers have begun anew: nothing that is known holds any more, and each client is to say where it stands.
    pub(crate) fn restart(&self) {
        let mut state = self.state();
        state.newest = 0;
        for handle in state.links.values() {
            let reason = "the log was made anew".to_owned();
            handle.tell(Command::Close { code: SERVICE_RESTART, reason, after: 0 });
        }
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
            handle.tell(Command::Close { code, reason: reason.to_owned(), after: state.newest });
        }
    }

    /// Closes the links that would not be let in again; returns how many.
    pub(crate) fn close_fallen(&self, stands: impl Fn(By) -> bool) -> usize {
        let state = self.state();
        let fallen = state.links.values().filter(|handle| !stands(handle.by));
        let reason = "the credential is not good any more";
        let close = || Command::Close { code: UNAUTHORIZED, reason: reason.to_owned(), after: state.newest };
        fallen.filter(|handle| handle.tell(close())).count()
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
            handle.tell(Command::Close { code, reason, after: state.newest });
            if handle.stalled {
                let _ = handle.cuts.send(Cut::Fin);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
