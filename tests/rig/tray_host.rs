//! A tray host of the test's own: it takes the name `org.kde.StatusNotifierWatcher` on a [`PrivateBus`], learns
//! which items there are, reads them and their menus as a panel does (`com.canonical.dbusmenu`), and clicks for
//! the user. It waits by the item's own signals: what an item does not announce, a panel would not show either.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, bail, ensure};
use futures_util::StreamExt;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use zbus::connection::Builder;
use zbus::fdo::DBusProxy;
use zbus::message::{Header, Type};
use zbus::names::BusName;
use zbus::object_server::SignalEmitter;
use zbus::proxy::CacheProperties;
use zbus::{Connection, MatchRule, MessageStream, interface};

use crate::desktop::PrivateBus;
use crate::tray_item::{MenuEntry, StatusNotifierItemProxy, TrayItem};
use crate::wait::{News, SOON};

const NAME: &str = "org.kde.StatusNotifierWatcher";
const PATH: &str = "/StatusNotifierWatcher";

/// The tray host. Without a live connection it is dead, until [`TrayHost::come_back`].
#[derive(Debug)]
pub struct TrayHost {
    address: String,
    shared: Arc<Shared>,
    hosting: Option<Hosting>,
}

#[derive(Debug)]
struct Hosting {
    connection: Connection,
    listening: AbortHandle,
}

#[derive(Debug, Default)]
struct Shared {
    /// Bus names of the items there are.
    items: Mutex<Vec<String>>,
    news: News,
    /// The next registration finds nobody.
    absent_once: AtomicBool,
}

/// All that a panel sees of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Stable id of the program.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// `Active`, `Passive` or `NeedsAttention`.
    pub status: String,
    /// Name of the icon.
    pub icon: String,
    /// Folder in which the icon is looked for.
    pub icon_theme_path: String,
    /// The tooltip's title: the only part that some hosts show.
    pub tooltip_title: String,
    /// The tooltip's text, as markup.
    pub tooltip: String,
    /// The menu's entries, invisible ones included.
    pub menu: Vec<MenuEntry>,
}

impl Seen {
    /// Labels that the user sees in the menu itself, separators left out.
    pub fn labels(&self) -> Vec<&str> {
        labels(&self.menu)
    }

    /// Labels of what the user can choose in the menu itself.
    pub fn choices(&self) -> Vec<&str> {
        choices(&self.menu)
    }

    /// Labels of what the user can choose in the submenu whose label begins so.
    pub fn choices_in(&self, submenu: &str) -> Vec<&str> {
        find(&self.menu, submenu).map_or_else(Vec::new, |entry| choices(&entry.entries))
    }

    /// The place of every visible entry, submenus' included, and its id: what an open menu is laid out by.
    pub fn rows(&self) -> Vec<(usize, i32)> {
        fn collect(entries: &[MenuEntry], depth: usize, rows: &mut Vec<(usize, i32)>) {
            for entry in entries.iter().filter(|entry| entry.visible) {
                rows.push((depth, entry.id));
                collect(&entry.entries, depth + 1, rows);
            }
        }
        let mut rows = Vec::new();
        collect(&self.menu, 0, &mut rows);
        rows
    }

    /// All that the menu tells, submenus included.
    pub fn told(&self) -> String {
        fn collect<'a>(entries: &'a [MenuEntry], told: &mut Vec<&'a str>) {
            for entry in entries.iter().filter(|entry| entry.visible) {
                told.push(&entry.label);
                collect(&entry.entries, told);
            }
        }
        let mut told = Vec::new();
        collect(&self.menu, &mut told);
        told.join(" ")
    }

    /// Labels that the user sees in the submenu whose label begins so.
    pub fn labels_in(&self, submenu: &str) -> Vec<&str> {
        find(&self.menu, submenu).map_or_else(Vec::new, |entry| labels(&entry.entries))
    }

    /// Whether the menu itself shows an entry whose label begins so.
    pub fn shows(&self, label: &str) -> bool {
        self.labels().iter().any(|shown| shown.starts_with(label))
    }

    /// The visible label that begins so.
    pub fn label(&self, begins: &str) -> anyhow::Result<&str> {
        let found = self.labels().into_iter().find(|label| label.starts_with(begins));
        found.with_context(|| format!("no visible {begins:?}; there is {:?}", self.labels()))
    }
}

