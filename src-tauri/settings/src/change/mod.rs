//! Changes the settings file for the window, touching nothing else in it.

mod edit;
#[cfg(test)]
mod edit_tests;
mod file;
mod place;
mod value;
mod write;

pub use file::{SettingsFile, keep, usable};
pub use write::{WriteError, write};
