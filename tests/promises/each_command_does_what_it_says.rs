//! The ways to use each command that no other promise tells of.

use std::path::Path;
use std::process::Stdio;

use jiff::{Timestamp, ToSpan, Zoned};
use serde_json::{Value, json};
use tidings_api::{StateName, StatusReport};
use tidings_tests::app::{App, zone};
use tidings_tests::desktop::Signal;
use tidings_tests::listen::Program;
use tidings_tests::scene::{Place, USER, channel};
use tidings_tests::wait::eventually;

/// The channels' states, in the order of the settings.
fn are(states: &'static [StateName]) -> impl Fn(&StatusReport) -> bool {
    move |status| status.channels.iter().map(|channel| channel.state).eq(states.iter().copied())
}

async fn two(server: &Place) -> anyhow::Result<App> {
    let settings = channel("Orders", &server.url(USER)) + &channel("Night shift", &server.url("bob"));
    let app = App::with_settings(settings).background().start().await?;
    app.wait_for_status("connected", are(&[StateName::Connected; 2])).await?;
    Ok(app)
}

/// Of one that says nothing where it succeeds.
async fn done(app: &App, args: &[&str]) -> anyhow::Result<()> {
    let output = app.run(args).await?;
    let told = (output.code, output.stdout.as_str(), output.stderr.as_str());
    assert_eq!(told, (Some(0), "", ""), "{args:?}");
    Ok(())
}

#[tokio::test]
async fn one_channel_is_commanded_by_name_and_all_without_one_and_only_takeover_ends_a_replacement()
-> anyhow::Result<()> {
    use StateName::{Connected, Disconnected, Replaced};
    let server = Place::start().await?;
    let app = two(&server).await?;
    done(&app, &["disconnect", "Night shift"]).await?;
    app.wait_for_status("one off", are(&[Connected, Disconnected])).await?;
    let _tab = server.other_tab(USER).await?;
    app.wait_for_status("the other replaced", are(&[Replaced, Disconnected])).await?;
    done(&app, &["connect"]).await?;
    app.wait_for_status("back, and replaced as before", are(&[Replaced, Connected])).await?;
    done(&app, &["takeover", "Orders"]).await?;
    app.wait_for_status("both back", are(&[Connected; 2])).await?;

    let _tabs = (server.other_tab(USER).await?, server.other_tab("bob").await?);
    app.wait_for_status("both replaced", are(&[Replaced; 2])).await?;
    done(&app, &["takeover"]).await?;
    app.wait_for_status("both taken over", are(&[Connected; 2])).await?;
    let nobody = app.run(&["takeover"]).await?;
    assert_eq!((nobody.code, nobody.stderr.as_str()), (Some(0), "No channel is concerned.\n"));
    Ok(())
}

#[tokio::test]
async fn pause_lasts_for_a_while_to_a_time_or_until_resumed_and_what_it_does_not_know_changes_nothing()
-> anyhow::Result<()> {
    let app = App::without_settings().background().start().await?;
    let pause = async |args: &[&str]| -> anyhow::Result<Option<Timestamp>> {
        done(&app, args).await?;
        Ok(app.status().await?.paused_until)
    };
    let until = pause(&["pause"]).await?.expect("paused");
    assert_eq!(until.to_zoned(zone()).year(), 9999, "until resumed");
    assert_eq!(pause(&["resume"]).await?, None);

    let before = Zoned::now();
    let until = pause(&["pause", "1h 30m"]).await?.expect("paused");
    let wished = [&before, &Zoned::now()].map(|now| (now + 90.minutes()).timestamp());
    assert!((wished[0]..=wished[1]).contains(&until), "{until}");

    let until = pause(&["pause", "until", "08:00"]).await?.expect("paused");
    assert!(until > Timestamp::now() && until < (&Zoned::now() + 25.hours()).timestamp(), "{until}");
    assert_eq!(until.to_zoned(zone()).strftime("%H:%M:%S").to_string(), "08:00:00");

    for wrong in [&["pause", "soon"][..], &["pause", "until", "noon"], &["pause", "1h", "30m"]] {
        let output = app.run(wrong).await?;
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{wrong:?}: {output:?}");
        assert!(output.stderr.contains("`tidings pause "), "{wrong:?}: {output:?}");
    }
    assert_eq!(app.status().await?.paused_until, Some(until));
    assert_eq!(pause(&["pause", "off"]).await?, None);
    Ok(())
}

