//! JSON Pointers (RFC 6901), over JSON that stays text.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Where in a JSON text something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// Such as `/payload/subject`; the empty one stands for all of it. `None` if the text is no pointer.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut tokens = text.split('/');
        if tokens.next().is_some_and(|before| !before.is_empty()) {
            return None;
        }
        Some(Self(tokens.map(|token| token.replace("~1", "/").replace("~0", "~")).collect()))
    }

    /// The last member on the way; of the empty pointer nothing.
    #[must_use]
    pub fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// What stands there in this JSON, as it was written; `None` if nothing does.
    #[must_use]
    pub fn find<'a>(&self, text: &'a str) -> Option<&'a str> {
        look_up(text, &self.0)
    }
}

/// Level by level, with all else unread: numbers keep their digits, and no depth costs stack.
fn look_up<'a>(text: &'a str, tokens: &[String]) -> Option<&'a str> {
    tokens.iter().try_fold(text, |value, token| {
        if value.starts_with('[') {
            let canonical = token == "0" || !token.starts_with('0');
            let index: usize = token.parse().ok().filter(|_| canonical && !token.starts_with('+'))?;
            let list: Vec<&RawValue> = serde_json::from_str(value).ok()?;
            list.get(index).map(|value| value.get())
        } else {
            let object: BTreeMap<String, &RawValue> = serde_json::from_str(value).ok()?;
            object.get(token).map(|value| value.get())
        }
    })
}
