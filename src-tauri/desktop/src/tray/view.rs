//! What the tray shows, as data: a projection of the [`Snapshot`]. Tests compare this; `item` draws it.
//!
//! The number and order of the entries depend only on how many channels there are: the tray host's ids stay, many hosts
//! never resize an open menu, and rows that come or go would move others under the pointer. No row is ever hidden: what
//! doesn't apply can't be chosen, or has its row's label changed to what does. A row that shows a message shows it for
//! as long as the menu may be open. Every live fact is an absolute time, so that a menu left open does not become untrue
//! and nothing has to tick.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tidings_api::Action;
use tidings_channel::{Cause, PeerCheck, Stage, State, Status};
use tidings_ground::text::{Room, fitted};
use tidings_inbox::RowId;
use tidings_state::cause;
use tidings_state::notice::Notice;
use tidings_state::snapshot::{ChannelView, Snapshot, timestamp};
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
            let mut entries = vec![Entry::Line { label: line(&state_words(status, now, words)) }];
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
    [
        command(label, can_connect, does(connects)),
        command(words.action_disconnect(), can_disconnect, does(Action::Disconnect)),
    ]
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
    words.channel_line(&channel.name, &state_words(status, now, words))
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
    }
}

/// A time of day; with its date when that is not today's.
pub(crate) fn clock(time: Timestamp, now: &Zoned, seconds: bool, words: Words) -> String {
    let zone: TimeZone = now.time_zone().clone();
    let local = time.to_zoned(zone);
    let time = if seconds { local.strftime("%H:%M:%S") } else { local.strftime("%H:%M") };
    if local.date() == now.date() {
        time.to_string()
    } else {
        format!("{} {time}", local.strftime(&words.date_format()))
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

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, SystemTime};

    use proptest::prelude::*;
    use tidings_channel::CloseInfo;
    use tidings_inbox::{ChannelProfile, Message, Payload, Show, decode};
    use tokio::sync::watch;

    use super::*;
    use tidings_state::notice::WindowError;
    use tidings_state::notice::{Notice, Source};

    /// 2026-03-01 14:02:31 UTC.
    const NOON: u64 = 1_772_373_751;

    fn now() -> Zoned {
        Timestamp::from_second(NOON as i64).unwrap().to_zoned(TimeZone::UTC)
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn channel(name: &str, state: State) -> ChannelView {
        let status = Status {
            state,
            generation: 1,
            links_opened: 1,
            links_closed: 0,
            last_close: None,
            rtt: None,
            last_inbound: None,
            route: None,
            peer: PeerCheck::Unknown,
            persistent: false,
            idle_limit: None,
            braked: false,
        };
        ChannelView {
            id: name.to_lowercase(),
            name: name.to_owned(),
            url: "wss://shop.example/ws/user-channel".to_owned(),
            enabled: true,
            show: Show::Full,
            status: watch::channel(status).1,
            dropped: watch::channel(BTreeMap::new()).1,
            since: Timestamp::UNIX_EPOCH,
        }
    }

    fn wrong() -> Notice {
        Notice::Window(WindowError::Failed((&std::io::Error::from(std::io::ErrorKind::StorageFull)).into()))
    }

    fn message(number: usize) -> Message {
        let payload = Payload::Text("news".to_owned());
        let mut message =
            decode(&ChannelProfile::new("a", "A"), payload, Timestamp::UNIX_EPOCH).messages.remove(0);
        message.row = RowId(number as i64);
        message.title = format!("message {number}");
        message
    }

    fn view(channels: Vec<ChannelView>) -> TrayView {
        TrayView::of(&Snapshot { channels, ..Snapshot::default() }, &now())
    }

    fn restarting() -> Cause {
        Cause::Closed(CloseInfo { code: 1012, reason: String::new() })
    }

    fn every_state() -> Vec<(State, Shape, &'static str, &'static [&'static str])> {
        let since = at(NOON - 60);
        vec![
            (State::Connected { since }, Shape::Connected, "Connected since 14:01", &["Disconnect"]),
            (
                State::Connecting { attempt: 1, stage: Stage::Tls },
                Shape::Working,
                "Connecting (TLS)",
                &["Disconnect"],
            ),
            (
                State::Waiting { retry_at: at(NOON), attempt: 2, cause: restarting() },
                Shape::Working,
                "Reconnecting at 14:02:31: server restarting (1012)",
                &["Reconnect now", "Disconnect"],
            ),
            (
                State::Waiting { retry_at: at(NOON), attempt: 0, cause: Cause::Local },
                Shape::Working,
                "Connecting at 14:02:31",
                &["Reconnect now", "Disconnect"],
            ),
            (State::Disconnected { since }, Shape::Off, "Disconnected", &["Connect"]),
            (
                State::Replaced { since },
                Shape::Replaced,
                "Replaced by another tab or device since 14:01",
                &["Take over here"],
            ),
            (
                State::NeedsUser { cause: Cause::SignInRefused { status: 401 }, retry_at: at(NOON) },
                Shape::Attention,
                "Sign-in refused (401)",
                &["Connect", "Disconnect"],
            ),
        ]
    }

    fn in_chinese(channels: Vec<ChannelView>) -> TrayView {
        let words = Words::of(tidings_words::Language::SimplifiedChinese);
        TrayView::of(&Snapshot { channels, words, ..Snapshot::default() }, &now())
    }

    #[test]
    fn in_chinese_each_state_has_its_line_and_commands() {
        let expected: [(&str, &[&str]); 7] = [
            ("已连接（自 14:01 起）", &["断开连接"]),
            ("正在连接（TLS）", &["断开连接"]),
            ("将于 14:02:31 重新连接：服务器正在重启 (1012)", &["立即重新连接", "断开连接"]),
            ("将于 14:02:31 连接", &["立即重新连接", "断开连接"]),
            ("已断开", &["连接"]),
            ("已被其他标签页或设备接管（自 14:01 起）", &["在此处接管"]),
            ("登录被拒绝 (401)", &["连接", "断开连接"]),
        ];
        for ((state, ..), (line, commands)) in every_state().into_iter().zip(expected) {
            let view = in_chinese(vec![channel("订单", state.clone())]);
            assert_eq!(view.menu[0], Entry::Line { label: line.to_owned() });
            assert_eq!(commands_to_choose(&view.menu), commands, "{line}");
            assert_eq!(view.tooltip, format!("订单：{line}"));
        }
    }

    #[test]
    fn in_chinese_nothing_of_the_menu_is_english_and_dates_are_chinese() {
        fn labels(entries: &[Entry]) -> Vec<&str> {
            let labels = entries.iter().map(|entry| match entry {
                Entry::Line { label, .. } | Entry::Command { label, .. } => vec![label.as_str()],
                Entry::Submenu { label, entries, .. } => [vec![label.as_str()], labels(entries)].concat(),
                Entry::Separator => Vec::new(),
            });
            labels.flatten().filter(|label| !label.is_empty()).collect()
        }
        let yesterday = channel("甲", State::Connected { since: at(NOON - 24 * 3600) });
        let view = in_chinese(vec![yesterday, channel("乙", State::Disconnected { since: at(0) })]);
        let told = labels(&view.menu);
        assert_eq!(told[0], "甲：已连接（自 2月28日 14:02 起）");
        let english = told
            .iter()
            .filter(|label| label.replace("Tidings", "").chars().any(|letter| letter.is_ascii_alphabetic()));
        assert_eq!(english.collect::<Vec<_>>(), Vec::<&&str>::new());
        assert_eq!(
            view.menu.len(),
            self::view(vec![channel("A", State::Disconnected { since: at(0) }); 2]).menu.len()
        );
    }

    fn commands_to_choose(entries: &[Entry]) -> Vec<&str> {
        let commands = entries.iter().filter_map(|entry| match entry {
            Entry::Command { label, enabled: true, does: Does::Act { .. } } => Some(label.as_str()),
            Entry::Command { .. } | Entry::Line { .. } | Entry::Submenu { .. } | Entry::Separator => None,
        });
        commands.collect()
    }

    #[test]
    fn one_channel_has_its_line_and_commands_at_the_top_level_in_every_state() {
        for (state, shape, line, commands) in every_state() {
            let view = view(vec![channel("Orders", state)]);
            assert_eq!(view.shape, shape);
            assert_eq!(view.menu[0], Entry::Line { label: line.to_owned() });
            assert_eq!(commands_to_choose(&view.menu), commands, "{line}");
        }
    }

    #[test]
    fn several_channels_have_a_submenu_each_and_commands_for_all() {
        let states = every_state();
        let channels = states.iter().map(|(state, ..)| channel("Orders", state.clone())).collect();
        let view = view(channels);
        for ((_, _, line, commands), entry) in states.iter().zip(&view.menu) {
            let Entry::Submenu { label, enabled: true, entries } = entry else { panic!("{entry:?}") };
            assert_eq!(*label, format!("Orders: {line}"));
            assert_eq!(commands_to_choose(entries), *commands);
        }
        assert_eq!(commands_to_choose(&view.menu), ["Connect all", "Disconnect all"]);
    }

    #[test]
    fn the_icon_shows_the_worst_of_all_states() {
        let states = every_state();
        let order = [Shape::Connected, Shape::Working, Shape::Off, Shape::Replaced, Shape::Attention];
        for better in &states {
            for worse in &states {
                let both = view(vec![channel("A", better.0.clone()), channel("B", worse.0.clone())]);
                let place = |shape| order.iter().position(|known| *known == shape);
                assert_eq!(place(both.shape), place(better.1).max(place(worse.1)));
            }
        }
    }

    #[test]
    fn a_channel_that_is_off_by_its_settings_does_not_darken_the_icon() {
        let mut off = channel("Off", State::Disconnected { since: at(0) });
        off.enabled = false;
        let on = channel("On", State::Connected { since: at(0) });
        assert_eq!(view(vec![off, on]).shape, Shape::Connected);
    }

    /// The kinds of all rows, and the labels of none: what a host must lay out anew when it changes.
    fn rows(entries: &[Entry]) -> String {
        let kinds = entries.iter().map(|entry| match entry {
            Entry::Line { .. } => "line".to_owned(),
            Entry::Command { label, .. } => if label.is_empty() { "none" } else { "command" }.to_owned(),
            Entry::Submenu { entries, .. } => format!("({})", rows(entries)),
            Entry::Separator => "separator".to_owned(),
        });
        kinds.collect::<Vec<_>>().join(" ")
    }

    fn notices() -> impl Strategy<Value = BTreeMap<Source, Notice>> {
        let text = prop_oneof![Just(String::new()), "[a-z ]{0,300}", "[消息]{0,200}", "\\PC{0,40}"];
        let sources = [
            Source::Settings,
            Source::Inbox,
            Source::Remembered,
            Source::Window,
            Source::Link,
            Source::Crash,
        ];
        let notice = text.prop_map(|why| Notice::Window(WindowError::Missing(why.into())));
        prop::collection::btree_map(prop::sample::select(sources.to_vec()), notice, 0..=sources.len())
    }

    /// Whatever these channels may show while a menu is open.
    fn snapshots(channels: usize) -> impl Strategy<Value = Snapshot> {
        let states: Vec<State> = every_state().into_iter().map(|(state, ..)| state).collect();
        let states = prop::collection::vec(prop::sample::select(states), channels);
        let recent = prop::collection::btree_set(1..9_usize, 0..=RECENT);
        let until = [None, Some(Timestamp::from_second(9).unwrap()), Some(Timestamp::MAX)];
        let language = prop::sample::select(tidings_words::Language::ALL.to_vec());
        (states, recent, prop::sample::select(until.to_vec()), notices(), language, 0..3_u64).prop_map(
            |(states, recent, paused_until, notices, language, unread)| {
                let mut snapshot = Snapshot {
                    channels: states.into_iter().map(|state| channel("A", state)).collect(),
                    recent: recent.into_iter().rev().map(message).collect(),
                    paused_until,
                    notices,
                    words: Words::of(language),
                    ..Snapshot::default()
                };
                snapshot.unread.total = unread;
                snapshot
            },
        )
    }

    fn recent(view: &TrayView) -> Vec<&str> {
        let listed = view.menu.iter().find_map(|entry| match entry {
            Entry::Submenu { label, entries, .. } if label.ends_with(FIGURE_SPACE) => Some(entries),
            Entry::Line { .. } | Entry::Command { .. } | Entry::Submenu { .. } | Entry::Separator => None,
        });
        let labels = listed.unwrap().iter().map(|entry| match entry {
            Entry::Command { label, .. } => label.as_str(),
            Entry::Line { .. } | Entry::Submenu { .. } | Entry::Separator => panic!("{entry:?}"),
        });
        labels.collect()
    }

    proptest! {
        #[test]
        fn an_open_menu_keeps_its_rows_whatever_happens(
            (first, next) in (0..=3_usize).prop_flat_map(|channels| (snapshots(channels), snapshots(channels)))
        ) {
            let open = TrayView::of(&first, &now());
            let told = rows(&open.menu);
            prop_assert!(!told.contains("none"), "a row without a label: {told}");
            prop_assert_eq!(&rows(&TrayView::of(&next, &now()).menu), &told);
            prop_assert_eq!(&rows(&open.followed_by(&next, &now()).menu), &told);
        }

        #[test]
        fn no_message_moves_in_an_open_menu(seen in prop::collection::vec(snapshots(1), 1..6)) {
            let mut view = TrayView::of(&seen[0], &now());
            for next in &seen[1..] {
                let after = view.followed_by(next, &now());
                for (before, after) in recent(&view).into_iter().zip(recent(&after)) {
                    let listed = next.recent.iter().any(|message| message.title == before);
                    prop_assert!(before == after || !listed, "{before} became {after}");
                }
                let mut once: Vec<&str> = recent(&after);
                once.retain(|label| *label != NO_MESSAGE);
                once.sort_unstable();
                let rows = once.len();
                once.dedup();
                prop_assert_eq!(once.len(), rows, "a message is listed twice");
                view = after;
            }
        }
    }

    #[test]
    fn news_take_the_free_rows_of_an_open_menu_and_wait_where_none_is_free() {
        let of = |numbers: std::ops::RangeInclusive<usize>| Snapshot {
            channels: vec![channel("A", State::Connected { since: at(0) })],
            recent: numbers.rev().map(message).take(RECENT).collect(),
            ..Snapshot::default()
        };
        let title = |number| if number == 0 { "–".to_owned() } else { format!("message {number}") };
        let listed = |view: &TrayView, numbers: [usize; RECENT]| {
            assert_eq!(recent(view), numbers.map(title));
        };
        let mut view = TrayView::of(&of(1..=3), &now());
        listed(&view, [3, 2, 1, 0, 0]);
        view = view.followed_by(&of(1..=4), &now());
        listed(&view, [3, 2, 1, 4, 0]);
        view = view.followed_by(&of(1..=7), &now());
        listed(&view, [3, 2, 1, 4, 7]);
        view = view.followed_by(&of(2..=8), &now());
        listed(&view, [3, 2, 1, 4, 7]);
        listed(&TrayView::of(&of(2..=8), &now()), [8, 7, 6, 5, 4]);
        // The user deletes all but these.
        listed(&view.followed_by(&of(2..=3), &now()), [3, 2, 0, 0, 0]);
    }

    #[test]
    fn a_notice_has_a_row_in_the_menu_and_all_of_it_stands_in_the_submenu() {
        let mut snapshot = Snapshot::default();
        let row = |snapshot: &Snapshot| match TrayView::of(snapshot, &now()).menu.swap_remove(1) {
            Entry::Submenu { label, enabled, entries } => {
                let lines = entries.into_iter().map(|entry| match entry {
                    Entry::Command { label, enabled, .. } => {
                        assert_eq!(enabled, label != FIGURE_SPACE);
                        label
                    }
                    Entry::Line { .. } | Entry::Submenu { .. } | Entry::Separator => panic!("{entry:?}"),
                });
                (label, enabled, lines.collect::<Vec<_>>().join(" ").trim_end().to_owned())
            }
            other @ (Entry::Line { .. } | Entry::Command { .. } | Entry::Separator) => panic!("{other:?}"),
        };
        assert_eq!(row(&snapshot), ("No notices".to_owned(), false, String::new()));
        let why = "no room is left for anything ".repeat(4);
        let link = Notice::Crashed { report: "crash.txt".into(), now: false };
        let window = Notice::Window(WindowError::Missing(why.trim().into()));
        snapshot.notices.insert(Source::Window, window.clone());
        let (label, enabled, lines) = row(&snapshot);
        assert!(enabled && label.ends_with('…'), "{label}");
        assert_eq!(lines, window.told(Words::default()));
        // What asks for attention comes first.
        snapshot.notices.insert(Source::Settings, link);
        let (both, _, lines_of_both) = row(&snapshot);
        assert!(both.starts_with(&label[..20]) && both.ends_with("… (and 1 more)"), "{both}");
        assert!(lines_of_both.starts_with(&lines), "{lines_of_both}");
    }

    #[test]
    fn a_menu_opened_while_all_is_well_is_wide_enough_for_the_cause_of_a_fall() {
        let columns = |text: &str| text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
        let widest = |view: &TrayView| {
            let labels = view.menu.iter().map(|entry| match entry {
                Entry::Line { label, .. } | Entry::Command { label, .. } | Entry::Submenu { label, .. } => {
                    columns(&label.replace(FIGURE_SPACE, "0"))
                }
                Entry::Separator => 0,
            });
            labels.max().unwrap_or_default()
        };
        for of in [view, in_chinese] {
            let well = widest(&of(vec![channel("A", every_state()[0].0.clone())]));
            for (state, ..) in every_state() {
                assert!(widest(&of(vec![channel("A", state)])) <= well);
            }
        }
    }

    #[test]
    fn a_long_notice_is_broken_between_words_and_cut_after_three_lines() {
        let words = "words and words ".repeat(30);
        let lines = wrapped(&words);
        assert_eq!(lines.len(), NOTICE_LINES);
        assert!(lines.iter().all(|line| line.chars().count() <= LINE), "{lines:?}");
        assert!(lines[..2].iter().all(|line| line.ends_with("words") || line.ends_with("and")), "{lines:?}");
        assert!(lines[2].ends_with('…'));

        assert_eq!(wrapped("short"), ["short"]);
        assert_eq!(wrapped(&"x".repeat(100)), ["x".repeat(80), "x".repeat(20)]);
        assert_eq!(wrapped(&"消".repeat(81)), ["消".repeat(80), "消".to_owned()]);
    }

    #[test]
    fn a_notice_is_told_in_the_tooltip_and_asks_for_attention() {
        let mut snapshot = Snapshot {
            channels: vec![channel("A", State::Connected { since: at(0) })],
            ..Snapshot::default()
        };
        snapshot.notices.insert(Source::Settings, wrong());
        let view = TrayView::of(&snapshot, &now());
        assert_eq!(view.shape, Shape::Attention);
        assert!(view.tooltip.contains(&wrong().told(Words::default())), "{}", view.tooltip);
    }

    #[test]
    fn a_time_of_another_day_carries_its_date() {
        let day_before = at(NOON - 24 * 3600);
        let menu = view(vec![channel("A", State::Connected { since: day_before })]).menu;
        assert_eq!(menu[0], Entry::Line { label: "Connected since 28 Feb 14:02".to_owned() });
    }

    #[test]
    fn the_tooltips_title_says_what_the_icon_says_and_nothing_that_could_be_markup() {
        for of in [Words::default(), Words::of(tidings_words::Language::SimplifiedChinese)] {
            let mut titles = std::collections::BTreeSet::new();
            for (state, ..) in every_state() {
                for unread in [0, 1] {
                    let channels = vec![channel("A<b> & Co_x", state.clone())];
                    let mut snapshot = Snapshot { channels, words: of, ..Snapshot::default() };
                    snapshot.unread.total = unread;
                    let view = TrayView::of(&snapshot, &now());
                    assert!(view.title.starts_with("Tidings") && !view.title.contains(['<', '>', '&']));
                    titles.insert((view.icon_name(), view.title));
                }
            }
            let icons: std::collections::BTreeSet<_> = titles.iter().map(|(icon, _)| icon).collect();
            let words: std::collections::BTreeSet<_> = titles.iter().map(|(_, title)| title).collect();
            assert_eq!((icons.len(), words.len(), titles.len()), (10, 10, 10), "{titles:?}");
        }
    }

    #[test]
    fn unread_messages_add_a_dot_and_the_name_of_the_icon_says_so() {
        let mut snapshot = Snapshot {
            channels: vec![channel("A", State::Replaced { since: at(0) })],
            ..Snapshot::default()
        };
        assert_eq!(TrayView::of(&snapshot, &now()).icon_name(), "tidings_replaced");
        snapshot.unread.total = 1;
        assert_eq!(TrayView::of(&snapshot, &now()).icon_name(), "tidings_replaced_unread");
    }
}
