//! ntfy (2.11 to 2.29): the first frame is `open`, which names the topics; then come what was missed and what is new, in one
//! stream. Nothing is said: the server pings, and reads texts away.

use serde::Deserialize;

use crate::reply::{Reply, Step};

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default)]
    event: Option<std::borrow::Cow<'a, str>>,
}

/// What this frame means. Until the subscription stands, all but `open` is another server's.
pub(crate) fn hear(text: &str, stands: &mut bool) -> Option<Reply> {
    let frame: Option<Frame<'_>> = serde_json::from_str(text).ok();
    match (frame.and_then(|frame| frame.event).as_deref(), *stands) {
        (Some("open"), false) => {
            *stands = true;
            Some(Reply::step(Step::Stands))
        }
        (_, false) => Some(Reply::step(Step::Foreign)),
        // The connection's own; `poll_request` asks to fetch what comes here by itself.
        (Some("open" | "keepalive" | "poll_request"), true) => Some(Reply::default()),
        // A message, or what becomes of one: who reads them knows.
        (_, true) => None,
    }
}

/// Where it says why it refused an upgrade at this path. Up to 2.11 at least it answers all refusals with 200, and by the right
/// status at a path beside it; which of its limits a 429 is about it says to a poll.
pub(crate) fn reason_path(path: &str, status: u16) -> Option<String> {
    let asked = match status {
        200 => "auth",
        429 => "json?poll=1&since=none",
        _ => return None,
    };
    path.strip_suffix("/ws").map(|topics| format!("{topics}/{asked}"))
}

/// Which limit it says there that is reached: 42900 to 42999.
pub(crate) fn limit(said: &[u8]) -> Option<u16> {
    #[derive(Deserialize)]
    struct Refusal {
        code: u16,
    }
    let Refusal { code } = serde_json::from_slice(said).ok()?;
    (42900..=42999).contains(&code).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_once_the_server_says_so() {
        let mut stands = false;
        let open = r#"{"id":"a","time":1,"event":"open","topic":"alerts,backup"}"#;
        assert_eq!(hear(open, &mut stands).expect("no message").steps, [Step::Stands]);
        assert_eq!(hear(open, &mut stands), Some(Reply::default()), "once");
        for noise in [r#"{"event":"keepalive"}"#, r#"{"event":"poll_request","id":"x"}"#] {
            assert_eq!(hear(noise, &mut stands), Some(Reply::default()), "{noise}");
        }
        for message in [r#"{"event":"message","id":"x"}"#, r#"{"event":"message_delete"}"#, "{}", "plain"] {
            assert_eq!(hear(message, &mut stands), None, "{message}");
        }
    }

    #[test]
    fn another_servers_words_are_no_subscription() {
        for first in ["HeartBeat", "{}", "[]", r#"{"event":"message","id":"x"}"#, r#"{"event":4}"#, ""] {
            let mut stands = false;
            assert_eq!(hear(first, &mut stands).expect("no message").steps, [Step::Foreign], "{first}");
            assert!(!stands);
        }
    }

    #[test]
    fn a_refusal_by_200_has_its_reason_beside_it() {
        let ntfy = crate::Dialect::Ntfy;
        assert_eq!(
            ntfy.reason_path("/base/alerts,backup/ws", 200).as_deref(),
            Some("/base/alerts,backup/auth")
        );
        assert_eq!(ntfy.reason_path("/alerts/ws", 429).as_deref(), Some("/alerts/json?poll=1&since=none"));
        for (path, status) in [("/alerts/ws", 403), ("/alerts/ws", 404), ("/alerts", 200)] {
            assert_eq!(ntfy.reason_path(path, status), None, "{path} {status}");
        }
        assert_eq!(crate::Dialect::Plain.reason_path("/alerts/ws", 200), None);
    }

    #[test]
    fn a_limit_is_told_by_its_number() {
        let limit = |said: &str| crate::Dialect::Ntfy.limit(said.as_bytes());
        assert_eq!(
            limit(r#"{"code":42903,"http":429,"error":"limit reached: too many active subscriptions"}"#),
            Some(42903)
        );
        for other in [r#"{"code":40301}"#, r#"{"code":43000}"#, r#"{"code":9999999}"#, "{}", "<html>", ""] {
            assert_eq!(limit(other), None, "{other}");
        }
        assert_eq!(crate::Dialect::Plain.limit(br#"{"code":42903}"#), None);
    }
}
