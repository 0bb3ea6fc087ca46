//! Where secrets come from.

pub mod credential;
pub mod keyring;
