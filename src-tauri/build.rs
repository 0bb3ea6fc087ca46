//! Tauri's build step, for the window only.

fn main() {
    #[cfg(feature = "window")]
    window();
}

/// The page may call these commands and no others: each becomes a permission, which the capability in
/// `tauri.conf.json` grants.
#[cfg(feature = "window")]
fn window() {
    let commands = tauri_build::AppManifest::new().commands(&[
        "subscribe",
        "act",
        "history",
        "diagnostics",
        "settings",
        "edit_settings",
        "test",
        "preview",
        "discover",
        "health",
        "picture",
    ]);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands)) {
        println!("cargo::error={error:#}");
    }
}
