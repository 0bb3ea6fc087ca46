//! What the inbox keeps and shows, on real files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use crate::support::{bodies, file, folder, open_well, orders, second_channel, text};
use rusqlite::Connection;
use tidings_inbox::{Arrival, ChannelProfile, Event, Inbox, Notifier, Payload, Popup, Query, Raw, RowId};

#[tokio::test]
async fn a_message_is_in_the_file_before_it_is_shown() {
    /// Looks into the file, through a connection of its own, at the moment of the popup.
    struct Witness(PathBuf, mpsc::Sender<String>);
    impl Notifier for Witness {
        fn show(&mut self, popup: Popup) {
            let file = Connection::open(&self.0).expect("the file opens");
            let body = file
                .query_row(
                    "SELECT body FROM message WHERE row = ?1 AND state = 0",
                    [popup.rows()[0].0],
                    |row| row.get(0),
                )
                .expect("the message is committed, as pending");
            self.1.send(body).expect("the test waits");
        }
    }
    let folder = folder();
    let (seen, sees) = mpsc::channel();
    let (inbox, notices) =
        Inbox::open(&file(&folder), crate::support::unlimited(), Witness(file(&folder), seen));
    assert_eq!(notices, []);
    inbox.receive(text(&orders(), "shipped")).await;
    let body = tokio::task::spawn_blocking(move || sees.recv_timeout(Duration::from_secs(20))).await;
    assert_eq!(body.expect("no panic").expect("a popup"), "shipped");
}

#[tokio::test]
async fn everything_of_a_message_comes_back_from_the_file_as_it_went_in() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    let full = r#"{"id": "7", "title": "T", "body": "B\u0000", "time": 1764000000123, "expires": 4102444800,
        "priority": "high", "url": "https://a.example/", "icon": "i", "image": "m", "tag": "t",
        "actions": [{"label": "Go", "url": "mailto:a@a.example"}]}"#;
    let mut shown = Vec::new();
    for payload in [
        Payload::Text(full.into()),
        Payload::Text("NUL \0 and\u{1b}[31m 长".into()),
        Payload::Binary(vec![0, 1, 255]),
        Payload::Binary(vec![0]),
    ] {
        inbox.receive(Arrival { payload, ..text(&orders(), "") }).await;
        match screen.next().await {
            Popup::Message(message) => shown.push((*message).clone()),
            summary @ Popup::Summary { .. } => panic!("{summary:?}"),
        }
    }
    inbox.close().await;
    let (inbox, _screen) = open_well(&file(&folder));
    shown.reverse();
    assert_eq!(inbox.recent(9).await, shown);
    assert_eq!(inbox.recent(1).await, shown[..1]);
    assert_eq!(inbox.recent(0).await, []);
    let before = |limit| Query { before: Some(shown[0].row), ..Query::newest(limit) };
    assert_eq!(inbox.find(before(9)).await, shown[1..]);
    assert_eq!(inbox.find(before(1)).await, shown[1..2]);
    assert_eq!(inbox.message(shown[2].row).await.as_ref(), Some(&shown[2]));
    assert_eq!(shown[2].raw, Raw::Text("NUL \0 and\u{1b}[31m 长".into()));
    assert_eq!(inbox.message(RowId(99)).await, None);
}

