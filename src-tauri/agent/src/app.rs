//! The agent's life: one main loop that joins the channels, the inbox, the desktop and the local socket.
//!
//! The loop takes wishes and news and publishes a [`Snapshot`]; the tray, the popups and the socket are
//! tasks that look at it. Nobody asks the loop for the state.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp, Zoned};
use tidings_api::{ErrorCode, Refusal};
use tidings_channel::Signal as ChannelSignal;
use tidings_desktop::autostart;
use tidings_desktop::browser::Browser;
use tidings_desktop::popup::{Answer, Answers, Popups};
use tidings_desktop::presence::Desktop;
use tidings_desktop::session::Session;
use tidings_desktop::tray::RECENT;
use tidings_desktop::window::{self, Window};
use tidings_ground::lock::{self, Lock};
use tidings_ground::paths::{Paths, create_private};
use tidings_ground::reason::{self, Failed};
use tidings_ground::text::quoted;
use tidings_ground::{crash, program};
use tidings_inbox::{Inbox, Policy, RowId, Show};
use tidings_oauth::Failure;
use tidings_settings::{Edited, Look, Settings, SettingsError, SettingsFile};
use tidings_state::diagnostics::Diagnostics;
use tidings_state::link::{Link, LinkError};
use tidings_state::notice::{Notice, Source, WindowError};
use tidings_state::session::SessionView;
use tidings_state::snapshot::{ChannelView, DEMO, Snapshot};
use tidings_state::wish::{Place, Start, Wish, Wishes};
use tidings_words::{Text, Words};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{broadcast, mpsc, watch};

use crate::channels::{Channels, SigningIn};
use crate::demo::{self, Demo};
use crate::health::Health;
use crate::pictures::Pictures;
use crate::remembered::Remembered;
use crate::sign_ins::{Ended, SignIns};
use crate::signals::{Bell, Bells, Sleep, asleep};
use crate::trouble::Troubles;
use crate::{second, serve};

/// Starts Tidings, or raises the one that runs.
///
/// # Errors
/// When the state folder can't be used, or the one that runs can't be told.
pub async fn start(paths: &Paths, start: Start, words: Words) -> anyhow::Result<ExitCode> {
    create_private(&paths.state)
        .map_err(|why| Failed(Text::cli_state_folder(&paths.state.display(), &reason::of_io(&why))))?;
    let lock = lock::take(&paths.lock())
        .map_err(|why| Failed(Text::cli_lock_file(&paths.lock().display(), &reason::of_io(&why))))?;
    match lock {
        None if start.background => second::hand_over(paths, words).await,
        None => second::raise(paths, start.add, words).await,
        Some(lock) => Box::pin(run(paths, start, lock)).await,
    }
}

