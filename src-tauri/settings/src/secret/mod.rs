//! Where secrets come from.

mod command;
pub mod credential;
pub(crate) mod jar;
pub mod keyring;
pub(crate) mod oauth;
pub(crate) mod session;
pub(crate) mod signed_in_by;
pub(crate) mod source;
pub(crate) mod text;
