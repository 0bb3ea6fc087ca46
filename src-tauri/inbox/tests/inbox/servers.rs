//! What becomes of the fields of ntfy's and Gotify's messages.

use jiff::Timestamp;
use serde_json::{Value, json};
use tidings_inbox::{ChannelProfile, Decoded, Does, Format, Message, Payload, Raw, Recalled, Urgency};

use crate::support::{alerts, pushes};

fn received() -> Timestamp {
    Timestamp::from_second(1_790_000_100).expect("a time")
}

fn read(profile: &ChannelProfile, text: &str) -> Decoded {
    tidings_inbox::decode(profile, Payload::Text(text.to_owned()), received())
}

fn only(decoded: Decoded) -> Message {
    let Decoded { mut messages, recalls, ignored: 0 } = decoded else { panic!("{decoded:?}") };
    assert!(recalls.is_empty() && messages.len() == 1, "{messages:?} {recalls:?}");
    messages.remove(0)
}

/// An ntfy message with these fields beside the usual ones.
fn ntfy(fields: &Value) -> Message {
    let mut frame = json!({
        "id": "hwQ2YpKdmg1a", "sequence_id": "hwQ2YpKdmg1a", "time": 1_790_000_000, "expires": 1_790_043_200,
        "event": "message", "topic": "backup", "message": "Disk full",
    });
    frame.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    only(read(&alerts(), &frame.to_string()))
}

fn gotify(fields: &Value) -> Message {
    let mut frame = json!({"id": 25, "appid": 5, "message": "Disk full", "title": "Backup", "priority": 5,
        "date": "2026-09-21T13:46:40.123456789+02:00"});
    frame.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    only(read(&pushes(), &frame.to_string()))
}

#[test]
fn a_message_of_ntfy_has_each_of_its_fields() {
    let message = ntfy(&json!({
        "title": "Backup\nfailed", "priority": 5, "tags": ["warning", "skull", "srv1", 7],
        "click": "https://a.example/b", "icon": "https://a.example/i.png",
        "attachment": {"name": "log.txt", "type": "text/plain", "size": 1234, "expires": 1_790_010_000,
            "url": "https://ntfy.example/file/x.txt"},
    }));
    assert_eq!(message.id.as_deref(), Some("hwQ2YpKdmg1a"));
    assert_eq!((message.topic.as_deref(), message.body.as_str()), (Some("backup"), "Disk full"));
    assert_eq!(message.title, "⚠️ 💀 Backup failed");
    assert_eq!(message.tags, ["srv1", "7"]);
    assert_eq!((message.priority.level(), message.urgency), (5, Urgency::Critical));
    assert_eq!(message.url.as_ref().map(url::Url::as_str), Some("https://a.example/b"));
    assert_eq!(message.icon.as_deref(), Some("https://a.example/i.png"));
    assert_eq!(message.sent_at.map(Timestamp::as_second), Some(1_790_000_000));
    assert_eq!(message.expires, None, "how long the server keeps it says nothing of how long it matters");
    let [file] = message.attachments.as_slice() else { panic!("{message:?}") };
    assert_eq!(
        (file.name.as_str(), file.kind.as_deref(), file.size),
        ("log.txt", Some("text/plain"), Some(1234))
    );
    assert_eq!(file.expires.map(Timestamp::as_second), Some(1_790_010_000));
    assert_eq!(file.url.as_str(), "https://ntfy.example/file/x.txt");
}

#[test]
fn ntfys_bare_message_is_normal_and_bears_the_channels_name() {
    let message = ntfy(&json!({}));
    assert_eq!((message.title.as_str(), message.priority.level(), message.unread), ("Alerts", 3, true));
    let several = ChannelProfile { several_topics: true, ..(*alerts()).clone() };
    let frame = r#"{"id":"a","time":1,"event":"message","topic":"backup","message":"x","tags":["tada"]}"#;
    assert_eq!(only(read(&several, frame)).title, "🎉 Alerts · backup");
    for (priority, level) in [(json!(1), 1), (json!(2), 2), (json!(4), 4), (json!(9), 5), (json!({}), 3)] {
        assert_eq!(ntfy(&json!({"priority": priority})).priority.level(), level, "{priority}");
    }
}

#[test]
fn each_tag_of_ntfys_that_names_an_emoji_becomes_it() {
    let mut tried = 0;
    for emoji in emojis::iter() {
        for name in emoji.shortcodes() {
            let message = ntfy(&json!({"tags": [name], "title": "Done"}));
            assert_eq!(
                (message.title, message.tags),
                (format!("{emoji} Done"), Vec::<String>::new()),
                "{name}"
            );
            tried += 1;
        }
    }
    assert!(tried > 1800, "{tried}");
    for other in ["", " ", "tada 🎉", "tad", "tadaa", "TADA"] {
        assert_eq!(ntfy(&json!({"tags": [other], "title": "Done"})).title, "Done", "{other:?}");
    }
}

