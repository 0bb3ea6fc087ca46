//! What a popup looks like.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Zoned;
use notify_rust::{Hint, Notification, Urgency};
use tidings_channel::{State, needs_a_person};
use tidings_ground::text::{
    Room, capitalised, escaped, fitted, fitted_pieces, neutral, unreadable, wrapped_pieces,
};
use tidings_inbox::{Action, Does, Format, Message, Popup, RowId, Show, Sound};
use tidings_markdown::{Piece, Style};
use tidings_picture::Shelf;
use tidings_state::notice::Notice;
use tidings_state::snapshot::{ChannelView, Snapshot};
use tidings_state::trouble::{Kind, Trouble};
use tidings_state::{cause, mend, message};
use tidings_words::Words;

use tidings_state::clock::clock;

/// Why nothing opened.
pub struct Answer {
    /// What it says.
    pub notice: Notice,
    /// The one that was clicked.
    pub message: Option<RowId>,
}

/// The pictures in popups.
#[derive(Debug, Clone)]
pub struct Art {
    /// The file of Tidings' own icon.
    pub icon: PathBuf,
    /// Those of messages.
    pub pictures: Shelf,
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
/// Characters of an address that stands behind a link's text. Too low: one doesn't see where it leads; too high: it pushes
/// the text out of the popup.
const ADDRESS: usize = 60;

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
pub(crate) fn compose(popup: &Popup, snapshot: &Snapshot, can: Abilities, art: &Art) -> Notification {
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
            (title, unmarked(newest_title), &[][..], newest)
        }
    };
    let mut notification = blank(&title, &body, can, &art.icon);
    if let Popup::Message(message) = popup
        && let Some(picture) = picture(message, snapshot, &art.pictures)
    {
        notification.hint(Hint::ImagePath(picture));
    }
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

/// Whether a sign-in is what a channel needs.
pub(crate) fn signs_in(channel: &str, trouble: &Trouble, snapshot: &Snapshot) -> bool {
    let needs_user =
        |view: &ChannelView| trouble.needs_user || matches!(view.status().state, State::NeedsUser { .. });
    let mut views = snapshot.channels.iter();
    views.any(|view| view.id == channel && view.offers_sign_in() && needs_user(view))
}

/// The popup that tells of a channel itself.
pub(crate) fn compose_trouble(
    channel: &str,
    trouble: &Trouble,
    snapshot: &Snapshot,
    can: Abilities,
    art: &Art,
) -> Notification {
    let words = snapshot.words;
    let view = snapshot.channels.iter().find(|view| view.id == channel);
    let name = view.map_or(channel, |view| &view.name);
    let cause = trouble.cause.as_ref().map(|cause| cause::told(cause, words));
    let (title, why) = match trouble.kind {
        Kind::Down => {
            let since = clock(trouble.since, &Zoned::now(), false, words);
            let why = match cause {
                Some(cause) if trouble.cause.as_ref().is_some_and(needs_a_person) => {
                    words.popup_down_since_needing(&cause, &since)
                }
                Some(cause) => words.popup_down_since_because(&cause, &since),
                None => words.popup_down_since(&since),
            };
            (words.popup_down(&name), why)
        }
        Kind::NeedsUser => (words.popup_needs_user(&name), capitalised(&cause.unwrap_or_default())),
    };
    let mend = view.zip(trouble.cause.as_ref()).and_then(|(view, cause)| mend::of_users(cause, view, words));
    let body =
        [Some(why), mend.as_deref().map(capitalised)].into_iter().flatten().collect::<Vec<_>>().join("\n");
    let mut notification = blank(&title, &unmarked(body), can, &art.icon);
    notification.hint(Hint::Category("network.error".to_owned())).urgency(Urgency::Normal);
    if can.actions {
        let does =
            if signs_in(channel, trouble, snapshot) { words.action_sign_in() } else { words.popup_open() };
        notification.action("default", &does);
    }
    notification
}

/// The popup that answers a click which could not do what it should.
pub(crate) fn compose_answer(
    answer: &Answer,
    snapshot: &Snapshot,
    can: Abilities,
    art: &Art,
) -> Notification {
    let words = snapshot.words;
    let mut notification =
        blank(&words.popup_not_opened(), &unmarked(answer.notice.told(words)), can, &art.icon);
    notification.urgency(Urgency::Normal);
    if can.actions {
        notification.action("default", &words.popup_open());
    }
    notification
}

