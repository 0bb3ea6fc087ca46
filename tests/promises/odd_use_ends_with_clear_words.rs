//! Commands in surroundings that nobody planned for: readers that are gone, full disks, an agent that is stuck or of
//! another version, odd arguments, and folders that are no folders. Each ends with the right code, and with clear words or
//! with none.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::pipe;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener as StdListener;
use std::process::Stdio;

use anyhow::Context;
use serde_json::json;
use tidings_api::StateName;
use tidings_tests::app::{App, Output};
use tidings_tests::desktop::Signal;
use tidings_tests::listen::Program;
use tidings_tests::scene::{Place, USER, channel};
use tidings_tests::wait::{SOON, eventually};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixListener;
use tokio::process::Command;
use tokio::time::timeout;

/// A pipe that nobody reads.
fn nobody() -> anyhow::Result<Stdio> {
    let (reader, writer) = pipe()?;
    drop(reader);
    Ok(writer.into())
}

fn full_disk() -> anyhow::Result<Stdio> {
    Ok(OpenOptions::new().write(true).open("/dev/full")?.into())
}

/// A command with a stdout or stderr that is not a pipe to us.
async fn ended(command: &mut Command) -> anyhow::Result<Output> {
    let child = command.stdin(Stdio::null()).kill_on_drop(true).spawn()?;
    let output = timeout(SOON, child.wait_with_output()).await;
    let output = output.with_context(|| format!("no end: {command:?}"))??;
    Ok(Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// What panics leave.
fn crashes(app: &App) -> usize {
    fs::read_dir(app.home().join(".local/state/tidings/crashes")).map_or(0, Iterator::count)
}

/// An agent with one channel and one message.
async fn agent(server: &Place) -> anyhow::Result<App> {
    let app = App::with_settings(channel("Orders", &server.url(USER))).background().start().await?;
    app.wait_for_status("connected", |status| status.channels[0].state == StateName::Connected).await?;
    server.push(USER, "one");
    app.wait_for_inbox("it", |stored| stored.len() == 1).await?;
    Ok(app)
}

async fn without_an_agent() -> anyhow::Result<App> {
    let mut app = App::without_settings().background().start().await?;
    app.signal(Signal::TERM)?;
    app.ended_well().await?;
    Ok(app)
}

#[tokio::test]
async fn a_reader_that_is_gone_ends_every_command_without_a_word() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = agent(&server).await?;
    let url = server.url(USER);
    let exported = app.home().join("channels.toml");
    let exported = exported.to_str().context("a plain path")?;
    for args in [
        &["--help"][..],
        &["--version"],
        &["status"],
        &["status", "--json"],
        &["tail", "--since", "1h"],
        &["tail", "--json", "--since", "1h", "--no-follow"],
        &["doctor", &url],
        &["doctor", &url, "--json"],
        &["export"],
        &["export", exported],
        &["import", exported],
        &["listen", "--url", &server.url("bob")],
    ] {
        let mut command = app.command();
        // A word is what a user sees, who asked for no log.
        command.args(args).env_remove("TIDINGS_LOG").stdout(nobody()?).stderr(Stdio::piped());
        let output = ended(&mut command).await?;
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{args:?}");
    }
    let unknown = ended(app.command().args(["connect", "nobody"]).stderr(nobody()?)).await?;
    assert_eq!(unknown.code, Some(2));
    let wrong = ended(app.command().args(["status", "--wrong"]).stderr(nobody()?)).await?;
    assert_eq!(wrong.code, Some(2));
    assert_eq!(crashes(&app), 0);
    Ok(())
}

#[tokio::test]
async fn an_agent_whose_stderr_nobody_reads_any_more_goes_on() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let mut app = agent(&server).await?;
    app.signal(Signal::TERM)?;
    app.ended_well().await?;
    let mut agent = app.command().arg("--background").stderr(nobody()?).kill_on_drop(true).spawn()?;
    eventually("its socket", || app.socket().exists().then_some(())).await?;
    app.wait_for_status("connected", |status| {
        status.channels.first().is_some_and(|channel| channel.state == StateName::Connected)
    })
    .await?;
    assert_eq!(app.run(&["disconnect"]).await?.code, Some(0));
    let log = fs::read_to_string(app.home().join(".local/state/tidings/logs/tidings.log"))?;
    assert!(log.contains("asked"), "the log file has it all the same: {log}");
    assert_eq!((crashes(&app), agent.try_wait()?), (0, None));
    Ok(())
}

