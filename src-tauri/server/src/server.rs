//! The owner's handle on a running server.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    access::{
        Access,
        files::{FileError, Watch},
    },
    blocking,
    event::{Event, NotSeen},
    http,
    log::{Draft, Form},
    options::{Options, StartError},
    order::{CLOSE_LIMIT, Command, Cut},
    shared::{Pushed, Refusal, Shared, Sluggish},
    wire::Door,
};

/// How many connections may wait to be accepted; the system has a limit of its own (`net.core.somaxconn`). Too low: of a fleet
/// that comes back at once some wait for a second, until they knock again; too high: they wait in vain.
const WAITING: u32 = 4096;
/// The shortest pause between two closes of a drain. Too low: it wakes for each of many links; too high: they come in
/// bursts.
const DRAIN_STEP: Duration = Duration::from_millis(20);
/// How long HTTP requests under way may take once the server is stopped.
const HTTP_LIMIT: Duration = Duration::from_secs(1);

/// A running server. Clones are handles on the same one; with the last of them it ends, abruptly if
/// [`stop`](Self::stop) wasn't called.
#[derive(Clone)]
pub struct Server(Arc<Owner>);

/// Raw bytes were not written: the user has no link, or it ended before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{user:?} has no link that took the bytes")]
pub struct NotSent {
    user: String,
}

struct Owner {
    addr: SocketAddr,
    /// The listener came from somebody who goes on listening.
    handed: bool,
    shared: Arc<Shared>,
    serving: Mutex<Option<Serving>>,
    /// Reads files of tokens and keys again when they change.
    watching: Option<JoinHandle<()>>,
    /// Where the metrics are to be had, to the end.
    metrics: Option<(SocketAddr, JoinHandle<io::Result<()>>)>,
}

struct Serving {
    task: JoinHandle<io::Result<()>>,
    /// Dropping it closes the listener.
    open: Option<oneshot::Sender<()>>,
}

/// Who is let in, and what tells of changes.
struct Keepers {
    access: Access,
    watch: Option<Watch>,
}

impl Keepers {
    /// Reads the files once: some can't be read twice.
    fn of(options: &Options) -> Result<Self, StartError> {
        // Made before the files are read, so that no change falls between.
        let watch = Access::files(options).watch();
        Ok(Self { access: Access::of(options)?, watch })
    }
}

