//! What becomes of messages when the file is damaged, foreign, or can't be had.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{again, bodies, file, folder, open, open_well, orders, second_channel, text, unlimited};
use rusqlite::Connection;
use tidings_inbox::{Event, Popup, RowId};

/// The files set aside, without their logs.
fn set_aside(file: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(file.parent().expect("a folder")).expect("it can be read");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
            name.starts_with("inbox.db.corrupt-") && !name.ends_with("-wal") && !name.ends_with("-shm")
        })
        .collect()
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_with_a_notice_and_a_new_one_started() {
    let foreign = "CREATE TABLE message (x); INSERT INTO message VALUES (1)";
    type Breakage = fn(&Path, &str);
    let breakages: [(&str, Breakage); 4] = [
        ("no database", |file, _| fs::write(file, "hello ".repeat(1_000)).expect("written")),
        ("cut off", |file, _| {
            let bytes = fs::read(file).expect("read");
            fs::write(file, &bytes[..bytes.len() / 2]).expect("written");
        }),
        ("a folder", |file, _| {
            fs::remove_file(file).expect("removed");
            fs::create_dir(file).expect("made");
        }),
        ("another program's", |file, foreign| {
            fs::remove_file(file).expect("removed");
            Connection::open(file).and_then(|file| file.execute_batch(foreign)).expect("made");
        }),
    ];
    for (name, break_it) in breakages {
        let folder = folder();
        let file = file(&folder);
        let (inbox, _screen) = open_well(&file);
        inbox.receive(text(&orders(), "old")).await;
        inbox.close().await;
        break_it(&file, foreign);
        let broken = fs::read(&file).ok();

        let (inbox, mut screen, notices) = open(&file, unlimited());
        let aside = set_aside(&file);
        assert_eq!((notices.len(), aside.len()), (1, 1), "{name}: {notices:?} {aside:?}");
        assert!(notices[0].to_string().contains(&aside[0].display().to_string()), "{name}: {notices:?}");
        assert!(fs::read(&aside[0]).ok() == broken, "{name}: nothing of it is lost");
        inbox.receive(text(&orders(), "new")).await;
        assert_eq!(screen.next_body().await, "new", "{name}");
        inbox.close().await;
        assert_eq!(bodies(&open_well(&file).0).await, ["new"], "{name}");
    }
}

