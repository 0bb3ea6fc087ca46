//! The channels that the agent holds: started, changed and ended as the settings and the user say.
//!
//! Each has one pump beside its driver's task: it carries frames into the inbox and news of the state to
//! the main loop.

mod dialler;
mod examining;
mod gotify;
mod held;
mod keeping;
mod ntfy;
mod pump;
mod renewal;
mod replay;
mod sending;
mod signing;
mod signing_in;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use tidings_api::{Action, ErrorCode, Outgoing, Refusal};
use tidings_channel::{Channel, Command, Config, DialParams, Kept, Memory, Signal, Start, State};
use tidings_ground::text::quoted;
use tidings_inbox::{HttpRequest, Inbox};
use tidings_settings::credential::Credentials;
use tidings_settings::{CaFileError, ChannelSettings, Kind, SignedInBy};
use tidings_state::loan::{Lent, Loan};
use tidings_state::snapshot::{ChannelView, Snapshot, timestamp};
use tidings_state::wish::{Wish, Wishes};
use tidings_words::{Text, Words};
use tokio::sync::{Mutex, Notify, oneshot, watch};
use tokio::task::JoinSet;

use crate::health::Health;
use crate::pictures::Pictures;
use crate::remembered::{Quiet, Remembered};
use crate::signals::network::{Path, Routes, Target, lost_its_address};
use dialler::Dialler;
use gotify::CatchUp;
use held::{Held, view};
use keeping::Keeper;
use ntfy::Topics;
use pump::{Felt, Missed, pump};
use renewal::Renewal;
use replay::Replay;
use sending::send;
use signing::Signing;
pub(crate) use signing_in::SigningIn;

#[derive(Debug)]
pub(crate) struct Channels {
    held: Vec<Held>,
    /// What each channel has found out, by its id. It outlives the channel: see [`Memory`].
    memories: BTreeMap<String, Memory>,
    /// How the user signs in to those where that is done by hand. It outlives a channel's task, too: it may be in memory alone.
    signed_in_by: BTreeMap<String, SignedInBy>,
    inbox: Inbox,
    wishes: Wishes,
    /// Says in which language.
    snapshot: watch::Receiver<Snapshot>,
    health: Health,
    pictures: Pictures,
    /// Some channel's state changed. Holds one permit however many did: nothing is lost, nothing piles up.
    changed: Arc<Notify>,
}

impl Channels {
    pub(crate) fn new(
        inbox: Inbox,
        wishes: Wishes,
        snapshot: watch::Receiver<Snapshot>,
        health: Health,
        pictures: Pictures,
    ) -> Self {
        Self {
            held: Vec::new(),
            memories: BTreeMap::new(),
            signed_in_by: BTreeMap::new(),
            inbox,
            wishes,
            snapshot,
            health,
            pictures,
            changed: Arc::default(),
        }
    }

    fn words(&self) -> Words {
        self.snapshot.borrow().words
    }

    /// Woken when a channel's status changed: then [`note`](Self::note) is due.
    pub(crate) fn changed(&self) -> Arc<Notify> {
        self.changed.clone()
    }

    /// The settings of each.
    pub(crate) fn settings(&self) -> Vec<ChannelSettings> {
        self.held.iter().map(|held| held.settings.clone()).collect()
    }

    /// What is shown of each.
    pub(crate) fn views(&self) -> Vec<ChannelView> {
        self.held.iter().map(|held| held.view.clone()).collect()
    }

    /// The state of each, by id.
    pub(crate) fn states(&self) -> impl Iterator<Item = (&str, State)> {
        self.held.iter().map(|held| (held.settings.id.as_str(), held.view.status().state))
    }

