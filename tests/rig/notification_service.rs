//! A notification service of the test's own (Desktop Notifications Specification): it takes the name
//! `org.freedesktop.Notifications` on a [`PrivateBus`], keeps all it is asked to show, and clicks for the user.

use std::collections::HashMap;
use std::mem::take;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, bail, ensure};
use tokio::sync::watch;
use tokio::time::Instant;
use zbus::connection::Builder;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;
use zbus::{Connection, fdo, interface};

use crate::desktop::PrivateBus;
use crate::wait::{News, SOON};

/// Its name on the bus.
pub const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// Reason 2 of `NotificationClosed`: dismissed by the user.
const DISMISSED: u32 = 2;

/// What a service with everything can do.
pub const ABLE: &[&str] = &["body", "body-markup", "actions", "icon-static"];

/// One `Notify` call.
#[derive(Debug)]
pub struct Popup {
    /// The id that it was given.
    pub id: u32,
    /// The program's name.
    pub app_name: String,
    /// The popup whose place it takes; 0 for none.
    pub replaces: u32,
    /// Name or path of an icon.
    pub icon: String,
    /// The title.
    pub summary: String,
    /// The body, as sent.
    pub body: String,
    /// Key and label of each action.
    pub actions: Vec<(String, String)>,
    /// Hints by name.
    pub hints: HashMap<String, OwnedValue>,
    /// Milliseconds; -1 leaves it to the service.
    pub timeout: i32,
    /// When it was asked for.
    pub at: std::time::Instant,
}

impl Popup {
    /// A text hint.
    pub fn text_hint(&self, name: &str) -> Option<&str> {
        self.hints.get(name)?.downcast_ref::<&str>().ok()
    }

    /// The `urgency` hint: 0 low, 1 normal, 2 critical.
    pub fn urgency(&self) -> Option<u8> {
        self.hints.get("urgency").and_then(|urgency| urgency.downcast_ref::<u8>().ok())
    }
}

/// What services do differently with a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Click {
    /// The action, then the popup's end: most.
    Ends,
    /// The action alone; the popup stays until its time is up: lxqt-notificationd.
    Stays,
    /// The popup's end, then the action.
    EndsFirst,
}

/// What becomes of a `Notify` call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It is shown.
    Show,
    /// It is answered by an error.
    Refuse,
    /// It is not answered until the manner changes.
    Hang,
}

/// The service. Without a live connection it is dead, until [`NotificationService::come_back`].
#[derive(Debug)]
pub struct NotificationService {
    address: String,
    able: &'static [&'static str],
    shared: Arc<Shared>,
    connection: Option<Connection>,
}

#[derive(Debug)]
struct Shared {
    popups: Mutex<Vec<Arc<Popup>>>,
    /// Calls that were refused or hang, by title.
    unanswered: Mutex<Vec<String>>,
    withdrawn: Mutex<Vec<u32>>,
    next_id: AtomicU32,
    deaths: AtomicU32,
    /// Calls of `GetCapabilities`.
    asked: AtomicU32,
    manner: watch::Sender<Manner>,
    /// What it calls itself.
    name: Mutex<&'static str>,
    /// Popups that are neither closed nor replaced.
    open: Mutex<Vec<u32>>,
    /// How many there may be of those.
    room: Mutex<usize>,
    /// `None`: it has no such property.
    inhibited: Mutex<Option<bool>>,
    news: News,
}