async fn run(paths: &Paths, start: Start, lock: Lock) -> anyhow::Result<ExitCode> {
    tidings_ground::logging::start(Some(&paths.log()));
    let session = Session::begin(paths);
    let outlives = session.is_outlived();
    tracing::info!(version = tidings_api::VERSION, "Tidings starts");
    program::look();
    let mut ends = Ends::listen()?;
    let (wishes, mut wished) = Wishes::new();

    let (popups, answers, popup_queue) = Popups::new();
    let (pictures, before) = Pictures::new(paths.pictures(), popups);
    let (inbox, inbox_notices) = Inbox::open(&paths.inbox, Policy::keep_all(), before);
    let snapshot = watch::Sender::new(Snapshot {
        words: tidings_settings::Language::Auto.words(),
        ..Snapshot::default()
    });
    let remembered = Remembered::load(paths.remembered());
    let health = Health::new(inbox.clone());
    let _kept = pictures.keep(inbox.clone());
    let channels =
        Channels::new(inbox.clone(), wishes.clone(), snapshot.subscribe(), health.clone(), pictures.clone());
    let changed = channels.changed();
    let mut agent = Agent {
        snapshot,
        remembered,
        channels,
        inbox,
        window: Window::default(),
        session,
        browser: Browser::default(),
        sign_ins: SignIns::default(),
        answers,
        sleep: Sleep::new(asleep()),
        policy: Policy::keep_all(),
        pause_over: None,
        down_after: Settings::default().notifications.down_after,
        troubles: Troubles::default(),
        demo: None,
    };
    let mut bells = Bells::listen();
    for notice in inbox_notices {
        agent.notice(Notice::Inbox(notice));
    }
    let now = Timestamp::now();
    agent.set_pause(agent.remembered.paused_until(now).filter(|until| *until > now));
    agent.look_into_inbox().await;

    // The socket first: from here on a second start finds this one.
    let (look, looks) = Look::new();
    let file = SettingsFile::new(paths.settings.clone(), look);
    let (demos, mut demo_asks) = mpsc::channel(1);
    let answers = serve::Answers {
        snapshot: agent.snapshot.subscribe(),
        wishes: wishes.clone(),
        inbox: agent.inbox.clone(),
        raises: agent.window.raises().clone(),
        diagnostics: Diagnostics::new(paths),
        file: Arc::new(file),
        health: health.clone(),
        pictures,
        demos,
    };
    let served = serve::spawn(paths.socket(), answers);
    let (settings, mut edits) = tidings_settings::watch(&paths.settings, looks);
    agent.take_up(settings, &BTreeSet::new(), !start.background).await;
    let mut desktop = Desktop::join(paths, popup_queue, &agent.inbox, &agent.snapshot, &wishes, outlives);
    agent.tell_crash(paths, false);
    if start.open || start.add.is_some() {
        agent.open_window(None, start.add.map(Place::Adding).as_ref());
    }

    let mut unread = agent.inbox.unread();
    let mut events = agent.inbox.events();
    loop {
        let resume_at = agent.resume_at();
        let trouble_in = agent.trouble_in();
        tokio::select! {
            wish = wished.recv() => match wish {
                Some(Wish::Quit) | None => break,
                Some(Wish::SessionEnded) if !agent.session.is_outlived() => {
                    tracing::info!("the session bus is gone: the session is over");
                    break;
                }
                Some(Wish::SessionEnded) => {
                    tracing::info!("the desktop session is over; the links are kept until there is another one");
                }
                Some(Wish::Join(environment)) => {
                    if agent.session.take(environment, desktop.is_joined()) {
                        desktop.look();
                    }
                    agent.show_session(desktop.is_joined());
                }
                Some(wish) => agent.grant(wish).await,
            },
            Some(demo::Ask { demo, answer }) = demo_asks.recv() => {
                // Who asked may have gone.
                let _ = answer.send(agent.show_demo(demo).await);
            }
            signal = ends.received() => {
                tracing::info!(signal, "asked to end");
                break;
            }
            () = changed.notified() => agent.note_channels(),
            Some(Edited { settings, changed, awaited }) = edits.recv() => {
                agent.channels.secrets_changed(&changed);
                agent.take_up(settings, &changed, false).await;
                drop(awaited);
            }
            Ok(()) = unread.changed() => agent.look_into_inbox().await,
            event = events.recv() => match event {
                Ok(tidings_inbox::Event::Notice(notice)) => agent.notice(Notice::Inbox(notice)),
                Ok(
                    tidings_inbox::Event::Stored(_)
                    | tidings_inbox::Event::Gone(_)
                    | tidings_inbox::Event::Read(_),
                )
                | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => break,
            },
            () = sleep_until(resume_at) => agent.set_pause(None),
            // Looked at after every turn.
            () = sleep_for(trouble_in) => {}
            status = agent.window.ended() => agent.window_ended(&status),
            (link, opened) = agent.browser.opened() => agent.link_opened(&link, opened).await,
            ended = agent.sign_ins.ended() => agent.sign_in_ended(ended),
            bell = bells.ring() => agent.answer(bell),
            () = desktop.changed() => {
                agent.show_session(desktop.is_joined());
                if desktop.is_joined() {
                    agent.channels.keyring_may_be_there();
                }
            }
            () = crash::happened() => agent.tell_crash(paths, true),
        }
        // Whatever it was that woke us: it may be the first after a sleep (W1).
        agent.look_at_clocks();
        agent.look_at_pause();
        agent.look_for_trouble();
        agent.look_at_remembered();
    }
    tracing::info!("closing the links");
    agent.look_at_remembered();
    health.end(None);
    let Agent { channels, mut remembered, inbox, snapshot, .. } = agent;
    channels.end(&mut remembered).await;
    drop(snapshot);
    desktop.leave().await;
    drop(served);
    inbox.close().await;
    if let Err(error) = std::fs::remove_file(paths.socket()) {
        tracing::debug!(%error, "the socket's file stays");
    }
    tracing::info!("Tidings ends");
    drop(lock);
    Ok(ExitCode::SUCCESS)
}