    /// Takes up new settings: what is new starts, what is gone ends, and only a channel whose URL,
    /// credentials, certificates or numbers changed is dialled again. `changed`: files that are others now, though
    /// their names are the same. `by_hand`: the user started the agent just now.
    ///
    /// # Errors
    /// When a file that a channel names can't be read: then nothing has changed.
    pub(crate) async fn take_up(
        &mut self,
        wanted: Vec<ChannelSettings>,
        changed: &BTreeSet<PathBuf>,
        remembered: &mut Remembered,
        by_hand: bool,
    ) -> Result<(), CaFileError> {
        let configs = wanted.iter().map(ChannelSettings::config).collect::<Result<Vec<_>, _>>()?;
        let mut old = std::mem::take(&mut self.held);
        for (settings, config) in wanted.into_iter().zip(configs) {
            let recall = || Memory::recall(&remembered.known(&settings.id));
            let memory = self.memories.entry(settings.id.clone()).or_insert_with(recall).clone();
            let v1 = settings.kind == Kind::Recipe;
            let config = Config { memory, v1, ..config };
            let known =
                old.iter().position(|held| held.settings.id == settings.id).map(|at| old.swap_remove(at));
            let other_certificate = settings.certificates().any(|file| changed.contains(file));
            let held = match known {
                Some(mut held) if !other_certificate && !held.settings.link_differs(&settings) => {
                    self.pictures.adopt(&settings);
                    held.adopt(settings, remembered);
                    held
                }
                Some(mut held) => {
                    let lent = held.lent.take();
                    let was_enabled = held.settings.enabled;
                    // The old link is closed before the new one is dialled (C3).
                    Box::pin(held.end()).await;
                    if settings.enabled && !was_enabled {
                        remembered.set_channel(&settings.id, None);
                    }
                    self.start(settings, config, remembered, false, lent)
                }
                None => self.start(settings, config, remembered, by_hand, None),
            };
            self.held.push(held);
        }
        let gone: Vec<String> = old.iter().map(|gone| gone.settings.id.clone()).collect();
        self.health.end(Some(&gone));
        for gone in old {
            self.pictures.end(&gone.settings.id);
            self.signed_in_by.remove(&gone.settings.id);
            remembered.set_channel(&gone.settings.id, None);
            remembered.set_known(&gone.settings.id, Kept::default());
            gone.end().await;
        }
        self.pictures.settle();
        Ok(())
    }

    /// How the channel's user signs in, by what is known of that where the settings still say the same.
    fn signed_in_by(&mut self, settings: &ChannelSettings, config: &Config) -> Option<SignedInBy> {
        let before = self.signed_in_by.remove(&settings.id);
        let by = settings.signed_in_by(config)?.going_on(before.as_ref());
        self.signed_in_by.insert(settings.id.clone(), by.clone());
        Some(by)
    }

