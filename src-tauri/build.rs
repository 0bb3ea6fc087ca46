//! Tauri's build step, for the window only.

fn main() {
    #[cfg(feature = "window")]
    tauri_build::build();
}
