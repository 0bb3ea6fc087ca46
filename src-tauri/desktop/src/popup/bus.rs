//! The desktop's notification service, over one lasting connection (Desktop Notifications Specification).
//!
//! An id means something only to the very program that gave it. So each popup is remembered together with the
//! unique bus name that answered for it: calls go to that name, signals count from it alone, and what was
//! remembered is forgotten when another name answers, or the bus says that this one is gone. Services come and go
//! as they like: some quit after each popup, and our next call makes the bus start them.
//!
//! All that the service says is heard in the order in which it said it: signals and answers come out of one queue,
//! also while an answer is awaited.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io;
use std::pin::{Pin, pin};

use futures_util::stream::Peekable;
use futures_util::{FutureExt, StreamExt};
use notify_rust::Notification;
use serde::Serialize;
use tidings_inbox::{Inbox, Popup, RowId};
use tidings_state::link::Link;
use tidings_state::snapshot::Snapshot;
use tidings_state::trouble::Trouble;
use tidings_state::wish::{Place, Wish, Wishes};
use tokio::sync::watch;
use url::Url;
use zbus::fdo::DBusProxy;
use zbus::message::Type;
use zbus::names::{BusName, OwnedUniqueName, UniqueName};
use zbus::zvariant::{DynamicType, OwnedValue, Value};
use zbus::{Connection, MatchRule, Message, MessageStream};

use super::Queue;
use super::call::{NAME, PATH, arguments, tag};
use super::look::{Abilities, Answer, Art, compose, compose_answer, compose_trouble, signs_in};
use super::shortcut::{Called, Ready};

const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const BUS: &str = "org.freedesktop.DBus";

/// Popups that a click may still come for; of more, the oldest are forgotten and a click on them opens nothing.
/// Those that are closed are among them: some services tell of the click after the end, and some bring popups back
/// from a history.
const REMEMBERED: usize = 1000;

/// Calls of `Notify` for one popup at most. After the first it is tried again where the service went away before
/// the call reached it, and where the oldest of ours made room. Too low: notification-daemon, which goes on counting
/// what expired, shows nothing any more; too high: a service that refuses everything costs as many popups.
const TRIES: usize = 4;

/// The service that answered last.
struct Owner {
    name: OwnedUniqueName,
    /// `None`: not asked yet.
    can: Option<Abilities>,
}

/// A popup of ours.
struct Shown {
    /// Its owner's.
    id: u32,
    stage: Stage,
    critical: bool,
    /// It tells of more messages than its own.
    counts: bool,
    rows: Vec<RowId>,
    /// The message's, by id.
    channel: String,
    /// Channel and tag: a newer popup of the same tag takes its place.
    tag: Option<(String, String)>,
    /// A click shows the page on which the user of this channel signs in.
    signs_in: Option<String>,
    opens: Option<Url>,
    /// What each opens; the others are for the window.
    buttons: Vec<Option<Url>>,
    activation_token: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is there, as far as is known.
    Open,
    /// It was clicked, and is about to be closed: a double click is one.
    Clicked,
    /// It is closed. A click that is told of only now counts, and so does one on a popup out of a history.
    Closed,
}

/// What became of a popup.
enum Outcome {
    Shown,
    /// The service was told not to disturb.
    Held,
    Refused(zbus::Error),
}

struct Service {
    connection: Connection,
    /// All that comes over the connection, in order.
    wire: Peekable<MessageStream>,
    owner: Option<Owner>,
    /// The owner's popups, in the order in which they were shown.
    shown: VecDeque<Shown>,
    /// Rows whose popups may be in the queue, and are no longer wanted.
    unwanted: HashSet<RowId>,
    /// A popup was refused: what it told is told again once the service takes another.
    refused: bool,
    /// The service was told not to disturb.
    inhibited: bool,
    /// What was told of channels themselves, by id. Its popup, while there is one, has the tag of that name.
    told: BTreeMap<String, Trouble>,
    due: Due,
    inbox: Inbox,
    snapshot: watch::Receiver<Snapshot>,
    wishes: Wishes,
    art: Art,
}