    fn start(
        &mut self,
        settings: ChannelSettings,
        config: Config,
        remembered: &Remembered,
        by_hand: bool,
        lent: Option<Lent>,
    ) -> Held {
        let start = match remembered.channel(&settings.id) {
            _ if lent.is_some() => Start::Disconnected,
            _ if !settings.enabled => Start::Disconnected,
            Some(Quiet::Disconnected) => Start::Disconnected,
            Some(Quiet::Replaced(since)) if !by_hand => Start::Replaced { since: since.into() },
            Some(Quiet::Replaced(_)) | None if by_hand => Start::ByHand,
            Some(Quiet::Replaced(_)) | None => Start::Connect,
        };
        let signing = self.signed_in_by(&settings, &config).map(|by| Signing::new(&settings, by));
        let session = signing.as_ref().and_then(|signing| signing.by.session().cloned());
        let credentials = Credentials::new(&settings.id, settings.credential.clone(), settings.auth.clone())
            .signed_in_by(signing.as_ref().map(|signing| signing.by.clone()))
            .refused_before(config.memory.refused_session())
            .telling({
                let (wishes, channel) = (self.wishes.clone(), settings.id.clone());
                move || wishes.make(Wish::SecretReadable { channel: channel.clone() })
            });
        let forget = credentials.forget();
        // What it goes on by may be from another source.
        forget.now();
        let credentials = Arc::new(Mutex::new(credentials));
        let renewal = Renewal {
            channel: settings.id.clone(),
            credentials: credentials.clone(),
            wishes: self.wishes.clone(),
            timer: JoinSet::new(),
        };
        let asked = Arc::new(AtomicBool::new(false));
        let left_out = Arc::new(watch::channel(Vec::new()).0);
        let topics = match &settings.kind {
            Kind::Ntfy { topics } => Some(Topics::new(config.clone(), topics.clone(), left_out.clone())),
            Kind::Recipe | Kind::Gotify | Kind::Dialogue(_) | Kind::Sse | Kind::Mqtt(_) => None,
        };
        let params = Arc::new(watch::channel(DialParams::default()).0);
        self.pictures.start(&settings, config.clone(), params.subscribe(), session.clone());
        let catch_up = (settings.kind == Kind::Gotify)
            .then(|| CatchUp::new(config.clone(), params.clone(), self.inbox.clone(), &settings));
        let asks_by_id = match &settings.kind {
            Kind::Dialogue(dialogue) => dialogue.says("last"),
            Kind::Sse => true,
            Kind::Recipe | Kind::Ntfy { .. } | Kind::Gotify | Kind::Mqtt(_) => false,
        };
        let owner = Dialler {
            id: settings.id.clone(),
            credentials: credentials.clone(),
            renewal,
            signing: signing.clone(),
            memory: config.memory.clone(),
            headers: settings.headers.clone(),
            resume: settings.resume.clone(),
            topics,
            left_out: left_out.clone(),
            dialled_with: params,
            asks_by_id,
            asked: asked.clone(),
            inbox: self.inbox.clone(),
            snapshot: self.snapshot.clone(),
            told_of_gap: false,
        };
        let routes = Routes::look();
        let target = Target::before(&config);
        let path = Path::to(target, &routes);
        config.memory.arrive(path.network(&routes));
        let (channel, frames) = Channel::spawn(config.clone(), start, owner);
        let status = channel.status();
        let (profile, profiles) = watch::channel(Arc::new(settings.profile()));
        let keeper = match (&settings.session, &session, &signing) {
            (Some(how), Some(jar), Some(signing)) => how.keep.map(|every| Keeper {
                id: settings.id.clone(),
                every,
                url: how.keep_url.clone(),
                session: jar.clone(),
                headers: settings.headers.clone(),
                config: config.clone(),
                status: status.clone(),
                reported: signing.reported.clone(),
            }),
            _ => None,
        };
        // It ends with the channel's status.
        if let Some(keeper) = keeper {
            tokio::spawn(keeper.keep());
        }
        let told = signing.as_ref().map(|signing| signing.reported.subscribe());
        let view = view(&settings, status.clone(), self.inbox.dropped(), left_out.subscribe(), told);
        let state = view.status().state.name();
        if !path.is_there() {
            channel.signal(Signal::NetworkChanged { online: false });
        }
        let pump = tokio::spawn(pump(
            status,
            frames,
            Missed { replay: Replay::of(asked), catch_up },
            profiles,
            self.inbox.clone(),
            self.snapshot.clone(),
            Felt {
                channel: settings.id.clone(),
                pulse: channel.pulse(),
                known: config.memory.kept(),
                receipts: channel.receipts(),
                health: self.health.clone(),
                changed: self.changed.clone(),
            },
        ));
        Held {
            settings,
            channel,
            profile,
            view,
            state,
            forget,
            credentials,
            signing,
            config,
            target,
            path,
            lent,
            pump,
        }
    }

    /// Notes which channels came into another state, and remembers what must outlive the agent.
    pub(crate) fn note(&mut self, remembered: &mut Remembered) {
        let words = self.snapshot.borrow().words;
        for held in &mut self.held {
            remembered.set_known(&held.settings.id, held.known());
            if held.is_lent() {
                continue;
            }
            held.look_at_target();
            let status = held.view.status();
            self.health.look(&held.settings.id, &status, words);
            let state = status.state;
            if held.state == state.name() {
                continue;
            }
            held.state = state.name();
            held.view.since = Timestamp::now();
            let quiet = match state {
                State::Disconnected { .. } => Some(Quiet::Disconnected),
                State::Replaced { since } => Some(Quiet::Replaced(timestamp(since))),
                State::Connecting { .. }
                | State::Connected { .. }
                | State::Waiting { .. }
                | State::NeedsUser { .. } => None,
            };
            remembered.set_channel(&held.settings.id, quiet);
        }
    }

