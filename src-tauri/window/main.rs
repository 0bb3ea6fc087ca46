//! The window: Tauri's web view over the page in `ui/`, and a thin bridge between the page and the agent.
//!
//! A process of its own: the agent starts it on demand and it ends when closed, so that no web engine lives
//! while nobody looks. Started by itself it starts the agent where none runs.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod agent;
mod bridge;
mod commands;
mod complain;
mod sign_in;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tauri::webview::PageLoadEvent;
use tauri::{AppHandle, Manager};
use tauri_plugin_window_state::StateFlags;

use crate::bridge::{Bridge, Place};
use crate::complain::complain;

/// The window appears with its page on it, not empty; without one at the latest after this time. Too low shows an empty
/// window on a slow machine; too high leaves the user in doubt where the page fails.
const APPEAR: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let opened = match args.as_slice() {
        [option, channel] if option == "--sign-in" => sign_in(channel),
        _ => run(args.into_iter()).map(|()| ExitCode::SUCCESS),
    };
    match opened {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("the window could not open: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn state_folder() -> Result<PathBuf, &'static str> {
    tidings_api::socket::state_folder().ok_or("your home folder is not known: set HOME")
}

/// Shows a channel's sign-in and nothing else.
fn sign_in(channel: &str) -> Result<ExitCode, Box<dyn std::error::Error>> {
    sign_in::run(&state_folder()?, channel)
}

fn run(args: impl Iterator<Item = String>) -> Result<(), Box<dyn std::error::Error>> {
    let first = place(args)?;
    let state = state_folder()?;
    let place = tauri_plugin_window_state::Builder::new()
        .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
        .build();
    tauri::Builder::default()
        .plugin(place)
        .setup(move |app| {
            let (bridge, link) = Bridge::new(&state, first);
            app.manage(bridge);
            tauri::async_runtime::spawn(link.keep(app.handle().clone()));
            let handle = app.handle().clone();
            tauri::async_runtime::spawn(async move {
                tokio::time::sleep(APPEAR).await;
                appear(&handle);
            });
            Ok(())
        })
        .on_page_load(|page, load| {
            if load.event() == PageLoadEvent::Finished {
                appear(page.app_handle());
            }
        })
        .invoke_handler(tauri::generate_handler![
            commands::subscribe,
            commands::act,
            commands::history,
            commands::diagnostics,
            commands::settings,
            commands::edit_settings,
            commands::test,
            commands::preview,
            commands::discover,
            commands::health,
            commands::picture
        ])
        .run(tauri::generate_context!())?;
    Ok(())
}

fn appear(app: &AppHandle) {
    let Some(window) = app.get_webview_window("main") else { return };
    if let Err(error) = window.show() {
        complain(&format!("the window could not be shown: {error}"));
    }
}

/// What to show first: `--message ROW` or `--add ADDRESS`.
fn place(mut args: impl Iterator<Item = String>) -> Result<Option<Place>, String> {
    match (args.next().as_deref(), args.next()) {
        (None, _) => Ok(None),
        (Some("--message"), Some(row)) => {
            let row = row.parse().map_err(|_| format!("--message wants a row, not {row:?}"))?;
            Ok(Some(Place::Message(row)))
        }
        (Some("--add"), Some(address)) => Ok(Some(Place::Adding(address))),
        (Some(other), _) => Err(format!("{other:?} is not understood; the window is opened by `tidings`")),
    }
}
