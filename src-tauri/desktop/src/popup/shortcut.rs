//! The short way of a popup: while the popups' task has nothing else to do, the inbox's own thread puts the popup on the bus
//! as soon as its message is stored, and the task hears the answer. It spares the message the wait until a second thread is
//! awake. Everything out of the ordinary goes the long way, by the queue.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use tidings_inbox::Popup;
use tidings_state::snapshot::Snapshot;
use tokio::sync::{Notify, watch};
use zbus::names::OwnedUniqueName;
use zbus::{Connection, Message};

use super::call::{call_of, replaces};
use super::look::{Abilities, Art, compose};

/// Both ends hold it: the inbox's thread, and the popups' task, which opens it and shuts it again.
#[derive(Clone, Default)]
pub(super) struct Shortcut(Arc<Shared>);

#[derive(Default)]
struct Shared {
    way: Mutex<Way>,
    /// Rung where the call could not be sent at once: then no answer wakes the task.
    stuck: Notify,
}

#[derive(Default)]
enum Way {
    #[default]
    Shut,
    Open(Ready),
    /// A popup went by it.
    Taken(Popup, Called),
}

/// What a popup needs to know of the service that is there.
pub(super) struct Ready {
    pub(super) connection: Connection,
    pub(super) service: OwnedUniqueName,
    pub(super) can: Abilities,
    pub(super) snapshot: watch::Receiver<Snapshot>,
    pub(super) art: Art,
}

/// A call of the service that waits for its answer.
pub(super) struct Called {
    /// What its answer answers.
    pub(super) serial: NonZeroU32,
    /// The rest of the sending, where the socket had no room for all of it.
    pub(super) unsent: Option<BoxFuture<'static, zbus::Result<()>>>,
}

impl Shortcut {
    /// Has the popup shown, or hands it to `queue`. No popup overtakes another.
    pub(super) fn show(&self, popup: Popup, queue: impl FnOnce(Popup)) {
        let mut way = self.way();
        match std::mem::take(&mut *way) {
            // What replaces another is the task's, which knows the others.
            Way::Open(ready) if !replaces(&popup) => match ready.call(&popup) {
                Ok(called) => {
                    if called.unsent.is_some() {
                        self.0.stuck.notify_one();
                    }
                    *way = Way::Taken(popup, called);
                }
                Err(_) => queue(popup),
            },
            Way::Taken(earlier, called) => {
                *way = Way::Taken(earlier, called);
                queue(popup);
            }
            Way::Open(_) | Way::Shut => queue(popup),
        }
    }

    /// Opens it, unless popups are in the queue.
    pub(super) fn open(&self, ready: Ready, queue_is_empty: impl FnOnce() -> bool) {
        let mut way = self.way();
        if queue_is_empty() {
            *way = Way::Open(ready);
        }
    }

    /// Shuts it; what went by it meanwhile waits for its answer.
    pub(super) fn shut(&self) -> Option<(Popup, Called)> {
        match std::mem::take(&mut *self.way()) {
            Way::Taken(popup, called) => Some((popup, called)),
            Way::Open(_) | Way::Shut => None,
        }
    }

    /// Waits for a call that could not be sent at once.
    pub(super) async fn stuck(&self) {
        self.0.stuck.notified().await;
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.0.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ready {
    /// Never waits, also not for a bus that hangs.
    fn call(self, popup: &Popup) -> zbus::Result<Called> {
        let notification = compose(popup, &self.snapshot.borrow(), self.can, &self.art);
        let message = call_of(&self.service, &notification)?;
        let serial = message.primary_header().serial_num();
        let mut sending = send(self.connection, message).boxed();
        let unsent = match sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => None,
            Poll::Ready(error) => Some(ready(error).boxed()),
            Poll::Pending => Some(sending),
        };
        Ok(Called { serial, unsent })
    }
}

async fn send(connection: Connection, message: Message) -> zbus::Result<()> {
    connection.send(&message).await
}
