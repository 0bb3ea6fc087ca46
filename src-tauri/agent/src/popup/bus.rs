//! The desktop's notification service, over one lasting connection (Desktop Notifications Specification).

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use futures_util::StreamExt;
use notify_rust::Notification;
use tidings_inbox::{Inbox, Popup, RowId};
use tokio::sync::watch;
use url::Url;
use zbus::fdo::PropertiesProxy;
use zbus::proxy::CacheProperties;
use zbus::zvariant::Value;
use zbus::{Connection, proxy};

use super::{Abilities, Queue, compose, compose_trouble};
use crate::snapshot::Snapshot;
use crate::trouble::Trouble;
use crate::wish::{Wish, Wishes};

/// Popups whose click is still waited for, and whose place a newer one may take; of more, the oldest are forgotten
/// and a click on them opens nothing.
const REMEMBERED: usize = 1000;

#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Notifications {
    #[expect(clippy::too_many_arguments, reason = "the specification's method")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[String],
        hints: HashMap<&str, Value<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;
    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;
    fn close_notification(&self, id: u32) -> zbus::Result<()>;
    /// Only some services have it.
    #[zbus(property(emits_changed_signal = "false"))]
    fn inhibited(&self) -> zbus::Result<bool>;
    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action: &str) -> zbus::Result<()>;
    #[zbus(signal)]
    fn activation_token(&self, id: u32, token: &str) -> zbus::Result<()>;
    #[zbus(signal)]
    fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;
}

/// A popup that is still there, as far as is known.
struct Live {
    rows: Vec<RowId>,
    /// Channel and tag: a newer popup of the same tag takes its place.
    tag: Option<(String, String)>,
    opens: Option<Url>,
    buttons: Vec<Url>,
    activation_token: Option<String>,
}

struct Service {
    proxy: NotificationsProxy<'static>,
    /// Asked once, and again when the service restarts.
    abilities: Option<Abilities>,
    live: BTreeMap<u32, Live>,
    /// A popup was refused: what it told is told again once the service takes another.
    refused: bool,
    /// The service was told not to disturb.
    inhibited: bool,
    /// What was told of channels themselves, by id. Its popup, while there is one, has the tag of that name.
    told: BTreeMap<String, Trouble>,
    inbox: Inbox,
    snapshot: watch::Receiver<Snapshot>,
    wishes: Wishes,
    icon: PathBuf,
}

/// Shows what comes out of `queue` until the connection ends.
///
/// # Errors
/// When the bus doesn't let us listen; the connection's later end is no error but the session's end.
pub(crate) async fn run(
    connection: Connection,
    mut queue: Queue,
    inbox: Inbox,
    mut snapshot: watch::Receiver<Snapshot>,
    wishes: Wishes,
    icon: PathBuf,
) -> zbus::Result<()> {
    let proxy =
        NotificationsProxy::builder(&connection).cache_properties(CacheProperties::No).build().await?;
    // Listening starts before the first popup: a quick click isn't missed.
    let mut clicks = proxy.receive_action_invoked().await?;
    let mut tokens = proxy.receive_activation_token().await?;
    let mut closed = proxy.receive_notification_closed().await?;
    let mut owners = proxy.inner().receive_owner_changed().await?;
    let properties = PropertiesProxy::builder(&connection)
        .destination(proxy.inner().destination().to_owned())?
        .path(proxy.inner().path().to_owned())?
        .build()
        .await?;
    let mut properties = properties.receive_properties_changed().await?;
    let mut service = Service {
        proxy,
        abilities: None,
        live: BTreeMap::new(),
        refused: false,
        inhibited: false,
        told: BTreeMap::new(),
        inbox,
        snapshot: snapshot.clone(),
        wishes: wishes.clone(),
        icon,
    };
    loop {
        tokio::select! {
            biased;
            Some(token) = tokens.next() => {
                if let Ok(token) = token.args() && let Some(live) = service.live.get_mut(token.id()) {
                    live.activation_token = Some((*token.token()).to_owned());
                }
            }
            Some(click) = clicks.next() => {
                if let Ok(click) = click.args() {
                    service.clicked(*click.id(), click.action());
                }
            }
            Some(gone) = closed.next() => {
                if let Ok(gone) = gone.args() {
                    service.live.remove(gone.id());
                }
            }
            owner = owners.next() => match owner {
                // The service went; what it showed went with it.
                Some(None) => {
                    tracing::warn!("the notification service is gone; messages wait in the inbox for the next one");
                    service.forget();
                }
                Some(Some(_)) => {
                    tracing::info!("a notification service is there");
                    service.forget();
                    service.inbox.show_pending();
                    service.tell_troubles().await;
                }
                None => {
                    wishes.make(Wish::SessionEnded);
                    return Ok(());
                }
            },
            changed = snapshot.changed() => {
                if changed.is_err() {
                    service.withdraw(|_| true).await;
                    return Ok(());
                }
                service.tell_troubles().await;
            }
            Some(_) = properties.next() => service.look_at_inhibition().await,
            Some(popup) = queue.popups.recv() => service.show(&popup).await,
            // Only once the queue is empty: what found no room is summed up then.
            Some(mut rows) = queue.overflow.recv() => {
                while let Ok(more) = queue.overflow.try_recv() {
                    rows.extend(more);
                }
                tracing::info!(count = rows.len(), "more popups than can be shown one by one: summing up");
                service.inbox.not_shown(rows);
                service.inbox.show_pending();
            }
        }
    }
}

