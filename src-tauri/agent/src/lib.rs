//! The agent: what keeps Tidings' channels connected. It joins the channels, the inbox, the desktop and the local socket.

mod app;
mod channels;
mod demo;
mod health;
mod pictures;
mod remembered;
mod second;
mod serve;
mod sign_ins;
mod signals;
mod trouble;

pub use app::start;
