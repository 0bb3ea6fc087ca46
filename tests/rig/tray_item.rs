//! A tray item as a tray host sees it: its icon and its menu, read and clicked over the bus, never by pixels.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::time::{Instant, sleep};
use zbus::names::OwnedBusName;
use zbus::proxy::CacheProperties;
use zbus::zvariant::{OwnedValue, Value};
use zbus::{Connection, proxy};

/// How often the item is read again while waiting for it to change.
const LOOK: Duration = Duration::from_millis(30);

#[proxy(interface = "org.kde.StatusNotifierItem", default_path = "/StatusNotifierItem")]
pub(crate) trait StatusNotifierItem {
    #[zbus(property)]
    fn id(&self) -> zbus::Result<String>;
    #[zbus(property)]
    fn title(&self) -> zbus::Result<String>;
    #[zbus(property)]
    fn status(&self) -> zbus::Result<String>;
    #[zbus(property)]
    fn icon_name(&self) -> zbus::Result<String>;
    #[zbus(property)]
    fn icon_theme_path(&self) -> zbus::Result<String>;
    #[zbus(property)]
    fn tool_tip(&self) -> zbus::Result<ToolTip>;
    fn activate(&self, x: i32, y: i32) -> zbus::Result<()>;
}

/// Icon name, pixels, title, text.
type ToolTip = (String, Vec<(i32, i32, Vec<u8>)>, String, String);

#[proxy(
    interface = "org.kde.StatusNotifierWatcher",
    default_service = "org.kde.StatusNotifierWatcher",
    default_path = "/StatusNotifierWatcher"
)]
trait StatusNotifierWatcher {
    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> zbus::Result<Vec<String>>;
}

/// A node of the menu: id, properties, children.
type Node = (i32, std::collections::HashMap<String, OwnedValue>, Vec<OwnedValue>);

#[proxy(interface = "com.canonical.dbusmenu", default_path = "/MenuBar")]
trait DbusMenu {
    fn get_layout(&self, parent: i32, depth: i32, properties: &[&str]) -> zbus::Result<(u32, Node)>;
    fn about_to_show(&self, id: i32) -> zbus::Result<bool>;
    fn event(&self, id: i32, event: &str, data: Value<'_>, timestamp: u32) -> zbus::Result<()>;
}

/// An item on the bus.
#[derive(Debug, Clone)]
pub struct TrayItem {
    item: StatusNotifierItemProxy<'static>,
    menu: DbusMenuProxy<'static>,
}

/// An entry of the menu, as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuEntry {
    /// The host's handle on it.
    pub id: i32,
    /// Its text; empty for a separator.
    pub label: String,
    /// Whether it can be chosen.
    pub enabled: bool,
    /// Whether it is there to see.
    pub visible: bool,
    /// What its submenu holds.
    pub entries: Vec<MenuEntry>,
}

/// What an item shows at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Name of the icon.
    pub icon: String,
    /// The menu's top level, invisible entries included.
    pub menu: Vec<MenuEntry>,
}

impl TrayItem {
    /// Waits until an item of this id is registered with the desktop's tray host.
    pub async fn registered(connection: &Connection, id: &str, within: Duration) -> anyhow::Result<Self> {
        let watcher = StatusNotifierWatcherProxy::builder(connection)
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        let deadline = Instant::now() + within;
        loop {
            // A host that is just starting knows no items yet.
            for registered in watcher.registered_status_notifier_items().await.unwrap_or_default() {
                // "BUS-NAME/path", where the path is the usual one.
                let name = registered.split('/').next().unwrap_or_default();
                let Ok(name) = OwnedBusName::try_from(name.to_owned()) else { continue };
                let item = Self::of(connection, name).await?;
                if item.item.id().await.is_ok_and(|its| its == id) {
                    return Ok(item);
                }
            }
            ensure!(Instant::now() < deadline, "no tray item {id:?} within {within:?}");
            sleep(LOOK).await;
        }
    }

    /// The item of the program that owns `name`.
    pub async fn of(connection: &Connection, name: OwnedBusName) -> anyhow::Result<Self> {
        let item = StatusNotifierItemProxy::builder(connection)
            .destination(name.clone())?
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        let menu = DbusMenuProxy::builder(connection).destination(name)?.build().await?;
        Ok(Self { item, menu })
    }

