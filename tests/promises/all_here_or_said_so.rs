//! Where the server speaks `tidings.v1`, it hears what is stored and not before, and says whether all that was missed is here; what
//! was read on one device is read on the other. To a server that doesn't nothing changes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tidings_api::{Action, Request, StateName, StatusReport};
use tidings_server::{Devices, EventKind, Options, Server};
use tidings_tests::app::{App, Start, Stored};
use tidings_tests::desktop::Signal;
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::wait::eventually;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request as Upgrade, Response};

const ORDERS: &str = "[notifications]\nburst = 1000\nrefill = \"1ms\"\n";

async fn server(options: Options) -> anyhow::Result<Place> {
    Ok(Place(Server::start(Options { announce_v1: true, ..options }).await?))
}

/// A desk at this server.
async fn desk(server: &Server) -> anyhow::Result<Scene> {
    let settings = ORDERS.to_owned() + &channel("Orders", &server.url(USER));
    Scene::around(Place(server.clone()), ABLE, |bus| App::with_settings(settings).bus(bus).background()).await
}

/// Waits until the server has said whether all is here: whether it is.
async fn caught_up(app: &App) -> anyhow::Result<bool> {
    let told = |status: &StatusReport| status.channels.first().is_some_and(|it| it.caught_up.is_some());
    let status = app.wait_for_status("whether all is here", told).await?;
    Ok(status.channels[0].caught_up.is_some_and(|told| told.complete))
}

async fn stop(scene: &mut Scene) -> anyhow::Result<()> {
    scene.app.signal(Signal::TERM)?;
    scene.app.ended_well().await
}

/// What clients said, but for the heartbeat.
fn said(server: &Place) -> Vec<Value> {
    let text = |kind| if let EventKind::Text(text) = kind { serde_json::from_str(&text).ok() } else { None };
    server.all(|_| true).into_iter().filter_map(|event| text(event.kind)).collect()
}

