//! Reads the settings file.

use std::io;
use std::path::Path;

use tidings_words::{Text, Words};

use crate::content::{Content, Unreadable, content};
use crate::error::SettingsError;
use crate::read::parse;
use crate::settings::{Language, Settings};

/// Reads the settings file. One that does not exist is the defaults: no channels.
pub fn load(file: &Path) -> Result<Settings, SettingsError> {
    read(file, &content(file))
}

/// The words of the language that the settings file asks for; the system's, where it can't be read.
pub fn words(file: &Path) -> Words {
    load(file).map_or(Language::Auto, |settings| settings.language).words()
}

/// Reads what a settings file holds.
pub(crate) fn read(file: &Path, content: &Content) -> Result<Settings, SettingsError> {
    let (message, mend) = match content {
        Ok(Some(bytes)) => return parse(bytes, file),
        Ok(None) => return Ok(Settings::default()),
        Err(why @ Unreadable::NotAFile) => (why.text(), Text::settings_mend_not_a_file()),
        Err(why @ Unreadable::TooLarge) => (why.text(), Text::settings_mend_too_large()),
        Err(Unreadable::System(error)) if error.kind == io::ErrorKind::PermissionDenied => {
            (Text::settings_no_permission(), Text::settings_mend_permission())
        }
        Err(why @ Unreadable::System(_)) => {
            (Text::settings_unreadable(&why.text()), Text::settings_mend_disk())
        }
    };
    Err(SettingsError { file: file.to_owned(), position: None, key: None, message, mend })
}