/// What the main loop owns.
struct Agent {
    snapshot: watch::Sender<Snapshot>,
    remembered: Remembered,
    channels: Channels,
    inbox: Inbox,
    window: Window,
    session: Session,
    browser: Browser,
    sign_ins: SignIns,
    answers: Answers,
    sleep: Sleep,
    policy: Policy,
    /// When the pause is over by the clock that goes on in sleep and never jumps.
    pause_over: Option<Duration>,
    down_after: Duration,
    troubles: Troubles,
    demo: Option<Demo>,
}

impl Agent {
    fn answer(&mut self, bell: Bell) {
        match bell {
            Bell::Network => self.channels.look_at_network(),
            // The main loop looks at the clocks after every turn.
            Bell::Clock => {}
            Bell::Logind { about_to_sleep } => {
                let slept = self.sleep.logind_says(asleep(), about_to_sleep);
                self.woke(slept);
            }
        }
    }

    fn look_at_clocks(&mut self) {
        let slept = self.sleep.look(asleep());
        self.woke(slept);
    }

    fn woke(&self, slept: Option<Duration>) {
        if let Some(slept) = slept {
            tracing::info!(?slept, "the machine woke");
            self.inbox.look_at_clock();
            self.channels.slept(slept);
            self.channels.signal(ChannelSignal::Woke { slept });
        }
    }

    /// How long until a channel's trouble may be told; `None`: not before something else happens.
    fn trouble_in(&self) -> Option<Duration> {
        let due = self.troubles.deadline(self.down_after)?.saturating_duration_since(Instant::now());
        if self.snapshot.borrow().paused_until.is_some() {
            return None;
        }
        let now = Zoned::now();
        let quiet = self.policy.quiet_until(&now).map(|until| until.duration_since(now.timestamp()));
        Some(due.max(quiet.and_then(|quiet| quiet.try_into().ok()).unwrap_or_default()))
    }

    fn look_for_trouble(&mut self) {
        let paused = self.snapshot.borrow().paused_until.is_some();
        let quiet = paused || self.policy.quiet_until(&Zoned::now()).is_some();
        self.troubles.look(self.channels.states(), self.down_after, quiet, Instant::now());
        let told = self.troubles.told();
        self.snapshot.send_if_modified(|snapshot| {
            let changed = snapshot.troubles != told;
            snapshot.troubles = told;
            changed
        });
    }

    /// What could not be written is tried again, and told as long as it can't.
    fn look_at_remembered(&mut self) {
        let trouble = self.remembered.trouble();
        let notice = trouble.map(|(file, why)| Notice::NotRemembered { file: file.to_owned(), why });
        let known = self.snapshot.borrow().notices.get(&Source::Remembered).cloned();
        match notice {
            Some(notice) if known.as_ref() != Some(&notice) => self.notice(notice),
            None if known.is_some() => {
                self.snapshot.send_modify(|snapshot| drop(snapshot.notices.remove(&Source::Remembered)));
            }
            Some(_) | None => {}
        }
    }

    /// Of an earlier run, or of a task that did so now.
    fn tell_crash(&self, paths: &Paths, now: bool) {
        if let Some(report) = crash::untold(&paths.crashes()) {
            self.notice(Notice::Crashed { report, now });
        }
    }

