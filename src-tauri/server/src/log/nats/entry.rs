//! What stands in the stream: under which subjects, and how a message and a claim are written.

use async_nats::{HeaderMap, header, jetstream::message::PublishMessage};
use axum::body::Bytes;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::digest::{Context, SHA256};

use crate::log::item::{Draft, Form, Item};

/// The stream.
pub(super) const STREAM: &str = "TIDINGS";
/// What it holds: messages, claims, and what devices have acknowledged.
pub(super) const SUBJECTS: [&str; 3] = ["tidings.user.*", "tidings.claim.>", "tidings.ack.>"];
/// Where it says so, which has to be outside of what it holds: all of it, so that numbers have no holes.
pub(super) const REPUBLISHED: &str = "tidings-live.>";
/// … and what nodes listen to.
pub(super) const LIVE: &str = "tidings-live.tidings.>";

/// The messages of all users.
pub(super) const MESSAGES: &str = "tidings.user.*";
const USER: &str = "tidings.user.";
const CLAIM: &str = "tidings.claim.";
const ACK: &str = "tidings.ack.";
/// Stands before a device's name, which may be empty.
const DEVICE: &str = ".d";
/// Has what stood under the same subject before go.
const ROLLUP: &str = "Nats-Rollup";
const FORM: &str = "Tidings-Form";
const ID: &str = "Tidings-Id";

/// A user's messages. Names may hold what subjects can't: dots, spaces, stars.
pub(super) fn subject(user: &str) -> String {
    format!("{USER}{}", BASE64.encode(user))
}

/// The claim to a user, or to one of the user's devices.
pub(super) fn claim_subject(user: &str, device: Option<&str>) -> String {
    let device = device.map_or_else(String::new, |device| format!("{DEVICE}{device}"));
    format!("{CLAIM}{}{device}", BASE64.encode(user))
}

/// Up to where a device has acknowledged; `None`: those of all devices of the user.
pub(super) fn ack_subject(user: &str, device: Option<&str>) -> String {
    let device = device.map_or_else(|| ".*".to_owned(), |device| format!("{DEVICE}{device}"));
    format!("{ACK}{}{device}", BASE64.encode(user))
}

/// What a device has acknowledged, as it is published.
pub(super) fn ack(user: &str, device: &str, seq: u64) -> (String, PublishMessage) {
    let message = PublishMessage::build().header(ROLLUP, "sub").payload(seq.to_string().into_bytes().into());
    (ack_subject(user, Some(device)), message)
}

/// What a payload acknowledges.
pub(super) fn acked(payload: &[u8]) -> Option<u64> {
    str::from_utf8(payload).ok()?.parse().ok()
}

/// A message as it is published.
pub(super) fn message(user: &str, draft: Draft, nth: &str) -> (String, PublishMessage) {
    let mut headers = HeaderMap::new();
    headers.insert(header::NATS_MESSAGE_ID, once(user, &draft, nth));
    headers.insert(FORM, name(draft.form));
    if let Some(id) = &draft.own_id {
        headers.insert(ID, BASE64.encode(id));
    }
    (subject(user), PublishMessage::build().headers(headers).payload(draft.payload))
}

/// What the stream knows a message by for a while. `nth` tells it from all others, if it has no id of its own. With one,
/// the same message once more is a push that was tried again, whichever node took it.
fn once(user: &str, draft: &Draft, nth: &str) -> String {
    let Some(id) = &draft.own_id else { return nth.to_owned() };
    let mut digest = Context::new(&SHA256);
    for part in [user.as_bytes(), id.as_bytes(), &draft.payload] {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    BASE64.encode(digest.finish())
}

/// A claim as it is published: the one before is of no use any more.
pub(super) fn claim(user: &str, device: Option<&str>, node: &str, link: u64) -> (String, PublishMessage) {
    let claim = format!("{node} {link}");
    let message =
        PublishMessage::build().message_id(&claim).header(ROLLUP, "sub").payload(claim.into_bytes().into());
    (claim_subject(user, device), message)
}

/// What a node hears of an entry.
pub(super) enum Heard {
    Message {
        user: String,
        item: Item,
    },
    Claim {
        user: String,
        device: Option<String>,
        by: By,
    },
    /// Nothing that it could use.
    Other,
}

/// Who claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct By {
    pub(super) node: String,
    pub(super) link: u64,
}

