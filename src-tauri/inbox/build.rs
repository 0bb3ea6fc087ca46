//! Writes the emoji that tags stand for as a text, which is a tenth of the size of the crate's table.

use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut lines: Vec<_> =
        emojis::iter().flat_map(|emoji| emoji.shortcodes().map(move |name| (name, emoji.as_str()))).collect();
    lines.sort_unstable();
    let text: String = lines.iter().map(|(name, emoji)| format!("{name} {emoji}\n")).collect();
    fs::write(Path::new(&env::var("OUT_DIR")?).join("emoji.txt"), text)?;
    Ok(())
}
