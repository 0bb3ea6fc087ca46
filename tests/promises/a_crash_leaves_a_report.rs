//! What panicked leaves a report, and the next start tells of it.

use std::fs;

use tidings_api::Request;
use tidings_tests::app::Start;
use tidings_tests::desktop::Signal;
use tidings_tests::scene::Scene;

#[tokio::test]
async fn the_report_of_a_crash_is_offered_at_the_next_start_and_calmly() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    let crashes = scene.app.state().join("crashes");
    scene.app.signal(Signal::TERM)?;
    scene.app.ended_well().await?;
    fs::create_dir_all(&crashes)?;
    fs::write(crashes.join("new-20260101T000000Z.txt"), "Tidings panicked at nowhere.rs\n")?;
    scene.app.start(Start::Background).await?;
    let told =
        |notices: &[String]| notices.iter().any(|notice| notice.contains("crash-20260101T000000Z.txt"));
    scene.app.wait_for_status("told", |status| told(&status.notices)).await?;
    scene.tray.wait_for("a calm icon", |item| item.icon == "tidings_connected").await?;
    let reply = scene.app.ask(&Request::Diagnostics).await?;
    assert!(format!("{reply:?}").contains("nowhere.rs"));

    scene.app.restart(Start::Background).await?;
    scene.app.wait_for_status("as if nothing had been", |status| !told(&status.notices)).await?;
    Ok(())
}