/// The picture that is here for a message, or its icon. A service that can't show one reads the hint away.
fn picture(message: &Message, snapshot: &Snapshot, pictures: &Shelf) -> Option<String> {
    let (_, show) = channel(snapshot, &message.channel);
    let name = match show {
        Show::Full => pictures.picture_of(message).or_else(|| pictures.icon_of(message))?,
        Show::Title | Show::Nothing => return None,
    };
    pictures.address(&name).map(String::from)
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
fn blank(title: &str, body: &[Piece], can: Abilities, icon: &Path) -> Notification {
    let mut title = fitted(title, TITLE);
    if title.is_empty() {
        // Nothing of it may be shown, and a service may refuse a popup without one.
        title = "Tidings".to_owned();
    }
    let mut body = fitted_pieces(body, BODY);
    if can.unwrapped {
        body = wrapped_pieces(&body, LINE);
    }
    if can.unescapes {
        title = unreadable(&title);
        body = body.into_iter().map(|(text, style)| (unreadable(&text), style)).collect();
    }
    let mut notification = Notification::new();
    notification
        .appname("Tidings")
        .icon(&icon.to_string_lossy())
        .summary(&title)
        .body(&if can.markup { marked(&body) } else { body.into_iter().map(|(text, _)| text).collect() })
        .hint(Hint::DesktopEntry("tidings".to_owned()));
    notification
}

/// The body as markup. Each piece has all of its tags around it, so that they are closed wherever the text was cut; and there
/// are no other tags than those three, since some services show a body as it is that has any (a link is one for two of them).
fn marked(body: &[Piece]) -> String {
    let mut out = String::new();
    for (text, style) in body {
        let tags = [(style.bold, "b"), (style.italic, "i"), (style.underlined, "u")];
        let tags = tags.into_iter().filter_map(|(set, tag)| set.then_some(tag));
        for tag in tags.clone() {
            let _ = write!(out, "<{tag}>");
        }
        out.push_str(&escaped(text));
        for tag in tags.rev() {
            let _ = write!(out, "</{tag}>");
        }
    }
    out
}

fn unmarked(text: String) -> Vec<Piece> {
    vec![(text, Style::default())]
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

fn told(message: &Message, name: &str, show: Show, words: Words) -> (String, Vec<Piece>) {
    match show {
        Show::Full => {
            let read = match message.format {
                Format::Markdown => tidings_markdown::pieces(&message.body, ADDRESS),
                Format::Plain => None,
            };
            (message.title.clone(), read.unwrap_or_else(|| unmarked(message::body(message, words))))
        }
        Show::Title => (message.title.clone(), Vec::new()),
        Show::Nothing => (name.to_owned(), unmarked(words.popup_new_message())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text of a markup, if all of it is well-formed and has no other tags than those three.
    fn read(markup: &str) -> Result<String, String> {
        let mut open: Vec<&str> = Vec::new();
        let mut text = String::new();
        let mut rest = markup;
        while let Some(first) = rest.chars().next() {
            let end = match first {
                '<' => rest.find('>').ok_or("a tag without an end")?,
                '&' => rest.find(';').ok_or("an entity without an end")?,
                _ => first.len_utf8() - 1,
            };
            let (part, after) = rest.split_at(end + 1);
            rest = after;
            match part {
                "<b>" | "<i>" | "<u>" => open.push(&part[1..2]),
                "</b>" | "</i>" | "</u>" if open.pop() == Some(&part[2..3]) => {}
                "&amp;" => text.push('&'),
                "&lt;" => text.push('<'),
                "&gt;" => text.push('>'),
                part if first != '<' && first != '&' && first != '>' => text.push_str(part),
                part => return Err(format!("{part:?} in {markup:?}")),
            }
        }
        if open.is_empty() { Ok(text) } else { Err(format!("{open:?} are open in {markup:?}")) }
    }

    fn body(source: &str, can: Abilities) -> String {
        let pieces = tidings_markdown::pieces(source, ADDRESS).unwrap_or_else(|| unmarked(source.to_owned()));
        blank("title", &pieces, can, Path::new("icon")).body
    }

    const MARKUP: Abilities = Abilities { markup: true, actions: true, unescapes: false, unwrapped: false };
    const FNOTT: Abilities = Abilities { markup: true, actions: true, unescapes: true, unwrapped: true };

    #[test]
    fn a_cut_closes_what_it_cuts() {
        let told = body(&format!("***{}***", "word ".repeat(100).trim()), MARKUP);
        assert!(told.starts_with("<b><i>word") && told.ends_with("word…</i></b>"), "{told}");
    }

    proptest! {
        #[test]
        fn markup_is_well_formed_and_its_text_is_that_of_no_markup(
            parts in prop::collection::vec(prop::sample::select(vec![
                "word", " ", "\n", "\n\n", "*", "**", "_", "~~", "`", "> ", "\n- ", "\n1. ", "# ", "[", "](https://x.example/?a&b)", "<b>",
                "</b>", "</u>", "<", ">", "&", "&lt;", "&#60;", "&amp;lt;", "\\", "&#39;", "'", "新", "<!--", "\u{2060}", "<a href='x'>",
            ]), 0..150)
        ) {
            let source = parts.concat();
            let text = body(&source, Abilities::default());
            prop_assert_eq!(read(&body(&source, MARKUP)), Ok(text.clone()));
            // What undoes escapes first finds the tags that we set, and no other.
            let unescaped = body(&source, FNOTT).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let bare = ["b", "i", "u"].iter().fold(unescaped, |text, tag| {
                text.replace(&format!("<{tag}>"), "").replace(&format!("</{tag}>"), "")
            });
            let bare = bare.replace("<\u{2060}", "‹").replace("&\u{2060}", "+");
            prop_assert!(!bare.contains('<') && !bare.contains('&'), "{}", bare);
        }
    }
}
