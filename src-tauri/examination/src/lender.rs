//! Has the agent let go of a channel while it is examined.

use tidings_state::loan::Loan;
use tidings_state::wish::{Wish, Wishes};
use tokio::sync::oneshot;

/// Asks the main loop to let go of one channel.
#[derive(Debug)]
pub struct Lender {
    wishes: Wishes,
    channel: String,
}

impl Lender {
    /// For the channel of this id.
    pub fn new(wishes: Wishes, channel: String) -> Self {
        Self { wishes, channel }
    }

    /// The channel without a link; `None` where somebody has it already, or the agent ends.
    pub async fn lend(self) -> Option<Loan> {
        let (answer, answered) = oneshot::channel();
        self.wishes.make(Wish::Lend { channel: self.channel, answer });
        let mut loan = answered.await.ok()?;
        loan.closed().await;
        Some(loan)
    }
}
