//! What is wrong in what the user wrote: what the template engine says, as facts of ours. Who shows them says them in the
//! user's language; the engine's own words are for the log.

use std::fmt;

use minijinja::ErrorKind as Kind;

/// What is wrong in a template or an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    /// Something is begun and not ended.
    Unfinished,
    /// This piece of the text can't stand there; `None`: a long one, or one that may be a secret.
    Unexpected(Option<String>),
    /// A filter, test, function or statement that there isn't.
    Unknown,
    /// Anything else.
    Other,
}

/// How the engine says that the text ends too soon.
const UNFINISHED: [&str; 4] = [
    "unexpected end of input",
    "unexpected end of string",
    "unexpected end of comment",
    "unexpected end of raw block",
];

/// Longest piece of the user's text that is told again, in characters: operators, brackets and short names.
const LONGEST_PIECE: usize = 16;

impl Mistake {
    /// What the template engine says of `text`.
    pub(crate) fn of(error: &minijinja::Error, text: &str) -> Self {
        let piece = || {
            let piece = text.get(error.range()?)?.trim();
            let told = |c: char| c.is_alphabetic() || "_+-*/%<>=!|~.,:;()[]{}&^@#$?\\".contains(c);
            (!piece.is_empty() && piece.chars().count() <= LONGEST_PIECE && piece.chars().all(told))
                .then(|| piece.to_owned())
        };
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others are about what a template does")]
        match error.kind() {
            Kind::UnknownFilter | Kind::UnknownTest | Kind::UnknownFunction | Kind::UnknownMethod => {
                Self::Unknown
            }
            Kind::SyntaxError => match error.detail() {
                Some(detail) if UNFINISHED.iter().any(|end| detail.starts_with(end)) => Self::Unfinished,
                Some(detail) if detail.starts_with("unknown ") => Self::Unknown,
                Some(detail) if detail.starts_with("unexpected ") => Self::Unexpected(piece()),
                Some(_) | None => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// For the log.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfinished => f.write_str("something is begun and not ended"),
            Self::Unexpected(Some(piece)) => write!(f, "{piece} can't stand here"),
            Self::Unexpected(None) => f.write_str("this can't stand here"),
            Self::Unknown => f.write_str("nothing of this name is known here"),
            Self::Other => f.write_str("it can't be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Condition, Template};

    #[test]
    fn a_mistake_is_told_by_its_kind_and_never_by_the_engines_words() {
        let unexpected = |piece: &str| Mistake::Unexpected(Some(piece.to_owned()));
        for (text, expected) in [
            ("title and not +", unexpected("+")),
            ("priority >= 4 und", unexpected("und")),
            ("priority >=", Mistake::Unfinished),
            ("(title", Mistake::Unfinished),
            ("title == 'open", Mistake::Unfinished),
            ("title ) body", unexpected(")")),
            // A secret gone astray isn't told again.
            ("title 'hunter2'", Mistake::Unexpected(None)),
            ("title 4711", Mistake::Unexpected(None)),
        ] {
            assert_eq!(Condition::parse(text).expect_err(text).mistake, expected, "{text}");
        }
        for (text, expected) in [
            ("{{ title ", Mistake::Unfinished),
            ("{% if title %}x", Mistake::Unfinished),
            ("{% fro a in b %}", Mistake::Unknown),
            ("{{ }}", unexpected("}}")),
        ] {
            assert_eq!(Template::parse(text).expect_err(text).mistake, expected, "{text}");
        }
    }
}
