//! A tray host of the test's own: it takes the name `org.kde.StatusNotifierWatcher` on a [`PrivateBus`], learns
//! which items there are, reads them and their menus as a panel does (`com.canonical.dbusmenu`), and clicks for
//! the user. It waits by the item's own signals: what an item does not announce, a panel would not show either.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, bail, ensure};
use futures_util::StreamExt;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use zbus::connection::Builder;
use zbus::fdo::DBusProxy;
use zbus::message::{Header, Type};
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{Structure, Value};
use zbus::{Connection, MatchRule, MessageStream, Proxy, interface};

use crate::desktop::PrivateBus;
use crate::wait::{News, SOON};

const NAME: &str = "org.kde.StatusNotifierWatcher";
const PATH: &str = "/StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

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
}

/// All that a panel can see of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct TrayItem {
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
    /// The tooltip's text, as markup.
    pub tooltip: String,
    /// The menu's entries.
    pub menu: Vec<MenuEntry>,
}

/// One entry of the menu.
#[derive(Debug, Clone, PartialEq)]
pub struct MenuEntry {
    /// Id, to click it by.
    pub id: i32,
    /// Label, as people read it; empty for a separator.
    pub label: String,
    /// Whether it can be clicked.
    pub enabled: bool,
    /// Whether it is shown.
    pub visible: bool,
    /// Entries of its submenu.
    pub entries: Vec<MenuEntry>,
}

impl TrayItem {
    /// Labels that the user sees in the menu itself, separators left out.
    pub fn labels(&self) -> Vec<&str> {
        labels(&self.menu)
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

    /// Lets go of its name and connection, as when the panel crashes.
    pub async fn die(&mut self) -> anyhow::Result<()> {
        let Hosting { connection, listening } = self.hosting.take().context("the tray host is dead already")?;
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

    /// The item as it is now; there must be exactly one.
    pub async fn item(&self) -> anyhow::Result<TrayItem> {
        let items = self.items();
        let [name] = items.as_slice() else { bail!("one item expected, there are {items:?}") };
        self.read(name).await
    }

    /// Waits until there is exactly one item and it is as wanted.
    pub async fn wait_for(
        &self,
        what: &str,
        mut wanted: impl FnMut(&TrayItem) -> bool,
    ) -> anyhow::Result<TrayItem> {
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
    pub async fn wait_for_label(&self, begins: &str) -> anyhow::Result<TrayItem> {
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
        let item = self.item().await?;
        let mut entries = item.menu.as_slice();
        let mut found = None;
        for label in path {
            let entry = find(entries, label)
                .with_context(|| format!("no visible {label:?} among {:?}", labels(entries)))?;
            ensure!(entry.enabled, "{:?} can't be clicked", entry.label);
            entries = &entry.entries;
            found = Some(entry.id);
        }
        let id = found.context("no label to click")?;
        let items = self.items();
        let name = items.first().context("the item is gone")?;
        let menu = Proxy::new(self.connection()?, name.as_str(), "/MenuBar", MENU).await?;
        let nothing = Value::from("");
        menu.call_method("Event", &(id, "clicked", nothing, 0_u32)).await.context("the click failed")?;
        Ok(())
    }

    /// Clicks the icon itself.
    pub async fn activate(&self) -> anyhow::Result<()> {
        let items = self.items();
        let name = items.first().context("there is no item")?;
        let item = Proxy::new(self.connection()?, name.as_str(), "/StatusNotifierItem", ITEM).await?;
        item.call_method("Activate", &(0, 0)).await.context("the click on the icon failed")?;
        Ok(())
    }

    fn connection(&self) -> anyhow::Result<&Connection> {
        self.hosting.as_ref().map(|hosting| &hosting.connection).context("the tray host is dead")
    }

    async fn read(&self, name: &str) -> anyhow::Result<TrayItem> {
        let connection = self.connection()?;
        let item = zbus::proxy::Builder::<Proxy<'_>>::new(connection)
            .destination(name.to_owned())?
            .path("/StatusNotifierItem")?
            .interface(ITEM)?
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await?;
        let text = async |name: &str| item.get_property::<String>(name).await;
        let tooltip: Structure<'_> = item.get_property::<zbus::zvariant::OwnedValue>("ToolTip").await?.try_into()?;
        let [.., Value::Str(tooltip)] = tooltip.fields() else { bail!("a strange tooltip") };
        let menu_path: zbus::zvariant::OwnedObjectPath = item.get_property("Menu").await?;
        let menu = Proxy::new(connection, name.to_owned(), menu_path, MENU).await?;
        let nothing: &[&str] = &[];
        let layout = menu.call_method("GetLayout", &(0, -1, nothing)).await?;
        let body = layout.body();
        let body: Structure<'_> = body.deserialize()?;
        let [_revision, Value::Structure(root)] = body.fields() else { bail!("a strange menu") };
        Ok(TrayItem {
            id: text("Id").await?,
            title: text("Title").await?,
            status: text("Status").await?,
            icon: text("IconName").await?,
            icon_theme_path: text("IconThemePath").await?,
            tooltip: tooltip.as_str().to_owned(),
            menu: entry(root)?.entries,
        })
    }
}

/// One node of the layout: id, properties, children. A property that isn't there has its default.
fn entry(node: &Structure<'_>) -> anyhow::Result<MenuEntry> {
    let [Value::I32(id), Value::Dict(properties), Value::Array(children)] = node.fields() else {
        bail!("a strange menu entry: {node:?}")
    };
    let truth = |name: &str| properties.get::<&str, bool>(&name).ok().flatten().unwrap_or(true);
    let label: Option<String> = properties.get(&"label").ok().flatten();
    let entries = children.iter().map(|child| match child {
        Value::Value(child) => match &**child {
            Value::Structure(node) => entry(node),
            other => bail!("a strange menu entry: {other:?}"),
        },
        other => bail!("a strange menu entry: {other:?}"),
    });
    Ok(MenuEntry {
        id: *id,
        // A doubled `_` is one; a single one would mark the access key.
        label: label.unwrap_or_default().replace("__", "_"),
        enabled: truth("enabled"),
        visible: truth("visible"),
        entries: entries.collect::<anyhow::Result<_>>()?,
    })
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
        // Some programs give a path instead of their name.
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let name = if service.starts_with('/') { sender } else { service };
        // One that was gone before its word came is never to be seen leaving.
        let there = DBusProxy::new(connection).await?.name_has_owner(name.as_str().try_into().map_err(
            |_| zbus::fdo::Error::InvalidArgs("no bus name".to_owned()),
        )?);
        if there.await? {
            let mut items = lock(&self.0.items);
            items.retain(|item| *item != name);
            items.push(name.clone());
        }
        self.0.news.tell();
        Self::status_notifier_item_registered(&emitter, &name).await?;
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

    #[zbus(signal)]
    async fn status_notifier_item_registered(emitter: &SignalEmitter<'_>, name: &str) -> zbus::Result<()>;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
