//! What a dial of an ntfy channel asks for: the topics that may be read, and what was missed.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tidings_channel::{Carrier, Config, DialParams, Fetch, fetch};
use tidings_inbox::Inbox;
use tidings_settings::ntfy_path;
use tokio::sync::watch;

/// How much earlier than the newest message the replay begins: ntfy sends before it stores, gives scheduled messages the place
/// of the time at which they were written, looks for those that are due every 10 s, and counts in whole seconds. What comes
/// twice is told by its id. Too low: messages are lost; too high: needless traffic.
const OVERLAP: SignedDuration = SignedDuration::from_secs(15);

/// One channel's topics.
pub(super) struct Topics {
    config: Config,
    topics: Vec<String>,
    /// Those that this user may not read, as the server says. Shared with whoever shows them.
    left_out: Arc<watch::Sender<Vec<String>>>,
}

impl Topics {
    pub(super) fn new(
        config: Config,
        topics: Vec<String>,
        left_out: Arc<watch::Sender<Vec<String>>>,
    ) -> Self {
        Self { config, topics, left_out }
    }

    /// The path of the next dial. `refused`: the last one was, and one forbidden topic refuses all, so each is looked at.
    pub(super) async fn path(&self, params: &DialParams, refused: bool, carrier: Carrier) -> String {
        if self.topics.len() > 1 && (refused || !self.left_out.borrow().is_empty()) {
            let forbidden = self.forbidden(params).await;
            // Where nothing may be read, the dial's own refusal says so.
            let forbidden = if forbidden.len() == self.topics.len() { Vec::new() } else { forbidden };
            self.left_out.send_if_modified(|known| std::mem::replace(known, forbidden.clone()) != forbidden);
        }
        let left_out = self.left_out.borrow();
        let readable: Vec<String> =
            self.topics.iter().filter(|topic| !left_out.contains(topic)).cloned().collect();
        ntfy_path(&readable, carrier)
    }

    /// By halves: a request counts at the server, and mostly there is one.
    async fn forbidden(&self, params: &DialParams) -> Vec<String> {
        let mut forbidden = Vec::new();
        let mut open = vec![self.topics.as_slice()];
        while let Some(topics) = open.pop() {
            if !self.is_forbidden(topics, params).await {
                continue;
            }
            match topics {
                [only] => forbidden.push(only.clone()),
                several => {
                    let (first, second) = several.split_at(several.len() / 2);
                    open.extend([second, first]);
                }
            }
        }
        forbidden
    }

    /// Whether the server says so; doubt means no.
    async fn is_forbidden(&self, topics: &[String], params: &DialParams) -> bool {
        let url = self.config.url.at(&format!("/{}/auth", topics.join(",")));
        match fetch(&self.config, params, Fetch::get(url)).await {
            Ok(answer) => answer.status == 403,
            Err(cause) => {
                tracing::debug!(%cause, "a topic's access could not be looked at");
                false
            }
        }
    }
}

/// From when on messages may have been missed, as ntfy's `since`: by time, for by id it loses some. `None`: the channel is new here.
pub(super) async fn since(inbox: &Inbox, channel: &str) -> Option<i64> {
    match inbox.newest(channel).await {
        Some(sent) => Some(back(sent)),
        // Since it was first heard of, as far as that is known: one that has never brought anything may have missed something, too.
        None => inbox.journal(channel).await.iter().map(|note| note.at).min().map(back),
    }
}

fn back(time: Timestamp) -> i64 {
    time.saturating_sub(OVERLAP).unwrap_or(time).as_second().max(1)
}
