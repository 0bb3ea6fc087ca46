//! A sign-in may have several pages, of one site or of two: the view waits for the last of them, and sees by itself that it was that.

use tidings_tests::sign_in::SignIn;
use tidings_tests::tomcat::{CODE, PASSWORD};

use crate::web_app::{HOST, WebApp};

/// The app's own page that asks for a code, and the provider's.
const ASKED: &str = "asked for a code";

/// Nobody else tried the channel, and the view least of all.
async fn one_link(app: &WebApp) {
    app.desk.shows("Connected since ").await.expect("connected");
    let events = app.tomcat.events().await.expect("events");
    let opened = events.iter().filter(|event| event.starts_with("open ")).count();
    assert_eq!(opened, 1, "{events:?}");
}

#[tokio::test]
async fn an_identity_provider_elsewhere_leads_back_after_password_and_code() {
    let Some(app) = WebApp::start(&[], "/sso").await else { return };
    // To browsers another site than the app's, with cookies of its own.
    let provider = format!("http://localhost:{}", app.tomcat.addr().port());
    app.tomcat.set("idp", &provider).await.expect("an option");
    app.tomcat.set("site", &format!("http://{}", app.nginx.addr())).await.expect("an option");
    app.ask_to_sign_in().await;
    let view = SignIn::of(&app.desk.desktop, "localhost").await.expect("the provider's page");
    view.fill_in("ann", PASSWORD).await.expect("typed");
    app.noted(ASKED, 1).await;
    view.shows("localhost").await.expect("its next page");
    view.answer("000000").await.expect("typed");
    app.noted(ASKED, 2).await;
    view.shows("localhost").await.expect("once more");
    view.answer(CODE).await.expect("typed");
    view.gone().await.expect("it closes by itself");
    one_link(&app).await;
}

#[tokio::test]
async fn a_code_after_the_password_is_waited_for() {
    let Some(app) = WebApp::start(&[("second", "1")], "/").await else { return };
    let view = app.sign_in().await;
    view.fill_in("ann", PASSWORD).await.expect("typed");
    // The session is another one by now, and good for nothing yet.
    app.noted(ASKED, 1).await;
    view.shows(HOST).await.expect("the next page");
    view.answer(CODE).await.expect("typed");
    view.gone().await.expect("it closes by itself");
    one_link(&app).await;
}
