//! Servers that give no id twice: later versions, deletions, what was read elsewhere, and what they send again.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use rusqlite::Connection;
use tidings_inbox::{Arrival, ChannelProfile, Event, Inbox, Payload, Popup, Query, Recall, Recalled, RowId};
use tokio::sync::broadcast;

use crate::support::{Screen, again, alerts, file, folder, open_well, pushes, text};

const T: i64 = 1_790_000_000;

/// An ntfy message of topic `t`; the first of its series if both ids are equal.
fn sent(id: &str, series: &str, time: i64, title: &str) -> String {
    format!(
        r#"{{"id":"{id}","sequence_id":"{series}","time":{time},"event":"message","topic":"t","title":"{title}","message":"m"}}"#
    )
}

fn said(event: &str, id: &str, series: &str, time: i64) -> String {
    format!(r#"{{"id":"{id}","sequence_id":"{series}","time":{time},"event":"{event}","topic":"t"}}"#)
}

fn deleted(id: &str, series: &str, time: i64) -> String {
    said("message_delete", id, series, time)
}

fn cleared(id: &str, series: &str, time: i64) -> String {
    said("message_clear", id, series, time)
}

/// Titles, newest first.
async fn titles(inbox: &Inbox) -> Vec<String> {
    inbox.recent(100).await.into_iter().map(|message| message.title).collect()
}

async fn live(inbox: &Inbox, frame: &str) {
    inbox.receive(text(&alerts(), frame)).await;
}

async fn replayed(inbox: &Inbox, frame: &str) {
    inbox.receive(again(&alerts(), frame)).await;
}

/// What is told of what came before is told after its popup, but before the next question is answered.
async fn events_from_now(inbox: &Inbox) -> broadcast::Receiver<Event> {
    inbox.recent(1).await;
    inbox.events()
}

/// Everything of the inbox once more, from its file.
async fn restarted(inbox: Inbox, folder: &tempfile::TempDir) -> (Inbox, Screen) {
    inbox.close().await;
    open_well(&file(folder))
}

/// Whether any popup, alone or in a sum, tells of it once all that waits may go out.
async fn pops_up(inbox: &Inbox, screen: &mut Screen) -> bool {
    inbox.show_pending();
    inbox.recent(0).await;
    !screen.titles().is_empty()
}

#[tokio::test]
async fn an_id_comes_once_whether_it_is_sent_again_or_not_and_whatever_else_changed() {
    let of_gotify = |title: &str| {
        format!(
            r#"{{"id":7,"appid":1,"title":"{title}","message":"m","priority":5,"date":"2026-09-21T13:46:40Z"}}"#
        )
    };
    for restart in [false, true] {
        for catch_up in [false, true] {
            let folder = folder();
            let (mut inbox, _screen) = open_well(&file(&folder));
            live(&inbox, &sent("a", "a", T, "first")).await;
            inbox.receive(text(&pushes(), &of_gotify("pushed"))).await;
            if restart {
                (inbox, _) = restarted(inbox, &folder).await;
            }
            inbox.receive(Arrival { catch_up, ..text(&alerts(), &sent("a", "a", T + 1, "other")) }).await;
            inbox.receive(Arrival { catch_up, ..text(&pushes(), &of_gotify("other")) }).await;
            assert_eq!(titles(&inbox).await, ["pushed", "first"], "restart: {restart}, catch-up: {catch_up}");
            let dropped = inbox.dropped().borrow().clone();
            assert_eq!((dropped["ntfy"].repeated, dropped["gotify"].repeated), (1, 1));
        }
    }
}

#[tokio::test]
async fn a_later_version_takes_the_place_of_the_message_and_of_its_popup() {
    let folder = folder();
    let (mut inbox, mut screen) = open_well(&file(&folder));
    live(&inbox, &sent("a", "a", T, "10 %")).await;
    live(&inbox, &sent("x", "x", T, "another")).await;
    let first = screen.next().await;
    inbox.shown(first.rows());
    inbox.shown(screen.next().await.rows());
    let mut events = events_from_now(&inbox).await;
    let mut place = None;
    for (id, title) in [("b", "50 %"), ("c", "done")] {
        live(&inbox, &sent(id, "a", T, title)).await;
        let Popup::Message(popup) = screen.next().await else { panic!("one message") };
        assert_eq!(popup.title, title);
        place = popup.place().map(str::to_owned);
        inbox.shown(vec![popup.row]);
        assert_eq!(titles(&inbox).await, [title, "another"]);
        assert_eq!(inbox.unread().borrow().total, 2);
        let Ok(Event::Gone(_)) = events.recv().await else { panic!("the earlier version is gone") };
        let Ok(Event::Stored(_)) = events.recv().await else { panic!("the later one is there") };
    }
    let Popup::Message(first) = first else { panic!("one message") };
    assert_eq!(place.as_deref(), first.place(), "it is shown in the place of the first");
    // What the server sends again of it, in whatever order, changes nothing.
    (inbox, screen) = restarted(inbox, &folder).await;
    for (id, title) in [("c", "done"), ("a", "10 %"), ("b", "50 %")] {
        replayed(&inbox, &sent(id, "a", T, title)).await;
    }
    assert_eq!(titles(&inbox).await, ["done", "another"]);
    assert!(!pops_up(&inbox, &mut screen).await);
    assert_eq!(found(&inbox, "done").await, 1);
    assert_eq!(found(&inbox, "50").await, 0, "nor is it found");
}

async fn found(inbox: &Inbox, words: &str) -> usize {
    inbox.find(Query { search: Some(words.to_owned()), ..Query::newest(9) }).await.len()
}

#[tokio::test]
async fn versions_that_were_missed_come_as_the_last_of_them() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let folder = folder();
        let (inbox, mut screen) = open_well(&file(&folder));
        let versions = [("a", T, "one"), ("b", T + 1, "two"), ("c", T + 2, "three")];
        for (id, time, title) in order.map(|at| versions[at]) {
            replayed(&inbox, &sent(id, "a", time, title)).await;
        }
        assert_eq!(titles(&inbox).await, ["three"], "{order:?}");
        inbox.show_pending();
        let Popup::Message(popup) = screen.next().await else { panic!("one message, no sum") };
        assert_eq!(popup.title, "three", "{order:?}");
    }
}

