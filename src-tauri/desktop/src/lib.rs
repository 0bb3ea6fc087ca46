//! The agent on the user's desktop: the tray, the popups, the start at login, and the programs that it starts in the session.
//!
//! It sees what the agent publishes ([`tidings_state::snapshot`]) and hands in wishes ([`tidings_state::wish`]).

pub mod autostart;
pub mod browser;
pub mod popup;
pub mod presence;
pub mod session;
pub mod tray;
pub mod window;
