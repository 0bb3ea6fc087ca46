//! What Tidings says to people, in each of its languages.
//!
//! One catalogue, in [Fluent](https://projectfluent.org)'s format: `locales/LANGUAGE/*.ftl`. The agent calls the
//! functions of [`Words`], one per message, which the build makes of the English files. The window's page says what
//! stands in `shared.ftl` and `window.ftl`, made into `ui/words/made/*.js` by a test. The log, the contracts with
//! scripts and what servers say are in nobody's catalogue. A variable called `$why`, `$message` or `$mend` is itself a message: what the
//! system or a library says becomes one of ours before it is told.

#[cfg(test)]
#[path = "../build/catalogue.rs"]
mod catalogue;
#[cfg(test)]
mod javascript;
mod language;
#[cfg(test)]
mod tests;

use std::fmt::{self, Display};
use std::sync::{LazyLock, PoisonError, RwLock};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::types::FluentNumber;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

pub use language::Language;

/// The words of one language. Cheap to copy; each message is read when it is first said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Words(Language);

/// A message with its variables, to be said later: what an error holds, which the log tells in English and the window
/// in the language that it has by then. Displayed in English.
#[derive(Debug, Clone, PartialEq)]
pub struct Text(Box<Unsaid>);

#[derive(Debug, Clone, PartialEq)]
struct Unsaid {
    id: &'static str,
    variables: Vec<(&'static str, Variable)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Variable {
    Text(String),
    Number(FluentNumber),
    Message(Text),
}

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

impl Words {
    /// Those of `language`.
    #[must_use]
    pub const fn of(language: Language) -> Self {
        Self(language)
    }

    /// Whose words these are.
    #[must_use]
    pub const fn language(self) -> Language {
        self.0
    }
}

impl Text {
    /// In this language, else in English; a message that nobody knows is its own name, which is better than an end.
    #[must_use]
    pub fn said(&self, words: Words) -> String {
        let Unsaid { id, variables } = &*self.0;
        let variables: FluentArgs<'_> = variables
            .iter()
            .map(|(name, variable)| match variable {
                Variable::Text(text) => (*name, FluentValue::from(text.as_str())),
                Variable::Number(number) => (*name, FluentValue::Number(number.clone())),
                Variable::Message(text) => (*name, FluentValue::from(text.said(words))),
            })
            .collect();
        said(words.0, id, &variables)
            .or_else(|| said(Language::English, id, &variables))
            .unwrap_or_else(|| (*id).to_owned())
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said(Words::default()))
    }
}

type Bundle = FluentBundle<FluentResource>;

/// The messages of one language. All of them read take 0.6 MiB, so each is read when it is first said.
struct Catalogue {
    /// Each message in Fluent's format, behind a [`MARK`].
    source: &'static str,
    read: RwLock<Bundle>,
}

/// What the build puts before each message.
const MARK: char = '\0';

fn said(language: Language, id: &str, variables: &FluentArgs<'_>) -> Option<String> {
    static ENGLISH: LazyLock<Catalogue> =
        LazyLock::new(|| Catalogue::of(Language::English, include_str!(concat!(env!("OUT_DIR"), "/en.ftl"))));
    static CHINESE: LazyLock<Catalogue> = LazyLock::new(|| {
        Catalogue::of(Language::SimplifiedChinese, include_str!(concat!(env!("OUT_DIR"), "/zh-CN.ftl")))
    });
    let catalogue = match language {
        Language::English => &*ENGLISH,
        Language::SimplifiedChinese => &*CHINESE,
    };
    catalogue.said(id, variables).or_else(|| {
        catalogue.learn(id)?;
        catalogue.said(id, variables)
    })
}

impl Catalogue {
    fn of(language: Language, source: &'static str) -> Self {
        let mut bundle = Bundle::new_concurrent(language.tag().parse().into_iter().collect());
        // Marks around each variable would be copied into terminals, and no text here runs from right to left.
        bundle.set_use_isolating(false);
        // Doesn't fail but on what a bundle has already.
        let _ = bundle.add_builtins();
        Self { source, read: RwLock::new(bundle) }
    }

    /// A message that was read.
    fn said(&self, id: &str, variables: &FluentArgs<'_>) -> Option<String> {
        let bundle = self.read.read().unwrap_or_else(PoisonError::into_inner);
        let pattern = bundle.get_message(id)?.value()?;
        // A variable that is missing is told by its name; the functions leave out none.
        Some(bundle.format_pattern(pattern, Some(variables), &mut Vec::new()).into_owned())
    }

    /// Reads a message, if it is one of ours.
    fn learn(&self, id: &str) -> Option<()> {
        let start = self.source.find(&format!("{MARK}{id} ="))? + MARK.len_utf8();
        let message = self.source[start..].split(MARK).next()?;
        // Neither fails: the build wrote the message, and one that somebody read meanwhile is the same.
        let resource = FluentResource::try_new(message.to_owned()).ok()?;
        let _ = self.read.write().unwrap_or_else(PoisonError::into_inner).add_resource(resource);
        Some(())
    }
}
