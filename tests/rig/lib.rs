//! The tests' rig.

pub mod app;
pub mod binary;
pub mod browser;
mod chromium;
pub mod debian;
pub mod desktop;
pub mod disk;
pub mod files;
pub mod keyring;
pub mod listen;
pub mod namespace;
pub mod network;
pub mod nginx;
pub mod notification_service;
pub mod overheard;
pub mod picture;
pub mod real;
pub mod real_icon;
pub mod real_popups;
pub mod scene;
pub mod skip;
pub mod told;
pub mod tray_host;
pub mod tray_item;
pub mod wait;
pub mod window;
pub mod witness;
