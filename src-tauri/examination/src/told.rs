//! Where the steps go.

use tidings_api::Step;
use tidings_words::Words;
use tokio::sync::mpsc;

/// Where the steps go, in which language, and whether one failed.
pub(crate) struct Told {
    pub(crate) steps: mpsc::Sender<Step>,
    pub(crate) words: Words,
    pub(crate) failed: bool,
    /// The server's clock is another one.
    pub(crate) clock_is_off: bool,
    /// A person signs in to the channel, in Tidings.
    pub(crate) signs_in: bool,
}

impl Told {
    pub(crate) async fn tell(&mut self, step: Step) {
        self.failed |= step.ok == Some(false);
        self.clock_is_off |= step.step == "clock";
        // `examine` notices that nobody listens.
        let _ = self.steps.send(step).await;
    }
}
