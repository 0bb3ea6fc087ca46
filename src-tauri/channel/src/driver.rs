//! The one place that touches clock, socket and randomness: it hands facts to the [`Machine`] and does what
//! that says. One task, one timer and at most one link per channel (C5), but for the moment in which one link takes the place of
//! another (N1).

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::SystemTime;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::link::alarm::Alarm;
use crate::link::{Event, Link, acknowledged};
use crate::machine::Machine;
use crate::machine::facts::{End, Input, Now, Output};
use crate::way::connect::Connect;
use crate::way::dial::dial;
use crate::way::dialled::{DialFailure, Dialled};
use crate::way::posted::posted;
use crate::way::tcp::Tcp;
use crate::{
    Cause, Command, Config, DialAsk, Frame, Owner, Pulse, Receipt, Route, Settled, Signal, Stage, Start,
    State, Status,
};

/// Frames that wait for the owner; with messages of up to 1 MiB this bounds memory. Too low: bursts stop
/// the reading; too high: memory.
const FRAME_QUEUE: usize = 32;

/// Frames that are read at once before a timer or a signal. Too low: what follows from them comes too late; too high: a
/// flood holds up everything else.
const MOST_READ_FIRST: usize = 1000;

/// What comes over the handle.
#[derive(Debug)]
pub(crate) enum Ask {
    Command(Command),
    Signal(Signal),
    /// A message that came over this link is stored.
    Received {
        generation: u64,
        receipt: Receipt,
    },
    /// The user has read the messages of these ids.
    Read(Vec<String>),
}

/// The ends that the handle keeps.
pub(crate) type Ends =
    (watch::Receiver<Status>, watch::Receiver<Pulse>, mpsc::Receiver<Frame>, JoinHandle<()>);

pub(crate) fn spawn(
    config: Config,
    start: Start,
    owner: impl Owner,
    asked: mpsc::UnboundedReceiver<Ask>,
) -> Ends {
    spawn_with(config, start, owner, asked, Tcp::default(), Alarm::new(), SmallRng::from_os_rng())
}

/// As [`spawn`], with another way to connect, another clock and other luck.
pub(crate) fn spawn_with(
    config: Config,
    start: Start,
    owner: impl Owner,
    asked: mpsc::UnboundedReceiver<Ask>,
    connector: impl Connect,
    alarm: Alarm,
    rng: SmallRng,
) -> Ends {
    let zero = config.memory.zero();
    let now = Now { mono: zero.elapsed(), wall: SystemTime::now() };
    let config = Arc::new(config);
    let machine = Machine::new(Arc::clone(&config), start, rng, now);
    let (status, watched) = watch::channel(machine.status());
    let (pulse, felt) = watch::channel(Pulse::default());
    let (frames, taken) = mpsc::channel(FRAME_QUEUE);
    let driver = Driver {
        config,
        connector: Arc::new(connector),
        owner: Arc::new(Mutex::new(owner)),
        machine,
        zero,
        alarm,
        asked,
        status,
        pulse,
        frames,
        held: VecDeque::new(),
        dialling: None,
        asking: Vec::new(),
        links: Vec::new(),
        mark: None,
        route: None,
        stopping: false,
        finished: false,
    };
    (watched, felt, taken, tokio::spawn(driver.run()))
}

struct Driver<O, C: Connect> {
    config: Arc<Config>,
    connector: Arc<C>,
    owner: Arc<Mutex<O>>,
    machine: Machine,
    zero: Instant,
    alarm: Alarm,
    asked: mpsc::UnboundedReceiver<Ask>,
    status: watch::Sender<Status>,
    pulse: watch::Sender<Pulse>,
    frames: mpsc::Sender<Frame>,
    /// Frames that the queue had no room for; nothing is read while there are some. One that was read may hold many messages.
    held: VecDeque<Frame>,
    dialling: Option<Dialling>,
    /// What a link's dialect asked for over HTTP (T6).
    asking: Vec<Asking>,
    /// The links that are open, the older one first: two for a moment (N1).
    links: Vec<Open>,
    /// From where the next dial is to go on, where the server said so without a message.
    mark: Option<String>,
    /// The ends of the channel's link, or of the last one.
    route: Option<Route>,
    /// Asked to shut down: no further asks are heard.
    stopping: bool,
    finished: bool,
}

