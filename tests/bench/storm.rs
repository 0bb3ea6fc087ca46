//! Somebody opens links at our server as fast as they can, and leaves half of them unfinished: what others notice of it, and what it
//! costs the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tidings_tests::cluster::cpu_time;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval};

use crate::process::Memory;
use crate::progress::say;
use crate::server::{Place, Subject, connect, idle_link, way};
use crate::table::{Row, Times, Unit};

/// How many opens a second, how many of them each time, and for how long.
const OPENS: usize = 10_000;
const STEP: usize = 100;
const LASTS: Duration = Duration::from_secs(8);
/// How many are under way at once, at most: each is a file of this process.
const UNDER_WAY: usize = 6000;

#[derive(Default)]
struct Opened {
    offered: AtomicU32,
    whole: AtomicU32,
    refused: AtomicU32,
}

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    say("  a storm of opens, half of them never finished …");
    let subject = Subject::ours(&[]).await?;
    let mut calm = Times::default();
    way(subject.place, &mut calm).await?;
    let (before, cpu) = (Memory::of(subject.process)?.rss_mib, cpu_time(subject.process)?);
    let opened = Arc::new(Opened::default());
    let storm = tokio::spawn(storm(subject.place, Arc::clone(&opened)));
    let mut times = Times::default();
    while !storm.is_finished() {
        way(subject.place, &mut times).await?;
    }
    let took = storm.await??.as_secs_f64();
    let busy = (cpu_time(subject.process)? - cpu).as_secs_f64();
    let a_second = |count: &AtomicU32| f64::from(count.load(Relaxed)) / took;
    Ok(vec![
        Row::new("a storm: opens offered a second, half unfinished", Unit::Count, a_second(&opened.offered)),
        Row::new("… links opened a second", Unit::Count, a_second(&opened.whole)),
        Row::new("… opens refused", Unit::Count, f64::from(opened.refused.load(Relaxed))),
        Row::new("… server's processor time of it", Unit::Ms, busy * 1e3),
        Row::time("… push to reader meanwhile: median", times.median()),
        Row::time("… push to reader meanwhile: p99", times.p99()).beside_time(calm.p99()),
        Row::new("… server's memory, more", Unit::Mib, Memory::of(subject.process)?.rss_mib - before),
    ])
}

/// Tells how long it took.
async fn storm(place: Place, opened: Arc<Opened>) -> anyhow::Result<Duration> {
    let room = Arc::new(Semaphore::new(UNDER_WAY));
    let mut tick = interval(Duration::from_secs(1) / u32::try_from(OPENS / STEP)?);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let start = Instant::now();
    let mut number = 0;
    while start.elapsed() < LASTS {
        tick.tick().await;
        for _ in 0..STEP {
            number += 1;
            let (opened, permit) = (Arc::clone(&opened), Arc::clone(&room).acquire_owned().await?);
            tokio::spawn(async move {
                let _permit = permit;
                opened.offered.fetch_add(1, Relaxed);
                if number % 2 == 0 {
                    return half(place, number).await;
                }
                match idle_link(place, number).await {
                    Ok(_) => opened.whole.fetch_add(1, Relaxed),
                    Err(_) => opened.refused.fetch_add(1, Relaxed),
                };
                Ok(())
            });
        }
    }
    Ok(start.elapsed())
}

/// Begins an upgrade, and waits until the server has enough of it.
async fn half(place: Place, number: usize) -> anyhow::Result<()> {
    let mut stream = connect(place, number).await?;
    stream.write_all(b"GET /ws/user-channel HTTP/1.1\r\nhost: x\r\n").await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}
