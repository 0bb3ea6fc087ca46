//! A channel's own mapping and its rules.

use std::sync::Arc;

use crate::support::{file, folder, open_well, orders, text};
use jiff::Timestamp;
use proptest::prelude::*;
use tidings_inbox::{
    ChannelProfile, Field, Message, Payload, Popup, Priority, Raw, Rule, Sound, Source, SourceError, Then,
    Urgency,
};

fn mapped(mapping: &[(Field, &str)]) -> ChannelProfile {
    let source = |(field, text): &(Field, &str)| (*field, Source::parse(text).expect("a good source"));
    ChannelProfile {
        mapping: mapping.iter().map(source).collect(),
        ..ChannelProfile::new("orders", "Orders")
    }
}

fn read(profile: &ChannelProfile, json: &str) -> Message {
    let decoded = tidings_inbox::decode(profile, Payload::Text(json.to_owned()), Timestamp::UNIX_EPOCH);
    decoded.messages.into_iter().next().expect("a message")
}

const NESTED: &str = r#"{"payload": {"subject": "Order 17", "who": "Ann", "text": "pays <b>", "n": 12345678901234567890123,
    "a/b": {"~": "odd"}, "list": ["zero", {"x": "one"}]}, "title": "usual", "body": "usual body"}"#;

#[test]
fn fields_come_from_pointers_and_templates() {
    let profile = mapped(&[
        (Field::Title, "/payload/subject"),
        (Field::Body, "{{ payload.who }}: {{ payload.text }}"),
        (Field::Id, "/payload/n"),
        (Field::Tag, "/payload/a~1b/~0"),
        (Field::Icon, "/payload/list/1/x"),
        (Field::Priority, "{% if payload.text is startingwith 'pays' %}high{% endif %}"),
        (Field::Url, "https://shop.example/{{ json.payload.list | length }}?{{ raw | length > 9 }}"),
        (Field::Actions, r#"[{"label": "Go", "url": "https://a.example/{{ payload.who }}"}]{# {{ #}"#),
    ]);
    let message = read(&profile, NESTED);
    assert_eq!((message.title.as_str(), message.body.as_str()), ("Order 17", "Ann: pays <b>"));
    assert_eq!(message.id.as_deref(), Some("12345678901234567890123"), "digits are kept");
    assert_eq!((message.tag.as_deref(), message.icon.as_deref()), (Some("odd"), Some("one")));
    assert_eq!((message.priority, message.urgency), (Priority::HIGH, Urgency::Normal));
    assert_eq!(message.url.map(String::from).as_deref(), Some("https://shop.example/2?True"));
    assert_eq!(message.actions[0].opens().map(url::Url::as_str), Some("https://a.example/Ann"));
    assert_eq!(message.raw, Raw::Text(NESTED.to_owned()));
}

#[test]
fn what_a_source_does_not_find_is_read_by_the_usual_names() {
    for source in [
        "/payload/nothing",
        "/payload/list/01",
        "/payload/list/-",
        "/payload/subject/x",
        "/payload/list/+1",
        "{{ payload.nothing }}",
        "{{ nothing.at.all }}",
        "{{ payload.who | nonsense_of(1) }}",
        "{{ 1 / 0 }}",
        "{% if false %}x{% endif %}",
        "{{ 'x' * 999999 }}",
        "{{ range(100000) | list | length }}{{ nothing }}",
    ] {
        let Ok(source) = Source::parse(source) else { continue };
        let mut profile = ChannelProfile::new("orders", "Orders");
        profile.mapping = [(Field::Title, source.clone()), (Field::Body, source.clone())].into();
        let message = read(&profile, NESTED);
        assert_eq!((message.title.as_str(), message.body.as_str()), ("usual", "usual body"), "{source:?}");
    }
    let plain = read(&mapped(&[(Field::Body, "{{ a }}")]), "no JSON");
    assert_eq!(plain.body, "no JSON");
    let deep = format!(r#"{{"a": {}1{}, "body": "deep"}}"#, "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(read(&mapped(&[(Field::Body, "{{ a }}")]), &deep).body, "deep");
}

#[test]
fn a_source_that_is_none_is_told() {
    assert_eq!(Source::parse("payload.x"), Err(SourceError::Neither));
    let Err(SourceError::Template(error)) = Source::parse("{{ a }} {{ b ") else { panic!("it compiled") };
    assert!(error.at > 7, "{error:?}");
    assert!(Source::parse("").is_ok(), "all of it");
}

fn rule(when: &str, change: impl FnOnce(&mut Rule)) -> Rule {
    let mut rule = Rule::new(Some(when)).expect("a good rule");
    change(&mut rule);
    rule
}

#[tokio::test]
async fn the_first_rule_that_matches_counts() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    let rules = vec![
        rule("json.kind == 'noise'", |rule| rule.then = Some(Then::Store)),
        rule("'fire' in title or priority >= 5", |rule| {
            rule.urgency = Some(Urgency::Critical);
            rule.sound = Some(Sound::Named("siren".into()));
        }),
        rule("tag == 'chat' and channel == 'orders'", |rule| rule.then = Some(Then::Silent)),
        rule("'now' in body and not url", |rule| rule.then = Some(Then::Notify)),
        // Can't be asked of most messages, and so doesn't match them.
        rule("json.list[0] + 1 > 1 and 1 / json.zero > 0", |rule| rule.then = Some(Then::Store)),
    ];
    let channel = Arc::new(ChannelProfile { rules, ..ChannelProfile::new("orders", "Orders") });
    for (message, shown) in [
        (r#"{"title": "fire", "kind": "noise"}"#, None),
        (r#"{"title": "a fire"}"#, Some((Urgency::Critical, Sound::Named("siren".into())))),
        (r#"{"title": "a fire", "silent": true}"#, None),
        (r#"{"body": "x", "tag": "chat"}"#, Some((Urgency::Normal, Sound::Off))),
        (r#"{"body": "now", "silent": true, "priority": 1}"#, Some((Urgency::Low, Sound::Usual))),
        (r#"{"body": "else", "zero": 0, "list": [1]}"#, Some((Urgency::Normal, Sound::Usual))),
        ("text", Some((Urgency::Normal, Sound::Usual))),
    ] {
        inbox.receive(text(&channel, message)).await;
        let stored = inbox.recent(1).await.remove(0);
        assert_eq!(stored.raw, Raw::Text(message.into()));
        let Some(shown) = shown else {
            assert!(screen.is_empty(), "{message}");
            continue;
        };
        let Popup::Message(popup) = screen.next().await else { panic!("a message") };
        assert_eq!((popup.urgency, popup.sound.clone()), shown, "{message}");
        assert_eq!(*popup, stored, "and the file has it");
    }
    assert!(Rule::new(Some("title ==")).is_err());
    assert!(Rule::new(None).is_ok());
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
    ];
    let key = prop_oneof![Just("title".to_owned()), Just("a".to_owned()), Just("0".to_owned()), ".{0,4}"];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_mapping_of_any_json_keeps_the_text(
        value in json(),
        pointer in "(/(a|0|title|~0|.{0,3})){0,3}",
        template in prop::sample::select(vec![
            "{{ a }}", "{{ a.a[0].title }}", "{{ json }}", "{% for x in json %}{{ x }}{% endfor %}{{ raw }}",
            "{{ a | upper | replace(title, '0') }}", "{{ title ~ a * 3 }}", "{{ a < title }}", "{{ (a, title) | sort }}",
        ]),
        swap in any::<bool>(),
    ) {
        let (first, second) = if swap { (pointer.as_str(), template) } else { (template, pointer.as_str()) };
        let sources: Vec<_> = Field::ALL.iter().enumerate()
            .map(|(index, (_, field))| (*field, if index % 2 == 0 { first } else { second }))
            .filter(|(_, source)| Source::parse(source).is_ok())
            .collect();
        let text = value.to_string();
        let mut profile = mapped(&sources);
        profile.ignore.clear();
        let message = read(&profile, &text);
        if !text.starts_with('[') {
            prop_assert_eq!(&message.raw, &Raw::Text(text));
        }
        prop_assert!(!message.title.is_empty());
        for when in ["json.a.a > 1", "title in body", "json[0] == json.a", "raw"] {
            let _ = Rule::new(Some(when)).expect("a rule");
        }
    }
}

#[tokio::test]
async fn a_rule_alone_is_for_every_message() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    let mut low = Rule::new(None).expect("a rule");
    low.urgency = Some(Urgency::Low);
    let channel = Arc::new(ChannelProfile { rules: vec![low], ..(*orders()).clone() });
    inbox.receive(text(&channel, r#"{"title": "x", "priority": 5}"#)).await;
    let Popup::Message(message) = screen.next().await else { panic!("a message") };
    assert_eq!((message.urgency, message.priority), (Urgency::Low, Priority::URGENT));
}
