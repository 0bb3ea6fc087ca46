//! A million messages: search and paging, and what they mean for the agent.

use std::path::Path;
use std::time::{Duration, Instant};

use tidings_inbox::{Inbox, Query, RowId};
use tidings_tests::app::{App, Start};
use tidings_tests::desktop::{PrivateBus, Signal};

use crate::inbox::{RARE, fill, open};
use crate::process::Memory;
use crate::progress::say;
use crate::table::{Row, Times, Unit};

const MESSAGES: u64 = 1_000_000;
/// A page of the window.
const PAGE: usize = 50;
/// How often each question is asked, and how far apart the pages are that it asks for.
const LOOKS: i64 = 200;
const STRIDE: i64 = 4_999;
/// How often the agent is started.
const STARTS: usize = 5;

/// From every message to none, from one letter to four words.
const ENGLISH: [&str; 9] = [
    "order",
    "ord",
    "o",
    "ship",
    "payment invoice",
    "#123456",
    "12345",
    "backup disk warehouse server",
    "nothing",
];
const CHINESE: [&str; 7] = ["单", "订单", "已发货", "备份完成", "服务器重启", "发票 会议", "没有"];

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("inbox.db");
    say("  storing a million messages …");
    let began = Instant::now();
    fill(&file, MESSAGES).await?;
    let took = began.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "shown by the tenth of a MiB")]
    let size = std::fs::metadata(&file)?.len() as f64 / 1024.0 / 1024.0;
    say("  searching among them …");
    let inbox = open(&file);
    let search = |text: &str| Query { search: Some(text.to_owned()), ..all() };
    let paging = slowest(&inbox, [all()]).await;
    let english = slowest(&inbox, ENGLISH.map(search)).await;
    let chinese = slowest(&inbox, CHINESE.map(search)).await;
    let rare = || Some(RARE.to_owned());
    let filtered = [
        Query { channel: rare(), ..all() },
        Query { unread: true, ..all() },
        Query { channel: rare(), unread: true, ..search("order") },
        Query { unread: true, ..search("单") },
        Query { channel: rare(), ..search("nothing") },
    ];
    let filtered = slowest(&inbox, filtered).await;
    inbox.close().await;
    say("  starting the agent with them …");
    let empty = agent(None).await?;
    let full = agent(Some(&file)).await?;
    let ratio = full.start.as_secs_f64() / empty.start.as_secs_f64();
    Ok(vec![
        Row::time("a million messages: paging, p99", paging).goal(30.0),
        Row::time("a million messages: search in English, p99", english).goal(30.0),
        Row::time("a million messages: search in Chinese, p99", chinese).goal(30.0),
        Row::time("a million messages: by channel and unread, p99", filtered).goal(30.0),
        #[expect(clippy::cast_precision_loss, reason = "a million")]
        Row::time("a million messages: storing one", took.div_f64(MESSAGES as f64)),
        Row::time("a million messages: agent's start", full.start),
        Row::new("… against an empty inbox", Unit::Ratio, ratio),
        Row::new("a million messages: agent's RSS", Unit::Mib, full.memory.rss_mib),
        Row::new("… against an empty inbox, more", Unit::Mib, full.memory.rss_mib - empty.memory.rss_mib),
        Row::new("a million messages: file", Unit::Mib, size),
    ])
}

fn all() -> Query {
    Query::newest(PAGE)
}

/// The slowest of these questions: each one's p99, of its first page or of pages further back.
async fn slowest(inbox: &Inbox, queries: impl IntoIterator<Item = Query>) -> Duration {
    let mut slowest = Duration::ZERO;
    for query in queries {
        let (mut newest, mut older) = (Times::default(), Times::default());
        for look in 0..LOOKS {
            for (before, times) in [(None, &mut newest), (Some(RowId(look * STRIDE + 1_000)), &mut older)] {
                let began = Instant::now();
                inbox.find(Query { before, ..query.clone() }).await;
                times.add(began.elapsed());
            }
        }
        slowest = slowest.max(newest.p99()).max(older.p99());
    }
    slowest
}

struct Agent {
    start: Duration,
    memory: Memory,
}

/// The agent with this inbox, or with an empty one: from its process's start until it answers (the median), and
/// its memory then.
async fn agent(inbox: Option<&Path>) -> anyhow::Result<Agent> {
    let bus = PrivateBus::start()?;
    // Without channels: only the inbox makes a difference.
    let settings = "[inbox]\nkeep_messages = 10000000\nkeep_days = 36500\n";
    let mut app = App::with_settings(settings).bus(&bus).calm().start().await?;
    app.signal(Signal::TERM)?;
    app.ended_well().await?;
    if let Some(file) = inbox {
        let place = app.home().join(".local/share/tidings/inbox.db");
        // A link where it can be one: it is large.
        std::fs::remove_file(&place)?;
        if std::fs::hard_link(file, &place).is_err() {
            std::fs::copy(file, &place)?;
        }
    }
    let mut times = Times::default();
    for start in 0..STARTS {
        if start > 0 {
            app.signal(Signal::TERM)?;
            app.ended_well().await?;
        }
        let began = Instant::now();
        app.start(Start::ByHand).await?;
        times.add(began.elapsed());
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    Ok(Agent { start: times.median(), memory: Memory::of_tree(app.id()?)? })
}
