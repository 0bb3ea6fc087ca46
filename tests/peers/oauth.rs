//! The real agent at a channel whose users sign in at a real OAuth provider. That channel keeps nothing: what comes while nobody
//! listens is lost, and each message that is sent must have had a link to go over.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;
use tidings_api::StateName;
use tidings_tests::peer::{Peer, own_server};
use tidings_tests::wait::{SOON, eventually};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::desk::Desk;
use crate::servers;

/// What the provider's channel has seen.
#[derive(Debug, Deserialize)]
struct Counts {
    opened: u32,
    replaced: u32,
    expired: u32,
    refused: u32,
}

async fn counts(peer: &Peer) -> anyhow::Result<Counts> {
    Ok(serde_json::from_str(&peer.http("GET", "/counts", "", "").await?.body)?)
}

/// A desk with a channel whose tokens live so long.
async fn desk(peer: &Peer, life: Duration) -> anyhow::Result<Desk> {
    peer.push(&format!("/life/{}", life.as_secs()), "", "").await?;
    let addr = peer.addr();
    let channel = format!(
        "url = \"ws://{addr}/ws/user-channel\"\n\
         oauth = {{ issuer = \"http://{addr}\", client_id = \"tidings\", scopes = [\"openid\", \"offline_access\"] }}\n"
    );
    Desk::set(crate::desk::alerts(&channel)).await
}

/// The person does in a browser what the page asks for.
async fn agrees(peer: &Peer, page: &str) -> anyhow::Result<String> {
    peer.run(&[&own_server("person.js"), page], &[]).await
}

/// From *Needs you* to a link, by the browser of this machine.
async fn signs_in(desk: &Desk, peer: &Peer) -> anyhow::Result<()> {
    let needs = desk.state(StateName::NeedsUser).await?;
    let cause = needs.cause.unwrap_or_default();
    ensure!(cause.contains("sign in"), "{cause}");
    let opened = desk.app.opened_links().len();
    // As from a terminal on a screen.
    let status = desk.app.command().args(["sign-in", "Alerts"]).env("DISPLAY", ":0").status().await?;
    ensure!(status.success(), "{status}");
    let page =
        eventually("a page in the browser", || desk.app.opened_links().into_iter().nth(opened)).await?;
    let said = agrees(peer, &page).await?;
    ensure!(said.contains("You are signed in"), "{said}");
    desk.connected().await
}

/// Sends this many messages, one every so often, and sees that each had a link and was shown.
async fn all_come(desk: &Desk, peer: &Peer, count: usize, every: Duration) -> anyhow::Result<()> {
    let before = desk.app.inbox()?.len();
    for number in 0..count {
        let message = serde_json::json!({ "id": format!("m{}", before + number), "title": format!("number {}", before + number) });
        let answer = peer.http("POST", "/push", "", &message.to_string()).await?;
        ensure!(answer.body != "0", "message {number} had no link: {:?}", counts(peer).await?);
        tokio::time::sleep(every).await;
    }
    desk.settled(before + count).await.map(drop)
}

/// Over so many renewals.
async fn renews(life: Duration, times: u32) -> anyhow::Result<()> {
    let Some(peer) = servers::of_npm("oidc-provider").await? else { return Ok(()) };
    let desk = desk(&peer, life).await?;
    signs_in(&desk, &peer).await?;
    let every = Duration::from_millis(200);
    let count = (life * times).as_millis() / every.as_millis();
    all_come(&desk, &peer, usize::try_from(count)?, every).await?;
    let counts = counts(&peer).await?;
    assert!(counts.opened > times, "{counts:?}");
    assert_eq!(counts.expired, 0, "each link was renewed before its token ended: {counts:?}");
    assert_eq!(counts.refused, 0, "no dial without a good token: {counts:?}");
    assert_eq!(counts.replaced, counts.opened - 1, "a new link before the old one ends: {counts:?}");
    desk.connected().await
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_no_message_is_missed() -> anyhow::Result<()> {
    renews(Duration::from_secs(13), 2).await
}

#[tokio::test]
#[ignore = "takes five minutes: tokens of a minute, renewed five times"]
async fn tokens_of_a_minute_are_renewed_five_times() -> anyhow::Result<()> {
    renews(Duration::from_secs(60), 5).await
}

#[tokio::test]
async fn a_sign_in_that_is_over_is_told_and_a_new_one_brings_the_link_back() -> anyhow::Result<()> {
    let Some(peer) = servers::of_npm("oidc-provider").await? else { return Ok(()) };
    let desk = desk(&peer, Duration::from_secs(2)).await?;
    signs_in(&desk, &peer).await?;
    // Now nothing is renewed any more, and the server ends the link with its token.
    peer.push("/forget", "", "").await?;
    desk.state(StateName::NeedsUser).await?;
    peer.push("/remember", "", "").await?;
    signs_in(&desk, &peer).await?;
    assert_eq!(counts(&peer).await?.refused, 0, "no dial by a token that is over");
    all_come(&desk, &peer, 3, Duration::ZERO).await
}

#[tokio::test]
async fn a_provider_that_is_away_is_waited_for() -> anyhow::Result<()> {
    let Some(mut peer) = servers::of_npm("oidc-provider").await? else { return Ok(()) };
    let desk = desk(&peer, Duration::from_secs(60)).await?;
    signs_in(&desk, &peer).await?;
    peer.kill().await?;
    let lost = desk.state(StateName::Waiting).await?;
    assert!(!lost.cause.unwrap_or_default().is_empty());
    // It remembers nobody: the person signs in again.
    peer.start_again().await.context("started again")?;
    signs_in(&desk, &peer).await
}

#[tokio::test]
async fn a_machine_without_a_browser_signs_in_by_a_code() -> anyhow::Result<()> {
    let Some(peer) = servers::of_npm("oidc-provider").await? else { return Ok(()) };
    let desk = desk(&peer, Duration::from_secs(60)).await?;
    desk.state(StateName::NeedsUser).await?;
    let mut command = desk.app.command();
    let mut typing = command
        .args(["sign-in", "--code", "Alerts"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("tidings does not start")?;
    let stdout = typing.stdout.take().context("no stdout")?;
    let mut lines = BufReader::new(stdout).lines();
    let told = timeout(SOON, lines.next_line()).await.context("nothing is told")??.unwrap_or_default();
    let page = told.split_whitespace().rfind(|word| word.starts_with("http")).context(told.clone())?;
    let said = agrees(&peer, page).await?;
    ensure!(said.contains("successful"), "{said}");
    let status = timeout(SOON, typing.wait()).await.context("it goes on waiting")??;
    ensure!(status.success(), "{status}");
    desk.connected().await
}
