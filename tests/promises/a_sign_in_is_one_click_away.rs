//! A channel that waits for its user's sign-in offers it where that is told: in the popup and in the tray.

use tidings_api::StateName;
use tidings_tests::app::App;
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::wait::eventually;

#[tokio::test]
async fn one_quiet_popup_and_the_menu_lead_to_the_page() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER))
        + "auth = \"session\"\n[notifications]\ndown_after = \"300ms\"\n";
    let scene = Scene::around(server, ABLE, |bus| App::with_settings(settings).bus(bus)).await?;
    let popup = scene.popups.wait_for_title("Orders is not connected").await?;
    assert!(popup.body.contains("signed in at 127."), "which site: {}", popup.body);
    assert_eq!(popup.actions, [("default".to_owned(), "Sign in …".to_owned())]);
    assert_eq!(popup.urgency(), Some(1));

    scene.popups.click(popup.id, "default", Some("a-token")).await?;
    eventually("the sign-in", || scene.app.opened_windows().first().cloned()).await?;
    // The bus that it joined may have a keyring: it looks there once more.
    scene.app.wait_for_status("it waits", |status| status.channels[0].state == StateName::NeedsUser).await?;
    scene.tray.click(&["Sign in …"]).await?;
    eventually("the sign-in", || scene.app.opened_windows().get(1).cloned()).await?;
    assert_eq!(scene.app.opened_windows(), ["--sign-in orders|a-token", "--sign-in orders|"]);
    assert_eq!(scene.popups.titles(), ["Orders is not connected"], "told once");
    Ok(())
}