    /// Hands a wish on; answers with the names of those concerned.
    pub(crate) fn act(&mut self, action: Action, channel: Option<&str>) -> Result<Vec<String>, Refusal> {
        let command = match action {
            Action::Connect => Command::Connect,
            Action::Disconnect => Command::Disconnect,
            Action::ReconnectNow => Command::ReconnectNow,
            Action::TakeOver => Command::TakeOver,
        };
        let meant = |held: &Held| match channel {
            Some(name) => held.view.is_called(name),
            // To all: what was replaced stays so unless it is said, and a take-over is only for that.
            None => {
                let replaced = matches!(held.view.status().state, State::Replaced { .. });
                match action {
                    Action::Connect | Action::ReconnectNow => !replaced,
                    Action::TakeOver => replaced,
                    Action::Disconnect => true,
                }
            }
        };
        let mut names = Vec::new();
        for held in self.held.iter_mut().filter(|held| meant(held)) {
            held.command(command);
            names.push(held.settings.name.clone());
        }
        match channel {
            Some(name) if names.is_empty() => Err(self.unknown(Some(name))),
            Some(_) | None => Ok(names),
        }
    }

    /// `None`: it was an address.
    fn unknown(&self, name: Option<&str>) -> Refusal {
        let known: Vec<&str> = self.held.iter().map(|held| held.settings.id.as_str()).collect();
        let (known, words) = (known.join(", "), self.words());
        let message = match name {
            Some(name) => words.refused_unknown_channel(&known, &quoted(name)),
            None => words.refused_unknown_address(&known),
        };
        Refusal::new(ErrorCode::UnknownChannel, message)
    }

    /// Lets go of a channel; `None` where there is none, or it is lent already.
    pub(crate) fn lend(&mut self, id: &str) -> Option<Loan> {
        let held = self.held.iter_mut().find(|held| held.settings.id == id && held.lent.is_none())?;
        let live = held.is_live();
        if live {
            held.channel.command(Command::Disconnect);
        }
        let (lent, loan) = Lent::new(held.channel.status(), live, self.changed.clone());
        held.lent = Some(lent);
        Some(loan)
    }

    /// Sends what a button of a message of this channel sends.
    pub(crate) fn send(&self, id: &str, request: HttpRequest, answer: oneshot::Sender<Result<(), Refusal>>) {
        let words = self.words();
        let Some(held) = self.held.iter().find(|held| held.settings.id == id) else {
            let message = Text::refused_unknown_channel_id(&format_args!("{id:?}")).said(words);
            let _ = answer.send(Err(Refusal::new(ErrorCode::UnknownChannel, message)));
            return;
        };
        let config = held.config.clone();
        tokio::spawn(async move {
            // Who asked may be gone.
            let _ = answer.send(send(&config, request, words).await);
        });
    }

    /// Sends a message to a channel's server.
    pub(crate) fn publish(&self, message: Outgoing, answer: oneshot::Sender<Result<String, Refusal>>) {
        let words = self.words();
        let Some(held) = self.held.iter().find(|held| held.view.is_called(&message.channel)) else {
            let refusal = self.unknown(Some(&message.channel));
            return drop(answer.send(Err(refusal)));
        };
        let (settings, by) = (held.settings.clone(), held.signed_in_by().cloned());
        tokio::spawn(async move {
            let sent = tidings_publish::send(&settings, by.as_ref(), &message, words).await;
            // Who asked may be gone.
            let _ = answer.send(sent.map(|()| settings.name));
        });
    }

    /// The channel's user has signed in: it is dialled by that. Who signs in wants the channel, also after a sign-out and while it
    /// waits for its server; one that was replaced stays so until that is taken back.
    pub(crate) fn signed_in_to(&mut self, id: &str) {
        let Some(held) = self.held.iter_mut().find(|held| held.settings.id == id) else { return };
        let command = match held.view.status().state {
            State::Disconnected { .. } => Command::Connect,
            State::Waiting { .. } => Command::ReconnectNow,
            State::NeedsUser { .. }
            | State::Connecting { .. }
            | State::Connected { .. }
            | State::Replaced { .. } => return self.credential_changed(id),
        };
        held.forget.now();
        held.command(command);
    }

    /// Somebody has put another secret into the keyring, or taken it away: a session that is in memory alone makes way for that.
    pub(crate) fn secret_set(&self, id: &str) {
        if let Some(held) = self.held.iter().find(|held| held.settings.id == id) {
            held.forget.all();
        }
        self.credential_changed(id);
    }

