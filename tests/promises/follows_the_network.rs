//! The network under a link: gone in silence, moved, or none of its business. Each test has a network of its own, and
//! the agent its default settings, so these wait in real time.

use std::time::Duration;

use jiff::Timestamp;
use tidings_api::{ChannelReport, StateName, StatusReport};
use tidings_server::{EventKind, Options, Server};
use tidings_tests::app::App;
use tidings_tests::network::{DEAD, Network, SERVER};
use tidings_tests::scene::{Place, SLACK, USER};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep};

/// Sees that nothing comes of what is no news: longer than the agent lets changes settle, and a probe takes.
const QUIET: Duration = Duration::from_secs(3);

async fn server() -> anyhow::Result<Place> {
    let tokens = [("right".to_owned(), USER.to_owned())].into();
    let push_token = Some("push".to_owned());
    let listen = (SERVER, 0).into();
    Ok(Place(Server::start(Options { listen, tokens, push_token, ..Options::default() }).await?))
}

/// A channel to the server by this name, or by its address; all else by default.
fn channel(server: &Place, host: &str) -> String {
    let port = server.addr().port();
    format!(
        "[[channel]]\nname = \"Orders\"\nurl = \"ws://{host}:{port}/ws/user-channel\"\n\
         allow_plaintext = true\ntoken_command = \"echo right\"\n"
    )
}

async fn agent(network: &Network, server: &Place, host: &str) -> anyhow::Result<App> {
    App::with_settings(channel(server, host)).background().at(network).start().await
}

fn orders(status: &StatusReport) -> Option<&ChannelReport> {
    status.channels.first()
}

/// Waits until the server answered the link's first ping: from then on its death can be noticed.
async fn checked(app: &App) -> anyhow::Result<()> {
    app.wait_for_status("connected, with a pong", |status| {
        orders(status).is_some_and(|orders| orders.state == StateName::Connected && orders.rtt_ms.is_some())
    })
    .await?;
    Ok(())
}

