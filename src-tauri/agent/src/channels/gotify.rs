//! What a Gotify server kept while there was no link: it sends nothing again by itself, and is asked page by page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_channel::{Cause, Config, DialParams, Fetch, fetch};
use tidings_inbox::{About, Arrival, ChannelProfile, Inbox, Message, Payload, Query, Recall, Recalled};
use tidings_settings::ChannelSettings;
use tokio::sync::watch;

/// Messages on a page; the server's own most (2.x and 3.x).
const PAGE: usize = 200;
/// Pages that are asked for. A channel that missed more gets the newest.
const MOST_PAGES: usize = 50;
/// Ids below the last known one that are looked at, too: storing and sending are not one step at the server, so that a lower
/// one may come after a higher. Too low: a message is lost; too high: needless traffic.
const OVERLAP: u64 = 20;
/// When it is tried again after a failure, while the link lasts.
const AGAIN: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120)];
/// Messages of ours that are compared with the server's. Too few: what was deleted there stays here; too many: memory.
const MOST_RECALLED: usize = 1_000;
/// The longest page, bytes: its messages may be long.
const MOST_BYTES: usize = 16 << 20;

/// One channel's catching up.
pub(super) struct CatchUp {
    config: Config,
    /// What the last dial carried; the secret is in it.
    params: Arc<watch::Sender<DialParams>>,
    inbox: Inbox,
    channel: String,
    /// The path of the server's base.
    base: String,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    messages: Vec<&'a RawValue>,
    #[serde(default)]
    paging: Paging,
}

#[derive(Deserialize, Default)]
struct Paging {
    #[serde(default)]
    since: u64,
}

#[derive(Deserialize, Clone, Copy)]
struct Head {
    id: u64,
    #[serde(default)]
    date: Option<Timestamp>,
}

/// What the server has, newest first.
#[derive(Default)]
struct Kept {
    /// Its newest message, whether it is among those or not.
    newest: Option<Head>,
    messages: Vec<(Head, String)>,
    /// All from above this id on have been looked at.
    above: u64,
}

impl CatchUp {
    pub(super) fn new(
        config: Config,
        params: Arc<watch::Sender<DialParams>>,
        inbox: Inbox,
        channel: &ChannelSettings,
    ) -> Self {
        Self { config, params, inbox, channel: channel.id.clone(), base: channel.base().to_owned() }
    }

    /// After a link has opened: brings what it missed. Dropping the future gives up.
    pub(super) async fn run(&self, profile: watch::Receiver<Arc<ChannelProfile>>) {
        for wait in std::iter::once(Duration::ZERO).chain(AGAIN) {
            tokio::time::sleep(wait).await;
            match self.once(&profile).await {
                Ok(()) => return,
                Err(cause) => {
                    tracing::warn!(channel = self.channel, %cause, "what was missed could not be asked for");
                }
            }
        }
    }

    async fn once(&self, profile: &watch::Receiver<Arc<ChannelProfile>>) -> Result<(), Cause> {
        let known = self.inbox.highest_id(&self.channel).await;
        // Of a channel that never brought anything, what was sent since it was first heard of.
        let began = self.inbox.journal(&self.channel).await.iter().map(|note| note.at).min();
        let mut kept = self.kept(known, began).await?;
        if let Some(known) = known {
            let last = self.inbox.newest(&self.channel).await;
            if is_new_server(&kept, known, last) {
                tracing::info!(channel = self.channel, "the server was set up anew");
                self.inbox.begin_anew(&self.channel).await;
                kept = self.kept(None, last).await?;
            } else {
                self.recall(&kept, known).await;
            }
        }
        for (_, text) in kept.messages.into_iter().rev() {
            let channel = profile.borrow().clone();
            let payload = Payload::Text(text);
            self.inbox
                .receive(Arrival {
                    channel,
                    payload,
                    about: About::default(),
                    receipt: None,
                    received_at: Timestamp::now(),
                    catch_up: true,
                })
                .await;
        }
        Ok(())
    }