#[test]
fn a_file_of_ntfy_needs_an_address_alone_and_may_be_one_of_several() {
    let file = json!({"url": "https://a.example/dir/photo.jpg"});
    let message = ntfy(&json!({"attachment": file}));
    assert_eq!(message.attachments[0].name, "photo.jpg");
    let message = ntfy(
        &json!({"attachment": file, "attachments": [file, {"url": "http://b.example/", "name": "two"}]}),
    );
    let names: Vec<&str> = message.attachments.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["photo.jpg", "two"]);
    for url in ["file:///etc/passwd", "javascript:alert(1)", "", "mailto:a@b.example"] {
        assert_eq!(ntfy(&json!({"attachment": {"name": "x", "url": url}})).attachments, [], "{url}");
    }
}

#[test]
fn buttons_of_ntfy_open_copy_or_send_and_what_they_send_stands_nowhere() {
    let message = ntfy(&json!({"actions": [
        {"id": "1", "action": "view", "label": "Open", "url": "https://a.example/"},
        {"id": "2", "action": "copy", "label": "Copy code", "value": "123456"},
        {"id": "3", "action": "http", "label": "Close door", "url": "https://hooks.example:8443/s3cret?k=s3cret",
            "method": "put", "headers": {"Authorization": "Bearer s3cret"}, "body": "{\"a\":\"s3cret\"}", "clear": true},
        {"id": "4", "action": "broadcast", "label": "Android", "intent": "x"},
        {"id": "5", "action": "view", "label": "Run", "url": "file:///bin/sh"},
        {"id": "6", "action": "http", "url": "http://a.example/#there"},
        {"id": "7", "action": "http", "label": "x", "url": "https://ann:pw@a.example/"},
        {"id": "8", "action": "http", "label": "x", "url": "https://a.example/", "method": "A B"},
    ]}));
    let labels: Vec<&str> = message.actions.iter().map(|action| action.label.as_str()).collect();
    assert_eq!(labels, ["Open", "Copy code", "Close door", "a.example"]);
    assert_eq!(message.actions[0].opens().map(url::Url::as_str), Some("https://a.example/"));
    assert_eq!(message.actions[1].does, Does::Copy("123456".into()));
    let Does::Send(request) = &message.actions[2].does else { panic!("{message:?}") };
    assert_eq!((request.method.as_str(), request.host().as_str()), ("PUT", "hooks.example:8443"));
    assert_eq!(request.headers, [("Authorization".to_owned(), "Bearer s3cret".to_owned())]);
    assert_eq!((request.body.as_str(), request.clear), ("{\"a\":\"s3cret\"}", true));
    let Does::Send(request) = &message.actions[3].does else { panic!("{message:?}") };
    assert_eq!((request.method.as_str(), request.clear), ("POST", false));
    let Raw::Text(raw) = &message.raw else { panic!("{message:?}") };
    let told = format!("{message:?} {raw} {}", serde_json::to_string(&message).expect("JSON"));
    assert!(!told.contains("s3cret"), "{told}");
    let raw: Value = serde_json::from_str(raw).expect("JSON all the same");
    assert_eq!(raw["actions"][2]["label"], "Close door", "all else is as it came");
    assert_eq!(raw["actions"][0]["url"], "https://a.example/");
}

#[test]
fn bytes_that_ntfy_hands_on_are_read_if_they_are_text() {
    let text = ntfy(&json!({"encoding": "base64", "message": "R3LDvMOfZQ=="}));
    assert_eq!((text.body.as_str(), text.opaque), ("Grüße", false));
    let bytes = ntfy(&json!({"encoding": "base64", "message": "AAH/"}));
    assert_eq!(
        (bytes.body.as_str(), bytes.opaque, bytes.unread, bytes.unreadable()),
        ("", true, true, Some(3))
    );
    let broken = ntfy(&json!({"encoding": "base64", "message": "no base64!"}));
    assert_eq!((broken.body.as_str(), broken.opaque), ("no base64!", false));
}