impl NotificationService {
    /// Starts a service with these capabilities (see [`ABLE`]).
    pub async fn start(bus: &PrivateBus, able: &'static [&'static str]) -> anyhow::Result<Self> {
        let mut service = Self::dead(bus, able);
        service.come_back().await?;
        Ok(service)
    }

    /// One that is yet to start.
    pub fn dead(bus: &PrivateBus, able: &'static [&'static str]) -> Self {
        let shared = Shared {
            popups: Mutex::default(),
            unanswered: Mutex::default(),
            withdrawn: Mutex::default(),
            next_id: AtomicU32::new(1),
            deaths: AtomicU32::new(0),
            asked: AtomicU32::new(0),
            manner: watch::Sender::new(Manner::Show),
            name: Mutex::new("rig"),
            open: Mutex::default(),
            room: Mutex::new(usize::MAX),
            inhibited: Mutex::default(),
            news: News::default(),
        };
        Self { address: bus.address().to_owned(), able, shared: Arc::new(shared), connection: None }
    }

    /// Lets go of its name and connection, as by a crash. What it showed is gone; what it was asked stays known.
    pub async fn die(&mut self) -> anyhow::Result<()> {
        let connection = self.connection.take().context("the notification service is dead already")?;
        self.shared.deaths.fetch_add(1, Relaxed);
        // The next one counts anew, as they all do.
        self.shared.next_id.store(1, Relaxed);
        lock(&self.shared.open).clear();
        connection.close().await.context("the notification service could not die")
    }

    /// What it can do from its next start on.
    pub fn will_be_able(&mut self, able: &'static [&'static str]) {
        self.able = able;
    }

    /// How often it was asked what it can do.
    pub fn asked_for_abilities(&self) -> u32 {
        self.shared.asked.load(Relaxed)
    }

    /// Starts again.
    pub async fn come_back(&mut self) -> anyhow::Result<()> {
        let iface = Notifications { able: self.able, shared: Arc::clone(&self.shared) };
        let connection = Builder::address(self.address.as_str())?
            .serve_at(PATH, iface)?
            .name(NAME)?
            .build()
            .await
            .context("the notification service could not take its name")?;
        self.connection = Some(connection);
        Ok(())
    }

    /// What it calls itself from now on.
    pub fn is_called(&self, name: &'static str) {
        *lock(&self.shared.name) = name;
    }

    /// How many popups it bears; of more, `Notify` is refused in notification-daemon's words.
    pub fn has_room_for(&self, popups: usize) {
        *lock(&self.shared.room) = popups;
    }

    /// The ids of those that are there.
    pub fn open(&self) -> Vec<u32> {
        lock(&self.shared.open).clone()
    }

    /// Starts as soon as somebody calls it, by the bus.
    pub async fn come_back_when_called(&mut self, bus: &PrivateBus) -> anyhow::Result<()> {
        bus.wait_for_call(NAME).await?;
        self.come_back().await
    }

    /// How it meets the next calls; those that hang are answered in the new manner.
    pub fn behave(&self, manner: Manner) {
        self.shared.manner.send_replace(manner);
    }

    /// Is told so before anybody looks.
    pub fn inhibit_silently(&self, inhibited: bool) {
        *lock(&self.shared.inhibited) = Some(inhibited);
    }

    /// Is told not to disturb the user, or that it may again (the property `Inhibited`), and tells it on the bus.
    pub async fn inhibit(&self, inhibited: bool) -> anyhow::Result<()> {
        *lock(&self.shared.inhibited) = Some(inhibited);
        let connection = self.connection.as_ref().context("the notification service is dead")?;
        let changed = HashMap::from([("Inhibited", zbus::zvariant::Value::from(inhibited))]);
        let tell = SignalEmitter::new(connection, PATH)?;
        tell.emit(
            "org.freedesktop.DBus.Properties",
            "PropertiesChanged",
            &(NAME, changed, Vec::<&str>::new()),
        )
        .await?;
        Ok(())
    }

    /// All that was shown so far, in order.
    pub fn popups(&self) -> Vec<Arc<Popup>> {
        lock(&self.shared.popups).clone()
    }

    /// The titles shown so far, in order.
    pub fn titles(&self) -> Vec<String> {
        self.popups().iter().map(|popup| popup.summary.clone()).collect()
    }

    /// The titles of calls that were refused or that hung.
    pub fn unanswered(&self) -> Vec<String> {
        lock(&self.shared.unanswered).clone()
    }

    /// The ids that were withdrawn by `CloseNotification`.
    pub fn withdrawn(&self) -> Vec<u32> {
        lock(&self.shared.withdrawn).clone()
    }

    /// Waits until `count` popups were shown; there must not be more by then.
    pub async fn wait_for(&self, count: usize) -> anyhow::Result<Vec<Arc<Popup>>> {
        self.wait_until(&format!("{count} popups"), |service| service.popups().len() >= count).await?;
        let popups = self.popups();
        ensure!(popups.len() == count, "{count} popups expected, there are {:?}", self.titles());
        Ok(popups)
    }

    /// Waits for a popup of this title.
    pub async fn wait_for_title(&self, title: &str) -> anyhow::Result<Arc<Popup>> {
        let find = |service: &Self| service.popups().into_iter().find(|popup| popup.summary == title);
        self.wait_until(&format!("a popup {title:?}"), |service| find(service).is_some()).await?;
        find(self).context("a popup went away")
    }

    /// Waits until the service is in the state wanted.
    pub async fn wait_until(&self, what: &str, wanted: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + SOON;
        let mut news = self.shared.news.listen();
        while !wanted(self) {
            if !news.heard(deadline).await {
                bail!(
                    "{what}: not within {SOON:?}; shown: {:?}, unanswered: {:?}",
                    self.titles(),
                    self.unanswered()
                );
            }
        }
        Ok(())
    }

    /// The user clicks: the activation token (where there is one), the action, the popup's end.
    pub async fn click(&self, id: u32, action: &str, token: Option<&str>) -> anyhow::Result<()> {
        self.click_that(Click::Ends, id, action, token).await
    }

    /// The user clicks, and the service makes this of it.
    pub async fn click_that(
        &self,
        click: Click,
        id: u32,
        action: &str,
        token: Option<&str>,
    ) -> anyhow::Result<()> {
        let connection = self.connection.as_ref().context("the notification service is dead")?;
        // By name, since zbus would make a public trait of each signal that is declared.
        let tell = SignalEmitter::new(connection, PATH)?;
        if click == Click::EndsFirst {
            self.ends(id).await?;
        }
        if let Some(token) = token {
            tell.emit(NAME, "ActivationToken", &(id, token)).await?;
        }
        tell.emit(NAME, "ActionInvoked", &(id, action)).await?;
        if click == Click::Ends {
            self.ends(id).await?;
        }
        Ok(())
    }

    /// The popup's end.
    pub async fn ends(&self, id: u32) -> anyhow::Result<()> {
        let connection = self.connection.as_ref().context("the notification service is dead")?;
        lock(&self.shared.open).retain(|open| *open != id);
        let tell = SignalEmitter::new(connection, PATH)?;
        tell.emit(NAME, "NotificationClosed", &(id, DISMISSED)).await?;
        Ok(())
    }
}

