//! A channel of a web app with a form login, on a real Tomcat behind a real nginx, and the desk of one of its users.

use std::time::Duration;

use tidings_server::Options;
use tidings_tests::desktop::Desktop;
use tidings_tests::nginx::Nginx;
use tidings_tests::sign_in::SignIn;
use tidings_tests::tomcat::Tomcat;
use tidings_tests::window::{Desk, SOON};
use tokio::time::{Instant, sleep};

/// Where nginx is.
pub(crate) const HOST: &str = "127.0.0.1";
/// Between two looks at what Tomcat counts.
const LOOK: Duration = Duration::from_millis(50);

/// The settings of a channel at this site, `ws://…` or `wss://…`, whose sign-in begins on this page.
pub(crate) fn channel(name: &str, site: &str, page: &str) -> String {
    let web = site.replacen("ws", "http", 1);
    format!(
        "[[channel]]\nname = \"{name}\"\nurl = \"{site}/ws/user-channel?of={name}\"\nauth = \"session\"\nsign_in = \"{web}{page}\"\n"
    )
}

pub(crate) struct WebApp {
    pub(crate) desk: Desk,
    pub(crate) nginx: Nginx,
    pub(crate) tomcat: Tomcat,
}

impl WebApp {
    /// A channel of the app behind nginx, whose sign-in begins on this page; `None` where there is no Tomcat.
    pub(crate) async fn start(options: &[(&str, &str)], page: &str) -> Option<Self> {
        Self::with_locations(options, page, "").await
    }

    /// The same behind an nginx with these locations of its own.
    pub(crate) async fn with_locations(
        options: &[(&str, &str)],
        page: &str,
        locations: &str,
    ) -> Option<Self> {
        let tomcat = Tomcat::start(options).await.expect("a Tomcat")?;
        let timeout = Duration::from_secs(60);
        let nginx = Nginx::with_locations(tomcat.addr(), timeout, locations).await.expect("nginx");
        let at = nginx.addr();
        let settings = channel("Orders", &format!("ws://{at}"), page);
        Some(Self::with(tomcat, nginx, &settings).await)
    }

    /// That app behind that nginx, and a desk with these settings.
    pub(crate) async fn with(tomcat: Tomcat, nginx: Nginx, settings: &str) -> Self {
        let desktop = Desktop::start().await.expect("a desktop");
        let settings = |_: &tidings_server::Server| settings.to_owned();
        let desk = Desk::start_in(desktop, Options::default(), settings, true).await.expect("a desk");
        Self { desk, nginx, tomcat }
    }

    /// Waits until there are as many sessions as wished, of those that live and of all.
    pub(crate) async fn sessions(&self, wished: impl Fn(usize, usize) -> bool) {
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

    /// Waits until the app has noted this so often.
    pub(crate) async fn noted(&self, event: &str, times: usize) {
        let so_often = |events: &[String]| events.iter().filter(|noted| *noted == event).count() >= times;
        self.until(event, so_often).await;
    }

    /// Waits until what the app has noted is as wished.
    pub(crate) async fn until(&self, what: &str, wished: impl Fn(&[String]) -> bool) {
        let deadline = Instant::now() + SOON;
        loop {
            let events = self.tomcat.events().await.expect("events");
            if wished(&events) {
                return;
            }
            assert!(Instant::now() < deadline, "{what:?} is not so: {events:?}");
            sleep(LOOK).await;
        }
    }

    /// Asks for the sign-in as the tray and the popup do.
    pub(crate) async fn ask_to_sign_in(&self) {
        self.ask_to_sign_in_to("Orders").await;
    }

    /// The same for the channel of this name.
    pub(crate) async fn ask_to_sign_in_to(&self, channel: &str) {
        let socket = tidings_api::socket::path_in(&self.desk.desktop.home().join(".local/state/tidings"));
        let mut client = tidings_api::client::Client::connect(&socket).await.expect("the agent");
        let request = tidings_api::Request::SignIn { channel: channel.to_owned(), activation_token: None };
        client.ask(&request).await.expect("done");
    }

    /// Waits until these words are to be read on the screen.
    pub(crate) async fn reads(&self, words: &str) {
        let deadline = Instant::now() + SOON;
        loop {
            let text = self.desk.desktop.settled().await.expect("a screen").text().await.expect("a text");
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if text.contains(words) {
                return;
            }
            assert!(Instant::now() < deadline, "{words:?} is not to be read in {text:?}");
        }
    }

    /// The view that comes then, with a page of the app in it.
    pub(crate) async fn sign_in(&self) -> SignIn<'_> {
        self.ask_to_sign_in().await;
        SignIn::of(&self.desk.desktop, HOST).await.expect("the page")
    }
}
