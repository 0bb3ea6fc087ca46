//! A session in a real keyring, which may be locked, hold an old one, or none that is still good.

use tidings_api::{Action, Cookie, Reply, Request, SessionKept, StateName, StatusReport};
use tidings_tests::app::{App, Start};
use tidings_tests::desktop::PrivateBus;
use tidings_tests::keyring::Keyring;
use tidings_tests::scene::{Place, USER, channel};
use tidings_tests::wait::eventually;

/// The log's words for a look that found nothing to dial by, and for the keyring's news.
const LOOKED: &str = "only the user can mend this";
const NEWS: &str = "the keyring has the channel's secret now";

/// A server that takes whoever comes, and an agent whose channel there has a session.
struct Desk {
    app: App,
    keyring: Keyring,
    _server: Place,
    _bus: PrivateBus,
}

impl Desk {
    async fn start() -> anyhow::Result<Self> {
        let server = Place::start().await?;
        let bus = PrivateBus::start()?;
        let keyring = Keyring::start(&bus).await?;
        let settings = channel("Orders", &server.url(USER)) + "auth = \"session\"\n";
        let app = App::with_settings(settings).bus(&bus).background().start().await?;
        let desk = Self { app, keyring, _server: server, _bus: bus };
        desk.wait_for(StateName::NeedsUser, None).await?;
        Ok(desk)
    }

    async fn wait_for(&self, state: StateName, kept: Option<SessionKept>) -> anyhow::Result<()> {
        let is = |status: &StatusReport| {
            let channel = &status.channels[0];
            channel.state == state && channel.session.as_ref().and_then(|session| session.kept) == kept
        };
        self.app.wait_for_status(&format!("{state:?}, kept by {kept:?}"), is).await.map(drop)
    }

    async fn import(&self, session: &str) -> anyhow::Result<()> {
        let output = self.app.run_with(&["secret", "import", "orders"], session).await?;
        assert_eq!(output.code, Some(0), "{output:?}");
        Ok(())
    }

    /// As the window does once the user is in.
    async fn sign_in(&self, value: &str) -> anyhow::Result<SessionKept> {
        let cookie = Cookie {
            name: "JSESSIONID".to_owned(),
            value: value.to_owned(),
            domain: String::new(),
            path: "/".to_owned(),
            expires: None,
            secure: false,
            http_only: true,
        };
        let request = Request::SignedIn { channel: "orders".to_owned(), cookies: vec![cookie] };
        let reply = self.app.ask(&request).await?;
        let Reply::SignedIn { kept } = reply else { anyhow::bail!("no answer to a sign-in: {reply:?}") };
        Ok(kept)
    }

    async fn dial_anew(&self) -> anyhow::Result<()> {
        for (action, state) in
            [(Action::Disconnect, StateName::Disconnected), (Action::Connect, StateName::Connected)]
        {
            self.app.ask(&Request::Act { action, channel: None }).await?;
            self.app.wait_for_status("that", |status| status.channels[0].state == state).await?;
        }
        Ok(())
    }

    fn said(&self, words: &str) -> usize {
        self.app.log().matches(words).count()
    }
}

#[tokio::test]
async fn an_entry_without_a_good_cookie_is_looked_at_once_and_then_waited_for() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    let over = r#"[{"name":"JSESSIONID","value":"old","expires":"2020-01-01T00:00:00Z"}]"#;
    let elsewhere = r#"[{"name":"JSESSIONID","value":"x","domain":"evil.example"}]"#;
    for (at, useless) in ["[]", over, elsewhere].into_iter().enumerate() {
        let looked = desk.said(LOOKED);
        desk.import(useless).await?;
        eventually("the keyring's news", || (desk.said(NEWS) > at).then_some(())).await?;
        eventually("a look at it", || (desk.said(LOOKED) > looked).then_some(())).await?;
    }
    // What is good is news again, and the only news.
    desk.import("JSESSIONID=good").await?;
    desk.wait_for(StateName::Connected, Some(SessionKept::Keyring)).await?;
    assert!(desk.said(NEWS) <= 4, "each entry is news once: {}", desk.said(NEWS));
    Ok(())
}

#[tokio::test]
async fn who_signs_in_at_a_locked_keyring_stays_so_whatever_old_session_it_has() -> anyhow::Result<()> {
    let mut desk = Desk::start().await?;
    desk.import("JSESSIONID=older").await?;
    desk.wait_for(StateName::Connected, Some(SessionKept::Keyring)).await?;
    desk.keyring.lock().await?;
    desk.app.restart(Start::Background).await?;
    desk.wait_for(StateName::NeedsUser, None).await?;

    assert_eq!(desk.sign_in("newer").await?, SessionKept::Memory);
    desk.wait_for(StateName::Connected, Some(SessionKept::Memory)).await?;
    desk.dial_anew().await?;

    let news = desk.said(NEWS);
    desk.keyring.unlock().await?;
    eventually("the keyring's news", || (desk.said(NEWS) > news).then_some(())).await?;
    desk.dial_anew().await?;
    desk.wait_for(StateName::Connected, Some(SessionKept::Memory)).await?;

    // Who brings another one means it.
    desk.import("JSESSIONID=newest").await?;
    desk.wait_for(StateName::Connected, Some(SessionKept::Keyring)).await?;
    Ok(())
}
