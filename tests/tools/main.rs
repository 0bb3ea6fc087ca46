//! `cargo xtask tools`: what `cargo tauri dev` and `cargo tauri build` promise, with the real tools, in a copy of
//! the project and on a headless desktop. A program rather than a test: it needs the Tauri tools, and minutes.

mod bundle;
mod dev;
mod place;

use anyhow::ensure;

use crate::place::Place;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let tauri: Vec<String> = std::env::args().skip(1).collect();
    ensure!(!tauri.is_empty(), "name the Tauri tools, such as: tidings-tools cargo tauri");
    let place = Place::new(tauri).await?;
    dev::check(&place).await?;
    bundle::check(&place).await
}
