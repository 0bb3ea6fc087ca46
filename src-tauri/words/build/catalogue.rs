//! Reads the catalogue for those that make code of it or test it. The agent itself leaves that to `fluent-bundle`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fluent_syntax::ast::{self, Entry, Expression, InlineExpression, Pattern, PatternElement, VariantKey};
use fluent_syntax::parser;

/// The language that all others are translated from.
pub(crate) const FIRST: &str = "en";
/// The file whose messages only the window's page says.
pub(crate) const PAGE: &str = "window.ftl";

/// Variables that are told in words of ours, which nobody's else can be put in the place of: what a library or the system
/// says has to become a message first.
const MESSAGES: [&str; 3] = ["why", "message", "mend"];

/// The plural categories of Unicode.
const PLURALS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// All messages by language, in the order of the files' names.
pub(crate) struct Catalogue {
    pub(crate) languages: BTreeMap<String, Vec<Message>>,
}

/// One message in one language.
pub(crate) struct Message {
    /// The file's name.
    pub(crate) file: String,
    pub(crate) entry: ast::Message<String>,
    pub(crate) variables: BTreeMap<String, Kind>,
}

impl Message {
    pub(crate) fn id(&self) -> &str {
        &self.entry.id.name
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Text,
    /// A message of the catalogue itself.
    Message,
    /// Something is chosen by it, or it is formatted as one.
    Number,
}

impl Catalogue {
    /// Reads `folder/LANGUAGE/*.ftl`.
    ///
    /// # Panics
    /// When a file is wrong: it is one of ours.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut languages = BTreeMap::new();
        for language in sorted(folder) {
            let folder = folder.join(&language);
            let messages = sorted(&folder).iter().flat_map(|file| read(&folder, file)).collect();
            languages.insert(language, messages);
        }
        let mut all = Self { languages };
        all.agree();
        all
    }

    /// A number in one language is a number in all: one may choose by it where another only tells it.
    fn agree(&mut self) {
        let mut kinds = BTreeMap::new();
        for message in self.languages.values().flatten() {
            for (variable, kind) in &message.variables {
                let known = kinds.entry((message.id().to_owned(), variable.clone())).or_insert(*kind);
                *known = (*known).max(*kind);
            }
        }
        for message in self.languages.values_mut().flatten() {
            let id = message.id().to_owned();
            for (variable, kind) in &mut message.variables {
                *kind = kinds[&(id.clone(), variable.clone())];
            }
        }
    }
}

fn sorted(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a readable folder").file_name().into_string().expect("a plain name"))
        .collect();
    names.sort_unstable();
    names
}

fn read(folder: &Path, file: &str) -> Vec<Message> {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let resource = parser::parse(text).unwrap_or_else(|(_, errors)| panic!("{}: {errors:?}", path.display()));
    let mut messages = Vec::new();
    for entry in resource.body {
        let entry = match entry {
            Entry::Message(message) => message,
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => continue,
            Entry::Term(_) | Entry::Junk { .. } => panic!("{}: {entry:?} is no message", path.display()),
        };
        let pattern = entry.value.as_ref().filter(|_| entry.attributes.is_empty());
        let pattern =
            pattern.unwrap_or_else(|| panic!("{}: {:?} must be one text", path.display(), entry.id));
        let mut variables = BTreeMap::new();
        collect(pattern, &mut variables);
        messages.push(Message { file: file.to_owned(), entry, variables });
    }
    messages
}

fn collect(pattern: &Pattern<String>, variables: &mut BTreeMap<String, Kind>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        match expression {
            Expression::Inline(inline) => collect_inline(inline, Kind::Text, variables),
            Expression::Select { selector, variants } => {
                let counts = variants.iter().all(|variant| match &variant.key {
                    VariantKey::NumberLiteral { .. } => true,
                    VariantKey::Identifier { name } => PLURALS.contains(&name.as_str()),
                });
                collect_inline(selector, if counts { Kind::Number } else { Kind::Text }, variables);
                variants.iter().for_each(|variant| collect(&variant.value, variables));
            }
        }
    }
}

fn collect_inline(inline: &InlineExpression<String>, kind: Kind, variables: &mut BTreeMap<String, Kind>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            let kind = if MESSAGES.contains(&id.name.as_str()) { Kind::Message } else { kind };
            let known = variables.entry(id.name.clone()).or_insert(kind);
            *known = (*known).max(kind);
        }
        InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
        InlineExpression::FunctionReference { id, arguments } if id.name == "NUMBER" => {
            arguments.positional.iter().for_each(|told| collect_inline(told, Kind::Number, variables));
        }
        InlineExpression::FunctionReference { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. }
        | InlineExpression::Placeable { .. } => {
            panic!("{inline:?}: only variables, NUMBER() and literals are made into code")
        }
    }
}
