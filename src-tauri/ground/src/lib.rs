//! What every part of Tidings stands on, and what knows none of them: where things are on this machine, the log, crash
//! reports, our programs and their exit codes, text made fit to be shown, and words to the terminal.

pub mod crash;
pub mod exit;
pub mod file;
pub mod lock;
pub mod logging;
pub mod paths;
pub mod program;
pub mod reason;
pub mod redact;
pub mod terminal;
pub mod text;
pub mod trail;
