//! Sleep as logind tells it, by a stand-in for it on a bus of the test's own.

use tidings_server::EventKind;
use tidings_tests::scene::{Scene, USER};
use tidings_tests::wait::eventually;

#[tokio::test]
async fn after_a_wake_the_link_proves_that_it_lives_and_goes_on() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let measured = |status: &tidings_api::StatusReport| status.channels[0].rtt_ms.is_some();
    scene.app.wait_for_status("known to answer pings", measured).await?;
    let logind = scene.bus.as_ref().expect("a bus").connect().await?;
    logind.request_name("org.freedesktop.login1").await?;

    // By default the next ping is 20 s away. Said again until heard: nobody tells when the agent listens.
    let mark = scene.server.mark();
    let pinged =
        || scene.server.events().iter().filter(|event| event.number >= mark).any(is_ping).then_some(());
    let saying = async {
        loop {
            for about_to_sleep in [true, false] {
                let object = "/org/freedesktop/login1";
                let interface = "org.freedesktop.login1.Manager";
                let said =
                    logind.emit_signal(None::<&str>, object, interface, "PrepareForSleep", &about_to_sleep);
                said.await?;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        probed = eventually("a ping", pinged) => probed?,
        failed = saying => return failed,
    }
    scene.marker("the same link").await?;
    assert_eq!((scene.server.upgrades(), scene.server.links(USER)), (1, 1));
    Ok(())
}

fn is_ping(event: &tidings_server::Event) -> bool {
    matches!(event.kind, EventKind::Ping(_))
}
