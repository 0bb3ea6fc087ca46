use std::fs;
use std::path::Path;

use tidings_tests::app::App;
use tidings_tests::scene::{Place, Scene, USER, channel};

#[tokio::test]
async fn exported_channels_are_imported_with_and_without_an_agent_and_nothing_is_overwritten()
-> anyhow::Result<()> {
    let server = Place::start().await?;
    let there =
        Scene::with("show = \"title\"\n[[channel.rule]]\nwhen = \"priority > 4\"\nsound = \"none\"\n")
            .await?;
    let file = there.app.home().join("channels.toml");
    let file = file.to_str().expect("a plain path");
    let output = there.app.run(&["export", file]).await?;
    assert_eq!((output.code, output.stdout.trim()), (Some(0), file), "{output:?}");
    assert_eq!(there.app.run(&["export", file]).await?.code, Some(1), "never over a file");
    let exported = there.app.run(&["export"]).await?.stdout;
    assert_eq!(exported, fs::read_to_string(file)?);
    assert!(exported.contains("id = \"orders\""), "{exported}");

    // Onto a machine that has another channel, and comments of its user.
    let own = format!("# mine\n{}", channel("Chat", &server.url(USER)));
    let mut here = App::with_settings(&own).start().await?;
    let output = here.run(&["import", file]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.starts_with("orders: added\n"), "{output:?}");
    here.wait_for_status("both", |status| status.channels.len() == 2).await?;
    let settings = fs::read_to_string(here.settings_file())?;
    assert!(settings.starts_with(&own), "{settings}");
    for part in ["show = \"title\"", "priority > 4"] {
        assert!(settings.contains(part), "{settings}");
    }
    let output = here.run(&["import", file]).await?;
    assert!(output.stdout.contains("the same"), "{output:?}");
    assert_eq!(fs::read_to_string(here.settings_file())?, settings);

    // Without an agent; what differs is left alone until it is asked for.
    here.kill().await?;
    here.write_settings(settings.replace("show = \"title\"", "show = \"full\""))?;
    let output = here.run(&["import", file]).await?;
    assert!(output.stdout.contains("left as it is, though it differs (show)"), "{output:?}");
    assert!(fs::read_to_string(here.settings_file())?.contains("show = \"full\""));
    let output = here.run(&["import", "--replace", file]).await?;
    assert!(output.stdout.contains("orders: changed (show)"), "{output:?}");
    assert_eq!(fs::read_to_string(here.settings_file())?, settings);
    Ok(())
}

#[tokio::test]
async fn a_brokers_topics_move_as_they_are_written() -> anyhow::Result<()> {
    let broker = "[[channel]]\nid = \"home\"\nkind = \"mqtt\"\nurl = \"mqtts://broker.example\"\nenabled = false\n\
                  topics = [\"home/#\", { filter = \"alarm/+\", qos = 2 }, { filter = \"$SYS/#\" }]\n\
                  client_id = \"desk\"\nsession_expiry = \"2d\"\n";
    let there = App::with_settings(broker).background().start().await?;
    let file = there.home().join("channels.toml");
    let file = file.to_str().expect("a plain path");
    let output = there.run(&["export", file]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    let here = App::with_settings("# mine\n").background().start().await?;
    let output = here.run(&["import", file]).await?;
    assert!(output.stdout.starts_with("home: added\n"), "{output:?}");
    let output = here.run(&["import", there.settings_file().to_str().expect("a plain path")]).await?;
    assert!(output.stdout.contains("the same"), "{output:?}");
    let read = |app: &App| {
        fs::read_to_string(app.settings_file())
            .map(|text| tidings_settings::parse(text.as_bytes(), Path::new("c")))
    };
    assert_eq!(read(&here)??.channels, read(&there)??.channels);
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_settings_changes_nothing() -> anyhow::Result<()> {
    let app = App::with_settings("# none yet\n").start().await?;
    let file = app.home().join("channels.toml");
    let file = file.to_str().expect("a plain path");
    assert_eq!(app.run(&["import", file]).await?.code, Some(1), "it is not there");
    for wrong in
        ["", "[[channel]]\nname = \"x\"\n", "[[channel]]\nurl = \"wss://a.example/\"\ntoken = \"x\"\n", "no"]
    {
        fs::write(file, wrong)?;
        let output = app.run(&["import", file]).await?;
        assert_eq!(output.code, Some(2), "{wrong:?}: {output:?}");
        assert!(output.stderr.contains("channels.toml"), "{wrong:?}: {output:?}");
    }
    assert_eq!(fs::read_to_string(app.settings_file())?, "# none yet\n");
    assert_eq!(app.run(&["export"]).await?.code, Some(2), "there is nothing to export");
    Ok(())
}
