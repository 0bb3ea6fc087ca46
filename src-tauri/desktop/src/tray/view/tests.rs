//! What the tray shows of a snapshot, and what an open menu keeps.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
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
        carrier: tidings_channel::Carrier::WebSocket,
        instead: None,
        route: None,
        peer: PeerCheck::Unknown,
        persistent: false,
        idle_limit: None,
        session_life: None,
        braked: false,
        caught_up: None,
        v1_refused: false,
    };
    ChannelView {
        id: name.to_lowercase(),
        name: name.to_owned(),
        url: "wss://shop.example/ws/user-channel".to_owned(),
        kind: tidings_api::ChannelKind::Recipe,
        topics: Vec::new(),
        sends: false,
        enabled: true,
        show: Show::Full,
        status: watch::channel(status).1,
        dropped: watch::channel(BTreeMap::new()).1,
        left_out: watch::channel(Vec::new()).1,
        credential: tidings_settings::credential::CredentialSource::Keyring,
        session: None,
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
    let sources =
        [Source::Settings, Source::Inbox, Source::Remembered, Source::Window, Source::Link, Source::Crash];
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
    let mut snapshot =
        Snapshot { channels: vec![channel("A", State::Connected { since: at(0) })], ..Snapshot::default() };
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
    let mut snapshot =
        Snapshot { channels: vec![channel("A", State::Replaced { since: at(0) })], ..Snapshot::default() };
    assert_eq!(TrayView::of(&snapshot, &now()).icon_name(), "tidings_replaced");
    snapshot.unread.total = 1;
    assert_eq!(TrayView::of(&snapshot, &now()).icon_name(), "tidings_replaced_unread");
}

#[test]
fn a_channel_that_waits_for_a_sign_in_on_a_page_leads_to_it() {
    let cause =
        Cause::SessionOver { site: "shop.example".to_owned(), end: tidings_channel::SessionEnd::Over };
    let state = State::NeedsUser { cause, retry_at: at(NOON) };
    let session = tidings_api::SessionReport {
        sign_in: "https://shop.example/".to_owned(),
        kept: None,
        in_vain: false,
        life_s: None,
        kept_alive_s: None,
        alive_at: None,
        given_by: None,
    };
    let signs_in = ChannelView { session: Some(watch::channel(session).1), ..channel("Orders", state) };
    let view = TrayView::of(&Snapshot { channels: vec![signs_in], ..Snapshot::default() }, &now());
    let told = "Your session at shop.example is over. Sign in again".to_owned();
    assert_eq!(view.menu[0], Entry::Line { label: told });
    let does = Does::SignIn { channel: "orders".to_owned() };
    assert!(matches!(&view.menu[1], Entry::Command { enabled: true, does: found, .. } if *found == does));
}
