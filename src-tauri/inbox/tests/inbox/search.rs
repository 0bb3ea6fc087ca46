//! What is found, and files of the version before.

use crate::support::{file, folder, open_well, orders, text};
use proptest::prelude::*;
use rusqlite::Connection;
use tidings_inbox::{Format, Inbox, Message, Query, RowId, Sound, Urgency};

async fn look(inbox: &Inbox, text: &str, before: Option<RowId>, limit: usize) -> Vec<Message> {
    inbox.find(Query { before, search: Some(text.to_owned()), ..Query::newest(limit) }).await
}

async fn found(inbox: &Inbox, query: &str) -> Vec<String> {
    look(inbox, query, None, 100).await.into_iter().map(|message| message.body).collect()
}

#[tokio::test]
async fn what_a_kill_left_without_its_words_is_found_after_the_next_start() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let channel = std::sync::Arc::new(tidings_inbox::ChannelProfile::new("post", "Post office"));
    for body in ["a first order", "a second order", "a third order"] {
        inbox.receive(text(&channel, body)).await;
    }
    assert_eq!(found(&inbox, "order").await.len(), 3);
    inbox.close().await;
    // As if the end had come between a message's way into the file and that of its words into the index.
    let connection = Connection::open(file(&folder)).expect("it opens");
    let newest = "DELETE FROM search WHERE rowid > (SELECT min(row) FROM message)";
    assert_eq!(connection.execute(newest, []).expect("deleted"), 2);
    drop(connection);
    let (inbox, _screen) = open_well(&file(&folder));
    assert_eq!(found(&inbox, "order").await, ["a third order", "a second order", "a first order"]);
}

#[tokio::test]
async fn english_is_found_by_the_beginnings_of_words_and_chinese_by_any_part() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let channel = std::sync::Arc::new(tidings_inbox::ChannelProfile::new("post", "Post office"));
    let texts = [
        "Your order has been shipped",
        "ORDERS are late, déjà vu",
        "re-order",
        "你好，世界",
        "我的iPhone手机壳到了",
        "今日は良い天気です",
        "오늘 날씨가 좋다",
        "100% AND \"more\" (or NOT)",
        "𠀀𠀁",
    ];
    for body in texts {
        inbox.receive(text(&channel, body)).await;
    }
    let all = |ends: &[usize]| -> Vec<&str> { ends.iter().rev().map(|index| texts[*index]).collect() };
    for (query, expected) in [
        ("order", &[0, 1, 2][..]),
        ("orders", &[1]),
        ("ship", &[0]),
        ("ORD shi", &[0]),
        ("hipped", &[]),
        ("deja", &[1]),
        ("DÉJÀ", &[1]),
        ("re-ord", &[2]),
        ("been has", &[0]),
        ("好", &[3]),
        ("你", &[3]),
        ("世界", &[3]),
        ("你好", &[3]),
        ("你好世界", &[]),
        ("你好，世", &[3]),
        ("界", &[3]),
        ("机", &[4]),
        ("手机", &[4]),
        ("手机壳", &[4]),
        ("iPhone手机", &[4]),
        ("的iph", &[4]),
        ("壳到 手机", &[4]),
        ("机手", &[]),
        ("天気", &[5]),
        ("良い天", &[5]),
        ("날씨", &[6]),
        ("씨가", &[6]),
        ("𠀁", &[8]),
        ("𠀀𠀁", &[8]),
        ("and", &[7]),
        ("more OR", &[7]),
        ("\"", &[]),
        ("*", &[]),
        ("(", &[]),
        ("order*", &[0, 1, 2]),
        ("", &[]),
        ("100", &[7]),
        ("terms:order", &[]),
        ("order NEAR(", &[]),
        ("-order", &[0, 1, 2]),
        ("^order", &[0, 1, 2]),
        // Titles too: it is the channel's name here.
        ("offi late", &[1]),
    ] {
        let expected = all(expected);
        assert_eq!(found(&inbox, query).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn found_messages_come_in_pages_newest_first() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    for number in 0..200 {
        inbox.receive(text(&orders(), &format!("number{number} 第{number}号"))).await;
    }
    for query in ["number", "num", "号"] {
        let mut before = None;
        let mut seen = Vec::new();
        loop {
            let page = look(&inbox, query, before, 30).await;
            let Some(last) = page.last() else { break };
            before = Some(last.row);
            seen.extend(page.iter().map(|message| message.row.0));
        }
        assert_eq!(seen, (1..=200).rev().collect::<Vec<_>>(), "{query}");
    }
    inbox.delete((1..=150).map(RowId).collect()).await;
    assert_eq!(look(&inbox, "number", None, 999).await.len(), 50, "what is deleted is not found");
    assert_eq!(inbox.unread().borrow().total, 50);
    assert_eq!(inbox.message(RowId(150)).await, None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_part_of_a_chinese_text_finds_it_and_nothing_breaks_the_search(
        texts in prop::collection::vec("[你好世界手机a-c ,]{1,12}", 1..12),
        query in "[你好世界手机]{1,4}",
        any in ".{0,20}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let folder = folder();
            let (inbox, _screen) = open_well(&file(&folder));
            for body in &texts {
                inbox.receive(text(&orders(), body)).await;
            }
            let expected: Vec<_> = texts.iter().rev().filter(|text| text.contains(&query)).cloned().collect();
            assert_eq!(found(&inbox, &query).await, expected, "{query:?}");
            // Neither an error nor a hang.
            found(&inbox, &any).await;
            inbox.close().await;
        });
    }
}

