//! What the tray shows, as data: a projection of the [`Snapshot`]. Tests compare this; `item` draws it.
//!
//! The number and order of the entries depend only on how many channels there are: the tray host's ids stay, many hosts
//! never resize an open menu, and rows that come or go would move others under the pointer. No row is ever hidden: what
//! doesn't apply can't be chosen, or has its row's label changed to what does. A row that shows a message shows it for
//! as long as the menu may be open. Every live fact is an absolute time, so that a menu left open does not become untrue
//! and nothing has to tick.

use jiff::{Timestamp, Zoned};
use tidings_api::Action;
use tidings_channel::{Cause, PeerCheck, Stage, State, Status};
use tidings_ground::text::{Room, capitalised, fitted};
use tidings_inbox::RowId;
use tidings_state::clock::clock;
use tidings_state::notice::Notice;
use tidings_state::snapshot::{ChannelView, Snapshot, timestamp};
use tidings_state::{caught_up, cause};
use tidings_words::Words;

use crate::tray::pause::PauseFor;

/// How many messages `Recent` lists.
pub const RECENT: usize = 5;
/// A menu line is cut to this many characters: hosts don't wrap.
const LINE: usize = 80;
/// The width that the menu has at least, in digits. Too low: a menu that was opened while all was well is too narrow for
/// the cause when a link falls, and GTK's hosts cut it; too high: a wide menu for a few words.
const WIDTH: usize = 54;
/// As wide as a digit, and never trimmed as a space at the end may be.
const FIGURE_SPACE: &str = "\u{2007}";
/// Stands in `Recent` where there is no message yet.
const NO_MESSAGE: &str = "–";
/// A notice takes up to this many lines: its mend stands at its end. As many rows has the submenu that tells notices;
/// more would be blank ones for most.
const NOTICE_LINES: usize = 3;
/// Columns of the menu's width that tell how many more notices there are.
const MORE_NOTICES: usize = 14;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrayView {
    pub shape: Shape,
    /// Adds a dot to the icon.
    pub unread: bool,
    /// What the icon says, in words of our own: a host may show no more of the tooltip, and read it as markup or not.
    pub title: String,
    /// The channels' states and the notices, a line each.
    pub(crate) tooltip: String,
    pub(crate) menu: Vec<Entry>,
    /// What `Recent` lists.
    recent: Places,
}

/// The message that each row of `Recent` shows, by its row in the inbox and its label.
type Places = [Option<(RowId, String)>; RECENT];

/// The icon's shape, from best to worst; the worst of all channels is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    Connected,
    Working,
    Off,
    Replaced,
    Attention,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// Told, not chosen.
    Line {
        label: String,
    },
    Command {
        label: String,
        enabled: bool,
        does: Does,
    },
    Submenu {
        label: String,
        enabled: bool,
        entries: Vec<Entry>,
    },
    Separator,
}

/// What choosing an entry does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Does {
    Act { action: Action, channel: Option<String> },
    OpenMessage(Option<RowId>),
    SignIn { channel: String },
    Pause(PauseFor),
    Resume,
    Quit,
}

impl Shape {
    #[cfg(test)]
    pub(super) const ALL: [Self; 5] =
        [Self::Connected, Self::Working, Self::Off, Self::Replaced, Self::Attention];

    fn of(state: &State) -> Self {
        match state {
            State::Connected { .. } => Self::Connected,
            State::Connecting { .. } | State::Waiting { .. } => Self::Working,
            State::Disconnected { .. } => Self::Off,
            State::Replaced { .. } => Self::Replaced,
            State::NeedsUser { .. } => Self::Attention,
        }
    }
}

impl TrayView {
    /// The view at `now` in the user's time zone (`now` only decides whether a time needs its date).
    pub(crate) fn of(snapshot: &Snapshot, now: &Zoned) -> Self {
        Self::with(snapshot, newest_first(snapshot), now)
    }

    /// The view that follows on this one in a menu that may be open: no message moves away from under the pointer. News
    /// take the rows that are free, and else wait until the menu is opened again.
    pub(crate) fn followed_by(&self, snapshot: &Snapshot, now: &Zoned) -> Self {
        Self::with(snapshot, in_their_places(&self.recent, snapshot), now)
    }