impl Service {
    async fn show(&mut self, popup: &Popup) {
        let can = self.abilities().await;
        if self.inhibited && !popup.is_critical() {
            // It was on its way when the service was told not to disturb.
            self.inbox.not_shown(popup.rows());
            return;
        }
        let notification = compose(popup, &self.snapshot.borrow(), can, &self.icon);
        let tag = tag(popup);
        let replaces = tag.as_ref().and_then(|tag| self.tagged(tag)).unwrap_or(0);
        // No time limit: a hanging service must not be shown a message twice. What comes meanwhile waits
        // in the queue, then in the inbox; if the service dies, the bus answers for it.
        match self.notify(&notification, replaces).await {
            Ok(id) => {
                self.inbox.shown(popup.rows());
                if std::mem::take(&mut self.refused) {
                    self.inbox.show_pending();
                }
                self.remember(id, Live::of(popup, tag));
            }
            Err(error) => {
                tracing::warn!(%error, "a popup could not be shown; the message is in the inbox and is shown later");
                self.inbox.not_shown(popup.rows());
                self.refused = true;
            }
        }
    }

    /// Shows the trouble that the channels are in, and withdraws what is over.
    async fn tell_troubles(&mut self) {
        let troubles = self.snapshot.borrow().troubles.clone();
        self.withdraw(|channel| !troubles.contains_key(channel)).await;
        for (channel, trouble) in troubles {
            if self.told.get(&channel) == Some(&trouble) {
                continue;
            }
            let can = self.abilities().await;
            if self.inhibited {
                return;
            }
            let notification = compose_trouble(&channel, &trouble, &self.snapshot.borrow(), can, &self.icon);
            let tag = trouble_tag(&channel);
            match self.notify(&notification, self.tagged(&tag).unwrap_or(0)).await {
                Ok(id) => {
                    let live = Live {
                        rows: Vec::new(),
                        tag: Some(tag),
                        opens: None,
                        buttons: Vec::new(),
                        activation_token: None,
                    };
                    self.remember(id, live);
                    self.told.insert(channel, trouble);
                }
                Err(error) => {
                    tracing::warn!(%error, channel, "its trouble could not be told");
                }
            }
        }
    }

