//! A channel that the agent lets go of for a while: its link is closed, and taken up again once nobody keeps the loan.
//!
//! The doctor borrows: two links of one user would replace each other for ever (R3).

use std::sync::{Arc, Weak};
use std::time::Duration;

use tidings_channel::Status;
use tokio::sync::{Notify, watch};

/// The old link's end is waited for at most so long; its close handshake takes a second at most.
const CLOSED: Duration = Duration::from_secs(3);

/// A channel let go of for as long as this is kept.
#[derive(Debug)]
pub struct Loan {
    status: watch::Receiver<Status>,
    _kept: Arc<Kept>,
}

#[derive(Debug)]
struct Kept(Arc<Notify>);

impl Loan {
    /// Waits until the old link is closed.
    pub async fn closed(&mut self) {
        let closed = self.status.wait_for(|status| status.links_opened == status.links_closed);
        // One that hangs is dead to the server, too.
        let _ = tokio::time::timeout(CLOSED, closed).await;
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// The agent's side of a [`Loan`].
#[derive(Debug)]
pub struct Lent {
    kept: Weak<Kept>,
    /// What follows: connect, or stay without a link as before or as the user wished meanwhile.
    pub take_back: bool,
}

impl Lent {
    /// `ended` is told of the loan's end.
    pub fn new(status: watch::Receiver<Status>, take_back: bool, ended: Arc<Notify>) -> (Self, Loan) {
        let kept = Arc::new(Kept(ended));
        (Self { kept: Arc::downgrade(&kept), take_back }, Loan { status, _kept: kept })
    }

    /// Whether nobody keeps the loan any more.
    pub fn is_over(&self) -> bool {
        self.kept.strong_count() == 0
    }
}