    fn with(snapshot: &Snapshot, recent: Places, now: &Zoned) -> Self {
        let words = snapshot.words;
        let statuses: Vec<Status> = snapshot.channels.iter().map(ChannelView::status).collect();
        let mut menu = channel_entries(snapshot, &statuses, now);
        menu.push(notices_entry(snapshot));
        menu.push(Entry::Separator);
        menu.push(pause_entry(snapshot.paused_until, now, words));
        menu.push(recent_entry(&recent, words));
        menu.push(command(words.tray_open(), true, Does::OpenMessage(None)));
        menu.push(Entry::Separator);
        menu.push(command(words.tray_quit(), true, Does::Quit));
        let (shape, unread) = (shape(snapshot, &statuses), snapshot.unread.total > 0);
        Self {
            shape,
            unread,
            title: title(shape, unread, words),
            tooltip: tooltip(snapshot, &statuses, now),
            menu,
            recent,
        }
    }

    /// Name of the icon in `icons/tray`.
    pub(crate) fn icon_name(&self) -> String {
        icon_name(self.shape, self.unread)
    }
}

pub(super) fn icon_name(shape: Shape, unread: bool) -> String {
    let shape = match shape {
        Shape::Connected => "connected",
        Shape::Working => "working",
        Shape::Off => "off",
        Shape::Replaced => "replaced",
        Shape::Attention => "attention",
    };
    let dot = if unread { "_unread" } else { "" };
    format!("tidings_{shape}{dot}")
}

fn shape(snapshot: &Snapshot, statuses: &[Status]) -> Shape {
    if snapshot.notices.values().any(Notice::asks_for_attention) {
        return Shape::Attention;
    }
    snapshot
        .channels
        .iter()
        .zip(statuses)
        // One that is off by its settings is as it should be.
        .filter(|(channel, status)| channel.enabled || !matches!(status.state, State::Disconnected { .. }))
        .map(|(_, status)| Shape::of(&status.state))
        .max()
        .unwrap_or(Shape::Off)
}

fn channel_entries(snapshot: &Snapshot, statuses: &[Status], now: &Zoned) -> Vec<Entry> {
    let words = snapshot.words;
    match (snapshot.channels.as_slice(), statuses) {
        ([], _) => {
            vec![Entry::Line { label: snapshot.words.tray_no_channel() }]
        }
        ([channel], [status]) => {
            let mut entries = vec![Entry::Line { label: line(&state_line(channel, status, now, words)) }];
            entries.extend(commands(channel, &status.state, words));
            entries
        }
        (channels, statuses) => {
            let mut entries: Vec<Entry> = channels
                .iter()
                .zip(statuses)
                .map(|(channel, status)| Entry::Submenu {
                    label: line(&channel_line(channel, status, now, words)),
                    enabled: true,
                    entries: commands(channel, &status.state, words).into(),
                })
                .collect();
            let all = |action| Does::Act { action, channel: None };
            let off = |status: &Status| matches!(status.state, State::Disconnected { .. });
            entries.push(command(words.action_connect_all(), statuses.iter().any(off), all(Action::Connect)));
            entries.push(command(
                words.action_disconnect_all(),
                !statuses.iter().all(off),
                all(Action::Disconnect),
            ));
            entries
        }
    }
}

/// The two rows of a channel: what connects it in this state, and what disconnects it.
fn commands(channel: &ChannelView, state: &State, words: Words) -> [Entry; 2] {
    let (connects, label, can_connect, can_disconnect) = match state {
        State::Connected { .. } | State::Connecting { .. } => {
            (Action::ReconnectNow, words.action_reconnect_now(), false, true)
        }
        State::Waiting { .. } => (Action::ReconnectNow, words.action_reconnect_now(), true, true),
        State::Disconnected { .. } => (Action::Connect, words.action_connect(), true, false),
        State::Replaced { .. } => (Action::TakeOver, words.action_take_over(), true, false),
        State::NeedsUser { .. } => (Action::Connect, words.action_connect(), true, true),
    };
    let does = |action| Does::Act { action, channel: Some(channel.id.clone()) };
    // What the user is needed for.
    let first = match state {
        State::NeedsUser { .. } if channel.offers_sign_in() => {
            command(words.action_sign_in(), true, Does::SignIn { channel: channel.id.clone() })
        }
        State::NeedsUser { .. }
        | State::Connected { .. }
        | State::Connecting { .. }
        | State::Waiting { .. }
        | State::Disconnected { .. }
        | State::Replaced { .. } => command(label, can_connect, does(connects)),
    };
    [first, command(words.action_disconnect(), can_disconnect, does(Action::Disconnect))]
}

