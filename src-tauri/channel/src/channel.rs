//! The handle that an owner holds on its channel's task, and what it says of the channel before it starts.

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::driver::{self, Ask};
use crate::{
    Backoff, ChannelUrl, ClientCert, Command, Config, Credential, DialParams, Frame, Heartbeat, Liveness,
    Owner, ProxyUrl, Pulse, Receipt, Signal, Start, Status, TakeBack, Timing,
};

/// A running channel. Dropping it shuts the channel down as [`Channel::shut_down`] does, without waiting.
#[derive(Debug)]
pub struct Channel {
    asks: mpsc::UnboundedSender<Ask>,
    status: watch::Receiver<Status>,
    pulse: watch::Receiver<Pulse>,
    task: JoinHandle<()>,
}

impl Channel {
    /// Begins to describe a channel to this URL, with the default settings.
    pub fn to(url: ChannelUrl) -> Builder {
        Builder::new(url)
    }

    /// Starts a channel's task on the current tokio runtime.
    ///
    /// Frames come through the receiver, a few at most wait in it: while the owner takes none, nothing is
    /// read from the server. Dropping the receiver shuts the channel down.
    pub fn spawn(config: Config, start: Start, owner: impl Owner) -> (Self, mpsc::Receiver<Frame>) {
        Self::spawn_with(config, start, |config, start, asked| driver::spawn(config, start, owner, asked))
    }

    /// As [`spawn`](Self::spawn), with another driver.
    pub(crate) fn spawn_with(
        config: Config,
        start: Start,
        drive: impl FnOnce(Config, Start, mpsc::UnboundedReceiver<Ask>) -> driver::Ends,
    ) -> (Self, mpsc::Receiver<Frame>) {
        let (asks, asked) = mpsc::unbounded_channel();
        let (status, pulse, frames, task) = drive(config, start, asked);
        (Self { asks, status, pulse, task }, frames)
    }

    /// Asks for something. Never blocks and is never lost while the channel runs.
    pub fn command(&self, command: Command) {
        // A channel that has ended has nothing left to command.
        let _ = self.asks.send(Ask::Command(command));
    }

    /// Tells what the system did.
    pub fn signal(&self, signal: Signal) {
        let _ = self.asks.send(Ask::Signal(signal));
    }

    /// Where receipts for messages go.
    pub fn receipts(&self) -> Receipts {
        Receipts(self.asks.downgrade())
    }

    /// What the channel says of itself. A mere new byte or round trip wakes no watcher.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// The last signs of life. Each round trip and each heartbeat wakes its watchers.
    pub fn pulse(&self) -> watch::Receiver<Pulse> {
        self.pulse.clone()
    }

    /// Closes the link (1000, and at most a second for the peer's answer) and waits for the task's end.
    /// The status keeps its last state: shutting down says nothing about what the user wants.
    pub async fn shut_down(self) {
        self.command(Command::ShutDown);
        if let Err(error) = self.task.await
            && error.is_panic()
        {
            tracing::error!(%error, "a channel's task failed");
        }
    }
}

/// Takes receipts for messages that are stored: their server is told, and sends them no more. Keeps no channel alive.
#[derive(Debug, Clone)]
pub struct Receipts(mpsc::WeakUnboundedSender<Ask>);

impl Receipts {
    /// The user has read the messages that the server knows by these ids. It is told, where it wants to know, on the link
    /// that there is: what no [`Payload::Read`](crate::Payload::Read) has confirmed is to be told again on the next.
    pub fn tell_read(&self, ids: Vec<String>) {
        if let Some(asks) = self.0.upgrade() {
            let _ = asks.send(Ask::Read(ids));
        }
    }

    /// The message of this receipt, which came over the link of this generation, is stored. A link that is gone can't be told any more:
    /// the message comes again.
    pub fn give(&self, generation: u64, receipt: Receipt) {
        if let Some(asks) = self.0.upgrade() {
            let _ = asks.send(Ask::Received { generation, receipt });
        }
    }
}

/// A channel to be; see [`Channel::to`].
#[derive(Debug)]
#[must_use = "nothing connects before `spawn`"]
pub struct Builder<O = DialParams> {
    config: Config,
    start: Start,
    owner: O,
}

impl Builder {
    pub(crate) fn new(url: ChannelUrl) -> Self {
        Self { config: Config::new(url), start: Start::Connect, owner: DialParams::default() }
    }

    /// Every dial carries this credential. One that changes comes from an [`owner`](Self::owner).
    pub fn credential(mut self, credential: Credential) -> Self {
        self.owner.credential = Some(credential);
        self
    }

    /// Every dial carries this header, such as `Origin`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.owner.headers.push((name.into(), value.into()));
        self
    }

    /// Every dial asks this owner for credential, headers and query, in place of what was said so far.
    pub fn owner<O: Owner>(self, owner: O) -> Builder<O> {
        Builder { config: self.config, start: self.start, owner }
    }
}

impl<O: Owner> Builder<O> {
    /// How it begins; by default it connects.
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// The application's heartbeat.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.config.heartbeat = heartbeat;
        self
    }

    /// Proof of life.
    pub fn liveness(mut self, liveness: Liveness) -> Self {
        self.config.liveness = liveness;
        self
    }

    /// Delays after failures.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.config.backoff = backoff;
        self
    }

    /// Close codes that mean *replaced*, in place of 4500.
    pub fn quiet_close_codes(mut self, codes: impl IntoIterator<Item = u16>) -> Self {
        self.config.quiet_close_codes = codes.into_iter().collect();
        self
    }

    /// Takes over again by itself after it was replaced.
    pub fn take_back(mut self, take_back: TakeBack) -> Self {
        self.config.take_back_after = Some(take_back);
        self
    }

    /// Trusts these certificate authorities, too (PEM).
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.config.ca_pem = Some(pem.into());
        self
    }

    /// Shows this certificate to a server that asks for one.
    pub fn client_cert(mut self, cert: ClientCert) -> Self {
        self.config.client_cert = Some(cert);
        self
    }

    /// Goes through this proxy; [`ProxyUrl::from_env`] is the environment's.
    pub fn proxy(mut self, proxy: impl Into<Option<ProxyUrl>>) -> Self {
        self.config.proxy = proxy.into();
        self
    }

    /// The numbers that are no settings, for tests.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.config.timing = timing;
        self
    }

    /// Starts the channel's task, as [`Channel::spawn`] does.
    pub fn spawn(self) -> (Channel, mpsc::Receiver<Frame>) {
        Channel::spawn(self.config, self.start, self.owner)
    }
}