#[tokio::test]
async fn an_answer_that_can_t_be_written_is_a_failure() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = agent(&server).await?;
    let url = server.url(USER);
    for args in [
        &["status"][..],
        &["status", "--json"],
        &["export"],
        &["tail", "--since", "1h"],
        &["doctor", &url],
        &["listen", "--json", "--url", &server.url("bob")],
        &["--help"],
    ] {
        let output = ended(app.command().args(args).stdout(full_disk()?).stderr(Stdio::piped())).await?;
        assert_eq!(output.code, Some(1), "{args:?}: {output:?}");
        assert!(
            output.stderr.contains("the answer can't be written: the disk is full"),
            "{args:?}: {output:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn odd_arguments_are_wrong_use_and_are_quoted_briefly_and_harmlessly() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = agent(&server).await?;
    let long = "x".repeat(100_000);
    for args in [
        &["connect", &long][..],
        &["tail", "--since", &long],
        &["pause", &long],
        &["doctor", "--channel", &long],
        &["listen", "--channel", &long],
        &["secret", "clear", &long],
        &["connect", "a\u{1b}]0;title\u{7}\u{9b}2J"],
        &["pause", "a\u{1b}[2J\u{9b}2J"],
        &["doctor", "--channel", "a\u{1b}[2J\u{9b}2J"],
        &["a\u{1b}[2J\u{9b}2J"],
        &["doctor", "--idle", "--max", "a\u{1b}[2J\u{9b}2J"],
    ] {
        let output = app.run(args).await?;
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{args:.99?}: {output:?}");
        assert!(output.stderr.len() < 500, "{args:.99?}: {} bytes", output.stderr.len());
        assert!(is_plain(&output.stderr), "{args:?}: {output:?}");
    }

    for args in [&["connect"][..], &["status"], &["tail", "--search"]] {
        let output =
            ended(app.command().args(args).arg(OsStr::from_bytes(b"\xff\xfe")).stderr(Stdio::piped()))
                .await?;
        assert_eq!(output.code, Some(2), "{args:?}: {output:?}");
        assert!(output.stderr.contains("Usage: tidings"), "{args:?}: {output:?}");
    }
    Ok(())
}

/// Nothing in it that a terminal obeys.
fn is_plain(text: &str) -> bool {
    !text.contains(|c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}'))
}

#[tokio::test]
async fn neither_a_channel_s_name_nor_a_message_commands_the_terminal() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let evil = "\\u001b]0;title\\u0007\\u009b2J\\u202e";
    let settings =
        format!("[[channel]]\nid = \"orders\"\nname = \"O{evil}\"\nurl = {:?}\n", server.url(USER));
    let mut app = App::with_settings(settings).background().start().await?;
    app.wait_for_status("connected", |status| status.channels[0].state == StateName::Connected).await?;
    let evil = "\u{1b}]0;title\u{7}\u{9b}2J\u{202e}";
    server.push_json(USER, &json!({ "title": format!("T{evil}"), "body": format!("B{evil}") }));
    server.push(USER, format!("P{evil}"));
    app.wait_for_inbox("both", |stored| stored.len() == 2).await?;
    let status = app.run(&["status"]).await?;
    let tail = app.run(&["tail", "--since", "1h", "--no-follow"]).await?;
    for (output, lines) in [(&status, 1), (&tail, 4)] {
        assert_eq!((output.code, output.stdout.lines().count()), (Some(0), lines), "{output:?}");
        assert!(is_plain(&output.stdout) && is_plain(&output.stderr), "{output:?}");
    }
    app.kill().await?;
    let mut listen = Program::start(&app.home(), &["listen"], &[])?;
    while !listen.line().await?.ends_with("is connected") {}
    server.push_json(USER, &json!({ "title": format!("T{evil}"), "body": format!("B{evil}") }));
    let lines = [listen.line().await?, listen.line().await?].join("\n");
    assert!(lines.contains(" ]0;title") && is_plain(&lines), "{lines:?}");
    server.close(USER, 4321, &format!("R{evil}"));
    let line = listen.line().await?;
    assert!(line.contains("(4321)") && is_plain(&line), "{line:?}");
    Ok(())
}

