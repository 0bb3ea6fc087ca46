//! Sends a message to a channel's server, where its kind can: to an ntfy topic, as a Gotify application, or by `send_url` to
//! `tidings-server` and what takes the same. For `tidings send` and for the agent, over the channel's own way.
//!
//! What is sent is made by `request`, which is pure; what a refusal means is told by `refused`.

use serde_json::{Map, Value, json};
use tidings_api::{ErrorCode, Outgoing, Refusal};
use tidings_channel::{Cause, Config, Credential, DialParams, Fetch, Fetched, fetch, plain};
use tidings_settings::credential::{Auth, Credentials};
use tidings_settings::{ChannelSettings, Kind, SignedInBy};
use tidings_state::cause;
use tidings_words::Words;

/// Longest answer that is read, bytes: a server says what it stored, or why not.
const MOST: usize = 64 * 1024;

/// Gotify's priorities for 1 to 5, in the bands that its apps go by.
const GOTIFY: [u8; 5] = [0, 2, 5, 8, 10];

/// Sends it, and returns once the server has it. `by`: how the channel's user has signed in, where somebody holds that.
///
/// # Errors
/// [`ErrorCode::CannotSend`] where the channel or the message isn't of a kind that can be sent, [`ErrorCode::NotSent`] where the
/// server didn't take it, each with the mend.
pub async fn send(
    channel: &ChannelSettings,
    by: Option<&SignedInBy>,
    message: &Outgoing,
    words: Words,
) -> Result<(), Refusal> {
    let request = request(channel, message, words)?;
    let failed = |code, message| Refusal::new(code, message);
    let config = channel.config().map_err(|error| failed(ErrorCode::CannotSend, error.told(words)))?;
    let credential = match &channel.send.credential {
        // One of its own.
        Some(source) => {
            let auth = if channel.kind == Kind::Gotify {
                // Which it knows since its first version.
                Auth::Header { name: "X-Gotify-Key".to_owned() }
            } else {
                Auth::Bearer
            };
            Credentials::new(&channel.id, source.clone(), auth).fetch(false).await
        }
        // … or the channel's own, which Gotify takes from its version 3 on.
        None if matches!(channel.kind, Kind::Ntfy { .. } | Kind::Gotify) => {
            channel.credentials(&config).going_on(by).fetch(false).await
        }
        None => Ok(None),
    };
    let credential: Option<Credential> =
        credential.map_err(|error| failed(ErrorCode::CannotSend, cause::credential(&error, words)))?;
    let own = request.url.as_url().origin() == config.url.as_url().origin();
    let headers = if own { channel.headers.clone() } else { Vec::new() };
    let client_cert = config.client_cert.clone().filter(|_| own);
    // The secret is meant for this address.
    let config = Config { url: request.url.clone(), client_cert, ..config };
    let params = DialParams { credential, headers, ..DialParams::default() };
    let answer = fetch(&config, &params, Fetch { most: MOST, ..request }).await;
    match answer {
        Ok(answer) if answer.failure().is_none() => Ok(()),
        Ok(answer) => Err(failed(ErrorCode::NotSent, refused(channel, &answer, words))),
        Err(cause) => Err(failed(ErrorCode::NotSent, words.send_failed(&cause::told(&cause, words)))),
    }
}

