//! The view of a sign-in goes the way that the channel goes: its authority, its certificate, its proxy.

use std::time::Duration;

use tidings_tests::authority::certify;
use tidings_tests::nginx::Nginx;
use tidings_tests::sign_in::SignIn;
use tidings_tests::tinyproxy::Tinyproxy;
use tidings_tests::tomcat::{PASSWORD, Tomcat};

use crate::web_app::{HOST, WebApp, channel};

const TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_authority_of_the_channels_own_and_a_word_on_its_certificate() {
    let Some(tomcat) = Tomcat::start(&[]).await.expect("a Tomcat") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    certify(folder.path()).expect("an authority");
    let encrypted = async |strict| {
        let nginx = Nginx::encrypted(tomcat.addr(), TIMEOUT, folder.path(), strict).await.expect("nginx");
        let site = format!("wss://localhost:{}", nginx.addr().port());
        (nginx, site)
    };
    let ((nginx, site), (strict, strict_site)) = (encrypted(false).await, encrypted(true).await);
    let file =
        |key: &str, name: &str| format!("{key} = {:?}\n", folder.path().join(name).display().to_string());
    let shows = file("ca_file", "ca.pem") + &file("client_cert", "client.pem");
    let settings = [
        channel("Orders", &site, "/") + &shows,
        channel("Strange", &site, "/"),
        channel("Strict", &strict_site, "/") + &shows,
    ];
    let app = WebApp::with(tomcat, nginx, &settings.concat()).await;

    // Before any other view: what one was told of, another one doesn't know.
    app.ask_to_sign_in_to("Strange").await;
    let view = SignIn::opened(&app.desk.desktop).await.expect("the view");
    view.ends("Sign in to Strange").await.expect("no page");
    app.reads("The certificate of localhost is not trusted").await;
    view.close().await.expect("closed");
    assert!(app.nginx.answers().expect("a log").is_empty(), "nothing was asked for");

    app.ask_to_sign_in_to("Strict").await;
    let view = SignIn::of(&app.desk.desktop, "localhost").await.expect("what the server says");
    app.reads("The site asks for a client certificate").await;
    view.close().await.expect("closed");
    drop(strict);

    app.ask_to_sign_in().await;
    let view = SignIn::of(&app.desk.desktop, "localhost").await.expect("the page");
    view.fill_in("ann", PASSWORD).await.expect("typed");
    view.gone().await.expect("in");
    app.noted("open ann", 1).await;
}

#[tokio::test]
async fn a_proxy_of_the_channels_own() {
    let Some(tomcat) = Tomcat::start(&[]).await.expect("a Tomcat") else { return };
    let Some(proxy) = Tinyproxy::start().await.expect("a proxy") else { return };
    let nginx = Nginx::start(tomcat.addr(), TIMEOUT).await.expect("nginx");
    let at = nginx.addr();
    let settings = channel("Orders", &format!("ws://{at}"), "/") + &format!("proxy = \"{}\"\n", proxy.url());
    let app = WebApp::with(tomcat, nginx, &settings).await;
    let view = app.sign_in().await;
    view.fill_in("ann", PASSWORD).await.expect("typed");
    view.gone().await.expect("in");
    app.desk.shows("Connected since ").await.expect("connected");
    let asked = proxy.asked().expect("a log");
    let begins = |begin: &str| asked.iter().any(|request| request.starts_with(begin));
    assert!(begins(&format!("POST http://{HOST}:{}/", at.port())), "the view: {asked:?}");
    assert!(begins(&format!("CONNECT {at} ")), "the channel: {asked:?}");
}