fn choices(entries: &[MenuEntry]) -> Vec<&str> {
    let seen = entries.iter().filter(|entry| entry.visible && entry.enabled && !entry.label.is_empty());
    seen.map(|entry| entry.label.as_str()).collect()
}

fn labels(entries: &[MenuEntry]) -> Vec<&str> {
    let seen = entries.iter().filter(|entry| entry.visible && !entry.label.is_empty());
    seen.map(|entry| entry.label.as_str()).collect()
}

/// The visible entry with this label, or else the first that begins so.
fn find<'a>(entries: &'a [MenuEntry], label: &str) -> Option<&'a MenuEntry> {
    let mut visible = entries.iter().filter(|entry| entry.visible);
    let begins = || entries.iter().find(|entry| entry.visible && entry.label.starts_with(label));
    visible.find(|entry| entry.label == label).or_else(begins)
}

impl TrayHost {
    /// Starts a tray host.
    pub async fn start(bus: &PrivateBus) -> anyhow::Result<Self> {
        let mut host = Self { address: bus.address().to_owned(), shared: Arc::default(), hosting: None };
        host.come_back().await?;
        Ok(host)
    }

    /// Starts one whose first item came a moment too early: it was told that there is no tray host,
    /// and the host's arrival was announced before it listened.
    pub async fn start_just_missed(bus: &PrivateBus) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared { absent_once: AtomicBool::new(true), ..Shared::default() });
        let mut host = Self { address: bus.address().to_owned(), shared, hosting: None };
        host.come_back().await?;
        Ok(host)
    }

    /// Lets go of its name and connection, as when the panel crashes.
    pub async fn die(&mut self) -> anyhow::Result<()> {
        let Hosting { connection, listening } =
            self.hosting.take().context("the tray host is dead already")?;
        listening.abort();
        connection.close().await.context("the tray host could not die")?;
        lock(&self.shared.items).clear();
        Ok(())
    }

    /// Starts again, knowing no item.
    pub async fn come_back(&mut self) -> anyhow::Result<()> {
        let connection = Builder::address(self.address.as_str())?
            .serve_at(PATH, Watcher(Arc::clone(&self.shared)))?
            .build()
            .await
            .context("the tray host found no bus")?;
        // Listens first, takes its name then: no item's first signal is missed.
        let signals = MatchRule::builder().msg_type(Type::Signal).build();
        let signals = MessageStream::for_match_rule(signals, &connection, Some(1000)).await?;
        let listening = tokio::spawn(listen(signals, Arc::clone(&self.shared))).abort_handle();
        connection.request_name(NAME).await.context("the tray host could not take its name")?;
        self.hosting = Some(Hosting { connection, listening });
        Ok(())
    }

    /// Bus names of the items there are.
    pub fn items(&self) -> Vec<String> {
        lock(&self.shared.items).clone()
    }

    /// The item as it is now; there must be exactly one. Read until two readings agree: an item has no way to
    /// tell all of itself at once, so that one of them may hold an old icon and a new menu.
    pub async fn item(&self) -> anyhow::Result<Seen> {
        let mut last = self.read().await?;
        loop {
            let now = self.read().await?;
            if now == last {
                return Ok(now);
            }
            last = now;
        }
    }

    async fn read(&self) -> anyhow::Result<Seen> {
        let shown = self.only_item().await?.announced().await?;
        let item = self.properties().await?;
        let tooltip = item.tool_tip().await?;
        Ok(Seen {
            id: item.id().await?,
            title: item.title().await?,
            status: item.status().await?,
            icon: shown.icon,
            icon_theme_path: item.icon_theme_path().await?,
            tooltip_title: tooltip.2,
            tooltip: tooltip.3,
            menu: shown.menu,
        })
    }

    /// Waits until there is exactly one item and it is as wanted.
    pub async fn wait_for(&self, what: &str, mut wanted: impl FnMut(&Seen) -> bool) -> anyhow::Result<Seen> {
        let deadline = Instant::now() + SOON;
        let mut news = self.shared.news.listen();
        loop {
            let item = self.item().await;
            if let Ok(item) = &item
                && wanted(item)
            {
                return Ok(item.clone());
            }
            if !news.heard(deadline).await {
                bail!("the tray did not show {what} within {SOON:?}; it shows {item:#?}");
            }
        }
    }

    /// Waits for a visible label in the menu that begins so.
    pub async fn wait_for_label(&self, begins: &str) -> anyhow::Result<Seen> {
        self.wait_for(begins, |item| item.shows(begins)).await
    }

    /// Waits until no item is left.
    pub async fn wait_until_empty(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + SOON;
        let mut news = self.shared.news.listen();
        while !self.items().is_empty() {
            ensure!(news.heard(deadline).await, "still in the tray after {SOON:?}: {:?}", self.items());
        }
        Ok(())
    }

    /// Clicks the menu entry at this path of labels (each: all of it, or how it begins). It must be visible and
    /// enabled.
    pub async fn click(&self, path: &[&str]) -> anyhow::Result<()> {
        let item = self.only_item().await?;
        let shown = item.announced().await?;
        let mut entries = shown.menu.as_slice();
        let mut found = None;
        for label in path {
            let entry = find(entries, label)
                .with_context(|| format!("no visible {label:?} among {:?}", labels(entries)))?;
            entries = &entry.entries;
            found = Some(entry);
        }
        item.choose(found.context("no label to click")?).await
    }

    /// Tells the item that its menu is opened now.
    pub async fn open(&self) -> anyhow::Result<()> {
        self.only_item().await?.shown().await.map(drop)
    }

    /// Clicks the icon itself.
    pub async fn activate(&self) -> anyhow::Result<()> {
        self.properties().await?.activate(0, 0).await.context("the click on the icon failed")
    }

    async fn only_item(&self) -> anyhow::Result<TrayItem> {
        let (connection, name) = self.only_name()?;
        TrayItem::of(connection, name.as_str().try_into()?).await
    }

    async fn properties(&self) -> anyhow::Result<StatusNotifierItemProxy<'_>> {
        let (connection, name) = self.only_name()?;
        let item = StatusNotifierItemProxy::builder(connection).destination(name)?;
        Ok(item.cache_properties(CacheProperties::No).build().await?)
    }

    fn only_name(&self) -> anyhow::Result<(&Connection, String)> {
        let mut items = self.items();
        let (Some(name), true) = (items.pop(), items.is_empty()) else {
            bail!("one item expected, there are {:?}", self.items())
        };
        Ok((&self.hosting.as_ref().context("the tray host is dead")?.connection, name))
    }
}

