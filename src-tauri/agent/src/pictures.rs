//! The pictures of messages: what is fetched for them, where a popup waits for its own, and when they go.
//!
//! A message is stored first and stands without its picture. What it names is looked at by its channel's [`Source`], which
//! fetches from the channel's own server alone; the bytes go to a process of their own (`tidings-picture`), and what comes
//! back to a folder beside the inbox. A popup is made to wait a moment for its picture rather than shown twice: most
//! notification services announce a popup that takes another's place again, and that would nag. Nothing runs here, and
//! nothing wakes, unless a message comes.

mod apps;
mod source;
#[cfg(test)]
mod tests;
mod work;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings_channel::{Config, DialParams};
use tidings_desktop::popup::Popups;
use tidings_inbox::{Event, Inbox, Message, Notifier, Popup, RowId, Show};
use tidings_picture::{Decoder, Kept, Name, Shelf, Size};
use tidings_settings::{ChannelSettings, SessionJar};
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use apps::{Apps, lock};
use source::Source;
use work::{Job, Work};

/// How long a popup waits for its picture. Too low: pictures of an ordinary server come too late for it; too high: news comes
/// late, which no picture is worth.
const WAIT: Duration = Duration::from_millis(1500);
/// Pictures that are fetched at a time. Too few: one slow server keeps the others' waiting; too many: memory.
const AT_ONCE: usize = 4;
/// An icon that is older is fetched anew: its server may have another one by now.
const STALE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Pictures that came and of which a slow onlooker need not have heard.
const EVENTS: usize = 64;
/// Of the newest messages so many are looked at where some came unnoticed. Too few: those of a burst go without; too many: they
/// are all read for it.
const LOOKED_AT: usize = 100;

/// A handle on the pictures; cheap to clone.
#[derive(Clone)]
pub(crate) struct Pictures(Arc<Shared>);

/// Locks are taken in the order in which they stand here from below: no two hold what the other waits for.
struct Shared {
    shelf: Shelf,
    apps: Mutex<Apps>,
    /// By the channel's id.
    sources: Mutex<BTreeMap<String, Source>>,
    work: Mutex<Work>,
    line: Mutex<Line>,
    /// Rung when there is something to fetch or a popup joins the line.
    joined: Notify,
    /// Rung when all channels have been started.
    settled: Notify,
    came: broadcast::Sender<Came>,
}

/// Messages of which something came that they show.
type Came = Arc<BTreeSet<RowId>>;

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
        if let Popup::Message(message) = &popup {
            self.0.want(message);
        }
        let until = match &popup {
            Popup::Message(message) if self.0.keeps_waiting(message) => {
                Some((message.clone(), Instant::now() + WAIT))
            }
            Popup::Message(_) | Popup::Summary { .. } => None,
        };
        let mut line = lock(&self.0.line);
        if until.is_none() && line.waiting.is_empty() {
            return line.popups.show(popup);
        }
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
            work: Mutex::default(),
            line: Mutex::new(Line { popups, waiting: VecDeque::new(), withdrawn: BTreeSet::new() }),
            joined: Notify::new(),
            settled: Notify::new(),
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
        let mut sources = lock(&self.0.sources);
        lock(&self.0.apps).begin(&settings.id, source.server().as_deref());
        sources.insert(settings.id.clone(), source);
    }

    /// All channels have been started: what is kept for others goes.
    pub(crate) fn settle(&self) {
        self.0.settled.notify_one();
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

    /// Messages that show something else than they did, or may.
    pub(crate) fn came(&self) -> broadcast::Receiver<Came> {
        self.0.came.subscribe()
    }

    /// Begins to look after what comes into this inbox.
    pub(crate) fn keep(&self, inbox: Inbox) -> Keeper {
        let events = inbox.events();
        let task = Task::new(self.0.clone(), inbox);
        Keeper(tokio::spawn(task.run(events)).abort_handle())
    }
}

impl Shared {
    /// Sees to it that what a message shows, is to be had and is not here is fetched.
    fn want(&self, message: &Arc<Message>) {
        let mut work = lock(&self.work);
        let wanted = self.wanted(message, &work);
        for (name, size) in wanted {
            if work.add(&name, size, message) {
                self.joined.notify_one();
            }
        }
    }

    /// What of a message is to be fetched or is being so.
    fn wanted(&self, message: &Message, work: &Work) -> Vec<(Name, Size)> {
        let sources = lock(&self.sources);
        let Some(source) = sources.get(&message.channel) else { return Vec::new() };
        let picture = source.picture(message).map(|_| Name::of_message(message));
        let picture = picture.filter(|name| !self.shelf.has(name)).map(|name| (name, Size::Picture));
        let lacks_icon = |name: &Name| match source.icon(message) {
            Some(_) => self.shelf.age(name).is_none_or(|age| age >= STALE),
            None => source.asks_for_apps() && lock(&self.apps).wants(source, message, &self.shelf, name),
        };
        let icon = Name::of_icon(message).filter(|name| work.is_under_way(name) || lacks_icon(name));
        let icon = icon.map(|name| (name, Size::Icon));
        let wanted = picture.into_iter().chain(icon);
        wanted.filter(|(name, _)| !work.failed_just_now(name)).collect()
    }

