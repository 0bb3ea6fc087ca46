//! What is in a file.

use std::io;
use std::path::Path;

use tidings_ground::reason::SystemError;
use tidings_words::Text;

/// Largest settings file taken, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// What a settings file holds; `None` when it does not exist. Comparable, to tell an edit from a touch.
pub type Content = Result<Option<Vec<u8>>, Unreadable>;

/// Why a file can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// A folder, a pipe or the like.
    NotAFile,
    /// More than 1 MiB.
    TooLarge,
    /// As the system says.
    System(SystemError),
}

impl Unreadable {
    pub(crate) fn text(self) -> Text {
        match self {
            Self::NotAFile => Text::settings_not_a_file(),
            Self::TooLarge => Text::settings_too_large(),
            Self::System(error) => error.text(),
        }
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::System((&error).into())
    }
}

/// What this settings file holds now.
pub(crate) fn content(file: &Path) -> Content {
    match bytes(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Unreadable::System(error)) if error.kind == io::ErrorKind::NotFound => Ok(None),
        Err(unreadable) => Err(unreadable),
    }
}

/// The bytes of a file, if it is one and no larger than any of ours.
pub(crate) fn bytes(file: &Path) -> Result<Vec<u8>, Unreadable> {
    // Looked at before the open: opening a pipe would wait for its writer.
    if !std::fs::metadata(file)?.is_file() {
        return Err(Unreadable::NotAFile);
    }
    let mut bytes = Vec::new();
    let mut limited = io::Read::take(std::fs::File::open(file)?, LARGEST_FILE + 1);
    io::Read::read_to_end(&mut limited, &mut bytes)?;
    match bytes.len() as u64 > LARGEST_FILE {
        true => Err(Unreadable::TooLarge),
        false => Ok(bytes),
    }
}
