//! A channel that signs in as its web app does, at a real Tomcat with a form login.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tidings_api::{ChannelReport, Cookie, Reply, Request, SessionKept, StateName};
use tidings_tests::app::{App, Start};
use tidings_tests::desktop::PrivateBus;
use tidings_tests::files;
use tidings_tests::keyring::Keyring;
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::scene::channel;
use tidings_tests::tomcat::{Haproxy, Tomcat, ask, sign_in};

/// The app, and an agent whose channel there has a session.
struct Desk {
    app: App,
    tomcat: Tomcat,
    popups: NotificationService,
    keyring: Option<Keyring>,
    _bus: PrivateBus,
}

fn settings(at: SocketAddr, more: &str) -> String {
    channel("Orders", &format!("ws://{at}/ws/user-channel")) + "auth = \"session\"\n" + more
}

impl Desk {
    async fn start(options: &[(&str, &str)], keyring: bool, more: &str) -> anyhow::Result<Option<Self>> {
        let Some(tomcat) = Tomcat::start(options).await? else { return Ok(None) };
        Self::at(tomcat.addr(), tomcat, keyring, more).await.map(Some)
    }

    async fn at(at: SocketAddr, tomcat: Tomcat, keyring: bool, more: &str) -> anyhow::Result<Self> {
        let bus = PrivateBus::start()?;
        let popups = NotificationService::start(&bus, ABLE).await?;
        let keyring = if keyring { Some(Keyring::start(&bus).await?) } else { None };
        let app = App::with_settings(settings(at, more)).bus(&bus).background().tracing().start().await?;
        Ok(Self { app, tomcat, popups, keyring, _bus: bus })
    }

    /// As the window does once the user is in: with all cookies of the view.
    async fn sign_in(&self, at: SocketAddr, user: &str) -> anyhow::Result<(SessionKept, String)> {
        let header = sign_in(at, user).await?;
        let cookie = |pair: &str, domain: &str| {
            let (name, value) = pair.split_once('=').expect("a pair");
            Cookie {
                name: name.to_owned(),
                value: value.to_owned(),
                domain: domain.to_owned(),
                path: "/".to_owned(),
                expires: None,
                secure: false,
                http_only: true,
            }
        };
        let mut cookies: Vec<Cookie> = header.split("; ").map(|pair| cookie(pair, "127.0.0.1")).collect();
        cookies.push(cookie("spy=foreign-s3cr3t", "evil.example"));
        let request = Request::SignedIn { channel: "orders".to_owned(), cookies };
        let Reply::SignedIn { kept } = self.app.ask(&request).await? else {
            panic!("no answer to a sign-in")
        };
        Ok((kept, header))
    }

    async fn wait_for(&self, state: StateName) -> anyhow::Result<ChannelReport> {
        let mut status =
            self.app.wait_for_status(state.as_str(), |status| status.channels[0].state == state).await?;
        Ok(status.channels.remove(0))
    }

    /// Connected by another link than those before.
    async fn connected_anew(&self, links: u64) -> anyhow::Result<ChannelReport> {
        let anew =
            |channel: &ChannelReport| channel.state == StateName::Connected && channel.links_opened > links;
        let mut status = self.app.wait_for_status("a new link", |status| anew(&status.channels[0])).await?;
        Ok(status.channels.remove(0))
    }