    fn notice(&self, notice: Notice) {
        tracing::warn!("{}", notice.told(Words::default()));
        self.snapshot.send_modify(|snapshot| {
            snapshot.notices.insert(notice.source(), notice);
        });
    }

    fn note_channels(&mut self) {
        self.channels.note(&mut self.remembered);
        self.snapshot.send_modify(|snapshot| snapshot.channels = self.channels.views());
    }

    /// `changed`: files that the settings name and that are others now.
    async fn take_up(
        &mut self,
        settings: Result<Settings, SettingsError>,
        changed: &BTreeSet<PathBuf>,
        by_hand: bool,
    ) {
        let settings = match settings {
            Ok(settings) => settings,
            Err(error) => return self.notice(Notice::Settings(error)),
        };
        let (words, theme) = (settings.language.words(), settings.theme);
        self.snapshot.send_modify(|snapshot| (snapshot.words, snapshot.theme) = (words, theme));
        self.policy = settings.policy();
        self.inbox.set_policy(self.policy.clone());
        self.down_after = settings.notifications.down_after;
        let count = settings.channels.len();
        let made = autostart::keep(settings.start_at_login, self.remembered.login_entry());
        self.remembered.set_login_entry(made);
        let mut channels = settings.channels;
        channels.extend(self.demo.as_ref().and_then(|demo| demo.channel(words)));
        if let Err(error) = self.channels.take_up(channels, changed, &mut self.remembered, by_hand).await {
            return self.notice(Notice::File(error));
        }
        tracing::info!(channels = count, "settings taken up");
        self.channels.note(&mut self.remembered);
        self.snapshot.send_modify(|snapshot| {
            snapshot.notices.remove(&Source::Settings);
            snapshot.channels = self.channels.views();
        });
    }

    fn show_session(&self, joined: bool) {
        let session = SessionView { joined, environment: self.session.environment().clone() };
        self.snapshot.send_if_modified(|snapshot| {
            let other = snapshot.session != session;
            snapshot.session = session;
            other
        });
    }

    async fn look_into_inbox(&self) {
        let recent = self.inbox.recent(RECENT).await;
        let unread = self.inbox.unread().borrow().clone();
        self.snapshot.send_if_modified(|snapshot| {
            let other = snapshot.unread != unread || snapshot.recent != recent;
            snapshot.unread = unread;
            snapshot.recent = recent;
            other
        });
    }