    /// What the server has from a little below the last known message on.
    async fn kept(&self, known: Option<u64>, began: Option<Timestamp>) -> Result<Kept, Cause> {
        let mut kept = Kept::default();
        let is_old = |head: &Head| match (known, began) {
            (Some(known), _) => head.id <= known.saturating_sub(OVERLAP),
            (None, Some(began)) => head.date.is_none_or(|date| date < began),
            (None, None) => true,
        };
        let mut below = None;
        for _ in 0..MOST_PAGES {
            let text = self.page(below).await?;
            let Some(page) = serde_json::from_slice::<Page<'_>>(&text).ok() else {
                return Err(Cause::Foreign { dialect: "Gotify".to_owned() });
            };
            for message in page.messages {
                let Ok(head) = serde_json::from_str::<Head>(message.get()) else { continue };
                kept.above = head.id;
                kept.newest.get_or_insert(head);
                if is_old(&head) {
                    return Ok(kept);
                }
                kept.messages.push((head, message.get().to_owned()));
            }
            // The server that always says the same is left at the last page.
            below = Some(page.paging.since)
                .filter(|since| *since > 0 && below.is_none_or(|below| *since < below));
            if below.is_none() {
                kept.above = 0;
                return Ok(kept);
            }
        }
        tracing::warn!(channel = self.channel, "more was missed than is asked for");
        Ok(kept)
    }

    async fn page(&self, below: Option<u64>) -> Result<Vec<u8>, Cause> {
        let since = below.map_or_else(String::new, |below| format!("&since={below}"));
        let url = self.config.url.at(&format!("{}/message?limit={PAGE}{since}", self.base));
        let params = self.params.borrow().clone();
        let answer = fetch(&self.config, &params, Fetch { most: MOST_BYTES, ..Fetch::get(url) }).await?;
        match answer.failure() {
            Some(cause) => Err(cause),
            None => Ok(answer.body),
        }
    }

    /// What we have and the server hasn't any more was deleted there: it says so to nobody.
    async fn recall(&self, kept: &Kept, known: u64) {
        // No more can be in that range, beside what has come since.
        let most = usize::try_from(known.saturating_sub(kept.above)).unwrap_or(usize::MAX);
        let most = most.saturating_add(kept.messages.len()).min(MOST_RECALLED);
        let here =
            self.inbox.find(Query { channel: Some(self.channel.clone()), ..Query::newest(most) }).await;
        let here: Vec<(u64, &Message)> =
            here.iter().filter_map(|message| Some((message.id.as_deref()?.parse().ok()?, message))).collect();
        let there: BTreeMap<u64, Option<Timestamp>> =
            kept.messages.iter().map(|(head, _)| (head.id, head.date)).collect();
        // What is ours is deleted only where the server is seen to mean the same by a number as we do.
        if !here
            .iter()
            .any(|(id, message)| there.get(id).is_some_and(|date| same_time(*date, message.sent_at)))
        {
            return;
        }
        let gone = here.iter().filter(|(id, _)| *id > kept.above && *id <= known && !there.contains_key(id));
        let gone: Vec<Recall> = gone
            .map(|(id, message)| Recall {
                channel: self.channel.clone(),
                series: message.series.clone().unwrap_or_else(|| id.to_string()),
                what: Recalled::Deleted,
                id: None,
                at: Timestamp::now(),
            })
            .collect();
        if !gone.is_empty() {
            self.inbox.recall(gone).await;
        }
    }
}

/// Whether the server counts from the start again: its newest message is new to us, with an id that was given before; or it
/// has none at all, which is the same to what comes.
fn is_new_server(kept: &Kept, known: u64, last: Option<Timestamp>) -> bool {
    match kept.newest {
        None => true,
        Some(newest) => {
            newest.id < known && newest.date.zip(last).is_some_and(|(newest, last)| newest > last)
        }
    }
}

/// To the millisecond, as the inbox keeps them.
fn same_time(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    let whole = |time: Option<Timestamp>| time.map(Timestamp::as_millisecond);
    one.is_some() && whole(one) == whole(other)
}
