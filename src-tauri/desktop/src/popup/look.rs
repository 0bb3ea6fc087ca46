//! What a popup looks like.

use std::path::Path;

use jiff::Zoned;
use notify_rust::{Hint, Notification, Urgency};
use tidings_ground::text::{Room, escaped, fitted, neutral, unreadable, wrapped};
use tidings_inbox::{Action, Does, Message, Popup, RowId, Show, Sound};
use tidings_state::notice::Notice;
use tidings_state::snapshot::Snapshot;
use tidings_state::trouble::{Kind, Trouble};
use tidings_state::{cause, message};
use tidings_words::Words;

use crate::tray::view::clock;

/// Why nothing opened.
pub struct Answer {
    /// What it says.
    pub notice: Notice,
    /// The one that was clicked.
    pub message: Option<RowId>,
}

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

/// What stands on a button: where it leads if nothing is to be seen in its label.
fn label(button: &Action) -> String {
    let label = neutral(&fitted(&button.label, LABEL));
    if label.is_empty() {
        let host = match &button.does {
            Does::Open(url) => url.host_str().unwrap_or_else(|| url.path()).to_owned(),
            Does::Send(request) => request.host(),
            Does::Copy(text) => neutral(&fitted(text, LABEL)),
        };
        return fitted(&host, LABEL);
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
