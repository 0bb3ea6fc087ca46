//! A push that `tidings-server` has answered with 200 reaches its reader exactly once, whatever becomes of the server
//! meanwhile: it is killed, its disk is full, its file is damaged.

use std::fs;
use std::time::Duration;

use anyhow::ensure;
use tidings_tests::cluster::{Cluster, Far};
use tidings_tests::disk::{SmallDisk, may_mount};
use tidings_tests::listen::{Home, Program};
use tidings_tests::node::{Kills, Node, Pusher};
use tidings_tests::reader::Reader;
use tidings_tests::turmoil::Turmoil;

const USER: &str = "ann";

/// A reader of everything that is kept.
async fn reader(node: &Node, home: &Home) -> anyhow::Result<Program> {
    let url = format!("ws://{}/ws/user-channel?user={USER}&since=0", node.addr());
    let mut listen = home.start(&["listen", "--json", "--url", &url])?;
    listen.state("connected").await?;
    Ok(listen)
}

#[tokio::test]
async fn each_comes_once_though_the_server_is_killed_again_and_again() -> anyhow::Result<()> {
    for durability in ["fsync", "process"] {
        let mut node = Node::start(&["--durability", durability, "--devices", "many"]).await?;
        let tally = Kills { kills: 5, between: 300, pushers: 16 }.run(&mut node, false).await?;
        println!("{durability}: {tally:?}");
        ensure!(tally.answered >= 1500, "{tally:?}");
        ensure!(tally.lost.is_empty() && tally.twice.is_empty(), "{durability}: {tally:?}");
    }
    Ok(())
}

#[tokio::test]
async fn each_comes_once_though_nodes_and_servers_of_nats_are_killed() -> anyhow::Result<()> {
    let Some(mut cluster) = Cluster::start(&["ann", "bob"], Far::default()).await? else { return Ok(()) };
    let reader = Reader::start(&cluster.channels(), false).await?;
    let turmoil = Turmoil {
        lasts: Duration::from_secs(8),
        rate: 200,
        pushers: 16,
        pauses: (500, 1500),
        cut: &[],
        cut_for: Duration::ZERO,
        seed: 17,
    };
    let (tally, done) = turmoil.run(&mut cluster, reader).await?;
    println!("{tally:?}, {done:?}");
    ensure!(tally.answered >= 100 && done.nodes > 0 && done.leaders > 0, "{done:?} {tally:?}");
    ensure!(tally.lost.is_empty() && tally.twice.is_empty(), "{done:?} {tally:?}");
    Ok(())
}

#[tokio::test]
async fn a_restart_loses_nothing_and_ids_go_on_growing() -> anyhow::Result<()> {
    let home = Home::new("")?;
    let mut node = Node::start(&[]).await?;
    let mut ids = Vec::new();
    for stop in [false, true, false] {
        let mut pusher = Pusher::connect(node.addr()).await?;
        for _ in 0..10 {
            let (status, answer) = pusher.push(USER, r#"{"title": "x"}"#).await?;
            ensure!(status == 200, "{status} {answer}");
            let answer: serde_json::Value = serde_json::from_str(&answer)?;
            ids.push(answer["id"].as_str().unwrap_or_default().parse::<u64>()?);
        }
        if stop {
            node.stop().await?;
        } else {
            node.kill().await?;
        }
        node.start_again().await?;
    }
    ensure!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    let mut listen = reader(&node, &home).await?;
    for id in ids {
        assert_eq!(listen.message().await?["id"], id.to_string());
    }
    Ok(())
}

#[tokio::test]
async fn a_full_disk_is_told_with_507_and_takes_messages_again_once_there_is_room() -> anyhow::Result<()> {
    let test = "a_full_disk_is_told_with_507_and_takes_messages_again_once_there_is_room";
    if !may_mount(&format!("a_push_that_is_answered_is_kept::{test}"))? {
        return Ok(());
    }
    let home = Home::new("")?;
    let mut node = Node::start(&[]).await?;
    node.stop().await?;
    fs::remove_dir_all(node.data())?;
    fs::create_dir(node.data())?;
    let disk = SmallDisk::mount(&node.data())?;
    node.start_again().await?;
    let mut pusher = Pusher::connect(node.addr()).await?;
    let mut kept = Vec::new();
    for round in 0..3 {
        // By messages, and by somebody else.
        if round == 1 {
            disk.fill();
        }
        for number in 0.. {
            let title = format!("{round}.{number}");
            let text = format!(r#"{{"title": "{title}", "body": "{:1000}"}}"#, "");
            match pusher.push(USER, &text).await? {
                (200, _) => kept.push(title),
                (507, told) => {
                    ensure!(told.contains("no room"), "{told}");
                    break;
                }
                other => anyhow::bail!("{other:?}\n{}", node.log_tail()),
            }
            // With room for all of it nothing would be shown.
            ensure!(number < 2000, "the disk does not get full");
        }
        if round == 0 {
            make_room(&node)?;
        } else if round == 1 {
            disk.make_room()?;
        }
    }
    let mut listen = reader(&node, &home).await?;
    for title in &kept {
        assert_eq!(listen.message().await?["title"], **title, "nothing that was refused, and all else");
    }
    Ok(())
}

/// Somebody gives the disk more room.
fn make_room(node: &Node) -> anyhow::Result<()> {
    let grown = tidings_tests::disk::works("mount", &["-o", "remount,size=2m"], &node.data());
    ensure!(grown, "the disk does not grow");
    Ok(())
}

#[tokio::test]
async fn two_servers_are_kept_apart_and_a_damaged_file_is_told_and_left() -> anyhow::Result<()> {
    let mut node = Node::start(&[]).await?;
    let second = std::process::Command::new(tidings_tests::binary::server()?)
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(node.data())
        .output()?;
    let told = String::from_utf8_lossy(&second.stderr);
    ensure!(second.status.code() == Some(1) && told.contains("in use by another tidings-server"), "{told}");
    Pusher::connect(node.addr()).await?.push(USER, "before").await?;
    node.stop().await?;
    let file = node.data().join("messages.db");
    let whole = fs::read(&file)?;
    fs::write(&file, "no database, but something that somebody may want to see")?;
    let told = node.start_again().await.err().map(|error| error.to_string()).unwrap_or_default();
    ensure!(told.contains("damaged") && told.contains("put a backup in its place"), "{told}");
    fs::write(&file, whole)?;
    node.start_again().await?;
    let home = Home::new("")?;
    assert_eq!(reader(&node, &home).await?.message().await?["body"], "before");
    Ok(())
}