fn pause_entry(paused_until: Option<Timestamp>, now: &Zoned, words: Words) -> Entry {
    let label = match paused_until {
        None => words.tray_pause(),
        Some(until) if until == Timestamp::MAX => words.tray_paused(),
        Some(until) => words.tray_paused_until(&clock(until, now, false, words)),
    };
    let choice = |label, pause| command(label, true, Does::Pause(pause));
    Entry::Submenu {
        label,
        enabled: true,
        entries: vec![
            command(words.tray_resume(), paused_until.is_some(), Does::Resume),
            choice(words.tray_pause_minutes(30), PauseFor::Minutes(30)),
            choice(words.tray_pause_hours(1), PauseFor::Minutes(60)),
            choice(words.tray_pause_morning(), PauseFor::UntilMorning),
            choice(words.tray_pause_on(), PauseFor::UntilResumed),
        ],
    }
}

/// One row that is always there. What it has no room for stands in its submenu, whose rows lead to the window: that tells
/// all of all notices.
fn notices_entry(snapshot: &Snapshot) -> Entry {
    let words = snapshot.words;
    let mut notices: Vec<&Notice> = snapshot.notices.values().collect();
    notices.sort_by_key(|notice| !notice.asks_for_attention());
    let notices: Vec<String> = notices.into_iter().map(|notice| notice.told(words)).collect();
    // No wider than the menu is already.
    let within = |notice, columns| fitted(notice, Room { lines: 1, columns });
    let label = match notices.as_slice() {
        [] => words.tray_no_notice(),
        [only] => within(only, WIDTH),
        [first, more @ ..] => words.tray_notice_and_more(&more.len(), &within(first, WIDTH - MORE_NOTICES)),
    };
    let mut lines: Vec<String> = notices.iter().flat_map(|notice| wrapped(notice)).collect();
    lines.resize(NOTICE_LINES, FIGURE_SPACE.to_owned());
    let entries = lines
        .into_iter()
        .map(|line| {
            let told = line != FIGURE_SPACE;
            command(line, told, Does::OpenMessage(None))
        })
        .collect();
    Entry::Submenu { label, enabled: !notices.is_empty(), entries }
}

/// As a menu lists messages that is opened now.
fn newest_first(snapshot: &Snapshot) -> Places {
    let mut newest = snapshot.recent.iter().map(|message| (message.row, line(&message.title)));
    std::array::from_fn(|_| newest.next())
}

/// As a menu lists messages that is open, and did so as `before`.
fn in_their_places(before: &Places, snapshot: &Snapshot) -> Places {
    let now = newest_first(snapshot);
    // What is older than all of a full list made room for news and is there still; what else is missing was deleted.
    let oldest = now.last().and_then(Option::as_ref).map(|(row, _)| *row);
    let listed = |row: RowId, places: &Places| places.iter().flatten().any(|(other, _)| *other == row);
    let stays = |row: RowId| listed(row, &now) || oldest.is_some_and(|oldest| row < oldest);
    let mut places = before.clone().map(|place| place.filter(|(row, _)| stays(*row)));
    let mut news = now.iter().flatten().filter(|(row, _)| !listed(*row, before)).cloned();
    for place in places.iter_mut().filter(|place| place.is_none()) {
        *place = news.next();
    }
    places
}

fn recent_entry(recent: &Places, words: Words) -> Entry {
    let entries = recent
        .iter()
        .map(|place| match place {
            Some((row, title)) => command(title.clone(), true, Does::OpenMessage(Some(*row))),
            None => command(NO_MESSAGE.to_owned(), false, Does::OpenMessage(None)),
        })
        .collect();
    // The row whose label is always the same gives the menu its width.
    let label = words.tray_recent() + &FIGURE_SPACE.repeat(WIDTH);
    Entry::Submenu { label, enabled: recent.iter().any(Option::is_some), entries }
}

