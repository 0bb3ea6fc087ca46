use std::process::Stdio;

use tidings_tests::app::App;
use tidings_tests::desktop::Signal;
use tidings_tests::scene::{Scene, USER, channel};
use tidings_tests::wait::eventually;

#[tokio::test]
async fn a_second_start_shows_the_first_ones_window_and_ends_well() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let output = scene.app.run(&[]).await?;
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{output:?}");
    assert!(output.stderr.contains("running already"), "{output:?}");
    let window = eventually("the first one's window", || scene.app.opened_windows().first().cloned()).await?;
    assert_eq!(window, "|", "no message, no activation token");

    scene.marker("the first link is still the one").await?;
    assert_eq!(scene.server.upgrades(), 1);
    assert_eq!(scene.tray.items().len(), 1);
    Ok(())
}

#[tokio::test]
async fn many_starts_at_once_make_one_agent() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let second = || scene.app.run(&["--background"]);
    let outputs = tokio::join!(second(), second(), second(), second());
    for output in [outputs.0?, outputs.1?, outputs.2?, outputs.3?] {
        assert_eq!(output.code, Some(0), "{output:?}");
    }
    scene.marker("the first link is still the one").await?;
    assert_eq!(scene.server.upgrades(), 1);
    Ok(())
}

#[tokio::test]
async fn of_starts_in_the_same_moment_all_but_one_find_the_one() -> anyhow::Result<()> {
    let mut app = App::without_settings().start().await?;
    app.signal(Signal::TERM)?;
    app.ended_well().await?;
    let mut command = app.command();
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut starts = Vec::new();
    for _ in 0..6 {
        starts.push(command.spawn()?);
    }
    let mut ended = Vec::new();
    eventually("the end of all but one", || {
        starts.retain_mut(|start| match start.try_wait() {
            Ok(None) => true,
            status => {
                ended.push(status.ok().flatten().and_then(|status| status.code()));
                false
            }
        });
        (starts.len() == 1).then_some(())
    })
    .await?;
    assert_eq!(ended, [Some(0); 5]);
    assert_eq!(app.run(&["status"]).await?.code, Some(0));
    Ok(())
}

#[tokio::test]
async fn another_state_folder_is_another_agent() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let bus = scene.bus.as_ref().expect("a bus");
    let other = App::with_settings(channel("Else", &scene.server.url("bob"))).bus(bus).start().await?;
    scene.server.opened(2).await?;
    assert_eq!((scene.server.links(USER), scene.server.links("bob")), (1, 1));
    drop(other);
    scene.tray.wait_for("one icon again", |_| true).await?;
    scene.marker("the first goes on").await
}
