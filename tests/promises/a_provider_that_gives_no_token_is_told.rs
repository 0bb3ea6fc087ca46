//! Why an OAuth provider gives no token, or one that is not taken, is told in words, and alike in the tray, in the status and by the
//! doctor.

use tidings_api::{StateName, StatusReport};
use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::keyring::Keyring;
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::scene::channel;
use tidings_tests::tray_host::TrayHost;
use tidings_tests::wait::eventually;
use tidings_tests::web::{Page, Web, json};

/// An access token that is over, and what renews it.
const OLD: &str = r#"{"access_token":"0ld-t0ken","refresh_token":"r3fresh","expires_at":1}"#;

fn answer(path: &'static str, status: u16, body: &str) -> Page {
    Page { status, ..json(path, body) }
}

/// A provider that describes itself, and answers so where tokens are renewed. The channel's own server refuses everybody by this status.
async fn provider(token: Page, refused: u16) -> anyhow::Result<Web> {
    Web::that_knows(|addr| {
        let at = format!("http://{addr}");
        let description = format!(r#"{{"issuer":"{at}","token_endpoint":"{at}/token"}}"#);
        (vec![json("/.well-known/openid-configuration", &description), token], answer("", refused, ""))
    })
    .await
}

/// What the tray offers where the user is needed.
const SIGN_IN: &str = "Sign in …";
const TRY_AGAIN: &str = "Connect";

/// `words`: without what the tray may write otherwise, their first letter and their end. `offers`: what is to be clicked then.
async fn told(web: &Web, state: StateName, words: &str, offers: &str) -> anyhow::Result<String> {
    let bus = PrivateBus::start()?;
    let keyring = Keyring::start(&bus).await?;
    keyring.keep_elsewhere("orders", OLD).await?;
    let tray = TrayHost::start(&bus).await?;
    let settings = channel("Orders", &format!("ws://{}/ws", web.addr))
        + &format!("oauth = {{ issuer = \"{}\", client_id = \"tidings\" }}\n", web.at(""));
    let app = App::with_settings(settings).bus(&bus).background().start().await?;
    let is = |cause: Option<&String>| cause.is_some_and(|cause| cause.contains(words));
    let status = app
        .wait_for_status(words, |status| {
            status.channels[0].state == state && is(status.channels[0].cause.as_ref())
        })
        .await?;
    tray.wait_for(words, |seen| seen.told().contains(words) && seen.labels().contains(&offers)).await?;
    let doctor = app.run(&["doctor", "--channel", "orders", "--upgrade"]).await?;
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    assert!(doctor.stdout.contains(words), "{doctor:?}");
    for text in [&serde_json::to_string(&status)?, &doctor.stdout, &doctor.stderr, &app.log()] {
        assert!(!text.contains("0ld-t0ken") && !text.contains("r3fresh"), "no secret in {text}");
    }
    Ok(doctor.stdout)
}

#[tokio::test]
async fn a_sign_in_that_is_over_asks_for_another_one() -> anyhow::Result<()> {
    let web = provider(answer("/token", 400, r#"{"error":"invalid_grant"}"#), 404).await?;
    told(&web, StateName::NeedsUser, "our sign-in at 127.0.0.1 is over", SIGN_IN).await.map(drop)
}

#[tokio::test]
async fn a_client_that_the_provider_does_not_know_is_told_with_its_own_words() -> anyhow::Result<()> {
    let said = r#"{"error":"invalid_client","error_description":"Unknown client"}"#;
    let web = provider(answer("/token", 401, said), 404).await?;
    told(&web, StateName::NeedsUser, "Unknown client", TRY_AGAIN).await.map(drop)
}

#[tokio::test]
async fn a_token_that_its_server_refuses_asks_for_another_sign_in() -> anyhow::Result<()> {
    let token = json("/token", r#"{"access_token":"n3w-t0ken","token_type":"bearer","expires_in":600}"#);
    let web = provider(token, 401).await?;
    let doctor = told(&web, StateName::NeedsUser, "ign-in refused (401)", SIGN_IN).await?;
    assert!(doctor.contains("sign in again") && !doctor.contains("renew the secret"), "{doctor}");
    assert!(!doctor.contains("n3w-t0ken"), "no secret in {doctor}");
    Ok(())
}

#[tokio::test]
async fn a_provider_that_is_away_is_waited_for() -> anyhow::Result<()> {
    let web = provider(answer("/token", 503, ""), 404).await?;
    told(&web, StateName::Waiting, "the sign-in service 127.0.0.1 can't be asked", "Reconnect now")
        .await
        .map(drop)
}

#[tokio::test]
async fn an_issuer_that_is_no_provider_is_told_as_that() -> anyhow::Result<()> {
    let web = Web::start(Vec::new(), answer("", 404, "")).await?;
    told(&web, StateName::NeedsUser, "answers at 127.0.0.1 is no OAuth provider", TRY_AGAIN).await.map(drop)
}

#[tokio::test]
async fn a_sign_in_that_cannot_help_is_offered_once_and_then_no_more() -> anyhow::Result<()> {
    let web = Web::start(Vec::new(), answer("", 404, "")).await?;
    let bus = PrivateBus::start()?;
    let (tray, popups) = (TrayHost::start(&bus).await?, NotificationService::start(&bus, ABLE).await?);
    let settings = channel("Orders", &format!("ws://{}/ws", web.addr))
        + &format!("oauth = {{ issuer = \"{}\", client_id = \"tidings\" }}\n", web.at(""));
    let app = App::with_settings(settings).bus(&bus).background().start().await?;
    // Nobody has asked the provider yet.
    tray.wait_for(SIGN_IN, |seen| seen.shows(SIGN_IN)).await?;
    tray.click(&[SIGN_IN]).await?;
    let words = "answers at 127.0.0.1 is no OAuth provider";
    let is = |cause: &str| cause.contains(words);
    let told = |status: &StatusReport| status.channels[0].cause.as_deref().is_some_and(is);
    app.wait_for_status(words, told).await?;
    let seen = tray.wait_for(TRY_AGAIN, |seen| seen.labels().contains(&TRY_AGAIN)).await?;
    assert!(!seen.shows(SIGN_IN), "{:?}", seen.labels());

    let settings = std::fs::read_to_string(app.settings_file())?;
    app.write_settings(settings + "[notifications]\ndown_after = \"300ms\"\n")?;
    let popup = popups.wait_for_title("Orders is not connected").await?;
    let says = |body: &str| body.contains(words) && body.ends_with("[channel.oauth]");
    assert!(says(&popup.body), "what to do, and nothing of trying: {}", popup.body);
    assert_eq!(popup.actions, [("default".to_owned(), "Open".to_owned())]);
    popups.click(popup.id, "default", None).await?;
    eventually("the window", || app.opened_windows().first().cloned()).await?;
    Ok(())
}