#[tokio::test]
async fn the_same_name_of_a_series_in_two_topics_or_channels_is_two() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let other = Arc::new(ChannelProfile { id: "second".into(), ..(*alerts()).clone() });
    live(&inbox, &sent("a", "job", T, "one")).await;
    live(&inbox, &sent("b", "job", T, "two").replace(r#""topic":"t""#, r#""topic":"u""#)).await;
    inbox.receive(text(&other, &sent("c", "job", T, "three"))).await;
    live(&inbox, &deleted("d", "job", T + 1)).await;
    assert_eq!(titles(&inbox).await, ["three", "two"]);
}

#[tokio::test]
async fn a_deleted_message_goes_and_its_popup_is_withdrawn() {
    for restart in [false, true] {
        let folder = folder();
        let (mut inbox, mut screen) = open_well(&file(&folder));
        live(&inbox, &sent("a", "a", T, "wrong")).await;
        let popup = screen.next().await;
        inbox.shown(popup.rows());
        if restart {
            (inbox, screen) = restarted(inbox, &folder).await;
        }
        let mut events = events_from_now(&inbox).await;
        live(&inbox, &deleted("d", "a", T)).await;
        assert_eq!(screen.withdrawn().await, popup.rows());
        assert!(matches!(events.recv().await, Ok(Event::Gone(rows)) if rows == popup.rows()));
        assert_eq!(titles(&inbox).await, [""; 0]);
        assert_eq!(inbox.unread().borrow().total, 0);
        // It stays so, over restarts, and whatever order a replay has.
        for _ in 0..2 {
            for frame in [deleted("d", "a", T), sent("a", "a", T, "wrong"), deleted("d", "a", T)] {
                replayed(&inbox, &frame).await;
            }
            live(&inbox, &sent("a", "a", T, "wrong")).await;
            assert_eq!(titles(&inbox).await, [""; 0]);
            assert!(!pops_up(&inbox, &mut screen).await);
            (inbox, screen) = restarted(inbox, &folder).await;
        }
    }
}

#[tokio::test]
async fn a_message_that_is_read_elsewhere_is_read_here_and_its_popup_withdrawn() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    live(&inbox, &sent("a", "a", T, "seen")).await;
    live(&inbox, &sent("b", "b", T, "not seen")).await;
    let popup = screen.next().await;
    inbox.shown(popup.rows());
    inbox.shown(screen.next().await.rows());
    let mut events = events_from_now(&inbox).await;
    live(&inbox, &cleared("c", "a", T + 1)).await;
    assert_eq!(screen.withdrawn().await, popup.rows());
    assert!(matches!(events.recv().await, Ok(Event::Read(rows)) if rows == popup.rows()));
    let unread: Vec<_> = inbox.recent(9).await.into_iter().map(|m| (m.title, m.unread)).collect();
    assert_eq!(unread, [("not seen".to_owned(), true), ("seen".to_owned(), false)]);
    assert_eq!(inbox.unread().borrow().total, 1);
    // A later version is news again.
    live(&inbox, &sent("e", "a", T + 2, "seen, and changed")).await;
    assert!(matches!(screen.next().await, Popup::Message(message) if message.title == "seen, and changed"));
    assert_eq!(inbox.unread().borrow().total, 2);
}

