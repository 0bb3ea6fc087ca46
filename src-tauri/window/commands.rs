//! The four commands of the page. Nothing else is open to it.

use tauri::State;
use tauri::ipc::Channel;
use tidings_api::page::{HistoryQuery, PageCommand, PageError, PageErrorCode, PageEvent};
use tidings_api::{Reply, Request, StoredMessage};

use crate::bridge::Bridge;

/// Starts the stream of events: first whether the agent is there, then a snapshot, then what happens. A page
/// that is loaded again takes the place of the one before.
#[tauri::command]
pub(crate) fn subscribe(bridge: State<'_, Bridge>, events: Channel<PageEvent>) {
    bridge.page(events);
}

/// Does what a button or a link asks for.
#[tauri::command]
pub(crate) async fn act(bridge: State<'_, Bridge>, command: PageCommand) -> Result<(), PageError> {
    let request = match command {
        PageCommand::Channel { action, channel } => Request::Act { action, channel },
        PageCommand::OpenLink { message } => Request::OpenLink { message },
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
    match bridge.ask(&Request::History { before: query.before, limit: query.limit }).await? {
        Reply::History { messages } => Ok(messages),
        other => Err(odd(&other)),
    }
}

/// What a report of trouble should hold.
#[tauri::command]
pub(crate) async fn diagnostics(bridge: State<'_, Bridge>) -> Result<String, PageError> {
    match bridge.ask(&Request::Diagnostics).await? {
        Reply::Diagnostics { text } => Ok(text),
        other => Err(odd(&other)),
    }
}

fn odd(reply: &Reply) -> PageError {
    let message = format!("the running Tidings gave an answer to another question: {reply:?}");
    PageError { code: PageErrorCode::Failed, message }
}
