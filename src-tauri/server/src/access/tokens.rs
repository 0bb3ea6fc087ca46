//! Files with bearer tokens: those of users, and those of who pushes.

use std::collections::BTreeMap;

/// A line of a token file that is not "user token".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFileError {
    /// Not two words.
    #[error("line {0}: expected a user and a token, divided by a space")]
    Line(usize),
    /// The same token twice: it would name two users.
    #[error("line {0}: this token is already taken by an earlier line")]
    Twice(usize),
    /// As a file is while it is being written.
    #[error("it is empty; where nobody is to have a token, leave a line that starts with #")]
    Empty,
    /// A file of push tokens without any.
    #[error("there is no token in it")]
    NoToken,
}

/// Reads a token file: a user and a token per line; empty lines and lines that start with `#` are skipped.
///
/// # Errors
/// The first line that is not of this form. The message holds no token.
pub fn parse_tokens(text: &str) -> Result<BTreeMap<String, String>, TokenFileError> {
    let mut tokens = BTreeMap::new();
    for (number, words) in lines(text) {
        let [user, token] = words[..] else { return Err(TokenFileError::Line(number)) };
        if tokens.insert(token.to_owned(), user.to_owned()).is_some() {
            return Err(TokenFileError::Twice(number));
        }
    }
    Ok(tokens)
}

/// Reads a file of push tokens: one per line, with a name before it or not. The name is what the log calls whoever pushes.
pub(crate) fn parse_push_tokens(text: &str) -> Result<BTreeMap<String, String>, TokenFileError> {
    let mut tokens = BTreeMap::new();
    for (number, words) in lines(text) {
        let (name, token) = match words[..] {
            [token] => (format!("line {number}"), token),
            [name, token] => (name.to_owned(), token),
            _ => return Err(TokenFileError::Line(number)),
        };
        if tokens.insert(token.to_owned(), name).is_some() {
            return Err(TokenFileError::Twice(number));
        }
    }
    if tokens.is_empty() { Err(TokenFileError::NoToken) } else { Ok(tokens) }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    (1..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.split_whitespace().collect::<Vec<_>>()))
        .filter(|(_, words)| words.first().is_some_and(|first| !first.starts_with('#')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_file_tells_the_line_that_is_wrong_and_no_token() {
        let good = parse_tokens("# who  what\n\nann  one\nbob\ttwo\n").expect("a good file");
        assert_eq!(good.get("two").map(String::as_str), Some("bob"));
        assert_eq!(parse_tokens("ann one\nbob"), Err(TokenFileError::Line(2)));
        assert_eq!(parse_tokens("ann one two"), Err(TokenFileError::Line(1)));
        assert_eq!(parse_tokens("ann one\nbob one"), Err(TokenFileError::Twice(2)));
    }

    #[test]
    fn a_file_of_push_tokens_may_name_those_who_push() {
        let good = parse_push_tokens("# old and new\nshop one\n\ntwo\n").expect("a good file");
        assert_eq!(good.get("one").map(String::as_str), Some("shop"));
        assert_eq!(good.get("two").map(String::as_str), Some("line 4"));
        assert_eq!(parse_push_tokens("# none\n"), Err(TokenFileError::NoToken));
        assert_eq!(parse_push_tokens("a b c"), Err(TokenFileError::Line(1)));
        assert_eq!(parse_push_tokens("a one\none"), Err(TokenFileError::Twice(2)));
    }
}
