//! "Sign in …" shows the web app's own page, on a real Tomcat behind a real nginx; once the user is in, the channel is connected.

use std::time::Duration;

use tidings_tests::files;
use tidings_tests::nginx::Nginx;
use tidings_tests::sign_in::SignIn;
use tidings_tests::tomcat::{PASSWORD, Tomcat, sign_in};
use tidings_tests::window::SOON;

use crate::web_app::{HOST, WebApp, channel};

#[tokio::test]
async fn from_needs_you_to_a_message_in_one_sign_in_and_the_browser_is_left_alone() {
    // Its page opens the channel by itself, as the recipe's does.
    let Some(app) = WebApp::start(&[("mode", "session")], "/app/socket").await else { return };
    let WebApp { desk, nginx, tomcat } = &app;
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

/// Longer than a Tomcat remembers what its login page was for.
#[tokio::test]
async fn a_login_page_that_is_left_open_for_135_s_works() {
    let Some(app) = WebApp::start(&[], "/").await else { return };
    let view = app.sign_in().await;
    let (_, made) = app.tomcat.sessions().await.expect("a count");
    app.desk.rest(Duration::from_secs(135)).await.expect("a turn");
    let (_, now) = app.tomcat.sessions().await.expect("a count");
    assert_eq!(now, made + 1, "the page was opened anew, once");
    view.shows(HOST).await.expect("a fresh page");
    view.fill_in("ann", PASSWORD).await.expect("typed");
    view.gone().await.expect("in, at the first go");
    app.desk.shows("Connected since ").await.expect("connected");
}

#[tokio::test]
async fn a_session_that_is_late_refused_or_over_has_the_page_shown_again() {
    let Some(app) = WebApp::start(&[("login", "2")], "/").await else { return };
    let WebApp { desk, tomcat, .. } = &app;
    let view = app.sign_in().await;
    // Left open for longer than the server remembers what the page was for.
    app.sessions(|live, _| live == 0).await;
    tomcat.set("login", "120").await.expect("an option");
    let (_, made) = tomcat.sessions().await.expect("a count");
    view.fill_in("bob", PASSWORD).await.expect("typed");
    app.sessions(|_, now| now > made).await;
    view.shows(HOST).await.expect("a fresh page, by itself");

    // He may see pages, but not the channel.
    let (_, made) = tomcat.sessions().await.expect("a count");
    view.fill_in("bob", PASSWORD).await.expect("typed");
    app.sessions(|_, now| now > made).await;
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

/// WebKit asks nobody at such a port, and says nothing of it.
#[tokio::test]
async fn an_empty_page_has_no_address() {
    let Some(tomcat) = Tomcat::start(&[]).await.expect("a Tomcat") else { return };
    let nginx = Nginx::start(tomcat.addr(), SOON).await.expect("nginx");
    let page = format!("http://{}/", nginx.addr());
    let settings = channel("Orders", &format!("ws://{}", nginx.addr()), "/");
    let app = WebApp::with(tomcat, nginx, &settings.replace(&page, "http://127.0.0.1:6000/")).await;
    app.ask_to_sign_in().await;
    let view = SignIn::opened(&app.desk.desktop).await.expect("the view");
    app.reads("Start again").await;
    let text = app.desk.desktop.settled().await.expect("a screen").text().await.expect("a text");
    assert!(!text.contains("null") && !text.contains("blank"), "{text}");
    view.close().await.expect("closed");
}
