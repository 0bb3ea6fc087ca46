//! Exit codes, the same for every command.

/// Something failed; stderr says what.
pub const FAILED: u8 = 1;
/// Wrong arguments, or a settings file that can't be used.
pub const USAGE: u8 = 2;
/// No agent is running.
pub const NOT_RUNNING: u8 = 3;
/// `listen`: another instance of the same user has the channel now.
pub const REPLACED: u8 = 4;
/// `listen`: the server refuses the credentials.
pub const SIGN_IN_REFUSED: u8 = 5;