/// What version 1 made; its schema, word for word.
pub(crate) const VERSION_1: &str = "
    CREATE TABLE message (
        row INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, id TEXT, state INTEGER NOT NULL,
        unread INTEGER NOT NULL, received_at INTEGER NOT NULL, sent_at INTEGER, expires INTEGER,
        priority INTEGER NOT NULL, silent INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, url TEXT,
        icon TEXT, image TEXT, tag TEXT, actions TEXT, raw ANY NOT NULL
    ) STRICT;
    CREATE INDEX message_id ON message (channel, id) WHERE id IS NOT NULL;
    CREATE INDEX message_pending ON message (row) WHERE state = 0;
    CREATE INDEX message_unread ON message (channel) WHERE unread = 1;
    CREATE TABLE channel (id TEXT PRIMARY KEY, last_id TEXT NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO message (channel, id, state, unread, received_at, priority, silent, title, body, raw) VALUES
        ('orders', 'a', 1, 0, 1800000000000, 3, 0, 'Shipped', '你好', 'raw a'),
        ('orders', 'b', 0, 1, 1800000000001, 5, 0, 'Urgent', 'body', x'00ff');
    INSERT INTO channel VALUES ('orders', 'b');
    PRAGMA user_version = 1;
";

#[tokio::test]
async fn a_file_of_version_1_is_taken_over_with_all_it_holds() {
    let folder = folder();
    std::fs::create_dir(file(&folder).parent().expect("a folder")).expect("made");
    let old = Connection::open(file(&folder)).expect("a file");
    old.execute_batch(VERSION_1).expect("version 1");
    drop(old);
    for last_id in ["b", "c"] {
        let (inbox, mut screen) = open_well(&file(&folder));
        let stored = inbox.recent(9).await;
        let facts: Vec<_> =
            stored.iter().map(|m| (m.title.as_str(), m.urgency, &m.sound, m.unread)).collect();
        assert!(stored.iter().all(|m| m.format == Format::Plain), "as all were");
        assert_eq!(
            facts,
            [
                ("Urgent", Urgency::Critical, &Sound::Usual, true),
                ("Shipped", Urgency::Normal, &Sound::Usual, false)
            ]
        );
        assert_eq!(found(&inbox, "ship").await, ["你好"]);
        assert_eq!(found(&inbox, "好").await, ["你好"]);
        assert_eq!(inbox.last_id("orders").await.as_deref(), Some(last_id));
        inbox.show_pending();
        assert_eq!(screen.next_body().await, "body");
        inbox.receive(text(&orders(), r#"{"id": "c", "title": "Shipped"}"#)).await;
        assert!(found(&inbox, "shipped").await.len() >= 2);
        inbox.delete(vec![RowId(3), RowId(4)]).await;
        inbox.close().await;
    }
}