struct Open {
    generation: u64,
    link: Box<dyn Link>,
    route: Option<Route>,
}

struct Asking {
    generation: u64,
    done: Pin<Box<dyn Future<Output = Result<String, Cause>> + Send>>,
}

struct Dialling {
    generation: u64,
    stage: watch::Receiver<Stage>,
    /// What the machine knows of it.
    told: Stage,
    done: Pin<Box<dyn Future<Output = Result<Dialled, DialFailure>> + Send>>,
}

/// What a turn of the loop found.
enum Found {
    Ask(Option<Ask>),
    Time,
    Stage,
    Dialled(Result<Dialled, DialFailure>),
    Link(u64, Event),
    Answered(u64, Result<String, Cause>),
    Room,
    OwnerGone,
}

impl<O: Owner, C: Connect> Driver<O, C> {
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn keeps a second place for what it is given: 1 KiB a link"
    )]
    fn run(mut self) -> impl Future<Output = ()> {
        async move {
            loop {
                self.obey();
                self.publish();
                if self.finished {
                    return;
                }
                let found = self.find().await;
                self.note_stage();
                if let Found::Ask(_) | Found::Time = found {
                    let signalled = matches!(found, Found::Ask(Some(Ask::Signal(_))));
                    self.read_first(signalled).await;
                }
                if let Found::Time = found {
                    self.ask_kernel();
                }
                if let Some(input) = self.take(found) {
                    self.machine.handle(input, self.now());
                }
            }
        }
    }

    /// L1: whether a silent peer's machine has at least taken what was sent to it.
    fn ask_kernel(&mut self) {
        let now = self.now();
        if let Some(generation) = self.machine.is_to_judge(now)
            && let Some(route) = self.route
            && acknowledged::all(&route) == Some(true)
        {
            self.machine.handle(Input::Acknowledged { generation }, now);
        }
    }

    /// L6: what has arrived is read before a timer judges silence or a signal drops the link. Where this process was stopped, or the
    /// machine slept, both are there at once, and time is told first.
    async fn read_first(&mut self, signalled: bool) {
        if !signalled && !self.is_overdue() {
            return;
        }
        // The reactor's turn: only it knows what has arrived.
        tokio::task::yield_now().await;
        for _ in 0..MOST_READ_FIRST {
            let Some(found) = self.arrived().await else { return };
            self.note_stage();
            if let Some(input) = self.take(found) {
                self.machine.handle(input, self.now());
            }
            self.obey();
            if !signalled && !self.is_overdue() {
                return;
            }
        }
    }

    fn is_overdue(&self) -> bool {
        self.machine.deadline().is_some_and(|deadline| self.zero + deadline <= Instant::now())
    }

    /// What is there already, of the link or the dial.
    async fn arrived(&mut self) -> Option<Found> {
        let read = self.held.is_empty();
        let Self { machine, dialling, links, .. } = self;
        tokio::select! {
            biased;
            (generation, event) = next_event(links, machine, read) => Some(Found::Link(generation, event)),
            Some(found) = progress(dialling) => Some(found),
            () = std::future::ready(()) => None,
        }
    }

    /// What is given up must be known to have come as far as it has (R3).
    fn note_stage(&mut self) {
        let now = self.now();
        let Some(Dialling { generation, stage, told, .. }) = &mut self.dialling else { return };
        let stage = *stage.borrow_and_update();
        if stage != std::mem::replace(told, stage) {
            self.machine.handle(Input::Stage { generation: *generation, stage }, now);
        }
    }

    fn now(&self) -> Now {
        Now { mono: self.zero.elapsed(), wall: SystemTime::now() }
    }

    /// Waits for the next thing to happen.
    async fn find(&mut self) -> Found {
        let deadline = self.machine.deadline().map(|deadline| self.zero + deadline);
        let held = !self.held.is_empty();
        let Self { machine, alarm, asked, dialling, asking, links, frames, stopping, .. } = self;
        tokio::select! {
            ask = asked.recv(), if !*stopping => Found::Ask(ask),
            () = time(alarm, deadline) => Found::Time,
            Some(found) = progress(dialling) => found,
            (generation, event) = next_event(links, machine, !held) => Found::Link(generation, event),
            (generation, answer) = next_answer(asking) => Found::Answered(generation, answer),
            room = frames.reserve(), if held => if room.is_ok() { Found::Room } else { Found::OwnerGone },
            () = frames.closed(), if !held && !*stopping => Found::OwnerGone,
        }
    }

    /// Turns what was found into a fact for the machine.
    fn take(&mut self, found: Found) -> Option<Input> {
        Some(match found {
            Found::Ask(Some(Ask::Command(command))) => {
                tracing::debug!(url = %self.config.url, ?command, "asked");
                self.stopping |= command == Command::ShutDown;
                Input::Command(command)
            }
            Found::Ask(Some(Ask::Received { generation, receipt: Receipt::Delivery(delivery) })) => {
                self.link_mut(generation)?.received(delivery);
                return None;
            }
            Found::Ask(Some(Ask::Received { generation, receipt: Receipt::Message(number) })) => {
                Input::Stored { generation, number }
            }
            Found::Ask(Some(Ask::Read(ids))) => Input::Read { ids },
            Found::Ask(Some(Ask::Signal(signal))) => {
                tracing::debug!(url = %self.config.url, ?signal, "told");
                self.look_at_address(&signal);
                if let Signal::NetworkChanged { .. } = signal {
                    self.connector.moved();
                }
                Input::Signal(signal)
            }
            Found::Ask(None) => {
                self.stopping = true;
                Input::Command(Command::ShutDown)
            }
            Found::OwnerGone => {
                self.stopping = true;
                self.held.clear();
                Input::Command(Command::ShutDown)
            }
            Found::Time => Input::Time,
            // Noted already.
            Found::Stage => return None,
            Found::Dialled(result) => {
                let generation = self.dialling.take()?.generation;
                match result {
                    Ok(Dialled { mut link, route, given }) => {
                        if self.machine.forgives() {
                            link.forgive();
                        }
                        let proof = link.proof();
                        // There are thousands of channels, and hardly ever two links of one.
                        self.links.reserve_exact(1);
                        self.links.push(Open { generation, link, route });
                        Input::Opened { generation, given, proof }
                    }
                    Err(DialFailure { unchanged: true, .. }) => Input::Unchanged { generation },
                    Err(DialFailure { cause, retry_after, elsewhere, .. }) => {
                        tracing::debug!(url = %self.config.url, generation, %cause, "dial failed");
                        Input::DialFailed { generation, cause, retry_after, elsewhere }
                    }
                }
            }
            Found::Link(generation, event) => self.link_event(generation, event),
            Found::Answered(generation, answer) => Input::Answered { generation, answer },
            Found::Room => {
                self.hand_on_held();
                if !self.held.is_empty() {
                    return None;
                }
                Input::ReadingHeld(false)
            }
        })
    }

    /// W3: a link can't outlive the address that it goes out from. The kernel lets nobody bind to one that is
    /// gone, which saves knowing the interfaces.
    fn look_at_address(&mut self, signal: &Signal) {
        let Signal::NetworkChanged { .. } = signal else { return };
        let is_cut_off = |open: &&Open| open.route.is_some_and(|route| is_gone(route.from));
        for Open { generation, .. } in self.links.iter().filter(is_cut_off) {
            self.machine.handle(Input::AddressGone { generation: *generation }, self.now());
        }
    }

    fn link_event(&mut self, generation: u64, event: Event) -> Input {
        match event {
            Event::Bytes => Input::Bytes { generation },
            Event::Beat => Input::Beat { generation },
            Event::Frame(payload, about) => {
                if about.id.is_some() {
                    // The owner knows it, and better: it is stored there.
                    self.mark = None;
                }
                Input::Frame { generation, payload, about }
            }
            Event::Mark(id) => {
                self.mark = Some(id);
                Input::Beat { generation }
            }
            Event::Retry(wait) => Input::Retry { generation, wait },
            Event::Pong(counter) => Input::Pong { generation, counter },
            Event::Settled(place) => {
                self.pulse.send_modify(|pulse| pulse.settled = Some(Settled { generation, place }));
                Input::Bytes { generation }
            }
            Event::WriteStuck(stuck) => Input::WriteStuck { generation, stuck },
            Event::Ended(end) => {
                tracing::debug!(url = %self.config.url, generation, ?end, "link ended");
                match end {
                    End::Lost { .. } => self.drop_link(generation),
                    End::Closed(_) | End::Told(_) | End::Violation { .. } => {}
                }
                Input::Ended { generation, end }
            }
            Event::Gone => {
                self.drop_link(generation);
                Input::Gone { generation }
            }
        }
    }

    fn link_mut(&mut self, generation: u64) -> Option<&mut Box<dyn Link>> {
        let open = self.links.iter_mut().find(|open| open.generation == generation)?;
        Some(&mut open.link)
    }

    fn drop_link(&mut self, generation: u64) {
        self.links.retain(|open| open.generation != generation);
        self.asking.retain(|asking| asking.generation != generation);
    }

    /// Does what the machine says.
    fn obey(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Dial { generation, ask } => self.dial(generation, ask),
                Output::Abandon { .. } => self.dialling = None,
                Output::Heartbeat { generation, text } => {
                    if let Some(link) = self.link_mut(generation) {
                        link.say(text.0);
                        self.pulse.send_modify(|pulse| pulse.heartbeat = Some(SystemTime::now()));
                    }
                }
                Output::Say { generation, text } => {
                    if let Some(link) = self.link_mut(generation) {
                        link.say(text.0);
                    }
                }
                Output::Post { generation, post } => {
                    let done = Box::pin(posted(self.config.clone(), self.owner.clone(), post));
                    self.asking.push(Asking { generation, done });
                }
                Output::Ping { generation, counter } => {
                    if let Some(link) = self.link_mut(generation) {
                        link.ping(counter);
                    }
                }
                Output::Close { generation, code } => {
                    if let Some(link) = self.link_mut(generation) {
                        link.close(code);
                    }
                }
                Output::Leave { generation } => {
                    if let Some(link) = self.link_mut(generation) {
                        link.leave();
                    }
                }
                Output::Abort { generation } => self.drop_link(generation),
                Output::Deliver(frame) => self.deliver(frame),
                Output::Finish => {
                    self.hand_on_held();
                    self.finished = true;
                }
            }
        }
    }

    fn dial(&mut self, generation: u64, ask: DialAsk) {
        let (stage, watched) = watch::channel(Stage::Credential);
        let (config, connector, owner) = (self.config.clone(), self.connector.clone(), self.owner.clone());
        let mark = self.mark.clone().filter(|_| !ask.skip_past);
        let done = Box::pin(dial(config, connector, owner, ask, mark, stage));
        self.dialling = Some(Dialling { generation, stage: watched, told: Stage::Credential, done });
    }

    fn deliver(&mut self, frame: Frame) {
        if !self.held.is_empty() {
            return self.held.push_back(frame);
        }
        match self.frames.try_send(frame) {
            Ok(()) => {}
            Err(TrySendError::Full(frame)) => {
                self.held.push_back(frame);
                self.machine.handle(Input::ReadingHeld(true), self.now());
            }
            // `find` notices.
            Err(TrySendError::Closed(_)) => {}
        }
    }

    /// As many as there is room for.
    fn hand_on_held(&mut self) {
        while let Some(frame) = self.held.pop_front() {
            if let Err(TrySendError::Full(frame)) = self.frames.try_send(frame) {
                return self.held.push_front(frame);
            }
        }
        // A long list's memory is of no use any more.
        self.held = VecDeque::new();
    }

    /// Publishes the status; wakes watchers only for what a person would see.
    fn publish(&mut self) {
        let generation = self.machine.generation();
        if let Some(open) = self.links.iter().find(|open| open.generation == generation) {
            self.route = open.route;
        }
        let status = Status { route: self.route, ..self.machine.status() };
        self.pulse.send_if_modified(|pulse| std::mem::replace(&mut pulse.rtt, status.rtt) != status.rtt);
        self.status.send_if_modified(|shown| {
            let quiet =
                Status { rtt: status.rtt, last_inbound: status.last_inbound, ..shown.clone() } == status;
            if shown.state != status.state {
                log_change(&self.config, &shown.state, &status);
            }
            *shown = status;
            !quiet
        });
    }
}