/// What was heard and asks for a call of the service.
#[derive(Default)]
struct Due {
    /// Popups that were clicked.
    close: Vec<u32>,
    look_at_inhibition: bool,
    tell_troubles: bool,
}

/// Shows what comes out of `queue` until the connection ends.
///
/// # Errors
/// When the bus doesn't let us listen; the connection's later end is no error but the session's end.
pub async fn run(
    connection: Connection,
    queue: &mut Queue,
    inbox: Inbox,
    mut snapshot: watch::Receiver<Snapshot>,
    wishes: Wishes,
    art: Art,
) -> zbus::Result<()> {
    let wire = MessageStream::from(&connection).peekable();
    // Listening starts before the first popup: a quick click isn't missed.
    listen(&connection).await?;
    let mut service = Service {
        connection,
        wire,
        owner: None,
        shown: VecDeque::new(),
        unwanted: HashSet::new(),
        refused: false,
        inhibited: false,
        told: BTreeMap::new(),
        due: Due::default(),
        inbox,
        snapshot: snapshot.clone(),
        wishes: wishes.clone(),
        art,
    };
    loop {
        service.do_what_is_due().await;
        if let Some(ready) = service.ready() {
            queue.shortcut.open(ready, || queue.popups.is_empty());
        }
        let turn = tokio::select! {
            biased;
            // Left there for whoever waits for an answer.
            _ = Pin::new(&mut service.wire).peek() => Turn::Wire,
            changed = snapshot.changed() => Turn::Snapshot(changed.is_ok()),
            () = queue.shortcut.stuck() => Turn::Stuck,
            Some(answer) = queue.answers.recv() => Turn::Answer(answer),
            // Before the popups, which may be among them.
            Some(rows) = queue.withdrawn.recv() => Turn::Withdrawn(rows),
            Some(popup) = queue.popups.recv() => Turn::Popup(popup),
            // Only once the queue is empty: what found no room is summed up then.
            Some(rows) = queue.overflow.recv() => Turn::Overflow(rows),
        };
        let called = queue.shortcut.shut();
        let heard = called.is_some();
        if let Some((popup, called)) = called {
            service.show(&popup, Some(called)).await;
        }
        match turn {
            Turn::Wire if heard => {}
            Turn::Stuck => {}
            Turn::Wire => match service.wire.next().await {
                Some(Ok(message)) => service.heard(&message),
                Some(Err(_)) | None => {
                    // The next session's service may be of another mind about disturbing.
                    service.forget();
                    wishes.make(Wish::SessionEnded);
                    return Ok(());
                }
            },
            Turn::Snapshot(false) => {
                service.withdraw(|_| true).await;
                return Ok(());
            }
            Turn::Snapshot(true) => service.due.tell_troubles = true,
            Turn::Answer(answer) => service.answer(&answer).await,
            Turn::Withdrawn(rows) => service.take_back(rows, !queue.popups.is_empty()).await,
            Turn::Popup(popup) => {
                service.show_wanted(&popup).await;
                if queue.popups.is_empty() {
                    service.unwanted.clear();
                }
            }
            Turn::Overflow(mut rows) => {
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

/// What a turn of the loop found.
enum Turn {
    Wire,
    /// Whether the agent goes on.
    Snapshot(bool),
    Stuck,
    Answer(Answer),
    Withdrawn(Vec<RowId>),
    Popup(Popup),
    Overflow(Vec<RowId>),
}

/// Asks the bus for the service's signals, and for news of who the service is.
async fn listen(connection: &Connection) -> zbus::Result<()> {
    let bus = DBusProxy::new(connection).await?;
    let signals = || MatchRule::builder().msg_type(Type::Signal);
    for rule in [
        signals().interface(NAME)?.path(PATH)?,
        signals().interface(PROPERTIES)?.path(PATH)?,
        signals().interface(BUS)?.member("NameOwnerChanged")?.arg(0, NAME)?,
    ] {
        bus.add_match_rule(rule.build()).await?;
    }
    Ok(())
}

impl Service {
    /// What the short way needs, where there is one now.
    fn ready(&self) -> Option<Ready> {
        let Owner { name, can: Some(can) } = self.owner.as_ref()? else { return None };
        (!self.inhibited).then(|| Ready {
            connection: self.connection.clone(),
            service: name.clone(),
            can: *can,
            snapshot: self.snapshot.clone(),
            art: self.art.clone(),
        })
    }

    /// `called`: the service was asked already.
    async fn show(&mut self, popup: &Popup, called: Option<Called>) {
        // No time limit: a hanging service must not be shown a message twice. What comes meanwhile waits
        // in the queue, then in the inbox; if the service dies, the bus answers for it.
        let compose = |snapshot: &Snapshot, can, art: &Art| compose(popup, snapshot, can, art);
        let outcome = self.notify(Shown::of(popup), called, compose).await;
        match outcome {
            Outcome::Shown => {
                self.inbox.shown(popup.rows());
                if std::mem::take(&mut self.refused) {
                    self.inbox.show_pending();
                }
            }
            // It was on its way when the service was told not to disturb.
            Outcome::Held => self.inbox.not_shown(popup.rows()),
            Outcome::Refused(error) => {
                tracing::warn!(%error, "a popup could not be shown; the message is in the inbox and is shown later");
                self.inbox.not_shown(popup.rows());
                self.refused = true;
            }
        }
    }

    /// Shows it, unless all of its messages are taken back meanwhile.
    async fn show_wanted(&mut self, popup: &Popup) {
        let rows = popup.rows();
        if rows.iter().all(|row| self.unwanted.contains(row)) {
            self.inbox.not_shown(rows);
        } else {
            self.show(popup, None).await;
        }
    }

    /// Closes the popups that tell of these messages and of no other. `queued`: some of theirs may be in the queue.
    async fn take_back(&mut self, rows: Vec<RowId>, queued: bool) {
        let mut closed = Vec::new();
        for shown in self.shown.iter_mut().filter(|shown| shown.rows.iter().any(|row| rows.contains(row))) {
            shown.rows.retain(|row| !rows.contains(row));
            // One that goes on counting tells of earlier ones as well.
            if shown.rows.is_empty() && !shown.counts {
                shown.opens = None;
                shown.buttons.clear();
                closed.push(shown.id);
            }
        }
        for id in closed {
            let open = self.find(id).is_some_and(|shown| shown.stage == Stage::Open);
            self.ended(id);
            if open {
                // One that the user has closed meanwhile is as good.
                let _ = self.close(id).await;
            }
        }
        if queued {
            self.unwanted.extend(rows);
        }
    }

    /// Says what a click could not do. Who clicked is there: that is no disturbance.
    async fn answer(&mut self, answer: &Answer) {
        let popup = Shown { critical: true, ..Shown::plain(answer.message.into_iter().collect()) };
        let outcome =
            self.notify(popup, None, |snapshot, can, art| compose_answer(answer, snapshot, can, art)).await;
        if let Outcome::Refused(error) = outcome {
            tracing::warn!(%error, "what a click could not do stands in the tray alone");
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
            let signs_in = signs_in(&channel, &trouble, &self.snapshot.borrow());
            let popup = Shown {
                tag: Some(trouble_tag(&channel)),
                signs_in: signs_in.then(|| channel.clone()),
                ..Shown::plain(Vec::new())
            };
            let outcome = self
                .notify(popup, None, |snapshot, can, art| {
                    compose_trouble(&channel, &trouble, snapshot, can, art)
                })
                .await;
            match outcome {
                Outcome::Shown => {
                    self.told.insert(channel, trouble);
                }
                Outcome::Held => return,
                Outcome::Refused(error) => {
                    tracing::warn!(%error, channel, "its trouble could not be told");
                }
            }
        }
    }

    /// Withdraws what was told of these channels.
    async fn withdraw(&mut self, over: impl Fn(&str) -> bool) {
        for (channel, _) in self.told.extract_if(.., |channel, _| over(channel)).collect::<Vec<_>>() {
            if let Some(id) = self.tagged(&trouble_tag(&channel)) {
                self.ended(id);
                // One that the user has closed meanwhile is as good.
                let _ = self.close(id).await;
            }
        }
    }

    /// Has a popup shown, in the place of the one of its tag. `called`: the first try is on its way.
    async fn notify(
        &mut self,
        mut popup: Shown,
        mut called: Option<Called>,
        compose: impl Fn(&Snapshot, Abilities, &Art) -> Notification,
    ) -> Outcome {
        let mut tries_left = TRIES;
        loop {
            // Whether the call goes to a service that was there. That it is gone may be heard before that the call reached nobody.
            let mut was_there = called.is_some();
            let answer = match called.take() {
                Some(called) => self.answer_to(called).await,
                None => {
                    let can = self.meet().await;
                    if self.inhibited && !popup.critical {
                        return Outcome::Held;
                    }
                    let notification = compose(&self.snapshot.borrow(), can, &self.art);
                    let replaces = popup.tag.as_ref().and_then(|tag| self.tagged(tag)).unwrap_or(0);
                    was_there = self.owner.is_some();
                    self.call(NAME, "Notify", &arguments(&notification, replaces)).await
                }
            };
            tries_left -= 1;
            let error = match answer.and_then(|reply| Ok((reply.body().deserialize()?, reply))) {
                Ok((id, reply)) => {
                    self.met(&reply);
                    popup.id = id;
                    self.remember(popup);
                    return Outcome::Shown;
                }
                Err(error) => error,
            };
            let again = tries_left > 0
                && if was_there && is_nobody(&error) {
                    self.forget();
                    true
                } else {
                    self.is_refusal(&error) && self.make_room().await
                };
            if !again {
                return Outcome::Refused(error);
            }
        }
    }

    /// The answer to a call that somebody else made; what is said before it is heard before it.
    async fn answer_to(&mut self, called: Called) -> zbus::Result<Message> {
        if let Some(unsent) = called.unsent {
            unsent.await?;
        }
        loop {
            let ended = || zbus::Error::from(io::Error::from(io::ErrorKind::UnexpectedEof));
            let message = self.wire.next().await.ok_or_else(ended)??;
            if message.header().reply_serial() != Some(called.serial) {
                self.heard(&message);
            } else if message.message_type() == Type::Error {
                return Err(message.into());
            } else {
                return Ok(message);
            }
        }
    }

    /// Whether it is the service's own word, and not the second in a row: then it isn't for want of room.
    fn is_refusal(&self, error: &zbus::Error) -> bool {
        !self.refused
            && matches!(error, zbus::Error::MethodError(_, _, reply)
                if sender(reply).is_some_and(|sender| sender != BUS))
    }

    /// Closes the oldest of our popups, critical ones last; false if there is none. Its message is in the inbox.
    async fn make_room(&mut self) -> bool {
        loop {
            let open = || self.shown.iter().filter(|shown| shown.stage == Stage::Open);
            let oldest = open().find(|shown| !shown.critical).or_else(|| open().next());
            let Some(id) = oldest.map(|shown| shown.id) else { return false };
            self.ended(id);
            // One that the service doesn't know any more makes no room.
            if self.close(id).await.is_ok() {
                return true;
            }
        }
    }

    fn tagged(&self, tag: &(String, String)) -> Option<u32> {
        let open = |shown: &&Shown| shown.stage == Stage::Open && shown.tag.as_ref() == Some(tag);
        self.shown.iter().find(open).map(|shown| shown.id)
    }

    fn remember(&mut self, popup: Shown) {
        self.shown.retain(|shown| shown.id != popup.id);
        self.shown.push_back(popup);
        if self.shown.len() > REMEMBERED {
            self.shown.pop_front();
        }
    }

    fn find(&mut self, id: u32) -> Option<&mut Shown> {
        self.shown.iter_mut().find(|shown| shown.id == id)
    }

    fn ended(&mut self, id: u32) {
        if let Some(shown) = self.find(id) {
            shown.stage = Stage::Closed;
        }
    }

    /// What the last service showed went with it.
    fn forget(&mut self) {
        self.owner = None;
        self.shown.clear();
        self.due.close.clear();
        self.set_inhibited(false);
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

    /// Asks the service what it can do, once each.
    async fn meet(&mut self) -> Abilities {
        if let Some(Owner { can: Some(can), .. }) = &self.owner {
            return *can;
        }
        let answer = self.call(NAME, "GetCapabilities", &()).await;
        let words = answer.and_then(|reply| Ok((reply.body().deserialize::<Vec<String>>()?, reply)));
        let Ok((words, reply)) = words else {
            // Without its word the body is taken for markup: a stray `&amp;` is better than an injected link.
            return Abilities { markup: true, ..Abilities::default() };
        };
        self.met(&reply);
        let inhibited = self.is_inhibited().await;
        self.set_inhibited(inhibited);
        let has = |word: &str| words.iter().any(|known| known == word);
        let fnott = self.name().await.is_ok_and(|name| name == "fnott");
        let can = Abilities {
            markup: has("body-markup"),
            actions: has("actions"),
            unescapes: fnott,
            unwrapped: fnott,
        };
        if let Some(owner) = &mut self.owner {
            owner.can = Some(can);
        }
        can
    }

    /// The one that answers is the service from now on.
    fn met(&mut self, reply: &Message) {
        let Some(name) = sender(reply) else { return };
        if self.owner.as_ref().is_none_or(|owner| owner.name != name) {
            self.forget();
            self.owner = Some(Owner { name: name.to_owned().into(), can: None });
        }
    }

    /// What the service calls itself.
    async fn name(&mut self) -> zbus::Result<String> {
        let reply = self.call(NAME, "GetServerInformation", &()).await?;
        let (name, _, _, _) = reply.body().deserialize::<(String, String, String, String)>()?;
        Ok(name)
    }

    async fn is_inhibited(&mut self) -> bool {
        // Of most services it is no property.
        let answer = self.call(PROPERTIES, "Get", &(NAME, "Inhibited")).await;
        let value = answer.and_then(|reply| reply.body().deserialize::<OwnedValue>());
        value.is_ok_and(|value| bool::try_from(value).unwrap_or(false))
    }

    async fn close(&mut self, id: u32) -> zbus::Result<Message> {
        self.call(NAME, "CloseNotification", &id).await
    }

    /// Calls the service: the very one that is known, or else whichever there is, or the bus starts.
    async fn call(
        &mut self,
        interface: &'static str,
        method: &'static str,
        arguments: &(impl Serialize + DynamicType),
    ) -> zbus::Result<Message> {
        let service: BusName<'static> = match &self.owner {
            Some(owner) => owner.name.inner().to_owned().into(),
            None => BusName::from_static_str(NAME)?,
        };
        let connection = self.connection.clone();
        let call = connection.call_method(Some(service), PATH, Some(interface), method, arguments);
        let mut call = pin!(call);
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut call => break answer,
                Some(Ok(message)) = self.wire.next() => self.heard(&message),
            }
        };
        if let Ok(reply) | Err(zbus::Error::MethodError(_, _, reply)) = &answer {
            // What was said before the answer counts before it.
            let at = reply.recv_position();
            let earlier = |message: &zbus::Result<Message>| {
                message.as_ref().is_ok_and(|message| message.recv_position() < at)
            };
            while let Some(Some(Ok(message))) = Pin::new(&mut self.wire).next_if(earlier).now_or_never() {
                self.heard(&message);
            }
        }
        answer
    }

    /// Calls the service where what was heard asks for it.
    async fn do_what_is_due(&mut self) {
        loop {
            if let Some(id) = self.due.close.pop() {
                // Most services have closed it themselves; lxqt-notificationd leaves it over what it opened.
                let _ = self.close(id).await;
            } else if std::mem::take(&mut self.due.look_at_inhibition) {
                let inhibited = self.is_inhibited().await;
                self.due.tell_troubles |= self.set_inhibited(inhibited) && !inhibited;
            } else if std::mem::take(&mut self.due.tell_troubles) {
                self.tell_troubles().await;
            } else {
                return;
            }
        }
    }

    fn heard(&mut self, message: &Message) {
        if message.message_type() != Type::Signal {
            return;
        }
        let header = message.header();
        let (Some(interface), Some(member)) = (header.interface(), header.member()) else { return };
        let body = message.body();
        match (interface.as_str(), member.as_str()) {
            (BUS, "NameOwnerChanged") if header.sender().is_some_and(|sender| sender == BUS) => {
                if let Ok((NAME, old, new)) = body.deserialize() {
                    self.owner_changed(old, new);
                }
            }
            (PROPERTIES, "PropertiesChanged") => {
                self.due.look_at_inhibition |= body.deserialize().is_ok_and(
                    |(interface, _, _): (&str, HashMap<&str, Value<'_>>, Vec<&str>)| interface == NAME,
                );
            }
            (NAME, member) if header.sender().is_some_and(|sender| self.is_owner(sender)) => match member {
                "ActivationToken" => {
                    if let Ok((id, token)) = body.deserialize::<(u32, String)>()
                        && let Some(shown) = self.find(id)
                    {
                        shown.activation_token = Some(token);
                    }
                }
                "ActionInvoked" => {
                    if let Ok((id, action)) = body.deserialize::<(u32, &str)>() {
                        self.clicked(id, action);
                    }
                }
                "NotificationClosed" => {
                    if let Ok((id, _)) = body.deserialize::<(u32, u32)>() {
                        self.ended(id);
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn is_owner(&self, name: &UniqueName<'_>) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.name == *name)
    }

    /// The bus says who the service was, and is.
    fn owner_changed(&mut self, old: &str, new: &str) {
        if self.owner.as_ref().is_some_and(|owner| owner.name.as_str() == old) {
            tracing::info!("the notification service is gone; messages wait in the inbox for the next one");
            self.forget();
        }
        // It may be the one that has answered already: this news comes after the answer then.
        if !new.is_empty() {
            tracing::info!("a notification service is there");
            self.inbox.show_pending();
            self.due.tell_troubles = true;
        }
    }

    fn clicked(&mut self, id: u32, action: &str) {
        let Some(shown) = self.find(id) else { return };
        match shown.stage {
            Stage::Clicked => return,
            Stage::Open => shown.stage = Stage::Clicked,
            Stage::Closed => {}
        }
        let link = match action {
            "default" => shown.opens.clone(),
            button => {
                button.parse().ok().and_then(|index: usize| shown.buttons.get(index).cloned()).flatten()
            }
        };
        let message = shown.rows.last().copied();
        let activation_token = shown.activation_token.take();
        let wish = match (link, message) {
            (Some(url), Some(message)) => {
                let link = Link { url, message, channel: shown.channel.clone() };
                Wish::OpenLink { link, activation_token }
            }
            _ => match shown.signs_in.clone() {
                Some(channel) => Wish::SignIn { channel, activation_token, answer: None },
                None => Wish::OpenWindow { activation_token, at: message.map(Place::Message) },
            },
        };
        self.wishes.make(wish);
        self.due.close.push(id);
    }
}

impl Shown {
    fn of(popup: &Popup) -> Self {
        let plain = Self { tag: tag(popup), critical: popup.is_critical(), ..Self::plain(popup.rows()) };
        match popup {
            Popup::Message(message) => Self {
                channel: message.channel.clone(),
                opens: message.url.clone(),
                buttons: message.actions.iter().map(|action| action.opens().cloned()).collect(),
                ..plain
            },
            Popup::Summary { more, .. } => Self { counts: *more, ..plain },
        }
    }

    /// One whose click opens the window.
    fn plain(rows: Vec<RowId>) -> Self {
        Self {
            id: 0,
            stage: Stage::Open,
            critical: false,
            counts: false,
            rows,
            channel: String::new(),
            tag: None,
            opens: None,
            signs_in: None,
            buttons: Vec::new(),
            activation_token: None,
        }
    }
}

/// Whether the bus says that the call reached nobody.
fn is_nobody(error: &zbus::Error) -> bool {
    let unknown = |name: &str| {
        ["ServiceUnknown", "NameHasNoOwner"]
            .map(|error| format!("{BUS}.Error.{error}"))
            .contains(&name.to_owned())
    };
    matches!(error, zbus::Error::MethodError(name, _, reply)
        if sender(reply).is_some_and(|sender| sender == BUS) && unknown(name))
}

fn sender(message: &Message) -> Option<UniqueName<'static>> {
    message.header().sender().map(UniqueName::to_owned)
}

/// No message's: the channel without an id is none.
fn trouble_tag(channel: &str) -> (String, String) {
    (String::new(), format!("trouble {channel}"))
}
