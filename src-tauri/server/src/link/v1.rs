//! What `tidings.v1` adds to a link, as docs/protocol.md specifies it.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use humantime::format_rfc3339_millis;
use serde_json::{json, value::RawValue};

use crate::{
    log::{Draft, Form, Item, Limit, Log, NotRead},
    outbox::CaughtUp,
    tail::From,
};

/// What is agreed upon in the upgrade.
pub(crate) const SUBPROTOCOL: &str = "tidings.v1";

/// The first frame.
pub(crate) const HELLO: &str = r#"{"type":"hello","protocol":"tidings.v1"}"#;

/// Ids of one `read`. Too low: honest clients are cut; too high: a frame of them is much work.
const MOST_READ: usize = 1000;

/// Milliseconds since 1970 at which numbers are taken for times: those of engines that count from 1 are none.
const FIRST_TIME: u64 = 1_000_000_000_000;

/// Whether a client may call a device so.
pub(crate) fn is_device(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Where the link of a device begins, and its part of the protocol. A device that isn't known is noted.
pub(crate) async fn begin(
    log: &Log,
    user: &str,
    device: String,
    since: Option<String>,
) -> Result<(From, V1), NotRead> {
    let known = log.reached(user, &device).await?;
    let reached = match known {
        Some(reached) => reached,
        None => {
            let newest = log.newest().await?;
            log.acknowledge(user, &device, newest).await;
            newest
        }
    };
    // A device that wasn't known begins here: what comes until the link stands is behind that.
    let from = match since {
        None => From::Seq(reached),
        Some(since) => match since.parse() {
            Ok(number) if known == Some(number) => From::Seq(number),
            // Our number, or an id of a sender's that came over the plain recipe. Where it could be both, the older one: what the
            // client has comes no second time.
            Ok(number)
                if is_there(log, user, number).await? && log.stand(user, &since).await?.seq >= number =>
            {
                From::Seq(number)
            }
            Ok(_) | Err(_) => From::Since(since),
        },
    };
    Ok((from, V1 { device, acknowledged: known.unwrap_or(0) }))
}

/// Whether a user's message of this number is kept.
async fn is_there(log: &Log, user: &str, seq: u64) -> Result<bool, NotRead> {
    let page = log.after(user, seq.saturating_sub(1), Limit { messages: 1, bytes: 1 }).await?;
    Ok(page.items.first().is_some_and(|item| item.seq == seq))
}

/// One link's part of the protocol.
pub(crate) struct V1 {
    device: String,
    /// The `seq` up to which the client has stored all.
    acknowledged: u64,
}

/// What is wrong with what a client says, so that its link ends with 1008.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMuch;

impl V1 {
    /// The frame of a message, or of what was read.
    pub(crate) fn frame(item: &Item) -> String {
        match item.form {
            Form::Read => {
                let ids = String::from_utf8_lossy(&item.payload);
                format!(r#"{{"type":"read","ids":{ids}}}"#)
            }
            Form::Text | Form::Unnamed | Form::Binary => {
                format!(r#"{{"type":"message","id":"{}","data":{}}}"#, item.seq, item.data())
            }
        }
    }

    /// The frame behind what was missed.
    pub(crate) fn caught_up(told: CaughtUp) -> String {
        let CaughtUp { complete, from, until } = told;
        let mut frame = json!({ "type": "caught-up", "complete": complete });
        if !complete {
            let times = [("from", time(from)), ("until", until.and_then(time))];
            for (name, at) in times.into_iter().filter_map(|(name, at)| Some((name, at?))) {
                frame[name] = at.into();
            }
        }
        frame.to_string()
    }

    /// Does what the client says; `sent`: the newest message that went out.
    pub(crate) async fn hear(&mut self, log: &Log, user: &str, text: &str, sent: u64) -> Result<(), TooMuch> {
        match Said::parse(text) {
            Some(Said::Ack(seq)) if seq > self.acknowledged && seq <= sent => {
                self.acknowledged = seq;
                log.acknowledge(user, &self.device, seq).await;
            }
            Some(Said::Read(ids)) if ids.len() > MOST_READ => return Err(TooMuch),
            Some(Said::Read(ids)) => self.read(log, user, ids).await,
            Some(Said::Ack(_)) | None => {}
        }
        Ok(())
    }

    /// What was read is a message like any other, for all devices and for those that come later. If it can't be kept, nobody
    /// hears of it, and the client says it again.
    async fn read(&self, log: &Log, user: &str, ids: Vec<u64>) {
        // What was never given is none of the user's.
        let Ok(newest) = log.newest().await else { return };
        let ids: Vec<String> =
            ids.into_iter().filter(|id| *id > 0 && *id <= newest).map(|id| id.to_string()).collect();
        if ids.is_empty() {
            return;
        }
        let payload = json!(ids).to_string().into();
        if let Err(error) = log.append(user, Draft { own_id: None, form: Form::Read, payload }).await {
            tracing::debug!(user, %error, "what was read is not kept");
        }
    }
}

/// What a client says that means something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Ack(u64),
    Read(Vec<u64>),
}

impl Said {
    /// Nothing makes it panic, and whatever isn't known is nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        let kind: String = serde_json::from_str(members.get("type")?.get()).ok()?;
        match kind.as_str() {
            "ack" => Some(Self::Ack(number(members.get("id")?)?)),
            "read" => {
                let ids: Vec<&RawValue> = serde_json::from_str(members.get("ids")?.get()).ok()?;
                // One that isn't ours counts, too: so many say nobody honest.
                Some(Self::Read(ids.into_iter().map(|id| number(id).unwrap_or(0)).collect()))
            }
            _ => None,
        }
    }
}

/// An id of ours: a text, or a number.
fn number(id: &RawValue) -> Option<u64> {
    match id.get().starts_with('"') {
        true => serde_json::from_str::<String>(id.get()).ok()?.parse().ok(),
        false => id.get().parse().ok(),
    }
}

/// When a message was sent, by its number.
fn time(seq: u64) -> Option<String> {
    let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(seq))?;
    // Later than that there is no such time.
    (FIRST_TIME..100 * FIRST_TIME).contains(&seq).then(|| format_rfc3339_millis(at).to_string())
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    fn item(form: Form, own_id: Option<&str>, payload: &'static str) -> Item {
        let draft = Draft {
            own_id: own_id.map(str::to_owned),
            form,
            payload: Bytes::from_static(payload.as_bytes()),
        };
        Item::new(7, draft)
    }

    #[test]
    fn data_is_what_the_plain_recipe_sends() {
        for (item, data) in [
            (item(Form::Text, None, "Tea \"is\" ready"), r#""Tea \"is\" ready""#),
            (item(Form::Text, None, r#"{"looks":"like one"}"#), r#""{\"looks\":\"like one\"}""#),
            (item(Form::Text, Some("own"), r#"{"id": "own", "n": 1.0}"#), r#"{"id": "own", "n": 1.0}"#),
            (item(Form::Unnamed, None, r#"{"n": 1.0}"#), r#"{"id":"7","n": 1.0}"#),
        ] {
            assert_eq!(V1::frame(&item), format!(r#"{{"type":"message","id":"7","data":{data}}}"#));
            let told: serde_json::Value = serde_json::from_str(&V1::frame(&item)).expect("JSON");
            assert_eq!(told["type"], "message");
        }
        assert_eq!(V1::frame(&item(Form::Read, None, r#"["5"]"#)), r#"{"type":"read","ids":["5"]}"#);
    }

    #[test]
    fn a_gap_is_told_with_its_times_where_numbers_are_times() {
        let told = |complete, from, until| V1::caught_up(CaughtUp { complete, from, until });
        assert_eq!(told(true, 1_790_000_000_000, None), r#"{"complete":true,"type":"caught-up"}"#);
        assert_eq!(
            told(false, 1_790_000_000_000, Some(1_790_000_060_123)),
            r#"{"complete":false,"from":"2026-09-21T14:13:20.000Z","type":"caught-up","until":"2026-09-21T14:14:20.123Z"}"#
        );
        for other in [0, 7, u64::MAX] {
            assert_eq!(told(false, other, Some(other)), r#"{"complete":false,"type":"caught-up"}"#);
        }
    }

    #[test]
    fn what_a_client_says_is_an_acknowledgement_a_read_or_nothing() {
        assert_eq!(Said::parse(r#"{"type":"ack","id":"7"}"#), Some(Said::Ack(7)));
        assert_eq!(Said::parse(r#" {"id":7,"more":[{}],"type":"ack"}"#), Some(Said::Ack(7)));
        assert_eq!(
            Said::parse(r#"{"type":"read","ids":["7",8,"x",-1,{}]}"#),
            Some(Said::Read(vec![7, 8, 0, 0, 0]))
        );
        for nothing in [
            "HeartBeat",
            "",
            "[]",
            "7",
            r#"{"type":"ack"}"#,
            r#"{"type":"ack","id":"seven"}"#,
            r#"{"type":"ack","id":-7}"#,
            r#"{"type":"ack","id":"99999999999999999999999"}"#,
            r#"{"type":"read","ids":7}"#,
            r#"{"type":"weather"}"#,
            r#"{"type":7,"id":"7"}"#,
        ] {
            assert_eq!(Said::parse(nothing), None, "{nothing}");
        }
        let deep = format!("{}{}", "[".repeat(60_000), "]".repeat(60_000));
        assert_eq!(Said::parse(&format!(r#"{{"type":{deep}}}"#)), None, "no depth costs stack");
    }

    #[test]
    fn a_device_has_a_plain_name() {
        for good in ["a", "A-b_9", &"x".repeat(64)] {
            assert!(is_device(good), "{good}");
        }
        for bad in ["", "a b", "../a", "é", "a\n", &"x".repeat(65)] {
            assert!(!is_device(bad), "{bad}");
        }
    }
}