    /// Withdraws what was told of these channels.
    async fn withdraw(&mut self, over: impl Fn(&str) -> bool) {
        for (channel, _) in self.told.extract_if(.., |channel, _| over(channel)).collect::<Vec<_>>() {
            if let Some(id) = self.tagged(&trouble_tag(&channel)) {
                self.live.remove(&id);
                // One that the user has closed meanwhile is as good.
                let _ = self.proxy.close_notification(id).await;
            }
        }
    }

    fn tagged(&self, tag: &(String, String)) -> Option<u32> {
        self.live.iter().find(|(_, live)| live.tag.as_ref() == Some(tag)).map(|(id, _)| *id)
    }

    fn remember(&mut self, id: u32, live: Live) {
        self.live.insert(id, live);
        if self.live.len() > REMEMBERED {
            self.live.pop_first();
        }
    }

    /// Another service knows nothing of what the last one showed, and may be of another kind.
    fn forget(&mut self) {
        self.abilities = None;
        self.live.clear();
        self.set_inhibited(false);
    }

    async fn look_at_inhibition(&mut self) {
        // Of most services it is no property.
        let inhibited = self.proxy.inhibited().await.unwrap_or(false);
        if self.set_inhibited(inhibited) && !inhibited {
            self.tell_troubles().await;
        }
    }

    /// Whether that is news.
    fn set_inhibited(&mut self, inhibited: bool) -> bool {
        let changed = std::mem::replace(&mut self.inhibited, inhibited) != inhibited;
        if changed {
            tracing::info!(inhibited, "the notification service says whether it may disturb");
            self.inbox.inhibit(inhibited);
        }
        changed
    }

    async fn notify(&self, notification: &Notification, replaces: u32) -> zbus::Result<u32> {
        self.proxy
            .notify(
                &notification.appname,
                replaces,
                &notification.icon,
                &notification.summary,
                &notification.body,
                &notification.actions,
                notification.hints.iter().map(Into::into).collect(),
                notification.timeout.into(),
            )
            .await
    }

    async fn abilities(&mut self) -> Abilities {
        if let Some(abilities) = self.abilities {
            return abilities;
        }
        match self.proxy.get_capabilities().await {
            Ok(words) => {
                let inhibited = self.proxy.inhibited().await.unwrap_or(false);
                self.set_inhibited(inhibited);
                let has = |word: &str| words.iter().any(|known| known == word);
                *self.abilities.insert(Abilities { markup: has("body-markup"), actions: has("actions") })
            }
            // Without its word the body is taken for markup: a stray `&amp;` is better than an injected link.
            Err(_) => Abilities { markup: true, actions: false },
        }
    }

    fn clicked(&mut self, id: u32, action: &str) {
        // The popup's end is announced by the service (`NotificationClosed`), where it ends.
        let Some(live) = self.live.get(&id) else { return };
        let link = match action {
            "default" => live.opens.clone(),
            button => button.parse().ok().and_then(|index: usize| live.buttons.get(index).cloned()),
        };
        let newest = live.rows.last().copied();
        self.wishes.make(match (link, newest) {
            (Some(url), Some(message)) => Wish::OpenLink { url, message },
            _ => Wish::OpenWindow { activation_token: live.activation_token.clone(), message: newest },
        });
    }
}

impl Live {
    fn of(popup: &Popup, tag: Option<(String, String)>) -> Self {
        let (opens, buttons) = match popup {
            Popup::Message(message) => {
                (message.url.clone(), message.actions.iter().map(|action| action.url.clone()).collect())
            }
            Popup::Summary { .. } => (None, Vec::new()),
        };
        Self { rows: popup.rows(), tag, opens, buttons, activation_token: None }
    }
}

/// No message's: the channel without an id is none.
fn trouble_tag(channel: &str) -> (String, String) {
    (String::new(), format!("trouble {channel}"))
}

fn tag(popup: &Popup) -> Option<(String, String)> {
    match popup {
        Popup::Message(message) => message.tag.clone().map(|tag| (message.channel.clone(), tag)),
        // The channel without an id is none, so this is no message's.
        Popup::Summary { more, .. } => more.then(|| (String::new(), "more".to_owned())),
    }
}
