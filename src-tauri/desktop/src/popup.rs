//! Popups: what the OS shows for a message.
//!
//! [`Popups`] is the inbox's [`Notifier`]: it only puts what is to be shown into a bounded queue, or on the bus where that
//! can be done at once (`shortcut`). `look`
//! says what a popup looks like, as a [`notify_rust::Notification`]. `bus` shows it: `notify-rust` opens a
//! bus connection for each popup and adds its match rule after the call, so a click can be missed, GNOME
//! withdraws the popup when that connection ends, and a thousand popups waiting for a click would be a
//! thousand connections. On Linux the very same notification goes over one lasting connection instead.

pub mod bus;
mod call;
mod look;
mod shortcut;

use tidings_inbox::{Inbox, Notifier, Popup, RowId};
use tokio::sync::mpsc;

pub use look::{Answer, Art};
use shortcut::Shortcut;

/// Popups that may wait for the notification service. More than that stay pending in the inbox and are
/// summed up in one popup afterwards. Too low: an honest burst is summed up; too high: a flood is shown.
const QUEUE: usize = 64;
/// Answers to clicks that may wait. More than that are of a button that jams.
const ANSWERS: usize = 8;

/// What the inbox hands popups to.
pub struct Popups {
    shortcut: Shortcut,
    queue: mpsc::Sender<Popup>,
    overflow: mpsc::UnboundedSender<Vec<RowId>>,
    withdrawn: mpsc::UnboundedSender<Vec<RowId>>,
}

/// What says in a popup what a click could not do.
pub struct Answers(mpsc::Sender<Answer>);

/// What comes out at the other end.
pub struct Queue {
    /// From the main loop.
    pub answers: mpsc::Receiver<Answer>,
    /// From the inbox.
    pub popups: mpsc::Receiver<Popup>,
    /// Rows whose popup found no room.
    pub(crate) overflow: mpsc::UnboundedReceiver<Vec<RowId>>,
    /// Rows whose popup is no longer wanted.
    pub(crate) withdrawn: mpsc::UnboundedReceiver<Vec<RowId>>,
    shortcut: Shortcut,
}

impl Queue {
    /// Leaves what comes to the inbox, which shows it when it is asked to; for as long as nobody else takes it.
    pub async fn leave(&mut self, inbox: &Inbox) {
        loop {
            tokio::select! {
                Some(popup) = self.popups.recv() => inbox.not_shown(popup.rows()),
                Some(rows) = self.overflow.recv() => inbox.not_shown(rows),
                Some(_) = self.withdrawn.recv() => {}
                // Nobody is there to see why a click opened nothing.
                Some(_) = self.answers.recv() => {}
                else => std::future::pending().await,
            }
        }
    }
}

impl Popups {
    /// The inbox's end, the main loop's, and what the popups' task takes from both.
    pub fn new() -> (Self, Answers, Queue) {
        let (queue, popups) = mpsc::channel(QUEUE);
        let (overflow, overflowed) = mpsc::unbounded_channel();
        let (withdrawn, to_withdraw) = mpsc::unbounded_channel();
        let (answers, answered) = mpsc::channel(ANSWERS);
        let shortcut = Shortcut::default();
        (
            Self { shortcut: shortcut.clone(), queue, overflow, withdrawn },
            Answers(answers),
            Queue { answers: answered, popups, overflow: overflowed, withdrawn: to_withdraw, shortcut },
        )
    }
}

impl Answers {
    /// Shows it soon, unless more wait than anybody clicks.
    pub fn give(&self, answer: Answer) {
        // Without a desktop nobody clicks, and where eight wait one more says nothing new.
        let _ = self.0.try_send(answer);
    }
}

impl Notifier for Popups {
    fn show(&mut self, popup: Popup) {
        self.shortcut.show(popup, |popup| {
            if let Err(error) = self.queue.try_send(popup) {
                // With no one left at the other end the agent is ending: the rows are pending at the next start.
                let _ = self.overflow.send(error.into_inner().rows());
            }
        });
    }

    fn withdraw(&mut self, rows: Vec<RowId>) {
        // Nothing is left on the screen of an agent that is ending.
        let _ = self.withdrawn.send(rows);
    }
}
