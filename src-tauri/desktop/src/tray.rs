//! The tray icon and its menu.
//!
//! `view` says what to show, as data; this draws it through the StatusNotifierItem protocol (`ksni`: no
//! GTK, no wake-ups, waits for a tray host that comes late or restarts).

mod icons;
mod pause;
pub(crate) mod view;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Zoned;
use ksni::menu::{StandardItem, SubMenu};
use ksni::{MenuItem, OfflineReason, Tray, TrayMethods};
use tokio::sync::{oneshot, watch};

pub(crate) use icons::POPUP_ICON;
use tidings_state::snapshot::Snapshot;
use tidings_state::wish::{Place, Wish, Wishes};
pub use view::RECENT;
use view::{Does, Entry, TrayView};

/// What the tray host sees.
struct Item {
    view: TrayView,
    /// Where they are unpacked, all of them: a name of which a host finds no icon, or half of one, is worse than none.
    icons: Option<PathBuf>,
    snapshot: watch::Receiver<Snapshot>,
    wishes: Wishes,
    /// Whether a tray host has the icon.
    hosted: Arc<AtomicBool>,
    /// When the menu was opened last. No host tells us when it is closed.
    opened: Option<Instant>,
}

/// How long a menu may be open after it was opened. Too low: messages move under the pointer of one who reads; too
/// high: nothing much, as a menu that is opened again lists the newest first.
const OPEN: Duration = Duration::from_secs(60);

/// Shows the tray until the agent ends, or the session does; where the session bus can't be used it says so and returns.
pub async fn run(
    mut snapshot: watch::Receiver<Snapshot>,
    wishes: Wishes,
    folder: &Path,
    mut session: oneshot::Receiver<Infallible>,
) {
    let unpacked = icons::unpack(folder);
    if let Err(error) = &unpacked {
        tracing::warn!(%error, folder = %folder.display(), "the tray icons can't be unpacked; hosts get the small ones");
    }
    let icons = unpacked.is_ok().then(|| folder.to_owned());
    let handle = match register(&mut snapshot, &wishes, icons.as_deref()).await {
        Ok(handle) => handle,
        Err(error) => {
            tracing::warn!(%error, "no tray: the session bus can't be used; everything else goes on");
            return;
        }
    };
    loop {
        tokio::select! {
            changed = snapshot.changed() => if changed.is_err() { break },
            _ = &mut session => break,
        }
        snapshot.mark_unchanged();
        // Only a change reaches the bus: most news (a round trip, a byte) doesn't show.
        handle.update(Item::follow).await;
        if handle.is_closed() {
            tracing::warn!("the tray is gone: the session bus closed the connection");
            return;
        }
    }
    handle.shutdown().await;
}

/// How often a host may come up just while the icon looks for one.
const REGISTRATIONS: u32 = 3;

/// Registers with the tray host, or waits for one. `ksni` looks for a host first and listens for new ones then, so one
/// that came in between is told here: it is there, and the icon was said to be without.
async fn register(
    snapshot: &mut watch::Receiver<Snapshot>,
    wishes: &Wishes,
    icons: Option<&Path>,
) -> Result<ksni::Handle<Item>, ksni::Error> {
    let mut tries = 1..=REGISTRATIONS;
    loop {
        let view = TrayView::of(&snapshot.borrow_and_update(), &Zoned::now());
        let hosted = Arc::new(AtomicBool::new(true));
        let item = Item {
            view,
            icons: icons.map(Path::to_owned),
            snapshot: snapshot.clone(),
            wishes: wishes.clone(),
            hosted: hosted.clone(),
            opened: None,
        };
        let handle = item.assume_sni_available(true).spawn().await?;
        tries.next();
        if hosted.load(Ordering::Relaxed) || tries.is_empty() || !host_is_there().await {
            return Ok(handle);
        }
        handle.shutdown().await;
    }
}

