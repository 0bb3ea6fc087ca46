//! What is told of a channel that is not connected though it should be.

use jiff::Timestamp;
use tidings_channel::Cause;

/// What a popup tells of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What kind it is.
    pub kind: Kind,
    /// Not connected since then.
    pub since: Timestamp,
    /// The last one known.
    pub cause: Option<Cause>,
    /// That is for the user to mend, though it may be too early to say so.
    pub needs_user: bool,
}

/// The kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It has been down for as long as the settings say.
    Down,
    /// It won't come up before the user does something.
    NeedsUser,
}
