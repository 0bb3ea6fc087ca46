use tidings_api::StateName;
use tidings_tests::app::{App, Start};
use tidings_tests::desktop::PrivateBus;
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::scene::{Place, USER, channel};
use tidings_tests::tray_host::TrayHost;

#[tokio::test]
async fn without_a_bus_the_link_is_kept_and_messages_wait_for_one() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let mut app = App::with_settings(channel("Orders", &server.url(USER))).background().start().await?;
    app.wait_for_status("connected", |status| {
        status.channels.first().is_some_and(|channel| channel.state == StateName::Connected)
    })
    .await?;
    for text in ["one", "two", "three"] {
        server.push(USER, text);
    }
    let stored = app.wait_for_inbox("three messages", |stored| stored.len() == 3).await?;
    assert!(stored.iter().all(|message| message.state == "pending"), "{stored:?}");
    let log = app.log();
    assert!(log.contains("no session bus") && log.contains("no tray"), "the log says what is missing");
    assert_eq!(app.status().await?.unread, 3);

    // The next start has a desktop: one popup for all three.
    let bus = PrivateBus::start()?;
    let tray = TrayHost::start(&bus).await?;
    let popups = NotificationService::start(&bus, ABLE).await?;
    app.set_bus(Some(&bus));
    app.restart(Start::Background).await?;
    popups.wait_for_title("3 messages from Orders").await?;
    tray.wait_for_label("Connected since ").await?;
    assert_eq!(tray.item().await?.icon, "tidings_connected_unread");
    server.push(USER, "four");
    let all = popups.wait_for(2).await?;
    assert_eq!((all[1].summary.as_str(), all[1].body.as_str()), ("Orders", "four"));
    Ok(())
}

#[tokio::test]
async fn a_state_folder_however_deep_is_one_to_live_in() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let root = tempfile::tempdir()?;
    // A socket's address has room for 107 bytes.
    let deep = (0..3).fold(root.path().to_owned(), |folder, _| folder.join("x".repeat(90)));
    let state = deep.display().to_string();
    let app = App::with_settings(channel("Orders", &server.url(USER))).variable("XDG_STATE_HOME", &state);
    let app = app.background().start().await?;
    assert!(app.socket().starts_with(&deep));
    let reconnect = app.run(&["disconnect", "orders"]).await?;
    assert_eq!(reconnect.code, Some(0), "{reconnect:?}");
    let second = app.run(&["--background"]).await?;
    assert!(second.code == Some(0) && second.stderr.contains("running already"), "{second:?}");
    Ok(())
}
