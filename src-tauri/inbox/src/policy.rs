//! Whether a stored message is shown.
//!
//! Today a message's own `silent` decides. Rules, quiet hours and flood control belong here.

use crate::message::Message;

/// What becomes of a stored message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It pops up.
    Notify,
    /// It is in the inbox, unread, and that's all.
    Silent,
}

pub(crate) fn decide(message: &Message) -> Decision {
    if message.silent { Decision::Silent } else { Decision::Notify }
}
