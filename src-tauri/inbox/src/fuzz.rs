//! Whatever a server sends, read with whatever settings. `cargo fuzz` calls it with bytes of its own making, and
//! a test with those that it kept (`fuzz/README.md`). Behind the feature `fuzzing`, and no part of the public surface.

use jiff::Timestamp;

use crate::policy::decide;
use crate::{
    ChannelProfile, Condition, Decoded, Does, Field, Message, Payload, Raw, Reads, Rule, Source, decode,
    search,
};

/// The mapping and the rules: `input` is a frame, or settings of its channel, an empty line and a frame. Each
/// line of the settings is the name of a field and its source (`title=/a/b`), `when=` and a condition, `reads=ntfy` or `reads=gotify`,
/// `name=` or `ignore=`; all else is passed over. Nothing makes it panic, and the frame is kept as it came.
pub fn decoding(input: &[u8]) {
    let (settings, frame) = match input.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (String::from_utf8_lossy(&input[..end]), &input[end + 2..]),
        None => ("".into(), input),
    };
    let profile = profile(&settings);
    let payload = || match String::from_utf8(frame.to_vec()) {
        Ok(text) => Payload::Text(text),
        Err(error) => Payload::Binary(error.into_bytes()),
    };
    let read = || decode(&profile, payload(), Timestamp::UNIX_EPOCH);
    let decoded = read();
    assert_eq!(read(), decoded, "read otherwise the second time");
    let Decoded { messages, recalls, ignored } = decoded;
    assert!(ignored > 0 || !messages.is_empty() || !recalls.is_empty(), "lost");
    let alone = messages.len() == 1 && ignored == 0;
    for mut message in messages {
        let kept = match &message.raw {
            Raw::Text(text) => text.as_bytes(),
            Raw::Binary(bytes) => bytes,
        };
        assert!(
            kept == frame
                || profile.reads == Reads::Ntfy && kept.windows(5).any(|part| part == "\"…\"".as_bytes())
                || (!alone || frame.contains(&b'[')) && frame.windows(kept.len()).any(|part| part == kept),
            "not kept as it came"
        );
        assert_promises(&message);
        let as_read = message.clone();
        let _ = decide(&profile, &mut message);
        let Message { urgency, ref sound, .. } = message;
        assert_eq!(
            message,
            Message { urgency, sound: sound.clone(), ..as_read },
            "a rule changes nothing else"
        );
        let _ = search::indexed(&message.title, &message.body);
        let _ = search::query(&message.body, |_| None);
    }
}

fn profile(settings: &str) -> ChannelProfile {
    let mut profile = ChannelProfile::new("orders", "Orders");
    for (name, text) in settings.lines().filter_map(|line| line.split_once('=')) {
        match (name, Field::ALL.iter().find(|(field, _)| *field == name)) {
            (_, Some((_, field))) => {
                profile.mapping.extend(Source::parse(text).map(|source| (*field, source)));
            }
            ("when", None) => match Rule::new(Some(text)) {
                Ok(rule) => profile.rules.push(rule),
                Err(mistake) => assert!(mistake.at <= text.len(), "{mistake:?} in {text:?}"),
            },
            ("reads", None) => {
                profile.reads = match text {
                    "ntfy" => Reads::Ntfy,
                    "gotify" => Reads::Gotify,
                    _ => Reads::Usual,
                }
            }
            ("name", None) => text.clone_into(&mut profile.name),
            ("ignore_when", None) => profile.ignore_when = Condition::parse(text).ok(),
            ("ignore", None) => profile.ignore.push(text.to_owned()),
            _ => {}
        }
    }
    profile
}