impl Server {
    /// Starts to listen; clients may connect once this returns.
    ///
    /// # Errors
    /// The address can't be had, or the options would leave a server open to the world.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        // Wrong options are told before an address is taken.
        let keepers = Keepers::of(&options)?;
        let listener = bind(options.listen)?;
        Self::serve(listener, options, keepers, false).await
    }

    /// Starts on a socket that is listened on already, as it comes from systemd. `options.listen` has no say. Whoever
    /// comes during a [`drain`](Self::drain) is left waiting there for the next server.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_on(listener: std::net::TcpListener, options: Options) -> Result<Self, StartError> {
        let failed = |source| StartError::Listen { addr: options.listen, source };
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let listen = listener.local_addr().map_err(failed)?;
        let options = Options { listen, ..options };
        let keepers = Keepers::of(&options)?;
        Self::serve(listener, options, keepers, true).await
    }

    async fn serve(
        listener: TcpListener,
        options: Options,
        Keepers { access, watch }: Keepers,
        handed: bool,
    ) -> Result<Self, StartError> {
        let addr =
            listener.local_addr().map_err(|source| StartError::Listen { addr: options.listen, source })?;
        let shared = Arc::new(Shared::new(&options, access).await?);
        let door = Door::new(listener, Arc::clone(&shared.hide_pings), options.head_timeout);
        let (open, closed) = oneshot::channel::<()>();
        let closed = async {
            let _ = closed.await;
        };
        let task = tokio::spawn(http::serve(door, http::routes(Arc::clone(&shared)), closed));
        let serving = Mutex::new(Some(Serving { task, open: Some(open) }));
        let metrics = match options.metrics {
            None => None,
            Some(addr) => {
                let listener = bind(addr)?;
                let addr = listener.local_addr().map_err(|source| StartError::Listen { addr, source })?;
                let door = Door::new(listener, Arc::default(), options.head_timeout);
                let app = http::operating(Arc::clone(&shared));
                Some((addr, tokio::spawn(http::serve(door, app, pending()))))
            }
        };
        let watching = watch.map(|watch| tokio::spawn(follow(watch, Arc::clone(&shared))));
        Ok(Self(Arc::new(Owner { addr, handed, shared, serving, watching, metrics })))
    }

    /// Reads the files of tokens and keys again, as it does by itself when they change. Links of those who would not be
    /// let in any more are closed with [`UNAUTHORIZED`](crate::UNAUTHORIZED).
    ///
    /// # Errors
    /// The files that can't be used. What they said before stays in force.
    pub async fn reload(&self) -> Result<(), Vec<FileError>> {
        self.0.shared.read_again().await
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.0.addr
    }

    /// Where the metrics are to be had.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.0.metrics.as_ref().map(|(addr, _)| *addr)
    }

    /// The URL of a user's channel, where `?user=` is taken.
    #[must_use]
    pub fn url(&self, user: &str) -> String {
        let mut url = format!("ws://{}/ws/user-channel?user=", self.0.addr);
        for byte in user.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(byte.into()),
                _ => url.push_str(&format!("%{byte:02X}")),
            }
        }
        url
    }

    /// Sends a text as it is. This and the two below wait until the message is kept, which takes no time where
    /// nothing outlives the process; one that can't be kept has an empty id and reaches nobody.
    pub fn push(&self, user: &str, text: impl Into<String>) -> Pushed {
        self.push_draft(user, http::text_draft(text.into()))
    }

    /// Sends a JSON value as `POST /push` does: an object without an `id` gets one. Another value goes out
    /// as its text.
    pub fn push_json(&self, user: &str, value: &Value) -> Pushed {
        let text = value.to_string();
        self.push_draft(user, http::object_draft(&text).unwrap_or_else(|_| http::text_draft(text)))
    }

    /// Sends a binary message.
    pub fn push_binary(&self, user: &str, bytes: Vec<u8>) -> Pushed {
        self.push_draft(user, Draft { own_id: None, form: Form::Binary, payload: bytes.into() })
    }

    fn push_draft(&self, user: &str, draft: Draft) -> Pushed {
        blocking::wait(self.0.shared.push(user, draft)).unwrap_or_else(|error| {
            tracing::error!(user, "{error}");
            Pushed { id: String::new(), links: 0 }
        })
    }

    /// The number of live links of a user: 0 or 1. One that is closing doesn't count, one that is stalled does.
    #[must_use]
    pub fn links(&self, user: &str) -> usize {
        self.0.shared.users.live(user)
    }

    /// The number of links, of all users, whose task or socket still exists.
    #[must_use]
    pub fn running(&self) -> usize {
        *self.0.shared.users.running.borrow()
    }

    /// The number of upgrade requests ever seen, refused ones included.
    #[must_use]
    pub fn upgrades(&self) -> u64 {
        self.0.shared.upgrades.load(Relaxed)
    }

    /// The events so far, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.0.shared.events.from(0)
    }

    /// The number of the next event, for [`wait_after`](Self::wait_after).
    #[must_use]
    pub fn mark(&self) -> u64 {
        self.0.shared.events.count()
    }

    /// The first event, from the start of the server on, that is `wanted`. Each event is looked at once and in
    /// order, so a closure may count.
    ///
    /// # Errors
    /// None came within that time; the message shows the last events.
    pub async fn wait_for(
        &self,
        within: Duration,
        wanted: impl FnMut(&Event) -> bool,
    ) -> Result<Event, NotSeen> {
        self.wait_after(0, within, wanted).await
    }

    /// The same, from event number `mark` on.
    ///
    /// # Errors
    /// As [`wait_for`](Self::wait_for).
    pub async fn wait_after(
        &self,
        mark: u64,
        within: Duration,
        wanted: impl FnMut(&Event) -> bool,
    ) -> Result<Event, NotSeen> {
        self.0.shared.events.wait(mark, within, wanted).await
    }

    /// Closes the user's links with this code, after what was pushed before; returns how many. As RFC 6455
    /// has them, 1005 is a close frame without a code and 1006 the end of the stream without a close frame.
    pub fn close(&self, user: &str, code: u16, reason: &str) -> usize {
        let reason = reason.to_owned();
        self.0.shared.users.command(Some(user), |after| Command::Close {
            code,
            reason: reason.clone(),
            after,
        })
    }

    /// Ends the user's links without a close frame (FIN), at once; returns how many.
    pub fn drop_links(&self, user: &str) -> usize {
        self.0.shared.users.cut(Some(user), Cut::Fin)
    }

    /// Resets the user's links (RST), at once; returns how many.
    pub fn reset_links(&self, user: &str) -> usize {
        self.0.shared.users.cut(Some(user), Cut::Reset)
    }

    /// Leaves the user's links open but reads and writes nothing on them any more, pongs included, until they
    /// are dropped or reset or the server stops; returns how many.
    pub fn stall_links(&self, user: &str) -> usize {
        self.0.shared.users.cut(Some(user), Cut::Stall)
    }

    /// Answers all upgrade requests with this, until told otherwise with `None`.
    pub fn refuse_upgrades(&self, refusal: Option<Refusal>) {
        *self.0.shared.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }

    /// Completes the next `count` upgrades so much later, in any case: also where their client has gone by then, so
    /// that they replace a link that was opened meanwhile.
    pub fn late_upgrades(&self, count: usize, by: Duration) {
        self.sluggish().late = (count, by);
    }

    /// Completes no upgrade until the [`thaw`](Self::thaw), as a process that is stopped or still starts.
    pub fn freeze(&self) {
        self.sluggish().frozen.get_or_insert_default();
    }

    /// Completes the upgrades that came since the [`freeze`](Self::freeze), the newest first: so each replaces the one after it,
    /// also where its client has gone.
    pub fn thaw(&self) {
        let frozen = self.sluggish().frozen.take();
        for open in frozen.into_iter().flatten().rev() {
            open();
        }
    }

    fn sluggish(&self) -> MutexGuard<'_, Sluggish> {
        self.0.shared.sluggish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// While `true`, each close by the server, 4500 included, arrives as a bare end of the stream, as through
    /// a proxy that hands on no close frames.
    pub fn eat_close_codes(&self, eat: bool) {
        self.0.shared.eat_close_codes.store(eat, Relaxed);
    }

    /// While `false`, pings are recorded but not answered.
    pub fn answer_pings(&self, answer: bool) {
        self.0.shared.hide_pings.store(!answer, Relaxed);
    }

    /// Writes bytes onto the TCP streams of the user's links, after what was pushed before: frames that no
    /// WebSocket library would send.
    ///
    /// # Errors
    /// There is no link, or it ended first.
    pub async fn send_raw(&self, user: &str, bytes: &[u8]) -> Result<(), NotSent> {
        let bytes: Arc<[u8]> = bytes.into();
        let written = Mutex::new(Vec::new());
        self.0.shared.users.command(Some(user), |after| {
            let (done, receiver) = oneshot::channel();
            written.lock().unwrap_or_else(PoisonError::into_inner).push(receiver);
            Command::Raw { bytes: Arc::clone(&bytes), done, after }
        });
        let mut result = Err(NotSent { user: user.to_owned() });
        for written in written.into_inner().unwrap_or_else(PoisonError::into_inner) {
            if written.await.is_ok() {
                result = Ok(());
            }
        }
        result
    }

    /// Takes no link and no push any more, and closes the links with this code, evenly spread over this time, so that
    /// their clients don't come back all at once. To be followed by [`stop`](Self::stop); breaking it off leaves the
    /// other links open.
    pub async fn drain(&self, code: u16, over: Duration) {
        let Owner { shared, serving, handed, .. } = &*self.0;
        shared.users.retire();
        if *handed && let Some(serving) = &mut *serving.lock().unwrap_or_else(PoisonError::into_inner) {
            serving.open = None;
        }
        let numbers = shared.users.numbers();
        let (start, count) = (Instant::now(), numbers.len());
        let mut closed = 0;
        while closed < count {
            // As many as are due, each in its turn: number n of all at n / all of the time.
            let due = (start.elapsed() + DRAIN_STEP).as_secs_f64() / over.as_secs_f64().max(f64::EPSILON);
            let due = (closed..count).take_while(|number| share(*number, count) < due).count().max(1);
            shared.users.close_links(&numbers[closed..closed + due], code, "the server is stopping");
            closed += due;
            if closed < count {
                let next = start + over.mul_f64(share(closed, count));
                sleep_until(next.max(Instant::now() + DRAIN_STEP.min(over))).await;
            }
        }
    }

    /// Stops: closes every link with this code and waits for its end, within about 3 s at worst. Afterwards
    /// the address and the folder of data are free for another server. Stopping twice is harmless.
    pub async fn stop(&self, code: u16) {
        let Owner { shared, serving, .. } = &*self.0;
        let serving = serving.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Here the listener is told to close.
        let task = serving.map(|Serving { task, .. }| task);
        shared.users.stop(code);
        let mut running = shared.users.running.subscribe();
        // A link that is stuck in a write hears no command.
        if timeout(CLOSE_LIMIT + CLOSE_LIMIT / 4, running.wait_for(|running| *running == 0)).await.is_err() {
            shared.users.cut(None, Cut::Reset);
            let _ = timeout(CLOSE_LIMIT, running.wait_for(|running| *running == 0)).await;
        }
        if let Some(mut task) = task
            && timeout(HTTP_LIMIT, &mut task).await.is_err()
        {
            task.abort();
            let _ = task.await;
        }
        let shared = Arc::clone(shared);
        // One that has panicked has told of it.
        let _ = tokio::task::spawn_blocking(move || shared.log.close()).await;
    }
}

/// The place of one among all, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "numbers of links are small")]
fn share(number: usize, count: usize) -> f64 {
    number as f64 / count as f64
}

fn bind(addr: SocketAddr) -> Result<TcpListener, StartError> {
    let listen = || {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // The port of a server that has just stopped can be had at once. Elsewhere it would mean that two may have it.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        socket.listen(WAITING)
    };
    listen().map_err(|source: io::Error| {
        if source.kind() == io::ErrorKind::AddrInUse {
            StartError::InUse(addr)
        } else {
            StartError::Listen { addr, source }
        }
    })
}

async fn follow(mut watch: Watch, shared: Arc<Shared>) {
    loop {
        watch.changed().await;
        // The log has told of what is wrong.
        let _ = shared.read_again().await;
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(watching) = &self.watching {
            watching.abort();
        }
        if let Some((_, serving)) = &self.metrics {
            serving.abort();
        }
        // The listener ends with `serving`.
        self.shared.users.cut(None, Cut::Fin);
    }
}
