//! The commands that talk to the running agent over its local socket.

use std::io::Write;
use std::process::ExitCode;

use jiff::Zoned;
use jiff::tz::TimeZone;
use tidings_api::client::{Client, ClientError};
use tidings_api::{Action, ErrorCode, Reply, Request, StatusReport};

use crate::cli::exit;
use crate::paths::Paths;
use crate::pause;

/// A second start: shows the first one's window.
pub(crate) async fn raise(paths: &Paths) -> anyhow::Result<ExitCode> {
    let token = std::env::var("XDG_ACTIVATION_TOKEN").ok();
    let code = ask(paths, &Request::Raise { activation_token: token }, |_| Ok(())).await?;
    if code == ExitCode::SUCCESS {
        say("Tidings is running already; its window was asked to show.");
    }
    Ok(code)
}

pub(crate) async fn status(paths: &Paths, json: bool) -> anyhow::Result<ExitCode> {
    ask(paths, &Request::Status, |reply| {
        let Reply::Status(status) = reply else { anyhow::bail!("the running Tidings told no status") };
        print(&if json { serde_json::to_string(&status)? } else { status_words(&status) })
    })
    .await
}

pub(crate) async fn act(paths: &Paths, action: Action, channel: Option<&str>) -> anyhow::Result<ExitCode> {
    let request = Request::Act { action, channel: channel.map(str::to_owned) };
    ask(paths, &request, |reply| {
        if let Reply::Done { channels } = reply
            && channels.is_empty()
        {
            say("No channel is concerned.");
        }
        Ok(())
    })
    .await
}

pub(crate) async fn pause(paths: &Paths, time: &[String]) -> anyhow::Result<ExitCode> {
    match pause::parse(time, &Zoned::now()) {
        Ok(until) => ask(paths, &Request::Pause { until }, |_| Ok(())).await,
        Err(message) => {
            say(&format!("tidings: {message}"));
            Ok(ExitCode::from(exit::USAGE))
        }
    }
}

async fn ask(
    paths: &Paths,
    request: &Request,
    show: impl FnOnce(Reply) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    let answer = async { Client::connect(&paths.socket()).await?.ask(request).await };
    match answer.await {
        Ok(reply) => {
            show(reply)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Ok(failed(&error)),
    }
}

/// Says why the agent could not be asked.
pub(crate) fn failed(error: &ClientError) -> ExitCode {
    let (code, hint) = match error {
        ClientError::NotRunning => (exit::NOT_RUNNING, "; start it by `tidings`"),
        ClientError::Refused(refusal)
            if matches!(refusal.code, ErrorCode::UnknownChannel | ErrorCode::UnknownMessage) =>
        {
            (exit::USAGE, "")
        }
        ClientError::Refused(_)
        | ClientError::Broken(_)
        | ClientError::OtherVersion(_)
        | ClientError::Malformed(_) => (exit::FAILED, ""),
    };
    say(&format!("tidings: {error}{hint}"));
    ExitCode::from(code)
}

fn status_words(status: &StatusReport) -> String {
    let mut lines = Vec::new();
    let time =
        |at: jiff::Timestamp| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    for channel in &status.channels {
        let mut line = format!("{}: {} since {}", channel.name, channel.state.as_str(), time(channel.since));
        if let Some(retry_at) = channel.retry_at {
            line += &format!(", next try at {}", time(retry_at));
        }
        if let Some(cause) = &channel.cause {
            line += &format!(": {cause}");
        }
        if channel.unread > 0 {
            line += &format!(" ({} unread)", channel.unread);
        }
        lines.push(line);
    }
    if status.channels.is_empty() {
        lines.push("no channel in the settings file".to_owned());
    }
    lines.extend(status.notices.iter().map(|notice| format!("! {notice}")));
    lines.join("\n")
}

/// Answers go to stdout, and nothing else does.
fn print(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

#[expect(clippy::print_stderr, reason = "a word to the person who typed the command")]
fn say(text: &str) {
    eprintln!("{text}");
}
