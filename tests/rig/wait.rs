//! Waiting for what must come: by signals where somebody sends some, by short looks where nobody does.

use std::time::Duration;

use anyhow::bail;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

/// How long anything may take that is expected at once. Only a failure waits for all of it. Too low: a busy
/// machine fails; too high: a broken one takes its time to say so.
pub const SOON: Duration = Duration::from_secs(15);

/// Between two looks at what can't be listened to: files, and the ends of processes.
pub(crate) const LOOK: Duration = Duration::from_millis(10);

/// Looks until `look` finds something, for things that send no signal. Fails after [`SOON`].
pub async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    eventually_within(what, SOON, async || look()).await
}

/// … or after this time, by a look that may ask somebody.
pub async fn eventually_within<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("{what}: not within {limit:?}");
        }
        sleep(LOOK).await;
    }
}

/// A count of news: who waits looks again at each, so that nothing is missed and nothing is polled.
#[derive(Debug, Default)]
pub(crate) struct News(watch::Sender<u64>);

impl News {
    pub(crate) fn tell(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// From here on each piece of news counts.
    pub(crate) fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

#[derive(Debug)]
pub(crate) struct Listener(watch::Receiver<u64>);

impl Listener {
    /// Waits for news since the last call; `false`: there was none before the deadline.
    pub(crate) async fn heard(&mut self, deadline: Instant) -> bool {
        matches!(timeout_at(deadline, self.0.changed()).await, Ok(Ok(())))
    }
}
