//! A message's Markdown (CommonMark, with struck out text and tasks as GitHub has them), made safe: as a tree for the window and as
//! text for popups and terminals.
//!
//! ```text
//! source ──> read: events of pulldown-cmark ──> Document ──┬─> the tree itself
//!                                                          └─> say: pieces of text, with the marks that a popup can show
//! ```
//!
//! Nothing in it is markup any more: HTML is text, a picture is what is said in its place, and a link leads to `http`, `https` or
//! `mailto` or is none. No word of the source is lost, but the language that a block of code names. What is too long
//! ([`LONGEST`]) or has too many parts ([`MOST`]) is not read as Markdown at all: whoever shows it shows it as it was sent.
//! A table is shown as it was sent as well.

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
mod read;
mod say;

use tidings_api::Rich;
use url::Url;

pub use read::{LONGEST, MOST};
pub use say::{Piece, Style};

/// The text as a tree, and as plain text; `None` where it is to be shown as it was sent.
#[must_use]
pub fn rich(source: &str) -> Option<Rich> {
    let document = read::read(source)?;
    let text = said(&say::pieces(&document, usize::MAX))?;
    let read::Document { blocks, links } = document;
    Some(Rich { text, blocks, links: links.into_iter().map(String::from).collect() })
}

/// The text alone; `None` where it is to be shown as it was sent.
#[must_use]
pub fn plain(source: &str) -> Option<String> {
    said(&say::pieces(&read::read(source)?, usize::MAX))
}

/// The text in pieces, each with its marks; addresses are told up to so many characters. `None` where it is to be shown as it
/// was sent.
#[must_use]
pub fn pieces(source: &str, address: usize) -> Option<Vec<Piece>> {
    let pieces = say::pieces(&read::read(source)?, address);
    said(&pieces).map(|_| pieces)
}

/// Where the link of this number leads, as [`Rich::links`] counts them.
#[must_use]
pub fn link(source: &str, number: u32) -> Option<Url> {
    read::read(source)?.links.into_iter().nth(usize::try_from(number).ok()?)
}

/// `None` if there is nothing to see: then the source says more.
fn said(pieces: &[Piece]) -> Option<String> {
    let text: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
