//! The headless desktop that the demo and the screenshots stand on.

use std::collections::HashSet;
use std::time::Duration;

use tidings_tests::desktop::{Desktop, PrivateBus, SCREEN};
use zbus::fdo::DBusProxy;

async fn names(bus: &PrivateBus) -> Vec<String> {
    let connection = bus.connect().await.expect("a connection to the private bus");
    let bus = DBusProxy::new(&connection).await.expect("the bus itself");
    let names = bus.list_names().await.expect("the names on the bus");
    names.into_iter().map(|name| name.to_string()).filter(|name| !name.starts_with(':')).collect()
}

#[tokio::test]
async fn a_headless_desktop_has_a_tray_host_a_notification_service_and_a_picture() {
    let desktop = Desktop::start().await.expect("the headless desktop starts");

    let names = names(desktop.bus()).await;
    for name in ["org.kde.StatusNotifierWatcher", "org.freedesktop.Notifications"] {
        assert!(names.iter().any(|owned| owned == name), "{name} is not among {names:?}");
    }

    let picture = desktop.home().join("screen.png");
    desktop.screenshot(&picture).await.expect("a screenshot");
    let png = std::fs::read(&picture).expect("the screenshot's file");
    assert!(png.starts_with(b"\x89PNG"), "not a PNG");
    let pixels = desktop.pixels().expect("the screen's pixels");
    let colours: HashSet<&[u8]> = pixels.chunks_exact(3).collect();
    assert!(colours.len() > 3, "only {} colours: no panel, no clock", colours.len());
    let below_the_panel = pixels.chunks_exact(3).nth(SCREEN.0 * SCREEN.1 / 2);
    assert_eq!(below_the_panel, Some([0x3d, 0x5a, 0x73].as_slice()), "the background is not painted");
}

#[tokio::test]
async fn a_private_bus_starts_nothing_by_itself() {
    let bus = PrivateBus::start().expect("a private bus");
    assert_eq!(names(&bus).await, ["org.freedesktop.DBus"]);

    let connection = bus.connect().await.expect("a connection");
    connection.request_name("org.freedesktop.Notifications").await.expect("the name is free");
    bus.wait_for_name("org.freedesktop.Notifications", Duration::from_secs(5)).await.expect("we own it");
}
