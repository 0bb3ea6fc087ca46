//! The real agent at sockjs-node, by each of its ways.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use tidings_api::{CarrierName, StateName, StatusReport};
use tidings_tests::desktop::Signal;
use tidings_tests::holding::Holding;
use tidings_tests::nginx::Nginx;
use tidings_tests::peer::Peer;
use tidings_tests::wait::{SOON, eventually_within};

use crate::desk::{Desk, alerts};
use crate::servers;

/// How long a proxy bears silence.
const PATIENCE: Duration = Duration::from_secs(60);

const WAYS: [(&str, CarrierName); 3] = [
    ("sockjs", CarrierName::Sockjs),
    ("sockjs-streaming", CarrierName::SockjsStreaming),
    ("sockjs-polling", CarrierName::SockjsPolling),
];

async fn server() -> anyhow::Result<Option<Peer>> {
    servers::of_npm("sockjs").await
}

/// A desk whose channel goes there, once it is carried so.
async fn desk(addr: SocketAddr, carrier: &str, name: CarrierName) -> anyhow::Result<Desk> {
    let keys = format!("auth = \"none\"\nurl = \"http://{addr}/events\"\ncarrier = \"{carrier}\"\n");
    let desk = Desk::set(alerts(&keys)).await?;
    carried(&desk, name).await?;
    Ok(desk)
}

async fn carried(desk: &Desk, name: CarrierName) -> anyhow::Result<()> {
    let so = |status: &StatusReport| {
        status.channels.iter().all(|channel| channel.state == StateName::Connected && channel.carrier == name)
    };
    desk.app.wait_for_status(&format!("carried by {name:?}"), so).await.map(drop)
}

async fn push(server: &Peer, title: &str) -> anyhow::Result<()> {
    server.push("/push", "", &format!("{{\"title\":\"{title}\"}}")).await
}

#[tokio::test]
async fn each_way_brings_messages_also_after_a_restart_and_is_quiet_after_4500() -> anyhow::Result<()> {
    for (carrier, name) in WAYS {
        let Some(mut server) = server().await? else { return Ok(()) };
        let desk = desk(server.addr(), carrier, name).await?;
        push(&server, "at first").await?;
        desk.popups.wait_for_title("at first").await.context(carrier)?;
        server.kill().await?;
        desk.tray.wait_for("the loss", |item| !item.shows("Connected since ")).await?;
        server.start_again().await?;
        carried(&desk, name).await.context(carrier)?;
        push(&server, "after the crash").await?;
        desk.popups.wait_for_title("after the crash").await.context(carrier)?;
        server.push("/close", "", "").await?;
        desk.state(StateName::Replaced).await.context(carrier)?;
        assert_eq!(desk.settled(2).await?.len(), 2, "{carrier}: once each");
    }
    Ok(())
}

#[tokio::test]
async fn five_thousand_messages_come_once_each_within_one_session() -> anyhow::Result<()> {
    for (carrier, name) in WAYS {
        let Some(server) = server().await? else { return Ok(()) };
        let desk = desk(server.addr(), carrier, name).await?;
        server.push("/burst", "", "5000").await?;
        let stored = desk.app.wait_for_inbox("all", |stored| stored.len() >= 5000).await?;
        let mut titles: Vec<usize> = stored.iter().filter_map(|message| message.title.parse().ok()).collect();
        titles.sort_unstable();
        assert_eq!(titles, (0..5000).collect::<Vec<_>>(), "{carrier}");
        assert_eq!(desk.state(StateName::Connected).await?.links_opened, 1, "{carrier}");
    }
    Ok(())
}

#[tokio::test]
async fn behind_a_proxy_that_drops_upgrades_a_stream_is_heard() -> anyhow::Result<()> {
    let Some(server) = server().await? else { return Ok(()) };
    let proxy = Nginx::without_upgrades(server.addr(), PATIENCE).await?;
    let desk = desk(proxy.addr(), "auto", CarrierName::SockjsStreaming).await?;
    let why = desk.state(StateName::Connected).await?.instead_of.context("a reason")?;
    assert_eq!((why.carrier, why.failed), (CarrierName::Sockjs, 1));
    push(&server, "through").await?;
    desk.popups.wait_for_title("through").await?;
    Ok(())
}

#[tokio::test]
async fn behind_a_proxy_that_holds_answers_back_polls_bring_what_comes() -> anyhow::Result<()> {
    let Some(server) = server().await? else { return Ok(()) };
    let proxy = Holding::start(server.addr()).await?;
    let keys = format!("auth = \"none\"\nurl = \"http://{}/events\"\n", proxy.addr());
    let desk = Desk::set(alerts(&keys)).await?;
    // For as long as a stream's start may take, and what it takes to get so far.
    let polls = async || {
        let status = desk.app.status().await.ok()?;
        let channel = status.channels.into_iter().next()?;
        (channel.state == StateName::Connected).then_some(channel)
    };
    let channel = eventually_within("a link", Duration::from_secs(30), polls).await?;
    assert_eq!(channel.carrier, CarrierName::SockjsPolling);
    assert_eq!(channel.instead_of.context("a reason")?.carrier, CarrierName::Sockjs);
    push(&server, "polled").await?;
    desk.popups.wait_for_title("polled").await?;
    Ok(())
}

/// A stopped process polls no more, and the session ends 5 s after the last poll did.
#[tokio::test]
async fn a_session_that_is_over_is_followed_by_another() -> anyhow::Result<()> {
    let Some(server) = server().await? else { return Ok(()) };
    let desk = desk(server.addr(), "sockjs-polling", CarrierName::SockjsPolling).await?;
    desk.app.signal(Signal::STOP)?;
    let over = async || {
        let links = server.http("GET", "/links", "", "").await.ok()?;
        (links.body == "0").then_some(())
    };
    eventually_within("the session's end", SOON, over).await?;
    desk.app.signal(Signal::CONT)?;
    let so = |status: &StatusReport| {
        status
            .channels
            .iter()
            .all(|channel| channel.state == StateName::Connected && channel.links_opened == 2)
    };
    desk.app.wait_for_status("the next session", so).await?;
    push(&server, "again").await?;
    desk.popups.wait_for_title("again").await?;
    Ok(())
}
