//! A secret that ends at a known time: a fresh one is fetched before that, and the link renewed by it (N1).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tidings_oauth::renewed_at;
use tidings_settings::credential::Credentials;
use tidings_state::wish::{Wish, Wishes};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// How often a fresh secret is asked for while there is none: each time after half of what is left of the old one. Too low: a
/// provider that is away for a moment makes a gap; too high: a command that always gives the same one is run for nothing.
const TRIES: u32 = 3;

/// Sees to it that a channel's secret is renewed in time. Costs one timer, and none where the secret tells no end.
pub(super) struct Renewal {
    pub(super) channel: String,
    pub(super) credentials: Arc<Mutex<Credentials>>,
    pub(super) wishes: Wishes,
    /// At most one. Ends with this.
    pub(super) timer: JoinSet<()>,
}

impl Renewal {
    /// A dial goes out with a secret that ends then.
    pub(super) fn arm(&mut self, ends: Option<SystemTime>) {
        self.timer = JoinSet::new();
        let Some(ends) = ends else { return };
        let Some(at) = renewed_at(SystemTime::now(), ends) else { return };
        let (channel, credentials, wishes) =
            (self.channel.clone(), self.credentials.clone(), self.wishes.clone());
        self.timer.spawn(async move {
            let mut at = at;
            for _ in 0..TRIES {
                tokio::time::sleep(left(at)).await;
                let mut credentials = credentials.lock().await;
                match credentials.fetch(true).await {
                    Ok(_) if credentials.ends_at().is_none_or(|new| new > ends) => {
                        tracing::debug!(channel, "a fresh secret, before the old one ends");
                        return wishes.make(Wish::Renew { channel });
                    }
                    Ok(_) => tracing::debug!(channel, "the secret ends soon, and there is no other yet"),
                    Err(error) => {
                        tracing::warn!(channel, %error, "the secret ends soon, and there is no other yet");
                    }
                }
                drop(credentials);
                at = SystemTime::now() + left(ends) / 2;
            }
        });
    }
}

fn left(until: SystemTime) -> Duration {
    until.duration_since(SystemTime::now()).unwrap_or_default()
}