/// What the fields of a [`Message`] say of themselves.
fn assert_promises(message: &Message) {
    let Message { id, title, body, icon, image, tag, actions, url, topic, tags, attachments, .. } = message;
    let lines = [Some(title), icon.as_ref(), image.as_ref(), tag.as_ref(), topic.as_ref()];
    let labels = actions.iter().map(|action| &action.label);
    let files = attachments.iter().flat_map(|file| [Some(&file.name), file.kind.as_ref()]);
    for line in lines.into_iter().chain(files).flatten().chain(tags).chain(labels) {
        assert!(!line.contains(char::is_control) && line.trim() == line, "{line:?}");
    }
    assert!(!body.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{body:?}");
    assert!(id.as_ref().is_none_or(|id| (1..=512).contains(&id.len())), "{id:?}");
    assert!(actions.len() <= 8 && tags.len() <= 16 && attachments.len() <= 8, "{message:?}");
    for link in actions.iter().filter_map(|action| action.opens()).chain(url) {
        assert!(["http", "https", "mailto"].contains(&link.scheme()), "{link}");
    }
    let sent = actions.iter().filter_map(|action| match &action.does {
        Does::Send(request) => Some(&request.url),
        Does::Open(_) | Does::Copy(_) => None,
    });
    for address in sent.chain(attachments.iter().map(|file| &file.url)) {
        assert!(["http", "https"].contains(&address.scheme()), "{address}");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::Value;

    use crate::{Decoded, Payload, decode};

    #[test]
    fn what_fuzzing_kept_holds() {
        let root = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
        let folder = PathBuf::from(root).join("../../fuzz/corpus/decoding");
        let mut kept = 0;
        for file in fs::read_dir(&folder).expect("the corpus") {
            let path = file.expect("a file").path();
            let bytes = fs::read(&path).expect("a file");
            // So that a failure names it.
            let run = std::panic::catch_unwind(|| super::decoding(&bytes));
            assert!(run.is_ok(), "{}", path.display());
            kept += 1;
        }
        assert!(kept > 0, "nothing in {}", folder.display());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            prop::sample::select(vec![
                "message",
                "http",
                "view",
                "copy",
                "base64",
                "AAEC",
                "https://a.example/",
                "POST"
            ])
            .prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let names = prop::sample::select(vec![
                "action",
                "label",
                "url",
                "headers",
                "body",
                "method",
                "value",
                "name",
                "size",
                "expires",
                "click",
                "client::notification",
                "type",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(names.prop_map(str::to_owned), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn frame() -> impl Strategy<Value = String> {
        let names = prop::sample::select(vec![
            "id",
            "sequence_id",
            "time",
            "expires",
            "topic",
            "title",
            "message",
            "priority",
            "tags",
            "click",
            "icon",
            "actions",
            "attachment",
            "attachments",
            "encoding",
            "appid",
            "date",
            "extras",
        ]);
        let event = prop::option::of(prop::sample::select(vec![
            "message",
            "message_delete",
            "message_clear",
            "open",
        ]));
        (prop::collection::hash_map(names.prop_map(str::to_owned), value(), 0..12), event, any::<bool>())
            .prop_map(|(members, event, id)| {
                let mut frame: serde_json::Map<String, Value> = members.into_iter().collect();
                if let Some(event) = event {
                    frame.insert("event".to_owned(), event.into());
                }
                if id {
                    frame.insert("id".to_owned(), 7.into());
                }
                Value::Object(frame).to_string()
            })
    }

    proptest! {
        #[test]
        fn whatever_is_in_a_frame_it_is_one_thing_and_keeps_its_promises(
            frame in prop_oneof![frame(), any::<String>(), r#"[{}\[\]",:0-9eE.+\\ud8 -]{0,60}"#],
            reads in prop::sample::select(vec!["ntfy", "gotify"]),
        ) {
            super::decoding(format!("reads={reads}\n\n{frame}").as_bytes());
            let Decoded { messages, recalls, ignored } =
                decode(&super::profile(&format!("reads={reads}")), Payload::Text(frame), Timestamp::UNIX_EPOCH);
            prop_assert_eq!(messages.len() as u64 + recalls.len() as u64 + ignored, 1);
        }
    }
}