impl Heard {
    pub(super) fn read(subject: &str, seq: u64, headers: &HeaderMap, payload: Bytes) -> Self {
        if let Some(user) = subject.strip_prefix(USER).and_then(decoded) {
            return Self::Message { user, item: item(seq, headers, payload) };
        }
        let Some(claimed) = subject.strip_prefix(CLAIM) else { return Self::Other };
        let (user, device) = match claimed.split_once(DEVICE) {
            Some((user, device)) => (user, Some(device.to_owned())),
            None => (claimed, None),
        };
        match decoded(user).zip(by(&payload)) {
            Some((user, by)) => Self::Claim { user, device, by },
            None => Self::Other,
        }
    }
}

/// Who claims by this payload.
pub(super) fn by(payload: &[u8]) -> Option<By> {
    let (node, link) = str::from_utf8(payload).ok()?.split_once(' ')?;
    Some(By { node: node.to_owned(), link: link.parse().ok()? })
}

/// The message of an entry. What somebody else published there is a text.
pub(super) fn item(seq: u64, headers: &HeaderMap, payload: Bytes) -> Item {
    let form = headers.get(FORM).map_or(Form::Text, |form| form_of(form.as_str()));
    let own_id = headers.get(ID).and_then(|id| decoded(id.as_str()));
    Item::new(seq, Draft { own_id, form, payload })
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(text).ok()?).ok()
}

fn name(form: Form) -> &'static str {
    match form {
        Form::Text => "text",
        Form::Unnamed => "unnamed",
        Form::Binary => "binary",
        Form::Read => "read",
    }
}

fn form_of(name: &str) -> Form {
    match name {
        "unnamed" => Form::Unnamed,
        "binary" => Form::Binary,
        "read" => Form::Read,
        _ => Form::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(own_id: Option<&str>, payload: &'static str) -> Draft {
        Draft { own_id: own_id.map(str::to_owned), form: Form::Text, payload: payload.into() }
    }

    #[test]
    fn any_name_fits_into_a_subject_and_comes_out_again() {
        for user in ["ann", "ann@shop.example", "a.b", "*", ">", "a b", "安", "\u{1f375} & \"x\"", "."] {
            let subject = subject(user);
            let token = subject.strip_prefix(USER).unwrap_or_default();
            assert!(
                token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
                "{token}"
            );
            let heard = Heard::read(&subject, 7, &HeaderMap::new(), "x".into());
            assert!(matches!(heard, Heard::Message { user: back, item } if back == user && item.seq == 7));
            for device in [None, Some("laptop-1_x")] {
                let claim = Heard::read(&claim_subject(user, device), 7, &HeaderMap::new(), "node 5".into());
                assert!(matches!(claim, Heard::Claim { user: back, device: of, by }
                    if back == user && of.as_deref() == device && by.link == 5));
            }
        }
    }

    #[test]
    fn what_others_wrote_there_hurts_nobody() {
        for subject in ["tidings.user.!!", "tidings.user._w", "tidings.claim.YW5u", "tidings.else.YW5u", ""] {
            let heard = Heard::read(subject, 1, &HeaderMap::new(), "no claim".into());
            assert!(matches!(heard, Heard::Other), "{subject}");
        }
        let heard = Heard::read("tidings.user.YW5u", 1, &HeaderMap::new(), "hi".into());
        assert!(matches!(heard, Heard::Message { user, item } if user == "ann" && item.form == Form::Text));
    }

    #[test]
    fn the_same_push_once_more_is_known_and_another_of_its_id_is_another() {
        let once = |draft: Draft, nth| once("ann", &draft, nth);
        assert_eq!(once(draft(Some("7"), "x"), "n.1"), once(draft(Some("7"), "x"), "m.2"));
        assert_ne!(once(draft(Some("7"), "x"), "n.1"), once(draft(Some("7"), "y"), "n.1"));
        assert_ne!(once(draft(None, "x"), "n.1"), once(draft(None, "x"), "n.2"));
    }
}
