//! A channel's thousandth link costs what its first did (C5). A program of its own: it counts what its process holds,
//! which any other test would change.
#![cfg(target_os = "linux")]

mod desk;

use desk::{Desk, accept, config, listen};
use futures_util::StreamExt;
use tidings_channel::{Command, DialParams};

const RECONNECTS: u64 = 10_000;
/// Then the link is renewed so often (N1).
const RENEWALS: u64 = 2_000;
/// Rounds after which caches and pools have grown to their size.
const WARM: u64 = 1_000;
/// Most that the process may have grown by then, bytes.
const GROWTH: u64 = 1024 * 1024;

/// Open files, and resident bytes.
fn held() -> (usize, u64) {
    let files = std::fs::read_dir("/proc/self/fd").expect("a Linux").count();
    let sizes = std::fs::read_to_string("/proc/self/statm").expect("a Linux");
    let pages: u64 = sizes.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    (files, pages * 4096)
}

#[tokio::test]
async fn ten_thousand_reconnects_and_thousands_of_renewals_leave_nothing_behind() {
    let (listener, port) = listen().await;
    let mut desk = Desk::with(config("ws", port), DialParams::default());
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let mut before = None;
    for round in 1..=RECONNECTS {
        let server = accept(&listener).await;
        desk.until("connected", |status| status.links_opened == round).await;
        if round == WARM {
            before = Some((tasks(), held()));
        }
        drop(server);
        desk.until("lost", |status| status.links_closed == round).await;
        desk.channel.command(Command::ReconnectNow);
    }
    let mut server = accept(&listener).await;
    let since = desk.until("connected", |status| status.links_opened == RECONNECTS + 1).await.state;
    for round in 1..=RENEWALS {
        desk.channel.command(Command::Renew);
        let mut old = std::mem::replace(&mut server, accept(&listener).await);
        // Its goodbye is answered.
        while old.next().await.is_some_and(|message| message.is_ok()) {}
        let status = desk.until("renewed", |status| status.links_closed == RECONNECTS + round).await;
        assert_eq!(status.state, since);
    }
    let (tasks_before, (files_before, bytes_before)) = before.expect("measured");
    let (files, bytes) = held();
    assert_eq!((tasks(), files), (tasks_before, files_before), "tasks and open files");
    assert!(bytes <= bytes_before + GROWTH, "from {bytes_before} to {bytes} bytes");
    let status = desk.status.borrow().clone();
    let closed = RECONNECTS + RENEWALS;
    assert_eq!((status.links_opened, status.links_closed), (closed + 1, closed));
    assert!(desk.frames.try_recv().is_err(), "nobody sent anything");
}
