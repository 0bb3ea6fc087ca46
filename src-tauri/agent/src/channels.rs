//! The channels that the agent holds: started, changed and ended as the settings and the user say.
//!
//! Each has one pump beside its driver's task: it carries frames into the inbox and news of the state to
//! the main loop.

mod dialler;
mod gotify;
mod held;
mod keeping;
mod ntfy;
mod pump;
mod renewal;
mod replay;
mod sending;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use tidings_api::{
    Action, Cookie, ErrorCode, Examine, Refusal, SessionKept, SessionReport, SignInPage, Step,
};
use tidings_channel::{
    Cause, Channel, ChannelUrl, Command, Config, DialParams, Fetch, Kept, Memory, Signal, Start, State, fetch,
};
use tidings_examination::lender::Lender;
use tidings_examination::{Examination, Reach};
use tidings_ground::text::quoted;
use tidings_inbox::{HttpRequest, Inbox};
use tidings_settings::credential::{CredentialSource, Credentials};
use tidings_settings::keyring::KeyringError;
use tidings_settings::{CaFileError, ChannelSettings, Jar, Kind, Session, SessionJar, SignIn};
use tidings_state::cause;
use tidings_state::loan::{Lent, Loan};
use tidings_state::snapshot::{ChannelView, Snapshot, timestamp};
use tidings_state::wish::{Wish, Wishes};
use tidings_words::{Text, Words};
use tokio::sync::{Mutex, Notify, mpsc, oneshot, watch};
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

#[derive(Debug)]
pub(crate) struct Channels {
    held: Vec<Held>,
    /// What each channel has found out, by its id. It outlives the channel: see [`Memory`].
    memories: BTreeMap<String, Memory>,
    /// The sessions of those that sign in as a web app does. They outlive a channel's task, too: one may be in memory alone.
    sessions: BTreeMap<String, SessionJar>,
    inbox: Inbox,
    wishes: Wishes,
    /// Says in which language.
    snapshot: watch::Receiver<Snapshot>,
    health: Health,
    pictures: Pictures,
    /// Some channel's state changed. Holds one permit however many did: nothing is lost, nothing piles up.
    changed: Arc<Notify>,
}

/// Of a sign-in on a page, of which nothing is known yet.
fn first_report(settings: &ChannelSettings) -> Option<SessionReport> {
    let (page, keep) = match (&settings.session, &settings.credential) {
        (Some(session), _) => (&session.sign_in, session.keep),
        (None, CredentialSource::Provider(provider)) => (&provider.issuer, None),
        (None, _) => return None,
    };
    Some(SessionReport {
        sign_in: page.to_string(),
        kept: None,
        life_s: None,
        kept_alive_s: keep.map(|keep| keep.as_secs_f64()),
        alive_at: None,
    })
}

/// How a channel's user signs in.
#[derive(Debug)]
pub(crate) struct SigningIn {
    /// The channel's id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// At this provider, in the user's browser; `None`: in a view of the window.
    pub(crate) provider: Option<SignIn>,
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
            sessions: BTreeMap::new(),
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

