//! What the system tells the channels: that the machine slept, and that its network changed (W1 to W3, B6).
//!
//! [`Bells::listen`] opens what the kernel and logind offer; each ring makes the main loop look at facts, which
//! are compared with those of the last look: the clocks by [`Sleep`], the routes by [`network::Path`]. A bell
//! that rings for nothing is harmless, and nothing here wakes the machine by itself.

mod bells;
pub(crate) mod network;
mod sleep;

pub(crate) use bells::{Bell, Bells};
pub(crate) use sleep::{Sleep, asleep};