#[tokio::test]
async fn what_comes_back_after_its_deletion_under_its_old_name_is_news() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    // A name of the sender's own, and all within one second, as a script does it.
    for (live, name) in [(true, "live"), (false, "replayed")] {
        for frame in [
            sent(&format!("{name}1"), name, T, "one"),
            deleted(&format!("{name}2"), name, T),
            sent(&format!("{name}3"), name, T, name),
        ] {
            inbox.receive(Arrival { catch_up: !live, ..text(&alerts(), &frame) }).await;
        }
    }
    assert_eq!(titles(&inbox).await, ["replayed", "live"]);
    assert!(pops_up(&inbox, &mut screen).await);
}

#[tokio::test]
async fn what_the_user_deleted_does_not_come_back_when_the_server_sends_it_again() {
    let folder = folder();
    let (mut inbox, mut screen) = open_well(&file(&folder));
    live(&inbox, &sent("a", "a", T, "deleted here")).await;
    let rows = screen.next().await.rows();
    inbox.shown(rows.clone());
    inbox.delete(rows).await;
    for _ in 0..2 {
        replayed(&inbox, &sent("a", "a", T, "deleted here")).await;
        assert_eq!(titles(&inbox).await, [""; 0]);
        (inbox, screen) = restarted(inbox, &folder).await;
    }
    assert!(!pops_up(&inbox, &mut screen).await);
}