    /// Its id and its title.
    pub async fn id_and_title(&self) -> anyhow::Result<(String, String)> {
        Ok((self.item.id().await?, self.item.title().await?))
    }

    /// Reads icon and menu as the user sees them who opens the menu now.
    pub async fn shown(&self) -> anyhow::Result<Shown> {
        // As a host does before it opens the menu.
        self.menu.about_to_show(0).await.context("the tray item has no menu")?;
        self.announced().await
    }

    /// Reads icon and menu as they are by themselves, which is what a menu that is open already shows.
    pub async fn announced(&self) -> anyhow::Result<Shown> {
        let icon = self.item.icon_name().await.context("the tray item does not tell its icon")?;
        let (_, root) = self.menu.get_layout(0, -1, &[]).await.context("the menu can't be read")?;
        Ok(Shown { icon, menu: entry(root)?.entries })
    }

    /// Waits until what is shown is as `wished`, and returns it.
    pub async fn until(
        &self,
        what: &str,
        within: Duration,
        wished: impl Fn(&Shown) -> bool,
    ) -> anyhow::Result<Shown> {
        let deadline = Instant::now() + within;
        loop {
            let shown = self.shown().await?;
            if wished(&shown) {
                return Ok(shown);
            }
            if Instant::now() > deadline {
                bail!(
                    "waited {within:?} for {what}; the tray shows {} with {:#?}",
                    shown.icon,
                    shown.labels()
                );
            }
            sleep(LOOK).await;
        }
    }

    /// Chooses the visible entry `label`, wherever it stands in the menu.
    pub async fn click(&self, label: &str) -> anyhow::Result<()> {
        let shown = self.shown().await?;
        let entry = shown
            .find(label)
            .with_context(|| format!("no visible entry {label:?} in {:#?}", shown.labels()))?;
        self.choose(entry).await
    }

    /// Chooses this entry.
    pub async fn choose(&self, entry: &MenuEntry) -> anyhow::Result<()> {
        ensure!(entry.enabled, "{:?} can't be chosen", entry.label);
        self.menu.event(entry.id, "clicked", Value::from(0), 0).await?;
        Ok(())
    }
}

impl Shown {
    /// The visible texts, submenus indented.
    pub fn labels(&self) -> Vec<String> {
        fn collect(entries: &[MenuEntry], indent: usize, labels: &mut Vec<String>) {
            for entry in entries.iter().filter(|entry| entry.visible && !entry.label.is_empty()) {
                labels.push(format!("{}{}", "  ".repeat(indent), entry.label));
                collect(&entry.entries, indent + 1, labels);
            }
        }
        let mut labels = Vec::new();
        collect(&self.menu, 0, &mut labels);
        labels
    }

    /// The visible entry of this label, submenus included.
    pub fn find(&self, label: &str) -> Option<&MenuEntry> {
        fn find<'a>(entries: &'a [MenuEntry], label: &str) -> Option<&'a MenuEntry> {
            entries.iter().filter(|entry| entry.visible).find_map(|entry| {
                if entry.label == label { Some(entry) } else { find(&entry.entries, label) }
            })
        }
        find(&self.menu, label)
    }

    /// The first visible text: the status line of a single channel.
    pub fn status_line(&self) -> &str {
        let first = self.menu.iter().find(|entry| entry.visible && !entry.label.is_empty());
        first.map_or("", |entry| entry.label.as_str())
    }
}

fn entry((id, properties, children): Node) -> anyhow::Result<MenuEntry> {
    let flag = |name: &str| properties.get(name).is_none_or(|value| bool::try_from(value).unwrap_or(true));
    let label = properties.get("label").and_then(|value| <&str>::try_from(value).ok()).unwrap_or_default();
    let entries = children
        .into_iter()
        .map(|child| entry(Node::try_from(child).context("a menu entry is not of the protocol's form")?))
        .collect::<anyhow::Result<_>>()?;
    // A doubled underscore is one; a single one would mark an access key. Spaces at the end are for the width alone.
    let label = label.replace("__", "_").trim_end().to_owned();
    Ok(MenuEntry { id, label, enabled: flag("enabled"), visible: flag("visible"), entries })
}
