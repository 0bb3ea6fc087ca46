//! What a frame says as a message.

use jiff::Timestamp;
use proptest::prelude::*;
use tidings_inbox::{ChannelProfile, Message, Payload, Priority, Raw, decode};

fn profile() -> ChannelProfile {
    ChannelProfile::new("orders", "Orders")
}

fn received() -> Timestamp {
    "2026-11-23T10:00:00.123456789Z".parse().expect("a time")
}

fn message(text: &str) -> Message {
    let message = decode(&profile(), Payload::Text(text.to_owned()), received()).expect("a message");
    assert_eq!(message.raw, Raw::Text(text.to_owned()), "the raw text is untouched");
    message
}

fn title_and_body(text: &str) -> (String, String) {
    let Message { title, body, .. } = message(text);
    (title, body)
}

#[test]
fn text_that_is_no_object_is_a_body_under_the_channels_name() {
    for text in [
        "hello",
        "订单已发货",
        " spaces stay ",
        "3",
        "null",
        r#""a string""#,
        r#"["title", "no"]"#,
        r#"{"title": "cut off"#,
        r#"{"title": "two"} {"title": "objects"}"#,
        r#"{title: "no JSON"}"#,
    ] {
        assert_eq!(title_and_body(text), ("Orders".into(), text.into()));
    }
}