fn acknowledges(kind: &EventKind, id: &str) -> bool {
    matches!(kind, EventKind::Text(text) if *text == format!(r#"{{"type":"ack","id":"{id}"}}"#))
}

#[tokio::test]
async fn a_night_away_is_all_here_and_every_message_is_acknowledged_once_it_is_stored() -> anyhow::Result<()>
{
    let mut scene = desk(&server(Options::default()).await?.0).await?;
    assert!(caught_up(&scene.app).await?, "nothing was missed");
    scene.marker("first").await?;
    stop(&mut scene).await?;
    let lines: Vec<String> = (0..300).map(|number| format!("n{number}")).collect();
    let mut last = String::new();
    for line in &lines {
        last = scene.server.push_json(USER, &serde_json::json!({ "title": line })).id;
    }
    scene.app.start(Start::Background).await?;
    assert!(caught_up(&scene.app).await?);
    let told = |stored: &[Stored]| stored.len() == 301 && stored.iter().all(|one| one.state != "pending");
    scene.app.wait_for_inbox("the night", told).await?;
    assert_eq!(scene.popups.titles(), ["first", "300 messages from Orders"], "in one sum");
    scene.server.seen(0, |kind| acknowledges(kind, &last)).await?;
    let acks = said(&scene.server).iter().filter(|said| said["type"] == "ack").count();
    assert!(acks < 100, "a burst is acknowledged in a few words, and not in {acks}");
    let output = scene.app.run(&["status"]).await?;
    assert!(output.stdout.contains("all that was missed is here"), "{output:?}");
    Ok(())
}

#[tokio::test]
async fn nothing_is_acknowledged_that_is_not_in_the_file() -> anyhow::Result<()> {
    let scene = desk(&server(Options::default()).await?.0).await?;
    caught_up(&scene.app).await?;
    scene.marker("before").await?;
    // Somebody has the file, and keeps it.
    let mut holder = rusqlite::Connection::open(scene.app.home().join(".local/share/tidings/inbox.db"))?;
    let hold = holder.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let id = scene.server.push_json(USER, &serde_json::json!({ "title": "not stored yet" })).id;
    scene.popups.wait_for_title("not stored yet").await?;
    // Whatever it had to say by then it has said.
    scene.server.close(USER, 1000, "");
    scene.server.seen(0, |kind| matches!(kind, EventKind::Closed { code: Some(1000), .. })).await?;
    assert!(scene.server.all(|kind| acknowledges(kind, &id)).is_empty(), "it isn't stored");
    drop(hold);
    let after = scene.server.push_json(USER, &serde_json::json!({ "title": "let go" })).id;
    scene.popups.wait_for_title("let go").await?;
    scene.server.seen(0, |kind| acknowledges(kind, &after)).await?;
    let stored = scene.app.wait_for_inbox("all three", |stored| stored.len() >= 3).await?;
    assert_eq!(stored.len(), 3, "each once");
    Ok(())
}

#[tokio::test]
async fn killed_again_and_again_nothing_is_lost_nor_stored_twice() -> anyhow::Result<()> {
    const MESSAGES: usize = 1_000;
    const KILLS: usize = 8;
    let options = Options { backlog: usize::MAX, backlog_bytes: usize::MAX, ..Options::default() };
    let mut scene = desk(&server(options).await?.0).await?;
    caught_up(&scene.app).await?;
    let numbers: Vec<usize> = (0..MESSAGES).collect();
    for (part, numbers) in numbers.chunks(MESSAGES / KILLS).enumerate() {
        for number in numbers {
            scene.server.push(USER, format!("number {number}"));
        }
        let some = part * (MESSAGES / KILLS) + 1;
        scene.app.wait_for_inbox("some", |stored| stored.len() >= some).await?;
        scene.app.kill().await?;
        scene.app.start(Start::Background).await?;
    }
    let different =
        |stored: &[Stored]| stored.iter().map(|one| one.body.as_str()).collect::<BTreeSet<_>>().len();
    let stored = scene.app.wait_for_inbox("all", |stored| different(stored) == MESSAGES).await?;
    assert_eq!(stored.len(), MESSAGES, "each once, though they are texts without an id");
    Ok(())
}

#[tokio::test]
async fn what_the_server_no_longer_has_is_said_once_with_its_times() -> anyhow::Result<()> {
    let mut scene = desk(&server(Options { backlog: 3, ..Options::default() }).await?.0).await?;
    assert!(caught_up(&scene.app).await?);
    scene.marker("first").await?;
    stop(&mut scene).await?;
    for number in 0..6 {
        scene.server.push_json(USER, &serde_json::json!({ "title": format!("n{number}") }));
    }
    scene.app.start(Start::Background).await?;
    assert!(!caught_up(&scene.app).await?);
    let gap = scene.app.status().await?.channels[0].caught_up.context("told")?;
    assert!(gap.from.context("from")? <= gap.until.context("until")?);
    let is_missing =
        |label: &&str| label.starts_with("Connected since ") && label.ends_with("may be missing");
    scene.tray.wait_for("what is missing", |seen| seen.labels().iter().any(is_missing)).await?;
    let is_told = |one: &&Stored| one.body.contains("messages of ") && one.body.contains("may be missing");
    let stored =
        scene.app.wait_for_inbox("it is told", |stored| stored.iter().any(|one| is_told(&one))).await?;
    assert_eq!(stored.iter().filter(|one| one.title.starts_with('n')).count(), 3, "what was kept came");
    // Later links lack nothing more, and what is missing stays so.
    for _ in 0..2 {
        scene.server.close(USER, 1012, "restart");
        scene.tray.wait_for_label("Reconnecting").await?;
        scene.app.run(&["connect"]).await?;
        scene.app.ask(&Request::Act { action: Action::ReconnectNow, channel: None }).await?;
        assert!(!caught_up(&scene.app).await?, "it is missing still");
    }
    scene.marker("last").await?;
    let stored = scene.app.inbox()?;
    assert_eq!(stored.iter().filter(is_told).count(), 1, "said once");
    Ok(())
}

#[tokio::test]
async fn what_is_read_on_one_device_is_read_on_the_other() -> anyhow::Result<()> {
    let server = server(Options { devices: Devices::Many, ..Options::default() }).await?;
    let mut one = desk(&server.0).await?;
    let mut other = desk(&server.0).await?;
    for scene in [&one, &other] {
        caught_up(&scene.app).await?;
    }
    for title in ["a", "b", "c"] {
        server.push_json(USER, &serde_json::json!({ "title": title, "url": "https://shop.example/" }));
    }
    let count = |unread: u64| move |status: &StatusReport| status.unread == unread;
    for scene in [&one, &other] {
        scene.popups.wait_for(3).await?;
        scene.app.wait_for_status("three", count(3)).await?;
    }
    // By a click on a popup here, …
    let popup = one.popups.wait_for_title("a").await?;
    one.popups.click(popup.id, "default", None).await?;
    other.app.wait_for_status("one is read", count(2)).await?;
    other.popups.wait_until("its popup goes", |popups| popups.open().len() == 2).await?;
    // … by the window or a command there, …
    other.app.ask(&Request::MarkAllRead { channel: None }).await?;
    one.app.wait_for_status("all are read", count(0)).await?;
    one.popups.wait_until("the popups go", |popups| popups.open().is_empty()).await?;
    // … while the other is away, …
    stop(&mut other).await?;
    server.push_json(USER, &serde_json::json!({ "title": "d" }));
    one.app.wait_for_status("one more", count(1)).await?;
    one.app.ask(&Request::MarkAllRead { channel: None }).await?;
    one.app.wait_for_status("none", count(0)).await?;
    other.app.start(Start::Background).await?;
    assert!(caught_up(&other.app).await?);
    other.app.wait_for_inbox("it is there", |stored| stored.len() == 4).await?;
    other.app.wait_for_status("and read", count(0)).await?;
    // … and while it has no link itself, over a restart.
    server.push_json(USER, &serde_json::json!({ "title": "e" }));
    for scene in [&one, &other] {
        scene.app.wait_for_status("the last", count(1)).await?;
    }
    one.app.run(&["disconnect"]).await?;
    one.app.ask(&Request::MarkAllRead { channel: None }).await?;
    one.app.restart(Start::Background).await?;
    assert_eq!(other.app.status().await?.unread, 1, "nobody has told");
    one.app.run(&["connect"]).await?;
    other.app.wait_for_status("it is told after all", count(0)).await?;
    Ok(())
}

#[tokio::test]
async fn it_is_known_from_the_first_link_on_and_over_restarts_and_no_takeover_comes_of_it()
-> anyhow::Result<()> {
    let mut scene = desk(&server(Options::default()).await?.0).await?;
    caught_up(&scene.app).await?;
    assert_eq!(scene.server.upgrades(), 2, "one that hears of it, one that asks for it");
    scene.marker("here").await?;
    scene.app.restart(Start::Background).await?;
    caught_up(&scene.app).await?;
    scene.marker("there").await?;
    assert_eq!(scene.server.upgrades(), 3, "asked for at once");
    let mut devices = BTreeSet::new();
    for event in scene.server.all(|kind| matches!(kind, EventKind::Requested(_))) {
        let EventKind::Requested(request) = event.kind else { continue };
        let device = request.query.split('&').find(|pair| pair.starts_with("device="));
        devices.extend(device.map(str::to_owned));
    }
    assert_eq!(devices.len(), 1, "by one name: {devices:?}");
    let state = scene.app.status().await?.channels[0].state;
    assert_eq!(state, StateName::Connected);
    Ok(())
}

/// A sender's id may name a door, so the server goes on from the first message of it.
#[tokio::test]
async fn what_came_by_its_senders_id_comes_not_again_when_the_server_learns_to_speak_it() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let options = Options { data: Some(folder.path().join("data")), ..Options::default() };
    let plain = Server::start(options.clone()).await?;
    let settings = ORDERS.to_owned() + &channel("Orders", &plain.url(USER)) + "resume = \"since\"\n";
    let addr = plain.addr();
    let mut scene =
        Scene::around(Place(plain), ABLE, |bus| App::with_settings(settings).bus(bus).background()).await?;
    scene.connected().await?;
    let says = |title: &str| serde_json::json!({ "id": "door", "title": title });
    for title in ["open", "shut", "locked"] {
        scene.server.push_json(USER, &says(title));
    }
    scene.app.wait_for_inbox("all three", |stored| stored.len() == 3).await?;
    stop(&mut scene).await?;
    scene.server.push_json(USER, &says("unlocked"));
    scene.server.stop(1012).await;
    scene.server.0 = Server::start(Options { listen: addr, announce_v1: true, ..options }).await?;
    for marker in ["here", "there"] {
        scene.app.start(Start::Background).await?;
        caught_up(&scene.app).await?;
        scene.marker(marker).await?;
        stop(&mut scene).await?;
    }
    let titles: Vec<_> = scene.app.inbox()?.into_iter().map(|stored| stored.title).collect();
    assert_eq!(titles, ["open", "shut", "locked", "unlocked", "here", "there"]);
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_speak_it_sees_the_recipe_and_nothing_else() -> anyhow::Result<()> {
    let server = Place(Server::start(Options::default()).await?);
    let mut scene = desk(&server.0).await?;
    scene.connected().await?;
    scene.marker("here").await?;
    scene.app.ask(&Request::MarkAllRead { channel: None }).await?;
    scene.app.restart(Start::Background).await?;
    scene.connected().await?;
    scene.marker("there").await?;
    assert_eq!(server.upgrades(), 2);
    assert!(server.all(|kind| matches!(kind, EventKind::Text(_))).is_empty(), "not a word");
    for event in server.all(|kind| matches!(kind, EventKind::Requested(_))) {
        let EventKind::Requested(request) = event.kind else { continue };
        assert_eq!(request.query, format!("user={USER}"));
        assert!(request.headers.iter().all(|(name, _)| name != "sec-websocket-protocol"), "{request:?}");
    }
    assert_eq!(scene.app.status().await?.channels[0].caught_up, None);
    Ok(())
}

/// What a server that announces it does where it is asked for.
#[derive(Debug, Clone, Copy)]
enum Liar {
    /// It answers with this status.
    Refuses(u16),
    /// It agrees, and speaks the recipe.
    Agrees,
    /// It answers without.
    Declines,
}

/// A server that announces it, and then does otherwise. Each link is sent a message; counts the upgrades with the offer.
async fn liar(how: Liar) -> anyhow::Result<(String, Arc<AtomicUsize>, Arc<Notify>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/ws", listener.local_addr()?);
    let offers = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&offers);
    let end = Arc::new(Notify::new());
    let ends = Arc::clone(&end);
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            number += 1;
            let (counted, ends) = (Arc::clone(&counted), Arc::clone(&ends));
            tokio::spawn(async move {
                #[expect(clippy::result_large_err, reason = "the library wants it so")]
                let upgrade = |request: &Upgrade, mut response: Response| {
                    let offered = request.headers().get("sec-websocket-protocol").cloned();
                    counted.fetch_add(usize::from(offered.is_some()), Ordering::Relaxed);
                    response.headers_mut().insert("tidings-protocol", "tidings.v1".parse().expect("a value"));
                    match (how, offered) {
                        (Liar::Refuses(status), Some(_)) => {
                            let mut refusal = ErrorResponse::new(None);
                            *refusal.status_mut() = status.try_into().expect("a status");
                            return Err(refusal);
                        }
                        (Liar::Agrees, Some(offered)) => {
                            response.headers_mut().insert("sec-websocket-protocol", offered);
                        }
                        (_, _) => {}
                    }
                    Ok(response)
                };
                let Ok(mut link) = accept_hdr_async(stream, upgrade).await else { return };
                let _ = link.send(Message::text(format!("link {number}"))).await;
                let heard = async { while let Some(Ok(_)) = link.next().await {} };
                tokio::select! {
                    () = heard => {}
                    () = ends.notified() => {}
                }
            });
        }
    });
    Ok((url, offers, end))
}

