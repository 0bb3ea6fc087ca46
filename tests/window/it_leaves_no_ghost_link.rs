//! Some servers lead whoever has signed in to what he had asked for before, and be it the channel: they would open a link into the
//! view, where nobody reads it, and it would take the channel over from Tidings.

use tidings_tests::tomcat::PASSWORD;

use crate::web_app::WebApp;

/// Asks Tomcat for the channel as a page does that opens it while nobody is signed in. (The view's own pages can't.)
const SAVED: &str = "location = /saved {
            proxy_pass http://@upstream@/ws/user-channel;
            proxy_http_version 1.1;
            proxy_set_header Upgrade websocket;
            proxy_set_header Connection upgrade;
            proxy_set_header Sec-WebSocket-Version 13;
            proxy_set_header Sec-WebSocket-Key dGhlIHNhbXBsZSBub25jZQ==;
            proxy_set_header Host $host;
        }";

#[tokio::test]
async fn an_upgrade_that_the_server_remembers_is_not_asked_for_again() {
    let Some(app) = WebApp::with_locations(&[], "/saved", SAVED).await else { return };
    let view = app.sign_in().await;
    view.fill_in("ann", PASSWORD).await.expect("typed");
    view.gone().await.expect("it closes by itself");
    app.desk.shows("Connected since ").await.expect("connected");
    // Tomcat answered Tidings' first upgrade with the one that it remembered, and that link is gone.
    let with =
        |events: &[String], begin: &str| events.iter().filter(|event| event.starts_with(begin)).count();
    app.until("both came, and one went", |events| {
        with(events, "open ann") >= 2 && with(events, "close ann") >= 1
    })
    .await;
    let events = app.tomcat.events().await.expect("events");
    assert_eq!(
        (with(&events, "open ann"), with(&events, "close ann")),
        (2, 1),
        "the view had none: {events:?}"
    );
    assert_eq!(app.tomcat.push("ann", "a parcel").await.expect("pushed"), 1);
}