#[test]
fn the_usual_names_are_understood_and_the_first_usable_one_wins() {
    for (text, title, body) in [
        (r#"{"title": "T", "body": "B"}"#, "T", "B"),
        (r#"{"subject": "T", "message": "B"}"#, "T", "B"),
        (r#"{"summary": "T", "text": "B"}"#, "T", "B"),
        (r#"{"content": "B", "summary": "S", "subject": "T"}"#, "T", "B"),
        (r#"{"title": " ", "subject": "T", "body": null, "text": "B"}"#, "T", "B"),
        (r#"{"body": "", "text": "B"}"#, "Orders", "B"),
        (r#"{"title": "T"}"#, "T", ""),
        (r#"{"body": ""}"#, "Orders", ""),
        (r#"{"body": "B"}"#, "Orders", "B"),
        (r#"{"title": "one", "title": "two", "body": "B"}"#, "two", "B"),
        (r#"{"title": 7, "body": 12345678901234567890123}"#, "7", "12345678901234567890123"),
        (r#"{"title": true, "body": 1e999}"#, "true", "1e999"),
        (r#"{"title": "T", "body": {"a" : [1, 2 ]}}"#, "T", r#"{"a":[1,2]}"#),
        (
            r#"{"title": "a\nb\u0000c\td ", "body": "a\r\nb\u0000c\td"}"#,
            "a b c\td".replace('\t', " ").as_str(),
            "a\nb c\td",
        ),
        (r#"{"title": "<b>T</b>", "body": "a & b"}"#, "<b>T</b>", "a & b"),
        ("\u{feff}{\"title\": \"T\", \"body\": \"B\"}", "T", "B"),
        ("\n {\"title\": \"T\", \"body\": \"B\"}\n", "T", "B"),
        (r#"{"title": "T", "body": "half \ud800 a pair"}"#, "T", r#""half \ud800 a pair""#),
    ] {
        assert_eq!(title_and_body(text), (title.into(), body.into()), "{text}");
    }
}

#[test]
fn an_object_with_neither_title_nor_body_is_shown_whole() {
    for text in [r#"{"who": "me"}"#, "{}", r#"{"id": "7", "title": null}"#, r#"{"Title": "names are exact"}"#]
    {
        assert_eq!(title_and_body(text), ("Orders".into(), text.into()));
    }
    assert_eq!(message(r#"{"id": "7", "who": "me"}"#).id.as_deref(), Some("7"));
}

#[test]
fn an_id_keeps_its_digits_and_is_of_a_size_that_a_query_takes() {
    let long = format!(r#"{{"id": "{}"}}"#, "x".repeat(513));
    for (text, id) in [
        (r#"{"id": "a b"}"#, Some("a b")),
        (r#"{"id": 7}"#, Some("7")),
        (r#"{"id": 12345678901234567891}"#, Some("12345678901234567891")),
        (r#"{"id": ""}"#, None),
        (r#"{"id": null}"#, None),
        (r#"{"id": {"$oid": "1"}}"#, None),
        (long.as_str(), None),
    ] {
        assert_eq!(message(text).id.as_deref(), id, "{text}");
    }
}

#[test]
fn priorities_are_words_or_numbers() {
    let (lowest, low, normal, high, urgent) =
        (Priority::LOWEST, Priority::LOW, Priority::NORMAL, Priority::HIGH, Priority::URGENT);
    for (value, priority) in [
        (r#""min""#, lowest),
        (r#""Very_Low""#, lowest),
        (r#""low""#, low),
        (r#""normal""#, normal),
        (r#""default""#, normal),
        (r#""INFO""#, normal),
        (r#""high""#, high),
        (r#""warning""#, high),
        (r#""urgent""#, urgent),
        (r#""critical""#, urgent),
        (r#""error""#, urgent),
        (r#"" max ""#, urgent),
        (r#""nonsense""#, normal),
        (r#""NaN""#, normal),
        ("null", normal),
        ("true", normal),
        ("[5]", normal),
        ("-1", lowest),
        ("0", lowest),
        ("1", lowest),
        ("2", low),
        ("3.4", normal),
        ("4", high),
        (r#""5""#, urgent),
        ("6", urgent),
        ("1e999", urgent),
        ("99999999999999999999999", urgent),
    ] {
        assert_eq!(message(&format!(r#"{{"priority": {value}}}"#)).priority, priority, "{value}");
    }
    assert_eq!(message(r#"{"priority": "nonsense", "level": "low"}"#).priority, low);
}

#[test]
fn times_are_seconds_milliseconds_or_rfc_3339_and_anything_else_is_none() {
    for (value, time) in [
        ("1764000000", Some("2025-11-24T16:00:00Z")),
        ("1764000000123", Some("2025-11-24T16:00:00.123Z")),
        ("1764000000.5", Some("2025-11-24T16:00:00.5Z")),
        (r#""1764000000""#, Some("2025-11-24T16:00:00Z")),
        (r#""2025-11-24T16:00:00Z""#, Some("2025-11-24T16:00:00Z")),
        (r#""2025-11-24T18:00:00.123456+02:00""#, Some("2025-11-24T16:00:00.123Z")),
        ("0", Some("1970-01-01T00:00:00Z")),
        ("-1", Some("1969-12-31T23:59:59Z")),
        (r#""yesterday""#, None),
        (r#""2025-11-24""#, None),
        (r#""2025-13-24T16:00:00Z""#, None),
        ("1764000000123456789", None),
        ("1e308", None),
        ("1e999", None),
        (r#""inf""#, None),
        (r#""NaN""#, None),
        ("true", None),
        ("{}", None),
    ] {
        let time = time.map(|time| time.parse().expect("a time"));
        let decoded = message(&format!(r#"{{"time": {value}, "expires": {value}}}"#));
        assert_eq!((decoded.sent_at, decoded.expires), (time, time), "{value}");
    }
    assert_eq!(message(r#"{"date": 0}"#).sent_at, Some(Timestamp::UNIX_EPOCH));
    assert_eq!(message("x").received_at.to_string(), "2026-11-23T10:00:00.123Z");
}

#[test]
fn only_links_to_the_web_and_to_mail_become_links() {
    for (value, url) in [
        (r#""https://a.example/x?y=1""#, Some("https://a.example/x?y=1")),
        (r#"" http://a.example ""#, Some("http://a.example/")),
        (r#""HTTPS://A.example""#, Some("https://a.example/")),
        (r#""mailto:me@a.example""#, Some("mailto:me@a.example")),
        (r#""file:///etc/passwd""#, None),
        (r#""javascript:alert(1)""#, None),
        (r#""smb://a.example/x""#, None),
        (r#""java\nscript:alert(1)""#, None),
        (r#""a.example""#, None),
        (r#""/x""#, None),
        ("7", None),
        ("null", None),
    ] {
        let text = format!(r#"{{"url": {value}, "actions": [{{"label": "Go", "url": {value}}}]}}"#);
        let decoded = message(&text);
        assert_eq!(decoded.url.as_ref().map(url::Url::as_str), url, "{value}");
        let action = decoded.actions.first().map(|action| action.url.as_str());
        assert_eq!(action, url, "{value}");
    }
    let decoded = message(r#"{"url": "file:///x", "link": "https://a.example/"}"#);
    assert_eq!(decoded.url.map(String::from).as_deref(), Some("https://a.example/"));
}

#[test]
fn the_other_fields_are_read_and_their_nonsense_is_dropped() {
    let decoded = message(
        r#"{"icon": "mail", "image": "https://a.example/i.png", "group": "g", "silent": true,
            "actions": [{"label": " ", "url": "https://a.example"}, 7, {"url": "https://a.example"},
                        {"label": "Open\nit", "url": "https://a.example"}]}"#,
    );
    assert_eq!(decoded.icon.as_deref(), Some("mail"));
    assert_eq!(decoded.image.as_deref(), Some("https://a.example/i.png"));
    assert_eq!(decoded.tag.as_deref(), Some("g"));
    assert!(decoded.silent && decoded.unread);
    let labels: Vec<&str> = decoded.actions.iter().map(|action| action.label.as_str()).collect();
    assert_eq!(labels, ["Open it"]);

    let nonsense = message(r#"{"icon": {}, "image": [], "tag": null, "silent": "perhaps", "actions": "x"}"#);
    assert_eq!((nonsense.icon, nonsense.image, nonsense.tag), (None, None, None));
    assert!(!nonsense.silent && nonsense.actions.is_empty());

    let many =
        format!(r#"{{"actions": [{}]}}"#, [r#"{"label": "a", "url": "https://a.example"}"#; 100].join(","));
    assert_eq!(message(&many).actions.len(), 8);
}

#[test]
fn protocol_noise_is_ignored_only_if_it_is_exactly_that() {
    for noise in ["HeartBeat", "ping", "pong", ""] {
        assert_eq!(decode(&profile(), Payload::Text(noise.into()), received()), None);
    }
    for text in ["heartbeat", "ping ", "\n"] {
        message(text);
    }
    let all = ChannelProfile { ignore: Vec::new(), ..profile() };
    assert!(decode(&all, Payload::Text(String::new()), received()).is_some());
}

#[test]
fn a_binary_frame_is_a_message_that_keeps_its_bytes() {
    let decoded = decode(&profile(), Payload::Binary(vec![0, 255]), received()).expect("a message");
    assert_eq!((decoded.title.as_str(), decoded.body.as_str()), ("Orders", "Binary message, 2 bytes"));
    assert_eq!(decoded.raw, Raw::Binary(vec![0, 255]));
    assert!(decode(&profile(), Payload::Binary(Vec::new()), received()).is_some(), "an empty one too");
}

#[test]
fn raw_is_printed_as_text_or_as_base64() {
    let text = serde_json::to_string(&Raw::Text("a\0\"".into())).expect("JSON");
    assert_eq!(text, r#""a\u0000\"""#);
    let binary = serde_json::to_string(&Raw::Binary(vec![0, 255])).expect("JSON");
    assert_eq!(binary, r#"{"base64":"AP8="}"#);
    assert_eq!(serde_json::to_value(message(r#"{"priority": 4}"#)).expect("JSON")["priority"], 4);
}

#[test]
fn a_million_brackets_are_only_a_text() {
    let deep = "[".repeat(500_000) + &"]".repeat(500_000);
    assert_eq!(title_and_body(&deep), ("Orders".into(), deep.clone()));
    let open = r#"{"a":"#.repeat(200_000);
    assert_eq!(title_and_body(&open), ("Orders".into(), open.clone()));
    let field = format!(r#"{{"title": "T", "body": {deep}, "actions": {deep}, "url": {deep}}}"#);
    assert_eq!(title_and_body(&field), ("T".into(), deep));
}

#[test]
fn a_frame_of_a_mebibyte_is_read_like_any_other() {
    let long = "长".repeat((1 << 20) / 3);
    assert_eq!(title_and_body(&format!(r#"{{"title": "{long}", "body": "B"}}"#)), (long, "B".into()));
    let nul = "\0".repeat(1 << 20);
    assert_eq!(title_and_body(&nul), ("Orders".into(), " ".repeat(1 << 20)));
}

/// Any JSON, with the names that the mapping knows among its keys.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let key = prop_oneof![
        4 => prop::sample::select(vec![
            "title", "subject", "body", "text", "id", "time", "priority", "url", "icon", "image", "tag", "actions", "label",
            "silent", "expires",
        ]).prop_map(String::from),
        1 => any::<String>(),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn holds(text: &str) {
    let Some(message) = decode(&profile(), Payload::Text(text.to_owned()), received()) else {
        assert!(ChannelProfile::DEFAULT_IGNORE.contains(&text));
        return;
    };
    assert_eq!(message.raw, Raw::Text(text.to_owned()));
    assert!(!message.title.is_empty() && !message.title.contains(char::is_control));
    assert!(!message.body.contains('\0'));
    assert!((1..=5).contains(&message.priority.level()));
}

proptest! {
    #[test]
    fn any_text_becomes_a_message_that_keeps_it(text in any::<String>()) {
        holds(&text);
    }

    #[test]
    fn any_json_becomes_a_message_that_keeps_it(json in json()) {
        holds(&json.to_string());
    }

    #[test]
    fn any_near_json_becomes_a_message_that_keeps_it(text in r#"[{}\[\]",:0-9eE.+\\ud8 -]{0,60}"#) {
        holds(&text);
        holds(&format!(r#"{{"title": {text}}}"#));
    }
}
