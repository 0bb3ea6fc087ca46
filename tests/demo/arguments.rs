//! What may be typed after `cargo xtask demo`. Read by `xtask`, too, so that a slip is told before anything is built.

use std::path::PathBuf;

/// What there is.
pub(crate) const ARGUMENTS: &str = "  --headless       in a private desktop though there is a display
  --out FOLDER     where the screenshots go (target/demo)";

/// As typed.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// Whether a private desktop is asked for though there is a display.
    pub(crate) headless: bool,
    /// Where the screenshots go.
    pub(crate) out: PathBuf,
}

impl Arguments {
    /// Reads them; the error is a sentence.
    pub(crate) fn of(typed: &[String]) -> Result<Self, String> {
        let mut arguments = Self { headless: false, out: PathBuf::from("target/demo") };
        let mut words = typed.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--headless" => arguments.headless = true,
                "--out" => arguments.out = words.next().ok_or("--out wants a folder")?.into(),
                _ => return Err(format!("it knows --headless and --out FOLDER, not `{word}`")),
            }
        }
        Ok(arguments)
    }
}
