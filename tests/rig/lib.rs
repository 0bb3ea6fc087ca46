//! The tests' rig.

pub mod binary;
pub mod desktop;
pub mod listen;
pub mod nginx;
pub mod tray_item;
pub mod witness;
