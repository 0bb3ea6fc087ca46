//! The settings file: one TOML file that the user and the window write and the agent reads; and the secrets that it names.
//!
//! [`load()`] reads it at the start, [`watch()`] again after every edit. What comes out is typed and checked:
//! whoever holds [`Settings`] needs no further look at the file. A wrong file gives a [`SettingsError`]
//! with file, line, column and the mend; the caller then keeps the last good settings. No secret ever stands
//! in the file, only where to find one ([`CredentialSource`](credential::CredentialSource)), and [`credential`] fetches it from there.

mod change;
mod content;
mod error;
mod load;
mod read;
pub mod reason;
mod secret;
mod settings;
mod watch;

pub use change::{SettingsFile, WriteError, keep, usable, write};
pub use content::{Content, Unreadable};
pub use error::SettingsError;
pub use load::{load, words};
pub use read::{PresetNames, parse, presets};
pub use secret::jar::{Jar, NoJar};
pub use secret::oauth::SignIn;
pub use secret::session::{Held, SessionJar};
pub use secret::signed_in_by::SignedInBy;
pub use secret::{credential, keyring};
pub use settings::*;
pub use watch::{Edited, Look, watch};
