//! A secret that was refused is not tried again because a desktop came: the keyring is read, and only another secret is news.

use tidings_api::StateName;
use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::keyring::Keyring;
use tidings_tests::scene::channel;
use tidings_tests::wait::eventually;
use tidings_tests::web::{Page, Web, json};

const OLD: &str = "0ld-s3cret";
const NEW: &str = "n3w-s3cret";

/// A desktop whose keyring has this secret, joined by the agent.
async fn login(app: &mut App, secret: &str) -> anyhow::Result<(PrivateBus, Keyring)> {
    let bus = PrivateBus::start()?;
    let keyring = Keyring::start(&bus).await?;
    keyring.keep_elsewhere("orders", secret).await?;
    app.set_bus(Some(&bus));
    let second = app.run(&["--background"]).await?;
    assert_eq!(second.code, Some(0), "{second:?}");
    Ok((bus, keyring))
}

/// How often the server was asked with this secret.
fn asked(web: &Web, secret: &str) -> usize {
    web.asked().iter().filter(|asked| asked.headers.contains(secret)).count()
}

async fn needs_user(app: &App) -> anyhow::Result<()> {
    let needs = |state| state == StateName::NeedsUser;
    app.wait_for_status("it waits for the user", |status| needs(status.channels[0].state)).await.map(drop)
}

#[tokio::test]
async fn a_secret_that_was_refused_is_not_tried_again_for_a_desktop() -> anyhow::Result<()> {
    let web = Web::start(Vec::new(), Page { status: 401, ..json("", "") }).await?;
    let settings = channel("Orders", &format!("ws://{}/ws", web.addr));
    let mut app = App::with_settings(settings).background().tracing().start().await?;
    needs_user(&app).await?;

    // The first one's secret is news, and so is the third one's.
    let logins = [(OLD, [1, 0]), (OLD, [1, 0]), (NEW, [1, 1])];
    for (before, (secret, dials)) in logins.into_iter().enumerate() {
        let desktop = login(&mut app, secret).await?;
        let joined = || app.log().matches("the keyring was looked at").count();
        eventually("a look into the keyring", || (joined() > before).then_some(())).await?;
        eventually(secret, || (asked(&web, secret) >= 1).then_some(())).await?;
        needs_user(&app).await?;
        assert_eq!([asked(&web, OLD), asked(&web, NEW)], dials);
        drop(desktop);
        app.set_bus(None);
        let over = || app.log().matches("the desktop session is over").count();
        eventually("the session's end", || (over() > before).then_some(())).await?;
    }
    Ok(())
}
