//! From where a stream goes on. A Mercure hub says so, in `Last-Event-ID` up to 0.x and in a header of its own from 1.0 on; where that is
//! another event than the one that it was asked for, what came in between is lost. Of no other server is this known.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The event that the request names.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const MERCURE_LAST_EVENT_ID: HeaderName = HeaderName::from_static("mercure-last-event-id");
/// Longest id that is gone on from, bytes. A request's headers have their limits at the server.
const LONGEST: usize = 1024;

/// What the answer says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resumed {
    /// It goes on after the event that was asked for.
    There,
    /// It goes on after this one.
    Elsewhere(String),
}

impl Resumed {
    /// `None`: nothing was asked for, or nothing is said of it.
    pub(crate) fn of(asked: Option<&HeaderValue>, answer: &HeaderMap) -> Option<Self> {
        let asked = asked?;
        let said = answer.get(MERCURE_LAST_EVENT_ID).or_else(|| answer.get(LAST_EVENT_ID))?;
        if said == asked {
            return Some(Self::There);
        }
        let said = str::from_utf8(said.as_bytes()).ok().filter(|said| said.len() <= LONGEST)?;
        Some(Self::Elsewhere(said.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &'static str, id: &[u8]) -> Option<Resumed> {
        let answer = HeaderMap::from_iter([(
            HeaderName::from_static(name),
            HeaderValue::from_bytes(id).expect("a value"),
        )]);
        Resumed::of(Some(&HeaderValue::from_static("urn:7")), &answer)
    }

    #[test]
    fn a_hub_says_where_it_goes_on_in_either_header() {
        for name in ["last-event-id", "mercure-last-event-id"] {
            assert_eq!(said(name, b"urn:7"), Some(Resumed::There));
            assert_eq!(said(name, b"earliest"), Some(Resumed::Elsewhere("earliest".to_owned())));
        }
    }

    #[test]
    fn who_says_nothing_of_it_or_nothing_readable_has_lost_nothing() {
        assert_eq!(said("x-other", b"urn:8"), None);
        assert_eq!(said("last-event-id", b"\xff"), None);
        assert_eq!(said("last-event-id", &[b'x'; LONGEST + 1]), None);
        let answer = HeaderMap::from_iter([(LAST_EVENT_ID, HeaderValue::from_static("urn:8"))]);
        assert_eq!(Resumed::of(None, &answer), None, "nothing was asked for");
    }
}
