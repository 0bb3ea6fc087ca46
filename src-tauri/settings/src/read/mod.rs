//! From the file's bytes to [`Settings`](crate::Settings).

mod channel;
mod kind;
mod numbers;
mod parse;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use channel::{CHANNEL_KEYS, default_id};
pub use kind::{PresetNames, presets};
pub use parse::parse;