    /// Ids of those whose secret is in the keyring, if anywhere.
    pub(crate) fn by_keyring(&self) -> BTreeSet<String> {
        let by_keyring =
            self.held.iter().filter(|held| held.settings.credential == CredentialSource::Keyring);
        by_keyring.map(|held| held.settings.id.clone()).collect()
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
            let config = Config { memory, ..config };
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
            remembered.set_channel(&gone.settings.id, None);
            remembered.set_known(&gone.settings.id, Kept::default());
            gone.end().await;
        }
        self.pictures.settle();
        Ok(())
    }

    /// The channel's session, which goes on where the settings still say the same of it.
    fn session(&mut self, settings: &ChannelSettings) -> Option<SessionJar> {
        let Some(new) = settings.jar() else {
            self.sessions.remove(&settings.id);
            return None;
        };
        let session = match self.sessions.get(&settings.id) {
            Some(known) => new.going_on(known),
            None => new,
        };
        self.sessions.insert(settings.id.clone(), session.clone());
        Some(session)
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
        let session = self.session(&settings);
        let reported = first_report(&settings).map(|report| Arc::new(watch::channel(report).0));
        let sign_in = settings.sign_in(&config);
        let credentials = Credentials::new(&settings.id, settings.credential.clone(), settings.auth.clone())
            .of_session(session.clone())
            .telling({
                let (wishes, channel) = (self.wishes.clone(), settings.id.clone());
                move || wishes.make(Wish::SecretReadable { channel: channel.clone() })
            });
        let credentials = credentials.by_sign_in(sign_in.clone());
        let forget = credentials.forget();
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
            Kind::Recipe | Kind::Gotify | Kind::Dialogue(_) => None,
        };
        let params = Arc::new(watch::channel(DialParams::default()).0);
        self.pictures.start(&settings, config.clone(), params.subscribe(), session.clone());
        let catch_up = (settings.kind == Kind::Gotify)
            .then(|| CatchUp::new(config.clone(), params.clone(), self.inbox.clone(), &settings.id));
        let asks_by_id = matches!(&settings.kind, Kind::Dialogue(dialogue) if dialogue.says("last"));
        let owner = Dialler {
            id: settings.id.clone(),
            credentials,
            renewal,
            session: session.clone(),
            sign_in: sign_in.clone(),
            headers: settings.headers.clone(),
            resume: settings.resume.clone(),
            topics,
            dialled_with: params,
            asks_by_id,
            asked: asked.clone(),
            inbox: self.inbox.clone(),
            snapshot: self.snapshot.clone(),
            told_of_gap: false,
            reported: reported.clone(),
        };
        let (channel, frames) = Channel::spawn(config.clone(), start, owner);
        let status = channel.status();
        let (profile, profiles) = watch::channel(Arc::new(settings.profile()));
        let keeper = match (&settings.session, &session, &reported) {
            (Some(how), Some(jar), Some(reported)) => how.keep.map(|every| Keeper {
                id: settings.id.clone(),
                every,
                url: how.keep_url.clone(),
                session: jar.clone(),
                headers: settings.headers.clone(),
                config: config.clone(),
                status: status.clone(),
                reported: reported.clone(),
            }),
            _ => None,
        };
        // It ends with the channel's status.
        if let Some(keeper) = keeper {
            tokio::spawn(keeper.keep());
        }
        let told = reported.as_ref().map(|reported| reported.subscribe());
        let view = view(&settings, status.clone(), self.inbox.dropped(), left_out.subscribe(), told);
        let state = view.status().state.name();
        let target = Target::of(&config, &view.status());
        let path = Path::to(target, &Routes::look());
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
            session,
            reported,
            sign_in,
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

    /// Starts to examine a channel: one that is kept connected is let go of, tried and taken back (R3).
    pub(crate) fn examine(&self, what: &Examine) -> Result<mpsc::Receiver<Step>, Refusal> {
        let url = ChannelUrl::parse(&what.channel, true).ok();
        let meant =
            |held: &&Held| held.view.is_called(&what.channel) || Some(&held.settings.url) == url.as_ref();
        let Some(held) = self.held.iter().find(meant) else {
            return Err(self.unknown(url.is_none().then_some(what.channel.as_str())));
        };
        let reach = if what.upgrade || held.is_live() {
            Reach::Link {
                idle: what.idle_ms.map(Duration::from_millis),
                lender: Some(Lender::new(self.wishes.clone(), held.settings.id.clone())),
            }
        } else {
            Reach::Handshake
        };
        let mut examination = Examination::of(&held.settings, reach, self.words())
            .map_err(|error| Refusal::new(ErrorCode::SettingsFile, error.told(self.words())))?;
        examination.credentials = examination.credentials.map(|own| own.of_session(held.session.clone()));
        examination.config.memory = held.config.memory.clone();
        let (steps, told) = mpsc::channel(tidings_examination::STEPS);
        tokio::spawn(tidings_examination::examine(examination, steps));
        Ok(told)
    }

    /// Tries a channel with the upgrade and the first ping. Where it is one that is held and connected, its link is told of
    /// instead; where the trial would replace a held link, that is let go of meanwhile (R3).
    pub(crate) fn try_out(
        &self,
        channel: &ChannelSettings,
        secret: Option<String>,
    ) -> Result<mpsc::Receiver<Step>, Refusal> {
        let same_user = |held: &&Held| {
            let held = &held.settings;
            held.id == channel.id
                || (held.url == channel.url
                    && held.credential == channel.credential
                    && held.auth == channel.auth)
        };
        let held = self.held.iter().find(same_user);
        let live = held.filter(|held| secret.is_none() && !held.settings.link_differs(channel));
        let live = live.map(|held| held.channel.status());
        let live = live.filter(|status| matches!(status.borrow().state, State::Connected { .. }));
        let lender = || held.map(|held| Lender::new(self.wishes.clone(), held.settings.id.clone()));
        let reach = live.map_or_else(|| Reach::Link { idle: None, lender: lender() }, Reach::Held);
        let mut examination = Examination::of(channel, reach, self.words()).map_err(|error| Refusal {
            key: Some(error.key.to_owned()),
            ..Refusal::new(ErrorCode::InvalidSettings, error.told(self.words()))
        })?;
        // What the trial leaves behind at the server may come to the link that follows.
        if let Some(memory) = held.map(|held| &held.config.memory).or(self.memories.get(&channel.id)) {
            examination.config.memory = memory.clone();
        }
        if let Some(session) =
            held.filter(|held| held.settings.id == channel.id).and_then(|held| held.session.clone())
            && channel.jar().is_some_and(|new| new.url() == session.url())
        {
            examination.credentials = examination.credentials.map(|own| own.of_session(Some(session)));
        }
        if let Some(secret) = secret {
            examination.credentials = examination.credentials.map(|credentials| credentials.given(secret));
        }
        let (steps, told) = mpsc::channel(tidings_examination::STEPS);
        tokio::spawn(tidings_examination::examine(examination, steps));
        Ok(told)
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

    /// The one that has a session.
    fn of_session(&self, name: &str) -> Result<(&Held, &SessionJar, &Session), Refusal> {
        let called = |held: &&Held| held.view.is_called(name);
        let held = self.held.iter().find(called).ok_or_else(|| self.unknown(Some(name)))?;
        match (&held.session, &held.settings.session) {
            (Some(jar), Some(session)) => Ok((held, jar, session)),
            (None, _) | (_, None) => {
                let message = self.words().refused_no_session(&quoted(&held.settings.name));
                Err(Refusal::new(ErrorCode::NoSession, message))
            }
        }
    }

    /// How the user signs in to a channel.
    pub(crate) fn sign_in(&self, name: &str) -> Result<SigningIn, Refusal> {
        let provider = self.held.iter().find(|held| held.view.is_called(name) && held.sign_in.is_some());
        let held = match provider {
            Some(held) => held,
            None => self.of_session(name)?.0,
        };
        let ChannelSettings { id, name, .. } = &held.settings;
        Ok(SigningIn { id: id.clone(), name: name.clone(), provider: held.sign_in.clone() })
    }

    /// Where and how that is done.
    pub(crate) fn sign_in_page(&self, name: &str) -> Result<SignInPage, Refusal> {
        let (held, jar, session) = self.of_session(name)?;
        let ChannelSettings { id, name, ca_file, client_cert, .. } = &held.settings;
        let without_query = |url: &ChannelUrl| {
            let mut url = url.as_url().clone();
            url.set_query(None);
            String::from(url)
        };
        let refused = match held.view.status().state {
            State::NeedsUser { cause: cause @ Cause::RoleMissing { .. }, .. } => {
                Some(cause::told(&cause, self.words()))
            }
            State::Disconnected { .. }
            | State::Connecting { .. }
            | State::Connected { .. }
            | State::Waiting { .. }
            | State::Replaced { .. }
            | State::NeedsUser { .. } => None,
        };
        Ok(SignInPage {
            channel: id.clone(),
            name: name.clone(),
            url: without_query(jar.url()),
            also: jar.addresses().iter().skip(1).map(without_query).collect(),
            sign_in: session.sign_in.to_string(),
            ca_file: ca_file.as_ref().map(|file| file.display().to_string()),
            proxy: held.settings.proxy.as_ref().map(ToString::to_string),
            client_cert: client_cert.is_some(),
            refused,
        })
    }

    /// The user signed in: the channel's cookies among these are its session from now on, and it is dialled by them.
    pub(crate) fn signed_in(
        &self,
        name: &str,
        cookies: Vec<Cookie>,
        answer: oneshot::Sender<Result<SessionKept, Refusal>>,
    ) {
        let words = self.words();
        let (held, jar, _) = match self.of_session(name) {
            Ok(found) => found,
            Err(refusal) => return drop(answer.send(Err(refusal))),
        };
        if held.settings.credential != CredentialSource::Keyring {
            let key = held.settings.credential.key();
            let message = words.refused_session_elsewhere(&quoted(&held.settings.name), &key);
            return drop(answer.send(Err(Refusal::new(ErrorCode::NoSession, message))));
        }
        let cookies = Jar::of(jar.addresses(), cookies);
        if cookies.header(jar.url()).is_none() {
            let message = words.refused_no_cookies(&jar.url().host());
            return drop(answer.send(Err(Refusal::new(ErrorCode::NoSession, message))));
        }
        let (jar, id, wishes) = (jar.clone(), held.settings.id.clone(), self.wishes.clone());
        let reported = held.reported.clone();
        tokio::spawn(async move {
            let (kept, why) = jar.begin(cookies).await;
            tracing::info!(channel = id, ?kept, why = why.map(|why| why.to_string()), "signed in");
            if let Some(reported) = reported {
                reported.send_modify(|report| report.kept = Some(kept));
            }
            wishes.make(Wish::TakeUp { channel: id });
            // Who asked may be gone.
            let _ = answer.send(Ok(kept));
        });
    }

    /// Ends a session: the site is told where the settings say how, the cookies are forgotten, and the link is closed (1000).
    pub(crate) fn sign_out(&mut self, name: &str, answer: oneshot::Sender<Result<String, Refusal>>) {
        let words = self.words();
        let by_provider = |held: &&mut Held| held.view.is_called(name) && held.sign_in.is_some();
        if let Some(held) = self.held.iter_mut().find(by_provider) {
            held.command(Command::Disconnect);
            let (sign_in, name) = (held.sign_in.clone(), held.settings.name.clone());
            let reported = held.reported.clone();
            tokio::spawn(async move {
                let ended = match sign_in {
                    Some(sign_in) => sign_in.end().await,
                    None => Ok(()),
                };
                if let Some(reported) = reported {
                    reported.send_modify(|report| report.kept = None);
                }
                let refused = |error: KeyringError| Refusal::new(ErrorCode::Keyring, error.told(words));
                // Who asked may be gone.
                let _ = answer.send(ended.map(|()| name).map_err(refused));
            });
            return;
        }
        let (id, jar, sign_out) = match self.of_session(name) {
            Ok((held, jar, session)) => (held.settings.id.clone(), jar.clone(), session.sign_out.clone()),
            Err(refusal) => return drop(answer.send(Err(refusal))),
        };
        let Some(held) = self.held.iter_mut().find(|held| held.settings.id == id) else { return };
        held.command(Command::Disconnect);
        let (config, name, reported) =
            (held.config.clone(), held.settings.name.clone(), held.reported.clone());
        let forget = held.forget.clone();
        tokio::spawn(async move {
            if let Some(url) = sign_out {
                let header = jar.hold().await.header(&url);
                let headers = header.map(|value| ("Cookie".to_owned(), value)).into_iter().collect();
                let params = DialParams { headers, ..DialParams::default() };
                match fetch(&config, &params, Fetch::get(url)).await {
                    Ok(answer) => tracing::info!(channel = id, status = answer.status, "signed out"),
                    Err(cause) => {
                        tracing::warn!(channel = id, %cause, "the site is not told of the sign-out");
                    }
                }
            }
            let ended = jar.end().await;
            forget.now();
            if let Some(reported) = reported {
                reported.send_modify(|report| report.kept = None);
            }
            // Who asked may be gone.
            let _ = answer.send(match ended {
                Ok(()) => Ok(name),
                Err(error) => Err(Refusal::new(ErrorCode::Keyring, error.told(words))),
            });
        });
    }

    /// The channel's user has signed in: it is dialled by that. Who signs in again after a sign-out wants the channel back.
    pub(crate) fn signed_in_to(&mut self, id: &str) {
        let off = |held: &&mut Held| {
            held.settings.id == id && matches!(held.view.status().state, State::Disconnected { .. })
        };
        match self.held.iter_mut().find(off) {
            Some(held) => {
                held.forget.now();
                held.command(Command::Connect);
            }
            None => self.credential_changed(id),
        }
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
        let keyring = |held: &&Held| {
            matches!(held.settings.credential, CredentialSource::Keyring | CredentialSource::Provider(_))
        };
        let Some(held) = self.held.iter().find(|held| held.settings.id == id).filter(keyring) else { return };
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

    /// There is a session bus now: what waits for a secret in the keyring looks there.
    pub(crate) fn keyring_may_be_there(&self) {
        let waits = |held: &&Held| matches!(held.view.status().state, State::NeedsUser { .. });
        for held in self.held.iter().filter(waits) {
            self.credential_changed(&held.settings.id);
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