#[tokio::test]
async fn a_file_that_breaks_while_in_use_is_replaced_and_no_message_is_lost() {
    let folder = folder();
    let file = file(&folder);
    let (inbox, mut screen) = open_well(&file);
    let mut events = inbox.events();
    inbox.receive(text(&second_channel(), r#"{"id": "1", "body": "old"}"#)).await;
    screen.next().await;
    assert!(matches!(events.recv().await, Ok(Event::Stored(_))));
    inbox.recent(0).await;
    // Everything into the main file, and that over with noise from its second page on.
    let other = Connection::open(&file).expect("it opens");
    other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("checkpointed");
    other.execute_batch("PRAGMA user_version = 1").expect("the next reader has to look again");
    other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("checkpointed");
    drop(other);
    let length = fs::metadata(&file).expect("it exists").len();
    {
        use std::io::{Seek as _, SeekFrom, Write as _};
        let mut bytes = fs::OpenOptions::new().write(true).open(&file).expect("it opens");
        bytes.seek(SeekFrom::Start(4096)).expect("there");
        bytes.write_all(&vec![0xa5; usize::try_from(length).expect("small") - 4096]).expect("written");
    }
    inbox.receive(text(&second_channel(), r#"{"id": "2", "body": "new"}"#)).await;
    assert_eq!(screen.next_body().await, "new");
    let notice = loop {
        if let Event::Notice(notice) = events.recv().await.expect("an event") {
            break notice;
        }
    };
    assert!(notice.to_string().contains("set aside"), "{notice:?}");
    assert_eq!(set_aside(&file).len(), 1);
    assert_eq!(inbox.last_id("other").await.as_deref(), Some("2"));
    inbox.close().await;
    assert_eq!(bodies(&open_well(&file).0).await, ["new"]);
}

#[tokio::test]
async fn a_newer_versions_file_is_left_alone_and_messages_are_kept_in_memory() {
    let folder = folder();
    let file = file(&folder);
    open_well(&file).0.close().await;
    Connection::open(&file).and_then(|file| file.execute_batch("PRAGMA user_version = 1000")).expect("newer");
    let before = fs::read(&file).expect("read");

    let (inbox, mut screen, notices) = open(&file, unlimited());
    assert!(
        notices.len() == 1 && notices[0].to_string().contains("newer Tidings (format 1000"),
        "{notices:?}"
    );
    for n in 0..1_100 {
        inbox.receive(text(&orders(), &n.to_string())).await;
        let popup = screen.next().await;
        inbox.shown(popup.rows());
    }
    let kept = bodies(&inbox).await;
    assert_eq!(kept.len(), 1_000, "no more than that");
    assert_eq!((kept[0].as_str(), kept[999].as_str()), ("1099", "100"), "the newest");
    assert_eq!(inbox.unread().borrow().total, 1_000);
    inbox.mark_all_read(None).await;
    assert_eq!(inbox.unread().borrow().total, 0);
    inbox.close().await;
    assert!(fs::read(&file).expect("read") == before, "not a byte has changed");
    assert!(set_aside(&file).is_empty());
}

#[tokio::test]
async fn without_a_file_messages_wait_in_memory_and_are_written_when_it_is_back() {
    let folder = folder();
    let file = file(&folder);
    // An earlier run's content, then its folder away and a file in its place.
    let (inbox, mut screen) = open_well(&file);
    inbox.receive(text(&second_channel(), r#"{"id": "1", "body": "of an earlier run"}"#)).await;
    inbox.shown(screen.next().await.rows());
    inbox.close().await;
    let parent = file.parent().expect("a folder");
    let away = folder.path().join("away");
    fs::rename(parent, &away).expect("moved");
    fs::write(parent, "in the way").expect("written");

    let (inbox, mut screen, notices) = open(&file, unlimited());
    assert!(notices.len() == 1 && notices[0].to_string().contains("can't be opened"), "{notices:?}");
    let mut events = inbox.events();
    let numbered = |body: &str| format!(r#"{{"id": "{body}", "body": "{body}"}}"#);
    for body in ["2", "3"] {
        inbox.receive(text(&second_channel(), &numbered(body))).await;
    }
    inbox.receive(again(&second_channel(), &numbered("3"))).await;
    inbox.shown(screen.next().await.rows());
    screen.next().await;
    assert_eq!(bodies(&inbox).await, ["3", "2"]);
    assert_eq!(inbox.last_id("other").await.as_deref(), Some("3"));

    fs::remove_file(parent).expect("removed");
    fs::rename(&away, parent).expect("moved back");
    inbox.receive(again(&second_channel(), r#"{"id": "1", "body": "of an earlier run"}"#)).await;
    inbox.receive(text(&second_channel(), &numbered("4"))).await;
    assert_eq!(screen.next_body().await, "4", "what the file knows is known again");
    let notice = loop {
        if let Event::Notice(notice) = events.recv().await.expect("an event") {
            break notice;
        }
    };
    assert!(notice.to_string().contains("can be written again"), "{notice:?}");
    assert_eq!(bodies(&inbox).await, ["4", "3", "2", "of an earlier run"]);
    assert_eq!(inbox.unread().borrow().total, 4);
    inbox.close().await;

    let (inbox, mut screen) = open_well(&file);
    assert_eq!(bodies(&inbox).await, ["4", "3", "2", "of an earlier run"]);
    assert_eq!(inbox.last_id("other").await.as_deref(), Some("4"));
    inbox.show_pending();
    let summary = screen.next().await;
    assert!(matches!(&summary, Popup::Summary { count: 2, newest, .. } if newest.body == "4"), "{summary:?}");
}

#[tokio::test]
async fn what_is_missing_is_told_only_by_a_file_that_can_be_read() {
    let folder = folder();
    let file = file(&folder);
    let (inbox, _screen) = open_well(&file);
    for body in ["one", "two", "three"] {
        inbox.receive(text(&orders(), body)).await;
    }
    inbox.delete(vec![RowId(2)]).await;
    let all = || [1, 2, 3, 4].map(RowId).to_vec();
    assert_eq!(inbox.missing(all()).await, Some([2, 4].map(RowId).to_vec()));
    inbox.close().await;

    let parent = file.parent().expect("a folder");
    let away = folder.path().join("away");
    fs::rename(parent, &away).expect("moved");
    fs::write(parent, "in the way").expect("written");
    let (inbox, _screen, _notices) = open(&file, unlimited());
    assert_eq!(inbox.missing(all()).await, None);
}