    /// Whether a message's popup has something to wait for: what it shows is under way, and not here.
    fn keeps_waiting(&self, message: &Message) -> bool {
        let shows = lock(&self.sources).get(&message.channel).map(Source::shows);
        let picture = Name::of_message(message);
        if shows != Some(Show::Full) || self.shelf.has(&picture) {
            return false;
        }
        let work = lock(&self.work);
        let icon = Name::of_icon(message).filter(|icon| !self.shelf.has(icon));
        work.is_under_way(&picture) || icon.is_some_and(|icon| work.is_under_way(&icon))
    }

    async fn fetch(&self, decoder: &Decoder, name: &Name, job: &Job) -> Fetched {
        let Job { message, size, .. } = job;
        let Some(source) = lock(&self.sources).get(&message.channel).cloned() else {
            return Fetched::Nothing;
        };
        let mut app_image = None;
        let url = match size {
            Size::Picture => source.picture(message),
            Size::Icon if source.asks_for_apps() && source.icon(message).is_none() => {
                app_image = self.look_for_app(&source, message, name).await;
                app_image.as_deref().and_then(|image| source.app_image(image))
            }
            Size::Icon => source.icon(message),
        };
        let Some(url) = url else { return Fetched::Nothing };
        match source.fetch(decoder, url, *size).await {
            Ok(png) => Fetched::Had { png, app_image },
            Err(why) => {
                let what = match size {
                    Size::Picture => "a message's picture is not shown",
                    Size::Icon => "an icon is not shown",
                };
                tracing::info!(channel = message.channel, %why, "{what}");
                Fetched::Failed
            }
        }
    }

    /// The image of a message's application, where it is not here; the list of applications is asked for where that has to be.
    async fn look_for_app(&self, source: &Source, message: &Message, icon: &Name) -> Option<String> {
        let channel = &message.channel;
        // Whoever comes second finds what the first was told.
        let _asking = source.asking.lock().await;
        if lock(&self.apps).may_ask(message) {
            let (server, told) = (source.server(), source.apps().await);
            let sources = lock(&self.sources);
            let mut apps = lock(&self.apps);
            // Meanwhile the channel may be gone, or at another server.
            let now = sources.get(channel).and_then(Source::server);
            match told {
                Ok(told) => {
                    if let Some(server) = server.filter(|server| now.as_ref() == Some(server)) {
                        apps.take(channel, server, &told);
                    }
                }
                Err(cause) => tracing::info!(channel, %cause, "the list of applications can't be had"),
            }
            apps.asked(channel);
        }
        lock(&self.apps).lacks(source, message, &self.shelf, icon)
    }
}

/// What became of a picture.
enum Fetched {
    Had {
        png: Vec<u8>,
        /// It is this image of the application's.
        app_image: Option<String>,
    },
    /// There is none to be had.
    Nothing,
    Failed,
}

/// What was looked for in the inbox.
struct Look {
    /// Of those that were asked about these are gone; `None`: it can't be read.
    gone: Option<Vec<RowId>>,
    /// Those that may have come unnoticed.
    newest: Vec<Arc<Message>>,
}

/// What looks after the pictures. It waits for nothing but what may come: a popup's time passes meanwhile.
struct Task {
    shared: Arc<Shared>,
    inbox: Inbox,
    decoder: Decoder,
    kept: Kept,
    /// What an earlier run left behind is in step with the inbox.
    swept: bool,
    fetching: JoinSet<(Name, Fetched)>,
    looking: JoinSet<Look>,
}

impl Task {
    fn new(shared: Arc<Shared>, inbox: Inbox) -> Self {
        Self {
            kept: shared.shelf.look(),
            shared,
            inbox,
            decoder: Decoder::default(),
            swept: false,
            fetching: JoinSet::new(),
            looking: JoinSet::new(),
        }
    }

