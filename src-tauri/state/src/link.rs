//! A message's link.

use tidings_ground::text::{Room, fitted};
use tidings_inbox::RowId;
use tidings_words::Words;
use url::Url;

/// Columns of a link's host that are told.
const HOST: Room = Room { lines: 1, columns: 60 };

/// A message's link, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// `http`, `https` or `mailto`: it was checked when the message was read.
    pub url: Url,
    /// The message that it is of.
    pub message: RowId,
    /// The message's, by id.
    pub channel: String,
}

/// Nothing opens links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkError {
    /// Where the link leads to; `None` where that is nobody's business.
    pub host: Option<String>,
}

impl Link {
    /// The host, or the address of a mail.
    pub fn host(&self) -> String {
        fitted(self.url.host_str().unwrap_or_else(|| self.url.path()), HOST)
    }
}

impl LinkError {
    /// In the user's language.
    pub fn told(&self, words: Words) -> String {
        match &self.host {
            Some(host) => words.notice_link_failed(host),
            None => words.notice_link_failed_private(),
        }
    }
}