#[tokio::test]
async fn status_tells_people_of_every_channel_and_of_what_they_should_mend() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = two(&server).await?;
    server.push(USER, "one");
    app.wait_for_status("one unread", |status| status.unread == 1).await?;
    done(&app, &["disconnect", "night-shift"]).await?;
    let settings = std::fs::read_to_string(app.settings_file())?;
    app.write_settings(settings + "colour = 1\n")?;
    app.wait_for_status("a notice", |status| !status.notices.is_empty()).await?;
    let status = app.run(&["status"]).await?;
    let lines: Vec<&str> = status.stdout.lines().collect();
    let [orders, night, notice] = lines.as_slice() else { panic!("not three lines: {status:?}") };
    let today = Zoned::now().with_time_zone(zone()).strftime("%Y-%m-").to_string();
    assert!(orders.starts_with(&format!("Orders: connected since {today}")), "{orders}");
    assert!(orders.ends_with(" (1 unread)"), "{orders}");
    assert!(night.starts_with("Night shift: disconnected since "), "{night}");
    assert!(notice.starts_with("! ") && notice.contains("colour"), "{notice}");

    let app = App::without_settings().background().start().await?;
    assert_eq!(app.run(&["status"]).await?.stdout, "no channel in the settings file\n");
    Ok(())
}

#[tokio::test]
async fn a_start_at_login_shows_no_window_and_any_other_does_whether_or_not_tidings_runs()
-> anyhow::Result<()> {
    let mut app = App::without_settings().background().start().await?;
    // The windows tell by the desktop's token which start opened them.
    for (args, token) in [(&["--background"][..], "login"), (&["--open"], "hand")] {
        let output = app.command().args(args).env("XDG_ACTIVATION_TOKEN", token).output().await?;
        assert!(output.status.success() && output.stdout.is_empty(), "{args:?}: {output:?}");
        let told = String::from_utf8(output.stderr)?;
        assert!(told.contains("running already"), "{args:?}: {told}");
    }
    let window = eventually("a window", || app.opened_windows().first().cloned()).await?;
    assert_eq!(window, "|hand");

    app.signal(Signal::TERM)?;
    app.ended_well().await?;
    let windows = app.opened_windows().len();
    let mut command = app.command();
    command.arg("--open").stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let _opened = command.spawn()?;
    eventually("its window", || (app.opened_windows().len() > windows).then_some(())).await?;
    assert_eq!(app.run(&["status"]).await?.code, Some(0));
    Ok(())
}

#[tokio::test]
async fn tail_tells_people_when_each_message_came_where_from_and_what_it_says() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = two(&server).await?;
    for (id, user, title, body) in [
        (1, USER, "Order 1", "three chairs"),
        (2, "bob", "Lamp", "two lamps"),
        (3, USER, "Order 3", "three lamps"),
    ] {
        server.push_json(user, &json!({ "id": id, "title": title, "body": body }));
        let count = usize::try_from(id)?;
        app.wait_for_inbox("it", |stored| stored.len() == count).await?;
    }
    let json = app.run(&["tail", "--json", "--since", "00:00", "--no-follow"]).await?;
    let times: Vec<String> = json
        .stdout
        .lines()
        .map(|line| -> anyhow::Result<String> {
            let line: Value = serde_json::from_str(line)?;
            let time: Timestamp = line["received_at"].as_str().expect("a time").parse()?;
            Ok(time.to_zoned(zone()).strftime("%Y-%m-%d %H:%M:%S").to_string())
        })
        .collect::<Result<_, _>>()?;
    let [first, second, third] = times.as_slice() else { panic!("not three: {json:?}") };
    let tail = app.run(&["tail", "--since", "1h", "--no-follow"]).await?;
    assert_eq!(
        (tail.code, tail.stdout),
        (
            Some(0),
            format!(
                "{first} Orders: Order 1\nthree chairs\n{second} Night shift: Lamp\ntwo lamps\n\
                 {third} Orders: Order 3\nthree lamps\n"
            )
        )
    );
    for (args, titles) in [
        (&["--search", "lamps", "--no-follow"][..], &["Lamp", "Order 3"][..]),
        (&["--search", "lamps", "--since", "2", "--no-follow"], &["Order 3"]),
        (&["--search", "lamps", "--since", "2030-01-01T00:00:00Z", "--no-follow"], &[]),
        (&["--since", "3", "--no-follow"], &[]),
    ] {
        let tail = app.run(&[&["tail"], args].concat()).await?;
        let told: Vec<_> = tail.stdout.lines().filter_map(|line| Some(line.split_once(": ")?.1)).collect();
        assert_eq!((tail.code, told.as_slice()), (Some(0), titles), "{args:?}");
    }
    Ok(())
}

