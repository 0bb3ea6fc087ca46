//! The catalogue is whole: every language says everything, with the same variables, and nothing is there for nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::catalogue::{Catalogue, FIRST, Kind, Message, PAGE};
use crate::{Language, Text, Unsaid, Words};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn catalogue() -> Catalogue {
    Catalogue::read(&here().join("locales"))
}

fn by_id(messages: &[Message]) -> BTreeMap<&str, &Message> {
    messages.iter().map(|message| (message.id(), message)).collect()
}

#[test]
fn no_message_is_missing_in_any_language_and_each_takes_the_same_variables() {
    let catalogue = catalogue();
    let first = by_id(&catalogue.languages[FIRST]);
    for (language, messages) in &catalogue.languages {
        let theirs = by_id(messages);
        assert_eq!(theirs.len(), messages.len(), "{language} says something twice");
        let ids = |known: &BTreeMap<&str, &Message>| -> BTreeSet<String> {
            known.values().map(|message| format!("{}: {}", message.file, message.id())).collect()
        };
        let (ours, others) = (ids(&first), ids(&theirs));
        assert!(
            ours == others,
            "missing in {language}: {:?}; only there: {:?}",
            ours.difference(&others).collect::<Vec<_>>(),
            others.difference(&ours).collect::<Vec<_>>()
        );
        for (id, message) in &theirs {
            assert_eq!(message.variables, first[id].variables, "{language}: {id}");
        }
    }
}

#[test]
fn every_language_of_the_catalogue_is_one_that_can_be_chosen() {
    let tags: BTreeSet<&str> = Language::ALL.into_iter().map(Language::tag).collect();
    let catalogue = catalogue();
    assert_eq!(catalogue.languages.keys().map(String::as_str).collect::<BTreeSet<_>>(), tags);
}

#[test]
fn no_message_is_there_for_nobody() {
    let catalogue = catalogue();
    let rust = sources(&here().join(".."), "rs");
    let page = sources(&here().join("../../ui"), "js");
    for message in &catalogue.languages[FIRST] {
        let function = message.id().replace('-', "_");
        let functions = [format!(".{function}("), format!("Text::{function}(")];
        let property = format!(".{}", crate::javascript::name(message.id()));
        let said = (message.file != PAGE && functions.iter().any(|function| rust.contains(function)))
            || holds(&page, &property);
        assert!(said, "{} ({}) is said nowhere", message.id(), message.file);
    }
}

#[test]
fn every_message_can_be_said_in_every_language() {
    for (language, messages) in catalogue().languages {
        let language = Language::of_tag(&language).unwrap();
        for message in messages.iter().filter(|message| message.file != PAGE) {
            let variables = message.variables.iter().map(|(name, kind)| match kind {
                Kind::Number => (name.as_str(), fluent_bundle::FluentValue::from(2)),
                Kind::Text | Kind::Message => (name.as_str(), fluent_bundle::FluentValue::from("it")),
            });
            let said = crate::said(language, message.id(), &variables.collect()).unwrap_or_default();
            assert!(
                !said.is_empty() && !said.contains(['{', '}']),
                "{language:?}: {}: {said:?}",
                message.id()
            );
        }
    }
}

#[test]
fn an_unknown_message_is_its_own_name() {
    for language in Language::ALL {
        let text = Text(Box::new(Unsaid { id: "nobody-knows-it", variables: Vec::new() }));
        assert_eq!(text.said(Words::of(language)), "nobody-knows-it");
    }
}

#[test]
fn nothing_invisible_is_put_around_variables() {
    let told = Words::of(Language::SimplifiedChinese).state_connected(&"11:48");
    assert_eq!(told, "已连接（自 11:48 起）");
}

/// All sources in a folder, one after the other, but not the page's words themselves.
fn sources(folder: &Path, extension: &str) -> String {
    let mut all = String::new();
    let mut paths = vec![folder.to_owned()];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let inside = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            paths.extend(inside.filter(|path: &PathBuf| !path.ends_with("ui/words/made")));
        } else if path.extension().is_some_and(|known| known == extension) {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
    all
}

/// Whether the text holds the word as a whole.
fn holds(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        !text[at + word.len()..].starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_')
    })
}