fn title(shape: Shape, unread: bool, words: Words) -> String {
    let state = match shape {
        Shape::Connected => words.tray_title_connected(),
        Shape::Working => words.tray_title_working(),
        Shape::Off => words.tray_title_off(),
        Shape::Replaced => words.tray_title_replaced(),
        Shape::Attention => words.tray_title_attention(),
    };
    if unread { words.tray_title_unread(&state) } else { words.tray_title(&state) }
}

fn tooltip(snapshot: &Snapshot, statuses: &[Status], now: &Zoned) -> String {
    let mut lines: Vec<String> = snapshot
        .channels
        .iter()
        .zip(statuses)
        .map(|(channel, status)| line(&channel_line(channel, status, now, snapshot.words)))
        .collect();
    lines.extend(snapshot.told_notices().flat_map(|text| wrapped(&text)));
    lines.join("\n")
}

fn channel_line(channel: &ChannelView, status: &Status, now: &Zoned, words: Words) -> String {
    words.channel_line(&channel.name, &state_line(channel, status, now, words))
}

/// A channel's state in words, and what of it isn't there.
fn state_line(channel: &ChannelView, status: &Status, now: &Zoned, words: Words) -> String {
    let state = state_words(status, now, words);
    if let Some(gap) = caught_up::report(status).and_then(|told| caught_up::gap(&told, now, words)) {
        return words.state_gap(&gap, &state);
    }
    let left_out = channel.left_out.borrow();
    if matches!(status.state, State::Connected { .. }) && !left_out.is_empty() {
        return words.state_left_out(&state, &left_out.join(", "));
    }
    state
}

/// A channel's state in words, as the menu's status line tells it.
fn state_words(status: &Status, now: &Zoned, words: Words) -> String {
    let clock = |time, seconds| clock(timestamp(time), now, seconds, words);
    match &status.state {
        State::Disconnected { .. } => words.state_disconnected(),
        State::Connecting { stage, .. } => words.state_connecting_stage(&stage_words(*stage, words)),
        State::Connected { since } => match status.peer {
            PeerCheck::CannotBeChecked => words.state_connected_unchecked(&clock(*since, false)),
            PeerCheck::Answers | PeerCheck::Unknown => words.state_connected(&clock(*since, false)),
        },
        // At the start, and when the user asked: nothing is wrong.
        State::Waiting { retry_at, cause: Cause::Local, .. } => {
            words.state_about_to_connect(&clock(*retry_at, true))
        }
        State::Waiting { retry_at, cause, .. } => {
            let cause = cause::told(cause, words);
            let cause = if status.braked { words.cause_braked(&cause) } else { cause };
            words.state_waiting_because(&cause, &clock(*retry_at, true))
        }
        State::Replaced { since } => words.state_replaced(&clock(*since, false)),
        State::NeedsUser { cause, .. } => capitalised(&cause::told(cause, words)),
    }
}

fn stage_words(stage: Stage, words: Words) -> String {
    match stage {
        Stage::Credential => words.stage_credential(),
        Stage::Lookup => words.stage_lookup(),
        Stage::Tcp => words.stage_tcp(),
        Stage::Tls => words.stage_tls(),
        Stage::Upgrade => words.stage_upgrade(),
        Stage::Answer | Stage::Stream => words.stage_answer(),
        Stage::SignIn => words.stage_sign_in(),
        Stage::Subscribe => words.stage_subscribe(),
    }
}

fn command(label: String, enabled: bool, does: Does) -> Entry {
    Entry::Command { label, enabled, does }
}

/// A notice as at most [`NOTICE_LINES`] lines, broken between words.
fn wrapped(notice: &str) -> Vec<String> {
    let notice = tidings_ground::text::shown(notice, usize::MAX, false);
    let mut rest = notice.as_str();
    let mut lines = Vec::new();
    while lines.len() + 1 < NOTICE_LINES
        && let Some((limit, _)) = rest.char_indices().nth(LINE)
    {
        let (one, more) = rest.split_at(rest[..limit].rfind(' ').unwrap_or(limit));
        lines.push(one.to_owned());
        rest = more.trim_start();
    }
    lines.push(line(rest));
    lines
}

/// One line of bounded length from untrusted text.
fn line(text: &str) -> String {
    tidings_ground::text::shown(text, LINE, false)
}

#[cfg(test)]
mod tests;
