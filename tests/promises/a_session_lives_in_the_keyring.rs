//! A session in a real keyring, which may be locked, hold an old one, or none that is still good.

use tidings_api::{Action, Cookie, Reply, Request, SessionKept, StateName, StatusReport};
use tidings_tests::app::{App, Start};
use tidings_tests::desktop::PrivateBus;
use tidings_tests::keyring::Keyring;
use tidings_tests::scene::{Place, USER, channel};
use tidings_tests::wait::eventually;
use tidings_tests::web::{Page, Web};

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

/// A site that is no server of channels, and remembers what it was asked for.
async fn site() -> anyhow::Result<Web> {
    Web::start(Vec::new(), Page { path: "", status: 503, headers: String::new(), body: String::new() }).await
}

/// With which cookies it was asked for this path, once it was.
async fn cookies_of(site: &Web, path: &str) -> anyhow::Result<String> {
    let found = || site.asked().into_iter().rfind(|asked| asked.line == format!("GET {path}"));
    let asked = eventually(&format!("a request for {path}"), found).await?;
    let cookie = asked.headers.lines().find_map(|line| line.strip_prefix("cookie: "));
    Ok(cookie.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_site_is_told_of_a_sign_out_whatever_was_dialled_since_the_start() -> anyhow::Result<()> {
    let site = site().await?;
    let bus = PrivateBus::start()?;
    let _keyring = Keyring::start(&bus).await?;
    let settings = channel("Orders", &format!("ws://{}/ws", site.addr))
        + &format!("auth = \"session\"\nenabled = false\nsign_out = \"{}\"\n", site.at("/account/out"));
    let mut app = App::with_settings(settings).bus(&bus).background().start().await?;
    let cookie = |name: &str, path: &str| Cookie {
        name: name.to_owned(),
        value: "v".to_owned(),
        domain: String::new(),
        path: path.to_owned(),
        expires: None,
        secure: false,
        http_only: true,
    };
    let cookies = vec![cookie("link", "/ws"), cookie("account", "/account"), cookie("other", "/admin")];
    let signed_in = app.ask(&Request::SignedIn { channel: "orders".to_owned(), cookies }).await?;
    assert!(matches!(signed_in, Reply::SignedIn { kept: SessionKept::Keyring }), "{signed_in:?}");
    assert_eq!(cookies_of(&site, "/ws").await?, "link=v", "who signs in wants the channel");
    app.run(&["disconnect", "orders"]).await?;

    app.restart(Start::Background).await?;
    let output = app.run(&["sign-out", "orders"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(cookies_of(&site, "/account/out").await?, "account=v");
    Ok(())
}

#[tokio::test]
async fn a_session_of_another_file_counts_at_once_and_nobody_is_asked_to_sign_in() -> anyhow::Result<()> {
    let site = site().await?;
    let bus = PrivateBus::start()?;
    let settings = |file: &str| {
        channel("Orders", &format!("ws://{}/ws", site.addr))
            + &format!("auth = \"session\"\ntoken_file = \"{file}\"\n")
    };
    let app = App::with_settings(settings("one")).bus(&bus).background().start().await?;
    let folder = app.settings_file().with_file_name("");
    std::fs::write(folder.join("two"), "sid=two")?;
    std::fs::write(folder.join("one"), "sid=one")?;
    assert_eq!(cookies_of(&site, "/ws").await?, "sid=one");
    app.write_settings(settings("two"))?;
    let dialled = || site.asked().iter().any(|asked| asked.headers.contains("cookie: sid=two")).then_some(());
    eventually("a dial by the other session", dialled).await?;

    let output = app.run_with(&["sign-in", "orders"], "").await?;
    assert!(output.code == Some(2) && output.stderr.contains("token_file"), "{output:?}");
    let session = app.status().await?.channels.remove(0).session.expect("a report");
    assert_eq!(session.given_by.as_deref(), Some("token_file"));
    Ok(())
}

#[tokio::test]
async fn an_import_that_is_no_session_is_told_by_where_it_came_from() -> anyhow::Result<()> {
    let bus = PrivateBus::start()?;
    let settings = channel("Orders", "wss://nowhere.invalid/") + "auth = \"session\"\nenabled = false\n";
    let app = App::with_settings(settings).bus(&bus).background().start().await?;
    let file = app.settings_file().with_file_name("session.json");
    std::fs::write(&file, "s3cret")?;
    let file = file.display().to_string();
    let import = ["secret", "import", "orders"];
    for (args, from) in [
        (&import[..], "stdin gave no cookies"),
        (&[&import[..], &[&file]].concat(), "the file gave no cookies"),
    ] {
        let output = app.run_with(args, "s3cret").await?;
        assert!(output.code == Some(2) && output.stderr.contains(from), "{output:?}");
        assert!(!output.stderr.contains("s3cret"), "{output:?}");
    }
    Ok(())
}