/// Asks for the status until it is as wanted, for at most so long.
async fn within(
    limit: Duration,
    app: &App,
    wanted: impl Fn(&ChannelReport) -> bool,
) -> anyhow::Result<ChannelReport> {
    let deadline = Instant::now() + limit;
    loop {
        let status = app.wait_for_status("there", |status| orders(status).is_some()).await?;
        let Some(orders) = orders(&status) else { continue };
        if wanted(orders) {
            return Ok(orders.clone());
        }
        anyhow::ensure!(Instant::now() < deadline, "not within {limit:?}: {orders:#?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Nobody asks the server for a link, or whether it lives.
async fn undisturbed(server: &Place, mark: u64) {
    let news = |kind: &EventKind| matches!(kind, EventKind::Ping(_) | EventKind::Requested(_));
    let reached = server.wait_after(mark, QUIET, |event| news(&event.kind)).await;
    assert!(reached.is_err(), "{reached:?}");
}

#[tokio::test]
async fn a_silent_drop_is_noticed_within_45_s_and_mended_at_the_time_shown() -> anyhow::Result<()> {
    let test = "follows_the_network::a_silent_drop_is_noticed_within_45_s_and_mended_at_the_time_shown";
    let Some(network) = Network::inside(test).await? else { return Ok(()) };
    let server = server().await?;
    let app = agent(&network, &server, &SERVER.to_string()).await?;
    checked(&app).await?;

    network.drop_all()?;
    let dead = within(DEAD + SLACK, &app, |orders| orders.state != StateName::Connected).await?;
    assert!(dead.cause.as_deref().is_some_and(|cause| cause.contains("no answer for")), "{dead:?}");
    assert!(dead.retry_at.is_some(), "{dead:?}");

    // One dial gets nowhere, either.
    let waits = |orders: &ChannelReport| orders.state == StateName::Waiting && orders.attempt == 1;
    let waiting = within(Duration::from_secs(30), &app, waits).await?;
    let mark = server.mark();
    network.drop_none()?;
    server.wait_after(mark, Duration::from_secs(15), |event| event.kind == EventKind::Opened).await?;
    let connected = within(SLACK, &app, |orders| orders.state == StateName::Connected).await?;
    assert_eq!(connected.links_opened, 2, "{connected:?}");
    let shown = waiting.retry_at.expect("it waits");
    let late = connected.since.duration_since(shown).as_secs_f64();
    // A packet that was sent just before the drop ended is sent again a second later.
    assert!((0.0..1.5).contains(&late), "shown {shown}, connected {late} s after it");
    assert!(Timestamp::now() >= shown);
    Ok(())
}

#[tokio::test]
async fn a_link_whose_address_is_replaced_is_dialled_anew_within_2_s() -> anyhow::Result<()> {
    let test = "follows_the_network::a_link_whose_address_is_replaced_is_dialled_anew_within_2_s";
    let Some(network) = Network::inside(test).await? else { return Ok(()) };
    network.names(&format!("{SERVER} shop.test\n"), SERVER)?;
    let server = server().await?;
    for host in ["10.77.0.1", "shop.test"] {
        let app = agent(&network, &server, host).await?;
        checked(&app).await?;
        let mark = server.mark();
        let began = Instant::now();
        network.desk("addr del 10.77.0.2/24 dev net0")?;
        network.desk("addr add 10.77.0.3/24 dev net0")?;
        server.wait_after(mark, Duration::from_secs(2), |event| event.kind == EventKind::Opened).await?;
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        network.desk("addr del 10.77.0.3/24 dev net0")?;
        network.desk("addr add 10.77.0.2/24 dev net0")?;
    }
    Ok(())
}

#[tokio::test]
async fn networks_that_do_not_lead_to_the_server_do_not_matter() -> anyhow::Result<()> {
    let test = "follows_the_network::networks_that_do_not_lead_to_the_server_do_not_matter";
    let Some(network) = Network::inside(test).await? else { return Ok(()) };
    let server = server().await?;
    let app = agent(&network, &server, &SERVER.to_string()).await?;
    checked(&app).await?;
    let mark = server.mark();
    network.desk("link add name docker0 type bridge")?;
    network.desk("addr add 172.17.0.1/16 dev docker0")?;
    network.desk("link set docker0 up")?;
    undisturbed(&server, mark).await;
    network.desk("link del docker0")?;
    undisturbed(&server, mark).await;
    Ok(())
}

#[tokio::test]
async fn a_link_through_a_vpn_heeds_the_vpn_and_not_the_default_route() -> anyhow::Result<()> {
    let test = "follows_the_network::a_link_through_a_vpn_heeds_the_vpn_and_not_the_default_route";
    let Some(network) = Network::inside(test).await? else { return Ok(()) };
    network.names(&format!("{SERVER} shop.test\n"), SERVER)?;
    network.desk("link add name wlan0 type bridge")?;
    network.desk("addr add 192.168.0.9/24 dev wlan0")?;
    network.desk("link set wlan0 up")?;
    network.desk("route add default via 192.168.0.1")?;
    let server = server().await?;
    let app = agent(&network, &server, "shop.test").await?;
    checked(&app).await?;
    let mark = server.mark();
    network.desk("link del wlan0")?;
    undisturbed(&server, mark).await;
    Ok(())
}

#[tokio::test]
async fn a_resolver_that_says_nothing_and_a_first_address_that_is_dead() -> anyhow::Result<()> {
    let test = "follows_the_network::a_resolver_that_says_nothing_and_a_first_address_that_is_dead";
    let Some(network) = Network::inside(test).await? else { return Ok(()) };
    // Nobody has that IPv6 address.
    network.desk("addr add fd77::2/64 dev net0 nodad")?;
    network.names(&format!("fd77::99 both.test\n{SERVER} both.test\n"), SERVER)?;
    let _black_hole = UdpSocket::bind((SERVER, 53)).await?;
    let server = server().await?;

    let app = agent(&network, &server, "hangs.test").await?;
    let trouble = |orders: &ChannelReport| orders.state == StateName::Waiting && orders.attempt > 0;
    let hangs = within(Duration::from_secs(8), &app, trouble).await?;
    assert!(hangs.cause.as_deref().is_some_and(|cause| cause.contains("name")), "{hangs:?}");

    app.write_settings(channel(&server, "both.test"))?;
    server.wait_for(Duration::from_secs(3), |event| event.kind == EventKind::Opened).await?;
    checked(&app).await?;
    Ok(())
}
