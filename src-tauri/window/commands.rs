//! The four commands of the page. Nothing else is open to it.

use tauri::State;
use tauri::ipc::Channel;
use tidings_api::page::{HistoryQuery, PageCommand, PageError, PageErrorCode, PageEvent};
use tidings_api::{Reply, Request, StoredMessage};

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
pub(crate) async fn act(bridge: State<'_, Bridge>, command: PageCommand) -> Result<(), PageError> {
    let request = match command {
        PageCommand::Channel { action, channel } => Request::Act { action, channel },
        PageCommand::OpenLink { message } => Request::OpenLink { message },
        PageCommand::MarkRead { messages } => Request::MarkRead { messages },
        PageCommand::RestartAgent => return bridge.restart_agent().await,
    };
    bridge.ask(&request).await.map(|_| ())
}

/// Stored messages, newest first.
#[tauri::command]
pub(crate) async fn history(
    bridge: State<'_, Bridge>,
    query: HistoryQuery,
) -> Result<Vec<StoredMessage>, PageError> {
    let request = Request::History { before: query.before, limit: query.limit };
    let Reply::History { messages } = bridge.ask(&request).await? else { return Err(odd()) };
    Ok(messages)
}

/// What a report of trouble should hold.
#[tauri::command]
pub(crate) async fn diagnostics(bridge: State<'_, Bridge>) -> Result<String, PageError> {
    let Reply::Diagnostics { text } = bridge.ask(&Request::Diagnostics).await? else { return Err(odd()) };
    Ok(text)
}

fn odd() -> PageError {
    let message = "the running Tidings gave an answer to another question".to_owned();
    PageError { code: PageErrorCode::Failed, message }
}