#[tokio::test]
async fn only_a_replay_repeats_and_only_what_is_equal_in_id_and_content() {
    let (a, b) = (r#"{"id": 7, "body": "ordered"}"#, r#"{"id": 7, "body": "shipped"}"#);
    let other = Arc::new(ChannelProfile::new("other", "Other"));
    let nul = |text: &str| format!("{{\"id\": 7, \"x\": \"\\u0000{text}\"}}");
    for (name, first, second, kept) in [
        ("all equal", text(&orders(), a), text(&orders(), a), 1),
        ("an order's second update", text(&orders(), a), text(&orders(), b), 2),
        ("another channel's", text(&orders(), a), text(&other, a), 2),
        ("the same text without an id", text(&orders(), "hello"), text(&orders(), "hello"), 2),
        ("a difference behind a NUL", text(&orders(), &nul("a")), text(&orders(), &nul("b")), 2),
    ] {
        // At once, so that both are of one batch, and across a restart.
        for (restart, replay) in [(false, true), (true, true), (false, false), (true, false)] {
            let kept = if replay { kept } else { 2 };
            let folder = folder();
            let (mut inbox, mut screen) = open_well(&file(&folder));
            inbox.receive(first.clone()).await;
            if restart {
                inbox.shown(screen.next().await.rows());
                inbox.close().await;
                (inbox, screen) = open_well(&file(&folder));
            }
            inbox.receive(Arrival { catch_up: replay, ..second.clone() }).await;
            let name = format!("{name}; restart: {restart}, replay: {replay}");
            assert_eq!(inbox.recent(9).await.len(), kept, "{name}");
            assert_eq!(inbox.unread().borrow().total, kept as u64, "{name}");
            let repeated = inbox.dropped().borrow().get("orders").map_or(0, |dropped| dropped.repeated);
            assert_eq!(repeated, 2 - kept as u64, "{name}: what is dropped is counted");
            if !replay {
                screen.next().await;
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_counts_from_one_again_is_heard_and_asked_for_what_it_knows() {
    let folder = folder();
    let (mut inbox, mut screen) = open_well(&file(&folder));
    let numbered = |id: u32, body: &str| text(&orders(), &format!(r#"{{"id": {id}, "body": "{body}"}}"#));
    for id in 1..=3 {
        inbox.receive(numbered(id, "before")).await;
        inbox.shown(screen.next().await.rows());
    }
    // It lost its data: the first is equal by chance, the second isn't.
    for (id, body) in [(1, "before"), (2, "after")] {
        inbox.receive(Arrival { catch_up: true, ..numbered(id, body) }).await;
    }
    assert_eq!(bodies(&inbox).await, ["after", "before", "before", "before"]);
    assert_eq!(inbox.last_id("orders").await.as_deref(), Some("2"), "in the order of arrival");
    inbox.receive(numbered(3, "before")).await;
    assert_eq!(bodies(&inbox).await.len(), 5, "after the replay the same text is news");
    inbox.receive(Arrival { catch_up: true, ..numbered(1, "before") }).await;
    inbox.close().await;
    inbox = open_well(&file(&folder)).0;
    assert_eq!(
        inbox.last_id("orders").await.as_deref(),
        Some("1"),
        "a repetition counts, and over a restart"
    );
}

#[tokio::test]
async fn a_kill_between_commit_and_popup_becomes_one_summary() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    inbox.receive(text(&orders(), "shown")).await;
    inbox.shown(screen.next().await.rows());
    inbox.close().await;

    let (killed, mut screen) = open_well(&file(&folder));
    let other = Arc::new(ChannelProfile::new("other", "Other"));
    for (channel, body) in [(other, "lost 1"), (orders(), "lost 2"), (orders(), "lost 3")] {
        killed.receive(text(&channel, body)).await;
        screen.next().await;
    }
    // What a kill leaves behind is what is on the disk at that moment.
    let after_the_kill = crate::support::folder();
    std::fs::create_dir(file(&after_the_kill).parent().expect("a folder")).expect("made");
    for end in ["", "-wal"] {
        let part = |folder| format!("{}{end}", file(folder).display());
        std::fs::copy(part(&folder), part(&after_the_kill)).expect("copied");
    }
    let folder = after_the_kill;

    let (inbox, mut screen) = open_well(&file(&folder));
    inbox.show_pending();
    let summary = screen.next().await;
    let Popup::Summary { rows, count, newest, channels, more: false } = &summary else {
        panic!("{summary:?}")
    };
    assert_eq!((*count, newest.body.as_str()), (3, "lost 3"));
    assert_eq!(*rows, [RowId(2), RowId(3), RowId(4)]);
    assert_eq!(*channels, [("orders".into(), 2), ("other".into(), 1)]);
    inbox.shown(rows.clone());
    inbox.close().await;

    let (inbox, mut screen) = open_well(&file(&folder));
    inbox.show_pending();
    assert_eq!(bodies(&inbox).await.len(), 4);
    assert!(screen.is_empty(), "the summary is not repeated");
    let states = |state: i64| {
        let file = Connection::open(file(&folder)).expect("the file opens");
        let rows = file
            .query_row("SELECT group_concat(row) FROM message WHERE state = ?1", [state], |row| row.get(0));
        rows.expect("an answer")
    };
    assert_eq!((states(1), states(2)), (Some("1".to_owned()), Some("2,3,4".to_owned())));
}

#[tokio::test]
async fn a_popup_that_was_lost_goes_out_again_and_one_on_its_way_does_not() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    inbox.receive(text(&orders(), "lost")).await;
    inbox.receive(text(&orders(), "on its way")).await;
    let lost = screen.next().await;
    screen.next().await;
    inbox.not_shown(lost.rows());
    inbox.show_pending();
    assert_eq!(screen.next().await, lost, "one message comes as itself");
    inbox.shown(lost.rows());
    inbox.show_pending();
    inbox.recent(0).await;
    assert!(screen.is_empty());
}

#[tokio::test]
async fn what_was_read_meanwhile_is_not_shown_again() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    inbox.receive(text(&orders(), "read")).await;
    let rows = screen.next().await.rows();
    inbox.mark_read(rows.clone()).await;
    inbox.not_shown(rows);
    inbox.show_pending();
    inbox.recent(0).await;
    assert!(screen.is_empty());
}

#[tokio::test]
async fn a_silent_message_is_stored_without_a_popup() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    inbox.receive(text(&orders(), r#"{"body": "quiet", "silent": true}"#)).await;
    inbox.show_pending();
    assert_eq!(bodies(&inbox).await, ["quiet"]);
    assert_eq!(inbox.unread().borrow().total, 1);
    assert!(screen.is_empty());
}

#[tokio::test]
async fn five_thousand_at_once_are_all_stored_and_shown_in_order() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    for n in 0..5_000 {
        inbox.receive(text(&orders(), &n.to_string())).await;
    }
    for n in 0..5_000 {
        let popup = screen.next().await;
        inbox.shown(popup.rows());
        assert!(matches!(popup, Popup::Message(message) if message.body == n.to_string()));
    }
    inbox.close().await;
    let (inbox, mut screen) = open_well(&file(&folder));
    let expected: Vec<String> = (0..5_000).rev().map(|n| n.to_string()).collect();
    assert_eq!(bodies(&inbox).await, expected);
    inbox.show_pending();
    inbox.recent(0).await;
    assert!(screen.is_empty(), "all are known as shown");
}

#[tokio::test]
async fn the_last_id_of_each_channel_outlives_a_restart() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    for (channel, id) in [(orders(), "a"), (second_channel(), "b"), (orders(), "c")] {
        inbox.receive(text(&channel, &format!(r#"{{"id": "{id}"}}"#))).await;
    }
    inbox.receive(text(&orders(), "one without an id")).await;
    for restart in [true, false] {
        let inbox = if restart { inbox.clone() } else { open_well(&file(&folder)).0 };
        assert_eq!(inbox.last_id("orders").await.as_deref(), Some("c"));
        assert_eq!(inbox.last_id("other").await.as_deref(), Some("b"));
        assert_eq!(inbox.last_id("unknown").await, None);
    }
}

#[tokio::test]
async fn unread_counts_are_published_and_outlive_a_restart() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    let unread = inbox.unread();
    let counts = || {
        let unread = unread.borrow().clone();
        (unread.total, unread.by_channel.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(counts(), (0, vec![]));
    for channel in [orders(), orders(), second_channel()] {
        inbox.receive(text(&channel, "x")).await;
    }
    let first = screen.next().await.rows();
    inbox.recent(0).await;
    assert_eq!(counts(), (3, vec![("orders".into(), 2), ("other".into(), 1)]));
    inbox.mark_read(first.clone()).await;
    inbox.mark_read(first).await;
    assert_eq!(counts(), (2, vec![("orders".into(), 1), ("other".into(), 1)]));
    inbox.clone().close().await;
    let (inbox, _screen) = open_well(&file(&folder));
    assert_eq!(inbox.unread().borrow().total, 2);
    inbox.mark_all_read(None).await;
    assert_eq!(*inbox.unread().borrow(), tidings_inbox::Unread::default());
    assert!(inbox.recent(9).await.iter().all(|message| !message.unread));
}

#[tokio::test]
async fn onlookers_hear_of_each_message() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let mut events = inbox.events();
    inbox.receive(text(&orders(), "HeartBeat")).await;
    inbox.receive(text(&orders(), "news")).await;
    match events.recv().await.expect("an event") {
        Event::Stored(message) => assert_eq!(message.body, "news"),
        other @ (Event::Notice(_) | Event::Gone(_) | Event::Read(_)) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_closed_inbox_leaves_one_file_and_answers_nothing() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let late = inbox.clone();
    for n in 0..500 {
        inbox.receive(text(&orders(), &n.to_string())).await;
    }
    inbox.close().await;
    assert_eq!(names(&file(&folder)), ["inbox.db"]);
    for _ in 0..1_000 {
        late.receive(text(&orders(), "too late")).await;
    }
    assert_eq!(late.recent(9).await, []);
    late.close().await;
    assert_eq!(bodies(&open_well(&file(&folder)).0).await.len(), 500);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_inbox() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    inbox.receive(text(&orders(), "secret")).await;
    screen.next().await;
    let mode = |path: &Path| std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    let parent = file(&folder).parent().expect("a folder").to_owned();
    assert_eq!(mode(&parent), 0o700);
    for name in names(&file(&folder)) {
        assert_eq!(mode(&parent.join(&name)), 0o600, "{name}");
    }
    assert_eq!(names(&file(&folder)).len(), 3, "log and index were looked at too");
}

/// The names beside the file, sorted.
fn names(file: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(file.parent().expect("a folder")).expect("it can be read");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}
