//! A channel's own mapping: where a field comes from, instead of the usual names.
//!
//! The settings parse each field's text into a [`Source`]; [`decode`](crate::decode()) asks for what it
//! finds in one message, as JSON text. What a source doesn't find, the default mapping may: a mapping that
//! fits only some of a server's messages harms none of them.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::ValueKind;
use tidings_template::{Pointer, SyntaxError, Template, json};

use crate::about::{About, Published};
use crate::text::bare;

/// The usual names of a title …
pub(crate) const TITLE: &[&str] = &["title", "subject", "summary"];
/// … and of a body.
pub(crate) const BODY: &[&str] = &["body", "message", "text", "content"];

/// A field of a message that a mapping may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are the fields of a message")]
pub enum Field {
    Title,
    Body,
    Id,
    Time,
    Priority,
    Url,
    Icon,
    Image,
    Tag,
    Actions,
    Silent,
    Expires,
}

impl Field {
    /// Each with its name in the settings.
    pub const ALL: [(&'static str, Self); 12] = [
        ("title", Self::Title),
        ("body", Self::Body),
        ("id", Self::Id),
        ("time", Self::Time),
        ("priority", Self::Priority),
        ("url", Self::Url),
        ("icon", Self::Icon),
        ("image", Self::Image),
        ("tag", Self::Tag),
        ("actions", Self::Actions),
        ("silent", Self::Silent),
        ("expires", Self::Expires),
    ];
}

/// The sources of those fields that have one of their own.
pub type Mapping = BTreeMap<Field, Source>;

/// Where a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Pointer(Pointer),
    Template(Template),
}

/// A text that says of no field where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It begins like neither of the two.
    #[error("neither a JSON Pointer nor a template")]
    Neither,
    /// A template that can't be compiled.
    #[error(transparent)]
    Template(#[from] SyntaxError),
}

impl Source {
    /// A JSON Pointer (RFC 6901) such as `/payload/subject`, or a template with `{{ }}` over the message's
    /// members; these two names stand for all of it unless the message uses them: `json` and `raw`. What an MQTT broker tells beside
    /// it is `about`, likewise: `topic`, `retained`, `content_type`, `response_topic` and `user`, which holds the user properties.
    ///
    /// # Errors
    /// When it is neither, or a template with a mistake.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text.contains("{{") || text.contains("{%") {
            return Ok(Self(Kind::Template(Template::parse(text)?)));
        }
        Pointer::parse(text).map(|pointer| Self(Kind::Pointer(pointer))).ok_or(SourceError::Neither)
    }
}

impl Source {
    /// The last member on the way to what a pointer names; of a template nothing.
    pub(crate) fn name(&self) -> &str {
        match &self.0 {
            Kind::Pointer(pointer) => pointer.last(),
            Kind::Template(_) => "",
        }
    }
}

/// One message, a JSON object, as mappings see it.
pub(crate) struct Sample<'a> {
    text: &'a str,
    /// What was told beside it.
    about: Option<&'a About>,
    /// For templates; made when the first one asks. `None`: nested too deeply.
    members: OnceCell<Option<Value>>,
}

impl<'a> Sample<'a> {
    /// `text` is a JSON object, or what it is about is known.
    pub(crate) fn beside(text: &'a str, about: &'a About) -> Self {
        let about = about.published.is_some().then_some(about);
        Self { text, about, members: OnceCell::new() }
    }

    /// What `source` finds for this field, as JSON text; `None` if nothing.
    pub(crate) fn find(&self, field: Field, source: &Source, channel: &str) -> Option<String> {
        match &source.0 {
            Kind::Pointer(pointer) => pointer.find(self.text).map(str::to_owned),
            Kind::Template(template) => {
                let made = match self.members.get_or_init(|| members(self.text, self.about)) {
                    Some(members) => template.render(members).map_err(|kind| kind.to_string()),
                    None => Err("the message is nested too deeply".to_owned()),
                };
                let text = made.inspect_err(|why| {
                    tracing::info!(
                        channel,
                        ?field,
                        why,
                        "a template fits a message not; read by the usual names"
                    );
                });
                let text = text.ok().filter(|text| !text.trim().is_empty())?;
                // A list is written as JSON by the template itself; all else is text.
                if field == Field::Actions { Some(text) } else { serde_json::to_string(&text).ok() }
            }
        }
    }
}

/// What stands beside a message, for templates.
fn beside(topic: &str, published: &Published) -> Value {
    let Published { retained, content_type, response_topic, user, .. } = published;
    let user = user.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str())));
    Value::from_pairs([
        ("topic", Value::from(topic)),
        ("retained", Value::from(*retained)),
        ("content_type", content_type.as_deref().map_or(Value::UNDEFINED, Value::from)),
        ("response_topic", response_topic.as_deref().map_or(Value::UNDEFINED, Value::from)),
        ("user", Value::from_pairs(user)),
    ])
}

fn members(text: &str, about: Option<&About>) -> Option<Value> {
    let json = json(bare(text)).filter(|json| about.is_some() || json.kind() == ValueKind::Map);
    let json = json.or_else(|| about.map(|_| Value::UNDEFINED))?;
    let mut members =
        BTreeMap::from([("json".to_owned(), json.clone()), ("raw".to_owned(), Value::from(text))]);
    if let Some(About { topic: Some(topic), published: Some(published), .. }) = about {
        members.insert("about".to_owned(), beside(topic, published));
    }
    if json.kind() != ValueKind::Map {
        return Some(Value::from_pairs(members));
    }
    for name in json.try_iter().ok()? {
        if let (Some(key), Ok(value)) = (name.as_str(), json.get_item(&name)) {
            members.insert(key.to_owned(), value);
        }
    }
    Some(Value::from_pairs(members))
}
