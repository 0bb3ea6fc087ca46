//! The two ways in which a person signs in.

pub(crate) mod code;
pub(crate) mod device;
