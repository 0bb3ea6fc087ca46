//! Other people's pictures. What a message names comes from outside, so it is read in a short-lived process with next to
//! nothing to hurt ([`worker`]), which hands back a small PNG of ours ([`Decoder`]); that is kept beside the inbox
//! ([`Shelf`]) for as long as its message. Who fetches what from where is the agent's business.

mod decoder;
mod shelf;
mod size;
mod worker;

pub use decoder::{Decoder, Unusable};
pub use shelf::{Kept, Name, Shelf, names_icon, names_pictures};
pub use size::Size;
pub use worker::{WORD, worker};