    /// The channel's secret is another one now, or can be read at last. One that waits for it dials at once, and
    /// a link by the old one is dialled anew; what is off or replaced stays so.
    pub(crate) fn credential_changed(&self, id: &str) {
        let held = self.held.iter().find(|held| held.settings.id == id);
        let Some(held) = held.filter(|held| held.has_secret_in_keyring()) else { return };
        held.forget.now();
        match held.view.status().state {
            State::Connected { .. } => {
                held.channel.command(Command::Disconnect);
                held.channel.command(Command::Connect);
            }
            State::NeedsUser { .. } | State::Waiting { .. } => {
                held.channel.command(Command::CredentialChanged);
            }
            State::Disconnected { .. } | State::Connecting { .. } | State::Replaced { .. } => {}
        }
    }

    /// The keyring can be read at last, or has another secret than the one that was refused: what waits for it dials by it.
    pub(crate) fn secret_readable(&self, id: &str) {
        let Some(held) = self.held.iter().find(|held| held.settings.id == id) else { return };
        held.forget.now();
        held.channel.command(Command::CredentialChanged);
    }

    /// A fresh secret is at hand, before the one of the link ends.
    pub(crate) fn renew(&mut self, id: &str) {
        if let Some(held) = self.held.iter_mut().find(|held| held.settings.id == id) {
            held.command(Command::Renew);
        }
    }

    /// There is a session bus now: what waits for a secret in the keyring looks there. What was refused is not dialled with again.
    pub(crate) fn keyring_may_be_there(&self) {
        let waits = |held: &&Held| {
            matches!(held.view.status().state, State::NeedsUser { .. }) && held.has_secret_in_keyring()
        };
        for held in self.held.iter().filter(waits) {
            let (credentials, wishes) = (held.credentials.clone(), self.wishes.clone());
            let channel = held.settings.id.clone();
            tokio::spawn(async move {
                let has_news = credentials.lock().await.has_news().await;
                tracing::debug!(channel, has_news, "the keyring was looked at");
                if has_news {
                    wishes.make(Wish::SecretReadable { channel });
                }
            });
        }
    }

    /// Those of these files that hold a secret hold another one now: the next dial reads it, which one that waits for
    /// it makes at once. A link by the old one is kept: its server accepted it.
    pub(crate) fn secrets_changed(&self, files: &BTreeSet<PathBuf>) {
        for held in &self.held {
            if held.settings.token_file().is_some_and(|file| files.contains(file)) {
                tracing::info!(channel = held.settings.id, "its token_file was changed");
                held.forget.now();
                held.channel.command(Command::CredentialChanged);
            }
        }
    }

    /// The machine slept: nobody was connected meanwhile.
    pub(crate) fn slept(&self, slept: Duration) {
        self.health.slept(slept);
    }

    /// Tells every channel what the system did.
    pub(crate) fn signal(&self, signal: Signal) {
        for held in &self.held {
            held.channel.signal(signal);
        }
    }

    /// Something in the network changed: tells those channels whose way to their server is another one now.
    pub(crate) fn look_at_network(&mut self) {
        let routes = Routes::look();
        for held in &mut self.held {
            let now = Path::to(held.target, &routes);
            let moved = Signal::NetworkChanged { online: now.is_there() };
            let lost = lost_its_address(&held.view.status());
            let news = held.path.news(&now).or(lost.then_some(moved));
            held.path = now;
            held.config.memory.arrive(held.path.network(&routes));
            if let Some(signal) = news {
                tracing::info!(channel = held.settings.id, ?signal, "its way to the server changed");
                held.channel.signal(signal);
            }
        }
    }

    /// Closes every link (1000), all at once.
    pub(crate) async fn end(self, remembered: &mut Remembered) {
        let mut ends = JoinSet::new();
        for held in self.held {
            ends.spawn(async move {
                let (id, memory) = (held.settings.id.clone(), held.config.memory.clone());
                held.end().await;
                (id, memory)
            });
        }
        for (id, memory) in ends.join_all().await {
            remembered.set_known(&id, memory.kept().borrow().clone());
        }
    }
}