#[test]
fn what_ntfy_says_of_earlier_messages_is_no_message() {
    let said = |event: &str, more: &str| {
        let frame = format!(
            r#"{{"id":"d1","sequence_id":"s1","time":1790000007,"event":"{event}","topic":"backup"{more}}}"#
        );
        read(&alerts(), &frame)
    };
    for (event, what) in [("message_delete", Recalled::Deleted), ("message_clear", Recalled::Read)] {
        let decoded = said(event, "");
        let [recall] = decoded.recalls.as_slice() else { panic!("{decoded:?}") };
        assert_eq!((recall.what, recall.series.as_str()), (what, "backup/s1"));
        assert_eq!((recall.id.as_deref(), recall.at.as_second()), (Some("d1"), 1_790_000_007));
        assert!(decoded.messages.is_empty() && decoded.ignored == 0);
    }
    for event in ["open", "keepalive", "poll_request", "message_read_by_all", ""] {
        let decoded = said(event, r#","message":"New message""#);
        assert_eq!(decoded, Decoded { ignored: 1, ..Decoded::default() }, "{event}");
    }
}

#[test]
fn what_is_not_of_its_server_is_ignored_and_counted() {
    let of_gotify =
        r#"{"id":1,"appid":1,"message":"m","title":"t","priority":5,"date":"2026-09-21T13:46:40Z"}"#;
    let of_ntfy = r#"{"id":"x1","time":1790000000,"event":"message","topic":"t","message":"m"}"#;
    let error =
        r#"{"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid token"}"#;
    for text in ["", "hello", "null", "[]", "{}", "<html>", of_gotify, error, "{\"event\":{}}"] {
        assert_eq!(read(&alerts(), text), Decoded { ignored: 1, ..Decoded::default() }, "{text}");
    }
    for text in ["", "hello", "null", "[]", "{}", "<html>", of_ntfy, error, r#"{"id":-1,"message":""}"#] {
        assert_eq!(read(&pushes(), text), Decoded { ignored: 1, ..Decoded::default() }, "{text}");
    }
}

#[test]
fn a_message_of_gotify_has_each_of_its_fields() {
    let message = gotify(&json!({"extras": {
        "client::notification": {"click": {"url": "https://a.example/b"}, "bigImageUrl": "https://a.example/i.png"},
        "android::action": {"onReceive": {"intentUrl": "https://bad.example/"}},
    }}));
    assert_eq!((message.id.as_deref(), message.app.as_deref()), (Some("25"), Some("5")));
    assert_eq!((message.title.as_str(), message.body.as_str()), ("Backup", "Disk full"));
    assert_eq!(message.sent_at.map(Timestamp::as_millisecond), Some(1_789_991_200_123));
    assert_eq!(message.url.as_ref().map(url::Url::as_str), Some("https://a.example/b"));
    assert_eq!(message.image.as_deref(), Some("https://a.example/i.png"));
    assert_eq!((message.topic.as_deref(), message.actions.len()), (None, 0));
    assert_eq!(gotify(&json!({"title": ""})).title, "Pushes");
    assert_eq!(gotify(&json!({"extras": 7, "appid": null})).app, None);
    let click = json!({"client::notification": {"click": {"url": "intent://x"}}});
    assert_eq!(gotify(&json!({"extras": click})).url, None);
    assert_eq!(gotify(&json!({"id": 9_007_199_254_740_993_u64})).id.as_deref(), Some("9007199254740993"));
}

#[test]
fn markdown_is_what_says_so_or_what_the_channel_says_where_nothing_does() {
    let of_ntfy = |media_type: &str| ntfy(&json!({"content_type": media_type})).format;
    let of_gotify = |media_type: &str| {
        gotify(&json!({"extras": {"client::display": {"contentType": media_type}}})).format
    };
    for (media_type, format) in [
        ("text/markdown", Format::Markdown),
        ("Text/Markdown; charset=utf-8", Format::Markdown),
        ("text/plain", Format::Plain),
        ("text/html", Format::Plain),
    ] {
        assert_eq!((of_ntfy(media_type), of_gotify(media_type)), (format, format), "{media_type}");
    }
    assert_eq!((ntfy(&json!({})).format, gotify(&json!({})).format), (Format::Plain, Format::Plain));
    let frame = r#"{"id":"a","time":1,"event":"message","topic":"t","message":"*x*""#;
    let channel = ChannelProfile { format: Format::Markdown, ..(*alerts()).clone() };
    assert_eq!(only(read(&channel, &format!("{frame}}}"))).format, Format::Markdown);
    let plain = format!(r#"{frame},"content_type":"text/plain"}}"#);
    assert_eq!(only(read(&channel, &plain)).format, Format::Plain);
}

#[test]
fn gotifys_priorities_are_those_of_its_own_bands() {
    let bands = [(-3, 1), (0, 1), (1, 2), (3, 2), (4, 3), (7, 3), (8, 4), (10, 4), (11, 4), (1_000_000, 4)];
    for (priority, level) in bands {
        assert_eq!(gotify(&json!({"priority": priority})).priority.level(), level, "{priority}");
    }
    for nothing in [json!(null), json!("x"), json!([])] {
        assert_eq!(gotify(&json!({"priority": nothing})).priority.level(), 1, "{nothing}");
    }
}
