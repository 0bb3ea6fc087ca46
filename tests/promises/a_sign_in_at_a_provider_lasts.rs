//! A sign-in at an OAuth provider where no keyring keeps it: it is Tidings' own until the user ends it.

use tidings_api::{Reply, Request, SessionKept, StateName, StatusReport};
use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::scene::channel;
use tidings_tests::wait::eventually;
use tidings_tests::web::{Page, Web, json};

/// A provider, and a server of channels that is away, and says so by these headers.
async fn provider(headers: &str) -> anyhow::Result<Web> {
    Web::that_knows(|addr| {
        let at = format!("http://{addr}");
        let description = format!(
            r#"{{"issuer":"{at}","token_endpoint":"{at}/token","device_authorization_endpoint":"{at}/device"}}"#
        );
        let code = format!(
            r#"{{"device_code":"d","user_code":"ABCD","verification_uri":"{at}/code","expires_in":600,"interval":1}}"#
        );
        let tokens = r#"{"access_token":"good","token_type":"bearer","refresh_token":"once"}"#;
        let pages = vec![
            json("/.well-known/openid-configuration", &description),
            json("/device", &code),
            json("/token", tokens),
            json("/", r#"{"id":"x"}"#),
        ];
        (pages, Page { path: "", status: 503, headers: headers.to_owned(), body: String::new() })
    })
    .await
}

struct Desk {
    app: App,
    web: Web,
    _bus: PrivateBus,
}

impl Desk {
    async fn start(settings: fn(&Web) -> String) -> anyhow::Result<Self> {
        Self::before(provider("").await?, settings).await
    }

    async fn before(web: Web, settings: fn(&Web) -> String) -> anyhow::Result<Self> {
        let bus = PrivateBus::start()?;
        let app = App::with_settings(settings(&web)).bus(&bus).background().start().await?;
        let desk = Self { app, web, _bus: bus };
        desk.wait_for(StateName::NeedsUser).await?;
        Ok(desk)
    }

    async fn wait_for(&self, state: StateName) -> anyhow::Result<()> {
        let is = |status: &StatusReport| status.channels[0].state == state;
        self.app.wait_for_status(state.as_str(), is).await.map(drop)
    }

    async fn sign_in(&self) -> anyhow::Result<()> {
        let asked = self.app.ask(&Request::SignInByCode { channel: "orders".to_owned() }).await?;
        assert!(matches!(asked, Reply::TypeCode(_)), "{asked:?}");
        self.app.ask(&Request::SignInEnded { channel: "orders".to_owned() }).await?;
        Ok(())
    }

    /// Waits for a dial with this among its headers, after so many requests.
    async fn dialled(&self, after: usize, header: &str) -> anyhow::Result<()> {
        let dial = || {
            let asked = self.web.asked();
            let mut dials = asked.iter().skip(after).filter(|asked| asked.line == "GET /ws");
            dials.any(|asked| asked.headers.contains(header)).then_some(())
        };
        eventually(&format!("a dial with {header:?}"), dial).await
    }
}

fn oauth(web: &Web) -> String {
    format!("oauth = {{ issuer = \"{}\", client_id = \"tidings\" }}\n", web.at(""))
}

fn settings(web: &Web) -> String {
    channel("Orders", &format!("ws://{}/ws", web.addr)) + &oauth(web)
}

fn edited(web: &Web) -> String {
    settings(web) + "headers = { \"X-Edit\" = \"yes\" }\n"
}

fn ntfy(web: &Web) -> String {
    format!(
        "[[channel]]\nname = \"Orders\"\nkind = \"ntfy\"\nurl = \"{}\"\ntopics = [\"orders\"]\n",
        web.at("")
    ) + &oauth(web)
}

#[tokio::test]
async fn an_edit_and_a_trial_cost_no_sign_in_that_is_in_memory_alone() -> anyhow::Result<()> {
    let desk = Desk::start(settings).await?;
    desk.sign_in().await?;
    desk.dialled(0, "authorization: bearer good").await?;

    let before = desk.web.asked().len();
    desk.app.write_settings(edited(&desk.web))?;
    desk.dialled(before, "x-edit: yes").await?;
    desk.dialled(before, "authorization: bearer good").await?;
    let session = desk.app.status().await?.channels.remove(0).session.expect("a report");
    assert_eq!(session.kept, Some(SessionKept::Memory));

    let before = desk.web.asked().len();
    let doctor = desk.app.run(&["doctor", "--channel", "orders", "--upgrade"]).await?;
    assert!(doctor.stdout.contains("503"), "it comes as far as the channel itself does: {doctor:?}");
    desk.dialled(before, "authorization: bearer good").await?;
    let renewed = desk.web.asked().iter().filter(|asked| asked.line == "POST /token").count();
    assert_eq!(renewed, 1, "one sign-in, and no renewal");
    Ok(())
}

#[tokio::test]
async fn who_signs_in_again_after_a_sign_out_has_the_channel_back() -> anyhow::Result<()> {
    let desk = Desk::start(settings).await?;
    desk.sign_in().await?;
    desk.dialled(0, "authorization: bearer good").await?;
    let output = desk.app.run(&["sign-out", "orders"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    desk.wait_for(StateName::Disconnected).await?;

    let before = desk.web.asked().len();
    desk.sign_in().await?;
    desk.dialled(before, "authorization: bearer good").await
}

#[tokio::test]
async fn what_is_sent_goes_by_the_sign_in_that_is_in_memory_alone() -> anyhow::Result<()> {
    let desk = Desk::start(ntfy).await?;
    desk.sign_in().await?;
    let output = desk.app.run(&["send", "orders", "hello"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    let sent = desk.web.asked().into_iter().find(|asked| asked.line == "POST /").expect("sent");
    assert!(sent.headers.contains("authorization: bearer good"), "{sent:?}");
    Ok(())
}

#[tokio::test]
async fn who_signs_in_while_the_server_wants_patience_is_dialled_for_at_once() -> anyhow::Result<()> {
    let desk = Desk::before(provider("Retry-After: 300\r\n").await?, settings).await?;
    desk.sign_in().await?;
    desk.dialled(0, "authorization: bearer good").await?;
    desk.wait_for(StateName::Waiting).await?;

    let before = desk.web.asked().len();
    desk.sign_in().await?;
    desk.dialled(before, "authorization: bearer good").await
}