/// What a person who reads the log should know stands at `info` and `warn`: once per trouble, not per try.
fn log_change(config: &Config, was: &State, status: &Status) {
    let (url, generation, now) = (&config.url, status.generation, status.state.name());
    let dialled = matches!(was, State::Connecting { .. });
    match &status.state {
        State::Waiting { cause, .. } if matches!(was, State::Connected { .. }) => {
            tracing::warn!(%url, generation, %cause, "link lost");
        }
        State::Waiting { cause, attempt: 1, .. } if dialled => {
            tracing::warn!(%url, generation, %cause, "no connection; trying again");
        }
        State::Waiting { cause, .. } => tracing::debug!(%url, generation, %cause, state = now, "state"),
        State::NeedsUser { cause, .. } => {
            tracing::warn!(%url, generation, %cause, "only the user can mend this");
        }
        State::Connecting { .. } if dialled => {}
        State::Connecting { .. } => tracing::debug!(%url, generation, state = now, "state"),
        State::Connected { .. } | State::Replaced { .. } | State::Disconnected { .. } => {
            tracing::info!(%url, generation, state = now, "state");
        }
    }
}

/// The machine's deadline; never, where it has none.
fn time(alarm: &mut Alarm, deadline: Option<Instant>) -> impl Future<Output = ()> {
    poll_fn(move |cx| match deadline {
        Some(deadline) => alarm.poll_at(cx, deadline),
        None => Poll::Pending,
    })
}

