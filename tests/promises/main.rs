//! Promises.

mod desktop;