    /// The server sends this over the link, which its app may come to know of only after the 101.
    async fn push(&self, text: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.tomcat.push("ann", text).await? == 0 {
            anyhow::ensure!(Instant::now() < deadline, "the app knows of no link");
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// The server ends the link.
    async fn ended_by_server(&self) -> anyhow::Result<()> {
        self.push("{}").await?;
        self.tomcat.close("ann", 1011).await
    }

    /// A link that the server ended a moment after its open is looked at again at once.
    async fn look_again(&self) -> anyhow::Result<()> {
        self.wait_for(StateName::Waiting).await?;
        self.reconnect_now().await
    }

    async fn reconnect_now(&self) -> anyhow::Result<()> {
        let action = tidings_api::Action::ReconnectNow;
        self.app.ask(&Request::Act { action, channel: None }).await?;
        Ok(())
    }

    /// Tomcat, which needs seconds to start on a busy machine, so that the app's next try may be half a minute away.
    async fn server_is_back(&mut self) -> anyhow::Result<()> {
        self.tomcat.start_again()?;
        self.reconnect_now().await
    }
}

#[tokio::test]
async fn from_needs_you_to_a_message_and_to_one_popup_at_the_sessions_end() -> anyhow::Result<()> {
    let Some(desk) = Desk::start(&[], true, "").await? else { return Ok(()) };
    let at = desk.tomcat.addr();
    let needs = desk.wait_for(StateName::NeedsUser).await?;
    assert!(needs.cause.as_deref().unwrap_or_default().contains("not signed in at 127.0.0.1"), "{needs:?}");
    assert_eq!(desk.tomcat.sessions().await?.1, 0, "without a session nothing is dialled");
    let (kept, header) = desk.sign_in(at, "ann").await?;
    assert_eq!(kept, SessionKept::Keyring);
    let connected = desk.wait_for(StateName::Connected).await?;
    assert_eq!(connected.session.and_then(|session| session.kept), Some(SessionKept::Keyring));
    desk.push("{\"title\": \"Order 17\"}").await?;
    desk.popups.wait_for_title("Order 17").await?;

    desk.tomcat.end_sessions().await?;
    desk.look_again().await?;
    let over = desk.wait_for(StateName::NeedsUser).await?;
    assert_eq!(over.cause.as_deref(), Some("your session at 127.0.0.1 is over. Sign in again"));
    let popup = desk.popups.wait_for_title("Orders needs you").await?;
    let made = desk.tomcat.sessions().await?.1;
    desk.popups.click(popup.id, "default", None).await?;
    desk.app
        .wait_for_status("the window", |_| {
            desk.app.opened_windows().iter().any(|window| window.contains("--sign-in orders"))
        })
        .await?;
    desk.sign_in(at, "ann").await?;
    let back = desk.wait_for(StateName::Connected).await?;
    assert_eq!(back.links_opened, 2);
    let told = desk.popups.popups().iter().filter(|popup| popup.summary == "Orders needs you").count();
    assert_eq!(told, 1, "one popup per end");
    assert!(desk.tomcat.sessions().await?.1 <= made + 2, "a dead session costs the server next to nothing");

    let value = header.split_once('=').expect("a cookie").1;
    for secret in [value, "foreign-s3cr3t"] {
        assert_eq!(files::that_hold(&desk.app.home(), secret), Vec::<String>::new());
        assert_eq!(
            files::that_hold(desk.keyring.as_ref().expect("one").folder(), secret),
            Vec::<String>::new()
        );
        let status = desk.app.run(&["status", "--json"]).await?.stdout;
        let report = desk.app.ask(&Request::Diagnostics).await?;
        assert!(!status.contains(secret) && !format!("{report:?}").contains(secret));
        assert!(!desk.app.log().contains(secret));
    }
    let exported = desk.app.home().join("session");
    let output = desk.app.run(&["secret", "export", "orders", &exported.display().to_string()]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    let jar = std::fs::read_to_string(&exported)?;
    assert!(jar.contains("JSESSIONID") && !jar.contains("evil.example"), "{jar}");
    Ok(())
}

#[tokio::test]
async fn a_dead_session_is_dialled_with_no_more_for_a_restart_of_the_agent() -> anyhow::Result<()> {
    let Some(mut desk) = Desk::start(&[], true, "").await? else { return Ok(()) };
    desk.sign_in(desk.tomcat.addr(), "ann").await?;
    desk.wait_for(StateName::Connected).await?;
    desk.tomcat.end_sessions().await?;
    desk.look_again().await?;
    let over = desk.wait_for(StateName::NeedsUser).await?;
    let made = desk.tomcat.sessions().await?.1;
    for _ in 0..2 {
        desk.app.restart(Start::Background).await?;
        assert_eq!(desk.wait_for(StateName::NeedsUser).await?.cause, over.cause);
        assert_eq!(desk.tomcat.sessions().await?.1, made, "each dial makes one");
    }
    desk.app.restart(Start::ByHand).await?;
    desk.wait_for(StateName::NeedsUser).await?;
    assert_eq!(desk.tomcat.sessions().await?.1, made + 1, "who starts it wants it to be tried");
    desk.sign_in(desk.tomcat.addr(), "ann").await?;
    desk.wait_for(StateName::Connected).await?;
    Ok(())
}

/// On the app's own page, in a browser that has the same session.
#[tokio::test]
async fn a_sign_out_elsewhere_is_one_popup_and_one_dial() -> anyhow::Result<()> {
    let Some(desk) = Desk::start(&[], false, "").await? else { return Ok(()) };
    let at = desk.tomcat.addr();
    let (_, cookies) = desk.sign_in(at, "ann").await?;
    desk.wait_for(StateName::Connected).await?;
    desk.push("{}").await?;
    let made = desk.tomcat.sessions().await?.1;
    let answer = ask(at, "GET /app/logout", &format!("Cookie: {cookies}\r\n"), "").await?;
    anyhow::ensure!(answer.contains("Signed out"), "{answer}");
    desk.look_again().await?;
    let over = desk.wait_for(StateName::NeedsUser).await?;
    assert_eq!(over.cause.as_deref(), Some("your session at 127.0.0.1 is over. Sign in again"));
    desk.popups.wait_for_title("Orders needs you").await?;
    let events = desk.tomcat.events().await?;
    assert!(
        events.iter().any(|event| event == "close ann 1008"),
        "Tomcat ends the links of a session: {events:?}"
    );
    assert!(desk.tomcat.sessions().await?.1 <= made + 1, "each dial makes one");
    desk.sign_in(at, "ann").await?;
    assert_eq!(desk.wait_for(StateName::Connected).await?.links_opened, 2);
    let told = desk.popups.popups().iter().filter(|popup| popup.summary == "Orders needs you").count();
    assert_eq!(told, 1, "one popup per end");
    Ok(())
}

#[tokio::test]
async fn a_session_that_is_renamed_by_each_101_is_followed_and_signed_out_of() -> anyhow::Result<()> {
    let Some(desk) = Desk::start(&[("rotate", "1")], false, "").await? else { return Ok(()) };
    let (kept, _) = desk.sign_in(desk.tomcat.addr(), "ann").await?;
    assert_eq!(kept, SessionKept::Memory, "there is no keyring");
    // Not often enough for the brake on links that end soon.
    for links in 0..2 {
        let connected = desk.connected_anew(links).await?;
        assert_eq!(connected.session.and_then(|session| session.kept), Some(SessionKept::Memory));
        desk.ended_by_server().await?;
    }
    desk.connected_anew(2).await?;
    let output = desk.app.run(&["status"]).await?.stdout;
    assert!(output.contains("in memory alone"), "{output}");
    let output = desk.app.run(&["sign-out", "Orders"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    let off = desk.wait_for(StateName::Disconnected).await?;
    assert_eq!(off.session.and_then(|session| session.kept), None);
    let events = desk.tomcat.events().await?;
    assert!(events.iter().any(|event| event == "close ann 1000"), "{events:?}");
    desk.sign_in(desk.tomcat.addr(), "ann").await?;
    desk.wait_for(StateName::Connected).await?;
    Ok(())
}

#[tokio::test]
async fn a_restart_is_survived_where_sessions_are_kept_and_told_where_they_are_not() -> anyhow::Result<()> {
    let Some(mut desk) = Desk::start(&[("keep", "SESSIONS.ser")], true, "").await? else { return Ok(()) };
    desk.sign_in(desk.tomcat.addr(), "ann").await?;
    desk.wait_for(StateName::Connected).await?;
    desk.tomcat.stop().await?;
    desk.wait_for(StateName::Waiting).await?;
    desk.server_is_back().await?;
    desk.connected_anew(1).await?;
    assert!(desk.popups.popups().is_empty(), "a restart is nobody's business");

    let Some(mut desk) = Desk::start(&[], true, "").await? else { return Ok(()) };
    desk.sign_in(desk.tomcat.addr(), "ann").await?;
    desk.wait_for(StateName::Connected).await?;
    desk.tomcat.stop().await?;
    desk.look_again().await?;
    desk.app
        .wait_for_status("a server that is away", |status| {
            status.channels[0].cause.as_deref().is_some_and(|cause| cause.contains("not reachable"))
        })
        .await?;
    desk.server_is_back().await?;
    let over = desk.wait_for(StateName::NeedsUser).await?;
    assert_eq!(
        over.cause.as_deref(),
        Some("127.0.0.1 was restarted, and your session there is over. Sign in again")
    );
    Ok(())
}

#[tokio::test]
async fn all_cookies_of_a_site_stick_and_who_lacks_the_role_is_told_so() -> anyhow::Result<()> {
    let Some(first) = Tomcat::start(&[("node", "a")]).await? else { return Ok(()) };
    let Some(second) = Tomcat::start(&[("node", "b")]).await? else { return Ok(()) };
    let Some(haproxy) = Haproxy::start(&[first.addr(), second.addr()]).await? else { return Ok(()) };
    let at = haproxy.addr();
    let desk = Desk::at(at, first, true, "").await?;
    desk.sign_in(at, "ann").await?;
    for links in 0..4 {
        desk.connected_anew(links).await?;
        let action = |action| Request::Act { action, channel: None };
        desk.app.ask(&action(tidings_api::Action::Disconnect)).await?;
        desk.wait_for(StateName::Disconnected).await?;
        desk.app.ask(&action(tidings_api::Action::Connect)).await?;
    }
    desk.sign_in(at, "bob").await?;
    let missing = desk.wait_for(StateName::NeedsUser).await?;
    let cause = missing.cause.unwrap_or_default();
    assert!(cause.starts_with("you are signed in at 127.0.0.1, but may not use this channel"), "{cause}");
    drop(second);
    Ok(())
}

#[tokio::test]
async fn a_session_is_kept_alive_past_three_of_its_lives() -> anyhow::Result<()> {
    let keep = "keep_session = \"10s\"\nkeep_session_url = \"KEEP\"\n";
    let Some(tomcat) = Tomcat::start(&[("life", "14")]).await? else { return Ok(()) };
    let at = tomcat.addr();
    let keep = keep.replace("KEEP", &format!("http://{at}/app/page"));
    let desk = Desk::at(at, tomcat, true, &keep).await?;
    desk.sign_in(at, "ann").await?;
    desk.wait_for(StateName::Connected).await?;
    let began = jiff::Timestamp::now();
    let past = |channel: &ChannelReport| {
        let alive = channel.session.as_ref().and_then(|session| session.alive_at);
        alive.is_some_and(|alive| alive.duration_since(began).as_secs() >= 3 * 14)
    };
    for _ in 0..4 {
        // Each wait has a limit of its own.
        let waited =
            desk.app.wait_for_status("a later sign of life", |status| past(&status.channels[0])).await;
        if waited.is_ok() {
            break;
        }
    }
    let status = desk.app.status().await?;
    assert!(past(&status.channels[0]), "{:?}", status.channels[0]);
    assert_eq!((status.channels[0].state, status.channels[0].links_opened), (StateName::Connected, 1));
    Ok(())
}

#[tokio::test]
async fn an_upgrade_has_its_pages_origin_and_a_bare_cookie_gets_one_after_a_403() -> anyhow::Result<()> {
    let Some(tomcat) = Tomcat::start(&[]).await? else { return Ok(()) };
    let at = tomcat.addr();
    tomcat.set("origin", &format!("http://{at}")).await?;
    let command = format!("token_command = \"echo '{}'\"\n", sign_in(at, "ann").await?);
    let desk = Desk::at(at, tomcat, false, &command).await?;
    let connected = desk.wait_for(StateName::Connected).await?;
    assert_eq!(connected.session.and_then(|session| session.kept), Some(SessionKept::Settings));
    let bare = channel("Orders", &format!("ws://{at}/ws/user-channel")) + "auth = { header = \"Cookie\" }\n";
    desk.app.write_settings(bare + &command)?;
    let bare = |channel: &ChannelReport| channel.session.is_none() && channel.state == StateName::Connected;
    desk.app.wait_for_status("a link by a bare cookie", |status| bare(&status.channels[0])).await?;
    Ok(())
}