struct Notifications {
    able: &'static [&'static str],
    shared: Arc<Shared>,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(clippy::too_many_arguments, reason = "the specification's method")]
    async fn notify(
        &self,
        app_name: String,
        replaces: u32,
        icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        timeout: i32,
    ) -> Result<u32, Refused> {
        let at = std::time::Instant::now();
        let shared = &self.shared;
        let deaths = shared.deaths.load(Relaxed);
        let mut manner = shared.manner.subscribe();
        let asked = *manner.borrow_and_update();
        if asked != Manner::Show {
            lock(&shared.unanswered).push(summary.clone());
            shared.news.tell();
        }
        let manner = manner.wait_for(|manner| *manner != Manner::Hang).await.map(|manner| *manner);
        if !matches!(manner, Ok(Manner::Show)) || shared.deaths.load(Relaxed) != deaths {
            return Err(Refused::ByNature("this service refuses".to_owned()));
        }
        let mut open = lock(&shared.open);
        if !open.contains(&replaces) && open.len() >= *lock(&shared.room) {
            lock(&shared.unanswered).push(summary);
            shared.news.tell();
            return Err(Refused::MaxNotificationsExceeded("too many popups".to_owned()));
        }
        let id = if replaces == 0 { shared.next_id.fetch_add(1, Relaxed) } else { replaces };
        let actions = pairs(actions);
        let popup = Popup { id, app_name, replaces, icon, summary, body, actions, hints, timeout, at };
        open.retain(|open| *open != id);
        open.push(id);
        lock(&shared.popups).push(Arc::new(popup));
        shared.news.tell();
        Ok(id)
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn inhibited(&self) -> fdo::Result<bool> {
        lock(&self.shared.inhibited).ok_or_else(|| fdo::Error::UnknownProperty("Inhibited".to_owned()))
    }

    fn close_notification(&self, id: u32) {
        lock(&self.shared.withdrawn).push(id);
        lock(&self.shared.open).retain(|open| *open != id);
        self.shared.news.tell();
    }

    fn get_capabilities(&self) -> Vec<&'static str> {
        self.shared.asked.fetch_add(1, Relaxed);
        self.able.to_vec()
    }

    fn get_server_information(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        (*lock(&self.shared.name), "tidings-tests", "1", "1.2")
    }
}

/// Why a popup is not shown.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop.Notifications")]
enum Refused {
    #[zbus(error)]
    ZBus(zbus::Error),
    ByNature(String),
    MaxNotificationsExceeded(String),
}

/// `[key, label, key, label …]` as it comes over the bus.
fn pairs(mut flat: Vec<String>) -> Vec<(String, String)> {
    flat.chunks_exact_mut(2).map(|pair| (take(&mut pair[0]), take(&mut pair[1]))).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
