//! "Sign in …" shows the web app's own page, on a real Tomcat behind a real nginx; once the user is in, the channel is connected.

use std::time::Duration;

use tidings_server::Options;
use tidings_tests::desktop::Desktop;
use tidings_tests::files;
use tidings_tests::nginx::Nginx;
use tidings_tests::sign_in::SignIn;
use tidings_tests::tomcat::{PASSWORD, Tomcat, sign_in};
use tidings_tests::window::{Desk, SOON};
use tokio::time::{Instant, sleep};

const HOST: &str = "127.0.0.1";
/// Between two looks at what Tomcat counts.
const LOOK: Duration = Duration::from_millis(50);

struct Stage {
    desk: Desk,
    nginx: Nginx,
    tomcat: Tomcat,
}

impl Stage {
    /// A channel of the app behind nginx, whose sign-in begins on this page; `None` where there is no Tomcat.
    async fn start(options: &[(&str, &str)], page: &str) -> Option<Self> {
        let tomcat = Tomcat::start(options).await.expect("a Tomcat")?;
        let nginx = Nginx::start(tomcat.addr(), Duration::from_secs(60)).await.expect("nginx");
        let at = nginx.addr();
        let settings = move |_: &tidings_server::Server| {
            format!(
                "[[channel]]\nname = \"Orders\"\nurl = \"ws://{at}/ws/user-channel\"\nauth = \"session\"\nsign_in = \"http://{at}{page}\"\n"
            )
        };
        let desktop = Desktop::start().await.expect("a desktop");
        let desk = Desk::start_in(desktop, Options::default(), settings, true).await.expect("a desk");
        Some(Self { desk, nginx, tomcat })
    }

    /// Waits until there are as many sessions as wished, of those that live and of all.
    async fn sessions(&self, wished: impl Fn(usize, usize) -> bool) {
        let deadline = Instant::now() + SOON;
        loop {
            let (live, made) = self.tomcat.sessions().await.expect("a count");
            if wished(live, made) {
                return;
            }
            assert!(Instant::now() < deadline, "{live} sessions of {made} live");
            sleep(LOOK).await;
        }
    }

    /// Asks for the sign-in as the tray and the popup do.
    async fn sign_in(&self) -> SignIn<'_> {
        let socket = tidings_api::socket::path_in(&self.desk.desktop.home().join(".local/state/tidings"));
        let mut client = tidings_api::client::Client::connect(&socket).await.expect("the agent");
        let request = tidings_api::Request::SignIn { channel: "Orders".to_owned(), activation_token: None };
        client.ask(&request).await.expect("done");
        SignIn::of(&self.desk.desktop, HOST).await.expect("the page")
    }
}

#[tokio::test]
async fn from_needs_you_to_a_message_in_one_sign_in_and_the_browser_is_left_alone() {
    // Its page opens the channel by itself, as the recipe's does.
    let Some(stage) = Stage::start(&[("mode", "session")], "/app/socket").await else { return };
    let Stage { desk, nginx, tomcat } = &stage;
    desk.shows("You are not signed in").await.expect("nobody is");
    let tab = sign_in(nginx.addr(), "ann").await.expect("signed in");
    let tab = tidings_tests::tomcat::link(nginx.addr(), &tab).await.expect("the browser's tab");

    let page = desk.open_page().await.expect("a window");
    page.click("Sign in …").await.expect("the button");
    let view = SignIn::of(&desk.desktop, HOST).await.expect("the page");
    view.fill_in("ann", "wrong").await.expect("typed");
    view.shows(HOST).await.expect("once more");
    view.fill_in("ann", PASSWORD).await.expect("typed");
    view.gone().await.expect("it closes by itself");
    desk.shows("Connected since ").await.expect("connected");

    assert_eq!(tomcat.push("ann", "a parcel").await.expect("pushed"), 2, "to the tab and to Tidings");
    page.shows("a parcel").await.expect("a message");
    drop(tab);
    let events = tomcat.events().await.expect("events");
    let opened = events.iter().filter(|event| *event == "open ann").count();
    assert_eq!(opened, 2, "the view opened no channel: {events:?}");
    assert!(!events.iter().any(|event| event.ends_with("4500")), "nobody was pushed out: {events:?}");
    for id in tomcat.ids().await.expect("sessions") {
        let told = files::that_hold(&desk.desktop.home(), &id);
        assert!(told.is_empty(), "a session's id is in {told:?}");
    }
    let kept = files::that_hold(&desk.desktop.home(), "j_security_check");
    assert!(kept.is_empty(), "the page is in {kept:?}");
}

#[tokio::test]
async fn a_session_that_is_late_refused_or_over_has_the_page_shown_again() {
    let Some(stage) = Stage::start(&[("login", "2")], "/").await else { return };
    let Stage { desk, tomcat, .. } = &stage;
    let view = stage.sign_in().await;
    // Left open for longer than the server remembers what the page was for.
    stage.sessions(|live, _| live == 0).await;
    tomcat.set("login", "120").await.expect("an option");
    let (_, made) = tomcat.sessions().await.expect("a count");
    view.fill_in("bob", PASSWORD).await.expect("typed");
    stage.sessions(|_, now| now > made).await;
    view.shows(HOST).await.expect("a fresh page, by itself");

    // He may see pages, but not the channel.
    let (_, made) = tomcat.sessions().await.expect("a count");
    view.fill_in("bob", PASSWORD).await.expect("typed");
    stage.sessions(|_, now| now > made).await;
    view.shows(HOST).await.expect("the page again, for another user");
    view.fill_in("ann", PASSWORD).await.expect("typed");
    view.gone().await.expect("in");
    desk.shows("Connected since ").await.expect("connected");

    tomcat.end_sessions().await.expect("ended");
    // A link that young is let be for half a minute.
    desk.shows("Reconnecting at ").await.expect("closed");
    desk.tray.click("Reconnect now").await.expect("in the menu");
    desk.tray.until("attention", SOON, |shown| shown.icon.contains("attention")).await.expect("it is told");
    desk.tray.click("Sign in …").await.expect("in the menu");
    let view = SignIn::of(&desk.desktop, HOST).await.expect("the page");
    view.fill_in("ann", PASSWORD).await.expect("typed");
    view.gone().await.expect("in");
    desk.shows("Connected since ").await.expect("back");
}
