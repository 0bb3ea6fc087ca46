//! The commands that talk to the running agent over its local socket.

use std::io::Write;
use std::process::ExitCode;

use jiff::Zoned;
use jiff::tz::TimeZone;
use tidings_api::client::{Client, ClientError};
use tidings_api::{Action, ErrorCode, Reply, Request, StatusReport};
use tidings_words::Words;

use crate::cli::exit;
use crate::paths::Paths;
use crate::pause;

/// A second start: shows the first one's window.
pub(crate) async fn raise(paths: &Paths, words: Words) -> anyhow::Result<ExitCode> {
    let token = std::env::var("XDG_ACTIVATION_TOKEN").ok();
    let code = ask(paths, &Request::Raise { activation_token: token }, words, |_| Ok(())).await?;
    if code == ExitCode::SUCCESS {
        say(&words.cli_raised());
    }
    Ok(code)
}

pub(crate) async fn status(paths: &Paths, json: bool, words: Words) -> anyhow::Result<ExitCode> {
    ask(paths, &Request::Status, words, |reply| {
        let Reply::Status(status) = reply else { anyhow::bail!("the running Tidings told no status") };
        print(&if json { serde_json::to_string(&status)? } else { status_words(&status, words) })
    })
    .await
}

pub(crate) async fn act(
    paths: &Paths,
    action: Action,
    channel: Option<&str>,
    words: Words,
) -> anyhow::Result<ExitCode> {
    let request = Request::Act { action, channel: channel.map(str::to_owned) };
    ask(paths, &request, words, |reply| {
        if let Reply::Done { channels } = reply
            && channels.is_empty()
        {
            say(&words.cli_nobody_concerned());
        }
        Ok(())
    })
    .await
}

pub(crate) async fn pause(paths: &Paths, time: &[String], words: Words) -> anyhow::Result<ExitCode> {
    match pause::parse(time, &Zoned::now()) {
        Ok(until) => ask(paths, &Request::Pause { until }, words, |_| Ok(())).await,
        Err(message) => {
            say(&format!("tidings: {}", message.said(words)));
            Ok(ExitCode::from(exit::USAGE))
        }
    }
}

async fn ask(
    paths: &Paths,
    request: &Request,
    words: Words,
    show: impl FnOnce(Reply) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    let answer = async { Client::connect(&paths.socket()).await?.ask(request).await };
    match answer.await {
        Ok(reply) => {
            show(reply)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Ok(failed(&error, words)),
    }
}

/// Says why the agent could not be asked.
pub(crate) fn failed(error: &ClientError, words: Words) -> ExitCode {
    let code = match error {
        ClientError::NotRunning => exit::NOT_RUNNING,
        ClientError::Refused(refusal)
            if matches!(refusal.code, ErrorCode::UnknownChannel | ErrorCode::UnknownMessage) =>
        {
            exit::USAGE
        }
        ClientError::Refused(_)
        | ClientError::Broken(_)
        | ClientError::OtherVersion(_)
        | ClientError::Malformed(_) => exit::FAILED,
    };
    say(&format!("tidings: {}", told(error, words)));
    ExitCode::from(code)
}

/// Why the agent could not be asked; a refusal is in its own words.
pub(crate) fn told(error: &ClientError, words: Words) -> String {
    match error {
        ClientError::NotRunning => words.cli_not_running(),
        ClientError::Broken(why) => words.cli_broken(why),
        ClientError::OtherVersion(version) => words.cli_other_version(version),
        ClientError::Refused(refusal) => refusal.message.clone(),
        ClientError::Malformed(why) => words.cli_malformed(why),
    }
}

fn status_words(status: &StatusReport, words: Words) -> String {
    let mut lines = Vec::new();
    let time =
        |at: jiff::Timestamp| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    for channel in &status.channels {
        let mut line = words.cli_status(&channel.name, &channel.state.as_str(), &time(channel.since));
        if let Some(retry_at) = channel.retry_at {
            line = words.cli_status_retry(&line, &time(retry_at));
        }
        if let Some(cause) = &channel.cause {
            line = words.cli_status_cause(cause, &line);
        }
        if channel.unread > 0 {
            line = words.cli_status_unread(&line, &channel.unread);
        }
        lines.push(line);
    }
    if status.channels.is_empty() {
        lines.push(words.cli_status_none());
    }
    lines.extend(status.notices.iter().map(|notice| format!("! {notice}")));
    lines.join("\n")
}

/// Answers go to stdout, and nothing else does.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

/// A word to the person who typed the command.
pub(crate) fn say(text: &str) {
    // Where nobody takes it there is nothing more to do.
    let _ = writeln!(std::io::stderr(), "{text}");
}
