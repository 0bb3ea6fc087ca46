//! Popups: what the OS shows for a message.
//!
//! [`Popups`] is the inbox's [`Notifier`]: it only puts what is to be shown into a bounded queue, or on the bus where that
//! can be done at once (`shortcut`). `compose`
//! says what a popup looks like, as a [`notify_rust::Notification`]. `bus` shows it: `notify-rust` opens a
//! bus connection for each popup and adds its match rule after the call, so a click can be missed, GNOME
//! withdraws the popup when that connection ends, and a thousand popups waiting for a click would be a
//! thousand connections. On Linux the very same notification goes over one lasting connection instead.

pub mod bus;
mod shortcut;

use std::path::Path;

use jiff::Zoned;
use notify_rust::{Hint, Notification, Urgency};
use tidings_ground::text::{Room, escaped, fitted, neutral, unreadable, wrapped};
use tidings_inbox::{Action, Inbox, Message, Notifier, Popup, RowId, Show, Sound};
use tidings_state::notice::Notice;
use tidings_state::snapshot::Snapshot;
use tidings_state::trouble::{Kind, Trouble};
use tidings_state::{cause, message};
use tidings_words::Words;
use tokio::sync::mpsc;

use crate::tray::view::clock;
use shortcut::Shortcut;

/// Popups that may wait for the notification service. More than that stay pending in the inbox and are
/// summed up in one popup afterwards. Too low: an honest burst is summed up; too high: a flood is shown.
const QUEUE: usize = 64;
/// What a popup shows of a title and of a body; the inbox has all of it. Services don't agree on what they cut: of
/// those that were tried six fill the screen with lines, and put the buttons below its edge. Too low: one has to look
/// into the inbox; too high: one popup hides the others, and what one works at.
const TITLE: Room = Room { lines: 1, columns: 80 };
const BODY: Room = Room { lines: 6, columns: 240 };
/// Columns of a line where the service breaks none: more of them than a screen has push the beginning off it.
const LINE: usize = 60;
/// Buttons that a popup shows at most, and what of a label: services put them in a row, as wide as it takes.
const BUTTONS: usize = 3;
const LABEL: Room = Room { lines: 1, columns: 24 };
/// Answers to clicks that may wait. More than that are of a button that jams.
const ANSWERS: usize = 8;

/// What the inbox hands popups to.
pub struct Popups {
    shortcut: Shortcut,
    queue: mpsc::Sender<Popup>,
    overflow: mpsc::UnboundedSender<Vec<RowId>>,
}

/// What says in a popup what a click could not do.
pub struct Answers(mpsc::Sender<Answer>);

/// Why nothing opened.
pub struct Answer {
    /// What it says.
    pub notice: Notice,
    /// The one that was clicked.
    pub message: Option<RowId>,
}

/// What comes out at the other end.
pub struct Queue {
    /// From the main loop.
    pub answers: mpsc::Receiver<Answer>,
    /// From the inbox.
    pub popups: mpsc::Receiver<Popup>,
    /// Rows whose popup found no room.
    pub(crate) overflow: mpsc::UnboundedReceiver<Vec<RowId>>,
    shortcut: Shortcut,
}

impl Queue {
    /// Leaves what comes to the inbox, which shows it when it is asked to; for as long as nobody else takes it.
    pub async fn leave(&mut self, inbox: &Inbox) {
        loop {
            tokio::select! {
                Some(popup) = self.popups.recv() => inbox.not_shown(popup.rows()),
                Some(rows) = self.overflow.recv() => inbox.not_shown(rows),
                // Nobody is there to see why a click opened nothing.
                Some(_) = self.answers.recv() => {}
                else => std::future::pending().await,
            }
        }
    }
}

impl Popups {
    /// The inbox's end, the main loop's, and what the popups' task takes from both.
    pub fn new() -> (Self, Answers, Queue) {
        let (queue, popups) = mpsc::channel(QUEUE);
        let (overflow, overflowed) = mpsc::unbounded_channel();
        let (answers, answered) = mpsc::channel(ANSWERS);
        let shortcut = Shortcut::default();
        (
            Self { shortcut: shortcut.clone(), queue, overflow },
            Answers(answers),
            Queue { answers: answered, popups, overflow: overflowed, shortcut },
        )
    }
}

impl Answers {
    /// Shows it soon, unless more wait than anybody clicks.
    pub fn give(&self, answer: Answer) {
        // Without a desktop nobody clicks, and where eight wait one more says nothing new.
        let _ = self.0.try_send(answer);
    }
}

impl Notifier for Popups {
    fn show(&mut self, popup: Popup) {
        self.shortcut.show(popup, |popup| {
            if let Err(error) = self.queue.try_send(popup) {
                // With no one left at the other end the agent is ending: the rows are pending at the next start.
                let _ = self.overflow.send(error.into_inner().rows());
            }
        });
    }
}

/// What the notification service can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// The body is read as markup.
    pub markup: bool,
    /// Buttons and clicks are reported.
    pub(crate) actions: bool,
    /// Titles and bodies are unescaped first and read as markup then, so that an escape hides nothing. No capability
    /// tells that; fnott alone is known for it.
    pub(crate) unescapes: bool,
    /// Lines are as long as they come. Nor does a capability tell that, and fnott is known for it as well.
    pub(crate) unwrapped: bool,
}

