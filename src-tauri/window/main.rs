//! The window: Tauri's web view over the page in `ui/`.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    match tauri::Builder::default().run(tauri::generate_context!()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "no window: stderr is all there is")]
            {
                eprintln!("tidings-window: the window could not open: {error}");
            }
            ExitCode::FAILURE
        }
    }
}