/// Whatever an item or the bus announces is news; an owner that is gone takes its item along.
async fn listen(mut signals: MessageStream, shared: Arc<Shared>) {
    while let Some(Ok(signal)) = signals.next().await {
        let header = signal.header();
        if header.member().is_some_and(|member| member == "NameOwnerChanged")
            && let Ok((name, _, new)) = signal.body().deserialize::<(&str, &str, &str)>()
            && new.is_empty()
        {
            lock(&shared.items).retain(|item| item != name);
        }
        shared.news.tell();
    }
}

struct Watcher(Arc<Shared>);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    async fn register_status_notifier_item(
        &self,
        service: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        if self.0.absent_once.swap(false, Ordering::Relaxed) {
            return Err(zbus::fdo::Error::ServiceUnknown("nobody has this name".to_owned()));
        }
        // Some programs give a path instead of their name.
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let name = if service.starts_with('/') { sender } else { service };
        // One that was gone before its word came is never to be seen leaving.
        let owner = BusName::try_from(name.as_str())
            .map_err(|_| zbus::fdo::Error::InvalidArgs("no bus name".to_owned()))?;
        if DBusProxy::new(connection).await?.name_has_owner(owner).await? {
            let mut items = lock(&self.0.items);
            items.retain(|item| *item != name);
            items.push(name.clone());
        }
        self.0.news.tell();
        emitter.emit(NAME, "StatusNotifierItemRegistered", &(&name,)).await?;
        Ok(())
    }

    fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        lock(&self.0.items).clone()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
