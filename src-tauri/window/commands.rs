//! The commands of the page. Nothing else is open to it.

use tauri::ipc::Channel;
use tauri::{AppHandle, State};
use tidings_api::page::{PageCommand, PageError, PageErrorCode, PageEvent, Pasted, Sample, Trial};
use tidings_api::{
    Discovery, Edit, HealthReport, HistoryQuery, Previewed, Reply, Request, SettingsReport, Step,
    StoredMessage,
};

use crate::bridge::Bridge;

/// Starts the stream of events: first whether the agent is there, then a snapshot, then what happens. A page
/// that is loaded again takes the place of the one before.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "the form of a Tauri command")]
pub(crate) fn subscribe(bridge: State<'_, Bridge>, events: Channel<PageEvent>) {
    bridge.page(events);
}

/// Does what a button or a link asks for.
#[tauri::command]
pub(crate) async fn act(
    app: AppHandle,
    bridge: State<'_, Bridge>,
    command: PageCommand,
) -> Result<(), PageError> {
    let request = match command {
        PageCommand::Channel { action, channel } => Request::Act { action, channel },
        PageCommand::OpenLink { message, link } => Request::OpenLink { message, link },
        PageCommand::RunAction { message, action } => Request::RunAction { message, action },
        PageCommand::OpenFile { message, file } => Request::OpenFile { message, file },
        PageCommand::MarkRead { messages } => Request::MarkRead { messages },
        PageCommand::MarkAllRead { channel } => Request::MarkAllRead { channel },
        PageCommand::Delete { messages } => Request::Delete { messages },
        PageCommand::Pause { until } => Request::Pause { until },
        PageCommand::SetSecret { channel, secret } => Request::SetSecret { channel, secret },
        PageCommand::Send(message) => Request::Send(message),
        PageCommand::SignIn { channel } => Request::SignIn { channel, activation_token: None },
        PageCommand::SignOut { channel } => Request::SignOut { channel },
        PageCommand::StartDemo => Request::StartDemo,
        PageCommand::EndDemo => Request::EndDemo,
        PageCommand::RestartAgent => return bridge.restart_agent().await,
        PageCommand::Quit => {
            bridge.quit_agent().await?;
            app.exit(0);
            return Ok(());
        }
    };
    bridge.ask(&request).await.map(|_| ())
}

/// Stored messages, newest first.
#[tauri::command]
pub(crate) async fn history(
    bridge: State<'_, Bridge>,
    query: HistoryQuery,
) -> Result<Vec<StoredMessage>, PageError> {
    let Reply::History { messages } = bridge.ask(&Request::History(query)).await? else { return Err(odd()) };
    Ok(messages)
}

/// What a report of trouble should hold.
#[tauri::command]
pub(crate) async fn diagnostics(bridge: State<'_, Bridge>) -> Result<String, PageError> {
    let Reply::Diagnostics { text } = bridge.ask(&Request::Diagnostics).await? else { return Err(odd()) };
    Ok(text)
}

/// What stands in the settings file.
#[tauri::command]
pub(crate) async fn settings(bridge: State<'_, Bridge>) -> Result<SettingsReport, PageError> {
    let Reply::Settings(settings) = bridge.ask(&Request::Settings).await? else { return Err(odd()) };
    Ok(settings)
}

/// Changes the settings file: all of the edits or none.
#[tauri::command]
pub(crate) async fn edit_settings(
    bridge: State<'_, Bridge>,
    revision: String,
    edits: Vec<Edit>,
) -> Result<SettingsReport, PageError> {
    let request = Request::EditSettings { revision, edits };
    let Reply::Settings(settings) = bridge.ask(&request).await? else { return Err(odd()) };
    Ok(settings)
}

/// Tries a channel: tells each step, and returns at the end.
#[tauri::command]
pub(crate) async fn test(
    bridge: State<'_, Bridge>,
    trial: Trial,
    steps: Channel<Step>,
) -> Result<(), PageError> {
    bridge.test(trial, &steps).await
}

/// What a message would look like, or what a dialogue makes of frames.
#[tauri::command]
pub(crate) async fn preview(bridge: State<'_, Bridge>, sample: Sample) -> Result<Previewed, PageError> {
    let request = Request::Preview { channel: sample.channel, values: sample.values, sample: sample.text };
    let reply = bridge.ask(&request).await?;
    if let Reply::Rehearsal(rehearsal) = reply {
        return Ok(Previewed::Rehearsal(rehearsal));
    }
    let Reply::Preview(preview) = reply else { return Err(odd()) };
    Ok(Previewed::Message(Box::new(preview)))
}

/// What is at an address.
#[tauri::command]
pub(crate) async fn discover(bridge: State<'_, Bridge>, pasted: Pasted) -> Result<Discovery, PageError> {
    let Pasted { address, values } = pasted;
    let Reply::Discovered(found) = bridge.ask(&Request::Discover { address, values }).await? else {
        return Err(odd());
    };
    Ok(found)
}

/// How a channel did over the last day.
#[tauri::command]
pub(crate) async fn health(bridge: State<'_, Bridge>, channel: String) -> Result<HealthReport, PageError> {
    let Reply::Health(health) = bridge.ask(&Request::Health { channel }).await? else { return Err(odd()) };
    Ok(health)
}

/// A picture of a message, as base64 of a PNG; `None`: it is not there any more.
#[tauri::command]
pub(crate) async fn picture(bridge: State<'_, Bridge>, name: String) -> Result<Option<String>, PageError> {
    let Reply::Picture { png } = bridge.ask(&Request::Picture { name }).await? else { return Err(odd()) };
    Ok(png)
}

pub(crate) fn odd() -> PageError {
    let message = "the running Tidings gave an answer to another question".to_owned();
    PageError { code: PageErrorCode::Failed, message, key: None }
}
