//! What a frame says as a message.

use jiff::Timestamp;
use proptest::prelude::*;
use tidings_inbox::{
    About, ChannelProfile, Condition, Format, Message, Payload, Priority, Published, Raw, Urgency,
};

fn profile() -> ChannelProfile {
    ChannelProfile::new("orders", "Orders")
}

fn received() -> Timestamp {
    "2026-11-23T10:00:00.123456789Z".parse().expect("a time")
}

/// The only message of a frame; `None` if it is ignored.
fn decode(profile: &ChannelProfile, payload: Payload, received_at: Timestamp) -> Option<Message> {
    let mut decoded = tidings_inbox::decode(profile, payload, received_at);
    assert_eq!(decoded.messages.len() + usize::try_from(decoded.ignored).expect("few"), 1, "{decoded:?}");
    decoded.messages.pop()
}

/// Titles of the messages of a frame.
fn titles(text: &str) -> Vec<String> {
    let decoded = tidings_inbox::decode(&profile(), Payload::Text(text.to_owned()), received());
    decoded.messages.into_iter().map(|message| message.title).collect()
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
        r#"{"title": "one"} and more"#,
        r#"[{"title": "one"}, "and more"]"#,
        "[]",
        r#"{title: "no JSON"}"#,
    ] {
        assert_eq!(title_and_body(text), ("Orders".into(), text.into()));
    }
}

