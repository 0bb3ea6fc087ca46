//! The pictures of messages: what is fetched for them, where a popup waits for its own, and when they go.
//!
//! A message is stored first and stands without its picture. What it names is looked at by its channel's [`Source`], which
//! fetches from the channel's own server alone; the bytes go to a process of their own (`tidings-picture`), and what comes
//! back to a folder beside the inbox. A popup is made to wait a moment for its picture rather than shown twice: most
//! notification services announce a popup that takes another's place again, and that would nag. Nothing runs here, and
//! nothing wakes, unless a message comes.

mod apps;
mod source;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings_channel::{Config, DialParams};
use tidings_desktop::popup::Popups;
use tidings_inbox::{Event, Inbox, Message, Notifier, Popup, RowId};
use tidings_picture::{Decoder, Kept, Name, Shelf, Size};
use tidings_settings::{ChannelSettings, SessionJar};
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use apps::{Apps, lock};
use source::Source;

/// How long a popup waits for its picture. Too low: pictures of an ordinary server come too late for it; too high: news comes
/// late, which no picture is worth.
const WAIT: Duration = Duration::from_millis(1500);
/// Messages whose pictures are fetched at a time. Too few: one slow server keeps the others' waiting; too many: memory.
const AT_ONCE: usize = 4;
/// Messages that wait for that; of more, the oldest go without. Too few: a catching up leaves many without; too many: hours of
/// fetching behind it.
const QUEUE: usize = 100;
/// Messages of which it is remembered that they were looked at.
const REMEMBERED: usize = 4 * QUEUE;
/// Until an icon that could not be had is asked for again.
const AGAIN: Duration = Duration::from_secs(600);
/// Icons of which that is remembered.
const MOST_FAILED: usize = 1_000;
/// An icon that is older is fetched anew: its server may have another one by now.
const STALE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Messages whose pictures came and of which a slow onlooker need not have heard.
const EVENTS: usize = 64;

/// A handle on the pictures; cheap to clone.
#[derive(Clone)]
pub(crate) struct Pictures(Arc<Shared>);

struct Shared {
    shelf: Shelf,
    /// By the channel's id.
    sources: Mutex<BTreeMap<String, Source>>,
    apps: Mutex<Apps>,
    /// Icons that could not be had, and when that was.
    failed: Mutex<BTreeMap<Name, Instant>>,
    line: Mutex<Line>,
    /// Rung when a popup joins the line.
    joined: Notify,
    came: broadcast::Sender<Arc<Message>>,
}

/// Popups on their way, in the order in which they go out: none overtakes another.
struct Line {
    popups: Popups,
    waiting: VecDeque<Waiting>,
    /// Those of these rows are no longer wanted.
    withdrawn: BTreeSet<RowId>,
}

struct Waiting {
    popup: Popup,
    /// The message whose picture it waits for, and until when. `None`: it is behind another.
    until: Option<(Arc<Message>, Instant)>,
}

/// What the inbox hands popups to.
pub(crate) struct Before(Arc<Shared>);

/// The task that fetches; it ends when this is dropped.
pub(crate) struct Keeper(AbortHandle);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.shelf.fmt(f)
    }
}

impl Notifier for Before {
    fn show(&mut self, popup: Popup) {
        let mut line = lock(&self.0.line);
        let message = match &popup {
            Popup::Message(message) if self.0.concerns(message) => Some(message.clone()),
            Popup::Message(_) | Popup::Summary { .. } => None,
        };
        if message.is_none() && line.waiting.is_empty() {
            return line.popups.show(popup);
        }
        let until = message.map(|message| (message, Instant::now() + WAIT));
        line.waiting.push_back(Waiting { popup, until });
        self.0.joined.notify_one();
    }

    fn withdraw(&mut self, rows: Vec<RowId>) {
        let mut line = lock(&self.0.line);
        if !line.waiting.is_empty() {
            line.withdrawn.extend(&rows);
        }
        line.popups.withdraw(rows);
    }
}

impl Pictures {
    /// Kept in this folder. What the inbox is to be opened with goes before the popups.
    pub(crate) fn new(folder: PathBuf, popups: Popups) -> (Self, Before) {
        let shared = Arc::new(Shared {
            apps: Mutex::new(Apps::load(folder.join("apps.json"))),
            shelf: Shelf::new(folder),
            sources: Mutex::default(),
            failed: Mutex::default(),
            line: Mutex::new(Line { popups, waiting: VecDeque::new(), withdrawn: BTreeSet::new() }),
            joined: Notify::new(),
            came: broadcast::channel(EVENTS).0,
        });
        (Self(shared.clone()), Before(shared))
    }

    /// Where they are.
    pub(crate) fn shelf(&self) -> &Shelf {
        &self.0.shelf
    }

