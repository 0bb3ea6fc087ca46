//! What a channel of the agent says to each dial: the secret, the headers, and where the last message was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidings_channel::{DialAsk, DialParams, DialRefusal, Owner};
use tidings_inbox::{ChannelProfile, Inbox};
use tidings_settings::credential::Credentials;
use tidings_state::message::own;
use tidings_state::snapshot::Snapshot;
use tokio::sync::watch;

/// Gives each dial of a channel what it needs.
pub(super) struct Dialler {
    pub(super) id: String,
    pub(super) credentials: Credentials,
    pub(super) headers: Vec<(String, String)>,
    pub(super) resume: Option<String>,
    /// Whether the last dial carried an id.
    pub(super) asked: Arc<AtomicBool>,
    pub(super) inbox: Inbox,
    pub(super) snapshot: watch::Receiver<Snapshot>,
    /// The user knows that something was skipped. (It is skipped by every dial until a link opens.)
    pub(super) told_of_gap: bool,
}

impl Dialler {
    /// What was missed can't be had, and so a message in the inbox says that it is missing.
    async fn tell_of_gap(&mut self) {
        if std::mem::replace(&mut self.told_of_gap, true) {
            return;
        }
        tracing::warn!(channel = self.id, "a missed message can't be received: what was missed is skipped");
        let (name, words) = {
            let snapshot = self.snapshot.borrow();
            let view = snapshot.channels.iter().find(|channel| channel.id == self.id);
            (view.map_or_else(|| self.id.clone(), |view| view.name.clone()), snapshot.words)
        };
        self.inbox.receive(own(&ChannelProfile::new(&self.id, &name), words.missed_too_big())).await;
    }
}

impl Owner for Dialler {
    async fn dial_params(&mut self, ask: DialAsk) -> Result<DialParams, DialRefusal> {
        let credential = self
            .credentials
            .fetch(ask.refresh_credential)
            .await
            .map_err(|error| DialRefusal { message: error.told(self.snapshot.borrow().words) })?;
        let mut query = Vec::new();
        if let Some(parameter) = &self.resume
            && let Some(id) = self.inbox.last_id(&self.id).await
        {
            match ask.skip_past {
                true => self.tell_of_gap().await,
                false => {
                    self.told_of_gap = false;
                    query.push((parameter.clone(), id));
                }
            }
        }
        self.asked.store(!query.is_empty(), Ordering::Relaxed);
        Ok(DialParams { credential, headers: self.headers.clone(), query, ..DialParams::default() })
    }
}
