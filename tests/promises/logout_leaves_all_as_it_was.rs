//! At a logout everything goes at once: the session's bus, the terminal, and a signal or two. The agent ends by itself, and
//! at the next login all is as it was.

use std::fs;

use anyhow::ensure;
use serde_json::json;
use tidings_api::{StateName, StatusReport};
use tidings_tests::app::{App, Start};
use tidings_tests::desktop::Signal;
use tidings_tests::notification_service::ABLE;
use tidings_tests::scene::{Logout, Place, Scene, USER, channel};

#[tokio::test]
async fn whatever_comes_first_states_messages_and_settings_are_those_of_before() -> anyhow::Result<()> {
    use StateName::{Connected, Disconnected, Replaced};
    let server = Place::start().await?;
    let settings: String = [("Orders", USER), ("Off", "off"), ("Taken", "taken")]
        .map(|(name, user)| channel(name, &server.url(user)))
        .concat();
    let mut scene =
        Scene::around(server, ABLE, |bus| App::with_settings(settings.clone()).bus(bus).background()).await?;
    let are = |wanted: [StateName; 3]| {
        move |status: &StatusReport| status.channels.iter().map(|one| one.state).eq(wanted)
    };
    scene.app.wait_for_status("all connected", are([Connected; 3])).await?;
    scene.app.run(&["disconnect", "Off"]).await?;
    let _other = scene.server.other_tab("taken").await?;
    let left = [Connected, Disconnected, Replaced];
    let before = scene.app.wait_for_status("one of each", are(left)).await?;
    let mut titles = Vec::new();
    for first in Logout::ALL {
        let title = format!("before {first:?}");
        scene.marker(&title).await?;
        titles.push(title);
        scene.log_out(first)?;
        scene.app.ended_well().await?;
        ensure!(fs::read_to_string(scene.app.settings_file())? == settings);
        scene.log_in().await?;
        scene.app.start(Start::Background).await?;
        let after = scene.app.wait_for_status("as it was left", are(left)).await?;
        assert_eq!(after.channels[2].since, before.channels[2].since, "replaced since the same time");
        let stored = scene.app.inbox()?;
        assert!(stored.iter().map(|one| &one.title).eq(&titles), "{stored:?}");
        assert!(stored.iter().all(|one| one.state == "shown"), "{stored:?}");
        assert_eq!(scene.popups.titles(), [] as [&str; 0], "nothing is shown again");
    }
    Ok(())
}

#[tokio::test]
async fn an_agent_whose_words_nobody_takes_goes_on_and_ends_well() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER));
    let mut scene =
        Scene::around(server, ABLE, |bus| App::with_settings(settings).bus(bus).tracing().unheard()).await?;
    scene.connected().await?;
    scene.server.push_json(USER, &json!({ "title": "unheard" }));
    scene.popups.wait_for_title("unheard").await?;
    scene.log_out(Logout::HangUp)?;
    scene.app.ended_well().await
}

#[tokio::test]
async fn a_command_whose_words_nobody_takes_is_no_crash() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    for args in ["status --nonsense", "listen --url nonsense", "secret clear nobody", "connect nobody"] {
        let mut command = tokio::process::Command::new("sh");
        let run = format!("exec \"$0\" {args} >/dev/full 2>&1");
        let tidings = scene.app.command();
        command.arg("-c").arg(run).arg(tidings.as_std().get_program()).env_clear();
        command.envs(tidings.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        let code = command.status().await?.code();
        ensure!(matches!(code, Some(1..=100)), "{args}: {code:?}");
    }
    scene.app.signal(Signal::TERM)?;
    scene.app.ended_well().await
}
