//! From the file's bytes to [`Settings`](crate::Settings).

mod address;
mod channel;
mod dialogue;
mod kind;
mod mqtt;
mod numbers;
mod oauth;
mod parse;
mod session;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use channel::{CHANNEL_KEYS, default_id};
pub use dialogue::{PresetNames, presets};
pub use parse::parse;