#[tokio::test]
async fn tail_ends_with_a_word_when_tidings_does() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let mut app = two(&server).await?;
    server.push(USER, "one");
    app.wait_for_inbox("it", |stored| stored.len() == 1).await?;
    let mut tail = Program::start(&app.home(), &["tail", "--json", "--since", "1h"], &[])?;
    tail.message().await?;
    app.signal(Signal::TERM)?;
    app.ended_well().await?;
    let ended = tail.ended().await?;
    assert_eq!((ended.code, ended.rest.as_str()), (1, ""));
    assert!(ended.log.contains("the connection to the running Tidings broke"), "{}", ended.log);
    Ok(())
}

#[tokio::test]
async fn listen_tells_people_of_the_channel_that_is_named() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER)) + &channel("Night shift", &server.url("bob"));
    let mut app = App::with_settings(settings).background().start().await?;
    app.kill().await?;
    let mut listen = Program::start(&app.home(), &["listen", "--channel", "Night shift"], &[])?;
    while !listen.line().await?.ends_with(" Night shift is connected") {}
    server.push_json("bob", &json!({ "title": "Lamp", "body": "two\nlamps" }));
    assert!(listen.line().await?.ends_with(" Night shift: Lamp"));
    assert_eq!((listen.line().await?, listen.line().await?), ("two".to_owned(), "lamps".to_owned()));
    server.close("bob", 1013, "");
    let line = listen.line().await?;
    assert!(
        line.contains(" Night shift is waiting until ") && line.ends_with(": server busy (1013)"),
        "{line}"
    );
    Ok(())
}

#[tokio::test]
async fn diagnostics_are_left_in_the_current_folder_where_no_file_is_named() -> anyhow::Result<()> {
    let app = App::without_settings().background().start().await?;
    let folder = app.home().join("here");
    std::fs::create_dir(&folder)?;
    let output =
        app.command().arg("diagnostics").current_dir(&folder).stdout(Stdio::piped()).output().await?;
    let told = String::from_utf8(output.stdout)?;
    let archive = Path::new(told.trim_end());
    assert_eq!(archive.parent(), Some(folder.canonicalize()?.as_path()), "{told}");
    let name = archive.file_name().and_then(|name| name.to_str()).expect("a name");
    assert!(name.starts_with("tidings-diagnostics-") && name.ends_with(".tar.gz"), "{name}");
    assert_eq!(std::fs::read(archive)?[..2], [0x1f, 0x8b], "it is a gzip");
    Ok(())
}

/// The commands that a help lists.
fn listed(help: &str) -> impl Iterator<Item = &str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").take_while(|line| !line.is_empty());
    lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|command| !command.is_empty())
}

#[tokio::test]
async fn help_is_told_in_every_way_that_people_ask_for_it() -> anyhow::Result<()> {
    let app = App::without_settings().background().start().await?;
    let told = async |args: &[&str]| -> anyhow::Result<String> {
        let output = app.run(args).await?;
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{args:?}: {output:?}");
        Ok(output.stdout)
    };
    assert_eq!(told(&["-V"]).await?, told(&["--version"]).await?);
    let help = told(&["--help"]).await?;
    assert_eq!(told(&["help"]).await?, help);
    assert!(told(&["-h"]).await?.contains("Exit codes: "));
    let mut commands = 0;
    for command in listed(&help).filter(|command| *command != "help") {
        let of_command = told(&[command, "--help"]).await?;
        assert!(of_command.contains(&format!("Usage: tidings {command}")), "{of_command}");
        assert_eq!(told(&["help", command]).await?, of_command);
        assert!(told(&[command, "-h"]).await?.contains(&format!("Usage: tidings {command}")));
        commands += 1;
    }
    assert!(commands > 10, "{help}");
    assert!(told(&["help", "secret", "set"]).await?.contains("Usage: tidings secret set <CHANNEL>"));
    Ok(())
}