    /// A channel starts: this is its way. `params`: what its last dial carried; `session`: where its cookies are, instead of there.
    pub(crate) fn start(
        &self,
        settings: &ChannelSettings,
        config: Config,
        params: watch::Receiver<DialParams>,
        session: Option<SessionJar>,
    ) {
        let source = Source::new(settings, config, params, session);
        lock(&self.0.sources).insert(settings.id.clone(), source);
    }

    /// A channel has other settings that leave its way as it is.
    pub(crate) fn adopt(&self, settings: &ChannelSettings) {
        if let Some(source) = lock(&self.0.sources).get_mut(&settings.id) {
            source.adopt(settings);
        }
    }

    /// A channel is gone.
    pub(crate) fn end(&self, channel: &str) {
        lock(&self.0.sources).remove(channel);
    }

    /// The application that a message is of, by its name.
    pub(crate) fn app(&self, message: &Message) -> Option<String> {
        lock(&self.0.apps).name(&message.channel, message.app.as_deref()?)
    }

    /// Those that are here for a message.
    pub(crate) fn of(&self, message: &Message) -> tidings_api::Pictures {
        let told = |name: Name| name.to_string();
        tidings_api::Pictures {
            picture: self.0.shelf.picture_of(message).map(told),
            icon: self.0.shelf.icon_of(message).map(told),
        }
    }

    /// Messages whose pictures came.
    pub(crate) fn came(&self) -> broadcast::Receiver<Arc<Message>> {
        self.0.came.subscribe()
    }

    /// Begins to look after what comes into this inbox.
    pub(crate) fn keep(&self, inbox: Inbox) -> Keeper {
        let events = inbox.events();
        let kept = self.0.shelf.look();
        let task = Task {
            shared: self.0.clone(),
            inbox,
            decoder: Decoder::default(),
            kept,
            swept: false,
            queue: VecDeque::new(),
            begun: VecDeque::new(),
            done: VecDeque::new(),
            running: JoinSet::new(),
        };
        Keeper(tokio::spawn(task.run(events)).abort_handle())
    }
}

impl Shared {
    /// Whether there may be something to fetch for it.
    fn concerns(&self, message: &Message) -> bool {
        let sources = lock(&self.sources);
        let Some(source) = sources.get(&message.channel) else { return false };
        source.picture(message).is_some()
            || source.icon(message).is_some()
            || source.asks_for_apps()
                && Name::of_icon(message).is_some_and(|name| {
                    !lock(&self.apps).is_settled(&message.channel, message, &self.shelf, &name)
                })
    }

    /// Fetches what is missing for a message.
    async fn fetch(&self, decoder: &Decoder, message: &Message) -> Fetched {
        let mut fetched = Fetched::default();
        let Some(source) = lock(&self.sources).get(&message.channel).cloned() else { return fetched };
        let name = Name::of_message(message);
        if let Some(url) = source.picture(message).filter(|_| !self.shelf.has(&name)) {
            match source.fetch(decoder, url, Size::Picture).await {
                Ok(png) => fetched.pictures.push((name, png)),
                Err(why) => {
                    tracing::info!(channel = message.channel, %why, "a message's picture is not shown");
                }
            }
        }
        let Some(name) = Name::of_icon(message) else { return fetched };
        let url = match source.icon(message) {
            Some(url) => {
                let fresh = self.shelf.age(&name).is_some_and(|age| age < STALE);
                (!fresh).then_some(url)
            }
            None if source.asks_for_apps() => {
                let (url, learnt) = apps::look(&self.apps, &source, message, &self.shelf, &name).await;
                fetched.learnt = learnt;
                url
            }
            None => None,
        };
        let Some(url) = url.filter(|_| !self.failed_just_now(&name)) else { return fetched };
        match source.fetch(decoder, url, Size::Icon).await {
            Ok(png) => {
                lock(&self.apps).has_icon(&message.channel, message.app.as_deref());
                fetched.pictures.push((name, png));
            }
            Err(why) => {
                tracing::info!(channel = message.channel, %why, "an icon is not shown");
                let mut failed = lock(&self.failed);
                if failed.len() >= MOST_FAILED {
                    failed.clear();
                }
                failed.insert(name, Instant::now());
            }
        }
        fetched
    }

    fn failed_just_now(&self, name: &Name) -> bool {
        lock(&self.failed).get(name).is_some_and(|at| at.elapsed() < AGAIN)
    }
}

/// What was fetched for a message.
#[derive(Default)]
struct Fetched {
    pictures: Vec<(Name, Vec<u8>)>,
    /// Its application's name is known now.
    learnt: bool,
}

/// What looks after the pictures.
struct Task {
    shared: Arc<Shared>,
    inbox: Inbox,
    decoder: Decoder,
    kept: Kept,
    /// What an earlier run left behind is in step with the inbox.
    swept: bool,
    queue: VecDeque<Arc<Message>>,
    /// The last messages that were queued, and those that are through.
    begun: VecDeque<RowId>,
    done: VecDeque<RowId>,
    running: JoinSet<(Arc<Message>, Fetched)>,
}