#[tokio::test]
async fn the_cursor_is_the_newest_message_whatever_was_deleted_since() {
    let folder = folder();
    let (mut inbox, mut screen) = open_well(&file(&folder));
    assert_eq!((inbox.newest("ntfy").await, inbox.highest_id("gotify").await), (None, None));
    for (id, time) in [("a", T), ("b", T + 50), ("c", T + 20)] {
        live(&inbox, &sent(id, id, time, id)).await;
    }
    for id in [9, 12, 10] {
        let frame = format!(r#"{{"id":{id},"message":"m","date":"2026-09-21T13:46:40Z"}}"#);
        inbox.receive(text(&pushes(), &frame)).await;
    }
    while inbox.recent(9).await.len() < 6 {}
    let rows: Vec<RowId> = inbox.recent(9).await.into_iter().map(|message| message.row).collect();
    for _ in 0..6 {
        inbox.shown(screen.next().await.rows());
    }
    inbox.delete(rows).await;
    for _ in 0..2 {
        assert_eq!(inbox.newest("ntfy").await.map(Timestamp::as_second), Some(T + 50));
        assert_eq!(inbox.highest_id("gotify").await, Some(12));
        (inbox, _) = restarted(inbox, &folder).await;
    }
    // A server whose clock is ahead of ours would be asked for what comes after tomorrow.
    live(&inbox, &sent("d", "d", 1_900_000_000, "d")).await;
    assert_eq!(
        inbox.newest("ntfy").await.map(Timestamp::as_second),
        Some(1_800_000_000),
        "no later than ours"
    );
    assert_eq!(inbox.newest("gotify").await.map(Timestamp::as_second), Some(1_789_998_400));
}

#[tokio::test]
async fn a_server_that_was_set_up_anew_is_heard_from_its_first_id_on() {
    let folder = folder();
    let (mut inbox, _screen) = open_well(&file(&folder));
    let pushed = |title: &str| {
        text(
            &pushes(),
            &format!(r#"{{"id":1,"title":"{title}","message":"m","date":"2026-09-21T13:46:40Z"}}"#),
        )
    };
    inbox.receive(pushed("before")).await;
    inbox.receive(pushed("repeated")).await;
    inbox.begin_anew("gotify").await;
    assert_eq!(inbox.highest_id("gotify").await, None);
    for _ in 0..2 {
        inbox.receive(pushed("after")).await;
        assert_eq!(titles(&inbox).await, ["after", "before"]);
        assert_eq!(inbox.highest_id("gotify").await, Some(1));
        (inbox, _) = restarted(inbox, &folder).await;
    }
}

#[tokio::test]
async fn what_is_found_to_be_deleted_goes() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    for id in [1, 2, 3] {
        let frame = format!(r#"{{"id":{id},"title":"{id}","message":"m","date":"2026-09-21T13:46:40Z"}}"#);
        inbox.receive(text(&pushes(), &frame)).await;
    }
    inbox
        .recall(vec![Recall {
            channel: "gotify".into(),
            series: "2".into(),
            what: Recalled::Deleted,
            id: None,
            at: Timestamp::MAX,
        }])
        .await;
    assert_eq!(titles(&inbox).await, ["3", "1"]);
}

#[tokio::test]
async fn a_file_from_before_remembers_what_is_gone_from_now_on() {
    let folder = folder();
    std::fs::create_dir(file(&folder).parent().expect("a folder")).expect("made");
    let old = Connection::open(file(&folder)).expect("a file");
    old.execute_batch(crate::search::VERSION_1).expect("version 1");
    drop(old);
    let (mut inbox, _screen) = open_well(&file(&folder));
    for _ in 0..2 {
        for frame in [sent("a", "a", T, "gone"), deleted("d", "a", T), sent("b", "b", T, "there")] {
            replayed(&inbox, &frame).await;
        }
        assert_eq!(titles(&inbox).await, ["there", "Urgent", "Shipped"]);
        assert_eq!(inbox.last_id("orders").await.as_deref(), Some("b"));
        (inbox, _) = restarted(inbox, &folder).await;
    }
}

#[tokio::test]
async fn what_ntfy_2_27_replays_of_one_second_comes_to_what_its_sender_meant() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    // As it came over the WebSocket's sister, where `sequence_id` is left out if it is the id.
    for frame in [
        r#"{"id":"5VsICCjwj41Z","sequence_id":"job","time":1796000359,"expires":1796043559,"event":"message","topic":"t","message":"one"}"#,
        r#"{"id":"TtoqjcnHbo1f","sequence_id":"job","time":1796000359,"expires":1796043559,"event":"message","topic":"t","message":"two"}"#,
        r#"{"id":"4RzakBZxYyGJ","sequence_id":"job","time":1796000359,"expires":1796043559,"event":"message_delete","topic":"t"}"#,
        r#"{"id":"19E2C9IREneo","sequence_id":"job","time":1796000359,"expires":1796043559,"event":"message","topic":"t","message":"revived"}"#,
        r#"{"id":"BmuyRfac9aYb","sequence_id":"job","time":1796000359,"expires":1796043559,"event":"message_clear","topic":"t"}"#,
        r#"{"id":"ICHqMHH0jkhz","time":1796000359,"expires":1796043559,"event":"message","topic":"t","message":"first"}"#,
        r#"{"id":"gtKOPu0f7KjN","sequence_id":"ICHqMHH0jkhz","time":1796000359,"expires":1796043559,"event":"message","topic":"t","message":"upd"}"#,
        r#"{"id":"mXSKEK0jsFU1","sequence_id":"ICHqMHH0jkhz","time":1796000359,"expires":1796043559,"event":"message_delete","topic":"t"}"#,
        r#"{"id":"2o9hgaDT6XXg","time":1796000359,"expires":1796043559,"event":"message","topic":"t","message":"hi"}"#,
    ] {
        replayed(&inbox, frame).await;
    }
    let there: Vec<_> = inbox.recent(9).await.into_iter().map(|m| (m.body, m.unread)).collect();
    assert_eq!(there, [("hi".to_owned(), true), ("revived".to_owned(), false)]);
    inbox.show_pending();
    assert!(matches!(screen.next_shown().await, Popup::Message(message) if message.body == "hi"));
}

/// What an ntfy server has of one message and of a name that is used three times, with all that was said of them.
fn history() -> Vec<String> {
    vec![
        sent("a", "a", T, "gone"),
        deleted("d1", "a", T),
        sent("b", "b", T, "seen"),
        cleared("c1", "b", T),
        sent("e", "job", T, "started"),
        sent("f", "job", T + 1, "failed"),
        deleted("d2", "job", T + 2),
        sent("g", "kept", T, "old"),
        sent("h", "kept", T + 3, "kept"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_order_it_comes_in_and_how_often_what_is_deleted_never_pops_up(
        order in Just((0..9_usize).collect::<Vec<_>>()).prop_shuffle(),
        again in prop::collection::vec(0..9_usize, 0..9),
        restart in 0..18_usize,
        live_ones in any::<u32>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let folder = folder();
            let (mut inbox, mut screen) = open_well(&file(&folder));
            let history = history();
            let mut seen = Vec::new();
            for (place, at) in order.iter().chain(&again).enumerate() {
                if place == restart {
                    seen.extend(screen.titles());
                    (inbox, screen) = restarted(inbox, &folder).await;
                }
                // What was said last is about what came before; it may come live before the replay does.
                let catch_up = history[*at].contains(r#""event":"message""#) || live_ones & (1 << place) == 0;
                inbox.receive(Arrival { catch_up, ..text(&alerts(), &history[*at]) }).await;
            }
            let mut there: Vec<_> = inbox.recent(9).await.into_iter().map(|m| (m.title, m.unread)).collect();
            there.sort();
            assert_eq!(there, [("kept".to_owned(), true), ("seen".to_owned(), false)], "{order:?} {again:?}");
            inbox.show_pending();
            inbox.recent(0).await;
            seen.extend(screen.titles());
            assert!(!seen.concat().contains("gone") && !seen.concat().contains("failed"), "{seen:?}");
        });
    }
}

#[tokio::test]
async fn a_deletion_that_comes_while_there_is_no_file_is_about_what_is_in_it() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    for id in ["a", "b", "c"] {
        live(&inbox, &sent(id, id, T, id)).await;
    }
    inbox.close().await;
    // Of a newer version, for a while.
    let version = |number: i64| {
        let other = Connection::open(file(&folder)).expect("the file opens");
        other.pragma_update(None, "user_version", number).expect("written");
    };
    let known: i64 = Connection::open(file(&folder))
        .and_then(|file| file.pragma_query_value(None, "user_version", |row| row.get(0)))
        .expect("a number");
    version(1_000);
    let (inbox, _screen, notices) = crate::support::open(&file(&folder), crate::support::unlimited());
    assert_eq!(notices.len(), 1);
    for frame in [
        deleted("d", "a", T + 1),
        cleared("e", "b", T + 1),
        sent("c", "c", T, "again"),
        sent("f", "b", T + 2, "b, later"),
        sent("g", "g", T, "never"),
        deleted("h", "g", T),
    ] {
        live(&inbox, &frame).await;
    }
    assert_eq!(titles(&inbox).await, ["b, later", "again"]);
    version(known);
    inbox
        .receive(Arrival { payload: Payload::Text("x".into()), ..text(&crate::support::orders(), "") })
        .await;
    assert_eq!(titles(&inbox).await, ["Orders", "b, later", "c"]);
}
