//! The commands that talk to the running agent over its local socket.

use std::process::ExitCode;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tidings_api::client::{self, Client, ClientError};
use tidings_api::{Action, ErrorCode, Reply, Request, SessionKept, StageName, StateName, StatusReport};
use tidings_ground::paths::Paths;
use tidings_ground::terminal::{self, print, say, tell, usage};
use tidings_ground::{exit, reason};
use tidings_state::{carried, caught_up};
use tidings_words::Words;

use crate::pause;

pub(crate) async fn status(paths: &Paths, json: bool, words: Words) -> anyhow::Result<ExitCode> {
    ask(paths, &Request::Status, |reply| {
        let Reply::Status(status) = reply else { anyhow::bail!("the running Tidings told no status") };
        let told =
            if json { print(&serde_json::to_string(&status)?) } else { tell(&status_words(&status, words)) };
        Ok(told?)
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
    ask(paths, &request, |reply| {
        if let Reply::Done { channels } = reply
            && channels.is_empty()
        {
            say(&words.cli_nobody_concerned());
        }
        Ok(())
    })
    .await
}

/// Has the window show the page on which a channel's user signs in.
pub(crate) async fn sign_in(paths: &Paths, channel: &str, words: Words) -> anyhow::Result<ExitCode> {
    let request = Request::SignIn { channel: channel.to_owned(), activation_token: None };
    ask(paths, &request, |_| {
        say(&words.cli_sign_in());
        Ok(())
    })
    .await
}

/// Ends a channel's session.
pub(crate) async fn sign_out(paths: &Paths, channel: &str, words: Words) -> anyhow::Result<ExitCode> {
    ask(paths, &Request::SignOut { channel: channel.to_owned() }, |_| {
        say(&words.cli_signed_out());
        Ok(())
    })
    .await
}

pub(crate) async fn pause(paths: &Paths, time: &[String], words: Words) -> anyhow::Result<ExitCode> {
    match pause::parse(time, &Zoned::now()) {
        Ok(until) => ask(paths, &Request::Pause { until }, |_| Ok(())).await,
        Err(message) => Ok(usage(&message.said(words))),
    }
}

/// Returns once the running Tidings has ended.
pub(crate) async fn quit(paths: &Paths) -> anyhow::Result<ExitCode> {
    client::quit(&paths.socket()).await?;
    Ok(ExitCode::SUCCESS)
}

async fn ask(
    paths: &Paths,
    request: &Request,
    show: impl FnOnce(Reply) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    show(answer(paths, request).await?)?;
    Ok(ExitCode::SUCCESS)
}

/// Connects and asks once.
pub(crate) async fn answer(paths: &Paths, request: &Request) -> Result<Reply, ClientError> {
    Client::connect(&paths.socket()).await?.ask_in_time(request).await
}

/// Says why the agent could not be asked.
pub(crate) fn failed(error: &ClientError, words: Words) -> ExitCode {
    let code = match error {
        ClientError::NotRunning => exit::NOT_RUNNING,
        ClientError::Refused(refusal)
            if matches!(
                refusal.code,
                ErrorCode::UnknownChannel
                    | ErrorCode::UnknownMessage
                    | ErrorCode::CannotSend
                    | ErrorCode::NoSession
            ) =>
        {
            exit::USAGE
        }
        ClientError::Refused(_)
        | ClientError::Silent
        | ClientError::Broken(_)
        | ClientError::OtherVersion(_)
        | ClientError::Malformed(_) => exit::FAILED,
    };
    terminal::ended(code, &told(error, words))
}

/// Why the agent could not be asked; a refusal is in its own words.
pub(crate) fn told(error: &ClientError, words: Words) -> String {
    match error {
        ClientError::NotRunning => words.cli_not_running(),
        ClientError::Silent => words.cli_silent(),
        ClientError::Broken(why) => words.cli_broken(&reason::of_io(why)),
        ClientError::OtherVersion(version) => words.cli_other_version(version),
        ClientError::Refused(refusal) => refusal.message.clone(),
        ClientError::Malformed(_) => words.cli_malformed(),
    }
}

/// A moment as the user's clock shows it.
pub(crate) fn local_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn stage_words(stage: StageName, words: Words) -> String {
    match stage {
        StageName::Credential => words.stage_credential(),
        StageName::Lookup => words.stage_lookup(),
        StageName::Tcp => words.stage_tcp(),
        StageName::Tls => words.stage_tls(),
        StageName::Upgrade => words.stage_upgrade(),
        StageName::SignIn => words.stage_sign_in(),
        StageName::Subscribe => words.stage_subscribe(),
    }
}

fn status_words(status: &StatusReport, words: Words) -> String {
    let mut lines = Vec::new();
    for channel in &status.channels {
        let mut line = words.cli_status(&channel.name, &channel.state.as_str(), &local_time(channel.since));
        if let Some(stage) = channel.stage {
            line = words.cli_status_stage(&line, &stage_words(stage, words));
        }
        if let Some(retry_at) = channel.retry_at {
            line = words.cli_status_retry(&line, &local_time(retry_at));
        }
        if let Some(cause) = &channel.cause {
            line = words.cli_status_cause(cause, &line);
        }
        if let Some(limit) = channel.idle_limit
            && channel.state == StateName::Connected
        {
            line = words.cli_status_idle(limit.kept_awake_s.round(), &line, limit.after_s.round());
        }
        if let Some(instead) = &channel.instead_of {
            let carried = carried::told(channel.carrier, words);
            line = words.cli_status_carried(&carried, &carried::why_instead(instead, words), &line);
        }
        if let Some(caught_up) = &channel.caught_up {
            line = match caught_up::gap(caught_up, &Zoned::now(), words) {
                Some(gap) => words.cli_status_gap(&gap, &line),
                None => words.cli_status_all_here(&line),
            };
        }
        if let Some(session) = &channel.session {
            if session.kept == Some(SessionKept::Memory) {
                line = words.cli_status_session_memory(&line);
            }
            if let Some(life) = session.life_s {
                line = words.cli_status_session_life(&line, (life / 60.0).round().max(1.0));
            }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn how_far_a_dial_is_stands_in_the_status() {
        let channel = json!({ "id": "a", "name": "A", "url": "wss://a.example/", "kind": "dialogue", "topics": [],
            "carrier": "websocket", "instead_of": null, "sends": false, "state": "connecting", "stage": "subscribe",
            "since": "2026-11-30T12:00:00Z", "attempt": 1, "retry_at": null, "cause": null, "last_close": null,
            "rtt_ms": null, "answers_pings": null, "left_out": [], "idle_limit": null, "last_inbound": null,
            "links_opened": 1, "unread": 0, "session": null, "caught_up": null, "dropped": null, "demo": false });
        let report = json!({ "version": "1", "language": "en", "theme": "auto", "paused_until": null, "unread": 0,
            "notices": [], "channels": [channel] });
        let report = serde_json::from_value(report).expect("a report");
        let told = status_words(&report, Words::of(tidings_words::Language::English));
        assert!(told.starts_with("A: connecting since ") && told.ends_with(" (subscribing)"), "{told}");
    }
}
