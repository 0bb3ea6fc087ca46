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
    assert_eq!(tray.item().await?.icon, "tidings-connected-unread");
    server.push(USER, "four");
    let all = popups.wait_for(2).await?;
    assert_eq!((all[1].summary.as_str(), all[1].body.as_str()), ("Orders", "four"));
    Ok(())
}