#[tokio::test]
async fn a_server_that_cannot_do_what_it_says_is_heard_by_the_recipe() -> anyhow::Result<()> {
    for how in [Liar::Refuses(400), Liar::Refuses(403), Liar::Refuses(500), Liar::Agrees, Liar::Declines] {
        let (url, offers, _) = liar(how).await?;
        let mut app = App::with_settings(channel("Orders", &url)).background().start().await?;
        let stored = |count: usize| move |stored: &[Stored]| stored.len() >= count;
        app.wait_for_inbox("the first link's message", stored(1)).await?;
        eventually("the offer", || (offers.load(Ordering::Relaxed) == 1).then_some(())).await?;
        // The next start begins with the offer, as it was the server's own word.
        app.restart(Start::Background).await?;
        app.wait_for_inbox("a later link's message", stored(2)).await.with_context(|| format!("{how:?}"))?;
        let connected = |status: &StatusReport| status.channels[0].state == StateName::Connected;
        app.wait_for_status("connected", connected).await.with_context(|| format!("{how:?}"))?;
        assert!(offers.load(Ordering::Relaxed) <= 3, "{how:?}: it isn't asked for again and again");
    }
    Ok(())
}

#[tokio::test]
async fn an_offer_that_comes_to_nothing_again_is_made_no_more_and_doctor_says_so() -> anyhow::Result<()> {
    let (url, offers, end) = liar(Liar::Refuses(400)).await?;
    let app = App::with_settings(channel("Orders", &url)).background().start().await?;
    for (link, offered) in [(1, 1), (2, 1), (3, 2)] {
        app.wait_for_inbox("a link's message", |stored| stored.len() >= link).await?;
        eventually("the offer", || (offers.load(Ordering::Relaxed) >= offered).then_some(())).await?;
        let connected = |status: &StatusReport| status.channels[0].state == StateName::Connected;
        app.wait_for_status("connected", connected).await?;
        if link < 3 {
            end.notify_waiters();
        }
    }
    assert_eq!(offers.load(Ordering::Relaxed), 2);
    let output = app.run(&["doctor", "--channel", "Orders"]).await?;
    assert!(output.stdout.contains("says that it speaks tidings.v1, but"), "{output:?}");
    assert_eq!(offers.load(Ordering::Relaxed), 2, "and doctor makes none");
    Ok(())
}
