//! What the window's page of health is told: what happened, why, and when it was over.

use anyhow::Context;
use tidings_api::{Action, HealthReport, Reply, Request, StateName};
use tidings_server::SERVICE_RESTART;
use tidings_tests::app::{App, Start};
use tidings_tests::scene::{Place, USER, channel};
use tidings_tests::wait::SOON;
use tokio::time::timeout;

async fn health(app: &App) -> anyhow::Result<HealthReport> {
    let reply = app.ask(&Request::Health { channel: "orders".to_owned() }).await?;
    let Reply::Health(report) = reply else { anyhow::bail!("no health: {reply:?}") };
    Ok(report)
}

async fn connected(app: &App) -> anyhow::Result<()> {
    app.wait_for_status("connected", |status| status.channels[0].state == StateName::Connected)
        .await
        .map(drop)
}

/// Waits until so many links are noted, the last of which is up, and a round trip. What is noted outlives any end.
async fn noted(app: &App, links: usize) -> anyhow::Result<HealthReport> {
    connected(app).await?;
    let noted = async {
        loop {
            let report = health(app).await?;
            let up = report.links.last().is_some_and(|link| link.ended.is_none());
            if up && report.links.len() == links && !report.round_trips.is_empty() {
                return Ok(report);
            }
        }
    };
    timeout(SOON, noted).await.with_context(|| format!("{links} links are never noted"))?
}

fn states(report: &HealthReport) -> Vec<StateName> {
    report.bands.iter().map(|band| band.state).collect()
}

#[tokio::test]
async fn a_restart_of_the_server_is_seen_with_its_cause_and_its_end() -> anyhow::Result<()> {
    let mut server = Place::start().await?;
    let app = App::with_settings(channel("Orders", &server.url(USER))).background().start().await?;
    connected(&app).await?;
    server.stop(SERVICE_RESTART).await;
    server.start_again().await?;
    app.wait_for_status("waiting", |status| status.channels[0].state == StateName::Waiting).await?;
    // Half a minute may be too long for a test, so the user is impatient.
    app.ask(&Request::Act { action: Action::ReconnectNow, channel: None }).await?;
    server.opened(1).await?;

    let report = noted(&app, 2).await?;
    let fell = report.bands.iter().position(|band| {
        band.state == StateName::Waiting && band.cause.as_deref() == Some("server restarting (1012)")
    });
    let fell = fell.unwrap_or_else(|| panic!("not told: {report:#?}"));
    assert_eq!(report.bands[fell - 1].state, StateName::Connected);
    assert_eq!(states(&report).last(), Some(&StateName::Connected));
    assert!(report.bands.windows(2).all(|pair| pair[0].to == pair[1].from), "no gaps: {report:#?}");
    let [first, second] = report.links.as_slice() else { panic!("two links: {report:#?}") };
    assert_eq!((first.cause.as_deref(), first.code), (Some("server restarting (1012)"), Some(1012)));
    assert_eq!((first.back, second.ended), (Some(second.opened), None));
    Ok(())
}

#[tokio::test]
async fn a_time_without_tidings_is_a_gap_whether_it_ended_well_or_was_killed() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let mut app = App::with_settings(channel("Orders", &server.url(USER))).background().start().await?;
    noted(&app, 1).await?;
    app.restart(Start::Background).await?;
    noted(&app, 2).await?;
    app.kill().await?;
    app.start(Start::Background).await?;
    let report = noted(&app, 3).await?;
    let causes: Vec<Option<&str>> = report.links.iter().map(|link| link.cause.as_deref()).collect();
    let killed = "Tidings or the machine stopped unexpectedly";
    assert_eq!(causes, [Some("Tidings was ended"), Some(killed), None], "{report:#?}");
    let gaps = report.bands.windows(2).filter(|pair| pair[0].to < pair[1].from).count();
    assert_eq!(gaps, 2, "{report:#?}");
    Ok(())
}