    async fn run(mut self, mut events: broadcast::Receiver<Event>) {
        self.look(0);
        loop {
            self.begin();
            let due = self.release();
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => self.heard(event),
                    // Some that came or went were missed.
                    Err(broadcast::error::RecvError::Lagged(_)) => self.look(LOOKED_AT),
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                () = self.shared.joined.notified() => {}
                () = self.shared.settled.notified() => self.keep_channels(),
                Some(ended) = self.fetching.join_next(), if !self.fetching.is_empty() => match ended {
                    Ok((name, fetched)) => {
                        let mut rows = self.take(&name, fetched);
                        rows.extend(self.catch_up(&mut events));
                        self.tell(rows);
                    }
                    Err(error) => tracing::error!(%error, "the fetching of a picture ended badly"),
                },
                Some(Ok(look)) = self.looking.join_next(), if !self.looking.is_empty() => self.saw(look),
                () = at(due) => {}
            }
        }
    }

    fn heard(&mut self, event: Event) {
        match event {
            Event::Stored(message) => {
                if !self.swept && self.looking.is_empty() {
                    self.look(0);
                }
                self.shared.want(&message);
            }
            Event::Gone(rows) => self.gone(&rows),
            Event::Read(_) | Event::Notice(_) => {}
        }
    }

    /// Hears what waits to be heard, and tells which messages came: who looks on may have seen those before what they show was
    /// here.
    fn catch_up(&mut self, events: &mut broadcast::Receiver<Event>) -> BTreeSet<RowId> {
        let mut rows = BTreeSet::new();
        loop {
            match events.try_recv() {
                Ok(event) => {
                    if let Event::Stored(message) = &event {
                        rows.insert(message.row);
                    }
                    self.heard(event);
                }
                Err(broadcast::error::TryRecvError::Lagged(_)) => self.look(LOOKED_AT),
                Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed) => {
                    return rows;
                }
            }
        }
    }

    fn gone(&mut self, rows: &[RowId]) {
        lock(&self.shared.work).gone(rows);
        self.shared.shelf.gone(&mut self.kept, rows);
    }

    fn begin(&mut self) {
        while self.fetching.len() < AT_ONCE {
            let Some((name, job)) = lock(&self.shared.work).next() else { return };
            let (shared, decoder) = (self.shared.clone(), self.decoder.clone());
            self.fetching.spawn(async move {
                let fetched = shared.fetch(&decoder, &name, &job).await;
                (name, fetched)
            });
        }
    }

    /// The messages that show it, whatever became of it: an application's name may have come without an icon.
    fn take(&mut self, name: &Name, fetched: Fetched) -> BTreeSet<RowId> {
        let failed = match fetched {
            Fetched::Had { png, app_image } => !self.keep(name, &png, app_image),
            Fetched::Nothing => false,
            Fetched::Failed => true,
        };
        lock(&self.shared.work).end(name, failed)
    }

    /// Keeps it unless nobody shows it any more; `false`: it can't be kept.
    fn keep(&mut self, name: &Name, png: &[u8], app_image: Option<String>) -> bool {
        let Some(Job { message, size, .. }) = lock(&self.shared.work).job(name).cloned() else { return true };
        if size == Size::Icon && !lock(&self.shared.sources).contains_key(&message.channel) {
            return true;
        }
        if let Err(error) = self.shared.shelf.put(&mut self.kept, name, png) {
            tracing::warn!(%error, "a picture can't be kept");
            return false;
        }
        if let Some(image) = app_image {
            lock(&self.shared.apps).has_icon(&message, image);
        }
        true
    }

    fn tell(&self, rows: BTreeSet<RowId>) {
        if !rows.is_empty() {
            // No onlooker is no error.
            let _ = self.shared.came.send(Arc::new(rows));
        }
    }

    /// Shows what need not wait any longer; until when the first of the others does.
    fn release(&mut self) -> Option<Instant> {
        let mut line = lock(&self.shared.line);
        while let Some(first) = line.waiting.front() {
            if let Some((message, due)) = &first.until
                && *due > Instant::now()
                && self.shared.keeps_waiting(message)
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

    fn keep_channels(&mut self) {
        let sources = lock(&self.shared.sources);
        self.shared.shelf.keep_channels(&mut self.kept, sources.keys().map(String::as_str));
        lock(&self.shared.apps).keep_channels(|id| sources.contains_key(id));
    }

    /// Looks what of the messages that have or await a picture is gone, and what the newest ones show.
    fn look(&mut self, newest: usize) {
        self.swept = true;
        let rows = self.kept.rows().chain(lock(&self.shared.work).rows()).collect();
        let inbox = self.inbox.clone();
        self.looking.spawn(async move {
            let gone = inbox.missing(rows).await;
            let newest = if newest == 0 { Vec::new() } else { inbox.recent(newest).await };
            Look { gone, newest: newest.into_iter().map(Arc::new).collect() }
        });
    }

    fn saw(&mut self, Look { gone, newest }: Look) {
        match gone {
            Some(gone) => self.gone(&gone),
            None => self.swept = false,
        }
        for message in &newest {
            self.shared.want(message);
        }
        self.tell(newest.iter().map(|message| message.row).collect());
    }
}

/// For ever without a time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
