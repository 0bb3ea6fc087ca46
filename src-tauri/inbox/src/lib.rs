//! Bytes to messages, stored in SQLite before they are shown.
//!
//! The agent hands every frame of every channel to [`Inbox::receive`]; one writer thread decodes it,
//! drops what a replay repeats, commits it, and then hands it to the [`Notifier`], as the channel's rules
//! and the [`Policy`] let it. What was committed but not shown (too much at once, a quiet time, a kill, the
//! notification service was away) is pending, and goes out as one summary when it may. `tidings listen`,
//! which stores nothing, calls [`decode`] alone.
//!
//! ```text
//! Arrival ──> queue ──> writer thread: decode ─> repeated? ─> rules ─> commit ─> gate ─> Notifier::show
//!                            │                                            │
//!                            └─ events, unread counts            Inbox::shown / not_shown
//! ```
//!
//! The crate knows neither sockets nor desktops. It never fails its caller: with no usable file, up to
//! 1,000 messages wait in memory and are written when it is back, and a [`Notice`] says so.

mod about;
mod calendar;
mod database;
mod decode;
mod event;
mod flood;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
mod gate;
mod history;
mod inbox;
mod journal;
mod mapping;
mod message;
mod noise;
mod notice;
mod open;
mod policy;
mod profile;
mod quiet;
mod recall;
mod repeats;
mod schema;
mod search;
mod sent_again;
mod text;
mod waiting;
mod why;
mod writer;

pub use about::{About, Published};
pub use decode::{Decoded, decode, decode_beside};
pub use event::{Arrival, Dropped, Event, Notifier, Payload, Popup, Receipt, Unread};
pub use history::Query;
pub use inbox::Inbox;
pub use journal::Note;
pub use mapping::{Field, Mapping, Source, SourceError};
pub use message::{
    Action, Attachment, Does, Format, HttpRequest, Message, Priority, Raw, RowId, Sound, Urgency,
};
pub use notice::Notice;
pub use policy::pops_up;
pub use profile::{ChannelProfile, Policy, Reads, Rule, Show, Then};
pub use quiet::{QuietHours, Weekdays};
pub use recall::{Recall, Recalled};
pub use tidings_template::{Condition, Mistake, SyntaxError};
pub use why::Why;
