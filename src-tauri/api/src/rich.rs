//! A text with structure, as the window shows it. There is no markup in it: every text is text.

use serde::{Deserialize, Serialize};

/// A message's Markdown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Rich {
    /// The same as plain text, for reading and copying.
    pub text: String,
    /// From top to bottom.
    pub blocks: Vec<Block>,
    /// Where its links lead: `http`, `https` or `mailto`. [`Span::link`] counts them from 0.
    pub links: Vec<String>,
}

/// A part of it that stands in lines of its own. Nested at most a few times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "block", rename_all = "snake_case")]
pub enum Block {
    /// Lines of text.
    Paragraph {
        /// Its text.
        spans: Vec<Span>,
    },
    /// A heading.
    Heading {
        /// 1 to 6.
        level: u8,
        /// Its text.
        spans: Vec<Span>,
    },
    /// Text whose spaces count.
    Code {
        /// All of it.
        text: String,
    },
    /// What somebody else said.
    Quote {
        /// From top to bottom.
        blocks: Vec<Block>,
    },
    /// A list.
    List {
        /// The number of its first item; `null`: they have no numbers.
        start: Option<u32>,
        /// Each from top to bottom.
        items: Vec<Vec<Block>>,
    },
    /// A line across.
    Rule,
}

/// A part of a line or of several; a line break is a line feed in its text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct Span {
    /// Never empty.
    pub text: String,
    /// Strong.
    #[serde(skip_serializing_if = "is_off")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub bold: bool,
    /// Emphasised.
    #[serde(skip_serializing_if = "is_off")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub italic: bool,
    /// Struck out.
    #[serde(skip_serializing_if = "is_off")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub struck: bool,
    /// Code.
    #[serde(skip_serializing_if = "is_off")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub code: bool,
    /// What is said in place of a picture, which nobody fetches.
    #[serde(skip_serializing_if = "is_off")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub image: bool,
    /// The number of the link that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub link: Option<u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_off(mark: &bool) -> bool {
    !mark
}