/// The popup as the desktop's notification.
pub(crate) fn compose(popup: &Popup, snapshot: &Snapshot, can: Abilities, icon: &Path) -> Notification {
    let words = snapshot.words;
    let (title, body, buttons, alert) = match popup {
        Popup::Message(message) => {
            let (name, show) = channel(snapshot, &message.channel);
            let (title, body) = told(message, name, show, words);
            let buttons = if show == Show::Full { message.actions.as_slice() } else { &[] };
            (title, body, buttons, message)
        }
        Popup::Summary { count, newest, channels, more, .. } => {
            let (name, show) = channel(snapshot, &newest.channel);
            let title = match (channels.as_slice(), more) {
                ([_], false) => words.popup_summary_of_channel(&name, *count),
                ([_], true) => words.popup_more_of_channel(&name, *count),
                (_, false) => words.popup_summary(*count),
                (_, true) => words.popup_more(*count),
            };
            let (newest_title, _) = told(newest, name, show, words);
            (title, newest_title, &[][..], newest)
        }
    };
    let mut notification = blank(&title, &body, can, icon);
    notification.hint(Hint::Category("im.received".to_owned())).urgency(match alert.urgency {
        tidings_inbox::Urgency::Low => Urgency::Low,
        tidings_inbox::Urgency::Normal => Urgency::Normal,
        tidings_inbox::Urgency::Critical => Urgency::Critical,
    });
    match &alert.sound {
        Sound::Usual => {}
        Sound::Off => {
            notification.hint(Hint::SuppressSound(true));
        }
        Sound::Named(name) => {
            notification.hint(Hint::SoundName(name.clone()));
        }
    }
    if can.actions {
        notification.action("default", &words.popup_open());
        for (index, button) in buttons.iter().take(BUTTONS).enumerate() {
            notification.action(&index.to_string(), &label(button));
        }
    }
    notification
}

/// The popup that tells of a channel itself.
pub(crate) fn compose_trouble(
    channel: &str,
    trouble: &Trouble,
    snapshot: &Snapshot,
    can: Abilities,
    icon: &Path,
) -> Notification {
    let words = snapshot.words;
    let name = snapshot.channels.iter().find(|view| view.id == channel).map_or(channel, |view| &view.name);
    let cause = trouble.cause.as_ref().map(|cause| cause::told(cause, words));
    let (title, body) = match trouble.kind {
        Kind::Down => {
            let since = clock(trouble.since, &Zoned::now(), false, words);
            let body = match cause {
                Some(cause) => words.popup_down_since_because(&cause, &since),
                None => words.popup_down_since(&since),
            };
            (words.popup_down(&name), body)
        }
        Kind::NeedsUser => (words.popup_needs_user(&name), cause.unwrap_or_default()),
    };
    let mut notification = blank(&title, &body, can, icon);
    notification.hint(Hint::Category("network.error".to_owned())).urgency(Urgency::Normal);
    if can.actions {
        notification.action("default", &words.popup_open());
    }
    notification
}

/// The popup that answers a click which could not do what it should.
pub(crate) fn compose_answer(
    answer: &Answer,
    snapshot: &Snapshot,
    can: Abilities,
    icon: &Path,
) -> Notification {
    let words = snapshot.words;
    let mut notification = blank(&words.popup_not_opened(), &answer.notice.told(words), can, icon);
    notification.urgency(Urgency::Normal);
    if can.actions {
        notification.action("default", &words.popup_open());
    }
    notification
}

/// What stands on a button: the link's host where nothing is to be seen in its label.
fn label(button: &Action) -> String {
    let label = neutral(&fitted(&button.label, LABEL));
    if label.is_empty() {
        return fitted(button.url.host_str().unwrap_or_else(|| button.url.path()), LABEL);
    }
    label
}

/// With what all popups have.
fn blank(title: &str, body: &str, can: Abilities, icon: &Path) -> Notification {
    let mut title = fitted(title, TITLE);
    if title.is_empty() {
        // Nothing of it may be shown, and a service may refuse a popup without one.
        title = "Tidings".to_owned();
    }
    let mut body = fitted(body, BODY);
    if can.unwrapped {
        body = wrapped(&body, LINE);
    }
    if can.unescapes {
        (title, body) = (unreadable(&title), unreadable(&body));
    }
    let mut notification = Notification::new();
    notification
        .appname("Tidings")
        .icon(&icon.to_string_lossy())
        .summary(&title)
        .body(&if can.markup { escaped(&body) } else { body })
        .hint(Hint::DesktopEntry("tidings".to_owned()));
    notification
}

/// A channel's name, and how much of its messages a popup may tell. Of a channel that is gone from the
/// settings nothing is told: it may have been a private one.
fn channel<'a>(snapshot: &'a Snapshot, id: &'a str) -> (&'a str, Show) {
    snapshot
        .channels
        .iter()
        .find(|channel| channel.id == id)
        .map_or((id, Show::Nothing), |channel| (&channel.name, channel.show))
}

fn told(message: &Message, name: &str, show: Show, words: Words) -> (String, String) {
    match show {
        Show::Full => (message.title.clone(), message::body(message, words)),
        Show::Title => (message.title.clone(), String::new()),
        Show::Nothing => (name.to_owned(), words.popup_new_message()),
    }
}
