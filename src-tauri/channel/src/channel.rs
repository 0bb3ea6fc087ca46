//! The handle that an owner holds on its channel's task.

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::driver::{self, Ask};
use crate::{Builder, ChannelUrl, Command, Config, Frame, Owner, Pulse, Signal, Start, Status};

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
