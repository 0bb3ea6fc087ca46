//! Stub.
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::machine::{Machine, Now};
use crate::{Command, Config, Frame, Owner, Signal, Start, Status};

#[derive(Debug)]
pub(crate) enum Ask {
    Command(Command),
    Signal(Signal),
}

pub(crate) fn spawn(
    config: Config,
    start: Start,
    owner: impl Owner,
    asked: mpsc::UnboundedReceiver<Ask>,
) -> (watch::Receiver<Status>, mpsc::Receiver<Frame>, JoinHandle<()>) {
    use rand::SeedableRng;
    let now = Now { mono: std::time::Duration::ZERO, wall: std::time::SystemTime::now() };
    let machine = Machine::new(config, start, rand::rngs::SmallRng::from_os_rng(), now);
    let (status, watched) = watch::channel(machine.status());
    let (_frames, receiver) = mpsc::channel(32);
    let task = tokio::spawn(async move {
        let _keep = (owner, asked, machine, status);
    });
    (watched, receiver, task)
}