    async fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Act { action, channel, answer } => {
                let result = self.channels.act(action, channel.as_deref());
                tracing::info!(?action, ?result, "asked");
                if let Some(answer) = answer {
                    // Who asked may have gone.
                    let _ = answer.send(result);
                }
            }
            // Who asked may have gone; then the loan is over at once.
            Wish::Lend { channel, answer } => {
                if let Some(loan) = self.channels.lend(&channel) {
                    let _ = answer.send(loan);
                }
            }
            Wish::Examine { what, answer } => {
                let _ = answer.send(self.channels.examine(&what));
            }
            Wish::Try { channel, secret, answer } => {
                let _ = answer.send(self.channels.try_out(&channel, secret));
            }
            Wish::CredentialChanged { channel } => self.channels.secret_set(&channel),
            Wish::TakeUp { channel } => self.channels.signed_in_to(&channel),
            Wish::SecretReadable { channel } => self.channels.secret_readable(&channel),
            Wish::Renew { channel } => self.channels.renew(&channel),
            Wish::OpenWindow { activation_token, at } => {
                self.session.look_for_display().await;
                self.open_window(activation_token.as_deref(), at.as_ref());
            }
            Wish::SignIn { channel, activation_token, answer } => {
                let found = self.channels.sign_in(&channel);
                if let Ok(SigningIn { id, provider, .. }) = &found {
                    self.session.look_for_display().await;
                    match provider {
                        Some(provider) => {
                            let words = self.snapshot.borrow().words;
                            let session = self.session.clone();
                            self.sign_ins.begin(id, provider.clone(), activation_token, session, words);
                        }
                        None => {
                            self.open_sign_in(activation_token.as_deref(), id);
                        }
                    }
                }
                if let Some(answer) = answer {
                    let _ = answer.send(found.map(|found| found.name));
                }
            }
            Wish::SignInByCode { channel, answer } => {
                let words = self.snapshot.borrow().words;
                match self.channels.sign_in(&channel) {
                    Ok(SigningIn { id, provider: Some(provider), .. }) => {
                        self.sign_ins.begin_by_code(&id, provider, words, answer);
                    }
                    Ok(SigningIn { name, provider: None, .. }) => {
                        let refused = words.refused_no_code(&quoted(&name));
                        let _ = answer.send(Err(Refusal::new(ErrorCode::NoSession, refused)));
                    }
                    Err(refusal) => drop(answer.send(Err(refusal))),
                }
            }
            Wish::SignInEnded { channel, answer } => match self.channels.sign_in(&channel) {
                Ok(SigningIn { id, name, .. }) => {
                    self.sign_ins.answer(&id, name, self.snapshot.borrow().words, answer);
                }
                Err(refusal) => drop(answer.send(Err(refusal))),
            },
            Wish::SignInPage { channel, answer } => drop(answer.send(self.channels.sign_in_page(&channel))),
            Wish::SignedIn { channel, cookies, answer } => self.channels.signed_in(&channel, cookies, answer),
            Wish::SignOut { channel, answer } => self.channels.sign_out(&channel, answer),
            Wish::OpenLink { link, activation_token } => {
                self.session.look_for_display().await;
                self.browser.open(link, activation_token, &self.session);
            }
            Wish::Send { channel, request, answer } => self.channels.send(&channel, request, answer),
            Wish::Publish { message, answer } => self.channels.publish(message, answer),
            Wish::Pause { until } => self.set_pause(until),
            // Taken by the main loop itself.
            Wish::Join(_) | Wish::SessionEnded | Wish::Quit => {}
        }
    }

    /// A second demo is no more than the first.
    async fn show_demo(&mut self, demo: Option<Demo>) -> Vec<String> {
        if demo.is_some() != self.demo.is_some() {
            self.demo = demo;
            let words = self.snapshot.borrow().words;
            let mut wanted = self.channels.settings();
            wanted.retain(|channel| channel.id != DEMO);
            wanted.extend(self.demo.as_ref().and_then(|demo| demo.channel(words)));
            if let Err(error) =
                self.channels.take_up(wanted, &BTreeSet::new(), &mut self.remembered, true).await
            {
                tracing::warn!(%error, "the demo's channel is not taken up");
            }
            self.note_channels();
            let view = self.channels.views().into_iter().find(|view| view.id == DEMO);
            if let (Some(demo), Some(view)) = (&mut self.demo, view) {
                demo.welcome(view.status, words);
            }
        }
        let name = |demo: &Demo| demo.channel(self.snapshot.borrow().words).map(|channel| channel.name);
        self.demo.as_ref().and_then(name).into_iter().collect()
    }

    /// A clock that was put back makes no pause longer.
    fn look_at_pause(&mut self) {
        let (Some(until), Some(over)) = (self.resume_at(), self.pause_over) else { return };
        let now = Timestamp::now();
        let left = SignedDuration::try_from(over.saturating_sub(awake_or_not())).unwrap_or_default();
        if until.duration_since(now) > left + SLACK {
            self.set_pause(now.checked_add(left).ok());
        }
    }

    fn set_pause(&mut self, until: Option<Timestamp>) {
        let lasts =
            until.filter(|until| *until < Timestamp::MAX).map(|until| until.duration_since(Timestamp::now()));
        self.pause_over = lasts.map(|lasts| awake_or_not() + Duration::try_from(lasts).unwrap_or_default());
        self.remembered.set_paused_until(until);
        self.inbox.pause(until.is_some());
        self.snapshot
            .send_if_modified(|snapshot| std::mem::replace(&mut snapshot.paused_until, until) != until);
    }

    /// When the pause ends by itself.
    fn resume_at(&self) -> Option<Timestamp> {
        self.snapshot.borrow().paused_until.filter(|until| *until < Timestamp::MAX)
    }

    fn window_ended(&self, status: &std::io::Result<ExitStatus>) {
        match status {
            Ok(status) if status.success() => tracing::debug!("the window was closed"),
            Ok(status) if status.code() == Some(window::LIBRARY_MISSING) => {
                self.answer_click(Notice::Window(WindowError::NoLibrary), None);
            }
            other => tracing::warn!(?other, "the window ended badly"),
        }
    }

    async fn link_opened(&self, link: &Link, opened: bool) {
        if opened {
            self.snapshot.send_if_modified(|snapshot| snapshot.notices.remove(&Source::Link).is_some());
            self.inbox.mark_read(vec![link.message]).await;
            return;
        }
        let told = |channel: &ChannelView| channel.id == link.channel && channel.show == Show::Full;
        let host = self.snapshot.borrow().channels.iter().any(told).then(|| link.host());
        self.answer_click(Notice::Link(LinkError { host }), Some(link.message));
    }

    fn sign_in_ended(&mut self, Ended { channel, outcome }: Ended) {
        let Some(outcome) = outcome else { return };
        let told = self.sign_ins.tell(&channel, &outcome);
        if let Err(Notice::SignIn(failure)) = &outcome
            && failure.is_the_providers()
        {
            self.channels.sign_in_failed(&channel, failure.clone());
        }
        match outcome {
            Ok(()) => {
                self.snapshot.send_if_modified(|snapshot| snapshot.notices.remove(&Source::SignIn).is_some());
                self.channels.signed_in_to(&channel);
            }
            // Who closed the page long ago wants no popup of it; the tray says what is missing.
            Err(notice) if told || notice == Notice::SignIn(Failure::TooLate) => {
                tracing::info!(channel, "not signed in: {}", notice.told(Words::default()));
            }
            Err(notice) => self.answer_click(notice, None),
        }
    }

    /// Says in a popup, too, what a click on one could not do: where it was clicked something is to be seen.
    fn answer_click(&self, notice: Notice, message: Option<RowId>) {
        self.answers.give(Answer { notice: notice.clone(), message });
        self.notice(notice);
    }

    fn open_window(&mut self, activation_token: Option<&str>, at: Option<&Place>) {
        let opened = self.window.open(activation_token, at, &self.session);
        let message = match at {
            Some(Place::Message(row)) => Some(*row),
            Some(Place::Adding(_)) | None => None,
        };
        self.window_opened(opened, message);
    }

    fn open_sign_in(&mut self, activation_token: Option<&str>, channel: &str) {
        let opened = self.window.sign_in(activation_token, channel, &self.session);
        self.window_opened(opened, None);
    }

    fn window_opened(&self, opened: Result<(), WindowError>, message: Option<RowId>) {
        match opened {
            Ok(()) => {
                self.snapshot.send_if_modified(|snapshot| snapshot.notices.remove(&Source::Window).is_some());
            }
            Err(error) => self.answer_click(Notice::Window(error), message),
        }
    }
}

/// How far a pause's end by the wall clock may be behind the one by the clock that never jumps. Too low: each step of the time
/// service writes a file; too high: a pause is so much longer.
const SLACK: SignedDuration = SignedDuration::from_secs(60);

/// Time since the machine's start, asleep or awake.
fn awake_or_not() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::Boottime).try_into().unwrap_or_default()
}

/// By the wall clock, so that a pause ends on time though the machine slept; for ever without a time.
async fn sleep_until(time: Option<Timestamp>) {
    let Some(time) = time else { return std::future::pending().await };
    let left = Duration::try_from(time.duration_since(Timestamp::now())).unwrap_or_default();
    tokio::time::sleep(left).await;
}

/// By the machine's time awake; for ever without a time.
async fn sleep_for(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// The system's ways to ask for the end.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Ends {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn received(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.hang_up.recv() => "SIGHUP",
        }
    }
}