/// A dial's next stage or its end; `None` where none runs.
async fn progress(dialling: &mut Option<Dialling>) -> Option<Found> {
    let Dialling { stage, done, .. } = dialling.as_mut()?;
    tokio::select! {
        biased;
        result = done => Some(Found::Dialled(result)),
        Ok(()) = stage.changed() => Some(Found::Stage),
    }
}

/// The next event of a link, the older one's first; never, where there is none. `read`: whether the owner takes frames.
async fn next_event(links: &mut [Open], machine: &Machine, read: bool) -> (u64, Event) {
    poll_fn(|cx| {
        for Open { generation, link, .. } in &mut *links {
            if let Poll::Ready(event) = link.poll_event(cx, read && machine.may_read(*generation)) {
                return Poll::Ready((*generation, event));
            }
        }
        Poll::Pending
    })
    .await
}

/// The next answer of what was asked over HTTP; never, where nothing was.
async fn next_answer(asking: &mut Vec<Asking>) -> (u64, Result<String, Cause>) {
    poll_fn(|cx| {
        for (at, Asking { generation, done }) in asking.iter_mut().enumerate() {
            if let Poll::Ready(answer) = done.as_mut().poll(cx) {
                let generation = *generation;
                drop(asking.swap_remove(at));
                return Poll::Ready((generation, answer));
            }
        }
        Poll::Pending
    })
    .await
}

/// Whether this machine no longer has an address.
fn is_gone(mut address: SocketAddr) -> bool {
    address.set_port(0);
    UdpSocket::bind(address).is_err_and(|error| error.kind() == io::ErrorKind::AddrNotAvailable)
}

impl<O, C: Connect> fmt::Debug for Driver<O, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("machine", &self.machine).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod broker_tests;
#[cfg(test)]
mod renewal_tests;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod sockjs_tests;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;
