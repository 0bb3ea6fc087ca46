//! The tests' rig.

pub mod desktop;
