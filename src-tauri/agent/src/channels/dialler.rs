//! What a channel of the agent says to each dial: the secret, the headers, and where the last message was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidings_channel::{DialAsk, DialParams, DialRefusal, Memory, Owner, Subscribed};
use tidings_inbox::{ChannelProfile, Inbox};
use tidings_settings::credential::Credentials;
use tidings_state::message::own;
use tidings_state::snapshot::Snapshot;
use tokio::sync::{Mutex, watch};

use super::ntfy::{Topics, since};
use super::renewal::Renewal;
use super::signing::Signing;

/// By what `tidings.v1` asks for what came after a message.
const SINCE: &str = "since";

/// Gives each dial of a channel what it needs.
pub(super) struct Dialler {
    pub(super) id: String,
    pub(super) credentials: Arc<Mutex<Credentials>>,
    pub(super) renewal: Renewal,
    /// How its user signs in, where that is done by hand.
    pub(super) signing: Option<Signing>,
    pub(super) memory: Memory,
    pub(super) headers: Vec<(String, String)>,
    pub(super) resume: Option<String>,
    /// An ntfy channel's.
    pub(super) topics: Option<Topics>,
    /// Where what a dial carries is handed to who asks the server for something else.
    pub(super) dialled_with: Arc<watch::Sender<DialParams>>,
    /// The dialogue asks for what was missed, by the last message's id.
    pub(super) asks_by_id: bool,
    /// Whether the last dial asked for what was missed.
    pub(super) asked: Arc<AtomicBool>,
    pub(super) inbox: Inbox,
    pub(super) snapshot: watch::Receiver<Snapshot>,
    /// Topics that the server doesn't let us hear.
    pub(super) left_out: Arc<watch::Sender<Vec<String>>>,
    /// The user knows that something was skipped. (It is skipped by every dial until a link opens.)
    pub(super) told_of_gap: bool,
}

impl Dialler {
    /// Says who keeps the sign-in now.
    async fn report_session(&self) {
        if let Some(signing) = &self.signing {
            signing.report().await;
        }
    }

    /// What was missed can't be had, and so a message in the inbox says that it is missing.
    async fn tell_of_gap(&mut self) {
        if std::mem::replace(&mut self.told_of_gap, true) {
            return;
        }
        tracing::warn!(channel = self.id, "a missed message can't be received: what was missed is skipped");
        let text = self.snapshot.borrow().words.missed_too_big();
        self.tell(text).await;
    }

    /// A message of our own.
    async fn tell(&self, text: String) {
        let name = {
            let snapshot = self.snapshot.borrow();
            let view = snapshot.channels.iter().find(|channel| channel.id == self.id);
            view.map_or_else(|| self.id.clone(), |view| view.name.clone())
        };
        self.inbox.receive(own(&ChannelProfile::new(&self.id, &name), text)).await;
    }
}

impl Owner for Dialler {
    async fn dial_params(&mut self, ask: DialAsk) -> Result<DialParams, DialRefusal> {
        let words = self.snapshot.borrow().words;
        let mut credentials = self.credentials.lock().await;
        let credential = credentials.for_dial(ask, words).await;
        self.renewal.arm(credentials.ends_at());
        if credential.is_ok() {
            self.memory.carry_session(credentials.carried_session());
        }
        drop(credentials);
        self.report_session().await;
        let credential = credential?;
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
        // What `tidings.v1` calls it; the dialect's own way may have said so already.
        if ask.offers_v1
            && !query.iter().any(|(name, _)| name == SINCE)
            && let Some(id) = self.inbox.last_id(&self.id).await
        {
            query.push((SINCE.to_owned(), id));
        }
        let last = if self.asks_by_id { self.inbox.last_id(&self.id).await } else { None };
        let mut params =
            DialParams { credential, headers: self.headers.clone(), last, ..DialParams::default() };
        if let Some(topics) = &self.topics {
            params.path = Some(topics.path(&params, ask.refresh_credential, ask.carrier).await);
            query.extend(
                since(&self.inbox, &self.id).await.map(|since| ("since".to_owned(), since.to_string())),
            );
        }
        self.asked.store(!query.is_empty() || params.last.is_some(), Ordering::Relaxed);
        self.dialled_with.send_replace(params.clone());
        Ok(DialParams { query, ..params })
    }

    async fn subscribed(&mut self, Subscribed { lost, anew, refused }: Subscribed) {
        if anew {
            self.inbox.settle_all_deliveries(&self.id);
        }
        if lost {
            tracing::warn!(channel = self.id, "the server has not kept all: messages may be missing");
            let text = self.snapshot.borrow().words.missed_session();
            self.tell(text).await;
        }
        self.left_out.send_if_modified(|known| std::mem::replace(known, refused.clone()) != refused);
    }

    async fn set_cookies(&mut self, set_cookies: Vec<String>) {
        self.credentials.lock().await.set_cookies(&set_cookies).await;
        self.report_session().await;
    }
}
