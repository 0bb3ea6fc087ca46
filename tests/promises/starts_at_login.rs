//! `start_at_login`: an entry for the desktop that comes and goes with the setting.

use tidings_tests::app::App;
use tidings_tests::wait::eventually;

#[tokio::test]
async fn the_setting_makes_the_entry_and_takes_it_away() -> anyhow::Result<()> {
    let app = App::with_settings("start_at_login = true\n").background().start().await?;
    let entry = app.home().join(".config/autostart/tidings.desktop");
    let text = eventually("the entry", || std::fs::read_to_string(&entry).ok()).await?;
    assert!(text.contains("\nExec=tidings --background\n"), "the one on the PATH: {text}");
    app.write_settings("")?;
    eventually("its end", || (!entry.exists()).then_some(())).await
}
