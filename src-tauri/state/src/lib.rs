//! What the agent publishes of itself, and what can be asked of it: all that its main loop, the desktop and the commands
//! have to agree on. Nobody here does anything.

pub mod carried;
pub mod caught_up;
pub mod cause;
pub mod clock;
pub mod diagnostics;
pub mod link;
pub mod loan;
pub mod mend;
pub mod message;
pub mod notice;
pub mod session;
pub mod snapshot;
pub mod trouble;
pub mod wish;
