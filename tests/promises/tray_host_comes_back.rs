use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::tray_host::TrayHost;

#[tokio::test]
async fn the_icon_tells_who_it_is_and_where_its_pictures_are() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let item = scene.tray.item().await?;
    assert_eq!((item.id.as_str(), item.title.as_str()), ("tidings", "Tidings"));
    assert_eq!((item.status.as_str(), item.icon.as_str()), ("Active", "tidings_connected"));
    // Some hosts look in the folder itself, and take the icon of a shorter name where they don't find it.
    let folder = std::path::Path::new(&item.icon_theme_path);
    for state in ["connected", "working", "off", "replaced", "attention"] {
        for dot in ["", "_unread"] {
            for place in [folder.to_owned(), folder.join("hicolor/scalable/status")] {
                let file = place.join(format!("tidings_{state}{dot}.svg"));
                assert!(file.is_file(), "no {}", file.display());
            }
        }
    }
    assert_eq!(item.tooltip_title, "Tidings: Connected", "all that some hosts show");
    assert!(item.tooltip.starts_with("Orders: Connected since "), "{}", item.tooltip);
    assert!(item.labels()[0].starts_with("Connected since "), "{:?}", item.labels());
    assert_eq!(item.choices(), ["Disconnect", "Pause notifications", "Open Tidings", "Quit"]);
    Ok(())
}

#[tokio::test]
async fn the_icon_returns_when_the_tray_host_does_and_tells_what_is_true_by_then() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    for _ in 0..2 {
        scene.tray.die().await?;
        scene.marker("messages go on").await?;
        scene.tray.come_back().await?;
        scene.connected().await?;
    }

    scene.tray.die().await?;
    let _other = scene.server.other_tab(USER).await?;
    scene.app.wait_for_status("replaced", |status| status.channels[0].state.as_str() == "replaced").await?;
    scene.tray.come_back().await?;
    let item = scene.tray.wait_for_label("Replaced ").await?;
    assert_eq!(item.icon, "tidings_replaced_unread");
    scene.tray.click(&["Take over here"]).await?;
    scene.connected().await
}

#[tokio::test]
async fn a_tray_host_that_comes_late_gets_the_icon() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let bus = PrivateBus::start()?;
    let popups = NotificationService::start(&bus, ABLE).await?;
    let app = App::with_settings(channel("Orders", &server.url(USER))).bus(&bus).start().await?;
    server.opened(1).await?;
    server.push(USER, "no tray, but messages");
    popups.wait_for(1).await?;

    let tray = TrayHost::start(&bus).await?;
    tray.wait_for_label("Connected since ").await?;
    assert!(app.log().contains("no tray host"), "the log says what is missing");
    Ok(())
}

/// Between looking for a host and listening for one there is a moment.
#[tokio::test]
async fn a_tray_host_that_comes_at_the_very_moment_of_the_start_gets_the_icon() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let bus = PrivateBus::start()?;
    let tray = TrayHost::start_just_missed(&bus).await?;
    let app = App::with_settings(channel("Orders", &server.url(USER))).bus(&bus).start().await?;
    tray.wait_for_label("Connected since ").await?;
    assert!(app.log().contains("no tray host"), "{}", app.log());
    assert_eq!(tray.items().len(), 1);
    Ok(())
}