#[tokio::test]
async fn a_socket_that_nobody_serves_means_that_tidings_does_not_run() -> anyhow::Result<()> {
    let app = without_an_agent().await?;
    let not_running = async |what: &str| -> anyhow::Result<()> {
        let output = app.run(&["status"]).await?;
        assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""), "{what}: {output:?}");
        assert!(output.stderr.contains("start it by `tidings`"), "{what}: {output:?}");
        Ok(())
    };
    drop(StdListener::bind(app.socket())?);
    not_running("the socket of one that was killed").await?;
    fs::remove_file(app.socket())?;
    fs::write(app.socket(), "")?;
    not_running("a file").await?;
    fs::remove_dir_all(app.home().join(".local/state"))?;
    not_running("no state folder").await?;
    fs::write(app.home().join(".local/state"), "")?;
    not_running("a file in the state folder's place").await?;

    let start = app.run(&["--background"]).await?;
    assert_eq!((start.code, start.stdout.as_str()), (Some(1), ""), "{start:?}");
    assert!(start.stderr.contains("the state folder") && start.stderr.contains(".local/state"), "{start:?}");
    Ok(())
}

#[tokio::test]
async fn a_state_folder_that_can_t_be_written_keeps_tidings_from_starting_and_says_so() -> anyhow::Result<()>
{
    let app = without_an_agent().await?;
    let state = app.home().join(".local/state/tidings");
    fs::remove_file(state.join("lock"))?;
    fs::create_dir(state.join("lock"))?;
    let start = app.run(&["--background"]).await?;
    assert_eq!((start.code, start.stdout.as_str()), (Some(1), ""), "{start:?}");
    assert!(start.stderr.contains("the lock file") && start.stderr.contains("lock"), "{start:?}");
    Ok(())
}

#[tokio::test]
async fn without_home_the_other_variables_are_enough() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = agent(&server).await?;
    let output = ended(app.command().env_remove("HOME").arg("status").stdout(Stdio::piped())).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.starts_with("Orders: connected since "), "{output:?}");
    Ok(())
}

#[tokio::test]
async fn an_agent_that_is_stuck_keeps_no_command_waiting_for_ever() -> anyhow::Result<()> {
    let server = Place::start().await?;
    let app = agent(&server).await?;
    let file = app.home().join("channels.toml");
    let file = file.to_str().context("a plain path")?;
    assert_eq!(app.run(&["export", file]).await?.code, Some(0));
    app.signal(Signal::STOP)?;
    let stuck = async |args: &[&str]| -> anyhow::Result<()> {
        let output = app.run(args).await?;
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{args:?}: {output:?}");
        assert!(output.stderr.contains("does not answer"), "{args:?}: {output:?}");
        Ok(())
    };
    let archive = app.home().join("d.tar.gz");
    let archive = archive.to_str().context("a plain path")?;
    let (import, pack) = (["import", file], ["diagnostics", archive]);
    let (.., diagnostics) = tokio::try_join!(
        stuck(&[]),
        stuck(&["status", "--json"]),
        stuck(&["connect"]),
        stuck(&["resume"]),
        stuck(&["tail"]),
        stuck(&["doctor"]),
        stuck(&import),
        app.run(&pack),
    )?;
    assert_eq!(diagnostics.code, Some(0), "one more reason to report trouble: {diagnostics:?}");
    // It takes up where it was stopped.
    app.signal(Signal::CONT)?;
    assert_eq!(app.run(&["status"]).await?.code, Some(0));
    Ok(())
}

/// Something that listens in the agent's place, and answers every line with these bytes.
fn stranger(app: &App, answer: &'static str) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let _ = fs::remove_file(app.socket());
    let listener = UnixListener::bind(app.socket())?;
    Ok(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = String::new();
            let _ = BufReader::new(&mut stream).read_line(&mut asked).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }))
}

#[tokio::test]
async fn an_agent_of_another_version_and_a_stranger_in_its_place_are_told_of() -> anyhow::Result<()> {
    let app = without_an_agent().await?;
    for (answer, told) in [
        (
            "{\"protocol\":99,\"version\":\"9.8.7\",\"body\":{\"news\":[]}}\n",
            "of another version (9.8.7); quit it and start it again",
        ),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "an answer that was not understood"),
        ("", "the connection to the running Tidings broke"),
        ("{\"protocol\":1", "the connection to the running Tidings broke"),
    ] {
        let stranger = stranger(&app, answer)?;
        for args in
            [&["status"][..], &["connect", "orders"], &["pause"], &["tail"], &["doctor", "ws://127.0.0.1:1/"]]
        {
            let output = app.run(args).await?;
            assert_eq!(
                (output.code, output.stdout.as_str()),
                (Some(1), ""),
                "{answer:?} {args:?}: {output:?}"
            );
            assert!(output.stderr.contains(told), "{answer:?} {args:?}: {output:?}");
        }
        stranger.abort();
        let _ = stranger.await;
    }
    Ok(())
}
