//! A channel that the agent lets go of for a while: its link is closed, and taken up again once nobody keeps the loan.
//!
//! The doctor borrows: two links of one user would replace each other for ever (R3).

use std::sync::{Arc, Weak};
use std::time::Duration;

use tidings_channel::Status;
use tokio::sync::{Notify, oneshot, watch};

use crate::wish::{Wish, Wishes};

/// The old link's end is waited for at most so long; its close handshake takes a second at most.
const CLOSED: Duration = Duration::from_secs(3);

/// Asks the main loop to let go of one channel.
#[derive(Debug)]
pub(crate) struct Lender {
    wishes: Wishes,
    channel: String,
}

impl Lender {
    /// For the channel of this id.
    pub(crate) fn new(wishes: Wishes, channel: String) -> Self {
        Self { wishes, channel }
    }

    /// The channel without a link; `None` where somebody has it already, or the agent ends.
    pub(crate) async fn lend(self) -> Option<Loan> {
        let (answer, answered) = oneshot::channel();
        self.wishes.make(Wish::Lend { channel: self.channel, answer });
        let mut loan = answered.await.ok()?;
        let closed = loan.status.wait_for(|status| status.links_opened == status.links_closed);
        // A link that hangs is dead to the server, too.
        let _ = tokio::time::timeout(CLOSED, closed).await;
        Some(loan)
    }
}

/// A channel let go of for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Loan {
    status: watch::Receiver<Status>,
    _kept: Arc<Kept>,
}

#[derive(Debug)]
struct Kept(Arc<Notify>);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// The agent's side of a [`Loan`].
#[derive(Debug)]
pub(crate) struct Lent {
    kept: Weak<Kept>,
    /// What follows: connect, or stay without a link as before or as the user wished meanwhile.
    pub(crate) take_back: bool,
}

impl Lent {
    /// `ended` is told of the loan's end.
    pub(crate) fn new(status: watch::Receiver<Status>, take_back: bool, ended: Arc<Notify>) -> (Self, Loan) {
        let kept = Arc::new(Kept(ended));
        (Self { kept: Arc::downgrade(&kept), take_back }, Loan { status, _kept: kept })
    }

    pub(crate) fn is_over(&self) -> bool {
        self.kept.strong_count() == 0
    }
}