#[test]
fn what_a_person_wrote_is_in_the_channels_format_and_what_a_program_wrote_is_plain() {
    let profile = ChannelProfile { format: Format::Markdown, ..profile() };
    for (text, format) in [
        ("**Tea** is ready", Format::Markdown),
        (r#"{"title": "*Tea*", "body": "is **ready**"}"#, Format::Markdown),
        // All of an object of somebody's own making, a link, and nothing at all.
        (r#"{"cup_of_tea": "_", "pot_of_tea": "_"}"#, Format::Plain),
        (r#"{"url": "https://x.example/a_b_c"}"#, Format::Plain),
        (r#"{"title": "*Tea*"}"#, Format::Plain),
    ] {
        let message = decode(&profile, Payload::Text(text.to_owned()), received()).expect("a message");
        assert_eq!(message.format, format, "{text}");
    }
    let binary = decode(&profile, Payload::Binary(vec![0, 1, 255]), received()).expect("a message");
    assert_eq!(binary.format, Format::Plain);
    assert_eq!(message("**Tea**").format, Format::Plain);
}

#[test]
fn a_media_type_tells_markdown_whatever_stands_around_it() {
    for markdown in
        ["text/markdown", "Text/Markdown; charset=UTF-8", " text/markdown;variant=GFM", "text/x-markdown"]
    {
        assert_eq!(Format::of_media_type(markdown), Format::Markdown, "{markdown}");
    }
    for plain in ["", "text/plain", "text/html; text/markdown", "application/json", "markdown"] {
        assert_eq!(Format::of_media_type(plain), Format::Plain, "{plain}");
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
        (r#"{"title": "\u200b", "subject": "T", "body": " \u2060", "text": "B"}"#, "T", "B"),
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
        ("{\"title\": \"T\", \"body\": \"B\"}\0", "T", "B"),
        ("\0\u{1e}{\"title\": \"T\", \"body\": \"B\"}\u{1e}\r\n\0\0", "T", "B"),
        ("Tea is ready\0", "Orders", "Tea is ready"),
        (r#"{"title": "T", "body": "half \ud800 a pair"}"#, "T", r#""half \ud800 a pair""#),
    ] {
        assert_eq!(title_and_body(text), (title.into(), body.into()), "{text}");
    }
}

#[test]
fn an_object_with_neither_title_nor_body_is_shown_whole() {
    for text in [
        r#"{"who": "me"}"#,
        r#"{"title": "", "who": "me"}"#,
        r#"{"id": "7", "title": null}"#,
        r#"{"Title": "names are exact"}"#,
    ] {
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
fn numbers_of_other_scales_are_read_by_their_name_and_never_cry_wolf() {
    let (low, normal, high, urgent) = (Priority::LOW, Priority::NORMAL, Priority::HIGH, Priority::URGENT);
    for (member, priority) in [
        // syslog
        (r#""severity": 0"#, urgent),
        (r#""severity": 2"#, urgent),
        (r#""severity": 3"#, high),
        (r#""severity": "4""#, high),
        (r#""severity": 5"#, normal),
        (r#""severity": 6"#, normal),
        (r#""severity": 7"#, low),
        // OpenTelemetry
        (r#""severity": 9"#, normal),
        (r#""severity": 17"#, high),
        (r#""severity": 21"#, urgent),
        (r#""severity": 100"#, normal),
        (r#""severity": -1"#, normal),
        (r#""severity": "crit""#, urgent),
        (r#""severity": "Emerg""#, urgent),
        (r#""severity": "notice""#, normal),
        // pino, bunyan, Python
        (r#""level": 10"#, low),
        (r#""level": 20"#, normal),
        (r#""level": 30"#, normal),
        (r#""level": 40"#, high),
        (r#""level": 50"#, high),
        (r#""level": 60"#, urgent),
        (r#""level": 1000"#, normal),
        (r#""level": 0"#, normal),
        (r#""level": 5"#, normal),
        (r#""level": 7"#, low),
        (r#""level": 7, "short_message": "from Graylog""#, low),
        (r#""level": 0, "short_message": "from Graylog""#, urgent),
        (r#""level": 5, "short_message": "from Graylog""#, normal),
        (r#""level": "fatal""#, urgent),
        (r#""level": "trace""#, Priority::LOWEST),
        (r#""urgency": 0"#, low),
        (r#""urgency": 1"#, normal),
        (r#""urgency": 2"#, normal),
        (r#""urgency": 5"#, urgent),
        // What one name doesn't tell, the next may.
        (r#""level": 3, "severity": 7"#, low),
        (r#""priority": 2, "severity": 0"#, low),
    ] {
        let read = message(&format!("{{{member}}}"));
        assert_eq!(read.priority, priority, "{member}");
        assert_eq!(read.urgency == Urgency::Critical, priority == urgent, "{member}");
    }
}

#[test]
fn a_mapping_that_names_another_place_keeps_the_scale_of_its_name() {
    let source = |text| tidings_inbox::Source::parse(text).expect("a source");
    for (place, priority) in [("/log/level", Priority::NORMAL), ("{{ log.level }}", Priority::URGENT)] {
        let mapping = [(tidings_inbox::Field::Priority, source(place))].into();
        let profile = ChannelProfile { mapping, ..profile() };
        let read = decode(&profile, Payload::Text(r#"{"log": {"level": 30}}"#.into()), received());
        assert_eq!(read.expect("a message").priority, priority, "{place}");
    }
}

#[test]
fn times_are_unix_or_written_and_anything_else_is_none() {
    for (value, time) in [
        ("1764000000", Some("2025-11-24T16:00:00Z")),
        ("1764000000123", Some("2025-11-24T16:00:00.123Z")),
        ("1764000000123456", Some("2025-11-24T16:00:00.123Z")),
        ("1764000000123456789", Some("2025-11-24T16:00:00.123Z")),
        ("1764000000.5", Some("2025-11-24T16:00:00.5Z")),
        (r#""1764000000""#, Some("2025-11-24T16:00:00Z")),
        (r#""2025-11-24T16:00:00Z""#, Some("2025-11-24T16:00:00Z")),
        (r#""2025-11-24T18:00:00.123456+02:00""#, Some("2025-11-24T16:00:00.123Z")),
        (r#""Mon, 24 Nov 2025 16:00:00 GMT""#, Some("2025-11-24T16:00:00Z")),
        (r#""yesterday""#, None),
        (r#""2025-11-24""#, None),
        (r#""2025-13-24T16:00:00Z""#, None),
        ("1e308", None),
        ("1e999", None),
        (r#""inf""#, None),
        (r#""NaN""#, None),
        ("true", None),
        ("null", None),
        ("{}", None),
    ] {
        let time = time.map(|time| time.parse().expect("a time"));
        let sent = message(&format!(r#"{{"time": {value}}}"#)).sent_at;
        let expires = message(&format!(r#"{{"expires": {value}}}"#)).expires;
        assert_eq!((sent, expires), (time, time), "{value}");
    }
    assert_eq!(message(r#"{"date": 0}"#).sent_at, Some(Timestamp::UNIX_EPOCH));
    assert_eq!(message("x").received_at.to_string(), "2026-11-23T10:00:00.123Z");
}

#[test]
fn an_end_may_be_a_duration_and_what_is_no_time_is_no_end() {
    for (value, end) in [
        ("3600", Some("2026-11-23T11:00:00.123Z")),
        (r#""3600""#, Some("2026-11-23T11:00:00.123Z")),
        ("0.5", Some("2026-11-23T10:00:00.623Z")),
        (r#""1h""#, Some("2026-11-23T11:00:00.123Z")),
        (r#""1h 30m""#, Some("2026-11-23T11:30:00.123Z")),
        (r#""PT1H""#, Some("2026-11-23T11:00:00.123Z")),
        ("0", None),
        ("-1", None),
        ("-1764000000", None),
        (r#""0""#, None),
        (r#""-1h""#, None),
        (r#""0s""#, None),
        (r#""""#, None),
        (r#""never""#, None),
        ("false", None),
        ("null", None),
        ("[3600]", None),
    ] {
        let end = end.map(|end| end.parse().expect("a time"));
        assert_eq!(message(&format!(r#"{{"expires": {value}}}"#)).expires, end, "{value}");
    }
    // Over as it is sent, or before.
    for (time, expires, is_one) in [
        ("1764000000", "1764000000", false),
        ("1764000000", "1763000000", false),
        ("1764000000", "1764000001", true),
    ] {
        let read = message(&format!(r#"{{"time": {time}, "expires": {expires}}}"#));
        assert_eq!(read.expires.is_some(), is_one, "{time} {expires}");
    }
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
        let action = decoded.actions.first().and_then(|action| action.opens()).map(url::Url::as_str);
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
    assert_eq!(labels, ["a.example", "a.example", "Open it"]);

    let nonsense = message(r#"{"icon": {}, "image": [], "tag": null, "silent": "perhaps", "actions": "x"}"#);
    assert_eq!((nonsense.icon, nonsense.image, nonsense.tag), (None, None, None));
    assert!(!nonsense.silent && nonsense.actions.is_empty());

    let many =
        format!(r#"{{"actions": [{}]}}"#, [r#"{"label": "a", "url": "https://a.example"}"#; 100].join(","));
    assert_eq!(message(&many).actions.len(), 8);
}

#[test]
fn protocol_noise_is_ignored() {
    for noise in [
        "HeartBeat",
        "ping",
        "pong",
        "",
        "heartbeat",
        "ping \n",
        "\u{feff}ping\0",
        "{}",
        r#"{"type": "ping", "ts": 1}"#,
    ] {
        assert_eq!(decode(&profile(), Payload::Text(noise.into()), received()), None, "{noise:?}");
    }
    for text in ["ping me", "tick", r#"{"type": "ping", "text": "wake up"}"#] {
        message(text);
    }
    let own = ChannelProfile { ignore: vec!["tick".into()], ..profile() };
    assert_eq!(decode(&own, Payload::Text("tick".into()), received()), None);
    let all = ChannelProfile { ignore: Vec::new(), ..profile() };
    for text in ["", "ping", "{}", r#"{"type": "ping"}"#] {
        assert!(decode(&all, Payload::Text(text.into()), received()).is_some(), "{text:?}");
    }
}

#[test]
fn what_an_expression_is_true_of_is_noise_too() {
    let ignore_when = Condition::parse("json.kind == 'tick' or 'debug' in title").expect("an expression");
    let profile = ChannelProfile { ignore_when: Some(ignore_when), ..profile() };
    let text = r#"{"kind": "tick", "text": "17"} {"title": "debug: 1"} {"title": "T"}"#;
    let decoded = tidings_inbox::decode(&profile, Payload::Text(text.into()), received());
    assert_eq!(decoded.ignored, 2);
    assert_eq!(decoded.messages.iter().map(|message| &message.title).collect::<Vec<_>>(), ["T"]);
}

#[test]
fn what_is_noise_may_hang_on_the_topic_that_stands_beside_the_frame() {
    let ignore_when = Condition::parse("topic in ['home/debug', 'tick']").expect("an expression");
    let profile = ChannelProfile { ignore_when: Some(ignore_when), ..profile() };
    for (topic, published, noise) in [
        ("home/debug", Some(Published::default()), true),
        ("home/door", Some(Published::default()), false),
        // An event's name.
        ("tick", None, true),
        ("order", None, false),
    ] {
        let about = About { topic: Some(topic.to_owned()), published, ..About::default() };
        let text = Payload::Text("open".to_owned());
        let decoded = tidings_inbox::decode_beside(&profile, text, about, received());
        assert_eq!(decoded.messages.is_empty(), noise, "{topic}");
        assert!(decoded.messages.iter().all(|message| message.topic.as_deref() == Some(topic)));
    }
}

#[test]
fn a_frame_may_hold_several_messages() {
    for text in [
        "{\"title\": \"1\"}\n{\"title\": \"2\"}\n",
        r#"{"title": "1"}{"title": "2"}"#,
        "{\"title\": \"1\"}\u{1e}{\"title\": \"2\"}\u{1e}",
        "{\"title\": \"1\"}\0{\"title\": \"2\"}\0",
        r#" [{"title": "1"}, {"title": "2"}] "#,
        r#"{"title": "1"} {"type": "ping"} {"title": "2"}"#,
    ] {
        assert_eq!(titles(text), ["1", "2"], "{text:?}");
    }
    assert_eq!(titles(r#"[{"title": "alone"}]"#), ["alone"]);
    let text = r#"[{"id": 1, "title": "1"}, {"id": 2, "title": "2"}]"#;
    let decoded = tidings_inbox::decode(&profile(), Payload::Text(text.into()), received());
    let second = decoded.messages.last().expect("two");
    assert_eq!(second.id.as_deref(), Some("2"));
    assert_eq!(second.raw, Raw::Text(r#"{"id": 2, "title": "2"}"#.into()), "its own part");
    let many = r#"{"title": "x"}"#.repeat(1_001);
    assert_eq!(titles(&many), ["Orders"], "so many are none");
}

#[test]
fn what_shows_nothing_calls_nobody() {
    for text in [" ", "\n", "\u{200b}\u{2060}\u{feff}", "\0"] {
        assert_eq!(decode(&profile(), Payload::Text(text.into()), received()), None, "{text:?}");
    }
    for text in [
        r#"{"body": ""}"#,
        r#"{"id": 7, "title": " ", "body": "\u200b"}"#,
        r#"{"message": "\n", "level": "info"}"#,
    ] {
        let read = message(text);
        assert_eq!(
            (read.title.as_str(), read.body.trim(), read.silent, read.unread),
            ("Orders", "", true, false)
        );
    }
    let link = message(r#"{"title": "", "url": "https://a.example/x"}"#);
    assert_eq!((link.body.as_str(), link.silent), ("https://a.example/x", false));
}

#[test]
fn a_binary_frame_is_read_if_it_is_text_and_keeps_its_bytes() {
    let json = r#"{"id": 7, "title": "T", "body": "长"}"#;
    let read = decode(&profile(), Payload::Binary(json.into()), received()).expect("a message");
    assert_eq!((read.title.as_str(), read.body.as_str(), read.id.as_deref()), ("T", "长", Some("7")));
    assert_eq!(read.raw, Raw::Binary(json.into()));
    let plain =
        decode(&profile(), Payload::Binary(b"Tea is ready\n\0".to_vec()), received()).expect("a message");
    assert_eq!((plain.body.trim(), plain.opaque), ("Tea is ready", false));
    for noise in [&b"ping"[..], b"", b" \n"] {
        assert_eq!(decode(&profile(), Payload::Binary(noise.to_vec()), received()), None, "{noise:?}");
    }
    for bytes in [vec![0, 255], vec![0], vec![1, 2, 3], b"PNG\x1a\n".to_vec()] {
        let decoded = decode(&profile(), Payload::Binary(bytes.clone()), received()).expect("a message");
        assert_eq!((decoded.title.as_str(), decoded.body.as_str(), decoded.opaque), ("Orders", "", true));
        assert_eq!(decoded.raw, Raw::Binary(bytes));
    }
}

#[test]
fn text_that_is_no_utf_8_is_read_as_far_as_it_can_be() {
    let bytes = b"{\"id\": 2, \"title\": \"caf\xe9\"}".to_vec();
    let read = decode(&profile(), Payload::Garbled(bytes.clone()), received()).expect("a message");
    assert_eq!((read.title.as_str(), read.id.as_deref(), read.opaque), ("caf\u{fffd}", Some("2"), false));
    assert_eq!(read.raw, Raw::Binary(bytes), "as it came");
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
    let nul = format!("a{}b", "\0".repeat(1 << 20));
    assert_eq!(title_and_body(&nul), ("Orders".into(), nul.replace('\0', " ")));
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
    let all = ChannelProfile { ignore: Vec::new(), ..profile() };
    let mut decoded = tidings_inbox::decode(&all, Payload::Text(text.to_owned()), received());
    assert_eq!(decoded.ignored, 0);
    let Some(message) = decoded.messages.pop() else { panic!("lost: {text:?}") };
    if !text.contains(['[', '{']) {
        assert_eq!(message.raw, Raw::Text(text.to_owned()));
    }
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