impl Task {
    async fn run(mut self, mut events: broadcast::Receiver<Event>) {
        self.sweep().await;
        loop {
            self.begin();
            let due = self.release();
            tokio::select! {
                event = events.recv() => match event {
                    Ok(Event::Stored(message)) => {
                        if !self.swept {
                            self.sweep().await;
                        }
                        self.enqueue(message);
                    }
                    Ok(Event::Gone(rows)) => self.shared.shelf.gone(&mut self.kept, &rows),
                    Ok(Event::Read(_) | Event::Notice(_)) => {}
                    // Some of what went was missed.
                    Err(broadcast::error::RecvError::Lagged(_)) => self.sweep().await,
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                () = self.shared.joined.notified() => self.join(),
                Some(ended) = self.running.join_next(), if !self.running.is_empty() => match ended {
                    Ok((message, fetched)) => self.take(&message, fetched).await,
                    Err(error) => tracing::error!(%error, "the fetching of a picture ended badly"),
                },
                () = at(due) => {}
            }
        }
    }

    /// Popups have joined the line.
    fn join(&mut self) {
        let waiting = {
            let line = lock(&self.shared.line);
            let until = |waiting: &Waiting| waiting.until.as_ref().map(|(message, _)| message.clone());
            line.waiting.iter().filter_map(until).collect::<Vec<_>>()
        };
        for message in waiting {
            self.enqueue(message);
        }
    }

    fn enqueue(&mut self, message: Arc<Message>) {
        if self.begun.contains(&message.row) || !self.shared.concerns(&message) {
            return;
        }
        remember(&mut self.begun, message.row);
        self.queue.push_back(message);
        if self.queue.len() > QUEUE
            && let Some(left_out) = self.queue.pop_front()
        {
            tracing::info!(channel = left_out.channel, "too many messages wait for their pictures");
            remember(&mut self.done, left_out.row);
        }
    }

    fn begin(&mut self) {
        while self.running.len() < AT_ONCE
            && let Some(message) = self.queue.pop_front()
        {
            let (shared, decoder) = (self.shared.clone(), self.decoder.clone());
            self.running.spawn(async move {
                let fetched = shared.fetch(&decoder, &message).await;
                (message, fetched)
            });
        }
    }

    /// Keeps what was fetched, if its message is still there.
    async fn take(&mut self, message: &Arc<Message>, fetched: Fetched) {
        remember(&mut self.done, message.row);
        let Fetched { pictures, learnt } = fetched;
        if (pictures.is_empty() && !learnt) || self.inbox.message(message.row).await.is_none() {
            return;
        }
        for (name, png) in pictures {
            if let Err(error) = self.shared.shelf.put(&mut self.kept, &name, &png) {
                tracing::warn!(%error, "a picture can't be kept");
            }
        }
        // No onlooker is no error.
        let _ = self.shared.came.send(message.clone());
    }

    /// Shows what need not wait any longer; until when the first of the others does.
    fn release(&mut self) -> Option<Instant> {
        let mut line = lock(&self.shared.line);
        while let Some(first) = line.waiting.front() {
            if let Some((message, due)) = &first.until
                && *due > Instant::now()
                && !self.done.contains(&message.row)
            {
                return Some(*due);
            }
            let Some(Waiting { popup, .. }) = line.waiting.pop_front() else { break };
            let rows = popup.rows();
            if rows.iter().all(|row| line.withdrawn.contains(row)) {
                self.inbox.not_shown(rows);
            } else {
                line.popups.show(popup);
            }
        }
        line.withdrawn.clear();
        None
    }

    /// Drops what no message shows any more. An inbox without any message may be one that can't be read at the moment.
    async fn sweep(&mut self) {
        self.swept = !self.inbox.recent(1).await.is_empty();
        if !self.swept {
            return;
        }
        let mut gone = Vec::new();
        for row in self.kept.rows().collect::<Vec<_>>() {
            if self.inbox.message(row).await.is_none() {
                gone.push(row);
            }
        }
        self.shared.shelf.gone(&mut self.kept, &gone);
        let sources = lock(&self.shared.sources);
        // While the settings have a mistake no channel is known.
        if !sources.is_empty() {
            self.shared.shelf.keep_channels(&mut self.kept, sources.keys().map(String::as_str));
            lock(&self.shared.apps).keep_channels(|id| sources.contains_key(id));
        }
    }
}

fn remember(rows: &mut VecDeque<RowId>, row: RowId) {
    rows.push_back(row);
    if rows.len() > REMEMBERED {
        rows.pop_front();
    }
}

/// For ever without a time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
