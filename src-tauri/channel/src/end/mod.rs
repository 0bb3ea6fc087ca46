//! What an end means: of a link, or of a dial. Its cause in words, the verdict on it, and how long to wait then.

pub(crate) mod cause;
pub(crate) mod close;
pub(crate) mod delay;
pub(crate) mod detail;
pub(crate) mod plain;
pub(crate) mod verdict;
