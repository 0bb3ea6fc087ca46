//! Whatever a server sends, read with whatever settings. `cargo fuzz` calls it with bytes of its own making, and
//! a test with those that it kept (`fuzz/README.md`). Behind the feature `fuzzing`, and no part of the public surface.

use jiff::Timestamp;

use crate::policy::decide;
use crate::{ChannelProfile, Condition, Decoded, Field, Message, Payload, Raw, Rule, Source, decode, search};

/// The mapping and the rules: `input` is a frame, or settings of its channel, an empty line and a frame. Each
/// line of the settings is the name of a field and its source (`title=/a/b`), `when=` and a condition, `name=` or
/// `ignore=`; all else is passed over. Nothing makes it panic, and the frame is kept as it came.
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
    let Decoded { messages, ignored } = decoded;
    assert!(ignored > 0 || !messages.is_empty(), "lost");
    let alone = messages.len() == 1 && ignored == 0;
    for mut message in messages {
        let kept = match &message.raw {
            Raw::Text(text) => text.as_bytes(),
            Raw::Binary(bytes) => bytes,
        };
        assert!(
            kept == frame
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
    let Message { id, title, body, icon, image, tag, actions, url, .. } = message;
    for line in [Some(title), icon.as_ref(), image.as_ref(), tag.as_ref()].into_iter().flatten() {
        assert!(!line.contains(char::is_control) && line.trim() == line, "{line:?}");
    }
    assert!(!body.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{body:?}");
    assert!(id.as_ref().is_none_or(|id| (1..=512).contains(&id.len())), "{id:?}");
    assert!(actions.len() <= 8, "{actions:?}");
    for link in actions.iter().map(|action| &action.url).chain(url) {
        assert!(["http", "https", "mailto"].contains(&link.scheme()), "{link}");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

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
}
