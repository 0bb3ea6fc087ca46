//! What the ways of telling who is who have in common: a guest, a refusal, and what can be a name.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

/// Whom an upgrade speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guest {
    pub(crate) user: String,
    /// When the credential ends, and the link with it.
    pub(crate) until: Option<SystemTime>,
    pub(crate) by: By,
}

/// What a guest was let in by: what may be taken away again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Somebody's word, that of a proxy or their own.
    Word,
    /// A token of a file, by its mark.
    Token(u64),
    /// A key that a token was signed by, by its mark.
    Key(u64),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// 401, with what to do about it.
    Unknown(&'static str),
    /// 403: a web page of somewhere else, at a door that is open to this machine's programs.
    ForeignPage,
    /// 429: so much is pushed that the next push has to wait for this long.
    TooMany(Duration),
}

/// A text that can name a user.
pub(crate) fn is_user(name: &str) -> bool {
    (1..=128).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

/// A text that can be sent as a token.
fn is_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A name or a token that can't be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    /// Of this owner.
    #[error("a token must be printable ASCII without spaces; that of {0} is not")]
    Token(String),
    #[error("{0:?} is no user name: 1 to 128 characters, no control characters")]
    User(String),
}

/// Whether these name users, and can be sent.
pub(crate) fn check(tokens: &BTreeMap<String, String>, push_token: Option<&str>) -> Result<(), NameError> {
    if let Some(user) = tokens.values().find(|user| !is_user(user)) {
        return Err(NameError::User(user.clone()));
    }
    let named = tokens.iter().map(|(token, user)| (token.as_str(), user.as_str()));
    let pushing = push_token.map(|token| (token, "pushes"));
    match named.chain(pushing).find(|(token, _)| !is_token(token)) {
        Some((_, owner)) => Err(NameError::Token(owner.to_owned())),
        None => Ok(()),
    }
}