async fn host_is_there() -> bool {
    let ask = async || {
        let bus = zbus::Connection::session().await?;
        let name = zbus::names::WellKnownName::from_static_str("org.kde.StatusNotifierWatcher")?;
        zbus::Result::Ok(zbus::fdo::DBusProxy::new(&bus).await?.name_has_owner(name.into()).await?)
    };
    ask().await.unwrap_or(false)
}

impl Item {
    fn follow(&mut self) {
        let (snapshot, now) = (self.snapshot.borrow(), Zoned::now());
        let open = self.opened.is_some_and(|at| at.elapsed() < OPEN);
        self.view = if open { self.view.followed_by(&snapshot, &now) } else { TrayView::of(&snapshot, &now) };
    }
}

impl Tray for Item {
    fn id(&self) -> String {
        "tidings".to_owned()
    }

    fn title(&self) -> String {
        "Tidings".to_owned()
    }

    fn icon_name(&self) -> String {
        self.icons.as_ref().map(|_| self.view.icon_name()).unwrap_or_default()
    }

    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        icons::pixmap(&self.view.icon_name()).into_iter().collect()
    }

    fn icon_theme_path(&self) -> String {
        self.icons.as_ref().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn tool_tip(&self) -> ksni::ToolTip {
        ksni::ToolTip {
            title: self.view.title.clone(),
            // Hosts read markup here, and channel names are not ours.
            description: tidings_ground::text::escaped(&self.view.tooltip),
            icon_name: self.icon_name(),
            icon_pixmap: Vec::new(),
        }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        self.wishes
            .make(Wish::OpenWindow { activation_token: ksni::current_xdg_activation_token(), at: None });
    }

    fn menu_about_to_show(&mut self) {
        self.opened = Some(Instant::now());
        // Perhaps the date changed (a time of yesterday needs it), or news wait for their rows.
        self.view = TrayView::of(&self.snapshot.borrow(), &Zoned::now());
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        self.view.menu.iter().map(draw).collect()
    }

    fn watcher_online(&self) {
        self.hosted.store(true, Ordering::Relaxed);
        tracing::info!("a tray host is there: the icon has taken its place");
    }

    fn watcher_offline(&self, reason: OfflineReason) -> bool {
        self.hosted.store(false, Ordering::Relaxed);
        tracing::info!(?reason, "no tray host: the icon comes when one does");
        true
    }
}

fn draw(entry: &Entry) -> MenuItem<Item> {
    match entry {
        Entry::Separator => MenuItem::Separator,
        Entry::Line { label } => {
            StandardItem { label: literal(label), enabled: false, ..StandardItem::default() }.into()
        }
        Entry::Command { label, enabled, does } => {
            let does = does.clone();
            StandardItem {
                label: literal(label),
                enabled: *enabled,
                activate: Box::new(move |item: &mut Item| item.wishes.make(wish(&does))),
                ..StandardItem::default()
            }
            .into()
        }
        Entry::Submenu { label, enabled, entries } => SubMenu {
            label: literal(label),
            enabled: *enabled,
            submenu: entries.iter().map(draw).collect(),
            ..SubMenu::default()
        }
        .into(),
    }
}

/// In a menu label `_` marks the access key; doubled it is itself.
fn literal(label: &str) -> String {
    label.replace('_', "__")
}

fn wish(does: &Does) -> Wish {
    match does {
        Does::Act { action, channel } => {
            Wish::Act { action: *action, channel: channel.clone(), answer: None }
        }
        Does::OpenMessage(message) => Wish::OpenWindow {
            activation_token: ksni::current_xdg_activation_token(),
            at: message.map(Place::Message),
        },
        Does::SignIn { channel } => Wish::SignIn {
            channel: channel.clone(),
            activation_token: ksni::current_xdg_activation_token(),
            answer: None,
        },
        Does::Pause(pause) => Wish::Pause { until: Some(pause.end(&Zoned::now())) },
        Does::Resume => Wish::Pause { until: None },
        Does::Quit => Wish::Quit,
    }
}