/// What is asked of the server.
fn request(channel: &ChannelSettings, message: &Outgoing, words: Words) -> Result<Fetch, Refusal> {
    let cannot = |message: String| Refusal::new(ErrorCode::CannotSend, message);
    let Outgoing { channel: _, text, title, priority, tags, topic } = message;
    if text.trim().is_empty() {
        return Err(cannot(words.send_empty()));
    }
    if priority.is_some_and(|priority| !(1..=5).contains(&priority)) {
        return Err(cannot(words.send_priority()));
    }
    let mut body = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(key.to_owned(), value);
        }
    };
    put("title", title.clone().map(Value::from));
    let url = match &channel.kind {
        Kind::Ntfy { topics } => {
            put("topic", Some(one_of(topics, topic.as_deref(), words)?.into()));
            put("message", Some(text.as_str().into()));
            put("priority", priority.map(Value::from));
            put("tags", (!tags.is_empty()).then(|| json!(tags)));
            channel.url.clone()
        }
        Kind::Gotify => {
            only_ntfys(message, words)?;
            if channel.send.credential.is_none() && channel.send.app.is_none() {
                return Err(cannot(words.send_gotify_token()));
            }
            put("message", Some(text.as_str().into()));
            put("appid", channel.send.app.map(Value::from));
            let scaled = priority.and_then(|priority| GOTIFY.get(usize::from(priority) - 1));
            put("priority", scaled.copied().map(Value::from));
            channel.url.at(&format!("{}/message", channel.base()))
        }
        Kind::Mqtt(_) => return Err(cannot(words.send_mqtt())),
        Kind::Recipe | Kind::Dialogue(_) | Kind::Sse => {
            only_ntfys(message, words)?;
            let Some(url) = &channel.send.url else { return Err(cannot(words.send_cannot())) };
            put("body", Some(text.as_str().into()));
            put("priority", priority.map(Value::from));
            url.clone()
        }
    };
    Ok(Fetch::post_json(url, Value::Object(body).to_string()))
}

/// The topic that is meant: the only one, where none is named.
fn one_of<'a>(topics: &'a [String], named: Option<&str>, words: Words) -> Result<&'a str, Refusal> {
    let found = match (named, topics) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(named), topics) => topics.iter().find(|topic| *topic == named),
    };
    let known = topics.join(", ");
    found
        .map(String::as_str)
        .ok_or_else(|| Refusal::new(ErrorCode::CannotSend, words.send_which_topic(&known)))
}

/// Topics and tags are ntfy's alone.
fn only_ntfys(message: &Outgoing, words: Words) -> Result<(), Refusal> {
    if message.topic.is_none() && message.tags.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(ErrorCode::CannotSend, words.send_only_ntfy()))
}

