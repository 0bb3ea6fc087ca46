//! Figures with a million messages; run by hand in a release build:
//! `cargo test --release -p tidings-inbox --test inbox -- --ignored --nocapture million`

#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{file, folder, open_with, orders, text, unlimited};
use tidings_inbox::{ChannelProfile, Inbox, Policy, Popup, Query, RowId};

const MESSAGES: u64 = 1_000_000;
const LOOKS: usize = 200;

/// Goal for the slowest of a hundred; it fails at twice that.
const GOAL: Duration = Duration::from_millis(30);

const WORDS: [&str; 24] = [
    "order",
    "orders",
    "shipped",
    "payment",
    "received",
    "customer",
    "invoice",
    "delayed",
    "warehouse",
    "server",
    "restarted",
    "backup",
    "finished",
    "disk",
    "almost",
    "full",
    "meeting",
    "moved",
    "tomorrow",
    "build",
    "failed",
    "branch",
    "review",
    "requested",
];
const CHINESE: [&str; 12] = [
    "订单",
    "已发货",
    "付款",
    "成功",
    "客户",
    "发票",
    "延迟",
    "仓库",
    "服务器",
    "重启",
    "备份完成",
    "会议改期",
];

fn body(number: u64) -> String {
    let mut random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut pick = |from: &[&'static str]| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        from[usize::try_from(random % from.len() as u64).expect("an index")]
    };
    let english: Vec<&str> = (0..8).map(|_| pick(&WORDS)).collect();
    let chinese: Vec<&str> = (0..4).map(|_| pick(&CHINESE)).collect();
    format!("#{number} {} {}", english.join(" "), chinese.concat())
}

async fn p99(name: &str, mut look: impl AsyncFnMut(usize) -> usize) {
    let mut times = Vec::with_capacity(LOOKS);
    let mut found = 0;
    for n in 0..LOOKS {
        let began = Instant::now();
        found += look(n).await;
        times.push(began.elapsed());
    }
    times.sort();
    let (median, slow) = (times[LOOKS / 2], times[LOOKS * 99 / 100]);
    println!("{name:40} median {median:>10.2?}  p99 {slow:>10.2?}  ({} found)", found / LOOKS);
    assert!(slow < 2 * GOAL, "{name} takes {slow:?}");
}

async fn look(inbox: &Inbox, text: &str, before: Option<RowId>) -> usize {
    inbox.find(Query { before, search: Some(text.to_owned()), ..Query::newest(50) }).await.len()
}

async fn pages(inbox: &Inbox, query: &str) {
    p99(&format!("first page of {query:?}"), async |_| look(inbox, query, None).await).await;
    p99(&format!("some page of {query:?}"), async |n| {
        let before = RowId(i64::try_from(n).expect("small") * 4_999 + 1_000);
        look(inbox, query, Some(before)).await
    })
    .await;
}

#[tokio::test]
#[ignore = "takes minutes, and its figures mean something in a release build alone"]
async fn search_and_paging_are_quick_among_a_million() {
    let folder = folder();
    let policy = || Policy { keep_messages: u32::MAX, ..unlimited() };
    let began = Instant::now();
    let (inbox, mut screen) = open_with(&file(&folder), policy());
    inbox.recent(1).await;
    let empty = began.elapsed();
    let began = Instant::now();
    let reader = tokio::spawn({
        let inbox = inbox.clone();
        async move {
            for _ in 0..MESSAGES {
                let Popup::Message(message) = screen.next().await else { panic!("a message") };
                inbox.shown(vec![message.row]);
            }
        }
    });
    let (common, rare) = (orders(), Arc::new(ChannelProfile::new("rare", "Rare")));
    for number in 0..MESSAGES {
        // One in ten thousand is of the rare channel, and unread in the end.
        let channel = if number % 10_000 == 0 { &rare } else { &common };
        inbox.receive(text(channel, &format!(r#"{{"id": {number}, "body": "{}"}}"#, body(number)))).await;
    }
    reader.await.expect("all shown");
    println!("stored in {:?}", began.elapsed());
    let began = Instant::now();
    inbox.mark_all_read(Some("orders".to_owned())).await;
    println!("marked as read in {:?}", began.elapsed());
    inbox.close().await;
    let size = std::fs::metadata(file(&folder)).expect("a file").len();
    println!("{} MiB, {} bytes a message", size >> 20, size / MESSAGES);

    let began = Instant::now();
    let (inbox, _screen) = open_with(&file(&folder), policy());
    inbox.recent(1).await;
    let full = began.elapsed();
    println!("opened in {full:?}, empty in {empty:?}: {:.1} times", full.as_secs_f64() / empty.as_secs_f64());

    p99("first page", async |_| inbox.recent(50).await.len()).await;
    p99("some page", async |n| {
        let before = RowId(i64::try_from(n).expect("small") * 4_999 + 1_000);
        inbox.find(Query { before: Some(before), ..Query::newest(50) }).await.len()
    })
    .await;
    for query in [
        "order",
        "ord",
        "o",
        "ship",
        "payment invoice",
        "#123456",
        "12345",
        "backup disk warehouse server",
        "nothing",
        "单",
        "订单",
        "已发货",
        "备份完成",
        "服务器重启",
        "发票 会议",
        "没有",
    ] {
        pages(&inbox, query).await;
    }
    let rare = || Some("rare".to_owned());
    let word = |word: &str| Some(word.to_owned());
    for query in [
        Query { channel: rare(), ..Query::newest(50) },
        Query { unread: true, ..Query::newest(50) },
        Query { channel: rare(), unread: true, ..Query::newest(50) },
        Query { search: word("order"), channel: rare(), ..Query::newest(50) },
        Query { search: word("单"), unread: true, ..Query::newest(50) },
        Query { search: word("nothing"), channel: rare(), unread: true, ..Query::newest(50) },
        Query { search: word("order"), after: Some(RowId(0)), ..Query::newest(50) },
    ] {
        let name = format!(
            "{:?} {} {}",
            query.search.as_deref().unwrap_or_default(),
            query.channel.as_deref().unwrap_or_default(),
            if query.unread { "unread" } else { "" }
        );
        p99(&name, async |_| inbox.find(query.clone()).await.len()).await;
    }
}
