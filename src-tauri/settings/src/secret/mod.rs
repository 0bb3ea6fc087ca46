//! Where secrets come from.

mod command;
pub mod credential;
pub mod keyring;
pub(crate) mod source;
pub(crate) mod text;