/// Why the server didn't take it, by its own code where it is ntfy.
fn refused(channel: &ChannelSettings, answer: &Fetched, words: Words) -> String {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = said.get("code").and_then(Value::as_u64);
    let why = match (&channel.kind, code, answer.status) {
        (Kind::Ntfy { .. }, Some(code @ 40101), _) => words.send_ntfy_login(&code),
        (Kind::Ntfy { .. }, Some(code @ 40301), _) => words.send_ntfy_forbidden(&code),
        (Kind::Ntfy { .. }, Some(code @ 41300..=41399), _) => words.send_ntfy_too_long(&code),
        (Kind::Ntfy { .. }, Some(code @ 42905), _) => words.send_ntfy_bandwidth(&code),
        (Kind::Ntfy { .. }, Some(code @ 42908), _) => words.send_ntfy_daily(&code),
        (Kind::Ntfy { .. }, Some(code @ 42909), _) => words.send_ntfy_locked(&code),
        (Kind::Ntfy { .. }, Some(code @ 42900..=42999), _) => words.send_ntfy_requests(&code),
        (Kind::Gotify, _, status @ (401 | 403)) if channel.send.credential.is_none() => {
            words.send_gotify_client(&status)
        }
        (Kind::Gotify, _, status @ (401 | 403)) => words.send_gotify_refused(&status),
        (_, _, 413) => words.send_too_long(),
        (Kind::Recipe | Kind::Dialogue(_) | Kind::Sse | Kind::Mqtt(_), _, status @ (401 | 403)) => {
            words.send_token_refused(&status)
        }
        _ => {
            let cause = answer.failure().unwrap_or(Cause::Local);
            let told = cause::told(&cause, words);
            // In the server's own words, which are untrusted. Gotify's `error` is the status once more.
            match said
                .get("errorDescription")
                .or(said.get("error"))
                .and_then(Value::as_str)
                .map(plain)
                .filter(|error| !error.is_empty())
            {
                Some(error) => words.send_said(&error, &told),
                None => told,
            }
        }
    };
    words.send_failed(&why)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tidings_words::Language;

    use super::*;

    const WORDS: Words = Words::of(Language::English);

    fn channel(keys: &str) -> ChannelSettings {
        let settings =
            tidings_settings::parse(format!("[[channel]]\n{keys}").as_bytes(), Path::new("/c/config.toml"));
        settings.expect("good settings").channels.remove(0)
    }

    fn message(text: &str) -> Outgoing {
        Outgoing { text: text.to_owned(), ..Outgoing::default() }
    }

    fn body(fetch: &Fetch) -> Value {
        serde_json::from_str(&fetch.body).expect("JSON")
    }

    const NTFY: &str = "kind = \"ntfy\"\nurl = \"https://ntfy.example\"\ntopics = [\"alerts\", \"backup\"]\n";
    const GOTIFY: &str = "kind = \"gotify\"\nurl = \"https://push.example/gotify\"\n";

    #[test]
    fn an_ntfy_message_names_its_topic_and_says_all() {
        let all = Outgoing {
            title: Some("Disk".to_owned()),
            priority: Some(5),
            tags: vec!["warning".to_owned(), "nas".to_owned()],
            topic: Some("backup".to_owned()),
            ..message("is full")
        };
        let sent = request(&channel(NTFY), &all, WORDS).expect("fine");
        assert_eq!(sent.url.as_url().as_str(), "wss://ntfy.example/");
        assert_eq!(
            body(&sent),
            json!({"topic": "backup", "title": "Disk", "message": "is full", "priority": 5, "tags": ["warning", "nas"]})
        );
        let one = channel("kind = \"ntfy\"\nurl = \"https://ntfy.example\"\ntopics = [\"alerts\"]\n");
        let sent = request(&one, &message("hi"), WORDS).expect("fine");
        assert_eq!(body(&sent), json!({"topic": "alerts", "message": "hi"}));
    }

    #[test]
    fn a_gotify_message_goes_beside_the_stream_by_its_own_scale() {
        let channel = channel(&format!("{GOTIFY}send_token_env = \"APP\"\n"));
        for (priority, scaled) in [(1, 0), (2, 2), (3, 5), (4, 8), (5, 10)] {
            let sent = request(&channel, &Outgoing { priority: Some(priority), ..message("hi") }, WORDS)
                .expect("fine");
            assert_eq!(sent.url.as_url().as_str(), "wss://push.example/gotify/message");
            assert_eq!(body(&sent), json!({"message": "hi", "priority": scaled}));
        }
    }

    #[test]
    fn a_gotify_client_names_the_application_that_it_sends_as() {
        let channel = channel(&format!("{GOTIFY}send_app = 3\n"));
        let sent = request(&channel, &message("hi"), WORDS).expect("fine");
        assert_eq!(body(&sent), json!({"message": "hi", "appid": 3}));
    }

    #[test]
    fn any_other_channel_sends_where_send_url_says() {
        let keys = "url = \"wss://shop.example/ws\"\nsend_url = \"https://shop.example/push/ann\"\n";
        let sent = request(&channel(keys), &Outgoing { title: Some("T".to_owned()), ..message("hi") }, WORDS)
            .expect("fine");
        assert_eq!(sent.url.as_url().as_str(), "wss://shop.example/push/ann");
        assert_eq!(body(&sent), json!({"title": "T", "body": "hi"}));
    }

    #[test]
    fn what_cannot_be_sent_is_told_with_the_mend_in_both_languages() {
        let tagged = Outgoing { tags: vec!["x".to_owned()], ..message("hi") };
        for (keys, message, mend) in [
            (NTFY, message("hi"), "alerts, backup"),
            (NTFY, Outgoing { topic: Some("other".to_owned()), ..message("hi") }, "alerts, backup"),
            (NTFY, message(" \n"), "text"),
            (NTFY, Outgoing { priority: Some(6), ..message("hi") }, "1 to 5"),
            (GOTIFY, message("hi"), "send_token_command"),
            (GOTIFY, message("hi"), "send_app"),
            (
                "url = \"wss://shop.example/ws\"\nsend_url = \"https://shop.example/push/ann\"\n",
                tagged,
                "ntfy",
            ),
            ("url = \"wss://shop.example/ws\"\n", message("hi"), "send_url"),
        ] {
            let refused = request(&channel(keys), &message, WORDS).expect_err(keys);
            assert_eq!(refused.code, ErrorCode::CannotSend);
            assert!(refused.message.contains(mend), "{refused}");
            let chinese =
                request(&channel(keys), &message, Words::of(Language::SimplifiedChinese)).expect_err(keys);
            assert!(chinese.message.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{chinese}");
        }
    }
}
