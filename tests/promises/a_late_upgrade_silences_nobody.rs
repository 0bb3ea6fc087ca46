//! A server completes an upgrade that Tidings gave up, and so ends Tidings' own live link with 4500.

use std::time::Duration;

use tidings_api::{Action, Request, StateName};
use tidings_server::{Event, EventKind};
use tidings_tests::app::{App, Start};
use tidings_tests::desktop::{PrivateBus, Signal};
use tidings_tests::scene::{Place, USER, channel};
use tidings_tests::wait::eventually;

/// How much later a sluggish server opens a link. Time enough for the next dial, a second after the first.
const LATE: Duration = Duration::from_millis(2500);

async fn order(app: &App, action: Action) -> anyhow::Result<()> {
    app.ask(&Request::Act { action, channel: None }).await?;
    Ok(())
}

/// Waits for that many requests, from the server's start on.
async fn asked(server: &Place, count: usize) -> anyhow::Result<()> {
    let mut seen = 0;
    let wanted = |event: &Event| {
        seen += usize::from(matches!(event.kind, EventKind::Requested(_)));
        seen == count
    };
    server.wait_for(tidings_tests::wait::SOON, wanted).await?;
    Ok(())
}

/// Gives the dial up that waits for its answer, and dials again.
async fn impatient(app: &App) -> anyhow::Result<()> {
    order(app, Action::Disconnect).await?;
    order(app, Action::Connect).await
}

/// It comes back from being replaced by itself, stays, and believes the next who does it.
async fn lives_on(app: &App, server: &Place) -> anyhow::Result<()> {
    let replaced = |kind: &EventKind| matches!(kind, EventKind::Closed { code: Some(4500), .. });
    let end = server.seen(0, replaced).await?;
    server.wait_after(end.number, tidings_tests::wait::SOON, |event| event.kind == EventKind::Opened).await?;
    app.wait_for_status("connected", |status| status.channels[0].state == StateName::Connected).await?;
    assert_eq!(server.links(USER), 1);
    let _other = server.other_tab(USER).await?;
    app.wait_for_status("replaced", |status| status.channels[0].state == StateName::Replaced).await?;
    Ok(())
}

#[tokio::test]
async fn an_upgrade_that_was_given_up_and_is_completed_late() -> anyhow::Result<()> {
    let bus = PrivateBus::start()?;
    let server = Place::start().await?;
    server.late_upgrades(1, LATE);
    let app = App::with_settings(channel("Orders", &server.url(USER))).bus(&bus).start().await?;
    asked(&server, 1).await?;
    impatient(&app).await?;
    lives_on(&app, &server).await
}

#[tokio::test]
async fn a_frozen_server_that_opens_all_that_waited_in_the_wrong_order() -> anyhow::Result<()> {
    let bus = PrivateBus::start()?;
    let server = Place::start().await?;
    server.freeze();
    let app = App::with_settings(channel("Orders", &server.url(USER))).bus(&bus).start().await?;
    asked(&server, 1).await?;
    impatient(&app).await?;
    asked(&server, 2).await?;
    server.thaw();
    lives_on(&app, &server).await
}

#[tokio::test]
async fn a_channel_whose_settings_changed_while_it_asked() -> anyhow::Result<()> {
    let bus = PrivateBus::start()?;
    let server = Place::start().await?;
    server.late_upgrades(1, LATE);
    let settings = channel("Orders", &server.url(USER));
    let app = App::with_settings(&settings).bus(&bus).start().await?;
    asked(&server, 1).await?;
    app.write_settings(settings + "liveness = { ping_after = \"25s\" }\n")?;
    lives_on(&app, &server).await
}

/// Waits until the agent remembers that it asked, for the one that follows it.
async fn noted(app: &App) -> anyhow::Result<()> {
    let file = app.state().join("remembered.json");
    let noted = || std::fs::read_to_string(&file).ok().filter(|content| content.contains("\"ghosts\""));
    eventually("a note of the upgrade", noted).await?;
    Ok(())
}

#[tokio::test]
async fn an_agent_that_was_ended_while_it_asked() -> anyhow::Result<()> {
    for how in [Signal::TERM, Signal::KILL] {
        let bus = PrivateBus::start()?;
        let server = Place::start().await?;
        server.freeze();
        let mut app = App::with_settings(channel("Orders", &server.url(USER))).bus(&bus).start().await?;
        asked(&server, 1).await?;
        if how == Signal::KILL {
            noted(&app).await?;
            app.kill().await?;
            app.start(Start::Background).await?;
        } else {
            app.restart(Start::Background).await?;
        }
        asked(&server, 2).await?;
        server.thaw();
        lives_on(&app, &server).await?;
    }
    Ok(())
}
